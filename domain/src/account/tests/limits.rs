//! Limits of key, account, owner and plan, and the warning of their end.

use super::script::script;
use crate::account::KeyLimits;

#[test]
fn of_the_operator_s_the_plan_s_and_the_owner_s_limit_the_one_that_counts() {
    script(
        "
        top-up   T1 100                                 -> ok
        spendable 5.00 plan-daily=5
        reserve  R1 5.01 plan-daily=5                   -> spend_limit_exceeded # the plan's
        limit-account daily=8                           -> ok
        spendable 8.00 plan-daily=5
        reserve  R1 5.01 plan-daily=5                   -> ok                   # the account's own
        release  R1                                     -> ok
        limit-own daily=3 plan-daily=5                  -> ok
        spendable 3.00 plan-daily=5
        reserve  R2 3.01 plan-daily=5                   -> spend_limit_exceeded # the owner's
        limit-account daily=2                           -> ok
        spendable 2.00 plan-daily=5                                             # the lower of both
        limit-account                                   -> ok
        limit-own                                       -> ok
        spendable 100 plan-monthly=1000
        ",
    );
}

#[test]
fn the_owner_stays_within_what_the_operator_allows() {
    script(
        "
        limit-own daily=5                               -> ok                   # nobody forbids it
        limit-own daily=5                               -> again
        limit-account daily=4 monthly=50                -> ok
        limit-own daily=5                               -> own_limit_too_high
        limit-own monthly=50.01                         -> own_limit_too_high
        limit-own daily=4 monthly=50                    -> ok
        limit-account                                   -> ok
        limit-own daily=7 plan-daily=6                  -> own_limit_too_high
        limit-own daily=6 plan-daily=6                  -> ok
        limit-own daily=-1                              -> amount_not_positive
        limit-own                                       -> ok
        ",
    );
}

#[test]
fn the_end_of_a_key_s_limit_is_warned_of_once_per_window() {
    script(
        "
        top-up   T1 100                                 -> ok
        issue    key=K2 limit=10 period=day             -> ok
        reserve  R1 7.99 key=K2 at=100                  -> ok
        settle   R1 7.99 at=100                         -> ok
        reserve  R2 1 key=K2 at=200                     -> ok
        settle   R2 0.01 at=200                         -> warned               # 8.00 of 10
        settle   R2 0.01 at=200                         -> again
        reserve  R3 1 key=K2 at=300                     -> ok
        settle   R3 1 at=300                            -> ok                   # said already
        reserve  R4 9 key=K2 at=86400                   -> ok
        settle   R4 9 at=86400                          -> warned               # the next day
        ",
    );
}

#[test]
fn a_settlement_counts_for_the_window_in_which_it_ends() {
    script(
        "
        top-up   T1 100                                 -> ok
        issue    key=K2 limit=10 period=day             -> ok
        reserve  R1 9 key=K2 at=86399                   -> ok
        reserve  R2 1 key=K2 at=86399                   -> ok
        settle   R1 9 at=86400                          -> warned
        settle   R2 1 at=86399                          -> ok                   # a clock behind
        ",
    );
}

#[test]
fn another_limit_has_an_end_of_its_own_to_warn_of() {
    script(
        "
        top-up   T1 100                                 -> ok
        issue    key=K2 limit=10                        -> ok
        reserve  R1 9 key=K2                            -> ok
        settle   R1 9                                   -> warned
        limit-key key=K2 limit=20                       -> ok
        reserve  R2 6 key=K2                            -> ok
        settle   R2 6                                   -> ok                   # 15 of 20
        reserve  R3 1 key=K2                            -> ok
        settle   R3 1                                   -> warned               # 16 of 20
        limit-key key=K2 limit=20 models=a/b            -> ok                   # the same amount
        reserve  R4 1 key=K2                            -> ok
        settle   R4 1                                   -> ok
        limit-key key=K2 limit=20 period=month          -> ok                   # counts anew
        reserve  R5 16 key=K2                           -> ok
        settle   R5 16                                  -> warned
        ",
    );
}

#[test]
fn key_day_and_month_each_warn_of_their_own_end() {
    script(
        "
        top-up   T1 100                                 -> ok
        issue    key=K2 limit=10                        -> ok
        limit-account daily=10 monthly=10               -> ok
        reserve  R1 9 key=K2                            -> ok
        settle   R1 9                                   -> warned-thrice
        reserve  R2 1 key=K2 at=86400                   -> ok
        settle   R2 1 at=86400                          -> ok                   # the month's is old
        limit-account daily=1 monthly=100               -> ok
        reserve  R3 0 at=86400                          -> ok
        settle   R3 0 at=86400                          -> warned               # 1 of 1 a day
        ",
    );
}

#[test]
fn the_plan_s_limit_warns_even_where_recovery_settles() {
    script(
        "
        top-up   T1 100                                 -> ok
        reserve  R1 9 plan-monthly=10                   -> ok
        settle   R1 9                                   -> warned
        plan     name=gold                              -> ok
        reserve  R2 1 plan-monthly=10                   -> ok
        settle   R2 0                                   -> warned               # another plan
        remove-plan                                     -> ok
        remove-plan                                     -> again
        reserve  R3 1                                   -> ok
        settle   R3 1                                   -> ok                   # no limit at all
        ",
    );
}

#[test]
fn a_limit_of_nothing_has_no_end_to_warn_of_and_a_charge_beyond_it_all_has() {
    script(
        "
        top-up   T1 100                                 -> ok
        issue    key=K2 limit=0                         -> ok
        reserve  R1 0 key=K2                            -> ok
        settle   R1 5                                   -> ok
        issue    key=K3 limit=1                         -> ok
        reserve  R2 1 key=K3                            -> ok
        settle   R2 50                                  -> warned
        ",
    );
}

/// 29 February 2024 is day 19782, a Thursday; 26 February the Monday of its week.
#[test]
fn windows_end_at_midnight_utc_on_leap_days_too() {
    for (period, last, next) in [
        ("day", 19_782 * 86_400 + 86_399, 19_783 * 86_400),
        ("month", 19_782 * 86_400 + 86_399, 19_783 * 86_400),
        ("week", 19_785 * 86_400 + 86_399, 19_786 * 86_400),
    ] {
        script(&format!(
            "
            top-up   T1 100                             -> ok
            issue    key=K2 limit=1 period={period}     -> ok
            reserve  R1 1 key=K2 at={last}              -> ok
            settle   R1 1 at={last}                     -> warned
            reserve  R2 0.01 key=K2 at={last}           -> key_limit_exceeded
            reserve  R2 1 key=K2 at={next}              -> ok
            settle   R2 1 at={next}                     -> warned
            reserve  R3 0.01 key=K2 at={next}           -> key_limit_exceeded
            "
        ));
    }
}

#[test]
fn a_key_s_models_are_ids_or_all_of_a_vendor() {
    let models = ["openai/gpt-4o-mini", "anthropic/*"].map(str::to_owned);
    for allowed in ["openai/gpt-4o-mini", "anthropic/claude-opus-4.1", "anthropic/x:free"] {
        assert!(KeyLimits::allow(&models, allowed), "{allowed}");
    }
    for other in [
        "openai/gpt-4o",
        "openai/gpt-4o-mini:free",
        "anthropic/",
        "anthropic",
        "anthropics/claude",
        "x/anthropic/y",
        "~anthropic/claude-latest",
        "",
    ] {
        assert!(!KeyLimits::allow(&models, other), "{other}");
    }
    assert!(KeyLimits::allow(&[], "anything"));
}
