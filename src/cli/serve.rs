//! `tollgate serve`, `tollgate sandbox`.

use std::net::SocketAddr;

use clap::Args;
use rust_decimal::Decimal;
use tokio::signal::unix::{SignalKind, signal};

use super::CliError;
use crate::config::{Config, DatabaseConfig};
use crate::sandbox::{self, SandboxConfig};
use crate::serve::{self, Running, ServeError, demo};

const HELP: &str = "\
Configured by environment variables, among them:
  LISTEN_ADDR          where customers are served; 127.0.0.1:8000
  DATABASE_URL         the PostgreSQL that has the books; absent: a private one
  METRICS_ADDR         where Prometheus finds /metrics, as in 127.0.0.1:9464; absent: nowhere.
                       Whoever reaches it reads how business goes: never a public address
The README has all of them.";

/// How to serve.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct ServeArgs {
    /// Create a demo customer with money and an API key, and show how to use it (private runs)
    #[arg(long)]
    demo: bool,
}

/// How the sandbox behaves.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8100")]
    listen: SocketAddr,
    /// Canned answers without delay, for benches
    #[arg(long)]
    instant: bool,
    /// Milliseconds before the first byte of an instant answer
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
}

pub(super) async fn run(args: ServeArgs) -> Result<(), CliError> {
    let config = Config::from_env()?;
    let data_dir = match &config.database {
        DatabaseConfig::Private { data_dir } => Some(data_dir.clone()),
        DatabaseConfig::Server { .. } => None,
    };
    let running = serve::start(config).await?;
    if let Some(data_dir) = data_dir.filter(|_| args.demo) {
        let demo = demo::prepare(running.state(), &data_dir).await?;
        welcome(&running, &demo);
    }
    stopped().await.map_err(CliError::Runtime)?;
    running.stop().await;
    Ok(())
}

fn welcome(running: &Running, demo: &demo::Demo) {
    let at = format!("http://{}", running.address());
    let key = demo.key.expose();
    println!("\nTollgate is running.\n");
    println!("  page       {at}/");
    println!("  API docs   {at}/docs");
    println!("  health     {at}/health\n");
    if let Some(admin) = &running.state().config.admin {
        println!("  admin      {}   password {}", admin.email, admin.password.expose());
    }
    println!("  customer   {}   password {}", demo::EMAIL, demo.password.expose());
    println!("  API key    {key}\n");
    println!("Try it (the sandbox upstream answers, with real prices):\n");
    println!("  curl {at}/v1/chat/completions \\");
    println!("    -H 'Authorization: Bearer {key}' \\");
    println!("    -H 'Content-Type: application/json' \\");
    println!(
        "    -d '{{\"model\":\"openai/gpt-4o-mini\",\"messages\":[{{\"role\":\"user\",\"content\":\"What is double-entry bookkeeping?\"}}]}}'\n"
    );
    println!("Stop it with Ctrl-C; the books are kept.\n");
}

/// Until the process is asked to end.
async fn stopped() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

pub(super) async fn sandbox(args: SandboxArgs) -> Result<(), CliError> {
    let listener = tokio::net::TcpListener::bind(args.listen)
        .await
        .map_err(|error| ServeError::Listen(args.listen, error))?;
    let address = listener.local_addr().map_err(CliError::Runtime)?;
    println!("The sandbox upstream listens on http://{address}/api/v1");
    let config = SandboxConfig {
        instant: args.instant,
        latency: std::time::Duration::from_millis(args.latency_ms),
        credits_usd: Decimal::ONE_THOUSAND * Decimal::ONE_THOUSAND,
        ..SandboxConfig::default()
    };
    let shutdown = async {
        if let Err(error) = stopped().await {
            tracing::error!(%error, "signals cannot be waited for");
        }
    };
    sandbox::serve(listener, config, shutdown).await.map_err(CliError::Runtime)
}
