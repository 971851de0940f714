//! NETWORK_FIREWALL, naively: VPCs without the policy's firewall, zones without an endpoint of it, firewall
//! policies that were changed (semantics §5.7, §7.2, §10 rows 1, 21, 28, §11 rows 38, 54, 58, 60).

use std::collections::BTreeSet;

use serde_json::Value;

use super::firewall_rules::answers;
use super::held::{self, Held};
use super::item::is_unseen;
use super::known::require;
use super::scope::tags_in_scope;
use super::{Found, Mutation, Said, World, list, service_data, text};

const VPC: &str = "AWS::EC2::VPC";
const SUBNET: &str = "AWS::EC2::Subnet";
const TABLE: &str = "AWS::EC2::RouteTable";
const ENDPOINT: &str = "AWS::EC2::VPCEndpoint";
const FIREWALL: &str = "AWS::NetworkFirewall::Firewall";
const FIREWALL_POLICY: &str = "AWS::NetworkFirewall::FirewallPolicy";

const MISSING: &str = "MISSING_FIREWALL";
const NO_SUBNET: &str = "MISSING_FIREWALL_SUBNET_IN_AZ";
const NO_ENDPOINT: &str = "FIREWALL_SUBNET_MISSING_VPCE_ENDPOINT";
const MODIFIED: &str = "NETWORK_FIREWALL_POLICY_MODIFIED";
/// The policy's id in every case.
const POLICY: &str = "0dd0dd00-0000-4000-8000-000000000001";

/// A zone that a policy wants an endpoint in, with the subnets that made it wanted.
struct Zone<'a> {
    name: String,
    subnets: Vec<&'a Value>,
}

/// What a policy asks for.
struct Demand {
    /// Rules and options.
    config: Value,
    /// The zones that are listed, by name; nothing where they are found.
    listed: Option<Vec<String>>,
    /// The VPCs that are inspection VPCs; nothing where all in scope are judged.
    inspection: Option<Vec<(String, String)>>,
}

impl Demand {
    fn of(policy: &Value) -> Demand {
        let data = service_data(policy);
        let model = &data["firewallDeploymentModel"]["centralizedFirewallDeploymentModel"];
        let central = &model["centralizedFirewallOrchestrationConfig"];
        let config = match central.is_object() {
            true => data["awsNetworkFirewallConfig"].clone(),
            false => data.clone(),
        };
        let orchestration =
            if central.is_object() { central } else { &data["networkFirewallOrchestrationConfig"] };
        let location = &orchestration["firewallCreationConfig"]["endpointLocation"];
        let zones = &location["availabilityZoneConfigList"];
        let name = |zone: &Value| text(&zone["availabilityZoneName"]).to_owned();
        let vpc =
            |vpc: &Value| (text(&vpc["resourceId"]).to_owned(), text(&vpc["accountId"]).to_owned());
        Demand {
            listed: zones.as_array().map(|zones| zones.iter().map(name).collect()),
            inspection: central["inspectionVpcIds"]
                .as_array()
                .map(|all| all.iter().map(vpc).collect()),
            config,
        }
    }
}

pub fn judge(world: &World<'_>, broken: Option<Mutation>) -> Found {
    let (case, policy) = (world.case, &world.case["policy"]);
    let here = held::of_account(world, text(&case["region"]), broken);
    let demand = Demand::of(policy);
    let mut found = Found::default();
    // Those of §1.5 that are read (row 1), and the endpoints.
    let needed = [VPC, SUBNET, FIREWALL, FIREWALL_POLICY, TABLE, ENDPOINT];
    require(&mut found, world, &here, &needed);
    for vpc in here.of_type(VPC) {
        if !tags_in_scope(policy, &here, vpc, broken) {
            continue;
        }
        let id = text(&vpc["resourceId"]);
        let owner = text(&held::body(vpc)["ownerId"]);
        if !owner.is_empty() && owner != here.account && broken != Some(Mutation::ForeignVpcsWanted)
        {
            continue;
        }
        // Row 54: of centralized policies inspection VPCs alone are judged.
        let inspects = |all: &Vec<(String, String)>| {
            all.iter().any(|(vpc, account)| vpc == id && *account == here.account)
        };
        if demand.inspection.as_ref().is_some_and(|all| !inspects(all))
            && broken != Some(Mutation::EveryVpcInspects)
        {
            continue;
        }
        if is_unseen(vpc) {
            if broken != Some(Mutation::NotRecordedCountedCompliant) {
                found.gap();
            }
            continue;
        }
        if here.is_outdated(vpc) && broken != Some(Mutation::OutdatedResourcesPass) {
            found.gap();
        }
        judge_vpc(world, &here, vpc, &demand, &mut found, broken);
    }
    found
}

