//! Accounts, types and tags in scope (semantics §4, §10 row 6, §11 row 38).

use serde_json::Value;

use super::common_groups::is_about;
use super::dns::VPC;
use super::held::{self, Held};
use super::item::is_unseen;
use super::nacl::{SUBNET, is_elders};
use super::{Mutation, Said, World, find, list, text};

const GROUP: &str = "AWS::EC2::SecurityGroup";
const INTERFACE: &str = "AWS::EC2::NetworkInterface";

/// Whether the account of a case is in scope of its policy.
pub fn account_in_scope(case: &Value, broken: Option<Mutation>) -> bool {
    account_in(case, &case["policy"], broken)
}

/// Semantics §4.1 and §10 row 6.
pub fn account_in(case: &Value, policy: &Value, broken: Option<Mutation>) -> bool {
    let account = text(&case["account"]);
    let organization = &case["organization"];
    let Some(row) = find(&organization["Accounts"], "Id", account) else { return false };
    match text(&row["Status"]) {
        "ACTIVE" => {}
        "PENDING_CLOSURE" if broken != Some(Mutation::ClosingIsOutOfScope) => {}
        "SUSPENDED" if broken == Some(Mutation::SuspendedIsInScope) => {}
        _ => return false,
    }
    let mut above = vec![];
    let mut at = text(&row["ParentId"]).to_owned();
    while let Some(unit) = find(&organization["OrganizationalUnits"], "Id", &at) {
        above.push(at.clone());
        if broken == Some(Mutation::UnitsAreNotNested) {
            break;
        }
        at = text(&unit["ParentId"]).to_owned();
    }
    let named = |map: &Value| {
        list(&map["ACCOUNT"]).iter().any(|id| text(id) == account)
            || list(&map["ORG_UNIT"]).iter().any(|id| above.iter().any(|unit| unit == text(id)))
    };
    let empty = |map: &Value| map.as_object().is_none_or(|map| map.is_empty());
    let (mut include, mut exclude) = (&policy["IncludeMap"], &policy["ExcludeMap"]);
    if broken == Some(Mutation::IncludeAndExcludeMixedUp) {
        (include, exclude) = (exclude, include);
    }
    if broken == Some(Mutation::ExcludeWinsOverInclude) && !empty(exclude) {
        include = &Value::Null;
    }
    if !empty(include) {
        named(include)
    } else if !empty(exclude) {
        !named(exclude)
    } else {
        true
    }
}

#[derive(PartialEq)]
enum Membership {
    In,
    Out,
    /// Its tags were not told.
    Untold,
}

/// Whether a resource is known to be in scope by its tags.
pub fn tags_in_scope(
    policy: &Value,
    here: &Held<'_>,
    item: &Value,
    broken: Option<Mutation>,
) -> bool {
    membership(policy, here, item, broken) == Membership::In
}

/// Whether its tags, as far as they are told, leave a resource out for certain.
pub fn tags_leave_out(policy: &Value, here: &Held<'_>, item: &Value) -> bool {
    membership(policy, here, item, None) == Membership::Out && !here.has_untold_tags(item)
}

/// Whether its tags, as far as they are told, do not say whether it is in scope.
pub fn tags_leave_open(policy: &Value, here: &Held<'_>, item: &Value) -> bool {
    match membership(policy, here, item, None) {
        Membership::In => false,
        Membership::Untold => true,
        Membership::Out => here.has_untold_tags(item),
    }
}

/// Semantics §4.3.
fn membership(
    policy: &Value,
    here: &Held<'_>,
    item: &Value,
    broken: Option<Mutation>,
) -> Membership {
    let wanted = list(&policy["ResourceTags"]);
    if wanted.is_empty() {
        return Membership::In;
    }
    let tags = here.tags(item);
    // Where nothing was recorded the tags were not either: never out of sight (formats, quirk 20).
    if tags.as_ref().is_none_or(|tags| tags.is_empty())
        && is_unseen(item)
        && broken != Some(Mutation::UntoldTagsTakeOutOfScope)
    {
        return Membership::Untold;
    }
    let tags = match tags {
        Some(tags) => tags,
        None if broken == Some(Mutation::UntoldTagsAreNone) => vec![],
        None => return Membership::Untold,
    };
    let has = |tag: &Value| {
        let (key, value) = (text(&tag["Key"]), text(&tag["Value"]));
        tags.iter().any(|(k, v)| {
            let any = value.is_empty() && broken == Some(Mutation::EmptyTagValueMatchesAny);
            k == key && (v == value || any)
        })
    };
    let or = match broken {
        Some(Mutation::TagsAndReadAsOr) => true,
        Some(Mutation::TagsOrReadAsAnd) => false,
        _ => text(&policy["ResourceTagLogicalOperator"]) == "OR",
    };
    let matches = if or { wanted.iter().any(has) } else { wanted.iter().all(has) };
    let exclude = policy["ExcludeResourceTags"] == true;
    let within =
        if exclude && broken != Some(Mutation::TagExclusionIgnored) { !matches } else { matches };
    if within { Membership::In } else { Membership::Out }
}

/// Whether something may be in scope that is not known to be: its tags were not told, or a later
/// state of it tells none (formats, quirk 20).
pub fn may_be_in_scope(world: &World<'_>, here: &Held<'_>, broken: Option<Mutation>) -> bool {
    let policy = &world.case["policy"];
    let listed = listed_types(policy);
    let common = text(&policy["SecurityServicePolicyData"]["Type"]) == "SECURITY_GROUPS_COMMON";
    let others = if common { held::of_others(world, broken) } else { vec![] };
    here.live.iter().any(|item| {
        let body = held::body(item);
        let kind = text(&item["resourceType"]);
        let owner = text(&body["ownerId"]);
        let of_another = !owner.is_empty() && owner != here.account && !is_unseen(item);
        let doubtful = match membership(policy, here, item, broken) {
            Membership::In => false,
            Membership::Untold => broken != Some(Mutation::UntoldMembersPass),
            Membership::Out => {
                here.has_untold_tags(item) && broken != Some(Mutation::UntoldLaterTagsPass)
            }
        };
        listed.contains(&kind)
            && doubtful
            && !(kind == super::waf::BALANCER && super::waf::balancer_kind(item) != "application")
            && body["state"]["name"] != "terminated"
            && !([GROUP, INTERFACE, VPC, SUBNET].contains(&kind) && of_another)
            && !(kind == SUBNET && is_elders(world, here, item, broken) == Said::Yes)
            && !(common && is_about(world, here, &others, item, broken) == Said::No)
    })
}

/// Semantics §4.2.
pub fn listed_types(policy: &Value) -> Vec<&str> {
    match text(&policy["ResourceType"]) {
        "ResourceTypeList" => list(&policy["ResourceTypeList"]).iter().map(text).collect(),
        one => vec![one],
    }
}
