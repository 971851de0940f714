//! Rule groups of web ACLs, compared whole (semantics §5.1 test 3, §11 row 33).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Mutation, Said, any_case, flag, list, text};

/// One rule group, as a policy asks for it or a web ACL has it.
struct Group {
    arn: String,
    vendor: String,
    name: String,
    /// Nothing in a policy accepts any.
    version: Option<String>,
    /// Nothing where it is not told.
    count: Option<bool>,
    /// Rule and the action it gets instead of its own.
    overrides: BTreeSet<(String, String)>,
    configs: BTreeSet<(String, String)>,
    scope_down: bool,
}

/// Whether the web ACL has the policy's first and last groups, in order and unaltered. Nobody put
/// groups into one that is untouched.
pub fn carried(acl: &Value, data: &Value, untouched: bool, broken: Option<Mutation>) -> Said {
    if broken == Some(Mutation::RuleGroupsIgnored) {
        return Said::Yes;
    }
    let mut untold = false;
    for (wanted, there) in [
        ("preProcessRuleGroups", "PreProcessFirewallManagerRuleGroups"),
        ("postProcessRuleGroups", "PostProcessFirewallManagerRuleGroups"),
    ] {
        let wanted = list(&data[wanted]);
        let Value::Array(there) = any_case(acl, there) else {
            if untouched && !wanted.is_empty() {
                return Said::No;
            }
            // It may have groups that nobody asked for.
            untold |= !untouched;
            continue;
        };
        match side(wanted, there, broken) {
            Said::No => return Said::No,
            said => untold |= said == Said::Untold,
        }
    }
    if untold && broken != Some(Mutation::UntoldRuleGroupsPresent) {
        Said::Untold
    } else {
        Said::Yes
    }
}

fn side(wanted: &[Value], there: &[Value], broken: Option<Mutation>) -> Said {
    let mut wanted: Vec<Group> = wanted.iter().map(|group| asked_for(group, broken)).collect();
    let mut there: Vec<&Value> = there.iter().collect();
    if broken != Some(Mutation::PrioritiesIgnored) {
        there.sort_by_key(|group| any_case(group, "Priority").as_i64().unwrap_or(0));
    }
    let mut found = vec![];
    let mut untold = false;
    for group in there {
        let statement = any_case(group, "FirewallManagerStatement");
        let of = |kind: &str| !any_case(statement, kind).is_null();
        // One that has two statements has none.
        untold |= statement.is_null()
            || of("ManagedRuleGroupStatement") && of("RuleGroupReferenceStatement");
        found.push(had(group, statement, broken));
    }
    if wanted.len() != found.len() {
        return Said::No;
    }
    if untold {
        return Said::Untold;
    }
    if broken == Some(Mutation::RuleGroupOrderIgnored) {
        let key = |group: &Group| (group.arn.clone(), group.name.clone(), group.count);
        wanted.sort_by_key(key);
        found.sort_by_key(key);
    }
    let mut sum = Said::Yes;
    for (wanted, found) in wanted.iter().zip(&found) {
        match compare(wanted, found, broken) {
            Said::No => return Said::No,
            Said::Untold => sum = Said::Untold,
            Said::Yes => {}
        }
    }
    sum
}

fn compare(wanted: &Group, found: &Group, broken: Option<Mutation>) -> Said {
    let unpinned = broken == Some(Mutation::UnpinnedWantsNoVersion);
    let version = match (&wanted.version, broken) {
        (_, Some(Mutation::VersionIgnored)) => true,
        (None, _) => !unpinned || found.version.is_none(),
        (pinned, _) => *pinned == found.version,
    };
    let as_wanted = wanted.arn == found.arn
        && (wanted.vendor == found.vendor || broken == Some(Mutation::VendorIgnored))
        && wanted.name == found.name
        && version
        && (wanted.overrides == found.overrides
            || (broken == Some(Mutation::MoreOverridesPass)
                && found.overrides.is_superset(&wanted.overrides)))
        && (wanted.configs == found.configs || broken == Some(Mutation::ConfigsIgnored))
        && (!found.scope_down || broken == Some(Mutation::ScopeDownIgnored));
    match (wanted.count, found.count) {
        _ if !as_wanted => Said::No,
        _ if broken == Some(Mutation::OverrideActionIgnored) => Said::Yes,
        (_, None) => Said::Untold,
        (wanted, found) if wanted == found => Said::Yes,
        _ => Said::No,
    }
}

