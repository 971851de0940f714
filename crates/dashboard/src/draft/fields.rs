//! The fields beside a policy's text: each thing that people set, and where in the text it stands. What has no
//! field is set in the text.

use serde_json::{Map, Value, json};

use super::Draft;

const MANAGED: &str = "ManagedServiceData";
const SECURITY: &str = "SecurityServicePolicyData";

/// One field.
#[derive(Debug)]
pub struct Field {
    /// The types of policy that have it; none is every one.
    types: &'static [&'static str],
    /// The way to the member.
    pub path: &'static [&'static str],
    /// What it is called.
    pub label: &'static str,
    /// What is to be given, in words.
    pub help: &'static str,
    /// How it is written.
    pub kind: Kind,
}

/// How a member is written, and read from a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A text.
    Text,
    /// True or false.
    Flag,
    /// A whole number.
    Number,
    /// One of these.
    Choice(&'static [&'static str]),
    /// A list of texts, one a line.
    Lines,
    /// A list of objects with one member, one a line.
    Named(&'static str),
    /// `ResourceType`, or `ResourceTypeList` where there are several.
    Types,
    /// Tags, `key=value` on a line.
    Tags,
    /// A choice that one of the `preManagedOptions` is about.
    OptionChoice(&'static str, &'static [&'static str]),
    /// A flag that is one of the `preManagedOptions`.
    OptionFlag(&'static str),
    /// A number that is one of the `preManagedOptions`.
    OptionNumber(&'static str),
}

macro_rules! fields {
    ($($types:expr, $path:expr, $label:literal, $help:literal, $kind:expr;)+) => {
        /// All fields, in the order of the page.
        pub static FIELDS: &[Field] = &[$(Field {
            types: $types,
            path: $path,
            label: $label,
            help: $help,
            kind: $kind,
        }),+];
    };
}

const CONTENT: &[&str] = &["SECURITY_GROUPS_CONTENT_AUDIT"];
const COMMON: &[&str] = &["SECURITY_GROUPS_COMMON"];
const USAGE: &[&str] = &["SECURITY_GROUPS_USAGE_AUDIT"];
const SHIELD: &[&str] = &["SHIELD_ADVANCED"];
const FIREWALL: &[&str] = &["NETWORK_FIREWALL"];
const THIRD_PARTY: &[&str] = &["THIRD_PARTY_FIREWALL"];
const ACL: &[&str] = &["NETWORK_ACL_COMMON"];
const ENTRIES: [&str; 4] =
    [SECURITY, "PolicyOption", "NetworkAclCommonPolicy", "NetworkAclEntrySet"];

fields! {
    &[], &["PolicyName"], "Name", "1 to 128 characters.", Kind::Text;
    &[], &["PolicyDescription"], "Description", "", Kind::Text;
    &[], &["ResourceType"], "Resource types", "One a line.", Kind::Types;
    &[], &["IncludeMap", "ORG_UNIT"], "Only these units", "Ids, one a line. All accounts where nothing is named.", Kind::Lines;
    &[], &["IncludeMap", "ACCOUNT"], "Only these accounts", "Ids, one a line.", Kind::Lines;
    &[], &["ExcludeMap", "ORG_UNIT"], "All but these units", "Not looked at where units or accounts are named above.", Kind::Lines;
    &[], &["ExcludeMap", "ACCOUNT"], "All but these accounts", "Ids, one a line.", Kind::Lines;
    &[], &["ResourceTags"], "Resource tags", "key=value, one a line.", Kind::Tags;
    &[], &["ExcludeResourceTags"], "Resources with these tags are left out", "", Kind::Flag;
    &[], &["RemediationEnabled"], "Automatic remediation", "Palisade keeps the switch and changes no resource.", Kind::Flag;
    CONTENT, &[SECURITY, MANAGED, "securityGroups"], "Audit groups", "Ids of groups in the administrator's account, one a line.", Kind::Named("id");
    CONTENT, &[SECURITY, MANAGED, "securityGroupAction", "type"], "Rules of the audit groups", "ALLOW: nothing else is allowed. DENY: these are not.", Kind::Choice(&["", "ALLOW", "DENY"]);
    CONTENT, &[SECURITY, MANAGED, "preManagedOptions"], "Direction", "Of the managed rules below.", Kind::OptionChoice("auditSgDirection", &["", "INGRESS", "EGRESS", "ALL"]);
    CONTENT, &[SECURITY, MANAGED, "preManagedOptions"], "No rule for every protocol", "", Kind::OptionFlag("denyProtocolAllValue");
    CONTENT, &[SECURITY, MANAGED, "preManagedOptions"], "Ports that one rule may open", "", Kind::OptionNumber("allowedPortCountPerSgRule");
    COMMON, &[SECURITY, MANAGED, "securityGroups"], "Primary groups", "Ids of groups in the administrator's account, one a line.", Kind::Named("id");
    COMMON, &[SECURITY, MANAGED, "revertManualSecurityGroupChanges"], "Replicas stay as the primary group is", "", Kind::Flag;
    COMMON, &[SECURITY, MANAGED, "exclusiveResourceSecurityGroupManagement"], "Resources have these groups alone", "", Kind::Flag;
    COMMON, &[SECURITY, MANAGED, "applyToAllEC2InstanceENIs"], "All interfaces of an instance", "", Kind::Flag;
    USAGE, &[SECURITY, MANAGED, "deleteUnusedSecurityGroups"], "Groups must be used", "", Kind::Flag;
    USAGE, &[SECURITY, MANAGED, "optionalDelayForUnusedInMinutes"], "Minutes until an unused group violates", "", Kind::Number;
    USAGE, &[SECURITY, MANAGED, "coalesceRedundantSecurityGroups"], "Groups must be unique", "", Kind::Flag;
    &["WAFV2", "WAF"], &[SECURITY, MANAGED, "defaultAction", "type"], "Default action", "", Kind::Choice(&["", "ALLOW", "BLOCK"]);
    &["WAFV2", "WAF"], &[SECURITY, MANAGED, "overrideCustomerWebACLAssociation"], "Replaces web ACLs of others", "", Kind::Flag;
    &["WAF"], &[SECURITY, MANAGED, "ruleGroups"], "Rule groups", "Ids, one a line.", Kind::Named("id");
    &["WAFV2", "SHIELD_ADVANCED"], &[SECURITY, MANAGED, "optimizeUnassociatedWebACL"], "Web ACLs that nothing needs are taken away", "", Kind::Flag;
    SHIELD, &[SECURITY, MANAGED, "automaticResponseConfiguration", "automaticResponseStatus"], "Automatic response", "", Kind::Choice(&["", "ENABLED", "IGNORED", "DISABLED"]);
    SHIELD, &[SECURITY, MANAGED, "automaticResponseConfiguration", "automaticResponseAction"], "Its action", "", Kind::Choice(&["", "BLOCK", "COUNT"]);
    SHIELD, &[SECURITY, MANAGED, "overrideCustomerWebaclClassic"], "Replaces classic web ACLs", "", Kind::Flag;
    &["DNS_FIREWALL"], &[SECURITY, MANAGED, "preProcessRuleGroups"], "Rule groups in front", "Their ids, one a line; priorities are set in the text.", Kind::Named("ruleGroupId");
    &["DNS_FIREWALL"], &[SECURITY, MANAGED, "postProcessRuleGroups"], "Rule groups behind", "Their ids, one a line; priorities are set in the text.", Kind::Named("ruleGroupId");
    FIREWALL, &[SECURITY, MANAGED, "networkFirewallStatelessDefaultActions"], "Stateless default actions", "One a line.", Kind::Lines;
    FIREWALL, &[SECURITY, MANAGED, "networkFirewallStatelessFragmentDefaultActions"], "The same for fragments", "One a line.", Kind::Lines;
    FIREWALL, &[SECURITY, MANAGED, "networkFirewallStatefulRuleGroupReferences"], "Stateful rule groups", "ARNs, one a line.", Kind::Named("resourceARN");
    FIREWALL, &[SECURITY, MANAGED, "networkFirewallOrchestrationConfig", "singleFirewallEndpointPerVPC"], "One endpoint for each VPC", "", Kind::Flag;
    THIRD_PARTY, &[SECURITY, MANAGED, "thirdPartyFirewall"], "Vendor", "", Kind::Choice(&["", "PALO_ALTO_NETWORKS_CLOUD_NGFW", "FORTIGATE_CLOUD_NATIVE_FIREWALL"]);
    THIRD_PARTY, &[SECURITY, MANAGED, "thirdPartyFirewallConfig", "thirdPartyFirewallPolicyList"], "The vendor's policies", "Names, one a line.", Kind::Lines;
    &["IMPORT_NETWORK_FIREWALL"], &["ResourceSetIds"], "Resource sets", "Ids, one a line.", Kind::Lines;
    ACL, &[ENTRIES[0], ENTRIES[1], ENTRIES[2], ENTRIES[3], "ForceRemediateForFirstEntries"], "First entries are forced", "", Kind::Flag;
    ACL, &[ENTRIES[0], ENTRIES[1], ENTRIES[2], ENTRIES[3], "ForceRemediateForLastEntries"], "Last entries are forced", "", Kind::Flag;
}

impl Field {
    /// Whether policies of this type have it.
    pub fn is_of(&self, policy_type: &str) -> bool {
        self.types.contains(&policy_type)
    }

    /// Whether every policy has it.
    pub fn is_of_all(&self) -> bool {
        self.types.is_empty()
    }

    /// The member that errors name.
    pub fn member(&self) -> &'static str {
        match self.kind {
            Kind::OptionChoice(name, _) | Kind::OptionFlag(name) | Kind::OptionNumber(name) => name,
            // Many things have a type.
            _ => match self.path {
                [.., above, "type"] => above,
                [.., last] => last,
                [] => "",
            },
        }
    }

    /// What the draft says, as the field has it; a flag that is on is `on`.
    pub fn typed(&self, draft: &Draft) -> String {
        let value = draft.at(self.path);
        let text =
            |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let flag = |value: Option<&Value>| match value.and_then(Value::as_bool) {
            Some(true) => "on".to_owned(),
            _ => String::new(),
        };
        let number = |value: Option<&Value>| {
            value
                .filter(|value| !value.is_null())
                .map(|value| value.to_string().replace('"', ""))
                .unwrap_or_default()
        };
        let lines = |of: &dyn Fn(&Value) -> Option<String>| {
            let all = value.and_then(Value::as_array);
            let all: Vec<String> = all.into_iter().flatten().filter_map(of).collect();
            all.join("\n")
        };
        match self.kind {
            Kind::Text | Kind::Choice(_) => text(value),
            Kind::Flag => flag(value),
            Kind::Number => number(value),
            Kind::Lines => lines(&|one| one.as_str().map(str::to_owned)),
            Kind::Named(name) => lines(&|one| one.get(name)?.as_str().map(str::to_owned)),
            Kind::Types => match draft.at(&["ResourceTypeList"]).and_then(Value::as_array) {
                Some(all) if !all.is_empty() => {
                    all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
                }
                _ => text(value),
            },
            Kind::Tags => lines(&|one| {
                let key = one.get("Key")?.as_str()?;
                let value = one.get("Value").and_then(Value::as_str).unwrap_or_default();
                Some(if value.is_empty() { key.to_owned() } else { format!("{key}={value}") })
            }),
            Kind::OptionChoice(name, _) => {
                text(option(value, name).and_then(|one| one.get("type")))
            }
            Kind::OptionFlag(name) => flag(option(value, name)),
            Kind::OptionNumber(name) => number(option(value, name)),
        }
    }

    /// Has the draft say what was typed, where that is something else.
    pub fn put(&self, draft: &mut Draft, typed: &str) {
        let typed = typed.replace("\r\n", "\n");
        let typed = typed.trim();
        if typed == self.typed(draft).trim() {
            return;
        }
        let lines: Vec<&str> =
            typed.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let none = typed.is_empty();
        let is_whole = typed.parse::<i64>();
        let number = is_whole.map_or_else(|_| json!(typed), |number| json!(number));
        let value = match self.kind {
            Kind::Text | Kind::Choice(_) => json!(typed),
            Kind::Flag => {
                draft.set(self.path, Some(json!(!none)));
                return;
            }
            Kind::Number => number,
            Kind::Lines => json!(lines),
            Kind::Named(name) => {
                let had =
                    draft.at(self.path).and_then(Value::as_array).cloned().unwrap_or_default();
                let kept = |line: &str| had.iter().find(|one| one.get(name) == Some(&json!(line)));
                // What stands beside a name that stays is kept.
                let all = lines.iter().copied().map(|line| {
                    let alone = || Value::Object(Map::from_iter([(name.to_owned(), json!(line))]));
                    kept(line).cloned().unwrap_or_else(alone)
                });
                json!(all.collect::<Vec<_>>())
            }
            Kind::Types => {
                let one = match lines.as_slice() {
                    [] => Some(""),
                    [one] => Some(*one),
                    _ => None,
                };
                draft.set(&["ResourceType"], Some(json!(one.unwrap_or("ResourceTypeList"))));
                draft.set(&["ResourceTypeList"], one.is_none().then(|| json!(lines)));
                return;
            }
            Kind::Tags => {
                let tag = |line: &&str| match line.split_once('=') {
                    Some((key, value)) => json!({"Key": key, "Value": value}),
                    None => json!({"Key": line}),
                };
                json!(lines.iter().map(tag).collect::<Vec<_>>())
            }
            Kind::OptionChoice(name, _) => {
                self.put_option(draft, name, (!none).then(|| json!({"type": typed})));
                return;
            }
            Kind::OptionFlag(name) => {
                self.put_option(draft, name, (!none).then_some(json!(true)));
                return;
            }
            Kind::OptionNumber(name) => {
                self.put_option(draft, name, (!none).then_some(number));
                return;
            }
        };
        draft.set(self.path, (!none).then_some(value));
    }

    fn put_option(&self, draft: &mut Draft, name: &str, value: Option<Value>) {
        let mut all = draft.at(self.path).and_then(Value::as_array).cloned().unwrap_or_default();
        all.retain(|one| one.get(name).is_none());
        all.extend(value.map(|value| Value::Object(Map::from_iter([(name.to_owned(), value)]))));
        draft.set(self.path, (!all.is_empty()).then_some(Value::Array(all)));
    }
}

fn option<'v>(all: Option<&'v Value>, name: &str) -> Option<&'v Value> {
    all?.as_array()?.iter().find_map(|one| one.get(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Something that a field of this kind may hold, other than nothing.
    fn sample(kind: Kind) -> &'static str {
        match kind {
            Kind::Flag | Kind::OptionFlag(_) => "on",
            Kind::Number | Kind::OptionNumber(_) => "7",
            Kind::Choice(all) | Kind::OptionChoice(_, all) => all[1],
            Kind::Text => "some words",
            Kind::Lines | Kind::Named(_) | Kind::Types => "one\ntwo",
            Kind::Tags => "key=value\nbare",
        }
    }

    #[test]
    fn what_a_field_puts_into_the_text_it_reads_again_and_takes_away() {
        for field in FIELDS {
            let before = Draft::of_type(field.types.first().unwrap_or(&"WAFV2"));
            let (mut draft, typed) = (before.clone(), sample(field.kind));
            field.put(&mut draft, typed);
            assert_eq!(field.typed(&draft), typed, "{}", field.label);
            assert_ne!(draft, before, "{}", field.label);
            field.put(&mut draft, "");
            assert_eq!(field.typed(&draft), "", "{}", field.label);
        }
    }

    #[test]
    fn a_field_that_nobody_touched_changes_nothing() {
        let mut draft = Draft(json!({
            "PolicyName": "a",
            "ResourceType": "ResourceTypeList",
            "ResourceTypeList": ["X", "Y"],
            "ResourceTags": [{"Key": "k", "Value": ""}],
            "SecurityServicePolicyData": {"Type": "WAFV2", "ManagedServiceData": {"type": "WAFV2", "odd": [1]}},
        }));
        let before = draft.clone();
        for field in FIELDS {
            let typed = field.typed(&draft);
            field.put(&mut draft, &typed);
        }
        assert_eq!(draft, before);
    }

    #[test]
    fn what_stands_beside_a_name_is_kept() {
        let path = [SECURITY, MANAGED, "preProcessRuleGroups"];
        let field = FIELDS.iter().find(|field| field.path == path).unwrap();
        let mut draft = Draft::of_type("DNS_FIREWALL");
        draft.set(
            &path,
            Some(
                json!([{"ruleGroupId": "a", "priority": 10}, {"ruleGroupId": "b", "priority": 20}]),
            ),
        );
        field.put(&mut draft, "b\nc");
        assert_eq!(
            draft.at(&path),
            Some(&json!([{"ruleGroupId": "b", "priority": 20}, {"ruleGroupId": "c"}]))
        );
    }
}
