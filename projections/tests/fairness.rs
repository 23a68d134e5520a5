//! Requests that went wrong: what nobody was charged for is a line of its own in every report, and
//! the truth replaces an estimate.

mod support;

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use sqlx::PgPool;
use support::ledger::{Ledger, NOON, usd};
use support::{Database, assert_clean, audit, project};
use tollgate_domain::account::{
    AccountCommand as Command, AccountEvent, BookLateBill, CorrectCharge, CostSource, Handle,
    ReleaseReason, ReleaseUnbilled, Waived,
};
use tollgate_domain::decimal::{ListCost, Ratio};
use tollgate_domain::fairness::{Mishap, Ruling, Treatment};
use tollgate_domain::ids::{AccountId, KeyId, MasterAccountId, ReservationId};
use tollgate_domain::{Timestamp, Usage};
use tollgate_projections::queries::{
    AwaitedFilter, PageRequest, Profit, ProfitGroup, Range, RequestFilter, RequestSearch,
    StoredEvent, awaited_bills, balance, count_requests, explain, keys, master_account, profit,
    recent_requests, search_requests, stats, totals,
};

fn dec(text: &str) -> Decimal {
    Decimal::from_str_exact(text).expect("a decimal")
}

fn cost(text: &str) -> ListCost {
    ListCost::parse(text).expect("a list cost")
}

fn time(at: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.micros()).expect("a moment")
}

fn day() -> Range {
    Range { from: time(NOON) - TimeDelta::hours(12), to: time(NOON) + TimeDelta::hours(12) }
}

fn ruling(treatment: Treatment) -> Option<Ruling> {
    Some(Ruling { mishap: Mishap::ClientLeft, treatment, policy_version: 2 })
}

/// One customer, one upstream account, and what went wrong between them.
struct Story {
    ledger: Ledger,
    account: AccountId,
    key: KeyId,
    master: MasterAccountId,
}

impl Story {
    fn new(pool: &PgPool) -> Self {
        let mut ledger = Ledger::new(pool);
        let (account, key) = ledger.open("10.00");
        let master = ledger.buy("100.00", "30.00");
        Self { ledger, account, key, master }
    }

    fn reserve(&mut self) -> ReservationId {
        self.ledger.reserve(self.account, self.key, "1.00")
    }

    /// Settles 0.010 under a treatment; 0.004 of it was delivered.
    fn divided(&mut self, treatment: Treatment) {
        let reservation = self.reserve();
        self.ledger.settle_with(self.account, reservation, self.master, "0.010", |settle| {
            settle.ruling = ruling(treatment);
            settle.delivered_list_cost = Some(cost("0.004"));
        });
    }

    fn estimated(&mut self, list: &str) -> ReservationId {
        let reservation = self.reserve();
        self.ledger.settle_with(self.account, reservation, self.master, list, |settle| {
            settle.source = CostSource::Estimate;
            settle.ruling = ruling(Treatment::ChargeDelivered);
            settle.delivered_list_cost = Some(settle.list_cost);
        });
        reservation
    }

    fn correct(&mut self, reservation: ReservationId, list: &str) {
        let usage = Usage { input: 100, output: 50, ..Usage::default() };
        let (source, at) = (CostSource::GenerationRecord, self.ledger.now);
        let list_cost = cost(list);
        let answered_model = None;
        let correct = CorrectCharge { reservation, answered_model, usage, list_cost, source, at };
        self.ledger.account(self.account, Command::CorrectCharge(Box::new(correct)));
    }

    fn unbilled(&mut self, reason: ReleaseReason) -> ReservationId {
        let reservation = self.reserve();
        let handle = Handle { master_account: self.master, generation_id: "gen-7".to_owned() };
        let release = ReleaseUnbilled {
            reservation,
            reason,
            ruling: ruling(Treatment::Waive),
            awaits: Some(handle),
        };
        self.ledger.account(self.account, Command::ReleaseUnbilled(Box::new(release)));
        reservation
    }

