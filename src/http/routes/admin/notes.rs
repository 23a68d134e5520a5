//! The remarks that belong to what is shown.

use std::collections::HashMap;

use crate::http::{ApiError, AppState};
use crate::identity::{Role, remarks};

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
