//! Streams that go wrong on their way.

use tollgate_domain::Money;
use tollgate_domain::account::{CostSource, Outcome, ReleaseReason};

use super::{Desk, assert_charged, assert_released};
use crate::fate::End;
use crate::wire::Got;

/// That the client sees an answer that began and then an error in the shape that SDKs raise.
#[track_caller]
fn assert_broke_in_the_middle(got: &Got) {
    assert_eq!(got.status, 200);
    assert!(!got.content().is_empty(), "nothing was delivered: {}", got.text);
    let error = got.error().unwrap_or_else(|| panic!("no error: {}", got.text));
    assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{error}");
    assert_eq!(got.cost().filter(|cost| !cost.is_zero()), None);
}

#[tokio::test]
async fn a_slow_first_token_keeps_the_connection_and_is_charged_once() {
    let desk = Desk::open().await;
    let got = desk.ask("slow-first-token=1500", true).await;
    assert!(got.is_whole(), "{}", got.text);
    assert!(got.text.starts_with(": OPENROUTER PROCESSING\n\n"), "{}", got.text);
    let fate = desk.fate_of(&got).await;
    let settled = assert_charged(&fate, CostSource::Upstream, Outcome::Completed);
    assert_eq!(Some(settled.charge), got.cost());
    assert!(settled.streamed && settled.latencies.total_ms >= 1_500, "{settled:?}");
    desk.close().await;
}

#[tokio::test]
async fn an_error_in_the_middle_that_billed_nothing_is_released() {
    let desk = Desk::open().await;
    let got = desk.ask("midstream-error", true).await;
    assert_broke_in_the_middle(&got);
    let fate = desk.fate_of(&got).await;
    assert_eq!(fate.end, Some(End::Released(ReleaseReason::NothingBilled)));
    desk.close().await;
}

#[tokio::test]
async fn an_error_in_the_middle_without_usage_is_charged_by_the_upstreams_record() {
    let desk = Desk::open().await;
    let got = desk.ask("midstream-error-nousage", true).await;
    assert_broke_in_the_middle(&got);
    let fate = desk.fate_of(&got).await;
    assert_charged(&fate, CostSource::GenerationRecord, Outcome::UpstreamError);
    desk.close().await;
}

#[tokio::test]
async fn a_dropped_stream_tells_the_client_and_is_charged_by_the_upstreams_record() {
    let desk = Desk::open().await;
    let russian = desk.request("drop", true).header("Accept-Language", "ru");
    let russian = crate::wire::send(russian).await.expect("an answer");
    let error = russian.error().expect("it broke");
    assert!(error["message"].as_str().expect("text").starts_with("Провайдер"), "{error}");
    assert_eq!(error["code"], 502);
    desk.fate_of(&russian).await;
    let got = desk.ask("drop", true).await;
    assert_broke_in_the_middle(&got);
    assert!(!got.broken, "the client's own connection ends in order");
    let fate = desk.fate_of(&got).await;
    assert_charged(&fate, CostSource::GenerationRecord, Outcome::UpstreamBroke);
    desk.close().await;
}

#[tokio::test]
async fn a_late_record_of_a_dropped_stream_is_waited_for() {
    let desk = Desk::open().await;
    let got = desk.ask("drop,generation-late=2000", true).await;
    let fate = desk.fate_of(&got).await;
    let settled = assert_charged(&fate, CostSource::GenerationRecord, Outcome::UpstreamBroke);
    assert!(settled.latencies.total_ms >= 2_000, "{settled:?}");
    desk.close().await;
}

#[tokio::test]
async fn a_stream_without_usage_is_charged_by_the_upstreams_record() {
    let desk = Desk::open().await;
    let healthy = desk.ask("", true).await;
    let got = desk.ask("missing-usage", true).await;
    assert_eq!((got.status, got.cost()), (200, None));
    let fate = desk.fate_of(&got).await;
    let settled = assert_charged(&fate, CostSource::GenerationRecord, Outcome::Completed);
    // The sandbox answers the same request the same way.
    assert_eq!(Some(settled.charge), healthy.cost());
    desk.close().await;
}

