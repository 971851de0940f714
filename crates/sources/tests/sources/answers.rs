//! What the fake answers: an account that has one resource of each type, and nothing that breaks a policy.

use serde_json::json;

use crate::fake::form;

/// The account, and the Regions that tests read.
pub const ACCOUNT: &str = "111122223333";
pub const HOME: &str = "us-east-1";

const TAG: &str = "<tagSet><item><key>team</key><value>a</value></item></tagSet>";

pub fn is_xml(call: &str) -> bool {
    ["ec2:", "elb:", "elbv2:", "sts:", "cloudfront:"].iter().any(|one| call.starts_with(one))
}

fn balancer() -> String {
    format!("arn:aws:elasticloadbalancing:{HOME}:{ACCOUNT}:loadbalancer/app/web/1")
}

fn acl(scope: &str) -> String {
    format!("arn:aws:wafv2:{HOME}:{ACCOUNT}:{scope}/webacl/web/1")
}

fn ec2(action: &str, inside: &str) -> String {
    format!("<{action}Response><requestId>r</requestId>{inside}</{action}Response>")
}

fn query(action: &str, inside: &str) -> String {
    format!("<{action}Response><{action}Result>{inside}</{action}Result></{action}Response>")
}

/// The whole of a call's answer.
pub fn answer(call: &str, body: &str) -> String {
    let (service, action) = call.split_once(':').unwrap();
    match service {
        "ec2" => ec2(action, &of_ec2(action)),
        "elb" | "elbv2" => query(action, &of_balancers(call)),
        "cloudfront" => of_cloudfront(action),
        _ => of_json(call, body).to_string(),
    }
}

fn of_ec2(action: &str) -> String {
    match action {
        "DescribeRegions" => format!("<regionInfo><item><regionName>{HOME}</regionName></item></regionInfo>"),
        "DescribeVpcs" => format!("<vpcSet><item><vpcId>vpc-1</vpcId><ownerId>{ACCOUNT}</ownerId><state>available</state>{TAG}</item></vpcSet>"),
        "DescribeSubnets" => format!("<subnetSet><item><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId><availabilityZone>{HOME}a</availabilityZone><ownerId>{ACCOUNT}</ownerId></item></subnetSet>"),
        "DescribeSecurityGroups" => format!(
            "<securityGroupInfo><item><ownerId>{ACCOUNT}</ownerId><groupId>sg-1</groupId><groupName>web</groupName><vpcId>vpc-1</vpcId>{TAG}\
             <ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>443</fromPort><toPort>443</toPort><groups/>\
             <ipRanges><item><cidrIp>10.0.0.0/8</cidrIp><description>in</description></item></ipRanges><ipv6Ranges/><prefixListIds/></item></ipPermissions>\
             <ipPermissionsEgress/></item></securityGroupInfo>"
        ),
        "DescribeSecurityGroupVpcAssociations" => "<securityGroupVpcAssociationSet/>".to_owned(),
        "DescribeNetworkInterfaces" => format!(
            "<networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId>\
             <ownerId>{ACCOUNT}</ownerId><interfaceType>interface</interfaceType><requesterManaged>false</requesterManaged>\
             <groupSet><item><groupId>sg-1</groupId><groupName>web</groupName></item></groupSet>\
             <attachment><instanceId>i-1</instanceId><deviceIndex>0</deviceIndex></attachment></item></networkInterfaceSet>"
        ),
        "DescribeInstances" => "<reservationSet><item><reservationId>r-1</reservationId><instancesSet><item><instanceId>i-1</instanceId>\
             <instanceState><code>16</code><name>running</name></instanceState><vpcId>vpc-1</vpcId>\
             <groupSet><item><groupId>sg-1</groupId><groupName>web</groupName></item></groupSet>\
             <networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId><groupSet><item><groupId>sg-1</groupId></item></groupSet>\
             <attachment><deviceIndex>0</deviceIndex></attachment></item></networkInterfaceSet></item></instancesSet></item></reservationSet>"
            .to_owned(),
        "DescribeNetworkAcls" => "<networkAclSet><item><networkAclId>acl-1</networkAclId><vpcId>vpc-1</vpcId><default>true</default>\
             <entrySet><item><ruleNumber>32767</ruleNumber><protocol>-1</protocol><ruleAction>deny</ruleAction><egress>false</egress><cidrBlock>0.0.0.0/0</cidrBlock></item></entrySet>\
             <associationSet><item><networkAclAssociationId>aclassoc-1</networkAclAssociationId><networkAclId>acl-1</networkAclId><subnetId>subnet-1</subnetId></item></associationSet></item></networkAclSet>"
            .to_owned(),
        "DescribeRouteTables" => "<routeTableSet><item><routeTableId>rtb-1</routeTableId><vpcId>vpc-1</vpcId><routeSet/><associationSet/></item></routeTableSet>".to_owned(),
        "DescribeInternetGateways" => "<internetGatewaySet/>".to_owned(),
        "DescribeVpcEndpoints" => "<vpcEndpointSet/>".to_owned(),
        "DescribeVpcPeeringConnections" => "<vpcPeeringConnectionSet/>".to_owned(),
        "DescribeAddresses" => "<addressesSet><item><publicIp>203.0.113.1</publicIp><allocationId>eipalloc-1</allocationId><domain>vpc</domain></item></addressesSet>".to_owned(),
        "DescribeManagedPrefixLists" => format!("<prefixListSet><item><prefixListId>pl-1</prefixListId><prefixListName>offices</prefixListName><ownerId>{ACCOUNT}</ownerId></item></prefixListSet>"),
        "GetManagedPrefixListEntries" => "<entrySet><item><cidr>192.0.2.0/24</cidr></item></entrySet>".to_owned(),
        other => panic!("no answer for {other}"),
    }
}

