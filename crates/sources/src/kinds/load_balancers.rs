//! Load balancers of both generations, with their tags.

use std::collections::BTreeMap;

use palisade_aws::{Call, CallError, calls};
use serde_json::{Map, Value, json};

use crate::ask::Ask;
use crate::item::{Described, Found, camel, maybe, tags, text};

/// Load balancers of which one call tells the tags.
const TAGGED_AT_ONCE: usize = 20;

/// `AWS::ElasticLoadBalancingV2::LoadBalancer`. Which web ACL one has is told by that.
pub async fn balancers(ask: Ask) -> Found {
    let call = &calls::DESCRIBE_LOAD_BALANCERS;
    let mut found = ask.each(call, json!({}), |answer, _| balancer(answer)).await?;
    let by = ("ResourceArns", "ResourceArn");
    tag(&ask, &mut found, &calls::DESCRIBE_LOAD_BALANCER_TAGS, by).await?;
    Ok(found)
}

/// One of them, without its tags.
///
/// # Errors
/// It has no ARN.
pub fn balancer(answer: &Value) -> Result<Described, String> {
    let arn = text(answer, "LoadBalancerArn")?;
    Ok(Described {
        id: arn.clone(),
        name: maybe(answer, "LoadBalancerName"),
        arn: Some(arn),
        configuration: camel(answer),
        ..Described::default()
    })
}

/// `AWS::ElasticLoadBalancing::LoadBalancer`
pub async fn classic(ask: Ask) -> Found {
    let call = &calls::DESCRIBE_CLASSIC_LOAD_BALANCERS;
    let mut found = ask.each(call, json!({}), classic_balancer).await?;
    let by = ("LoadBalancerNames", "LoadBalancerName");
    tag(&ask, &mut found, &calls::DESCRIBE_CLASSIC_LOAD_BALANCER_TAGS, by).await?;
    Ok(found)
}

/// One of them, without its tags.
///
/// # Errors
/// It has no name.
pub fn classic_balancer(answer: &Value, ask: &Ask) -> Result<Described, String> {
    let name = text(answer, "LoadBalancerName")?;
    Ok(Described {
        id: name.clone(),
        arn: Some(ask.arn("elasticloadbalancing", &format!("loadbalancer/{name}"))),
        name: Some(name),
        configuration: camel(answer),
        ..Described::default()
    })
}

/// Adds tags, asked for by id under the first name and told by it under the second. A balancer of which none are told
/// has not been asked about, whatever it has.
async fn tag(
    ask: &Ask,
    found: &mut [Described],
    call: &'static Call,
    (asked, told): (&str, &str),
) -> Result<(), CallError> {
    for some in found.chunks_mut(TAGGED_AT_ONCE) {
        let ids: Vec<&str> = some.iter().map(|one| &*one.id).collect();
        let answers = ask.all(call, json!({asked: ids})).await?;
        let mut by_id = by_id(&answers, told).map_err(|why| ask.unread(call, why))?;
        for one in some {
            let tags = by_id.remove(&one.id);
            let untold = || ask.unread(call, format!("it tells no tags of `{}`", one.id));
            one.tags = Some(tags.ok_or_else(untold)?);
        }
    }
    Ok(())
}

fn by_id(answers: &[Value], told: &str) -> Result<BTreeMap<String, Map<String, Value>>, String> {
    answers.iter().map(|one| Ok((text(one, told)?, tags(one.get("Tags"))?))).collect()
}
