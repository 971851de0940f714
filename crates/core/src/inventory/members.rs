//! What a state tells of a resource, member by member: whether two states of one version contradict each
//! other is asked of these (semantics §11 row 67).
//!
//! Members come from the form in which bodies are serialized, so that one that is added to a body is compared
//! without anybody thinking of it. A null is a member that was not told; where a body says it otherwise, that
//! is said here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Body, Instance, Permission, Protection, SecurityGroup};

/// Told members of a resource by their paths, and what was told.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Members(BTreeMap<Box<str>, Box<str>>);

/// Members whose values are words that AWS writes in more than one letter case.
const WORDS: [&str; 6] =
    ["interface_type", "kind", "rule_order", "state", "status", "stream_exceptions"];

/// Members that are the item's own ARN or id where the body does not tell them.
const NAMED_BY_ITEM: [&str; 4] =
    ["FirewallPolicy/arn", "NetworkFirewall/arn", "PrefixList/id", "WebAcl/arn"];

/// Members that are the item's own name where the body does not tell them.
const NAMES: [&str; 4] =
    ["ClassicAcl/name", "DnsAssociation/name", "NetworkFirewall/name", "WebAcl/name"];

const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

impl Members {
    /// What a state of this body, with tags and a name where they are told, tells. Of a deletion nothing else
    /// matters.
    pub(super) fn of(
        body: &Body,
        tags: Option<&BTreeMap<Box<str>, Box<str>>>,
        name: Option<&str>,
    ) -> Members {
        let mut members = Members::default();
        let is_deleted = *body == Body::Deleted;
        members.add("deleted", if is_deleted { "true" } else { "false" });
        if is_deleted {
            return members;
        }
        if let Some(tags) = tags {
            members.add("tags", &format!("{tags:?}"));
        }
        match body {
            Body::Deleted | Body::Unseen | Body::OlderLayout | Body::Unwanted => {}
            Body::SecurityGroup(group) => members.add_group(group),
            Body::Instance(instance) => members.add_instance(instance),
            Body::Protection(protection) => members.add_protection(protection),
            // No override of a rule group is told by leaving it out.
            body @ Body::FirewallPolicy(_) => members.add_body(body, true),
            body => members.add_body(body, false),
        }
        members.part_names(name);
        members
    }

