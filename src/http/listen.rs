//! Accepting connections, and letting those that are open come to their end.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::stall::Patient;

use super::extract::Peer;
use crate::config::EdgeConfig;

const MOST_HEADERS: usize = 100;
/// What is read beyond the limits, so that a request that exceeds them can be answered.
const BEYOND: usize = 64 * 1024;
const STREAMS_PER_CONNECTION: u32 = 256;

/// How long clients are waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For open answers after the end has begun.
    pub drain: Duration,
    /// For a client that takes nothing of its answer.
    pub stall: Duration,
}

/// Serves `router` until `stop`, then lets open requests end.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
    Patience { drain, stall }: Patience,
    config: EdgeConfig,
) {
    let connections = TaskTracker::new();
    let graceful = GracefulShutdown::new();
    let cut = CancellationToken::new();
    let builder = builder(&config);
    let first_within = config.header_timeout;
    let places = Arc::new(Semaphore::new(config.most_connections));
    loop {
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place,
            () = stop.cancelled() => break,
        };
        let (stream, from) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    wait_out(&error).await;
                    continue;
                }
            },
            () = stop.cancelled() => break,
        };
        let io = TokioIo::new(Patient::new(prepared(stream), stall));
        let asked = Arc::new(AtomicBool::new(false));
        let hyper = Hyper { router: router.clone(), client: Peer(from.ip()), asked: asked.clone() };
        let service = TowerToHyperService::new(hyper);
        let connection = builder.serve_connection(io, service).into_owned();
        let connection = graceful.watch(connection);
        let cut = cut.clone();
        connections.spawn(async move {
            tokio::select! {
                // A connection that breaks is its client's affair; what matters is settled
                // elsewhere.
                _ = connection => {}
                () = cut.cancelled() => {}
                () = silence(&asked, first_within) => {}
            }
            drop(place);
        });
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(drain, graceful.shutdown()).await.is_err() {
        tracing::warn!(open = connections.len(), "connections were cut off after waiting for them");
    }
    cut.cancel();
    connections.wait().await;
}

/// Resolves if no request has come within the time for headers. Later ones are HTTP's own affair;
/// before the first nobody knows yet which HTTP it is, and a client that has shown nothing yet gets
/// less time.
async fn silence(asked: &AtomicBool, within: Duration) {
    tokio::time::sleep(within).await;
    if asked.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}

fn builder(config: &EdgeConfig) -> Builder<TokioExecutor> {
    let most = config.header_limit_bytes + config.url_limit_bytes + BEYOND;
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // Its clock runs while a connection rests, too; the first request has another one.
        .header_read_timeout(config.keep_alive)
        .max_headers(MOST_HEADERS)
        .max_buf_size(most);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .max_header_list_size(u32::try_from(most).unwrap_or(u32::MAX))
        .keep_alive_interval(Duration::from_secs(30));
    builder
}

fn prepared(stream: TcpStream) -> TcpStream {
    // Tokens are small pieces, and each is awaited.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps Nagle's algorithm");
    }
    stream
}

/// Out of file descriptors: accepting again at once would only burn a core.
async fn wait_out(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::warn!(%error, "no connection can be accepted for now");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The router as hyper calls it, for one connection.
#[derive(Clone)]
struct Hyper {
    router: Router,
    client: Peer,
    /// A request has come.
    asked: Arc<AtomicBool>,
}

impl tower::Service<hyper::Request<hyper::body::Incoming>> for Hyper {
    type Response = axum::response::Response;
    type Error = Infallible;
    type Future = axum::routing::future::RouteFuture<Infallible>;

    fn poll_ready(
        &mut self,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        tower::Service::<Request>::poll_ready(&mut self.router, context)
    }

    fn call(&mut self, mut request: hyper::Request<hyper::body::Incoming>) -> Self::Future {
        self.asked.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(self.client);
        self.router.call(request.map(axum::body::Body::new))
    }
}
