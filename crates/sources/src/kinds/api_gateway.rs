//! `AWS::ApiGateway::Stage`: the stages of every REST API. They tell their web ACLs themselves.

use palisade_aws::calls;
use serde_json::{Map, Value, json};

use crate::ask::Ask;
use crate::item::{Described, Found, maybe, text};

/// Stages.
pub async fn stages(ask: Ask) -> Found {
    let (apis, call) = (&calls::GET_REST_APIS, &calls::GET_STAGES);
    let mut found = Vec::new();
    for api in ask.all(apis, json!({})).await? {
        let id = text(&api, "id").map_err(|why| ask.unread(apis, why))?;
        for answer in ask.all(call, json!({"restapi_id": id})).await? {
            found.push(stage(&answer, &id, &ask).map_err(|why| ask.unread(call, why))?);
        }
    }
    Ok(found)
}

/// A stage. API Gateway leaves `webAclArn` out of one that has none, and an empty list of tags.
///
/// # Errors
/// It has no name.
pub fn stage(answer: &Value, api: &str, ask: &Ask) -> Result<Described, String> {
    let name = text(answer, "stageName")?;
    let partition = ask.partition().name;
    let arn = format!("arn:{partition}:apigateway:{}::/restapis/{api}/stages/{name}", ask.region());
    let mut configuration = answer.clone();
    if let Some(body) = configuration.as_object_mut() {
        let web_acl = maybe(answer, "webAclArn").unwrap_or_default();
        body.insert("webAclArn".to_owned(), Value::String(web_acl));
    }
    let tags = answer.get("tags").and_then(Value::as_object).cloned();
    Ok(Described {
        id: arn.clone(),
        arn: Some(arn),
        name: Some(name),
        tags: Some(tags.unwrap_or_else(Map::new)),
        configuration,
        ..Described::default()
    })
}
