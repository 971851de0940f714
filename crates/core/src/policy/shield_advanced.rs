//! `SHIELD_ADVANCED` (semantics §5.3): its automatic response.

use super::Refusal;
use super::shape::Node;

pub(super) fn check(data: &Node<'_>) -> Result<(), Refusal> {
    let response = data.get("automaticResponseConfiguration");
    let status =
        response.get("automaticResponseStatus").one_of(&["ENABLED", "IGNORED", "DISABLED"])?;
    let action = response.get("automaticResponseAction");
    action.one_of(&["BLOCK", "COUNT"])?;
    if status == Some("ENABLED") {
        action.required("with ENABLED give BLOCK or COUNT")?;
    }
    Ok(())
}
