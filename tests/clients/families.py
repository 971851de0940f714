"""The story of each family of operations, told through one client: all 42, with the refusals that
clients match. Each family plays against the same server, one after the other."""

import contextlib
import sqlite3

import wild
import world
from drivers import Refused
from transcript import Transcript

EAST, WEST = "us-east-1", "eu-west-1"
MANAGEMENT, ADMIN, MEMBER, SECOND, LAB = (
    world.MANAGEMENT, world.ADMIN, world.MEMBER, "444444444444", "777777777777")
STRANGER = "999999999999"
NO_ID = "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111"
NO_SET = "EXAMPLEEXAMPLEEXAMPLE1"


class Player:
    """Calls through a driver, notes what is answered and which operations were called."""

    def __init__(self, driver, server, shared):
        self.driver, self.server, self.shared = driver, server, shared
        self.seen, self.called = Transcript(), set()

    def call(self, operation, account=ADMIN, region=EAST, quiet=False, **parameters):
        self.called.add(operation)
        answer = self.driver.call(operation, parameters, account, region)
        if not quiet:
            self.seen.note(operation, answer)
        return answer

    def refused(self, code, fragment, operation, account=ADMIN, region=EAST, **parameters):
        self.called.add(operation)
        try:
            answer = self.driver.call(operation, parameters, account, region)
        except Refused as refusal:
            assert refusal.code == code, f"{operation} {parameters}: {refusal} is not a {code}"
            assert fragment in refusal.message, f"{operation}: {refusal.message!r} lacks {fragment!r}"
            # All of AWS's modelled exceptions have this status, and every answer its request's id.
            assert refusal.status == 400 and refusal.request and refusal.typed, f"{operation}: {vars(refusal)}"
            self.seen.note(f"{operation} refused", [refusal.code, refusal.message])
            return refusal
        raise AssertionError(f"{operation} {parameters} was answered {answer} instead of {code}")

    def pages(self, operation, key, size, account=ADMIN, region=EAST, **parameters):
        """Every element, as callers read pages who have no paginator."""
        self.called.add(operation)
        found, token = [], None
        while True:
            asked = dict(parameters, MaxResults=size, **({"NextToken": token} if token else {}))
            answer = self.driver.call(operation, asked, account, region)
            assert len(answer[key]) <= size, answer
            found += answer[key]
            token = answer.get("NextToken")
            if token is None:
                return found

    def paginated(self, operation, key, size, account=ADMIN, region=EAST, **parameters):
        """Every element, through the SDK's own paginator; the same as page by page."""
        pages = self.driver.paginate(operation, parameters, account, region, size)
        found = [element for page in pages for element in page[key]]
        assert all(len(page[key]) <= size for page in pages)
        assert len(pages) == max(1, -(-len(found) // size)), f"{operation}: {len(pages)} pages of {len(found)}"
        assert found == self.pages(operation, key, size, account, region, **parameters), operation
        self.seen.note(f"{operation} paginated", [len(pages), found])
        return found


def before(play):
    """Nobody is an administrator yet: what tools take for "not used here"."""
    play.refused("ResourceNotFoundException", "", "GetAdminAccount", MANAGEMENT)
    play.refused("ResourceNotFoundException", "The referenced item does not exist.",
                 "ListAdminsManagingAccount", MEMBER)
    play.refused("InvalidOperationException", "No default admin could be found for organization o-stories001",
                 "ListAdminAccountsForOrganization", MANAGEMENT)
    for operation, parameters in [
            ("ListPolicies", {}), ("ListMemberAccounts", {}), ("ListAppsLists", {"MaxResults": 1}),
            ("ListProtocolsLists", {"MaxResults": 1}), ("ListResourceSets", {}), ("GetNotificationChannel", {}),
            ("DisassociateAdminAccount", {})]:
        play.refused("AccessDeniedException", f"No default admin could be found for account {ADMIN}",
                     operation, **parameters)
    play.refused("InvalidOperationException", "", "PutAdminAccount", MANAGEMENT,
                 AdminAccount=SECOND, AdminScope={})


def administrators(play):
    """The default administrator, an additional one with a scope, and what each may see."""
    play.refused("InvalidInputException", "", "AssociateAdminAccount", MANAGEMENT, AdminAccount=STRANGER)
    play.call("AssociateAdminAccount", MANAGEMENT, AdminAccount=ADMIN)
    while play.call("GetAdminAccount", MANAGEMENT, quiet=True)["RoleStatus"] != "READY":
        pass  # as Terraform waits
    assert play.call("GetAdminAccount") == {"AdminAccount": ADMIN, "RoleStatus": "READY"}
    play.refused("InvalidOperationException", "", "AssociateAdminAccount", MANAGEMENT, AdminAccount=SECOND)
    play.refused("InvalidOperationException", f"This operation is not supported in the '{WEST}' region.",
                 "GetAdminAccount", MANAGEMENT, WEST)

    full = play.call("GetAdminScope", AdminAccount=ADMIN)
    assert full["Status"] == "ONBOARDING_COMPLETE" and full["AdminScope"]["RegionScope"]["AllRegionsEnabled"]
    play.refused("ResourceNotFoundException", "", "GetAdminScope", MANAGEMENT, AdminAccount=LAB)
    scope = {
        "AccountScope": {"Accounts": [MEMBER, SECOND], "AllAccountsEnabled": False,
                         "ExcludeSpecifiedAccounts": False},
        "OrganizationalUnitScope": {"OrganizationalUnits": ["ou-root-payments"],
                                    "AllOrganizationalUnitsEnabled": False,
                                    "ExcludeSpecifiedOrganizationalUnits": False},
        "RegionScope": {"Regions": [EAST], "AllRegionsEnabled": False},
        "PolicyTypeScope": {"PolicyTypes": ["SECURITY_GROUPS_CONTENT_AUDIT"], "AllPolicyTypesEnabled": False},
    }
    for wrong in [{"AccountScope": {"Accounts": [STRANGER]}},
                  {"AccountScope": {"Accounts": [MEMBER], "AllAccountsEnabled": True}},
                  {"OrganizationalUnitScope": {"OrganizationalUnits": ["ou-none-00000000"]}}]:
        play.refused("InvalidInputException", "", "PutAdminAccount", MANAGEMENT,
                     AdminAccount=SECOND, AdminScope=wrong)
    play.refused("AccessDeniedException", "management account", "PutAdminAccount",
                 AdminAccount=SECOND, AdminScope=scope)
    play.call("PutAdminAccount", MANAGEMENT, AdminAccount=SECOND, AdminScope=scope)
    play.call("PutAdminAccount", MANAGEMENT, AdminAccount=SECOND, AdminScope=scope)
    assert play.call("GetAdminScope", SECOND, AdminAccount=SECOND)["AdminScope"] == scope
    known = play.paginated("ListAdminAccountsForOrganization", "AdminAccounts", 1, MANAGEMENT)
    assert [(admin["AdminAccount"], admin["DefaultAdmin"]) for admin in known] == [
        (ADMIN, True), (SECOND, False)], known
    assert play.paginated("ListAdminsManagingAccount", "AdminAccounts", 1, MEMBER) == [ADMIN, SECOND]
    assert play.paginated("ListAdminsManagingAccount", "AdminAccounts", 1, LAB) == [ADMIN]
    assert play.paginated("ListMemberAccounts", "MemberAccounts", 3) == sorted(
        account["Id"] for account in world.ORGANIZATION["Accounts"])
    assert play.paginated("ListMemberAccounts", "MemberAccounts", 3, SECOND) == [MEMBER, SECOND]

    # What one administrator owns does not exist for another.
    own = play.call("PutPolicy", SECOND, Policy=world.AUDIT)
    ident = own["Policy"]["PolicyId"]
    hidden = play.refused("ResourceNotFoundException", "", "GetPolicy", PolicyId=ident)
    absent = play.refused("ResourceNotFoundException", "", "GetPolicy", PolicyId=NO_ID)
    assert hidden.message.replace(ident, NO_ID) == absent.message
    assert play.call("ListPolicies")["PolicyList"] == []
    play.refused("InvalidOperationException", "WAFV2", "PutPolicy", SECOND, Policy=world.EDGE)
    play.refused("InvalidOperationException", WEST, "PutPolicy", SECOND, WEST, Policy=world.AUDIT)

    # A scope that no longer holds the type makes the policy readable alone.
    narrow = dict(scope, PolicyTypeScope={"PolicyTypes": ["WAFV2"], "AllPolicyTypesEnabled": False})
    play.call("PutAdminAccount", MANAGEMENT, AdminAccount=SECOND, AdminScope=narrow)
    policy = play.call("GetPolicy", SECOND, PolicyId=ident)["Policy"]
    assert policy["PolicyStatus"] == "OUT_OF_ADMIN_SCOPE"
    play.refused("InvalidOperationException", "", "PutPolicy", SECOND, Policy=policy)
    play.refused("InvalidOperationException", "", "DeletePolicy", SECOND, PolicyId=ident)
    play.call("PutAdminAccount", MANAGEMENT, AdminAccount=SECOND, AdminScope=scope)
    assert play.call("ListPolicies", SECOND)["PolicyList"][0]["PolicyStatus"] == "ACTIVE"


def policies(play):
    """Every type that is met in the wild: put, read back, put again, and nothing to plan."""
    made = play.call("PutResourceSet", ResourceSet={
        "Name": "for policies", "ResourceTypeList": ["AWS::NetworkFirewall::Firewall"]})
    found = wild.cases(made["ResourceSet"]["Id"])
    if play.shared:
        found += wild.real_data_cases(play.shared)
    for name, region, versions in found:
        before = {}
        for version in versions:
            try:
                put = play.call("PutPolicy", region=region, Policy={**version, **before},
                                TagList=[{"Key": "case", "Value": ""}])
            except Refused as refusal:
                raise AssertionError(f"{name}: {refusal}") from refusal
            read = play.call("GetPolicy", region=region, PolicyId=put["Policy"]["PolicyId"], quiet=True)
            assert read == put, f"{name}: {read} was read after {put}"
            changes = wild.planned_changes(version, read["Policy"])
            assert not changes, f"{name}: a tool would plan {changes}"
            again = play.call("PutPolicy", region=region, Policy=read["Policy"], quiet=True)["Policy"]
            assert again.pop("PolicyUpdateToken") != read["Policy"].pop("PolicyUpdateToken"), name
            assert again == read["Policy"], f"{name}: put again as read, it became {again}"
            read = play.call("GetPolicy", region=region, PolicyId=again["PolicyId"], quiet=True)["Policy"]
            before = {key: read[key] for key in ("PolicyId", "PolicyUpdateToken")}
            assert not wild.planned_changes(version, read), name
        assert play.call("ListTagsForResource", region=region, ResourceArn=put["PolicyArn"])["TagList"] == [
            {"Key": "case", "Value": ""}]
    for region in (EAST, WEST):
        listed = play.paginated("ListPolicies", "PolicyList", 7, region=region)
        assert len(listed) == sum(1 for _, place, _ in found if place == region)
        for summary in listed:
            assert summary["RemediationEnabled"] in (True, False), summary
            assert summary["DeleteUnusedFMManagedResources"] in (True, False), summary
    refusals(play, read)
    for region in (EAST, WEST):
        for summary in play.pages("ListPolicies", "PolicyList", 100, region=region):
            play.call("DeletePolicy", region=region, PolicyId=summary["PolicyId"],
                      DeleteAllPolicyResources=True)
    play.call("DeleteResourceSet", Identifier=made["ResourceSet"]["Id"])


def refusals(play, read):
    """What PutPolicy refuses, in the words that clients match."""
    audit, edge = world.AUDIT, world.EDGE
    with_type = lambda kind: dict(audit, SecurityServicePolicyData={"Type": kind, "ManagedServiceData": "{}"})
    with_data = lambda kind, data, **more: wild.policy(kind, data, wild.ALB, **more)
    front = dict(edge, ResourceType="ResourceTypeList", ResourceTypeList=[wild.CLOUDFRONT], IncludeMap={})
    for code, fragment, region, document in [
            ("InvalidTypeException", "NO_SUCH_TYPE", EAST, with_type("NO_SUCH_TYPE")),
            ("InvalidInputException", "failed to satisfy constraint", EAST,
             wild.policy("WAFV2", "{\n}", wild.ALB)),
            ("InvalidInputException", "ManagedServiceData", EAST, with_data("WAFV2", "nonsense")),
            ("InvalidInputException", "ManagedServiceData", EAST, with_data("WAFV2", None)),
            ("InvalidInputException",
             'Resource ["AWS::CloudFront::Distribution"] can not be in the CoralResourceTypeList, '
             'use CoralResourceType instead.', EAST, front),
            ("InvalidInputException",
             'Resource ["AWS::CloudFront::Distribution"] can not be used in region: eu-west-1.', WEST,
             dict(edge, ResourceType=wild.CLOUDFRONT)),
            ("InvalidInputException", 'You must specify an Resource Set ID in "resourceSetIds".', EAST,
             wild.policy("IMPORT_NETWORK_FIREWALL", {}, wild.FIREWALL)),
            ("InvalidInputException", "Input ORG_UNIT map contains invalid IDs.", EAST,
             dict(audit, IncludeMap={"ORG_UNIT": ["r-root"]})),
            ("InvalidInputException", "Unsupported Shield resource type AWS::CloudFront::Distribution", WEST,
             wild.policy("SHIELD_ADVANCED", {}, [wild.CLOUDFRONT])),
            ("InvalidInputException", "ManagedRuleGroupConfigs", EAST, with_data("WAFV2", {
                "preProcessRuleGroups": [wild.managed("AWSManagedRulesAntiDDoSRuleSet")],
                "postProcessRuleGroups": [], "defaultAction": {"type": "ALLOW"}})),
            ("InvalidInputException", "RemediationEnabled", EAST, dict(audit, RemediationEnabled=True)),
            ("InvalidInputException", "DeleteUnusedFMManagedResources", EAST,
             wild.policy("SHIELD_ADVANCED", {}, wild.EIP, DeleteUnusedFMManagedResources=True)),
            ("LimitExceededException", "", EAST, dict(audit, ResourceTags=[
                {"Key": f"key{n}", "Value": ""} for n in range(9)])),
            ("ResourceNotFoundException", NO_ID, EAST,
             dict(audit, PolicyId=NO_ID, PolicyUpdateToken="1:AAAAAAAAAAAAAAAAAAAAAA==")),
            ("InvalidInputException", "PolicyUpdateToken", EAST, {**read, "PolicyUpdateToken": "1:stale"}),
            ("InvalidInputException", "PolicyUpdateToken", EAST, wild.without(read, "PolicyUpdateToken"))]:
        play.refused(code, fragment, "PutPolicy", region=region, Policy=document)
    play.refused("ResourceNotFoundException", "", "DeletePolicy", PolicyId=NO_ID)
    play.refused("ValidationException", "1 validation error detected: Value", "GetPolicy",
                 PolicyId="not-an-id-of-thirty-six-characters!!")
    play.refused("AccessDeniedException",
                 "Operation ListPolicies is only available to AWS Firewall Manager Administrators.",
                 "ListPolicies", MEMBER)
    play.refused("AccessDeniedException", f"Account: {MEMBER} is not currently delegated by AWS FM.",
                 "PutPolicy", MEMBER, Policy=audit)
    play.refused("ValidationException", "NextToken", "ListPolicies", NextToken="made-up")


def compliance(play):
    """What was found, to whom it happened, and which questions have no answer."""
    audit = play.call("PutPolicy", Policy=world.AUDIT)["Policy"]["PolicyId"]
    edge = play.call("PutPolicy", region=WEST, Policy=world.EDGE)["Policy"]["PolicyId"]
    shield = play.call("PutPolicy", Policy=wild.policy("SHIELD_ADVANCED", {}, wild.EIP))["Policy"]["PolicyId"]
    play.server.settle()
    rows = play.paginated("ListComplianceStatus", "PolicyComplianceStatusList", 2, PolicyId=audit)
    verdicts = {row["MemberAccount"]: [result["ComplianceStatus"] for result in row["EvaluationResults"]]
                for row in rows}
    assert verdicts[MEMBER] == ["NON_COMPLIANT"] and verdicts[SECOND] == ["COMPLIANT"], verdicts
    play.paginated("ListComplianceStatus", "PolicyComplianceStatusList", 1, region=WEST, PolicyId=edge)
    # Nothing was told of addresses: nothing is claimed.
    for row in play.pages("ListComplianceStatus", "PolicyComplianceStatusList", 100, PolicyId=shield):
        assert row["EvaluationResults"] in ([], [{"ComplianceStatus": "COMPLIANT", "ViolatorCount": 0,
                                                  "EvaluationLimitExceeded": False}]), row
    detail = play.call("GetComplianceDetail", PolicyId=audit, MemberAccount=MEMBER)["PolicyComplianceDetail"]
    [violator] = detail["Violators"]
    asked = {"PolicyId": audit, "MemberAccount": MEMBER, "ResourceId": violator["ResourceId"],
             "ResourceType": violator["ResourceType"]}
    told = play.call("GetViolationDetails", **asked)["ViolationDetail"]
    assert told["ResourceId"] == "sg-open" and len(told["ResourceViolations"]) == 1, told
    play.refused("ResourceNotFoundException", "", "GetViolationDetails", **{**asked, "ResourceId": "sg-fine"})
    play.refused("InvalidInputException", "", "GetViolationDetails", **{**asked, "ResourceType": "AWS::EC2::EIP"})
    play.refused("InvalidInputException", STRANGER, "GetComplianceDetail",
                 PolicyId=audit, MemberAccount=STRANGER)
    outside = play.call("GetComplianceDetail", region=WEST, PolicyId=edge, MemberAccount=LAB)
    assert outside["PolicyComplianceDetail"]["Violators"] == []
    play.refused("ResourceNotFoundException", "", "ListComplianceStatus", PolicyId=NO_ID)

    status = play.call("GetProtectionStatus", PolicyId=shield, MemberAccountId=MEMBER,
                       StartTime=1793512800, EndTime=1793516400)
    assert status["ServiceType"] == "SHIELD_ADVANCED" and status["AdminAccountId"] == ADMIN
    play.refused("InvalidInputException", "SECURITY_GROUPS_CONTENT_AUDIT", "GetProtectionStatus", PolicyId=audit)
    play.refused("InvalidInputException", "", "GetProtectionStatus", PolicyId=shield, NextToken="made-up")

    # The server cannot answer while its store is broken, and says so in AWS's way.
    with play.server.broken("entries"):
        play.refused("InternalErrorException", "", "ListComplianceStatus", PolicyId=audit)
    assert play.pages("ListComplianceStatus", "PolicyComplianceStatusList", 2, PolicyId=audit) == rows
    for ident, region in ((audit, EAST), (edge, WEST), (shield, EAST)):
        play.call("DeletePolicy", region=region, PolicyId=ident)


def lists(play):
    """Applications and protocols lists: the same story for both, and the AWS-managed ones."""
    app = {"AppName": "https", "Protocol": "tcp", "Port": 443}
    for kind, member, content, changed, too_many in [
            ("AppsList", "AppsLists", [app], [app, dict(app, Port=8443)], [app] * 51),
            ("ProtocolsList", "ProtocolsLists", ["tcp", "udp"], ["17"], ["tcp"] * 6)]:
        put = lambda **shape: {kind: {"ListName": "one", kind: content, **shape}}
        made = play.call(f"Put{kind}", **put(), TagList=[{"Key": "team", "Value": ""}])
        known = made[kind]
        assert play.call(f"Get{kind}", ListId=known["ListId"]) == made
        update = put(ListId=known["ListId"], ListUpdateToken=known["ListUpdateToken"], **{kind: changed})
        after = play.call(f"Put{kind}", **update)[kind]
        assert after[kind] == changed and after["ListUpdateToken"] != known["ListUpdateToken"]
        play.refused("InvalidInputException", "ListUpdateToken", f"Put{kind}", **update)
        play.refused("InvalidInputException", "ListUpdateToken", f"Put{kind}", **put(ListId=known["ListId"]))
        play.refused("InvalidInputException", "fms-", f"Put{kind}", **put(ListName="FMS-mine"))
        play.refused("LimitExceededException", "", f"Put{kind}", **put(**{kind: too_many}))
        play.refused("ResourceNotFoundException", "", f"Put{kind}", **put(ListId=NO_ID, ListUpdateToken="1:a"))
        more = [play.call(f"Put{kind}", quiet=True, **put(ListName=f"more {n}"))[kind]["ListId"] for n in range(9)]
        play.refused("LimitExceededException", "", f"Put{kind}", **put(ListName="one too many"))
        listed = play.paginated(f"List{member}", member, 4)
        assert [entry["ListId"] for entry in listed] == [known["ListId"], *more]
        assert [entry["ListName"] for entry in listed] == ["one", *(f"more {n}" for n in range(9))]
        arn = listed[0]["ListArn"]
        assert play.call("ListTagsForResource", ResourceArn=arn)["TagList"] == [{"Key": "team", "Value": ""}]
        # AWS-managed ones: read with the flag, never changed.
        managed = play.paginated(f"List{member}", member, 1, DefaultLists=True)
        assert all(entry["ListName"].startswith("FMS-Default-") for entry in managed) and managed
        default = managed[0]["ListId"]
        play.call(f"Get{kind}", ListId=default, DefaultList=True)
        play.refused("ResourceNotFoundException", "", f"Get{kind}", ListId=default)
        play.refused("ResourceNotFoundException", "", f"Get{kind}", ListId=known["ListId"], DefaultList=True)
        play.refused("InvalidOperationException", "", f"Delete{kind}", ListId=default)
        play.refused("InvalidOperationException", "", "TagResource", ResourceArn=managed[0]["ListArn"],
                     TagList=[{"Key": "a", "Value": ""}])
        for ident in [known["ListId"], *more]:
            play.call(f"Delete{kind}", ListId=ident)
        play.refused("ResourceNotFoundException", "", f"Get{kind}", ListId=known["ListId"])
        play.refused("ResourceNotFoundException", "", f"Delete{kind}", ListId=known["ListId"])


def resource_sets(play):
    """Sets of firewalls, batches with a reason for each item refused, and what was discovered."""
    kind = "AWS::NetworkFirewall::Firewall"
    place = dict(region=WEST)
    found = play.call("ListDiscoveredResources", **place, MemberAccountIds=[MEMBER], ResourceType=kind)["Items"]
    assert [item["Name"] for item in found] == ["north", "south"], found
    arns = [item["URI"] for item in found]
    assert play.pages("ListDiscoveredResources", "Items", 1, **place, MemberAccountIds=[MEMBER],
                      ResourceType=kind) == found
    play.refused("InvalidInputException", "", "ListDiscoveredResources", **place,
                 MemberAccountIds=[MEMBER, SECOND], ResourceType=kind)
    play.refused("InvalidInputException", "", "ListDiscoveredResources", **place,
                 MemberAccountIds=[STRANGER], ResourceType=kind)
    play.refused("InvalidInputException", "AWS::EC2::VPC", "ListDiscoveredResources", **place,
                 MemberAccountIds=[MEMBER], ResourceType="AWS::EC2::VPC")

    shape = {"Name": "firewalls", "ResourceTypeList": [kind], "Description": ""}
    made = play.call("PutResourceSet", **place, ResourceSet=shape, TagList=[{"Key": "team", "Value": "net"}])
    known = made["ResourceSet"]
    ident = known["Id"]
    for _ in range(2):  # Terraform waits until it saw ACTIVE twice
        assert play.call("GetResourceSet", **place, Identifier=ident) == made
        assert known["ResourceSetStatus"] == "ACTIVE" and known["Description"] == ""
    play.refused("InvalidInputException", "UpdateToken", "PutResourceSet", **place,
                 ResourceSet=dict(shape, UpdateToken="1:a"))
    play.refused("InvalidInputException", "Name", "PutResourceSet", **place,
                 ResourceSet=dict(shape, Id=ident, Name="other"))
    play.refused("InvalidInputException", "UpdateToken", "PutResourceSet", **place,
                 ResourceSet=dict(shape, Id=ident, UpdateToken="1:stale"))
    play.refused("InvalidInputException", NO_SET, "PutResourceSet", **place, ResourceSet=dict(shape, Id=NO_SET))
    play.refused("InvalidInputException", "AWS::EC2::VPC", "PutResourceSet", **place,
                 ResourceSet=dict(shape, ResourceTypeList=["AWS::EC2::VPC"]))
    play.call("PutResourceSet", **place, ResourceSet=dict(known, Description="north and south"))
    play.call("PutResourceSet", **place, ResourceSet=dict(shape, Id=ident))

    bad = {"not-an-arn": "NOT_VALID_ARN",
           arns[0].replace("arn:aws:", "arn:aws-cn:"): "NOT_VALID_PARTITION",
           arns[0].replace(":network-firewall:", ":ec2:"): "NOT_VALID_SERVICE",
           arns[0].replace(WEST, EAST): "NOT_VALID_REGION",
           arns[0].replace("firewall/north", "stateful-rulegroup/north"): "NOT_VALID_RESOURCE_TYPE",
           arns[0].replace(MEMBER, STRANGER): "NOT_VALID_ACCOUNT_ID"}
    answer = play.call("BatchAssociateResource", **place, ResourceSetIdentifier=ident, Items=[*arns, *bad])
    assert {item["URI"]: item["Reason"] for item in answer["FailedItems"]} == bad
    again = play.call("BatchAssociateResource", **place, ResourceSetIdentifier=ident, Items=arns)
    assert again == {"ResourceSetIdentifier": ident, "FailedItems": []}
    for size in (1, 100):
        held = play.pages("ListResourceSetResources", "Items", size, **place, Identifier=ident)
        assert held == [{"URI": arn, "AccountId": MEMBER} for arn in arns], held
    one = f"arn:aws:network-firewall:{WEST}:{MEMBER}:firewall/n"
    play.refused("InvalidInputException", "100", "BatchAssociateResource", **place,
                 ResourceSetIdentifier=ident, Items=[f"{one}{n}" for n in range(101)])
    play.refused("LimitExceededException", "100", "BatchAssociateResource", **place,
                 ResourceSetIdentifier=ident, Items=[f"{one}{n}" for n in range(99)])
    play.refused("ResourceNotFoundException", NO_SET, "BatchAssociateResource", **place,
                 ResourceSetIdentifier=NO_SET, Items=arns)

    # A policy holds it.
    importing = wild.policy("IMPORT_NETWORK_FIREWALL", {"awsNetworkFirewallConfig": wild.firewall_rules()}, kind,
                            ResourceSetIds=[ident])
    policy = play.call("PutPolicy", **place, Policy=importing)["Policy"]["PolicyId"]
    play.refused("InvalidOperationException", policy, "DeleteResourceSet", **place, Identifier=ident)
    play.call("DeletePolicy", **place, PolicyId=policy)

    gone = play.call("BatchDisassociateResource", **place, ResourceSetIdentifier=ident,
                     Items=[arns[0], one, "not-an-arn"])
    assert gone["FailedItems"] == [{"URI": "not-an-arn", "Reason": "NOT_VALID_ARN"}], gone
    assert play.pages("ListResourceSetResources", "Items", 5, **place, Identifier=ident) == [
        {"URI": arns[1], "AccountId": MEMBER}]
    play.refused("ResourceNotFoundException", NO_SET, "BatchDisassociateResource", **place,
                 ResourceSetIdentifier=NO_SET, Items=arns)
    second = play.call("PutResourceSet", **place, ResourceSet=dict(shape, Name="second"))["ResourceSet"]["Id"]
    listed = play.pages("ListResourceSets", "ResourceSets", 1, **place)
    assert [entry["Id"] for entry in listed] == [ident, second]
    play.seen.note("resource sets", listed)
    play.call("DeleteResourceSet", **place, Identifier=second)
    play.call("DeleteResourceSet", **place, Identifier=ident)
    play.refused("ResourceNotFoundException", ident, "GetResourceSet", **place, Identifier=ident)
    play.refused("ResourceNotFoundException", ident, "DeleteResourceSet", **place, Identifier=ident)
    play.refused("ResourceNotFoundException", ident, "ListResourceSetResources", **place, Identifier=ident)


def notification_channel(play):
    """Set, replaced and unset, for each Region apart."""
    assert play.call("GetNotificationChannel") == {}
    play.call("DeleteNotificationChannel")
    role = f"arn:aws:iam::{ADMIN}:role/aws-service-role/fms.amazonaws.com/AWSServiceRoleForFMS"
    for topic in ("first", "second"):
        channel = {"SnsTopicArn": f"arn:aws:sns:{EAST}:{ADMIN}:{topic}", "SnsRoleName": role}
        play.call("PutNotificationChannel", **channel)
        assert play.call("GetNotificationChannel") == channel
    assert play.call("GetNotificationChannel", region=WEST) == {}
    play.refused("ValidationException", "SnsTopicArn", "PutNotificationChannel",
                 SnsTopicArn="arn:aws:sqs:us-east-1:222222222222:q", SnsRoleName=role)
    play.call("DeleteNotificationChannel")
    assert play.call("GetNotificationChannel") == {}


def tags(play):
    """On a policy; lists and resource sets carry theirs in their own stories."""
    arn = play.call("PutPolicy", Policy=world.AUDIT, TagList=[{"Key": "b", "Value": ""}])["PolicyArn"]
    pairs = lambda: play.call("ListTagsForResource", ResourceArn=arn)["TagList"]
    assert pairs() == [{"Key": "b", "Value": ""}]
    play.call("TagResource", ResourceArn=arn, TagList=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    assert pairs() == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    play.call("UntagResource", ResourceArn=arn, TagKeys=["a", "unknown"])
    assert pairs() == [{"Key": "b", "Value": "2"}]
    play.refused("InvalidInputException", "aws:", "TagResource", ResourceArn=arn,
                 TagList=[{"Key": "aws:mine", "Value": ""}])
    play.refused("LimitExceededException", "50", "TagResource", ResourceArn=arn,
                 TagList=[{"Key": f"key{n}", "Value": ""} for n in range(50)])
    for operation, more in [("TagResource", {"TagList": [{"Key": "a", "Value": ""}]}),
                            ("UntagResource", {"TagKeys": ["a"]}), ("ListTagsForResource", {})]:
        play.refused("ResourceNotFoundException", "", operation,
                     ResourceArn=f"arn:aws:fms:{EAST}:{ADMIN}:policy/{NO_ID}", **more)
    play.call("DeletePolicy", PolicyId=arn.rsplit("/", 1)[1])


def third_party(play):
    """A vendor that is never reached: associated, waited for, given up."""
    vendor = {"ThirdPartyFirewall": "PALO_ALTO_NETWORKS_CLOUD_NGFW"}
    status = lambda: play.call("GetThirdPartyFirewallAssociationStatus", **vendor)
    assert status() == {"ThirdPartyFirewallStatus": "NOT_EXIST", "MarketplaceOnboardingStatus": "NO_SUBSCRIPTION"}
    play.refused("ResourceNotFoundException", "", "DisassociateThirdPartyFirewall", **vendor)
    assert play.call("AssociateThirdPartyFirewall", **vendor) == {"ThirdPartyFirewallStatus": "ONBOARDING"}
    assert status()["ThirdPartyFirewallStatus"] == "ONBOARDING"
    play.refused("InvalidOperationException", "", "AssociateThirdPartyFirewall", **vendor)
    play.refused("AccessDeniedException", SECOND, "AssociateThirdPartyFirewall", SECOND, **vendor)
    assert play.paginated("ListThirdPartyFirewallFirewallPolicies", "ThirdPartyFirewallFirewallPolicies", 5,
                          **vendor) == []
    assert play.call("DisassociateThirdPartyFirewall", **vendor) == {"ThirdPartyFirewallStatus": "OFFBOARDING"}
    status()


def after(play):
    """First in, last out; with an administrator go its policies."""
    play.refused("InvalidOperationException", "", "DisassociateAdminAccount")
    play.refused("AccessDeniedException", f"Account: {MEMBER} is not currently delegated by AWS FM.",
                 "DisassociateAdminAccount", MEMBER)
    play.call("DisassociateAdminAccount", SECOND)
    assert [admin["AdminAccount"] for admin in play.call(
        "ListAdminAccountsForOrganization", MANAGEMENT)["AdminAccounts"]] == [ADMIN]
    play.call("DisassociateAdminAccount")
    play.refused("ResourceNotFoundException", "", "GetAdminAccount", MANAGEMENT)
    play.refused("AccessDeniedException", f"No default admin could be found for account {SECOND}",
                 "ListPolicies", SECOND)


FAMILIES = [before, administrators, policies, compliance, lists, resource_sets, notification_channel, tags,
            third_party, after]
# Paginators that both SDKs have (semantics 0.4).
PAGINATED = {"ListComplianceStatus", "ListMemberAccounts", "ListPolicies", "ListAppsLists", "ListProtocolsLists",
             "ListThirdPartyFirewallFirewallPolicies", "ListAdminAccountsForOrganization",
             "ListAdminsManagingAccount"}


def story(driver, server, shared, operations):
    """Plays every family; answers what was seen, family by family."""
    play = Player(driver, server, shared)
    for family in FAMILIES:
        try:
            family(play)
        except Refused as refusal:
            raise AssertionError(f"{driver.name}, {family.__name__}: {refusal}") from refusal
        play.seen.lines.append(f"the end of {family.__name__}")
    assert play.called == operations, f"not called, or unknown: {play.called ^ operations}"
    assert driver.paginated() == PAGINATED, driver.paginated() ^ PAGINATED
    return play.seen.lines


def operations(palisade_model):
    """Names of the model's operations, as both Palisade's model and boto3's have them."""
    import json

    import botocore.session

    theirs = set(botocore.session.Session().get_service_model("fms").operation_names)
    ours = set(json.loads(palisade_model.read_text())["operations"])
    assert ours == theirs, f"the models differ in {ours ^ theirs}"
    assert len(ours) == 42, len(ours)
    return ours


@contextlib.contextmanager
def renamed(store, table):
    """A store that lacks a table for a while: everything that reads it fails."""
    with contextlib.closing(sqlite3.connect(store, timeout=30)) as connection:
        connection.execute(f"ALTER TABLE {table} RENAME TO {table}_away")
        connection.commit()
    try:
        yield
    finally:
        with contextlib.closing(sqlite3.connect(store, timeout=30)) as connection:
            connection.execute(f"ALTER TABLE {table}_away RENAME TO {table}")
            connection.commit()
