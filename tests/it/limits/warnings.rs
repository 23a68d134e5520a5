//! Four fifths of a limit are spent: a header on every answer, one event per window.

use serde_json::json;
use tollgate_domain::Money;

use super::{change, issue, question, shown};
use crate::app::TestApp;
use crate::wire;

#[tokio::test]
async fn near_the_end_of_a_limit_every_answer_says_so_and_the_books_say_it_once() {
    let app = TestApp::start().await;
    let (ada, other) = app.paying_customer("ada").await;
    // Every answer to this question costs the same.
    let ask = async |key: &str, stream: bool| {
        wire::send(question(&app, key, stream)).await.expect("an answer")
    };
    let cost = ask(&other, false).await.cost().expect("a cost");
    let limit = (0..40).fold(Money::ZERO, |sum, _| sum.checked_add(cost).expect("fits"));
    let limits = json!({ "limit_usd": limit.to_string(), "period": "month" });
    let (id, key) = issue(&app, &ada, limits).await;
    for turn in 0..32 {
        let got = ask(&key, turn % 2 == 0).await;
        assert_eq!(got.status, 200, "{}", got.text);
        assert!(!got.headers.contains_key("x-tollgate-warning"), "after {turn} of 40");
        app.settled().await;
    }
    for stream in [true, false] {
        let got = ask(&key, stream).await;
        assert_eq!(got.status, 200, "{}", got.text);
        let warning = got.headers["x-tollgate-warning"].to_str().expect("text");
        let begin = format!("spend-limit; of=key; period=month; limit_usd={limit}; spent_usd=");
        assert!(warning.starts_with(&begin), "{warning}");
        app.settled().await;
    }
    let raised: Vec<serde_json::Value> = sqlx::query_scalar(
        "SELECT payload::jsonb->'SpendWarningRaised' FROM events
         WHERE event_type = 'SpendWarningRaised' ORDER BY position",
    )
    .fetch_all(app.state().database.pool())
    .await
    .expect("events");
    assert_eq!(raised.len(), 1, "{raised:?}");
    assert_eq!(raised[0]["key"], id);
    assert_eq!(raised[0]["limit"], limit.to_string());
    // Other keys are not warned, and neither is this one under a higher limit.
    assert!(!ask(&other, false).await.headers.contains_key("x-tollgate-warning"));
    let before = shown(&app, &ada, &id).await;
    change(&app, &ada, &id, json!({ "limit_usd": "5" })).await.expect(200);
    assert!(!ask(&key, false).await.headers.contains_key("x-tollgate-warning"));
    app.settled().await;
    let after = shown(&app, &ada, &id).await;
    assert_ne!(after["spent_usd"], before["spent_usd"], "what was spent stays counted");
    app.audit().await;
}
