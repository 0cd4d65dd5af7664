-- Lifts (一時解除), which open one protected person to one actor: asked by one, granted by another, over by themselves, never changed;
-- each line hangs on the one before. Their table is made with those of protection.
CREATE OR REPLACE FUNCTION kiban.lift_digest(l kiban.lift) RETURNS bytea
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT sha256(l.previous || convert_to(jsonb_build_array(l.line, l.lift, l.step, l.subject, l.whom, l.reason, l.who,
        extract(epoch FROM l.at), extract(epoch FROM l.starts), extract(epoch FROM l.ends))::text, 'UTF8'))
$$;

CREATE OR REPLACE FUNCTION kiban.write_lift(l kiban.lift) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last kiban.lift;
BEGIN
    SELECT * INTO last FROM kiban.lift ORDER BY line DESC LIMIT 1;
    l.line := coalesce(last.line, 0) + 1;
    l.lift := coalesce(l.lift, l.line);
    l.at := clock_timestamp();
    l.previous := coalesce(last.digest, '');
    l.digest := kiban.lift_digest(l);
    INSERT INTO kiban.lift SELECT (l).*;
    PERFORM kiban.record_lookup('kiban.lift', jsonb_build_object('lift', l.lift, 'step', l.step, 'whom', l.whom), ARRAY[l.subject]);
    RETURN l.lift;
END $$;

CREATE OR REPLACE FUNCTION kiban.ask_lift(subject text, whom text, reason text, starts timestamptz, ends timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who text[] := kiban.verified_actor();
BEGIN
    IF who IS NULL THEN PERFORM kiban.refuse('actor-missing', 'nobody has signed in', 'open a session with an actor'); END IF;
    IF NOT coalesce(length(btrim(reason)) BETWEEN 1 AND 1000 AND length(whom) BETWEEN 1 AND 64, false) THEN
        PERFORM kiban.refuse('lift-reason', 'a lift has no reason, or is for nobody', 'say in words why, and for whom');
    END IF;
    IF NOT coalesce(starts < ends AND ends > clock_timestamp() AND ends - starts <= interval '31 days', false) THEN
        PERFORM kiban.refuse('lift-long', 'a lift is not of a time that lies before us, of a month at most', 'give its first and last moment');
    END IF;
    IF NOT EXISTS (SELECT FROM kiban.protected_unit u WHERE u.kind = 'person' AND u.unit = ask_lift.subject) THEN
        PERFORM kiban.refuse('lift-unneeded', 'the person is not protected', 'read the register');
    END IF;
    LOCK TABLE kiban.lift IN EXCLUSIVE MODE;
    RETURN kiban.write_lift(ROW(NULL, NULL, 'asked', subject, whom, reason, who[1], NULL, starts, ends, NULL, NULL)::kiban.lift);
END $$;

CREATE OR REPLACE FUNCTION kiban.grant_lift(number bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who text[] := kiban.verified_actor();
    l kiban.lift;
BEGIN
    IF NOT kiban.sees_protected() THEN
        PERFORM kiban.refuse('lift-closed', 'the actor does not see protected rows', 'ask whoever does');
    END IF;
    LOCK TABLE kiban.lift IN EXCLUSIVE MODE;
    SELECT * INTO l FROM kiban.lift k WHERE k.lift = number AND k.step = 'asked';
    IF l IS NULL THEN PERFORM kiban.refuse('lift-unknown', 'nobody asked for this lift', 'ask for it first'); END IF;
    IF EXISTS (SELECT FROM kiban.lift k WHERE k.lift = number AND k.step = 'granted') THEN
        PERFORM kiban.refuse('lift-granted', 'the lift is granted already', 'nothing is left to do');
    END IF;
    IF who[1] IN (l.who, l.whom) THEN
        PERFORM kiban.refuse('lift-same-person', 'a lift is granted by somebody else than who asked for it or gets it', 'ask a colleague');
    END IF;
    IF l.ends <= clock_timestamp() THEN PERFORM kiban.refuse('lift-over', 'the lift is over', 'ask for a new one'); END IF;
    l.step := 'granted';
    l.who := who[1];
    PERFORM kiban.write_lift(l);
END $$;

-- The lifts that concern the actor; whoever sees protected rows sees all of them.
CREATE OR REPLACE FUNCTION kiban.lifts() RETURNS SETOF kiban.lift
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT l.* FROM kiban.lift l WHERE kiban.sees_protected() OR (kiban.verified_actor())[1] = l.whom
        OR EXISTS (SELECT FROM kiban.lift a WHERE a.lift = l.lift AND a.step = 'asked' AND a.who = (kiban.verified_actor())[1])
    ORDER BY l.line
$$;

-- The lifts under which something was found; where it is not told what was found, all that stand.
CREATE OR REPLACE FUNCTION kiban.lifts_used(found text[]) RETURNS bigint[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_agg(l.lift ORDER BY l.lift) FROM kiban.standing_lifts() l
    WHERE found = '{}' OR l.subject = ANY (found) OR EXISTS (
        SELECT FROM kiban.protected_unit s WHERE s.kind = 'person' AND s.unit = l.subject AND s.homes && (found || ARRAY(
            SELECT unnest(u.homes) FROM kiban.protected_unit u WHERE u.kind = 'person' AND u.unit = ANY (found))))
$$;
