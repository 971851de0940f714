//! AWS Config: what it records, and queries over it.

use super::rates::{CONFIG_BATCH, CONFIG_SELECT, UNPUBLISHED};
use super::table::table;
use crate::call::{Call, call};
use crate::rate::Bucket;
use crate::service::Service::Config;

/// The greatest page of a query.
const PAGE: u32 = 100;

const fn config(
    action: &'static str,
    iam: &'static [&'static str],
    bucket: &'static Bucket,
) -> Call {
    call(Config, action, iam, bucket)
}

table! {
    CONFIG:
    /// The recorders of the account and Region; there may be several.
    DESCRIBE_CONFIGURATION_RECORDERS = config(
        "DescribeConfigurationRecorders", &["config:DescribeConfigurationRecorders"], &UNPUBLISHED,
    ).list("ConfigurationRecorders");
    /// Whether they record.
    DESCRIBE_CONFIGURATION_RECORDER_STATUS = config(
        "DescribeConfigurationRecorderStatus", &["config:DescribeConfigurationRecorderStatus"], &UNPUBLISHED,
    ).list("ConfigurationRecordersStatus");
    /// A query over the account and Region.
    SELECT_RESOURCE_CONFIG = config("SelectResourceConfig", &["config:SelectResourceConfig"], &CONFIG_SELECT)
        .list("Results").pages("NextToken", "Limit", PAGE);
    /// A query over all that an aggregator has.
    SELECT_AGGREGATE_RESOURCE_CONFIG = config(
        "SelectAggregateResourceConfig", &["config:SelectAggregateResourceConfig"], &CONFIG_SELECT,
    ).list("Results").pages("NextToken", "Limit", PAGE);
    /// The items of up to 100 resources.
    BATCH_GET_RESOURCE_CONFIG = config("BatchGetResourceConfig", &["config:BatchGetResourceConfig"], &CONFIG_BATCH)
        .list("baseConfigurationItems");
    /// How many resources an aggregator has, by account, Region or type.
    GET_AGGREGATE_DISCOVERED_RESOURCE_COUNTS = config(
        "GetAggregateDiscoveredResourceCounts", &["config:GetAggregateDiscoveredResourceCounts"], &CONFIG_SELECT,
    ).list("GroupedResourceCounts").pages("NextToken", "Limit", 1000);
    /// From which accounts and Regions an aggregator has what it should.
    DESCRIBE_CONFIGURATION_AGGREGATOR_SOURCES_STATUS = config(
        "DescribeConfigurationAggregatorSourcesStatus", &["config:DescribeConfigurationAggregatorSourcesStatus"],
        &UNPUBLISHED,
    ).list("AggregatedSourceStatusList").pages("NextToken", "Limit", PAGE);
}
