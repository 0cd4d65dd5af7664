-- How protected persons are found, and by what they are not.
-- As the owner; every statement may run again.

DROP FUNCTION IF EXISTS kiban.find_protected(text, text, jsonb, text, text, integer), kiban.found_names(text[]);   -- of before

CREATE OR REPLACE FUNCTION kiban.fits(n kiban.protected_name, asked jsonb) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (NOT asked ? 'kana_key' OR n.kana_key >= asked ->> 'kana_key' AND n.kana_key < (asked ->> 'kana_key') || U&'\+10FFFF')
        AND (NOT asked ? 'name_key' OR n.name_key >= asked ->> 'name_key' AND n.name_key < (asked ->> 'name_key') || U&'\+10FFFF')
        AND (NOT asked ? 'address_key' OR n.address_key >= asked ->> 'address_key' AND n.address_key < (asked ->> 'address_key') || U&'\+10FFFF')
        AND (NOT asked ? 'birth' OR n.birth_from <= asked -> 'birth' ->> 1 AND n.birth_to >= asked -> 'birth' ->> 0)
        AND (NOT asked ? 'sex' OR n.sex = asked ->> 'sex')
$$;

-- Whom lifts open to the actor, and whoever may be open with them.
CREATE OR REPLACE FUNCTION kiban.maybe_open() RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    subjects text[] := ARRAY(SELECT subject FROM kiban.standing_lifts());
BEGIN
    IF subjects = '{}' THEN RETURN subjects; END IF;
    RETURN ARRAY(SELECT u.unit FROM kiban.protected_unit u WHERE u.kind = 'person' AND u.homes && ARRAY(
        SELECT unnest(s.homes) FROM kiban.protected_unit s WHERE s.kind = 'person' AND s.unit = ANY (subjects))
        UNION SELECT unnest(subjects));
END $$;

