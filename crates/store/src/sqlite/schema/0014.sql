-- Version 14: what was answered at earlier moments, and waivers. Moments are those at which something was
-- noted: they never decrease in the order of the sequence.

ALTER TABLE store ADD COLUMN past_from_ms INTEGER; -- the first moment that can be asked for
ALTER TABLE store ADD COLUMN noted_ms INTEGER; -- of the last write that the past keeps

ALTER TABLE history ADD COLUMN noted_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE history ADD COLUMN occasion INTEGER; -- 1 items changed, 2 the policy's mark, 3 the shard's, 4 the policy was removed
UPDATE history SET noted_ms = at_ms;
DROP INDEX history_at;
CREATE INDEX history_noted ON history (noted_ms);
-- What holds now: of an entry whose policy was put anew the history has no row of its own.
UPDATE store SET sequence = sequence + 1;
INSERT INTO history (policy, account, sequence, at_ms, status, violator_count, issues, policy_revision,
    closed, noted_ms)
  SELECT policy, account, (SELECT sequence FROM store), since_ms, status, violator_count, issues,
    policy_revision, 0, 0
  FROM entries;

ALTER TABLE violators ADD COLUMN noted_ms INTEGER NOT NULL DEFAULT 0; -- since when it is answered so

CREATE TABLE past_violators (
  policy TEXT NOT NULL,
  account TEXT NOT NULL,
  type TEXT NOT NULL,
  id TEXT NOT NULL,
  until_ms INTEGER NOT NULL, -- it was answered so before this
  from_ms INTEGER NOT NULL, -- and since this; 0: since before version 14
  violations TEXT NOT NULL, -- JSON
  since_ms INTEGER NOT NULL,
  captured_ms INTEGER,
  ended INTEGER NOT NULL, -- 0: its violations became others
  sum INTEGER,
  PRIMARY KEY (policy, account, type, id, until_ms)
) STRICT, WITHOUT ROWID;
CREATE INDEX past_violators_until ON past_violators (until_ms);

CREATE TABLE versions (
  object TEXT NOT NULL, -- its kind and its id
  sequence INTEGER NOT NULL,
  noted_ms INTEGER NOT NULL,
  record TEXT, -- JSON; NULL: it was there no more
  sum INTEGER,
  PRIMARY KEY (object, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX versions_noted ON versions (noted_ms);

CREATE TABLE waivers (
  waiver TEXT NOT NULL PRIMARY KEY,
  record TEXT NOT NULL, -- JSON
  sum INTEGER
) STRICT, WITHOUT ROWID;
