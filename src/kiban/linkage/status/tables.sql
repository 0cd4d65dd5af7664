-- What comparisons of both sides found; the last of a flow is shown.
CREATE TABLE IF NOT EXISTS status_compared (
    flow text NOT NULL,
    at timestamptz NOT NULL,
    rows bigint NOT NULL,
    drifted bigint NOT NULL,
    PRIMARY KEY (flow, at)
);
