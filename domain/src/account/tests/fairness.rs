//! Requests that go wrong: the bill is divided, the operator's part is booked, and the truth
//! replaces an estimate.

use rust_decimal::Decimal;

use super::books::Books;
use super::script::{run, script, stream};
use crate::account::{AccountEvent as Event, ReleaseReason};
use crate::journal::LedgerAccount;

fn sum(books: &Books, account: &LedgerAccount) -> String {
    books.journal.get(account).copied().unwrap_or_default().normalize().to_string()
}

/// What was taken from the upstream account, as a positive amount.
fn used(books: &Books) -> Decimal {
    let upstream =
        books.journal.iter().find(|(account, _)| matches!(account, LedgerAccount::Upstream(_)));
    -upstream.map(|(_, amount)| *amount).unwrap_or_default()
}

#[test]
fn a_bill_is_divided_between_the_customer_and_the_operator() {
    let books = script(
        "
        top-up   T1 10.00                                         -> ok
        reserve  R1 1.00 ratio=0.8                                -> ok
        settle   R1 0.010 rate=0.3 rule=delivered delivered=0.004 -> ok
        balance  9.9968 reserved 0 spent 0.0032
        reserve  R2 1.00 ratio=0.8                                -> ok
        settle   R2 0.010 rate=0.3 rule=delivered delivered=0.02  -> ok   # never above the bill
        balance  9.9888
        reserve  R3 1.00 ratio=0.8                                -> ok
        settle   R3 0.010 rate=0.3 rule=billed delivered=0.004    -> ok
        balance  9.9808 reserved 0 spent 0.0192
        ",
    );
    assert_eq!(sum(&books, &LedgerAccount::UpstreamExpense), "0.0072");
    assert_eq!(sum(&books, &LedgerAccount::Waived), "0.0018");
    assert_eq!(used(&books), Decimal::new(9, 3), "all three bills were paid to the upstream");
}

#[test]
fn what_is_waived_ends_without_a_charge_and_stands_in_the_books() {
    let books = script(
        "
        top-up   T1 10.00                                         -> ok
        reserve  R1 1.00                                          -> ok
        settle   R1 0.010 rate=0.3 rule=waive                     -> ok
        reserve  R2 1.00                                          -> ok
        settle   R2 0.010 rate=0.3 rule=delivered                 -> ok   # nothing was delivered
        balance  10.00 reserved 0 spent 0
        ",
    );
    for event in &books.events[books.events.len() - 3..] {
        let Event::ReservationReleased { reason, ruling, waived, .. } = event else { continue };
        assert_eq!(*reason, ReleaseReason::Waived);
        assert!(ruling.is_some());
        assert_eq!(waived.as_ref().map(|bill| bill.cost.to_string()).as_deref(), Some("0.003"));
    }
    assert_eq!(sum(&books, &LedgerAccount::Waived), "0.006");
    assert_eq!(sum(&books, &LedgerAccount::UsageIncome), "0");
    assert_eq!(used(&books), Decimal::new(6, 3));
}

#[test]
fn an_estimate_is_replaced_by_the_truth() {
    let books = script(
        "
        top-up   T1 10.00                                         -> ok
        reserve  R1 1.00 ratio=0.8                                -> ok
        settle   R1 0.010 rate=0.3 source=estimate                -> ok
        balance  9.992 spent 0.008
        correct  R1 0.020                                         -> ok
        balance  9.984 spent 0.016
        reserve  R2 1.00 ratio=0.8                                -> ok
        settle   R2 0.010 rate=0.3 source=estimate                -> ok
        correct  R2 0                                             -> ok   # nothing was billed
        balance  9.984 spent 0.016 reserved 0
        reserve  R3 1.00 ratio=0.8                                -> ok
        settle   R3 0.010 rate=0.3 source=estimate                -> ok
        correct  R3 0.010                                         -> ok   # it was right
        balance  9.976 spent 0.024
        ",
    );
    assert_eq!(sum(&books, &LedgerAccount::UsageIncome), "-0.024");
    assert_eq!(used(&books), Decimal::new(9, 3));
}

#[test]
fn the_truth_about_delivered_tokens_charges_no_more_and_books_the_rest() {
    let books = script(
        "
        top-up   T1 10.00                                         -> ok
        reserve  R1 1.00 ratio=0.8                                -> ok
        settle   R1 0.010 source=estimate rule=delivered delivered=0.010 -> ok
        correct  R1 0.030                                         -> ok
        balance  9.992
        reserve  R2 1.00 ratio=0.8                                -> ok
        settle   R2 0.010 source=estimate rule=delivered delivered=0.010 -> ok
        correct  R2 0.004                                         -> ok   # the bill is less
        balance  9.9888
        ",
    );
    assert_eq!(sum(&books, &LedgerAccount::Waived), "0.006");
    assert_eq!(used(&books), Decimal::new(102, 4));
}

