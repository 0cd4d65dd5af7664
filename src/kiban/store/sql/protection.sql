-- Who is protected (支援措置、抑止), kept by the events themselves.
-- As the owner; every statement may run again. What the edition says of protection is in functions that
-- protecting.py derives from it: touched, grounds, all_grounds, homes, lived.

-- The sieve: 2^17 bits, two for each unit, so that ten thousand leave it nearly empty. A bit too many costs a look into the
-- list; none is ever missing, as whatever comes into the list sets its own.
CREATE OR REPLACE FUNCTION kiban.no_bits() RETURNS bytea
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$ SELECT decode(repeat('00', 16384), 'hex') $$;

CREATE OR REPLACE FUNCTION kiban.in_sieve(bits bytea, unit text) RETURNS boolean   -- as the policies ask, see naming.py
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT get_bit(bits, hashtextextended(unit, 0) & 131071) = 1 AND get_bit(bits, hashtextextended(unit, 1) & 131071) = 1
$$;

CREATE OR REPLACE FUNCTION kiban.sifted(bits bytea, units text[]) RETURNS bytea
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    u text;
BEGIN
    FOREACH u IN ARRAY units LOOP
        bits := set_bit(set_bit(bits, hashtextextended(u, 0) & 131071, 1), hashtextextended(u, 1) & 131071, 1);
    END LOOP;
    RETURN bits;
END $$;

CREATE OR REPLACE FUNCTION kiban.sift() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE kiban.protected_sieve s SET bits = kiban.sifted(s.bits, ARRAY(SELECT unit FROM added))
    WHERE EXISTS (SELECT FROM added a WHERE NOT kiban.in_sieve(s.bits, a.unit));
    RETURN NULL;
END $$;

DO $$
BEGIN
    IF to_regclass('kiban.protected_unit') IS NULL THEN
        DROP TABLE IF EXISTS kiban.protection;   -- without it, who is protected is seen anew
        CREATE TABLE kiban.protected_unit (
            kind text NOT NULL CHECK (kind IN ('person', 'household')),
            unit text NOT NULL,
            own boolean NOT NULL,             -- by a ground; otherwise a person who lives in a protected household
            homes text[] NOT NULL,            -- of a person: where she lives
            PRIMARY KEY (kind, unit)
        );
        CREATE TABLE IF NOT EXISTS kiban.protected_name (   -- the search entries of protected persons; no search table holds any of them
            register text NOT NULL,
            subject text NOT NULL,
            name_key text,
            kana_key text,
            birth_from text,
            birth_to text,
            sex text,
            ward text,
            address_key text
        );
        CREATE INDEX IF NOT EXISTS protected_name_subject ON kiban.protected_name (subject);
        CREATE INDEX IF NOT EXISTS protected_name_kana ON kiban.protected_name (register, kana_key, subject);
        CREATE INDEX IF NOT EXISTS protected_name_name ON kiban.protected_name (register, name_key, subject);
        CREATE TABLE kiban.protection (
            single boolean PRIMARY KEY DEFAULT true CHECK (single),
            digest text NOT NULL,             -- of the functions that were derived from the edition
            registers text[] NOT NULL,        -- whose rows say who is protected
            searched text[] NOT NULL,         -- registers of persons that are searched
            names jsonb NOT NULL              -- register -> hidden (SQL), subject, numbers
        );
        CREATE TABLE IF NOT EXISTS kiban.lift (
            line bigint PRIMARY KEY,
            lift bigint NOT NULL,
            step text NOT NULL CHECK (step IN ('asked', 'granted')),
            subject text NOT NULL,
            whom text NOT NULL,
            reason text NOT NULL,
            who text NOT NULL,
            at timestamptz NOT NULL,
            starts timestamptz NOT NULL,
            ends timestamptz NOT NULL,
            previous bytea NOT NULL,
            digest bytea NOT NULL,
            UNIQUE (lift, step)
        );
        CREATE INDEX IF NOT EXISTS lift_whom ON kiban.lift (whom);
        DROP TRIGGER IF EXISTS lift_append_only ON kiban.lift;
        CREATE TRIGGER lift_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON kiban.lift
            FOR EACH STATEMENT EXECUTE FUNCTION kiban.append_only();
    END IF;
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'kiban.protected_name'::regclass AND attname = 'address_key') THEN
        DELETE FROM kiban.protected_name;   -- copies, in a database of before: now the entries themselves move there
        ALTER TABLE kiban.protected_name ADD COLUMN ward text, ADD COLUMN address_key text;
        UPDATE kiban.protection SET digest = '';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'kiban.protected_unit'::regclass AND tgname = 'sieve') THEN
        CREATE INDEX IF NOT EXISTS protected_name_address ON kiban.protected_name (register, address_key, subject);
        DROP TABLE IF EXISTS kiban.protected_sieve;
        CREATE TABLE kiban.protected_sieve (   -- bits by the hashes of units: where one is not set, nobody need ask further
            single boolean PRIMARY KEY DEFAULT true CHECK (single),
            bits bytea NOT NULL
        );
        ALTER TABLE kiban.protected_sieve ALTER COLUMN bits SET STORAGE EXTERNAL;
        INSERT INTO kiban.protected_sieve VALUES (true, kiban.sifted(kiban.no_bits(), ARRAY(SELECT unit FROM kiban.protected_unit)));
        CREATE TRIGGER sieve AFTER INSERT ON kiban.protected_unit REFERENCING NEW TABLE AS added
            FOR EACH STATEMENT EXECUTE FUNCTION kiban.sift();
    END IF;
