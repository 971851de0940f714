//! `palisade.toml`: what a server reads by itself. Every fault is told with its place, and all of them at once.

mod fault;
mod nearest;
mod table;
mod value;

use std::ops::Range;
use std::time::Duration;

use palisade_aws::{ExternalId, account_of_role};
use palisade_core::ident::Region;
use toml::de::{DeTable, DeValue};

use crate::queue::region_of;
use fault::Text;
pub use fault::{Fault, Grade};
use table::Table;
pub use value::{EVERY_MAX, EVERY_MIN, Lookup};

/// The file's settings.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `[organization]`
    pub organization: Option<OrganizationSource>,
    /// `[[inventory]]`, in their order.
    pub inventory: Vec<InventorySource>,
}

/// AWS Organizations.
#[derive(Clone, Debug)]
pub struct OrganizationSource {
    /// ARN of the role to act as; without one the server's own keys are used.
    pub role: Option<String>,
    /// The id that the role asks for.
    pub external_id: Option<ExternalId>,
    /// How often it is read.
    pub every: Duration,
}

/// A source of inventory.
#[derive(Clone, Debug)]
pub enum InventorySource {
    /// `source = "live"`
    Live(LiveSource),
    /// `source = "s3"`
    Bucket(BucketSource),
    /// `source = "sqs"`
    Queue(QueueSource),
}

/// AWS Config's deliveries in a bucket.
#[derive(Clone, Debug)]
pub struct BucketSource {
    /// Its name.
    pub bucket: String,
    /// What its keys begin with; empty for all of it.
    pub prefix: String,
    /// Its Region.
    pub region: Region,
    /// Who asks.
    pub access: Access,
    /// URL of a queue that tells of new objects.
    pub queue: Option<String>,
    /// How often it is walked through.
    pub every: Duration,
}

/// A queue of AWS Config's notifications, or of a bucket's.
#[derive(Clone, Debug)]
pub struct QueueSource {
    /// Its URL.
    pub queue: String,
    /// Its Region, and that of the buckets that it tells of.
    pub region: Region,
    /// Who asks.
    pub access: Access,
}

/// Who asks of a bucket or a queue.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// ARN of the role to act as; without one the server's own keys are used.
    pub role: Option<String>,
    /// The id that the role asks for.
    pub external_id: Option<ExternalId>,
}

/// The APIs of the services themselves.
#[derive(Clone, Debug)]
pub struct LiveSource {
    /// Name of the role in every account, with its path.
    pub role: String,
    /// The id that the role asks for.
    pub external_id: Option<ExternalId>,
    /// Regions; `None`: those that an account has enabled.
    pub regions: Option<Vec<Region>>,
    /// How often everything is listed.
    pub every: Duration,
    /// Accounts and Regions that are read at the same time.
    pub at_once: usize,
}

/// Accounts and Regions read at the same time, unless a setting says otherwise.
pub const AT_ONCE: usize = 8;

/// The most of them.
pub const AT_ONCE_MAX: usize = 256;

/// The sources of inventory there are.
const SOURCES: [&str; 3] = ["live", "s3", "sqs"];

/// Reads a file.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines. A file of which all faults are
/// [`Grade::Elsewhere`] is right by itself.
pub fn read(text: &str, lookup: &Lookup<'_>) -> Result<Settings, Vec<Fault>> {
    let lines = Text::new(text);
    let root = DeTable::parse(text).map_err(|error| {
        vec![lines.fault(error.span().unwrap_or_default(), "", error.message())]
    })?;
    let mut faults = Vec::new();
    let mut root = Table::new(root.get_ref(), root.span(), "", &lines, &mut faults);
    let organization = root.table("organization", |table| organization(table, lookup)).flatten();
    let inventory = root.tables("inventory", |table| inventory(table, lookup));
    root.end();
    faults.sort_by_key(|fault| (fault.line, fault.column));
    let settings = Settings { organization, inventory: inventory.into_iter().flatten().collect() };
    if faults.is_empty() { Ok(settings) } else { Err(faults) }
}