#[test]
fn a_correction_charges_by_the_ratio_of_the_model_that_answered() {
    let books = script(
        "
        top-up   T1 10.00                                                 -> ok
        reserve  R1 1.00 ratio=0.8 fallbacks=other/model:0.5,third/model:2 -> ok
        settle   R1 0.010 source=estimate                                 -> ok
        balance  9.992                                                    # at the requested one's
        correct  R1 0.010 answered=third/model                            -> ok
        balance  9.98 spent 0.02                                          # at the third one's
        reserve  R2 1.00 ratio=0.8 fallbacks=other/model:0.5              -> ok
        settle   R2 0.010 source=estimate answered=other/model            -> ok
        correct  R2 0.020                                                 -> ok   # nobody is named
        balance  9.97
        reserve  R3 1.00 ratio=0.8 fallbacks=other/model:0.5              -> ok
        settle   R3 0.010 source=estimate                                 -> ok
        correct  R3 0.020 answered=cheap/model                            -> ok   # never agreed
        balance  9.954 spent 0.046
        ",
    );
    let corrected = books.events.iter().filter_map(|event| match event {
        Event::ChargeCorrected(it) => Some((it.answered_model.as_deref(), it.sale_ratio)),
        _ => None,
    });
    let shown: Vec<_> = corrected.map(|(model, ratio)| (model, ratio.to_string())).collect();
    let expected = [(Some("third/model"), "2"), (None, "0.5"), (None, "0.8")];
    assert_eq!(shown, expected.map(|(model, ratio)| (model, ratio.to_owned())));
}

#[test]
fn a_call_without_a_reservation_costs_the_operator_and_never_the_customer() {
    let books = script(
        "
        top-up   T1 1.00                                          -> ok
        abandon  R1                                               -> ok
        abandon  R1                                               -> again
        balance  1.00 reserved 0
        late     R1 0.010 rate=0.3 rule=waive                     -> ok
        late     R1 0.010 rate=0.3 rule=waive                     -> again
        abandon  R2                                               -> ok
        late     R2 0.010 rate=0.3 rule=billed                    -> ok   # whatever is asked for
        balance  1.00 reserved 0 spent 0
        reserve  R3 0.50                                          -> ok
        abandon  R3                                               -> ok   # it had been stored
        balance  1.00 reserved 0
        late     R3 0.010 rate=0.3 rule=waive                     -> ok
        reserve  R4 0.50                                          -> ok
        release  R4                                               -> ok
        abandon  R4                                               -> ok
        late     R4 0.010 rate=0.3 rule=waive                     -> ok
        reserve  R5 0.50                                          -> ok
        settle   R5 0.10                                          -> ok
        abandon  R5                                               -> already_settled
        abandon  R6 key=K9                                        -> key_not_found
        balance  0.90 reserved 0 spent 0.10
        ",
    );
    assert_eq!(sum(&books, &LedgerAccount::Waived), "0.009");
    assert_eq!(sum(&books, &LedgerAccount::UsageIncome), "-0.1");
}

#[test]
fn a_correction_counts_in_the_window_of_its_charge_while_that_lasts() {
    script(
        "
        top-up   T1 10.00                                         -> ok
        limit-account daily=1.00                                  -> ok
        reserve  R1 1.00 at=100                                   -> ok
        settle   R1 0.90 at=100 source=estimate                   -> warned
        reserve  R2 0.80 at=101                                   -> spend_limit_exceeded
        correct  R1 0.20 at=102                                   -> ok
        reserve  R2 0.80 at=103                                   -> ok
        settle   R2 0.50 at=103 source=estimate                   -> ok
        spendable 0.30 at=104
        spendable 1.00 at=86400
        reserve  R3 0 at=86400                                    -> ok
        settle   R3 0 at=86400                                    -> ok
        correct  R2 0.10 at=86401                                 -> ok   # yesterday is over
        spendable 1.00 at=86401
        balance  9.70 spent 0.30
        ",
    );
}

#[test]
fn the_bill_of_what_another_node_had_ended_is_booked_once() {
    let books = script(
        "
        top-up   T1 10.00                                         -> ok
        reserve  R1 1.00 ratio=0.8 expires=60                     -> ok
        expire   R1 at=60                                         -> ok
        settle   R1 0.010                                         -> already_expired
        late     R1 0.010 rate=0.3 rule=billed                    -> ok
        balance  9.992 reserved 0 spent 0.008
        reserve  R2 1.00 ratio=0.8                                -> ok
        unbilled R2 reason=recovered awaits=none                  -> ok
        late     R2 0.010 rate=0.3 rule=delivered delivered=0.004 -> ok
        balance  9.9888
        reserve  R3 1.00 ratio=0.8                                -> ok
        unbilled R3 reason=recovered                              -> ok
        late     R3 0.010 rate=0.3 rule=waive                     -> ok
        balance  9.9888 reserved 0 spent 0.0112
        ",
    );
    assert_eq!(sum(&books, &LedgerAccount::Waived), "0.0048");
    assert_eq!(used(&books), Decimal::new(9, 3));
    let entries = books.events.iter().filter_map(|event| event.entry(stream()));
    assert!(entries.clone().all(|entry| entry.postings().len().is_multiple_of(2)));
}

#[test]
fn only_the_newest_bills_are_awaited() {
    let mut books = script("top-up T1 100.00 -> ok");
    for n in 1..=513 {
        let line = format!(
            "reserve R{n} 0.01 -> ok\n settle R{n} 0.01 source=estimate generation=gen-{n} -> ok"
        );
        super::script::run_unchecked(&mut books, &line);
    }
    run(
        &mut books,
        "
        correct  R1 0                       -> nothing_to_correct  # 512 came after it
        correct  R2 0                       -> ok
        correct  R513 0                     -> ok
        balance  94.89
        ",
    );
}
