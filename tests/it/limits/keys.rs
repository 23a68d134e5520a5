//! What a single key may do.

use reqwest::Method;
use serde_json::{Value, json};
use tollgate_domain::Money;

use super::{ask_model, change, issue, question, reservations, shown};
use crate::app::{TestApp, read};

#[tokio::test]
async fn a_key_s_limits_are_shown_changed_and_taken_away() {
    let app = TestApp::start().await;
    let (ada, _) = app.paying_customer("ada").await;
    let all = json!({
        "limit_usd": "5.50", "period": "week", "expires_at": "2999-01-01T00:00:00Z",
        "allowed_models": ["openai/gpt-4o-mini", "anthropic/*"],
        "allowed_ips": ["127.0.0.1", "192.0.2.77/24", "2001:db8::1/32"],
        "requests_per_minute": 60, "tokens_per_minute": 100_000, "concurrent_requests": 4,
    });
    let (id, key) = issue(&app, &ada, all).await;
    let item = shown(&app, &ada, &id).await;
    let limits = |item: &Value, names: &[&str]| -> Value {
        names.iter().map(|name| item[name].clone()).collect()
    };
    let names = ["limit_usd", "period", "expires_at", "allowed_models", "allowed_ips"];
    let expected = json!([
        "5.5",
        "week",
        "2999-01-01T00:00:00Z",
        ["openai/gpt-4o-mini", "anthropic/*"],
        ["127.0.0.1/32", "192.0.2.0/24", "2001:db8::/32"],
    ]);
    assert_eq!(limits(&item, &names), expected);
    let rates = ["requests_per_minute", "tokens_per_minute", "concurrent_requests"];
    assert_eq!(limits(&item, &rates), json!([60, 100_000, 4]));
    assert_eq!((&item["spent_usd"], &item["left_usd"]), (&json!("0"), &json!("5.5")));
    assert_eq!(item["last_used_at"], Value::Null);

    let charge = app.chat(&key, "hello").await.expect(200)["usage"]["cost"].to_string();
    app.settled().await;
    let item = shown(&app, &ada, &id).await;
    let spent = Money::parse(item["spent_usd"].as_str().unwrap());
    assert_eq!(spent, Money::parse(&charge));
    assert_eq!((&item["requests"], &item["lifetime_spent_usd"]), (&json!(1), &item["spent_usd"]));
    assert!(item["last_used_at"].is_string());

    change(&app, &ada, &id, json!({ "name": "other", "limit_usd": "7" })).await.expect(200);
    let item = shown(&app, &ada, &id).await;
    assert_eq!((&item["name"], &item["limit_usd"]), (&json!("other"), &json!("7")));
    assert_eq!(limits(&item, &rates), json!([60, 100_000, 4]), "what is absent stays");
    let nothing: Value =
        names.iter().chain(&rates).map(|name| ((*name).to_owned(), Value::Null)).collect();
    change(&app, &ada, &id, nothing).await.expect(200);
    let item = shown(&app, &ada, &id).await;
    assert_eq!(limits(&item, &names), json!([null, "total", null, null, null]));
    assert_eq!(limits(&item, &rates), json!([null, null, null]));
    assert_eq!((&item["name"], &item["left_usd"]), (&json!("other"), &Value::Null));
    app.audit().await;
}

#[tokio::test]
async fn limits_that_make_no_sense_are_refused_and_leave_everything_as_it_was() {
    let app = TestApp::start().await;
    let (ada, _) = app.paying_customer("ada").await;
    let (id, key) = issue(&app, &ada, json!({ "requests_per_minute": 1_000 })).await;
    let before = shown(&app, &ada, &id).await;
    let many: Vec<String> = (0..101).map(|n| format!("a/{n}")).collect();
    for (member, value) in [
        ("limit_usd", json!("-0.01")),
        ("allowed_models", json!([])),
        ("allowed_models", json!(["*"])),
        ("allowed_models", json!(["openai/gpt*"])),
        ("allowed_models", json!(["a b/c"])),
        ("allowed_models", json!([""])),
        ("allowed_models", json!(many)),
        ("allowed_ips", json!(["localhost"])),
        ("allowed_ips", json!(["192.0.2.0/33"])),
        ("allowed_ips", json!([])),
        ("requests_per_minute", json!(0)),
        ("requests_per_minute", json!(1_000_001)),
        ("tokens_per_minute", json!(0)),
        ("tokens_per_minute", json!(1_000_000_000_001_u64)),
        ("concurrent_requests", json!(0)),
        ("name", json!("")),
    ] {
        let body = json!({ "name": "good", member: value });
        let changed = change(&app, &ada, &id, body.clone()).await;
        changed.expect_problem(400, "invalid_request");
        assert_eq!(changed.body["param"], member, "{}", changed.text);
        let issued = app.post("/v1/auth/api-keys", &ada.token, &body).await;
        issued.expect_problem(400, "invalid_request");
    }
    for odd in [
        json!({ "requests_per_minute": -1 }),
        json!({ "tokens_per_minute": 1.5 }),
        json!({ "period": "year" }),
        json!({ "limits": {} }),
    ] {
        change(&app, &ada, &id, odd).await.expect_problem(400, "invalid_request");
    }
    assert_eq!(shown(&app, &ada, &id).await, before);
    app.chat(&key, "hello").await.expect(200);
    app.audit().await;
}

