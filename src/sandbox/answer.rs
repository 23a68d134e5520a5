//! Composing what the model says: thoughts, text, JSON, a tool call, a picture.

use serde_json::{Value, json};

use super::catalogue::Model;
use super::fill::{self, Words};
use super::request::ChatRequest;
use super::seed::Dice;
use super::tools::{self, Call};
use super::{prose, tokens};

/// What one generated picture counts, and one spoken answer.
pub const IMAGE_TOKENS: u64 = 1_120;
pub const AUDIO_TOKENS: u64 = 60;
/// What the wrapping of a tool call counts beside its name and arguments.
const CALL_OVERHEAD: u64 = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    Stop,
    Length,
    ToolCalls,
    Error,
}

impl Finish {
    pub fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::Error => "error",
        }
    }

    /// The word that the model's own provider uses.
    pub fn native(self, author: &str) -> &'static str {
        match (author, self) {
            ("anthropic", Self::Stop) => "end_turn",
            ("anthropic", Self::Length) => "max_tokens",
            ("anthropic", Self::ToolCalls) => "tool_use",
            ("google", Self::Stop | Self::ToolCalls) => "STOP",
            ("google", Self::Length) => "MAX_TOKENS",
            ("openai", Self::Stop | Self::ToolCalls) => "completed",
            ("openai", Self::Length) => "max_output_tokens",
            _ => self.name(),
        }
    }
}

/// A whole answer before it is cut into chunks.
#[derive(Debug, Clone)]
pub struct Answer {
    pub reasoning: Option<String>,
    pub content: String,
    pub call: Option<Call>,
    pub image: bool,
    pub audio: bool,
    pub finish: Finish,
}

impl Answer {
    /// Composes the answer. `length` stretches prose, `limit` cuts everything.
    pub fn compose(
        request: &ChatRequest,
        model: &Model,
        dice: &mut Dice,
        length: Option<u64>,
        limit: Option<u64>,
    ) -> Self {
        let call = tools::decide(request);
        let mut answer = Self {
            reasoning: thoughts(request, model, dice),
            content: match call {
                Some(_) => String::new(),
                None => content(request, dice, length),
            },
            finish: if call.is_some() { Finish::ToolCalls } else { Finish::Stop },
            call,
            image: request.wants_modality("image") && model.produces("image"),
            audio: request.wants_modality("audio") && model.produces("audio"),
        };
        answer.stop_at(request);
        if let Some(limit) = limit {
            answer.cut(limit);
        }
        answer
    }

    fn stop_at(&mut self, request: &ChatRequest) {
        let stops = request.stop.iter().flat_map(|stop| stop.iter());
        let found = stops.filter(|stop| !stop.is_empty()).filter_map(|s| self.content.find(s));
        if let Some(position) = found.min() {
            self.content.truncate(position);
        }
    }

    /// Cuts the answer to a number of tokens: thoughts first, they come first.
    fn cut(&mut self, limit: u64) {
        let mut left = limit;
        if let Some(reasoning) = &mut self.reasoning {
            left -= cut_text(reasoning, left, &mut self.finish);
        }
        left -= cut_text(&mut self.content, left, &mut self.finish);
        if let Some(call) = &mut self.call {
            let overhead = CALL_OVERHEAD + tokens::count(&call.name);
            left = left.saturating_sub(overhead);
            cut_text(&mut call.arguments, left, &mut self.finish);
        }
    }

    pub fn reasoning_tokens(&self) -> u64 {
        self.reasoning.as_deref().map(tokens::count).unwrap_or(0)
    }

    pub fn call_overhead(&self) -> u64 {
        self.call.as_ref().map(|call| CALL_OVERHEAD + tokens::count(&call.name)).unwrap_or(0)
    }
}

/// Cuts one text and returns the tokens that it keeps.
fn cut_text(text: &mut String, limit: u64, finish: &mut Finish) -> u64 {
    let (kept, lost) = tokens::truncate(text, limit);
    if lost {
        *finish = Finish::Length;
    }
    *text = kept;
    tokens::count(text).min(limit)
}

fn thoughts(request: &ChatRequest, model: &Model, dice: &mut Dice) -> Option<String> {
    let wanted = request.reasoning.as_ref();
    let effort = wanted.and_then(|r| r.effort.as_deref()).or(request.reasoning_effort.as_deref());
    let enabled = match wanted {
        Some(reasoning) => reasoning.enabled.unwrap_or(true),
        None => effort.is_some() || request.include_reasoning == Some(true),
    };
    let enabled = enabled && effort != Some("none") && model.supports("reasoning");
    let text = request.last_text("user");
    let mut thoughts = enabled.then(|| prose::thoughts(&text, dice, effort.unwrap_or("medium")))?;
    if let Some(limit) = wanted.and_then(|reasoning| reasoning.max_tokens) {
        thoughts = tokens::truncate(&thoughts, limit.max(1)).0;
    }
    Some(thoughts)
}

fn content(request: &ChatRequest, dice: &mut Dice, length: Option<u64>) -> String {
    let asked = request.last_text("user");
    if let Some(json) = structured(request, &asked, dice) {
        return json;
    }
    if request.last_role() == "tool" {
        let tool = tools::answered_tool(request);
        return prose::report(tool.as_deref(), &request.last_text("tool"), &asked);
    }
    prose::answer(&asked, dice, length)
}

/// JSON where `response_format` asks for it.
fn structured(request: &ChatRequest, asked: &str, dice: &mut Dice) -> Option<String> {
    let format = request.response_format.as_ref()?;
    match format.get("type")?.as_str()? {
        "json_object" => {
            let text = prose::answer(asked, dice, None);
            Some(json!({ "topic": prose::topic(asked), "answer": text }).to_string())
        }
        "json_schema" => {
            let wrapper = format.get("json_schema");
            let schema = wrapper.and_then(|w| w.get("schema")).unwrap_or(&Value::Null);
            Some(fill::value(schema, &Words::of(asked)).to_string())
        }
        _ => None,
    }
}
