//! A second evaluator, as naive as can be: plain loops over the JSON of delivered files and of the
//! AWS policy, written from the text of the semantics. It shares nothing with palisade-core.

mod acl;
mod age;
mod audit;
mod classic;
mod common_groups;
mod contradiction;
mod demand;
mod dns;
pub mod filters;
mod firewall;
mod firewall_rules;
mod held;
mod import;
mod item;
mod known;
mod mutation;
mod nacl;
mod network;
mod options;
mod read;
mod rule_groups;
mod rules;
mod scope;
mod sharing;
mod shield;
mod told;
mod usage;
mod waf;
mod written;

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

impl Found {
    /// A fact was not told.
    fn gap(&mut self) {
        self.issues.insert("AWSCONFIG".to_owned());
        self.undecided = true;
    }

    fn violator(&mut self, item: &Value, reason: &str) {
        let (kind, id) = (text(&item["resourceType"]), text(&item["resourceId"]));
        self.violators.insert((kind.to_owned(), id.to_owned(), reason.to_owned()));
    }
}

/// Something that is so, is not so, or was not told.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Said {
    Yes,
    No,
    Untold,
}

impl Said {
    fn of(said: bool) -> Said {
        if said { Said::Yes } else { Said::No }
    }

    fn opposite(self) -> Said {
        match self {
            Said::Yes => Said::No,
            Said::No => Said::Yes,
            Said::Untold => Said::Untold,
        }
    }

    fn or(self, other: Said) -> Said {
        match (self, other) {
            (Said::Yes, _) | (_, Said::Yes) => Said::Yes,
            (Said::Untold, _) | (_, Said::Untold) => Said::Untold,
            _ => Said::No,
        }
    }

    fn and(self, other: Said) -> Said {
        self.opposite().or(other.opposite()).opposite()
    }
}

/// A case with what its files tell.
pub struct World<'c> {
    case: &'c Value,
    told: told::Told,
}

/// Judges the account of a case.
pub fn judge(case: &Value, broken: Option<Mutation>) -> Outcome {
    if !scope::account_in_scope(case, broken) {
        return Outcome::default();
    }
    let world = &World { case, told: told::read(case, broken) };
    let mut found = match text(&case["policy"]["SecurityServicePolicyData"]["Type"]) {
        "WAFV2" => waf::judge(world, broken),
        "SHIELD_ADVANCED" => shield::judge(world, broken),
        "SECURITY_GROUPS_USAGE_AUDIT" => usage::judge(world, broken),
        "WAF" => classic::judge(world, broken),
        "SECURITY_GROUPS_COMMON" => common_groups::judge(world, broken),
        "NETWORK_ACL_COMMON" => nacl::judge(world, broken),
        "NETWORK_FIREWALL" => firewall::judge(world, broken),
        "IMPORT_NETWORK_FIREWALL" => import::judge(world, broken),
        "DNS_FIREWALL" => dns::judge(world, broken),
        _ => audit::judge(world, broken),
    };
    let here = held::of_account(world, text(&case["region"]), broken);
    if here.recorder_is_untold(world) || scope::may_be_in_scope(world, &here, broken) {
        found.gap();
    }
    if age::is_stale(case, &here) && broken != Some(Mutation::StalenessIgnored) {
        found.gap();
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

/// Something was told that not even an account is known of (semantics §11 row 39).
pub fn has_unreadable_input(case: &Value) -> bool {
    told::read(case, None).unreadable
}

/// Two states of one version contradict each other, and which of them is judged is left open (row 67).
pub fn has_contradictions(case: &Value) -> bool {
    told::read(case, None).contradicts
}

fn service_data(policy: &Value) -> Value {
    let text = text(&policy["SecurityServicePolicyData"]["ManagedServiceData"]);
    serde_json::from_str(text).expect("a generated policy holds JSON")
}

/// A switch, which may be written as text (semantics §11 row 46).
fn flag(value: &Value, broken: Option<Mutation>) -> bool {
    let worded = value.as_str().is_some_and(|said| said.eq_ignore_ascii_case("true"));
    *value == true || worded && broken != Some(Mutation::WordsAreNoSwitches)
}

/// A number, which may be written as text or with `.0` (semantics §11 row 46).
fn number(value: &Value, broken: Option<Mutation>) -> Option<i64> {
    if broken == Some(Mutation::WordsAreNoNumbers) {
        return value.as_i64();
    }
    match value {
        Value::String(said) => said.parse().ok(),
        value => value.as_i64().or(value.as_f64().map(|float| float as i64)),
    }
}

/// A member by its name in any letter case, if it is told (formats §9, web ACLs).
fn any_case<'v>(value: &'v Value, name: &str) -> &'v Value {
    let found = value.as_object().and_then(|map| {
        map.iter().find(|(key, inner)| key.eq_ignore_ascii_case(name) && !inner.is_null())
    });
    found.map_or(&Value::Null, |(_, inner)| inner)
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
