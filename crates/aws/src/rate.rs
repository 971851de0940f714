//! What AWS says of how fast its calls may be made.

/// A rate of AWS.
#[derive(Debug, Eq, PartialEq)]
pub struct Bucket {
    /// Its name in the documents.
    pub name: &'static str,
    /// Calls that may come at once after a pause.
    pub burst: u32,
    /// Calls in a thousand seconds, in the long run.
    pub milli_per_second: u32,
    /// What has a bucket of its own within an account and Region.
    pub share: Share,
    /// Where the figures are from.
    pub source: &'static str,
}

/// What has a bucket of its own within an account and Region.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Share {
    /// Each call.
    Action,
    /// All calls of the bucket together.
    Service,
}
