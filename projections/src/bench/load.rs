//! Production-like events: customers on many accounts, a handful of models, real-looking usage.
//! Everything is decided by the aggregates, so the log obeys all rules; the same load is always
//! the same log.

use std::collections::VecDeque;

use rust_decimal::Decimal;
use sqlx::PgPool;
use tollgate_domain::account::{
    AccountCommand, CostSource, KeyLimits, Latencies, Outcome, ReleaseReason, ReserveFunds,
    SettleReservation, SpendLimits,
};
use tollgate_domain::decimal::{ListCost, Ratio};
use tollgate_domain::ids::{
    AccountId, KeyId, MasterAccountId, PurchaseId, RequestId, ReservationId, TopUpId, UserId,
};
use tollgate_domain::{
    Account, Eventful, MasterAccount, MasterAccountCommand, Money, Timestamp, Usage,
};
use uuid::Uuid;

use super::writer::{Writer, metadata};
use crate::error::ProjectionError;

/// How much to generate.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// At least this many events.
    pub events: usize,
    /// On this many accounts with one key each.
    pub accounts: usize,
    /// Requests that are open at the same time.
    pub open: usize,
    /// When the first event is recorded, in seconds since 1970. Events are half a millisecond
    /// apart.
    pub start_seconds: i64,
}

impl Default for Load {
    fn default() -> Self {
        Self { events: 1_000_000, accounts: 10_000, open: 64, start_seconds: 1_786_190_400 }
    }
}

/// Model and list price of a million input and output tokens in cents.
const MODELS: [(&str, u32, u32); 5] = [
    ("openai/gpt-5-mini", 25, 200),
    ("anthropic/claude-sonnet-4.5", 300, 1_500),
    ("google/gemini-2.5-flash", 30, 250),
    ("deepseek/deepseek-chat-v3.1", 27, 100),
    ("mistralai/mistral-small-3.2-24b-instruct", 6, 18),
];

struct Customer {
    id: AccountId,
    stream: String,
    key: KeyId,
    actor: String,
    account: Account,
}

struct Running {
    customer: usize,
    reservation: ReservationId,
    request: String,
    model: usize,
}

struct Generator {
    writer: Writer,
    random: u64,
    now: i64,
    events: usize,
    master: MasterAccountId,
    customers: Vec<Customer>,
    running: VecDeque<Running>,
}

/// Fills an empty log; returns its head.
///
/// # Errors
/// The database's.
///
/// # Panics
/// When an aggregate refuses what this load should be able to do.
pub async fn generate(pool: &PgPool, load: Load) -> Result<i64, ProjectionError> {
    let mut generator = Generator::new(load);
    generator.found(load.accounts.max(1));
    let mut head = 0;
    while generator.events < load.events {
        generator.request(load.open.max(1));
        if generator.writer.buffered() >= 5_000 {
            head = generator.writer.flush(pool).await?;
        }
    }
    if generator.writer.buffered() > 0 {
        head = generator.writer.flush(pool).await?;
    }
    // A log that just grew by a million rows has no statistics yet.
    sqlx::query("ANALYZE events").execute(pool).await?;
    Ok(head)
}

impl Generator {
    fn new(load: Load) -> Self {
        let mut new = Self {
            writer: Writer::default(),
            random: 0x9e37_79b9_7f4a_7c15,
            now: load.start_seconds * 1_000_000,
            events: 0,
            master: MasterAccountId::from_uuid(Uuid::nil()),
            customers: Vec::with_capacity(load.accounts),
            running: VecDeque::new(),
        };
        new.master = MasterAccountId::from_uuid(new.uuid());
        new
    }

    /// xorshift: the same numbers everywhere, without a dependency.
    fn next(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap_or(0)
    }

