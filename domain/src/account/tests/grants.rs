//! Granted money: spent first, the soonest expiry first; what is unspent at its expiry goes back.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::books::Books;
use super::script::{run_unchecked, script};
use crate::account::AccountEvent;
use crate::money::Money;

#[test]
fn a_grant_that_expires_gives_back_what_is_unspent_of_it() {
    script(
        "
        top-up   T1 10.00                       -> ok
        grant    G1  5.00 expires=600           -> ok
        balance  15.00 granted-left 5.00
        reserve  R1  2.00                       -> ok
        settle   R1  2.00                       -> ok
        balance  13.00 granted-left 3.00
        expire-grant G1 at=600                  -> ok
        balance  10.00 granted-left 0           # as if it had never been given but for the 2.00
        expire-grant G1 at=601                  -> again
        ",
    );
}

#[test]
fn granted_money_is_spent_first_and_the_soonest_expiry_first() {
    let books = script(
        "
        grant    G1 1.00                        -> ok   # never expires: spent last of the grants
        grant    G2 1.00 expires=900            -> ok
        top-up   T1 1.00                        -> ok
        grant    G3 1.00 expires=300            -> ok
        reserve  R1 0 ratio=1                   -> ok
        settle   R1 1.50                        -> ok
        granted-left 1.50
        expire-grant G3 at=300                  -> ok   # all of it is spent
        balance  2.50
        reserve  R2 0 at=300                    -> ok
        settle   R2 0.75                        -> ok
        expire-grant G2 at=900                  -> ok   # all of it is spent too
        balance  1.75 granted-left 0.75
        ",
    );
    let taken = books.events.iter().filter_map(|event| match event {
        AccountEvent::GrantExpired { amount, .. } => Some(*amount),
        _ => None,
    });
    assert!(taken.eq([Money::ZERO, Money::ZERO]));
}

#[test]
fn a_reservation_takes_back_what_has_expired_before_it_sets_anything_aside() {
    let books = script(
        "
        grant    G1 1.00 expires=600            -> ok
        top-up   T1 1.00                        -> ok
        spendable 2.00 at=599
        spendable 1.00 at=600
        reserve  R1 1.01 at=600                 -> insufficient_funds
        balance  2.00                           # a refusal changes nothing, not even what is due
        reserve  R2 1.00 at=600                 -> ok
        balance  1.00 reserved 1.00 granted-left 0
        ",
    );
    let names: Vec<_> = books.events.iter().rev().take(2).map(AccountEvent::name).collect();
    assert_eq!(names, ["FundsReserved", "GrantExpired"]);
}

#[test]
fn what_a_running_request_holds_of_a_grant_goes_back_after_its_end() {
    script(
        "
        grant    G1 5.00 expires=600            -> ok
        reserve  R1 4.00 at=599                 -> ok
        expire-grant G1 at=600                  -> ok   # the one dollar that nobody holds
        balance  4.00 reserved 4.00 granted-left 4.00
        expire-grant G1 at=601                  -> again
        reserve  R2 0.01 at=601                 -> insufficient_funds
        settle   R1 3.00 at=602                 -> ok   # it was promised: no debt
        balance  1.00 granted-left 1.00
        reserve  R3 0.01 at=603                 -> insufficient_funds
        expire-grant G1 at=603                  -> ok
        balance  0 granted-left 0
        expire-grant G1 at=603                  -> again
        ",
    );
}

#[test]
fn what_covers_a_debt_is_spent_and_stays_when_the_grant_expires() {
    script(
        "
        top-up   T1 1.00                        -> ok
        reserve  R1 1.00                        -> ok
        settle   R1 4.00                        -> ok
        balance  -3.00
        grant    G1 5.00 expires=600            -> ok
        balance  2.00 granted-left 2.00
        expire-grant G1 at=600                  -> ok
        balance  0
        grant    G2 1.00 expires=600            -> ok
        adjust   J1 -4.00                       -> ok   # a correction takes granted money first
        balance  -3.00 granted-left 0
        expire-grant G2 at=600                  -> ok   # and then there is nothing to take back
        balance  -3.00
        ",
    );
}

#[test]
fn granted_money_is_not_paid_out_as_a_refund() {
    script(
        "
        top-up   T1 10.00                       -> ok
        reserve  R1 8.00                        -> ok
        settle   R1 8.00                        -> ok
        grant    G1 5.00                        -> ok
        balance  7.00
        refund   F1 T1 2.01                     -> insufficient_funds
        refund   F1 T1 2.00                     -> ok
        balance  5.00 granted-left 5.00
        ",
    );
}

/// One step of a random history, in whole cents so that the oracle can count single ones.
#[derive(Debug, Clone)]
enum Step {
    Grant { cents: u32, expires: Option<u8> },
    TopUp(u32),
    Adjust(i32),
    Charge(u32),
    Hold(u32),
    LetGo,
    Pass(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..60_u32, proptest::option::weighted(0.8, 0..120_u8))
            .prop_map(|(cents, expires)| Step::Grant { cents, expires }),
        1 => (1..40_u32).prop_map(Step::TopUp),
        1 => (-40..40_i32).prop_map(Step::Adjust),
        4 => (0..50_u32).prop_map(Step::Charge),
        1 => (1..60_u32).prop_map(Step::Hold),
        2 => Just(Step::LetGo),
        4 => (1..40_u8).prop_map(Step::Pass),
    ]
}

/// Every cent that was ever given, one by one: the oracle sorts where the account subtracts.
#[derive(Debug, Default)]
struct Oracle {
    now: i64,
    balance: i64,
    held: i64,
    /// (expiry, grant) of each granted cent that is left.
    cents: Vec<(i64, u32)>,
    given: BTreeMap<u32, i64>,
    taken: BTreeMap<u32, i64>,
}

