//! Counting a prompt: messages, their parts and the tool definitions.

use serde_json::Value;

use super::request::{ChatRequest, Message};
use super::{seed, tokens};

/// What one picture adds, whatever its size.
const IMAGE_TOKENS: u64 = 765;
const AUDIO_TOKENS: u64 = 200;
const FILE_TOKENS: u64 = 1_500;
/// What the chat format adds around every message, and once for the answer.
const MESSAGE_OVERHEAD: u64 = 4;
const ANSWER_OVERHEAD: u64 = 3;

/// The size of a prompt and the places where it could be cut for a cache.
#[derive(Debug, Default)]
pub struct Prompt {
    pub total: u64,
    pub audio: u64,
    pub media: u64,
    pub images: u64,
    /// After each message: a hash and a size of everything up to there.
    pub prefixes: Vec<Prefix>,
    pub hash: u64,
}

#[derive(Debug, Clone, Copy)]
pub struct Prefix {
    pub hash: u64,
    pub tokens: u64,
    pub mark: Option<Mark>,
}

/// A cache breakpoint that the request set, and how long it asked to keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    FiveMinutes,
    OneHour,
}

impl Prompt {
    pub fn count(request: &ChatRequest) -> Self {
        let mut prompt = Self { hash: seed::hash(&[]), ..Self::default() };
        for function in request.tools() {
            let schema = function.parameters.as_ref().map(Value::to_string).unwrap_or_default();
            let description = function.description.as_deref().unwrap_or_default();
            prompt.text(&format!("{} {description} {schema}", function.name));
            prompt.total += MESSAGE_OVERHEAD;
        }
        for message in request.messages() {
            prompt.message(message);
        }
        if let (Some(control), Some(last)) = (&request.cache_control, prompt.prefixes.last_mut()) {
            last.mark = Some(mark(control));
        }
        prompt.total += ANSWER_OVERHEAD;
        prompt
    }

    fn text(&mut self, text: &str) {
        self.hash = seed::extend(self.hash, text.as_bytes());
        self.total += tokens::count(text);
    }

    fn message(&mut self, message: &Message) {
        self.hash = seed::extend(self.hash, message.role.as_bytes());
        self.total += MESSAGE_OVERHEAD;
        let mut marked = None;
        match &message.content {
            Some(Value::String(text)) => self.text(text),
            Some(Value::Array(parts)) => {
                for part in parts {
                    self.part(part);
                    marked = part.get("cache_control").map(mark).or(marked);
                }
            }
            _ => {}
        }
        if let Some(calls) = &message.tool_calls {
            self.text(&calls.to_string());
        }
        let (hash, tokens) = (self.hash, self.total);
        self.prefixes.push(Prefix { hash, tokens, mark: marked });
    }

    fn part(&mut self, part: &Value) {
        match part.get("type").and_then(Value::as_str) {
            Some("image_url" | "input_image" | "video_url") => {
                self.hash = seed::extend(self.hash, part.to_string().as_bytes());
                self.total += IMAGE_TOKENS;
                self.media += IMAGE_TOKENS;
                self.images += 1;
            }
            Some("input_audio") => {
                self.hash = seed::extend(self.hash, part.to_string().as_bytes());
                self.total += AUDIO_TOKENS;
                self.audio += AUDIO_TOKENS;
            }
            Some("file") => {
                self.hash = seed::extend(self.hash, part.to_string().as_bytes());
                self.total += FILE_TOKENS;
            }
            _ => {
                if let Some(text) = part.get("text").and_then(Value::as_str) {
                    self.text(text);
                }
            }
        }
    }
}

fn mark(control: &Value) -> Mark {
    match control.get("ttl").and_then(Value::as_str) {
        Some("1h") => Mark::OneHour,
        _ => Mark::FiveMinutes,
    }
}
