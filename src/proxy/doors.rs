//! What comes from outside, as functions of bytes, with what must hold whatever the bytes are: for
//! the fuzz targets in `tests/fuzz` and for the test that runs every seed kept there.
//!
//! They panic where something does not hold; nothing else calls them.

use bytes::Bytes;
use tollgate_domain::decimal::{ListCost, Ratio};
use tollgate_domain::ids::AccountId;
use tollgate_domain::pricing::{Demand, RawPricing, Sale, afford, list_cost};
use tollgate_domain::{Money, Timestamp, Usage};
use uuid::Uuid;

use super::endpoint::Endpoint;
use super::request::ModelRequest;
use super::sse::Filter;
use super::usage::{Billed, Charged, for_customer};
use super::whole;
use crate::members::Members;

/// More would only make the search slower.
const LONGEST: usize = 1 << 16;

fn ratio(text: &str) -> Ratio {
    Ratio::parse(text).expect("a ratio")
}

fn charge(billed: &Billed, _: Option<u64>) -> Option<Money> {
    Sale::of(billed.cost?, ratio("0.8"), ratio("0.3")).ok().map(|sale| sale.charge)
}

fn charged(billed: &Billed, failed_after: Option<u64>) -> Option<Charged> {
    let charge = charge(billed, failed_after)?;
    Some(Charged { charge, balance: Some(charge) })
}

/// An answer of an upstream, streamed and whole. The first byte decides how it is cut to pieces:
/// however it is cut, the customer gets the same bytes and the books the same bill.
pub fn answer(data: &[u8]) {
    let Some((cut, data)) = data.split_first() else { return };
    let data = &data[..data.len().min(LONGEST)];
    let size = usize::from(*cut) + 1;
    let (mut at_once, mut in_pieces) = (Filter::default(), Filter::default());
    let mut whole = at_once.feed(Bytes::copy_from_slice(data), &charged).expect("short").to_vec();
    whole.extend(at_once.finish(&charged));
    let mut pieces = Vec::new();
    for piece in data.chunks(size) {
        pieces.extend(in_pieces.feed(Bytes::copy_from_slice(piece), &charged).expect("short"));
    }
    pieces.extend(in_pieces.finish(&charged));
    assert!(whole == pieces, "the cut changes what the customer gets");
    let (one, other) = (&at_once.seen, &in_pieces.seen);
    assert_eq!(one.billed, other.billed, "the cut changes the bill");
    assert_eq!((one.done, one.failed), (other.done, other.failed));
    if one.billed.is_none() {
        assert_eq!(whole, data, "something was changed that is no bill");
    }
    match whole::understand(data, &charge) {
        whole::Answer::Completion { text, .. } => {
            Members::read(&text).expect("the customer gets JSON");
        }
        whole::Answer::Fault(..) | whole::Answer::Unreadable => {}
    }
}

/// A client's body: what goes upstream is what the client wrote, but for what a shared account
/// needs, and asks for no more than the body did.
pub fn chat(data: &[u8]) {
    let data = &data[..data.len().min(LONGEST)];
    for endpoint in [Endpoint::Chat, Endpoint::Completions, Endpoint::Embeddings] {
        asked(endpoint, data);
    }
}

fn asked(endpoint: Endpoint, data: &[u8]) {
    let Ok(request) = ModelRequest::read(endpoint, data) else { return };
    let (bound, streamed, models) = (request.given_bound, request.streamed, request.models.clone());
    let account = AccountId::from_uuid(Uuid::nil());
    let sent = request.for_upstream(account, &Default::default(), None);
    let text = std::str::from_utf8(data).expect("it was read");
    let own = Members::read(text).expect("it was read");
    let ours = Members::read(&sent).expect("the upstream gets JSON");
    for (name, value) in own.iter().filter(|(name, _)| !["user", "provider"].contains(name)) {
        assert_eq!(ours.get(name), own.get(name), "{name} became other than {value}");
    }
    let again = ModelRequest::read(endpoint, sent.as_bytes()).expect("what is sent can be read");
    assert_eq!((again.given_bound, again.streamed), (bound, streamed));
    assert_eq!(again.models, models);
}

/// A `usage` object: the customer's copy is JSON with the charge and without our cost.
pub fn usage(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(&data[..data.len().min(LONGEST)]) else { return };
    let Some(billed) = Billed::read(text) else { return };
    let charged = charge(&billed, None);
    let shown = for_customer(text, charged);
    let members = Members::read(&shown).expect("the customer gets JSON");
    assert!(!members.has("cost_details") && !members.has("is_byok"));
    let cost = members.get("cost").map(|text| Money::parse(text).expect("an amount"));
    assert_eq!(cost, charged);
    let classes = billed.usage;
    assert!(classes.total_tokens() >= classes.prompt_tokens().max(classes.completion_tokens()));
    if billed.cost.is_some_and(|cost| cost > ListCost::ZERO) {
        assert!(charged.is_none_or(|charged| !charged.is_negative()));
    }
}

/// Prices of a model, after eight bytes that say what is asked for. What is reserved pays for
/// everything that stays within the demand.
pub fn prices(data: &[u8]) {
    let Some((counts, json)) = data.split_first_chunk::<8>() else { return };
    let Ok(raw) = serde_json::from_slice::<RawPricing>(&json[..json.len().min(LONGEST)]) else {
        return;
    };
    let Ok(card) = raw.card() else { return };
    let number = |at: usize| u64::from(u16::from_be_bytes([counts[at], counts[at + 1]])) * 17;
    let (prompt, output) = (number(0), number(2));
    let demand = Demand { prompt_tokens: prompt, output_tokens: output, ..Demand::default() };
    let sale_ratio = ratio("0.8");
    let read = number(4).min(prompt);
    let used = number(6).min(output);
    let usage = Usage { input: prompt - read, cache_read: read, output: used, ..Usage::default() };
    let at = Timestamp(i64::from(counts[7]) * 600_000_000);
    let (Some(reserved), Ok(list)) =
        (demand.amount(&card, sale_ratio), list_cost(&card, &usage, at))
    else {
        return;
    };
    let Ok(sale) = Sale::of(list, sale_ratio, ratio("0.3")) else { return };
    assert!(sale.charge <= reserved, "{} is charged, {reserved} was reserved", sale.charge);
    let Some(tokens) = afford(&demand, &card, sale_ratio, reserved) else {
        panic!("what was reserved for the demand does not afford it")
    };
    assert_eq!(tokens, output, "what was reserved affords less");
}