    fn uuid(&mut self) -> Uuid {
        let (high, low) = (self.next().to_be_bytes(), self.next().to_be_bytes());
        let mut random = [0; 10];
        random[..8].copy_from_slice(&high);
        random[8..].copy_from_slice(&low[..2]);
        let millis = u64::try_from(self.now / 1_000).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    fn tick(&mut self) -> Timestamp {
        self.now += 500;
        Timestamp(self.now)
    }

    fn found(&mut self, accounts: usize) {
        let mut master = MasterAccount::default();
        let credits = Money::dollars(3_000_000);
        for command in [
            MasterAccountCommand::RegisterMasterAccount {
                master_account: self.master,
                provider: "openrouter".to_owned(),
                label: "main".to_owned(),
                reason: None,
            },
            MasterAccountCommand::PurchaseCredits {
                purchase: PurchaseId::from_uuid(self.uuid()),
                credits,
                paid: Money::dollars(900_000),
                fee: Money::dollars(30_000),
                processor: "manual".to_owned(),
                reference: "invoice 1".to_owned(),
            },
        ] {
            for event in master.decide(command).expect("a purchase is allowed") {
                master.evolve(&event);
                let at = self.tick();
                let stream = self.master.to_string();
                self.writer.push::<MasterAccount>(&stream, &event, system(), at);
                self.events += 1;
            }
        }
        for _ in 0..accounts {
            self.open_account();
        }
    }

    fn open_account(&mut self) {
        self.tick();
        let id = AccountId::from_uuid(self.uuid());
        let key = KeyId::from_uuid(self.uuid());
        let owner = UserId::from_uuid(self.uuid());
        let top_up = TopUpId::from_uuid(self.uuid());
        self.customers.push(Customer {
            id,
            stream: id.to_string(),
            key,
            actor: key.to_string(),
            account: Account::default(),
        });
        let customer = self.customers.len() - 1;
        let amount = Money::dollars(1_000_000);
        let (processor, reference) = ("manual".to_owned(), "wire 1".to_owned());
        self.execute(customer, AccountCommand::OpenAccount { account: id, owner }, system());
        let command = AccountCommand::TopUpFunds { top_up, amount, processor, reference };
        self.execute(customer, command, system());
        let limits = KeyLimits::default();
        self.execute(customer, AccountCommand::IssueKey { key, limits }, system());
    }

    /// Reserves for a new request and ends the oldest one once enough are open.
    fn request(&mut self, open: usize) {
        let at = self.tick();
        let customer = self.below(self.customers.len());
        let reservation = ReservationId::from_uuid(self.uuid());
        let request = RequestId::from_uuid(self.uuid()).to_string();
        let model = self.below(MODELS.len());
        let known = &self.customers[customer];
        let metadata = metadata(&known.actor, Some(&request), "node-1");
        let command = AccountCommand::ReserveFunds(ReserveFunds {
            reservation,
            key: known.key,
            model: MODELS[model].0.to_owned(),
            amount: Money::parse("0.0625").expect("an amount"),
            sale_ratio: Ratio::parse("0.8").expect("a ratio"),
            price_version: 7,
            fallbacks: vec![],
            expires_at: at.plus_seconds(900),
            plan: SpendLimits::default(),
            at,
        });
        self.execute(customer, command, metadata);
        self.running.push_back(Running { customer, reservation, request, model });
        if self.running.len() > open
            && let Some(oldest) = self.running.pop_front()
        {
            self.end(&oldest);
        }
    }

    fn end(&mut self, running: &Running) {
        let at = self.tick();
        let metadata =
            metadata(&self.customers[running.customer].actor, Some(&running.request), "node-1");
        let reservation = running.reservation;
        if self.below(50) == 0 {
            let reason = ReleaseReason::UpstreamError;
            let command = AccountCommand::ReleaseReservation { reservation, reason };
            return self.execute(running.customer, command, metadata);
        }
        let usage = Usage {
            input: 200 + self.next() % 4_000,
            cache_read: if self.below(3) == 0 { 1_024 } else { 0 },
            output: 20 + self.next() % 900,
            ..Usage::default()
        };
        let (_, input, output) = MODELS[running.model];
        // Cents per million tokens: eight decimals.
        let cents = Decimal::from(usage.prompt_tokens()) * Decimal::from(input)
            + Decimal::from(usage.output) * Decimal::from(output);
        let list = ListCost::new(cents / Decimal::from(100_000_000)).expect("a cost");
        let drifts = self.below(100) == 0;
        let settle = SettleReservation {
            reservation,
            answered_model: None,
            usage,
            list_cost: list,
            ruling: None,
            delivered_list_cost: None,
            computed_list_cost: drifts.then_some(ListCost::ZERO),
            source: CostSource::Upstream,
            master_account: self.master,
            cost_rate: Ratio::parse("0.31").expect("a ratio"),
            generation_id: Some(format!("gen-{}-{:020}", at.micros() / 1_000_000, self.next())),
            outcome: Outcome::Completed,
            streamed: self.below(2) == 0,
            latencies: Latencies { first_byte_ms: 310, total_ms: 2_450 },
            at,
        };
        self.execute(
            running.customer,
            AccountCommand::SettleReservation(Box::new(settle)),
            metadata,
        );
    }

    fn execute(&mut self, customer: usize, command: AccountCommand, metadata: String) {
        let at = Timestamp(self.now);
        let known = &mut self.customers[customer];
        let events = known.account.decide(command).expect("the load obeys the rules");
        for event in events {
            known.account.evolve(&event);
            debug_assert_eq!(known.account.id(), Some(known.id));
            self.writer.push::<Account>(&known.stream, &event, metadata.clone(), at);
            self.events += 1;
        }
    }
}

fn system() -> String {
    metadata("system:bench", None, "node-1")
}
