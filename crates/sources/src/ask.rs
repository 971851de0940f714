//! What a listing asks, and how a member of an answer that cannot be read is told.

use palisade_aws::{Call, CallError, Client, Parameters, Partition, Reason, Target, codes};
use serde_json::Value;

use crate::item::{Described, Found};

/// Resources of one type in one (account, Region). Those of an account with more are not listed, and that is a gap.
pub const ITEMS_MAX: usize = 500_000;

/// How often a type is listed once more when a resource went while it was described.
pub const LISTED_AGAIN_MAX: usize = 2;

/// Asks of one (account, Region).
#[derive(Clone, Debug)]
pub struct Ask {
    client: Client,
    target: Target,
    /// Whether global resources are told of this Region.
    pub is_home: bool,
}

impl Ask {
    /// Of this target.
    pub fn new(client: Client, target: Target, is_home: bool) -> Ask {
        Ask { client, target, is_home }
    }

    /// Makes a call.
    ///
    /// # Errors
    /// When it fails.
    pub async fn one(&self, call: &'static Call, parameters: Value) -> Result<Value, CallError> {
        self.client.call(&self.target, call, &members(parameters)).await
    }

    /// Reads a listing to its last page.
    ///
    /// # Errors
    /// When one of its pages fails.
    pub async fn all(
        &self,
        call: &'static Call,
        parameters: Value,
    ) -> Result<Vec<Value>, CallError> {
        let listing = self.client.list(&self.target, call, members(parameters));
        listing.all(ITEMS_MAX).await.map(|(items, _)| items)
    }

    /// Reads a listing, and each of its members by `read`.
    ///
    /// # Errors
    /// When a page fails, or a member cannot be read.
    pub async fn each(
        &self,
        call: &'static Call,
        parameters: Value,
        read: fn(&Value, &Ask) -> Result<Described, String>,
    ) -> Found {
        let items = self.all(call, parameters).await?;
        let read = items.iter().map(|item| read(item, self).map_err(|why| self.unread(call, why)));
        read.collect()
    }

    /// An answer that is not what the call answers.
    pub fn unread(&self, call: &'static Call, why: impl Into<Box<str>>) -> CallError {
        CallError {
            reason: Reason::Malformed,
            account: self.target.account.clone(),
            region: self.target.region.clone(),
            service: call.service.name(),
            action: call.action,
            code: codes::MALFORMED_ANSWER.into(),
            message: why.into(),
            status: None,
            request_id: None,
            attempts: 1,
        }
    }

    /// The ARN of a resource of the account and Region asked: `ec2`, `vpc/vpc-1`.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        let Target { account, region, .. } = &self.target;
        format!("arn:{}:{service}:{region}:{account}:{resource}", self.partition().name)
    }

    /// The partition asked.
    pub fn partition(&self) -> Partition {
        Partition::of_region(&self.target.region)
    }

    /// The Region asked.
    pub fn region(&self) -> &str {
        &self.target.region
    }
}

fn members(parameters: Value) -> Parameters {
    match parameters {
        Value::Object(members) => members,
        _ => Parameters::new(),
    }
}

/// Whether a call failed since a resource was gone that a listing had told: the next listing may not tell it any more.
pub fn is_gone(error: &CallError) -> bool {
    const GONE: [&str; 9] = [
        "AccessPointNotFound",
        "InvalidPrefixListID.NotFound",
        "InvalidPrefixListId.NotFound",
        "LoadBalancerNotFound",
        "NoSuchResource",
        "NotFoundException",
        "ResourceNotFoundException",
        "WAFNonexistentItemException",
        "NotFound",
    ];
    GONE.contains(&&*error.code)
}
