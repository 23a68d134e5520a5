//! What hangs on the log: snapshots, idempotency keys, the trial balance.

use std::collections::HashMap;

use futures_util::TryStreamExt;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, Row};
use tollgate_domain::ledger_event::AggregateType;

use super::report::{Place, Problems, TrialLine};
use super::rules::State;
use super::worker::StreamName;
use super::{Options, Passed};
use crate::error::ProjectionError;
use crate::fold::Fold;
use crate::sink::CopyText;

/// At which sequence each snapshot claims to know its stream.
pub(super) async fn claims(
    connection: &mut PgConnection,
    options: &Options,
) -> Result<HashMap<StreamName, i64>, ProjectionError> {
    let sql = "SELECT aggregate_type, aggregate_id, last_sequence FROM snapshots \
               WHERE current_snapshot = $1";
    let rows: Vec<(String, String, i64)> =
        sqlx::query_as(sql).bind(options.snapshot_layout).fetch_all(connection).await?;
    let known = rows.into_iter().filter_map(|(kind, id, sequence)| {
        Some(((AggregateType::find(&kind)?, id.into_boxed_str()), sequence))
    });
    Ok(known.collect())
}

/// Every snapshot of this build's layout equals the fold at its sequence.
pub(super) async fn snapshots(
    connection: &mut PgConnection,
    options: &Options,
    passed: &mut Passed,
) -> Result<(), ProjectionError> {
    let sql = "SELECT aggregate_type, aggregate_id, last_sequence, payload::text AS payload \
               FROM snapshots WHERE current_snapshot = $1";
    let mut rows = sqlx::query(sql).bind(options.snapshot_layout).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let (kind, id): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let place = Place {
            stream: Some(format!("{kind} {id}")),
            sequence: Some(row.try_get(2)?),
            row: Some("snapshots".to_owned()),
            position: None,
        };
        let kind = AggregateType::find(&kind);
        let folded = kind.and_then(|kind| passed.folded.get(&(kind, id.into_boxed_str())));
        match (kind, folded) {
            (Some(kind), Some(folded)) => match State::normal_json(kind, row.try_get("payload")?) {
                Ok(json) if Sha256::digest(&json)[..] == *folded => passed.snapshots += 1,
                Ok(_) => passed.problems.add(place, "the snapshot differs from the fold"),
                Err(error) => {
                    passed.problems.add(place, format!("the snapshot is unreadable: {error}"));
                }
            },
            _ => passed.problems.add(place, "the snapshot has no sound stream up to its sequence"),
        }
    }
    Ok(())
}

/// Every idempotency key points to a stream that exists.
pub(super) async fn idempotency_keys(
    connection: &mut PgConnection,
    problems: &mut Problems,
) -> Result<(), ProjectionError> {
    let sql = "SELECT k.scope, k.key, k.aggregate_type, k.aggregate_id FROM idempotency_keys k \
               WHERE NOT EXISTS (SELECT FROM events e WHERE e.aggregate_type = k.aggregate_type \
                 AND e.aggregate_id = k.aggregate_id AND e.sequence = 1)";
    let rows: Vec<(String, String, String, String)> =
        sqlx::query_as(sql).fetch_all(connection).await?;
    for (scope, key, kind, id) in rows {
        let place =
            Place { row: Some(format!("idempotency_keys {scope} / {key}")), ..Place::default() };
        problems.add(place, format!("points to the stream {kind} {id}, which has no events"));
    }
    Ok(())
}

/// The journal's totals, customers as one line; debits must equal credits.
pub(super) fn trial_balance(journal: &dyn Fold, problems: &mut Problems) -> Vec<TrialLine> {
    use rust_decimal::Decimal;
    let mut text = CopyText::default();
    journal.write(&mut text);
    let mut lines: Vec<(String, Decimal, Decimal, i64)> = vec![];
    let rows = String::from_utf8_lossy(text.bytes()).into_owned();
    for row in rows.lines() {
        let mut cells = row.split('\t');
        let mut cell = || cells.next().unwrap_or_default();
        let account = cell();
        let account = match account.starts_with("liabilities:customers:") {
            true => "liabilities:customers",
            false => account,
        };
        let number = |text: &str| Decimal::from_str_exact(text).unwrap_or_default();
        let (debit, credit) = (number(cell()), number(cell()));
        let postings = cell().parse().unwrap_or(0);
        match lines.iter_mut().find(|line| line.0 == account) {
            Some(line) => {
                line.1 += debit;
                line.2 += credit;
                line.3 += postings;
            }
            None => lines.push((account.to_owned(), debit, credit, postings)),
        }
    }
    let debit: Decimal = lines.iter().map(|line| line.1).sum();
    let credit: Decimal = lines.iter().map(|line| line.2).sum();
    if debit != credit {
        let what = format!("the journal does not balance: debits {debit}, credits {credit}");
        problems.add(Place::default(), what);
    }
    let postings = lines.iter().map(|line| line.3).sum();
    lines.push(("total".to_owned(), debit, credit, postings));
    lines
        .into_iter()
        .map(|(account, debit, credit, postings)| TrialLine {
            account,
            debit: debit.normalize().to_string(),
            credit: credit.normalize().to_string(),
            postings,
        })
        .collect()
}
