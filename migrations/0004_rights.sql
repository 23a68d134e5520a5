-- A role named "tollgate" gets what serving needs and not what rewriting history needs. Where it
-- does not exist the trigger alone protects the log, and /health says so.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tollgate') THEN
        GRANT USAGE ON SCHEMA public TO tollgate;
        GRANT SELECT, INSERT ON events, idempotency_keys TO tollgate;
        GRANT SELECT, UPDATE ON ledger_head TO tollgate;
        GRANT SELECT, INSERT, UPDATE, DELETE ON
            snapshots, projection_checkpoints, users, sessions, api_keys, upstream_keys, catalogue,
            nodes, generations TO tollgate;
        GRANT SELECT ON _sqlx_migrations TO tollgate;
        GRANT USAGE, CREATE ON SCHEMA read, read_next TO tollgate;
    END IF;
END
$$;
