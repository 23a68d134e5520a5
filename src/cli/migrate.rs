//! `tollgate migrate`

use super::CliError;
use crate::config::DatabaseConfig;
use crate::database::{DatabaseSource, migrate};

pub(super) async fn run() -> Result<(), CliError> {
    let source = DatabaseSource::open(&DatabaseConfig::from_env()?).await?;
    let applied = migrate(&source.owner_options()).await?;
    source.close().await?;
    println!("The schema is up to date; migrations applied now: {applied}.");
    Ok(())
}
