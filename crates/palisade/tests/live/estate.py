"""Makes an organization and what it holds at a moto server, through boto3: `python estate.py PORT WHAT`.

`make` prints the accounts as JSON, the one with an open group first; `mend ACCOUNT` closes that group. `deposit ACCOUNT`
makes a bucket with a snapshot of AWS Config in which the account has an open group, and a queue that is told of objects, and
prints the queue's URL; `add ACCOUNT` puts the snapshot of another account there. `tell ACCOUNT URL` sends the change that
closes the group, through SNS as it were, and a message that nobody can read.
"""

import datetime
import gzip
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


BUCKET = "config-logs"
NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


def item(account, kind, ident, configuration, minutes_ago):
    captured = NOW - datetime.timedelta(minutes=minutes_ago)
    return {
        "awsAccountId": account, "awsRegion": REGION, "resourceType": kind, "resourceId": ident, "tags": {},
        "configurationItemStatus": "OK", "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": captured.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "configurationStateId": int(captured.timestamp() * 1000), "configuration": configuration,
    }


def group(account, cidrs, minutes_ago):
    rules = [{
        "ipProtocol": "tcp", "fromPort": 22, "toPort": 23, "ipRanges": [cidr],
        "ipv4Ranges": [{"cidrIp": cidr}], "ipv6Ranges": [], "prefixListIds": [], "userIdGroupPairs": [],
    } for cidr in cidrs]
    body = {"groupId": "sg-1", "groupName": "web", "vpcId": "vpc-1", "ownerId": account,
            "ipPermissions": rules, "ipPermissionsEgress": []}
    return item(account, "AWS::EC2::SecurityGroup", "sg-1", body, minutes_ago)


def put_snapshot(account):
    recorder = item(account, "AWS::Config::ConfigurationRecorder", "default",
                    {"RecordingGroup": {"AllSupported": True}}, 60)
    items = [recorder, group(account, ["0.0.0.0/0"], 60)]
    text = json.dumps({"fileVersion": "1.0", "configSnapshotId": "s", "configurationItems": items})
    stamp = (NOW - datetime.timedelta(minutes=30)).strftime("%Y%m%dT%H%M%SZ")
    folder = f"AWSLogs/{account}/Config/{REGION}/2026/11/30/ConfigSnapshot"
    key = f"{folder}/{account}_Config_{REGION}_ConfigSnapshot_{stamp}_x.json.gz"
    client("s3").put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(text.encode()))


def deposit():
    s3, sqs = client("s3"), client("sqs")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=BUCKET, Key="AWSLogs/ConfigWritabilityCheckFile", Body=b"")
    put_snapshot(sys.argv[3])
    url = sqs.create_queue(QueueName="changes")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={
        "QueueConfigurations": [{"QueueArn": attributes["QueueArn"], "Events": ["s3:ObjectCreated:*"]}],
    })
    print(url)


def add():
    put_snapshot(sys.argv[3])


def tell():
    account, url = sys.argv[3:5]
    change = {"messageType": "ConfigurationItemChangeNotification", "configurationItem": group(account, [], 1)}
    wrapped = {"Type": "Notification", "TopicArn": f"arn:aws:sns:{REGION}:{account}:config", "Message": json.dumps(change)}
    for body in [json.dumps(wrapped), "this is no delivery at all {"]:
        client("sqs").send_message(QueueUrl=url, MessageBody=body)


{"make": make, "mend": mend, "deposit": deposit, "add": add, "tell": tell}[WHAT]()
