//! What was collected of one (account, Region): a file that one reader takes in, from a folder or from here.

use palisade_aws::CallError;
use palisade_core::ident::ResourceType;
use serde_json::{Value, json};

/// A type that could not be listed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FailedType {
    /// Which.
    pub resource_type: ResourceType,
    /// The call that failed.
    pub error: CallError,
}

/// What was collected of one (account, Region).
#[derive(Clone, Debug, PartialEq)]
pub struct Collection {
    /// The account.
    pub account: String,
    /// The Region; `None` where the account's Regions could not be told.
    pub region: Option<String>,
    /// The moment before the first call, milliseconds since the epoch.
    pub at_ms: i64,
    /// Types that were listed to the last page.
    pub complete: Vec<ResourceType>,
    /// Types that were not.
    pub failed: Vec<FailedType>,
    /// The items of the former.
    pub items: Vec<Value>,
}

impl Collection {
    /// Its moment as text: RFC 3339 in UTC, with milliseconds.
    pub fn at(&self) -> String {
        moment(self.at_ms)
    }

    /// The name of its file; it sorts by account, Region and moment.
    pub fn file_name(&self) -> String {
        let stamp: String =
            self.at().chars().filter(|c| c.is_ascii_digit() || *c == 'T').take(15).collect();
        let region = self.region.as_deref().unwrap_or("unknown");
        format!("{}_Palisade_{region}_Collection_{stamp}Z.json", self.account)
    }

    /// The file's text: what it claims, then the items (formats §12).
    pub fn text(&self) -> Vec<u8> {
        let at = self.at();
        let complete = self.complete.iter().map(|one| json!({"resourceType": one, "at": at}));
        let failed = self.failed.iter().map(|FailedType { resource_type, error }| {
            json!({
                "resourceType": resource_type,
                "call": format!("{}:{}", error.service, error.action),
                "code": error.code,
                "reason": error.reason.text(),
                "message": error.message,
                "at": at,
            })
        });
        let head = json!({
            "accountId": self.account,
            "awsRegion": self.region,
            "complete": complete.collect::<Vec<_>>(),
            "failed": failed.collect::<Vec<_>>(),
        });
        let mut text = format!("{{\"palisadeCollection\":{head},\n\"configurationItems\":[");
        for (number, item) in self.items.iter().enumerate() {
            text.push_str(if number == 0 { "\n" } else { ",\n" });
            text.push_str(&item.to_string());
        }
        text.push_str("\n]}\n");
        text.into_bytes()
    }
}

/// A moment as text: RFC 3339 in UTC, with milliseconds.
pub fn moment(ms: i64) -> String {
    let moment = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    format!("{moment:.3}")
}
