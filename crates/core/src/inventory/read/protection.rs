//! `AWS::Shield::Protection` and `AWS::ShieldRegional::Protection` (formats §9).

use crate::inventory::{AutomaticResponse, Body, Protection};

use super::shape::{IdText, Present, Text, TextIn, shape};
use super::source::Source;

shape! {
    ProtectionBody {
        resource: IdText<'a> = "resourceArn",
        id: Present = "id" | "protectionId",
        name: Present = "name",
        // The item's schema shortens the name that the service API spells out.
        response: Response<'a> = "applicationLayerAutomaticResponseConfig"
            | "applicationLayerAutomaticResponseConfiguration",
    }
}

shape! {
    Response {
        status: Text<'a> = "status",
        action: Action<'a> = "action",
    }
}

shape! {
    Action {
        block: Present = "block",
        count: Present = "count",
    }
}

/// A protection that does not say what it protects cannot be used.
pub(super) fn read(source: &Source<'_>) -> Result<Body, String> {
    let body: ProtectionBody<'_> = source.body()?;
    let resource = body.resource.and_then(TextIn::filled);
    // A query that selects the whole body gets the name as well; what tells nothing beside its resource is
    // a projection in whatever form. It leaves out the response as well.
    let is_projection = body.name.is_none() && (source.is_row || body.id.is_none());
    Ok(Body::Protection(Protection {
        resource_arn: resource.ok_or("`configuration`: `ResourceArn` is missing")?,
        automatic_response: match body.response {
            Some(response) => Some(automatic_response(response)?),
            None if is_projection => Some(AutomaticResponse { enabled: None, block: None }),
            None => None,
        },
    }))
}

/// What AWS cannot have written tells nothing (semantics §11 row 69).
fn automatic_response(response: Response<'_>) -> Result<AutomaticResponse, String> {
    let action = response.action.unwrap_or_default();
    let block = match (action.block, action.count) {
        (Some(_), Some(_)) => return Err("`action`: both `block` and `count`".to_owned()),
        (Some(_), None) => Some(true),
        (None, Some(_)) => Some(false),
        (None, None) => None,
    };
    let enabled = response.status.map(|status| match status.as_str() {
        on if on.eq_ignore_ascii_case("ENABLED") => Ok(true),
        off if off.eq_ignore_ascii_case("DISABLED") => Ok(false),
        other => Err(format!("`status` is neither ENABLED nor DISABLED: `{other}`")),
    });
    Ok(AutomaticResponse { enabled: enabled.transpose()?, block })
}
