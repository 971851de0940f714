-- Version 12: what items show other accounts' shards of: groups that they list and do not hold, VPCs that
-- are shared. Rows are pointers: what an item shows now is read from the item.

CREATE TABLE shown (
  region TEXT NOT NULL,
  topic TEXT NOT NULL, -- 'g' and a group that is listed, 'v' and a VPC that is shared, 'b': nothing is told of it
  account TEXT NOT NULL, -- whose inventory holds the item
  type TEXT NOT NULL,
  id TEXT NOT NULL,
  other TEXT NOT NULL, -- with 'v': the item's owner
  sum INTEGER,
  PRIMARY KEY (region, topic, account, type, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX shown_by_account ON shown (account, region);
CREATE INDEX shown_by_other ON shown (other, region);

CREATE INDEX items_of_groups ON items (id, region, account) WHERE type = 'AWS::EC2::SecurityGroup';
ALTER TABLE store ADD COLUMN groups_changed INTEGER NOT NULL DEFAULT 0; -- sequence
ALTER TABLE store ADD COLUMN vpcs_changed INTEGER NOT NULL DEFAULT 0; -- sequence
