-- Version 9: a shard is as old as what deliveries say of it, not as their receipt. Where an older
-- store held the receipt, the newest moment held of the shard counts, no later than the receipt; where
-- there is none, the age is not known, and the shard is stale until a delivery tells one. In
-- us-east-1, types of which any Region's delivery shows `global` items tell nothing of the shard itself.

ALTER TABLE shards RENAME COLUMN received_ms TO newest_ms;
ALTER TABLE shards RENAME COLUMN global_received_ms TO global_newest_ms;
-- The farthest moment that lay ahead when a delivery claimed it.
ALTER TABLE shards ADD COLUMN ahead_ms INTEGER;
ALTER TABLE shards ADD COLUMN global_ahead_ms INTEGER;

UPDATE shards SET
  global_newest_ms = CASE WHEN newest_ms IS NULL THEN min(global_newest_ms, (
    SELECT max(seen_ms) FROM items
    WHERE items.account = shards.account AND items.region = shards.region)) END,
  newest_ms = min(newest_ms, (
    SELECT max(moment_ms) FROM (
      SELECT type, seen_ms AS moment_ms FROM items
      WHERE items.account = shards.account AND items.region = shards.region
      UNION ALL
      SELECT type, mark_ms FROM coverage
      WHERE coverage.account = shards.account AND coverage.region = shards.region)
    WHERE shards.region <> 'us-east-1' OR NOT (
      type LIKE 'AWS::IAM::%' OR type LIKE 'AWS::CloudFront::%' OR type LIKE 'AWS::WAF::%'
      OR type LIKE 'AWS::WAFv2::%' OR type LIKE 'AWS::Shield::%' OR type LIKE 'AWS::Route53%'
      OR type LIKE 'AWS::GlobalAccelerator::%' OR type LIKE 'AWS::Organizations::%')));

-- What time it is, as far as that is known.
ALTER TABLE store ADD COLUMN clock_ms INTEGER; -- no earlier moment was believed since; NULL: none yet
ALTER TABLE store ADD COLUMN wall_ms INTEGER;  -- what the clock said when it was last looked at
ALTER TABLE store ADD COLUMN told_ms INTEGER;  -- the newest moment of a delivery that was not ahead
-- By which age shards are judged stale: 0 is never, NULL not noted yet.
ALTER TABLE store ADD COLUMN stale_after_ms INTEGER;
