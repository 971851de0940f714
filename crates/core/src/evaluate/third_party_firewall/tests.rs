use crate::evaluate::world::{
    ACCOUNT, account, body, gaps, judged, outdated, policy, tagged, world,
};
use crate::evaluate::{References, Status};
use crate::inventory::{
    Destination, InternetGateway, Recorder, RecordingGroup, Route, RouteAssociation, RouteTable,
    RouteTarget, Subnet, TargetKind, Vpc,
};
use crate::policy::Rule;
use crate::policy::network_firewall::{InspectionVpc, Placement, Zone};

use super::*;

const VENDOR: &str = "PALO_ALTO_NETWORKS_CLOUD_NGFW";
const UNKNOWN: &str = "[AWSVPC Whether third-party firewall PALO_ALTO_NETWORKS_CLOUD_NGFW is onboarded \
                       was not told by any source.]";

/// Two zones whose subnets reach the internet, with an endpoint each, and a third that does not reach it.
const GOOD: &str = "
    subnet subnet-a us-east-1a
    subnet subnet-b us-east-1b
    subnet subnet-c us-east-1c
    subnet subnet-fa us-east-1a
    subnet subnet-fb us-east-1b
    table rtb-main main | 10.0.0.0/16>local
    table rtb-a subnet-a | 0.0.0.0/0>vpce-a
    table rtb-b subnet-b | 0.0.0.0/0>igw-1
    table rtb-fa subnet-fa | 0.0.0.0/0>igw-1
    table rtb-fb subnet-fb | 0.0.0.0/0>igw-1
    endpoint vpce-a subnet-fa available
    endpoint vpce-b subnet-fb available
";

fn placed(placement: Placement) -> Policy {
    let firewall = ThirdPartyFirewall { vendor: VENDOR.into(), placement };
    policy("AWS::EC2::VPC", Rule::ThirdPartyFirewall(firewall))
}

fn automatic() -> Policy {
    placed(Placement::default())
}

fn zones(names: &str) -> Vec<Zone> {
    names.split_whitespace().map(|name| Zone::Name(name.into())).collect()
}

fn listed(names: &str) -> Policy {
    placed(Placement::Listed { zones: zones(names), single: false })
}

fn vpc(id: &str, owner: Option<&str>) -> Item {
    body(ResourceType::VPC, id, Body::Vpc(Vpc { owner: owner.map(account) }))
}

/// An item of `vpc-1`; `?` stands for what is not told, `late` before it for a later state without a body.
fn item(line: &str) -> Item {
    if let Some(line) = line.strip_prefix("late ") {
        return outdated(item(line));
    }
    let (told, routes) = line.split_once('|').unwrap_or((line, ""));
    let words: Vec<&str> = told.split_whitespace().collect();
    let text = |at: usize| words.get(at).filter(|word| **word != "?").map(|word| (*word).into());
    let (id, vpc) = (words[1], Some("vpc-1".into()));
    match words[0] {
        "subnet" => {
            let subnet = Subnet { vpc, zone: text(2), ..Subnet::default() };
            body(ResourceType::SUBNET, id, Body::Subnet(subnet))
        }
        "table" => {
            let on = words[2..].iter().map(|word| RouteAssociation {
                subnet: (*word != "main").then(|| (*word).into()),
                gateway: None,
                main: *word == "main",
                id: None,
            });
            let routes = Some(routes.split_whitespace().map(route).collect());
            let associations = Some(on.collect());
            let table = RouteTable { vpc, owner: None, routes, associations };
            body(ResourceType::ROUTE_TABLE, id, Body::RouteTable(table))
        }
        "endpoint" => {
            let endpoint = VpcEndpoint {
                vpc,
                kind: Some("GatewayLoadBalancer".into()),
                subnets: text(2).map(|subnet| vec![subnet]),
                state: text(3),
                service: None,
            };
            body(ResourceType::VPC_ENDPOINT, id, Body::VpcEndpoint(endpoint))
        }
        other => panic!("{other}"),
    }
}

fn route(text: &str) -> Route {
    let (destination, target) = text.split_once('>').unwrap();
    let kind =
        if target.starts_with("vpce") { TargetKind::VpcEndpoint } else { TargetKind::Gateway };
    Route {
        destination: Destination::Range(destination.parse().unwrap()),
        target: Some(RouteTarget { kind, id: target.into() }),
        active: Some(true),
    }
}

/// The world with lines that begin so taken out (`-…`) and others put in (`+…`).
fn edited(edits: &[&str]) -> Vec<Item> {
    let mut lines: Vec<&str> =
        GOOD.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    for edit in edits {
        let (sign, text) = edit.split_at(1);
        match sign {
            "-" => {
                let before = lines.len();
                lines.retain(|line| !line.starts_with(text));
                assert_ne!(before, lines.len(), "{edit}");
            }
            _ => lines.push(text),
        }
    }
    let gateway = InternetGateway { vpcs: Some(vec!["vpc-1".into()]) };
    let gateway = body(ResourceType::INTERNET_GATEWAY, "igw-1", Body::InternetGateway(gateway));
    lines.into_iter().map(item).chain([gateway, vpc("vpc-1", None)]).collect()
}

