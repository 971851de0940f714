-- Version 3: what was answered at earlier moments, and waivers, as version 14 of the embedded engine's.

ALTER TABLE store ADD COLUMN past_from_ms bigint;
ALTER TABLE store ADD COLUMN noted_ms bigint;

ALTER TABLE history ADD COLUMN noted_ms bigint NOT NULL DEFAULT 0;
ALTER TABLE history ADD COLUMN occasion smallint;
UPDATE history SET noted_ms = at_ms;
DROP INDEX history_at;
CREATE INDEX history_noted ON history (noted_ms);
UPDATE store SET sequence = sequence + 1;
INSERT INTO history (policy, account, sequence, at_ms, status, violator_count, issues, policy_revision,
    closed, noted_ms)
  SELECT policy, account, (SELECT sequence FROM store), since_ms, status, violator_count, issues,
    policy_revision, false, 0
  FROM entries;

ALTER TABLE violators ADD COLUMN noted_ms bigint NOT NULL DEFAULT 0;

CREATE TABLE past_violators (
  policy text COLLATE "C" NOT NULL,
  account text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  until_ms bigint NOT NULL,
  from_ms bigint NOT NULL,
  violations text NOT NULL, -- JSON
  since_ms bigint NOT NULL,
  captured_ms bigint,
  ended boolean NOT NULL,
  PRIMARY KEY (policy, account, type, id, until_ms)
);
CREATE INDEX past_violators_until ON past_violators (until_ms);

CREATE TABLE versions (
  object text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  noted_ms bigint NOT NULL,
  record text, -- JSON; NULL: it was there no more
  PRIMARY KEY (object, sequence)
);
CREATE INDEX versions_noted ON versions (noted_ms);

CREATE TABLE waivers (
  waiver text COLLATE "C" NOT NULL PRIMARY KEY,
  record text NOT NULL -- JSON
);
