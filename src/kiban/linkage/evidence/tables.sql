-- Evidence of the platform. The columns are what a line says (line.py); its bytes are made of them again to check the chain.
CREATE TABLE IF NOT EXISTS evidence_line (
    number bigint PRIMARY KEY,
    at text NOT NULL,
    flow text NOT NULL,
    contract text NOT NULL,
    purpose text NOT NULL,
    who text NOT NULL,
    way text NOT NULL,
    direction text NOT NULL,
    item text NOT NULL,
    unit text,
    event bigint,
    digest text NOT NULL,
    count bigint NOT NULL,
    outcome text NOT NULL,
    chain text NOT NULL
);
CREATE INDEX IF NOT EXISTS evidence_line_at ON evidence_line (at);
CREATE INDEX IF NOT EXISTS evidence_line_item ON evidence_line (item);
CREATE INDEX IF NOT EXISTS evidence_line_unit ON evidence_line (unit) WHERE unit IS NOT NULL;

-- Where the chain stands; locked by who appends, so that lines of two processes do not cross.
CREATE TABLE IF NOT EXISTS evidence_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    number bigint NOT NULL,
    chain text NOT NULL
);

CREATE TABLE IF NOT EXISTS evidence_root (
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

CREATE OR REPLACE FUNCTION evidence_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of %: evidence is only added to', tg_op, tg_table_name USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE OR REPLACE FUNCTION evidence_head_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.number <= old.number OR new.chain IS DISTINCT FROM (SELECT l.chain FROM evidence_line l WHERE l.number = new.number) THEN
        RAISE EXCEPTION 'the head of the evidence follows its lines' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN new;
END $$;
CREATE OR REPLACE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON evidence_line
    FOR EACH STATEMENT EXECUTE FUNCTION evidence_only_grows();
CREATE OR REPLACE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON evidence_root
    FOR EACH STATEMENT EXECUTE FUNCTION evidence_only_grows();
CREATE OR REPLACE TRIGGER only_grows BEFORE DELETE OR TRUNCATE ON evidence_head
    FOR EACH STATEMENT EXECUTE FUNCTION evidence_only_grows();
CREATE OR REPLACE TRIGGER follows BEFORE UPDATE ON evidence_head
    FOR EACH ROW EXECUTE FUNCTION evidence_head_follows();
