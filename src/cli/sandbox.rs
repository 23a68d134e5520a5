//! `tollgate sandbox`

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;

use super::CliError;
use crate::sandbox::{self, SandboxConfig};

/// How the sandbox upstream behaves.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8089")]
    listen: SocketAddr,
    /// Canned answers without delays, for benches
    #[arg(long)]
    instant: bool,
    /// Milliseconds before the first byte of every model answer
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
}

pub(super) async fn run(args: SandboxArgs) -> Result<(), CliError> {
    let config = SandboxConfig {
        instant: args.instant,
        latency: Duration::from_millis(args.latency_ms),
        ..SandboxConfig::default()
    };
    let listener = TcpListener::bind(args.listen).await.map_err(CliError::Listen)?;
    let addr = listener.local_addr().map_err(CliError::Listen)?;
    println!("The sandbox upstream listens on http://{addr}/api/v1");
    let stop = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!(%error, "no signal will stop the sandbox");
            std::future::pending::<()>().await;
        }
    };
    sandbox::serve(listener, config, stop).await.map_err(CliError::Listen)
}
