//! What is found of web ACLs. AWS tells no remedies of them (semantics §3.6).

use serde::{Deserialize, Serialize};

use super::reason::{Reasoned, ViolationReason};

/// What is wrong with a web ACL, or with which one a resource has.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all_fields = "camelCase")]
pub enum WafFinding {
    /// A resource has no web ACL, another one, or one without the policy's rule groups.
    WebAcl {
        /// What is associated: its ARN or id.
        found: Option<Box<str>>,
        /// What was wanted.
        wanted: Box<str>,
        /// Of the policy's own web ACL, what of its rule groups is not as wanted, in words; at most
        /// [`RULE_GROUP_DIFFERENCES_MAX`].
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        differences: Vec<Box<str>>,
    },
    /// A web ACL that is in use by resources in scope cannot be taken over, for it is also on others.
    WebAclOutOfScopeUse {
        /// The web ACL: its ARN.
        web_acl: Box<str>,
        /// ARNs or ids of those others, ascending; at most
        /// [`OUT_OF_SCOPE_RESOURCES_MAX`].
        resources: Vec<Box<str>>,
        /// How many more there are.
        more: u64,
    },
}

/// Differences of rule groups that are told of one web ACL; of more, the last says how many.
pub const RULE_GROUP_DIFFERENCES_MAX: usize = 20;

/// Resources out of scope that are told of one web ACL.
pub const OUT_OF_SCOPE_RESOURCES_MAX: usize = 100;

impl WafFinding {
    /// A resource has no web ACL.
    pub(in crate::evaluate) fn missing(wanted: String) -> Reasoned<WafFinding> {
        let finding = WafFinding::web_acl(None, wanted, Vec::new());
        Reasoned { reason: ViolationReason::ResourceMissingWebAcl, finding }
    }

    /// A resource has another web ACL than the policy's.
    pub(in crate::evaluate) fn incorrect(found: &str, wanted: String) -> Reasoned<WafFinding> {
        let finding = WafFinding::web_acl(Some(found), wanted, Vec::new());
        Reasoned { reason: ViolationReason::ResourceIncorrectWebAcl, finding }
    }

    /// The policy's web ACL has not the policy's rule groups.
    pub(in crate::evaluate) fn without_groups(
        found: &str,
        wanted: String,
        differences: Vec<String>,
    ) -> Reasoned<WafFinding> {
        let finding = WafFinding::web_acl(Some(found), wanted, differences);
        Reasoned { reason: ViolationReason::WebAclMissingRuleGroup, finding }
    }

    /// A web ACL that somebody else manages cannot be taken over.
    pub(in crate::evaluate) fn not_free(arn: &str) -> Reasoned<WafFinding> {
        let wanted = "a web ACL that Firewall Manager does not manage already".to_owned();
        let finding = WafFinding::web_acl(Some(arn), wanted, Vec::new());
        Reasoned { reason: ViolationReason::WebAclConfigurationOrScopeOfUse, finding }
    }

    /// A web ACL that is also on `strangers`, in any order and with repeats, cannot be taken over.
    pub(in crate::evaluate) fn out_of_scope_use(
        arn: &str,
        mut strangers: Vec<&str>,
    ) -> Reasoned<WafFinding> {
        strangers.sort_unstable();
        strangers.dedup();
        let more = strangers.len().saturating_sub(OUT_OF_SCOPE_RESOURCES_MAX) as u64;
        let resources = strangers.into_iter().take(OUT_OF_SCOPE_RESOURCES_MAX).map(Into::into);
        let finding = WafFinding::WebAclOutOfScopeUse {
            web_acl: arn.into(),
            resources: resources.collect(),
            more,
        };
        Reasoned { reason: ViolationReason::WebAclConfigurationOrScopeOfUse, finding }
    }

    fn web_acl(found: Option<&str>, wanted: String, mut differences: Vec<String>) -> WafFinding {
        let more = differences.len().saturating_sub(RULE_GROUP_DIFFERENCES_MAX);
        if more > 0 {
            let kept = RULE_GROUP_DIFFERENCES_MAX.saturating_sub(1);
            differences.truncate(kept);
            differences.push(format!("and {} more", more.saturating_add(1)));
        }
        WafFinding::WebAcl {
            found: found.map(Into::into),
            wanted: wanted.into(),
            differences: differences.into_iter().map(Into::into).collect(),
        }
    }

    /// What would end it.
    pub fn ends_by(&self) -> Vec<String> {
        match self {
            WafFinding::WebAcl { found: None, wanted, .. } => {
                vec![format!("associate the resource with {wanted}")]
            }
            WafFinding::WebAcl { found: Some(found), wanted, differences }
                if differences.is_empty() =>
            {
                vec![format!("replace web ACL {found} by {wanted}")]
            }
            WafFinding::WebAcl { found: Some(found), wanted, .. } => {
                vec![format!("give web ACL {found} the rule groups wanted: {wanted}")]
            }
            WafFinding::WebAclOutOfScopeUse { web_acl, .. } => vec![
                format!("take web ACL {web_acl} off the resources that are out of scope"),
                "bring those resources into the policy's scope".to_owned(),
            ],
        }
    }

    /// The evidence in one sentence.
    pub fn summary(&self) -> String {
        match self {
            WafFinding::WebAcl { found: None, wanted, .. } => {
                format!("no web ACL; wanted: {wanted}")
            }
            WafFinding::WebAcl { found: Some(found), wanted, differences } => {
                let differences: String =
                    differences.iter().map(|text| format!("; {text}")).collect();
                format!("web ACL {found}{differences}; wanted: {wanted}")
            }
            WafFinding::WebAclOutOfScopeUse { web_acl, resources, more } => {
                let others = resources.join(", ");
                let more = if *more > 0 { format!(" and {more} more") } else { String::new() };
                format!("web ACL {web_acl} is also used out of scope: {others}{more}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_says_which_web_acl_is_there_and_what_is_wrong_with_it() {
        let bare = WafFinding::missing("FMManagedWebACLV2-web-*".into()).finding;
        assert_eq!(bare.summary(), "no web ACL; wanted: FMManagedWebACLV2-web-*");
        let altered = |count: usize| {
            let differences = (1..=count).map(|n| format!("rule {n}")).collect();
            let wanted = "first [a]; last []".into();
            WafFinding::without_groups("acl-1", wanted, differences).finding.summary()
        };
        assert_eq!(altered(1), "web ACL acl-1; rule 1; wanted: first [a]; last []");
        assert!(altered(RULE_GROUP_DIFFERENCES_MAX).contains("; rule 19; rule 20; wanted"));
        let more = altered(RULE_GROUP_DIFFERENCES_MAX + 1);
        assert!(more.contains("; rule 19; and 2 more; wanted"), "{more}");
    }

    #[test]
    fn uses_out_of_scope_are_told_to_their_limit() {
        for (count, want) in [(99, (99, 0)), (100, (100, 0)), (101, (100, 1))] {
            let ids: Vec<String> = (0..count).map(|n| format!("api-{n}")).collect();
            let strangers: Vec<&str> = ids.iter().map(String::as_str).chain(["api-0"]).collect();
            let found = WafFinding::out_of_scope_use("a", strangers).finding;
            let WafFinding::WebAclOutOfScopeUse { resources, more, .. } = found else {
                panic!("a use out of scope")
            };
            assert_eq!((resources.len(), more), want);
            assert!(resources.is_sorted());
        }
    }
}
