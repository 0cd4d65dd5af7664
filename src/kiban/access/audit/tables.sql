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
