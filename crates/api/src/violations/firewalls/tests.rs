use palisade_core::evaluate::{
    ExpectedRoute, Finding, FirewallPath, RouteStep, RoutedSubnet, Violation, ViolationReason,
};
use palisade_core::ident::ResourceType;
use palisade_core::inventory::{
    Destination, FirewallRuleGroup, FirewallRules, Route, RouteTarget, TargetKind,
};
use serde_json::{Value, json};

use super::*;

fn told(finding: FirewallFinding) -> Value {
    let reason = ViolationReason::MissingFirewall;
    let found = Violation { reason, finding: Finding::from(finding) };
    let row = ViolatorRow {
        resource_type: ResourceType::SUBNET,
        id: "subnet-1".try_into().unwrap(),
        violations: vec![found.clone()],
        since_ms: 0,
        captured_ms: None,
    };
    serde_json::to_value(super::super::violation(&row, &found)).unwrap()
}

fn destination(text: &str) -> Destination {
    text.parse().map_or_else(|_| Destination::List(text.into()), Destination::Range)
}

fn route(text: &str, kind: TargetKind, id: &str) -> Route {
    let target = Some(RouteTarget { kind, id: id.into() });
    Route { destination: destination(text), target, active: Some(true) }
}

fn to_gateway() -> Route {
    route("0.0.0.0/0", TargetKind::Gateway, "igw-1")
}

fn at() -> Box<RoutedSubnet> {
    Box::new(RoutedSubnet {
        vpc: "vpc-1".into(),
        zone: Some("us-east-1a".into()),
        zone_id: Some("use1-az1".into()),
        table: "rtb-1".into(),
        is_shared: true,
    })
}

fn wanted(text: &str, target: &str) -> ExpectedRoute {
    ExpectedRoute {
        destination: destination(text),
        targets: vec![target.into()],
        subnets: vec!["subnet-1".into()],
        table: Some("rtb-2".into()),
    }
}

fn path() -> Box<FirewallPath> {
    Box::new(FirewallPath {
        firewall_subnet: Some("subnet-f".into()),
        endpoint: Some("vpce-1".into()),
        firewall_table: Some("rtb-f".into()),
        expected_firewall_routes: vec![wanted("0.0.0.0/0", "igw-1")],
        firewall_routes: vec![to_gateway()],
        gateway: Some("igw-1".into()),
        gateway_table: Some("rtb-i".into()),
        expected_gateway_routes: vec![wanted("10.0.1.0/24", "vpce-1")],
        gateway_routes: vec![route("10.0.1.0/24", TargetKind::VpcEndpoint, "vpce-1")],
    })
}

fn out() -> Value {
    json!([{"Destination": "0.0.0.0/0", "DestinationType": "IPV4", "Target": "igw-1",
        "TargetType": "GATEWAY"}])
}

fn expected_json(text: &str, target: &str) -> Value {
    json!([{"IpV4Cidr": text, "AllowedTargets": [target], "ContributingSubnets": ["subnet-1"],
        "RouteTableId": "rtb-2"}])
}

/// The members that both kinds of routes through a path have.
fn path_json() -> Value {
    json!({
        "CurrentFirewallSubnetRouteTable": "rtb-f", "ExpectedFirewallEndpoint": "vpce-1",
        "ExpectedFirewallSubnetRoutes": expected_json("0.0.0.0/0", "igw-1"),
        "ActualFirewallSubnetRoutes": out(), "InternetGatewayId": "igw-1",
        "CurrentInternetGatewayRouteTable": "rtb-i",
        "ExpectedInternetGatewayRoutes": expected_json("10.0.1.0/24", "vpce-1"),
        "ActualInternetGatewayRoutes": [{"Destination": "10.0.1.0/24", "DestinationType": "IPV4",
            "Target": "vpce-1", "TargetType": "VPC_ENDPOINT"}],
        "VpcId": "vpc-1", "RouteTableId": "rtb-1", "IsRouteTableUsedInDifferentAZ": true,
    })
}

fn with(mut value: Value, more: Value) -> Value {
    value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    value
}

