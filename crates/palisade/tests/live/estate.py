"""Makes an organization and what it holds at a moto server, through boto3: `python estate.py PORT make|mend`.

`make` prints the accounts as JSON, the one with an open group first; `mend` closes that group.
"""

import json
import sys

import boto3

PORT, WHAT = sys.argv[1:3]
REGION = "eu-west-1"


def client(service, region=REGION, **keys):
    keys = keys or {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client(service, region_name=region, endpoint_url=f"http://127.0.0.1:{PORT}", **keys)


def session(account):
    """Keys of a session in a member account."""
    role = f"arn:aws:iam::{account}:role/PalisadeReadOnly"
    made = client("sts").assume_role(RoleArn=role, RoleSessionName="estate")["Credentials"]
    return {
        "aws_access_key_id": made["AccessKeyId"],
        "aws_secret_access_key": made["SecretAccessKey"],
        "aws_session_token": made["SessionToken"],
    }


def rule(cidr):
    return [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 23, "IpRanges": [{"CidrIp": cidr}]}]


def make():
    organizations = client("organizations", "us-east-1")
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    unit = organizations.create_organizational_unit(ParentId=root, Name="prod")["OrganizationalUnit"]["Id"]
    below = organizations.create_organizational_unit(ParentId=unit, Name="web")["OrganizationalUnit"]["Id"]
    accounts = []
    for number, parent in enumerate([below, unit, root]):
        asked = organizations.create_account(Email=f"a{number}@example.com", AccountName=f"account-{number}")
        account = asked["CreateAccountStatus"]["AccountId"]
        if parent != root:
            organizations.move_account(AccountId=account, SourceParentId=root, DestinationParentId=parent)
        furnish(account, is_open=number == 0)
        accounts.append(account)
    print(json.dumps(accounts))


def furnish(account, is_open):
    keys = session(account)
    ec2, elb = client("ec2", **keys), client("elbv2", **keys)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")
        for number, zone in enumerate("ab")
    ]
    subnets = [subnet["Subnet"]["SubnetId"] for subnet in subnets]
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    if is_open:
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rule("0.0.0.0/0"))
    ec2.create_network_interface(SubnetId=subnets[0], Groups=[group])
    elb.create_load_balancer(Name="web", Subnets=subnets, SecurityGroups=[group])
    ec2.allocate_address(Domain="vpc")
    ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, SubnetId=subnets[0], SecurityGroupIds=[group])


def mend():
    account = sys.argv[3]
    ec2 = client("ec2", **session(account))
    groups = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["web"]}])
    group = groups["SecurityGroups"][0]["GroupId"]
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rule("0.0.0.0/0"))


{"make": make, "mend": mend}[WHAT]()
