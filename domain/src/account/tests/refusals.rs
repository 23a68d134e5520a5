//! Every refusal beside the acceptance that it guards.

use std::collections::BTreeSet;

use super::books::Books;
use super::script::{REFUSALS, run, run_unchecked};

const OPENED: &str = "
    open A1 -> ok
    issue key=K1 -> ok
    top-up T1 10.00 -> ok
";

/// Each runs on an open account with ten dollars and the key `K1`.
const SCENARIOS: &[&str] = &[
    "
    open     A1                         -> again
    open     A2                         -> already_open
    ",
    "
    top-up   T2 0                       -> amount_not_positive
    top-up   T2 -1.00                   -> amount_not_positive
    top-up   T2 0.000000000001          -> ok
    grant    G1 0                       -> amount_not_positive
    grant    G1 0.01                    -> ok
    grant    G1 0.01 expires=9          -> id_reused
    refund   F1 T1 0                    -> amount_not_positive
    refund   F1 T1 -1                   -> amount_not_positive
    refund   F1 T1 0.01                 -> ok
    adjust   J1 0                       -> amount_not_positive
    adjust   J1 -0.01                   -> ok
    reserve  R1 -0.01                   -> amount_not_positive
    reserve  R1 0                       -> ok                  # a free model
    issue    key=K2 limit=-0.01         -> amount_not_positive
    issue    key=K2 limit=0             -> ok
    limit-key key=K2 limit=-0.01        -> amount_not_positive
    limit-key key=K2 limit=0.01         -> ok
    limit-account daily=-0.01           -> amount_not_positive
    limit-account monthly=-0.01         -> amount_not_positive
    limit-account daily=0 monthly=0     -> ok
    ",
    "
    top-up   T2 999999999990.000000000001 -> amount_too_large
    top-up   T2 999999999990            -> ok                  # the sum is a trillion exactly
    grant    G1 0.000000000001          -> amount_too_large
    adjust   J1 0.000000000001          -> amount_too_large
    adjust   J1 -1000000000000          -> ok
    reserve  R1 0                       -> ok
    adjust   J2 -1000000000000          -> ok
    adjust   J3 -0.000000000001         -> amount_too_large
    settle   R1 0.000000000001          -> amount_too_large    # no account owes a trillion
    settle   R1 0                       -> ok
    ",
    "
    reserve  R1 5                       -> ok
    adjust   J1 -1000000000000          -> ok
    adjust   J2 -6                      -> amount_too_large    # what is available must fit too
    adjust   J2 -5                      -> ok
    release  R1                         -> ok
    ",
    "
    top-up   T2 1 processor=x*201       -> text_too_long
    top-up   T2 1 processor=x*200       -> ok
    top-up   T3 1 reference=x*201       -> text_too_long
    top-up   T3 1 reference=ж*200       -> ok                  # characters, not bytes
    grant    G1 1 reason=x*201          -> text_too_long
    grant    G1 1 reason=x*200          -> ok
    refund   F1 T1 1 reason=x*201       -> text_too_long
    refund   F1 T1 1 reason=x*200       -> ok
    adjust   J1 1 reason=x*201          -> text_too_long
    adjust   J1 1 reference=x*201       -> text_too_long
    adjust   J1 1 reason=x*200          -> ok
    reserve  R1 1 model=x*201           -> text_too_long
    reserve  R1 1 model=x*200           -> ok
    settle   R1 1 generation=x*201      -> text_too_long
    unbilled R1 awaits=x*201            -> text_too_long
    settle   R1 1 generation=x*200      -> ok
    reserve  R2 1                       -> ok
    unbilled R2 awaits=x*200            -> ok
    late     R2 1 generation=x*201      -> text_too_long
    late     R2 1 generation=x*200      -> ok
    plan     name=x*201                 -> text_too_long
    plan     name=x*200                 -> ok
    suspend  reason=x*201               -> text_too_long
    suspend  reason=x*200               -> ok
    ",
    "
    top-up   T1 10.00                   -> again
    top-up   T1 10.01                   -> id_reused
    ",
    "
    reserve  R1 1.00                    -> ok
    reserve  R1 1.00                    -> again
    reserve  R1 1.01                    -> reservation_exists_with_different_amount
    ",
    "
    reserve  R1 1.00                    -> ok
    settle   R1 0.50                    -> ok
    release  R1                         -> already_settled
    reserve  R2 1.00                    -> ok
    release  R2                         -> ok
    settle   R2 0.50                    -> already_released
    reserve  R3 1.00 expires=600        -> ok
    expire   R3 at=599                  -> not_yet_expired
    settle   R3 0.50 at=601             -> ok                  # until recovery ends it
    reserve  R4 1.00 expires=600        -> ok
    expire   R4 at=600                  -> ok
    settle   R4 0.50                    -> already_expired
    settle   R5 0.50                    -> reservation_not_found
    release  R5                         -> reservation_not_found
    expire   R5                         -> reservation_not_found
    ",
    "
    grant    G1 1.00 expires=600        -> ok
    grant    G2 1.00                    -> ok
    expire-grant G3 at=600              -> grant_not_found
    expire-grant G2 at=600              -> grant_not_expired   # it never does
    expire-grant G1 at=599              -> grant_not_expired
    expire-grant G1 at=600              -> ok
    expire-grant G1 at=600              -> again
    ",
    "
    reserve  R1 1.00                    -> ok
    late     R1 0.50                    -> nothing_to_correct  # it is open: settle it
    settle   R1 0.50                    -> ok
    correct  R1 0.40                    -> nothing_to_correct  # it was no estimate
    late     R1 0.40                    -> nothing_to_correct
    reserve  R2 1.00                    -> ok
    settle   R2 0.50 source=estimate    -> ok
    late     R2 0.40                    -> already_settled
    correct  R2 0.40                    -> ok
    correct  R2 0.40                    -> again
    correct  R2 0.41                    -> already_corrected
    reserve  R3 1.00                    -> ok
    release  R3                         -> ok
    late     R3 0.40                    -> nothing_to_correct  # the upstream refused it
    reserve  R4 1.00                    -> ok
    unbilled R4 reason=recovered        -> ok
    unbilled R4 reason=recovered        -> again
    correct  R4 0.40                    -> nothing_to_correct  # nothing was estimated
    settle   R4 0.40                    -> already_released
    late     R4 0.40                    -> ok
    late     R4 0.40                    -> again
    late     R4 0.50                    -> already_corrected
    reserve  R5 1.00                    -> ok
    settle   R5 0.40 rule=waive         -> ok
    settle   R5 0.40 rule=waive         -> again
    settle   R5 0.41 rule=waive         -> already_released
    reserve  R6 1.00                    -> ok
    settle   R6 0.40 source=estimate generation=none -> ok
    correct  R6 0.40                    -> nothing_to_correct  # nobody could be asked
    unbilled R7                         -> reservation_not_found
    abandon  R8                         -> ok
    reserve  R8 1.00                    -> reservation_too_old # told to be refused already
    settle   R8 0.40                    -> reservation_not_found
    ",
    "
    reinstate                           -> not_suspended
    suspend                             -> ok
    suspend                             -> suspended
    reserve  R1 1.00                    -> suspended
    top-up   T2 1.00                    -> ok                  # money may still come
    reinstate                           -> ok
    reserve  R1 1.00                    -> ok
    ",
    "
    reserve  R1 1.00 key=K2             -> key_not_found
    revoke   key=K2                     -> key_not_found
    limit-key key=K2                    -> key_not_found
    issue    key=K2                     -> ok
    reserve  R1 1.00 key=K2             -> ok
    revoke   key=K2                     -> ok
    reserve  R2 1.00 key=K2             -> key_revoked
    limit-key key=K2 limit=1            -> key_revoked
    settle   R1 1.00                    -> ok                  # it was reserved before
    ",
    "
    issue    key=K2 expires=100         -> ok
    reserve  R1 1.00 key=K2 at=99       -> ok
    reserve  R2 1.00 key=K2 at=100      -> key_expired
    limit-key key=K2 expires=200        -> ok
    reserve  R2 1.00 key=K2 at=100      -> ok
    ",
    "
    issue    key=K2 limit=1.00          -> ok
    reserve  R1 1.000000000001 key=K2   -> key_limit_exceeded
    reserve  R1 1.00 key=K2             -> ok
    ",
    "
    limit-account monthly=1.00          -> ok
    reserve  R1 1.000000000001          -> spend_limit_exceeded
    reserve  R1 1.00                    -> ok
    ",
    "
    issue    key=K2 models=x*101        -> too_many_entries
    issue    key=K2 models=x*100        -> ok
    limit-key key=K2 addresses=::/0*101 -> too_many_entries
    limit-key key=K2 addresses=::/0*100 -> ok
    ",
    "
    limit-account daily=1.00            -> ok
    limit-own daily=1.01                -> own_limit_too_high
    limit-own daily=1.00                -> ok
    ",
    "
    reserve  R1 10.000000000001         -> insufficient_funds
    reserve  R1 10.00                   -> ok
    ",
    "
    refund   F1 T2 1.00                 -> top_up_not_found
    top-up   T2 1.00                    -> ok
    refund   F1 T2 1.01                 -> refund_too_large
    refund   F1 T2 0.60                 -> ok
    refund   F2 T2 0.41                 -> refund_too_large    # 0.40 is left of it
    refund   F2 T2 0.40                 -> ok
    refund   F3 T2 0.000000000001       -> refund_too_large
    reserve  R1 9.50                    -> ok
    refund   F4 T1 0.51                 -> insufficient_funds  # the rest is promised
    refund   F4 T1 0.50                 -> ok
    ",
];

