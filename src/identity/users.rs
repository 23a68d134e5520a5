//! The table of people.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row as _};
use tollgate_domain::ids::{AccountId, UserId};

use super::Role;

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

const COLUMNS: &str = "user_id, account_id, email, name, password_hash, role, created_at";

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
    pub async fn insert(&self, user: &User) -> Result<bool, sqlx::Error> {
        let done = sqlx::query(
            "INSERT INTO users (user_id, account_id, email, name, password_hash, role, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT ((lower(email))) DO NOTHING",
        )
        .bind(user.id.to_string())
        .bind(user.account.to_string())
        .bind(&user.email)
        .bind(&user.name)
        .bind(&user.password_hash)
        .bind(user.role.as_str())
        .bind(user.created_at)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
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
    })
}

/// A column with text that stands for something; damaged text is an error of the row, not a panic.
pub(super) fn parsed<T>(row: &PgRow, column: &str) -> Result<T, sqlx::Error>
where
    T: std::str::FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: &str = row.try_get(column)?;
    text.parse().map_err(|error: T::Err| sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: Box::new(error),
    })
}
