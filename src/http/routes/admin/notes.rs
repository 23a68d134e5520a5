//! The remarks and the names that belong to what is shown.

use std::collections::HashMap;

use crate::http::{ApiError, AppState};
use crate::identity::{Role, remarks};

/// What people are called, by their ids or by those of their accounts; nothing for auditors.
pub(super) struct Names(HashMap<String, String>);

impl Names {
    /// Of users.
    pub(super) async fn of_users(
        app: &AppState,
        role: Role,
        ids: impl IntoIterator<Item = String>,
    ) -> Result<Self, ApiError> {
        match role {
            Role::Client | Role::Auditor => Ok(Self(HashMap::new())),
            Role::Admin => Ok(Self(app.people.users.names(ids).await?)),
        }
    }

    /// Of those who hold accounts.
    pub(super) async fn of_holders(
        app: &AppState,
        role: Role,
        accounts: impl IntoIterator<Item = String>,
    ) -> Result<Self, ApiError> {
        match role {
            Role::Client | Role::Auditor => Ok(Self(HashMap::new())),
            Role::Admin => Ok(Self(app.people.users.names_of_holders(accounts).await?)),
        }
    }

    /// What this one is called.
    pub(super) fn of(&self, id: &str) -> Option<String> {
        self.0.get(id).cloned()
    }
}

/// Remarks by what they are about; none for auditors, because free text may name people.
pub(super) struct Notes(HashMap<String, String>);

impl Notes {
    /// Reads what may be said about these ids.
    pub(super) async fn read(
        app: &AppState,
        role: Role,
        subjects: impl IntoIterator<Item = String>,
    ) -> Result<Self, ApiError> {
        match role {
            Role::Client | Role::Auditor => Ok(Self(HashMap::new())),
            Role::Admin => Ok(Self(remarks::find(app.database.pool(), subjects).await?)),
        }
    }

    /// The remark about this id.
    pub(super) fn about(&self, subject: Option<&str>) -> Option<String> {
        self.0.get(subject?).cloned()
    }
}
