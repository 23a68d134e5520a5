//! From a balance to its events, and from an event to its journal entry.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::app::{Person, TestApp};

fn dec(value: &Value) -> Decimal {
    let text = value.as_str().unwrap_or_else(|| panic!("an amount, not {value}"));
    Decimal::from_str_exact(text).expect("a decimal")
}

/// Every entry of a list, page by page.
async fn all(app: &TestApp, person: &Person, path: &str) -> Vec<Value> {
    let mut found = vec![];
    let mut next = path.to_owned();
    loop {
        let page = app.get(&next, &person.token).await.expect(200);
        found.extend(page["data"].as_array().unwrap().iter().cloned());
        let Some(cursor) = page["next_cursor"].as_str() else { return found };
        next = format!("{path}&cursor={cursor}");
    }
}

fn positions(events: &[Value]) -> Vec<i64> {
    events.iter().map(|event| event["position"].as_i64().expect("a position")).collect()
}

#[tokio::test]
async fn events_are_listed_by_stream_type_position_and_time() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    app.chat(&key, "hello").await.expect(200);
    let head = app.settled().await;
    let auditor = app.auditor().await;
    let stream = format!("/v1/ledger/events?limit=2&stream={}", ada.account);
    let own = all(&app, &auditor, &stream).await;
    let types: Vec<_> = own.iter().rev().map(|e| e["event_type"].as_str().unwrap()).collect();
    let expected =
        ["AccountOpened", "FundsToppedUp", "KeyIssued", "FundsReserved", "ReservationSettled"];
    assert_eq!(types, expected);
    for pair in own.windows(2) {
        assert_eq!(pair[0]["previous_hash"], pair[1]["hash"], "the chain of the stream");
    }
    let middle = own[2]["recorded_at"].as_str().unwrap();
    assert_eq!(all(&app, &auditor, &format!("{stream}&to={middle}")).await.len(), 2);
    assert_eq!(all(&app, &auditor, &format!("{stream}&from={middle}")).await.len(), 3);

    let span = format!("/v1/ledger/events?from_position=3&to_position={head}&limit=200");
    let everything = positions(&all(&app, &auditor, &span).await);
    assert_eq!(everything, (3..=head).rev().collect::<Vec<_>>(), "dense, none twice");
    let settled = "/v1/ledger/events?event_type=ReservationSettled&limit=1";
    assert_eq!(positions(&all(&app, &auditor, settled).await), positions(&own[..1]));
    let late = "/v1/ledger/events?from=2100-01-01T00:00:00Z&limit=1";
    assert!(all(&app, &auditor, late).await.is_empty());
    let extreme = "/v1/ledger/events?from=-262000-01-01T00:00:00Z&to=%2B262000-01-01T00:00:00Z";
    app.get(extreme, &auditor.token).await.expect_problem(400, "invalid_request");
    for wrong in ["limit=0", "cursor=x", "from=yesterday", "stream=a%00b"] {
        let answer = app.get(&format!("/v1/ledger/events?{wrong}"), &auditor.token).await;
        answer.expect_problem(400, "invalid_request");
    }
    app.audit().await;
}

#[tokio::test]
async fn an_event_is_shown_as_stored_with_a_balanced_entry_and_no_remark() {
    let app = TestApp::start().await;
    let (ada, _) = app.paying_customer("ada").await;
    let admin = app.admin().await;
    let path = format!("/v1/admin/clients/{}/adjustments", ada.account);
    let body = json!({ "amount_usd": "-1.5", "reason": "Mr Babbage asked", "reference": "t 1" });
    let booked = app.post(&path, &admin.token, &body).await.expect(201);
    let position = booked["position"].as_i64().unwrap();
    let auditor = app.auditor().await;
    let path = format!("/v1/ledger/events/{position}");
    let shown = app.get(&path, &auditor.token).await;
    assert!(!shown.text.contains("Babbage"), "{}", shown.text);
    let stored: String = sqlx::query_scalar("SELECT payload::text FROM events WHERE position = $1")
        .bind(position)
        .fetch_one(app.state().database.pool())
        .await
        .unwrap();
    assert!(shown.text.contains(&format!("\"payload\":{stored}")), "byte for byte");
    let event = shown.expect(200);
    assert_eq!(
        (&event["event_type"], &event["verifies"]),
        (&"AdjustmentPosted".into(), &true.into())
    );
    let entry = event["entry"].as_array().unwrap();
    let side = |side: &str| -> Decimal {
        entry.iter().filter(|line| line[side].is_string()).map(|line| dec(&line[side])).sum()
    };
    assert_eq!((side("debit_usd"), side("credit_usd")), (Decimal::new(15, 1), Decimal::new(15, 1)));
    assert_eq!(entry[0]["account"], format!("liabilities:customers:{}", ada.account));
    for nothing in ["0", "999999", "-1", "first"] {
        let answer = app.get(&format!("/v1/ledger/events/{nothing}"), &auditor.token).await;
        answer.expect_problem(404, "not_found");
    }
    app.audit().await;
}

#[tokio::test]
async fn a_history_runs_to_the_balance_whatever_the_size_of_its_pages() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    for _ in 0..3 {
        app.chat(&key, "hello").await.expect(200);
    }
    app.top_up(&ada, "2.5").await;
    let at = app.settled().await;
    let auditor = app.auditor().await;
    let path = format!("/v1/ledger/accounts/{}/history?at_least={at}", ada.account);
    let whole = all(&app, &auditor, &format!("{path}&limit=200")).await;
    assert_eq!(all(&app, &auditor, &format!("{path}&limit=2")).await, whole);
    let balance = app.get("/v1/client/balance", &ada.token).await.expect(200);
    assert_eq!(dec(&whole[0]["balance_usd"]), dec(&balance["balance_usd"]));
    let mut running = Decimal::ZERO;
    for line in whole.iter().rev() {
        running += dec(&line["change_usd"]);
        assert_eq!(dec(&line["balance_usd"]), running, "{line}");
    }
    let money = all(&app, &auditor, &format!("{path}&limit=2&money_only=true")).await;
    assert_eq!(money.len(), 5);
    assert!(money.iter().all(|line| dec(&line["change_usd"]) != Decimal::ZERO));
    assert_eq!(dec(&money[0]["balance_usd"]), running);
    let nobody = "/v1/ledger/accounts/acct_01k2h3j4k5m6n7p8q9r0s1t2v3/history";
    app.get(nobody, &auditor.token).await.expect_problem(404, "not_found");
    app.audit().await;
}

#[tokio::test]
async fn the_trial_balance_is_zero() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    app.chat(&key, "hello").await.expect(200);
    let at = app.settled().await;
    let auditor = app.auditor().await;
    let path = format!("/v1/ledger/trial-balance?at_least={at}");
    let balance = app.get(&path, &auditor.token).await.expect(200);
    assert_eq!(balance["difference_usd"], "0");
    let line = |name: &str| {
        let lines = balance["data"].as_array().unwrap().iter();
        lines.clone().find(|line| line["account"] == name).unwrap_or_else(|| panic!("{name}"))
    };
    let own = app.get("/v1/client/balance", &ada.token).await.expect(200);
    let owed = -dec(&line("liabilities:customers")["balance_usd"]);
    assert_eq!(owed, dec(&own["balance_usd"]));
    assert_eq!(-dec(&line("income:usage")["balance_usd"]), dec(&own["lifetime_spent_usd"]));
    app.get("/v1/ledger/trial-balance", &ada.token).await.expect_problem(403, "forbidden");
    app.audit().await;
}
