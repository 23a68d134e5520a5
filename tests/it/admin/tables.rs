//! The catalogue, and reports as CSV.

use reqwest::{Method, header};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::spend;
use crate::app::TestApp;

fn dec(value: &Value) -> Decimal {
    let text = value.as_str().unwrap_or_else(|| panic!("a decimal, not {value}"));
    Decimal::from_str_exact(text).expect("a decimal")
}

#[tokio::test]
async fn the_catalogue_has_list_price_sale_price_and_margin_and_shows_a_change_at_once() {
    let app = TestApp::start().await;
    let (admin, auditor) = (app.admin().await.token, app.auditor().await.token);
    let path = "/v1/admin/prices/models";
    let of = |list: &Value| {
        let models = list["data"].as_array().expect("models");
        models.iter().find(|model| model["id"] == "openai/gpt-4o").expect("it is sold").clone()
    };
    let list = app.get(path, &auditor).await.expect(200);
    assert_eq!((&list["cost_rate"], &list["default_sale_ratio"]), (&"0.3".into(), &"0.8".into()));
    let summary = app.get("/v1/admin/prices", &admin).await.expect(200);
    assert_eq!(list["data"].as_array().unwrap().len() as u64, summary["models"].as_u64().unwrap());
    let before = of(&list);
    assert_eq!((&before["own_ratio"], &before["margin"]), (&false.into(), &"0.625".into()));
    assert_eq!(
        dec(&before["prompt_usd"]) * dec(&before["sale_ratio"]),
        dec(&before["sale_prompt_usd"])
    );
    assert_eq!(before["sale_completion_usd"], "0.000008");

    let body =
        json!({ "scope": "model", "subject": "openai/gpt-4o", "ratio": "0.25", "reason": "x" });
    let set = "/v1/admin/prices/ratios";
    app.send(Method::PUT, set, Some(&admin), Some(&body)).await.expect(200);
    let after = of(&app.get(path, &admin).await.expect(200));
    assert_eq!((&after["own_ratio"], &after["margin"]), (&true.into(), &"-0.2".into()));
    assert_eq!(after["sale_completion_usd"], "0.0000025");
    app.audit().await;
}

#[tokio::test]
async fn the_profit_report_is_downloaded_as_it_is_shown() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    spend(&app, &key, 1).await.expect(200);
    let (admin, auditor) = (app.admin().await.token, app.auditor().await.token);
    app.settled().await;
    let shown = app.get("/v1/admin/profit?group_by=account", &admin).await.expect(200);
    assert_eq!(shown["data"][0]["customer"], "ada");
    let path = "/v1/admin/profit.csv?group_by=account";
    let file = app.get(path, &admin).await;
    assert_eq!(file.headers[header::CONTENT_TYPE], "text/csv; charset=utf-8");
    let lines: Vec<&str> = file.text.lines().collect();
    assert!(lines[0].starts_with("name,customer,requests,list_cost_usd,charge_usd,cost_usd,"));
    assert_eq!(lines[1], format!("{},ada,1,0.01,0.008,0.003,0,0,0,0.005,0,0,0,0", ada.account));
    assert_eq!(lines.len(), 2);
    let blind = app.get(path, &auditor).await;
    assert!(blind.text.contains(&format!("{},,1,", ada.account)), "{}", blind.text);
    app.get(path, &ada.token).await.expect_problem(403, "forbidden");
    app.get("/v1/admin/profit.csv?from=2020-01-01T00:00:00Z", &admin)
        .await
        .expect_problem(400, "invalid_request");
    app.audit().await;
}

#[tokio::test]
async fn the_ledger_is_downloaded_whole_and_event_by_event_as_it_is_stored() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    spend(&app, &key, 1).await.expect(200);
    let auditor = app.auditor().await.token;
    let head = app.settled().await;
    let file = app.get(&format!("/v1/ledger/events.csv?at_least={head}"), &auditor).await;
    assert_eq!(file.headers[header::CONTENT_TYPE], "text/csv; charset=utf-8");
    let positions: Vec<i64> = file
        .text
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap().parse().expect("a position"))
        .collect();
    // More than one piece: the price list alone is longer.
    assert!(positions.len() > 200);
    assert_eq!(positions, (1..=positions[0]).rev().collect::<Vec<_>>(), "every event, once");
    let path =
        format!("/v1/ledger/events.csv?stream={}&event_type=ReservationSettled", ada.account);
    let one = app.get(&path, &auditor).await.text;
    let listed = path.replace(".csv", "");
    let event = app.get(&listed, &auditor).await.expect(200)["data"][0].clone();
    assert_eq!(one.lines().count(), 2);
    assert!(one.contains(event["hash"].as_str().unwrap()), "{one}");
    assert!(one.contains("\"\"charge\"\":\"\"0.008\"\""), "{one}");
    app.get(&path, &ada.token).await.expect_problem(403, "forbidden");
    app.audit().await;
}
