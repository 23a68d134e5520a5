//! The upstream refuses before it begins: nothing is charged, and its 401 and 402 are ours.

use tollgate_domain::account::ReleaseReason;

use super::{Desk, assert_released};
use crate::fate::End;

/// What the upstream answers, and what the client must see: status and code.
const REFUSALS: [(u16, u16, &str); 14] = [
    (400, 400, "upstream_error"),
    (401, 503, "no_upstream"),
    (402, 503, "no_upstream"),
    (403, 503, "no_upstream"),
    (404, 404, "upstream_error"),
    (408, 408, "upstream_error"),
    (413, 413, "upstream_error"),
    (422, 422, "upstream_error"),
    (429, 429, "upstream_error"),
    (500, 502, "upstream_unavailable"),
    (502, 502, "upstream_unavailable"),
    (503, 503, "no_upstream"),
    (524, 504, "upstream_timeout"),
    (529, 503, "no_upstream"),
];

#[tokio::test]
async fn a_refusal_of_the_upstream_costs_nothing_and_its_account_troubles_stay_hidden() {
    let desk = Desk::open().await;
    for (upstream, seen, code) in REFUSALS {
        for stream in [false, true] {
            let got = desk.ask(&format!("status={upstream}"), stream).await;
            let error = got.error().unwrap_or_else(|| panic!("{upstream}: {}", got.text));
            assert_eq!((got.status, error["code"].as_str()), (seen, Some(code)), "{upstream}");
            for ours in ["openrouter", "credits", "User not found", "Key limit"] {
                assert!(!got.text.contains(ours), "{upstream}: {}", got.text);
            }
            let fate = desk.fate_of(&got).await;
            assert_eq!(fate.end, Some(End::Released(ReleaseReason::UpstreamError)), "{upstream}");
        }
    }
    desk.close().await;
}

#[tokio::test]
async fn the_upstreams_retry_after_reaches_the_client() {
    let desk = Desk::open().await;
    let got = desk.ask("status=429,retry-after=17", false).await;
    assert_eq!((got.status, &got.headers["retry-after"]), (429, &"17".parse().unwrap()));
    desk.close().await;
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_headers_costs_nothing() {
    let desk = Desk::open().await;
    for stream in [false, true] {
        let got = desk.ask("drop-before-headers", stream).await;
        assert_eq!(got.status, 502, "{}", got.text);
        // Without a handle nobody can ask what it cost, and the client has got nothing.
        let fate = desk.fate_of(&got).await;
        assert_eq!(fate.end, Some(End::Released(ReleaseReason::UpstreamUnreachable)));
    }
    desk.close().await;
}

#[tokio::test]
async fn an_error_under_200_is_an_error_and_costs_nothing() {
    let desk = Desk::open().await;
    for stream in [false, true] {
        let got = desk.ask("padded-error", stream).await;
        assert_eq!(got.status, 502, "{}", got.text);
        assert_eq!(got.error().expect("an error")["code"], "upstream_unavailable");
        assert_released(&desk.fate_of(&got).await);
    }
    desk.close().await;
}

#[tokio::test]
async fn a_web_page_under_200_is_an_error_and_costs_nothing() {
    let desk = Desk::open().await;
    for stream in [false, true] {
        let got = desk.ask("wrong-content-type", stream).await;
        assert_eq!(got.status, 502, "{}", got.text);
        assert!(!got.text.contains("<html>"), "{}", got.text);
        let fate = desk.fate_of(&got).await;
        assert_eq!(fate.end, Some(End::Released(ReleaseReason::NothingBilled)));
    }
    desk.close().await;
}

#[tokio::test]
async fn a_fault_that_the_sandbox_does_not_know_is_no_healthy_answer() {
    let desk = Desk::open().await;
    let got = desk.ask("no-such-fault", false).await;
    assert_eq!(got.status, 400, "{}", got.text);
    assert_released(&desk.fate_of(&got).await);
    desk.close().await;
}
