-- The frame of the integrated database: schemas, actors, the log of look-ups, what stands here. First of the files that fences.py names;
-- all run in their order, once per database, as the owner, and every statement may run again. Registers are derived in schema.py.
-- Every function names its search_path with pg_temp last: left out, it would come first.

SELECT pg_advisory_xact_lock(x'4B6962616E0A'::bigint);   -- two installations at once would trip over each other
CREATE SCHEMA IF NOT EXISTS kiban;
CREATE SCHEMA IF NOT EXISTS kiban_shadow;   -- tables under construction: nobody but the owner sees them
REVOKE ALL ON SCHEMA kiban, kiban_shadow FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA kiban TO kiban_app;

-- ---------------------------------------------------------------------------------------------------------------
-- Characters: an ideographic variation sequence is one character of the standard's 桁数.
CREATE OR REPLACE FUNCTION kiban.character_count(value text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT pg_catalog.char_length(pg_catalog.regexp_replace(value, U&'[\FE00-\FE0F\+0E0100-\+0E01EF]', '', 'g')) $$;

-- ---------------------------------------------------------------------------------------------------------------
-- The actor: a claim signed by the application server, bound to this connection and this transaction, so that
-- SQL run in the application role can neither forge, widen nor reuse it.
CREATE TABLE IF NOT EXISTS kiban.secret (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    inner_pad bytea NOT NULL,
    outer_pad bytea NOT NULL
);

CREATE OR REPLACE FUNCTION kiban.verified_actor() RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    claim text := current_setting('kiban.actor', true);
    pads kiban.secret;
    body bytea;
BEGIN
    IF coalesce(length(claim), 0) < 66 THEN RETURN NULL; END IF;
    SELECT * INTO pads FROM kiban.secret;
    body := convert_to(pg_backend_pid() || E'\x1f' || (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint
                       || E'\x1f' || substr(claim, 66), 'UTF8');
    -- Hashes are compared, not the codes themselves: how long that takes says nothing of the right code.
    IF sha256(convert_to(encode(sha256(pads.outer_pad || sha256(pads.inner_pad || body)), 'hex'), 'UTF8'))
       IS DISTINCT FROM sha256(convert_to(left(claim, 64), 'UTF8')) THEN
        RETURN NULL;
    END IF;
    RETURN string_to_array(substr(claim, 66), E'\x1f');   -- id, own ward, wards, purpose, businesses, protected
END $$;
COMMENT ON FUNCTION kiban.verified_actor() IS 'The actor of this transaction; null when nobody has signed in or the claim is not genuine.';

-- What the policies ask, once a statement: each register says of which business it is.
CREATE OR REPLACE FUNCTION kiban.signed_in(business text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS
$$ SELECT coalesce($1 = ANY (string_to_array(who[5], ',')) OR who[5] = '*', false) FROM kiban.verified_actor() who $$;

CREATE OR REPLACE FUNCTION kiban.visible_wards(business text) RETURNS text[]
LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS
$$ SELECT CASE WHEN $1 = ANY (string_to_array(who[5], ',')) OR who[5] = '*' THEN string_to_array(who[3], ',') ELSE '{}' END
   FROM kiban.verified_actor() who $$;

CREATE OR REPLACE FUNCTION kiban.sees_city(business text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS
$$ SELECT kiban.visible_wards($1) = '{*}' $$;

CREATE OR REPLACE FUNCTION kiban.refuse(code text, what text, fix text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'KB001', MESSAGE = code, DETAIL = what, HINT = fix;
END $$;

-- ---------------------------------------------------------------------------------------------------------------
-- Look-ups: who looked at whom, when, why. Written before the answer leaves; never changed.
CREATE TABLE IF NOT EXISTS kiban.lookup (
    lookup bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    looked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL,
    ward text NOT NULL,
    purpose text NOT NULL,
    register text NOT NULL,
    asked jsonb NOT NULL,
    found text[] NOT NULL
);

CREATE OR REPLACE FUNCTION kiban.record_lookup(register text, asked jsonb, found text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    actor text[] := kiban.verified_actor();
BEGIN
    IF actor IS NULL THEN PERFORM kiban.refuse('actor-missing', 'nobody has signed in', 'open a session with an actor'); END IF;
    INSERT INTO kiban.lookup (actor, ward, purpose, register, asked, found)
    VALUES (actor[1], actor[2], actor[4], $1, CASE WHEN EXISTS (SELECT FROM kiban.lift l WHERE l.whom = actor[1])
        THEN $2 || jsonb_strip_nulls(jsonb_build_object('lifts', to_jsonb(kiban.lifts_used($3)))) ELSE $2 END, $3);
END $$;

-- They are read again for the audit trail only: by a role that reads nothing else (store/witness.py).
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kiban_witness') THEN
        CREATE ROLE kiban_witness NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object THEN NULL;          -- another database of this server made it in the same moment
    WHEN insufficient_privilege THEN NULL;    -- then the city's administrators make it; until then nobody reads look-ups
END $$;
DO $$   -- asked first, for the reasons of event_subject
BEGIN
    IF to_regclass('kiban.lookup_actor') IS NULL THEN
        CREATE INDEX lookup_actor ON kiban.lookup (actor, lookup);
        CREATE INDEX lookup_at ON kiban.lookup USING brin (looked_at) WITH (pages_per_range = 16);
        CREATE INDEX lookup_found ON kiban.lookup USING gin (found);
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'kiban_witness') THEN
        GRANT USAGE ON SCHEMA kiban TO kiban_witness;
        GRANT SELECT ON kiban.lookup TO kiban_witness;
        IF NOT pg_has_role(current_user, 'kiban_witness', 'SET') THEN
            BEGIN
                EXECUTE format('GRANT kiban_witness TO %I WITH INHERIT FALSE, SET TRUE', current_user);
            EXCEPTION
                WHEN insufficient_privilege THEN NULL;   -- likewise
            END;
        END IF;
    END IF;
END $$;

-- ---------------------------------------------------------------------------------------------------------------
-- What stands in this database.
CREATE TABLE IF NOT EXISTS kiban.edition (
    business text PRIMARY KEY,
    schema_name text NOT NULL UNIQUE,
    edition text NOT NULL,
    definition jsonb NOT NULL,            -- what the tables were derived from, to see a difference
    event bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS kiban.register (
    register text PRIMARY KEY,            -- schema.table
    kind text NOT NULL CHECK (kind IN ('register', 'log')),
    subject text[] NOT NULL,              -- the items that identify whose row it is
    items text[] NOT NULL,                -- every item, retired ones too
    ward text,                            -- the item that holds the ward; null = the city's
    search boolean NOT NULL,
    seal_event bigint NOT NULL,           -- rows up to this event are sealed together …
    seal_rows bigint NOT NULL,
    seal_digest numeric NOT NULL,         -- … by the sum of their hashes
    retired jsonb NOT NULL,               -- items of earlier editions that stay as columns: name, type
    refers jsonb NOT NULL                 -- items that name a row elsewhere: item -> [register, item]
);
