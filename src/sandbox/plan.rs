//! Planning one answer: who answers, what it says, what it counts and costs.

use axum::http::{HeaderMap, StatusCode};
use serde_json::json;

use super::answer::{AUDIO_TOKENS, Answer, Finish, IMAGE_TOKENS};
use super::cache::Cached;
use super::catalogue::{Choice, Model, catalogue};
use super::controls::{self, Controls, Forced};
use super::price::{Cost, Prices, Tally};
use super::prompt::Prompt;
use super::render::{Delta, Head, Skin};
use super::request::{ChatRequest, MaxPrice};
use super::seed::{self, Dice};
use super::wire::WireError;
use super::{Sandbox, tokens};

/// A request that was read: which model it means and how it is steered.
pub struct Order {
    pub request: ChatRequest,
    pub choice: Choice,
    pub requested: String,
    pub controls: Controls,
    pub skin: Skin,
}

/// One answer, decided down to the last token.
pub struct Plan {
    pub head: Head,
    pub answer: Answer,
    /// The steps of a stream, each with the completion tokens that exist after it.
    pub steps: Vec<(Delta, u64)>,
    pub prices: Prices,
    pub tally: Tally,
    pub cost: Cost,
    pub images: u64,
    pub dice: Dice,
}

impl Order {
    pub fn read(headers: &HeaderMap, body: &[u8], skin: Skin) -> Result<Self, WireError> {
        let mut request: ChatRequest = serde_json::from_slice(body).map_err(|error| {
            WireError::bad_request(format!("Invalid request parameters: {error}"))
        })?;
        request.adopt_prompt();
        if request.messages().is_empty() {
            let message = "Input required: specify \"prompt\" or \"messages\"";
            return Err(WireError::bad_request(message));
        }
        let candidates: Vec<&str> = request
            .model
            .iter()
            .chain(request.models.iter().flatten())
            .map(String::as_str)
            .collect();
        let mut refused = WireError::bad_request("No models provided");
        for (position, candidate) in candidates.iter().enumerate() {
            let (name, suffix) = controls::split_model(candidate);
            let Some(choice) = catalogue().find(name) else {
                refused = not_a_model(name);
                break;
            };
            let controls = Controls::gather(headers, request.sandbox.as_ref(), suffix)?;
            // `models` lists fallbacks: a model that fails hands over to the next.
            if controls.faults.status.is_some() && position + 1 < candidates.len() {
                continue;
            }
            let requested = name.to_owned();
            return Ok(Self { request, choice, requested, controls, skin });
        }
        Err(refused)
    }

    /// Refuses what no endpoint of the model can do.
    fn check(&self, prompt: &Prompt) -> Result<(), WireError> {
        let (request, model) = (&self.request, self.choice.served);
        self.check_price()?;
        if request.tools().next().is_some() && !model.supports("tools") {
            return Err(no_endpoints("support tool use", "Filter by Tool Support"));
        }
        for (part, modality) in [("image_url", "image"), ("input_audio", "audio")] {
            let sent = request.messages().iter().any(|message| message.has_part(part));
            if sent && !model.accepts(modality) {
                let what = format!("support input {modality}");
                return Err(no_endpoints(&what, "Filter by Input Modalities"));
            }
        }
        for modality in ["image", "audio"] {
            if request.wants_modality(modality) && !model.produces(modality) {
                let what = format!("support the requested output modalities: {modality}");
                return Err(no_endpoints(&what, "Filter by Output Modalities"));
            }
        }
        let asked = prompt.total.saturating_add(request.max_completion().unwrap_or(0));
        match model.context_length {
            Some(limit) if asked > limit => Err(too_long(limit, asked, prompt.total)),
            _ => Ok(()),
        }
    }

    fn check_price(&self) -> Result<(), WireError> {
        let provider = self.request.provider.as_ref();
        let Some(limits) = provider.and_then(|provider| provider.max_price.as_ref()) else {
            return Ok(());
        };
        let prices = self.choice.priced.pricing.base();
        let admitted = MaxPrice::admits(limits.prompt.as_deref(), prices.prompt)
            && MaxPrice::admits(limits.completion.as_deref(), prices.completion)
            && MaxPrice::admits(limits.image.as_deref(), prices.image)
            && MaxPrice::admits(limits.audio.as_deref(), prices.audio);
        match admitted {
            true => Ok(()),
            false => Err(no_endpoints("match the maximum price", "Filter by Max Price")),
        }
    }
}

impl Plan {
    /// Decides the answer. Counts tokens, so that a long prompt takes milliseconds.
    pub fn make(sandbox: &Sandbox, key: &str, order: &Order) -> Result<Self, WireError> {
        let (request, Choice { priced, served }) = (&order.request, order.choice);
        let prompt = Prompt::count(request);
        let forced = order.controls.tokens;
        if forced.is_none() {
            order.check(&prompt)?;
        }
        let cached = sandbox.prompts.visit(key, priced, &prompt);
        let mut dice = Dice::new(seed::extend(prompt.hash, priced.id.as_bytes()));
        let limit = match (request.max_completion(), served.top_provider.max_completion_tokens) {
            (Some(asked), Some(most)) => Some(asked.min(most)),
            (asked, most) => asked.or(most),
        };
        let wanted = forced.map(|forced| forced.completion);
        let mut answer = Answer::compose(request, served, &mut dice, wanted, limit);
        let mut steps = steps(&answer, &mut dice);
        let mut tally = tally(&prompt, cached, &answer, &steps);
        tally.web_searches = u64::from(request.searches_the_web(&order.requested));
        if let Some(forced) = forced {
            force(&mut tally, &mut steps, &mut answer, forced, limit);
        }
        hide_reasoning(request, &mut answer, &mut steps);
        let prices = priced.pricing.at(tally.prompt);
        let head = head(served, order.skin);
        let cost = prices.cost(&tally);
        Ok(Self { head, answer, steps, prices, tally, cost, images: prompt.images, dice })
    }
}

