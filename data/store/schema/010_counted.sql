-- A loss that two incidents share is counted in one of them; the other says in which.

ALTER TABLE incident ADD COLUMN IF NOT EXISTS counted_in BIGINT;
