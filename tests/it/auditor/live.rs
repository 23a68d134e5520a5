//! The stream of what goes on, and everything that ends it.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use reqwest::{Method, Response};
use serde_json::Value;
use tollgate::identity::tokens::{ACCESS_TTL, Subject};

use crate::app::{Person, TestApp};

const PATH: &str = "/v1/admin/live";
const PATIENCE: Duration = Duration::from_secs(30);

/// A stream that is read event by event.
struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    async fn open(app: &TestApp, token: &str) -> Self {
        let response = app.request(Method::GET, PATH).bearer_auth(token).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let kind = response.headers()["content-type"].to_str().unwrap();
        assert!(kind.starts_with("text/event-stream"), "{kind}");
        Self { response, text: String::new() }
    }

    /// The next event's name and data; none: the stream is over.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let member = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(name));
                    line.unwrap_or_else(|| panic!("{name} in {event}")).trim().to_owned()
                };
                let found = (member("event:"), serde_json::from_str(&member("data:")).unwrap());
                self.text = rest.to_owned();
                return Some(found);
            }
            let more = tokio::time::timeout(PATIENCE, self.response.chunk()).await;
            let more = more.expect("an event in time").expect("a whole stream")?;
            self.text.push_str(std::str::from_utf8(&more).expect("text"));
        }
    }

    /// Reads to the end and returns what it said last.
    async fn last(mut self) -> (String, Value) {
        let mut last = None;
        while let Some(event) = self.next().await {
            last = Some(event);
        }
        last.expect("an event")
    }
}

fn ended(reason: &str) -> (String, Value) {
    ("end".to_owned(), serde_json::json!({ "reason": reason }))
}

/// An access token of this person that is good for so many seconds.
fn token_for(app: &TestApp, person: &Person, seconds: i64) -> String {
    let tokens = &app.state().people.tokens;
    let claims = tokens.verify_access(&person.token, Utc::now()).expect("a valid token");
    let subject =
        Subject { user: claims.sub, account: claims.acct, role: claims.role, session: claims.sid };
    tokens.issue_access(&subject, Utc::now() - ACCESS_TTL + TimeDelta::seconds(seconds))
}

#[tokio::test]
async fn requests_show_in_the_picture_of_the_second_in_which_they_came() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    let auditor = app.auditor().await;
    let mut stream = Stream::open(&app, &auditor.token).await;
    let first = stream.next().await.expect("a picture");
    assert_eq!(first.0, "picture");
    app.chat(&key, "hello").await.expect(200);
    app.get("/v1/client/balance", "nobody").await.expect_problem(401, "not_signed_in");
    let (mut requests, mut refused) = (false, false);
    while !(requests && refused) {
        let (_, picture) = stream.next().await.expect("a picture");
        requests |= picture["duration"]["p50_ms"].is_number()
            && picture["requests_per_second"].as_f64().unwrap() > 0.0;
        let errors = picture["errors"].as_array().unwrap();
        refused |= errors.iter().any(|error| error["code"] == "not_authenticated");
        assert!(picture["books"]["head"].as_i64().unwrap() > 0, "{picture}");
        assert!(picture["in_flight"].as_i64().unwrap() >= 1, "the stream itself");
    }
    let refusal = app.get(PATH, &ada.token).await;
    refusal.expect_problem(403, "forbidden");
    drop(stream);
    app.audit().await;
}

#[tokio::test]
async fn the_stream_ends_with_the_access_token_and_with_the_session() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let short = Stream::open(&app, &token_for(&app, &admin, 2)).await;
    assert_eq!(short.last().await, ended("token_expired"));
    let mut open = Stream::open(&app, &admin.token).await;
    open.next().await.expect("a picture");
    app.send(Method::POST, "/v1/auth/logout", Some(&admin.token), None).await.expect(204);
    assert_eq!(open.last().await, ended("session_ended"));
    app.audit().await;
}

#[tokio::test]
async fn only_so_many_watch_at_once_and_a_place_is_given_back() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let live = &app.state().live;
    let mut places: Vec<_> = std::iter::from_fn(|| live.watch()).collect();
    assert_eq!(places.len(), 32);
    app.get(PATH, &admin.token).await.expect_problem(503, "overloaded");
    places.pop();
    let mut stream = Stream::open(&app, &admin.token).await;
    stream.next().await.expect("a picture");
    drop((stream, places));
    app.audit().await;
}

#[tokio::test]
async fn a_server_that_stops_says_so_and_does_not_wait_for_those_who_watch() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let mut stream = Stream::open(&app, &admin.token).await;
    stream.next().await.expect("a picture");
    let watching = async { stream.last().await };
    let (last, ()) = tokio::join!(watching, app.audit());
    assert_eq!(last, ended("stopping"));
}
