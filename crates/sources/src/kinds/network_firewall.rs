//! `AWS::NetworkFirewall::Firewall` and `AWS::NetworkFirewall::FirewallPolicy`: each as its own call describes it.

use palisade_aws::{Call, calls};
use serde_json::{Value, json};

use crate::ask::Ask;
use crate::item::{Described, Found, camel, tags, text};

/// How one of the two is listed and described.
struct Way {
    list: &'static Call,
    describe: &'static Call,
    /// The member that names it in the listing, and in the request for one.
    arn: &'static str,
    /// The member of the description that has its id, name and tags.
    head: &'static str,
    id: &'static str,
    name: &'static str,
}

/// Firewalls.
pub async fn firewalls(ask: Ask) -> Found {
    let (list, describe) = (&calls::LIST_FIREWALLS, &calls::DESCRIBE_FIREWALL);
    let (arn, head) = ("FirewallArn", "Firewall");
    all(&ask, Way { list, describe, arn, head, id: "FirewallId", name: "FirewallName" }).await
}

/// Firewall policies.
pub async fn policies(ask: Ask) -> Found {
    let (list, describe) = (&calls::LIST_FIREWALL_POLICIES, &calls::DESCRIBE_FIREWALL_POLICY);
    let (id, name) = ("FirewallPolicyId", "FirewallPolicyName");
    let way = Way { list, describe, arn: "Arn", head: "FirewallPolicyResponse", id, name };
    all(&ask, way).await
}

async fn all(ask: &Ask, way: Way) -> Found {
    let asked = if way.arn == "Arn" { "FirewallPolicyArn" } else { way.arn };
    let mut found = Vec::new();
    for one in ask.all(way.list, json!({})).await? {
        let arn = text(&one, way.arn).map_err(|why| ask.unread(way.list, why))?;
        let answer = ask.one(way.describe, json!({asked: arn})).await?;
        found.push(described(&answer, arn, &way).map_err(|why| ask.unread(way.describe, why))?);
    }
    Ok(found)
}

fn described(answer: &Value, arn: String, way: &Way) -> Result<Described, String> {
    let head = answer.get(way.head).ok_or_else(|| format!("the answer has no `{}`", way.head))?;
    Ok(Described {
        id: text(head, way.id)?,
        name: Some(text(head, way.name)?),
        arn: Some(arn),
        tags: Some(tags(head.get("Tags"))?),
        configuration: camel(answer),
        ..Described::default()
    })
}
