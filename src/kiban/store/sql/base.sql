-- The frame of the integrated database: actors, events, outbox, look-up log, jobs.
-- Runs once per database as the owner; every statement may run again. Registers are derived from the standard in schema.py.
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

-- ---------------------------------------------------------------------------------------------------------------
-- Events: the only way to change a register. One chain for the city, so that the order of knowledge is total.
CREATE TABLE IF NOT EXISTS kiban.event (
    event bigint PRIMARY KEY,
    recorded_at timestamptz NOT NULL UNIQUE,
    business text NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    valid date,
    actor text NOT NULL,
    ward text NOT NULL,
    purpose text NOT NULL,
    payload jsonb NOT NULL,
    content jsonb NOT NULL,               -- per register: rows added, sum of their hashes, rows closed, sum of their hashes
    previous bytea NOT NULL,
    digest bytea NOT NULL
);
DO $$   -- asked first: CREATE INDEX would lock clerks out of the chain even where the index is there already
BEGIN
    IF to_regclass('kiban.event_subject') IS NULL THEN
        CREATE INDEX event_subject ON kiban.event (business, subject, event);
    END IF;
END $$;
CREATE TABLE IF NOT EXISTS kiban.head (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    event bigint NOT NULL,
    digest bytea NOT NULL,
    recorded_at timestamptz NOT NULL,
    opened bigint,                        -- the event being recorded by the transaction that holds the row's lock
    opened_at timestamptz,
    opened_by xid8
);
INSERT INTO kiban.head SELECT true, 0, '\x', '-infinity' WHERE NOT EXISTS (SELECT FROM kiban.head);   -- waits for no event
CREATE TABLE IF NOT EXISTS kiban.outbox (
    event bigint PRIMARY KEY REFERENCES kiban.event,
    business text NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    message jsonb NOT NULL
);

DO $$   -- a database of before has no column for a run of events; asked first, because ALTER TABLE waits for everybody
BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'kiban.head'::regclass AND attname = 'opened_last') THEN
        ALTER TABLE kiban.head ADD COLUMN opened_last bigint;
    END IF;
END $$;

-- Takes the chain for a run of events, usually of one. Each is known a microsecond after the one before it.
CREATE OR REPLACE FUNCTION kiban.open_events(many bigint, OUT event bigint, OUT recorded_at timestamptz)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM kiban.refuse('event-isolation', 'events are recorded at isolation level READ COMMITTED only', 'use the default level');
    END IF;
    IF current_setting('synchronous_commit') IN ('off', 'local') THEN   -- an event that somebody was told of is on the disk
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    IF has_parameter_privilege(session_user, 'deadlock_timeout', 'SET') THEN
        -- A swap of tables may meet a reader who wants to record next. The reader, who has less to lose, gives way first.
        PERFORM set_config('deadlock_timeout', '30s', true);
    END IF;
    PERFORM 1 FROM kiban.head FOR UPDATE;
    PERFORM pg_advisory_xact_lock(x'4B6962616E0B'::bigint);   -- see kiban.settle
    -- The clock is read only now that both are held: read while waiting, it would be older than what was answered meanwhile.
    UPDATE kiban.head h
    SET opened = h.event + 1, opened_last = h.event + many, opened_by = pg_current_xact_id(),
        opened_at = greatest(clock_timestamp(), h.recorded_at + interval '1 microsecond')
    RETURNING h.opened, h.opened_at INTO event, recorded_at;
END $$;

CREATE OR REPLACE FUNCTION kiban.open_event(OUT event bigint, OUT recorded_at timestamptz)
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$ SELECT * FROM kiban.open_events(1) $$;

