//! The six rules of the account, each by its name.

use super::script::{run, script, stream};
use crate::account::AccountEvent;
use crate::eventful::Eventful;
use crate::journal::{LedgerAccount, Side};
use crate::money::Money;

#[test]
fn rule_1_a_reservation_needs_the_money_and_the_limits_of_key_and_account() {
    script(
        "
        top-up   T1 10.00                   -> ok
        reserve  R1 10.000000000001         -> insufficient_funds
        reserve  R2 10.00                   -> ok
        reserve  R3  0.000000000001         -> insufficient_funds
        release  R2                         -> ok
        balance  10.00 reserved 0 available 10.00 spendable 10.00
        issue    key=K2 limit=3.00          -> ok
        reserve  R4 3.01 key=K2             -> key_limit_exceeded
        reserve  R5 2.00 key=K2             -> ok
        reserve  R6 1.01 key=K2             -> key_limit_exceeded   # what is open counts
        spendable 1.00 key=K2
        settle   R5 0.50                    -> ok
        spendable 2.50 key=K2
        reserve  R7 2.51 key=K2             -> key_limit_exceeded   # what was spent counts
        reserve  R8 2.50 key=K2             -> ok
        limit-account daily=4.00            -> ok
        spendable 1.00
        reserve  R9 1.01                    -> spend_limit_exceeded # over all keys together
        reserve  R10 1.00                   -> ok
        limit-account monthly=4.00          -> ok
        reserve  R11 0.01                   -> spend_limit_exceeded
        limit-account                       -> ok
        reserve  R11 0.01                   -> ok
        balance  9.50 reserved 3.51 available 5.99
        ",
    );
}

#[test]
fn rule_2_settlement_never_fails_for_lack_of_funds_and_debt_blocks_the_next_reservation() {
    script(
        "
        top-up   T1 1.00                    -> ok
        reserve  R1 1.00                    -> ok
        settle   R1 3.00                    -> ok
        balance  -2.00 reserved 0 available -2.00 spent 3.00
        reserve  R2 0.01                    -> insufficient_funds
        reserve  R3 0                       -> insufficient_funds   # not even for nothing
        top-up   T2 2.00                    -> ok
        reserve  R3 0                       -> ok
        settle   R3 0                       -> ok
        ",
    );
}

#[test]
fn rule_2_a_limit_that_was_overrun_does_not_stop_a_settlement_either() {
    script(
        "
        top-up   T1 9.00                    -> ok
        issue    key=K2 limit=1.00          -> ok
        limit-account daily=1.00            -> ok
        reserve  R1 1.00 key=K2             -> ok
        revoke   key=K2                     -> ok
        suspend                             -> ok
        settle   R1 2.00                    -> warned-twice
        spendable -1.00 key=K2
        reinstate                           -> ok
        reserve  R2 0                       -> spend_limit_exceeded
        ",
    );
}

#[test]
fn rule_3_a_reservation_has_exactly_one_end() {
    script(
        "
        top-up   T1 10.00                   -> ok
        reserve  R1  2.00                   -> ok
        reserve  R1  2.00                   -> again                # the same request, retried
        reserve  R1  3.00                   -> reservation_exists_with_different_amount
        reserve  R1  2.00 model=maker/other -> reservation_exists_with_different_amount
        reserve  R2  8.01                   -> insufficient_funds   # 8.00 is available
        balance      10.00  reserved 2.00
        settle   R1  0.75                   -> ok
        settle   R1  0.75                   -> again
        settle   R1  0.76                   -> already_settled
        release  R1                         -> already_settled
        expire   R1                         -> already_settled
        reserve  R1  2.00                   -> already_settled
        balance       9.25  reserved 0.00

        reserve  R3  1.00                   -> ok
        release  R3                         -> ok
        release  R3                         -> again
        settle   R3  0.10                   -> already_released
        expire   R3                         -> already_released
        reserve  R3  1.00                   -> already_released

        reserve  R4  1.00 expires=60        -> ok
        expire   R4  at=59                  -> not_yet_expired
        expire   R4  at=60                  -> ok
        expire   R4  at=61                  -> again
        settle   R4  0.10                   -> already_expired
        release  R4                         -> already_expired
        reserve  R4  1.00                   -> already_expired
        balance       9.25  reserved 0.00
        ",
    );
}

#[test]
fn rule_3_the_same_id_again_is_the_first_outcome_or_a_conflict() {
    script(
        "
        open     A1                         -> again
        open     A2                         -> already_open
        top-up   T1 5.00                    -> ok
        top-up   T1 5.00 reference=other    -> again
        top-up   T1 5.01                    -> id_reused
        top-up   T1 5.00 processor=stripe   -> id_reused            # another cash account
        grant    G1 1.00                    -> ok
        grant    G1 1.00                    -> again
        grant    G1 2.00                    -> id_reused
        refund   F1 T1 1.00                 -> ok
        refund   F1 T1 1.00                 -> again
        refund   F1 T1 1.50                 -> id_reused
        refund   F1 T2 1.00                 -> id_reused
        adjust   J1 -0.50                   -> ok
        adjust   J1 -0.50                   -> again
        adjust   J1 0.50                    -> id_reused
        issue    key=K2 limit=1             -> ok
        issue    key=K2 limit=1             -> again
        issue    key=K2 limit=2             -> id_reused
        limit-key key=K2 limit=1            -> again
        revoke   key=K2                     -> ok
        revoke   key=K2                     -> again
        plan     name=gold                  -> ok
        plan     name=gold                  -> again
        limit-account daily=1               -> ok
        limit-account daily=1               -> again
        balance  4.50 topped-up 4.00
        ",
    );
}

