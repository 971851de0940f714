//! SECURITY_GROUPS_CONTENT_AUDIT, naively (semantics §5.5, §6.1, §10 rows 7 to 10, 27, 28, §11 rows
//! 35, 38, 41, 42, 57).

use std::cell::Cell;

use serde_json::Value;

use super::age::may_be_otherwise;
use super::demand::{Demand, Lists, PREFIX_LIST, is_replica, name_of};
use super::held::{self, Held};
use super::item::{captured_ms, is_unseen};
use super::known::require;
use super::network::{Carrier, INSTANCE, INTERFACE, instances, interfaces, is_terminated};
use super::rules::{Peer, rules};
use super::scope::{listed_types, tags_in_scope};
use super::{Found, Mutation, Said, World, list, service_data, text};

const GROUP: &str = "AWS::EC2::SecurityGroup";
const REASON: &str = "RESOURCE_VIOLATES_AUDIT_SECURITY_GROUP";

/// What audits of one account look at.
struct Audit<'a, 'h> {
    world: &'a World<'a>,
    here: &'h Held<'h>,
    others: &'h [Held<'h>],
    demand: Demand,
    lists: Lists<'h>,
    audit_ids: Vec<String>,
    broken: Option<Mutation>,
}

pub fn judge(world: &World<'_>, broken: Option<Mutation>) -> Found {
    let (case, policy) = (world.case, &world.case["policy"]);
    let here = held::of_account(world, text(&case["region"]), broken);
    let others = held::of_others(world, broken);
    let listed = listed_types(policy);
    let mut found = Found::default();

    let mut needed = vec![GROUP];
    needed.extend([INTERFACE, INSTANCE].iter().filter(|kind| listed.contains(kind)));
    require(&mut found, world, &here, &needed);
    // Each of the two kinds of carriers tells of the other, and of lists all that there are may be
    // named (row 37).
    let carriers = [INTERFACE, INSTANCE];
    let mut read = vec![PREFIX_LIST];
    if carriers.iter().any(|kind| listed.contains(kind)) {
        read.extend(carriers);
    }
    if read.iter().any(|kind| here.has_hole(world, kind))
        && broken != Some(Mutation::HolesOfListsAndCarriersPass)
    {
        found.gap();
    }
    let data = service_data(policy);
    let demand = Demand::of(world, &here, &data, broken);
    if demand.outdated && broken != Some(Mutation::OutdatedAuditGroupsPass) {
        found.gap();
    }
    if demand.missing && broken != Some(Mutation::MissingReferenceSkipped) {
        found.issues.insert("AWSVPC".to_owned());
        found.no_result = true;
    }
    let audit_ids = list(&data["securityGroups"]).iter().map(|g| text(&g["id"]).to_owned());
    let audit = Audit {
        world,
        here: &here,
        others: &others,
        demand,
        lists: Lists { here: &here, outdated: Cell::new(false) },
        audit_ids: audit_ids.collect(),
        broken,
    };

    // Attached groups of every interface and instance that is in scope itself.
    let mut attached: Vec<String> = vec![];
    for kind in [INTERFACE, INSTANCE] {
        if !listed.contains(&kind) {
            continue;
        }
        let carriers = match kind {
            INTERFACE => interfaces(&here, &others, broken),
            _ => instances(&here, broken),
        };
        for carrier in carriers {
            let item = carrier.item;
            let gone = is_terminated(item) && broken != Some(Mutation::TerminatedInstancesJudged);
            if carrier.foreign || gone || !tags_in_scope(policy, &here, item, broken) {
                continue;
            }
            audit.carrier(&carrier, &mut found);
            attached.extend(carrier.groups);
        }
    }
    for group in here.of_type(GROUP) {
        let id = text(&group["resourceId"]);
        let by_attachment = attached.iter().any(|a| a == id)
            && broken != Some(Mutation::AttachmentDoesNotBringIntoScope);
        let listed_here = listed.contains(&GROUP)
            || (broken == Some(Mutation::UnlistedGroupReported) && by_attachment);
        if listed_here && (by_attachment || tags_in_scope(policy, &here, group, broken)) {
            audit.group(group, &mut found);
        }
    }
    if audit.lists.outdated.get() && broken != Some(Mutation::OutdatedPrefixListsPass) {
        found.gap();
    }
    found
}

impl Audit<'_, '_> {
    /// An interface or instance, by the groups on it.
    fn carrier(&self, carrier: &Carrier<'_>, found: &mut Found) {
        let broken = self.broken;
        let untold = carrier.untold && broken != Some(Mutation::UntoldGroupsOfCarriersAreNone);
        if (carrier.outdated && broken != Some(Mutation::OutdatedResourcesPass))
            || (untold && !is_unseen(carrier.item))
        {
            found.gap();
        }
        let mut guilty = false;
        let mut unseen = untold;
        for id in &carrier.groups {
            let Some((group, shard)) = self.look_up(id) else {
                unseen |= broken != Some(Mutation::UnheldGroupCountedCompliant);
                continue;
            };
            if is_unseen(group) {
                unseen = true;
                continue;
            }
            let foreign = self.is_foreign(group);
            if foreign && broken == Some(Mutation::ForeignAttachedGroupsPass) {
                continue;
            }
            if !self.is_audited(group) {
                continue;
            }
            if self.has_changed(group, shard)
                && broken != Some(Mutation::OutdatedAttachedGroupsPass)
            {
                found.gap();
            }
            match self.verdict(group, found) {
                Said::Yes => guilty = true,
                Said::Untold => unseen = true,
                Said::No => {}
            }
        }
        if guilty {
            found.violator(carrier.item, REASON);
        } else if unseen && (broken != Some(Mutation::NotRecordedCountedCompliant)) {
            found.gap();
        }
    }

