-- Version 16: access keys with a name, a role and an end, and the audit log with the names.

ALTER TABLE keys ADD COLUMN name TEXT;
ALTER TABLE keys ADD COLUMN role TEXT NOT NULL DEFAULT 'full'; -- full, reader
ALTER TABLE keys ADD COLUMN expires_ms INTEGER; -- NULL: never

ALTER TABLE audit ADD COLUMN key_name TEXT; -- what the key that signed the call was called
