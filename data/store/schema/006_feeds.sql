-- Feeds: what each pull brought, figures that moved after they were delivered, postbacks, and rates as they were.

ALTER TABLE partner_stat ADD COLUMN IF NOT EXISTS exchange VARCHAR DEFAULT 'null';
CREATE TABLE IF NOT EXISTS delivery (
    feed VARCHAR, team VARCHAR, "at" TIMESTAMP, first DATE, last DATE, payloads VARCHAR[], "rows" BIGINT, outcome VARCHAR,
    cause VARCHAR, detail VARCHAR, decided_at TIMESTAMP, decided_by VARCHAR
);
CREATE TABLE IF NOT EXISTS restatement (
    feed VARCHAR, team VARCHAR, partner VARCHAR, day DATE, currency VARCHAR, measure VARCHAR, was DECIMAL(18,4),
    now DECIMAL(18,4), "rows" BIGINT, kind VARCHAR, age_days BIGINT, observed_at TIMESTAMP, payload_was VARCHAR,
    payload_now VARCHAR, acknowledged_at TIMESTAMP, acknowledged_by VARCHAR, reference VARCHAR
);
CREATE TABLE IF NOT EXISTS postback (
    feed VARCHAR, team VARCHAR, partner VARCHAR, received_at TIMESTAMP, "at" TIMESTAMP, event VARCHAR, click VARCHAR,
    "transaction" VARCHAR, amount DECIMAL(18,4), currency VARCHAR, fault VARCHAR
);
