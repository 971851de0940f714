//! DNS_FIREWALL, naively: rule groups that are not associated with a VPC at their priority (semantics
//! §5.9, §10 rows 1, 20, 28, §11 rows 36, 38, 66).

use serde_json::Value;

use super::held::{self, Held};
use super::item::is_unseen;
use super::known::require;
use super::scope::tags_in_scope;
use super::{Found, Mutation, Said, World, any_case, list, number, service_data, text};

pub const VPC: &str = "AWS::EC2::VPC";
pub const ASSOCIATION: &str = "AWS::Route53Resolver::FirewallRuleGroupAssociation";
const REASON: &str = "RESOURCE_MISSING_DNS_FIREWALL";

pub fn judge(world: &World<'_>, broken: Option<Mutation>) -> Found {
    let (case, policy) = (world.case, &world.case["policy"]);
    let here = held::of_account(world, text(&case["region"]), broken);
    let data = service_data(policy);
    let mut found = Found::default();
    require(&mut found, world, &here, &[VPC, ASSOCIATION]);
    // VPCs whose associations are not recorded are not called bare (row 36).
    let known =
        here.knows(world, ASSOCIATION) || broken == Some(Mutation::UnknownAssociationsAreNone);
    let mut wanted: Vec<&Value> = vec![];
    for side in ["preProcessRuleGroups", "postProcessRuleGroups"] {
        if side == "postProcessRuleGroups" && broken == Some(Mutation::LastDnsGroupsIgnored) {
            continue;
        }
        wanted.extend(list(&data[side]));
    }
    for vpc in here.of_type(VPC) {
        if !tags_in_scope(policy, &here, vpc, broken) {
            continue;
        }
        if is_unseen(vpc) {
            if broken != Some(Mutation::NotRecordedCountedCompliant) {
                found.gap();
            }
            continue;
        }
        // Row 28: judged for its owner alone.
        let owner = text(&held::body(vpc)["ownerId"]);
        if !owner.is_empty() && owner != here.account && broken != Some(Mutation::ForeignVpcsJudged)
        {
            continue;
        }
        if here.is_outdated(vpc) && broken != Some(Mutation::OutdatedResourcesPass) {
            found.gap();
        }
        let id = text(&vpc["resourceId"]);
        // An association stays with its VPC, whatever else of it has changed since.
        let of_vpc = |one: &Value| match any_case(held::body(one), "VpcId").as_str() {
            Some(said) => said == id,
            None => true,
        };
        let changed = |one: &Value| here.is_outdated(one) && of_vpc(one);
        if here.of_type(ASSOCIATION).any(changed)
            && broken != Some(Mutation::OutdatedAssociationsPass)
        {
            found.gap();
        }
        let answers: Vec<Said> =
            wanted.iter().map(|group| is_associated(id, group, &here, broken)).collect();
        if answers.contains(&Said::Yes) && broken == Some(Mutation::OneDnsGroupIsEnough) {
            continue;
        }
        // Each group by itself: that one is missing does not tell of another.
        if answers.contains(&Said::Untold) {
            found.gap();
        }
        if answers.contains(&Said::No) && known {
            found.violator(vpc, REASON);
        }
    }
    found
}

/// Whether a rule group is associated with a VPC at its priority, whoever made that (row 20).
fn is_associated(vpc: &str, wanted: &Value, here: &Held<'_>, broken: Option<Mutation>) -> Said {
    let mut sum = Said::No;
    for association in here.of_type(ASSOCIATION) {
        let member = |name: &str| any_case(held::body(association), name);
        // What is not told may be so (row 38).
        let is = |name: &str, want: &str| match member(name).as_str() {
            _ if is_unseen(association) => Said::Untold,
            Some(said) => Said::of(said == want),
            None if broken == Some(Mutation::UntoldAssociationsServeNobody) => Said::No,
            None => Said::Untold,
        };
        let priority = match member("Priority").as_i64() {
            _ if broken == Some(Mutation::DnsPrioritiesIgnored) => Said::Yes,
            _ if is_unseen(association) => Said::Untold,
            Some(said) => Said::of(Some(said) == number(&wanted["priority"], broken)),
            None if broken == Some(Mutation::UntoldAssociationsServeNobody) => Said::No,
            None => Said::Untold,
        };
        let complete = match broken {
            Some(Mutation::DnsStatusIgnored) => Said::Yes,
            _ => is("Status", "COMPLETE"),
        };
        let of_vpc = match broken {
            Some(Mutation::DnsVpcsMixedUp) => Said::Yes,
            _ => is("VpcId", vpc),
        };
        let of_group = is("FirewallRuleGroupId", text(&wanted["ruleGroupId"]));
        let by_whom = member("ManagedOwnerName").is_string()
            || broken != Some(Mutation::OnlyManagedAssociationsServe);
        let said = of_group.and(of_vpc).and(priority).and(complete).and(Said::of(by_whom));
        if said == Said::Untold
            && is_unseen(association)
            && broken == Some(Mutation::UnseenAssociationsServeNobody)
        {
            continue;
        }
        sum = sum.or(said);
    }
    sum
}