pub fn head(served: &Model, skin: Skin) -> Head {
    let created = chrono::Utc::now().timestamp();
    Head {
        id: seed::generation_id("gen", created),
        created,
        model: served.canonical_slug.clone(),
        provider: served.provider().to_owned(),
        author: served.author().to_owned(),
        skin,
    }
}

/// Cuts an answer into the steps of a stream, a few tokens each.
fn steps(answer: &Answer, dice: &mut Dice) -> Vec<(Delta, u64)> {
    let mut steps = Vec::new();
    let mut total = 0;
    let mut push = |delta: Delta, tokens: u64| {
        total += tokens;
        steps.push((delta, total));
    };
    let mut size = || 1 + dice.below(4);
    for (piece, tokens) in tokens::pieces(answer.reasoning.as_deref().unwrap_or(""), &mut size) {
        push(Delta::Reasoning(piece), tokens);
    }
    for (piece, tokens) in tokens::pieces(&answer.content, &mut size) {
        push(Delta::Text(piece), tokens);
    }
    if let Some(call) = &answer.call {
        let (id, name) = (seed::random_id::<24>("call_"), call.name.clone());
        push(Delta::CallStart { id, name }, answer.call_overhead());
        for (piece, tokens) in tokens::pieces(&call.arguments, &mut size) {
            push(Delta::CallArguments(piece), tokens);
        }
    }
    if answer.image {
        push(Delta::Picture, IMAGE_TOKENS);
    }
    if answer.audio {
        push(Delta::Sound(answer.content.clone()), AUDIO_TOKENS);
    }
    steps
}

fn tally(prompt: &Prompt, cached: Cached, answer: &Answer, steps: &[(Delta, u64)]) -> Tally {
    let fresh = prompt.total.saturating_sub(cached.read).saturating_sub(cached.written);
    let audio = prompt.audio.min(fresh);
    Tally {
        prompt: prompt.total,
        cached: cached.read,
        cache_write: cached.written,
        write_for_an_hour: cached.for_an_hour,
        prompt_audio: audio,
        prompt_media: prompt.media.min(fresh - audio),
        completion: steps.last().map(|(_, total)| *total).unwrap_or(0),
        reasoning: answer.reasoning_tokens(),
        completion_images: if answer.image { IMAGE_TOKENS } else { 0 },
        completion_audio: if answer.audio { AUDIO_TOKENS } else { 0 },
        web_searches: 0,
    }
}

/// Reports forced counts. The completion still obeys the bound that the request set, as it would
/// upstream; the steps share the tokens in proportion.
fn force(
    tally: &mut Tally,
    steps: &mut [(Delta, u64)],
    answer: &mut Answer,
    forced: Forced,
    limit: Option<u64>,
) {
    let completion = forced.completion.min(limit.unwrap_or(u64::MAX));
    if completion < forced.completion {
        answer.finish = Finish::Length;
    }
    let real = tally.completion.max(1);
    for (_, billed) in steps.iter_mut() {
        *billed = *billed * completion / real;
    }
    *tally = Tally {
        prompt: forced.prompt,
        cached: forced.cached,
        completion,
        reasoning: tally.reasoning * completion / real,
        web_searches: tally.web_searches,
        ..Tally::default()
    };
}

/// Thoughts that the client does not want to see are charged all the same.
fn hide_reasoning(request: &ChatRequest, answer: &mut Answer, steps: &mut Vec<(Delta, u64)>) {
    let excluded = request.reasoning.as_ref().is_some_and(|r| r.exclude == Some(true));
    if excluded || request.include_reasoning == Some(false) {
        answer.reasoning = None;
        steps.retain(|(delta, _)| !matches!(delta, Delta::Reasoning(_)));
    }
}

pub fn not_a_model(name: &str) -> WireError {
    WireError::bad_request(format!("{name} is not a valid model ID")).naming_the_user()
}

fn no_endpoints(what: &str, step: &str) -> WireError {
    WireError::new(StatusCode::NOT_FOUND, format!("No endpoints found that {what}."))
        .with_metadata(json!({ "failed_routing_step": step }))
}

fn too_long(limit: u64, asked: u64, prompt: u64) -> WireError {
    let output = asked - prompt;
    let parts = match output {
        0 => format!("{prompt} of text input"),
        _ => format!("{prompt} of text input, {output} in the output"),
    };
    WireError::bad_request(format!(
        "This endpoint's maximum context length is {limit} tokens. However, you requested about \
         {asked} tokens ({parts}). Please reduce the length of either one, or use the \
         context-compression plugin to compress your prompt automatically."
    ))
    .with_metadata(json!({ "provider_name": null }))
    .naming_the_user()
}
