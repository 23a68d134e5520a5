//! Tables as CSV.

use reqwest::header;
use rust_decimal::Decimal;
use serde_json::json;

use crate::app::{Answer, Person, TestApp};

async fn table(app: &TestApp, person: &Person, path: &str) -> Vec<Vec<String>> {
    let answer: Answer = app.get(path, &person.token).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.headers[header::CONTENT_TYPE], "text/csv; charset=utf-8");
    let disposition = answer.headers[header::CONTENT_DISPOSITION].to_str().unwrap();
    assert!(disposition.starts_with("attachment; filename=\"") && disposition.contains(".csv"));
    assert!(answer.text.ends_with("\r\n"));
    let as_of = answer.headers["x-tollgate-as-of-position"].to_str().unwrap();
    assert!(as_of.parse::<i64>().unwrap() > 0);
    let lines = answer.text.lines();
    lines.map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn dec(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap_or_else(|_| panic!("a decimal, not {text}"))
}

fn column<'t>(table: &'t [Vec<String>], name: &str) -> Vec<&'t str> {
    let at = table[0].iter().position(|column| column == name).expect("the column");
    table[1..].iter().map(|line| line[at].as_str()).collect()
}

#[tokio::test]
async fn requests_and_usage_are_downloaded_whole_and_add_up() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    for _ in 0..3 {
        app.chat(&key, "hello").await.expect(200);
    }
    let at = app.settled().await;
    let balance = app.get("/v1/client/balance", &ada.token).await.expect(200);
    let spent = dec(balance["lifetime_spent_usd"].as_str().unwrap());
    let requests = table(&app, &ada, &format!("/v1/client/requests.csv?at_least={at}")).await;
    assert_eq!(requests.len(), 4);
    let sum = |amounts: Vec<&str>| amounts.into_iter().map(dec).sum::<Decimal>();
    assert_eq!(sum(column(&requests, "charge_usd")), spent);
    let none = table(&app, &ada, "/v1/client/requests.csv?search=nothing-like-it").await;
    assert_eq!((none.len(), &none[0]), (1, &requests[0]), "only the names of the columns");
    let usage = table(&app, &ada, "/v1/client/usage.csv").await;
    assert_eq!(usage.len(), 2);
    assert_eq!(column(&usage, "requests"), ["3"]);
    assert_eq!(sum(column(&usage, "charge_usd")), spent);
    app.audit().await;
}

#[tokio::test]
async fn a_statement_runs_from_the_opening_to_the_closing_balance() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    app.chat(&key, "hello").await.expect(200);
    let admin = app.admin().await;
    let path = format!("/v1/admin/clients/{}/top-ups", ada.account);
    let body = json!({ "amount_usd": "2", "reference": "=HYPERLINK(\"http://x\")" });
    app.post(&path, &admin.token, &body).await.expect(201);
    app.settled().await;
    let month = chrono::Utc::now().format("%Y-%m").to_string();
    let path = format!("/v1/client/statements/{month}/csv");
    let lines = table(&app, &ada, &path).await;
    let kinds = column(&lines, "kind");
    assert_eq!(kinds, ["opening", "top_up", "top_up", "usage", "closing"]);
    let balances: Vec<_> = column(&lines, "balance_usd").into_iter().map(dec).collect();
    let amounts = column(&lines, "amount_usd");
    for line in 1..4 {
        assert_eq!(balances[line], balances[line - 1] + dec(amounts[line]));
    }
    assert_eq!(balances[4], balances[3], "the lines make the closing balance");
    let balance = app.get("/v1/client/balance", &ada.token).await.expect(200);
    assert_eq!(balances[4], dec(balance["balance_usd"].as_str().unwrap()));
    let reference = column(&lines, "reference")[2];
    assert!(reference.starts_with("\"'=HYPERLINK"), "{reference}");
    app.get("/v1/client/statements/soon/csv", &ada.token)
        .await
        .expect_problem(400, "invalid_request");
    app.audit().await;
}