#[test]
fn every_finding_has_its_member_with_all_that_is_told() {
    let vpc = || Box::<str>::from("vpc-1");
    let zone = || Some(Box::<str>::from("us-east-1a"));
    let zone_id = || Some(Box::<str>::from("use1-az1"));
    let none = Vec::new;
    let missing = json!({"ViolationTarget": "subnet-1", "VPC": "vpc-1",
        "AvailabilityZone": "us-east-1a"});
    let routes = || vec![to_gateway()];
    let cases: Vec<(FirewallFinding, &str, Value)> = vec![
        (
            FirewallFinding::MissingFirewall { vpc: vpc(), zone: zone(), others: none() },
            "NetworkFirewallMissingFirewallViolation",
            missing.clone(),
        ),
        (
            FirewallFinding::MissingFirewallSubnet {
                vpc: vpc(),
                zone: "us-east-1a".into(),
                others: none(),
            },
            "NetworkFirewallMissingSubnetViolation",
            missing.clone(),
        ),
        (
            FirewallFinding::MissingFirewallRouteTable {
                vpc: vpc(),
                zone: zone(),
                current: "rtb-1".into(),
                is_main: true,
                expected: Some("rtb-2".into()),
            },
            "NetworkFirewallMissingExpectedRTViolation",
            with(missing, json!({"CurrentRouteTable": "rtb-1", "ExpectedRouteTable": "rtb-2"})),
        ),
        (
            FirewallFinding::MissingFirewallEndpoint {
                vpc: vpc(),
                zone: zone(),
                zone_id: zone_id(),
            },
            "FirewallSubnetMissingVPCEndpointViolation",
            json!({"FirewallSubnetId": "subnet-1", "VpcId": "vpc-1",
                "SubnetAvailabilityZone": "us-east-1a", "SubnetAvailabilityZoneId": "use1-az1"}),
        ),
        (
            FirewallFinding::FirewallSubnetOutOfScope {
                vpc: vpc(),
                zone: zone(),
                zone_id: zone_id(),
                endpoint: "vpce-1".into(),
                remedies: Vec::new(),
            },
            "FirewallSubnetIsOutOfScopeViolation",
            json!({"FirewallSubnetId": "subnet-1", "VpcId": "vpc-1", "VpcEndpointId": "vpce-1",
                "SubnetAvailabilityZone": "us-east-1a", "SubnetAvailabilityZoneId": "use1-az1"}),
        ),
        (
            FirewallFinding::RoutesOutOfScope {
                at: at(),
                routes: routes(),
                path: path(),
                remedies: Vec::new(),
            },
            "RouteHasOutOfScopeEndpointViolation",
            json!({"SubnetId": "subnet-1", "VpcId": "vpc-1", "RouteTableId": "rtb-1",
                "ViolatingRoutes": out(), "SubnetAvailabilityZone": "us-east-1a",
                "SubnetAvailabilityZoneId": "use1-az1",
                "CurrentFirewallSubnetRouteTable": "rtb-f", "FirewallSubnetId": "subnet-f",
                "FirewallSubnetRoutes": out(), "InternetGatewayId": "igw-1",
                "CurrentInternetGatewayRouteTable": "rtb-i",
                "InternetGatewayRoutes": path_json()["ActualInternetGatewayRoutes"]}),
        ),
        (
            FirewallFinding::UninspectedTraffic {
                at: at(),
                routes: routes(),
                path: path(),
                remedies: Vec::new(),
            },
            "NetworkFirewallInternetTrafficNotInspectedViolation",
            with(
                path_json(),
                json!({"SubnetId": "subnet-1", "SubnetAvailabilityZone": "us-east-1a",
                    "ViolatingRoutes": out(), "FirewallSubnetId": "subnet-f"}),
            ),
        ),
        (
            FirewallFinding::InvalidRoutes {
                at: at(),
                route: Some(Box::new(to_gateway())),
                actual_endpoint: Some("vpce-2".into()),
                actual_subnet: Some("subnet-g".into()),
                crosses: true,
                path: path(),
                remedies: Vec::new(),
            },
            "NetworkFirewallInvalidRouteConfigurationViolation",
            with(
                path_json(),
                json!({"AffectedSubnets": ["subnet-1"], "ViolatingRoute": out()[0],
                    "ActualFirewallEndpoint": "vpce-2", "ActualFirewallSubnetId": "subnet-g",
                    "ExpectedFirewallSubnetId": "subnet-f"}),
            ),
        ),
        (
            FirewallFinding::BlackHoleRoutes {
                vpc: vpc(),
                table: "rtb-1".into(),
                routes: routes(),
                of_firewall: false,
            },
            "NetworkFirewallBlackHoleRouteDetectedViolation",
            json!({"ViolationTarget": "subnet-1", "RouteTableId": "rtb-1", "VpcId": "vpc-1",
                "ViolatingRoutes": out()}),
        ),
        (
            FirewallFinding::UnexpectedFirewallRoutes {
                vpc: vpc(),
                table: "rtb-1".into(),
                endpoint: Some("vpce-1".into()),
                routes: routes(),
                remedies: Vec::new(),
            },
            "NetworkFirewallUnexpectedFirewallRoutesViolation",
            json!({"FirewallSubnetId": "subnet-1", "ViolatingRoutes": out(),
                "RouteTableId": "rtb-1", "FirewallEndpoint": "vpce-1", "VpcId": "vpc-1"}),
        ),
        (
            FirewallFinding::UnexpectedGatewayRoutes {
                vpc: vpc(),
                table: "rtb-1".into(),
                routes: routes(),
                remedies: Vec::new(),
            },
            "NetworkFirewallUnexpectedGatewayRoutesViolation",
            json!({"GatewayId": "subnet-1", "ViolatingRoutes": out(), "RouteTableId": "rtb-1",
                "VpcId": "vpc-1"}),
        ),
        (
            FirewallFinding::MissingFirewallRoutes {
                vpc: vpc(),
                expected: vec![wanted("0.0.0.0/0", "igw-1")],
                remedies: Vec::new(),
            },
            "NetworkFirewallMissingExpectedRoutesViolation",
            json!({"ViolationTarget": "subnet-1", "VpcId": "vpc-1",
                "ExpectedRoutes": expected_json("0.0.0.0/0", "igw-1")}),
        ),
        (
            FirewallFinding::MissingGatewayRoutes {
                vpc: vpc(),
                table: None,
                expected: vec![wanted("10.0.1.0/24", "vpce-1")],
                remedies: Vec::new(),
            },
            "NetworkFirewallMissingExpectedRoutesViolation",
            json!({"ViolationTarget": "subnet-1", "VpcId": "vpc-1",
                "ExpectedRoutes": expected_json("10.0.1.0/24", "vpce-1")}),
        ),
    ];
    for (finding, member, wanted) in cases {
        assert_eq!(told(finding), json!({ member: wanted }), "{member}");
    }
}

