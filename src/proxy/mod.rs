//! The request path from a customer's call to a settled charge.
