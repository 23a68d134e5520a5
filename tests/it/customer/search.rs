//! The request log: filters, pages, and one entry for each request.

use serde_json::json;

use crate::app::{Person, TestApp};

async fn ids(app: &TestApp, person: &Person, query: &str) -> Vec<String> {
    let mut found = vec![];
    let mut next = format!("/v1/client/requests?limit=2&{query}");
    loop {
        let page = app.get(&next, &person.token).await.expect(200);
        assert!(page["as_of_position"].as_i64().unwrap() > 0);
        let rows = page["data"].as_array().unwrap();
        assert!(rows.len() <= 2);
        found.extend(rows.iter().map(|row| row["request_id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { return found };
        next = format!("/v1/client/requests?limit=2&{query}&cursor={cursor}");
    }
}

async fn ask(app: &TestApp, key: &str, model: &str) -> String {
    let messages = json!([{ "role": "user", "content": "hi" }]);
    let body = json!({ "model": model, "messages": messages, "max_tokens": 16 });
    let answer = app.post("/v1/chat/completions", key, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    // Ends are written after their answers: one at a time, so that their order is known.
    app.settled().await;
    answer.headers["x-request-id"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn requests_are_found_by_key_model_time_id_and_a_part_of_the_model_s_name() {
    let app = TestApp::start().await;
    let (ada, first) = app.paying_customer("ada").await;
    let (second_id, second) = app.issue_key(&ada).await;
    let mini = ask(&app, &first, "openai/gpt-4o-mini").await;
    let whole = ask(&app, &second, "openai/gpt-4o").await;
    let again = ask(&app, &second, "openai/gpt-4o-mini").await;
    let (bob, bobs) = app.paying_customer("bob").await;
    let others = ask(&app, &bobs, "openai/gpt-4o").await;

    assert_eq!(ids(&app, &ada, "").await, [&*again, &whole, &mini]);
    assert_eq!(ids(&app, &bob, "").await, [&*others]);
    assert_eq!(ids(&app, &ada, &format!("key_id={second_id}")).await, [&*again, &whole]);
    assert_eq!(ids(&app, &ada, "model=openai/gpt-4o").await, [&*whole]);
    assert_eq!(ids(&app, &ada, "search=4o-MINI").await, [&*again, &mini]);
    assert_eq!(ids(&app, &ada, &format!("search={whole}")).await, [&*whole]);
    assert!(ids(&app, &ada, &format!("search={others}")).await.is_empty(), "somebody else's");
    assert!(ids(&app, &ada, "search=%25").await.is_empty(), "a percent sign is no pattern");
    assert!(ids(&app, &ada, "search=4o_mini").await.is_empty(), "nor is an underscore");
    assert_eq!(ids(&app, &ada, "status=settled&outcome=completed").await.len(), 3);
    assert!(ids(&app, &ada, "status=released").await.is_empty());
    let page = app.get("/v1/client/requests", &ada.token).await.expect(200);
    let middle = page["data"][1]["ended_at"].as_str().unwrap().to_owned();
    assert_eq!(ids(&app, &ada, &format!("from={middle}")).await, [&*again, &whole]);
    assert_eq!(ids(&app, &ada, &format!("to={middle}")).await, [&*mini]);
    let reservation = page["data"][1]["id"].as_str().unwrap();
    assert_eq!(ids(&app, &ada, &format!("search={reservation}")).await, [&*whole]);
    for wrong in ["key_id=nonsense", "limit=0", "cursor=x", "from=yesterday", "search=a%00b"] {
        let answer = app.get(&format!("/v1/client/requests?{wrong}"), &ada.token).await;
        answer.expect_problem(400, "invalid_request");
    }
    app.audit().await;
}
