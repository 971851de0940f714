//! `SHIELD_ADVANCED` (semantics §5.3): its automatic response and how web ACLs are handled.

use super::Refusal;
use super::facts::{DependentService, Facts};
use super::shape::Shape::{Flag, Object, Text};
use super::shape::{Node, Shape, TYPE};
use crate::ident::ResourceType;

/// What is true of the type.
pub(super) static FACTS: Facts = Facts {
    cleans_up: false,
    makes_web_acls: true,
    unsupported_type: Some("Unsupported Shield resource type"),
    // Other resources than the web ones need no settings.
    needs_data: false,
    ..Facts::new(
        "SHIELD_ADVANCED",
        &[
            ResourceType::CLOUDFRONT_DISTRIBUTION,
            ResourceType::EIP,
            ResourceType::CLASSIC_LOAD_BALANCER,
            ResourceType::LOAD_BALANCER,
        ],
        DependentService::ShieldAdvanced,
        &DATA,
    )
};

static DATA: Shape = Object(&[
    TYPE,
    (
        "automaticResponseConfiguration",
        Object(&[("automaticResponseStatus", Text), ("automaticResponseAction", Text)]),
    ),
    ("overrideCustomerWebaclClassic", Flag),
    ("optimizeUnassociatedWebACL", Flag),
]);

/// What a SHIELD_ADVANCED policy demands beyond a protection, and beyond a web ACL where there can
/// be one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ShieldAdvanced {
    /// `automaticResponseConfiguration`
    pub automatic_response: WantedResponse,
    /// `overrideCustomerWebaclClassic`: rules remediation alone.
    pub override_classic_web_acl: bool,
    /// `optimizeUnassociatedWebACL`: rules remediation alone.
    pub optimize_unassociated_web_acl: bool,
}

/// `automaticResponseStatus` with its action: what automatic application-layer mitigation must be.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum WantedResponse {
    /// `IGNORED`, the default: not looked at.
    #[default]
    Ignored,
    /// `DISABLED`: must be off.
    Disabled,
    /// `ENABLED`: must be on.
    Enabled {
        /// `automaticResponseAction` is BLOCK (else COUNT).
        block: bool,
    },
}

/// Reads the data of a SHIELD_ADVANCED policy, which was checked against its shape.
pub(super) fn parse(data: &Node<'_>) -> Result<ShieldAdvanced, Refusal> {
    Ok(ShieldAdvanced {
        automatic_response: automatic_response(&data.get("automaticResponseConfiguration"))?,
        override_classic_web_acl: data.get("overrideCustomerWebaclClassic").flag(),
        optimize_unassociated_web_acl: data.get("optimizeUnassociatedWebACL").flag(),
    })
}

fn automatic_response(response: &Node<'_>) -> Result<WantedResponse, Refusal> {
    let status =
        response.get("automaticResponseStatus").one_of(&["ENABLED", "IGNORED", "DISABLED"])?;
    let action = response.get("automaticResponseAction");
    let block = action.one_of(&["BLOCK", "COUNT"])? == Some("BLOCK");
    match status {
        Some("ENABLED") => {
            action.required("with ENABLED give BLOCK or COUNT")?;
            Ok(WantedResponse::Enabled { block })
        }
        Some("DISABLED") => Ok(WantedResponse::Disabled),
        _ => Ok(WantedResponse::Ignored),
    }
}