fn judge_vpc(
    world: &World<'_>,
    here: &Held<'_>,
    vpc: &Value,
    demand: &Demand,
    found: &mut Found,
    broken: Option<Mutation>,
) {
    let id = text(&vpc["resourceId"]);
    let in_vpc = |item: &&Value| text(&held::body(item)["firewall"]["vpcId"]) == id;
    let doubtful = here
        .of_type(FIREWALL)
        .any(|item| is_unseen(item) || held::body(item)["firewall"]["vpcId"].is_null());
    let firewalls: Vec<&Value> = here.of_type(FIREWALL).filter(in_vpc).collect();
    let name = format!(
        "FMManagedNetworkFirewall{}{POLICY}{id}",
        text(&world.case["policy"]["PolicyName"])
    );
    let own = firewalls.iter().find(|item| {
        let named = text(&held::body(item)["firewall"]["firewallName"]);
        match broken {
            Some(Mutation::AnyFirewallServes) => true,
            Some(Mutation::FirewallsOfOtherPoliciesServe) => {
                named.starts_with("FMManagedNetworkFirewall")
            }
            _ => named == name,
        }
    });
    // The firewall's own subnets want none.
    let mappings = own.map_or(&Value::Null, |own| &held::body(own)["firewall"]["subnetMappings"]);
    let its_own: Vec<&str> = list(mappings).iter().map(|one| text(&one["subnetId"])).collect();
    let zones = wanted_zones(here, id, demand, &its_own, found, broken);
    let Some(own) = own else {
        if zones.is_empty() {
            return;
        }
        if doubtful && broken != Some(Mutation::UnseenFirewallsAreNone) {
            return found.gap();
        }
        if !here.knows(world, FIREWALL) {
            return;
        }
        // Rows 21, 58: what serves another is none of the policy's.
        return found.violator(vpc, MISSING);
    };
    if here.is_outdated(own) && broken != Some(Mutation::OutdatedFirewallsPass) {
        found.gap();
    }
    let firewall = &held::body(own)["firewall"];
    let mapped: Vec<Option<&Value>> =
        list(mappings).iter().map(|one| here.item(SUBNET, text(&one["subnetId"]))).collect();
    for zone in &zones {
        let mut has = Said::of(false);
        for subnet in &mapped {
            has = has.or(match subnet.and_then(zone_of) {
                Some(of) => Said::of(of == zone.name),
                None if broken == Some(Mutation::UntoldSubnetsServeNobody) => Said::No,
                None => Said::Untold,
            });
        }
        if !mappings.is_array() {
            has = has.or(Said::Untold);
        }
        match has {
            Said::Yes => {}
            Said::No if broken == Some(Mutation::OneEndpointIsEnough) && !mapped.is_empty() => {}
            // Which subnet is to be named is not told.
            Said::No if zone.subnets.is_empty() && !here.knows(world, SUBNET) => found.gap(),
            Said::No => found.violator(smallest(&zone.subnets).unwrap_or(vpc), NO_SUBNET),
            Said::Untold => found.gap(),
        }
    }
    for subnet in mapped.iter().flatten() {
        match has_endpoint(here, text(&subnet["resourceId"])) {
            Said::Yes => {}
            _ if broken == Some(Mutation::EndpointsNotNeeded) => {}
            Said::No if here.knows(world, ENDPOINT) => found.violator(subnet, NO_ENDPOINT),
            _ => found.gap(),
        }
    }
    let arn = text(&firewall["firewallPolicyArn"]);
    let of_it = |item: &&Value| {
        text(&held::body(item)["firewallPolicyResponse"]["firewallPolicyArn"]) == arn
    };
    let Some(held) = here.of_type(FIREWALL_POLICY).find(of_it).filter(|_| !arn.is_empty()) else {
        if broken != Some(Mutation::UnheldFirewallPoliciesPass) {
            found.gap();
        }
        return;
    };
    if here.is_outdated(held) && broken != Some(Mutation::OutdatedFirewallPoliciesPass) {
        found.gap();
    }
    let answers = answers(&demand.config, held::body(held), broken);
    if answers.contains(&Said::Untold) || is_unseen(held) {
        found.gap();
    }
    if answers.contains(&Said::No) && !is_unseen(held) {
        found.violator(held, MODIFIED);
    }
}

