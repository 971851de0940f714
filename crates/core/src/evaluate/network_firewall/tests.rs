use crate::evaluate::world::{
    ACCOUNT, account, body, gaps, held, judged, outdated, policy, violators, world,
};
use crate::evaluate::{References, Status, Violation};
use crate::inventory::{
    Destination, FirewallPolicy, FirewallRuleGroup, FirewallRules, InternetGateway, Route,
    RouteAssociation, RouteTable, RouteTarget, Subnet, TargetKind, Vpc, VpcEndpoint,
};
use crate::policy::Rule;
use crate::policy::network_firewall::Zone;

use super::*;

mod routes;
mod strays;
mod zones;

/// A VPC in which all is as an automatic policy wants it: zones `a` and `b` have a subnet each that
/// reaches the internet through the firewall's endpoint in the zone, `c` one that does not reach it.
const GOOD: &str = "
    vpc vpc-1
    gateway igw-1 vpc-1
    subnet subnet-a vpc-1 us-east-1a use1-az1 10.0.1.0/24
    subnet subnet-b vpc-1 us-east-1b use1-az2 10.0.2.0/24
    subnet subnet-c vpc-1 us-east-1c use1-az3 10.0.3.0/24
    subnet subnet-fa vpc-1 us-east-1a use1-az1 10.0.9.0/28
    subnet subnet-fb vpc-1 us-east-1b use1-az2 10.0.9.16/28
    table rtb-main vpc-1 main | 10.0.0.0/16>local
    table rtb-a vpc-1 subnet-a | 10.0.0.0/16>local 0.0.0.0/0>vpce-a
    table rtb-b vpc-1 subnet-b | 10.0.0.0/16>local 0.0.0.0/0>vpce-b
    table rtb-fa vpc-1 subnet-fa | 10.0.0.0/16>local 0.0.0.0/0>igw-1
    table rtb-fb vpc-1 subnet-fb | 10.0.0.0/16>local 0.0.0.0/0>igw-1
    table rtb-i vpc-1 igw-1 | 10.0.0.0/16>local 10.0.1.0/24>vpce-a 10.0.2.0/24>vpce-b
    endpoint vpce-a vpc-1 subnet-fa
    endpoint vpce-b vpc-1 subnet-fb
    firewall OWN vpc-1 arn:fp subnet-fa subnet-fb
    policy arn:fp arn:rg
";

/// The name of the policy's own firewall in `vpc-1`.
fn own_name() -> String {
    format!("FMManagedNetworkFirewallweb{}vpc-1", policy("AWS::EC2::VPC", rule("")).id)
}

/// Switches: `listed=ZONE,…`, by name or id, `single`, `monitor`, `cross`, `central=ZONE,…`.
fn rule(switches: &str) -> Rule {
    let group = FirewallRuleGroup { arn: "arn:rg".into(), ..FirewallRuleGroup::default() };
    let mut rule = NetworkFirewall {
        rules: FirewallRules { stateful_groups: Some(vec![group]), ..FirewallRules::default() },
        ..NetworkFirewall::default()
    };
    let zones = |text: &str| {
        let named = |zone: &str| match zone.contains("-az") {
            true => Zone::Id(zone.into()),
            false => Zone::Name(zone.into()),
        };
        text.split(',').map(named).collect()
    };
    let single = switches.split_whitespace().any(|switch| switch == "single");
    rule.placement = Placement::Automatic { single };
    for switch in switches.split_whitespace() {
        match switch.split_once('=') {
            Some(("listed", text)) => {
                rule.placement = Placement::Listed { zones: zones(text), single };
            }
            Some(("central", text)) => {
                let owner = Some(account(ACCOUNT));
                let vpcs = vec![InspectionVpc { account: owner, id: "vpc-1".into() }];
                rule.placement = Placement::Inspection { vpcs, zones: zones(text) };
            }
            None if switch == "monitor" => rule.monitors = true,
            None if switch == "cross" => rule.may_cross = true,
            None if switch == "single" => {}
            _ => panic!("{switch}"),
        }
    }
    Rule::NetworkFirewall(rule)
}

