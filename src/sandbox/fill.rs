//! Values that fit a JSON schema, taken from the user's words where they fit.

use std::cell::Cell;

use serde_json::{Map, Number, Value, json};

use super::prose;

/// Nested or recursive schemas end here.
const DEEPEST: usize = 12;
/// A schema that refers to itself twice per level would grow without end.
const MOST_VALUES: usize = 10_000;
const MOST_ITEMS: u64 = 20;
const LONGEST_TEXT: usize = 4_000;

/// What the user's text offers for filling in.
pub struct Words {
    topic: String,
    capitalised: Vec<String>,
    numbers: Vec<Number>,
}

impl Words {
    pub fn of(text: &str) -> Self {
        let clean = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
        let words: Vec<String> = text.split_whitespace().map(clean).collect();
        let capital = |word: &&String| word.chars().next().is_some_and(char::is_uppercase);
        // The first word of a sentence is capitalised for no reason of its own.
        let capitalised = words.iter().skip(1).filter(capital).filter(|w| w.len() > 1).cloned();
        Self {
            topic: prose::topic(text),
            capitalised: capitalised.collect(),
            numbers: words.iter().filter_map(|word| word.parse().ok()).collect(),
        }
    }
}

/// Builds a value for a schema. `root` resolves `$ref`.
pub fn value(schema: &Value, words: &Words) -> Value {
    Filler { root: schema, words, left: Cell::new(MOST_VALUES) }.fill(schema, "", 0)
}

struct Filler<'a> {
    root: &'a Value,
    words: &'a Words,
    left: Cell<usize>,
}

impl Filler<'_> {
    fn fill(&self, schema: &Value, name: &str, depth: usize) -> Value {
        let left = self.left.get();
        if depth > DEEPEST || left == 0 {
            return Value::Null;
        }
        self.left.set(left - 1);
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let found = target.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            return found.map_or(Value::Null, |found| self.fill(found, name, depth + 1));
        }
        if let Some(fixed) = schema.get("const") {
            return fixed.clone();
        }
        if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
            return self.choose(choices);
        }
        for union in ["anyOf", "oneOf"] {
            if let Some(branches) = schema.get(union).and_then(Value::as_array) {
                return self.fill(first_real(branches), name, depth + 1);
            }
        }
        if let Some(all) = schema.get("allOf").and_then(Value::as_array) {
            return self.fill_all(all, name, depth);
        }
        match kind(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, name, depth),
            "integer" => json!(self.integer(schema)),
            "number" => self.number(schema),
            "boolean" => Value::Bool(true),
            "null" => Value::Null,
            _ => Value::String(self.text(schema, name)),
        }
    }

    /// An enum member that the user named, else the first.
    fn choose(&self, choices: &[Value]) -> Value {
        let topic = self.words.topic.to_lowercase();
        let named = choices.iter().find(|choice| {
            choice.as_str().is_some_and(|text| topic.contains(&text.to_lowercase()))
        });
        named.or(choices.first()).cloned().unwrap_or_default()
    }

    fn fill_all(&self, all: &[Value], name: &str, depth: usize) -> Value {
        let mut merged = Map::new();
        for part in all {
            match self.fill(part, name, depth + 1) {
                Value::Object(fields) => merged.extend(fields),
                other => return other,
            }
        }
        Value::Object(merged)
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let mut fields = Map::new();
        let required = schema.get("required").and_then(Value::as_array);
        let must = |name: &str| required.is_some_and(|names| names.iter().any(|n| n == name));
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            for (name, property) in properties {
                // Optional parts of deep trees are left out: recursive schemas end that way.
                if must(name) || depth < 3 {
                    fields.insert(name.clone(), self.fill(property, name, depth + 1));
                }
            }
        }
        Value::Object(fields)
    }

    fn array(&self, schema: &Value, name: &str, depth: usize) -> Value {
        let bound = |key: &str| schema.get(key).and_then(Value::as_u64);
        let least = bound("minItems").unwrap_or(0).min(MOST_ITEMS);
        let count = bound("maxItems").unwrap_or(2).min(2).max(least);
        let any = json!({ "type": "string" });
        let items = schema.get("items").unwrap_or(&any);
        (0..count).map(|_| self.fill(items, name, depth + 1)).collect()
    }

    fn integer(&self, schema: &Value) -> i64 {
        let bound = |key: &str| schema.get(key).and_then(Value::as_i64);
        let above = bound("exclusiveMinimum").map(|least| least.saturating_add(1));
        let below = bound("exclusiveMaximum").map(|most| most.saturating_sub(1));
        let least = bound("minimum").max(above).unwrap_or(i64::MIN);
        let most = bound("maximum").into_iter().chain(below).min().unwrap_or(i64::MAX);
        let wanted = self.words.numbers.iter().find_map(Number::as_i64).unwrap_or(1);
        let value = wanted.max(least).min(most);
        match bound("multipleOf") {
            Some(step) if step > 0 => {
                let rest = value.rem_euclid(step);
                let up = value.saturating_add(step - rest);
                if rest == 0 { value } else { Some(up).filter(|v| *v <= most).unwrap_or(up - step) }
            }
            _ => value,
        }
    }

    fn number(&self, schema: &Value) -> Value {
        let bounded = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]
            .iter()
            .any(|key| schema.get(*key).is_some());
        match self.words.numbers.first() {
            Some(number) if !bounded => Value::Number(number.clone()),
            _ => self.bounded_number(schema),
        }
    }

    fn bounded_number(&self, schema: &Value) -> Value {
        let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
        let least = bound("minimum").or(bound("exclusiveMinimum"));
        let most = bound("maximum").or(bound("exclusiveMaximum"));
        match (least, most) {
            (Some(least), Some(most)) if bound("multipleOf").is_none() => {
                json!(least + (most - least) / 2.0)
            }
            _ => json!(self.integer(&whole(schema))),
        }
    }

    fn text(&self, schema: &Value, name: &str) -> String {
        let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
        let text = match format {
            "date" => "2026-08-08".to_owned(),
            "date-time" => "2026-08-08T12:00:00Z".to_owned(),
            "time" => "12:00:00Z".to_owned(),
            "email" => "ada@example.com".to_owned(),
            "uri" | "url" => "https://example.com/".to_owned(),
            "uuid" => "7b0e6b8e-3c52-4e0f-9d0a-0d5f5c2b1a10".to_owned(),
            "ipv4" => "192.0.2.1".to_owned(),
            _ => self.named_text(&name.to_lowercase()),
        };
        fit(text, schema)
    }

    fn named_text(&self, name: &str) -> String {
        let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
        let capitalised = |otherwise: &str| {
            self.words.capitalised.first().cloned().unwrap_or_else(|| otherwise.to_owned())
        };
        if has(&["city", "location", "place", "town"]) {
            capitalised("Paris")
        } else if has(&["country"]) {
            capitalised("France")
        } else if has(&["date", "day"]) {
            "2026-08-08".to_owned()
        } else if has(&["email"]) {
            "ada@example.com".to_owned()
        } else if has(&["url", "link"]) {
            "https://example.com/".to_owned()
        } else if has(&["name", "person", "author"]) {
            capitalised("Ada")
        } else {
            self.words.topic.clone()
        }
    }
}

