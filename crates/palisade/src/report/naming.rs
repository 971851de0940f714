//! Names of members in what commands print for programs: AWS's casing, and one name for one thing wherever it is
//! told. Endpoints name their members in camel case; a command that prints an endpoint's answer gives them the
//! names that `compliance` and `violators` have.

use serde_json::{Map, Value};

/// How an answer's members are named.
#[derive(Clone, Copy, Debug)]
pub struct Naming {
    /// Members that have another name than their own with a capital.
    others: &'static [(&'static str, &'static str)],
    /// Members whose value is somebody else's document, or keyed by data: printed as it is.
    opaque: &'static [&'static str],
}

/// Of what is told of accounts and resources under a policy.
pub const UNDER_POLICY: Naming =
    Naming { others: &[("account", "MemberAccount")], opaque: &["issues", "finding"] };
/// Of a preview, whose policies need not be there yet.
pub const PREVIEW: Naming = Naming {
    others: &[
        ("account", "MemberAccount"),
        ("id", "PolicyId"),
        ("name", "PolicyName"),
        ("owner", "PolicyOwner"),
    ],
    opaque: &[],
};
/// Of waivers.
pub const WAIVERS: Naming = Naming { others: &[("policy", "PolicyId")], opaque: &[] };
/// Of the audit log, where an account is who called, and the states of objects are what was put.
pub const AUDIT: Naming = Naming { others: &[], opaque: &["before", "after"] };
/// Of everything else.
pub const PLAIN: Naming = Naming { others: &[], opaque: &[] };

/// The members of which a policy consists that is told of, and their names beside what is told.
pub const POLICY: [(&str, &str); 4] =
    [("id", "PolicyId"), ("name", "PolicyName"), ("owner", "PolicyOwner"), ("region", "Region")];

impl Naming {
    /// The name under which a member is printed.
    pub fn member(&self, name: &str) -> String {
        let other = self.others.iter().find(|(own, _)| *own == name);
        other.map_or_else(|| capital(name), |(_, other)| (*other).to_owned())
    }

    /// Whether a member's value is printed as it is.
    pub fn is_opaque(&self, name: &str) -> bool {
        self.opaque.contains(&name)
    }

    /// An answer as it is printed. A policy that is told of as an object becomes members beside it.
    pub fn named(&self, answer: &Value) -> Value {
        match answer {
            Value::Object(members) => Value::Object(self.members(members)),
            Value::Array(elements) => elements.iter().map(|one| self.named(one)).collect(),
            other => other.clone(),
        }
    }

    fn members(&self, members: &Map<String, Value>) -> Map<String, Value> {
        let policy = members.get("policy").and_then(Value::as_object);
        let of_policy = policy.into_iter().flat_map(|policy| {
            let told =
                move |(own, name): (&str, &str)| Some((name.to_owned(), policy.get(own)?.clone()));
            POLICY.into_iter().filter_map(told)
        });
        // A member's own Region, such as a resource's, stands before the policy's.
        let others = members.iter().filter(|(name, _)| policy.is_none() || *name != "policy");
        let others = others.map(|(name, value)| {
            let value = if self.is_opaque(name) { value.clone() } else { self.named(value) };
            (self.member(name), value)
        });
        of_policy.chain(others).collect()
    }
}

fn capital(name: &str) -> String {
    let mut rest = name.chars();
    rest.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_have_the_names_of_aws_and_a_policy_stands_beside_what_is_told_of_it() {
        let answer = json!({
            "policy": {"id": "p", "name": "narrow", "owner": "1", "region": "us-east-1"},
            "region": "global", "account": "2", "accountName": "two", "ResourceId": "sg-1",
            "issues": {"awsconfig": "x"}, "list": [{"resourceType": "t"}], "none": null,
        });
        assert_eq!(
            UNDER_POLICY.named(&answer),
            json!({
                "PolicyId": "p", "PolicyName": "narrow", "PolicyOwner": "1", "Region": "global",
                "MemberAccount": "2", "AccountName": "two", "ResourceId": "sg-1",
                "Issues": {"awsconfig": "x"}, "List": [{"ResourceType": "t"}], "None": null,
            })
        );
        let event = json!({"account": "1", "changes": [{"before": {"a": 1}, "object": "o"}]});
        let named = json!({"Account": "1", "Changes": [{"Before": {"a": 1}, "Object": "o"}]});
        assert_eq!(AUDIT.named(&event), named);
        assert_eq!(WAIVERS.named(&json!({"policy": "p"})), json!({"PolicyId": "p"}));
    }
}
