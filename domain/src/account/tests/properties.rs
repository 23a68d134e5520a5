//! Random command sequences: ids come from small pools, so that retries, conflicts and second ends
//! occur, and amounts from the edges of what fits.

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use proptest::prelude::*;
use proptest::sample::select;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::books::Books;
use super::script::stream;
use crate::account::limits::Spent;
use crate::account::{
    AbandonCall, Account, AccountCommand as Command, AccountError as Error, AccountEvent as Event,
    AccountLimits, BookLateBill, CorrectCharge, CostSource, Fallback, Handle, KeyLimits, Latencies,
    Outcome, RateLimits, ReleaseReason, ReleaseUnbilled, ReserveFunds, SettleReservation,
    SpendLimits,
};
use crate::decimal::{ListCost, Ratio};
use crate::eventful::Eventful;
use crate::fairness::{Mishap, Ruling, Treatment};
use crate::ids::{
    AccountId, AdjustmentId, GrantId, KeyId, MasterAccountId, RefundId, ReservationId, TopUpId,
    UserId,
};
use crate::money::Money;
use crate::time::{Period, Timestamp};
use crate::usage::Usage;

fn id(pool: u128) -> impl Strategy<Value = Uuid> {
    (1..=pool).prop_map(Uuid::from_u128)
}

fn amount() -> impl Strategy<Value = Money> {
    let edges = select(vec![
        "0",
        "-0.000000000001",
        "-3",
        "-999999999999.999999999999",
        "0.000000000001",
        "999999999999.999999999999",
        "1000000000000",
    ]);
    prop_oneof![
        1 => edges.prop_map(|text| Money::parse(text).expect("fits")),
        6 => (0..500_u32).prop_map(|cents| Money::parse(&format!("{cents}e-2")).expect("fits")),
        3 => (0..u64::MAX / 1_000_000)
            .prop_map(|pico| Money::parse(&format!("{pico}e-12")).expect("fits")),
    ]
}

fn list_cost() -> impl Strategy<Value = ListCost> {
    prop_oneof![
        1 => select(vec!["0", "1000000", "1e-22", "0.0076509169000000005", "5e-13"])
            .prop_map(|text| ListCost::parse(text).expect("a list cost")),
        6 => (0..u32::MAX).prop_map(|n| ListCost::parse(&format!("{n}e-9")).expect("a list cost")),
    ]
}

fn ratio() -> impl Strategy<Value = Ratio> {
    select(vec!["0", "0.3", "0.8", "1", "0.123456789012", "1000"])
        .prop_map(|text| Ratio::parse(text).expect("a ratio"))
}

/// Around the ends of days and months, and a clock gone mad.
fn moment() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        9 => (30..33_i64, -2..2_i64).prop_map(|(day, second)| {
            Timestamp::from_seconds(day * 86_400 + second)
        }),
        1 => prop_oneof![9 => Just(Timestamp(i64::MIN)), 1 => Just(Timestamp(i64::MAX))],
    ]
}

fn key_limits() -> impl Strategy<Value = KeyLimits> {
    let period = select(vec![Period::Day, Period::Week, Period::Month, Period::Total]);
    (
        proptest::option::of(amount()),
        proptest::option::of(period),
        proptest::option::weighted(0.1, moment()),
    )
        .prop_map(|(limit, period, expires_at)| KeyLimits {
            limit,
            period,
            expires_at,
            ..KeyLimits::default()
        })
}

fn spend_limits() -> impl Strategy<Value = SpendLimits> {
    (proptest::option::of(amount()), proptest::option::of(amount()))
        .prop_map(|(daily, monthly)| SpendLimits { daily, monthly })
}

/// Most accounts have no plan.
fn plan() -> impl Strategy<Value = SpendLimits> {
    prop_oneof![4 => Just(SpendLimits::default()), 1 => spend_limits()]
}

fn key() -> impl Strategy<Value = KeyId> {
    id(3).prop_map(KeyId::from_uuid)
}

fn reservation(pool: u128) -> impl Strategy<Value = ReservationId> {
    id(pool).prop_map(ReservationId::from_uuid)
}

fn reserve(pool: u128) -> impl Strategy<Value = Command> {
    (reservation(pool), key(), amount(), ratio(), ratio(), moment(), moment(), plan()).prop_map(
        |(reservation, key, amount, sale_ratio, other, expires_at, at, plan)| {
            Command::ReserveFunds(ReserveFunds {
                reservation,
                key,
                model: "maker/model".to_owned(),
                amount,
                sale_ratio,
                price_version: 1,
                fallbacks: vec![Fallback { model: "other/model".to_owned(), sale_ratio: other }],
                expires_at,
                plan,
                at,
            })
        },
    )
}

