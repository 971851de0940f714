-- Version 4: files that were taken in and told all they had, as version 15 of the embedded engine's.

CREATE TABLE files (
  file bytea NOT NULL PRIMARY KEY,
  items bigint NOT NULL,
  ignored bigint NOT NULL,
  at_ms bigint NOT NULL
);
CREATE INDEX files_at ON files (at_ms);
