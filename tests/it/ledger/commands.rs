//! Random commands of every aggregate. Ids come from small pools, so that repetitions, conflicts
//! and second ends occur.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;
use tollgate_domain::account::{
    AccountCommand as Account, AccountLimits, KeyLimits, ReleaseReason, ReserveFunds, SpendLimits,
};
use tollgate_domain::decimal::Ratio;
use tollgate_domain::ids::{
    AccountId, AdjustmentId, GrantId, KeyId, MasterAccountId, PurchaseId, RefundId, ReservationId,
    TopUpId, UserId,
};
use tollgate_domain::price_book::RatioScope;
use tollgate_domain::time::Period;
use tollgate_domain::{
    MasterAccountCommand as Master, Money, PriceBookCommand as Prices, PriceCard, Timestamp,
};
use uuid::Uuid;

use super::account::settle;

fn id(pool: u128) -> impl Strategy<Value = Uuid> {
    (1..=pool).prop_map(Uuid::from_u128)
}

fn amount() -> impl Strategy<Value = Money> {
    prop_oneof![
        1 => select(vec!["0", "-3", "0.000000000001", "999999999999"]),
        6 => select(vec!["0.25", "1", "1.5", "2", "0.3", "0.123456789012"]),
    ]
    .prop_map(|text| Money::parse(text).expect("fits"))
}

fn ratio() -> impl Strategy<Value = Ratio> {
    select(vec!["0", "0.3", "0.8", "1", "0.123456789012"])
        .prop_map(|text| Ratio::parse(text).expect("a ratio"))
}

fn key() -> impl Strategy<Value = KeyId> {
    id(3).prop_map(KeyId::from_uuid)
}

fn reservation() -> impl Strategy<Value = ReservationId> {
    id(12).prop_map(ReservationId::from_uuid)
}

/// With what JSON and SQL may trip over. Not NUL: the stock store sends jsonb, which has none.
fn text() -> impl Strategy<Value = String> {
    select(vec!["because", "", "\"quoted\" \\ \u{1}\u{7f}", "Zürich 🧾 ' ; --"])
        .prop_map(Into::into)
}

fn moment() -> impl Strategy<Value = Timestamp> {
    (0..40_i64).prop_map(|day| Timestamp::from_seconds(day * 86_400))
}

fn money_moved() -> impl Strategy<Value = Account> {
    prop_oneof![
        3 => (id(6), amount(), text()).prop_map(|(top_up, amount, reference)| Account::TopUpFunds {
            top_up: TopUpId::from_uuid(top_up),
            amount,
            processor: "manual".into(),
            reference,
        }),
        2 => (id(3), amount(), text(), proptest::option::of(moment())).prop_map(
            |(grant, amount, reason, expires_at)| Account::GrantFunds {
                grant: GrantId::from_uuid(grant),
                amount,
                reason,
                expires_at,
            }
        ),
        1 => (id(3), moment()).prop_map(|(grant, at)| Account::ExpireGrant {
            grant: GrantId::from_uuid(grant),
            at,
        }),
        1 => (id(3), id(6), amount(), text()).prop_map(|(refund, top_up, amount, reason)| {
            Account::RefundTopUp {
                refund: RefundId::from_uuid(refund),
                top_up: TopUpId::from_uuid(top_up),
                amount,
                reason,
            }
        }),
        1 => (id(3), amount(), text()).prop_map(|(adjustment, amount, reason)| {
            Account::PostAdjustment {
                adjustment: AdjustmentId::from_uuid(adjustment),
                amount,
                reason,
                reference: "r".into(),
            }
        }),
    ]
}

fn rule() -> impl Strategy<Value = Account> {
    let limits = (proptest::option::of(amount()), proptest::option::of(amount()));
    prop_oneof![
        6 => Just(Account::OpenAccount {
            account: AccountId::from_uuid(Uuid::from_u128(1)),
            owner: UserId::from_uuid(Uuid::from_u128(1)),
        }),
        4 => (key(), proptest::option::of(amount())).prop_map(|(key, limit)| Account::IssueKey {
            key,
            limits: KeyLimits { limit, period: Some(Period::Month), ..KeyLimits::default() },
        }),
        1 => (key(), amount()).prop_map(|(key, limit)| Account::ChangeKeyLimits {
            key,
            limits: KeyLimits { limit: Some(limit), ..KeyLimits::default() },
        }),
        1 => key().prop_map(|key| Account::RevokeKey { key }),
        1 => text().prop_map(|reason| Account::SuspendAccount { reason }),
        2 => Just(Account::ReinstateAccount { reason: None }),
        1 => limits.prop_map(|(daily, monthly)| Account::ChangeSpendLimits {
            limits: AccountLimits { daily, monthly, ..AccountLimits::default() },
            reason: None,
        }),
        2 => text().prop_map(|reason| Account::ChangeSpendLimits {
            limits: AccountLimits::default(),
            reason: Some(reason),
        }),
        1 => (proptest::option::of(amount()), Just(None)).prop_map(|(daily, monthly)| {
            let limits = SpendLimits { daily, monthly };
            Account::ChangeOwnLimits { limits, plan: SpendLimits::default() }
        }),
        1 => Just(Account::RemovePlan { reason: None }),
        1 => text().prop_map(|plan| Account::AssignPlan { plan, reason: None }),
    ]
}

