//! The OpenAPI document: what the code cannot say about itself, and what every operation has in
//! common.

mod examples;
mod schemas;

use axum::http::StatusCode;
use serde_json::json;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{OpenApi, ToSchema};

use self::examples::Schemas;
use super::error::{ErrorBody, ProblemBody};

/// The document without its operations; `routes` add them.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tollgate",
        description = "An OpenAI-compatible LLM gateway for resellers whose books always balance.\n\n\
            Model endpoints take an API key and answer in OpenAI's shapes. Everything else takes \
            a session's access token; its errors are RFC 9457 problems. Money is a decimal string \
            in US dollars. Every write answers with the `position` of its event in the log, every \
            read with the `as_of_position` that it reflects, and `?at_least=<position>` waits \
            until a write is visible.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers(
        (url = "/", description = "This server"),
        (url = "/api", description = "The same paths for clients of OpenRouter: only errors of \
            model endpoints differ, whose `code` is the status there"),
    ),
    tags(
        (name = "auth", description = "Registration and sessions"),
        (name = "api keys", description = "A customer's keys"),
        (name = "client", description = "What customers see of their own account"),
        (name = "admin", description = "What the operator does and sees; auditors see it too"),
        (name = "ledger", description = "The books as auditors read them"),
        (name = "health", description = "The state of the service"),
    ),
    components(schemas(ErrorBody, ProblemBody)),
)]
pub struct Document;

/// Completes the document: security schemes, and the errors that every operation may answer with.
pub fn complete(api: &mut utoipa::openapi::OpenApi) {
    let components = api.components.get_or_insert_default();
    let bearer = |format: &str, description: &str| {
        let http = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format(format);
        SecurityScheme::Http(http.description(Some(description)).build())
    };
    components.add_security_scheme(
        "session",
        bearer("JWT", "An access token from `/v1/auth/login` or `/v1/auth/refresh`"),
    );
    components
        .add_security_scheme("api_key", bearer("sk-tg-…", "An API key from `/v1/auth/api-keys`"));
    schemas::tidy(&mut components.schemas, &api.paths);
    let named = Schemas::new(&components.schemas);
    for item in api.paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.delete,
            &mut item.patch,
            &mut item.head,
            &mut item.options,
            &mut item.trace,
        ];
        for operation in operations.into_iter().flatten() {
            add_errors(operation);
            schemas::absent_is_not_null(operation);
            named.illustrate(operation);
        }
    }
}

/// Status, description and an example's code.
type Case = (&'static str, &'static str, &'static str);

const EVERYWHERE: [Case; 4] = [
    ("414", "The URL is longer than this server takes", "url_too_long"),
    ("431", "The headers are larger than this server takes", "headers_too_large"),
    ("500", "Our fault; `x-request-id` names it", "internal_error"),
    ("503", "Overloaded, or the books can't be reached: try again", "unavailable"),
];
const WITH_INPUT: [Case; 1] = [("400", "The request makes no sense", "invalid_request")];
const WITH_BODY: [Case; 3] = [
    ("408", "The body came too slowly", "request_timeout"),
    ("413", "The body is larger than this server takes", "request_too_large"),
    ("415", "The body is not JSON", "unsupported_media_type"),
];
const WITH_SESSION: [Case; 2] = [
    ("401", "Not signed in, or the token has expired", "token_expired"),
    ("403", "Signed in, but not as somebody who may do this", "forbidden"),
];
const WITH_KEY: [Case; 1] = [("401", "No key, or one that does not work", "invalid_api_key")];

fn add_errors(operation: &mut Operation) {
    let scheme = |name: &str| {
        let security = operation.security.iter().flatten();
        security.map(|entry| json!(entry)).any(|entry| entry.get(name).is_some())
    };
    let (session, key) = (scheme("session"), scheme("api_key"));
    let mut cases = EVERYWHERE.to_vec();
    if operation.request_body.is_some() {
        cases.extend(WITH_BODY);
    }
    if operation.request_body.is_some() || operation.parameters.is_some() {
        cases.extend(WITH_INPUT);
    }
    if session {
        cases.extend(WITH_SESSION);
    }
    if key {
        cases.extend(WITH_KEY);
    }
    for (status, description, code) in cases {
        let response = ResponseBuilder::new().description(description).build();
        let responses = &mut operation.responses.responses;
        responses.entry(status.to_owned()).or_insert(RefOr::T(response));
        fill(responses.get_mut(status), status, code, key);
    }
    // What an operation says about its own errors has a description and no body: all have the same.
    for (status, response) in &mut operation.responses.responses {
        if status.starts_with(['4', '5']) {
            fill(Some(response), status, usual_code(status, key), key);
        }
    }
}

/// The code of an example where the operation says only what its error means.
fn usual_code(status: &str, model: bool) -> &'static str {
    match status {
        "401" => "wrong_password",
        "402" => "insufficient_quota",
        "403" if model => "key_limit_exceeded",
        "403" => "forbidden",
        "404" => "not_found",
        "409" => "conflict",
        "429" => "rate_limit_exceeded",
        "502" => "upstream_unavailable",
        _ => "error",
    }
}

fn fill(
    response: Option<&mut RefOr<utoipa::openapi::Response>>,
    status: &str,
    code: &str,
    model: bool,
) {
    let Some(RefOr::T(response)) = response else { return };
    if !response.content.is_empty() {
        return;
    }
    let number: u16 = status.parse().unwrap_or_default();
    let detail = response.description.clone();
    let (kind, schema, example) = match model {
        true => {
            let error = json!({ "message": detail, "type": "invalid_request_error", "param": null, "code": code });
            ("application/json", ErrorBody::name(), json!({ "error": error }))
        }
        false => {
            let kind = format!("urn:tollgate:problem:{code}");
            let title = StatusCode::from_u16(number).ok().and_then(|s| s.canonical_reason());
            let body = json!({
                "type": kind, "title": title, "status": number, "detail": detail, "code": code
            });
            ("application/problem+json", ProblemBody::name(), body)
        }
    };
    let schema = RefOr::Ref(Ref::from_schema_name(schema));
    let content = ContentBuilder::new().schema(Some(schema)).example(Some(example)).build();
    response.content.insert(kind.to_owned(), RefOr::T(content));
}
