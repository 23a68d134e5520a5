-- Refresh tokens are signed and numbered: each token of a session that was replaced is recognised
-- however old it is, and a client that lost an answer can be given the same token again.
ALTER TABLE sessions
    ADD COLUMN generation   bigint      NOT NULL DEFAULT 0,
    ADD COLUMN last_used_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN user_agent   text        CONSTRAINT sessions_user_agent_length CHECK (length(user_agent) <= 400),
    ADD COLUMN address      text        CONSTRAINT sessions_address_length CHECK (length(address) <= 45),
    ALTER COLUMN refresh_hash DROP NOT NULL,
    -- A person who is erased leaves the ends of their sessions behind for other nodes to learn.
    DROP CONSTRAINT sessions_user_fkey;
COMMENT ON COLUMN sessions.generation IS 'Number of the newest refresh token; an older one that comes back ends the session.';
COMMENT ON COLUMN sessions.last_used_at IS 'The last sign-in or refresh: access tokens are checked without a write.';
COMMENT ON COLUMN sessions.refresh_hash IS 'Of tokens before 0035, which are not accepted any more.';
COMMENT ON COLUMN sessions.replaced_hash IS 'Of tokens before 0035, which are not accepted any more.';
COMMENT ON COLUMN sessions.address IS 'Where the newest refresh came from. From here its owner may always try to sign in.';

-- Nodes look twice a second which sessions were ended elsewhere.
CREATE INDEX sessions_revoked_idx ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;
-- Housekeeping removes what nobody can use any more.
CREATE INDEX sessions_expires_idx ON sessions (expires_at);
