-- People are not in the ledger, so what is done to them stands here: who did what to whom, by ids
-- only, so that erasing a person does not have to change what happened.
CREATE TABLE audit_trail (
    entry       bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT audit_trail_pkey PRIMARY KEY,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    actor       text        NOT NULL,
    action      text        NOT NULL,
    subject     text        NOT NULL,
    request_id  text,
    details     json        NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_trail_subject_idx ON audit_trail (subject, entry);
COMMENT ON TABLE audit_trail IS 'Changes of people, roles, invitations and sessions. Rows are only ever added. No name and no address.';
COMMENT ON COLUMN audit_trail.actor IS 'As in the metadata of events: a user''s id or system:<part>.';
COMMENT ON COLUMN audit_trail.subject IS 'The id of the user, session, invitation or mail that it was done to.';

CREATE TRIGGER audit_trail_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_trail
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history();

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tollgate') THEN
        GRANT SELECT, INSERT ON audit_trail TO tollgate;
    END IF;
END
$$;