-- "As known at T" must have one answer for ever. An event in the making carries a time that may lie before T: wait for it.
CREATE OR REPLACE FUNCTION kiban.settle(known timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF known <= (SELECT h.recorded_at FROM kiban.head h) THEN RETURN; END IF;
    IF known >= clock_timestamp() THEN
        PERFORM kiban.refuse('known-future', 'nobody can tell yet what will be known at that moment', 'ask as of a moment that has passed');
    END IF;
    PERFORM pg_advisory_lock_shared(x'4B6962616E0B'::bigint);
    PERFORM pg_advisory_unlock_shared(x'4B6962616E0B'::bigint);
END $$;

CREATE OR REPLACE FUNCTION kiban.event_digest(e kiban.event) RETURNS bytea
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' AS $$
    SELECT sha256(e.previous || convert_to(concat_ws(E'\x1f', e.event, (extract(epoch FROM e.recorded_at) * 1000000)::bigint,
        e.business, e.kind, e.subject, coalesce(e.valid::text, ''), e.actor, e.ward, e.purpose, e.payload::text, e.content::text), 'UTF8'))
$$;

-- Writes all events of the open run, in their order, each with its place in the outbox.
CREATE OR REPLACE FUNCTION kiban.close_events(
    business text, kind text, valid date, who text[], subjects text[], payloads jsonb[], contents jsonb[], messages jsonb[]
) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    h kiban.head;
    e kiban.event;
    n record;
BEGIN
    IF concat(business, kind, array_to_string(subjects || who, '')) ~ '[\x01-\x1f]' THEN   -- the digest separates by \x1f
        PERFORM kiban.refuse('event-unreadable', 'the kind or the subject of the event holds a control character', 'use plain text');
    END IF;
    SELECT * INTO h FROM kiban.head;
    IF cardinality(subjects) IS DISTINCT FROM h.opened_last - h.opened + 1 THEN
        PERFORM kiban.refuse('event-empty', 'not every event that was opened changes something', 'give each at least one change');
    END IF;
    FOR n IN SELECT * FROM unnest(subjects, payloads, contents, messages) WITH ORDINALITY AS u(subject, payload, content, message, place) LOOP
        e := ROW(h.opened + n.place - 1, h.opened_at + (n.place - 1) * interval '1 microsecond', business, kind, n.subject, valid,
                 who[1], who[2], who[4], n.payload, n.content, h.digest, ''::bytea);
        e.digest := kiban.event_digest(e);
        INSERT INTO kiban.event SELECT (e).*;
        INSERT INTO kiban.outbox VALUES (e.event, business, kind, n.subject, n.message);
        h.digest := e.digest;
    END LOOP;
    UPDATE kiban.head SET event = e.event, digest = e.digest, recorded_at = e.recorded_at,
        opened = NULL, opened_last = NULL, opened_at = NULL, opened_by = NULL;
    RETURN e.event;
END $$;

CREATE OR REPLACE FUNCTION kiban.close_event(
    business text, kind text, subject text, valid date, who text[], payload jsonb, content jsonb, message jsonb
) RETURNS bigint
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT kiban.close_events(business, kind, valid, who, ARRAY[subject], ARRAY[payload], ARRAY[content], ARRAY[message])
$$;

CREATE OR REPLACE FUNCTION kiban.no_open_event() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (SELECT opened IS NOT NULL FROM kiban.head) THEN
        PERFORM kiban.refuse('event-open', 'the transaction opened an event and did not record it', 'record the event or roll back');
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION kiban.append_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM kiban.refuse('append-only', format('rows of %I.%I are only ever added', TG_TABLE_SCHEMA, TG_TABLE_NAME),
                         'record a new event that corrects or cancels the old one');
    RETURN NULL;
END $$;

-- A register's row comes with an event that this very transaction is recording, is closed once, and is otherwise left alone.
CREATE OR REPLACE FUNCTION kiban.guard() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    h kiban.head;
BEGIN
    SELECT * INTO h FROM kiban.head;
    IF h.opened_by IS DISTINCT FROM pg_current_xact_id_if_assigned() THEN
        PERFORM kiban.refuse('event-missing', format('%I.%I changes only by an event', TG_TABLE_SCHEMA, TG_TABLE_NAME),
                             'use kiban.record_event');
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF (NEW.event BETWEEN h.opened AND h.opened_last) IS NOT TRUE
           OR NEW.known_from IS DISTINCT FROM h.opened_at + (NEW.event - h.opened) * interval '1 microsecond'
           OR NEW.closed_by IS NOT NULL OR NEW.known_to <> 'infinity' THEN
            PERFORM kiban.refuse('event-mismatch', 'the row does not carry the open event and its time', 'use kiban.record_event');
        END IF;
    ELSIF OLD.closed_by IS NOT NULL OR (NEW.closed_by BETWEEN h.opened AND h.opened_last) IS NOT TRUE
        OR NEW.known_to IS DISTINCT FROM h.opened_at + (NEW.closed_by - h.opened) * interval '1 microsecond'
        OR to_jsonb(NEW) - 'closed_by' - 'known_to' IS DISTINCT FROM to_jsonb(OLD) - 'closed_by' - 'known_to' THEN
        PERFORM kiban.refuse('append-only', 'a row can only be closed, once, by the open event', 'use kiban.record_event');
    END IF;
    RETURN NEW;
END $$;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'no_open_event') THEN
        CREATE CONSTRAINT TRIGGER no_open_event AFTER UPDATE ON kiban.head DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION kiban.no_open_event();
        CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON kiban.event
            FOR EACH STATEMENT EXECUTE FUNCTION kiban.append_only();
        CREATE TRIGGER lookup_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON kiban.lookup
            FOR EACH STATEMENT EXECUTE FUNCTION kiban.append_only();
    END IF;
