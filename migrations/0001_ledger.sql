-- The ledger: what happened, for ever. The columns of cqrs-es's table come first and under its
-- names, so that its stock repository can read what stands here.

CREATE TABLE ledger_head (
    only_row boolean PRIMARY KEY DEFAULT true CONSTRAINT ledger_head_has_one_row CHECK (only_row),
    position bigint NOT NULL CONSTRAINT ledger_head_not_negative CHECK (position >= 0)
);
COMMENT ON TABLE ledger_head IS
    'The position of the newest event. Every append advances it in its own statement and numbers its events from it: so positions have no gaps and become visible in order.';
INSERT INTO ledger_head (position) VALUES (0);

CREATE TABLE events (
    aggregate_type text        NOT NULL,
    aggregate_id   text        NOT NULL,
    sequence       bigint      NOT NULL CONSTRAINT events_sequence_from_one CHECK (sequence > 0),
    event_type     text        NOT NULL,
    event_version  text        NOT NULL,
    payload        json        NOT NULL,
    metadata       json        NOT NULL,
    position       bigint      NOT NULL,
    recorded_at    timestamptz NOT NULL,
    hash           bytea       NOT NULL CONSTRAINT events_hash_is_sha256 CHECK (length(hash) = 32),
    CONSTRAINT events_pkey PRIMARY KEY (aggregate_type, aggregate_id, sequence),
    CONSTRAINT events_position_key UNIQUE (position)
);
COMMENT ON TABLE events IS 'The log. Rows are only ever added; the trigger and the rights refuse everything else.';
COMMENT ON COLUMN events.sequence IS 'Order within the stream, from 1, dense.';
COMMENT ON COLUMN events.payload IS 'json and not jsonb: the bytes stay as written, and the hash covers them.';
COMMENT ON COLUMN events.position IS 'Order of all events, from 1, dense, visible in commit order.';
COMMENT ON COLUMN events.recorded_at IS 'The clock of the process that wrote the event; covered by the hash.';
COMMENT ON COLUMN events.hash IS
    'SHA-256(previous hash of the stream, then length-prefixed: aggregate type, id, sequence, event type, version, recorded_at in microseconds, payload, metadata).';

CREATE TABLE idempotency_keys (
    scope          text        NOT NULL,
    key            text        NOT NULL,
    fingerprint    bytea       NOT NULL,
    result         json        NOT NULL,
    aggregate_type text        NOT NULL,
    aggregate_id   text        NOT NULL,
    recorded_at    timestamptz NOT NULL,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (scope, key)
);
COMMENT ON TABLE idempotency_keys IS
    'Which command was carried out under which key; written by the statement that appends its events. Without expiry, because money has none.';
COMMENT ON COLUMN idempotency_keys.fingerprint IS 'SHA-256 of the command: the same key with another content is a conflict.';
COMMENT ON COLUMN idempotency_keys.result IS 'What the first caller was told, so that a retry is told the same.';

CREATE TABLE snapshots (
    aggregate_type   text   NOT NULL,
    aggregate_id     text   NOT NULL,
    last_sequence    bigint NOT NULL,
    current_snapshot bigint NOT NULL,
    payload          json   NOT NULL,
    CONSTRAINT snapshots_pkey PRIMARY KEY (aggregate_type, aggregate_id)
);
COMMENT ON TABLE snapshots IS 'Disposable: the state of long streams at a committed sequence, so that loading need not start at 1.';
COMMENT ON COLUMN snapshots.current_snapshot IS 'The layout of the payload; another layout is ignored and the stream is read from its start.';

CREATE FUNCTION refuse_to_rewrite_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: history is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege', HINT = 'Record a new event that corrects the old one.';
END
$$;
CREATE TRIGGER events_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history();
CREATE TRIGGER idempotency_keys_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON idempotency_keys
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history();
