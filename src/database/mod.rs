//! PostgreSQL: a private server, connections, migrations.
