//! `AWS::WAFv2::WebACL`: each with its rules, its tags and the resources that it is on.

use palisade_aws::{CallError, calls};
use serde_json::{Value, json};

use super::cloudfront::by_web_acl;
use crate::ask::Ask;
use crate::item::{Described, Found, tags, text};

/// What a regional web ACL may be on, as AWS WAF and as AWS Config name it. Not every Region has every one; those that
/// all have come first.
const PROTECTED: [(&str, &str); 7] = [
    ("APPLICATION_LOAD_BALANCER", "AWS::ElasticLoadBalancingV2::LoadBalancer"),
    ("API_GATEWAY", "AWS::ApiGateway::Stage"),
    ("APPSYNC", "AWS::AppSync::GraphQLApi"),
    ("COGNITO_USER_POOL", "AWS::Cognito::UserPool"),
    ("APP_RUNNER_SERVICE", "AWS::AppRunner::Service"),
    ("VERIFIED_ACCESS_INSTANCE", "AWS::EC2::VerifiedAccessInstance"),
    ("AMPLIFY", "AWS::Amplify::App"),
];

/// How many of them every Region has.
const EVERYWHERE: usize = 2;

/// What AWS WAF answers where a Region does not have a type of resource.
const NOT_THERE: &str = "WAFInvalidParameterException";

type Related = Vec<(&'static str, String)>;

/// The web ACLs of the Region, and of CloudFront where global resources are told of.
pub async fn web_acls(ask: Ask) -> Found {
    let mut found = Vec::new();
    if ask.is_home {
        let distributions = by_web_acl(&ask).await?;
        for (mut acl, arn) in of_scope(&ask, "CLOUDFRONT").await? {
            let on = distributions.iter().filter(|(web_acl, _)| *web_acl == arn);
            acl.related =
                Some(on.map(|(_, id)| ("AWS::CloudFront::Distribution", id.clone())).collect());
            acl.is_global = true;
            found.push(acl);
        }
    }
    // Of us-east-1 both scopes are one type, and neither alone is all of it.
    for (mut acl, arn) in of_scope(&ask, "REGIONAL").await? {
        acl.related = Some(on(&ask, &arn).await?);
        found.push(acl);
    }
    Ok(found)
}

/// Web ACLs of a scope with their ARNs, without what they are on.
async fn of_scope(ask: &Ask, scope: &str) -> Result<Vec<(Described, String)>, CallError> {
    let (list, get, of_tags) =
        (&calls::LIST_WEB_ACLS, &calls::GET_WEB_ACL, &calls::LIST_TAGS_FOR_WAF_RESOURCE);
    let mut found = Vec::new();
    for one in ask.all(list, json!({"Scope": scope})).await? {
        let named = |name| text(&one, name).map_err(|why| ask.unread(list, why));
        let (id, name, arn) = (named("Id")?, named("Name")?, named("ARN")?);
        let answer = ask.one(get, json!({"Scope": scope, "Id": id, "Name": name})).await?;
        let mut acl = web_acl(&answer).map_err(|why| ask.unread(get, why))?;
        let told = ask.all(of_tags, json!({"ResourceARN": arn})).await?;
        acl.tags = Some(tags(Some(&Value::Array(told))).map_err(|why| ask.unread(of_tags, why))?);
        found.push((acl, arn));
    }
    Ok(found)
}

/// A web ACL as `GetWebACL` answers it, which is how AWS Config writes it (formats §9).
///
/// # Errors
/// It is not there, or has no ARN or name.
pub fn web_acl(answer: &Value) -> Result<Described, String> {
    let acl = answer.get("WebACL").ok_or("the answer has no `WebACL`")?;
    let arn = text(acl, "ARN")?;
    Ok(Described {
        id: arn.clone(),
        name: Some(text(acl, "Name")?),
        arn: Some(arn),
        configuration: acl.clone(),
        ..Described::default()
    })
}

/// What a regional web ACL is on.
async fn on(ask: &Ask, arn: &str) -> Result<Related, CallError> {
    let call = &calls::LIST_RESOURCES_FOR_WEB_ACL;
    let mut related = Related::new();
    for (place, (asked, resource_type)) in PROTECTED.into_iter().enumerate() {
        let parameters = json!({"WebACLArn": arn, "ResourceType": asked});
        let arns = match ask.all(call, parameters).await {
            Err(error) if place >= EVERYWHERE && &*error.code == NOT_THERE => continue,
            arns => arns?,
        };
        for arn in arns {
            let id = arn.as_str().ok_or_else(|| ask.unread(call, "an ARN that is no text"))?;
            related.push((resource_type, id.to_owned()));
        }
    }
    Ok(related)
}
