//! Files by account, and the reading of one account's files into shards.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indicatif::ProgressBar;
use palisade_api::inflate::{Bounds, Chunk, Inflate};
use palisade_core::evaluate::{AccountFacts, reads_networks};
use palisade_core::ident::{AccountId, Region, ResourceType, ShardId};
use palisade_core::inventory::{
    Assumed, Cause, Delivery, DeliveryReader, Missed, Observation, Shard, ShardBuilder, Shown,
};

use super::networks::Footing;
use super::spill::{Spill, Spilled};
use crate::failure::Failure;
use crate::files;

/// How far into a file its first item is looked for, bytes.
const SNIFF_MAX: usize = 1024 * 1024;

/// Files by the account they seem to be of: a guess by path or first item. A wrong guess costs
/// time, never truth, for what belongs to others is passed on.
pub struct Groups(BTreeMap<Option<AccountId>, Account>);

/// The types of items that are wanted; of others it is noted only that they are there.
pub type Wanted = Arc<BTreeSet<ResourceType>>;

/// What files are read to, one after the other: memory that was asked for once is used again.
#[derive(Default)]
pub struct Room {
    chunk: Chunk,
    observations: Vec<Observation>,
}

/// What files of every account are read with.
#[derive(Clone, Copy, Debug)]
pub struct Given<'g> {
    /// The types that policies read.
    pub wanted: &'g Wanted,
    /// Types that count as recorded.
    pub assumed: &'g Assumed,
    /// Milliseconds since the epoch.
    pub now_ms: i64,
    /// What was not seen and may be of any account.
    pub anybodys: &'g BTreeSet<Missed>,
}

/// The files that seem to be of one account.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// Whose; `None` when nobody could tell.
    pub id: Option<AccountId>,
    /// In the order they were found.
    pub files: Vec<PathBuf>,
}

/// What reading taught besides the items.
#[derive(Debug, Default)]
pub struct Reading {
    /// Regions of which something of the account was delivered.
    pub regions: BTreeSet<Region>,
    /// Files that cannot be read, with the reason.
    pub unread: BTreeMap<String, String>,
    /// Files with items that cannot be read and of which nothing tells whose they are: how many.
    pub nobodys: BTreeMap<String, u64>,
    /// What was not seen and may be anybody's.
    pub anybodys: BTreeSet<Missed>,
    /// Files of other services.
    pub foreign: BTreeSet<PathBuf>,
    /// Items that cannot be read.
    pub warnings: BTreeSet<String>,
    /// Accounts with items that are not in the organization.
    pub strangers: BTreeSet<AccountId>,
    /// What an account's shards say of the resources of its other shards; of an account that is not
    /// here, nothing.
    pub facts: BTreeMap<AccountId, AccountFacts>,
    /// What shards say of shards of other accounts, where policies read that.
    pub footings: BTreeMap<ShardId, Footing>,
}

impl Reading {
    /// Takes in what another reading taught.
    pub fn absorb(&mut self, other: Reading) {
        self.regions.extend(other.regions);
        self.unread.extend(other.unread);
        self.nobodys.extend(other.nobodys);
        self.anybodys.extend(other.anybodys);
        self.foreign.extend(other.foreign);
        self.warnings.extend(other.warnings);
        self.strangers.extend(other.strangers);
        self.facts.extend(other.facts);
        self.footings.extend(other.footings);
    }
}

impl Groups {
    /// Groups files by account.
    pub fn of(found: Vec<PathBuf>) -> Groups {
        let mut groups: BTreeMap<Option<AccountId>, Account> = BTreeMap::new();
        for path in found {
            let id = files::account(&path).or_else(|| by_first_item(&path));
            let group = groups.entry(id.clone()).or_insert(Account { id, files: Vec::new() });
            group.files.push(path);
        }
        Groups(groups)
    }

    /// Every group.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.0.values()
    }

    /// The files of one account; none when it has none of its own.
    pub fn account(&self, id: &AccountId) -> Account {
        let id = Some(id.clone());
        self.0.get(&id).cloned().unwrap_or(Account { id, files: Vec::new() })
    }
}

