-- Sites and links: the origin behind an edge, the device and depth of a walk, and what targets share when they are well.

ALTER TABLE target ADD COLUMN origin VARCHAR DEFAULT '';
ALTER TABLE target ADD COLUMN device VARCHAR DEFAULT '';
ALTER TABLE target ADD COLUMN depth BIGINT DEFAULT 0;
ALTER TABLE target_state ADD COLUMN traits VARCHAR DEFAULT '{}';
ALTER TABLE incident ADD COLUMN upstream VARCHAR DEFAULT '';
ALTER TABLE incident ADD COLUMN evidence VARCHAR DEFAULT '{}';