END $$;

-- Two rows of one subject that are known now are never true on the same day. Asked after each new row; nobody else
-- can add one at the same time, because every change holds the head of the chain until it is committed.
CREATE OR REPLACE FUNCTION kiban.no_overlap() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM %I.%I t WHERE %s AND t.closed_by IS NULL AND t.valid_from < $1.valid_to AND $1.valid_from < t.valid_to',
        TG_TABLE_SCHEMA, TG_TABLE_NAME, (SELECT string_agg(format('t.%1$I = $1.%1$I', a), ' AND ') FROM unnest(TG_ARGV) a))
    INTO n USING NEW;
    IF n > 1 THEN
        PERFORM kiban.refuse('period-overlap', format('two rows of one subject of %I.%I would be true on the same day', TG_TABLE_SCHEMA, TG_TABLE_NAME),
                             'give each subject periods that follow each other, [from, to)');
    END IF;
    RETURN NULL;
END $$;

DO $$
BEGIN
    -- They once gave back less, which cannot be replaced. Dropped only then: a clerk may be in the middle of them.
    IF EXISTS (SELECT FROM pg_proc WHERE pronamespace = 'kiban'::regnamespace AND proname = 'put' AND NOT 'closed_digest' = ANY (proargnames)) THEN
        DROP FUNCTION kiban.put(kiban.register, jsonb, jsonb, date, date, bigint, timestamptz, text[]);
        DROP FUNCTION kiban.add(kiban.register, jsonb, bigint, timestamptz, text[]);
    END IF;
END $$;

-- One row is true from `starts` up to `ends`: what was known to be true of the same subject then is closed, and its
-- remainders before and after are written again. `content` = null means: nothing is true of the subject in that period.
CREATE OR REPLACE FUNCTION kiban.put(
    r kiban.register, subject jsonb, content jsonb, starts date, ends date, event bigint, recorded_at timestamptz,
    wards text[], OUT added bigint, OUT digest numeric, OUT closed bigint, OUT closed_digest numeric, OUT touched boolean
)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    target regclass := r.register::regclass;
    items text := (SELECT string_agg(format('%I', i), ', ') FROM unnest(r.items) i);
    fresh text := (SELECT string_agg(format('n.%I', i), ', ') FROM unnest(r.items) i);
    same text := (SELECT string_agg(format('t.%I = n.%I', i, i), ' AND ') FROM unnest(r.subject) i);
    hashed text := format('hash_record_extended(ROW(%s, valid_from, valid_to), 0)', items);
    n record;
