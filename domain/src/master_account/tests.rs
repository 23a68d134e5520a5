//! The master account proved: given, when, then; golden files; random command sequences.

use cqrs_es::test::TestFramework;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::golden_files::{check, check_folder, goldens};
use crate::journal::Side;

goldens! {
    MasterAccountEvent in "master_account":
    MasterAccountRegistered => ["v1", "v1.reason"],
    CreditsPurchased => ["v1"],
    CreditsAdjusted => ["v1", "v1.stated"],
    UpstreamKeyRotated => ["v1", "v1.reason"],
    MasterAccountDisabled => ["v1"],
    MasterAccountEnabled => ["v1", "v1.reason"],
}

#[test]
fn every_stored_event_decodes_and_encodes_to_the_same_json() {
    check::<MasterAccountEvent>(GOLDENS, stem_of, |event| {
        (event.name(), MasterAccount::event_version(event))
    });
    check_folder(GOLDENS, "master_account");
}

fn master() -> MasterAccountId {
    MasterAccountId::from_uuid(Uuid::from_u128(1))
}

fn money(text: &str) -> Money {
    Money::parse(text).expect("an amount")
}

fn register(id: u128) -> MasterAccountCommand {
    MasterAccountCommand::RegisterMasterAccount {
        master_account: MasterAccountId::from_uuid(Uuid::from_u128(id)),
        provider: "openrouter".to_owned(),
        label: "Main".to_owned(),
        reason: None,
    }
}

fn registered() -> MasterAccountEvent {
    MasterAccountEvent::MasterAccountRegistered {
        master_account: master(),
        provider: "openrouter".to_owned(),
        label: "Main".to_owned(),
        reason: None,
    }
}

fn purchase(id: u128, credits: &str, paid: &str, fee: &str) -> MasterAccountCommand {
    MasterAccountCommand::PurchaseCredits {
        purchase: PurchaseId::from_uuid(Uuid::from_u128(id)),
        credits: money(credits),
        paid: money(paid),
        fee: money(fee),
        processor: "bank".to_owned(),
        reference: "INV-7".to_owned(),
    }
}

fn adjust(id: u128, credits: &str, value: &str) -> MasterAccountCommand {
    MasterAccountCommand::AdjustCredits {
        adjustment: AdjustmentId::from_uuid(Uuid::from_u128(id)),
        credits: money(credits),
        value: money(value),
        reason: "statement".to_owned(),
        stated: None,
    }
}

fn framework() -> TestFramework<MasterAccount> {
    TestFramework::with(())
}

/// Decides and evolves one command after another; the last one's outcome.
fn after(
    commands: Vec<MasterAccountCommand>,
) -> (MasterAccount, Result<Vec<MasterAccountEvent>, MasterAccountError>) {
    let mut account = MasterAccount::default();
    let mut last = Ok(vec![]);
    for command in commands {
        last = account.decide(command);
        for event in last.iter().flatten() {
            account.evolve(event);
        }
    }
    (account, last)
}

fn outcome(commands: Vec<MasterAccountCommand>) -> Result<usize, MasterAccountError> {
    after(commands).1.map(|events| events.len())
}

#[test]
fn a_registered_account_is_enabled_and_its_key_is_the_first() {
    framework().given_no_previous_events().when(register(1)).then_expect_events(vec![registered()]);
    let (account, _) = after(vec![register(1)]);
    assert_eq!(
        (account.id(), account.is_enabled(), account.key_version()),
        (Some(master()), true, 1)
    );
    assert_eq!((account.provider(), account.label()), ("openrouter", "Main"));
}

#[test]
fn registering_again_is_no_event_and_as_another_is_refused() {
    framework().given(vec![registered()]).when(register(1)).then_expect_events(vec![]);
    framework()
        .given(vec![registered()])
        .when(register(2))
        .then_expect_error(MasterAccountError::AlreadyRegistered(master()));
    framework()
        .given_no_previous_events()
        .when(purchase(1, "1", "1", "0"))
        .then_expect_error(MasterAccountError::NotRegistered);
}

#[test]
fn a_purchase_has_credits_and_pays_nothing_negative() {
    let bought = |credits, paid, fee| outcome(vec![register(1), purchase(1, credits, paid, fee)]);
    assert_eq!(bought("1000", "284.36", "15.64"), Ok(1));
    assert_eq!(bought("1000", "0", "0"), Ok(1));
    assert_eq!(bought("0", "1", "0"), Err(MasterAccountError::InvalidPurchase));
    assert_eq!(bought("-1", "1", "0"), Err(MasterAccountError::InvalidPurchase));
    assert_eq!(bought("1", "-1", "0"), Err(MasterAccountError::InvalidPurchase));
    assert_eq!(bought("1", "1", "-1"), Err(MasterAccountError::InvalidPurchase));
}

