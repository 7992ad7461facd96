-- When a channel did not take a notice: the first time, and the last.

ALTER TABLE notice ADD COLUMN IF NOT EXISTS failed_at TIMESTAMP;
ALTER TABLE notice ADD COLUMN IF NOT EXISTS tried_at TIMESTAMP;
