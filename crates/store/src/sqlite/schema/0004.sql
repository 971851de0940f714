-- Version 4: a store knows which key its secrets are sealed under before any is.

ALTER TABLE store ADD COLUMN sealed_under TEXT; -- names the sealing key; NULL: none was used yet
UPDATE store SET sealed_under = (SELECT min(sealed_under) FROM keys);
