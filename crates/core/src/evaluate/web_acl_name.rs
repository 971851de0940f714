//! Which web ACLs are a policy's own by their name (semantics §10 row 16, §11 row 34).

use crate::policy::Policy;
use crate::policy::web_acl_name::{fits, names};

pub(super) use crate::policy::web_acl_name::pattern;

/// The names that a policy's web ACLs may bear.
pub(super) struct OwnNames<'a> {
    policy: &'a Policy,
}

impl<'a> OwnNames<'a> {
    pub fn of(policy: &'a Policy) -> OwnNames<'a> {
        OwnNames { policy }
    }

    /// Whether a web ACL's name fits one of the policy's names, and no longer one of another policy.
    pub fn has(&self, web_acl_name: &str) -> bool {
        let longest = |fitting: Option<&str>| fitting.map(str::len);
        let own = names(self.policy).filter(|name| fits(web_acl_name, name));
        let others = self.policy.rival_names.iter().filter(|name| fits(web_acl_name, name));
        let own = longest(own.max_by_key(|name| name.len()));
        own.is_some() && own >= longest(others.map(Box::as_ref).max_by_key(|name| name.len()))
    }
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
    use crate::policy::wafv2::Wafv2;
    use crate::policy::{Rule, rivals};

    use super::*;

    fn named(name: &str, former_names: &[&str]) -> Policy {
        let mut policy = policy("AWS::CloudFront::Distribution", Rule::Wafv2(Wafv2::default()));
        policy.name = name.into();
        policy.former_names = former_names.iter().map(|name| (*name).into()).collect();
        policy
    }

    #[test]
    fn a_name_is_own_when_it_fits_a_name_of_the_policy() {
        let policy = named("web", &["web-old"]);
        let names = OwnNames::of(&policy);
        for (name, own) in [
            ("FMManagedWebACLV2-web-1600000000000", true),
            ("FMManagedWebACLV2web1600000000000", true),
            ("FMManagedWebACLV2-web-old-1600000000000", true),
            ("FMManagedWebACLV2web-old1600000000000", true),
            ("FMManagedWebACLV2-web-new-1600000000000", false),
            ("FMManagedWebACLV2-web-1", false),
            ("", false),
        ] {
            assert_eq!(names.has(name), own, "{name}");
        }
    }

    #[test]
    fn the_longest_of_several_names_that_fit_wins() {
        let mut policies = [
            named("web", &[]),
            named("web1", &[]),
            named("other", &["web16"]),
            named("-web-", &[]),
        ];
        for (policy, rivals) in rivals(&policies).into_iter().zip(&[
            &["-web-", "web1", "web16"][..],
            &["web16"],
            &[],
            &[],
        ]) {
            assert_eq!(policy.iter().map(Box::as_ref).collect::<Vec<_>>(), *rivals);
        }
        let found = rivals(&policies);
        for (policy, rivals) in policies.iter_mut().zip(found) {
            policy.rival_names = rivals;
        }
        let own = |acl: &str| {
            let owners = policies.iter().filter(|policy| OwnNames::of(policy).has(acl));
            owners.map(|policy| &*policy.name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(own("FMManagedWebACLV2web1600000000000"), "other", "11 digits behind web16");
        assert_eq!(own("FMManagedWebACLV2web1100000000000"), "web1", "12 digits behind web1");
        assert_eq!(own("FMManagedWebACLV2web21600000000"), "web");
        assert_eq!(own("FMManagedWebACLV2-web-1600000000000"), "-web-");
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
