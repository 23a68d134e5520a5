//! The table of people.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgExecutor, PgPool, Postgres, QueryBuilder, Row as _};
use tollgate_domain::Money;
use tollgate_domain::ids::{AccountId, UserId};

use super::{Role, search};
pub(super) use crate::database::rows::parsed;
use crate::mail::Language;

/// A person. The address and the name stand nowhere but in this table.
#[derive(Clone)]
pub struct User {
    /// The id that events use.
    pub id: UserId,
    /// The stream of their prepaid account.
    pub account: AccountId,
    /// As it was entered.
    pub email: String,
    /// As it was entered.
    pub name: String,
    /// argon2id.
    pub password_hash: String,
    /// What the person may do.
    pub role: Role,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// Of the mails to this person.
    pub language: Language,
    /// When a link that was mailed to the address came back.
    pub email_verified_at: Option<DateTime<Utc>>,
    /// A balance below this is mailed.
    pub low_balance_alert: Option<Money>,
}

/// What people change of themselves; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// How to address them.
    pub name: Option<String>,
    /// Of the mails to them.
    pub language: Option<Language>,
    /// A balance below this is mailed; inner `None`: never.
    pub low_balance_alert: Option<Option<Money>>,
}

impl std::fmt::Debug for User {
    /// Written by hand: names, addresses and hashes don't belong into logs.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "User({}, {})", self.id, self.role.as_str())
    }
}

/// Reads and writes people.
#[derive(Debug, Clone)]
pub struct Users {
    pool: PgPool,
}

const COLUMNS: &str = "user_id, account_id, email, name, password_hash, role, created_at, language,
    email_verified_at, low_balance_alert_usd";

impl Users {
    /// Over this database.
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// The person with this address, in whatever case it is written.
    pub async fn find_by_email(&self, email: &str) -> Result<Option<User>, sqlx::Error> {
        let sql = format!("SELECT {COLUMNS} FROM users WHERE lower(email) = lower($1)");
        let row = sqlx::query(&sql).bind(email).fetch_optional(&self.pool).await?;
        row.as_ref().map(user).transpose()
    }

    /// The person with this id.
    pub async fn find(&self, id: UserId) -> Result<Option<User>, sqlx::Error> {
        let sql = format!("SELECT {COLUMNS} FROM users WHERE user_id = $1");
        let row = sqlx::query(&sql).bind(id.to_string()).fetch_optional(&self.pool).await?;
        row.as_ref().map(user).transpose()
    }