fn judge(policy: &Policy, items: Vec<Item>) -> Judgement {
    judged(policy, &world(items), &References::new())
}

/// Violators as `id REASON …`, then gaps in brackets but the one that there always is, joined by `; `.
fn told(judgement: &Judgement) -> String {
    let reason = |one: &Violation| {
        let Finding::ThirdParty(finding) = &one.finding else { panic!("{one:?}") };
        assert!(finding.summary().starts_with(VENDOR), "{finding:?}");
        serde_json::to_value(one.reason).unwrap().as_str().unwrap().to_owned()
    };
    let all = judgement.violators.iter().map(|violator| {
        let reasons: Vec<String> = violator.violations.iter().map(reason).collect();
        format!("{} {}", violator.id, reasons.join(" "))
    });
    let gaps: Vec<String> = gaps(judgement)
        .into_iter()
        .map(|gap| format!("[{gap}]"))
        .filter(|gap| gap != UNKNOWN)
        .collect();
    assert_eq!(gaps.len() + 1, judgement.gaps.len(), "the association is never told");
    assert_ne!(judgement.status(), Some(Status::Compliant));
    all.chain(gaps).collect::<Vec<_>>().join("; ")
}

/// Semantics §5.10, §10 rows 21 and 31, §11 rows 60 and 62.
#[test]
fn a_vpc_has_the_vendors_endpoint_in_each_zone_that_must_have_one() {
    let unheld =
        "vpc-1 MISSING_FIREWALL; [AWSCONFIG AWS::EC2::VPCEndpoint vpce-a was not recorded.]";
    let another = [
        "-endpoint vpce-b",
        "+subnet subnet-0 us-east-1b",
        "+table rtb-0 subnet-0 | 0.0.0.0/0>igw-1",
    ];
    for (policy, edits, wanted) in [
        (automatic(), &[][..], ""),
        // A route leads to one that is not held (semantics §11 row 54).
        (automatic(), &["-endpoint"], unheld),
        (automatic(), &["-endpoint vpce-b"], "subnet-b MISSING_FIREWALL_SUBNET_IN_AZ"),
        (automatic(), &another, "subnet-0 MISSING_FIREWALL_SUBNET_IN_AZ"),
        // Where nothing reaches the internet, nothing must be there.
        (automatic(), &["-endpoint", "-table rtb-a", "-table rtb-b", "-table rtb-f"], ""),
        (listed("us-east-1a us-east-1b"), &[], ""),
        (listed("us-east-1a us-east-1c"), &[], "subnet-c MISSING_FIREWALL_SUBNET_IN_AZ"),
        (listed("us-east-1a us-east-1d"), &[], "vpc-1 MISSING_FIREWALL_SUBNET_IN_AZ"),
        (listed("us-east-1c"), &["-endpoint"], "vpc-1 MISSING_FIREWALL"),
    ] {
        assert_eq!(told(&judge(&policy, edited(edits))), wanted, "{edits:?}");
    }
}

#[test]
fn a_firewall_subnet_has_its_endpoint_and_a_route_table_of_its_own() {
    for (edits, wanted) in [
        (
            &["-table rtb-f"][..],
            "subnet-fa MISSING_EXPECTED_ROUTE_TABLE; subnet-fb MISSING_EXPECTED_ROUTE_TABLE",
        ),
        (
            &["-table rtb-fa", "+table rtb-fa subnet-fa subnet-c |"],
            "subnet-fa MISSING_EXPECTED_ROUTE_TABLE",
        ),
        (
            &["-endpoint vpce-b", "+endpoint vpce-b subnet-fb deleted"],
            "subnet-fb FIREWALL_SUBNET_MISSING_VPCE_ENDPOINT",
        ),
        (
            &[
                "-endpoint vpce-b",
                "+endpoint vpce-b subnet-fb failed",
                "+endpoint vpce-c subnet-fb pending",
            ],
            "",
        ),
    ] {
        assert_eq!(told(&judge(&automatic(), edited(edits))), wanted, "{edits:?}");
    }
}

#[test]
fn a_zone_that_is_not_listed_any_more_is_told_while_routes_lead_there() {
    let found = judge(&listed("us-east-1b"), edited(&[]));
    assert_eq!(
        told(&found),
        "subnet-a ROUTE_HAS_OUT_OF_SCOPE_ENDPOINT; subnet-fa FIREWALL_SUBNET_IS_OUT_OF_SCOPE"
    );
    let unused = ["-table rtb-a", "+table rtb-a subnet-a | 0.0.0.0/0>igw-1"];
    assert_eq!(told(&judge(&listed("us-east-1b"), edited(&unused))), "");
}

