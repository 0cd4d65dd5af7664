-- How an event changes registers: rows that follow each other, what is refused, and the one door for the application role.

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
