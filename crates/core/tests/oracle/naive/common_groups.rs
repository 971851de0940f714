//! SECURITY_GROUPS_COMMON, naively: resources without the replica of a primary group, or with other
//! groups, and replicas that were edited (semantics §5.4, §10 rows 18, 19, 27, 28, §11 rows 38, 40, 41,
//! 42, 65).

use serde_json::Value;

use super::age::may_be_otherwise;
use super::demand::name_of;
use super::held::{self, Held};
use super::item::is_unseen;
use super::known::require;
use super::network::{INSTANCE, INTERFACE, Part, interfaces, is_mute, is_terminated, parts};
use super::rules::rules;
use super::scope::{listed_types, tags_in_scope};
use super::usage::normalised;
use super::waf::{BALANCER, balancer_kind};
use super::{Found, Mutation, Said, World, flag, list, service_data, text};

const GROUP: &str = "AWS::EC2::SecurityGroup";
const VPC: &str = "AWS::EC2::VPC";
const MISSING: &str = "RESOURCE_MISSING_SECURITY_GROUP";
const EDITED: &str = "FMS_CREATED_SECURITY_GROUP_EDITED";
/// The policy's id in every case.
const POLICY: &str = "0dd0dd00-0000-4000-8000-000000000001";

/// What policies of common groups look at in one account.
struct Common<'a, 'h> {
    world: &'a World<'a>,
    here: &'h Held<'h>,
    there: &'h Held<'h>,
    others: &'h [Held<'h>],
    data: Value,
    /// The primary groups, by id; those that are held.
    primaries: Vec<(String, Option<&'h Value>)>,
    broken: Option<Mutation>,
}

pub fn judge(world: &World<'_>, broken: Option<Mutation>) -> Found {
    let (case, policy) = (world.case, &world.case["policy"]);
    let here = held::of_account(world, text(&case["region"]), broken);
    let there = held::of_administrator(world, broken);
    let others = held::of_others(world, broken);
    let data = service_data(policy);
    let listed = listed_types(policy);
    let mut found = Found::default();
    let mut needed = vec![GROUP];
    needed.extend(&listed);
    require(&mut found, world, &here, &needed);
    // A VPC that is not told may be another account's (rows 37, 38).
    if here.has_hole(world, VPC) {
        found.gap();
    }
    // Instances and interfaces tell of each other (rows 37, 42).
    if listed.iter().any(|kind| [INTERFACE, INSTANCE].contains(kind))
        && [INTERFACE, INSTANCE].iter().any(|kind| here.has_hole(world, kind))
        && broken != Some(Mutation::HolesOfListsAndCarriersPass)
    {
        found.gap();
    }
    let reverts = flag(&data["revertManualSecurityGroupChanges"], broken)
        || broken == Some(Mutation::EditsNeedNotBeAskedFor);
    let mut primaries = vec![];
    for named in list(&data["securityGroups"]) {
        let id = text(&named["id"]).trim();
        // One that another account owns is none of the administrator's.
        let own = |group: &&Value| match text(&held::body(group)["ownerId"]) {
            "" => true,
            owner => owner == there.account,
        };
        let held = there.item(GROUP, id).filter(|group| !is_unseen(group)).filter(own);
        // Row 27.
        if held.is_none() && broken != Some(Mutation::MissingPrimariesSkipped) {
            found.issues.insert("AWSVPC".to_owned());
            found.no_result = true;
        }
        if held.is_some() && may_be_otherwise(world, &here, &there, (GROUP, id)) {
            found.gap();
        }
        primaries.push((id.to_owned(), held));
    }
    let common =
        Common { world, here: &here, there: &there, others: &others, data, primaries, broken };
    // Nothing can be held against what is missing.
    if found.no_result {
        return found;
    }
    for kind in listed {
        common.resources(kind, &mut found);
    }
    if reverts {
        common.replicas(&mut found);
    }
    found
}