/// The first account id in the file's text, by the name that either dialect gives it.
fn by_first_item(path: &Path) -> Option<AccountId> {
    let mut inflate = Inflate::new(File::open(path).ok()?, Bounds::default()).ok()?;
    let mut start = Vec::new();
    while start.len() < SNIFF_MAX {
        start.extend_from_slice(inflate.next_chunk().ok()??);
        start.truncate(SNIFF_MAX);
        if let Some(id) = first_account(&start) {
            return Some(id);
        }
    }
    None
}

fn first_account(bytes: &[u8]) -> Option<AccountId> {
    let text = String::from_utf8_lossy(bytes);
    let keys = ["\"awsAccountId\"", "\"accountId\"", "\\\"awsAccountId\\\"", "\\\"accountId\\\""];
    let at = |key: &&str| text.find(key).map(|at| at + key.len());
    let rest = text.get(keys.iter().filter_map(at).min()?..)?;
    let digits = rest.trim_start_matches([' ', ':', '"', '\\', '\n', '\r', '\t']);
    let end = digits.find(|c: char| !c.is_ascii_digit())?;
    AccountId::try_from(digits.get(..end)?).ok()
}

impl Account {
    /// Reads every file of the account, and what `late` holds of it, into its shards. What belongs
    /// to other accounts goes to `out`, or nowhere when that was done before.
    pub fn read(
        &self,
        given: &Given<'_>,
        out: Option<&Spill>,
        late: Option<&Spill>,
        bar: &ProgressBar,
        room: &mut Room,
    ) -> Result<(Vec<Shard>, Reading), Failure> {
        let Given { wanted, assumed, now_ms, anybodys } = *given;
        let mut shards = Shards {
            account: self.id.as_ref(),
            builders: BTreeMap::new(),
            regions: BTreeSet::new(),
            missed: anybodys.clone(),
        };
        let mut reading = Reading::default();
        for path in &self.files {
            match delivery(path, wanted, now_ms, room) {
                Ok(mut delivery) => {
                    note(path, &delivery, &mut reading);
                    reading.anybodys.append(&mut delivery.anybodys.drain(..).collect());
                    shards.miss(delivery.missed.drain(..), &mut reading, out)?;
                    room.observations = shards.take(delivery, out)?;
                }
                Err(why) => {
                    reading.unread.insert(path.display().to_string(), why);
                    let missed = Missed::file(&files::origin(path), self.id.as_ref(), now_ms);
                    shards.miss(missed, &mut reading, out)?;
                }
            }
            bar.inc(1);
        }
        if let (Some(late), Some(account)) = (late, &self.id) {
            late.of(account, |spilled| shards.take_one(spilled))?;
        }
        reading.regions = std::mem::take(&mut shards.regions);
        let mut shards = shards.seal();
        for shard in &mut shards {
            shard.assumed = assumed.clone();
        }
        if reads_networks(wanted) {
            let footings = shards.iter().map(|shard| (shard.id.clone(), Footing::of(shard)));
            reading.footings = footings.collect();
        }
        if let Some(id) = &self.id {
            let mut facts = AccountFacts::of(&shards);
            facts.assume(assumed);
            // Most accounts tell nothing; what was told before others' files were read is replaced.
            if late.is_some() || facts != AccountFacts::default() {
                reading.facts.insert(id.clone(), facts);
            }
        }
        Ok((shards, reading))
    }
}

fn note(path: &Path, delivery: &Delivery, reading: &mut Reading) {
    if delivery.foreign {
        reading.foreign.insert(path.to_owned());
    }
    if delivery.nobodys > 0 {
        reading.nobodys.insert(path.display().to_string(), delivery.nobodys);
    }
    if delivery.quarantined_more > 0 {
        let more = delivery.quarantined_more;
        reading.warnings.insert(format!("`{}`: and {more} more items", path.display()));
    }
    for one in &delivery.quarantined {
        let which = one.resource_id.as_deref().unwrap_or("without a readable id");
        reading.warnings.insert(format!(
            "`{}`, item {} ({which}): {}",
            path.display(),
            one.index,
            one.reason
        ));
    }
}

