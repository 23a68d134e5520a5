-- What the audit found, so that it can be read without being carried out again.
CREATE TABLE verifications (
    verification  bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT verifications_pkey PRIMARY KEY,
    state         text        NOT NULL
        CONSTRAINT verifications_state CHECK (state IN ('running', 'right', 'wrong', 'failed')),
    started_at    timestamptz NOT NULL DEFAULT now(),
    seen_at       timestamptz NOT NULL DEFAULT now(),
    ended_at      timestamptz,
    started_by    text        NOT NULL,
    position      bigint      NOT NULL DEFAULT 0,
    head          bigint      NOT NULL DEFAULT 0,
    stage         text        NOT NULL DEFAULT 'events',
    report        json
);
CREATE UNIQUE INDEX verifications_running_idx ON verifications (state) WHERE state = 'running';
COMMENT ON TABLE verifications IS 'Audits of the whole log: by the command line and by POST /v1/ledger/verification, one of those at a time. The last hundred.';
COMMENT ON COLUMN verifications.seen_at IS 'While one runs its process writes this each second; where it stopped, the process did.';
COMMENT ON COLUMN verifications.stage IS 'events, or the read model that is compared.';
COMMENT ON COLUMN verifications.report IS 'What was found; empty while it runs, and where it could not be carried out.';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tollgate') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON verifications TO tollgate;
    END IF;
END
$$;