fn ruling() -> impl Strategy<Value = Ruling> {
    use Treatment::{ChargeBilled, ChargeDelivered, Waive};
    (select(Mishap::ALL), select(vec![ChargeBilled, ChargeDelivered, Waive]))
        .prop_map(|(mishap, treatment)| Ruling { mishap, treatment, policy_version: 1 })
}

fn source() -> impl Strategy<Value = CostSource> {
    select(vec![CostSource::GenerationRecord, CostSource::Estimate])
}

fn master() -> MasterAccountId {
    MasterAccountId::from_uuid(Uuid::from_u128(9))
}

/// What comes after an end, or instead of a bill.
fn afterwards(pool: u128) -> impl Strategy<Value = Command> {
    let usage = Usage { input: 8, output: 3, ..Usage::default() };
    let handle = || Handle { master_account: master(), generation_id: "gen-1".to_owned() };
    let reason = select(vec![ReleaseReason::Waived, ReleaseReason::Recovered]);
    prop_oneof![
        (reservation(pool), reason, proptest::option::of(ruling()), proptest::bool::ANY).prop_map(
            move |(reservation, reason, ruling, awaits)| {
                let awaits = awaits.then(handle);
                let release = ReleaseUnbilled { reservation, reason, ruling, awaits };
                Command::ReleaseUnbilled(Box::new(release))
            }
        ),
        (reservation(pool), list_cost(), moment()).prop_map(move |(reservation, list_cost, at)| {
            let source = CostSource::GenerationRecord;
            let answered_model = (at.micros() % 2 == 0).then(|| "other/model".to_owned());
            let correct =
                CorrectCharge { reservation, answered_model, usage, list_cost, source, at };
            Command::CorrectCharge(Box::new(correct))
        }),
        (reservation(pool), key(), moment()).prop_map(move |(reservation, key, at)| {
            let model = "maker/model".to_owned();
            let call = AbandonCall { reservation, key, model, awaits: handle(), at };
            Command::AbandonCall(Box::new(call))
        }),
        (
            reservation(pool),
            list_cost(),
            proptest::option::of(list_cost()),
            ruling(),
            ratio(),
            moment()
        )
            .prop_map(move |(reservation, list_cost, delivered, ruling, cost_rate, at)| {
                Command::BookLateBill(Box::new(BookLateBill {
                    reservation,
                    answered_model: delivered.map(|_| "other/model".to_owned()),
                    usage,
                    list_cost,
                    ruling,
                    delivered_list_cost: delivered,
                    source: CostSource::Upstream,
                    master_account: master(),
                    cost_rate,
                    generation_id: None,
                    at,
                }))
            }),
    ]
}

fn settle(pool: u128) -> impl Strategy<Value = Command> {
    let fair = (proptest::option::of(ruling()), proptest::option::of(list_cost()), source());
    (reservation(pool), list_cost(), ratio(), moment(), proptest::bool::ANY, fair).prop_map(
        |(reservation, list_cost, cost_rate, at, streamed, (ruling, delivered, source))| {
            Command::SettleReservation(Box::new(SettleReservation {
                reservation,
                answered_model: streamed.then(|| "other/model".to_owned()),
                usage: Usage { input: 7, reasoning: 1, output: 2, ..Usage::default() },
                list_cost,
                ruling,
                delivered_list_cost: delivered,
                computed_list_cost: streamed.then_some(list_cost),
                source,
                master_account: master(),
                cost_rate,
                generation_id: streamed.then(|| "gen-1".to_owned()),
                outcome: Outcome::ClientLeft,
                streamed,
                latencies: Latencies { first_byte_ms: 1, total_ms: 2 },
                at,
            }))
        },
    )
}

fn end(pool: u128) -> impl Strategy<Value = Command> {
    prop_oneof![
        3 => settle(pool),
        2 => afterwards(pool),
        1 => reservation(pool).prop_map(|reservation| Command::ReleaseReservation {
            reservation,
            reason: ReleaseReason::ClientLeft,
        }),
        1 => (reservation(pool), moment())
            .prop_map(|(reservation, at)| Command::ExpireReservation { reservation, at }),
    ]
}

