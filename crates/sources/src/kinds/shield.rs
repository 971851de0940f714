//! `AWS::Shield::Protection` and `AWS::ShieldRegional::Protection`: two types for one object of the API, told apart by
//! whether the protected resource has a Region (formats §9).

use palisade_aws::{CallError, calls};
use serde_json::{Value, json};

use crate::ask::Ask;
use crate::item::{Described, Found, maybe, text};

/// Protections of resources that are in no Region.
pub async fn global(ask: Ask) -> Found {
    let all = protections(&ask).await?;
    Ok(all.into_iter().filter(|(region, _)| region.is_empty()).map(|(_, one)| one).collect())
}

/// Protections of resources in the Region asked.
pub async fn regional(ask: Ask) -> Found {
    let all = protections(&ask).await?;
    Ok(all.into_iter().filter(|(region, _)| region == ask.region()).map(|(_, one)| one).collect())
}

/// All protections with the Regions of what they protect. An account without a subscription has none, and its list is
/// an error at AWS.
async fn protections(ask: &Ask) -> Result<Vec<(String, Described)>, CallError> {
    let (state, list) = (&calls::GET_SUBSCRIPTION_STATE, &calls::LIST_PROTECTIONS);
    let answer = ask.one(state, json!({})).await?;
    match answer.get("SubscriptionState").and_then(Value::as_str) {
        Some("INACTIVE") => return Ok(Vec::new()),
        Some("ACTIVE") => {}
        _ => return Err(ask.unread(state, "`SubscriptionState` is neither ACTIVE nor INACTIVE")),
    }
    let answers = ask.all(list, json!({})).await?;
    answers.iter().map(|one| protection(one).map_err(|why| ask.unread(list, why))).collect()
}

/// A protection, and the Region of what it protects.
///
/// # Errors
/// It tells no id, or not what it protects.
pub fn protection(answer: &Value) -> Result<(String, Described), String> {
    let protected = text(answer, "ResourceArn")?;
    let region = protected.split(':').nth(3).unwrap_or_default().to_owned();
    let mut configuration = answer.clone();
    if let Some(body) = configuration.as_object_mut()
        && let Some(response) = body.remove("ApplicationLayerAutomaticResponseConfiguration")
    {
        body.insert("ApplicationLayerAutomaticResponseConfig".to_owned(), response);
    }
    let described = Described {
        id: text(answer, "Id")?,
        name: maybe(answer, "Name"),
        arn: maybe(answer, "ProtectionArn"),
        configuration,
        is_global: region.is_empty(),
        ..Described::default()
    };
    Ok((region, described))
}
