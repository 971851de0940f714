-- Version 2: scopes of administrators, resource sets, notification channels, third-party firewalls.

ALTER TABLE administrators ADD COLUMN scope TEXT; -- JSON; NULL: everything

-- The last default administrator that was revoked: no row, or one.
CREATE TABLE offboarded (
  one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  account TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE resource_sets (
  resource_set TEXT NOT NULL PRIMARY KEY,
  record TEXT NOT NULL -- JSON
) STRICT, WITHOUT ROWID;

CREATE TABLE channels (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  topic TEXT NOT NULL,
  role TEXT NOT NULL,
  PRIMARY KEY (account, region)
) STRICT, WITHOUT ROWID;

CREATE TABLE associations (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  firewall TEXT NOT NULL,
  state TEXT NOT NULL, -- JSON
  PRIMARY KEY (account, region, firewall)
) STRICT, WITHOUT ROWID;
