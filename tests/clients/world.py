"""A small organization written by hand as AWS Config delivers it, for the client stories.

| account      | who                                    | us-east-1                         | eu-west-1           |
|--------------|----------------------------------------|-----------------------------------|---------------------|
| 111111111111 | management                             | one group, in order               | nothing recorded yet|
| 222222222222 | the administrator                      | one group, in order               | one bare balancer   |
| 333333333333 | in OU ou-root-payments/ou-root-cards   | sg-open (tcp 22 from anywhere)    | two bare balancers, one of another web ACL, two firewalls |
| 444444444444 | in OU ou-root-payments                 | one group, in order               | a protected balancer|
| 555555555555 | suspended                              | an open group, never judged       |                     |
| 666666666666 | without any inventory                  |                                   |                     |
| 777777777777 | 101 open groups                        | 101 violators                     |                     |
"""

import datetime
import json
import pathlib

ORGANIZATION = {
    "Organization": {"Id": "o-stories001", "ManagementAccountId": "111111111111"},
    "Roots": [{"Id": "r-root"}],
    "OrganizationalUnits": [
        {"Id": "ou-root-payments", "Name": "payments", "ParentId": "r-root"},
        {"Id": "ou-root-cards001", "Name": "cards", "ParentId": "ou-root-payments"},
    ],
    "Accounts": [
        {"Id": "111111111111", "Name": "management", "Status": "ACTIVE", "ParentId": "r-root"},
        {"Id": "222222222222", "Name": "security", "Status": "ACTIVE", "ParentId": "r-root"},
        {"Id": "333333333333", "Name": "cards", "Status": "ACTIVE", "ParentId": "ou-root-cards001"},
        {"Id": "444444444444", "Name": "ledger", "Status": "ACTIVE", "ParentId": "ou-root-payments"},
        {"Id": "555555555555", "Name": "old", "Status": "SUSPENDED", "ParentId": "r-root"},
        {"Id": "666666666666", "Name": "unseen", "Status": "ACTIVE", "ParentId": "r-root"},
        {"Id": "777777777777", "Name": "lab", "Status": "ACTIVE", "ParentId": "r-root"},
    ],
}

MANAGEMENT, ADMIN, MEMBER = "111111111111", "222222222222", "333333333333"
# An hour ago: what is older than the limit of age has no result.
CAPTURED = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) - datetime.timedelta(hours=1)
DELIVERED = CAPTURED + datetime.timedelta(minutes=15)


def item(account, region, kind, ident, configuration, supplementary=None, name=None, tags=None, arn=None):
    """One configuration item in the delivered key order."""
    return {
        "relatedEvents": [],
        "relationships": [],
        "configuration": configuration,
        "supplementaryConfiguration": supplementary or {},
        "tags": tags or {},
        "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": CAPTURED.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "configurationStateId": int(CAPTURED.timestamp() * 1000),
        "awsAccountId": account,
        "configurationItemStatus": "ResourceDiscovered",
        "resourceType": kind,
        "resourceId": ident,
        "resourceName": name,
        "ARN": arn or f"arn:aws:config-test:{region}:{account}:{ident}",
        "awsRegion": region,
        "availabilityZone": "Not Applicable",
        "configurationStateMd5Hash": "",
        "resourceCreationTime": None,
    }


def recorder(account, region):
    group = {"AllSupported": True, "IncludeGlobalResourceTypes": True, "ResourceTypes": []}
    body = {"Name": "default", "RecordingGroup": group, "Recording": True}
    return item(account, region, "AWS::Config::ConfigurationRecorder", "default", body)


def group(account, region, ident, cidr, port=22):
    permission = {
        "ipProtocol": "tcp", "fromPort": port, "toPort": port,
        "ipv6Ranges": [], "prefixListIds": [], "userIdGroupPairs": [],
        "ipv4Ranges": [{"cidrIp": cidr}], "ipRanges": [cidr],
    }
    body = {
        "groupId": ident, "groupName": f"name-of-{ident}", "description": "", "ownerId": account,
        "vpcId": "vpc-0a0a0a0a", "ipPermissions": [permission], "ipPermissionsEgress": [], "tags": [],
    }
    return item(account, region, "AWS::EC2::SecurityGroup", ident, body, name=f"name-of-{ident}")


def balancer(account, region, name, acl=""):
    arn = f"arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/app/{name}/0123456789abcdef"
    body = {"type": "application", "scheme": "internet-facing", "vpcId": "vpc-0a0a0a0a",
            "state": {"code": "active"}, "loadBalancerArn": arn, "securityGroups": []}
    attributes = [{"key": "waf.fail_open.enabled", "value": "false"},
                  {"key": "waf.enabled", "value": "true" if acl else "false"},
                  {"key": "waf.web_acl_id", "value": acl}]
    kind = "AWS::ElasticLoadBalancingV2::LoadBalancer"
    return item(account, region, kind, arn, body, {"LoadBalancerAttributes": attributes}, name)


