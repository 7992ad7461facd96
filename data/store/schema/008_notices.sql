-- Notices: the outbox of what is said to people, and what they asked not to be told.

CREATE TABLE IF NOT EXISTS notice (
    id VARCHAR, kind VARCHAR, channel VARCHAR, teams VARCHAR[], incidents VARCHAR, told VARCHAR, "group" VARCHAR,
    route VARCHAR, receiver VARCHAR, created_at TIMESTAMP, due_at TIMESTAMP, state VARCHAR, "text" VARCHAR, step BIGINT,
    attempts BIGINT, repeated BOOLEAN, worker VARCHAR, until TIMESTAMP, sent_at TIMESTAMP, problem VARCHAR,
    instead_of VARCHAR
);
CREATE TABLE IF NOT EXISTS mute (
    id VARCHAR, teams VARCHAR[], matchers VARCHAR, reason VARCHAR, who VARCHAR, starts_at TIMESTAMP, ends_at TIMESTAMP
);
