//! Every operation of the document refuses whom it is not for, and a refusal changes nothing.

use std::collections::BTreeMap;

use chrono::{TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use tollgate::config::Secret;
use tollgate::identity::tokens::{Sessions, Subject};

use crate::app::{Answer, Person, TestApp};

/// What the OpenAPI document says about one operation.
struct Operation {
    method: Method,
    path: String,
    session: bool,
    key: bool,
    open: bool,
    /// What stands in its path and, where it must, in its query: name, place, example.
    parameters: Vec<(String, String, String)>,
    /// A body that would be understood.
    body: Option<Value>,
}

impl Operation {
    fn new(method: Method, path: &str, operation: &Value) -> Self {
        let schemes = operation["security"].as_array().cloned().unwrap_or_default();
        let has = |name: &str| schemes.iter().any(|scheme| scheme.get(name).is_some());
        let listed = operation["parameters"].as_array().into_iter().flatten();
        let needed = listed.filter(|parameter| parameter["required"] == true);
        let text = |value: &Value| match value {
            Value::Number(number) => number.to_string(),
            other => other.as_str().unwrap_or_default().to_owned(),
        };
        let parameters = needed.map(|parameter| {
            let example = text(&parameter["example"]);
            assert!(!example.is_empty(), "{method} {path}: {} has no example", parameter["name"]);
            (text(&parameter["name"]), text(&parameter["in"]), example)
        });
        let parameters = parameters.collect();
        let content = &operation["requestBody"]["content"]["application/json"];
        Self {
            path: path.to_owned(),
            session: has("session"),
            key: has("api_key"),
            open: schemes.is_empty() || schemes.iter().any(|scheme| *scheme == json!({})),
            parameters,
            body: content.get("example").cloned(),
            method,
        }
    }

    /// Is it closed to customers?
    fn is_admin(&self) -> bool {
        self.path.starts_with("/v1/admin/") || self.path.starts_with("/v1/ledger/")
    }

    /// Proving the books right changes nothing in them.
    fn is_auditors(&self) -> bool {
        self.method == Method::GET || self.path == "/v1/ledger/verification"
    }

    /// The path, with a value for each parameter: `mine` where it knows one, else the example.
    fn address(&self, mine: &BTreeMap<String, String>) -> String {
        let mut path = self.path.clone();
        for (name, place, example) in &self.parameters {
            let prefix = example.split('_').next().unwrap_or_default();
            let value = mine.get(prefix).unwrap_or(example).replace('/', "%2F");
            match place.as_str() {
                "path" => path = path.replace(&format!("{{{name}}}"), &value),
                "query" => path = format!("{path}?{name}={value}"),
                other => panic!("{path}: a parameter in {other}"),
            }
        }
        path
    }

    async fn send(&self, app: &TestApp, path: &str, bearer: Option<&str>) -> Answer {
        app.send(self.method.clone(), path, bearer, self.body.as_ref()).await
    }
}

/// Every operation of the document.
fn operations() -> Vec<Operation> {
    let document = serde_json::to_value(tollgate::http::document()).expect("JSON");
    let mut found = vec![];
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("an item") {
            let Ok(method) = method.to_uppercase().parse() else { continue };
            if operation["operationId"].is_string() {
                found.push(Operation::new(method, path, operation));
            }
        }
    }
    assert!(found.len() > 70, "{} operations", found.len());
    found
}

/// An access token of this person that is signed by `sessions` and began so long ago.
fn token(app: &TestApp, person: &Person, sessions: &Sessions, age: TimeDelta) -> String {
    let tokens = &app.state().people.tokens;
    let claims = tokens.verify_access(&person.token, Utc::now()).expect("a valid token");
    let subject =
        Subject { user: claims.sub, account: claims.acct, role: claims.role, session: claims.sid };
    sessions.issue_access(&subject, Utc::now() - age)
}

/// The newest position of the log.
async fn head(app: &TestApp) -> i64 {
    let query = sqlx::query_scalar("SELECT position FROM ledger_head");
    query.fetch_one(app.state().database.pool()).await.expect("the head of the log")
}

async fn own(app: &TestApp, person: &Person, path: &str) -> String {
    let list = app.get(path, &person.token).await.expect(200);
    list["data"][0]["id"].as_str().unwrap_or_else(|| panic!("an id in {list}")).to_owned()
}

/// Ids of what is this person's, by prefix.
async fn belongings(app: &TestApp, person: &Person, generation: &str) -> BTreeMap<String, String> {
    let me = app.get("/v1/auth/me", &person.token).await.expect(200);
    let at = app.settled().await;
    let path = format!("/v1/client/recent-requests?at_least={at}");
    let requests = app.get(&path, &person.token).await.expect(200);
    let ids = [
        person.account.clone(),
        me["user_id"].as_str().expect("a user").to_owned(),
        own(app, person, "/v1/auth/api-keys").await,
        own(app, person, "/v1/auth/sessions").await,
        own(app, person, "/v1/client/top-ups").await,
        requests["data"][0]["request_id"].as_str().expect("a request").to_owned(),
    ];
    let by_prefix = ids.map(|id| (id.split('_').next().unwrap_or_default().to_owned(), id));
    let mut mine = BTreeMap::from(by_prefix);
    // Generations are named by the upstream, with hyphens: the whole example is their prefix.
    for operation in operations() {
        for (_, _, example) in operation.parameters {
            if example.starts_with("gen-") {
                mine.insert(example, generation.to_owned());
            }
        }
    }
    mine
}