#[tokio::test]
async fn a_usage_that_comes_twice_is_charged_once() {
    let desk = Desk::open().await;
    let got = desk.ask("usage-twice", true).await;
    assert!(got.is_whole(), "{}", got.text);
    let fate = desk.fate_of(&got).await;
    let settled = assert_charged(&fate, CostSource::Upstream, Outcome::Completed);
    assert_eq!(Some(settled.charge), got.cost());
    desk.close().await;
}

#[tokio::test]
async fn a_stream_without_its_last_line_is_charged_by_its_usage() {
    let desk = Desk::open().await;
    let got = desk.ask("no-done", true).await;
    let fate = desk.fate_of(&got).await;
    let settled = assert_charged(&fate, CostSource::Upstream, Outcome::Completed);
    assert_eq!(Some(settled.charge), got.cost());
    desk.close().await;
}

#[tokio::test]
async fn broken_lines_pass_and_the_bill_is_still_found() {
    let desk = Desk::open().await;
    let got = desk.ask("malformed-sse", true).await;
    assert!(got.text.contains("data: {\"id\":\"gen-\n\ndat: nonsense\n\n"), "{}", got.text);
    let fate = desk.fate_of(&got).await;
    let settled = assert_charged(&fate, CostSource::Upstream, Outcome::Completed);
    assert_eq!(Some(settled.charge), got.cost());
    desk.close().await;
}

#[tokio::test]
async fn an_answer_that_nobody_billed_is_estimated_within_its_bound_and_marked() {
    let desk = Desk::open().await;
    let got = desk.ask("missing-usage,no-generation-id", true).await;
    assert!(!got.headers.contains_key("x-generation-id"));
    let fate = desk.fate_of(&got).await;
    let settled = assert_charged(&fate, CostSource::Estimate, Outcome::Completed);
    let delivered = got.content().len() as u64;
    assert!(settled.usage.output <= 400, "more than max_tokens: {settled:?}");
    assert!(settled.usage.output.abs_diff(delivered / 4) <= delivered / 20, "{settled:?}");
    assert!(settled.charge < fate.reserved.amount, "the whole reservation is no estimate");
    desk.close().await;
}

#[tokio::test]
async fn an_error_in_the_middle_without_any_record_never_charges_more_than_was_delivered() {
    let desk = Desk::open().await;
    let got = desk.ask("midstream-error-nousage,no-generation-id", true).await;
    assert_broke_in_the_middle(&got);
    let fate = desk.fate_of(&got).await;
    let settled = assert_charged(&fate, CostSource::Estimate, Outcome::UpstreamError);
    assert!(settled.usage.output <= got.content().len() as u64 / 3, "{settled:?}");
    desk.close().await;
}

#[tokio::test]
async fn a_record_that_never_comes_ends_in_a_marked_estimate_and_not_in_an_open_reservation() {
    let desk = Desk::open().await;
    let (whole, broken) = tokio::join!(
        desk.ask("missing-usage,generation-never", true),
        desk.ask("drop,generation-never", true),
    );
    let fate = desk.fate_of(&whole).await;
    assert_charged(&fate, CostSource::Estimate, Outcome::Completed);
    let fate = desk.fate_of(&broken).await;
    assert_charged(&fate, CostSource::Estimate, Outcome::UpstreamBroke);
    desk.close().await;
}

#[tokio::test]
async fn a_stream_that_finishes_with_an_error_is_charged_what_it_says() {
    let desk = Desk::open().await;
    for stream in [true, false] {
        let got = desk.ask("finish-error", stream).await;
        assert_eq!(got.status, 200, "{}", got.text);
        let fate = desk.fate_of(&got).await;
        assert_eq!(Some(fate.settled().charge), got.cost());
        assert_ne!(fate.charge(), Money::ZERO);
    }
    desk.close().await;
}

#[tokio::test]
async fn an_error_before_the_first_token_of_a_stream_is_released() {
    let desk = Desk::open().await;
    let got = desk.ask("padded-error", true).await;
    assert_eq!(got.status, 502, "{}", got.text);
    assert_released(&desk.fate_of(&got).await);
    desk.close().await;
}
