//! The OpenAPI document.

use std::collections::BTreeSet;

use serde_json::Value;

fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let methods = paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().expect("an item");
        item.iter().map(move |(method, operation)| (format!("{method} {path}"), operation))
    });
    methods.filter(|(_, operation)| operation["operationId"].is_string()).collect()
}

#[test]
fn the_committed_document_is_what_the_code_says() {
    let committed = include_str!("../../openapi/openapi.json");
    let now = tollgate::cli::openapi::text().expect("the document");
    assert!(now == committed, "run `tollgate openapi > openapi/openapi.json` and commit it");
}

#[test]
fn every_operation_is_described_and_says_how_it_fails() {
    let document = serde_json::to_value(tollgate::http::document()).expect("JSON");
    let operations = operations(&document);
    assert!(operations.len() > 25);
    let mut ids = BTreeSet::new();
    for (name, operation) in operations {
        for member in ["summary", "description"] {
            let text = operation[member].as_str().unwrap_or_default();
            assert!(!text.trim().is_empty(), "{name} has no {member}");
        }
        assert!(ids.insert(operation["operationId"].to_string()), "{name} shares its id");
        let responses = operation["responses"].as_object().expect("responses");
        assert!(responses.contains_key("500") && responses.contains_key("503"), "{name}");
        let errors = responses.iter().filter(|(status, _)| status.starts_with(['4', '5']));
        for (status, response) in errors {
            let content = response["content"].as_object();
            assert!(content.is_some_and(|content| !content.is_empty()), "{name} {status}");
        }
        let secured = !operation["security"].is_null();
        assert!(!secured || responses.contains_key("401"), "{name} never says 401");
    }
}

/// Every object schema of the document, with where it stands.
fn objects<'d>(path: String, schema: &'d Value, found: &mut Vec<(String, &'d Value)>) {
    if schema["properties"].is_object() {
        found.push((path.clone(), schema));
    }
    let inner = schema.as_object().into_iter().flatten();
    inner.for_each(|(name, value)| objects(format!("{path}.{name}"), value, found));
    let items = schema.as_array().into_iter().flatten();
    items.for_each(|value| objects(path.clone(), value, found));
}

#[test]
fn every_text_says_what_it_looks_like() {
    let document = serde_json::to_value(tollgate::http::document()).expect("JSON");
    let mut found = vec![];
    objects("schemas".to_owned(), &document["components"]["schemas"], &mut found);
    assert!(found.len() > 25);
    let mut silent = vec![];
    for (path, object) in found {
        for (name, member) in object["properties"].as_object().expect("members") {
            let says = ["examples", "enum", "format"].iter().any(|word| !member[word].is_null());
            if member["type"] == "string" && !says {
                silent.push(format!("{path}.{name}"));
            }
        }
    }
    assert!(silent.is_empty(), "add #[schema(examples(…))]: {silent:#?}");
}

#[test]
fn every_reference_leads_somewhere() {
    let document = serde_json::to_value(tollgate::http::document()).expect("JSON");
    let text = document.to_string();
    let references = text.split(r##""$ref":"#"##).skip(1).map(|rest| rest.split('"').next());
    let references: BTreeSet<&str> = references.flatten().collect();
    assert!(references.len() > 25);
    let lost: Vec<_> = references.iter().filter(|path| document.pointer(path).is_none()).collect();
    assert!(lost.is_empty(), "name them in components(schemas(…)): {lost:?}");
}