fn transfer() -> impl Strategy<Value = Command> {
    let text = || "because".to_owned();
    prop_oneof![
        4 => (id(9), amount(), select(vec!["manual", "stripe"])).prop_map(
            move |(top_up, amount, processor)| Command::TopUpFunds {
                top_up: TopUpId::from_uuid(top_up),
                amount,
                processor: processor.to_owned(),
                reference: text(),
            }
        ),
        2 => (id(5), amount(), proptest::option::of(moment())).prop_map(
            move |(grant, amount, expires_at)| Command::GrantFunds {
                grant: GrantId::from_uuid(grant),
                amount,
                reason: text(),
                expires_at,
            }
        ),
        2 => (id(5), moment()).prop_map(|(grant, at)| Command::ExpireGrant {
            grant: GrantId::from_uuid(grant),
            at,
        }),
        2 => (id(9), id(9), amount()).prop_map(move |(refund, top_up, amount)| {
            Command::RefundTopUp {
                refund: RefundId::from_uuid(refund),
                top_up: TopUpId::from_uuid(top_up),
                amount,
                reason: text(),
            }
        }),
        1 => (id(5), amount()).prop_map(move |(adjustment, amount)| Command::PostAdjustment {
            adjustment: AdjustmentId::from_uuid(adjustment),
            amount,
            reason: text(),
            reference: text(),
        }),
    ]
}

fn rule() -> impl Strategy<Value = Command> {
    prop_oneof![
        2 => (key(), key_limits()).prop_map(|(key, limits)| Command::IssueKey { key, limits }),
        3 => (key(), key_limits())
            .prop_map(|(key, limits)| Command::ChangeKeyLimits { key, limits }),
        1 => key().prop_map(|key| Command::RevokeKey { key }),
        1 => Just(Command::SuspendAccount { reason: "because".to_owned() }),
        2 => Just(Command::ReinstateAccount { reason: None }),
        2 => spend_limits().prop_map(|SpendLimits { daily, monthly }| Command::ChangeSpendLimits {
            limits: AccountLimits { daily, monthly, rates: RateLimits::default() },
            reason: None,
        }),
        1 => Just(Command::ChangeSpendLimits {
            limits: AccountLimits::default(),
            reason: Some("asked".to_owned()),
        }),
        1 => (spend_limits(), plan())
            .prop_map(|(limits, plan)| Command::ChangeOwnLimits { limits, plan }),
        1 => Just(Command::RemovePlan { reason: None }),
        1 => select(vec!["gold", "silver"])
            .prop_map(|plan| Command::AssignPlan { plan: plan.to_owned(), reason: None }),
        1 => id(2).prop_map(|account| Command::OpenAccount {
            account: AccountId::from_uuid(account),
            owner: UserId::from_uuid(Uuid::from_u128(1)),
        }),
    ]
}

fn any_command(pool: u128) -> impl Strategy<Value = Command> {
    prop_oneof![6 => reserve(pool), 6 => end(pool), 3 => transfer(), 1 => rule()]
}

/// INV-1 in both directions: accepted means within `spendable`, refused for it means beyond.
fn check_reservation(before: &Account, books: &Books, new: &ReserveFunds, error: Option<&Error>) {
    let after = &books.account;
    let spendable = before.spendable(new.key, new.at, new.plan);
    if let Some(error) = error {
        let (Error::InsufficientFunds { .. }
        | Error::KeyLimitExceeded { .. }
        | Error::SpendLimitExceeded { .. }) = error
        else {
            return;
        };
        assert!(new.amount > spendable, "{} refused of {spendable}", new.amount);
    } else if before.applied < after.applied {
        assert!(new.amount <= spendable, "{} accepted of {spendable}", new.amount);
        let within = |limit: Option<Money>, spent: Money, reserved: Money| {
            let used = spent.checked_add(reserved).expect("fits");
            assert!(limit.is_none_or(|limit| used <= limit), "{used} of {limit:?}");
        };
        let key = &after.keys[&new.key];
        within(key.limits.limit, key.spent.at(new.at), key.reserved);
        let caps = after.spend_limits(new.plan);
        for (limit, period) in [(caps.daily, Period::Day), (caps.monthly, Period::Month)] {
            within(limit, books.charged(period, new.at).unwrap_or_default(), after.reserved);
        }
    }
}

