//! Durable ledger commands: reserve and settle with production events, as many clients at once.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use tollgate_domain::account::{
    AccountCommand, CostSource, KeyLimits, Latencies, Outcome, ReserveFunds, SettleReservation,
    SpendLimits,
};
use tollgate_domain::decimal::{ListCost, Ratio};
use tollgate_domain::ids::{AccountId, KeyId, MasterAccountId, ReservationId, TopUpId, UserId};
use tollgate_domain::{Money, Usage};
use uuid::Uuid;

use super::{BenchError, Stage, histogram};
use crate::ledger::{Actor, CommandContext, Ledger, now};

/// What one run measured.
#[derive(Debug)]
pub struct LedgerFigures {
    /// Commands acknowledged after their commit, per second.
    pub per_second: u64,
    /// Latency of one command in microseconds.
    pub latency: Histogram<u64>,
    /// Events in one statement, on average.
    pub events_per_batch: u64,
}

/// An account with a key and money.
#[derive(Debug, Clone)]
pub struct Funded {
    /// The stream's id.
    pub stream: String,
    /// Its key.
    pub key: KeyId,
}

/// Opens `count` accounts with a key and money each.
///
/// # Errors
/// The ledger refuses.
pub async fn open_accounts(ledger: &Ledger, count: usize) -> Result<Vec<Funded>, BenchError> {
    let mut tasks = JoinSet::new();
    for lane in 0..32 {
        let ledger = ledger.clone();
        let share = count / 32 + usize::from(lane < count % 32);
        tasks.spawn(async move {
            let mut opened = Vec::with_capacity(share);
            for _ in 0..share {
                opened.push(open_account(&ledger).await?);
            }
            Ok::<_, BenchError>(opened)
        });
    }
    let mut all = Vec::with_capacity(count);
    while let Some(lane) = tasks.join_next().await {
        all.append(&mut lane.map_err(BenchError::new)??);
    }
    Ok(all)
}

async fn open_account(ledger: &Ledger) -> Result<Funded, BenchError> {
    let account = AccountId::from_uuid(Uuid::now_v7());
    let key = KeyId::from_uuid(Uuid::now_v7());
    let stream = account.to_string();
    let by = CommandContext::by(Actor::System("bench"));
    let commands = [
        AccountCommand::OpenAccount { account, owner: UserId::from_uuid(Uuid::now_v7()) },
        AccountCommand::TopUpFunds {
            top_up: TopUpId::from_uuid(Uuid::now_v7()),
            amount: Money::dollars(1_000_000_000),
            processor: "manual".into(),
            reference: "bench".into(),
        },
        AccountCommand::IssueKey { key, limits: KeyLimits::default() },
    ];
    for command in commands {
        ledger.accounts.execute(&stream, command, &by, None).await.map_err(BenchError::new)?;
    }
    Ok(Funded { stream, key })
}

/// A reservation as the request path makes it.
#[must_use]
pub fn reserve(key: KeyId, reservation: ReservationId) -> AccountCommand {
    let at = now();
    AccountCommand::ReserveFunds(ReserveFunds {
        reservation,
        key,
        model: "anthropic/claude-haiku-4.5".into(),
        amount: Money::parse("0.0421337").unwrap_or(Money::ZERO),
        sale_ratio: Ratio::parse("0.8").unwrap_or(Ratio::ONE),
        price_version: 17,
        fallbacks: vec![],
        expires_at: at.plus_seconds(900),
        plan: SpendLimits::default(),
        at,
    })
}

/// A settlement as the request path makes it.
#[must_use]
pub fn settle(master_account: MasterAccountId, reservation: ReservationId) -> AccountCommand {
    AccountCommand::SettleReservation(Box::new(SettleReservation {
        reservation,
        answered_model: None,
        usage: Usage { input: 4_087, cache_read: 10_507, output: 461, ..Usage::default() },
        list_cost: ListCost::parse("0.0076509169000000005").unwrap_or(ListCost::ZERO),
        ruling: None,
        delivered_list_cost: None,
        computed_list_cost: None,
        source: CostSource::Upstream,
        master_account,
        cost_rate: Ratio::parse("0.3").unwrap_or(Ratio::ONE),
        generation_id: Some("gen-1780944464-aVi4x8Mw2aEBGnCL6z99".into()),
        outcome: Outcome::Completed,
        streamed: true,
        latencies: Latencies { first_byte_ms: 412, total_ms: 3_317 },
        at: now(),
    }))
}

/// `clients` tasks, each reserving and settling in turn on the accounts for `time`.
///
/// # Errors
/// A command failed: with enough money and one node none should.
pub async fn run(
    stage: &Stage,
    accounts: &[Funded],
    clients: usize,
    time: Duration,
) -> Result<LedgerFigures, BenchError> {
    let master = MasterAccountId::from_uuid(Uuid::now_v7());
    let before = stage.ledger.engine().stats();
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for client in 0..clients {
        let ledger = stage.ledger.clone();
        let mine: Vec<Funded> =
            accounts.iter().skip(client % accounts.len()).step_by(clients).cloned().collect();
        tasks.spawn(async move {
            let mut latencies = histogram();
            let mut turn = 0;
            while begun.elapsed() < time {
                let account = &mine[turn % mine.len()];
                turn += 1;
                let reservation = ReservationId::from_uuid(Uuid::now_v7());
                let by = CommandContext::by(Actor::Key(account.key));
                for command in [reserve(account.key, reservation), settle(master, reservation)] {
                    let sent = Instant::now();
                    let pending = ledger
                        .accounts
                        .begin(&account.stream, &by, None, |_| command.clone())
                        .await
                        .map_err(BenchError::new)?;
                    pending.committed().await.map_err(BenchError::new)?;
                    latencies.saturating_record(sent.elapsed().as_micros() as u64);
                }
            }
            Ok::<_, BenchError>(latencies)
        });
    }
    let mut latency = histogram();
    while let Some(client) = tasks.join_next().await {
        latency.add(client.map_err(BenchError::new)??).map_err(BenchError::new)?;
    }
    let elapsed = begun.elapsed();
    let after = stage.ledger.engine().stats();
    let batches = (after.batches - before.batches).max(1);
    Ok(LedgerFigures {
        per_second: latency.len() * 1_000_000 / (elapsed.as_micros() as u64).max(1),
        latency,
        events_per_batch: (after.events - before.events) / batches,
    })
}