#[test]
fn a_firewall_policy_is_described_as_it_is_and_as_it_should_be() {
    let group = |priority| FirewallRuleGroup {
        priority,
        arn: "arn:aws:network-firewall:us-east-1:1:stateful-rulegroup/threats".into(),
        override_action: Some("DROP_TO_ALERT".into()),
    };
    let current = FirewallRules {
        stateless_groups: Some(Vec::new()),
        stateless_defaults: Some(vec!["aws:pass".into()]),
        ..FirewallRules::default()
    };
    let expected = FirewallRules {
        stateless_groups: Some(vec![group(Some(7))]),
        stateful_groups: Some(vec![group(None)]),
        rule_order: Some("STRICT_ORDER".into()),
        ..FirewallRules::default()
    };
    let told = told(FirewallFinding::FirewallPolicyModified {
        arn: "arn:fp".into(),
        current: Box::new(current),
        expected: Box::new(expected),
        differences: vec!["x".into()],
    });
    let arn = "arn:aws:network-firewall:us-east-1:1:stateful-rulegroup/threats";
    assert_eq!(
        told["NetworkFirewallPolicyModifiedViolation"],
        json!({
            "ViolationTarget": "arn:fp",
            "CurrentPolicyDescription": {"StatelessRuleGroups": [],
                "StatelessDefaultActions": ["aws:pass"]},
            "ExpectedPolicyDescription": {
                "StatelessRuleGroups": [
                    {"RuleGroupName": "threats", "ResourceId": arn, "Priority": 7}],
                "StatefulRuleGroups": [{"RuleGroupName": "threats", "ResourceId": arn,
                    "Override": {"Action": "DROP_TO_ALERT"}}],
                "StatefulEngineOptions": {"RuleOrder": "STRICT_ORDER"}},
        })
    );
}

