//! The price book proved: given, when, then; golden files; random command sequences.

use cqrs_es::test::TestFramework;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::decimal::Price;
use crate::fairness::{Mishap, Treatment};
use crate::golden_files::{check, check_folder, goldens};
use crate::money::Money;
use crate::pricing::Rates;

goldens! {
    PriceBookEvent in "price_book":
    PricesPublished => ["v1"],
    ModelPriced => ["v1", "v1.free"],
    ModelRetired => ["v1"],
    SaleRatioSet => ["v1", "v1.plan", "v1.model", "v1.account", "v1.reason"],
    PlanDefined => ["v1", "v1.limits", "v1.reason"],
    FairnessPolicySet => ["v1", "v1.whole", "v1.reason"],
}

#[test]
fn every_stored_event_decodes_and_encodes_to_the_same_json() {
    check::<PriceBookEvent>(GOLDENS, stem_of, |event| {
        (event.name(), PriceBook::event_version(event))
    });
    check_folder(GOLDENS, "price_book");
}

fn card(prompt: &str) -> PriceCard {
    let price = Some(Price::parse(prompt).expect("a price"));
    let rates = Rates { prompt: price, completion: price, ..Rates::default() };
    PriceCard { rates, tiers: vec![] }
}

fn publish(models: &[(&str, &str)]) -> PriceBookCommand {
    PriceBookCommand::PublishPrices {
        source: "openrouter".to_owned(),
        models: models.iter().map(|(model, price)| ((*model).to_owned(), card(price))).collect(),
    }
}

fn priced(model: &str, price: &str) -> PriceBookEvent {
    PriceBookEvent::ModelPriced { model: model.to_owned(), card: Box::new(card(price)) }
}

fn retired(model: &str) -> PriceBookEvent {
    PriceBookEvent::ModelRetired { model: model.to_owned() }
}

fn published(version: u64, models: u64) -> PriceBookEvent {
    PriceBookEvent::PricesPublished { version, source: "openrouter".to_owned(), models }
}

fn ratio(text: &str) -> Ratio {
    Ratio::parse(text).expect("a ratio")
}

fn set(scope: RatioScope, value: Option<&str>) -> PriceBookCommand {
    PriceBookCommand::SetSaleRatio { scope, ratio: value.map(ratio), reason: None }
}

fn framework() -> TestFramework<PriceBook> {
    TestFramework::with(())
}

#[test]
fn publishing_tells_only_what_changed() {
    let first = vec![priced("a", "1e-6"), priced("b", "2e-6"), published(1, 2)];
    framework()
        .given_no_previous_events()
        .when(publish(&[("b", "2e-6"), ("a", "1e-6")]))
        .then_expect_events(first.clone());
    framework()
        .given(first.clone())
        .when(publish(&[("a", "1e-6"), ("b", "3e-6"), ("c", "0")]))
        .then_expect_events(vec![priced("b", "3e-6"), priced("c", "0"), published(2, 3)]);
    framework()
        .given(first.clone())
        .when(publish(&[("b", "2e-6")]))
        .then_expect_events(vec![retired("a"), published(2, 1)]);
    framework()
        .given(first)
        .when(publish(&[("a", "1e-6"), ("b", "0.00000200")]))
        .then_expect_events(vec![]);
}

#[test]
fn a_retired_model_has_no_card_and_may_come_back() {
    let mut book = PriceBook::default();
    for list in [&[("a", "1"), ("b", "1")][..], &[("b", "1")], &[("a", "2"), ("b", "1")]] {
        for event in book.decide(publish(list)).expect("accepted") {
            book.evolve(&event);
        }
        assert_eq!(book.find_card("a").is_some(), list.len() == 2);
    }
    assert_eq!((book.version(), book.models().count()), (3, 2));
    assert_eq!(book.find_card("a"), Some(&card("2")));
}

#[test]
fn an_empty_list_is_refused() {
    framework()
        .given_no_previous_events()
        .when(publish(&[]))
        .then_expect_error(PriceBookError::EmptyList);
}

#[test]
fn names_have_1_to_200_characters() {
    let long = "x".repeat(201);
    for name in ["", long.as_str()] {
        let refused = |command, member| {
            framework()
                .given_no_previous_events()
                .when(command)
                .then_expect_error(PriceBookError::InvalidText(member));
        };
        refused(publish(&[(name, "1")]), "model");
        refused(set(RatioScope::Plan(name.to_owned()), Some("1")), "plan");
        refused(set(RatioScope::Model(name.to_owned()), Some("1")), "model");
        let (plan, limits) = (name.to_owned(), AccountLimits::default());
        refused(
            PriceBookCommand::DefinePlan { plan, ratio: Ratio::ONE, limits, reason: None },
            "plan",
        );
    }
    assert!(PriceBook::default().decide(publish(&[(&long[1..], "1")])).is_ok());
}