BEGIN
    added := 0; digest := 0; closed := 0; closed_digest := 0; touched := (r.ward IS NULL);
    FOR n IN EXECUTE format($q$
        WITH gone AS (
            UPDATE %1$s t SET closed_by = $4, known_to = $5
            FROM jsonb_populate_record(NULL::%1$s, $1) n
            WHERE %2$s AND t.closed_by IS NULL AND t.valid_from < $3 AND $2 < t.valid_to
            RETURNING t.*
        ), kept AS (
            SELECT %3$s, g.valid_from AS f, $2 AS u FROM gone g WHERE g.valid_from < $2
            UNION ALL
            SELECT %3$s, $3, g.valid_to FROM gone g WHERE $3 < g.valid_to
            %4$s
        ), new AS (
            INSERT INTO %1$s (%5$s, valid_from, valid_to, known_from, event) SELECT %5$s, f, u, $5, $4 FROM kept
            RETURNING %6$s AS h, %7$s AS ward
        )
        SELECT 0 AS side, count(*) AS rows, coalesce(sum(%6$s), 0) AS h, coalesce(bool_or(%8$s), false) AS touched FROM gone g
        UNION ALL
        SELECT 1, count(*), coalesce(sum(h), 0), coalesce(bool_or(%9$s), false) FROM new $q$,
        target, same, (SELECT string_agg(format('g.%I', i), ', ') FROM unnest(r.items) i),
        CASE WHEN content IS NULL THEN '' ELSE format('UNION ALL SELECT %s, $2, $3 FROM jsonb_populate_record(NULL::%s, $6) n', fresh, target) END,
        items, hashed, coalesce(quote_ident(r.ward), 'NULL::text'),
        CASE WHEN r.ward IS NULL THEN 'true' ELSE format('g.%I = ANY ($7) OR ''*'' = ANY ($7)', r.ward) END,
        CASE WHEN r.ward IS NULL THEN 'true' ELSE 'ward = ANY ($7) OR ''*'' = ANY ($7)' END)
        USING subject, starts, ends, event, recorded_at, content, wards
    LOOP
        IF n.side = 0 THEN closed := n.rows; closed_digest := n.h; ELSE added := n.rows; digest := n.h; END IF;
        touched := touched OR n.touched;
    END LOOP;
END $$;

-- A row of a log is added; nothing of it is ever closed.
CREATE OR REPLACE FUNCTION kiban.add(
    r kiban.register, content jsonb, event bigint, recorded_at timestamptz, wards text[],
    OUT added bigint, OUT digest numeric, OUT closed bigint, OUT closed_digest numeric, OUT touched boolean
)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    items text := (SELECT string_agg(format('%I', i), ', ') FROM unnest(r.items) i);
BEGIN
    closed := 0; closed_digest := 0;
    EXECUTE format($q$
        WITH new AS (
            INSERT INTO %1$s (%2$s, known_from, event) SELECT %2$s, $2, $3 FROM jsonb_populate_record(NULL::%1$s, $1)
            RETURNING hash_record_extended(ROW(%2$s), 0) AS h, %3$s AS ward
        ) SELECT count(*), coalesce(sum(h), 0), coalesce(bool_or(ward = ANY ($4) OR '*' = ANY ($4)), true) FROM new $q$,
        r.register::regclass, items, coalesce(quote_ident(r.ward), 'NULL::text'))
    INTO added, digest, touched USING content, recorded_at, event, wards;
    IF r.ward IS NULL THEN touched := true; END IF;
END $$;

-- What the new rows name must be there at the end of the event, whatever the order of its changes.
CREATE OR REPLACE FUNCTION kiban.check_references(changes jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    refers record;
    there boolean;
BEGIN
    FOR refers IN
        SELECT DISTINCT k.register, n.key AS item, n.value ->> 0 AS target, n.value ->> 1 AS target_item, c -> 'row' ->> n.key AS named
        FROM jsonb_array_elements(changes) c JOIN kiban.register k ON k.register = c ->> 'register', jsonb_each(k.refers) n
        WHERE jsonb_typeof(c -> 'row') = 'object' AND c -> 'row' ->> n.key IS NOT NULL
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE %I = $1)', refers.target::regclass, refers.target_item)
        INTO there USING refers.named;
        IF NOT there THEN
            PERFORM kiban.refuse('reference-missing', format('%s (%s) names a row of %s that does not exist', refers.register, refers.item, refers.target),
                                 'record that row first, or in the same event');
        END IF;
    END LOOP;
