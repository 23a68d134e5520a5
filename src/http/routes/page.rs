//! The dashboard: what `frontend/dist` held when this program was built, and a plain page where it
//! held nothing.
//!
//! In a debug build the files are read when they are asked for, so that a page that was built again
//! needs no new program.

use axum::Router;
use axum::extract::{Path, Request};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rust_embed::RustEmbed;

use crate::http::{AppState, edge};

#[derive(RustEmbed)]
#[folder = "frontend/dist"]
#[allow_missing = true]
struct Dashboard;

const INDEX: &str = "index.html";
/// Names below this contain a hash of their content.
const ASSETS: &str = "assets/";
/// Copies that lie beside a file, best first.
const ENCODINGS: [(&str, &str); 2] = [("br", "br"), ("gzip", "gz")];
/// What is the server's own: a path under one of these is never a page of the dashboard.
const NOT_PAGES: [&str; 6] = ["/v1/", "/api/", "/assets/", "/docs/", "/health", "/openapi.json"];

/// Pages and their files. They are for people, so they stand outside of the OpenAPI document.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/", get(|| async { start() }))
        .route("/favicon.svg", get(icon))
        .route("/assets/{*name}", get(asset))
}

/// Whatever no other route answers: a page of the dashboard if a browser asks for one, since its
/// paths are known only to itself.
pub async fn fallback(request: Request) -> Response {
    match wants_page(request.method(), request.uri().path(), request.headers()) {
        true => match Dashboard::get(INDEX) {
            Some(index) => page(&index.data),
            None => edge::not_found(request).await,
        },
        false => edge::not_found(request).await,
    }
}

fn wants_page(method: &Method, path: &str, headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    matches!(*method, Method::GET | Method::HEAD)
        && accept.is_some_and(|accept| accept.contains("text/html"))
        && !NOT_PAGES.iter().any(|own| path.starts_with(own))
}

fn start() -> Response {
    if let Some(index) = Dashboard::get(INDEX) {
        return page(&index.data);
    }
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    let html = include_str!("page.html").replace("{version}", env!("CARGO_PKG_VERSION"));
    let mut response = Html(html).into_response();
    guard(response.headers_mut(), policy);
    response
}

/// The page that becomes any page. Style elements that its dialogs make carry a number that nobody
/// can know before; scripts come from files alone.
fn page(index: &[u8]) -> Response {
    let nonce = BASE64.encode(rand::random::<[u8; 16]>());
    let html = String::from_utf8_lossy(index);
    let html = html.replace(
        "name=\"csp-nonce\" content=\"\"",
        &format!("name=\"csp-nonce\" content=\"{nonce}\""),
    );
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    guard(headers, &policy(&nonce));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self'; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

fn guard(headers: &mut HeaderMap, policy: &str) {
    if let Ok(policy) = HeaderValue::from_str(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let opener = HeaderValue::from_static("same-origin");
    headers.insert("cross-origin-opener-policy", opener);
}

async fn icon(headers: HeaderMap) -> Response {
    file("favicon.svg", &headers)
}

async fn asset(Path(name): Path<String>, headers: HeaderMap, request: Request) -> Response {
    let name = format!("{ASSETS}{name}");
    match Dashboard::get(&name) {
        Some(_) => file(&name, &headers),
        None => edge::not_found(request).await,
    }
}

/// A file, compressed if the browser takes that and a copy lies there.
fn file(name: &str, headers: &HeaderMap) -> Response {
    let takes = headers.get(header::ACCEPT_ENCODING).and_then(|takes| takes.to_str().ok());
    let takes = takes.unwrap_or_default();
    let packed = ENCODINGS.iter().filter(|(encoding, _)| accepts(takes, encoding)).find_map(
        |(encoding, ending)| Some((*encoding, Dashboard::get(&format!("{name}.{ending}"))?)),
    );
    let (encoding, content) = match packed {
        Some((encoding, content)) => (Some(encoding), content),
        None => match Dashboard::get(name) {
            Some(content) => (None, content),
            None => return axum::http::StatusCode::NOT_FOUND.into_response(),
        },
    };
    let mut response = content.data.into_owned().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(name)));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    let keep = match name.starts_with(ASSETS) {
        true => "public, max-age=31536000, immutable",
        false => "public, max-age=3600",
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// Whether `Accept-Encoding` names it and does not refuse it.
fn accepts(takes: &str, encoding: &str) -> bool {
    takes.split(',').any(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        let refused = parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
        named && !refused
    })
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn browser() -> HeaderMap {
        let accept = HeaderValue::from_static("text/html,application/xhtml+xml,*/*;q=0.8");
        HeaderMap::from_iter([(header::ACCEPT, accept)])
    }

    #[test]
    fn a_browser_gets_the_dashboard_for_its_pages_and_for_nothing_of_the_api() {
        for path in ["/login", "/requests/req_1", "/operator/customers"] {
            assert!(wants_page(&Method::GET, path, &browser()), "{path}");
            assert!(!wants_page(&Method::GET, path, &HeaderMap::new()), "{path} for a program");
            assert!(!wants_page(&Method::POST, path, &browser()), "{path} is no place to post to");
        }
        for path in ["/v1/nothing", "/api/v1/nothing", "/assets/old.js", "/docs/nothing"] {
            assert!(!wants_page(&Method::GET, path, &browser()), "{path}");
        }
    }

    #[test]
    fn each_page_has_a_nonce_of_its_own_and_scripts_come_from_files_alone() {
        let index = b"<meta name=\"csp-nonce\" content=\"\" />";
        let policies: Vec<String> = (0..2)
            .map(|_| {
                let response = page(index);
                let policy = &response.headers()[header::CONTENT_SECURITY_POLICY];
                policy.to_str().unwrap().to_owned()
            })
            .collect();
        assert_ne!(policies[0], policies[1]);
        assert!(policies[0].contains("script-src 'self';"), "{}", policies[0]);
        assert!(!policies[0].contains("unsafe"), "{}", policies[0]);
    }

    #[test]
    fn a_compressed_copy_is_for_who_takes_it() {
        assert!(accepts("gzip, deflate, br;q=0.9", "br"));
        assert!(!accepts("gzip, br;q=0", "br"));
        assert!(!accepts("identity", "gzip"));
    }
}
