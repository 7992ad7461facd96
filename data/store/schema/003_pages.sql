-- Parsers: pages kept as evidence, the last good ones of each layout and the failing ones.

CREATE TABLE IF NOT EXISTS page (
    parser VARCHAR, team VARCHAR, "at" TIMESTAMP, url VARCHAR, family VARCHAR, verdict VARCHAR, good BOOLEAN, body BLOB,
    content_type VARCHAR
);
