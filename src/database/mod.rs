//! PostgreSQL: a private server, connections, migrations.

pub mod private;

pub use private::{PrivatePostgres, PrivatePostgresError};
