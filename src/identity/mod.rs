//! People: passwords, sessions, API keys, secrets at rest.
//!
//! The stores here know SQL and nothing of HTTP. What concerns money (accounts, whether a key may
//! spend) goes through the ledger; the tables only say who is who.

pub mod alerts;
pub mod api_key;
pub mod attempts;
pub mod erasure;
pub mod invitations;
pub mod keys;
pub mod links;
pub mod origin;
pub mod password;
pub mod people;
pub mod refresh;
pub mod remarks;
pub mod sealed;
pub mod search;
pub mod sessions;
pub mod signer;
pub mod tokens;
pub mod trail;
pub mod upstream_keys;
pub mod users;

pub use api_key::{ApiKey, KeyHash};
pub use keys::{ApiKeys, KeyOwner, KeyStatus};
pub use origin::Origin;
pub use password::Passwords;
pub use people::People;
pub use sealed::Sealer;
pub use sessions::SessionStore;
pub use signer::Signer;
pub use tokens::{AccessClaims, Role, Sessions, Subject};
pub use upstream_keys::{UpstreamKey, UpstreamKeys};
pub use users::{User, Users};
