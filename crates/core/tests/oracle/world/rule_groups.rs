//! Rule groups as policies ask for them and as web ACLs have them, whole (semantics §11 row 33).

use serde_json::{Map, Value, json};

use super::ADMIN;
use super::files::note;
use crate::random::Random;

const SIDES: [&str; 2] =
    ["PreProcessFirewallManagerRuleGroups", "PostProcessFirewallManagerRuleGroups"];
const RULES: [&str; 3] = ["SizeRestrictions_BODY", "NoUserAgent_HEADER", "CrossSiteScripting"];
const ACTIONS: [&str; 4] = ["count", "block", "allow", "captcha"];

/// One rule group, with all that may be said of it.
#[derive(Clone, Debug)]
pub struct Choice {
    /// An own one by its name, or AWS's.
    own: Option<&'static str>,
    managed: &'static str,
    vendor: &'static str,
    count: bool,
    version: Option<&'static str>,
    excluded: Vec<&'static str>,
    overrides: Vec<(&'static str, &'static str)>,
    config: Option<(&'static str, &'static str)>,
}

impl Choice {
    pub fn any(random: &mut Random) -> Choice {
        let own = random.chance(45).then(|| ["one", "two"][random.below(2)]);
        let mut choice = Choice {
            own,
            managed: ["CommonRuleSet", "BotControlRuleSet"][usize::from(random.chance(40))],
            vendor: "AWS",
            count: random.chance(25),
            version: [None, None, Some("Version_1.0"), Some("Version_2.0")][random.below(4)],
            excluded: vec![],
            overrides: vec![],
            config: None,
        };
        if own.is_some() {
            choice.version = None;
            return choice;
        }
        for rule in RULES {
            match random.below(10) {
                0 => choice.excluded.push(rule),
                1 | 2 => choice.overrides.push((rule, ACTIONS[random.below(ACTIONS.len())])),
                _ => {}
            }
        }
        if random.chance(35) {
            choice.config = Some(match random.chance(50) {
                true => ("BotControl", ["COMMON", "TARGETED"][random.below(2)]),
                false => ("ATP", ["/login", "/signin"][random.below(2)]),
            });
        }
        choice
    }

    /// As a policy writes it.
    pub fn as_wanted(&self, random: &mut Random) -> Value {
        let named = |name: &&str| json!({"name": name});
        let mut group = json!({
            "overrideAction": {"type": if self.count { "COUNT" } else { "NONE" }},
            "excludeRules": self.excluded.iter().map(named).collect::<Vec<Value>>(),
        });
        if let Some(own) = self.own {
            group["ruleGroupArn"] = json!(arn(own));
            group["ruleGroupType"] = json!("RuleGroup");
            group["managedRuleGroupIdentifier"] = Value::Null;
            return group;
        }
        group["ruleGroupArn"] = Value::Null;
        group["ruleGroupType"] = json!("ManagedRuleGroup");
        group["managedRuleGroupIdentifier"] = json!({"vendorName": self.vendor,
            "managedRuleGroupName": self.managed, "version": self.version,
            "versionEnabled": self.version.map(|_| true)});
        if self.version.is_none() && random.chance(20) {
            // A version that is not pinned.
            group["managedRuleGroupIdentifier"]["version"] = json!("Version_3.0");
            group["managedRuleGroupIdentifier"]["versionEnabled"] = json!(false);
        }
        if !self.overrides.is_empty() || random.chance(20) {
            let action = |(rule, action): &(&str, &str)| json!({"name": rule, "actionToUse": { *action: {} }});
            group["ruleActionOverrides"] = self.overrides.iter().map(action).collect();
        }
        let config = match self.config {
            Some(("BotControl", level)) => {
                let key = random.pick(&[
                    "awsmanagedRulesBotControlRuleSet",
                    "awsManagedRulesBotControlRuleSet",
                ]);
                json!([{ key: {"inspectionLevel": level} }])
            }
            Some((_, path)) => json!([{"awsmanagedRulesATPRuleSet": {"loginPath": path,
                "requestInspection": {"payloadType": "JSON", "usernameField": {"identifier": "/user"},
                    "passwordField": {"identifier": "/password"}}}}]),
            None if random.chance(50) => return group,
            None => Value::Null,
        };
        match random.chance(60) {
            true => group["managedRuleGroupIdentifier"]["managedRuleGroupConfigs"] = config,
            false => group["managedRuleGroupConfigs"] = config,
        }
        group
    }

