//! Clients that leave before the end: exactly one end, charged what the upstream's record says.

use std::time::Duration;

use tollgate_domain::account::{CostSource, Outcome};

use super::{Desk, assert_charged};
use crate::wire;

#[tokio::test]
async fn a_client_that_leaves_a_stream_pays_what_was_generated_until_then() {
    let desk = Desk::open().await;
    wire::leave_after_a_word(desk.request("slow-chunks=40", true)).await;
    let fate = desk.only_fate().await;
    let settled = assert_charged(&fate, CostSource::GenerationRecord, Outcome::ClientLeft);
    let whole = desk.ask("", true).await.cost().expect("a cost");
    assert!(settled.charge < whole, "the whole answer was charged: {settled:?}");
    desk.close().await;
}

#[tokio::test]
async fn an_endless_stream_ends_when_its_client_leaves() {
    let desk = Desk::open().await;
    wire::leave_after_a_word(desk.request("endless", true)).await;
    let fate = desk.only_fate().await;
    assert_charged(&fate, CostSource::GenerationRecord, Outcome::ClientLeft);
    desk.close().await;
}

/// Before the first chunk nobody knows which provider works, and some bill to the end: so the
/// gateway reads on, and the bill is the upstream's own.
#[tokio::test]
async fn a_client_that_leaves_before_the_first_token_has_one_end() {
    let desk = Desk::open().await;
    let request = desk.request("slow-first-token=1500", true);
    wire::leave_when(request, |seen| seen.contains("PROCESSING")).await;
    let fate = desk.only_fate().await;
    let settled = fate.settled();
    assert_eq!(settled.outcome, Outcome::ClientLeft, "{settled:?}");
    desk.close().await;
}

#[tokio::test]
async fn a_client_that_leaves_an_answer_in_one_piece_pays_for_it_once() {
    let desk = Desk::open().await;
    let request = desk.request("", false).header("X-Sandbox-Delay", "800");
    let left = request.timeout(Duration::from_millis(300)).send().await;
    assert!(left.expect_err("it must not be there yet").is_timeout());
    let fate = desk.only_fate().await;
    assert_charged(&fate, CostSource::Upstream, Outcome::ClientLeft);
    desk.close().await;
}

#[tokio::test]
async fn a_client_that_leaves_when_the_record_never_comes_is_not_charged_the_reservation() {
    let desk = Desk::open().await;
    let fault = "slow-chunks=40,no-generation-id";
    let seen = wire::leave_after_a_word(desk.request(fault, true)).await;
    let fate = desk.only_fate().await;
    let settled = assert_charged(&fate, CostSource::Estimate, Outcome::ClientLeft);
    // What was on its way when the client left counts as well.
    assert!(settled.usage.output <= 3 + seen.len() as u64, "{settled:?}");
    assert!(settled.charge < fate.reserved.amount, "{settled:?}");
    desk.close().await;
}

#[tokio::test]
async fn many_clients_that_leave_at_any_moment_have_one_end_each() {
    let desk = Desk::open().await;
    let leave = async |number: u64| {
        let request = desk.request("slow-chunks=15", !number.is_multiple_of(3));
        let patience = Duration::from_millis(40 + number * 17);
        let _ = wire::send(request.timeout(patience)).await;
    };
    futures_util::future::join_all((0..40).map(leave)).await;
    desk.close().await;
}