#[tokio::test]
async fn only_its_owner_changes_a_key_and_only_while_it_works() {
    let app = TestApp::start().await;
    let (ada, _) = app.paying_customer("ada").await;
    let eve = app.customer("eve").await;
    let (id, _) = issue(&app, &ada, json!({})).await;
    let name = json!({ "name": "mine" });
    change(&app, &eve, &id, name.clone()).await.expect_problem(404, "not_found");
    let unknown = "key_01k2h3j4k5m6n7p8q9r0s1t2v3";
    change(&app, &ada, unknown, name.clone()).await.expect_problem(404, "not_found");
    let path = format!("/v1/auth/api-keys/{id}");
    app.send(Method::PATCH, &path, None, Some(&name)).await.expect_problem(401, "not_signed_in");
    app.send(Method::DELETE, &path, Some(&ada.token), None).await.expect(200);
    change(&app, &ada, &id, name).await.expect_problem(409, "api_key_revoked");
    assert_eq!(shown(&app, &ada, &id).await["name"], "limited");
    app.audit().await;
}

fn ids(models: &Value) -> Vec<String> {
    let id = |model: &Value| model["id"].as_str().expect("text").to_owned();
    models["data"].as_array().expect("a list").iter().map(id).collect()
}

#[tokio::test]
async fn a_key_asks_only_for_the_models_on_its_list() {
    let app = TestApp::start().await;
    let (ada, _) = app.paying_customer("ada").await;
    let models = json!({ "allowed_models": ["openai/gpt-4o-mini", "anthropic/*"] });
    let (id, key) = issue(&app, &ada, models).await;
    ask_model(&app, &key, json!({})).await.expect(200);
    ask_model(&app, &key, json!({ "model": "anthropic/claude-haiku-4.5" })).await.expect(200);
    app.settled().await;
    let before = reservations(&app).await;
    for more in [
        json!({ "model": "google/gemini-2.5-flash" }),
        json!({ "models": ["google/gemini-2.5-flash"] }),
    ] {
        let refused = ask_model(&app, &key, more).await;
        refused.expect_model_error(403, "model_not_allowed");
        assert_eq!(refused.body["error"]["param"], "model");
        assert!(refused.text.contains("google/gemini-2.5-flash"), "{}", refused.text);
    }
    assert_eq!(reservations(&app).await, before);
    // It sees those models and no others; who comes without a key sees what there is.
    let listed = app.get("/v1/models", &key).await.expect(200);
    let listed = ids(&listed);
    assert!(listed.iter().any(|id| id == "openai/gpt-4o-mini"));
    assert!(listed.iter().any(|id| id == "anthropic/claude-haiku-4.5"));
    let fits = |id: &String| id == "openai/gpt-4o-mini" || id.starts_with("anthropic/");
    assert!(listed.iter().all(fits), "{listed:?}");
    let other = app.get("/v1/models/google/gemini-2.5-flash", &key).await;
    other.expect_model_error(404, "model_not_found");
    assert_eq!(app.get("/v1/embeddings/models", &key).await.expect(200)["total_count"], 0);
    let public = app.send(Method::GET, "/v1/models", None, None).await.expect(200);
    assert!(ids(&public).iter().any(|id| id == "google/gemini-2.5-flash"));

    change(&app, &ada, &id, json!({ "allowed_models": null })).await.expect(200);
    assert_eq!(ids(&app.get("/v1/models", &key).await.expect(200)), ids(&public));
    ask_model(&app, &key, json!({ "model": "google/gemini-2.5-flash" })).await.expect(200);
    app.audit().await;
}