/// A group as the policy writes it.
fn asked_for(group: &Value, broken: Option<Mutation>) -> Group {
    let managed = &group["managedRuleGroupIdentifier"];
    let pinned = flag(&managed["versionEnabled"], broken);
    let mut configs = configs_of(&managed["managedRuleGroupConfigs"], broken);
    if broken != Some(Mutation::ConfigsInsideAlone) {
        configs.extend(configs_of(&group["managedRuleGroupConfigs"], broken));
    }
    let overrides = list(&group["ruleActionOverrides"]);
    Group {
        arn: text(&group["ruleGroupArn"]).to_owned(),
        vendor: text(&managed["vendorName"]).to_owned(),
        name: text(&managed["managedRuleGroupName"]).to_owned(),
        version: managed["version"].as_str().filter(|_| pinned).map(str::to_owned),
        count: Some(text(&group["overrideAction"]["type"]) == "COUNT"),
        overrides: overrides_of(list(&group["excludeRules"]), overrides, broken),
        configs,
        scope_down: false,
    }
}

/// A group as a web ACL's item writes it.
fn had(group: &Value, statement: &Value, broken: Option<Mutation>) -> Group {
    let managed = any_case(statement, "ManagedRuleGroupStatement");
    let own = any_case(statement, "RuleGroupReferenceStatement");
    let inner = if managed.is_null() { own } else { managed };
    let said = |name: &str| text(any_case(managed, name)).to_owned();
    let action = any_case(group, "OverrideAction");
    let excluded = list(any_case(inner, "ExcludedRules"));
    let overrides = list(any_case(inner, "RuleActionOverrides"));
    Group {
        arn: text(any_case(own, "ARN")).to_owned(),
        vendor: said("VendorName"),
        name: said("Name"),
        version: any_case(managed, "Version").as_str().map(str::to_owned),
        count: action.is_object().then(|| any_case(action, "Count").is_object()),
        overrides: overrides_of(excluded, overrides, broken),
        configs: configs_of(any_case(managed, "ManagedRuleGroupConfigs"), broken),
        scope_down: !any_case(inner, "ScopeDownStatement").is_null(),
    }
}

/// An excluded rule is one that counts.
fn overrides_of(
    excluded: &[Value],
    overrides: &[Value],
    broken: Option<Mutation>,
) -> BTreeSet<(String, String)> {
    let mut all = BTreeSet::new();
    if broken != Some(Mutation::ExclusionsIgnored) {
        let count = match broken {
            Some(Mutation::ExclusionsAreNoOverrides) => "excluded".to_owned(),
            _ => plain(&json!({"count": {}}), broken).to_string(),
        };
        for rule in excluded {
            all.insert((text(any_case(rule, "Name")).to_owned(), count.clone()));
        }
    }
    if broken != Some(Mutation::ActionOverridesIgnored) {
        for rule in overrides {
            let action = plain(any_case(rule, "ActionToUse"), broken).to_string();
            all.insert((text(any_case(rule, "Name")).to_owned(), action));
        }
    }
    all
}

/// Each configuration by its name and what it says.
fn configs_of(configs: &Value, broken: Option<Mutation>) -> BTreeSet<(String, String)> {
    let mut all = BTreeSet::new();
    for config in list(configs) {
        for (key, value) in config.as_object().into_iter().flatten() {
            if !value.is_null() {
                all.insert((letters(key, broken), plain(value, broken).to_string()));
            }
        }
    }
    all
}

/// A value without regard to the letter case of its keys, or to nulls.
fn plain(value: &Value, broken: Option<Mutation>) -> Value {
    match value {
        Value::Object(map) => {
            let told = map.iter().filter(|(_, value)| !value.is_null());
            let map: Map<String, Value> =
                told.map(|(key, value)| (letters(key, broken), plain(value, broken))).collect();
            Value::Object(map)
        }
        Value::Array(elements) => elements.iter().map(|value| plain(value, broken)).collect(),
        _ => value.clone(),
    }
}

fn letters(key: &str, broken: Option<Mutation>) -> String {
    match broken {
        Some(Mutation::LettersOfKeysCount) => key.to_owned(),
        _ => key.to_ascii_lowercase(),
    }
}
