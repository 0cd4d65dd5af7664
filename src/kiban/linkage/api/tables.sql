-- The numbers of 住登外者: the city's rule, every number ever given out, and whose it is. No item of a person stands here.
CREATE TABLE IF NOT EXISTS numbering_rule (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    next_serial bigint NOT NULL CHECK (next_serial >= 0),
    last_serial bigint NOT NULL,
    digits integer NOT NULL CHECK (digits BETWEEN 2 AND 15),
    remainder_one text CHECK (remainder_one ~ '^[0-9]$')   -- null: serials of remainder 1 are skipped
);

CREATE TABLE IF NOT EXISTS numbering_issued (              -- a number is given out once
    number text PRIMARY KEY,
    serial bigint NOT NULL UNIQUE,
    issued_at timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS numbering_person (              -- a person has one number: the key says so
    person bytea PRIMARY KEY,                              -- HMAC of the four items, or of a request that lacks one of them
    number text NOT NULL,
    noted_at timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS numbering_request (             -- a request that comes again is the same, or refused
    request bytea PRIMARY KEY,                             -- HMAC of the system and its Idempotency-Key
    body bytea NOT NULL,                                   -- SHA-256 of what was asked
    asked_at timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS numbering_turn (                -- whoever writes the row of a number holds its line here
    number text PRIMARY KEY
);

CREATE UNLOGGED TABLE IF NOT EXISTS api_used (             -- how much of its limits a flow has used up in this minute; may be lost
    flow text PRIMARY KEY,
    requests double precision NOT NULL,
    bytes double precision NOT NULL,
    at timestamptz NOT NULL
);
