//! Prices, reservations and master accounts as the request path sees them.
