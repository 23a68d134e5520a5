-- A refresh token that was used is kept one step longer, so that its second use is recognised as
-- what it may be: a stolen copy.
ALTER TABLE sessions
    ADD COLUMN replaced_hash bytea,
    ADD COLUMN replaced_at   timestamptz;
CREATE INDEX sessions_replaced_idx ON sessions (replaced_hash) WHERE replaced_hash IS NOT NULL;
COMMENT ON COLUMN sessions.replaced_hash IS 'SHA-256 of the refresh token before this one; who presents it ends the session.';

-- Nodes look once a second which keys were revoked elsewhere.
CREATE INDEX api_keys_revoked_idx ON api_keys (revoked_at) WHERE revoked_at IS NOT NULL;

CREATE TABLE remarks (
    subject    text        NOT NULL CONSTRAINT remarks_pkey PRIMARY KEY,
    remark     text        NOT NULL CONSTRAINT remarks_length CHECK (length(remark) <= 2000),
    author_id  text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE remarks IS
    'What operators note about a top-up or a purchase (subject is its id). Free text may name people, so it stands here, where it can be erased, and not in an event.';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tollgate') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON remarks TO tollgate;
    END IF;
END
$$;
