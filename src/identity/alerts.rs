//! Low balances that their owners want to be told of.

use sqlx::{PgPool, Row as _};
use tollgate_domain::ids::UserId;

use crate::database::rows::parsed;
use crate::mail::{Details, Kind, NewMail, Outbox, Recipient};

/// Crossings in one pass; the next pass sees the others.
const AT_ONCE: i64 = 500;

/// Writes a mail for each balance that has fallen below its owner's threshold since it was last
/// above, and returns how many. The balance is the read model's: a mail authorises nothing.
pub async fn tell(pool: &PgPool) -> Result<usize, sqlx::Error> {
    sqlx::query(
        "UPDATE users AS u SET low_balance_told = false FROM read.account_balances AS b
         WHERE b.account_id = u.account_id AND u.low_balance_told
           AND u.low_balance_alert_usd IS NOT NULL AND b.balance >= u.low_balance_alert_usd",
    )
    .execute(pool)
    .await?;
    let mut transaction = pool.begin().await?;
    let rows = sqlx::query(
        "UPDATE users AS u SET low_balance_told = true
         FROM (SELECT user_id, b.balance FROM users
               JOIN read.account_balances AS b USING (account_id)
               WHERE low_balance_alert_usd IS NOT NULL AND NOT low_balance_told
                 AND b.balance < low_balance_alert_usd
               ORDER BY user_id LIMIT $1) AS low
         -- Another node may have told it meanwhile.
         WHERE u.user_id = low.user_id AND NOT u.low_balance_told
         RETURNING u.user_id, low.balance, u.low_balance_alert_usd AS alert",
    )
    .bind(AT_ONCE)
    .fetch_all(&mut *transaction)
    .await?;
    for row in &rows {
        let user: UserId = parsed(row, "user_id")?;
        let details = Details {
            balance_usd: Some(row.try_get("balance")?),
            alert_usd: Some(row.try_get("alert")?),
            ..Details::default()
        };
        let mail = NewMail::new(Kind::LowBalance, Recipient::User(user), None);
        Outbox::add(&mut transaction, &NewMail { details, ..mail }).await?;
    }
    transaction.commit().await?;
    Ok(rows.len())
}