/// The world with lines that begin so taken out (`-…`) and others put in (`+…`).
fn edited(edits: &[&str]) -> String {
    let mut lines: Vec<String> = GOOD.lines().map(|line| line.trim().to_owned()).collect();
    for edit in edits {
        let (sign, text) = edit.split_at(1);
        match sign {
            "-" => {
                let before = lines.len();
                lines.retain(|line| !line.starts_with(text));
                assert_ne!(before, lines.len(), "{edit}");
            }
            _ => lines.push(text.to_owned()),
        }
    }
    lines.join("\n")
}

fn items(text: &str) -> Vec<Item> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(item).collect()
}

/// One item; `?` stands for what is not told, `late` before it for a later state that tells nothing.
fn item(line: &str) -> Item {
    if let Some(line) = line.strip_prefix("late ") {
        return outdated(item(line));
    }
    let (told, routes) = line.split_once('|').unwrap_or((line, ""));
    let words: Vec<&str> = told.split_whitespace().collect();
    let text = |at: usize| words.get(at).filter(|word| **word != "?").map(|word| (*word).into());
    let texts = |from: usize| match words.get(from) {
        Some(&"?") => None,
        _ => Some(words[from.min(words.len())..].iter().map(|word| (*word).into()).collect()),
    };
    let id = words[1];
    match words[0] {
        "vpc" => {
            let owner = words.get(2).map(|owner| account(owner));
            body(ResourceType::VPC, id, Body::Vpc(Vpc { owner }))
        }
        "gateway" => {
            let gateway = InternetGateway { vpcs: texts(2) };
            body(ResourceType::INTERNET_GATEWAY, id, Body::InternetGateway(gateway))
        }
        "subnet" => {
            let ipv4 = words.get(5).and_then(|range| range.parse().ok());
            let subnet =
                Subnet { vpc: text(2), zone: text(3), zone_id: text(4), ipv4, owner: None };
            body(ResourceType::SUBNET, id, Body::Subnet(subnet))
        }
        "table" => {
            let on = words[3..].iter().filter(|word| **word != "?");
            let on = on.map(|word| RouteAssociation {
                subnet: word.starts_with("subnet").then(|| (*word).into()),
                gateway: word.starts_with("igw").then(|| (*word).into()),
                main: *word == "main",
                id: Some(format!("assoc-{word}").into()),
            });
            let routes = routes.split_whitespace().map(route).collect();
            let table = RouteTable {
                vpc: text(2),
                owner: None,
                routes: (!line.ends_with("| ?")).then_some(routes),
                associations: (words.get(3) != Some(&"?")).then(|| on.collect()),
            };
            body(ResourceType::ROUTE_TABLE, id, Body::RouteTable(table))
        }
        "endpoint" => {
            let endpoint = VpcEndpoint {
                vpc: text(2),
                kind: Some("GatewayLoadBalancer".into()),
                subnets: texts(3),
                state: Some("available".into()),
                service: None,
            };
            body(ResourceType::VPC_ENDPOINT, id, Body::VpcEndpoint(endpoint))
        }
        "firewall" => {
            let name = if id == "OWN" { own_name() } else { id.to_owned() };
            let firewall = crate::inventory::NetworkFirewall {
                name: (id != "?").then(|| name.clone().into()),
                arn: None,
                vpc: text(2),
                policy: text(3),
                subnets: texts(4),
            };
            body(ResourceType::NETWORK_FIREWALL, &name, Body::NetworkFirewall(firewall))
        }
        "policy" => {
            let group = |arn: Box<str>| FirewallRuleGroup { arn, ..FirewallRuleGroup::default() };
            let groups: Option<Vec<Box<str>>> = texts(2);
            let rules = FirewallRules {
                stateful_groups: groups.map(|groups| groups.into_iter().map(group).collect()),
                ..FirewallRules::default()
            };
            let held = FirewallPolicy { arn: Some(id.into()), rules };
            body(ResourceType::NETWORK_FIREWALL_POLICY, id, Body::FirewallPolicy(held))
        }
        "unseen" => body(words[2].try_into().unwrap(), id, Body::Unseen),
        other => panic!("{other}"),
    }
}