/// Of an account.
pub fn account() -> impl Strategy<Value = Account> {
    let reserve = (reservation(), key(), amount(), ratio(), moment()).prop_map(
        |(reservation, key, amount, sale_ratio, at)| {
            Account::ReserveFunds(ReserveFunds {
                reservation,
                key,
                model: "maker/model".into(),
                amount,
                sale_ratio,
                price_version: 1,
                fallbacks: vec![],
                expires_at: at.plus_seconds(900),
                plan: SpendLimits::default(),
                at,
            })
        },
    );
    let list_cost = select(vec!["0", "0.0076509169000000005", "1.25", "0.01"]);
    let end = prop_oneof![
        3 => (reservation(), list_cost).prop_map(|(id, list_cost)| settle(id, list_cost)),
        1 => reservation().prop_map(|reservation| Account::ReleaseReservation {
            reservation,
            reason: ReleaseReason::UpstreamError,
        }),
        1 => (reservation(), moment())
            .prop_map(|(reservation, at)| Account::ExpireReservation { reservation, at }),
    ];
    prop_oneof![5 => reserve, 5 => end, 4 => money_moved(), 4 => rule()]
}

/// Of an upstream account.
pub fn master() -> impl Strategy<Value = Master> {
    prop_oneof![
        2 => (id(2), text()).prop_map(|(master_account, label)| Master::RegisterMasterAccount {
            master_account: MasterAccountId::from_uuid(master_account),
            provider: "openrouter".into(),
            label,
            reason: None,
        }),
        4 => (id(6), amount(), amount(), text()).prop_map(|(purchase, credits, paid, reference)| {
            Master::PurchaseCredits {
                purchase: PurchaseId::from_uuid(purchase),
                credits,
                paid,
                fee: Money::parse("0.05").expect("fits"),
                processor: "card".into(),
                reference,
            }
        }),
        1 => (id(3), amount(), amount()).prop_map(|(adjustment, credits, value)| {
            Master::AdjustCredits {
                adjustment: AdjustmentId::from_uuid(adjustment),
                credits,
                value,
                reason: "statement".into(),
                stated: None,
            }
        }),
        1 => (0..5_u32).prop_map(|key_version| {
            Master::RotateUpstreamKey { key_version, reason: None }
        }),
        1 => text().prop_map(|reason| Master::DisableMasterAccount { reason }),
        1 => Just(Master::EnableMasterAccount { reason: None }),
    ]
}

fn card() -> impl Strategy<Value = PriceCard> {
    select(vec![
        r#"{"rates":{"prompt":"0.0000001","completion":"0.0000004"}}"#,
        r#"{"rates":{"prompt":"0.0000000000000000000001","completion":"3","request":"0.01"}}"#,
        r#"{"rates":{"prompt":"1"},"tiers":[{"min_prompt_tokens":200000,"rates":{"prompt":"2"}}]}"#,
    ])
    .prop_map(|json| serde_json::from_str(json).expect("a card"))
}

/// Of the price book.
pub fn prices() -> impl Strategy<Value = Prices> {
    let model =
        || select(vec!["maker/a", "maker/b", "other/c:free", "~odd"]).prop_map(String::from);
    let list = proptest::collection::btree_map(model(), card(), 0..4);
    let scope = prop_oneof![
        Just(RatioScope::Default),
        text().prop_map(RatioScope::Plan),
        model().prop_map(RatioScope::Model),
        id(2).prop_map(|account| RatioScope::Account(AccountId::from_uuid(account))),
    ];
    prop_oneof![
        3 => list.prop_map(|models: BTreeMap<String, PriceCard>| Prices::PublishPrices {
            source: "openrouter".into(),
            models,
        }),
        3 => (scope, proptest::option::of(ratio()))
            .prop_map(|(scope, ratio)| Prices::SetSaleRatio { scope, ratio, reason: None }),
        1 => (text(), ratio()).prop_map(|(plan, ratio)| {
            let limits = AccountLimits::default();
            Prices::DefinePlan { plan, ratio, limits, reason: None }
        }),
    ]
}