#[test]
fn remedies_of_routes_come_in_order_and_the_default_one_is_marked() {
    let table = || Some(Box::<str>::from("rtb-1"));
    let any = || destination("0.0.0.0/0");
    let steps = vec![
        RouteStep::Create { table: table(), destination: any(), target: "igw-1".into() },
        RouteStep::CreateTable { vpc: "vpc-1".into() },
        RouteStep::CopyTable { vpc: "vpc-1".into(), table: "rtb-1".into() },
        RouteStep::Associate { table: None, subnet: Some("subnet-1".into()), gateway: None },
        RouteStep::Associate { table: None, subnet: None, gateway: Some("igw-1".into()) },
        RouteStep::ReplaceAssociation { association: "rtbassoc-1".into(), table: None },
        RouteStep::Replace { table: None, destination: any(), target: "vpce-1".into() },
        RouteStep::Create { table: None, destination: any(), target: "vpce-1".into() },
    ];
    let last = vec![
        RouteStep::UpdateZones { creation: "{}".into(), zone: "us-east-1a".into() },
        RouteStep::Delete { table: "rtb-1".into(), destination: any() },
    ];
    let told = told(FirewallFinding::MissingFirewallRoutes {
        vpc: "vpc-1".into(),
        expected: vec![wanted("0.0.0.0/0", "igw-1")],
        remedies: vec![
            RouteRemedy { steps, is_default: true },
            RouteRemedy { steps: last, is_default: false },
        ],
    });
    let actions = &told["PossibleRemediationActions"]["Actions"];
    let id = |id: &str| json!({ "ResourceId": id });
    let made = json!({"Description": "the route table that was made"});
    let wanted = [
        (
            "EC2CreateRouteAction",
            json!({"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": id("igw-1"),
                "RouteTableId": id("rtb-1")}),
        ),
        ("EC2CreateRouteTableAction", json!({"VpcId": id("vpc-1")})),
        ("EC2CopyRouteTableAction", json!({"VpcId": id("vpc-1"), "RouteTableId": id("rtb-1")})),
        ("EC2AssociateRouteTableAction", json!({"SubnetId": id("subnet-1"), "RouteTableId": made})),
        ("EC2AssociateRouteTableAction", json!({"GatewayId": id("igw-1"), "RouteTableId": made})),
        (
            "EC2ReplaceRouteTableAssociationAction",
            json!({"AssociationId": id("rtbassoc-1"), "RouteTableId": made}),
        ),
        (
            "EC2ReplaceRouteAction",
            json!({"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": id("vpce-1"),
                "RouteTableId": made}),
        ),
        (
            "EC2CreateRouteAction",
            json!({"DestinationCidrBlock": "0.0.0.0/0", "VpcEndpointId": id("vpce-1"),
                "RouteTableId": made}),
        ),
    ];
    assert_eq!(actions[0]["IsDefaultAction"], json!(true));
    assert_eq!(actions[1]["IsDefaultAction"], json!(false));
    for (at, (name, mut members)) in wanted.into_iter().enumerate() {
        let step = &actions[0]["OrderedRemediationActions"][at];
        assert_eq!(step["Order"], json!(at + 1));
        let action = &step["RemediationAction"][name];
        members["Description"] = action["Description"].clone();
        assert_eq!(*action, members, "{name}");
        assert!(action["Description"].as_str().is_some_and(|text| !text.is_empty()), "{name}");
    }
    let other = &actions[1]["OrderedRemediationActions"];
    let zones = &other[0]["RemediationAction"]["FMSPolicyUpdateFirewallCreationConfigAction"];
    assert_eq!(zones["FirewallCreationConfig"], json!("{}"));
    let deleted = &other[1]["RemediationAction"]["EC2DeleteRouteAction"];
    assert_eq!(deleted["RouteTableId"], id("rtb-1"));
    assert_eq!(
        actions[1]["Description"],
        json!(
            "add Availability Zone us-east-1a to the policy's firewallCreationConfig; take the route 0.0.0.0/0 out of rtb-1"
        )
    );
}