#[tokio::test]
async fn a_key_is_used_only_from_its_addresses() {
    let app = TestApp::start().await;
    let (ada, _) = app.paying_customer("ada").await;
    let (id, key) = issue(&app, &ada, json!({ "allowed_ips": ["192.0.2.0/24"] })).await;
    let refused = app.chat(&key, "hello").await;
    refused.expect_model_error(403, "ip_not_allowed");
    assert!(refused.text.contains("127.0.0.1"), "{}", refused.text);
    // Nobody is believed who says that he comes from somewhere else.
    let forged = question(&app, &key, false).header("X-Forwarded-For", "192.0.2.7");
    read(forged).await.expect_model_error(403, "ip_not_allowed");
    // What asks nothing of a model is refused as well.
    app.get("/v1/models", &key).await.expect_model_error(403, "ip_not_allowed");
    change(&app, &ada, &id, json!({ "allowed_ips": ["127.0.0.0/8"] })).await.expect(200);
    app.chat(&key, "hello").await.expect(200);
    app.audit().await;
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_address_is_the_client_s() {
    let trusted = ["127.0.0.1/32".parse().unwrap()].to_vec();
    let app = TestApp::start_with(|config| config.edge.trusted_proxies = trusted).await;
    let (ada, _) = app.paying_customer("ada").await;
    let (_, key) = issue(&app, &ada, json!({ "allowed_ips": ["192.0.2.0/24"] })).await;
    let from = |chain: &str| question(&app, &key, false).header("X-Forwarded-For", chain);
    read(from("192.0.2.7")).await.expect(200);
    read(from("192.0.2.7, 203.0.113.9")).await.expect_model_error(403, "ip_not_allowed");
    read(from("203.0.113.9, 192.0.2.7")).await.expect(200);
    app.chat(&key, "hello").await.expect_model_error(403, "ip_not_allowed");
    app.audit().await;
}

#[tokio::test]
async fn a_spending_limit_is_told_in_openrouter_s_words_and_in_russian() {
    let app = TestApp::start().await;
    let (ada, _) = app.paying_customer("ada").await;
    for (period, english, russian) in [
        ("day", "daily", "дневной"),
        ("week", "weekly", "недельный"),
        ("month", "monthly", "месячный"),
        ("total", "total", "общий"),
    ] {
        let limits = json!({ "limit_usd": "0.0000001", "period": period });
        let (_, key) = issue(&app, &ada, limits).await;
        let refused = read(question(&app, &key, false)).await;
        refused.expect_model_error(403, "key_limit_exceeded");
        assert_eq!(refused.headers["x-should-retry"], "false");
        let message = refused.body["error"]["message"].as_str().unwrap();
        assert!(
            message.starts_with(&format!("Key limit exceeded ({english} limit).")),
            "{message}"
        );
        assert_eq!(refused.body["error"]["metadata"]["period"], period);
        assert_eq!(refused.body["error"]["metadata"]["left_usd"], "0.0000001");
        let told = read(question(&app, &key, false).header("Accept-Language", "ru")).await;
        assert!(told.text.contains(russian), "{}", told.text);
    }
    app.audit().await;
}

#[tokio::test]
async fn what_another_node_changes_of_a_key_counts_here_with_the_next_request() {
    let app = TestApp::start().await;
    let other = app.another_node().await;
    let (ada, _) = app.paying_customer("ada").await;
    let (id, key) = issue(&app, &ada, json!({ "allowed_models": ["a/b"] })).await;
    let there = |body: Value| {
        let request = other.request(Method::PATCH, &format!("/v1/auth/api-keys/{id}"));
        read(request.bearer_auth(&ada.token).json(&body))
    };
    app.chat(&key, "hello").await.expect_model_error(403, "model_not_allowed");
    there(json!({ "allowed_models": null })).await.expect(200);
    // A refusal may be a second old.
    let mut answer = app.chat(&key, "hello").await;
    while answer.status == 403 {
        answer = app.chat(&key, "hello").await;
    }
    answer.expect(200);
    there(json!({ "allowed_models": ["a/b"] })).await.expect(200);
    // The first request may slip by the old rule, and finds the new one when it is reserved.
    let first = app.chat(&key, "hello").await;
    assert!(first.status == 200 || first.status == 403, "{}", first.text);
    app.chat(&key, "hello").await.expect_model_error(403, "model_not_allowed");
    other.stop().await;
    app.audit().await;
}