/// Whether a Gateway Load Balancer endpoint is in a subnet.
fn has_endpoint(here: &Held<'_>, subnet: &str) -> Said {
    let mut sum = Said::No;
    for endpoint in here.of_type(ENDPOINT) {
        let body = held::body(endpoint);
        let named = list(&body["subnetIds"]).iter().any(|id| id == subnet);
        let kind = match body["vpcEndpointType"].as_str() {
            Some(kind) => Said::of(kind == "GatewayLoadBalancer"),
            None => Said::Untold,
        };
        sum = sum.or(match body["subnetIds"].is_array() {
            true => Said::of(named).and(kind),
            false => Said::Untold,
        });
    }
    sum
}

/// Listed zones, or those with a subnet whose route table leads to an internet gateway.
fn wanted_zones<'a>(
    here: &Held<'a>,
    vpc: &str,
    demand: &Demand,
    its_own: &[&str],
    found: &mut Found,
    broken: Option<Mutation>,
) -> Vec<Zone<'a>> {
    let mut subnets = vec![];
    for subnet in here.of_type(SUBNET) {
        match held::body(subnet)["vpcId"].as_str() {
            Some(of) if of == vpc => subnets.push(subnet),
            Some(_) => {}
            // It may be of this one.
            None => found.gap(),
        }
    }
    let of_zone = |name: &str, all: &[&'a Value]| -> Vec<&'a Value> {
        all.iter().copied().filter(|subnet| zone_of(subnet) == Some(name)).collect()
    };
    if let Some(listed) = &demand.listed {
        let zone = |name: &String| Zone { name: name.clone(), subnets: of_zone(name, &subnets) };
        return listed.iter().map(zone).collect();
    }
    let mut public = vec![];
    for subnet in subnets.iter().filter(|one| !its_own.contains(&text(&one["resourceId"]))) {
        if here.is_outdated(subnet) && broken != Some(Mutation::OutdatedSubnetsPass) {
            found.gap();
        }
        match is_served(here, subnet, vpc, its_own, found, broken) {
            Said::Yes if zone_of(subnet).is_none() => found.gap(),
            Said::Yes => public.push(*subnet),
            Said::No => {}
            Said::Untold => found.gap(),
        }
    }
    // A table serves a subnet that is not held: of which zone that is nobody tells.
    let unheld = here.of_type(TABLE).any(|table| {
        let associations = list(&held::body(table)["associations"]);
        let of_vpc = held::body(table)["vpcId"].is_null() || held::body(table)["vpcId"] == *vpc;
        let strange = |one: &Value| {
            let id = text(&one["subnetId"]);
            !id.is_empty() && !its_own.contains(&id) && here.item(SUBNET, id).is_none()
        };
        let leads = routes_lead(here, table, its_own, broken) != Said::No;
        of_vpc && leads && associations.iter().any(strange)
    });
    if unheld && broken != Some(Mutation::UnheldSubnetsWantNothing) {
        found.gap();
    }
    let names: BTreeSet<&str> = public.iter().filter_map(|subnet| zone_of(subnet)).collect();
    let zone = |name: &str| Zone { name: name.to_owned(), subnets: of_zone(name, &public) };
    names.into_iter().map(zone).collect()
}

