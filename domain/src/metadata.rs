//! Who did it and why: the metadata of every event.

use serde::{Deserialize, Serialize};

/// Who caused an event; ids only, never a name or an address.
///
/// cqrs-es reads metadata as a map of strings, so every member is a string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// `key_…`, `usr_…` or `system:<part>`.
    pub actor: String,
    /// The request (`req_…`), or the command that had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What led to it: an earlier event or command id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation: Option<String>,
    /// The process that wrote it.
    pub node: String,
}