    /// Whether both tell some member, and each otherwise.
    pub fn contradict(&self, other: &Members) -> bool {
        self.0.iter().any(|(path, value)| other.0.get(path).is_some_and(|told| told != value))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// What either of two tells that do not contradict each other.
    pub fn and(mut self, other: Members) -> Members {
        self.0.extend(other.0);
        self
    }

    /// What `other` does not tell; `None` where that is nothing.
    pub fn beyond(mut self, other: &Members) -> Option<Members> {
        self.0.retain(|path, _| !other.0.contains_key(path));
        (!self.0.is_empty()).then_some(self)
    }

    fn add(&mut self, path: &str, value: &str) {
        self.0.insert(path.into(), value.into());
    }

    fn add_told(&mut self, path: &str, value: Option<&str>) {
        value.into_iter().for_each(|value| self.add(path, value));
    }

    /// A name that may be the item's own is compared with other such names alone.
    fn part_names(&mut self, own: Option<&str>) {
        for path in NAMES {
            if own.is_some() && self.0.get(path).map(|name| &**name) == own {
                self.0.remove(path);
                self.add_told("own name", own);
            }
        }
    }

    /// Rules by what they open, however they are put together. A direction of which some is not told is not
    /// compared.
    fn add_group(&mut self, group: &SecurityGroup) {
        let SecurityGroup { group_name, vpc, owner, ingress, egress, untold } = group;
        self.add_told("name", Some(&**group_name).filter(|name| !name.is_empty()));
        self.add_told("vpc", vpc.as_deref());
        self.add_told("owner", owner.as_ref().map(|owner| owner.as_str()));
        for (path, rules, untold) in
            [("ingress", ingress, untold.ingress), ("egress", egress, untold.egress)]
        {
            self.add_told(path, (!untold).then(|| opened(rules)).as_deref());
        }
    }

    /// An instance without groups of its own does not tell them.
    fn add_instance(&mut self, instance: &Instance) {
        let Instance { state, vpc, groups, interfaces } = instance;
        self.add_told("state", state.as_deref().map(str::to_ascii_lowercase).as_deref());
        self.add_told("vpc", vpc.as_deref());
        self.add_told("groups", (!groups.is_empty()).then(|| format!("{groups:?}")).as_deref());
        let Some(interfaces) = interfaces else { return };
        let mut ids: Vec<&str> = interfaces.iter().map(|interface| &*interface.id).collect();
        ids.sort_unstable();
        self.add("interfaces", &format!("{ids:?}"));
        for interface in interfaces {
            let path = format!("interfaces/{}", interface.id);
            let groups = interface.groups.as_ref().map(|groups| format!("{groups:?}"));
            self.add_told(&format!("{path}/groups"), groups.as_deref());
            let index = interface.device_index.map(|index| index.to_string());
            self.add_told(&format!("{path}/index"), index.as_deref());
        }
    }

    /// A whole item that tells no response has none.
    fn add_protection(&mut self, protection: &Protection) {
        let Protection { resource_arn, automatic_response } = protection;
        self.add("resource", resource_arn);
        let (enabled, block) = match automatic_response {
            None => (Some(false), None),
            Some(response) => (response.enabled, response.block),
        };
        let flag = |truth: Option<bool>| truth.map(|truth| if truth { "true" } else { "false" });
        self.add_told("enabled", flag(enabled));
        self.add_told("block", flag(block));
    }

    fn add_body(&mut self, body: &Body, nulls_tell: bool) {
        match serde_json::to_value(body) {
            Ok(Value::Object(variants)) => {
                variants.iter().for_each(|(name, value)| self.add_value(name, value, nulls_tell));
            }
            Ok(value) => self.add_value("body", &value, nulls_tell),
            // What cannot be taken apart is one member.
            Err(_) => self.add("body", &format!("{body:?}")),
        }
    }

    /// A value by its leaves. Of a list its length is one, of an object the names in it, which tell variants
    /// apart.
    fn add_value(&mut self, path: &str, value: &Value, nulls_tell: bool) {
        if NAMED_BY_ITEM.contains(&path) {
            return;
        }
        match value {
            Value::Null if nulls_tell && path.contains('#') => self.add(path, "null"),
            Value::Null => {}
            Value::Object(members) => {
                let names: Vec<&str> = members.keys().map(String::as_str).collect();
                self.add(path, &names.join(" "));
                for (name, member) in members {
                    self.add_value(&format!("{path}/{name}"), member, nulls_tell);
                }
            }
            Value::Array(all) => {
                self.add(path, &all.len().to_string());
                for (at, one) in all.iter().enumerate() {
                    self.add_value(&format!("{path}#{at}"), one, nulls_tell);
                }
            }
            // An attribute that says nothing of a web ACL, and a name that was not told.
            Value::String(text) if text == "Unsaid" || text.is_empty() && path == "WebAcl/name" => {
            }
            Value::String(text) if WORDS.iter().any(|word| path.ends_with(word)) => {
                self.add(path, &text.to_ascii_lowercase());
            }
            Value::String(text) => self.add(path, text),
            Value::Bool(_) | Value::Number(_) => self.add(path, &value.to_string()),
        }
    }
}

/// All that rules open, in one order: by protocol, what of it, and the other end. Ports count where EC2 looks at
/// them; whose a group of another account is, its id tells.
fn opened(rules: &[Permission]) -> String {
    let mut all = Vec::new();
    for rule in rules {
        let Permission { protocol, from_port, to_port, ipv4, ipv6, prefix_lists, groups } = rule;
        let any = |port: &Option<i32>| port.filter(|port| *port >= 0);
        let of = match protocol {
            Some(TCP | UDP | ICMP | ICMPV6) => {
                format!("{protocol:?} {:?} {:?}", any(from_port), any(to_port))
            }
            _ => format!("{protocol:?}"),
        };
        all.extend(ipv4.iter().map(|range| format!("{of} {range}")));
        all.extend(ipv6.iter().map(|range| format!("{of} {range}")));
        all.extend(prefix_lists.iter().map(|id| format!("{of} {id}")));
        all.extend(groups.iter().map(|(_, id)| format!("{of} {id}")));
    }
    all.sort_unstable();
    all.dedup();
    all.join("\n")
}

#[cfg(test)]
mod tests;
