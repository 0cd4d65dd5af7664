-- The last searches of a person at work. Few, for a short time, and nobody else's.
CREATE TABLE IF NOT EXISTS recent_search (
    account text NOT NULL,
    digest text NOT NULL,              -- of what was asked: the same search stands once
    asked jsonb NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (account, digest)
);
