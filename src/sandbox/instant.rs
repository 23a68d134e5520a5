//! Canned answers for benches: the bytes are written once per model, then only the id, the time
//! and, where a trace forces token counts, the usage are filled in.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use memchr::memmem;
use parking_lot::RwLock;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::answer::{Answer, Finish};
use super::catalogue::{Choice, catalogue};
use super::controls::{self, Controls, Forced};
use super::price::{PriceList, Tally};
use super::render::{self, Delta, Skin};
use super::request::SandboxField;
use super::wire::WireError;
use super::{Sandbox, chat, plan, seed, usage};

/// The canned answer, in the pieces in which a stream delivers it.
const PIECES: [&str; 8] = [
    "Every charge",
    " has two sides:",
    " what the customer",
    " pays and what",
    " the upstream asks.",
    " Keep both",
    " and the difference",
    " explains itself.",
];
/// What it counts. The numbers are set, not counted: counting would need the tokenizer.
const COUNTS: Forced = Forced { prompt: 100, completion: 50, cached: 0 };

/// Stands where the usage goes; quoted, so that it is a JSON value.
const USAGE_MARK: &str = "\"@usage@\"";
const SLOT_ID: &str = "gen-0000000000-@@@@@@@@@@@@@@@@@@@@";
const SLOT_CREATED: i64 = 7_777_777_777;

/// The templates of the models asked for so far; a catalogue bounds them.
#[derive(Default)]
pub struct Templates(RwLock<HashMap<String, Arc<Model>>>);

struct Model {
    whole: Template,
    streamed: Template,
    prices: PriceList,
    canned_usage: String,
}

/// Bytes with slots. All slots have one width, so filling them moves nothing.
struct Template {
    before_usage: Vec<u8>,
    after_usage: Vec<u8>,
    ids: Vec<usize>,
    created: Vec<usize>,
    /// Where a frame ends inside `before_usage`.
    frames: Vec<usize>,
}

#[derive(Deserialize)]
struct Quick {
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default)]
    max_tokens: Option<u64>,
    #[serde(default)]
    max_completion_tokens: Option<u64>,
    #[serde(default)]
    sandbox: Option<SandboxField>,
}

/// Answers at once, unless the request asks for a fault: those take the long way.
pub fn answer(
    sandbox: &Sandbox,
    headers: &HeaderMap,
    body: &[u8],
    skin: Skin,
) -> Result<Option<Response>, WireError> {
    let quick: Quick = serde_json::from_slice(body)
        .map_err(|error| WireError::bad_request(format!("Invalid request parameters: {error}")))?;
    let Some(requested) = quick.model else { return Ok(None) };
    let mut forced = None;
    if controls::present(headers) || quick.sandbox.is_some() || requested.contains('@') {
        let (_, suffix) = controls::split_model(&requested);
        let controls = Controls::gather(headers, quick.sandbox.as_ref(), suffix)?;
        if controls.faults.any() || controls.delay.is_some() {
            return Ok(None);
        }
        forced = controls.tokens;
    }
    // A reservation made for the request's bound must hold, whatever the can says.
    let bound = quick.max_completion_tokens.or(quick.max_tokens).unwrap_or(u64::MAX);
    if forced.unwrap_or(COUNTS).completion > bound {
        forced = Some(Forced { completion: bound, ..forced.unwrap_or(COUNTS) });
    }
    let model = sandbox.templates.get(&requested, skin)?;
    let streamed = quick.stream == Some(true);
    let counted = forced.map(|forced| model.usage(forced));
    let usage = counted.as_deref().map_or(model.canned_usage.as_str(), RawValue::get);
    let template = if streamed { &model.streamed } else { &model.whole };
    Ok(Some(template.respond(usage, streamed)))
}

impl Templates {
    fn get(&self, requested: &str, skin: Skin) -> Result<Arc<Model>, WireError> {
        // Text completions are rare in benches: their name carries a mark no model id holds.
        let name = match skin {
            Skin::Chat => requested.to_owned(),
            Skin::Text => format!("{requested} as text"),
        };
        if let Some(model) = self.0.read().get(&name) {
            return Ok(Arc::clone(model));
        }
        let choice = catalogue().find(requested).ok_or_else(|| plan::not_a_model(requested))?;
        let model = Arc::new(Model::new(choice, skin));
        self.0.write().insert(name, Arc::clone(&model));
        Ok(model)
    }
}

