//! A charge can be explained to the last digit, from events and not from today's prices.

use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, read};

fn dec(value: &Value) -> Decimal {
    let text = value.as_str().unwrap_or_else(|| panic!("an amount, not {value}"));
    Decimal::from_str_exact(text).expect("a decimal")
}

/// A request with these token counts.
async fn chat(app: &TestApp, key: &str, tokens: &str) -> Answer {
    let body = json!({
        "model": "openai/gpt-4o",
        "messages": [{ "role": "user", "content": "Hello" }],
        "max_tokens": 1000,
    });
    let request = app.request(Method::POST, "/v1/chat/completions").bearer_auth(key);
    read(request.header("X-Sandbox-Tokens", tokens).json(&body)).await
}

fn request_id(answer: &Answer) -> String {
    answer.headers["x-request-id"].to_str().expect("text").to_owned()
}

#[tokio::test]
async fn a_charge_is_tokens_times_prices_times_ratio_rounded_once() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    let answer = chat(&app, &key, "800,800").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let id = request_id(&answer);
    let at = app.settled().await;
    let path = format!("/v1/client/requests/{id}?at_least={at}");
    let shown = app.get(&path, &ada.token).await.expect(200);
    assert_eq!(shown["request_id"], id);
    assert_eq!((&shown["state"], &shown["outcome"]), (&"settled".into(), &"completed".into()));

    let charge = &shown["charge"];
    let lines = charge["lines"].as_array().expect("lines");
    let parts: Vec<_> = lines
        .iter()
        .map(|line| (line["class"].as_str().unwrap(), line["count"].as_u64().unwrap()))
        .collect();
    assert_eq!(parts, [("input", 800), ("output", 800)]);
    assert_eq!(lines[0]["list_price_usd"], "0.0000025");
    assert_eq!(lines[1]["list_cost_usd"], "0.008");
    assert_eq!(charge["computed_list_cost_usd"], "0.01");
    assert_eq!((&charge["list_cost_usd"], &charge["source"]), (&"0.01".into(), &"upstream".into()));
    assert_eq!((&charge["sale_ratio"], &charge["charge_usd"]), (&"0.8".into(), &"0.008".into()));
    assert_eq!(charge["exact_charge_usd"], "0.008");

    let events = shown["events"].as_array().expect("events");
    let types: Vec<_> = events.iter().map(|event| event["event_type"].as_str().unwrap()).collect();
    assert_eq!(types, ["FundsReserved", "ReservationSettled"]);
    assert_eq!(events[0]["reserved_usd"], charge["reserved_usd"]);
    assert!(events[0]["expires_at"].is_string());
    assert_eq!(dec(&events[1]["balance_change_usd"]), dec(&"-0.008".into()));
    for event in events {
        assert_eq!(event["verifies"], true, "{event}");
        let hash: Vec<u8> = sqlx::query_scalar("SELECT hash FROM events WHERE position = $1")
            .bind(event["position"].as_i64().unwrap())
            .fetch_one(app.state().database.pool())
            .await
            .unwrap();
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(event["hash"], hash);
    }
    let reservation = shown["id"].as_str().unwrap();
    let same = app.get(&format!("/v1/client/requests/{reservation}"), &ada.token).await.expect(200);
    assert_eq!(same["charge"], *charge);
    app.audit().await;
}

#[tokio::test]
async fn an_old_request_is_explained_with_its_own_prices_not_with_today_s() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    let old = request_id(&chat(&app, &key, "800,800").await);
    app.settled().await;
    publish_doubled_prices(&app).await;
    let path = format!("/v1/client/requests/{old}");
    let shown = app.get(&path, &ada.token).await.expect(200);
    assert_eq!(shown["charge"]["lines"][0]["list_price_usd"], "0.0000025");
    assert_eq!(shown["charge"]["computed_list_cost_usd"], "0.01");
    app.audit().await;
}

/// A new version of the list in which everything costs twice as much.
async fn publish_doubled_prices(app: &TestApp) {
    use tollgate::ledger::{Actor, CommandContext};
    use tollgate_domain::PriceBookCommand;
    use tollgate_domain::price_book::PRICE_BOOK;
    use tollgate_domain::pricing::PriceCard;
    let books = &app.state().ledger.prices;
    let double = |card: &PriceCard| {
        let rates = card.rates.times(Decimal::TWO).expect("fits");
        PriceCard { rates, tiers: vec![] }
    };
    let look = |book: &tollgate_domain::PriceBook| {
        book.models().map(|(model, card)| (model.to_owned(), double(card))).collect()
    };
    let models = books.peek(PRICE_BOOK, look).await.expect("the price book");
    let publish = PriceBookCommand::PublishPrices { source: "test".to_owned(), models };
    let context = CommandContext::by(Actor::System("test"));
    books.execute(PRICE_BOOK, publish, &context, None).await.expect("published");
    app.caught_up().await;
}

#[tokio::test]
async fn a_request_that_was_not_charged_says_why_and_gives_the_money_back() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    let body = json!({
        "model": "openai/gpt-4o",
        "messages": [{ "role": "user", "content": "Hello" }],
        "max_tokens": 100,
    });
    let request = app.request(Method::POST, "/v1/chat/completions").bearer_auth(&key);
    let answer = read(request.header("X-Sandbox-Fault", "status=500").json(&body)).await;
    assert!(answer.status.is_server_error(), "{}", answer.text);
    app.settled().await;
    let path = format!("/v1/client/requests/{}", request_id(&answer));
    let shown = app.get(&path, &ada.token).await.expect(200);
    assert_eq!(shown["state"], "released", "{shown}");
    let charge = &shown["charge"];
    assert!(charge["charge_usd"].is_null() && charge["lines"].is_null(), "{shown}");
    let events = shown["events"].as_array().unwrap();
    assert_eq!(events[1]["event_type"], "ReservationReleased");
    assert_eq!(events[1]["reserved_usd"], events[0]["reserved_usd"]);
    assert!(events[1]["reason"].is_string());
    app.audit().await;
}

#[tokio::test]
async fn a_customer_is_not_told_the_cost_and_an_auditor_is() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    let bob = app.customer("bob").await;
    let id = request_id(&chat(&app, &key, "800,800").await);
    app.settled().await;
    let own = format!("/v1/client/requests/{id}");
    let shown = app.get(&own, &ada.token).await;
    for hidden in ["cost_rate", "\"cost_usd", "master_account", "margin", "waived", "mast_"] {
        assert!(!shown.text.contains(hidden), "{hidden} in {}", shown.text);
    }
    app.get(&own, &bob.token).await.expect_problem(404, "not_found");
    app.get("/v1/client/requests/nonsense", &ada.token).await.expect_problem(404, "not_found");
    let all = format!("/v1/admin/requests/{id}");
    app.get(&all, &ada.token).await.expect_problem(403, "forbidden");
    let (admin, auditor) = (app.admin().await, app.auditor().await);
    for reader in [&admin, &auditor] {
        let request = app.get(&all, &reader.token).await.expect(200);
        assert_eq!(request["account_id"], ada.account);
        assert_eq!(request["charge"]["charge_usd"], "0.008");
        let margin = dec(&"0.008".into()) - dec(&request["cost_usd"]);
        assert_eq!(dec(&request["margin_usd"]), margin);
        let cost = dec(&request["charge"]["list_cost_usd"]) * dec(&request["cost_rate"]);
        assert_eq!(dec(&request["cost_usd"]), cost);
        assert!(request["master_account_id"].as_str().unwrap().starts_with("mast_"));
    }
    app.audit().await;
}
