//! Readers that take absent for none, each in one way: the negative controls.

use serde_json::{Value, json};

use super::told;

/// One fault: an absent member is read as if it were there and empty.
pub struct Plant {
    pub name: &'static str,
    /// The type of the items it concerns; empty: of every type.
    kind: &'static str,
    /// Where in the item.
    pub path: &'static [&'static str],
    /// What is read.
    empty: fn() -> Value,
}

impl Plant {
    /// The case as such a reader takes it.
    pub fn fill(&self, case: &Value) -> Value {
        let mut filled = case.clone();
        for file in filled["files"].as_array_mut().into_iter().flatten() {
            for item in told::items(file) {
                if !self.concerns(&item) {
                    continue;
                }
                told::replace(file, &told::identity(&item), &|item| Some(self.filled(item)));
            }
        }
        filled
    }

    /// Whether it reads items of this type in another way.
    pub fn concerns(&self, item: &Value) -> bool {
        self.kind.is_empty() || told::kind(item) == self.kind.to_ascii_lowercase()
    }

    fn filled(&self, item: &Value) -> Value {
        let mut filled = item.clone();
        let Some((last, parents)) = self.path.split_last() else { return filled };
        let parents: Vec<String> = parents.iter().map(|step| (*step).to_owned()).collect();
        if told::says_gone(item) {
            return filled;
        }
        if let Some(Value::Object(parent)) = told::at_mut(&mut filled, &parents) {
            parent.entry((*last).to_owned()).or_insert_with(self.empty);
        }
        filled
    }
}

const fn plant(
    name: &'static str,
    kind: &'static str,
    path: &'static [&'static str],
    empty: fn() -> Value,
) -> Plant {
    Plant { name, kind, path, empty }
}

/// Every one is noticed.
pub const PLANTS: &[Plant] = &[
    plant("no tags", "", &["tags"], || json!({})),
    plant("no rules in", "AWS::EC2::SecurityGroup", &["configuration", "ipPermissions"], || {
        json!([])
    }),
    plant(
        "no rules out",
        "AWS::EC2::SecurityGroup",
        &["configuration", "ipPermissionsEgress"],
        || json!([]),
    ),
    plant(
        "no groups of an interface",
        "AWS::EC2::NetworkInterface",
        &["configuration", "groups"],
        || json!([]),
    ),
    plant(
        "no groups of an instance",
        "AWS::EC2::Instance",
        &["configuration", "securityGroups"],
        || json!([]),
    ),
    plant(
        "no interfaces of an instance",
        "AWS::EC2::Instance",
        &["configuration", "networkInterfaces"],
        || json!([]),
    ),
    plant(
        "no body",
        "AWS::EC2::SecurityGroup",
        &["configuration"],
        || json!({"groupName": "x", "ipPermissions": [], "ipPermissionsEgress": []}),
    ),
    plant(
        "no groups of a web ACL first",
        "AWS::WAFv2::WebACL",
        &["configuration", "PreProcessFirewallManagerRuleGroups"],
        || json!([]),
    ),
    plant(
        "a recorder that records all",
        "AWS::Config::ConfigurationRecorder",
        &["configuration", "RecordingGroup"],
        || json!({"AllSupported": true}),
    ),
];
