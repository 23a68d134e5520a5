//! Spending windows are computed from event time; nothing resets them.

use super::script::script;
use crate::time::{Period, Timestamp};

const DAY: i64 = 86_400;

#[test]
fn a_daily_key_limit_starts_anew_at_midnight() {
    script(
        "
        top-up   T1 10.00                   -> ok
        issue    key=K2 limit=1 period=day  -> ok
        reserve  R1 1.00 key=K2 at=86399    -> ok
        settle   R1 1.00 at=86399           -> warned
        reserve  R2 0.01 key=K2 at=86399    -> key_limit_exceeded
        reserve  R2 1.00 key=K2 at=86400    -> ok                   # the next day
        settle   R2 0.60 at=86401           -> ok
        reserve  R3 0.41 key=K2 at=86402    -> key_limit_exceeded
        reserve  R3 0.41 key=K2 at=86398    -> key_limit_exceeded   # a clock that went back
        reserve  R3 0.40 key=K2 at=86402    -> ok
        ",
    );
}

#[test]
fn what_is_open_counts_in_the_next_window_too() {
    script(
        "
        top-up   T1 10.00                   -> ok
        limit-account daily=1.00            -> ok
        reserve  R1 1.00 at=86399           -> ok
        reserve  R2 0.01 at=86400           -> spend_limit_exceeded # it will be charged today
        settle   R1 0.30 at=86400           -> ok
        reserve  R2 0.71 at=86400           -> spend_limit_exceeded
        reserve  R2 0.70 at=86400           -> ok
        ",
    );
}

#[test]
fn an_account_limit_counts_days_and_months_apart() {
    script(
        "
        top-up   T1 10.00                       -> ok
        limit-account daily=1.00 monthly=1.50   -> ok
        reserve  R1 1.00 at=0                   -> ok
        settle   R1 1.00 at=0                   -> warned
        reserve  R2 0.01 at=1                   -> spend_limit_exceeded # the day
        reserve  R2 0.50 at=86400               -> ok
        settle   R2 0.50 at=86400               -> warned
        reserve  R3 0.01 at=172800              -> spend_limit_exceeded # the month
        reserve  R3 0.01 at=2678399             -> spend_limit_exceeded # 31 January 23:59:59
        reserve  R3 1.00 at=2678400             -> ok                   # 1 February
        ",
    );
}

#[test]
fn changing_the_amount_of_a_limit_keeps_what_was_spent_and_changing_its_period_forgets_it() {
    script(
        "
        top-up   T1 10.00                       -> ok
        issue    key=K2 limit=1 period=week     -> ok
        reserve  R1 0.75 key=K2                 -> ok
        settle   R1 0.75                        -> ok
        limit-key key=K2 limit=2 period=week    -> ok
        spendable 1.25 key=K2
        limit-key key=K2 limit=2 period=month   -> ok
        spendable 2.00 key=K2
        ",
    );
}

/// Days since the epoch of known dates, computed elsewhere.
#[test]
fn windows_begin_where_the_calendar_says() {
    let window = |period: Period, day: i64| period.window(Timestamp::from_seconds(day * DAY));
    // Monday 2026-08-10 is day 20675.
    assert_eq!(window(Period::Week, 20_675), window(Period::Week, 20_681));
    assert_eq!(window(Period::Week, 20_675), window(Period::Week, 20_674) + 1);
    // 2024-02-29 is day 19782, 2024-03-01 day 19783; 2000-02-29 day 11016; 2100-03-01 day 47541.
    assert_eq!(window(Period::Month, 19_782), 2024 * 12 + 1);
    assert_eq!(window(Period::Month, 19_783), 2024 * 12 + 2);
    assert_eq!(window(Period::Month, 11_016), 2000 * 12 + 1);
    assert_eq!(window(Period::Month, 47_540), 2100 * 12 + 1);
    assert_eq!(window(Period::Month, 47_541), 2100 * 12 + 2);
    assert_eq!(window(Period::Month, -1), 1969 * 12 + 11);
    assert_eq!(window(Period::Total, -1), window(Period::Total, i64::from(u32::MAX)));
    assert_eq!(window(Period::Day, -1), -1);
    for extreme in [i64::MIN, i64::MAX] {
        for period in [Period::Day, Period::Week, Period::Month, Period::Total] {
            let window = period.window(Timestamp(extreme));
            assert_eq!(window < 0, extreme < 0 && period != Period::Total, "{period:?}");
        }
    }
}