fn many(times: u32, line: impl Fn(u32) -> String) -> String {
    (1..=times).map(line).collect()
}

#[test]
fn every_refusal_stands_beside_the_acceptance_that_it_guards() {
    let mut met = BTreeSet::new();
    for scenario in SCENARIOS {
        let mut books = Books::default();
        met.append(&mut run(&mut books, OPENED));
        met.append(&mut run(&mut books, scenario));
    }
    let mut books = Books::default();
    met.append(&mut run(
        &mut books,
        "top-up T1 1.00 -> not_open\n open A1 -> ok\n top-up T1 1.00 -> ok",
    ));
    met.append(&mut too_many_keys());
    met.append(&mut too_old());
    let all: BTreeSet<_> = REFUSALS.iter().copied().collect();
    assert_eq!(met, all, "a refusal without a scenario");
}

fn too_many_keys() -> BTreeSet<&'static str> {
    let mut books = Books::default();
    run(&mut books, "open A1 -> ok");
    run_unchecked(&mut books, &many(1_000, |n| format!("issue key=K{n} -> ok\n")));
    run(
        &mut books,
        "
        issue    key=K1001                  -> too_many_keys
        revoke   key=K1                     -> ok
        issue    key=K1001                  -> ok                  # a revoked one does not count
        ",
    )
}