END $$;

-- ---------------------------------------------------------------------------------------------------------------
-- What the policies ask.
CREATE OR REPLACE FUNCTION kiban.sees_protected() RETURNS boolean
LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS
$$ SELECT coalesce((kiban.verified_actor())[6] = 'protected', false) $$;

-- The sieve, once for each statement that meets a row; without it every read fails.
CREATE OR REPLACE FUNCTION kiban.sieve() RETURNS bytea
LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found bytea;
BEGIN
    SELECT s.bits INTO STRICT found FROM kiban.protected_sieve s;
    RETURN found || ''::bytea;   -- itself, not where it lies: otherwise each look at a bit would fetch all of it
END $$;

-- Whether a row that names these is kept from whoever does not see protected rows. Asked for each row that
-- the sieve lets through, so it does the least it can: two looks into an index of some thousand entries.
CREATE OR REPLACE FUNCTION kiban.hides(people text[], households text[]) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED COST 10 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM kiban.protected_unit WHERE kind = 'person' AND unit = ANY (people)) THEN
        IF households IS NULL THEN RETURN false; END IF;   -- as in the search tables: half the time
        IF NOT EXISTS (SELECT FROM kiban.protected_unit WHERE kind = 'household' AND unit = ANY (households)) THEN RETURN false; END IF;
    END IF;
    RETURN NOT kiban.lifted(people, households);
END $$;

CREATE OR REPLACE FUNCTION kiban.standing_lifts() RETURNS SETOF kiban.lift
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT * FROM kiban.lift WHERE step = 'granted' AND whom = (kiban.verified_actor())[1]
        AND starts <= clock_timestamp() AND clock_timestamp() < ends
$$;

-- A lift opens a person, the households she lives in, and whoever is protected only because of living there.
CREATE OR REPLACE FUNCTION kiban.lifted(people text[], households text[]) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    subjects text[] := ARRAY(SELECT subject FROM kiban.standing_lifts());
    opened text[];
BEGIN
    IF subjects = '{}' THEN RETURN false; END IF;
    opened := ARRAY(SELECT unnest(u.homes) FROM kiban.protected_unit u WHERE u.kind = 'person' AND u.unit = ANY (subjects));
    RETURN NOT EXISTS (
        SELECT FROM kiban.protected_unit u
        WHERE (u.kind = 'person' AND u.unit = ANY (people) AND u.unit <> ALL (subjects) AND (u.own OR NOT u.homes <@ opened))
           OR (u.kind = 'household' AND u.unit = ANY (households) AND u.unit <> ALL (opened)));
END $$;

