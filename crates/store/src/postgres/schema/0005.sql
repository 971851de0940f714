-- Version 5: access keys with a name, a role and an end, as version 16 of the embedded engine's.

ALTER TABLE keys ADD COLUMN name text;
ALTER TABLE keys ADD COLUMN role text NOT NULL DEFAULT 'full';
ALTER TABLE keys ADD COLUMN expires_ms bigint;
