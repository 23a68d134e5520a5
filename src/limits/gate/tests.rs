use std::num::{NonZeroU32, NonZeroU64};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn rates(requests: u32, tokens: u64, at_once: u32) -> RateLimits {
    RateLimits {
        requests_per_minute: NonZeroU32::new(requests),
        tokens_per_minute: NonZeroU64::new(tokens),
        concurrent_requests: NonZeroU32::new(at_once),
    }
}

fn of_key(key: RateLimits) -> Rates {
    Rates { key, account: RateLimits::default() }
}

fn account() -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(1))
}

fn key(number: u128) -> KeyId {
    KeyId::from_uuid(Uuid::from_u128(number))
}

fn at(seconds: u64) -> Moment {
    Moment::default().plus(Duration::from_secs(seconds))
}

#[track_caller]
fn reached(outcome: Result<impl std::fmt::Debug, ApiError>) -> Reached {
    match outcome {
        Err(ApiError::LimitReached(reached)) => *reached,
        other => panic!("not refused by a limit: {other:?}"),
    }
}

#[test]
fn without_limits_nothing_is_remembered() {
    let gate = Gate::default();
    let mut admitted = gate.enter(account(), key(1), Rules::default()).unwrap();
    admitted.ask(["any/model"], u64::MAX).unwrap();
    assert!(admitted.place.is_none());
    assert_eq!(gate.keys.count() + gate.accounts.count(), 0);
}

#[test]
fn what_the_account_refuses_the_key_does_not_count() {
    let gate = Gate::default();
    let both = Rates { key: rates(2, 0, 0), account: rates(1, 0, 0) };
    drop(gate.enter_at(account(), key(1), &both, at(0)).unwrap());
    for _ in 0..5 {
        let refused = reached(gate.enter_at(account(), key(2), &both, at(0)));
        assert_eq!((refused.holder, refused.limit), (Holder::Account, 1));
        assert_eq!(refused.wait, Some(Duration::from_secs(60)));
    }
    let alone = of_key(rates(2, 0, 0));
    drop(gate.enter_at(account(), key(2), &alone, at(0)).unwrap());
    drop(gate.enter_at(account(), key(2), &alone, at(0)).unwrap());
    assert_eq!(reached(gate.enter_at(account(), key(2), &alone, at(0))).holder, Holder::Key);
}

#[test]
fn a_place_is_free_again_when_the_client_has_its_answer_or_is_gone() {
    let gate = Gate::default();
    let one = of_key(rates(0, 0, 1));
    let enter = || gate.enter_at(account(), key(1), &one, at(0));
    let mut first = enter().unwrap().unwrap();
    assert_eq!(reached(enter()).counted, Counted::AtOnce);
    first.leave();
    let second = enter().unwrap();
    first.leave();
    drop(first);
    assert!(enter().is_err(), "a place is given back once");
    drop(second);
    assert!(enter().is_ok());
}

#[test]
fn tokens_are_counted_by_estimate_and_then_as_they_were() {
    let gate = Gate::default();
    let limited = of_key(rates(0, 1_000, 0));
    let enter = |now| gate.enter_at(account(), key(1), &limited, now);
    let mut first = enter(at(0)).unwrap().unwrap();
    first.take_tokens(600, at(0)).unwrap();
    let mut second = enter(at(0)).unwrap().unwrap();
    let refused = reached(second.take_tokens(500, at(0)));
    assert_eq!((refused.used, refused.needed), (600, 500));
    assert_eq!(refused.wait, Some(Duration::from_secs(6)));
    // The prompt was shorter than estimated.
    first.settle_tokens(100, at(0));
    second.take_tokens(500, at(0)).unwrap();
    // The answer was long: 200 beyond the limit, which come back within twelve seconds.
    second.settle_tokens(1_100, at(0));
    drop((first, second));
    assert_eq!(reached(enter(at(11))).counted, Counted::Tokens);
    drop(enter(at(13)).unwrap());
    let never = reached(enter(at(200)).unwrap().unwrap().take_tokens(1_001, at(200)));
    assert!(never.is_final() && never.wait.is_none());
}

#[test]
fn a_request_that_came_to_nothing_gives_its_tokens_back() {
    let gate = Gate::default();
    let limited = of_key(rates(0, 1_000, 0));
    for _ in 0..10 {
        let rules = Rules { rates: limited, ..Rules::default() };
        let mut request = gate.enter(account(), key(1), rules).unwrap();
        request.ask([], 1_000).unwrap();
    }
}

#[test]
fn another_limit_counts_from_its_beginning() {
    let gate = Gate::default();
    drop(gate.enter_at(account(), key(1), &of_key(rates(1, 0, 0)), at(0)).unwrap());
    assert!(gate.enter_at(account(), key(1), &of_key(rates(1, 0, 0)), at(1)).is_err());
    let more = of_key(rates(2, 0, 0));
    drop(gate.enter_at(account(), key(1), &more, at(1)).unwrap());
    drop(gate.enter_at(account(), key(1), &more, at(1)).unwrap());
    assert!(gate.enter_at(account(), key(1), &more, at(1)).is_err());
}

#[test]
fn keys_that_are_idle_are_forgotten() {
    let gate = Gate::default();
    let limited = of_key(rates(60, 0, 5));
    for number in 0..50_000 {
        drop(gate.enter_at(account(), key(number), &limited, at(number as u64)).unwrap());
    }
    assert!(gate.keys.count() < 10_000, "{} keys", gate.keys.count());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Threads that come and go as they like: never more inside than allowed, never more let in
    /// than a minute allows, and in the end nobody is inside.
    #[test]
    fn limits_are_never_exceeded_by_concurrent_requests(
        per_minute in 1..200_u32,
        of_key_at_once in 1..6_u32,
        of_account_at_once in 1..9_u32,
        keys in 1..4_u128,
    ) {
        let gate = Gate::default();
        let rates = Rates {
            key: rates(0, 0, of_key_at_once),
            account: rates(per_minute, 0, of_account_at_once),
        };
        let (inside, let_in) = (AtomicU32::new(0), AtomicU32::new(0));
        let per_key: Vec<AtomicU32> = (0..keys).map(|_| AtomicU32::new(0)).collect();
        let run = |thread: u128| {
            for turn in 0..200 {
                let number = (thread + turn) % keys;
                // One moment for all: nothing comes back meanwhile.
                let Ok(admitted) = gate.enter_at(account(), key(number), &rates, at(1)) else {
                    std::thread::yield_now();
                    continue;
                };
                let_in.fetch_add(1, Ordering::SeqCst);
                let of_account = inside.fetch_add(1, Ordering::SeqCst);
                let of_key = per_key[number as usize].fetch_add(1, Ordering::SeqCst);
                assert!(of_account < of_account_at_once && of_key < of_key_at_once);
                std::thread::yield_now();
                per_key[number as usize].fetch_sub(1, Ordering::SeqCst);
                inside.fetch_sub(1, Ordering::SeqCst);
                drop(admitted);
            }
        };
        std::thread::scope(|scope| {
            for thread in 0..6 {
                scope.spawn(move || run(thread));
            }
        });
        let let_in = let_in.load(Ordering::SeqCst);
        prop_assert!(let_in <= per_minute);
        // Nobody is inside any more, and what the threads left of the minute is still there.
        let alone = || gate.enter_at(account(), key(0), &rates, at(1)).is_ok();
        let rest = (0..=per_minute).filter(|_| alone()).count();
        prop_assert_eq!(let_in as usize + rest, per_minute as usize);
        let later = gate.enter_at(account(), key(0), &rates, at(1_000));
        prop_assert!(later.is_ok());
    }
}
