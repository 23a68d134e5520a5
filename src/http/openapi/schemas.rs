//! What generators of clients stumble over, put right in one place for all schemas.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{AdditionalProperties, ArrayItems};
use utoipa::openapi::{Paths, Ref, RefOr, Schema};

/// Puts all of it right.
pub fn tidy(schemas: &mut BTreeMap<String, RefOr<Schema>>, paths: &Paths) {
    for (name, schema) in schemas.iter_mut() {
        refer_to_entries(name, schema);
        open_free_objects(schema);
    }
    for name in passed_on(paths) {
        if let Some(RefOr::T(Schema::Object(request))) = schemas.get_mut(&name) {
            request.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(true)));
        }
    }
}

/// A body that may be absent is not `null` when it comes.
pub fn absent_is_not_null(operation: &mut Operation) {
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    for content in body.content.values_mut() {
        let RefOr::T(content) = content else { continue };
        let Some(RefOr::T(Schema::OneOf(one))) = &content.schema else { continue };
        let reference = one.items.iter().find(|item| matches!(item, RefOr::Ref(_)));
        if let Some(reference) = reference.filter(|_| one.items.len() == 2).cloned() {
            content.schema = Some(reference);
        }
    }
}

/// A `Page_X` repeats what `X` says. Generators would make a second type of it, so it refers.
fn refer_to_entries(name: &str, schema: &mut RefOr<Schema>) {
    let (Some(entry), RefOr::T(Schema::Object(page))) = (name.strip_prefix("Page_"), schema) else {
        return;
    };
    if let Some(RefOr::T(Schema::Array(data))) = page.properties.get_mut("data") {
        data.items = ArrayItems::RefOrSchema(Box::new(RefOr::Ref(Ref::from_schema_name(entry))));
    }
}

/// An object of which nothing is said can hold anything. TypeScript's generators take it for one
/// that holds nothing, unless it is said.
fn open_free_objects(schema: &mut RefOr<Schema>) {
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object) => {
            object.properties.values_mut().for_each(open_free_objects);
            let free = json!(object.schema_type) == "object"
                && object.properties.is_empty()
                && object.additional_properties.is_none();
            if free {
                object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(true)));
            }
        }
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                open_free_objects(items);
            }
        }
        Schema::OneOf(one) => one.items.iter_mut().for_each(open_free_objects),
        Schema::AllOf(all) => all.items.iter_mut().for_each(open_free_objects),
        Schema::AnyOf(any) => any.items.iter_mut().for_each(open_free_objects),
        // Others are added by the library as it grows.
        _ => (),
    }
}

/// The schemas of bodies that go to an upstream: members that are not named pass through, and a
/// generated client must not drop them.
fn passed_on(paths: &Paths) -> Vec<String> {
    let paths = json!(paths);
    let items = paths.as_object().into_iter().flatten();
    let operations = items.flat_map(|(_, item)| item.as_object().into_iter().flatten());
    let with_key = operations.filter(|(_, operation)| {
        let schemes = operation["security"].as_array().into_iter().flatten();
        schemes.into_iter().any(|scheme| scheme.get("api_key").is_some())
    });
    let bodies = with_key.map(|(_, operation)| &operation["requestBody"]["content"]);
    let named = bodies.filter_map(|content: &Value| {
        let path = content["application/json"]["schema"]["$ref"].as_str()?;
        Some(path.rsplit('/').next()?.to_owned())
    });
    named.collect()
}
