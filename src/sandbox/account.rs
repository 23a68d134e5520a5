//! `GET /credits` and `GET /key`: what the account has left.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;

use super::Sandbox;
use super::money::Usd;
use super::wire::{self, WireError};

#[derive(Serialize)]
struct Credits {
    total_credits: Usd,
    total_usage: Usd,
}

pub async fn credits(
    State(sandbox): State<Arc<Sandbox>>,
    headers: HeaderMap,
) -> Result<Response, WireError> {
    wire::authenticate(&sandbox, &headers)?;
    let total_credits = Usd(sandbox.config.credits_usd);
    Ok(wire::data(Credits { total_credits, total_usage: Usd(sandbox.used()) }))
}

#[derive(Serialize)]
struct Key {
    label: String,
    limit: Option<Usd>,
    limit_remaining: Option<Usd>,
    limit_reset: Option<&'static str>,
    include_byok_in_limit: bool,
    usage: Usd,
    usage_daily: Usd,
    usage_weekly: Usd,
    usage_monthly: Usd,
    byok_usage: u8,
    byok_usage_daily: u8,
    byok_usage_weekly: u8,
    byok_usage_monthly: u8,
    is_free_tier: bool,
    is_management_key: bool,
    is_provisioning_key: bool,
    expires_at: Option<&'static str>,
    creator_user_id: Option<&'static str>,
    rate_limit: RateLimit,
}

#[derive(Serialize)]
struct RateLimit {
    requests: i8,
    interval: &'static str,
    note: &'static str,
}

/// The sandbox keeps one sum for the whole account: every key reports it, for every period.
pub async fn key(
    State(sandbox): State<Arc<Sandbox>>,
    headers: HeaderMap,
) -> Result<Response, WireError> {
    let key = wire::authenticate(&sandbox, &headers)?;
    let usage = Usd(sandbox.used());
    Ok(wire::data(Key {
        label: masked(key),
        limit: None,
        limit_remaining: None,
        limit_reset: None,
        include_byok_in_limit: false,
        usage,
        usage_daily: usage,
        usage_weekly: usage,
        usage_monthly: usage,
        byok_usage: 0,
        byok_usage_daily: 0,
        byok_usage_weekly: 0,
        byok_usage_monthly: 0,
        is_free_tier: false,
        is_management_key: false,
        is_provisioning_key: false,
        expires_at: None,
        creator_user_id: None,
        rate_limit: RateLimit {
            requests: -1,
            interval: "10s",
            note: "This field is deprecated and safe to ignore.",
        },
    }))
}

/// The first and last letters of a key; short keys show nothing.
fn masked(key: &str) -> String {
    let letters: Vec<char> = key.chars().collect();
    match letters.len() {
        0..16 => "sk-or-v1-...".to_owned(),
        count => {
            let head: String = letters[..12].iter().collect();
            let tail: String = letters[count - 3..].iter().collect();
            format!("{head}...{tail}")
        }
    }
}
