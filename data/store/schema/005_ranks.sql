-- Search results: which query a run was of, and where our own sites stand on each page that is believed.

ALTER TABLE parser_run ADD COLUMN IF NOT EXISTS query VARCHAR DEFAULT '';
CREATE TABLE IF NOT EXISTS ranks (
    parser VARCHAR, team VARCHAR, "at" TIMESTAMP, query VARCHAR, geo VARCHAR, results BIGINT, hosts VARCHAR[],
    places VARCHAR
);
