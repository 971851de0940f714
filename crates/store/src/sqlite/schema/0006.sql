-- Version 6: by which rules the ledger is judged. Before, nobody noted that: what is there is judged
-- again once.

ALTER TABLE store ADD COLUMN rules INTEGER NOT NULL DEFAULT 0;
