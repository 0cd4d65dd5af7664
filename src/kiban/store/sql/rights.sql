-- What the application role may do, and nothing else. Last of the files of the frame.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA kiban FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kiban.verified_actor(), kiban.visible_wards(text), kiban.sees_city(text), kiban.signed_in(text),
    kiban.character_count(text), kiban.record_lookup(text, jsonb, text[]), kiban.settle(timestamptz),
    kiban.record_event(text, text, text, date, jsonb, jsonb) TO kiban_app;
GRANT EXECUTE ON FUNCTION kiban.sees_protected(), kiban.sieve(), kiban.hides(text[], text[]), kiban.open_among(text, text[]),
    kiban.open_numbers(text, text, text[]),
    kiban.search_protected(text, text, jsonb, text, text, integer), kiban.find_protected_number(text, text, text),
    kiban.protected_among(text[], boolean), kiban.ask_lift(text, text, text, timestamptz, timestamptz), kiban.grant_lift(bigint),
    kiban.lifts() TO kiban_app;
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
