-- Revenue: what was foretold of each slice-hour when it was first judged, and every word said of an alarm.

CREATE TABLE IF NOT EXISTS expectation (
    hour TIMESTAMP, made_at TIMESTAMP, team VARCHAR, partner VARCHAR, offer VARCHAR, geo VARCHAR, site VARCHAR,
    ftd_rate DOUBLE, reg_rate DOUBLE, value DOUBLE, common DOUBLE
);
CREATE TABLE IF NOT EXISTS alarm (
    id VARCHAR, "at" TIMESTAMP, team VARCHAR, target VARCHAR, channel VARCHAR, cause VARCHAR, detected_at TIMESTAMP,
    start TIMESTAMP, "end" TIMESTAMP, status VARCHAR, nats DOUBLE, prior_nats DOUBLE, window_h BIGINT, observed DOUBLE,
    expected DOUBLE, why VARCHAR,
    loss STRUCT(lost DECIMAL(18,4), lost_lo DECIMAL(18,4), lost_hi DECIMAL(18,4), per_hour DECIMAL(18,4),
        per_hour_lo DECIMAL(18,4), per_hour_hi DECIMAL(18,4), recoverable DECIMAL(18,4), unseen DECIMAL(18,4),
        unseen_per_hour DECIMAL(18,4), currency VARCHAR)
);
