//! Rebuilding a read model beside the live one.

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

/// Rebuilds what an older build has left; see [`crate::Runner::run`].
pub(crate) async fn outdated(
    _pool: &PgPool,
    _names: &[&'static str],
    _shutdown: &CancellationToken,
) {
}
