//! What a client asked for, as far as the sandbox cares. Unknown fields are ignored.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::money;

/// `POST /chat/completions` and, with `prompt` instead of `messages`, `POST /completions`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ChatRequest {
    pub model: Option<String>,
    pub models: Option<Vec<String>>,
    pub messages: Option<Vec<Message>>,
    pub prompt: Option<Value>,
    pub stream: Option<bool>,
    pub max_tokens: Option<u64>,
    pub max_completion_tokens: Option<u64>,
    pub stop: Option<OneOrMany>,
    pub tools: Option<Vec<Tool>>,
    pub tool_choice: Option<Value>,
    pub response_format: Option<Value>,
    pub reasoning: Option<Reasoning>,
    pub reasoning_effort: Option<String>,
    pub include_reasoning: Option<bool>,
    pub modalities: Option<Vec<String>>,
    pub provider: Option<Provider>,
    pub plugins: Option<Vec<Value>>,
    pub cache_control: Option<Value>,
    pub user: Option<String>,
    pub session_id: Option<String>,
    pub sandbox: Option<SandboxField>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Message {
    pub role: String,
    pub content: Option<Value>,
    pub name: Option<String>,
    pub tool_calls: Option<Value>,
    pub tool_call_id: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many.as_slice(),
        }
        .iter()
        .map(String::as_str)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Tool {
    pub function: Option<Function>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Function {
    pub name: String,
    pub description: Option<String>,
    pub parameters: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Reasoning {
    pub effort: Option<String>,
    pub max_tokens: Option<u64>,
    pub enabled: Option<bool>,
    pub exclude: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Provider {
    pub max_price: Option<MaxPrice>,
}

/// Limits in US dollars per million tokens, kept as text because a float would round them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct MaxPrice {
    pub prompt: Option<Box<RawValue>>,
    pub completion: Option<Box<RawValue>>,
    pub image: Option<Box<RawValue>>,
    pub audio: Option<Box<RawValue>>,
}

impl MaxPrice {
    /// Whether a price per token stays within one of the limits.
    pub fn admits(limit: Option<&RawValue>, per_token: Decimal) -> bool {
        match limit.and_then(|raw| money::parse(raw.get())) {
            Some(limit) => per_token.saturating_mul(Decimal::from(1_000_000)) <= limit,
            None => true,
        }
    }
}

/// The body's own way to steer the sandbox, for clients that cannot set headers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SandboxField {
    pub fault: Option<String>,
    pub tokens: Option<Vec<u64>>,
    pub delay_ms: Option<u64>,
}

impl ChatRequest {
    /// The completion bound the client set, whichever name it used.
    pub fn max_completion(&self) -> Option<u64> {
        self.max_completion_tokens.or(self.max_tokens)
    }

    pub fn messages(&self) -> &[Message] {
        self.messages.as_deref().unwrap_or_default()
    }

    pub fn tools(&self) -> impl Iterator<Item = &Function> {
        self.tools.iter().flatten().filter_map(|tool| tool.function.as_ref())
    }

    pub fn wants_modality(&self, modality: &str) -> bool {
        self.modalities.iter().flatten().any(|wanted| wanted == modality)
    }

    /// Web search by plugin or by the `:online` suffix.
    pub fn searches_the_web(&self, model: &str) -> bool {
        let plugin = |plugin: &Value| plugin.get("id").and_then(Value::as_str) == Some("web");
        model.ends_with(":online") || self.plugins.iter().flatten().any(plugin)
    }

    /// Turns a legacy `prompt` into the message that it stands for.
    pub fn adopt_prompt(&mut self) {
        if self.messages.is_some() {
            return;
        }
        let text = match self.prompt.take() {
            Some(Value::String(text)) => text,
            Some(Value::Array(parts)) => {
                parts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
            }
            _ => return,
        };
        self.messages = Some(vec![Message {
            role: "user".to_owned(),
            content: Some(Value::String(text)),
            ..Message::default()
        }]);
    }

    /// The text of the last message of a role.
    pub fn last_text(&self, role: &str) -> String {
        let last = self.messages().iter().rev().find(|message| message.role == role);
        last.map(Message::text).unwrap_or_default()
    }

    pub fn last_role(&self) -> &str {
        self.messages().last().map(|message| message.role.as_str()).unwrap_or_default()
    }
}

impl Message {
    /// The text of the message without images and other parts.
    pub fn text(&self) -> String {
        match &self.content {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(parts)) => {
                let texts = parts.iter().filter_map(|part| part.get("text")?.as_str());
                texts.collect::<Vec<_>>().join("\n")
            }
            _ => String::new(),
        }
    }

    /// The typed parts of the content; a plain string has none.
    pub fn parts(&self) -> &[Value] {
        self.content.as_ref().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    pub fn has_part(&self, kind: &str) -> bool {
        self.parts().iter().any(|part| part.get("type").and_then(Value::as_str) == Some(kind))
    }
}
