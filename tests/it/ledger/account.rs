//! Accounts with money, for the tests in which the rules of the account matter.

use tollgate::ledger::{CommandError, now};
use tollgate_domain::account::{
    AccountCommand, CostSource, KeyLimits, Latencies, Outcome, ReleaseReason, ReserveFunds,
    SettleReservation, SpendLimits,
};
use tollgate_domain::decimal::{ListCost, Ratio};
use tollgate_domain::ids::{AccountId, KeyId, MasterAccountId, ReservationId, TopUpId, UserId};
use tollgate_domain::{Account, AccountError, Money, Usage};
use uuid::Uuid;

use super::{Node, by};

pub type Outcomes = Result<(), CommandError<AccountError>>;

/// An open account with one key.
#[derive(Debug, Clone)]
pub struct Funded {
    pub stream: String,
    pub key: KeyId,
}

pub fn reservation() -> ReservationId {
    ReservationId::from_uuid(Uuid::now_v7())
}

pub fn dollars(text: &str) -> Money {
    Money::parse(text).unwrap()
}

pub async fn send(node: &Node, account: &Funded, command: AccountCommand) -> Outcomes {
    let sent = node.ledger.accounts.execute(&account.stream, command, &by("test"), None).await;
    sent.map(|_| ())
}

pub fn top_up(amount: &str) -> AccountCommand {
    AccountCommand::TopUpFunds {
        top_up: TopUpId::from_uuid(Uuid::now_v7()),
        amount: dollars(amount),
        processor: "manual".into(),
        reference: "test".into(),
    }
}

pub fn reserve(account: &Funded, reservation: ReservationId, amount: &str) -> AccountCommand {
    let at = now();
    AccountCommand::ReserveFunds(ReserveFunds {
        reservation,
        key: account.key,
        model: "maker/model".into(),
        amount: dollars(amount),
        sale_ratio: Ratio::parse("0.8").unwrap(),
        price_version: 1,
        fallbacks: vec![],
        expires_at: at.plus_seconds(900),
        plan: SpendLimits::default(),
        at,
    })
}

pub fn settle(reservation: ReservationId, list_cost: &str) -> AccountCommand {
    AccountCommand::SettleReservation(Box::new(SettleReservation {
        reservation,
        answered_model: None,
        usage: Usage { input: 10, output: 2, ..Usage::default() },
        list_cost: ListCost::parse(list_cost).unwrap(),
        ruling: None,
        delivered_list_cost: None,
        computed_list_cost: None,
        source: CostSource::Upstream,
        master_account: MasterAccountId::from_uuid(Uuid::from_u128(9)),
        cost_rate: Ratio::parse("0.3").unwrap(),
        generation_id: Some("gen-1".into()),
        outcome: Outcome::Completed,
        streamed: false,
        latencies: Latencies::default(),
        at: now(),
    }))
}

pub fn release(reservation: ReservationId) -> AccountCommand {
    AccountCommand::ReleaseReservation { reservation, reason: ReleaseReason::ClientLeft }
}

impl Funded {
    pub async fn open(node: &Node, amount: &str) -> Self {
        let account = AccountId::from_uuid(Uuid::now_v7());
        let key = KeyId::from_uuid(Uuid::now_v7());
        let funded = Self { stream: account.to_string(), key };
        let owner = UserId::from_uuid(Uuid::now_v7());
        send(node, &funded, AccountCommand::OpenAccount { account, owner }).await.unwrap();
        let issue = AccountCommand::IssueKey { key, limits: KeyLimits::default() };
        send(node, &funded, issue).await.unwrap();
        send(node, &funded, top_up(amount)).await.unwrap();
        funded
    }

    pub async fn seen_by(&self, node: &Node) -> Account {
        node.ledger.accounts.peek(&self.stream, Account::clone).await.unwrap()
    }
}
