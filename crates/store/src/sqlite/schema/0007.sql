-- Version 7: by which policies' ids Firewall Manager's own groups are told. A policy that was seen once
-- stays known: its groups outlive it.

CREATE TABLE common_policies (
  policy TEXT NOT NULL PRIMARY KEY,
  seen INTEGER NOT NULL, -- is or was a SECURITY_GROUPS_COMMON policy of this store
  named INTEGER NOT NULL -- a setting of the server names it
) STRICT, WITHOUT ROWID;
ALTER TABLE store ADD COLUMN common_policies_changed INTEGER NOT NULL DEFAULT 0; -- sequence

INSERT INTO common_policies (policy, seen, named)
SELECT policy, 1, 0 FROM policies
WHERE json_extract(record, '$.document.SecurityServicePolicyData.Type') = 'SECURITY_GROUPS_COMMON';

-- Those that are gone are told by the log of changes, as far as it goes back.
INSERT OR IGNORE INTO common_policies (policy, seen, named)
SELECT substr(json_extract(change.value, '$.object'), -36), 1, 0
FROM audit, json_each(audit.changes) AS change
WHERE json_extract(change.value, '$.object') LIKE '%:policy/____________________________________'
  AND change.value LIKE '%SECURITY_GROUPS_COMMON%';
