//! Bills that are not what they should be.

use tollgate_domain::account::{CostSource, Outcome};
use tollgate_domain::{Money, decimal::ListCost};

use super::{Desk, assert_charged};

#[tokio::test]
async fn a_bill_above_the_list_price_is_passed_on_and_the_drift_is_recorded() {
    let desk = Desk::open().await;
    for stream in [false, true] {
        let got = desk.ask("wrong-cost=0.5", stream).await;
        let fate = desk.fate_of(&got).await;
        let settled = assert_charged(&fate, CostSource::Upstream, Outcome::Completed);
        assert_eq!(settled.list_cost, ListCost::parse("0.5").unwrap());
        assert_eq!(settled.charge, Money::parse("0.4").unwrap());
        assert_eq!(got.cost(), Some(settled.charge));
        let computed = settled.computed_list_cost.expect("the drift is in the event");
        assert!(computed < settled.list_cost, "{settled:?}");
        // More than was set aside: a settlement never fails for that.
        assert!(settled.charge > fate.reserved.amount);
    }
    desk.close().await;
}

#[tokio::test]
async fn an_honest_bill_leaves_no_drift() {
    let desk = Desk::open().await;
    let got = desk.ask("", false).await;
    let fate = desk.fate_of(&got).await;
    let settled = assert_charged(&fate, CostSource::Upstream, Outcome::Completed);
    assert_eq!(settled.computed_list_cost, None);
    desk.close().await;
}

#[tokio::test]
async fn a_bill_without_a_usable_cost_is_computed_from_the_price_list() {
    let desk = Desk::open().await;
    let healthy = desk.ask("", false).await.cost();
    for fault in ["missing-cost", "null-cost", "negative-cost"] {
        for stream in [false, true] {
            let got = desk.ask(fault, stream).await;
            let fate = desk.fate_of(&got).await;
            let settled = assert_charged(&fate, CostSource::PriceList, Outcome::Completed);
            assert_eq!((Some(settled.charge), got.cost()), (healthy, healthy), "{fault}");
        }
    }
    desk.close().await;
}

#[tokio::test]
async fn a_cost_that_is_spelt_as_text_is_still_the_upstreams() {
    let desk = Desk::open().await;
    let got = desk.ask("text-cost", true).await;
    let fate = desk.fate_of(&got).await;
    assert!(fate.charge().is_positive());
    assert_eq!(got.cost(), Some(fate.charge()));
    desk.close().await;
}
