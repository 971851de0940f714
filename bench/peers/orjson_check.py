"""The two questions in Python with orjson, one file after another.

Usage: orjson_check.py SNAPSHOTS THREADS AUDIT_GROUP POLICY_NAME. Prints one line for each account and Region.
"""

import gzip
import pathlib
import sys

import orjson

folder, _threads, audit_group, policy = sys.argv[1:5]


def is_open(rule):
    low, high = rule.get("fromPort", 0), rule.get("toPort", 65535)
    return rule["ipProtocol"] in ("tcp", "-1") and rule["ipRanges"] and (low <= 22 <= high or low <= 3389 <= high)


for path in sorted(pathlib.Path(folder).rglob("*.json*")):
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    account = region = None
    violators, fronts, own = 0, [], set()
    for item in orjson.loads(data)["configurationItems"]:
        account, kind = item["awsAccountId"], item["resourceType"]
        if item["awsRegion"] != "global":
            region = item["awsRegion"]
        if kind == "AWS::EC2::SecurityGroup":
            if item["resourceId"] != audit_group and any(map(is_open, item["configuration"]["ipPermissions"])):
                violators += 1
        elif kind == "AWS::ElasticLoadBalancingV2::LoadBalancer":
            attributes = item["supplementaryConfiguration"]["LoadBalancerAttributes"]
            fronts.append(next((one["value"] for one in attributes if one["key"] == "waf.web_acl_id"), ""))
        elif kind == "AWS::WAFv2::WebACL" and item["resourceName"].startswith(f"FMManagedWebACLV2-{policy}-"):
            own.add(item["resourceId"])
    print(account, region, violators, sum(front not in own for front in fronts))
