-- Version 15: files that were taken in and told all they had, so that the same bytes are known again.

CREATE TABLE files (
  file BLOB NOT NULL PRIMARY KEY, -- a hash of its bytes and of all else that decides what it tells
  items INTEGER NOT NULL,
  ignored INTEGER NOT NULL,
  at_ms INTEGER NOT NULL, -- when it was taken in
  sum INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX files_at ON files (at_ms);