impl Common<'_, '_> {
    /// Resources of one type, each with the groups on it.
    fn resources(&self, kind: &str, found: &mut Found) {
        let (here, broken) = (self.here, self.broken);
        let mut all: Vec<(&Value, Vec<Part>)> = vec![];
        match kind {
            INTERFACE => {
                for one in interfaces(here, self.others, broken) {
                    let (groups, untold, outdated) = (one.groups, one.untold, one.outdated);
                    if !one.foreign {
                        let part = Part { groups, untold, outdated, is_primary: true };
                        all.push((one.item, vec![part]));
                    }
                }
            }
            INSTANCE => {
                for item in here.of_type(INSTANCE) {
                    // Row 19.
                    let each = match broken {
                        Some(Mutation::EveryInterfaceJudged) => true,
                        Some(Mutation::PrimaryInterfacesAlone) => false,
                        _ => flag(&self.data["applyToAllEC2InstanceENIs"], broken),
                    };
                    let mut of_it = parts(item, here, each);
                    of_it.retain(|part| part.is_primary || each);
                    all.push((item, of_it));
                }
            }
            _ => {
                for item in here.of_type(kind) {
                    let groups = &held::body(item)["securityGroups"];
                    let part = Part {
                        groups: super::network::ids_of(groups),
                        untold: !groups.is_array(),
                        outdated: here.is_outdated(item),
                        is_primary: true,
                    };
                    all.push((item, vec![part]));
                }
            }
        }
        for (item, of_it) in all {
            match self.in_scope(item) {
                Said::No => {}
                _ if is_unseen(item) => {
                    if broken != Some(Mutation::NotRecordedCountedCompliant) {
                        found.gap();
                    }
                }
                scope => self.resource(item, &of_it, scope, found),
            }
        }
    }

    /// Whether a resource whose tags are in scope is so by what it is and where.
    fn in_scope(&self, item: &Value) -> Said {
        let broken = self.broken;
        if !tags_in_scope(&self.world.case["policy"], self.here, item, broken) {
            return Said::No;
        }
        is_about(self.world, self.here, self.others, item, broken)
    }

    fn resource(&self, item: &Value, of_it: &[Part], in_scope: Said, found: &mut Found) {
        let broken = self.broken;
        if of_it.iter().any(|part| part.outdated) && broken != Some(Mutation::OutdatedResourcesPass)
        {
            found.gap();
        }
        let vpc = self.vpc_of_carrier(item, of_it);
        let mut violates = Said::No;
        for part in of_it {
            let mut lacks = Said::No;
            for (primary, _) in &self.primaries {
                let serving = part.groups.iter().map(|id| self.serves(id, primary, vpc));
                let mut has = serving.fold(Said::No, Said::or);
                if part.untold && broken != Some(Mutation::UntoldGroupsOfCarriersAreNone) {
                    has = has.or(Said::Untold);
                }
                lacks = lacks.or(has.opposite());
                if broken == Some(Mutation::OnePrimaryIsEnough) && has == Said::Yes {
                    lacks = Said::No;
                    break;
                }
            }
            violates = violates.or(lacks);
            if flag(&self.data["exclusiveResourceSecurityGroupManagement"], broken)
                && broken != Some(Mutation::ExclusiveIgnored)
            {
                let others = part.groups.iter().map(|id| self.is_another(id, vpc));
                let mut others = others.fold(Said::No, Said::or);
                if part.untold {
                    others = others.or(Said::Untold);
                }
                violates = violates.or(others);
            }
        }
        // What complies does so in scope or out of it.
        match violates.and(in_scope) {
            Said::Yes => found.violator(item, MISSING),
            Said::Untold => found.gap(),
            Said::No => {}
        }
    }