    /// Adds a person; `false` if the address is taken.
    pub async fn insert(executor: impl PgExecutor<'_>, user: &User) -> Result<bool, sqlx::Error> {
        let done = sqlx::query(
            "INSERT INTO users (user_id, account_id, email, name, password_hash, role, created_at,
                                language, email_verified_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT ((lower(email))) DO NOTHING",
        )
        .bind(user.id.to_string())
        .bind(user.account.to_string())
        .bind(&user.email)
        .bind(&user.name)
        .bind(&user.password_hash)
        .bind(user.role.as_str())
        .bind(user.created_at)
        .bind(user.language.as_str())
        .bind(user.email_verified_at)
        .execute(executor)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Changes what people may change of themselves, and returns the person; `None`: erased.
    pub async fn change(
        &self,
        id: UserId,
        settings: &Settings,
    ) -> Result<Option<User>, sqlx::Error> {
        let alert = settings.low_balance_alert;
        let row = sqlx::query(&format!(
            "UPDATE users SET name = coalesce($2, name), language = coalesce($3, language),
                    low_balance_alert_usd = CASE WHEN $4 THEN $5 ELSE low_balance_alert_usd END,
                    -- Another threshold is another crossing.
                    low_balance_told = low_balance_told AND NOT $4
             WHERE user_id = $1 RETURNING {COLUMNS}"
        ))
        .bind(id.to_string())
        .bind(&settings.name)
        .bind(settings.language.map(Language::as_str))
        .bind(alert.is_some())
        .bind(alert.flatten().map(Money::decimal))
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(user).transpose()
    }

    /// Sets a new password.
    pub async fn set_password(
        executor: impl PgExecutor<'_>,
        id: UserId,
        hash: &str,
    ) -> Result<bool, sqlx::Error> {
        let done = sqlx::query("UPDATE users SET password_hash = $2 WHERE user_id = $1")
            .bind(id.to_string())
            .bind(hash)
            .execute(executor)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// The address is the person's; says whether that is news.
    pub async fn verify_email(
        executor: impl PgExecutor<'_>,
        id: UserId,
    ) -> Result<bool, sqlx::Error> {
        let done = sqlx::query(
            "UPDATE users SET email_verified_at = now()
             WHERE user_id = $1 AND email_verified_at IS NULL",
        )
        .bind(id.to_string())
        .execute(executor)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// The admins, locked until the end of the transaction: while somebody counts them, nobody
    /// takes one away.
    pub async fn lock_admins(connection: &mut PgConnection) -> Result<Vec<UserId>, sqlx::Error> {
        let rows = sqlx::query(
            "SELECT user_id FROM users WHERE role = 'admin' ORDER BY user_id FOR UPDATE",
        )
        .fetch_all(connection)
        .await?;
        rows.iter().map(|row| parsed(row, "user_id")).collect()
    }

    /// Gives a person another role.
    pub async fn set_role(
        executor: impl PgExecutor<'_>,
        id: UserId,
        role: Role,
    ) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE users SET role = $2 WHERE user_id = $1")
            .bind(id.to_string())
            .bind(role.as_str())
            .execute(executor)
            .await?;
        Ok(())
    }

    /// People in order of registration; those after `after`, in `role` where one is given, and
    /// whom the words of `text` fit, as [`search::accounts`] has it.
    pub async fn page(
        &self,
        role: Option<Role>,
        text: &str,
        after: Option<UserId>,
        limit: i64,
    ) -> Result<Vec<User>, sqlx::Error> {
        let mut sql = QueryBuilder::<Postgres>::new(format!("SELECT {COLUMNS} FROM users"));
        sql.push(" WHERE true");
        if let Some(role) = role {
            sql.push(" AND role = ").push_bind(role.as_str());
        }
        search::push_words(&mut sql, text);
        if let Some(after) = after {
            sql.push(" AND user_id > ").push_bind(after.to_string());
        }
        sql.push(" ORDER BY user_id LIMIT ").push_bind(limit);
        let rows = sql.build().fetch_all(&self.pool).await?;
        rows.iter().map(user).collect()
    }

    /// What these people are called: by name, or by address where they gave none.
    pub async fn names(
        &self,
        ids: impl IntoIterator<Item = String>,
    ) -> Result<HashMap<String, String>, sqlx::Error> {
        let ids: Vec<String> = ids.into_iter().collect();
        let rows = sqlx::query_as(
            "SELECT user_id, COALESCE(NULLIF(name, ''), email) FROM users WHERE user_id = ANY($1)",
        )
        .bind(ids)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().collect())
    }

    /// What the holders of these accounts are called, by account.
    pub async fn names_of_holders(
        &self,
        accounts: impl IntoIterator<Item = String>,
    ) -> Result<HashMap<String, String>, sqlx::Error> {
        let accounts: Vec<String> = accounts.into_iter().collect();
        let rows = sqlx::query_as(
            "SELECT account_id, COALESCE(NULLIF(name, ''), email) FROM users
             WHERE account_id = ANY($1)",
        )
        .bind(accounts)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().collect())
    }

    /// The people who hold these accounts.
    pub async fn holders(&self, accounts: &[String]) -> Result<Vec<User>, sqlx::Error> {
        let sql = format!("SELECT {COLUMNS} FROM users WHERE account_id = ANY($1)");
        let rows = sqlx::query(&sql).bind(accounts).fetch_all(&self.pool).await?;
        rows.iter().map(user).collect()
    }
}

fn user(row: &PgRow) -> Result<User, sqlx::Error> {
    Ok(User {
        id: parsed(row, "user_id")?,
        account: parsed(row, "account_id")?,
        email: row.try_get("email")?,
        name: row.try_get("name")?,
        password_hash: row.try_get("password_hash")?,
        role: parsed(row, "role")?,
        created_at: row.try_get("created_at")?,
        language: parsed(row, "language")?,
        email_verified_at: row.try_get("email_verified_at")?,
        low_balance_alert: alert(row)?,
    })
}

fn alert(row: &PgRow) -> Result<Option<Money>, sqlx::Error> {
    let decimal: Option<Decimal> = row.try_get("low_balance_alert_usd")?;
    decimal.map(|decimal| Money::exact(decimal.normalize())).transpose().map_err(|error| {
        sqlx::Error::ColumnDecode {
            index: "low_balance_alert_usd".to_owned(),
            source: Box::new(error),
        }
    })
}
