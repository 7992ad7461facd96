-- Parsers that others run, queries that always have results, and who ranks where.

ALTER TABLE target ADD COLUMN IF NOT EXISTS outside BOOLEAN DEFAULT false;
ALTER TABLE target ADD COLUMN IF NOT EXISTS canary BOOLEAN DEFAULT false;
ALTER TABLE target ADD COLUMN IF NOT EXISTS query VARCHAR DEFAULT '';
ALTER TABLE parser_run ADD COLUMN IF NOT EXISTS hosts VARCHAR[] DEFAULT [];
ALTER TABLE parser_run ADD COLUMN IF NOT EXISTS seconds DOUBLE;
ALTER TABLE parser_run ADD COLUMN IF NOT EXISTS error VARCHAR DEFAULT '';
