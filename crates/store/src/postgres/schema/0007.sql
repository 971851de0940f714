-- Version 7: the moment up to which the sessions of people with a key have ended, as version 18 of the embedded engine's.

ALTER TABLE keys ADD COLUMN signed_out_ms bigint;
