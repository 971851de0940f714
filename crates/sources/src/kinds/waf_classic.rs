//! `AWS::WAFRegional::WebACL` and `AWS::WAF::WebACL`: web ACLs of WAF Classic, the regional ones with what they are on.

use palisade_aws::{Call, CallError, calls};
use serde_json::{Value, json};

use crate::ask::Ask;
use crate::item::{Described, Found, camel, text};

/// What a regional web ACL of WAF Classic may be on.
const PROTECTED: [&str; 2] = ["APPLICATION_LOAD_BALANCER", "API_GATEWAY"];

/// Those of the Region.
pub async fn regional(ask: Ask) -> Found {
    let (list, get) = (&calls::LIST_CLASSIC_WEB_ACLS, &calls::GET_CLASSIC_WEB_ACL);
    let mut found = every(&ask, list, get).await?;
    for acl in &mut found {
        let on = on(&ask, &acl.id).await?;
        if let Some(body) = acl.configuration.as_object_mut() {
            body.insert("associationList".to_owned(), Value::Array(on));
        }
    }
    Ok(found)
}

/// Those of CloudFront, whose distributions tell what they are on.
pub async fn global(ask: Ask) -> Found {
    let (list, get) = (&calls::LIST_GLOBAL_CLASSIC_WEB_ACLS, &calls::GET_GLOBAL_CLASSIC_WEB_ACL);
    let found = every(&ask, list, get).await?;
    Ok(found.into_iter().map(|acl| Described { is_global: true, ..acl }).collect())
}

async fn every(ask: &Ask, list: &'static Call, get: &'static Call) -> Found {
    let mut found = Vec::new();
    for one in ask.all(list, json!({})).await? {
        let id = text(&one, "WebACLId").map_err(|why| ask.unread(list, why))?;
        let answer = ask.one(get, json!({"WebACLId": id})).await?;
        found.push(web_acl(&answer).map_err(|why| ask.unread(get, why))?);
    }
    Ok(found)
}

/// A web ACL as AWS Config writes it, which calls its rules `rulesList` (formats §9).
///
/// # Errors
/// It is not there, or tells no id, name or rules.
pub fn web_acl(answer: &Value) -> Result<Described, String> {
    let acl = answer.get("WebACL").ok_or("the answer has no `WebACL`")?;
    let rules = acl.get("Rules").and_then(Value::as_array).ok_or("it has no `Rules`")?;
    let mut configuration = camel(acl);
    if let Some(body) = configuration.as_object_mut() {
        body.remove("rules");
        body.insert("rulesList".to_owned(), rules.iter().map(camel).collect());
    }
    Ok(Described {
        id: text(acl, "WebACLId")?,
        name: Some(text(acl, "Name")?),
        arn: crate::item::maybe(acl, "WebACLArn"),
        configuration,
        ..Described::default()
    })
}

async fn on(ask: &Ask, id: &str) -> Result<Vec<Value>, CallError> {
    let mut on = Vec::new();
    for resource_type in PROTECTED {
        let parameters = json!({"WebACLId": id, "ResourceType": resource_type});
        let arns = ask.all(&calls::LIST_RESOURCES_FOR_CLASSIC_WEB_ACL, parameters).await?;
        on.extend(arns.into_iter().map(|arn| json!({"resourceArn": arn})));
    }
    Ok(on)
}
