-- Version 6: the sequence of a moment is one seek, as version 17 of the embedded engine's.

DROP INDEX history_noted;
DROP INDEX versions_noted;
UPDATE history SET noted_ms = run.noted_ms
  FROM (SELECT policy, account, sequence, max(noted_ms) OVER (ORDER BY sequence) AS noted_ms FROM history) run
  WHERE run.policy = history.policy AND run.account = history.account AND run.sequence = history.sequence
    AND run.noted_ms > history.noted_ms;
UPDATE versions SET noted_ms = run.noted_ms
  FROM (SELECT object, sequence, max(noted_ms) OVER (ORDER BY sequence) AS noted_ms FROM versions) run
  WHERE run.object = versions.object AND run.sequence = versions.sequence
    AND run.noted_ms > versions.noted_ms;
CREATE INDEX history_moments ON history (noted_ms, sequence);
CREATE INDEX versions_moments ON versions (noted_ms, sequence);
