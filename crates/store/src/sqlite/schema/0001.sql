-- Version 1. Tables of the inventory lead with the account, the column by which a store of many
-- machines would distribute them; tables of the ledger lead with (policy, account), so that
-- ListComplianceStatus is one range read. Times are milliseconds since the epoch.

-- One row. `sequence` orders what happens in the store: versions of marks, fences of leases.
CREATE TABLE store (
  one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  control_revision INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  lists_changed INTEGER NOT NULL, -- sequence of the last change of a list
  sealing_key BLOB NOT NULL
) STRICT;

-- Control.

CREATE TABLE organization (
  one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  head TEXT NOT NULL -- JSON: the organization without its accounts
) STRICT;

CREATE TABLE accounts (
  account TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  parent TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE administrators (
  account TEXT NOT NULL PRIMARY KEY,
  is_default INTEGER NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE policies (
  policy TEXT NOT NULL PRIMARY KEY,
  region TEXT NOT NULL,
  revision INTEGER NOT NULL,
  record TEXT NOT NULL -- JSON
) STRICT, WITHOUT ROWID;

CREATE TABLE lists (
  list TEXT NOT NULL PRIMARY KEY,
  record TEXT NOT NULL -- JSON
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
  access_key_id TEXT NOT NULL PRIMARY KEY,
  secret TEXT NOT NULL,
  account TEXT, -- NULL: an operator key
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Inventory.

CREATE TABLE shards (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  snapshot_accepted INTEGER NOT NULL,
  received_ms INTEGER,        -- last delivery of the shard itself
  global_received_ms INTEGER, -- last `global` items that came in another Region's delivery
  changed INTEGER NOT NULL,   -- sequence of the last change of facts
  PRIMARY KEY (account, region)
) STRICT, WITHOUT ROWID;

CREATE TABLE coverage (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  type TEXT NOT NULL,
  held INTEGER NOT NULL, -- an item of the type was accepted
  mark_ms INTEGER,       -- moment of the newest snapshot that covers the type
  PRIMARY KEY (account, region, type)
) STRICT, WITHOUT ROWID;

CREATE TABLE items (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  type TEXT NOT NULL,
  id TEXT NOT NULL,
  state INTEGER NOT NULL, -- 0 live, 1 deleted, 2 gone: a later snapshot does not contain it
  seen_ms INTEGER NOT NULL,
  body BLOB NOT NULL,     -- core's encoding of an item
  PRIMARY KEY (account, region, type, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX items_not_live ON items (seen_ms) WHERE state <> 0;

-- Work.

CREATE TABLE fan_outs (
  policy TEXT NOT NULL PRIMARY KEY,
  revision INTEGER NOT NULL,
  cursor TEXT, -- accounts up to and including this one are marked
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE work (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  policy TEXT NOT NULL, -- '': every policy of the Region
  not_before INTEGER NOT NULL,
  version INTEGER NOT NULL, -- sequence of the last mark
  PRIMARY KEY (account, region, policy)
) STRICT, WITHOUT ROWID;
CREATE INDEX work_due ON work (not_before, account, region);

CREATE TABLE leases (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  fence INTEGER NOT NULL, -- sequence of the lease
  until_ms INTEGER NOT NULL,
  PRIMARY KEY (account, region)
) STRICT, WITHOUT ROWID;

-- Who reads which fact outside its shard, found from the fact and from the reader.
CREATE TABLE readers (
  reference TEXT NOT NULL,
  policy TEXT NOT NULL,
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  PRIMARY KEY (reference, policy, account)
) STRICT, WITHOUT ROWID;
CREATE INDEX readers_by_reader ON readers (policy, account);

-- Ledger.

CREATE TABLE entries (
  policy TEXT NOT NULL,
  account TEXT NOT NULL,
  status TEXT, -- NULL: nothing can be claimed
  violator_count INTEGER NOT NULL,
  in_scope INTEGER NOT NULL,
  issues TEXT, -- JSON; NULL: none
  since_ms INTEGER NOT NULL,
  policy_revision INTEGER NOT NULL,
  evaluated_ms INTEGER NOT NULL, -- when written, or last judged under this policy alone
  PRIMARY KEY (policy, account)
) STRICT, WITHOUT ROWID;

-- When a shard was last judged under every policy of its Region.
CREATE TABLE judged (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  evaluated_ms INTEGER NOT NULL,
  PRIMARY KEY (account, region)
) STRICT, WITHOUT ROWID;

CREATE TABLE violators (
  policy TEXT NOT NULL,
  account TEXT NOT NULL,
  type TEXT NOT NULL,
  id TEXT NOT NULL,
  violations TEXT NOT NULL, -- JSON
  since_ms INTEGER NOT NULL,
  PRIMARY KEY (policy, account, type, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE history (
  policy TEXT NOT NULL,
  account TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  status TEXT,
  violator_count INTEGER NOT NULL,
  issues TEXT,
  policy_revision INTEGER NOT NULL,
  closed INTEGER NOT NULL,
  PRIMARY KEY (policy, account, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX history_at ON history (at_ms);
