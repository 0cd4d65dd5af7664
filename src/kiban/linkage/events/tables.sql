-- Events on their way. One row for each flow: how far it is, what holds it, what was sent and what was answered.
CREATE TABLE IF NOT EXISTS event_flow (
    flow text PRIMARY KEY,
    place bigint NOT NULL DEFAULT 0,            -- the last event that is dealt with
    needs_set bigint,                           -- held until a full set as known after this event or later is published
    paused boolean NOT NULL DEFAULT false,
    floor bigint NOT NULL DEFAULT 0,            -- the event of the last full set, and its epoch
    epoch bigint,
    sent bigint NOT NULL DEFAULT 0,
    sent_content numeric(39) NOT NULL DEFAULT 0,
    not_returned bigint NOT NULL DEFAULT 0,     -- messages that came from the flow's consumer
    counted bigint NOT NULL DEFAULT 0,          -- of those sent, how many the consumer has answered for
    counted_content numeric(39) NOT NULL DEFAULT 0,
    applied bigint NOT NULL DEFAULT 0,
    late bigint NOT NULL DEFAULT 0,
    applied_event bigint NOT NULL DEFAULT 0,
    quarantined bigint NOT NULL DEFAULT 0,
    held bigint NOT NULL DEFAULT 0,
    answered_at timestamptz
);
-- Which events carried a unit: whence `previous` comes. Flows over the same groups and units share the rows.
CREATE TABLE IF NOT EXISTS event_carried (
    share text NOT NULL,
    unit text NOT NULL,
    event bigint NOT NULL,
    origin text,
    PRIMARY KEY (share, unit, event)
);
CREATE INDEX IF NOT EXISTS event_carried_origin ON event_carried (share, unit) WHERE origin IS NOT NULL;
-- Up to which line of its ledger each replica has answered.
CREATE TABLE IF NOT EXISTS event_answered (
    flow text NOT NULL,
    replica text NOT NULL,
    line bigint NOT NULL,
    PRIMARY KEY (flow, replica)
);
-- What waits at a consumer, as it said last.
CREATE TABLE IF NOT EXISTS event_waiting (
    flow text NOT NULL,
    unit text NOT NULL,
    message text NOT NULL,
    event bigint NOT NULL,
    missing bigint,
    reason text,
    since text NOT NULL,
    behind bigint NOT NULL,
    PRIMARY KEY (flow, unit)
);
-- The newest state of protection that each consumer has acknowledged.
CREATE TABLE IF NOT EXISTS event_protection (
    flow text NOT NULL,
    unit text NOT NULL,
    state text NOT NULL,
    event bigint NOT NULL,
    acknowledged_at timestamptz NOT NULL,
    PRIMARY KEY (flow, unit)
);
-- Locked by the one publisher as long as it lives; holds nothing.
CREATE TABLE IF NOT EXISTS event_publisher (none boolean);
-- Whether the consumer of a flow that withholds items got the rows of the unit anew since: what is withheld leaves its copy, or comes back.
ALTER TABLE event_protection ADD COLUMN IF NOT EXISTS renewed boolean NOT NULL DEFAULT false;
CREATE INDEX IF NOT EXISTS event_protection_owed ON event_protection (flow, event) WHERE NOT renewed;
-- Up to which event it was forgotten which events carried which units: their messages cannot be made again.
CREATE TABLE IF NOT EXISTS event_thinned (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    event bigint NOT NULL
);
