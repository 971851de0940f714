-- Version 13: when the state was captured by which a violator was found. Of those found before it is not known.

ALTER TABLE violators ADD COLUMN captured_ms INTEGER;