#[test]
fn a_sale_ratio_is_above_zero_and_at_most_100() {
    let decide = |value| {
        PriceBook::default()
            .decide(set(RatioScope::Default, Some(value)))
            .map(|events| events.len())
    };
    assert_eq!(decide("0"), Err(PriceBookError::RatioOutOfRange));
    assert_eq!(decide("100.000000000001"), Err(PriceBookError::RatioOutOfRange));
    assert_eq!(decide("100"), Ok(1));
    assert_eq!(decide("0.000000000001"), Ok(1));
    let limits = AccountLimits::default();
    let (plan, ratio) = ("gold".to_owned(), Ratio::ZERO);
    let plan = PriceBookCommand::DefinePlan { plan, ratio, limits, reason: None };
    assert_eq!(PriceBook::default().decide(plan), Err(PriceBookError::RatioOutOfRange));
}

#[test]
fn a_plan_is_a_name_with_a_ratio_and_limits() {
    let mut book = PriceBook::default();
    let limits = AccountLimits { daily: Money::parse("5").ok(), ..AccountLimits::default() };
    let define = |limits| PriceBookCommand::DefinePlan {
        plan: "gold".to_owned(),
        ratio: ratio("0.7"),
        limits,
        reason: None,
    };
    assert_eq!(book.find_plan("gold"), None);
    for limits in [AccountLimits::default(), limits] {
        for event in book.decide(define(limits)).expect("accepted") {
            book.evolve(&event);
        }
        assert_eq!(book.find_plan("gold"), Some(Plan { ratio: Some(ratio("0.7")), limits }));
        assert_eq!(book.decide(define(limits)), Ok(vec![]));
    }
    // Without its ratio it sells at the default one; its limits stay.
    let scope = RatioScope::Plan("gold".to_owned());
    for event in book.decide(set(scope, None)).expect("accepted") {
        book.evolve(&event);
    }
    assert_eq!(book.find_plan("gold"), Some(Plan { ratio: None, limits }));
    assert_eq!(book.plans().collect::<Vec<_>>(), ["gold"]);
    let negative = AccountLimits { monthly: Money::parse("-1").ok(), ..limits };
    assert_eq!(book.decide(define(negative)), Err(PriceBookError::NegativeLimit));
}

#[test]
fn the_default_is_changed_and_never_taken_away() {
    let set_to = |value: &str| PriceBookEvent::SaleRatioSet {
        scope: RatioScope::Default,
        ratio: Some(ratio(value)),
        reason: None,
    };
    let given = || framework().given(vec![set_to("0.8")]);
    given().when(set(RatioScope::Default, None)).then_expect_error(PriceBookError::DefaultNeeded);
    given().when(set(RatioScope::Default, Some("0.80"))).then_expect_events(vec![]);
    given().when(set(RatioScope::Default, Some("0.9"))).then_expect_events(vec![set_to("0.9")]);
}

#[test]
fn the_most_specific_ratio_wins() {
    let account = AccountId::from_uuid(Uuid::from_u128(1));
    let other = AccountId::from_uuid(Uuid::from_u128(2));
    let mut book = PriceBook::default();
    let send = |book: &mut PriceBook, command| {
        for event in book.decide(command).expect("accepted") {
            book.evolve(&event);
        }
    };
    let of = |book: &PriceBook, account| {
        book.sale_ratio(account, Some("gold"), "m").map(|ratio| ratio.to_string())
    };
    assert_eq!(of(&book, account), None, "without a default nothing is sold");
    send(&mut book, set(RatioScope::Default, Some("0.8")));
    assert_eq!(of(&book, account).as_deref(), Some("0.8"));
    let (plan, limits) = ("gold".to_owned(), AccountLimits::default());
    let (ratio_of_plan, reason) = (ratio("0.7"), None);
    let define = PriceBookCommand::DefinePlan { plan, ratio: ratio_of_plan, limits, reason };
    send(&mut book, define);
    assert_eq!(of(&book, account).as_deref(), Some("0.7"));
    assert_eq!(book.sale_ratio(account, None, "m"), Some(ratio("0.8")));
    send(&mut book, set(RatioScope::Model("m".to_owned()), Some("0.9")));
    assert_eq!(of(&book, account).as_deref(), Some("0.9"));
    send(&mut book, set(RatioScope::Account(account), Some("0.6")));
    assert_eq!(of(&book, account).as_deref(), Some("0.6"));
    assert_eq!(of(&book, other).as_deref(), Some("0.9"));
    send(&mut book, set(RatioScope::Account(account), None));
    assert_eq!(of(&book, account).as_deref(), Some("0.9"));
}

