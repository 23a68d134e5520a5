//! What happens to every request before and after its handler: an id, a span, a place among those
//! in flight, and an answer even if the handler panics.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt as _;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument as _;

use super::error::{Language, both, error_of, translate};
use super::extract::Request as RequestMark;
use super::{ApiError, AppState, ErrorShape};
use crate::config::EdgeConfig;
use crate::telemetry::metrics::Watch;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The same, under a name that no proxy on the way fills in or overwrites.
const OUR_REQUEST_ID: HeaderName = HeaderName::from_static("x-tollgate-request-id");
/// For endpoints that answer at once or not at all; a streamed answer has limits of its own.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// The outermost layer.
pub async fn edge(State(app): State<AppState>, mut request: Request, next: Next) -> Response {
    let mark = RequestMark::new();
    let id = mark.0.to_string();
    let path = request.uri().path().to_owned();
    let method = request.method().clone();
    // The path alone: a query string may hold what somebody pasted there.
    let span = tracing::info_span!("request", request.id = %id, %method, path);
    request.extensions_mut().insert(mark);
    // Looked at only if something goes wrong.
    let language = request.headers().get(ACCEPT_LANGUAGE).cloned();
    let began = Instant::now();
    let watch = Watch::begin(&app.metrics, &path);
    let mut response = match fits(&request, &app.config.edge) {
        Ok(()) => {
            answer(&app.in_flight, request, next, &path, watch).instrument(span.clone()).await
        }
        Err(error) => watched(ErrorShape::of(&path).respond(error), None, watch),
    };
    let status = response.status().as_u16();
    let elapsed_ms = began.elapsed().as_millis();
    span.in_scope(|| tracing::debug!(status, elapsed_ms, "answered"));
    if !response.status().is_success() {
        let language = language.as_ref().map_or(Language::English, Language::wanted);
        translate(&mut response, language, ErrorShape::of(&path));
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(OUR_REQUEST_ID, value.clone());
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Whether path and headers are within bounds. The listener takes somewhat more, so that what is
/// beyond them can be told.
fn fits(request: &Request, config: &EdgeConfig) -> Result<(), ApiError> {
    let path = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    if path > config.url_limit_bytes {
        return Err(ApiError::UrlTooLong { limit: config.url_limit_bytes });
    }
    // As HTTP/1.1 writes them: a colon, a space and a line break each.
    let headers = request.headers().iter();
    let bytes: usize = headers.map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    match bytes > config.header_limit_bytes {
        true => Err(ApiError::HeadersTooLarge { limit: config.header_limit_bytes }),
        false => Ok(()),
    }
}

async fn answer(
    places: &Arc<Semaphore>,
    request: Request,
    next: Next,
    path: &str,
    watch: Watch,
) -> Response {
    let shape = ErrorShape::of(path);
    // Health is asked most urgently when there is no place left.
    let place = match is_health(path) {
        true => None,
        false => match Arc::clone(places).try_acquire_owned() {
            Ok(place) => Some(place),
            Err(_) => return watched(shape.respond(ApiError::Overloaded), None, watch),
        },
    };
    let handled = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    match handled {
        Ok(response) => watched(response, place, watch),
        Err(panic) => watched(shape.respond(ApiError::internal(what(&*panic))), None, watch),
    }
}

/// The answer is there; its place and its time end with its last byte.
fn watched(response: Response, place: Option<OwnedSemaphorePermit>, mut watch: Watch) -> Response {
    watch.answered(response.status(), error_of(&response));
    response.map(|body| Body::new(Placed { body, watch, _place: place }))
}

fn is_health(path: &str) -> bool {
    matches!(path, "/health" | "/v1/health")
}

fn what(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("a handler panicked: {}", text.unwrap_or_default())
}

/// For endpoints that never stream: gives up after a while.
pub async fn bounded(request: Request, next: Next) -> Response {
    let shape = ErrorShape::of(request.uri().path());
    match tokio::time::timeout(ANSWER_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => shape.respond(ApiError::TimedOut),
    }
}

/// No such path.
pub async fn not_found(request: Request) -> Response {
    ErrorShape::of(request.uri().path())
        .respond(ApiError::NotFound { what: both!("path", "путь") })
}

/// The path exists with other methods.
pub async fn method_not_allowed(method: Method, request: Request) -> Response {
    let shape = ErrorShape::of(request.uri().path());
    let mut response = shape.respond(ApiError::MethodNotAllowed);
    if method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    response
}

/// A body that keeps its request's place, and looks at the clock, until the last byte is gone.
struct Placed {
    body: Body,
    watch: Watch,
    _place: Option<OwnedSemaphorePermit>,
}

impl HttpBody for Placed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(_))) = &polled {
            self.watch.speaks();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use axum::{Router, middleware};
    use serde_json::Value;
    use tower::ServiceExt as _;

    use super::*;

    fn router(places: &Arc<Semaphore>) -> Router {
        async fn panics() -> &'static str {
            panic!("the key is sk-tg-secret")
        }
        let places = places.clone();
        let layer = middleware::from_fn(move |request: Request, next: Next| {
            let places = places.clone();
            async move {
                let path = request.uri().path().to_owned();
                let watch = Watch::begin(&Arc::default(), &path);
                answer(&places, request, next, &path, watch).await
            }
        });
        Router::new()
            .route("/v1/panics", get(panics))
            .route("/v1/auth/panics", get(panics))
            .route("/", get(|| async { "whole" }))
            .layer(layer)
    }

    async fn get_json(router: &Router, path: &str) -> (u16, Value) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 16).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    #[tokio::test]
    async fn a_handler_that_panics_is_an_internal_error_in_the_right_shape() {
        let router = router(&Arc::new(Semaphore::new(1)));
        let (status, body) = get_json(&router, "/v1/panics").await;
        assert_eq!((status, &body["error"]["code"]), (500, &"internal_error".into()));
        let (status, problem) = get_json(&router, "/v1/auth/panics").await;
        assert_eq!((status, &problem["code"]), (500, &"internal_error".into()));
        assert!(!format!("{body}{problem}").contains("secret"));
    }

    #[tokio::test]
    async fn a_place_is_kept_until_the_answer_s_last_byte_and_given_back() {
        let places = Arc::new(Semaphore::new(1));
        let router = router(&places);
        let request = || Request::get("/").body(Body::empty()).unwrap();
        let open = router.clone().oneshot(request()).await.unwrap();
        assert_eq!(places.available_permits(), 0);
        let refused = router.clone().oneshot(request()).await.unwrap();
        assert_eq!(refused.status(), 503);
        drop(open);
        assert_eq!(places.available_permits(), 1);
        get_json(&router, "/v1/panics").await;
        assert_eq!(places.available_permits(), 1, "a panic gives its place back");
    }
}
