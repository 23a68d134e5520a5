//! The `cqrs_es` glue: given, when, then.

use cqrs_es::DomainEvent;
use cqrs_es::test::TestFramework;

use super::script::{script, stream};
use crate::account::{Account, AccountCommand, AccountError, AccountEvent, KeyLimits};
use crate::ids::{KeyId, TopUpId, UserId};
use crate::money::Money;
use uuid::Uuid;

fn framework() -> TestFramework<Account> {
    TestFramework::with(())
}

fn opened() -> AccountEvent {
    AccountEvent::AccountOpened { account: stream(), owner: UserId::from_uuid(Uuid::from_u128(2)) }
}

fn top_up(dollars: u32) -> AccountCommand {
    AccountCommand::TopUpFunds {
        top_up: TopUpId::from_uuid(Uuid::from_u128(1)),
        amount: Money::dollars(dollars),
        processor: "manual".to_owned(),
        reference: "cash".to_owned(),
    }
}

fn topped_up(dollars: u32) -> AccountEvent {
    AccountEvent::FundsToppedUp {
        top_up: TopUpId::from_uuid(Uuid::from_u128(1)),
        amount: Money::dollars(dollars),
        processor: "manual".to_owned(),
        reference: "cash".to_owned(),
    }
}

#[test]
fn a_top_up_of_an_open_account_is_an_event() {
    framework().given(vec![opened()]).when(top_up(10)).then_expect_events(vec![topped_up(10)]);
}

#[test]
fn a_retried_top_up_is_no_event() {
    framework().given(vec![opened(), topped_up(10)]).when(top_up(10)).then_expect_events(vec![]);
}

#[test]
fn a_refusal_is_the_aggregates_own_error() {
    framework()
        .given_no_previous_events()
        .when(top_up(10))
        .then_expect_error(AccountError::NotOpen);
    let key = KeyId::from_uuid(Uuid::from_u128(3));
    framework()
        .given(vec![opened()])
        .when(AccountCommand::RevokeKey { key })
        .then_expect_error(AccountError::KeyNotFound(key));
    framework()
        .given(vec![opened(), AccountEvent::KeyIssued { key, limits: KeyLimits::default() }])
        .when(AccountCommand::RevokeKey { key })
        .then_expect_events(vec![AccountEvent::KeyRevoked { key }]);
}

#[test]
fn events_tell_their_stored_name_and_version() {
    let event = topped_up(1);
    assert_eq!(
        (event.event_type().as_str(), event.event_version().as_str()),
        ("FundsToppedUp", "1")
    );
}

#[test]
#[should_panic(expected = "INV-3")]
fn history_that_breaks_an_invariant_stops_the_fold() {
    let books = script("top-up T1 1.00 -> ok");
    let mut account = books.account.clone();
    let top_up = books.events.last().expect("the top-up");
    crate::Eventful::evolve(&mut account, top_up);
}