/// Reads one delivered file, plain or gzip.
fn delivery(
    path: &Path,
    wanted: &Wanted,
    now_ms: i64,
    room: &mut Room,
) -> Result<Delivery, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let inflate = Inflate::reusing(std::mem::take(&mut room.chunk), file, Bounds::default());
    let mut inflate = inflate.map_err(|error| error.to_string())?;
    let mut reader = DeliveryReader::reading_only(&files::origin(path), Arc::clone(wanted))
        .received(now_ms)
        .reusing(std::mem::take(&mut room.observations));
    loop {
        match inflate.next_chunk() {
            Ok(Some(chunk)) => reader.push(chunk).map_err(|error| error.to_string())?,
            Ok(None) => break,
            // Why another service's file cannot be read does not matter.
            Err(_) if reader.is_foreign() => break,
            Err(error) => return Err(error.to_string()),
        }
    }
    room.chunk = inflate.into_chunk();
    reader.finish().map_err(|error| error.to_string())
}

/// The shards of one account under construction.
struct Shards<'a> {
    account: Option<&'a AccountId>,
    builders: BTreeMap<Region, ShardBuilder>,
    /// Regions with more than `global` items, which do not make us-east-1 a Region of the account
    /// (semantics §10 row 4).
    regions: BTreeSet<Region>,
    /// What was not seen and may be in any Region.
    missed: BTreeSet<Missed>,
}

impl Shards<'_> {
    /// Something was not seen: of this account, of others, or of anybody.
    fn miss(
        &mut self,
        missed: impl IntoIterator<Item = Missed>,
        reading: &mut Reading,
        out: Option<&Spill>,
    ) -> Result<(), Failure> {
        for missed in missed {
            match missed.account.clone() {
                Some(account) => self.sort(Spilled::Missed { account, missed }, out)?,
                None => {
                    reading.anybodys.insert(missed);
                }
            }
        }
        Ok(())
    }

    /// The account's shards, with what was not seen of each.
    fn seal(mut self) -> Vec<Shard> {
        let builders = &mut self.builders;
        for missed in self.missed {
            // An item without a Region was that which was seen later in one.
            let seen_ms = builders.values().filter_map(|builder| builder.seen_ms(&missed)).max();
            let is_item = missed.cause == Cause::Item;
            if !is_item || seen_ms.is_none_or(|seen| seen < missed.moment_ms) {
                builders.values_mut().for_each(|builder| builder.miss(missed.clone()));
            }
        }
        self.builders.into_values().map(ShardBuilder::seal).collect()
    }

    /// Takes in all that a delivery says; answers the room of its observations.
    fn take(
        &mut self,
        mut delivery: Delivery,
        out: Option<&Spill>,
    ) -> Result<Vec<Observation>, Failure> {
        let whole_ms = delivery.snapshot.as_ref().map(|snapshot| snapshot.moment_ms);
        let listings = std::mem::take(&mut delivery.listings);
        let mut observations = std::mem::take(&mut delivery.observations);
        for observation in observations.drain(..) {
            let moment_ms = whole_ms.max(listed_ms(&listings, &observation));
            if self.account == Some(&observation.item.key.account) {
                self.observe(observation, moment_ms);
            } else if let Some(out) = out {
                out.push(&Spilled::Seen { observation: observation.into(), moment_ms })?;
            }
        }
        for (shard, types) in listings {
            self.sort(Spilled::Listed { shard, types }, out)?;
        }
        self.take_rest(delivery, out)?;
        Ok(observations)
    }

    fn take_rest(&mut self, delivery: Delivery, out: Option<&Spill>) -> Result<(), Failure> {
        for Shown { shard, global, types, newest_ms } in delivery.shown {
            self.sort(Spilled::Shown { shard, global, types, newest_ms }, out)?;
        }
        let Some(snapshot) = delivery.snapshot else { return Ok(()) };
        for (shard, types) in snapshot.covers {
            let moment_ms = snapshot.moment_ms;
            self.sort(Spilled::Covered { shard, types, moment_ms }, out)?;
        }
        for (shard, types) in snapshot.holds {
            self.sort(Spilled::Held { shard, types }, out)?;
        }
        match snapshot.shard {
            Some(shard) => self.sort(Spilled::Whole { shard, moment_ms: snapshot.moment_ms }, out),
            None => Ok(()),
        }
    }

    fn sort(&mut self, one: Spilled, out: Option<&Spill>) -> Result<(), Failure> {
        if self.account == Some(one.account()) {
            self.take_one(one);
            return Ok(());
        }
        out.map_or(Ok(()), |out| out.push(&one))
    }

    fn observe(&mut self, observation: Observation, moment_ms: Option<i64>) {
        let key = &observation.item.key;
        if !observation.global && !self.regions.contains(&key.region) {
            self.regions.insert(key.region.clone());
        }
        // Nearly all are of a shard that was begun: nothing is made to find it.
        if !self.builders.contains_key(&key.region) {
            self.builders.insert(key.region.clone(), ShardBuilder::new(key.shard()));
        }
        if let Some(builder) = self.builders.get_mut(&key.region) {
            builder.observe(observation, moment_ms);
        }
    }

    fn take_one(&mut self, one: Spilled) {
        let Some(ShardId { account, region }) = one.shard() else {
            if let Spilled::Missed { missed, .. } = one {
                self.missed.insert(missed);
            }
            return;
        };
        if one.shows_region() {
            self.regions.insert(region.clone());
        }
        let builder = self
            .builders
            .entry(region.clone())
            .or_insert_with(|| ShardBuilder::new(ShardId { account, region }));
        match one {
            Spilled::Seen { observation, moment_ms } => {
                builder.observe(observation.into(), moment_ms);
            }
            Spilled::Shown { types, global, newest_ms, .. } => {
                types.into_iter().for_each(|shown| builder.show(shown));
                newest_ms.into_iter().for_each(|newest_ms| builder.hear(global, newest_ms));
            }
            Spilled::Covered { types, moment_ms, .. } => {
                types.into_iter().for_each(|covered| builder.mark(covered, moment_ms));
            }
            Spilled::Missed { missed, .. } => builder.miss(missed),
            Spilled::Held { types, .. } => {
                types.into_iter().for_each(|held| builder.contain(held));
            }
            Spilled::Listed { types, .. } => {
                types.into_iter().for_each(|(listed, moment_ms)| builder.list(listed, moment_ms));
            }
            Spilled::Whole { moment_ms, .. } => {
                builder.accept_snapshot();
                builder.hear(false, moment_ms);
            }
        }
    }
}