    fn late(&mut self, reservation: ReservationId, list: &str, treatment: Treatment) {
        let late = BookLateBill {
            reservation,
            answered_model: None,
            usage: Usage { input: 10, output: 5, ..Usage::default() },
            list_cost: cost(list),
            ruling: ruling(treatment).expect("a ruling"),
            delivered_list_cost: None,
            source: CostSource::GenerationRecord,
            master_account: self.master,
            cost_rate: Ratio::parse("0.3").expect("a ratio"),
            generation_id: None,
            at: self.ledger.now,
        };
        self.ledger.account(self.account, Command::BookLateBill(Box::new(late)));
    }

    async fn told(&mut self, pool: &PgPool) {
        self.ledger.flush().await;
        project(pool).await;
    }
}

/// What the events themselves say was waived: list cost and our cost.
async fn waived_by_events(pool: &PgPool) -> (Decimal, Decimal) {
    let sql = "SELECT payload::text FROM events WHERE aggregate_type = 'account'";
    let events: Vec<String> = sqlx::query_scalar(sql).fetch_all(pool).await.expect("the log");
    let waived = events.iter().filter_map(|text| match serde_json::from_str(text).expect("one") {
        AccountEvent::ReservationSettled(it) => it.waived,
        AccountEvent::ChargeCorrected(it) => it.waived,
        AccountEvent::LateBillBooked(it) => it.waived,
        AccountEvent::ReservationReleased { waived, .. } => {
            waived.map(|bill| Waived { list_cost: bill.list_cost, cost: bill.cost })
        }
        _ => None,
    });
    waived.fold((Decimal::ZERO, Decimal::ZERO), |(list, cost), waived| {
        (list + waived.list_cost.decimal(), cost + waived.cost.decimal())
    })
}

async fn line(pool: &PgPool, group: ProfitGroup) -> Profit {
    let mut lines = profit(pool, day(), group).await.expect("an answer").data;
    assert_eq!(lines.len(), 1, "{group:?}");
    lines.remove(0)
}

#[tokio::test]
async fn what_was_waived_is_the_same_in_events_profit_credits_and_journal() {
    let database = Database::new().await;
    let pool = &database.pool;
    let mut story = Story::new(pool);
    story.divided(Treatment::ChargeBilled);
    story.divided(Treatment::ChargeDelivered);
    story.divided(Treatment::Waive);
    let estimate = story.estimated("0.004");
    story.correct(estimate, "0.010");
    let released = story.unbilled(ReleaseReason::Waived);
    story.late(released, "0.010", Treatment::Waive);
    story.told(pool).await;

    let (list, paid) = waived_by_events(pool).await;
    // 0.006 + 0.010 + 0.006 + 0.010, at 30 cents a dollar.
    assert_eq!((list, paid), (dec("0.032"), dec("0.0096")));
    for group in
        [ProfitGroup::Day, ProfitGroup::Model, ProfitGroup::Account, ProfitGroup::MasterAccount]
    {
        let line = line(pool, group).await;
        assert_eq!((line.waived_requests, line.waived_list_cost), (4, list), "{group:?}");
        assert_eq!((line.waived, line.requests), (paid, 3), "{group:?}");
        // 0.018 were charged at 0.8.
        assert_eq!((line.charge, line.cost), (dec("0.0144"), dec("0.0054")), "{group:?}");
        assert_eq!(line.margin, dec("-0.0006"), "{group:?}");
        assert_eq!((line.estimated, line.corrected), (0, 1), "{group:?}");
    }
    let credits = master_account(pool, story.master).await.expect("an answer").data.expect("known");
    assert_eq!((credits.waived_list_cost, credits.waived), (list, paid));
    assert_eq!(credits.remaining, dec("99.95"), "five bills of 0.010");
    let today = time(NOON).date_naive();
    let stats = stats(pool, today).await.expect("an answer").data.expect("one row");
    assert_eq!((stats.waived, stats.waived_today), (paid, paid));
    assert_eq!((stats.margin, stats.margin_today), (dec("-0.0006"), dec("-0.0006")));
    let report = audit(pool).await;
    let line = report.trial_balance.iter().find(|line| line.account == "expenses:waived");
    assert_eq!(line.map(|line| line.debit.as_str()), Some("0.0096"));
    assert_clean(pool).await;
}