    /// The VPC of a resource. The groups on a load balancer are of its VPC.
    fn vpc_of_carrier<'v>(&'v self, item: &'v Value, of_it: &'v [Part]) -> Option<&'v str> {
        let of_groups = || {
            let mut groups = of_it.iter().flat_map(|part| &part.groups);
            groups.find_map(|id| self.here.item(GROUP, id).and_then(vpc_of))
        };
        let is_balancer = ![INTERFACE, INSTANCE].contains(&text(&item["resourceType"]));
        vpc_of(item).or_else(|| of_groups().filter(|_| is_balancer))
    }

    /// Whether a group on a resource in a VPC serves for a primary group.
    fn serves(&self, id: &str, primary: &str, vpc: Option<&str>) -> Said {
        let broken = self.broken;
        let is_administrators = self.world.case["account"] == self.world.case["administrator"];
        if id == primary && is_administrators && broken != Some(Mutation::PrimariesNeverServe) {
            // Row 19: in its own VPC.
            let of = self.primaries.iter().find(|(of, _)| of == primary);
            let home = of.and_then(|(_, group)| group.as_ref()).and_then(|group| vpc_of(group));
            return match (home, vpc) {
                _ if broken == Some(Mutation::PrimariesServeEverywhere) => Said::Yes,
                (Some(home), Some(vpc)) => Said::of(home == vpc),
                _ => Said::Untold,
            };
        }
        let Some(group) = self.here.item(GROUP, id) else {
            // Row 65: what another account owns does not serve.
            let foreign = self.others.iter().any(|there| there.item(GROUP, id).is_some());
            let none = foreign || broken == Some(Mutation::UnheldGroupsServeNobody);
            return if none { Said::No } else { Said::Untold };
        };
        if is_unseen(group) {
            return Said::Untold;
        }
        if self.is_foreign(group) && broken != Some(Mutation::ReplicasOfOthersServe) {
            return Said::No;
        }
        let named = match name_of(group) {
            "" => return Said::Untold,
            _ => Said::of(is_replica_of(group, primary, broken)),
        };
        // A replica is one for its VPC (§5.4).
        let near = match (vpc_of(group), vpc) {
            _ if broken == Some(Mutation::ReplicasServeInAnyVpc) => Said::Yes,
            (Some(of), Some(vpc)) => Said::of(of == vpc),
            _ => Said::Untold,
        };
        named.and(near)
    }

    /// Whether a group serves for none of the primary groups.
    fn is_another(&self, id: &str, vpc: Option<&str>) -> Said {
        let serving = self.primaries.iter().map(|(primary, _)| self.serves(id, primary, vpc));
        serving.fold(Said::No, Said::or).opposite()
    }

    fn is_foreign(&self, group: &Value) -> bool {
        let owner = text(&held::body(group)["ownerId"]);
        !owner.is_empty() && owner != self.here.account
    }

    /// Replicas whose rules are not those of their primary group (test 3).
    fn replicas(&self, found: &mut Found) {
        let broken = self.broken;
        for group in self.here.of_type(GROUP) {
            if is_unseen(group) || name_of(group).is_empty() {
                // It may be one.
                if broken != Some(Mutation::NotRecordedCountedCompliant) && !self.is_foreign(group)
                {
                    found.gap();
                }
                continue;
            }
            let of = |primary: &&(String, Option<&Value>)| is_replica_of(group, &primary.0, broken);
            let Some((_, Some(primary))) = self.primaries.iter().find(of) else { continue };
            let shared = vpc_of(group).is_some_and(|vpc| self.leaves_out(vpc));
            if self.is_foreign(group) || shared {
                continue;
            }
            if self.here.is_outdated(group) && broken != Some(Mutation::OutdatedGroupsPass) {
                found.gap();
            }
            // The primary group's rules alone can have changed.
            if self.there.is_outdated(primary) && broken != Some(Mutation::OutdatedPrimariesPass) {
                found.gap();
            }
            let differ = differ(group, primary, broken);
            if differ.1 {
                found.gap();
            }
            if differ.0 && broken != Some(Mutation::EditsPass) {
                found.violator(group, EDITED);
            }
        }
    }

    /// Whether the policy leaves a VPC out, because another account owns it.
    fn leaves_out(&self, vpc: &str) -> bool {
        !flag(&self.data["includeSharedVPC"], self.broken) && is_shared(self.here, self.others, vpc)
    }
}

/// Whether two groups are told to have other rules in some direction; and whether not all of them is told.
fn differ(group: &Value, primary: &Value, broken: Option<Mutation>) -> (bool, bool) {
    let (told, wanted) = (rules(group, broken), rules(primary, broken));
    let words = (normalised(group, broken), normalised(primary, broken));
    let mut differ = false;
    for (direction, told, wanted) in [
        ("in ", !told.untold_ingress, !wanted.untold_ingress),
        ("out ", !told.untold_egress, !wanted.untold_egress),
    ] {
        let lacks = |some: &[String], others: &[String]| {
            let mut of_it = some.iter().filter(|word| word.starts_with(direction));
            of_it.any(|word| !others.contains(word))
        };
        differ |= wanted && lacks(&words.0, &words.1) || told && lacks(&words.1, &words.0);
    }
    let all =
        [told.untold_ingress, told.untold_egress, wanted.untold_ingress, wanted.untold_egress];
    (differ, all.contains(&true))
}