/// Every limit of which a settlement leaves a fifth or less is warned of, once per window and
/// limit, and no other is.
fn check_warnings(before: &Account, written: &[Event]) {
    let Some(Event::ReservationSettled(settled)) = written.first() else {
        let warns = |event: &Event| matches!(event, Event::SpendWarningRaised(_));
        assert!(!written.iter().any(warns), "only settlements warn");
        return;
    };
    let plan = before.find_reservation(settled.reservation).expect("it was open").plan;
    let caps = before.spend_limits(plan);
    let key = before.find_key(settled.key).expect("it was issued");
    let near = |limit: Option<Money>, spent: &Spent| {
        let after = spent.plus(settled.charge, settled.at).expect("fits").at(settled.at);
        let share = |limit: Money| limit.decimal() * Decimal::new(8, 1);
        limit.is_some_and(|limit| limit.is_positive() && after.decimal() >= share(limit))
    };
    let window = |spent: &Spent| Some(spent.period().window(settled.at).max(spent.window()));
    let expected = [
        near(key.limits.limit, &key.spent) && key.warned != window(&key.spent),
        near(caps.daily, &before.spent_today) && before.warned_today != window(&before.spent_today),
        near(caps.monthly, &before.spent_this_month)
            && before.warned_this_month != window(&before.spent_this_month),
    ];
    let count = expected.iter().filter(|expected| **expected).count();
    assert_eq!(written.len(), 1 + count, "{expected:?} in {written:?}");
}

/// One command through `decide` and, as the framework does it, through `handle`.
fn step(books: &mut Books, runtime: &tokio::runtime::Runtime, command: Command) {
    let before = books.account.clone();
    let decided = books.account.decide(command.clone());
    assert_eq!(books.account, before, "INV-6: deciding changes nothing");

    let (mut handled, sink) = (before.clone(), EventSink::default());
    let result = runtime.block_on(handled.handle(command.clone(), &(), &sink));
    let written = runtime.block_on(sink.collect());
    assert_eq!(result.as_ref().err(), decided.as_ref().err());
    assert_eq!(&written, decided.as_ref().unwrap_or(&vec![]));

    let error = decided.as_ref().err().cloned();
    books.apply(stream(), decided.unwrap_or_default());
    assert_eq!(handled, books.account, "decide and evolve are what handle does");
    if error.is_some() {
        assert_eq!(handled, before, "INV-6: a rejected command changes nothing");
    }
    check_warnings(&before, &written);
    if let Command::ReserveFunds(new) = &command {
        check_reservation(&before, books, new, error.as_ref());
    }
    let again = books.account.decide(command.clone());
    let repeated =
        matches!(command, Command::SuspendAccount { .. } | Command::ReinstateAccount { .. });
    if error.is_none() && !repeated {
        assert_eq!(again, Ok(vec![]), "the same command again is answered without an event");
    }
}

fn opened() -> Vec<Command> {
    let key = |n| Command::IssueKey {
        key: KeyId::from_uuid(Uuid::from_u128(n)),
        limits: KeyLimits::default(),
    };
    let open =
        Command::OpenAccount { account: stream(), owner: UserId::from_uuid(Uuid::from_u128(1)) };
    vec![open, key(1), key(2)]
}

fn play(commands: Vec<Command>) -> Books {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut books = Books::default();
    for command in commands {
        step(&mut books, &runtime, command);
    }
    books.check_replay();
    books
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn the_rules_hold_after_any_commands(
        commands in proptest::collection::vec(any_command(8), 1..120),
    ) {
        play(opened().into_iter().chain(commands).collect());
    }

    #[test]
    fn the_rules_hold_before_the_account_is_open(
        commands in proptest::collection::vec(any_command(4), 1..12),
    ) {
        play(commands);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Long enough for ends to be forgotten; ids come in any order.
    #[test]
    fn the_rules_hold_beyond_what_is_remembered(
        commands in proptest::collection::vec(
            prop_oneof![1 => reserve(600), 1 => end(600)].boxed(),
            1..40,
        ),
        order in Just((1..=400_u128).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let begin_and_end = |n: u128| {
            let reservation = ReservationId::from_uuid(Uuid::from_u128(n));
            let begin = Command::ReserveFunds(ReserveFunds {
                reservation,
                key: KeyId::from_uuid(Uuid::from_u128(1)),
                model: "maker/model".to_owned(),
                amount: Money::ZERO,
                sale_ratio: Ratio::ONE,
                price_version: 1,
                fallbacks: vec![],
                expires_at: Timestamp(0),
                plan: SpendLimits::default(),
                at: Timestamp(0),
            });
            let reason = ReleaseReason::NothingBilled;
            [begin, Command::ReleaseReservation { reservation, reason }]
        };
        let ends = order.iter().copied().flat_map(begin_and_end);
        let mut runtime_commands = opened();
        runtime_commands.extend(ends);
        let retries = order.into_iter().flat_map(begin_and_end);
        runtime_commands.extend(commands);
        runtime_commands.extend(retries);
        play(runtime_commands);
    }
}
