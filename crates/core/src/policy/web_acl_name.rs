//! Names of the web ACLs that Firewall Manager makes for a policy (semantics §5.1, §7.2, §11 row 34):
//! `FMManagedWebACLV2-<policy name>-<UTC ms>` and, made before mid-2021 and never renamed,
//! `FMManagedWebACLV2<policy name><UTC ms>`. A name never changes, so one made under an earlier name
//! of the policy is still its own.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, RangeInclusive};

use crate::ident::Region;

use super::{Policy, PolicyType};

const PREFIX: &str = "FMManagedWebACLV2";

/// Digits of the moment at the end.
const DIGITS: RangeInclusive<usize> = 10..=13;

/// Whether a web ACL's name has the pattern, old or new, for a policy's name.
pub(crate) fn fits(web_acl_name: &str, policy_name: &str) -> bool {
    let Some(rest) = web_acl_name.strip_prefix(PREFIX) else { return false };
    let new = rest.strip_prefix('-').and_then(|rest| rest.strip_prefix(policy_name));
    let new = new.and_then(|rest| rest.strip_prefix('-'));
    let old = rest.strip_prefix(policy_name);
    [new, old].into_iter().flatten().any(is_moment)
}

fn is_moment(text: &str) -> bool {
    DIGITS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The pattern as people read it.
pub(crate) fn pattern(policy_name: &str) -> String {
    format!("{PREFIX}-{policy_name}-<UTC ms>")
}

/// Whether some web ACL's name fits both policy names: the longer one then wins. That takes an old
/// name, of which the moment may have begun earlier, and the longer policy name to go on with digits.
fn contends(longer: &str, shorter: &str) -> bool {
    let most = DIGITS.end().saturating_sub(*DIGITS.start());
    let are_digits = |rest: &str, least: usize| {
        (least..=most).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_digit())
    };
    // Old name beside old name: `web1` and `web`.
    let old = longer.strip_prefix(shorter).is_some_and(|rest| are_digits(rest, 1));
    // A new name of `web` read as an old name of `-web-`.
    let new = longer.strip_prefix('-').and_then(|rest| rest.strip_prefix(shorter));
    let new = new.and_then(|rest| rest.strip_prefix('-'));
    old || new.is_some_and(|rest| are_digits(rest, 0))
}

/// For each policy of a list, in its order, the names of others of its Region that win over one of
/// its own for some web ACL ([`Policy::rival_names`]).
pub fn rivals<'a>(policies: impl IntoIterator<Item = &'a Policy>) -> Vec<Vec<Box<str>>> {
    let policies: Vec<&Policy> = policies.into_iter().collect();
    let mut by_region: BTreeMap<&Region, BTreeSet<&str>> = BTreeMap::new();
    for policy in policies.iter().filter(|policy| policy.policy_type().facts().makes_web_acls) {
        by_region.entry(&policy.region).or_default().extend(names(policy));
    }
    let rivals_of = |policy: &&Policy| -> Vec<Box<str>> {
        if policy.policy_type() != PolicyType::Wafv2 {
            return Vec::new();
        }
        let Some(known) = by_region.get(&policy.region) else { return Vec::new() };
        let own: BTreeSet<&str> = names(policy).collect();
        let mut rivals: BTreeSet<&str> = BTreeSet::new();
        for own in &own {
            for with in [(*own).to_owned(), format!("-{own}-")] {
                let from = (Bound::Included(&*with), Bound::Unbounded);
                let begin_so =
                    known.range::<str, _>(from).take_while(|name| name.starts_with(&*with));
                rivals.extend(begin_so.filter(|name| contends(name, own)));
            }
        }
        rivals.difference(&own).map(|name| (*name).into()).collect()
    };
    policies.iter().map(rivals_of).collect()
}

/// The names that a policy has and had.
pub(crate) fn names(policy: &Policy) -> impl Iterator<Item = &str> {
    policy.former_names.iter().map(Box::as_ref).chain([&*policy.name])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_when_it_has_the_old_or_the_new_pattern() {
        for (name, fits_web) in [
            ("FMManagedWebACLV2-web-1600000000000", true),
            ("FMManagedWebACLV2-web-1600000000", true),
            ("FMManagedWebACLV2web1600000000000", true),
            ("FMManagedWebACLV2web1600000000", true),
            ("FMManagedWebACLV2-web-160000000", false),
            ("FMManagedWebACLV2-web-16000000000000", false),
            ("FMManagedWebACLV2web160000000", false),
            ("FMManagedWebACLV2web16000000000000", false),
            ("FMManagedWebACLV2-web1600000000000", false),
            ("FMManagedWebACLV2web-1600000000000", false),
            ("FMManagedWebACLV2-web-", false),
            ("FMManagedWebACLV2-web", false),
            ("FMManagedWebACLV2web", false),
            ("FMManagedWebACLV2-web-new-1600000000000", false),
            ("FMManagedWebACLV2-webb-1600000000000", false),
            ("FMManagedWebACLV2-web-1600000000000x", false),
            ("FMManagedWebACLV2-web--1600000000000", false),
            ("FMManagedWebACLV2-Web-1600000000000", false),
            ("FMManagedWebACLV2-Loggingweb-1600000000000", false),
            ("xFMManagedWebACLV2-web-1600000000000", false),
            ("", false),
        ] {
            assert_eq!(fits(name, "web"), fits_web, "{name}");
        }
    }

    #[test]
    fn two_names_contend_exactly_when_a_web_acl_fits_both() {
        let names = [
            "web",
            "web1",
            "web12",
            "web123",
            "web1234",
            "web-",
            "-web-",
            "-web-1",
            "-web-123",
            "-web-1234",
            "we",
            "x",
        ];
        let moments = ["1234567890", "12345678901", "123456789012", "1234567890123"];
        for longer in names {
            for shorter in names.into_iter().filter(|shorter| shorter.len() < longer.len()) {
                let made = moments.into_iter().flat_map(|moment| {
                    let [old, new] = [longer, shorter].map(|name| {
                        [format!("{PREFIX}{name}{moment}"), format!("{PREFIX}-{name}-{moment}")]
                    });
                    old.into_iter().chain(new)
                });
                let both = made.into_iter().any(|name| fits(&name, longer) && fits(&name, shorter));
                assert_eq!(contends(longer, shorter), both, "{longer} {shorter}");
            }
        }
    }
}