fn of_balancers(call: &str) -> String {
    let arn = balancer();
    match call {
        "elbv2:DescribeLoadBalancers" => format!(
            "<LoadBalancers><member><LoadBalancerArn>{arn}</LoadBalancerArn><LoadBalancerName>web</LoadBalancerName><Type>application</Type>\
             <VpcId>vpc-1</VpcId><SecurityGroups><member>sg-1</member></SecurityGroups></member></LoadBalancers>"
        ),
        "elbv2:DescribeTags" => format!("<TagDescriptions><member><ResourceArn>{arn}</ResourceArn><Tags/></member></TagDescriptions>"),
        "elb:DescribeLoadBalancers" => "<LoadBalancerDescriptions><member><LoadBalancerName>old</LoadBalancerName><VPCId>vpc-1</VPCId>\
             <SecurityGroups><member>sg-1</member></SecurityGroups></member></LoadBalancerDescriptions>"
            .to_owned(),
        "elb:DescribeTags" => "<TagDescriptions><member><LoadBalancerName>old</LoadBalancerName><Tags/></member></TagDescriptions>".to_owned(),
        other => panic!("no answer for {other}"),
    }
}

fn of_cloudfront(action: &str) -> String {
    match action {
        "ListDistributions" => format!(
            "<DistributionList><Marker></Marker><MaxItems>100</MaxItems><IsTruncated>false</IsTruncated><Quantity>1</Quantity><Items><DistributionSummary>\
             <Id>E1</Id><ARN>arn:aws:cloudfront::{ACCOUNT}:distribution/E1</ARN><Enabled>true</Enabled><DomainName>d.cloudfront.net</DomainName>\
             <WebACLId>{}</WebACLId></DistributionSummary></Items></DistributionList>",
            acl("global")
        ),
        "ListTagsForResource" => {
            "<Tags><Items><Tag><Key>team</Key><Value>b</Value></Tag></Items></Tags>".to_owned()
        }
        other => panic!("no answer for {other}"),
    }
}

