//! Evidence and gaps as text, for people and for the wire.

use std::fmt::Write;

use super::{DependentService, Direction, Finding, Gap, RULE_GROUP_DIFFERENCES_MAX};

impl Gap {
    /// A gap whose text is kept within the characters of model `DetailedInfo`: whatever else an id
    /// brings in becomes `_`. Letters and digits beyond ASCII are allowed there too, but no AWS id
    /// has them.
    pub fn new(service: DependentService, text: &str) -> Gap {
        let allowed = |c: char| c.is_ascii_alphanumeric() || " _.:/=,+-@".contains(c);
        let text: String = text.chars().map(|c| if allowed(c) { c } else { '_' }).collect();
        Gap { service, text: text.into() }
    }
}

impl Finding {
    /// What is found of a resource's web ACL.
    pub(super) fn web_acl(
        found: Option<&str>,
        wanted: String,
        mut differences: Vec<String>,
    ) -> Finding {
        let more = differences.len().saturating_sub(RULE_GROUP_DIFFERENCES_MAX);
        if more > 0 {
            let kept = RULE_GROUP_DIFFERENCES_MAX.saturating_sub(1);
            differences.truncate(kept);
            differences.push(format!("and {} more", more.saturating_add(1)));
        }
        Finding::WebAcl {
            found: found.map(Into::into),
            wanted: wanted.into(),
            differences: differences.into_iter().map(Into::into).collect(),
        }
    }

    /// The evidence in one sentence.
    pub fn summary(&self) -> String {
        match self {
            Finding::SecurityGroupRule { group, direction, rule, against, .. } => {
                let direction = match direction {
                    Direction::Ingress => "ingress",
                    Direction::Egress => "egress",
                };
                format!("{direction} rule `{rule}` of {group}: {against}")
            }
            Finding::AttachedGroups { interfaces } => attached(interfaces),
            Finding::WebAcl { found: None, wanted, .. } => {
                format!("no web ACL; wanted: {wanted}")
            }
            Finding::WebAcl { found: Some(found), wanted, differences } => {
                let differences: String =
                    differences.iter().map(|text| format!("; {text}")).collect();
                format!("web ACL {found}{differences}; wanted: {wanted}")
            }
            Finding::WebAclOutOfScopeUse { web_acl, resources, more } => {
                let others = resources.join(", ");
                let more = if *more > 0 { format!(" and {more} more") } else { String::new() };
                format!("web ACL {web_acl} is also used out of scope: {others}{more}")
            }
            Finding::Shield { protection, web_acl, amiss } => {
                let protection = protection.iter().map(|id| format!("Shield protection {id}"));
                let web_acl = web_acl.iter().map(|id| format!("web ACL {id}"));
                match protection.chain(web_acl).collect::<Vec<_>>().join(", ") {
                    seen if seen.is_empty() => amiss.to_string(),
                    seen => format!("{amiss}; seen: {seen}"),
                }
            }
            Finding::UnusedGroup { group, since_ms } => format!(
                "no network interface, instance or load balancer uses {group}, unchanged since {}",
                moment(*since_ms)
            ),
            Finding::RedundantGroup { group, keeper } => {
                format!("{group} has the same rules as {keeper} of its VPC, which is to stay")
            }
        }
    }
}

/// A moment in UTC, as ISO 8601 has it.
fn moment(ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(ms) {
        Ok(at) => at.to_string(),
        Err(_) => format!("{ms} ms after 1970"),
    }
}

fn attached(interfaces: &[(Box<str>, Vec<Box<str>>)]) -> String {
    let mut text = String::from("violating security groups");
    for (at, (interface, groups)) in interfaces.iter().enumerate() {
        let join = if at == 0 { "" } else { ";" };
        // Writing to a String cannot fail.
        let _ = write!(text, "{join} {} on {interface}", groups.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_keeps_to_the_characters_of_the_model() {
        let gap = Gap::new(DependentService::Config, "a (b) \"c\" é\u{301}\n -_.:/=,+@ 09 AZ");
        assert_eq!(&*gap.text, "a _b_ _c_ ___ -_.:/=,+@ 09 AZ");
    }

    #[test]
    fn a_summary_says_what_was_found_and_what_it_was_held_against() {
        let rule = Finding::SecurityGroupRule {
            group: "sg-1".into(),
            direction: Direction::Ingress,
            rule: "tcp 22 from 0.0.0.0/0".into(),
            against: "no rule of audit group sg-a allows it".into(),
            near_misses: Vec::new(),
            remedies: Vec::new(),
        };
        assert_eq!(
            rule.summary(),
            "ingress rule `tcp 22 from 0.0.0.0/0` of sg-1: no rule of audit group sg-a allows it"
        );
        let interfaces = vec![
            ("eni-1".into(), vec!["sg-1".into(), "sg-2".into()]),
            ("eni-2".into(), vec!["sg-1".into()]),
        ];
        assert_eq!(
            Finding::AttachedGroups { interfaces }.summary(),
            "violating security groups sg-1, sg-2 on eni-1; sg-1 on eni-2"
        );
        let bare = Finding::web_acl(None, "FMManagedWebACLV2-web-*".into(), vec![]);
        assert_eq!(bare.summary(), "no web ACL; wanted: FMManagedWebACLV2-web-*");
        let altered = |count: usize| {
            let differences = (1..=count).map(|n| format!("rule {n}")).collect();
            Finding::web_acl(Some("acl-1"), "first [a]; last []".into(), differences).summary()
        };
        assert_eq!(altered(1), "web ACL acl-1; rule 1; wanted: first [a]; last []");
        assert!(altered(RULE_GROUP_DIFFERENCES_MAX).contains("; rule 19; rule 20; wanted"));
        let more = altered(RULE_GROUP_DIFFERENCES_MAX + 1);
        assert!(more.contains("; rule 19; and 2 more; wanted"), "{more}");
        let shield = |protection: Option<&str>, web_acl: Option<&str>, amiss: &str| {
            let [protection, web_acl] = [protection, web_acl].map(|id| id.map(Into::into));
            Finding::Shield { protection, web_acl, amiss: amiss.into() }.summary()
        };
        assert_eq!(shield(None, None, "no Shield protection"), "no Shield protection");
        assert_eq!(
            shield(Some("p-1"), Some("acl-1"), "automatic response is off"),
            "automatic response is off; seen: Shield protection p-1, web ACL acl-1"
        );
        let unused = |since_ms| Finding::UnusedGroup { group: "sg-1".into(), since_ms }.summary();
        assert_eq!(
            unused(1_600_000_000_000),
            "no network interface, instance or load balancer uses sg-1, unchanged since \
             2020-09-13T12:26:40Z"
        );
        assert!(unused(i64::MAX).ends_with("unchanged since 9223372036854775807 ms after 1970"));
        let redundant = Finding::RedundantGroup { group: "sg-2".into(), keeper: "sg-1".into() };
        assert_eq!(
            redundant.summary(),
            "sg-2 has the same rules as sg-1 of its VPC, which is to stay"
        );
    }
}