END $$;

-- A change is refused for its form before anything is done with it: what it says of itself must be what its row holds.
-- A value is a text, a number, a list of texts or null, and a date is YYYY-MM-DD: PostgreSQL alone would take a nested
-- object for a text, and 'today' for a date. Messages name items, never values.
CREATE OR REPLACE FUNCTION kiban.check_change(r kiban.register, change jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fresh jsonb := nullif(change -> 'row', 'null');
    wrong text;
    day CONSTANT text := '^([0-9]{4}-[0-9]{2}-[0-9]{2}|-infinity)$';
BEGIN
    SELECT k INTO wrong FROM jsonb_object_keys(coalesce(fresh, '{}') || (change -> 'subject')) k WHERE k <> ALL (r.items) LIMIT 1;
    IF wrong IS NOT NULL THEN
        PERFORM kiban.refuse('item-unknown', format('%s has no item %s', r.register, left(wrong, 63)), 'use the official romaji of the edition in force');
    END IF;
    SELECT i INTO wrong FROM unnest(r.subject) i WHERE change -> 'subject' ->> i IS NULL LIMIT 1;
    IF wrong IS NOT NULL THEN
        PERFORM kiban.refuse('subject-missing', format('a change of %s does not say whose row it is: %s', r.register, wrong), 'give every item of the subject');
    END IF;
    IF (SELECT count(*) FROM jsonb_object_keys(change -> 'subject')) <> cardinality(r.subject)
       OR fresh IS NOT NULL AND EXISTS (SELECT FROM unnest(r.subject) i WHERE fresh -> i IS DISTINCT FROM change -> 'subject' -> i) THEN
        PERFORM kiban.refuse('subject-mismatch', format('a change of %s names another subject than its row', r.register), 'give the subject as it stands in the row');
    END IF;
    IF fresh IS NULL AND (r.kind = 'log' OR change ? 'search') THEN
        PERFORM kiban.refuse('row-missing', format('a change of %s has no row', r.register), 'only a register''s row can end');
    END IF;
    SELECT a.attname INTO wrong
    FROM jsonb_each(coalesce(fresh, '{}') || (change -> 'subject')) v
    JOIN pg_attribute a ON a.attrelid = r.register::regclass AND a.attname = v.key
    WHERE jsonb_typeof(v.value) <> 'null' AND NOT coalesce(CASE a.atttypid
        WHEN 'text'::regtype THEN jsonb_typeof(v.value) = 'string'
        WHEN 'date'::regtype THEN jsonb_typeof(v.value) = 'string' AND v.value #>> '{}' ~ day
        WHEN 'bytea'::regtype THEN jsonb_typeof(v.value) = 'string' AND v.value #>> '{}' ~ '^\\x([0-9a-fA-F]{2})*$'
        WHEN 'text[]'::regtype THEN jsonb_typeof(v.value) = 'array' AND NOT jsonb_path_exists(v.value, 'strict $[*] ? (@.type() != "string")')
        ELSE jsonb_typeof(v.value) IN ('number', 'string') AND v.value #>> '{}' ~ '^-?[0-9]+([.][0-9]+)?$' END, false)
    LIMIT 1;
    IF wrong IS NOT NULL THEN
        PERFORM kiban.refuse('value-unreadable', format('%s (%s) has a value of the wrong form for its item', r.register, wrong), 'see the item''s data type');
    END IF;
    IF coalesce(change ->> 'valid_from', '-infinity') !~ day OR coalesce(change ->> 'valid_to', '9999-12-31') !~ day
       OR (r.kind = 'log' AND (change ->> 'valid_from' IS NOT NULL OR change ->> 'valid_to' IS NOT NULL)) THEN
        PERFORM kiban.refuse('period-unreadable', format('the period of a change of %s cannot be read', r.register), 'write days as YYYY-MM-DD; a log has none');
    END IF;
    IF (change ->> 'valid_to')::date <= coalesce((change ->> 'valid_from')::date, '-infinity') THEN
        PERFORM kiban.refuse('period-empty', format('the period of a change of %s has no day', r.register), 'give [from, to)');
    END IF;
    PERFORM kiban.check_search(r, fresh, change -> 'search');
END $$;

-- What finds a row must be of that row: an entry of another subject or ward would show a name where the row is hidden.
CREATE OR REPLACE FUNCTION kiban.check_search(r kiban.register, fresh jsonb, entries jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    columns CONSTANT text[] := '{subject,ward,name_key,kana_key,address_key,birth_from,birth_to,sex}';
BEGIN
    IF coalesce(jsonb_typeof(entries), 'null') = 'null' AND NOT (r.search AND fresh IS NOT NULL) THEN RETURN; END IF;
    IF NOT r.search OR jsonb_typeof(entries) IS DISTINCT FROM 'array' OR coalesce(jsonb_array_length(entries), 0) = 0 THEN
        PERFORM kiban.refuse('search-mismatch', format('a row of %s comes with its search entries if, and only if, it is searched', r.register), 'use Session.record');
    END IF;
    IF EXISTS (
        SELECT FROM jsonb_array_elements(entries) e
        WHERE jsonb_typeof(e) <> 'object' OR NOT coalesce(
            NOT EXISTS (SELECT FROM jsonb_each(e) v WHERE v.key <> ALL (columns) OR jsonb_typeof(v.value) NOT IN ('string', 'null'))
            AND e ->> 'subject' = ANY (SELECT fresh ->> i FROM unnest(r.subject) i)
            AND (e ->> 'ward' IS NOT DISTINCT FROM CASE WHEN r.ward IS NULL THEN NULL ELSE fresh ->> r.ward END), false)
    ) THEN
        PERFORM kiban.refuse('search-mismatch', format('a search entry of %s is not of its row', r.register), 'use Session.record');
    END IF;
END $$;

-- How an event as a whole is refused, before the chain is taken.
CREATE OR REPLACE FUNCTION kiban.check_event(business text, kind text, subject text, valid date, changes jsonb, note jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parts CONSTANT text[] := '{register,subject,row,valid_from,valid_to,search}';
BEGIN
    IF coalesce(jsonb_typeof(changes), '') <> 'array' OR jsonb_array_length(changes) = 0 THEN
        PERFORM kiban.refuse('event-empty', 'the event changes nothing', 'give at least one change');
    END IF;
    IF coalesce(business, '') = '' OR coalesce(kind, '') = '' OR coalesce(subject, '') = '' OR NOT isfinite(coalesce(valid, '2000-01-01'))
       OR greatest(length(kind), length(subject)) > 200 OR jsonb_typeof(note) IS DISTINCT FROM 'object' THEN
        PERFORM kiban.refuse('event-unreadable', 'the event lacks its business, kind or subject, or one of its parts has the wrong form',
                             'give each; kind and subject have at most 200 characters');
    END IF;
    IF octet_length(changes::text) + octet_length(note::text) > 16777216 THEN
        PERFORM kiban.refuse('event-large', 'the event is larger than 16 MiB', 'load it in bulk, or record several events');
    END IF;
    IF EXISTS (
        SELECT FROM jsonb_array_elements(changes) c
        WHERE jsonb_typeof(c) <> 'object' OR NOT coalesce(
            c ? 'row' AND jsonb_typeof(c -> 'row') IN ('object', 'null') AND jsonb_typeof(c -> 'subject') = 'object'
            AND jsonb_typeof(c -> 'register') = 'string' AND NOT EXISTS (SELECT FROM jsonb_object_keys(c) k WHERE k <> ALL (parts)), false)
    ) THEN
        PERFORM kiban.refuse('change-unreadable', 'a change has not the parts register, subject, row, valid_from, valid_to, search', 'use Session.record');
    END IF;
    IF EXISTS (SELECT FROM jsonb_array_elements(changes) c WHERE split_part(c ->> 'register', '.', 1) <> business) THEN
        PERFORM kiban.refuse('business-mismatch', 'a change is of a register of another business than the event', 'record one event for each business');
    END IF;
END $$;

-- Settings of the transaction by which one client that hangs does not stop the city: it waits a minute at most for the
-- chain, and the server ends it when it keeps the chain for more than 20 seconds. Stricter settings of its own stay.
CREATE OR REPLACE FUNCTION kiban.be_brief() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    limits CONSTANT jsonb := '{"lock_timeout": 60000, "transaction_timeout": 20000}';
    l record;
BEGIN
    FOR l IN SELECT s.name, b.value::bigint AS most, s.setting::bigint AS now FROM jsonb_each_text(limits) b JOIN pg_settings s ON s.name = b.key LOOP
        IF l.now = 0 OR l.now > l.most THEN PERFORM set_config(l.name, l.most::text, true); END IF;
    END LOOP;
END $$;

-- The door for the application role. `changes` is an array of objects:
--   register (schema.table), subject (its identifying items), row (all items; null = ends), valid_from, valid_to, search (entries)
CREATE OR REPLACE FUNCTION kiban.record_event(
    business text, kind text, subject text, valid date, changes jsonb, note jsonb DEFAULT '{}'
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' AS $$
DECLARE
    who text[] := kiban.verified_actor();
    wards text[] := kiban.visible_wards(business);
    opened record;
    change jsonb;
    r kiban.register;
    done record;
    content jsonb := '{}';
BEGIN
    IF who IS NULL THEN PERFORM kiban.refuse('actor-missing', 'nobody has signed in', 'open a session with an actor'); END IF;
    PERFORM kiban.check_event(business, kind, subject, valid, changes, note);
    IF NOT kiban.signed_in(business) THEN
        PERFORM kiban.refuse('business-outside', 'the registers of this business are closed to the actor', 'ask whoever has a duty there');
    END IF;
    PERFORM kiban.be_brief();
    SELECT * INTO opened FROM kiban.open_event();
    FOR change IN SELECT * FROM jsonb_array_elements(changes) LOOP
        SELECT * INTO r FROM kiban.register k WHERE k.register = change ->> 'register';
        IF r IS NULL THEN
            PERFORM kiban.refuse('register-unknown', format('there is no register %s', left(change ->> 'register', 63)), 'name it schema.table');
        END IF;
        PERFORM kiban.check_change(r, change);
        PERFORM kiban.check_protected(r, change);
        IF r.kind = 'log' THEN
            SELECT * INTO done FROM kiban.add(r, change -> 'row', opened.event, opened.recorded_at, wards);
        ELSE
            SELECT * INTO done FROM kiban.put(r, change -> 'subject', nullif(change -> 'row', 'null'),
                coalesce((change ->> 'valid_from')::date, '-infinity'), coalesce((change ->> 'valid_to')::date, 'infinity'),
                opened.event, opened.recorded_at, wards);
        END IF;
        IF NOT done.touched THEN
            PERFORM kiban.refuse('ward-outside', 'neither the old nor the new row lies in a ward of the actor', 'ask the ward concerned');
        END IF;
        IF r.search AND jsonb_typeof(change -> 'search') = 'array' THEN
            EXECUTE format('INSERT INTO %1$s SELECT n.* FROM jsonb_populate_recordset(NULL::%1$s, $1) n
                WHERE NOT EXISTS (SELECT FROM %1$s o WHERE o.subject = n.subject AND to_jsonb(o) = to_jsonb(n))',
                (r.register || '_search')::regclass) USING change -> 'search';
        END IF;
        content := content || jsonb_build_object(r.register, jsonb_build_object(
            'rows', coalesce((content -> r.register ->> 'rows')::bigint, 0) + done.added,
            'digest', (coalesce((content -> r.register ->> 'digest')::numeric, 0) + done.digest)::text,
            'closed', coalesce((content -> r.register ->> 'closed')::bigint, 0) + done.closed,
            'closed_digest', (coalesce((content -> r.register ->> 'closed_digest')::numeric, 0) + done.closed_digest)::text));
    END LOOP;
    PERFORM kiban.check_references(changes);
    PERFORM kiban.protect((SELECT jsonb_object_agg(t.register, t.numbers) FROM (
        SELECT c ->> 'register' AS register, jsonb_agg(DISTINCT c -> 'subject' ->> k.subject[1]) AS numbers
        FROM jsonb_array_elements(changes) c JOIN kiban.register k ON k.register = c ->> 'register' GROUP BY 1) t), opened.event, opened.recorded_at);
    RETURN kiban.close_event(business, kind, subject, valid, who, jsonb_build_object('changes', changes, 'note', note), content,
        jsonb_build_object('registers', (SELECT jsonb_agg(DISTINCT c ->> 'register') FROM jsonb_array_elements(changes) c)));
END $$;

-- ---------------------------------------------------------------------------------------------------------------
-- Long work: imports and changes of edition. A part is done when its row is committed together with its data.
CREATE TABLE IF NOT EXISTS kiban.job (
    job text PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('import', 'apply')),
    state text NOT NULL CHECK (state IN ('running', 'done')),
    plan jsonb NOT NULL,
    event bigint REFERENCES kiban.event
);
CREATE TABLE IF NOT EXISTS kiban.job_part (
    job text NOT NULL REFERENCES kiban.job,
    part text NOT NULL,
    rows bigint NOT NULL,
    PRIMARY KEY (job, part)
);

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA kiban FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kiban.verified_actor(), kiban.visible_wards(text), kiban.sees_city(text), kiban.signed_in(text),
    kiban.character_count(text), kiban.record_lookup(text, jsonb, text[]), kiban.settle(timestamptz),
    kiban.record_event(text, text, text, date, jsonb, jsonb) TO kiban_app;
REVOKE SELECT ON kiban.register FROM kiban_app;   -- counts and sums of the whole city are nobody's in particular
GRANT SELECT ON kiban.edition TO kiban_app;
GRANT SELECT (register, kind, subject, items, ward, search, retired) ON kiban.register TO kiban_app;

-- What every role may do by default and the application has no need of: temporary objects, functions and blocks of its
-- own, large objects, advisory locks (they would block long jobs), ending its own kind, and counters of what others did.
-- On a server whose owner is no superuser, the city's administrators run this part; `kiban db verify` tells what is open.
DO $$
DECLARE
    o record;
BEGIN
    EXECUTE format('REVOKE TEMPORARY, CREATE ON DATABASE %I FROM PUBLIC, kiban_app', current_database());
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN RETURN; END IF;
    REVOKE USAGE ON LANGUAGE plpgsql, sql FROM PUBLIC;
    FOR o IN
        SELECT p.oid::regprocedure AS name FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        WHERE p.pronamespace = 'pg_catalog'::regnamespace AND a.grantee = 0 AND p.proname ~
            '^(lo_.*|loread|lowrite|pg_(try_)?advisory_.*|pg_(terminate|cancel)_backend|pg_export_snapshot|pg_stat_get_.*|pg_notify)$'
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', o.name);
        IF o.name::text LIKE 'pg_stat_get_%' THEN EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO pg_monitor', o.name); END IF;
    END LOOP;
    FOR o IN
        SELECT c.oid::regclass AS name FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.relnamespace = 'pg_catalog'::regnamespace AND a.grantee = 0 AND c.relname ~ '^pg_stat(io)?_' AND c.relname !~ '^pg_statistic'
    LOOP
        EXECUTE format('REVOKE SELECT ON %s FROM PUBLIC', o.name);
        EXECUTE format('GRANT SELECT ON %s TO pg_monitor', o.name);
    END LOOP;
END $$;
