-- Column names are those of the records in data.model; times are UTC; JSON is text.

CREATE TABLE IF NOT EXISTS mark (worker VARCHAR, seq UBIGINT, batches UBIGINT, "rows" UBIGINT);
CREATE TABLE IF NOT EXISTS batch (worker VARCHAR, seq UBIGINT);
CREATE TABLE IF NOT EXISTS rolled (grain VARCHAR, until TIMESTAMP);

CREATE TABLE IF NOT EXISTS target (
    id VARCHAR, kind VARCHAR, team VARCHAR, name VARCHAR, url VARCHAR, site VARCHAR, partner VARCHAR, offer VARCHAR,
    geo VARCHAR, tier BIGINT, project VARCHAR, interval_s DOUBLE, timeout_s DOUBLE, expect VARCHAR, paused BOOLEAN,
    spec VARCHAR
);
CREATE TABLE IF NOT EXISTS target_state (
    target VARCHAR, team VARCHAR, kind VARCHAR, state VARCHAR, cause VARCHAR, detail VARCHAR, since TIMESTAMP,
    last_at TIMESTAMP, last_ms DOUBLE, value DOUBLE, blame VARCHAR, fails BIGINT, oks BIGINT, first_fail_at TIMESTAMP,
    evidence VARCHAR
);
CREATE TABLE IF NOT EXISTS observation (
    target VARCHAR, team VARCHAR, kind VARCHAR, started_at TIMESTAMP, state VARCHAR, cause VARCHAR, detail VARCHAR,
    region VARCHAR, total_ms DOUBLE, value DOUBLE, timing VARCHAR, hops VARCHAR, blame VARCHAR, evidence VARCHAR
);
CREATE TABLE IF NOT EXISTS flip (
    target VARCHAR, team VARCHAR, "at" TIMESTAMP, old VARCHAR, new VARCHAR, cause VARCHAR, reason VARCHAR
);
CREATE TABLE IF NOT EXISTS finding (
    id VARCHAR, target VARCHAR, team VARCHAR, kind VARCHAR, cause VARCHAR, opened_at TIMESTAMP, detected_at TIMESTAMP,
    detail VARCHAR, blame VARCHAR, fingerprint VARCHAR, closed_at TIMESTAMP, incident BIGINT
);
CREATE TABLE IF NOT EXISTS incident (
    id BIGINT, team VARCHAR, teams VARCHAR[], cause VARCHAR, severity VARCHAR, state VARCHAR, title VARCHAR,
    "where" VARCHAR, blame VARCHAR, owner_role VARCHAR, started_at TIMESTAMP, detected_at TIMESTAMP, members BIGINT,
    open_members BIGINT, reason VARCHAR,
    loss STRUCT(lost DECIMAL(18,4), lost_lo DECIMAL(18,4), lost_hi DECIMAL(18,4), per_hour DECIMAL(18,4),
        per_hour_lo DECIMAL(18,4), per_hour_hi DECIMAL(18,4), recoverable DECIMAL(18,4), unseen DECIMAL(18,4),
        unseen_per_hour DECIMAL(18,4), currency VARCHAR),
    acknowledged_at TIMESTAMP, acknowledged_by VARCHAR, closed_at TIMESTAMP, closed_by VARCHAR, updated_at TIMESTAMP
);
CREATE TABLE IF NOT EXISTS timeline (incident BIGINT, "at" TIMESTAMP, who VARCHAR, what VARCHAR);
CREATE TABLE IF NOT EXISTS fact (
    hour TIMESTAMP, seen_at TIMESTAMP, team VARCHAR, partner VARCHAR, offer VARCHAR, geo VARCHAR, site VARCHAR,
    clicks BIGINT, regs BIGINT, ftd BIGINT, revenue DECIMAL(18,4), source VARCHAR
);
CREATE TABLE IF NOT EXISTS receipt (partner VARCHAR, hour TIMESTAMP, seen_at TIMESTAMP);
CREATE TABLE IF NOT EXISTS partner_stat (
    feed VARCHAR, team VARCHAR, partner VARCHAR, day DATE, dims VARCHAR, measures VARCHAR, currency VARCHAR,
    observed_at TIMESTAMP, version BIGINT, payload VARCHAR
);
CREATE TABLE IF NOT EXISTS payload (
    hash VARCHAR, feed VARCHAR, team VARCHAR, received_at TIMESTAMP, content_type VARCHAR, body BLOB,
    quarantined BOOLEAN
);
CREATE TABLE IF NOT EXISTS feed_change (
    feed VARCHAR, team VARCHAR, payload VARCHAR, kind VARCHAR, path VARCHAR, severity VARCHAR, was VARCHAR, now VARCHAR,
    n_before BIGINT, n_after BIGINT, first_seen TIMESTAMP, last_seen TIMESTAMP, closed_at TIMESTAMP
);
CREATE TABLE IF NOT EXISTS parser_run (
    parser VARCHAR, team VARCHAR, "at" TIMESTAMP, url VARCHAR, geo VARCHAR, items BIGINT, verdict VARCHAR,
    fields VARCHAR, family VARCHAR, bytes BIGINT
);
CREATE TABLE IF NOT EXISTS baseline (target VARCHAR, team VARCHAR, "at" TIMESTAMP, body BLOB);
CREATE TABLE IF NOT EXISTS audit (
    "at" TIMESTAMP, who VARCHAR, team VARCHAR, action VARCHAR, subject VARCHAR, detail VARCHAR,
    number BIGINT, chain VARCHAR
);

CREATE TABLE IF NOT EXISTS rollup_hour (
    target VARCHAR, team VARCHAR, kind VARCHAR, start TIMESTAMP, ok BIGINT, degraded BIGINT, failing BIGINT,
    unknown BIGINT, paused BIGINT, known_s DOUBLE, failing_s DOUBLE, p50_ms DOUBLE, p95_ms DOUBLE
);
CREATE TABLE IF NOT EXISTS rollup_day (
    target VARCHAR, team VARCHAR, kind VARCHAR, start TIMESTAMP, ok BIGINT, degraded BIGINT, failing BIGINT,
    unknown BIGINT, paused BIGINT, known_s DOUBLE, failing_s DOUBLE, p50_ms DOUBLE, p95_ms DOUBLE
);
