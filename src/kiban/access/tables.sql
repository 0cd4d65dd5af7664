-- Who may call the API, with what, and what was given to it. No secret and no token stands here in clear.
CREATE TABLE IF NOT EXISTS system (
    client_id text PRIMARY KEY CHECK (client_id ~ '^[0-9A-Za-z]{32}$'),
    system text NOT NULL CHECK (system ~ '^[0-9A-Z]{3}$'),
    name text NOT NULL,
    provides boolean NOT NULL,             -- whether it may ask about tokens that are for itself
    scopes text[] NOT NULL,                -- beyond those its contracts give it
    seconds integer NOT NULL CHECK (seconds BETWEEN 1 AND 600),
    basic_until date,                      -- the last day but one of the provisional client_secret_basic; null = not allowed
    registered_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE UNIQUE INDEX IF NOT EXISTS one_client_per_system ON system (system) WHERE revoked_at IS NULL;

CREATE TABLE IF NOT EXISTS secret (
    secret bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client_id text NOT NULL REFERENCES system,
    sealed bytea NOT NULL,                 -- client_secret_jwt needs it in clear: sealed with the key file of the home
    made_at timestamptz NOT NULL,
    until timestamptz                      -- null = open
);
CREATE INDEX IF NOT EXISTS secret_client ON secret (client_id);

CREATE TABLE IF NOT EXISTS token (
    digest bytea PRIMARY KEY,              -- SHA-256 of the token
    client_id text NOT NULL REFERENCES system,
    provider text NOT NULL,
    scopes text[] NOT NULL,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at <= issued_at + interval '600 seconds'),
    revoked_at timestamptz
);
CREATE INDEX IF NOT EXISTS token_expires ON token (expires_at);

CREATE TABLE IF NOT EXISTS assertion (     -- a signed assertion is good once
    client_id text NOT NULL REFERENCES system,
    digest bytea NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (client_id, digest)
);
CREATE INDEX IF NOT EXISTS assertion_until ON assertion (until);

CREATE TABLE IF NOT EXISTS failure (       -- what looks like guessing
    client_id text NOT NULL,               -- empty where no such client exists
    address text NOT NULL,
    failed_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS failure_who ON failure (client_id, address, failed_at);
