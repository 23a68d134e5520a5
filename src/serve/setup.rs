//! What the first start finds missing: the admin, the sale ratio, the master accounts.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tollgate_domain::Money;
use tollgate_domain::ids::MasterAccountId;

use super::ServeError;
use crate::config::{Config, Secret, UpstreamConfig};
use crate::http::{ApiError, AppState};
use crate::ledger::{Actor, CommandContext};
use crate::operations::master_accounts::{self, NewMasterAccount, Purchase, Registered};
use crate::operations::prices;
use crate::sandbox::{self, SandboxConfig};

/// Accepted by the sandbox and known to everybody: nothing real stands behind it.
const SANDBOX_KEY: &str = "sk-sandbox-00000000000000000000000000000000";
/// What the sandbox's credits cost: face value and what was paid, a discount of 70 %.
const SANDBOX_CREDITS: (u32, u32) = (1_000, 300);

/// Starts the sandbox upstream where no other is configured, and says where it listens.
pub(super) async fn sandbox(
    config: &Config,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<Option<SocketAddr>, ServeError> {
    match config.upstream {
        UpstreamConfig::OpenRouter { .. } => Ok(None),
        UpstreamConfig::Sandbox => {
            let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let refused = |cause| ServeError::Listen { addr: any, cause };
            let listener = TcpListener::bind(any).await.map_err(refused)?;
            let addr = listener.local_addr().map_err(refused)?;
            let stop = stop.clone().cancelled_owned();
            tasks.spawn(sandbox::serve(listener, SandboxConfig::default(), stop));
            tracing::info!(%addr, "no upstream is configured: the sandbox answers");
            Ok(Some(addr))
        }
    }
}

/// Adds to the books what a first start needs. Everything that is there already stays as it is.
pub(super) async fn books(app: &AppState, sandbox: Option<SocketAddr>) -> Result<(), ServeError> {
    if let Some(admin) = &app.config.admin
        && app.people.ensure_admin(admin).await?
    {
        tracing::info!("the first admin was created");
    }
    let setup = |what| move |cause| ServeError::Setup { what, cause };
    prices::ensure_default_ratio(&app.ledger, app.config.default_sale_ratio)
        .await
        .map_err(setup("the default sale ratio can't be set"))?;
    let registering = setup("a master account can't be registered");
    match (&app.config.upstream, sandbox) {
        (UpstreamConfig::Sandbox, Some(addr)) => {
            register_sandbox(app, addr).await.map_err(registering)
        }
        (UpstreamConfig::Sandbox, None) => Ok(()),
        (UpstreamConfig::OpenRouter { base_url, keys }, _) => {
            register_keys(app, base_url, keys).await.map_err(registering)
        }
    }
}

const fn context() -> CommandContext {
    CommandContext::by(Actor::System("setup"))
}

async fn register_keys(app: &AppState, base_url: &str, keys: &[Secret]) -> Result<(), ApiError> {
    for (index, key) in keys.iter().enumerate() {
        let new = NewMasterAccount {
            label: format!("openrouter {}", index + 1),
            provider: "openrouter".to_owned(),
            base_url: base_url.to_owned(),
            key: key.clone(),
        };
        register(app, &new).await?;
    }
    Ok(())
}

/// The sandbox listens on another port each time, so its row follows.
async fn register_sandbox(app: &AppState, addr: SocketAddr) -> Result<(), ApiError> {
    let new = NewMasterAccount {
        label: "sandbox".to_owned(),
        provider: "sandbox".to_owned(),
        base_url: format!("http://{addr}/api/v1"),
        key: Secret::new(SANDBOX_KEY),
    };
    let id = register(app, &new).await?;
    app.upstream_keys.move_to(id, &new.base_url).await?;
    let unpaid = |master: &tollgate_domain::MasterAccount| master.credits().is_zero();
    if !app.ledger.master_accounts.peek(&id.to_string(), unpaid).await? {
        return Ok(());
    }
    let (credits, paid) = SANDBOX_CREDITS;
    let purchase = Purchase {
        id: master_accounts::new_purchase_id(),
        master_account: id,
        credits: Money::dollars(credits),
        paid: Money::dollars(paid),
        fee: Money::ZERO,
        reference: "sandbox".to_owned(),
    };
    master_accounts::purchase(&app.ledger, purchase, &context(), None).await?;
    Ok(())
}

async fn register(app: &AppState, new: &NewMasterAccount) -> Result<MasterAccountId, ApiError> {
    let done = master_accounts::register(&app.ledger, &app.upstream_keys, new, &context()).await?;
    Ok(match done {
        Registered::New(id, _) => {
            tracing::info!(master_account.id = %id, label = new.label, "registered {id}");
            id
        }
        Registered::Before(id) => id,
    })
}
