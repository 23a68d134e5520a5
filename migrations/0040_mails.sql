-- What is to be mailed. The text is made when it is sent, from ids: no address, no name and no
-- secret waits here, and erasing a person erases where their mails would go.
CREATE TABLE mails (
    mail_id         text        NOT NULL CONSTRAINT mails_pkey PRIMARY KEY,
    kind            text        NOT NULL,
    user_id         text        CONSTRAINT mails_user_fkey REFERENCES users ON DELETE CASCADE,
    invitation_id   text        CONSTRAINT mails_invitation_fkey REFERENCES invitations ON DELETE CASCADE,
    link_id         text        CONSTRAINT mails_link_fkey REFERENCES one_time_links ON DELETE CASCADE,
    details         json        NOT NULL DEFAULT '{}',
    state           text        NOT NULL DEFAULT 'queued'
        CONSTRAINT mails_state CHECK (state IN ('queued', 'sent', 'failed')),
    attempts        integer     NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    created_at      timestamptz NOT NULL DEFAULT now(),
    ended_at        timestamptz,
    last_error      text        CONSTRAINT mails_last_error_length CHECK (length(last_error) <= 400),
    CONSTRAINT mails_recipient CHECK (num_nonnulls(user_id, invitation_id) = 1)
);
CREATE INDEX mails_due_idx ON mails (next_attempt_at) WHERE state = 'queued';
CREATE INDEX mails_user_idx ON mails (user_id);
CREATE INDEX mails_created_idx ON mails (created_at);
COMMENT ON TABLE mails IS 'The outbox. Without SMTP its mails wait for the operator, who can read what they say.';
COMMENT ON COLUMN mails.next_attempt_at IS 'Who takes a mail moves this ahead first, so that a mail whose sender stopped is sent again.';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tollgate') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON mails TO tollgate;
    END IF;
END
$$;