/// The moment of the complete listing that came with an item.
fn listed_ms(
    listings: &BTreeMap<ShardId, BTreeMap<ResourceType, i64>>,
    observation: &Observation,
) -> Option<i64> {
    if listings.is_empty() {
        return None;
    }
    let key = &observation.item.key;
    listings.get(&key.shard())?.get(&key.resource_type).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_tells_its_account_by_its_name_or_folder_or_first_item() {
        let told = |path: &str| files::account(Path::new(path)).map(|id| id.to_string());
        let id = Some("012345678901".to_owned());
        assert_eq!(told("x/012345678901_Config_eu-west-1_ConfigSnapshot_20260203T0_u.json.gz"), id);
        assert_eq!(told("o-1/AWSLogs/o-1/012345678901/Config/eu-west-1/2026/2/3/x/y.json"), id);
        assert_eq!(told("AWSLogs/x.json"), None);
        let told = |text: &str| first_account(text.as_bytes()).map(|id| id.to_string());
        assert_eq!(told(r#"{"a":1, "awsAccountId" : "012345678901", "accountId":"1"}"#), id);
        assert_eq!(told(r#"{"Results":["{\"accountId\":\"012345678901\"}"]}"#), id);
        assert_eq!(told(r#"{"accountId":"0123"#), None, "cut off");
    }

    #[test]
    fn the_first_item_is_looked_for_to_the_limit_and_no_further() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.json");
        let item = r#","awsAccountId":"012345678901""#;
        for (end, is_found) in [(SNIFF_MAX - 1, true), (SNIFF_MAX, true), (SNIFF_MAX + 1, false)] {
            let before = format!(r#"{{"configuration":"{}""#, "x".repeat(end));
            let cut = before.len() + item.len() - end;
            let text = format!(r#"{{"configuration":"{}""#, "x".repeat(end - cut)) + item + "}";
            assert_eq!(text.len(), end + 1, "the quote behind the digits is byte {end}");
            std::fs::write(&path, text).unwrap();
            assert_eq!(by_first_item(&path).is_some(), is_found, "{end}");
        }
    }
}
