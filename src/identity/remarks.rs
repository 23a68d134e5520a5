//! What operators note about what they do. Free text may name people, so it stands here, where it
//! can be erased, and not in an event.

use std::collections::HashMap;
use std::fmt::Display;

use sqlx::{PgPool, Row as _};
use tollgate_domain::ids::AccountId;

/// Notes `remark` about `subject`, an id of the ledger, and about an account where it concerns one:
/// it goes when the holder of that is erased. The first remark stays.
///
/// It is written before the event that it is about: after a crash there is at worst a remark about
/// nothing.
pub async fn note(
    pool: &PgPool,
    subject: &str,
    remark: &str,
    account: Option<AccountId>,
    author: impl Display,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO remarks (subject, remark, author_id, about) VALUES ($1, $2, $3, $4)
         ON CONFLICT (subject) DO NOTHING",
    )
    .bind(subject)
    .bind(remark)
    .bind(author.to_string())
    .bind(account.map(|account| account.to_string()))
    .execute(pool)
    .await?;
    Ok(())
}

/// The remarks about these subjects, where there are any.
pub async fn find(
    pool: &PgPool,
    subjects: impl IntoIterator<Item = String>,
) -> Result<HashMap<String, String>, sqlx::Error> {
    let subjects: Vec<String> = subjects.into_iter().collect();
    if subjects.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query("SELECT subject, remark FROM remarks WHERE subject = ANY($1)")
        .bind(subjects)
        .fetch_all(pool)
        .await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}
