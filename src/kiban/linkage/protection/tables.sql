-- Who is protected, since which event. Persons are kept by their number: these tables are as confidential as the register.
-- What was told of a unit, in the order of events; a release (two people have signed) counts from the event after its number.
CREATE TABLE IF NOT EXISTS protection_change (
    kind text NOT NULL CHECK (kind IN ('person', 'household')),
    unit text NOT NULL,
    event bigint NOT NULL,
    release boolean NOT NULL DEFAULT false,
    state text NOT NULL CHECK (state IN ('protected', 'clear')),
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (kind, unit, event, release)
);

-- What the publisher has not yet made notices of: it alone knows every flow, whoever took the event in.
CREATE TABLE IF NOT EXISTS protection_untold (
    kind text NOT NULL,
    unit text NOT NULL,
    event bigint NOT NULL,
    release boolean NOT NULL,
    PRIMARY KEY (kind, unit, event, release)
);

-- Who stays protected until two people have signed, whatever the register says meanwhile.
CREATE TABLE IF NOT EXISTS protection_hold (
    kind text NOT NULL,
    unit text NOT NULL,
    event bigint NOT NULL,
    ended_by bigint,
    PRIMARY KEY (kind, unit)
);

CREATE TABLE IF NOT EXISTS protection_off (
    kind text NOT NULL,
    unit text NOT NULL,
    event bigint NOT NULL,
    reason text NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL,
    confirmed_by text CHECK (confirmed_by <> proposed_by),
    confirmed_at timestamptz,
    released_after bigint,
    PRIMARY KEY (kind, unit, event)
);

CREATE TABLE IF NOT EXISTS protection_notice (
    number bigint GENERATED ALWAYS AS IDENTITY,
    id text PRIMARY KEY,
    flow text NOT NULL,
    kind text NOT NULL,
    unit text NOT NULL,
    state text NOT NULL,
    event bigint NOT NULL,
    decided_at timestamptz NOT NULL,
    published_at timestamptz,
    acknowledged_at timestamptz,
    held bigint
);
CREATE INDEX IF NOT EXISTS protection_notice_unit ON protection_notice (unit);
CREATE INDEX IF NOT EXISTS protection_notice_unpublished ON protection_notice (number) WHERE published_at IS NULL;
CREATE INDEX IF NOT EXISTS protection_notice_open ON protection_notice (flow) WHERE acknowledged_at IS NULL;

-- Until which event all this is known; no row until the register was looked through once.
CREATE TABLE IF NOT EXISTS protection_place (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    event bigint NOT NULL
);
