//! Calls of the upstream whose reservation was refused when it was to be written down: another
//! node had changed the account meanwhile.

use std::time::Instant;

use serde_json::json;
use tollgate_domain::Money;
use tollgate_domain::account::{AccountEvent, CallAbandoned, LateBillBooked};
use tollgate_domain::fairness::Treatment;

use super::{Desk, LONG};
use crate::fate::account_events;
use crate::wire;

impl Desk {
    async fn abandoned(&self) -> Vec<CallAbandoned> {
        let events = account_events(self.pool()).await.into_iter();
        let abandoned = events.filter_map(|stored| match stored.event {
            AccountEvent::CallAbandoned(call) => Some(*call),
            _ => None,
        });
        abandoned.collect()
    }

    /// The bill of an abandoned call, once it has come.
    async fn late_bill(&self, call: &CallAbandoned) -> LateBillBooked {
        let deadline = Instant::now() + LONG;
        loop {
            let events = account_events(self.pool()).await.into_iter();
            let late = events.filter_map(|stored| match stored.event {
                AccountEvent::LateBillBooked(late) => Some(*late),
                _ => None,
            });
            if let Some(late) = { late }.find(|late| late.reservation == call.reservation) {
                return late;
            }
            assert!(Instant::now() < deadline, "its bill does not come");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// The operator stops the account here, or lets it go on.
    async fn status(&self, admin: &str, what: &str) {
        let path = format!("/v1/admin/clients/{}/{what}", self.customer.account);
        self.app.post(&path, admin, &json!({ "reason": "a test" })).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dropped_call_cost_is_the_operators_loss_and_stands_in_the_profit() {
    let desk = Desk::open_with(|config| {
        config.recovery.look = std::time::Duration::from_secs(1);
    })
    .await;
    let node = desk.app.another_node().await;
    let admin = desk.app.admin().await;
    let ask = async || {
        let request = node.request(reqwest::Method::POST, "/v1/chat/completions");
        let request = request.bearer_auth(&desk.key).json(&wire::body("Who was first?", false));
        wire::send(request).await.expect("an answer")
    };
    // The other node takes the account for active until it hears of the change, which it does with
    // the commit of the next reservation at the latest. Where it has heard before, once more.
    let deadline = Instant::now() + LONG;
    let call = loop {
        while ask().await.status != 200 {
            assert!(Instant::now() < deadline, "the account does not go on");
        }
        desk.status(&admin.token, "suspend").await;
        let refused = ask().await;
        assert_eq!(refused.status, 403, "{}", refused.text);
        desk.status(&admin.token, "reinstate").await;
        if refused.headers.contains_key("x-generation-id") {
            panic!("the client was told of a call that is not its own");
        }
        // Taken note of after the answer.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        if let Some(call) = desk.abandoned().await.pop() {
            assert_eq!(call.model, wire::MODEL);
            break call;
        }
        assert!(Instant::now() < deadline, "the other node always knows");
    };
    let late = desk.late_bill(&call).await;
    assert_eq!((late.booked.charge, late.booked.cost), (Money::ZERO, Money::ZERO));
    assert_eq!(late.ruling.treatment, Treatment::Waive);
    let cost = late.waived.expect("the upstream billed it").cost;
    assert!(cost.is_positive());
    // So it would be in the profit report and at the master account, and nowhere else.
    for call in desk.abandoned().await {
        desk.late_bill(&call).await;
    }
    let events = account_events(desk.pool()).await.into_iter();
    let waived = events.filter_map(|stored| match stored.event {
        AccountEvent::LateBillBooked(late) => Some(late.waived.expect("a bill").cost),
        _ => None,
    });
    let waived = crate::fate::sum(waived);
    desk.app.settled().await;
    let day = desk.app.get("/v1/admin/profit?group_by=day", &admin.token).await.expect(200);
    assert_eq!(day["data"][0]["waived_usd"], json!(waived));
    let masters = desk.app.get("/v1/admin/master-accounts", &admin.token).await.expect(200);
    assert_eq!(masters["data"][0]["waived_usd"], json!(waived));
    let path = format!("/v1/admin/requests/{}", call.reservation);
    let shown = desk.app.get(&path, &admin.token).await.expect(200);
    let types: Vec<_> =
        shown["events"].as_array().expect("events").iter().map(|e| &e["event_type"]).collect();
    assert_eq!(types, ["CallAbandoned", "LateBillBooked"]);
    node.stop().await;
    desk.close().await;
}
