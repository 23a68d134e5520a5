//! Ids on the wire.

use proptest::prelude::*;
use tollgate_domain::ids::{AccountId, KeyId};
use uuid::Uuid;

#[test]
fn an_id_is_its_prefix_and_26_digits() {
    let id = AccountId::from_uuid(Uuid::from_u128(0x0198_a000_0000_7000_8000_0000_0000_0001));
    assert_eq!(id.to_string(), "acct_01k2g00000e008000000000001");
    assert_eq!("acct_01k2g00000e008000000000001".parse(), Ok(id));
    assert!(id.to_string().parse::<KeyId>().is_err(), "one kind is not another");
}

#[test]
fn what_is_no_id_is_refused() {
    for text in [
        "",
        "acct",
        "acct_",
        "acct_01k2g00000e00800000000000",
        "acct_01k2g00000e0080000000000011",
        "acct_81k2g00000e008000000000001",
        "acct_01K2G00000E008000000000001",
        "acct_01k2g00000e00800000000000u",
        "acct_01k2g00000e00800000000000é",
        "key_01k2g00000e008000000000001",
    ] {
        assert!(text.parse::<AccountId>().is_err(), "`{text}` was read");
    }
}

proptest! {
    #[test]
    fn text_and_uuid_are_one_to_one_and_sort_alike(a: u128, b: u128) {
        let (x, y) = (KeyId::from_uuid(Uuid::from_u128(a)), KeyId::from_uuid(Uuid::from_u128(b)));
        prop_assert_eq!(x.to_string().parse(), Ok(x));
        prop_assert_eq!(x.to_string().cmp(&y.to_string()), a.cmp(&b));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "(key_)?\\PC{0,30}") {
        if let Ok(id) = text.parse::<KeyId>() {
            prop_assert_eq!(id.to_string(), text);
        }
    }
}
