-- Version 3: keys that are sealed, disabled, rotated and watched; the audit log.

ALTER TABLE keys ADD COLUMN sealed_under TEXT; -- which key sealed `secret`; NULL: as version 2 kept it, in the clear
ALTER TABLE keys ADD COLUMN enabled INTEGER NOT NULL DEFAULT 1;
ALTER TABLE keys ADD COLUMN replaces TEXT; -- the key that this one is to take the place of
ALTER TABLE keys ADD COLUMN last_used_ms INTEGER; -- NULL: never

ALTER TABLE store ADD COLUMN keys_revision INTEGER NOT NULL DEFAULT 0;

CREATE TABLE audit (
  sequence INTEGER NOT NULL PRIMARY KEY, -- of the store
  at_ms INTEGER NOT NULL,
  request_id TEXT NOT NULL,
  access_key_id TEXT, -- NULL: no key signed the call
  caller TEXT NOT NULL, -- JSON: what the caller was
  account TEXT NOT NULL, -- '': the call is about Palisade itself
  region TEXT NOT NULL,
  operation TEXT NOT NULL,
  changes TEXT NOT NULL -- JSON
) STRICT;
CREATE INDEX audit_by_account ON audit (account, sequence);
CREATE INDEX audit_by_operation ON audit (operation, sequence);
CREATE INDEX audit_at ON audit (at_ms);
