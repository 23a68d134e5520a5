-- A client that lost its connection asks again with the same Idempotency-Key and gets the answer
-- that it has paid for, from any node. The fact of the charge stands in idempotency_keys for ever;
-- the answer itself is somebody's conversation, so it is sealed and goes after a day.
CREATE TABLE kept_answers (
    account_id  text        NOT NULL,
    key         text        NOT NULL,
    sealed      bytea       NOT NULL,
    bytes       integer     NOT NULL CONSTRAINT kept_answers_bytes CHECK (bytes = length(sealed)),
    recorded_at timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    CONSTRAINT kept_answers_pkey PRIMARY KEY (account_id, key)
);
CREATE INDEX kept_answers_expires_idx ON kept_answers (expires_at) INCLUDE (bytes);
COMMENT ON TABLE kept_answers IS
    'Answers to requests with an Idempotency-Key, for 24 hours; bounded by IDEMPOTENCY_STORE_BYTES. What is not here was too long, or came when the table was full, or its node stopped first.';
COMMENT ON COLUMN kept_answers.key IS 'As in idempotency_keys: the client''s key, and which attempt under it.';
COMMENT ON COLUMN kept_answers.sealed IS 'AES-256-GCM under ENCRYPTION_KEY, bound to account and key.';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tollgate') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON kept_answers TO tollgate;
    END IF;
END
$$;