/// The type of a schema; of a list of types, the first that is not null.
fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            let mut names = kinds.iter().filter_map(Value::as_str);
            names.find(|kind| *kind != "null").unwrap_or("null")
        }
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "string",
    }
}

fn first_real(branches: &[Value]) -> &Value {
    let real = branches.iter().find(|branch| kind(branch) != "null");
    real.or(branches.first()).unwrap_or(&Value::Null)
}

/// The bounds of a number schema as whole numbers inside them.
fn whole(schema: &Value) -> Value {
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    let mut whole = Map::new();
    for (key, value) in [
        ("minimum", bound("minimum").map(f64::ceil)),
        ("maximum", bound("maximum").map(f64::floor)),
        ("exclusiveMinimum", bound("exclusiveMinimum").map(f64::floor)),
        ("exclusiveMaximum", bound("exclusiveMaximum").map(f64::ceil)),
        ("multipleOf", bound("multipleOf").map(f64::ceil)),
    ] {
        if let Some(value) = value {
            whole.insert(key.to_owned(), json!(value as i64));
        }
    }
    Value::Object(whole)
}

/// Pads or cuts a text to the schema's length.
fn fit(text: String, schema: &Value) -> String {
    let bound = |key: &str| schema.get(key).and_then(Value::as_u64).map(|n| n as usize);
    let least = bound("minLength").unwrap_or(0).min(LONGEST_TEXT);
    let most = bound("maxLength").unwrap_or(LONGEST_TEXT).max(least);
    let mut letters: Vec<char> = text.chars().take(most).collect();
    let missing = least.saturating_sub(letters.len());
    letters.extend(std::iter::repeat_n('.', missing));
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let schema = json!({
            "type": "object", "required": ["a", "b", "c", "d"],
            "properties": { "a": { "$ref": "#" }, "b": { "$ref": "#" },
                "c": { "type": "array", "minItems": 20, "items": { "$ref": "#" } },
                "d": { "$ref": "#/nowhere" } },
        });
        assert!(value(&schema, &Words::of("anything")).is_object());
    }

    #[test]
    fn numbers_keep_their_bounds() {
        let words = Words::of("Take 250 of them");
        for (schema, expected) in [
            (json!({ "type": "integer" }), json!(250)),
            (json!({ "type": "integer", "maximum": 10 }), json!(10)),
            (json!({ "type": "integer", "exclusiveMaximum": 10, "multipleOf": 4 }), json!(8)),
            (json!({ "type": "number", "minimum": 0.5, "maximum": 1 }), json!(0.75)),
            (json!({ "type": ["null", "boolean"] }), json!(true)),
            (json!({ "const": 7 }), json!(7)),
        ] {
            assert_eq!(value(&schema, &words), expected, "{schema}");
        }
    }
}
