//! Deciding whether a request wants a tool called, and with which arguments.

use serde_json::Value;

use super::fill::{self, Words};
use super::request::{ChatRequest, Function};

/// Words of a description that say nothing about what the tool is for.
const EMPTY_WORDS: [&str; 22] = [
    "with", "this", "that", "from", "into", "your", "their", "given", "using", "used", "return",
    "returns", "value", "values", "list", "user", "about", "which", "current", "name", "tool",
    "function",
];

/// A call that the model makes: the function's name and its arguments as JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub name: String,
    pub arguments: String,
}

/// The call that answers this request, where one does.
pub fn decide(request: &ChatRequest) -> Option<Call> {
    if request.last_role() != "user" {
        return None;
    }
    let text = request.last_text("user");
    let lower = text.to_lowercase();
    let suited = || request.tools().find(|function| suits(function, &lower));
    let function = match request.tool_choice.as_ref() {
        Some(Value::String(choice)) if choice == "none" => return None,
        Some(Value::String(choice)) if choice == "required" => {
            suited().or_else(|| request.tools().next())
        }
        Some(Value::Object(choice)) => {
            let named = choice.get("function").and_then(|f| f.get("name")).and_then(Value::as_str);
            request.tools().find(|function| Some(function.name.as_str()) == named)
        }
        _ => suited(),
    }?;
    let arguments = match &function.parameters {
        Some(schema) => fill::value(schema, &Words::of(&text)),
        None => Value::Object(serde_json::Map::new()),
    };
    Some(Call { name: function.name.clone(), arguments: arguments.to_string() })
}

/// Whether the text names the tool or a telling word of its name or description.
fn suits(function: &Function, lower_text: &str) -> bool {
    let name = function.name.to_lowercase();
    if !name.is_empty() && lower_text.contains(&name) {
        return true;
    }
    let description = function.description.as_deref().unwrap_or_default().to_lowercase();
    let asked: Vec<&str> = words(lower_text).collect();
    let mut telling = words(&name).chain(words(&description));
    telling.any(|word| {
        let enough = word.chars().count() >= 4 && !EMPTY_WORDS.contains(&word);
        enough && asked.iter().any(|asked| same_stem(asked, word))
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// `divide` and `divided`, `city` and `cities`: close enough.
fn same_stem(left: &str, right: &str) -> bool {
    let stem = |word: &str| word.chars().take(6).collect::<String>();
    left == right || (left.chars().count() >= 6 && stem(left) == stem(right))
}

/// The name of the tool whose result the last message holds.
pub fn answered_tool(request: &ChatRequest) -> Option<String> {
    let last = request.messages().last()?;
    if let Some(name) = &last.name {
        return Some(name.clone());
    }
    let id = last.tool_call_id.as_deref()?;
    let calls = request.messages().iter().rev().filter_map(|m| m.tool_calls.as_ref()?.as_array());
    let call = calls.flatten().find(|call| call.get("id").and_then(Value::as_str) == Some(id))?;
    call.get("function")?.get("name")?.as_str().map(str::to_owned)
}
