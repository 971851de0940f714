-- Version 11: checksums of rows. They are given to what is here when all migrations are run; whoever adds a
-- column later need not: it is part of them from then on.

ALTER TABLE store ADD COLUMN sum INTEGER;
ALTER TABLE organization ADD COLUMN sum INTEGER;
ALTER TABLE accounts ADD COLUMN sum INTEGER;
ALTER TABLE administrators ADD COLUMN sum INTEGER;
ALTER TABLE offboarded ADD COLUMN sum INTEGER;
ALTER TABLE policies ADD COLUMN sum INTEGER;
ALTER TABLE lists ADD COLUMN sum INTEGER;
ALTER TABLE resource_sets ADD COLUMN sum INTEGER;
ALTER TABLE channels ADD COLUMN sum INTEGER;
ALTER TABLE associations ADD COLUMN sum INTEGER;
ALTER TABLE common_policies ADD COLUMN sum INTEGER;
ALTER TABLE keys ADD COLUMN sum INTEGER;
ALTER TABLE audit ADD COLUMN sum INTEGER;
ALTER TABLE shards ADD COLUMN sum INTEGER;
ALTER TABLE coverage ADD COLUMN sum INTEGER;
ALTER TABLE missed ADD COLUMN sum INTEGER;
ALTER TABLE items ADD COLUMN sum INTEGER;
ALTER TABLE changes ADD COLUMN sum INTEGER;
ALTER TABLE entries ADD COLUMN sum INTEGER;
ALTER TABLE judged ADD COLUMN sum INTEGER;
ALTER TABLE violators ADD COLUMN sum INTEGER;
ALTER TABLE history ADD COLUMN sum INTEGER;