/// `DESTINATION>TARGET`, with `!` behind where it leads nowhere; a target `?` is not told.
fn route(text: &str) -> Route {
    if text == "?" {
        return route("0.0.0.0/0>?");
    }
    let (destination, target) = text.split_once('>').unwrap();
    let (target, active) = match target.strip_suffix('!') {
        Some(target) => (target, false),
        None => (target, true),
    };
    let kind = match target.split('-').next().unwrap() {
        "vpce" => TargetKind::VpcEndpoint,
        "nat" => TargetKind::NatGateway,
        "pcx" => TargetKind::PeeringConnection,
        _ => TargetKind::Gateway,
    };
    let destination = match destination.parse() {
        Ok(range) => Destination::Range(range),
        Err(_) => Destination::List(destination.into()),
    };
    let target = (target != "?").then(|| RouteTarget { kind, id: target.into() });
    Route { destination, target, active: Some(active) }
}

fn judge_text(switches: &str, text: &str) -> Judgement {
    let policy = policy("AWS::EC2::VPC", rule(switches));
    let shard = world(items(text));
    // What the policy names is among the items.
    let named = crate::evaluate::references(&policy).into_iter().filter_map(|reference| {
        let Reference::Item { resource_type, id, .. } = &reference else { return None };
        let item = shard.item(resource_type, id.as_str())?.clone();
        Some((reference, held(item)))
    });
    let references: References = named.collect();
    judged(&policy, &shard, &references)
}

/// Violators as `id REASON …`, every reason of each, then gaps in brackets, all joined by `; `.
fn told(judgement: &Judgement) -> String {
    let reason =
        |one: &Violation| serde_json::to_value(one.reason).unwrap().as_str().unwrap().to_owned();
    let all = judgement.violators.iter().map(|violator| {
        let reasons: Vec<String> = violator.violations.iter().map(reason).collect();
        format!("{} {}", violator.id, reasons.join(" "))
    });
    let gaps = gaps(judgement).into_iter().map(|gap| format!("[{}]", gap));
    all.chain(gaps).collect::<Vec<_>>().join("; ").replace(&own_name(), "OWN")
}

/// The evidence of the only violation of a resource.
fn summary(judgement: &Judgement, id: &str) -> String {
    let violator = judgement.violators.iter().find(|one| one.id.as_str() == id).unwrap();
    violator.violations[0].finding.summary()
}

fn check(rows: &[(&str, &[&str], &str)]) {
    for (switches, edits, wanted) in rows {
        let judgement = judge_text(switches, &edited(edits));
        assert_eq!(told(&judgement), *wanted, "{switches} {edits:?}");
    }
}

#[test]
fn a_vpc_with_the_policys_firewall_in_every_zone_that_needs_it_complies() {
    let judgement = judge_text("", GOOD);
    assert_eq!(told(&judgement), "");
    assert_eq!((judgement.in_scope, judgement.status()), (1, Some(Status::Compliant)));
    assert_eq!(judge_text("", "").status(), Some(Status::Compliant), "no VPC");
}

/// Semantics §5.7, §10 row 21, §11 row 58.
#[test]
fn a_vpc_without_the_policys_firewall_misses_it() {
    check(&[
        ("", &["-firewall"], "vpc-1 MISSING_FIREWALL"),
        ("", &["-firewall", "+firewall other vpc-1 arn:fp subnet-fa"], "vpc-1 MISSING_FIREWALL"),
        ("", &["-firewall", "+firewall OWN vpc-2 arn:fp subnet-fa"], "vpc-1 MISSING_FIREWALL"),
        // Nothing reaches the internet: no zone needs an endpoint.
        ("", &["-firewall", "-table rtb-a", "-table rtb-b", "-table rtb-f"], ""),
        (
            "listed=us-east-1a",
            &["-firewall", "-table rtb-a", "-table rtb-b", "-table rtb-f"],
            "vpc-1 MISSING_FIREWALL",
        ),
        (
            "",
            &["-firewall", "+firewall ? vpc-1 arn:fp subnet-fa"],
            "[AWSCONFIG The name of AWS::NetworkFirewall::Firewall _ was not recorded.]",
        ),
        (
            "",
            &["-firewall", "+unseen fw-1 AWS::NetworkFirewall::Firewall"],
            "[AWSCONFIG The configuration of AWS::NetworkFirewall::Firewall fw-1 was not recorded.]",
        ),
    ]);
    let beside = judge_text("", &edited(&["-firewall", "+firewall other vpc-1 arn:fp subnet-fa"]));
    assert_eq!(
        summary(&beside, "vpc-1"),
        "VPC vpc-1 has no firewall of this policy; firewall other is not this policy's"
    );
}

