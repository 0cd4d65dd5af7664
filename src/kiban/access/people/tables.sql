-- Who works for the city, where and for what. Days are half-open: the end is the day after the last.
CREATE TABLE IF NOT EXISTS office (
    id text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('city', 'ward', 'section', 'branch')),
    parent text REFERENCES office DEFERRABLE INITIALLY DEFERRED,
    ward text CHECK (ward ~ '^[0-9]{6}$'),
    start_on date,
    end_on date
);

CREATE TABLE IF NOT EXISTS staff (
    number text PRIMARY KEY CHECK (length(number) BETWEEN 1 AND 64),
    name text NOT NULL,
    kana text NOT NULL,
    start_on date NOT NULL,
    end_on date,
    external_id text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX IF NOT EXISTS staff_external_id ON staff (external_id) WHERE external_id <> '';

CREATE TABLE IF NOT EXISTS assignment (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    staff text NOT NULL REFERENCES staff,
    duty text NOT NULL,
    office text NOT NULL REFERENCES office,
    start_on date NOT NULL,
    end_on date,
    substitutes text REFERENCES staff CHECK (substitutes <> staff),   -- 代理: the person stood in for
    UNIQUE (staff, duty, office, start_on)
);
CREATE INDEX IF NOT EXISTS assignment_substitutes ON assignment (substitutes) WHERE substitutes IS NOT NULL;
CREATE INDEX IF NOT EXISTS assignment_duty ON assignment (duty, office);

-- Every change, with what stood there before: who changed what when.
CREATE TABLE IF NOT EXISTS people_change (
    change bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    by text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('office', 'staff', 'assignment')),
    key text NOT NULL,
    before jsonb,                          -- null = it was made
    after jsonb NOT NULL
);
CREATE INDEX IF NOT EXISTS people_change_of ON people_change (kind, key, change);
CREATE INDEX IF NOT EXISTS people_change_assigned ON people_change ((after ->> 'staff')) WHERE kind = 'assignment';

CREATE OR REPLACE FUNCTION people_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of %: history is only added to', tg_op, tg_table_name USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE OR REPLACE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON people_change
    FOR EACH STATEMENT EXECUTE FUNCTION people_only_grow();
-- Nobody who ever worked here is forgotten: terms end, rows stay.
CREATE OR REPLACE TRIGGER stays BEFORE DELETE OR TRUNCATE ON office
    FOR EACH STATEMENT EXECUTE FUNCTION people_only_grow();
CREATE OR REPLACE TRIGGER stays BEFORE DELETE OR TRUNCATE ON staff
    FOR EACH STATEMENT EXECUTE FUNCTION people_only_grow();
CREATE OR REPLACE TRIGGER stays BEFORE DELETE OR TRUNCATE ON assignment
    FOR EACH STATEMENT EXECUTE FUNCTION people_only_grow();
