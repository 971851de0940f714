-- Version 5: which items changed since their shard was judged, and what they were then, so that
-- judging a change costs what it concerns. The work that follows is marked under the policy '~'.

CREATE TABLE changes (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  sequence INTEGER NOT NULL, -- of the delivery that changed it
  type TEXT NOT NULL,
  id TEXT NOT NULL,
  before BLOB, -- core's encoding of the item; NULL: it was not live
  PRIMARY KEY (account, region, sequence, type, id)
) STRICT, WITHOUT ROWID;