fn of_json(call: &str, body: &str) -> serde_json::Value {
    let asked: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let scope = if asked["Scope"] == "CLOUDFRONT" { "global" } else { "regional" };
    match call {
        "apigateway:GetRestApis" => json!({"item": [{"id": "api1", "name": "api"}]}),
        "apigateway:GetStages" => {
            json!({"item": [{"stageName": "prod", "webAclArn": acl("regional"), "tags": {"team": "a"}}]})
        }
        "network-firewall:ListFirewalls" => {
            json!({"Firewalls": [{"FirewallName": "f", "FirewallArn": "arn:f"}]})
        }
        "network-firewall:DescribeFirewall" => {
            json!({"Firewall": {"FirewallId": "f-1", "FirewallName": "f", "FirewallArn": "arn:f", "VpcId": "vpc-1"}, "FirewallStatus": {}})
        }
        "network-firewall:ListFirewallPolicies" => {
            json!({"FirewallPolicies": [{"Name": "p", "Arn": "arn:p"}]})
        }
        "network-firewall:DescribeFirewallPolicy" => {
            json!({"FirewallPolicyResponse": {"FirewallPolicyId": "p-1", "FirewallPolicyName": "p"}, "FirewallPolicy": {}})
        }
        "route53resolver:ListFirewallRuleGroupAssociations" => {
            json!({"FirewallRuleGroupAssociations": [{"Id": "rslvr-frgassoc-1", "VpcId": "vpc-1", "Priority": 101}]})
        }
        "shield:GetSubscriptionState" => json!({"SubscriptionState": "ACTIVE"}),
        "shield:ListProtections" => json!({"Protections": [
            {"Id": "p-1", "Name": "web", "ResourceArn": balancer()},
            {"Id": "p-2", "Name": "cdn", "ResourceArn": format!("arn:aws:cloudfront::{ACCOUNT}:distribution/E1")},
            {"Id": "p-3", "Name": "far", "ResourceArn": format!("arn:aws:ec2:eu-west-1:{ACCOUNT}:eip-allocation/eipalloc-9")},
        ]}),
        "wafv2:ListWebACLs" => json!({"WebACLs": [{"Name": "web", "Id": "1", "ARN": acl(scope)}]}),
        "wafv2:GetWebACL" => json!({"WebACL": {
            "Name": "web", "Id": "1", "ARN": acl(scope), "DefaultAction": {"Allow": {}}, "Rules": [],
            "ManagedByFirewallManager": false,
        }}),
        "wafv2:ListTagsForResource" => {
            json!({"TagInfoForResource": {"ResourceARN": "x", "TagList": []}})
        }
        "wafv2:ListResourcesForWebACL" if asked["ResourceType"] == "APPLICATION_LOAD_BALANCER" => {
            json!({"ResourceArns": [balancer()]})
        }
        "wafv2:ListResourcesForWebACL" => json!({"ResourceArns": []}),
        "waf:ListWebACLs" | "waf-regional:ListWebACLs" => {
            json!({"WebACLs": [{"WebACLId": "c-1", "Name": "classic"}]})
        }
        "waf:GetWebACL" | "waf-regional:GetWebACL" => json!({"WebACL": {
            "WebACLId": "c-1", "Name": "classic", "DefaultAction": {"Type": "ALLOW"},
            "Rules": [{"RuleId": "r-1", "Priority": 1, "Type": "GROUP", "OverrideAction": {"Type": "NONE"}}],
        }}),
        "waf-regional:ListResourcesForWebACL" => json!({"ResourceArns": []}),
        "organizations:DescribeOrganization" => {
            json!({"Organization": {"Id": "o-1", "MasterAccountId": "000000000001"}})
        }
        "organizations:ListRoots" => json!({"Roots": [{"Id": "r-1", "Name": "Root"}]}),
        "organizations:ListOrganizationalUnitsForParent" => match asked["ParentId"].as_str() {
            Some("r-1") => json!({"OrganizationalUnits": [{"Id": "ou-1", "Name": "prod"}]}),
            Some("ou-1") => {
                json!({"OrganizationalUnits": [{"Id": "ou-2", "Name": "web"}, {"Id": "ou-3", "Name": "empty"}]})
            }
            _ => json!({"OrganizationalUnits": []}),
        },
        "organizations:ListAccounts" => json!({"Accounts": [
            {"Id": "000000000001", "Name": "root", "Status": "ACTIVE", "Paths": ["o-1/r-1/"]},
            {"Id": ACCOUNT, "Name": "web", "State": "ACTIVE", "Paths": ["o-1/r-1/ou-1/ou-2/"]},
            {"Id": "000000000003", "Name": "left", "Status": "SUSPENDED"},
            {"Id": "000000000004", "Name": "new", "State": "PENDING_ACTIVATION", "Paths": ["o-1/r-1/ou-1/"]},
        ]}),
        "organizations:ListParents" => {
            json!({"Parents": [{"Id": "ou-1", "Type": "ORGANIZATIONAL_UNIT"}]})
        }
        "organizations:ListDelegatedAdministrators" => {
            json!({"DelegatedAdministrators": [{"Id": ACCOUNT}]})
        }
        other => panic!("no answer for {other}"),
    }
}

/// The same with a token for a page that is to come; none for a call without pages.
pub fn with_token(call: &str, whole: &str) -> Option<String> {
    let (service, action) = call.split_once(':').unwrap();
    let row = palisade_aws::calls::find(service, action).unwrap();
    row.paging?;
    let token = "more-to-come";
    let before = |end: &str, more: String| whole.replacen(end, &format!("{more}{end}"), 1);
    Some(match service {
        "ec2" => before("<requestId>", format!("<nextToken>{token}</nextToken>")),
        "elb" | "elbv2" => {
            before(&format!("</{action}Result>"), format!("<NextMarker>{token}</NextMarker>"))
        }
        "cloudfront" => whole
            .replace("<IsTruncated>false", "<IsTruncated>true")
            .replace("<Quantity>", &format!("<NextMarker>{token}</NextMarker><Quantity>")),
        _ => {
            let mut answer: serde_json::Value = serde_json::from_str(whole).unwrap();
            answer[row.paging?.token_out] = token.into();
            answer.to_string()
        }
    })
}

/// A well-formed answer of the call without anything in it.
pub fn empty(call: &str) -> String {
    let (service, action) = call.split_once(':').unwrap();
    match service {
        "ec2" => ec2(action, ""),
        "elb" | "elbv2" => query(action, ""),
        "cloudfront" if action == "ListDistributions" => "<DistributionList/>".to_owned(),
        "cloudfront" => "<Tags/>".to_owned(),
        _ => "{}".to_owned(),
    }
}

/// Whether a request asked for a page after the first.
pub fn goes_on(head: &str, body: &str) -> bool {
    let names = ["NextToken", "Marker", "NextMarker", "position"];
    head.contains("more-to-come")
        || body.contains("more-to-come")
        || names.iter().any(|name| form(body, name).is_some())
}
