-- Who can sign in. The address itself is not here, only its keyed hash; the password only as its Argon2id hash. A row is pending
-- until the log has the registration: an account and its event do not come apart.
CREATE TABLE vault.credentials (
    account_id    uuid PRIMARY KEY,
    email_index   text NOT NULL,
    password_hash text NOT NULL,
    roles         text[] NOT NULL,
    active        boolean NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX credentials_email_index ON vault.credentials (email_index);
CREATE UNIQUE INDEX credentials_active_email_index ON vault.credentials (email_index) WHERE active;

-- One row per sign-in: the family of refresh tokens that follow from it.
CREATE TABLE vault.sessions (
    session_id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES vault.credentials ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);
CREATE INDEX sessions_account_id ON vault.sessions (account_id);

-- Refresh tokens, as SHA-256 only. A used one stays until it expires, so that using it again is noticed.
CREATE TABLE vault.refresh_tokens (
    token_hash bytea PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES vault.sessions ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX refresh_tokens_session_id ON vault.refresh_tokens (session_id);