#[test]
fn a_lifetime_of_charges_ends_at_a_trillion() {
    let mut books = Books::default();
    run(&mut books, OPENED);
    run(&mut books, "top-up T2 999999999990 -> ok");
    for n in 1..=1_000 {
        let at = "ratio=1000 model=m";
        run_unchecked(
            &mut books,
            &format!("reserve R{n} 0 {at} -> ok\n settle R{n} 1000000 -> ok"),
        );
    }
    run(
        &mut books,
        "
        balance  0 spent 1000000000000
        grant    G1 1                       -> ok
        reserve  R2000 1                    -> ok
        settle   R2000 0.000000000001       -> amount_too_large
        release  R2000                      -> ok
        ",
    );
}

fn too_old() -> BTreeSet<&'static str> {
    let mut books = Books::default();
    run(&mut books, OPENED);
    run(
        &mut books,
        &many(129, |n| format!("reserve R{0} 0 -> ok\n settle R{0} 0 -> ok\n", n + 10)),
    );
    run(
        &mut books,
        "
        reserve  R11 0                      -> reservation_too_old # it ended, 129 ends ago
        reserve  R5  0                      -> reservation_too_old # it never was, but who knows
        reserve  R12 0                      -> already_settled     # still remembered
        reserve  R140 0                     -> ok
        ",
    )
}

#[test]
fn a_refusal_is_told_by_its_first_reason() {
    let mut books = Books::default();
    run(&mut books, OPENED);
    run(
        &mut books,
        "
        suspend                             -> ok
        issue    key=K2 limit=1 expires=9   -> ok
        revoke   key=K2                     -> ok
        reserve  R1 99 key=K2 at=10         -> suspended
        reinstate                           -> ok
        reserve  R1 99 key=K2 at=10         -> key_revoked
        issue    key=K3 limit=1 expires=9   -> ok
        limit-account daily=2               -> ok
        reserve  R1 99 key=K3 at=10         -> key_expired
        limit-key key=K3 limit=1            -> ok
        reserve  R1 99 key=K3 at=10         -> key_limit_exceeded
        limit-key key=K3                    -> ok
        reserve  R1 99 key=K3 at=10         -> spend_limit_exceeded
        limit-account                       -> ok
        reserve  R1 99 key=K3 at=10         -> insufficient_funds
        reserve  R1 10 key=K3 at=10         -> ok
        ",
    );
}
