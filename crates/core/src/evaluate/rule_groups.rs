//! The rule groups that a policy puts into a web ACL, compared with those that are there
//! (semantics §5.1 test 3).

use crate::inventory::WebAclRuleGroup;
use crate::policy::wafv2::RuleGroup;

/// Whether the groups of one side are those wanted and no others, in their order.
pub(super) fn carries(found: &[WebAclRuleGroup], wanted: &[RuleGroup]) -> bool {
    found.len() == wanted.len()
        && found.iter().zip(wanted).all(|(found, wanted)| is_same(found, wanted))
}

/// Same group, same version, same override. Without a version the policy wants the default one,
/// so a pinned one differs.
fn is_same(found: &WebAclRuleGroup, wanted: &RuleGroup) -> bool {
    match wanted {
        RuleGroup::Own { arn, count } => found.arn.as_ref() == Some(arn) && found.count == *count,
        RuleGroup::Managed { vendor, name, version, count } => {
            found.vendor.as_ref() == Some(vendor)
                && found.name.as_ref() == Some(name)
                && found.version == *version
                && found.count == *count
        }
    }
}

/// Groups as people read them.
pub(super) fn list(groups: &[RuleGroup]) -> String {
    let texts: Vec<_> = groups
        .iter()
        .map(|group| {
            let (text, count) = match group {
                RuleGroup::Own { arn, count } => (arn.to_string(), count),
                RuleGroup::Managed { vendor, name, version: None, count } => {
                    (format!("{vendor} {name}"), count)
                }
                RuleGroup::Managed { vendor, name, version: Some(version), count } => {
                    (format!("{vendor} {name} {version}"), count)
                }
            };
            if *count { format!("{text} counting") } else { text }
        })
        .collect();
    format!("[{}]", texts.join(", "))
}
