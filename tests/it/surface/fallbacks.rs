//! `models`: whoever answers sets the price.

use serde_json::json;
use tollgate::ledger::{Actor, CommandContext};
use tollgate_domain::decimal::Ratio;
use tollgate_domain::price_book::{PRICE_BOOK, PriceBookCommand, RatioScope};
use tollgate_domain::pricing::Sale;

use crate::app::TestApp;
use crate::fate::fates;
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