#[test]
fn rule_4_what_a_stopped_process_leaves_open_is_closed_at_its_expiry() {
    script(
        "
        top-up   T1 1.00                    -> ok
        reserve  R1 0.40 expires=60         -> ok
        reserve  R2 0.60 expires=60         -> ok
        reserve  R3 0.01                    -> insufficient_funds
        settle   R1 0.25 at=3600            -> ok                   # recovery found its record
        expire   R2 at=3600                 -> ok                   # and none of this one
        balance  0.75 reserved 0 available 0.75
        ",
    );
}

#[test]
fn rule_5_every_event_that_moves_money_is_a_balanced_entry() {
    let books = script(
        "
        top-up   T1 10.00 processor=stripe  -> ok
        grant    G1  2.00                   -> ok
        refund   F1 T1 3.00                 -> ok
        adjust   J1 -1.50                   -> ok
        adjust   J2  0.25                   -> ok
        reserve  R1  4.00 ratio=0.8         -> ok
        settle   R1  1.00 rate=0.3          -> ok
        reserve  R2  1.00                   -> ok
        release  R2                         -> ok
        balance  6.95 reserved 0
        ",
    );
    let sum = |account: &LedgerAccount| books.journal[account].normalize().to_string();
    assert_eq!(sum(&LedgerAccount::Cash("stripe".into())), "7");
    assert_eq!(sum(&LedgerAccount::Customer(stream())), "-6.95");
    assert_eq!(sum(&LedgerAccount::Grants), "2");
    assert_eq!(sum(&LedgerAccount::Adjustments), "-1.25");
    assert_eq!(sum(&LedgerAccount::UsageIncome), "-0.8");
    assert_eq!(sum(&LedgerAccount::UpstreamExpense), "0.3");
    let moved = books.events.iter().filter_map(|e| e.entry(stream()));
    assert_eq!(moved.clone().count(), 6);
    assert!(moved.clone().all(|entry| entry.total(Side::Debit) == entry.total(Side::Credit)));
    assert!(moved.into_iter().all(|entry| entry.total(Side::Debit) > Some(Money::ZERO)));
}

#[test]
fn rule_6_a_rejected_command_changes_nothing() {
    let mut books = script("top-up T1 1.00 -> ok\n reserve R1 0.50 -> ok");
    let before = books.clone();
    run(
        &mut books,
        "
        reserve  R1 0.51                    -> reservation_exists_with_different_amount
        reserve  R2 0.51                    -> insufficient_funds
        settle   R9 0.10                    -> reservation_not_found
        refund   F1 T1 0.51                 -> insufficient_funds
        top-up   T1 2.00                    -> id_reused
        revoke   key=K9                     -> key_not_found
        ",
    );
    assert_eq!(books.account, before.account);
    assert_eq!(books.account.applied(), before.account.applied());
    assert_eq!(books.events.len(), before.events.len());
}

#[test]
fn settling_less_than_reserved_returns_the_difference() {
    let books = script(
        "
        top-up   T1 1.00                    -> ok
        reserve  R1 0.50 ratio=0.8          -> ok
        settle   R1 0.010 rate=0.3          -> ok
        balance  0.992 reserved 0 available 0.992
        ",
    );
    let Some(AccountEvent::ReservationSettled(settled)) = books.events.last() else {
        panic!("the last event is the settlement");
    };
    assert_eq!(settled.charge.to_string(), "0.008");
    assert_eq!(settled.cost.to_string(), "0.003");
    assert_eq!(settled.charge.checked_sub(settled.cost).unwrap().to_string(), "0.005");
    assert_eq!(settled.reserved.to_string(), "0.5");
}

#[test]
fn the_ratio_of_the_model_that_answered_is_the_charge_s() {
    script(
        "
        top-up   T1 10.00                                                  -> ok
        reserve  R1 2.00 ratio=0.8 fallbacks=other/model:0.5,third/model:2 -> ok
        settle   R1 1.00 answered=third/model                              -> ok
        balance  8.00 spent 2.00
        reserve  R2 2.00 ratio=0.8 fallbacks=other/model:0.5               -> ok
        settle   R2 1.00 answered=other/model                              -> ok
        balance  7.50 spent 2.50
        reserve  R3 2.00 ratio=0.8 fallbacks=other/model:0.5               -> ok
        settle   R3 1.00                                                   -> ok
        balance  6.70 spent 3.30
        reserve  R4 2.00 ratio=0.8 fallbacks=other/model:0.5               -> ok
        settle   R4 1.00 answered=cheap/model                              -> ok  # never agreed
        balance  5.90 spent 4.10
        reserve  R5 2.00 ratio=0.8 fallbacks=maker/model:0                 -> ok
        settle   R5 1.00 answered=maker/model                              -> ok  # not a fallback
        balance  5.10 spent 4.90
        ",
    );
}
