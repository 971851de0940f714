//! Names of web ACLs that Firewall Manager makes: `FMManagedWebACLV2-<policy name>-<UTC ms>`
//! (semantics §5.1, §7.2). A name never changes, so one made under an earlier name of the policy
//! is still its own.

use crate::policy::Policy;

const PREFIX: &str = "FMManagedWebACLV2-";

/// The names that a policy's web ACLs may bear.
pub(super) struct OwnNames<'a> {
    policy_names: Vec<&'a str>,
}

impl<'a> OwnNames<'a> {
    pub fn of(policy: &'a Policy) -> OwnNames<'a> {
        let former = policy.former_names.iter().map(Box::as_ref);
        OwnNames { policy_names: former.chain([&*policy.name]).collect() }
    }

    /// Whether a web ACL's name has exactly the pattern for one of the policy's names.
    pub fn has(&self, web_acl_name: &str) -> bool {
        self.policy_names.iter().any(|policy_name| {
            web_acl_name
                .strip_prefix(PREFIX)
                .and_then(|rest| rest.strip_prefix(policy_name))
                .and_then(|rest| rest.strip_prefix('-'))
                .is_some_and(|ms| !ms.is_empty() && ms.bytes().all(|byte| byte.is_ascii_digit()))
        })
    }
}

/// The pattern as people read it.
pub(super) fn pattern(policy_name: &str) -> String {
    format!("{PREFIX}{policy_name}-<UTC ms>")
}

/// The name in a WAFv2 ARN, `arn:…:wafv2:…/webacl/<name>/<id>`; `None` for anything else.
pub(super) fn of_arn(arn: &str) -> Option<&str> {
    let (head, tail) = arn.split_once("/webacl/")?;
    if !head.starts_with("arn:") {
        return None;
    }
    Some(tail.split_once('/').map_or(tail, |(name, _)| name))
}

#[cfg(test)]
mod tests {
    use crate::evaluate::world::policy;
    use crate::policy::Rule;
    use crate::policy::wafv2::Wafv2;

    use super::*;

    #[test]
    fn a_name_is_own_when_it_has_exactly_the_pattern() {
        let mut policy = policy("AWS::CloudFront::Distribution", Rule::Wafv2(Wafv2::default()));
        policy.name = "web".into();
        policy.former_names = vec!["web-old".into()];
        let names = OwnNames::of(&policy);
        for (name, own) in [
            ("FMManagedWebACLV2-web-1600000000000", true),
            ("FMManagedWebACLV2-web-1", true),
            ("FMManagedWebACLV2-web-old-1600000000000", true),
            ("FMManagedWebACLV2-web-", false),
            ("FMManagedWebACLV2-web", false),
            ("FMManagedWebACLV2-web-new-1600000000000", false),
            ("FMManagedWebACLV2-webb-1600000000000", false),
            ("FMManagedWebACLV2-web-1600000000000x", false),
            ("FMManagedWebACLV2-web--1600000000000", false),
            ("FMManagedWebACLV2-Web-1600000000000", false),
            ("FMManagedWebACLV2-Loggingweb-1600000000000", false),
            ("xFMManagedWebACLV2-web-1600000000000", false),
            ("", false),
        ] {
            assert_eq!(names.has(name), own, "{name}");
        }
    }

    #[test]
    fn an_arn_tells_the_name() {
        let regional = "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/mine/0a1b";
        assert_eq!(of_arn(regional), Some("mine"));
        let global = "arn:aws-cn:wafv2:us-east-1:111122223333:global/webacl/a-1/0a1b";
        assert_eq!(of_arn(global), Some("a-1"));
        assert_eq!(of_arn("0c1d2e3f-0000-0000-0000-000000000000"), None);
        assert_eq!(of_arn(""), None);
    }
}
