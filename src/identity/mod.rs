//! People: passwords, sessions, API keys, secrets at rest.

pub mod password;

pub use password::Passwords;
