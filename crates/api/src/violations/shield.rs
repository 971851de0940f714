//! Shield Advanced: the model has no details of it (semantics §3.6).

use palisade_core::evaluate::ShieldFinding;
use palisade_wire::shapes::ResourceViolation;

/// No member tells what is amiss with a protection.
pub fn violation(finding: &ShieldFinding) -> Option<ResourceViolation> {
    match finding {
        ShieldFinding::Shield { .. } => None,
    }
}