    /// As a web ACL's item has it.
    fn as_found(&self, priority: usize, random: &mut Random) -> Value {
        let action = if self.count { json!({"Count": {}}) } else { json!({"None": {}}) };
        let statement = match self.own {
            Some(own) => {
                let mut inner = json!({"ARN": arn(own)});
                self.alterations(&mut inner, random);
                json!({"RuleGroupReferenceStatement": inner})
            }
            None => {
                let mut inner = json!({"VendorName": self.vendor, "Name": self.managed});
                if let Some(version) = self.version {
                    inner["Version"] = json!(version);
                } else if random.chance(30) {
                    inner["Version"] = json!("Version_4.0");
                }
                self.alterations(&mut inner, random);
                inner["ManagedRuleGroupConfigs"] = match self.config {
                    Some(("BotControl", level)) => {
                        json!([{"AWSManagedRulesBotControlRuleSet": {"InspectionLevel": level}}])
                    }
                    Some((_, path)) => json!([{"AWSManagedRulesATPRuleSet": {"LoginPath": path,
                        "RequestInspection": {"PayloadType": "JSON", "UsernameField": {"Identifier": "/user"},
                            "PasswordField": {"Identifier": "/password"}}}}]),
                    None => Value::Null,
                };
                json!({"ManagedRuleGroupStatement": inner})
            }
        };
        let mut group = json!({"Name": format!("group-{priority}"), "Priority": priority,
            "OverrideAction": action, "FirewallManagerStatement": statement});
        match random.below(60) {
            0 => group["OverrideAction"] = Value::Null,
            1 => group["FirewallManagerStatement"] = Value::Null,
            _ => {}
        }
        group
    }

    /// Exclusions and overrides, of which the first may be written as the second.
    fn alterations(&self, statement: &mut Value, random: &mut Random) {
        let excluded = |rule: &&str| json!({"Name": rule});
        let upper = |action: &str| format!("{}{}", action[..1].to_uppercase(), &action[1..]);
        let mut overrides: Vec<Value> = self
            .overrides
            .iter()
            .map(|(rule, action)| json!({"Name": rule, "ActionToUse": { upper(action): {} }}))
            .collect();
        let mut exclusions: Vec<Value> = self.excluded.iter().map(excluded).collect();
        if random.chance(50) {
            let counted = |rule: &&str| json!({"Name": rule, "ActionToUse": {"Count": {}}});
            overrides.extend(self.excluded.iter().map(counted));
            exclusions.clear();
        }
        if random.chance(30) {
            overrides.reverse();
        }
        if !exclusions.is_empty() || random.chance(30) {
            statement["ExcludedRules"] = json!(exclusions);
        }
        if !overrides.is_empty() || random.chance(30) {
            statement["RuleActionOverrides"] = json!(overrides);
        }
        if random.chance(4) {
            statement["ScopeDownStatement"] = json!({"ByteMatchStatement": {"SearchString": "/"}});
        }
    }

    /// The same but for one thing.
    fn altered(&self, random: &mut Random) -> Choice {
        let mut other = self.clone();
        match random.below(9) {
            0 => other.count = !other.count,
            1 => other.version = Some("Version_2.0"),
            2 => other.version = None,
            3 if other.overrides.is_empty() => other.overrides.push((RULES[0], "count")),
            3 => drop(other.overrides.pop()),
            4 => {
                let action = ACTIONS[random.below(ACTIONS.len())];
                match other.overrides.first_mut() {
                    Some(first) => first.1 = action,
                    None => other.overrides.push((RULES[1], action)),
                }
            }
            5 if other.excluded.is_empty() => other.excluded.push(RULES[2]),
            5 => drop(other.excluded.pop()),
            6 if other.config.is_some() => other.config = None,
            6 => other.config = Some(("BotControl", "COMMON")),
            7 => other.vendor = "Elsewhere",
            _ => other = Choice::any(random),
        }
        other
    }
}

fn arn(name: &str) -> String {
    format!("arn:aws:wafv2:eu-west-1:{ADMIN}:regional/rulegroup/{name}/1")
}

/// Puts rule groups into the body of a web ACL: those that are wanted, or nearly.
pub fn put(case: &mut Value, body: &mut Value, wanted: &[Vec<Choice>; 2], random: &mut Random) {
    for (key, side) in SIDES.into_iter().zip(wanted) {
        let mut side = side.clone();
        let mut backwards = false;
        match random.below(14) {
            0 => drop(side.pop()),
            1 => side.reverse(),
            2 | 3 if !side.is_empty() => {
                let at = random.below(side.len());
                side[at] = side[at].altered(random);
                note(case, "rule groups");
            }
            4 => continue,
            5 => side.push(Choice::any(random)),
            6 => backwards = true,
            _ => {}
        }
        if side
            .iter()
            .any(|c| c.config.is_some() || !c.overrides.is_empty() || !c.excluded.is_empty())
        {
            note(case, "rule groups");
        }
        let mut groups: Vec<Value> =
            side.iter().enumerate().map(|(at, choice)| choice.as_found(at, random)).collect();
        if backwards {
            // Priorities tell the order, not places in the list.
            groups.reverse();
        }
        body[key] = json!(groups);
    }
}

/// The names of a body's members as items of the earlier generation have them (formats §9).
pub fn in_older_letters(value: &Value) -> Value {
    match value {
        Value::Array(elements) => elements.iter().map(in_older_letters).collect(),
        Value::Object(map) => {
            let lower = |key: &str| format!("{}{}", key[..1].to_lowercase(), &key[1..]);
            let map: Map<String, Value> =
                map.iter().map(|(key, value)| (lower(key), in_older_letters(value))).collect();
            Value::Object(map)
        }
        _ => value.clone(),
    }
}
