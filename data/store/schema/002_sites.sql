-- Sites and links: the origin behind an edge, the device and depth of a walk, and what targets share when they are well.

ALTER TABLE target ADD COLUMN IF NOT EXISTS origin VARCHAR DEFAULT '';
ALTER TABLE target ADD COLUMN IF NOT EXISTS device VARCHAR DEFAULT '';
ALTER TABLE target ADD COLUMN IF NOT EXISTS depth BIGINT DEFAULT 0;
ALTER TABLE target_state ADD COLUMN IF NOT EXISTS traits VARCHAR DEFAULT '{}';
ALTER TABLE incident ADD COLUMN IF NOT EXISTS upstream VARCHAR DEFAULT '';
ALTER TABLE incident ADD COLUMN IF NOT EXISTS evidence VARCHAR DEFAULT '{}';
