//! Finding customers and people.

use serde_json::{Value, json};

use crate::app::TestApp;

async fn found(app: &TestApp, token: &str, query: &str) -> Vec<String> {
    let path = format!("/v1/admin/clients?{query}");
    let page = app.get(&path, token).await.expect(200);
    let clients = page["data"].as_array().expect("customers").iter();
    clients.map(|client| client["account_id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn customers_are_found_by_parts_of_name_and_address_and_by_the_beginning_of_their_account() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.customer("ada").await, app.customer("bob_50%").await);
    let anna = app.customer("anna").await;
    let renamed = json!({ "name": "Анна Каренина" });
    let path = "/v1/auth/me";
    app.send(reqwest::Method::PATCH, path, Some(&anna.token), Some(&renamed)).await.expect(200);
    let admin = app.admin().await.token;
    app.caught_up().await;
    for (search, expected) in [
        ("ADA", vec![&ada.account]),
        ("da%20example.com", vec![&ada.account]),
        ("%D0%BA%D0%B0%D1%80%D0%B5%D0%BD%D0%B8%D0%BD%D0%B0", vec![&anna.account]),
        ("anna%20%D0%B0%D0%BD%D0%BD%D0%B0", vec![&anna.account]),
        // What a pattern would mean is only text here.
        ("_50%25", vec![&bob.account]),
        ("a%25a", vec![]),
        ("nobody", vec![]),
        (&ada.account, vec![&ada.account]),
        ("acct_z", vec![]),
    ] {
        let fit = found(&app, &admin, &format!("search={search}")).await;
        assert_eq!(fit.iter().collect::<Vec<_>>(), expected, "{search}");
    }
    let everybody = found(&app, &admin, "").await;
    assert_eq!(found(&app, &admin, "search=%20").await, everybody);
    assert_eq!(found(&app, &admin, "search=acct_").await, everybody);
    let wrong = "/v1/admin/clients?search=a%00b";
    app.get(wrong, &admin).await.expect_problem(400, "invalid_request");
    app.audit().await;
}

#[tokio::test]
async fn what_is_searched_for_comes_in_pages_without_gaps() {
    let app = TestApp::start().await;
    for name in ["ann1", "ann2", "ann3", "bob"] {
        app.customer(name).await;
    }
    let admin = app.admin().await.token;
    app.caught_up().await;
    for search in ["ann", "acct_"] {
        let whole = found(&app, &admin, &format!("search={search}")).await;
        let (mut pieces, mut cursor) = (vec![], String::new());
        loop {
            let path = format!("/v1/admin/clients?search={search}&limit=2{cursor}");
            let page = app.get(&path, &admin).await.expect(200);
            let ids = page["data"].as_array().unwrap().iter();
            pieces.extend(ids.map(|client| client["account_id"].as_str().unwrap().to_owned()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(pieces, whole);
    }
    let wrong = "/v1/admin/clients?search=ann&cursor=nowhere";
    app.get(wrong, &admin).await.expect_problem(400, "invalid_request");
    app.audit().await;
}

#[tokio::test]
async fn an_auditor_cannot_learn_a_name_by_searching_for_it() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let (admin, auditor) = (app.admin().await.token, app.auditor().await.token);
    app.caught_up().await;
    assert_eq!(found(&app, &auditor, "search=ada").await, Vec::<String>::new());
    assert_eq!(found(&app, &auditor, &format!("search={}", ada.account)).await.len(), 1);
    let user = |token: &str, search: &str| {
        let (path, token) = (format!("/v1/admin/users?search={search}"), token.to_owned());
        let app = &app;
        async move { app.get(&path, &token).await.expect(200)["data"].clone() }
    };
    let known = user(&admin, "ada%20example").await;
    assert_eq!((&known[0]["name"], &known[0]["account_status"]), (&"ada".into(), &"active".into()));
    let id = known[0]["id"].as_str().unwrap();
    assert_eq!(user(&auditor, "ada").await, json!([]));
    assert_eq!(user(&auditor, &format!("{id}%20ada")).await, json!([]));
    let blind = user(&auditor, id).await;
    assert_eq!((&blind[0]["id"], &blind[0]["name"]), (&id.into(), &Value::Null));
    let admins = app.get("/v1/admin/users?role=admin&search=ada", &admin).await.expect(200);
    assert_eq!(admins["data"], json!([]));
    app.audit().await;
}