#[test]
fn a_purchase_or_a_reconciliation_is_booked_once() {
    let twice = |second| outcome(vec![register(1), purchase(1, "10", "3", "0"), second]);
    assert_eq!(twice(purchase(1, "10", "3", "0")), Ok(0));
    assert!(matches!(twice(purchase(1, "10", "4", "0")), Err(MasterAccountError::IdReused(_))));
    assert_eq!(twice(purchase(2, "10", "4", "0")), Ok(1));
    let twice = |second| outcome(vec![register(1), adjust(1, "-1", "-0.3"), second]);
    assert_eq!(twice(adjust(1, "-1", "-0.3")), Ok(0));
    assert!(matches!(twice(adjust(1, "-2", "-0.3")), Err(MasterAccountError::IdReused(_))));
    assert!(matches!(twice(adjust(1, "-1", "-0.4")), Err(MasterAccountError::IdReused(_))));
    assert_eq!(twice(adjust(2, "0", "0")), Err(MasterAccountError::EmptyAdjustment));
    assert_eq!(twice(adjust(2, "0", "0.01")), Ok(1));
}

#[test]
fn sums_stay_within_a_trillion() {
    let full = || vec![register(1), purchase(1, "1000000000000", "999999999999", "1")];
    let then = |command| outcome([full(), vec![command]].concat());
    assert_eq!(then(purchase(2, "0.01", "0", "0")), Err(MasterAccountError::AmountTooLarge));
    assert_eq!(then(adjust(1, "0.01", "0")), Err(MasterAccountError::AmountTooLarge));
    assert_eq!(then(adjust(1, "-0.01", "0")), Ok(1));
    let less = [full(), vec![adjust(1, "-5", "0"), purchase(2, "1", "0.01", "0")]].concat();
    assert_eq!(outcome(less), Err(MasterAccountError::AmountTooLarge));
    let less = [full(), vec![adjust(1, "-5", "0"), purchase(2, "1", "0", "0")]].concat();
    assert_eq!(outcome(less), Ok(1));
    let sum = purchase(1, "1", "1000000000000", "0.01");
    assert_eq!(outcome(vec![register(1), sum]), Err(MasterAccountError::AmountTooLarge));
}

#[test]
fn key_versions_grow() {
    let rotate =
        |key_version| MasterAccountCommand::RotateUpstreamKey { key_version, reason: None };
    let (account, last) = after(vec![register(1), rotate(2), rotate(2)]);
    assert_eq!(last, Err(MasterAccountError::KeyVersionNotNewer(2)));
    assert_eq!(account.key_version(), 2);
    assert_eq!(
        outcome(vec![register(1), rotate(1)]),
        Err(MasterAccountError::KeyVersionNotNewer(1))
    );
    assert_eq!(outcome(vec![register(1), rotate(u32::MAX)]), Ok(1));
}

#[test]
fn disabling_and_enabling_are_answered_once() {
    let disable = || MasterAccountCommand::DisableMasterAccount { reason: "empty".to_owned() };
    let enable = || MasterAccountCommand::EnableMasterAccount { reason: None };
    assert_eq!(outcome(vec![register(1), enable()]), Ok(0));
    assert_eq!(outcome(vec![register(1), disable()]), Ok(1));
    assert_eq!(outcome(vec![register(1), disable(), disable()]), Ok(0));
    assert!(!after(vec![register(1), disable()]).0.is_enabled());
    assert!(after(vec![register(1), disable(), enable()]).0.is_enabled());
}

#[test]
fn texts_have_at_most_200_characters() {
    let register = |length: usize| MasterAccountCommand::RegisterMasterAccount {
        master_account: master(),
        provider: "p".to_owned(),
        label: "ж".repeat(length),
        reason: None,
    };
    assert_eq!(outcome(vec![register(200)]), Ok(1));
    assert_eq!(outcome(vec![register(201)]), Err(MasterAccountError::TextTooLong("label")));
}