/// Semantics §7.2, §11 row 58: by names that the policy had as well.
#[test]
fn a_firewall_is_the_policys_by_its_name() {
    let mut policy = policy("AWS::EC2::VPC", rule(""));
    policy.name = "the web!".into();
    policy.former_names = vec!["old".into()];
    let id = policy.id.clone();
    for (name, wanted) in [
        (format!("FMManagedNetworkFirewalltheweb{id}vpc-1"), ""),
        (format!("FMManagedNetworkFirewallold{id}vpc-1"), ""),
        (format!("FMManagedNetworkFirewallnew{id}vpc-1"), "vpc-1 MISSING_FIREWALL"),
        (format!("FMManagedNetworkFirewalltheweb{id}vpc-2"), "vpc-1 MISSING_FIREWALL"),
        ("FMManagedNetworkFirewallthewebvpc-1".to_owned(), "vpc-1 MISSING_FIREWALL"),
        (format!("theweb{id}vpc-1"), "vpc-1 MISSING_FIREWALL"),
    ] {
        let text = GOOD.replace("OWN", &name);
        let judgement = judged(&policy, &world(items(&text)), &References::new());
        assert_eq!(violators(&judgement).join("; "), wanted, "{name}");
    }
}

/// Semantics §5.7: its route table, its endpoint.
#[test]
fn a_firewall_subnet_has_a_table_of_its_own_and_an_endpoint() {
    let table = "-table rtb-fa";
    check(&[
        ("", &[table], "subnet-fa MISSING_EXPECTED_ROUTE_TABLE"),
        (
            "",
            &[table, "-table rtb-a", "+table rtb-a vpc-1 subnet-a subnet-fa | 0.0.0.0/0>igw-1"],
            "subnet-fa MISSING_EXPECTED_ROUTE_TABLE",
        ),
        // Several firewall subnets may share one.
        ("", &["-table rtb-f", "+table rtb-f vpc-1 subnet-fa subnet-fb | 0.0.0.0/0>igw-1"], ""),
        (
            "",
            &["-endpoint vpce-b", "-table rtb-b"],
            "subnet-fb FIREWALL_SUBNET_MISSING_VPCE_ENDPOINT",
        ),
        (
            "",
            &["-endpoint vpce-b", "-table rtb-b", "+endpoint vpce-x vpc-1 ?"],
            "[AWSCONFIG The subnets of AWS::EC2::VPCEndpoint vpce-x were not recorded.]",
        ),
        (
            "",
            &["+table rtb-x vpc-1 subnet-fa | "],
            "[AWSCONFIG Which route table serves AWS::EC2::Subnet subnet-fa is not certain: rtb-fa, rtb-x do.]",
        ),
    ]);
    let judgement = judge_text("", &edited(&[table]));
    assert_eq!(
        summary(&judgement, "subnet-fa"),
        "the firewall subnet has no route table of its own: the main one, rtb-main, serves it"
    );
}

