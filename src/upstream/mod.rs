//! HTTP client for upstreams.
