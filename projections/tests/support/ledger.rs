//! A small ledger that decides with the real aggregates and appends as the engine does.

use std::collections::HashMap;

use sqlx::PgPool;
use tollgate_domain::account::{
    AccountCommand as Command, AccountEvent, CostSource, KeyLimits, Latencies, Outcome,
    ReserveFunds, SettleReservation,
};
use tollgate_domain::decimal::{ListCost, Ratio};
use tollgate_domain::ids::{
    AccountId, KeyId, MasterAccountId, PurchaseId, RequestId, ReservationId, TopUpId, UserId,
};
use tollgate_domain::master_account::MasterAccountCommand;
use tollgate_domain::{Account, Eventful, MasterAccount, Money, Timestamp, Usage};
use tollgate_projections::bench::{Writer, metadata};
use uuid::Uuid;

/// 2026-08-08T12:00:00Z.
pub const NOON: Timestamp = Timestamp::from_seconds(1_786_190_400);

pub struct Ledger {
    pub pool: PgPool,
    pub writer: Writer,
    pub now: Timestamp,
    pub accounts: HashMap<AccountId, Account>,
    pub masters: HashMap<MasterAccountId, MasterAccount>,
    ids: u128,
}

pub fn usd(text: &str) -> Money {
    Money::parse(text).expect("an amount")
}

impl Ledger {
    pub fn new(pool: &PgPool) -> Self {
        Self {
            pool: pool.clone(),
            writer: Writer::default(),
            now: NOON,
            accounts: HashMap::new(),
            masters: HashMap::new(),
            ids: 0,
        }
    }

    /// The same ids in every run, in the order in which they are made.
    pub fn uuid(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128((0x0190_0000_0000_7000_8000 << 48) | self.ids)
    }

    pub fn account(&mut self, id: AccountId, command: Command) {
        let state = self.accounts.entry(id).or_default();
        let events = state.decide(command).expect("the script obeys the rules");
        events.iter().for_each(|event| state.evolve(event));
        events.iter().for_each(|event| self.append(id, event));
    }

    /// Appends without asking anybody, with a sound chain: what a forger with rights could do.
    pub fn append(&mut self, id: AccountId, event: &AccountEvent) {
        let request = RequestId::from_uuid(Uuid::nil()).to_string();
        let who = metadata("system:test", Some(&request), "node-1");
        self.writer.push::<Account>(&id.to_string(), event, who, self.now);
    }

    pub fn master(&mut self, id: MasterAccountId, command: MasterAccountCommand) {
        let master = self.masters.entry(id).or_default();
        for event in master.decide(command).expect("the script obeys the rules") {
            master.evolve(&event);
            let who = metadata("system:test", None, "node-1");
            self.writer.push::<MasterAccount>(&id.to_string(), &event, who, self.now);
        }
    }

    pub async fn flush(&mut self) -> i64 {
        self.writer.flush(&self.pool).await.expect("the events are appended")
    }

    /// An account with a key and money.
    pub fn open(&mut self, dollars: &str) -> (AccountId, KeyId) {
        let account = AccountId::from_uuid(self.uuid());
        let owner = UserId::from_uuid(self.uuid());
        let key = KeyId::from_uuid(self.uuid());
        self.account(account, Command::OpenAccount { account, owner });
        self.account(account, Command::IssueKey { key, limits: KeyLimits::default() });
        let top_up = TopUpId::from_uuid(self.uuid());
        let (processor, reference) = ("manual".to_owned(), "wire 7".to_owned());
        let amount = usd(dollars);
        self.account(account, Command::TopUpFunds { top_up, amount, processor, reference });
        (account, key)
    }

    /// An upstream account whose credits cost 30 cents a dollar.
    pub fn buy(&mut self, credits: &str, paid: &str) -> MasterAccountId {
        let id = MasterAccountId::from_uuid(self.uuid());
        let purchase = PurchaseId::from_uuid(self.uuid());
        let (provider, label) = ("openrouter".to_owned(), "main".to_owned());
        self.master(
            id,
            MasterAccountCommand::RegisterMasterAccount {
                master_account: id,
                provider,
                label,
                reason: None,
            },
        );
        let (processor, reference) = ("manual".to_owned(), "invoice 1".to_owned());
        let (credits, paid, fee) = (usd(credits), usd(paid), Money::ZERO);
        self.master(
            id,
            MasterAccountCommand::PurchaseCredits {
                purchase,
                credits,
                paid,
                fee,
                processor,
                reference,
            },
        );
        id
    }

    pub fn reserve(&mut self, account: AccountId, key: KeyId, amount: &str) -> ReservationId {
        let reservation = ReservationId::from_uuid(self.uuid());
        let at = self.now;
        self.account(
            account,
            Command::ReserveFunds(ReserveFunds {
                reservation,
                key,
                model: "openai/gpt-5-mini".to_owned(),
                amount: usd(amount),
                sale_ratio: Ratio::parse("0.8").expect("a ratio"),
                price_version: 1,
                fallbacks: vec![],
                expires_at: at.plus_seconds(900),
                plan: tollgate_domain::account::SpendLimits::default(),
                at,
            }),
        );
        reservation
    }

    pub fn settle(
        &mut self,
        account: AccountId,
        reservation: ReservationId,
        master: MasterAccountId,
        list: &str,
    ) {
        self.settle_with(account, reservation, master, list, |_| {});
    }

    /// A settlement that differs.
    pub fn settle_with(
        &mut self,
        account: AccountId,
        reservation: ReservationId,
        master: MasterAccountId,
        list: &str,
        change: impl FnOnce(&mut SettleReservation),
    ) {
        let mut settle = SettleReservation {
            reservation,
            answered_model: None,
            usage: Usage {
                input: 90,
                cache_read: 10,
                output: 25,
                reasoning: 5,
                ..Usage::default()
            },
            list_cost: ListCost::parse(list).expect("a cost"),
            ruling: None,
            delivered_list_cost: None,
            computed_list_cost: None,
            source: CostSource::Upstream,
            master_account: master,
            cost_rate: Ratio::parse("0.3").expect("a ratio"),
            generation_id: Some("gen-1".to_owned()),
            outcome: Outcome::Completed,
            streamed: true,
            latencies: Latencies { first_byte_ms: 300, total_ms: 1_200 },
            at: self.now,
        };
        change(&mut settle);
        self.account(account, Command::SettleReservation(Box::new(settle)));
    }
}