/// Semantics §5.7: members may add rule groups; which groups are recorded does not matter.
#[test]
fn a_firewall_policy_filters_by_what_is_wanted() {
    check(&[
        ("", &["-policy", "+policy arn:fp arn:rg arn:more"], ""),
        ("", &["-policy", "+policy arn:fp arn:more"], "arn:fp NETWORK_FIREWALL_POLICY_MODIFIED"),
        (
            "",
            &["-policy", "+policy arn:fp ?"],
            "[AWSCONFIG The stateful rule groups of AWS::NetworkFirewall::FirewallPolicy arn:fp were not recorded.]",
        ),
        ("", &["-policy"], "[AWSCONFIG Firewall policy arn:fp was not recorded.]"),
        (
            "",
            &["-policy", "+unseen fp-1 AWS::NetworkFirewall::FirewallPolicy"],
            "[AWSCONFIG The configuration of AWS::NetworkFirewall::FirewallPolicy fp-1 was not recorded.]",
        ),
        (
            "",
            &["-firewall", "+firewall OWN vpc-1 ? subnet-fa subnet-fb"],
            "[AWSCONFIG The firewall policy of AWS::NetworkFirewall::Firewall OWN was not recorded.]",
        ),
        (
            "",
            &["-policy", "+late policy arn:fp arn:rg"],
            "[AWSCONFIG The latest configuration of AWS::NetworkFirewall::FirewallPolicy arn:fp was not recorded.]",
        ),
    ]);
    let changed = judge_text("", &edited(&["-policy", "+policy arn:fp arn:more"]));
    assert_eq!(
        summary(&changed, "arn:fp"),
        "firewall policy arn:fp: stateful rule group arn:rg is missing"
    );
}

/// Semantics §10 row 28.
#[test]
fn a_vpc_of_another_account_is_its_owners() {
    let judgement = judge_text("", &edited(&["-vpc", "+vpc vpc-1 222222222222", "-firewall"]));
    assert_eq!((told(&judgement).as_str(), judgement.in_scope), ("", 0));
}

/// Semantics §1.5, §10 row 1.
#[test]
fn every_type_that_is_read_must_be_recorded() {
    let policy = policy("AWS::EC2::VPC", rule(""));
    let Rule::NetworkFirewall(firewall) = &policy.rule else { panic!() };
    for hidden in firewall.needed(&policy) {
        let group = crate::inventory::RecordingGroup::AllBut(vec![hidden.clone()]);
        let recorder = crate::inventory::Recorder { recording: true, group, internal: false };
        let recorder =
            body(ResourceType::CONFIGURATION_RECORDER, "default", Body::Recorder(recorder));
        let kept = items(GOOD).into_iter().filter(|item| item.key.resource_type != hidden);
        let judgement = judged(&policy, &world(kept.chain([recorder])), &References::new());
        assert_eq!(judgement.status(), None, "{hidden} {}", told(&judgement));
        let wanted = format!("AWSCONFIG AWS Config is not recording resource type {hidden}.");
        assert!(gaps(&judgement).contains(&wanted), "{hidden}");
    }
}

/// Semantics §11 rows 38 and 39: a subnet that is not told may reach the internet, and what an endpoint is
/// by now is not told by an older state.
#[test]
fn what_is_not_told_of_subnets_and_endpoints_is_a_gap() {
    let bare = "
        vpc vpc-1
        gateway igw-1 vpc-1
        subnet subnet-a ? us-east-1a use1-az1 10.0.1.0/24
        table rtb-main vpc-1 main | 10.0.0.0/16>local
        table rtb-a vpc-1 subnet-a | 10.0.0.0/16>local 0.0.0.0/0>igw-1
    ";
    for switches in ["", "single", "monitor"] {
        let policy = policy("AWS::EC2::VPC", rule(switches));
        let judgement = judged(&policy, &world(items(bare)), &References::new());
        assert_eq!(judgement.status(), None, "{switches} {judgement:?}");
        let mut unseen = items(bare);
        let subnet = unseen.iter_mut().find(|item| item.key.id.as_str() == "subnet-a").unwrap();
        subnet.body = Body::Unseen;
        let judgement = judged(&policy, &world(unseen), &References::new());
        assert_eq!(judgement.status(), None, "unseen, {switches} {judgement:?}");
        let told = bare.replace("subnet subnet-a ?", "subnet subnet-a vpc-1");
        let judgement = judged(&policy, &world(items(&told)), &References::new());
        assert_eq!(judgement.status(), Some(Status::NonCompliant), "told, {switches}");
        let late = edited(&["-endpoint vpce-a", "+late endpoint vpce-a vpc-1 subnet-fa"]);
        let late = late.replace("OWN", &own_name());
        let judgement = judged(&policy, &world(items(&late)), &References::new());
        assert_eq!(judgement.status(), None, "late, {switches} {judgement:?}");
    }
}
