//! `models`: whoever answers sets the price.

use std::time::{Duration, Instant};

use serde_json::json;
use tollgate::ledger::{Actor, CommandContext};
use tollgate_domain::account::CostSource;
use tollgate_domain::decimal::Ratio;
use tollgate_domain::price_book::{PRICE_BOOK, PriceBookCommand, RatioScope};
use tollgate_domain::pricing::Sale;

use crate::app::TestApp;
use crate::fate::{Fate, fates};
use crate::wire;

const DEAR: &str = "anthropic/claude-haiku-4.5";
const FAILS: &str = "openai/gpt-4o-mini@fault-status=503";

async fn set_ratio(app: &TestApp, model: &str, ratio: &str) {
    let scope = RatioScope::Model(model.to_owned());
    let ratio = Ratio::parse(ratio).ok();
    let by = CommandContext::by(Actor::System("test"));
    let command = PriceBookCommand::SetSaleRatio { scope, ratio, reason: None };
    app.state().ledger.prices.execute(PRICE_BOOK, command, &by, None).await.expect("a ratio");
    let state = app.state();
    let refreshed = state.gateway.prices().refresh(&state.ledger, state.database.pool()).await;
    refreshed.expect("prices");
}

#[tokio::test]
async fn the_model_that_answered_sets_card_and_ratio_and_the_dearest_sets_the_reservation() {
    let app = TestApp::start().await;
    let (_, key) = app.paying_customer("ada").await;
    set_ratio(&app, DEAR, "1.5").await;
    let messages = json!([{ "role": "user", "content": "What is a ledger?" }]);
    for (first, second, streamed) in
        [(FAILS, DEAR, false), (FAILS, DEAR, true), (wire::MODEL, DEAR, false)]
    {
        let body = json!({ "model": first, "models": [second], "max_tokens": 50,
            "messages": messages, "stream": streamed });
        let request = app.request(reqwest::Method::POST, "/v1/chat/completions");
        let got = wire::send(request.bearer_auth(&key).json(&body)).await.expect("an answer");
        assert_eq!(got.status, 200, "{}", got.text);
        app.settled().await;
        let all = fates(app.state().database.pool()).await;
        let fate = all.iter().find(|fate| fate.request == got.request()).expect("its fate");
        let settled = fate.settled();
        assert_eq!(settled.model, wire::MODEL);
        let (answered, ratio) = match first {
            FAILS => (Some(DEAR), "1.5"),
            _ => (None, "0.8"),
        };
        assert_eq!(settled.answered_model.as_deref(), answered);
        assert_eq!(settled.sale_ratio, Ratio::parse(ratio).unwrap());
        assert_eq!(settled.computed_list_cost, None, "the card is the answering model's");
        let sale = Sale::of(settled.list_cost, settled.sale_ratio, settled.cost_rate).unwrap();
        assert_eq!(settled.charge, sale.charge);
        assert_eq!(got.cost(), Some(settled.charge), "the client reads what it pays");
        assert!(settled.charge <= settled.reserved, "reserved at the dearest");
        assert_eq!(fate.reserved.fallbacks[0].model, DEAR);
    }
    app.audit().await;
}

/// The fate of the request once its estimate is corrected.
async fn corrected(app: &TestApp, request: &str) -> Fate {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let all = fates(app.state().database.pool()).await;
        let found =
            all.into_iter().find(|fate| fate.request == request && fate.corrected.is_some());
        if let Some(fate) = found {
            return fate;
        }
        assert!(Instant::now() < deadline, "the truth does not come");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn an_estimate_and_its_correction_follow_the_model_that_answered() {
    let app = TestApp::start_with(|config| {
        config.recovery.patience = Duration::from_secs(1);
        config.recovery.look = Duration::from_secs(1);
    })
    .await;
    let (ada, key) = app.paying_customer("ada").await;
    set_ratio(&app, DEAR, "1.5").await;
    let messages = json!([{ "role": "user", "content": "What is a ledger?" }]);
    let late = format!("{DEAR}@fault-missing-usage,generation-late=4000");
    for streamed in [true, false] {
        let body = json!({ "model": FAILS, "models": [late], "max_tokens": 50,
            "messages": messages, "stream": streamed });
        let request = app.request(reqwest::Method::POST, "/v1/chat/completions");
        let got = wire::send(request.bearer_auth(&key).json(&body)).await.expect("an answer");
        assert_eq!(got.status, 200, "{}", got.text);
        let fate = corrected(&app, got.request()).await;
        let (settled, truth) = (fate.settled(), fate.corrected.as_ref().expect("the truth"));
        assert_eq!(settled.source, CostSource::Estimate);
        let dear = Ratio::parse("1.5").unwrap();
        if streamed {
            // The stream had told who answers before it fell silent about its bill.
            let estimated = (settled.answered_model.as_deref(), settled.sale_ratio);
            assert_eq!(estimated, (Some(DEAR), dear));
        }
        assert_eq!((truth.answered_model.as_deref(), truth.sale_ratio), (Some(DEAR), dear));
        let sale = Sale::of(truth.to.list_cost, dear, truth.cost_rate).unwrap();
        assert_eq!((truth.to.charge, truth.to.cost), (sale.charge, sale.cost));
        app.settled().await;
        let shown = app.get("/v1/client/recent-requests", &ada.token).await.expect(200);
        let row = &shown["data"][0];
        assert_eq!(
            (&row["state"], &row["request_id"]),
            (&json!("corrected"), &json!(got.request()))
        );
        assert_eq!(
            (&row["charge_usd"], &row["sale_ratio"]),
            (&json!(truth.to.charge), &json!("1.5"))
        );
        let path = format!("/v1/client/requests/{}", got.request());
        let explained = app.get(&path, &ada.token).await.expect(200);
        assert_eq!(explained["answered_model"], DEAR);
    }
    app.audit().await;
}
