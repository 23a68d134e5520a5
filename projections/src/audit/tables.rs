//! Each read model against the fold of the log up to its checkpoint.

use std::collections::{BTreeSet, HashMap};

use sqlx::PgConnection;

use super::report::{Place, Problems, ReadModel};
use super::worker::{BLOCK, Followed};
use super::{Checkpoint, Passed, Stage};
use crate::batch::Batch;
use crate::digest::{Checksum, by_key, differences, key_of, lines, position_of, readable};
use crate::error::ProjectionError;
use crate::sink::CopyText;
use crate::table::{Life, Table};

/// Compares every read model that this build knows how to fold.
pub(super) async fn compare(
    connection: &mut PgConnection,
    passed: &mut Passed,
    mut progress: impl FnMut(Stage) + Send,
) -> Result<Vec<ReadModel>, ProjectionError> {
    let sound = passed.problems.count == 0;
    let mut found = vec![];
    for known in &passed.checkpoints {
        let followed = passed.followed.iter_mut().find(|f| f.projection.name == known.name);
        let (rows, outcome) = match followed {
            None => (None, other_version(known)),
            // Differences would only repeat what is wrong with the log.
            Some(_) if !sound => (None, "not compared, because the log is damaged".to_owned()),
            Some(followed) => {
                progress(Stage::ReadModel(followed.projection.name));
                let before = passed.problems.count;
                let rows = compare_one(connection, followed, &mut passed.problems).await?;
                let equal = passed.problems.count == before;
                (Some(rows), if equal { "equal" } else { "different" }.to_owned())
            }
        };
        let (name, as_of_position) = (known.name.clone(), known.position);
        found.push(ReadModel { name, as_of_position, rows, outcome });
    }
    Ok(found)
}

fn other_version(known: &Checkpoint) -> String {
    format!("not compared, because another build made it (version {})", known.version)
}

async fn compare_one(
    connection: &mut PgConnection,
    followed: &mut Followed,
    problems: &mut Problems,
) -> Result<u64, ProjectionError> {
    let table = followed.projection.table;
    match table.life {
        Life::Appended => compare_blocks(connection, followed, problems).await,
        Life::Grouped | Life::Open => {
            let mut expected = CopyText::default();
            followed.fold.write(&mut expected);
            let rows = by_key(table, expected.bytes()).len() as u64;
            let removed = followed.fold.removed().len();
            if removed > 0 {
                let what = format!("{removed} reservations end that never began");
                problems.add(row(table, b""), what);
            }
            compare_rows(connection, table, "true", expected.bytes(), problems).await?;
            Ok(rows)
        }
    }
}

/// Every row against its expected line.
async fn compare_rows(
    connection: &mut PgConnection,
    table: &Table,
    filter: &str,
    expected: &[u8],
    problems: &mut Problems,
) -> Result<(), ProjectionError> {
    let mut expected = by_key(table, expected);
    lines(connection, &table.copy_out("read", filter), |found| {
        let key = key_of(table, found);
        match expected.remove(key) {
            Some(line) if line == found => {}
            Some(line) => {
                for cell in differences(table, line, found) {
                    let what = format!(
                        "column {}: expected {}, found {}",
                        cell.column, cell.expected, cell.found
                    );
                    problems.add(row(table, key), what);
                }
            }
            None => problems.add(row(table, key), "no event makes this row"),
        }
    })
    .await?;
    let mut lost: Vec<_> = expected.into_keys().collect();
    lost.sort_unstable();
    for key in lost {
        problems.add(row(table, key), "the row is missing");
    }
    Ok(())
}

fn row(table: &Table, key: &[u8]) -> Place {
    let row = format!("read.{} {}", table.name, readable(key));
    Place { row: Some(row.trim_end().to_owned()), ..Place::default() }
}

/// Appended rows by the checksums of their blocks; only blocks that differ are looked at row by
/// row, after folding their events once more.
async fn compare_blocks(
    connection: &mut PgConnection,
    followed: &mut Followed,
    problems: &mut Problems,
) -> Result<u64, ProjectionError> {
    let table = followed.projection.table;
    let mut stored: HashMap<i64, Checksum> = HashMap::new();
    lines(connection, &table.copy_out("read", "true"), |line| {
        stored.entry(position_of(line) / BLOCK).or_default().add(line);
    })
    .await?;
    let rows = followed.blocks.values().map(|sum| sum.rows).sum();
    let both = stored.keys().chain(followed.blocks.keys());
    let wrong: BTreeSet<i64> =
        both.filter(|block| stored.get(block) != followed.blocks.get(block)).copied().collect();
    for block in wrong {
        let (from, until) = (block * BLOCK, (block + 1) * BLOCK);
        let mut batch = Batch::new(&[followed.projection], (from - 1).max(0));
        batch.read(connection, (until - 1).min(followed.checkpoint)).await?;
        let mut expected = vec![];
        for (_, fold) in &mut batch.folds {
            expected.extend(fold.lines().map(CopyText::take).unwrap_or_default());
        }
        let filter = format!("position >= {from} AND position < {until}");
        compare_rows(connection, table, &filter, &expected, problems).await?;
    }
    Ok(rows)
}