/// Whether policies of common groups are about a resource, its tags apart (rows 18, 19, 28).
pub fn is_about(
    world: &World<'_>,
    here: &Held<'_>,
    others: &[Held<'_>],
    item: &Value,
    broken: Option<Mutation>,
) -> Said {
    let (kind, body) = (text(&item["resourceType"]), held::body(item));
    if kind == BALANCER
        && balancer_kind(item) != "application"
        && broken != Some(Mutation::NetworkBalancersInScope)
    {
        return Said::No;
    }
    if kind == INSTANCE
        && is_terminated(item)
        && broken != Some(Mutation::TerminatedInstancesJudged)
    {
        return Said::No;
    }
    if is_unseen(item) {
        return Said::Untold;
    }
    let mut about = Said::Yes;
    if kind == INSTANCE && is_mute(item) {
        about = Said::Untold;
    }
    let owner = text(&body["ownerId"]);
    if kind == INTERFACE && !owner.is_empty() && owner != here.account {
        return Said::No;
    }
    // One that does not tell it is not managed by a service (row 65).
    if kind == INTERFACE
        && broken != Some(Mutation::ManagedInterfacesJudged)
        && body["requesterManaged"] == true
    {
        return Said::No;
    }
    let data = service_data(&world.case["policy"]);
    if !flag(&data["includeSharedVPC"], broken) && broken != Some(Mutation::SharedVpcsAlwaysJudged)
    {
        let groups = super::network::ids_of(&body["securityGroups"]);
        let by_groups = || groups.iter().find_map(|id| vpc_of(here.item(GROUP, id)?));
        let is_balancer = ![INTERFACE, INSTANCE].contains(&kind);
        match vpc_of(item).or_else(|| by_groups().filter(|_| is_balancer)) {
            Some(vpc) if is_shared(here, others, vpc) => return Said::No,
            Some(_) => {}
            None => about = Said::Untold,
        }
    }
    about
}

/// Whether somebody tells that another account owns a VPC.
fn is_shared(here: &Held<'_>, others: &[Held<'_>], vpc: &str) -> bool {
    let tellers = [here].into_iter().chain(others);
    let told = tellers.filter_map(|shard| Some((shard, shard.item(VPC, vpc)?)));
    let owners: Vec<&str> = told
        .map(|(shard, item)| match text(&held::body(item)["ownerId"]) {
            "" => shard.account.as_str(),
            owner => owner,
        })
        .collect();
    owners.first().is_some_and(|owner| *owner != here.account)
}

fn vpc_of(item: &Value) -> Option<&str> {
    let body = held::body(item);
    body["vpcId"].as_str().or(body["vpcid"].as_str()).filter(|vpc| !vpc.is_empty())
}

/// `FMManagedSecurityGroup<PolicyId>-<primary id>`, and perhaps its VPC behind (row 19, §7.2).
fn is_replica_of(group: &Value, primary: &str, broken: Option<Mutation>) -> bool {
    let Some(rest) = name_of(group).strip_prefix("FMManagedSecurityGroup") else { return false };
    if broken == Some(Mutation::AnyPolicysReplicasServe) {
        return rest.contains(&format!("-{primary}"));
    }
    let Some(rest) = rest.strip_prefix(POLICY) else { return false };
    if broken == Some(Mutation::AnyPrimarysReplicasServe) {
        return true;
    }
    let Some(rest) = rest.strip_prefix(&format!("-{primary}")) else { return false };
    let of_its_vpc = vpc_of(group).is_none_or(|vpc| rest.strip_prefix('-') == Some(vpc));
    rest.is_empty() || of_its_vpc && broken != Some(Mutation::ReplicasNameNoVpc)
}
