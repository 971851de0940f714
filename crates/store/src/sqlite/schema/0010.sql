-- Version 10: what makes a type known beside a recorder's item. Before, one accepted item did; of what
-- is there already nothing is claimed until a snapshot or a listing says it again.

-- moment of the newest whole snapshot that held an item of the type
ALTER TABLE coverage ADD COLUMN snapshot_ms INTEGER;
-- moment of the newest complete listing of the type by some source
ALTER TABLE coverage ADD COLUMN listed_ms INTEGER;
CREATE INDEX coverage_listed ON coverage (account, region, type) WHERE listed_ms IS NOT NULL;

-- types that the ledger was judged to be recorded by the operator's word, as the setting tells them
ALTER TABLE store ADD COLUMN assumed TEXT NOT NULL DEFAULT '';