-- Protected persons who fit what is asked. `ward`: of that one alone; `but`: of none of whom anything fits there.
-- Those who are open to the actor are found like everybody, in the wards that he sees. Those who are closed (`closed`) are only
-- told to exist, by name, kana and birth: what is asked by address, or of wards, never meets an entry of theirs, so that not
-- even the time it takes depends on where they live. Whoever is told of is in the log.
CREATE OR REPLACE FUNCTION kiban.search_protected(register text, by_key text, asked jsonb, after_key text, after_subject text, most integer)
RETURNS TABLE (key text, subject text, ward text, closed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    business text := split_part(register, '.', 1);
    wards text[] := kiban.visible_wards(business);
    sees_all boolean := kiban.sees_protected();
    tells boolean := NOT sees_all AND NOT asked ? 'address_key';
    opened text[] := CASE WHEN sees_all THEN NULL ELSE kiban.maybe_open() END;
    begun text := CASE by_key WHEN 'birth_from' THEN asked -> 'birth' ->> 1 ELSE asked ->> by_key END;
    shown text[] := '{}';
BEGIN
    IF NOT (sees_all OR kiban.signed_in(business)) OR by_key NOT IN ('kana_key', 'name_key', 'address_key', 'birth_from') OR begun IS NULL OR EXISTS (
        SELECT FROM jsonb_object_keys(asked) k WHERE k NOT IN ('kana_key', 'name_key', 'address_key', 'birth', 'sex', 'ward', 'but')) THEN
        PERFORM kiban.refuse('query-refused', 'protected persons are found by name, kana and birth', 'use Session.search');
    END IF;
    IF NOT tells AND opened = '{}' THEN RETURN; END IF;
    FOR key, subject, ward, closed IN WITH candidate AS MATERIALIZED (   -- only one of the five is looked into
        SELECT p.kana_key AS k, p FROM kiban.protected_name p WHERE (sees_all OR tells) AND by_key = 'kana_key'
            AND p.register = search_protected.register AND p.kana_key >= begun AND p.kana_key < begun || U&'\+10FFFF'
        UNION ALL SELECT p.name_key, p FROM kiban.protected_name p WHERE (sees_all OR tells) AND by_key = 'name_key'
            AND p.register = search_protected.register AND p.name_key >= begun AND p.name_key < begun || U&'\+10FFFF'
        UNION ALL SELECT p.address_key, p FROM kiban.protected_name p WHERE sees_all AND by_key = 'address_key'
            AND p.register = search_protected.register AND p.address_key >= begun AND p.address_key < begun || U&'\+10FFFF'
        UNION ALL SELECT p.birth_from, p FROM kiban.protected_name p WHERE (sees_all OR tells) AND by_key = 'birth_from'
            AND p.register = search_protected.register AND p.birth_from <= begun AND p.birth_to >= asked -> 'birth' ->> 0
        UNION ALL SELECT to_jsonb(p) ->> by_key, p FROM kiban.protected_name p WHERE NOT (sees_all OR tells)
            AND p.register = search_protected.register AND p.subject = ANY (opened)
    ), told AS (
        SELECT c.k, (c.p).subject, CASE WHEN h.closed THEN NULL ELSE (c.p).ward END AS ward, h.closed
        FROM candidate c, LATERAL (SELECT NOT sees_all AND kiban.hides(ARRAY[(c.p).subject], NULL) AS closed OFFSET 0) h
        WHERE kiban.fits(c.p, asked) AND CASE WHEN h.closed THEN tells ELSE
            (wards = '{*}' OR (c.p).ward = ANY (wards)) AND (NOT asked ? 'ward' OR (c.p).ward = asked ->> 'ward') AND NOT (asked ? 'but'
                AND EXISTS (SELECT FROM kiban.protected_name o WHERE o.register = search_protected.register AND o.subject = (c.p).subject
                    AND o.ward = asked ->> 'but' AND kiban.fits(o, asked))) END
    )
    SELECT DISTINCT ON (t.k, t.subject) t.k, t.subject, t.ward, t.closed FROM told t
    WHERE after_key IS NULL OR (t.k, t.subject) > (after_key, after_subject) ORDER BY t.k, t.subject LIMIT least(most, 201)
    LOOP
        IF closed THEN shown := shown || subject; END IF;
        RETURN NEXT;
    END LOOP;
    IF shown <> '{}' THEN
        PERFORM kiban.record_lookup('kiban.protected', jsonb_build_object('register', register, 'search', asked), shown);
    END IF;
END $$;

CREATE OR REPLACE FUNCTION kiban.find_protected_number(register text, item text, value text) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    named jsonb := (SELECT p.names -> register FROM kiban.protection p);
    shown text[];
BEGIN
    IF NOT kiban.signed_in(split_part(register, '.', 1)) OR NOT coalesce(named -> 'numbers' ? item, false) THEN
        PERFORM kiban.refuse('query-refused', 'protected persons are found by a number of theirs', 'use Session.search');
    END IF;
    EXECUTE format('SELECT array_agg(DISTINCT t.%1$I) FROM %2$s t WHERE t.%3$I = $1 AND t.closed_by IS NULL AND kiban.hides(ARRAY[t.%1$I], NULL)',
        named ->> 'subject', register::regclass, item) INTO shown USING value;
    IF shown IS NOT NULL THEN
        PERFORM kiban.record_lookup('kiban.protected', jsonb_build_object('register', register, 'number', item), shown);
    END IF;
    RETURN QUERY SELECT unnest(shown);
END $$;

-- Which of these numbers are of nobody and no household that is closed to the actor. A read asks for the rows of no others, so
-- that the time it takes depends on no row that is closed: on no ward, no address, no household.
CREATE OR REPLACE FUNCTION kiban.open_among(kind text, numbers text[]) RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN ARRAY(SELECT n FROM unnest(numbers) n
        WHERE NOT CASE kind WHEN 'person' THEN kiban.hides(ARRAY[n], NULL) ELSE kiban.hides(NULL, ARRAY[n]) END);
END $$;

-- The same for other numbers of people: those that stand in rows of closed persons only.
CREATE OR REPLACE FUNCTION kiban.open_numbers(register text, item text, numbers text[]) RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    named jsonb := (SELECT p.names -> register FROM kiban.protection p);
    found text[];
BEGIN
    IF NOT kiban.signed_in(split_part(register, '.', 1)) OR NOT coalesce(named -> 'numbers' ? item, false) THEN RETURN numbers; END IF;
    EXECUTE format('SELECT ARRAY(SELECT n FROM unnest($1) n WHERE coalesce((SELECT NOT bool_and(kiban.hides(ARRAY[t.%1$I], NULL))
        FROM %2$s t WHERE t.%3$I = n), true))', named ->> 'subject', register::regclass, item) INTO found USING numbers;
    RETURN found;
END $$;

-- Which of these people are protected: with `closed`, only those who are closed to the actor.
CREATE OR REPLACE FUNCTION kiban.protected_among(people text[], closed boolean) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found text[] := ARRAY(
        SELECT u.unit FROM kiban.protected_unit u WHERE u.kind = 'person' AND u.unit = ANY (people)
            AND NOT (closed AND (kiban.sees_protected() OR kiban.lifted(ARRAY[u.unit], NULL))) ORDER BY 1);
BEGIN
    PERFORM kiban.record_lookup('kiban.protected', jsonb_build_object('people', cardinality(people)), found);
    RETURN found;
END $$;
