//! `AWS::Route53Resolver::FirewallRuleGroupAssociation`: which VPC has which DNS Firewall rule group.

use palisade_aws::calls;
use serde_json::json;

use crate::ask::Ask;
use crate::item::{Described, Found, maybe, text};

/// Associations.
pub async fn associations(ask: Ask) -> Found {
    ask.each(&calls::LIST_FIREWALL_RULE_GROUP_ASSOCIATIONS, json!({}), |answer, _| {
        Ok(Described {
            id: text(answer, "Id")?,
            name: maybe(answer, "Name"),
            arn: maybe(answer, "Arn"),
            configuration: answer.clone(),
            ..Described::default()
        })
    })
    .await
}