impl Model {
    fn new(choice: Choice, skin: Skin) -> Self {
        let mut head = plan::head(choice.served, skin);
        head.id = SLOT_ID.to_owned();
        head.created = SLOT_CREATED;
        let mark = RawValue::from_string(USAGE_MARK.to_owned()).ok();
        let answer = Answer {
            reasoning: None,
            content: PIECES.concat(),
            call: None,
            image: false,
            audio: false,
            finish: Finish::Stop,
        };
        let whole = head.whole(&answer, Finish::Stop, mark.as_deref());
        let texts = PIECES.iter().map(|piece| head.delta(&Delta::Text((*piece).to_owned()), None));
        let mut frames = vec![Bytes::from_static(render::COMMENT), head.delta(&Delta::Role, None)];
        frames.extend(texts);
        frames.push(head.delta(&Delta::End, Some(Finish::Stop)));
        frames.extend(mark.as_deref().map(|mark| head.usage(Finish::Stop, mark)));
        frames.push(Bytes::from_static(render::DONE));
        let mut model = Self {
            whole: Template::new(&[Bytes::from(whole)]),
            streamed: Template::new(&frames),
            prices: choice.priced.pricing.clone(),
            canned_usage: String::new(),
        };
        model.canned_usage = model.usage(COUNTS).get().to_owned();
        model
    }

    fn usage(&self, counts: Forced) -> Box<RawValue> {
        let tally = Tally {
            prompt: counts.prompt,
            completion: counts.completion,
            cached: counts.cached,
            ..Tally::default()
        };
        usage::json(&tally, &self.prices.at(tally.prompt).cost(&tally), None)
    }
}

impl Template {
    fn new(frames: &[Bytes]) -> Self {
        let bytes = frames.concat();
        let at = memmem::find(&bytes, USAGE_MARK.as_bytes()).unwrap_or(bytes.len());
        let (before, after) = bytes.split_at(at);
        let after = after.strip_prefix(USAGE_MARK.as_bytes()).unwrap_or(after);
        let mut end = 0;
        let ends = frames.iter().map(|frame| {
            end += frame.len();
            end
        });
        Self {
            ids: memmem::find_iter(before, SLOT_ID).collect(),
            created: memmem::find_iter(before, &SLOT_CREATED.to_string()).collect(),
            frames: ends.filter(|end| *end <= at).collect(),
            before_usage: before.to_vec(),
            after_usage: after.to_vec(),
        }
    }

    fn respond(&self, usage: &str, streamed: bool) -> Response {
        let unix = chrono::Utc::now().timestamp();
        let id = seed::generation_id("gen", unix);
        // Room for the id slot is ten digits of seconds, which holds until the year 2286.
        let created = unix.to_string();
        let size = self.before_usage.len() + usage.len() + self.after_usage.len();
        let mut bytes = BytesMut::with_capacity(size);
        bytes.extend_from_slice(&self.before_usage);
        for (slots, value) in [(&self.ids, &id), (&self.created, &created)] {
            for slot in slots {
                if let Some(target) = bytes.get_mut(*slot..*slot + value.len()) {
                    target.copy_from_slice(value.as_bytes());
                }
            }
        }
        bytes.extend_from_slice(usage.as_bytes());
        bytes.extend_from_slice(&self.after_usage);
        let body = bytes.freeze();
        let body = if streamed { self.frames_of(body) } else { Body::from(body) };
        chat::answer_with(Some(&id), streamed, body)
    }

    /// The body in frames, so that a reader sees more than one write.
    fn frames_of(&self, bytes: Bytes) -> Body {
        let mut start = 0;
        let ends: Vec<usize> = self.frames.iter().copied().chain([bytes.len()]).collect();
        Body::from_stream(stream::iter(ends.into_iter().map(move |end| {
            let frame = bytes.slice(start..end);
            start = end;
            Ok::<_, std::convert::Infallible>(frame)
        })))
    }
}
