//! One thing changed that a policy asks for.

use serde_json::{Value, json};

use crate::boundary::choose;
use crate::random::Random;

/// Changes one thing that a policy asks for.
pub fn change(data: &mut Value, random: &mut Random) {
    if data["type"] == "SHIELD_ADVANCED" {
        let response = &mut data["automaticResponseConfiguration"];
        *response = match (random.below(3), response["automaticResponseAction"].as_str()) {
            (0, _) => json!({"automaticResponseStatus": "DISABLED"}),
            (1, _) => json!({"automaticResponseStatus": "IGNORED"}),
            (_, Some("BLOCK")) => {
                json!({"automaticResponseStatus": "ENABLED", "automaticResponseAction": "COUNT"})
            }
            _ => json!({"automaticResponseStatus": "ENABLED", "automaticResponseAction": "BLOCK"}),
        };
        return;
    }
    if data["type"] == "SECURITY_GROUPS_USAGE_AUDIT" {
        let used = data["deleteUnusedSecurityGroups"] == true;
        match random.below(3) {
            0 if used => data["optionalDelayForUnusedInMinutes"] = json!(random.below(3)),
            1 => {
                data["deleteUnusedSecurityGroups"] = json!(!used);
                data["optionalDelayForUnusedInMinutes"] = Value::Null;
            }
            _ => {
                let unique = data["coalesceRedundantSecurityGroups"] == true;
                data["coalesceRedundantSecurityGroups"] = json!(!unique);
            }
        }
        return;
    }
    if data["type"] == "SECURITY_GROUPS_COMMON" {
        let switches = [
            "revertManualSecurityGroupChanges",
            "exclusiveResourceSecurityGroupManagement",
            "applyToAllEC2InstanceENIs",
            "includeSharedVPC",
        ];
        let switch = random.pick(&switches);
        data[switch] = json!(data[switch] != true);
        return;
    }
    if data["type"] == "WAF" {
        let Some(groups) = data["ruleGroups"].as_array_mut().filter(|all| !all.is_empty()) else {
            return;
        };
        match random.below(3) {
            0 => drop(groups.pop()),
            1 => groups.reverse(),
            _ => choose(&mut groups[0]["overrideAction"]["type"], random, &["NONE", "COUNT"]),
        }
        return;
    }
    if data["type"] == "DNS_FIREWALL" {
        let side = random.pick(&["preProcessRuleGroups", "postProcessRuleGroups"]);
        let Some(group) = data[side].as_array_mut().and_then(|side| side.first_mut()) else {
            return;
        };
        match random.below(3) {
            0 => choose(&mut group["ruleGroupId"], random, &["rslvr-frg-0a", "rslvr-frg-0d"]),
            1 if side.starts_with("pre") => group["priority"] = json!(3 + random.below(90)),
            1 => group["priority"] = json!(9_901 + random.below(90)),
            _ => drop(data[side].take()),
        }
        return;
    }
    if data["type"] == "WAFV2" {
        if random.chance(50) {
            let retrofit = data["webACLSource"] == "RETROFIT_EXISTING";
            data["webACLSource"] = if retrofit { Value::Null } else { json!("RETROFIT_EXISTING") };
            return;
        }
        let overriding = data["overrideCustomerWebACLAssociation"] == true;
        data["overrideCustomerWebACLAssociation"] = json!(!overriding);
        return;
    }
    let has_action = data["securityGroupAction"].is_object();
    if has_action && random.chance(30) {
        choose(&mut data["securityGroupAction"]["type"], random, &["ALLOW", "DENY"]);
        return;
    }
    let Some(options) = data["preManagedOptions"].as_array_mut().filter(|o| !o.is_empty()) else {
        return;
    };
    let at = random.below(options.len());
    let Some(option) = options[at].as_object_mut() else { return };
    for (key, value) in option {
        let step = if random.chance(50) { 1 } else { -1 };
        match key.as_str() {
            "auditSgDirection" if value.is_object() => {
                choose(&mut value["type"], random, &["ALL", "INGRESS", "EGRESS"]);
            }
            "denyProtocolAllValue" if value.is_boolean() => *value = json!(*value == false),
            "allowedPortCountPerSgRule" if value.is_number() => {
                *value = json!((value.as_i64().unwrap_or(1) + step).clamp(1, 65_536));
            }
            "minIpv4CidrPrefixLenPerSgRule" if value.is_number() => {
                *value = json!((value.as_i64().unwrap_or(1) + step).clamp(0, 32));
            }
            "minIpv6CidrPrefixLenPerSgRule" if value.is_number() => {
                *value = json!((value.as_i64().unwrap_or(1) + step).clamp(0, 128));
            }
            "allowedProtocolsLists"
            | "allowedPublicAccessAppLists"
            | "deniedPublicAccessAppLists"
                if value.is_object() && random.chance(30) =>
            {
                *value = json!({"customListIds": ["cccccccc-0000-4000-8000-00000000000c"]});
            }
            _ => {}
        }
    }
}
