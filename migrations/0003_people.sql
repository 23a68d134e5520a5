-- Identities: the only place with names and addresses. Events refer to ids, so a row here can be
-- erased without touching the books.
CREATE TABLE users (
    user_id       text        NOT NULL CONSTRAINT users_pkey PRIMARY KEY,
    account_id    text        NOT NULL CONSTRAINT users_account_key UNIQUE,
    email         text        NOT NULL,
    name          text        NOT NULL,
    password_hash text        NOT NULL,
    role          text        NOT NULL CONSTRAINT users_role CHECK (role IN ('client', 'admin', 'auditor')),
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_email_key ON users (lower(email));
COMMENT ON TABLE users IS 'People. account_id is the stream of their prepaid account.';
COMMENT ON COLUMN users.password_hash IS 'argon2id in PHC format.';

CREATE TABLE sessions (
    session_id   text        NOT NULL CONSTRAINT sessions_pkey PRIMARY KEY,
    user_id      text        NOT NULL CONSTRAINT sessions_user_fkey REFERENCES users ON DELETE CASCADE,
    refresh_hash bytea       NOT NULL CONSTRAINT sessions_refresh_key UNIQUE,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz
);
CREATE INDEX sessions_user_idx ON sessions (user_id);
COMMENT ON TABLE sessions IS 'Signed-in sessions; each refresh replaces refresh_hash.';
COMMENT ON COLUMN sessions.refresh_hash IS 'SHA-256 of the refresh token, which is shown once.';

CREATE TABLE api_keys (
    key_id     text        NOT NULL CONSTRAINT api_keys_pkey PRIMARY KEY,
    account_id text        NOT NULL,
    name       text        NOT NULL,
    key_hash   bytea       NOT NULL CONSTRAINT api_keys_hash_key UNIQUE,
    masked     text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);
CREATE INDEX api_keys_account_idx ON api_keys (account_id, created_at DESC, key_id DESC);
COMMENT ON TABLE api_keys IS 'How a key is recognised and named. Whether it may spend is decided by its account''s stream.';
COMMENT ON COLUMN api_keys.key_hash IS 'SHA-256 of the key: it has 256 random bits, so a slow hash would protect nothing more.';

CREATE TABLE upstream_keys (
    master_account_id text        NOT NULL,
    key_version       integer     NOT NULL,
    provider          text        NOT NULL,
    base_url          text        NOT NULL,
    sealed_key        text        NOT NULL,
    masked            text        NOT NULL,
    key_hash          bytea       NOT NULL CONSTRAINT upstream_keys_hash_key UNIQUE,
    created_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT upstream_keys_pkey PRIMARY KEY (master_account_id, key_version)
);
COMMENT ON TABLE upstream_keys IS 'Credentials of master accounts.';
COMMENT ON COLUMN upstream_keys.sealed_key IS 'AES-256-GCM under ENCRYPTION_KEY, bound to the master account.';

CREATE TABLE catalogue (
    model      text        NOT NULL CONSTRAINT catalogue_pkey PRIMARY KEY,
    listing    json        NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE catalogue IS 'The upstream''s description of each model, as last seen. Prices count only as events.';

CREATE TABLE nodes (
    node       text        NOT NULL CONSTRAINT nodes_pkey PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE nodes IS 'Processes that serve. One that was not seen for a while has left its reservations to recovery.';

CREATE TABLE generations (
    reservation_id    text        NOT NULL CONSTRAINT generations_pkey PRIMARY KEY,
    generation_id     text        NOT NULL,
    master_account_id text        NOT NULL,
    recorded_at       timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE generations IS 'The upstream''s handle of requests that are still running: what recovery asks the upstream for.';
