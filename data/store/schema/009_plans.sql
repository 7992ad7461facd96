-- Plans that were used: every version of every switch, the newest by id.

CREATE TABLE IF NOT EXISTS switch (
    id VARCHAR, plan VARCHAR, letter VARCHAR, title VARCHAR, team VARCHAR, incident BIGINT, state VARCHAR, "at" TIMESTAMP,
    asked_by VARCHAR, asked_at TIMESTAMP, keys BIGINT, approved VARCHAR[], applied_at TIMESTAMP, expires_at TIMESTAMP,
    ended_at TIMESTAMP, ended_by VARCHAR, undo VARCHAR, detail VARCHAR, drill BOOLEAN
);
