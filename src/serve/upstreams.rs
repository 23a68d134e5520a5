//! The master accounts that the configuration names.

use sqlx::PgPool;
use tokio::net::TcpListener;
use tollgate_domain::Money;

use super::{Scopes, ServeError};
use crate::config::{Config, Secret, UpstreamConfig};
use crate::http::ApiError;
use crate::identity::UpstreamKeys;
use crate::ledger::{Actor, CommandContext, Ledger};
use crate::operations::Desk;
use crate::operations::master_accounts::{
    NewMasterAccount, Purchase, Registered, new_purchase_id, purchase, register as register_one,
};
use crate::sandbox::{self, SandboxConfig};

/// The sandbox's key: it guards nothing.
const SANDBOX_KEY: &str = "sk-sandbox";

/// Registers each configured key once; without one the sandbox is started and registered.
pub(super) async fn register(
    config: &Config,
    ledger: &Ledger,
    pool: &PgPool,
    keys: &UpstreamKeys,
    scopes: &Scopes,
) -> Result<(), ServeError> {
    let by = CommandContext::by(Actor::System("configuration"));
    let desk = Desk { ledger, pool, context: &by, key: None };
    match &config.upstream {
        UpstreamConfig::OpenRouter { base_url, keys: configured } => {
            for (place, key) in configured.iter().enumerate() {
                let new = NewMasterAccount {
                    label: format!("openrouter {}", place + 1),
                    provider: "openrouter".to_owned(),
                    base_url: base_url.clone(),
                    key: key.clone(),
                };
                register_one(desk, keys, &new, None).await?;
            }
            Ok(())
        }
        UpstreamConfig::Sandbox => {
            let base_url = start_sandbox(scopes).await?;
            let new = NewMasterAccount {
                label: "sandbox".to_owned(),
                provider: "sandbox".to_owned(),
                base_url: base_url.clone(),
                key: Secret::new(SANDBOX_KEY),
            };
            match register_one(desk, keys, &new, None).await? {
                Registered::New(done) => {
                    let first = Purchase {
                        id: new_purchase_id(),
                        master_account: done.answer,
                        credits: Money::dollars(1_000),
                        paid: Money::dollars(300),
                        fee: Money::ZERO,
                        reference: "sandbox".to_owned(),
                    };
                    purchase(ledger, first, &by, None).await?;
                }
                // It listens on another port each time.
                Registered::Before(id) => {
                    keys.move_to(id, &base_url).await.map_err(ApiError::internal)?;
                }
            }
            Ok(())
        }
    }
}

/// Inside this process, on a port of the loopback interface.
async fn start_sandbox(scopes: &Scopes) -> Result<String, ServeError> {
    let any = ([127, 0, 0, 1], 0).into();
    let listener = TcpListener::bind(any).await.map_err(|error| ServeError::Listen(any, error))?;
    let address = listener.local_addr().map_err(|error| ServeError::Listen(any, error))?;
    // It outlives the connections to it, so that open answers can end.
    let stop = scopes.loops.clone();
    let serving = sandbox::serve(listener, SandboxConfig::default(), stop.cancelled_owned());
    scopes.workers.spawn(async move {
        if let Err(error) = serving.await {
            tracing::error!(%error, "the sandbox upstream ended");
        }
    });
    Ok(format!("http://{address}/api/v1"))
}