/// Whether the route table of a subnet leads to an internet gateway or to an endpoint of the firewall: the
/// table associated with it, else the main one of its VPC.
fn is_served(
    here: &Held<'_>,
    subnet: &Value,
    vpc: &str,
    its_own: &[&str],
    found: &mut Found,
    broken: Option<Mutation>,
) -> Said {
    let id = text(&subnet["resourceId"]);
    let associated = |table: &&Value, is: &dyn Fn(&Value) -> bool| {
        list(&held::body(table)["associations"]).iter().any(is)
    };
    let own = here.of_type(TABLE).find(|table| associated(table, &|one| one["subnetId"] == *id));
    let main = here.of_type(TABLE).find(|table| {
        held::body(table)["vpcId"] == *vpc && associated(table, &|one| one["main"] == true)
    });
    let all_told = here
        .of_type(TABLE)
        .all(|table| !is_unseen(table) && held::body(table)["associations"].is_array());
    let table = match own {
        Some(own) => own,
        None if !all_told && broken != Some(Mutation::UntoldTablesAreMain) => return Said::Untold,
        None if broken == Some(Mutation::MainTablesIgnored) => return Said::No,
        None => match main {
            Some(main) => main,
            None => return Said::Untold,
        },
    };
    if here.is_outdated(table) && broken != Some(Mutation::OutdatedTablesPass) {
        found.gap();
    }
    routes_lead(here, table, its_own, broken)
}

/// Whether a table has an IPv4 or prefix list route to an internet gateway, or to an endpoint of the firewall's
/// in one of its own subnets (§5.7). Of an endpoint whose item is not held nobody knows (row 54).
fn routes_lead(here: &Held<'_>, table: &Value, its_own: &[&str], broken: Option<Mutation>) -> Said {
    let routes = &held::body(table)["routes"];
    if !routes.is_array() {
        return Said::Untold;
    }
    let mut sum = Said::No;
    for route in list(routes) {
        let ipv4 = !route["destinationCidrBlock"].is_null()
            || !route["destinationPrefixListId"].is_null()
            || broken == Some(Mutation::Ipv6RoutesCount);
        let to = ["gatewayId", "vpcEndpointId"].map(|member| text(&route[member]));
        let [gateway, endpoint] = to;
        let endpoint = if gateway.starts_with("vpce-") { gateway } else { endpoint };
        sum = sum.or(if !ipv4 {
            Said::No
        } else if gateway.starts_with("igw-") {
            Said::Yes
        } else if endpoint.is_empty() {
            Said::No
        } else {
            is_firewalls(here, endpoint, its_own, broken)
        });
    }
    sum
}

/// Whether an endpoint is one of the firewall's: of a Gateway Load Balancer, in one of its own subnets.
fn is_firewalls(here: &Held<'_>, id: &str, its_own: &[&str], broken: Option<Mutation>) -> Said {
    let Some(endpoint) = here.item(ENDPOINT, id) else {
        return Said::of(false).or(match broken {
            Some(Mutation::UnheldEndpointsLeadNowhere) => Said::No,
            _ => Said::Untold,
        });
    };
    let body = held::body(endpoint);
    if is_unseen(endpoint) || here.is_outdated(endpoint) {
        return Said::Untold;
    }
    let kind = match body["vpcEndpointType"].as_str() {
        Some(kind) => Said::of(kind == "GatewayLoadBalancer"),
        None => Said::Untold,
    };
    let inside = match body["subnetIds"].is_array() {
        true => Said::of(list(&body["subnetIds"]).iter().any(|id| its_own.contains(&text(id)))),
        false => Said::Untold,
    };
    kind.and(inside)
}

fn zone_of(subnet: &Value) -> Option<&str> {
    held::body(subnet)["availabilityZone"].as_str().filter(|zone| !zone.is_empty())
}

/// The one with the smallest id.
fn smallest<'a>(subnets: &[&'a Value]) -> Option<&'a Value> {
    subnets.iter().copied().min_by_key(|subnet| text(&subnet["resourceId"]))
}