#[tokio::test]
async fn a_correction_replaces_the_estimate_wherever_it_counts() {
    let database = Database::new().await;
    let pool = &database.pool;
    let mut story = Story::new(pool);
    let estimate = story.estimated("0.010");
    story.told(pool).await;
    let page = PageRequest::default();
    let waiting = awaited_bills(pool, &AwaitedFilter::default(), &page).await.expect("an answer");
    assert_eq!(waiting.items.len(), 1);
    assert_eq!(waiting.items[0].generation_id.as_deref(), Some("gen-1"));
    assert_eq!(line(pool, ProfitGroup::Day).await.estimated, 1);

    story.ledger.now = NOON.plus_seconds(7_200);
    story.correct(estimate, "0.006");
    story.told(pool).await;
    let waiting = awaited_bills(pool, &AwaitedFilter::default(), &page).await.expect("an answer");
    assert!(waiting.items.is_empty());
    let account = balance(pool, story.account).await.expect("an answer").data.expect("known");
    assert_eq!((account.balance, account.spent), (dec("9.9952"), dec("0.0048")));
    assert_eq!(account.requests, 1);
    let key = keys(pool, story.account, &page).await.expect("an answer").items.remove(0);
    assert_eq!((key.charge, key.tokens, key.requests), (dec("0.0048"), 150, 1));
    let hour = Range { from: time(NOON), to: time(NOON) + TimeDelta::hours(1) };
    let used = totals(pool, story.account, hour).await.expect("an answer").data;
    assert_eq!((used.charge, used.requests), (dec("0.0048"), 1), "in the hour of the request");
    assert_eq!((used.prompt_tokens, used.completion_tokens), (100, 50));

    let all = RequestFilter::default();
    let rows = recent_requests(pool, story.account, &all, &page).await.expect("an answer").items;
    let shown: Vec<_> =
        rows.iter().map(|row| (row.state.as_str(), row.charge, row.charge_before)).collect();
    let (before, after) = (Some(dec("0.008")), Some(dec("0.0048")));
    assert_eq!(shown, [("corrected", after, before), ("settled", before, None)]);
    assert_eq!(rows[0].mishap.as_deref(), Some("client_left"));
    assert_eq!(
        (rows[0].treatment.as_deref(), rows[0].policy_version),
        (Some("charge_delivered"), Some(2))
    );
    assert_clean(pool).await;
}

#[tokio::test]
async fn a_late_bill_makes_a_released_request_a_charged_one() {
    let database = Database::new().await;
    let pool = &database.pool;
    let mut story = Story::new(pool);
    let charged = story.unbilled(ReleaseReason::Recovered);
    let waived = story.unbilled(ReleaseReason::Recovered);
    let expired = story.reserve();
    story.ledger.now = NOON.plus_seconds(900);
    let at = story.ledger.now;
    let expire = Command::ExpireReservation { reservation: expired, at };
    story.ledger.account(story.account, expire);
    story.late(charged, "0.010", Treatment::ChargeBilled);
    story.late(waived, "0.010", Treatment::Waive);
    story.late(expired, "0.010", Treatment::ChargeBilled);
    story.told(pool).await;
    let account = balance(pool, story.account).await.expect("an answer").data.expect("known");
    assert_eq!((account.balance, account.requests), (dec("9.984"), 2));
    assert_eq!(account.reserved, usd("0").decimal());
    let line = line(pool, ProfitGroup::Account).await;
    assert_eq!((line.charge, line.waived, line.requests), (dec("0.016"), dec("0.003"), 2));
    assert_clean(pool).await;
}

