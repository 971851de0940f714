//! One configuration item as AWS Config delivers it: the keys in the delivered order, so that a
//! reader meets `configuration` before it knows the type, as in real files.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Whose items are being made: what every item of one delivered file has in common.
#[derive(Clone, Debug)]
pub struct Place {
    /// Account id.
    pub account: String,
    /// Region of the file.
    pub region: String,
}

/// A configuration item, delivery dialect, layout 1.3 (formats §1: delivered key order).
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigurationItem {
    related_events: [(); 0],
    relationships: Vec<Value>,
    configuration: Value,
    supplementary_configuration: Map<String, Value>,
    tags: Map<String, Value>,
    configuration_item_version: &'static str,
    configuration_item_capture_time: String,
    configuration_state_id: i64,
    aws_account_id: String,
    configuration_item_status: &'static str,
    resource_type: &'static str,
    resource_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<String>,
    #[serde(rename = "ARN", skip_serializing_if = "Option::is_none")]
    arn: Option<String>,
    aws_region: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    availability_zone: Option<String>,
    configuration_state_md5_hash: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_creation_time: Option<String>,
}

impl ConfigurationItem {
    /// An existing resource captured at `captured_ms`.
    pub fn new(place: &Place, resource_type: &'static str, id: &str, captured_ms: i64) -> Self {
        Self {
            related_events: [],
            relationships: Vec::new(),
            configuration: Value::Null,
            supplementary_configuration: Map::new(),
            tags: Map::new(),
            configuration_item_version: "1.3",
            configuration_item_capture_time: iso(captured_ms),
            configuration_state_id: captured_ms,
            aws_account_id: place.account.clone(),
            configuration_item_status: "ResourceDiscovered",
            resource_type,
            resource_id: id.to_owned(),
            resource_name: None,
            arn: None,
            aws_region: place.region.clone(),
            availability_zone: Some("Not Applicable".to_owned()),
            configuration_state_md5_hash: "",
            resource_creation_time: None,
        }
    }

    /// Sets the body.
    pub fn configuration(mut self, configuration: Value) -> Self {
        self.configuration = configuration;
        self
    }

    /// Adds one entry of the supplementary configuration.
    pub fn supplement(mut self, name: &str, value: Value) -> Self {
        self.supplementary_configuration.insert(name.to_owned(), value);
        self
    }

    /// Adds a relationship.
    pub fn relates(mut self, label: &str, resource_type: &str, id: &str) -> Self {
        self.relationships
            .push(json!({"resourceId": id, "resourceType": resource_type, "name": label}));
        self
    }

    /// Sets the name.
    pub fn named(mut self, name: &str) -> Self {
        self.resource_name = Some(name.to_owned());
        self
    }

    /// Sets the ARN.
    pub fn arn(mut self, arn: String) -> Self {
        self.arn = Some(arn);
        self
    }

    /// Sets the ARN of an EC2 resource, `arn:aws:ec2:REGION:ACCOUNT:KIND/ID`.
    pub fn ec2_arn(self, kind: &str) -> Self {
        let arn = format!(
            "arn:aws:ec2:{}:{}:{kind}/{}",
            self.aws_region, self.aws_account_id, self.resource_id
        );
        self.arn(arn)
    }

    /// Sets the availability zone, or one of the words that stand for none.
    pub fn zone(mut self, zone: &str) -> Self {
        self.availability_zone = Some(zone.to_owned());
        self
    }

    /// Marks a global resource; it is still delivered in a regional file.
    pub fn global(mut self) -> Self {
        self.aws_region = "global".to_owned();
        self
    }

    /// Adds tags.
    pub fn tags(mut self, tags: &[(&str, &str)]) -> Self {
        for (key, value) in tags {
            self.tags.insert((*key).to_owned(), Value::from(*value));
        }
        self
    }

    /// When the resource was created; the state counts as changed since.
    pub fn created(mut self, created_ms: i64) -> Self {
        self.resource_creation_time = Some(iso(created_ms));
        self.configuration_item_status = "OK";
        self
    }
}

/// `2026-02-03T04:05:06.789Z`.
pub fn iso(ms: i64) -> String {
    format_utc(ms, "%Y-%m-%dT%H:%M:%S.%3fZ")
}

/// Formats a moment in UTC; a moment outside the calendar is shown as its number.
pub fn format_utc(ms: i64, format: &str) -> String {
    Timestamp::from_millisecond(ms).map_or_else(
        |_| ms.to_string(),
        |moment| moment.to_zoned(TimeZone::UTC).strftime(format).to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_comes_before_the_type_and_the_account() {
        let place = Place { account: "012345678901".into(), region: "eu-west-1".into() };
        let item = ConfigurationItem::new(&place, "AWS::EC2::VPC", "vpc-1", 1_770_000_000_123)
            .configuration(json!({"vpcId": "vpc-1"}))
            .ec2_arn("vpc");
        insta::assert_snapshot!(serde_json::to_string(&item).unwrap(), @r#"{"relatedEvents":[],"relationships":[],"configuration":{"vpcId":"vpc-1"},"supplementaryConfiguration":{},"tags":{},"configurationItemVersion":"1.3","configurationItemCaptureTime":"2026-02-02T02:40:00.123Z","configurationStateId":1770000000123,"awsAccountId":"012345678901","configurationItemStatus":"ResourceDiscovered","resourceType":"AWS::EC2::VPC","resourceId":"vpc-1","ARN":"arn:aws:ec2:eu-west-1:012345678901:vpc/vpc-1","awsRegion":"eu-west-1","availabilityZone":"Not Applicable","configurationStateMd5Hash":""}"#);
    }
}