def web_acl(account, region, name, managed):
    arn = f"arn:aws:wafv2:{region}:{account}:regional/webacl/{name}/11111111-2222-3333-4444-555555555555"
    body = {"ARN": arn, "Id": arn.rsplit("/", 1)[1], "Name": name, "Capacity": 1, "Rules": [],
            "DefaultAction": {"Allow": {}}, "ManagedByFirewallManager": managed,
            "PreProcessFirewallManagerRuleGroups": [], "PostProcessFirewallManagerRuleGroups": []}
    return item(account, region, "AWS::WAFv2::WebACL", arn, body, name=name)


def firewall(account, region, name):
    arn = f"arn:aws:network-firewall:{region}:{account}:firewall/{name}"
    body = {"FirewallName": name, "FirewallArn": arn, "VpcId": "vpc-0a0a0a0a", "SubnetMappings": [],
            "FirewallPolicyArn": f"arn:aws:network-firewall:{region}:{account}:firewall-policy/all"}
    return item(account, region, "AWS::NetworkFirewall::Firewall", arn, body, name=name, arn=arn)


def shards():
    """Items by (account, Region)."""
    east, west = "us-east-1", "eu-west-1"
    own = web_acl("444444444444", west, "FMManagedWebACLV2-edge-1793512800000", True)
    other = web_acl("333333333333", west, "home-made", False)
    return {
        ("111111111111", east): [group("111111111111", east, "sg-m1", "10.0.0.0/16")],
        ("222222222222", east): [group("222222222222", east, "sg-a1", "10.0.0.0/16")],
        ("222222222222", west): [balancer("222222222222", west, "bare")],
        ("333333333333", east): [group("333333333333", east, "sg-open", "0.0.0.0/0"),
                                 group("333333333333", east, "sg-fine", "10.1.0.0/16")],
        ("333333333333", west): [balancer("333333333333", west, "bare"), other,
                                 balancer("333333333333", west, "other", other["resourceId"]),
                                 firewall("333333333333", west, "north"),
                                 firewall("333333333333", west, "south")],
        ("444444444444", east): [group("444444444444", east, "sg-l1", "10.0.0.0/16")],
        ("444444444444", west): [own, balancer("444444444444", west, "good", own["resourceId"])],
        ("555555555555", east): [group("555555555555", east, "sg-old", "0.0.0.0/0")],
        ("777777777777", east): [group("777777777777", east, f"sg-{n:04d}", "0.0.0.0/0")
                                 for n in range(101)],
    }


def write(folder):
    """Writes organization.json and the snapshots below `folder`; answers the snapshot folder."""
    folder = pathlib.Path(folder)
    (folder / "organization.json").write_text(json.dumps(ORGANIZATION))
    for (account, region), items in shards().items():
        name = (f"{account}_Config_{region}_ConfigSnapshot_{DELIVERED:%Y%m%dT%H%M%SZ}_"
                "0f0f0f0f-0000-4000-8000-000000000000.json")
        place = folder / "AWSLogs" / account / "Config" / region / f"{DELIVERED:%Y}/{DELIVERED.month}/{DELIVERED.day}/ConfigSnapshot"
        place.mkdir(parents=True)
        snapshot = {"fileVersion": "1.0", "configSnapshotId": "0f0f0f0f-0000-4000-8000-000000000000",
                    "configurationItems": items + [recorder(account, region)]}
        (place / name).write_text(json.dumps(snapshot, separators=(",", ":")))
    return folder / "AWSLogs"


AUDIT = {
    "PolicyName": "no-wide-rules",
    "SecurityServicePolicyData": {
        "Type": "SECURITY_GROUPS_CONTENT_AUDIT",
        "ManagedServiceData": json.dumps({
            "type": "SECURITY_GROUPS_CONTENT_AUDIT",
            "preManagedOptions": [{"minIpv4CidrPrefixLenPerSgRule": 16},
                                  {"auditSgDirection": {"type": "ALL"}}],
        }),
    },
    "ResourceType": "AWS::EC2::SecurityGroup",
    "ExcludeResourceTags": False,
    "RemediationEnabled": False,
}

EDGE = {
    "PolicyName": "edge",
    "SecurityServicePolicyData": {
        "Type": "WAFV2",
        "ManagedServiceData": json.dumps({
            "type": "WAFV2", "preProcessRuleGroups": [], "postProcessRuleGroups": [],
            "defaultAction": {"type": "ALLOW"}, "overrideCustomerWebACLAssociation": False,
        }),
    },
    "ResourceType": "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "ExcludeResourceTags": False,
    "RemediationEnabled": False,
    "IncludeMap": {"ORG_UNIT": ["ou-root-payments"]},
}