-- ---------------------------------------------------------------------------------------------------------------
-- Who is protected, anew for everybody whom some changes may concern. `touched`: register -> first items of subjects.
CREATE OR REPLACE FUNCTION kiban.protect(touched jsonb, event bigint, recorded_at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    said kiban.protection;
    day date := (recorded_at AT TIME ZONE 'Asia/Tokyo')::date;
    people text[];
    households text[];
    renamed text[] := '{}';
    r text;
BEGIN
    SELECT * INTO said FROM kiban.protection;
    IF said IS NULL THEN RETURN; END IF;
    IF touched ?| said.registers THEN
        SELECT coalesce(array_agg(DISTINCT t.unit) FILTER (WHERE t.kind = 'person'), '{}'),
               coalesce(array_agg(DISTINCT t.unit) FILTER (WHERE t.kind = 'household'), '{}')
        INTO people, households FROM kiban.touched(touched, event) t WHERE t.unit IS NOT NULL;
        PERFORM kiban.protect_units(people, households, event, day);
    END IF;
    FOREACH r IN ARRAY said.searched LOOP
        renamed := renamed || ARRAY(SELECT jsonb_array_elements_text(touched -> r));
    END LOOP;
    PERFORM kiban.name_protected(renamed);
END $$;

-- These people's own protection may have changed, and so that of the households they live or lived in, and of all in them.
CREATE OR REPLACE FUNCTION kiban.protect_units(people text[], households text[], event bigint, day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    places text[];
    all_people text[];
    own text[];
    house text[];
BEGIN
    people := people || ARRAY(SELECT l.person FROM kiban.lived('{}', households, event) l);
    places := households || ARRAY(SELECT l.household FROM kiban.lived(people, '{}', event) l);
    all_people := people || ARRAY(SELECT l.person FROM kiban.lived('{}', places, event) l);
    own := ARRAY(
        SELECT g.unit FROM kiban.grounds(people, '{}', day) g
        UNION SELECT h.person FROM kiban.homes(people, '{}', day) h JOIN kiban.grounds('{}', places, day) g ON g.unit = h.household
        UNION SELECT u.unit FROM kiban.protected_unit u WHERE u.kind = 'person' AND u.own AND u.unit = ANY (all_people) AND u.unit <> ALL (people));
    house := ARRAY(
        SELECT g.unit FROM kiban.grounds('{}', places, day) g
        UNION SELECT h.household FROM kiban.homes(own, '{}', day) h WHERE h.household = ANY (places));
    IF own = '{}' AND house = '{}' AND NOT EXISTS (
        SELECT FROM kiban.protected_unit u WHERE u.kind = 'person' AND u.unit = ANY (all_people)
        UNION ALL SELECT FROM kiban.protected_unit u WHERE u.kind = 'household' AND u.unit = ANY (places)
    ) THEN RETURN; END IF;
    DELETE FROM kiban.protected_unit u WHERE u.kind = 'person' AND u.unit = ANY (all_people);
    DELETE FROM kiban.protected_unit u WHERE u.kind = 'household' AND u.unit = ANY (places);
    PERFORM kiban.keep_protected(all_people, own, house, day);
    PERFORM kiban.name_protected(all_people);
END $$;

-- Writes what is known: the people protected by a ground, the households, and whoever else lives in a protected household.
CREATE OR REPLACE FUNCTION kiban.keep_protected(people text[], own text[], house text[], day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    INSERT INTO kiban.protected_unit SELECT DISTINCT 'household', unnest(house), true, '{}'::text[];
    INSERT INTO kiban.protected_unit
    SELECT 'person', p.person, p.person = ANY (own), coalesce(array_agg(DISTINCT h.household) FILTER (WHERE h.household IS NOT NULL), '{}')
    FROM (SELECT DISTINCT unnest(own || people) AS person) p
    LEFT JOIN kiban.homes(own || people, '{}', day) h ON h.person = p.person
    GROUP BY 2, 3
    HAVING p.person = ANY (own)
        OR bool_or(EXISTS (SELECT FROM kiban.protected_unit u WHERE u.kind = 'household' AND u.unit = h.household));
END $$;

-- Everybody anew: after a bulk load, a change of edition, or whenever somebody doubts it.
CREATE OR REPLACE FUNCTION kiban.protect_all() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    day date := (clock_timestamp() AT TIME ZONE 'Asia/Tokyo')::date;
    own text[];
    house text[];
BEGIN
    PERFORM 1 FROM kiban.head FOR UPDATE;   -- no event meanwhile; everybody goes on reading
    DELETE FROM kiban.protected_unit;
    UPDATE kiban.protected_sieve SET bits = kiban.no_bits();
    SELECT coalesce(array_agg(c.unit) FILTER (WHERE c.kind = 'person' AND c.own), '{}'), coalesce(array_agg(c.unit) FILTER (WHERE c.kind = 'household'), '{}')
    INTO own, house FROM kiban.all_protected(day) c;
    PERFORM kiban.keep_protected(ARRAY(SELECT h.person FROM kiban.homes('{}', house, day) h), own, house, day);
    PERFORM kiban.name_protected(ARRAY(SELECT unit FROM kiban.protected_unit WHERE kind = 'person' UNION SELECT subject FROM kiban.protected_name));
    ANALYZE kiban.protected_unit, kiban.protected_name;
END $$;

-- Whom the registers protect on a day, with those who live with them; computed from the rows alone.
CREATE OR REPLACE FUNCTION kiban.all_protected(day date) RETURNS TABLE (kind text, unit text, own boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    people text[];
    house text[];
BEGIN
    SELECT coalesce(array_agg(DISTINCT g.unit) FILTER (WHERE g.kind = 'person'), '{}'), coalesce(array_agg(DISTINCT g.unit) FILTER (WHERE g.kind = 'household'), '{}')
    INTO people, house FROM kiban.all_grounds(day) g;
    people := ARRAY(SELECT unnest(people) UNION SELECT h.person FROM kiban.homes('{}', house, day) h);
    house := ARRAY(SELECT unnest(house) UNION SELECT h.household FROM kiban.homes(people, '{}', day) h);
    RETURN QUERY SELECT 'person', p, true FROM unnest(people) p
        UNION ALL SELECT 'household', h, true FROM unnest(house) h
        UNION ALL SELECT DISTINCT 'person', h.person, false FROM kiban.homes('{}', house, day) h WHERE h.person <> ALL (people);
END $$;

-- Search entries of these people go to where they belong: those of protected persons out of the search table, so that no
-- search but the one below meets them, whatever it asks; those of others back into it.
CREATE OR REPLACE FUNCTION kiban.name_protected(people text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    protected text[] := ARRAY(SELECT u.unit FROM kiban.protected_unit u WHERE u.kind = 'person' AND u.unit = ANY (people));
    others text[] := ARRAY(SELECT DISTINCT n.subject FROM kiban.protected_name n WHERE n.subject = ANY (people) AND n.subject <> ALL (protected));
    columns CONSTANT text := 'subject, ward, name_key, kana_key, address_key, birth_from, birth_to, sex';
    r text;
BEGIN
    IF protected = '{}' AND others = '{}' THEN RETURN; END IF;
    FOREACH r IN ARRAY (SELECT p.searched FROM kiban.protection p) LOOP
        CONTINUE WHEN to_regclass(r || '_search') IS NULL;
        EXECUTE format('WITH gone AS (DELETE FROM %1$s WHERE subject = ANY ($1) RETURNING %2$s)
            INSERT INTO kiban.protected_name (register, %2$s) SELECT DISTINCT $2, %2$s FROM gone g WHERE NOT EXISTS (
                SELECT FROM kiban.protected_name n WHERE n.register = $2 AND n.subject = g.subject AND to_jsonb(n) - ''register'' = to_jsonb(g))',
            (r || '_search')::regclass, columns) USING protected, r;
        EXECUTE format('WITH back AS (DELETE FROM kiban.protected_name WHERE register = $2 AND subject = ANY ($1) RETURNING %2$s)
            INSERT INTO %1$s (%2$s) SELECT %2$s FROM back', (r || '_search')::regclass, columns) USING others, r;
    END LOOP;
END $$;

-- ---------------------------------------------------------------------------------------------------------------
-- Who does not see a row does not write over it either; otherwise a change could end the protection that hides it.
CREATE OR REPLACE FUNCTION kiban.check_protected(r kiban.register, change jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    hides text := (SELECT p.names -> r.register ->> 'hidden' FROM kiban.protection p);
    hidden boolean;
BEGIN
    IF hides IS NULL OR kiban.sees_protected() THEN RETURN; END IF;
    EXECUTE format('SELECT bool_or(%s) FROM (SELECT * FROM %s t WHERE %s AND t.closed_by IS NULL
            UNION ALL SELECT * FROM jsonb_populate_record(NULL::%2$s, $1)) t', hides, r.register::regclass,
        (SELECT string_agg(format('t.%I = %L', i, change -> 'subject' ->> i), ' AND ') FROM unnest(r.subject) i))
    INTO hidden USING coalesce(nullif(change -> 'row', 'null'), '{}') || (change -> 'subject');
    IF hidden THEN
        PERFORM kiban.refuse('protected-outside', 'the change is of a protected person or her household', 'ask whoever may see protected rows');
    END IF;
END $$;
