"""Policies as they are met in the wild, and how tools compare what they wrote with what they read.

A case is a name, the Region it lives in, and the versions that are put one after the other.
"""

import json
import pathlib

import world

EAST, WEST = "us-east-1", "eu-west-1"
GROUP, INSTANCE, INTERFACE = "AWS::EC2::SecurityGroup", "AWS::EC2::Instance", "AWS::EC2::NetworkInterface"
ALB, CLB = "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ElasticLoadBalancing::LoadBalancer"
CLOUDFRONT, EIP, VPC, SUBNET = "AWS::CloudFront::Distribution", "AWS::EC2::EIP", "AWS::EC2::VPC", "AWS::EC2::Subnet"
FIREWALL = "AWS::NetworkFirewall::Firewall"


def policy(kind, data, where, **members):
    """`data` is an object, a text as it is, or nothing; `where` one type or a list of them."""
    typed = {"Type": kind}
    if data is not None:
        typed["ManagedServiceData"] = data if isinstance(data, str) else json.dumps({"type": kind, **data})
    types = {"ResourceType": where} if isinstance(where, str) else {
        "ResourceType": "ResourceTypeList", "ResourceTypeList": where}
    option = members.pop("PolicyOption", None)
    if option:
        typed["PolicyOption"] = option
    return {"PolicyName": kind.lower(), "SecurityServicePolicyData": typed, "ExcludeResourceTags": False,
            "RemediationEnabled": False, **types, **members}


def managed(name, version=None, action="NONE", **more):
    ident = {"vendorName": "AWS", "managedRuleGroupName": name, "version": version}
    if version:
        ident["versionEnabled"] = True
    return {"ruleGroupArn": None, "overrideAction": {"type": action}, "managedRuleGroupIdentifier": ident,
            "ruleGroupType": "ManagedRuleGroup", "excludeRules": [], **more}


def without(document, *members):
    return {key: value for key, value in document.items() if key not in members}


def entry(port):
    return {"Protocol": "6", "PortRange": {"From": port, "To": port}, "CidrBlock": "0.0.0.0/0",
            "RuleAction": "deny", "Egress": False}


def usage_audit(resource_set):
    data = {"deleteUnusedSecurityGroups": True, "coalesceRedundantSecurityGroups": True,
            "optionalDelayForUnusedInMinutes": 60}
    first = policy("SECURITY_GROUPS_USAGE_AUDIT", data, [GROUP], PolicyDescription="what nobody uses",
                   ExcludeMap={"ACCOUNT": [world.ADMIN]}, ResourceSetIds=[resource_set],
                   DeleteUnusedFMManagedResources=False)
    renamed = dict(without(first, "PolicyDescription"), PolicyName="renamed", RemediationEnabled=True)
    included = dict(without(renamed, "ExcludeMap"), IncludeMap={"ACCOUNT": [world.ADMIN]})
    unit = dict(included, IncludeMap={"ACCOUNT": [], "ORG_UNIT": ["ou-root-payments"]})
    tag = {"Key": "key1", "Value": "value1"}
    tagged = dict(unit, ResourceTags=[tag])
    twice = dict(tagged, ResourceTags=[tag, {"Key": "key2", "Value": ""}], PolicyDescription="",
                 ResourceSetIds=[])
    return [first, renamed, included, unit, tagged, twice,
            dict(twice, ResourceType=GROUP, ResourceTypeList=[])]


def firewall_rules():
    return {"networkFirewallStatelessRuleGroupReferences": [
                {"resourceARN": "arn:aws:network-firewall:us-east-1:222222222222:stateless-rulegroup/one",
                 "priority": 1}],
            "networkFirewallStatelessDefaultActions": ["aws:forward_to_sfe"],
            "networkFirewallStatelessFragmentDefaultActions": ["aws:forward_to_sfe"],
            "networkFirewallStatelessCustomActions": [],
            "networkFirewallStatefulRuleGroupReferences": [
                {"resourceARN": "arn:aws:network-firewall:us-east-1:222222222222:stateful-rulegroup/two"}]}