const QUARTER: Duration = Duration::from_secs(15 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn organization(table: &mut Table<'_, '_>, lookup: &Lookup<'_>) -> Option<OrganizationSource> {
    let source = table.required("source");
    if let Some((source, span)) = &source
        && source != "aws"
    {
        table.fault_at(span.clone(), "source", &format!("`{source}` is no source; it is `aws`"));
    }
    let role = role_arn(table);
    let external_id = external_id(table, lookup);
    let every = table.every(QUARTER);
    source.map(|_| OrganizationSource { role, external_id, every })
}

fn inventory(table: &mut Table<'_, '_>, lookup: &Lookup<'_>) -> Option<InventorySource> {
    let (source, span) = table.required("source")?;
    match &*source {
        "live" => live(table, lookup).map(InventorySource::Live),
        "s3" => bucket(table, lookup).map(InventorySource::Bucket),
        "sqs" => queue(table, lookup).map(InventorySource::Queue),
        _ => {
            let why = match nearest::nearest(&source, &SOURCES) {
                Some(near) => format!("`{source}` is no source; did you mean `{near}`?"),
                None => format!("`{source}` is no source; it is `{}`", SOURCES.join("` or `")),
            };
            table.fault_at(span, "source", &why);
            table.skip_rest();
            None
        }
    }
}

fn live(table: &mut Table<'_, '_>, lookup: &Lookup<'_>) -> Option<LiveSource> {
    let role = table.required("role").and_then(|(role, span)| match is_role_name(&role) {
        true => Some(role),
        false => {
            let why =
                "it is no name of a role, such as `PalisadeReadOnly`, which every account has";
            table.fault_at(span, "role", why);
            None
        }
    });
    let external_id = external_id(table, lookup);
    let regions = regions(table);
    let every = table.every(HOUR);
    let at_once = table.count("at_once", AT_ONCE, AT_ONCE_MAX);
    Some(LiveSource { role: role?, external_id, regions: regions?, every, at_once })
}

fn bucket(table: &mut Table<'_, '_>, lookup: &Lookup<'_>) -> Option<BucketSource> {
    let bucket = table.required("bucket").map(|(name, _)| name);
    let prefix = table.text("prefix").map(|(prefix, _)| prefix).unwrap_or_default();
    let access = access(table, lookup);
    let queue = table.text("queue").and_then(|(url, span)| queue_url(table, url, span));
    let region = region(table, None);
    // What its queue does not tell of is found once a day.
    let every = table.every(if queue.is_some() { DAY } else { QUARTER });
    Some(BucketSource { bucket: bucket?, prefix, region: region?, access, queue, every })
}

fn queue(table: &mut Table<'_, '_>, lookup: &Lookup<'_>) -> Option<QueueSource> {
    let url = table.required("queue").and_then(|(url, span)| queue_url(table, url, span));
    let access = access(table, lookup);
    let region = region(table, url.as_deref().and_then(region_of));
    Some(QueueSource { queue: url?, region: region?, access })
}

fn queue_url(table: &mut Table<'_, '_>, url: String, span: Range<usize>) -> Option<String> {
    if url.starts_with("https://") || url.starts_with("http://") {
        return Some(url);
    }
    table.fault_at(span, "queue", "it is no URL of a queue: `https://sqs.REGION.amazonaws.com/…`");
    None
}

fn access(table: &mut Table<'_, '_>, lookup: &Lookup<'_>) -> Access {
    Access { role: role_arn(table), external_id: external_id(table, lookup) }
}

/// `region`, which has to be told where nothing else tells it.
fn region(table: &mut Table<'_, '_>, known: Option<&str>) -> Option<Region> {
    let told = match known {
        Some(known) => table.text("region").or_else(|| Some((known.to_owned(), 0..0))),
        None => table.required("region"),
    };
    let (text, span) = told?;
    match Region::named(&text) {
        Ok(region) => Some(region),
        Err(error) => {
            table.fault_at(span, "region", &error.to_string());
            None
        }
    }
}

/// ARN of a role.
fn role_arn(table: &mut Table<'_, '_>) -> Option<String> {
    let (role, span) = table.text("role")?;
    if account_of_role(&role).is_some() {
        return Some(role);
    }
    let why = "it is no ARN of a role: `arn:aws:iam::111122223333:role/NAME`";
    table.fault_at(span, "role", why);
    None
}

fn external_id(table: &mut Table<'_, '_>, lookup: &Lookup<'_>) -> Option<ExternalId> {
    let (id, span) = table.secret("external_id", lookup)?;
    let fits = (2..=1224).contains(&id.len())
        && id.chars().all(|c| c.is_ascii_alphanumeric() || "=,.@:/-_+".contains(c));
    if !fits {
        let why = "an ExternalId has 2 to 1,224 letters, digits or `=,.@:/-_+`";
        table.fault_at(span, "external_id", why);
        return None;
    }
    Some(ExternalId(id.into()))
}

/// `"enabled"`, which is also what is meant where nothing is told, or a list of Regions. The outer `None` is a fault.
fn regions(table: &mut Table<'_, '_>) -> Option<Option<Vec<Region>>> {
    let Some((value, span)) = table.take("regions") else { return Some(None) };
    match value {
        DeValue::String(word) if word == "enabled" => Some(None),
        DeValue::Array(list) if !list.is_empty() => {
            let mut regions = Vec::new();
            for one in list {
                let text = one.get_ref().as_str().unwrap_or_default();
                match Region::named(text) {
                    Ok(region) => regions.push(region),
                    Err(error) => table.fault_at(one.span(), "regions", &error.to_string()),
                }
            }
            Some(Some(regions))
        }
        _ => {
            let why = "it is a list of Regions such as `[\"eu-west-1\"]`, or \"enabled\"";
            table.fault_at(span, "regions", why);
            None
        }
    }
}

/// A role's name, or its path and name without the slash before it.
pub fn is_role_name(text: &str) -> bool {
    let is_part = |part: &str| {
        (1..=64).contains(&part.len())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c))
    };
    text.len() <= 512 && text.split('/').all(is_part)
}

#[cfg(test)]
mod tests;
