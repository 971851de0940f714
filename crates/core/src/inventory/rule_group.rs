//! A rule group of a web ACL in the form in which a policy and an item are compared (semantics §11
//! row 33): two groups ask for the same when these values are equal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which rule group.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum RuleGroupId {
    /// A group of the administrator's own.
    Own {
        /// Its ARN.
        arn: Box<str>,
    },
    /// A managed one.
    Managed {
        /// `VendorName`
        vendor: Box<str>,
        /// `Name`
        name: Box<str>,
    },
}

impl std::fmt::Display for RuleGroupId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RuleGroupId::Own { arn } => f.write_str(arn),
            RuleGroupId::Managed { vendor, name } => write!(f, "{vendor} {name}"),
        }
    }
}

/// A rule group that Firewall Manager put into a web ACL. What the item did not tell is `None`; that
/// there is none of it is told by an empty value.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct WebAclRuleGroup {
    /// `Priority`: groups apply in ascending order.
    pub priority: Option<i64>,
    /// Which group.
    pub id: Option<RuleGroupId>,
    /// `Version` of a managed group; empty for the default version.
    pub version: Option<Box<str>>,
    /// `OverrideAction`, [canonical].
    pub override_action: Option<Box<str>>,
    /// `ExcludedRules`, which are set to count, and `RuleActionOverrides`.
    pub rule_actions: Option<RuleActions>,
    /// `ManagedRuleGroupConfigs`, see [`configs`].
    pub configs: Option<Vec<Box<str>>>,
    /// `ScopeDownStatement`, [canonical]; empty when there is none.
    pub scope_down: Option<Box<str>>,
}

/// Rules of a group with the [canonical] action that each is set to, sorted, without repeats.
pub type RuleActions = Vec<(Box<str>, Box<str>)>;

/// What an excluded rule is set to, and what `COUNT` overrides a group to.
pub const ACTION_COUNT: &str = r#"{"count":{}}"#;

/// `OverrideAction` that leaves a group's actions as they are.
pub const ACTION_NONE: &str = r#"{"none":{}}"#;

/// JSON in a form that is equal for equal meaning: names of members in lower case and sorted,
/// members that are null or empty lists left out, scalars as texts. The service API and Config's two
/// generations of items differ in letter case alone, and leave out or write as null what is not set.
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

/// Elements of `ManagedRuleGroupConfigs`, each member [canonical] by itself, sorted, without repeats:
/// several members of one element say the same as several elements.
pub fn configs<'a>(elements: impl IntoIterator<Item = &'a Value>) -> Vec<Box<str>> {
    let mut all: Vec<Box<str>> = Vec::new();
    for element in elements {
        match element {
            Value::Object(members) => {
                let set = members.iter().filter(|(_, value)| !is_unset(value));
                all.extend(set.map(|(name, value)| {
                    canonical(&Value::from_iter([(name.clone(), value.clone())])).into()
                }));
            }
            Value::Null => {}
            other => all.push(canonical(other).into()),
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}

fn is_unset(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(truth) => write_text(if *truth { "true" } else { "false" }, out),
        Value::Number(number) => {
            let fraction = number.is_f64().then(|| number.as_f64()).flatten();
            // `Display` of a whole float writes no fraction.
            let text = fraction.map_or_else(|| number.to_string(), |number| number.to_string());
            write_text(&text, out);
        }
        Value::String(text) => write_text(scalar(text), out),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().filter(|item| !item.is_null()).enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => write_object(members, out),
    }
}

fn write_object(members: &serde_json::Map<String, Value>, out: &mut String) {
    let mut sorted: BTreeMap<String, &Value> = BTreeMap::new();
    for (name, value) in members.iter().filter(|(_, value)| !is_unset(value)) {
        sorted.insert(name.to_ascii_lowercase(), value);
    }
    // Query results wrap values (formats §7).
    if let (1, Some(value)) = (sorted.len(), sorted.get("value")) {
        return write(value, out);
    }
    out.push('{');
    for (at, (name, value)) in sorted.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_text(&name, out);
        out.push(':');
        write(value, out);
    }
    out.push('}');
}

/// Truth values and whole numbers that were written as text, as they would be bare.
fn scalar(text: &str) -> &str {
    if let Some(truth) =
        ["true", "false"].into_iter().find(|truth| text.eq_ignore_ascii_case(truth))
    {
        return truth;
    }
    match text.strip_suffix(".0") {
        Some(whole) if !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit()) => {
            whole
        }
        _ => text,
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push_str(&Value::from(text).to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        canonical(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn what_means_the_same_is_equal() {
        for (one, other) in [
            (r#"{"Count":{}}"#, ACTION_COUNT),
            (r#"{"count":{},"none":null}"#, ACTION_COUNT),
            (r#"{"None":{}}"#, ACTION_NONE),
            (r#"{"A":1,"b":"x"}"#, r#"{"B":"x","a":"1"}"#),
            (r#"{"n":300.0}"#, r#"{"N":"300"}"#),
            (r#"{"n":"300.0"}"#, r#"{"N":300}"#),
            (r#"{"n":true}"#, r#"{"N":"TRUE"}"#),
            (r#"{"a":{"B":[{"C":1},null]},"d":[],"e":null}"#, r#"{"A":{"b":[{"c":1}]}}"#),
            (r#"{"a":{"value":"x"}}"#, r#"{"a":"x"}"#),
        ] {
            assert_eq!(of(one), of(other), "{one} {other}");
        }
    }

    #[test]
    fn what_means_something_else_differs() {
        for (one, other) in [
            (r#"{"block":{}}"#, ACTION_COUNT),
            (r#"{"block":{"customResponse":{"responseCode":403}}}"#, r#"{"block":{}}"#),
            (r#"{"a":"X"}"#, r#"{"a":"x"}"#),
            (r#"{"a":["x","y"]}"#, r#"{"a":["y","x"]}"#),
            (r#"{"a":1}"#, r#"{"a":2}"#),
            (r#"{"a":1.5}"#, r#"{"a":1}"#),
            (r#"{"a":".0"}"#, r#"{"a":""}"#),
            (r#"{"a":{}}"#, "{}"),
        ] {
            assert_ne!(of(one), of(other), "{one} {other}");
        }
    }

    #[test]
    fn elements_of_configurations_are_told_apart_by_their_members() {
        let of = |text: &str| configs(serde_json::from_str::<Vec<Value>>(text).unwrap().iter());
        let apart = of(r#"[{"loginPath":"/in"},{"payloadType":"JSON"},null]"#);
        assert_eq!(apart, of(r#"[{"PayloadType":"JSON","LoginPath":"/in","usernameField":null}]"#));
        assert_eq!(
            apart,
            of(r#"[{"payloadType":"JSON"},{"loginPath":"/in"},{"LOGINPATH":"/in"}]"#)
        );
        assert_ne!(apart, of(r#"[{"loginPath":"/in"}]"#));
        assert_eq!(of("[]"), of("[{}]"));
    }
}