#[test]
fn the_fairness_policy_has_dense_versions_and_the_same_one_again_is_no_event() {
    let policy = |everything, cases: &[(Mishap, Treatment)]| {
        let cases = cases.iter().copied().collect();
        let policy = FairnessPolicy { everything, cases };
        PriceBookCommand::SetFairnessPolicy { policy, reason: None }
    };
    let mut book = PriceBook::default();
    let mut send = |command| {
        let events = book.decide(command).expect("accepted");
        events.iter().for_each(|event| book.evolve(event));
        (events.len(), book.fairness().version, book.fairness().rule(Mishap::ClientLeft).treatment)
    };
    // The documented default may be chosen too: then it has a version.
    assert_eq!(send(policy(Treatment::ChargeBilled, &[])), (1, 1, Treatment::ChargeBilled));
    assert_eq!(send(policy(Treatment::ChargeBilled, &[])).0, 0);
    let one =
        &[(Mishap::ClientLeft, Treatment::Waive), (Mishap::TimedOut, Treatment::ChargeBilled)];
    assert_eq!(send(policy(Treatment::ChargeBilled, one)), (1, 2, Treatment::Waive));
    assert_eq!(send(policy(Treatment::ChargeBilled, &one[..1])).0, 0);
    assert_eq!(send(policy(Treatment::Waive, &[])), (1, 3, Treatment::Waive));
}

fn fairness() -> impl Strategy<Value = FairnessPolicy> {
    use Treatment::{ChargeBilled, ChargeDelivered, Waive};
    let treatment = || proptest::sample::select(vec![ChargeBilled, ChargeDelivered, Waive]);
    let mishap = proptest::sample::select(Mishap::ALL);
    (treatment(), proptest::collection::btree_map(mishap, treatment(), 0..3))
        .prop_map(|(everything, cases)| FairnessPolicy { everything, cases })
}

fn any_command() -> impl Strategy<Value = PriceBookCommand> {
    let name = || proptest::sample::select(vec!["", "a", "b", "c"]).prop_map(str::to_owned);
    let price = proptest::sample::select(vec!["0", "1e-6", "0.0000000833333333333333"]);
    let models = proptest::collection::btree_map(name(), price.prop_map(card), 0..4);
    let value = || proptest::sample::select(vec!["0", "0.8", "1", "101"]).prop_map(ratio);
    let scope = prop_oneof![
        Just(RatioScope::Default),
        name().prop_map(RatioScope::Plan),
        name().prop_map(RatioScope::Model),
        (1..3_u128).prop_map(|n| RatioScope::Account(AccountId::from_uuid(Uuid::from_u128(n)))),
    ];
    let limits = proptest::sample::select(vec!["-1", "0", "5"]).prop_map(|daily| AccountLimits {
        daily: Some(Money::parse(daily).expect("money")),
        ..AccountLimits::default()
    });
    prop_oneof![
        (name(), models)
            .prop_map(|(source, models)| PriceBookCommand::PublishPrices { source, models }),
        (scope, proptest::option::of(value())).prop_map(|(scope, ratio)| {
            PriceBookCommand::SetSaleRatio { scope, ratio, reason: None }
        }),
        (name(), value(), limits).prop_map(|(plan, ratio, limits)| {
            PriceBookCommand::DefinePlan { plan, ratio, limits, reason: None }
        }),
        fairness().prop_map(|policy| PriceBookCommand::SetFairnessPolicy { policy, reason: None }),
    ]
}

proptest! {
    #[test]
    fn the_invariants_hold_after_any_commands(
        commands in proptest::collection::vec(any_command(), 1..40),
    ) {
        let (mut book, mut folded) = (PriceBook::default(), PriceBook::default());
        for command in commands {
            let before = book.clone();
            let decided = book.decide(command.clone());
            prop_assert_eq!(&book, &before);
            for event in decided.iter().flatten() {
                book.evolve(event);
                let json = serde_json::to_string(event).expect("encodes");
                folded.evolve(&serde_json::from_str(&json).expect("decodes"));
                prop_assert_eq!(PriceBook::entry(PRICE_BOOK, event), None);
            }
            if decided.is_ok() {
                prop_assert_eq!(book.decide(command), Ok(vec![]), "the same again is no event");
            }
            prop_assert_eq!(&folded, &book);
        }
        let snapshot = serde_json::to_string(&book).expect("encodes");
        prop_assert_eq!(serde_json::from_str::<PriceBook>(&snapshot).expect("decodes"), book);
    }
}
