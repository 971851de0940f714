//! The rates of calls: what AWS publishes, and where it publishes none, what others found to work.

use crate::rate::{Bucket, Share};

macro_rules! buckets {
    ($($(#[$doc:meta])* $name:ident = $label:literal $burst:literal, $per_second:literal per second, $share:ident, $source:literal;)+) => {
        $($(#[$doc])* pub(super) static $name: Bucket = Bucket {
            name: $label,
            burst: $burst,
            milli_per_second: $per_second * 1000,
            share: Share::$share,
            source: $source,
        };)+

        /// All buckets.
        pub static BUCKETS: &[&Bucket] = &[$(&$name),+];
    };
}

buckets! {
    /// EC2's calls that list, with a page size or a filter: one bucket each.
    EC2_PAGED = "EC2, paged" 100, 20 per second, Action, "AWS: EC2 API throttling";
    /// EC2's calls that list and take no page size.
    EC2_WHOLE = "EC2, not paged" 50, 10 per second, Action, "AWS: EC2 API throttling";
    /// WAF's calls that read, but for the two below.
    WAF_READ = "WAF, read" 5, 5 per second, Action, "AWS: quotas of AWS WAF";
    /// Which resources a web ACL is associated with: not to be raised.
    WAF_ASSOCIATIONS = "WAF, associations" 1, 1 per second, Action, "AWS: quotas of AWS WAF";
    /// CloudFront.
    CLOUD_FRONT = "CloudFront" 10, 5 per second, Service, "undocumented; Steampipe's";
    /// Organizations.
    ORGANIZATIONS = "Organizations" 4, 2 per second, Action, "undocumented; twice Workload Discovery's";
    /// Advanced queries of AWS Config.
    CONFIG_SELECT = "Config, select" 8, 8 per second, Action, "undocumented; Workload Discovery's";
    /// Items of AWS Config by the hundred.
    CONFIG_BATCH = "Config, batch get" 15, 15 per second, Action, "undocumented; Workload Discovery's";
    /// STS, from one account in one Region.
    STS = "STS" 600, 600 per second, Service, "AWS: quotas of STS";
    /// S3, far below what a prefix of a bucket allows.
    S3 = "S3" 1000, 1000 per second, Action, "AWS: 5,500 reads per second and prefix";
    /// SQS, far below what a FIFO queue allows.
    SQS = "SQS" 300, 300 per second, Action, "AWS: 300 per second and FIFO queue";
    /// Calls whose rate nobody publishes.
    UNPUBLISHED = "unpublished" 10, 5 per second, Action, "undocumented; Steampipe's";
}
