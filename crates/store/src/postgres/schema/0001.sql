-- Version 1. As the embedded engine's tables. Text compares by its bytes on every engine, hence COLLATE "C".
-- Tables of the inventory lead with the account, tables of the ledger with (policy, account): by the account
-- a store of many machines would distribute them. What has no account is small. Times are milliseconds since
-- the epoch.

-- One row. Whoever writes facts, decisions or findings holds it until the commit: `sequence` therefore grows
-- in the order of commits.
CREATE TABLE store (
  one smallint NOT NULL PRIMARY KEY CHECK (one = 1),
  sequence bigint NOT NULL,
  control_revision bigint NOT NULL,
  keys_revision bigint NOT NULL,
  sealed_under text,
  sealing_key bytea NOT NULL,
  rules bigint NOT NULL,
  assumed text NOT NULL,
  clock_ms bigint,
  wall_ms bigint,
  told_ms bigint,
  stale_after_ms bigint,
  lists_changed bigint NOT NULL,
  common_policies_changed bigint NOT NULL,
  groups_changed bigint NOT NULL,
  vpcs_changed bigint NOT NULL
) WITH (fillfactor = 20);

-- Numbers of leases.
CREATE SEQUENCE fences;

-- By connection the number of the last transaction that it committed: what a lost answer to COMMIT was.
CREATE TABLE commits (
  connection uuid NOT NULL PRIMARY KEY,
  number bigint NOT NULL,
  begun timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- Control.

CREATE TABLE organization (
  one smallint NOT NULL PRIMARY KEY CHECK (one = 1),
  head text NOT NULL -- JSON: the organization without its accounts
);

CREATE TABLE accounts (
  account text COLLATE "C" NOT NULL PRIMARY KEY,
  record text NOT NULL -- JSON
);

CREATE TABLE administrators (
  account text COLLATE "C" NOT NULL PRIMARY KEY,
  record text NOT NULL -- JSON
);

CREATE TABLE offboarded (
  one smallint NOT NULL PRIMARY KEY CHECK (one = 1),
  record text NOT NULL -- JSON
);

CREATE TABLE policies (
  policy text COLLATE "C" NOT NULL PRIMARY KEY,
  region text COLLATE "C" NOT NULL,
  revision bigint NOT NULL,
  record text NOT NULL -- JSON
);

CREATE TABLE lists (
  list text COLLATE "C" NOT NULL PRIMARY KEY,
  record text NOT NULL -- JSON
);

CREATE TABLE resource_sets (
  resource_set text COLLATE "C" NOT NULL PRIMARY KEY,
  record text NOT NULL -- JSON
);

CREATE TABLE channels (
  account text COLLATE "C" NOT NULL,
  region text COLLATE "C" NOT NULL,
  record text NOT NULL, -- JSON
  PRIMARY KEY (account, region)
);

CREATE TABLE associations (
  account text COLLATE "C" NOT NULL,
  region text COLLATE "C" NOT NULL,
  firewall text COLLATE "C" NOT NULL,
  record text NOT NULL, -- JSON
  PRIMARY KEY (account, region, firewall)
);

CREATE TABLE common_policies (
  policy text COLLATE "C" NOT NULL PRIMARY KEY,
  seen boolean NOT NULL, -- is or was a SECURITY_GROUPS_COMMON policy of this store
  named boolean NOT NULL -- a setting of the server names it
);

-- Keys and the audit log.

CREATE TABLE keys (
  access_key_id text COLLATE "C" NOT NULL PRIMARY KEY,
  secret text NOT NULL,
  sealed_under text, -- NULL: `secret` is in the clear
  account text COLLATE "C", -- NULL: an operator key
  enabled boolean NOT NULL,
  replaces text,
  created_ms bigint NOT NULL,
  last_used_ms bigint
);

CREATE TABLE audit (
  sequence bigint NOT NULL PRIMARY KEY, -- of the store
  at_ms bigint NOT NULL,
  account text COLLATE "C", -- NULL: the call is about Palisade itself
  operation text COLLATE "C" NOT NULL,
  record text NOT NULL -- JSON: the rest
);
CREATE INDEX audit_by_account ON audit (account, sequence);
CREATE INDEX audit_by_operation ON audit (operation, sequence);
CREATE INDEX audit_at ON audit (at_ms);

-- Inventory.

CREATE TABLE shards (
  account text COLLATE "C" NOT NULL,
  region text COLLATE "C" NOT NULL,
  snapshot_accepted boolean NOT NULL,
  newest_ms bigint,
  ahead_ms bigint,
  global_newest_ms bigint,
  global_ahead_ms bigint,
  changed bigint NOT NULL, -- sequence of the last change of facts
  PRIMARY KEY (account, region)
);

CREATE TABLE coverage (
  account text COLLATE "C" NOT NULL,
  region text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL,
  held boolean NOT NULL,
  mark_ms bigint,
  snapshot_ms bigint,
  listed_ms bigint,
  PRIMARY KEY (account, region, type)
);
CREATE INDEX coverage_listed ON coverage (account, region, type) WHERE listed_ms IS NOT NULL;

CREATE TABLE items (
  account text COLLATE "C" NOT NULL,
  region text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  state smallint NOT NULL, -- 0 live, 1 deleted, 2 gone: a later snapshot does not contain it
  seen_ms bigint NOT NULL,
  body bytea NOT NULL, -- core's encoding of an item
  PRIMARY KEY (account, region, type, id)
);
CREATE INDEX items_not_live ON items (seen_ms) WHERE state <> 0;
CREATE INDEX items_of_groups ON items (id, region, account) WHERE type = 'AWS::EC2::SecurityGroup';

CREATE TABLE changes (
  account text COLLATE "C" NOT NULL,
  region text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL, -- of the delivery that changed it
  type text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  before bytea, -- core's encoding of the item; NULL: it was not live
  PRIMARY KEY (account, region, sequence, type, id)
);

CREATE TABLE missed (
  account text COLLATE "C" NOT NULL, -- '': any account of the organization
  region text COLLATE "C" NOT NULL,  -- '': any
  type text COLLATE "C" NOT NULL,    -- '': any
  what text COLLATE "C" NOT NULL,    -- id of a resource, or a file's name; '': unknown
  cause smallint NOT NULL, -- 0 a listing goes on, 1 an answer left it out, 2 an item, 3 a file cannot be read, 4 a call failed
  moment_ms bigint NOT NULL,
  PRIMARY KEY (account, region, type, what, cause)
);

CREATE TABLE shown (
  region text COLLATE "C" NOT NULL,
  topic text COLLATE "C" NOT NULL, -- as the embedded engine's
  account text COLLATE "C" NOT NULL, -- whose inventory holds the item
  type text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  other text COLLATE "C" NOT NULL,
  PRIMARY KEY (region, topic, account, type, id)
);
CREATE INDEX shown_by_account ON shown (account, region);
CREATE INDEX shown_by_other ON shown (other, region);

-- Work.

CREATE TABLE fan_outs (
  policy text COLLATE "C" NOT NULL PRIMARY KEY,
  revision bigint NOT NULL,
  cursor text COLLATE "C", -- accounts up to and including this one are marked
  created_ms bigint NOT NULL
);

CREATE TABLE work (
  account text COLLATE "C" NOT NULL,
  region text COLLATE "C" NOT NULL,
  policy text COLLATE "C" NOT NULL, -- '': every policy of the Region; '~': what changed
  not_before bigint NOT NULL,
  version bigint NOT NULL, -- sequence of the last mark
  PRIMARY KEY (account, region, policy)
);
CREATE INDEX work_due ON work (not_before, account, region, policy);

CREATE TABLE leases (
  account text COLLATE "C" NOT NULL,
  region text COLLATE "C" NOT NULL,
  fence bigint NOT NULL,
  until_ms bigint NOT NULL,
  PRIMARY KEY (account, region)
);

CREATE TABLE readers (
  reference text COLLATE "C" NOT NULL,
  policy text COLLATE "C" NOT NULL,
  account text COLLATE "C" NOT NULL,
  region text COLLATE "C" NOT NULL,
  PRIMARY KEY (reference, policy, account)
);
CREATE INDEX readers_by_reader ON readers (policy, account);

-- Ledger.

CREATE TABLE entries (
  policy text COLLATE "C" NOT NULL,
  account text COLLATE "C" NOT NULL,
  status text, -- NULL: nothing can be claimed
  violator_count bigint NOT NULL,
  in_scope bigint NOT NULL,
  issues text, -- JSON; NULL: none
  since_ms bigint NOT NULL,
  policy_revision bigint NOT NULL,
  evaluated_ms bigint NOT NULL,
  PRIMARY KEY (policy, account)
);

CREATE TABLE judged (
  account text COLLATE "C" NOT NULL,
  region text COLLATE "C" NOT NULL,
  evaluated_ms bigint NOT NULL,
  PRIMARY KEY (account, region)
);

CREATE TABLE violators (
  policy text COLLATE "C" NOT NULL,
  account text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  violations text NOT NULL, -- JSON
  since_ms bigint NOT NULL,
  PRIMARY KEY (policy, account, type, id)
);

CREATE TABLE history (
  policy text COLLATE "C" NOT NULL,
  account text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  at_ms bigint NOT NULL,
  status text,
  violator_count bigint NOT NULL,
  issues text,
  policy_revision bigint NOT NULL,
  closed boolean NOT NULL,
  PRIMARY KEY (policy, account, sequence)
);
CREATE INDEX history_at ON history (at_ms);
