//! Every command of an operator is carried out once, and says why.

use reqwest::Method;
use serde_json::{Value, json};

use super::{client, keyed, nowhere_in_the_log};
use crate::app::TestApp;

/// The newest decision about a subject.
async fn newest(app: &TestApp, token: &str, subject: &str) -> Value {
    app.caught_up().await;
    let path = format!("/v1/admin/actions?limit=1&subject={subject}");
    app.get(&path, token).await.expect(200)["data"][0].clone()
}

#[tokio::test]
async fn plans_limits_and_policies_are_set_once_with_a_reason_that_can_be_erased() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let (admin, auditor) = (app.admin().await.token, app.auditor().await.token);
    let (plan, limits) = (client(&ada, "/plan"), client(&ada, "/limits"));
    let gold = json!({ "sale_ratio": "0.7", "reason": "Ada Lovelace asked" });
    let silver = json!({ "sale_ratio": "0.75", "reason": "Ada Lovelace asked" });
    let put = [
        ("/v1/admin/plans/gold", "price_book", "PlanDefined", gold, silver),
        (
            plan.as_str(),
            ada.account.as_str(),
            "PlanAssigned",
            json!({ "plan": "gold", "reason": "Ada Lovelace asked" }),
            json!({ "plan": null, "reason": "Ada Lovelace asked" }),
        ),
        (
            limits.as_str(),
            ada.account.as_str(),
            "SpendLimitsChanged",
            json!({ "daily_limit_usd": null, "requests_per_minute": 7, "reason": "Ada Lovelace asked" }),
            // Nothing said is not the same as a limit taken away.
            json!({ "requests_per_minute": 7, "reason": "Ada Lovelace asked" }),
        ),
        (
            "/v1/admin/fairness-policy",
            "price_book",
            "FairnessPolicySet",
            json!({ "everything": "waive", "reason": "Ada Lovelace asked" }),
            json!({ "everything": "charge_billed", "reason": "Ada Lovelace asked" }),
        ),
    ];
    for (path, subject, event, body, other) in put {
        let method = if path == limits { Method::PATCH } else { Method::PUT };
        let send = |body: &Value| {
            let (app, method, admin, body) = (&app, method.clone(), &admin, body.clone());
            async move { keyed(app, method, path, admin, "once", &body).await }
        };
        let first = send(&body).await.expect(200);
        let again = send(&body).await.expect(200);
        assert_eq!((&first["replayed"], &again["replayed"]), (&false.into(), &true.into()));
        assert!(again["position"].as_i64() >= first["position"].as_i64());
        send(&other).await.expect_problem(409, "idempotency_key_mismatch");
        let told = newest(&app, &admin, subject).await;
        assert_eq!(told["position"], first["position"], "{event} was recorded once");
        assert_eq!(
            (&told["action"], &told["reason"]),
            (&event.into(), &"Ada Lovelace asked".into())
        );
        assert_eq!(told["actor_name"], "Admin", "{told}");
        let blind = newest(&app, &auditor, subject).await;
        assert_eq!((&blind["reason"], &blind["actor_name"]), (&Value::Null, &Value::Null));
    }
    nowhere_in_the_log(&app, "Lovelace").await;
    app.audit().await;
}

#[tokio::test]
async fn a_master_account_is_registered_once_and_its_reason_is_kept() {
    let app = TestApp::start().await;
    let admin = app.admin().await.token;
    let body = |key: &str| json!({ "label": "second", "base_url": "http://127.0.0.1:9", "api_key": key, "reason": "the first is slow" });
    let path = "/v1/admin/master-accounts";
    let send = |key: &'static str, body: Value| {
        let (app, admin) = (&app, &admin);
        async move { keyed(app, Method::POST, path, admin, key, &body).await }
    };
    let first = send("m1", body("sk-second")).await.expect(201);
    let again = send("m1", body("sk-second")).await.expect(201);
    assert_eq!((&first["id"], &again["replayed"]), (&again["id"], &true.into()));
    send("m1", body("sk-third")).await.expect_problem(409, "idempotency_key_mismatch");
    send("m2", body("sk-second")).await.expect_problem(409, "master_account_exists");
    let told = newest(&app, &admin, first["id"].as_str().unwrap()).await;
    assert_eq!(
        (&told["action"], &told["reason"]),
        (&"MasterAccountRegistered".into(), &"the first is slow".into())
    );
    nowhere_in_the_log(&app, "sk-second").await;
    nowhere_in_the_log(&app, "slow").await;
    let disable = json!({ "reason": "nothing listens there" });
    let id = first["id"].as_str().unwrap();
    app.post(&format!("{path}/{id}/disable"), &admin, &disable).await.expect(200);
    app.audit().await;
}
