//! People: passwords, sessions, API keys, secrets at rest.

pub mod api_key;
pub mod password;
pub mod sealed;
pub mod tokens;

pub use api_key::{ApiKey, KeyHash};
pub use password::Passwords;
pub use sealed::Sealer;
pub use tokens::{AccessClaims, RefreshToken, Role, Sessions};