/// Nothing tells whose an endpoint is, but Network Firewall marks its own.
#[test]
fn endpoints_of_network_firewall_are_none_of_a_vendors() {
    let marked = |item: Item| match item.key.resource_type == ResourceType::VPC_ENDPOINT {
        true => tagged(item, "AWSNetworkFirewallManaged=true"),
        false => item,
    };
    let items = edited(&[]).into_iter().map(marked).collect();
    assert_eq!(told(&judge(&automatic(), items)), "vpc-1 MISSING_FIREWALL");
    let untagged = |mut item: Item| {
        if item.key.resource_type == ResourceType::VPC_ENDPOINT {
            item.tags = None;
        }
        item
    };
    let items = edited(&["-endpoint vpce-b"]).into_iter().map(untagged).collect();
    assert_eq!(
        told(&judge(&automatic(), items)),
        "[AWSCONFIG The tags of AWS::EC2::VPCEndpoint vpce-a were not recorded.]"
    );
    let mut other = item("endpoint vpce-x subnet-fb available");
    let Body::VpcEndpoint(endpoint) = &mut other.body else { panic!() };
    endpoint.kind = Some("Interface".into());
    let items = edited(&["-endpoint"]).into_iter().chain([other]).collect();
    assert_eq!(
        told(&judge(&automatic(), items)),
        "vpc-1 MISSING_FIREWALL; [AWSCONFIG AWS::EC2::VPCEndpoint vpce-a was not recorded.]"
    );
}

/// Semantics §11 row 38.
#[test]
fn what_is_not_told_of_an_endpoint_is_a_gap_and_nothing_is_missing() {
    let kind = "AWS::EC2::VPCEndpoint";
    for (edits, wanted) in [
        (
            &["-endpoint vpce-b", "+endpoint vpce-b ? available"][..],
            format!("The subnets of {kind} vpce-b were not recorded."),
        ),
        (
            &["-endpoint vpce-b", "+endpoint vpce-b subnet-fb ?"],
            format!("The state of {kind} vpce-b was not recorded."),
        ),
        (
            &["-endpoint vpce-b", "+endpoint vpce-b subnet-x available"],
            "AWS::EC2::Subnet subnet-x was not recorded.".to_owned(),
        ),
        (
            &["-endpoint vpce-b", "+late endpoint vpce-b subnet-fb available"],
            format!("The latest configuration of {kind} vpce-b was not recorded."),
        ),
    ] {
        assert_eq!(
            told(&judge(&automatic(), edited(edits))),
            format!("[AWSCONFIG {wanted}]"),
            "{edits:?}"
        );
    }
    let unseen = body(ResourceType::VPC_ENDPOINT, "vpce-b", Body::Unseen);
    let items = edited(&["-endpoint vpce-b"]).into_iter().chain([unseen]).collect();
    assert_eq!(
        told(&judge(&automatic(), items)),
        format!("[AWSCONFIG The configuration of {kind} vpce-b was not recorded.]")
    );
    let unseen = body(ResourceType::VPC, "vpc-9", Body::Unseen);
    let items = edited(&[]).into_iter().chain([unseen]).collect();
    assert_eq!(
        told(&judge(&automatic(), items)),
        "[AWSCONFIG The configuration of AWS::EC2::VPC vpc-9 was not recorded.]"
    );
}

/// Semantics §1.5, §10 row 1.
#[test]
fn vpcs_subnets_route_tables_and_endpoints_must_be_recorded() {
    let all = [
        ResourceType::VPC,
        ResourceType::SUBNET,
        ResourceType::ROUTE_TABLE,
        ResourceType::VPC_ENDPOINT,
        ResourceType::INTERNET_GATEWAY,
    ];
    for missing in &all {
        let types = all.iter().filter(|kind| *kind != missing).cloned().collect();
        let group = RecordingGroup::Only(types);
        let recorder = Body::Recorder(Recorder { recording: true, group, internal: false });
        let recorder = body(ResourceType::CONFIGURATION_RECORDER, "default", recorder);
        let found = judge(&listed("us-east-1a"), vec![recorder]);
        assert_eq!(
            told(&found),
            format!("[AWSCONFIG AWS Config is not recording resource type {missing}.]")
        );
    }
}

/// Semantics §10 row 28, §11 row 54.
#[test]
fn a_vpc_of_another_account_and_one_that_is_no_inspection_vpc_are_not_judged() {
    let items = |owner| {
        let mut items = edited(&["-endpoint"]);
        items.retain(|item| item.key.resource_type != ResourceType::VPC);
        items.push(vpc("vpc-1", Some(owner)));
        items
    };
    let foreign = judge(&automatic(), items("222222222222"));
    assert_eq!((told(&foreign).as_str(), foreign.in_scope), ("", 0));
    let central = |id: &str| {
        let vpcs = vec![InspectionVpc { account: Some(account(ACCOUNT)), id: id.into() }];
        placed(Placement::Inspection { vpcs, zones: zones("us-east-1a") })
    };
    let other = judge(&central("vpc-2"), items(ACCOUNT));
    assert_eq!(other.in_scope, 0);
    assert!(told(&other).contains("Inspection VPC vpc-2 of account 111111111111"), "{other:?}");
    let own = judge(&central("vpc-1"), items(ACCOUNT));
    assert!(told(&own).starts_with("vpc-1 MISSING_FIREWALL"), "{own:?}");
}
