//! `AWS::EC2::EIP`: one answer, without pages.

use palisade_aws::calls;
use serde_json::json;

use crate::ask::Ask;
use crate::item::{Described, Found, camel, maybe, tags, text};

/// Elastic IP addresses. Those of EC2-Classic have their address for an id.
pub async fn addresses(ask: Ask) -> Found {
    ask.each(&calls::DESCRIBE_ADDRESSES, json!({}), |answer, ask| {
        let address = text(answer, "PublicIp")?;
        let id = maybe(answer, "AllocationId").unwrap_or_else(|| address.clone());
        Ok(Described {
            arn: Some(ask.arn("ec2", &format!("eip-allocation/{id}"))),
            name: Some(address),
            tags: Some(tags(answer.get("Tags"))?),
            configuration: camel(answer),
            id,
            ..Described::default()
        })
    })
    .await
}
