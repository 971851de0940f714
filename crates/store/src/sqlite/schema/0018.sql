-- Version 18: the moment up to which the sessions of people with a key have ended.

ALTER TABLE keys ADD COLUMN signed_out_ms INTEGER; -- NULL: nobody signed out everywhere
