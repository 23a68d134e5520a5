-- Links that are mailed to people. The token in a link is this id signed with SECRET_KEY: nothing
-- that stands here opens anything.
CREATE TABLE one_time_links (
    link_id    text        NOT NULL CONSTRAINT one_time_links_pkey PRIMARY KEY,
    user_id    text        NOT NULL CONSTRAINT one_time_links_user_fkey REFERENCES users ON DELETE CASCADE,
    purpose    text        NOT NULL CONSTRAINT one_time_links_purpose CHECK (purpose IN ('password_reset', 'email_verification')),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX one_time_links_user_idx ON one_time_links (user_id, purpose);
CREATE INDEX one_time_links_expires_idx ON one_time_links (expires_at);
COMMENT ON TABLE one_time_links IS 'Password resets and e-mail verifications; each works once and for a while.';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tollgate') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON one_time_links TO tollgate;
    END IF;
END
$$;
