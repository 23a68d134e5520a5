//! `tollgate serve`

use tokio::signal::unix::{SignalKind, signal};

use super::CliError;
use crate::config::{AdminConfig, Config};
use crate::serve;

pub(super) async fn run() -> Result<(), CliError> {
    let config = Config::from_env()?;
    let mut terminate = signal(SignalKind::terminate()).map_err(CliError::Signal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(CliError::Signal)?;
    let admin = config.admin.clone();
    let running = tokio::select! {
        running = serve::start(config) => running?,
        // Whatever has begun is cut off; the next start goes on from there.
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    };
    greet(running.addr, admin.as_ref());
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(running.stop().await?)
}

/// On standard output, which is for people; the log never holds an address.
fn greet(addr: std::net::SocketAddr, admin: Option<&AdminConfig>) {
    println!("Tollgate listens on http://{addr} (documentation: http://{addr}/docs/)");
    if let Some(AdminConfig { email, generated_in, .. }) = admin {
        match generated_in {
            Some(path) => println!("Admin: {email}, password in {}", path.display()),
            None => println!("Admin: {email}"),
        }
    }
}
