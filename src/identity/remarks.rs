//! What operators note about a top-up or a purchase.

use sqlx::PgPool;
use tollgate_domain::ids::UserId;

/// Notes `remark` about `subject`, an id of the ledger. The first remark stays.
///
/// It is written before the event that it is about: after a crash there is at worst a remark about
/// nothing.
pub async fn note(
    pool: &PgPool,
    subject: &str,
    remark: &str,
    author: UserId,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO remarks (subject, remark, author_id) VALUES ($1, $2, $3)
         ON CONFLICT (subject) DO NOTHING",
    )
    .bind(subject)
    .bind(remark)
    .bind(author.to_string())
    .execute(pool)
    .await?;
    Ok(())
}
