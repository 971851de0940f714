//! `AWS::CloudFront::Distribution`: `global`, with the web ACL that each tells of itself.

use palisade_aws::{CallError, calls};
use serde_json::{Value, json};

use crate::ask::Ask;
use crate::item::{Described, Found, tags, text};

/// Distributions with their tags.
pub async fn distributions(ask: Ask) -> Found {
    let (call, of_tags) = (&calls::LIST_DISTRIBUTIONS, &calls::LIST_TAGS_FOR_DISTRIBUTION);
    let mut found = Vec::new();
    for answer in ask.all(call, json!({})).await? {
        let mut one = distribution(&answer).map_err(|why| ask.unread(call, why))?;
        let told = ask.all(of_tags, json!({"Resource": one.arn})).await?;
        one.tags = Some(tags(Some(&Value::Array(told))).map_err(|why| ask.unread(of_tags, why))?);
        found.push(one);
    }
    Ok(found)
}

/// One of them, without its tags.
///
/// # Errors
/// It tells no id, ARN or web ACL; CloudFront writes an empty one where there is none.
pub fn distribution(answer: &Value) -> Result<Described, String> {
    let web_acl = answer.get("WebACLId").and_then(Value::as_str);
    let web_acl = web_acl.ok_or("a distribution has no `WebACLId`")?;
    Ok(Described {
        id: text(answer, "Id")?,
        arn: Some(text(answer, "ARN")?),
        configuration: json!({
            "id": answer.get("Id"),
            "arn": answer.get("ARN"),
            "domainName": answer.get("DomainName"),
            "status": answer.get("Status"),
            "distributionConfig": {"enabled": answer.get("Enabled"), "webACLId": web_acl},
        }),
        is_global: true,
        ..Described::default()
    })
}

/// Distributions by the ARN of their web ACL.
///
/// # Errors
/// When they could not be listed.
pub async fn by_web_acl(ask: &Ask) -> Result<Vec<(String, String)>, CallError> {
    let call = &calls::LIST_DISTRIBUTIONS;
    let answers = ask.all(call, json!({})).await?;
    let read = answers.iter().map(|answer| {
        let web_acl = answer.get("WebACLId").and_then(Value::as_str);
        Ok((web_acl.ok_or("a distribution has no `WebACLId`")?.to_owned(), text(answer, "Id")?))
    });
    read.collect::<Result<_, String>>().map_err(|why| ask.unread(call, why))
}
