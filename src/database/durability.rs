//! Whether the server keeps what it acknowledges.

use serde::Serialize;
use sqlx::{PgConnection, Row};

use super::DatabaseError;

/// The server's settings that decide whether a committed event survives a crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Durability {
    /// The server's version, as in `15.18`.
    pub server_version: String,
    /// Commits reach the disk, not only the operating system.
    pub fsync: bool,
    /// A page that was half written when the power went can be repaired.
    pub full_page_writes: bool,
    /// `off` acknowledges before the disk has it; our connections then set it to `on` for
    /// themselves.
    pub synchronous_commit: String,
    /// `minimal` excludes replicas and point-in-time recovery.
    pub wal_level: String,
    /// Silent corruption on the disk is noticed when a page is read.
    pub data_checksums: bool,
}

/// Reads the durability settings, and refuses a server that may lose or tear what it acknowledged.
pub async fn check_durability(connection: &mut PgConnection) -> Result<Durability, DatabaseError> {
    let durability = read_durability(connection).await?;
    for (setting, on) in
        [("fsync", durability.fsync), ("full_page_writes", durability.full_page_writes)]
    {
        if !on {
            return Err(DatabaseError::NotDurable { setting });
        }
    }
    Ok(durability)
}

/// Reads the durability settings as they are.
pub async fn read_durability(connection: &mut PgConnection) -> Result<Durability, DatabaseError> {
    // `true`: a setting that a compatible engine doesn't know is NULL, not an error.
    let row = sqlx::query(
        "SELECT current_setting('server_version'),
                current_setting('fsync', true),
                current_setting('full_page_writes', true),
                current_setting('synchronous_commit', true),
                current_setting('wal_level', true),
                current_setting('data_checksums', true)",
    )
    .fetch_one(connection)
    .await?;
    let text =
        |index: usize| row.try_get::<Option<String>, _>(index).map(Option::unwrap_or_default);
    let version = text(0)?;
    Ok(Durability {
        server_version: version.split_whitespace().next().unwrap_or_default().to_owned(),
        // An engine without these settings has no way to switch them off.
        fsync: text(1)? != "off",
        full_page_writes: text(2)? != "off",
        synchronous_commit: text(3)?,
        wal_level: text(4)?,
        data_checksums: text(5)? == "on",
    })
}
