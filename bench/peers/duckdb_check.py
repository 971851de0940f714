"""The two questions in DuckDB, in the fastest form found: typed columns for what is asked and nothing else, each file one line.

Usage: duckdb_check.py SNAPSHOTS THREADS AUDIT_GROUP POLICY_NAME. Prints one line for each account and Region.
"""

import sys

import duckdb

folder, threads, audit_group, policy = sys.argv[1:5]
db = duckdb.connect()
db.execute(f"SET threads = {int(threads)}")
db.execute("SET preserve_insertion_order = false")
rows = db.execute(
    """
    WITH items AS (
        SELECT unnest(configurationItems, recursive := false) AS item
        FROM read_json(
            ? || '/**/*.json*',
            columns = {'configurationItems': 'STRUCT(awsAccountId VARCHAR, awsRegion VARCHAR, resourceType VARCHAR, resourceId VARCHAR, resourceName VARCHAR, configuration STRUCT(ipPermissions STRUCT("fromPort" BIGINT,"toPort" BIGINT,"ipProtocol" VARCHAR,"ipRanges" VARCHAR[])[]), supplementaryConfiguration STRUCT(LoadBalancerAttributes STRUCT("key" VARCHAR,"value" VARCHAR)[]))[]'},
            format = 'newline_delimited', records = true, auto_detect = false, maximum_object_size = 16777216)
    ), facts AS (
        SELECT item.awsAccountId AS account, item.awsRegion AS region, item.resourceType AS type,
               item.resourceId AS id, item.resourceName AS name, item.configuration AS body,
               item.supplementaryConfiguration AS more
        FROM items
    ), places AS (
        SELECT DISTINCT account, region FROM facts WHERE region <> 'global'
    ), open AS (
        SELECT account, region, count(DISTINCT id) AS violators
        FROM (
            SELECT account, region, id, unnest(body.ipPermissions) AS rule
            FROM facts WHERE type = 'AWS::EC2::SecurityGroup' AND id <> ?)
        WHERE rule.ipProtocol IN ('tcp', '-1') AND len(rule.ipRanges) > 0
          AND ((coalesce(rule.fromPort, 0) <= 22 AND coalesce(rule.toPort, 65535) >= 22)
            OR (coalesce(rule.fromPort, 0) <= 3389 AND coalesce(rule.toPort, 65535) >= 3389))
        GROUP BY ALL
    ), acls AS (
        SELECT id FROM facts WHERE type = 'AWS::WAFv2::WebACL' AND starts_with(name, 'FMManagedWebACLV2-' || ? || '-')
    ), bare AS (
        SELECT account, region, count(*) AS violators
        FROM (
            SELECT account, region, list_filter(
                more.LoadBalancerAttributes,
                lambda one: one.key = 'waf.web_acl_id')[1].value AS acl
            FROM facts WHERE type = 'AWS::ElasticLoadBalancingV2::LoadBalancer')
        WHERE acl IS NULL OR acl NOT IN (SELECT id FROM acls)
        GROUP BY ALL
    )
    SELECT places.account, places.region, coalesce(open.violators, 0), coalesce(bare.violators, 0)
    FROM places LEFT JOIN open USING (account, region) LEFT JOIN bare USING (account, region)
    """,
    [folder, audit_group, policy],
).fetchall()
for row in rows:
    print(*row)
