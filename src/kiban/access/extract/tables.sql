-- Extracts (EUC): queries that people keep, and the jobs that run them. May run again.

CREATE TABLE IF NOT EXISTS extract_query (
    query text PRIMARY KEY,               -- random; stands in addresses, where it opens nothing by itself
    owner text NOT NULL,                  -- staff number
    shared boolean NOT NULL DEFAULT false,-- whether others who may extract from the business may see and copy it
    draft boolean NOT NULL DEFAULT true,  -- being put together; seen by its owner only
    title text NOT NULL,
    business text NOT NULL,
    body jsonb NOT NULL,                  -- as a file would hold it
    changed_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS extract_query_owner ON extract_query (owner, changed_at DESC);

CREATE TABLE IF NOT EXISTS extract_job (
    job text PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    staff text NOT NULL,                  -- who asked, under which assignment; looked up again when it runs
    assignment bigint NOT NULL,
    office text NOT NULL,
    duty text NOT NULL,
    purpose text NOT NULL,
    reason text NOT NULL,                 -- why, in the person's words
    title text NOT NULL,
    business text NOT NULL,
    body jsonb NOT NULL,                  -- the whole query with its values: for the auditor, never for a log
    day date NOT NULL,                    -- on which its words (today, fiscal-start) are understood
    asked_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled', 'gone')),
    cancel boolean NOT NULL DEFAULT false,
    attempt integer NOT NULL DEFAULT 0,
    beat_at timestamptz,                  -- when the worker was last heard of
    started_at timestamptz,
    ended_at timestamptz,
    step text NOT NULL DEFAULT '',
    rows bigint NOT NULL DEFAULT 0,
    problems jsonb NOT NULL DEFAULT '[]',
    manifest jsonb,
    kept_until timestamptz
);
CREATE INDEX IF NOT EXISTS extract_job_staff ON extract_job (staff, number DESC);
CREATE INDEX IF NOT EXISTS extract_job_open ON extract_job (number) WHERE state IN ('waiting', 'running');
CREATE TABLE IF NOT EXISTS extract_turn (single boolean PRIMARY KEY CHECK (single)); -- held while a worker takes a job
INSERT INTO extract_turn VALUES (true) ON CONFLICT DO NOTHING;
