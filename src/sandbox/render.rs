//! Writing answers: one JSON object, or server-sent events, with the members of the recordings.

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::answer::{Answer, Finish};
use super::seed;

pub const COMMENT: &[u8] = b": OPENROUTER PROCESSING\n\n";
pub const DONE: &[u8] = b"data: [DONE]\n\n";
pub const PADDING: &[u8] = b"\n         \n";

/// A transparent picture of one pixel.
const PICTURE: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlE\
                       QVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
/// A wave file without samples.
const SOUND: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=";

/// Which endpoint answers: chat, or the older text completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skin {
    Chat,
    Text,
}

/// What every object of one answer repeats.
#[derive(Debug, Clone)]
pub struct Head {
    pub id: String,
    pub created: i64,
    pub model: String,
    pub provider: String,
    pub author: String,
    pub skin: Skin,
}

/// One step of a streamed answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta {
    Role,
    Reasoning(String),
    Text(String),
    CallStart { id: String, name: String },
    CallArguments(String),
    Picture,
    Sound(String),
    End,
}

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'a str,
    created: i64,
    model: &'a str,
    provider: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Value>,
    choices: &'a [Value],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Whole<'a> {
    id: &'a str,
    object: &'a str,
    created: i64,
    model: &'a str,
    provider: &'a str,
    system_fingerprint: (),
    service_tier: (),
    choices: &'a [Value],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<&'a RawValue>,
}

/// Wraps JSON text as one event.
pub fn event(json: &str) -> Bytes {
    Bytes::from(format!("data: {json}\n\n"))
}

impl Head {
    fn chunk(&self, choices: &[Value], usage: Option<&RawValue>, error: Option<&Value>) -> Bytes {
        let object = match self.skin {
            Skin::Chat => "chat.completion.chunk",
            Skin::Text => "text_completion",
        };
        let Self { id, created, model, provider, .. } = self;
        let chunk = Chunk { id, object, created: *created, model, provider, error, choices, usage };
        event(&serde_json::to_string(&chunk).unwrap_or_default())
    }

    fn choice(&self, delta: &Delta, finish: Option<Finish>) -> Value {
        let reason = finish.map(Finish::name);
        let native = finish.map(|finish| finish.native(&self.author));
        match self.skin {
            Skin::Chat => json!({
                "index": 0, "delta": delta.json(), "finish_reason": reason,
                "native_finish_reason": native, "logprobs": null,
            }),
            Skin::Text => json!({
                "index": 0, "text": delta.text(), "finish_reason": reason,
                "native_finish_reason": native, "logprobs": null,
            }),
        }
    }

    pub fn delta(&self, delta: &Delta, finish: Option<Finish>) -> Bytes {
        self.chunk(&[self.choice(delta, finish)], None, None)
    }

    /// The last chunk before `[DONE]`. Half of the models repeat the finish reason in it, the
    /// others leave `choices` empty: both are on record, so clients must take both.
    pub fn usage(&self, finish: Finish, usage: &RawValue) -> Bytes {
        match self.repeats_finish() {
            true => self.chunk(&[self.choice(&Delta::End, Some(finish))], Some(usage), None),
            false => self.chunk(&[], Some(usage), None),
        }
    }

    fn repeats_finish(&self) -> bool {
        seed::hash(&[self.model.as_bytes()]).is_multiple_of(2)
    }

    /// An error inside a stream that began well.
    pub fn failure(&self, usage: Option<&RawValue>) -> Bytes {
        let (error, finish) = match usage {
            Some(_) => (json!({ "code": 400, "message": "Token limit reached" }), None),
            None => (
                json!({
                    "code": 502, "message": "Network connection lost.",
                    "metadata": { "error_type": "provider_unavailable" },
                }),
                Some(Finish::Error),
            ),
        };
        self.chunk(&[self.choice(&Delta::End, finish)], usage, Some(&error))
    }