#[test]
fn the_cost_rate_is_what_was_paid_with_fees_over_what_was_bought() {
    let rate =
        |commands: Vec<_>| after([vec![register(1)], commands].concat()).0.cost_rate().to_string();
    assert_eq!(rate(vec![]), "1", "unknown credits count in full");
    assert_eq!(rate(vec![purchase(1, "1000", "284.36", "15.64")]), "0.3");
    assert_eq!(rate(vec![purchase(1, "100", "30", "0"), purchase(2, "300", "150", "0")]), "0.45");
    assert_eq!(rate(vec![purchase(1, "3", "1", "0")]), "0.333333333333");
    assert_eq!(rate(vec![purchase(1, "3", "2", "0")]), "0.666666666667");
    let reconciled = vec![purchase(1, "1000", "300", "0"), adjust(1, "-500", "-150")];
    assert_eq!(rate(reconciled), "0.3", "a correction is no purchase");
}

#[test]
fn a_fee_becomes_part_of_the_asset() {
    let (_, events) = after(vec![register(1), purchase(1, "1000", "284.36", "15.64")]);
    let entry = events.expect("accepted")[0].entry(master()).expect("money moves");
    let upstream = LedgerAccount::Upstream(master());
    let sum = |account: &LedgerAccount, side| {
        let lines = entry.postings().iter().filter(|p| p.account == *account && p.side == side);
        lines.fold(Money::ZERO, |sum, line| sum.checked_add(line.amount).expect("fits"))
    };
    assert_eq!(sum(&upstream, Side::Debit), money("300"));
    assert_eq!(sum(&LedgerAccount::Cash("bank".to_owned()), Side::Credit), money("300"));
}

#[test]
fn a_reconciliation_down_credits_the_asset() {
    let (_, events) = after(vec![register(1), adjust(1, "-1", "-0.3")]);
    let entry = events.expect("accepted")[0].entry(master()).expect("money moves");
    let lines: Vec<_> = entry.postings().iter().map(|p| (p.account.to_string(), p.side)).collect();
    let upstream = format!("assets:upstream:{}", master());
    assert_eq!(lines, [("equity:adjustments".to_owned(), Side::Debit), (upstream, Side::Credit)]);
}

fn amount() -> impl Strategy<Value = Money> {
    let edges = vec!["0", "-1", "0.000000000001", "1000000000000", "-1000000000000"];
    prop_oneof![
        1 => proptest::sample::select(edges).prop_map(money),
        3 => (-100..1_000_i64).prop_map(|cents| money(&format!("{cents}e-2"))),
    ]
}

fn any_command() -> impl Strategy<Value = MasterAccountCommand> {
    let text = || "x".to_owned();
    let id = || (1..6_u128).prop_map(Uuid::from_u128);
    prop_oneof![
        1 => (1..3_u128).prop_map(register),
        4 => (id(), amount(), amount(), amount()).prop_map(move |(purchase, credits, paid, fee)| {
            MasterAccountCommand::PurchaseCredits {
                purchase: PurchaseId::from_uuid(purchase),
                credits,
                paid,
                fee,
                processor: text(),
                reference: text(),
            }
        }),
        3 => (id(), amount(), amount()).prop_map(move |(adjustment, credits, value)| {
            MasterAccountCommand::AdjustCredits {
                adjustment: AdjustmentId::from_uuid(adjustment),
                credits,
                value,
                reason: text(),
                stated: None,
            }
        }),
        1 => (0..4_u32).prop_map(|key_version| {
            MasterAccountCommand::RotateUpstreamKey { key_version, reason: None }
        }),
        1 => Just(MasterAccountCommand::DisableMasterAccount { reason: "x".to_owned() }),
        1 => Just(MasterAccountCommand::EnableMasterAccount { reason: None }),
    ]
}

proptest! {
    #[test]
    fn the_invariants_hold_after_any_commands(
        commands in proptest::collection::vec(any_command(), 1..40),
    ) {
        let (mut account, mut events) = (MasterAccount::default(), vec![]);
        for command in commands {
            let before = account.clone();
            let decided = account.decide(command);
            prop_assert_eq!(&account, &before);
            for event in decided.into_iter().flatten() {
                if let Some(entry) = event.entry(master()) {
                    prop_assert_eq!(entry.total(Side::Debit), entry.total(Side::Credit));
                }
                account.evolve(&event);
                events.push(event);
            }
            prop_assert!(account.cost_rate().decimal() <= rust_decimal::Decimal::ONE_THOUSAND);
            prop_assert_eq!(account.applied(), events.len() as u64);
        }
        let mut folded = MasterAccount::default();
        for event in &events {
            let json = serde_json::to_string(event).expect("encodes");
            folded.evolve(&serde_json::from_str(&json).expect("decodes"));
        }
        prop_assert_eq!(&folded, &account);
        let snapshot = serde_json::to_string(&account).expect("encodes");
        let restored: MasterAccount = serde_json::from_str(&snapshot).expect("decodes");
        prop_assert_eq!(restored, account);
    }
}
