//! `palisade.toml`: what a server reads by itself. Every fault is told with its place, and all of them at once.

mod fault;
mod nearest;
mod table;
mod value;

use std::time::Duration;

use palisade_aws::{ExternalId, account_of_role};
use palisade_core::ident::Region;
use toml::de::{DeTable, DeValue};

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
    pub inventory: Vec<LiveSource>,
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
const SOURCES: [&str; 1] = ["live"];

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

fn organization(table: &mut Table<'_, '_>, lookup: &Lookup<'_>) -> Option<OrganizationSource> {
    let source = table.required("source");
    if let Some((source, span)) = &source
        && source != "aws"
    {
        table.fault_at(span.clone(), "source", &format!("`{source}` is no source; it is `aws`"));
    }
    let role = table.text("role").and_then(|(role, span)| match account_of_role(&role) {
        Some(_) => Some(role),
        None => {
            let why = "it is no ARN of a role: `arn:aws:iam::111122223333:role/NAME`";
            table.fault_at(span, "role", why);
            None
        }
    });
    let external_id = external_id(table, lookup);
    let every = table.every(QUARTER);
    source.map(|_| OrganizationSource { role, external_id, every })
}

fn inventory(table: &mut Table<'_, '_>, lookup: &Lookup<'_>) -> Option<LiveSource> {
    let (source, span) = table.required("source")?;
    if !SOURCES.contains(&&*source) {
        let why = match nearest::nearest(&source, &SOURCES) {
            Some(near) => format!("`{source}` is no source; did you mean `{near}`?"),
            None => format!("`{source}` is no source; it is `{}`", SOURCES.join("` or `")),
        };
        table.fault_at(span, "source", &why);
        table.skip_rest();
        return None;
    }
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
