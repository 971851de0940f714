//! The sample organization: a made-up company whose AWS Config snapshots, organization file and
//! policies are generated from a seed, in the layout and form AWS delivers.

mod classic;
mod company;
mod dns;
mod estate;
mod item;
mod network;
mod policies;
mod prng;
mod third_party;
mod web;

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::GzBuilder;
use serde::Serialize;

pub use company::{ACCOUNTS_MAX, COMPANY, REGIONS, account_id};
pub use policies::REMOTE_ADMIN_POLICY;

use company::{MEMBERS, Member, Part, nth_account_id};
use estate::Estate;
use item::{ConfigurationItem, Place, format_utc};
use prng::Prng;

/// Seed of the sample that `quickstart` writes.
pub const SEED: u64 = 20_260_203;
/// How long before "now" the snapshots were taken, milliseconds.
pub const SNAPSHOT_AGE_MS: i64 = 45 * 60 * 1_000;

/// One file of the sample.
pub struct SampleFile {
    /// Where, below the sample's folder.
    pub path: PathBuf,
    /// What.
    pub bytes: Vec<u8>,
}

/// Which sample.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Accounts of the organization, two at least.
    pub accounts: usize,
    /// What chance is made of.
    pub seed: u64,
}

impl Default for Extent {
    /// What `quickstart` writes.
    fn default() -> Extent {
        Extent { accounts: MEMBERS.len(), seed: SEED }
    }
}

/// What a sample consists of.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Census {
    /// Accounts of the organization.
    pub accounts: usize,
    /// Snapshot files.
    pub snapshots: usize,
    /// Configuration items in them.
    pub items: usize,
}

/// Makes every file of the sample, in order, and hands each to `take`. The same extent and `now_ms`
/// give the same bytes.
///
/// # Errors
/// What `take` answers, and failures of serialising or compressing, which memory alone can cause.
pub fn generate(
    extent: Extent,
    now_ms: i64,
    mut take: impl FnMut(SampleFile) -> std::io::Result<()>,
) -> std::io::Result<Census> {
    let names = company::names(extent.accounts);
    let members = company::members(&names);
    let mut census = Census { accounts: members.len(), ..Census::default() };
    take(json_file("organization.json".into(), &company::organization(&members))?)?;
    let present: Vec<String> = (0..members.len()).map(nth_account_id).collect();
    for (name, policy) in policies::all() {
        if let Some(policy) = policies::about(policy, &present) {
            take(json_file(Path::new("policies").join(name), &policy)?)?;
        }
    }
    for (n, member) in members.iter().enumerate() {
        if member.part == Part::Unheard {
            continue;
        }
        for (at, region) in REGIONS.iter().enumerate() {
            let place = Place { account: nth_account_id(n), region: (*region).to_owned() };
            let (file, items) = snapshot(&place, member, at == 0, extent.seed, now_ms)?;
            census.snapshots += 1;
            census.items += items;
            take(file)?;
        }
    }
    Ok(census)
}

/// Writes the sample below `folder`. Files that are there already are replaced.
///
/// # Errors
/// What the file system answers.
pub fn write(folder: &Path, extent: Extent, now_ms: i64) -> std::io::Result<Census> {
    generate(extent, now_ms, |file| {
        let path = folder.join(&file.path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, file.bytes)
    })
}

/// Names of the accounts in scope of some sample policy that break nothing (`true`), and of those
/// that break something.
pub fn tidiness() -> impl Iterator<Item = (&'static str, bool)> {
    MEMBERS.iter().filter(|member| !member.is_out()).filter_map(|member| match member.part {
        Part::Spotless | Part::Administrator => Some((member.name, true)),
        Part::Untidy(_) | Part::OpenDoors(..) => Some((member.name, false)),
        Part::Unheard | Part::HalfRecorded => None,
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Snapshot {
    file_version: &'static str,
    config_snapshot_id: String,
    configuration_items: Vec<ConfigurationItem>,
}

/// One delivered snapshot: minified, on one line, compressed; and how many items are in it.
fn snapshot(
    place: &Place,
    member: &Member<'_>,
    first_region: bool,
    seed: u64,
    now_ms: i64,
) -> std::io::Result<(SampleFile, usize)> {
    let taken_ms = now_ms - SNAPSHOT_AGE_MS;
    let id = Prng::labelled(seed, &format!("{}@{}", place.account, place.region)).uuid();
    let configuration_items = Estate::items(place, member, first_region, seed, taken_ms);
    let items = configuration_items.len();
    let path = snapshot_path(place, &id, taken_ms);
    let snapshot = Snapshot { file_version: "1.0", config_snapshot_id: id, configuration_items };
    let mut gzip = GzBuilder::new().write(Vec::new(), Compression::fast());
    serde_json::to_writer(&mut gzip, &snapshot)?;
    Ok((SampleFile { path, bytes: gzip.finish()? }, items))
}

/// The delivered name (formats §5): month and day are not padded.
fn snapshot_path(place: &Place, id: &str, taken_ms: i64) -> PathBuf {
    let Place { account, region } = place;
    let day = format_utc(taken_ms, "%Y/%-m/%-d");
    let stamp = format_utc(taken_ms, "%Y%m%dT%H%M%SZ");
    PathBuf::from(format!(
        "AWSLogs/{account}/Config/{region}/{day}/ConfigSnapshot/{account}_Config_{region}_ConfigSnapshot_{stamp}_{id}.json.gz"
    ))
}

fn json_file(path: PathBuf, value: &serde_json::Value) -> std::io::Result<SampleFile> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.write_all(b"\n")?;
    Ok(SampleFile { path, bytes })
}

#[cfg(test)]
mod tests;
