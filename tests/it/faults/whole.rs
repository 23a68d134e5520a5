//! Answers in one piece that go wrong.

use tollgate_domain::account::{CostSource, Outcome};

use super::{Desk, assert_charged};

#[tokio::test]
async fn an_answer_without_usage_is_charged_by_the_upstreams_record() {
    let desk = Desk::open().await;
    let healthy = desk.ask("", false).await;
    let got = desk.ask("missing-usage", false).await;
    assert!(got.is_whole() && got.cost().is_none(), "{}", got.text);
    assert!(!got.headers.contains_key("x-tollgate-charge"));
    let fate = desk.fate_of(&got).await;
    let settled = assert_charged(&fate, CostSource::GenerationRecord, Outcome::Completed);
    assert_eq!(Some(settled.charge), healthy.cost());
    desk.close().await;
}

#[tokio::test]
async fn an_answer_that_nobody_billed_is_estimated_within_its_bound_and_marked() {
    let desk = Desk::open().await;
    let got = desk.ask("missing-usage,no-generation-id", false).await;
    let fate = desk.fate_of(&got).await;
    let settled = assert_charged(&fate, CostSource::Estimate, Outcome::Completed);
    assert!(settled.usage.output <= 400, "more than max_tokens: {settled:?}");
    // The frame of the answer is no text: it must not be counted as such.
    let delivered = got.content().len() as u64;
    assert!(settled.usage.output <= delivered / 3, "{delivered} bytes: {settled:?}");
    desk.close().await;
}

/// The upstream bills an answer that broke on its way; the client must not be told otherwise.
#[tokio::test]
async fn a_broken_answer_ends_once_and_the_client_is_not_told_that_it_was_free() {
    let desk = Desk::open().await;
    for fault in ["drop", "malformed-sse"] {
        let got = desk.ask(fault, false).await;
        assert_eq!(got.status, 502, "{}", got.text);
        assert!(!got.text.contains("Nothing was charged"), "{fault}: {}", got.text);
        let fate = desk.fate_of(&got).await;
        assert_charged(&fate, CostSource::GenerationRecord, Outcome::UpstreamBroke);
    }
    desk.close().await;
}

#[tokio::test]
async fn a_failed_answer_that_billed_nothing_is_no_charge_of_zero() {
    let desk = Desk::open().await;
    let got = desk.ask("midstream-error", false).await;
    assert_eq!(got.status, 200, "{}", got.text);
    super::assert_released(&desk.fate_of(&got).await);
    desk.close().await;
}

#[tokio::test]
async fn a_failed_answer_without_usage_is_charged_by_the_upstreams_record() {
    let desk = Desk::open().await;
    let got = desk.ask("midstream-error-nousage", false).await;
    let fate = desk.fate_of(&got).await;
    assert_eq!(fate.settled().source, CostSource::GenerationRecord);
    desk.close().await;
}