def cases(resource_set):
    reputation = managed("AWSManagedRulesAmazonIpReputationList")
    logging = {"logDestinationConfigs": [
                   "arn:aws:firehose:us-east-1:222222222222:deliverystream/aws-waf-logs-here"],
               "redactedFields": [{"redactedFieldType": "SingleHeader", "redactedFieldValue": "Cookies"}]}
    edge = {"preProcessRuleGroups": [dict(reputation, sampledRequestsEnabled=True)], "postProcessRuleGroups": [],
            "defaultAction": {"type": "ALLOW"}, "overrideCustomerWebACLAssociation": False,
            "loggingConfiguration": logging}
    web = {"preProcessRuleGroups": [reputation, managed("AWSManagedRulesCommonRuleSet", "Version_1.3", "COUNT")],
           "postProcessRuleGroups": [], "defaultAction": {"type": "ALLOW"},
           "overrideCustomerWebACLAssociation": True}
    audit = {"securityGroups": [{"id": "sg-0123456789abcdef0"}], "securityGroupAction": {"type": "ALLOW"}}
    options = [{"denyProtocolAllValue": True}, {"allowedPortCountPerSgRule": 1},
               {"minIpv4CidrPrefixLenPerSgRule": 16}, {"minIpv6CidrPrefixLenPerSgRule": 48},
               {"auditSgDirection": {"type": "ALL"}}]
    entries = {"NetworkAclCommonPolicy": {"NetworkAclEntrySet": {
        "FirstEntries": [entry(1234), entry(2345)], "ForceRemediateForFirstEntries": False,
        "ForceRemediateForLastEntries": False}}}
    count = {"automaticResponseConfiguration": {
        "automaticResponseStatus": "ENABLED", "automaticResponseAction": "COUNT"}}
    zones = {"availabilityZoneConfigList": [
        {"availabilityZoneName": "us-east-1a", "availabilityZoneId": None, "allowedIPV4CidrList": ["10.0.0.0/28"]}]}
    central = {"awsNetworkFirewallConfig": firewall_rules(), "firewallDeploymentModel": {
        "centralizedFirewallDeploymentModel": {"centralizedFirewallOrchestrationConfig": {
            "inspectionVpcIds": [{"resourceId": "vpc-1234", "accountId": world.ADMIN}],
            "firewallCreationConfig": {"endpointLocation": zones}, "allowedIPV4CidrList": []}}}}
    return [
        ("usage audit", EAST, usage_audit(resource_set)),
        ("web ACLs on CloudFront", EAST, [policy("WAFV2", edge, CLOUDFRONT)]),
        ("web ACLs on load balancers", WEST, [policy(
            "WAFV2", web, [ALB], ExcludeResourceTags=True, ResourceTags=[{"Key": "disable", "Value": ""}],
            RemediationEnabled=True)]),
        ("audit group", EAST, [policy("SECURITY_GROUPS_CONTENT_AUDIT", audit, GROUP)]),
        ("audit group, bare action", EAST, [policy(
            "SECURITY_GROUPS_CONTENT_AUDIT", dict(audit, securityGroupAction="ALLOW"), GROUP)]),
        ("managed audit", EAST, [policy(
            "SECURITY_GROUPS_CONTENT_AUDIT", {"preManagedOptions": options}, [INSTANCE, INTERFACE, GROUP])]),
        ("network ACL", EAST, [policy("NETWORK_ACL_COMMON", None, SUBNET, PolicyOption=entries)]),
        ("Shield", EAST, [policy("SHIELD_ADVANCED", {}, ALB)]),
        ("Shield on CloudFront", EAST, [policy("SHIELD_ADVANCED", count, CLOUDFRONT)]),
        ("Shield on three types", WEST, [policy("SHIELD_ADVANCED", count, [ALB, CLB, EIP])]),
        ("WAF classic", EAST, [policy("WAF", {
            "ruleGroups": [{"id": "12345678-1bcd-9012-efga-0987654321ab", "overrideAction": {"type": "COUNT"}}],
            "defaultAction": {"type": "BLOCK"}}, ALB)]),
        ("DNS Firewall", EAST, [policy("DNS_FIREWALL", {
            "preProcessRuleGroups": [{"ruleGroupId": "rslvr-frg-1", "priority": 10}],
            "postProcessRuleGroups": [{"ruleGroupId": "rslvr-frg-2", "priority": 9911}]}, VPC)]),
        ("centralized firewall", EAST, [policy(
            "NETWORK_FIREWALL", central, VPC,
            PolicyOption={"NetworkFirewallPolicy": {"FirewallDeploymentModel": "CENTRALIZED"}})]),
        ("imported firewalls", EAST, [policy(
            "IMPORT_NETWORK_FIREWALL", {"awsNetworkFirewallConfig": firewall_rules()}, FIREWALL,
            ResourceSetIds=[resource_set])]),
        ("common groups", EAST, [policy("SECURITY_GROUPS_COMMON", {
            "revertManualSecurityGroupChanges": False, "exclusiveResourceSecurityGroupManagement": False,
            "applyToAllEC2InstanceENIs": True, "securityGroups": [{"id": "sg-000e55995d61a06bd"}]}, INSTANCE)]),
        ("without data", EAST, [policy("SHIELD_ADVANCED", None, EIP)]),
        ("all that may be empty", EAST, [policy(
            "SECURITY_GROUPS_CONTENT_AUDIT", {"preManagedOptions": options}, [GROUP], PolicyDescription="",
            ResourceSetIds=[], ResourceTags=[], IncludeMap={"ACCOUNT": [], "ORG_UNIT": []})]),
    ]


def real_data_cases(shared):
    """The policy sets of a public solution, or nothing where they are not at hand."""
    folder = pathlib.Path(shared) / "real-data" / "fms-policy"
    found = []
    for path in sorted(folder.glob("*.json")):
        for place, policies in json.loads(path.read_text()).items():
            for name, known in policies.items():
                details = known["policyDetails"]
                document = policy(details["type"], json.dumps(details), known["resourceType"],
                                  PolicyName=known["policyName"], RemediationEnabled=known["remediationEnabled"])
                if known["resourceTypeList"]:
                    document["ResourceTypeList"] = known["resourceTypeList"]
                found.append((f"{path.name} {place} {name}", EAST, [document]))
    return found


def without_empties(value):
    """ManagedServiceData as tools compare it: null and [] do not count."""
    if isinstance(value, dict):
        kept = {key: without_empties(member) for key, member in value.items()}
        return {key: member for key, member in kept.items() if member is not None and member != []}
    if isinstance(value, list):
        return [without_empties(member) for member in value]
    return value


def planned_changes(sent, read):
    """Members for which a tool that sent one and reads the other would plan a change."""
    def known(document):
        document = json.loads(json.dumps(without(document, "PolicyId", "PolicyUpdateToken")))
        data = document["SecurityServicePolicyData"]
        if data.get("ManagedServiceData"):
            data["ManagedServiceData"] = without_empties(json.loads(data["ManagedServiceData"]))
        return document
    before, after = known(sent), known(read)
    # What the service adds and tools expect it to.
    added = {"ResourceTags": [], "ResourceTagLogicalOperator": "AND", "PolicyStatus": "ACTIVE"}
    for member, value in added.items():
        if member not in before:
            before[member] = value
    return {member: (before.get(member), after.get(member)) for member in before.keys() | after.keys()
            if before.get(member) != after.get(member)}
