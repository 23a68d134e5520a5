CREATE TABLE invitations (
    invitation_id text        NOT NULL CONSTRAINT invitations_pkey PRIMARY KEY,
    email         text        CONSTRAINT invitations_email_length CHECK (length(email) <= 254),
    created_by    text        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL,
    used_at       timestamptz,
    used_by       text,
    revoked_at    timestamptz
);
COMMENT ON TABLE invitations IS 'Who may register where registration is by invitation. The token is this id signed with SECRET_KEY.';
COMMENT ON COLUMN invitations.email IS 'The only address that may register with it; null: any. Removed once it is used or revoked.';
COMMENT ON COLUMN invitations.used_by IS 'The user who registered with it; null where the address was registered before.';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tollgate') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON invitations TO tollgate;
    END IF;
END
$$;
