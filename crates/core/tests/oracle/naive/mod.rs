//! A second evaluator, as naive as can be: plain loops over the JSON of AWS Config items and of
//! the AWS policy, written from the text of the semantics. It shares nothing with palisade-core.

mod audit;
mod held;
mod mutation;
mod options;
mod rules;
mod shield;
mod usage;
mod waf;

use std::collections::BTreeSet;

use serde_json::Value;

pub use mutation::Mutation;

/// What an evaluator says about one account.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    pub in_scope: bool,
    /// `COMPLIANT`, `NON_COMPLIANT`, or nothing when it could not be told.
    pub status: Option<&'static str>,
    /// (type, id, reason)
    pub violators: BTreeSet<(String, String, String)>,
    /// Keys of IssueInfoMap.
    pub issues: BTreeSet<String>,
}

/// What a rule says about one account in scope, before the status is drawn from it.
#[derive(Default)]
struct Found {
    violators: BTreeSet<(String, String, String)>,
    issues: BTreeSet<String>,
    /// Some fact was missing: without a violator nothing may be claimed.
    undecided: bool,
    /// Nothing may be claimed, violators or not (semantics §10 row 27).
    no_result: bool,
}

/// Judges the account of a case.
pub fn judge(case: &Value, broken: Option<Mutation>) -> Outcome {
    if !account_in_scope(case, broken) {
        return Outcome::default();
    }
    let mut found = match text(&case["policy"]["SecurityServicePolicyData"]["Type"]) {
        "WAFV2" => waf::judge(case, broken),
        "SHIELD_ADVANCED" => shield::judge(case, broken),
        "SECURITY_GROUPS_USAGE_AUDIT" => usage::judge(case, broken),
        _ => audit::judge(case, broken),
    };
    let here = held::of_account(case, text(&case["region"]), broken);
    if here.recorder_is_untold() || may_be_in_scope(case, &here, broken) {
        found.issues.insert("AWSCONFIG".to_owned());
        found.undecided = true;
    }
    if is_stale(case) && broken != Some(Mutation::StalenessIgnored) {
        found.issues.insert("AWSCONFIG".to_owned());
        found.undecided = true;
    }
    let status = if found.no_result {
        None
    } else if !found.violators.is_empty() {
        if found.undecided && broken == Some(Mutation::GapHidesViolators) {
            None
        } else {
            Some("NON_COMPLIANT")
        }
    } else if found.undecided {
        None
    } else {
        Some("COMPLIANT")
    };
    let violators = if status == Some("NON_COMPLIANT") { found.violators } else { BTreeSet::new() };
    Outcome { in_scope: true, status, violators, issues: found.issues }
}

/// Whether something that its tags leave out of scope may be in it by now: a later state of it
/// tells none (formats, quirk 20).
fn may_be_in_scope(case: &Value, here: &held::Held<'_>, broken: Option<Mutation>) -> bool {
    if broken == Some(Mutation::UntoldLaterTagsPass) {
        return false;
    }
    let listed = listed_types(&case["policy"]);
    here.live.iter().any(|item| {
        let body = held::body(item);
        let kind = text(&item["resourceType"]);
        let owner = text(&body["ownerId"]);
        let of_another = !owner.is_empty() && owner != text(&case["account"]);
        listed.contains(&kind)
            && here.has_untold_tags(item)
            && !tags_in_scope(&case["policy"], here, item, broken)
            && !(kind == waf::BALANCER && waf::balancer_kind(item, &body) != "application")
            && body["state"]["name"] != "terminated"
            && !(kind == "AWS::EC2::SecurityGroup" && of_another)
    })
}

/// Semantics §10 row 2: no delivery within the time that is set, by the moment of receipt.
fn is_stale(case: &Value) -> bool {
    let (received, after) = (case["receivedMs"].as_i64(), case["staleAfterMs"].as_i64());
    let now = case["evaluatedMs"].as_i64().unwrap_or(0);
    matches!((received, after), (Some(received), Some(after)) if now - received >= after)
}

/// Semantics §4.1 and §10 row 6.
fn account_in_scope(case: &Value, broken: Option<Mutation>) -> bool {
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
    let (mut include, mut exclude) = (&case["policy"]["IncludeMap"], &case["policy"]["ExcludeMap"]);
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

/// Semantics §4.3.
fn tags_in_scope(
    policy: &Value,
    here: &held::Held<'_>,
    item: &Value,
    broken: Option<Mutation>,
) -> bool {
    let wanted = list(&policy["ResourceTags"]);
    if wanted.is_empty() {
        return true;
    }
    let tags = here.tags(item);
    // Where nothing was recorded the tags were not either: never out of sight (formats, quirk 20).
    if tags.is_empty()
        && held::is_unseen(item)
        && broken != Some(Mutation::UntoldTagsTakeOutOfScope)
    {
        return true;
    }
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
    if exclude && broken != Some(Mutation::TagExclusionIgnored) { !matches } else { matches }
}

/// Semantics §4.2.
fn listed_types(policy: &Value) -> Vec<&str> {
    match text(&policy["ResourceType"]) {
        "ResourceTypeList" => list(&policy["ResourceTypeList"]).iter().map(text).collect(),
        one => vec![one],
    }
}

fn service_data(policy: &Value) -> Value {
    let text = text(&policy["SecurityServicePolicyData"]["ManagedServiceData"]);
    serde_json::from_str(text).expect("a generated policy holds JSON")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn find<'a>(rows: &'a Value, key: &str, id: &str) -> Option<&'a Value> {
    list(rows).iter().find(|row| text(&row[key]) == id)
}