#[tokio::test]
async fn a_waiver_that_the_ruling_does_not_give_is_found_by_the_audit() {
    let database = Database::new().await;
    let pool = &database.pool;
    let mut story = Story::new(pool);
    let reservation = story.reserve();
    story.divided(Treatment::ChargeDelivered);
    story.ledger.flush().await;
    // The same settlement for the other reservation, with a ruling that charges all of it.
    let sql = "SELECT payload::text FROM events WHERE event_type = 'ReservationSettled'";
    let text: String = sqlx::query_scalar(sql).fetch_one(pool).await.expect("a settlement");
    let AccountEvent::ReservationSettled(mut forged) = serde_json::from_str(&text).expect("one")
    else {
        panic!("not a settlement: {text}");
    };
    forged.reservation = reservation;
    forged.ruling = ruling(Treatment::ChargeBilled);
    let forged = AccountEvent::ReservationSettled(forged);
    story.ledger.append(story.account, &forged);
    let head = story.ledger.flush().await;
    project(pool).await;
    let found = audit(pool).await.problems;
    assert_eq!((found.len(), found[0].place.position), (1, Some(head)), "{found:?}");
    assert_eq!(found[0].what, "is not what the rules make of it");
}

#[tokio::test]
async fn a_request_that_was_corrected_is_one_row_with_the_newest_figures() {
    let database = Database::new().await;
    let pool = &database.pool;
    let mut story = Story::new(pool);
    let estimate = story.estimated("0.004");
    let released = story.unbilled(ReleaseReason::UpstreamUnreachable);
    story.divided(Treatment::ChargeBilled);
    story.told(pool).await;
    let (all, page) = (RequestSearch::default(), PageRequest::default());
    let before = search_requests(pool, story.account, &all, &page).await.expect("an answer").items;
    story.correct(estimate, "0.003");
    story.late(released, "0.010", Treatment::ChargeBilled);
    story.told(pool).await;

    let after = search_requests(pool, story.account, &all, &page).await.expect("an answer").items;
    let places = |rows: &[tollgate_projections::queries::Request]| {
        rows.iter().map(|row| row.position).collect::<Vec<_>>()
    };
    assert_eq!(places(&after), places(&before), "each stays in its place");
    let states: Vec<_> = after.iter().map(|row| row.state.as_str()).collect();
    assert_eq!(states, ["settled", "billed_late", "corrected"]);
    assert_eq!(
        (after[2].charge, after[2].charge_before),
        (Some(dec("0.0024")), Some(dec("0.0032")))
    );
    assert_eq!(after[1].charge, Some(dec("0.008")));
    let charged: Decimal = after.iter().filter_map(|row| row.charge).sum();
    let balance = balance(pool, story.account).await.expect("an answer").data.expect("an account");
    assert_eq!(charged, balance.spent);
    let corrected = RequestSearch { state: Some("corrected".to_owned()), ..all.clone() };
    let count = count_requests(pool, story.account, &corrected, i64::MAX, 10).await;
    assert_eq!(count.expect("an answer"), 1);

    let id = estimate.to_string();
    let found = explain(pool, Some(story.account), &id).await.expect("an answer");
    let explained = found.data.expect("it is known");
    let types: Vec<_> = explained.events.iter().map(|event| event.event_type.as_str()).collect();
    assert_eq!(types, ["FundsReserved", "ReservationSettled", "ChargeCorrected"]);
    assert!(explained.events.iter().all(StoredEvent::verifies));
    assert_eq!(explained.last().charge, Some(dec("0.0024")));
    let mut forged = explained.events[1].clone();
    forged.payload = forged.payload.replace("0.0032", "0.0031");
    assert_ne!(forged.payload, explained.events[1].payload);
    assert!(!forged.verifies(), "another payload has another hash");
    assert_clean(pool).await;
}
