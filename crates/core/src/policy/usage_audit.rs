//! `SECURITY_GROUPS_USAGE_AUDIT` (semantics §5.6): groups must be used, groups must be unique.

use super::Refusal;
use super::facts::{DependentService, Facts};
use super::shape::Shape::{Flag, Object, Whole};
use super::shape::{Node, Shape, TYPE};
use crate::ident::ResourceType;

/// What is true of the type.
pub(super) static FACTS: Facts = Facts::new(
    "SECURITY_GROUPS_USAGE_AUDIT",
    &[ResourceType::SECURITY_GROUP],
    DependentService::Vpc,
    &DATA,
);

static DATA: Shape = Object(&[
    TYPE,
    ("deleteUnusedSecurityGroups", Flag),
    ("coalesceRedundantSecurityGroups", Flag),
    ("optionalDelayForUnusedInMinutes", Whole),
]);

/// What a SECURITY_GROUPS_USAGE_AUDIT policy demands. With both off it demands nothing; that is
/// valid.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct UsageAudit {
    /// `deleteUnusedSecurityGroups` with `optionalDelayForUnusedInMinutes`: for how many
    /// milliseconds a group has to stay as it is, unused, to break the policy; 0 is at once. `None`:
    /// groups need not be used.
    pub unused_after_ms: Option<i64>,
    /// `coalesceRedundantSecurityGroups`
    pub unique: bool,
}

/// Longest delay of a usage audit, in minutes: a year.
pub const UNUSED_DELAY_MINUTES_MAX: i64 = 525_600;

const MINUTE_MS: i64 = 60_000;

/// Reads the data of a SECURITY_GROUPS_USAGE_AUDIT policy, which was checked against its shape.
pub(super) fn parse(data: &Node<'_>) -> Result<UsageAudit, Refusal> {
    let used = data.get("deleteUnusedSecurityGroups").flag();
    let delay = data.get("optionalDelayForUnusedInMinutes");
    let minutes = delay.whole_within(0, UNUSED_DELAY_MINUTES_MAX)?.unwrap_or_default();
    if minutes > 0 && !used {
        return Err(delay.refuse(
            "needs `deleteUnusedSecurityGroups`; set that to true or leave the delay out",
        ));
    }
    Ok(UsageAudit {
        unused_after_ms: used.then(|| minutes.saturating_mul(MINUTE_MS)),
        unique: data.get("coalesceRedundantSecurityGroups").flag(),
    })
}
