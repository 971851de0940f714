//! `AWS::EC2::SecurityGroup`, whose rules AWS Config lays out otherwise than EC2, and associations with further VPCs.

use palisade_aws::calls;
use serde_json::{Map, Value, json};

use super::ec2::described;
use crate::ask::Ask;
use crate::item::{Described, Found, camel, text};

/// Security groups with their rules.
pub async fn groups(ask: Ask) -> Found {
    ask.each(&calls::DESCRIBE_SECURITY_GROUPS, json!({}), group).await
}

/// A group as AWS Config writes it.
///
/// # Errors
/// It has no id, or rules in another form.
pub fn group(answer: &Value, ask: &Ask) -> Result<Described, String> {
    let mut group = described(answer, ask, "GroupId", "security-group", "Tags")?;
    group.name = crate::item::maybe(answer, "GroupName");
    for (from, to) in
        [("IpPermissions", "ipPermissions"), ("IpPermissionsEgress", "ipPermissionsEgress")]
    {
        let Some(rules) = answer.get(from) else { continue };
        let rules = rules.as_array().ok_or_else(|| format!("`{from}` is no list"))?;
        let rules: Vec<Value> = rules.iter().map(permission).collect();
        if let Some(body) = group.configuration.as_object_mut() {
            body.insert(to.to_owned(), Value::Array(rules));
        }
    }
    Ok(group)
}

/// A permission: `IpRanges`, objects at EC2, are `ipv4Ranges` at AWS Config, which repeats them as bare texts in
/// `ipRanges` (formats §9). A list that EC2 does not tell is not told.
pub fn permission(rule: &Value) -> Value {
    let Value::Object(told) = camel(rule) else { return rule.clone() };
    let mut written = Map::new();
    for (name, value) in told {
        if name != "ipRanges" {
            written.insert(name, value);
            continue;
        }
        let bare = value.as_array().map(|ranges| {
            ranges.iter().filter_map(|range| range.get("cidrIp").cloned()).collect::<Vec<_>>()
        });
        written.extend(bare.map(|bare| ("ipRanges".to_owned(), Value::Array(bare))));
        written.insert("ipv4Ranges".to_owned(), value);
    }
    Value::Object(written)
}

/// `AWS::EC2::SecurityGroupVpcAssociation`, in the layout of its resource schema.
pub async fn associations(ask: Ask) -> Found {
    let call = &calls::DESCRIBE_SECURITY_GROUP_VPC_ASSOCIATIONS;
    ask.each(call, json!({}), |answer, _| {
        Ok(Described {
            id: format!("{}|{}", text(answer, "GroupId")?, text(answer, "VpcId")?),
            configuration: camel(answer),
            ..Described::default()
        })
    })
    .await
}
