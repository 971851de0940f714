//! What is found of Shield Advanced protections. AWS tells no details of them and no remedies
//! (semantics §3.6).

use serde::{Deserialize, Serialize};

use super::reason::{Reasoned, ViolationReason};

/// What is wrong with how a resource is protected.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all_fields = "camelCase")]
pub enum ShieldFinding {
    /// A resource lacks a Shield Advanced protection or a web ACL, or the protection's automatic
    /// response is another.
    Shield {
        /// The protection that names the resource: its id.
        protection: Option<Box<str>>,
        /// The web ACL on the resource: its ARN or id.
        web_acl: Option<Box<str>>,
        /// What is amiss.
        amiss: Box<str>,
    },
}

impl ShieldFinding {
    /// There is no protection, while `web_acl` is on the resource.
    pub(in crate::evaluate) fn unprotected(web_acl: Option<&str>) -> Reasoned<ShieldFinding> {
        let finding = ShieldFinding::new(None, web_acl, "no Shield protection");
        Reasoned { reason: ViolationReason::ResourceMissingShieldProtection, finding }
    }

    /// A web ACL is missing, or the automatic response of a protection is not as wanted: one reason
    /// stands for both (semantics §10 row 17).
    pub(in crate::evaluate) fn amiss(
        protection: Option<&str>,
        web_acl: Option<&str>,
        amiss: &str,
    ) -> Reasoned<ShieldFinding> {
        let finding = ShieldFinding::new(protection, web_acl, amiss);
        Reasoned { reason: ViolationReason::ResourceMissingWebAclOrShieldProtection, finding }
    }

    fn new(protection: Option<&str>, web_acl: Option<&str>, amiss: &str) -> ShieldFinding {
        ShieldFinding::Shield {
            protection: protection.map(Into::into),
            web_acl: web_acl.map(Into::into),
            amiss: amiss.into(),
        }
    }

    /// What would end it.
    pub fn ends_by(&self) -> Vec<String> {
        let ShieldFinding::Shield { protection, web_acl, amiss } = self;
        let lacks = |what: &str| amiss.contains(&format!("no {what}"));
        let mut steps = Vec::new();
        if protection.is_none() && lacks("Shield protection") {
            steps.push("protect the resource with Shield Advanced".to_owned());
        }
        if web_acl.is_none() && lacks("web ACL") || amiss.ends_with("and no web ACL") {
            steps.push("associate a web ACL with it".to_owned());
        }
        match steps.is_empty() {
            true => {
                vec![format!("set the automatic response of the protection as wanted ({amiss})")]
            }
            false => vec![steps.join(", then ")],
        }
    }

    /// The evidence in one sentence.
    pub fn summary(&self) -> String {
        match self {
            ShieldFinding::Shield { protection, web_acl, amiss } => {
                let protection = protection.iter().map(|id| format!("Shield protection {id}"));
                let web_acl = web_acl.iter().map(|id| format!("web ACL {id}"));
                match protection.chain(web_acl).collect::<Vec<_>>().join(", ") {
                    seen if seen.is_empty() => amiss.to_string(),
                    seen => format!("{amiss}; seen: {seen}"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_says_what_is_amiss_and_what_was_seen() {
        let unprotected = ShieldFinding::unprotected(None).finding;
        assert_eq!(unprotected.summary(), "no Shield protection");
        let amiss =
            ShieldFinding::amiss(Some("p-1"), Some("acl-1"), "automatic response is off").finding;
        assert_eq!(
            amiss.summary(),
            "automatic response is off; seen: Shield protection p-1, web ACL acl-1"
        );
    }
}