impl Oracle {
    fn give(&mut self, grant: u32, expires: i64, cents: i64) {
        let free = (self.balance + cents).clamp(0, cents);
        self.balance += cents;
        self.given.insert(grant, cents);
        self.cents.extend((0..free).map(|_| (expires, grant)));
    }

    fn lower(&mut self, cents: i64) {
        self.balance -= cents;
        for _ in 0..cents {
            let Some(first) = self.cents.iter().min().copied() else { return };
            let place = self.cents.iter().position(|cent| *cent == first).expect("it is there");
            self.cents.swap_remove(place);
        }
    }

    /// Cents whose time is over go back one by one while nothing holds them.
    fn expire(&mut self) {
        while self.balance - self.held > 0 {
            let Some(first) = self.cents.iter().min().copied() else { return };
            if first.0 > self.now {
                return;
            }
            let place = self.cents.iter().position(|cent| *cent == first).expect("it is there");
            self.cents.swap_remove(place);
            self.balance -= 1;
            *self.taken.entry(first.1).or_default() += 1;
        }
    }
}

/// What a step does to the oracle.
type After = Box<dyn FnOnce(&mut Oracle)>;

fn cents(n: i64) -> String {
    format!("{n}e-2")
}

/// Plays the step in the account and in the oracle, and lets every grant expire whose time is over.
fn play(books: &mut Books, oracle: &mut Oracle, number: u32, step: &Step) {
    let now = oracle.now;
    let (line, after): (String, After) = match *step {
        Step::Grant { cents: n, expires } => {
            let at = expires.map_or(i64::MAX, |after| now + i64::from(after));
            let end = expires.map_or(String::new(), |_| format!("expires={at}"));
            let n = i64::from(n);
            (
                format!("grant G{number} {} {end} -> ok", cents(n)),
                Box::new(move |oracle| oracle.give(number, at, n)),
            )
        }
        Step::TopUp(n) => {
            let n = i64::from(n);
            let line = format!("top-up T{number} {} -> ok", cents(n));
            (line, Box::new(move |oracle| oracle.balance += n))
        }
        Step::Adjust(0) => return,
        Step::Adjust(n) => {
            let n = i64::from(n);
            let line = format!("adjust J{number} {} -> ok", cents(n));
            let after = move |oracle: &mut Oracle| match n < 0 {
                true => oracle.lower(-n),
                false => oracle.balance += n,
            };
            (line, Box::new(after))
        }
        Step::Charge(n) => {
            let n = i64::from(n);
            if oracle.balance - oracle.held < 0 {
                return;
            }
            let line = format!(
                "reserve R{number} 0 at={now} -> ok\n settle R{number} {} at={now} -> ok",
                cents(n)
            );
            (line, Box::new(move |oracle| oracle.lower(n)))
        }
        Step::Hold(n) => {
            let n = i64::from(n).min(oracle.balance - oracle.held);
            if n <= 0 || oracle.held > 0 {
                return;
            }
            let line = format!("reserve R1 {} at={now} model=m{number} -> ok", cents(n));
            let line = line.replace("R1", &format!("R{}", 1_000_000 + number));
            (line, Box::new(move |oracle| oracle.held += n))
        }
        Step::LetGo => {
            let open: Vec<_> = books.account.reservations.keys().copied().collect();
            let Some(held) = open.first() else { return };
            let n = held.uuid().as_u128();
            (format!("release R{n} -> ok"), Box::new(|oracle| oracle.held = 0))
        }
        Step::Pass(seconds) => {
            oracle.now += i64::from(seconds);
            return;
        }
    };
    run_unchecked(books, &line);
    after(oracle);
}

/// What the worker does.
fn expire_all(books: &mut Books, oracle: &mut Oracle) {
    oracle.expire();
    let at = crate::time::Timestamp::from_seconds(oracle.now);
    let due = books.account.open_grants().filter(|open| open.is_due(at)).map(|open| open.grant);
    let due: Vec<_> = due.collect();
    for grant in due {
        let command = crate::account::AccountCommand::ExpireGrant { grant, at };
        let events = crate::Eventful::decide(&books.account, command).expect("it is due");
        books.apply(super::script::stream(), events);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    /// Against an oracle that counts single cents. `Books` checks after every event that the
    /// journal balances and that the balance is what the journal owes.
    #[test]
    fn no_grant_ever_gives_back_more_than_is_unspent_of_it(
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut books = script("");
        let mut oracle = Oracle::default();
        for (number, step) in steps.iter().enumerate() {
            expire_all(&mut books, &mut oracle);
            play(&mut books, &mut oracle, number as u32 + 2, step);
            let expected = Money::parse(&cents(oracle.balance)).expect("cents fit");
            prop_assert_eq!(books.account.balance(), expected);
            let left = Money::parse(&cents(oracle.cents.len() as i64)).expect("cents fit");
            prop_assert_eq!(books.account.open_grants.left(), left);
        }
        let mut taken: BTreeMap<u128, Money> = BTreeMap::new();
        for event in &books.events {
            if let AccountEvent::GrantExpired { grant, amount, .. } = event {
                let sum = taken.entry(grant.uuid().as_u128()).or_default();
                *sum = super::books::plus(*sum, *amount);
            }
        }
        for (grant, sum) in taken {
            let grant = grant as u32;
            let expected = oracle.taken.get(&grant).copied().unwrap_or_default();
            prop_assert_eq!(sum, Money::parse(&cents(expected)).expect("cents fit"));
            prop_assert!(expected <= oracle.given[&grant]);
        }
        books.check_replay();
    }
}
