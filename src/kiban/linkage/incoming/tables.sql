-- What came into Kiban by linkage, and what became of it. Values of persons stand only in messages that wait and in proposals.
CREATE TABLE IF NOT EXISTS incoming_unit (
    flow text NOT NULL,
    unit text NOT NULL,
    event bigint NOT NULL,                   -- the newest version that was dealt with
    PRIMARY KEY (flow, unit)
);
CREATE TABLE IF NOT EXISTS incoming_floor (
    flow text PRIMARY KEY,
    event bigint NOT NULL                    -- of the full set with which everything before is known
);
CREATE TABLE IF NOT EXISTS incoming_message (
    flow text NOT NULL,
    id text NOT NULL,
    unit text NOT NULL,
    event bigint NOT NULL,
    previous bigint NOT NULL,
    digest text NOT NULL,
    state text NOT NULL,
    body bytea,                              -- while it waits
    problems text[] NOT NULL DEFAULT '{}',   -- codes
    received_at timestamptz NOT NULL,
    after bigint,                            -- last event of the city before it was applied: behind it lies its own, if any
    recorded bigint,                         -- the event that it became
    PRIMARY KEY (flow, id)
);
CREATE INDEX IF NOT EXISTS incoming_message_waiting ON incoming_message (flow, unit, event) WHERE body IS NOT NULL;

CREATE TABLE IF NOT EXISTS incoming_refusal (
    flow text NOT NULL,
    id text NOT NULL,
    register text NOT NULL,
    item text NOT NULL,
    provider text NOT NULL,
    master text,                             -- null where nobody is
    refused_at timestamptz NOT NULL,
    PRIMARY KEY (flow, id, register, item)
);

CREATE TABLE IF NOT EXISTS incoming_proposal (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    flow text NOT NULL,
    message text NOT NULL,
    unit text NOT NULL,
    event bigint NOT NULL,
    register text NOT NULL,
    kind text NOT NULL,
    subject jsonb NOT NULL,
    valid_from date,
    valid_to date,
    items jsonb NOT NULL,
    base bigint NOT NULL,                    -- the newest event of the rows it was made on
    content text NOT NULL,                   -- digest of what it would make true
    state text NOT NULL DEFAULT 'open',
    proposed_at timestamptz NOT NULL,
    decided_by text,
    decided_at timestamptz,
    reason text,
    after bigint,
    recorded bigint
);
CREATE INDEX IF NOT EXISTS incoming_proposal_open ON incoming_proposal (flow, unit);
