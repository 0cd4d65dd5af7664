-- The audit trail: lines are only added, by whomever; `access` may not even try to change them (see open_access).
CREATE TABLE IF NOT EXISTS audit_line (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    outcome text NOT NULL,
    actor text NOT NULL,
    office text NOT NULL,
    duty text NOT NULL,
    purpose text NOT NULL,
    address text NOT NULL,
    session text NOT NULL,
    request text NOT NULL,
    business text NOT NULL,
    subjects text[] NOT NULL,
    detail jsonb NOT NULL
);
CREATE INDEX IF NOT EXISTS audit_line_at ON audit_line USING brin (at) WITH (pages_per_range = 16);
CREATE INDEX IF NOT EXISTS audit_line_actor ON audit_line (actor, number);
CREATE INDEX IF NOT EXISTS audit_line_kind ON audit_line (kind, number);
CREATE INDEX IF NOT EXISTS audit_line_session ON audit_line (session, number) WHERE session <> '';
CREATE INDEX IF NOT EXISTS audit_line_request ON audit_line (request) WHERE request <> '';
CREATE INDEX IF NOT EXISTS audit_line_subject ON audit_line USING gin (subjects) WHERE subjects <> '{}';

CREATE OR REPLACE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of %: the audit trail is only added to', tg_op, tg_table_name USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE OR REPLACE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_line
    FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows();

-- Sealing: for each line and each look-up of the registers (kiban.lookup) one seal, in one chain; its end is signed block by block.
CREATE TABLE IF NOT EXISTS audit_seal (
    place bigint PRIMARY KEY,
    source text NOT NULL CHECK (source IN ('line', 'lookup')),
    number bigint NOT NULL,
    digest bytea NOT NULL,                 -- SHA-256 of what the row says, without its number
    chain bytea NOT NULL                   -- SHA-256 over the chain before, place, source, number, digest
);
CREATE TABLE IF NOT EXISTS audit_block (
    block bigint PRIMARY KEY,
    last bigint NOT NULL,                  -- place of its last seal
    line bigint NOT NULL,                  -- lines up to this number are sealed
    lookup bigint NOT NULL,                -- look-ups likewise
    chain text NOT NULL,
    previous text NOT NULL,
    made_at text NOT NULL,
    key text NOT NULL,
    signature text NOT NULL
);
CREATE TABLE IF NOT EXISTS audit_root (
    day text PRIMARY KEY,
    side text NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    chain text NOT NULL,
    previous text NOT NULL,
    made_at text NOT NULL,
    key text NOT NULL,
    signature text NOT NULL
);
CREATE OR REPLACE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seal
    FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows();
CREATE OR REPLACE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_block
    FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows();
CREATE OR REPLACE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_root
    FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows();

-- Whoever seals holds this row, so that two do not seal the same.
CREATE TABLE IF NOT EXISTS audit_turn (
    one boolean PRIMARY KEY DEFAULT true CHECK (one)
);
INSERT INTO audit_turn VALUES (true) ON CONFLICT DO NOTHING;

-- Which person a member of staff is, where the city lets auditors know; for nobody else.
CREATE TABLE IF NOT EXISTS audit_own (
    actor text PRIMARY KEY,
    subject text NOT NULL
);
