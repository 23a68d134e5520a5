//! Examples, put together from what each member of a body says about itself.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Content, RefOr, Schema};

/// The schemas of the document by name.
pub struct Schemas(Map<String, Value>);

/// A schema that refers to itself has an example that ends somewhere.
const DEEPEST: usize = 12;

impl Schemas {
    /// The schemas that references can mean.
    pub fn new(schemas: &BTreeMap<String, RefOr<Schema>>) -> Self {
        let named = schemas.iter().map(|(name, schema)| (name.clone(), json!(schema)));
        Self(named.collect())
    }

    /// Gives every body of this operation an example that has none.
    pub fn illustrate(&self, operation: &mut Operation) {
        if let Some(RefOr::T(body)) = &mut operation.request_body {
            body.content.values_mut().for_each(|content| self.show(content, Detail::Telling));
        }
        for response in operation.responses.responses.values_mut() {
            let RefOr::T(response) = response else { continue };
            response.content.values_mut().for_each(|content| self.show(content, Detail::Whole));
        }
    }

    fn show(&self, content: &mut RefOr<Content>, detail: Detail) {
        let RefOr::T(content) = content else { return };
        if content.example.is_some() || !content.examples.is_empty() {
            return;
        }
        let schema = content.schema.as_ref().map(|schema| json!(schema));
        content.example = schema.map(|schema| self.example(&schema, detail, 0).value);
    }

    fn example(&self, schema: &Value, detail: Detail, depth: usize) -> Example {
        let examples = schema["examples"].as_array().and_then(|examples| examples.first());
        let own = schema.get("example").or(examples).or(schema.get("const"));
        if let Some(value) = own.or(schema["enum"].as_array().and_then(|values| values.first())) {
            return Example::telling(value.clone());
        }
        if depth > DEEPEST {
            return Example::dull(Value::Null);
        }
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            let target = self.0.get(name);
            return target.map_or(Example::dull(Value::Null), |target| {
                self.example(target, detail, depth + 1)
            });
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let parts = parts.iter().map(|part| self.example(part, detail, depth + 1));
            return Example::merged(parts);
        }
        let choices = schema["oneOf"].as_array().or(schema["anyOf"].as_array());
        if let Some(choices) = choices {
            let choice = choices.iter().find(|choice| choice["type"] != "null");
            let shown = choice.map(|choice| self.example(choice, detail, depth + 1));
            let nullable = choices.iter().any(|choice| choice["type"] == "null");
            return shown.unwrap_or(Example::dull(Value::Null)).or_null(nullable);
        }
        self.of_type(schema, detail, depth)
    }

    fn of_type(&self, schema: &Value, detail: Detail, depth: usize) -> Example {
        let kinds = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            kind => Vec::from_iter(kind.as_str()),
        };
        let nullable = kinds.contains(&"null");
        let least = schema.get("minimum").cloned();
        let found = match kinds.into_iter().find(|kind| *kind != "null") {
            Some("object") => self.object(schema, detail, depth),
            Some("array") => {
                let Example { value, telling } = self.example(&schema["items"], detail, depth + 1);
                Example { value: json!([value]), telling }
            }
            Some("string") => match schema["format"].as_str() {
                Some("date-time") => Example::dull(json!("2026-08-08T12:00:00Z")),
                Some("date") => Example::dull(json!("2026-08-08")),
                _ => Example::dull(json!("string")),
            },
            Some("integer" | "number") => Example::dull(least.unwrap_or(json!(0))),
            Some("boolean") => Example::dull(json!(true)),
            _ => Example::dull(Value::Null),
        };
        found.or_null(nullable)
    }

    fn object(&self, schema: &Value, detail: Detail, depth: usize) -> Example {
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let members = schema["properties"].as_object().into_iter().flatten();
        let shown = members.filter_map(|(name, member)| {
            let Example { value, telling } = self.example(member, detail, depth + 1);
            let wanted = required.contains(&name.as_str());
            let kept = wanted || detail == Detail::Whole && !value.is_null() || telling;
            kept.then(|| Example { value: json!({ name: value }), telling })
        });
        Example::merged(shown)
    }
}

/// How much an example shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    /// Of what may be left out only what has an example of its own: a request that makes sense.
    Telling,
    /// Every member: an answer has them all.
    Whole,
}

/// A value, and whether somebody chose it rather than its type.
struct Example {
    value: Value,
    telling: bool,
}

impl Example {
    const fn telling(value: Value) -> Self {
        Self { value, telling: true }
    }

    const fn dull(value: Value) -> Self {
        Self { value, telling: false }
    }

    /// What may be null, and has nothing to tell, is null.
    fn or_null(self, nullable: bool) -> Self {
        if nullable && !self.telling { Self::dull(Value::Null) } else { self }
    }

    /// One object of all their members.
    fn merged(parts: impl Iterator<Item = Self>) -> Self {
        let mut whole = Self::dull(json!({}));
        for part in parts {
            whole.telling |= part.telling;
            let members = part.value.as_object().cloned().unwrap_or_default();
            whole.value.as_object_mut().into_iter().for_each(|all| all.extend(members.clone()));
        }
        whole
    }
}
