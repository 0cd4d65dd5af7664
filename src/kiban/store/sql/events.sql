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