    /// A group of the account's own.
    fn group(&self, group: &Value, found: &mut Found) {
        let broken = self.broken;
        if is_unseen(group) {
            if broken != Some(Mutation::NotRecordedCountedCompliant) {
                found.gap();
            }
            return;
        }
        if self.is_foreign(group) && broken != Some(Mutation::ForeignGroupsAudited) {
            return;
        }
        if self.here.is_outdated(group) && broken != Some(Mutation::OutdatedGroupsPass) {
            found.gap();
        }
        if !self.is_audited(group) {
            return;
        }
        match self.verdict(group, found) {
            Said::Yes => found.violator(group, REASON),
            Said::Untold => found.gap(),
            Said::No => {}
        }
    }

    /// A group by its id, in this account's inventory or in another's (row 41).
    fn look_up(&self, id: &str) -> Option<(&Value, &Held<'_>)> {
        let apart = self.broken == Some(Mutation::GroupsOfOtherAccountsUnheld);
        let others = self.others.iter().filter(|_| !apart);
        let shards = [self.here].into_iter().chain(others);
        let all: Vec<_> =
            shards.filter_map(|shard| shard.item(GROUP, id).map(|group| (group, shard))).collect();
        // Its own account tells it. Of a group of another's, the newest that anybody tells counts.
        let own = |group: &Value| is_unseen(group) || !self.is_foreign(group);
        let first = *all.first()?;
        if self.here.item(GROUP, id).is_some_and(own)
            || self.broken == Some(Mutation::FirstTellerOfGroupsCounts)
        {
            return Some(first);
        }
        let rank = |group: &Value, shard: &Held<'_>| {
            (captured_ms(group), text(&held::body(group)["ownerId"]) == shard.account)
        };
        let seen = all.iter().filter(|(group, _)| !is_unseen(group)).copied();
        let best = seen.reduce(
            |best, one| {
                if rank(one.0, one.1) > rank(best.0, best.1) { one } else { best }
            },
        );
        Some(best.unwrap_or(first))
    }

    /// Whether somebody tells that a group has changed since, and not how.
    fn has_changed(&self, group: &Value, shard: &Held<'_>) -> bool {
        let id = text(&group["resourceId"]);
        let others = [self.here].into_iter().chain(self.others);
        let later = others
            .filter_map(|there| there.item(GROUP, id))
            .any(|other| is_unseen(other) && captured_ms(other) > captured_ms(group));
        let elsewhere = may_be_otherwise(self.world, self.here, shard, (GROUP, id));
        shard.is_outdated(group) || later && self.is_foreign(group) || elsewhere
    }

    /// Semantics §10 row 28.
    fn is_foreign(&self, group: &Value) -> bool {
        let owner = text(&held::body(group)["ownerId"]);
        !owner.is_empty() && owner != self.here.account
    }

    /// Semantics §10 row 8, §11 row 57.
    fn is_audited(&self, group: &Value) -> bool {
        let broken = self.broken;
        if is_replica(self.world, group, broken) && broken != Some(Mutation::ReplicasAudited) {
            return false;
        }
        if name_of(group) == "default" && broken == Some(Mutation::DefaultGroupsSkipped) {
            return false;
        }
        let whose = match text(&held::body(group)["ownerId"]) {
            "" => text(&group["awsAccountId"]),
            owner => owner,
        };
        let named = self.audit_ids.iter().any(|id| id == text(&group["resourceId"]));
        let is_audit_group = named && whose == text(&self.world.case["administrator"]);
        !is_audit_group || broken == Some(Mutation::AuditGroupHeldAgainstItself)
    }

    /// Whether a group violates. A rule whose prefix list does not tell its entries is a gap, whatever
    /// other rules do (semantics §11 row 35).
    fn verdict(&self, group: &Value, found: &mut Found) -> Said {
        let broken = self.broken;
        let told = rules(group, broken);
        let mut sum = Said::No;
        for rule in &told.rules {
            if let Peer::PrefixList(id) = &rule.peer
                && self.demand.reads_source(rule)
                && self.demand.looks_at(rule.egress, broken)
            {
                // What is known of it may have changed since.
                self.lists.entries(id);
            }
            let answer = self.demand.answer(rule, &self.lists, broken);
            sum = sum.or(Said::of(answer.violates));
            if answer.unknown {
                found.gap();
            }
        }
        let untold = (told.untold_ingress && self.demand.looks_at(false, broken))
            || (told.untold_egress && self.demand.looks_at(true, broken));
        let pass = broken == Some(Mutation::UntoldRulesAreNone) || self.demand.missing;
        if untold && !pass { sum.or(Said::Untold) } else { sum }
    }
}