#[tokio::test]
async fn no_session_opens_what_it_is_not_for() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    let gone = app.sign_in("ada@example.com", "correct horse battery").await;
    app.send(Method::POST, "/v1/auth/logout", Some(&gone.token), None).await.expect(204);
    let now = TimeDelta::zero();
    let forger = Sessions::new(&Secret::new("another secret key of 32 bytes…".repeat(2)));
    let forged = token(&app, &app.admin().await, &forger, now);
    let expired = token(&app, &ada, &app.state().people.tokens, TimeDelta::minutes(16));
    let before = head(&app).await;
    let nothing = BTreeMap::new();
    for operation in operations().into_iter().filter(|operation| operation.session) {
        assert!(!operation.open && !operation.key, "{}", operation.path);
        let path = operation.address(&nothing);
        let strangers = [
            (None, "not_signed_in"),
            (Some("not-a-token"), "not_signed_in"),
            (Some(key.as_str()), "not_signed_in"),
            (Some(forged.as_str()), "not_signed_in"),
            (Some(expired.as_str()), "token_expired"),
            (Some(gone.token.as_str()), "session_ended"),
            (Some(ada.refresh.as_str()), "not_signed_in"),
        ];
        for (bearer, code) in strangers {
            operation.send(&app, &path, bearer).await.expect_problem(401, code);
        }
        if operation.is_admin() {
            operation.send(&app, &path, Some(&ada.token)).await.expect_problem(403, "forbidden");
        }
    }
    assert_eq!(head(&app).await, before, "a refusal was written into the books");
    app.audit().await;
}

#[tokio::test]
async fn no_key_opens_what_it_is_not_for() {
    let app = TestApp::start().await;
    let (ada, _) = app.paying_customer("ada").await;
    let issue = async |body: Value| {
        let issued = app.post("/v1/auth/api-keys", &ada.token, &body).await.expect(201);
        let text = |member: &str| issued[member].as_str().expect("text").to_owned();
        (text("id"), text("key"))
    };
    let (id, revoked) = issue(json!({ "name": "revoked" })).await;
    let path = format!("/v1/auth/api-keys/{id}");
    app.send(Method::DELETE, &path, Some(&ada.token), None).await.expect(200);
    let (_, expired) = issue(json!({ "name": "old", "expires_at": "2020-01-01T00:00:00Z" })).await;
    let never = format!("sk-tg-{}", "A".repeat(43));
    let before = head(&app).await;
    let nothing = BTreeMap::new();
    let mut walked = 0;
    for operation in operations().into_iter().filter(|operation| operation.key) {
        walked += 1;
        let path = operation.address(&nothing);
        if !operation.open {
            let answer = operation.send(&app, &path, None).await;
            answer.expect_model_error(401, "missing_api_key");
        }
        for (bearer, code) in [
            (ada.token.as_str(), "invalid_api_key"),
            (never.as_str(), "invalid_api_key"),
            (revoked.as_str(), "api_key_revoked"),
        ] {
            operation.send(&app, &path, Some(bearer)).await.expect_model_error(401, code);
        }
        // The list of models is nobody's: a key only chooses its prices.
        if !operation.open {
            let answer = operation.send(&app, &path, Some(&expired)).await;
            answer.expect_model_error(401, "api_key_expired");
        }
    }
    assert!(walked > 5);
    assert_eq!(head(&app).await, before, "a refusal was written into the books");
    app.audit().await;
}

#[tokio::test]
async fn what_is_anothers_is_not_found() {
    let app = TestApp::start().await;
    let (ada, ada_key) = app.paying_customer("ada").await;
    let (bob, bob_key) = app.paying_customer("bob").await;
    let chat = app.chat(&ada_key, "hello").await.expect(200);
    let adas = belongings(&app, &ada, chat["id"].as_str().expect("an id")).await;
    let before = head(&app).await;
    let mut walked = 0;
    for operation in operations() {
        let named = operation.parameters.iter().filter(|(_, _, example)| {
            // An id: a word, and then something that nobody would write.
            example.contains('_') || example.starts_with("gen-")
        });
        let prefixes: Vec<_> =
            named.map(|(_, _, example)| example.split('_').next().unwrap_or_default()).collect();
        if prefixes.is_empty() || operation.is_admin() {
            continue;
        }
        let all_known = prefixes.iter().all(|prefix| adas.contains_key(*prefix));
        assert!(all_known, "{}: add what is ada's to `belongings`", operation.path);
        walked += 1;
        let path = operation.address(&adas);
        let bearer = if operation.key { &bob_key } else { &bob.token };
        let answer = operation.send(&app, &path, Some(bearer)).await;
        assert_eq!(answer.status, 404, "{} {path}: {}", operation.method, answer.text);
    }
    assert!(walked >= 3);
    assert_eq!(head(&app).await, before, "a refusal was written into the books");
    app.chat(&ada_key, "still works").await.expect(200);
    app.get("/v1/auth/me", &ada.token).await.expect(200);
    app.audit().await;
}

#[tokio::test]
async fn a_customer_and_an_auditor_change_nothing_of_the_operator_s() {
    let app = TestApp::start().await;
    let (ada, ada_key) = app.paying_customer("ada").await;
    let (bob, _) = app.paying_customer("bob").await;
    let auditor = app.auditor().await;
    let chat = app.chat(&ada_key, "hello").await.expect(200);
    let adas = belongings(&app, &ada, chat["id"].as_str().expect("an id")).await;
    let before = head(&app).await;
    for operation in operations().into_iter().filter(Operation::is_admin) {
        let path = operation.address(&adas);
        for person in [&ada, &bob] {
            let answer = operation.send(&app, &path, Some(&person.token)).await;
            answer.expect_problem(403, "forbidden");
        }
        if !operation.is_auditors() {
            let answer = operation.send(&app, &path, Some(&auditor.token)).await;
            answer.expect_problem(403, "forbidden");
        }
    }
    assert_eq!(head(&app).await, before, "a refusal was written into the books");
    app.audit().await;
}
