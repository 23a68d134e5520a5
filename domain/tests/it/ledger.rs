//! Events of all streams, as a reader of the whole ledger meets them.

use serde::de::DeserializeSeed;
use tollgate_domain::LedgerEvent;
use tollgate_domain::journal::Side;
use tollgate_domain::ledger_event::AggregateType;

fn decode(aggregate: &str, json: &str) -> Result<LedgerEvent, serde_json::Error> {
    let kind = AggregateType::find(aggregate).expect("a known aggregate");
    kind.deserialize(&mut serde_json::Deserializer::from_str(json))
}

const SETTLED: &str = include_str!("../../src/account/golden/ReservationSettled.v1.json");
const PURCHASED: &str = include_str!("../../src/master_account/golden/CreditsPurchased.v1.json");
const PRICED: &str = include_str!("../../src/price_book/golden/ModelPriced.v1.json");
const ACCOUNT: &str = "acct_01k2g00000e008000000000001";
const MASTER: &str = "mast_01k2g00000e008000000000005";

#[test]
fn a_payload_is_read_as_its_aggregate_says_and_no_other() {
    for (aggregate, payload, name) in [
        ("account", SETTLED, "ReservationSettled"),
        ("master_account", PURCHASED, "CreditsPurchased"),
        ("price_book", PRICED, "ModelPriced"),
    ] {
        assert_eq!(decode(aggregate, payload).expect("decodes").name(), name);
        for other in ["account", "master_account", "price_book"] {
            assert_eq!(decode(other, payload).is_ok(), other == aggregate, "{name} as {other}");
        }
    }
    assert_eq!(AggregateType::find("wallet"), None);
}

#[test]
fn entries_name_the_accounts_of_the_chart() {
    let lines = |aggregate, payload, stream: &str| {
        let entry = decode(aggregate, payload).expect("decodes").entry(stream)?;
        assert_eq!(entry.total(Side::Debit), entry.total(Side::Credit));
        let lines =
            entry.postings().iter().map(|p| format!("{:?} {} {}", p.side, p.account, p.amount));
        Some(lines.collect::<Vec<_>>())
    };
    assert_eq!(
        lines("account", SETTLED, ACCOUNT).expect("money moves"),
        [
            format!("Debit liabilities:customers:{ACCOUNT} 0.008"),
            "Credit income:usage 0.008".to_owned(),
            "Debit expenses:upstream 0.003".to_owned(),
            format!("Credit assets:upstream:{MASTER} 0.003"),
        ]
    );
    assert_eq!(
        lines("master_account", PURCHASED, MASTER).expect("money moves"),
        [
            format!("Debit assets:upstream:{MASTER} 284.36"),
            "Credit assets:cash:bank 284.36".to_owned(),
            format!("Debit assets:upstream:{MASTER} 15.64"),
            "Credit assets:cash:bank 15.64".to_owned(),
        ]
    );
    assert_eq!(lines("price_book", PRICED, "price_book"), None);
}
