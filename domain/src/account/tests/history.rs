//! Exactly one end, long after the end is forgotten.

use super::script::{run, run_unchecked, script, uuid};
use crate::ids::ReservationId;

#[test]
fn an_end_holds_beyond_what_is_remembered() {
    let mut books = script("top-up T1 1.00 -> ok\n reserve R1 0.10 -> ok\n");
    assert_eq!(books.account.reservation_watermark(), None);
    for n in 2..300 {
        run_unchecked(&mut books, &format!("reserve R{n} 0.10 -> ok\n release R{n} -> ok"));
    }
    let watermark = ReservationId::from_uuid(uuid("R171"));
    assert_eq!(books.account.reservation_watermark(), Some(watermark));
    run(
        &mut books,
        "
        reserve  R171 0.10                  -> reservation_too_old
        release  R171                       -> reservation_not_found
        settle   R171 0.10                  -> reservation_not_found
        expire   R171                       -> reservation_not_found
        release  R172                       -> again
        reserve  R172 0.10                  -> already_released
        balance  1.00 reserved 0.10
        settle   R1   0.05                  -> ok   # older than the watermark, but still open
        settle   R1   0.05                  -> again
        balance  0.95 reserved 0
        ",
    );
}

#[test]
fn the_watermark_is_the_newest_forgotten_id_in_whatever_order_they_ended() {
    let mut books = script("top-up T1 1.00 -> ok");
    run(&mut books, "reserve R900 0 -> ok\n release R900 -> ok");
    for n in 1..=128 {
        run_unchecked(&mut books, &format!("reserve R{n} 0 -> ok\n release R{n} -> ok"));
    }
    run(
        &mut books,
        "
        reserve  R899 0                     -> reservation_too_old
        reserve  R900 0                     -> reservation_too_old
        reserve  R901 0                     -> ok
        ",
    );
}