    /// The whole answer as one object.
    pub fn whole(&self, answer: &Answer, finish: Finish, usage: Option<&RawValue>) -> String {
        let (object, body) = match self.skin {
            Skin::Chat => ("chat.completion", json!({ "message": message(answer, self) })),
            Skin::Text => ("text_completion", json!({ "text": answer.content })),
        };
        let mut choice = json!({
            "index": 0, "logprobs": null, "finish_reason": finish.name(),
            "native_finish_reason": finish.native(&self.author),
        });
        if finish == Finish::Error {
            choice["error"] = json!({
                "code": 502, "message": "Upstream error: the provider stopped half-way",
                "metadata": { "error_type": "provider_unavailable" },
            });
        }
        if let (Value::Object(choice), Value::Object(body)) = (&mut choice, body) {
            choice.extend(body);
        }
        let Self { id, created, model, provider, .. } = self;
        let whole = Whole {
            id,
            object,
            created: *created,
            model,
            provider,
            system_fingerprint: (),
            service_tier: (),
            choices: &[choice],
            usage,
        };
        serde_json::to_string(&whole).unwrap_or_default()
    }

    /// HTTP 200 and then an error without choices, perhaps with a bill.
    pub fn late_error(&self, usage: Option<&RawValue>) -> String {
        let id = serde_json::to_string(&self.id).unwrap_or_default();
        let provider = &self.provider;
        let error = json!({
            "message": format!("Upstream error from {provider}: Service temporarily overloaded"),
            "code": 502,
            "metadata": { "error_type": "provider_unavailable" },
        });
        let usage = usage.map_or_else(String::new, |usage| format!(r#","usage":{usage}"#));
        format!(r#"{{"id":{id},"error":{error}{usage}}}"#)
    }
}

fn message(answer: &Answer, head: &Head) -> Value {
    let mut message = json!({
        "role": "assistant", "content": answer.content, "refusal": null,
        "reasoning": answer.reasoning,
    });
    if let Some(text) = &answer.reasoning {
        message["reasoning_details"] = json!([reasoning_detail(text)]);
    }
    if let Some(call) = &answer.call {
        message["tool_calls"] = json!([{
            "index": 0, "id": seed::random_id::<24>("call_"), "type": "function",
            "function": { "name": call.name, "arguments": call.arguments },
        }]);
    }
    if answer.image {
        message["images"] = pictures();
    }
    if answer.audio {
        message["audio"] = sound(&answer.content, head.created);
    }
    message
}

fn reasoning_detail(text: &str) -> Value {
    json!({ "type": "reasoning.text", "text": text, "format": "unknown", "index": 0 })
}

fn pictures() -> Value {
    json!([{ "type": "image_url", "image_url": { "url": PICTURE }, "index": 0 }])
}

fn sound(transcript: &str, created: i64) -> Value {
    json!({
        "id": seed::random_id::<20>("audio_"), "data": SOUND, "transcript": transcript,
        "expires_at": created.saturating_add(3_600),
    })
}

impl Delta {
    fn json(&self) -> Value {
        match self {
            Self::Role | Self::End => json!({ "role": "assistant", "content": "" }),
            Self::Reasoning(text) => json!({
                "role": "assistant", "content": "", "reasoning": text,
                "reasoning_details": [reasoning_detail(text)],
            }),
            Self::Text(text) => json!({ "role": "assistant", "content": text }),
            Self::CallStart { id, name } => json!({
                "role": "assistant", "content": null,
                "tool_calls": [{
                    "index": 0, "id": id, "type": "function",
                    "function": { "name": name, "arguments": "" },
                }],
            }),
            Self::CallArguments(text) => json!({
                "role": "assistant", "content": null,
                "tool_calls": [{ "index": 0, "function": { "arguments": text } }],
            }),
            Self::Picture => {
                json!({ "role": "assistant", "content": "", "images": pictures() })
            }
            Self::Sound(transcript) => json!({
                "role": "assistant", "content": "",
                "audio": { "data": SOUND, "transcript": transcript },
            }),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Role
            | Self::End
            | Self::Reasoning(_)
            | Self::CallStart { .. }
            | Self::CallArguments(_)
            | Self::Picture
            | Self::Sound(_) => "",
        }
    }
}
