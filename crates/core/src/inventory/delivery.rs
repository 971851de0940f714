//! One delivered file: its items, what could not be read, and whether it is a whole snapshot.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::ident::ResourceType;

use super::bystander::Bystander;
use super::encoded::Encoded;
use super::envelope::{self, Found};
use super::grammar;
use super::lost::Lost;
use super::outline::{Field, Look, Outline};
use super::read::{Form, Unread, is_read, read, read_outline, salvaged, unseen};
use super::snapshot::{Coverage, Shown, is_named};
use super::split::{DEPTH_MAX, ITEM_BYTES_MAX, Piece, Role, Splitter};
use super::{Observation, SnapshotFacts, Version};

/// The marker that AWS Config puts into a bucket to see that it may write there.
const WRITABILITY_CHECK: &str = "ConfigWritabilityCheckFile";

/// Characters of a reason; what it quotes from the item may be of any length.
const REASON_CHARS_MAX: usize = 500;

/// Items that could not be read of which a delivery tells one by one: a file of a few kilobytes,
/// inflated, may hold millions.
pub const QUARANTINED_MAX: usize = 1_000;

/// Bytes of an item as AWS Config writes most of them.
const ITEM_BYTES_USUAL: usize = 2048;
/// What of them is kept, encoded.
const KEPT_BYTES_USUAL: usize = 256;

/// How far ahead of ours the clocks of recorders may be, milliseconds.
pub const AHEAD_MS_MAX: i64 = 24 * 60 * 60 * 1000;

/// Characters of the resource id of an item that could not be read.
const RESOURCE_ID_CHARS_MAX: usize = 1024;

/// What one delivered file says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Delivery {
    /// The original file name; empty when unknown.
    pub name: String,
    /// In the order of the file. An item that was quarantined but whose key and version are
    /// readable is here with an unseen body: it exists and cannot be judged, and must count neither
    /// as gone nor as complying. Behind them, for items whose key is not readable but whose type is
    /// (or may be any of a snapshot's), unseen resources of the id `unreadable-item-INDEX` stand in;
    /// the next whole snapshot of the type is without them, so they are gone with it.
    pub observations: Vec<Observation>,
    /// The same in the form in which a store keeps items, where [`DeliveryReader::encoding`] asked for
    /// that; [`Delivery::observations`] are none then.
    pub encoded: Encoded,
    /// Items that could not be read, in the order of the file; the first [`QUARANTINED_MAX`].
    pub quarantined: Vec<Quarantined>,
    /// How many more there are.
    pub quarantined_more: u64,
    /// Messages without an item: other message types, other services' messages, the writability
    /// check file.
    pub ignored: u64,
    /// Set for a whole snapshot.
    pub snapshot: Option<SnapshotFacts>,
    /// Where [`DeliveryReader::reading_only`] left items out: the types of all items, by shard.
    pub shown: Vec<Shown>,
}

/// An item that could not be read; the rest of its file could.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Quarantined {
    /// Which of the file's items and messages, counted from 0.
    pub index: u64,
    /// `resourceId`, when readable.
    pub resource_id: Option<String>,
    /// What is wrong with it.
    pub reason: String,
    /// Whether [`Delivery::observations`] holds it with an unseen body under its own id.
    pub observed: bool,
}

/// Why a file is refused as a whole. Positions are bytes of the inflated file, counted from 0.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DeliveryError {
    /// Nothing in it.
    #[error("the file is empty: fetch it again")]
    Empty,
    /// It ends inside a value.
    #[error("the file ends at byte {0} in the middle of a value: it is cut off, fetch it again")]
    Truncated(u64),
    /// A byte that no JSON has there.
    #[error("not JSON at byte {at}: unexpected `{}`", found.escape_ascii())]
    NotJson {
        /// Where.
        at: u64,
        /// What.
        found: u8,
    },
    /// Text without any JSON object.
    #[error("no JSON found: expected a file of AWS Config items")]
    NoJson,
    /// Something follows the last value on its line.
    #[error("trailing data at byte {0}: only line breaks may separate JSON values")]
    Trailing(u64),
    /// JSON of another kind.
    #[error("no configuration items in it: is it a file of AWS Config?")]
    NoItems,
}

/// Push parser of one delivered, already inflated file. Holds one raw item at a time, and the
/// compact observations.
///
/// ```
/// use palisade_core::inventory::DeliveryReader;
/// let mut reader = DeliveryReader::new("notification.json");
/// reader.push(br#"{"messageType":"ConfigurationHistory"#).unwrap();
/// reader.push(br#"DeliveryCompleted","s3Bucket":"b"}"#).unwrap();
/// assert_eq!(reader.finish().unwrap().ignored, 1);
/// ```
pub struct DeliveryReader {
    splitter: Splitter,
    intake: Intake,
}

impl DeliveryReader {
    /// Reads a file of this original name, which may tell kind, moment, account and Region
    /// (formats §5); `""` when unknown.
    pub fn new(name: &str) -> Self {
        let delivery = Delivery { name: name.to_owned(), ..Delivery::default() };
        let intake = Intake { delivery, ..Intake::default() };
        DeliveryReader { splitter: Splitter::new(), intake }
    }

    /// Reads a file of which items of these types alone are wanted. Others still are checked and
    /// counted among what is shown, but need not be among the observations. A file whose name does
    /// not say of what kind it is is read whole, for its items tell.
    pub fn reading_only(name: &str, wanted: Arc<BTreeSet<ResourceType>>) -> Self {
        let mut reader = DeliveryReader::new(name);
        reader.intake.wanted = is_named(name).then_some(wanted);
        reader
    }

    /// Observations are put into the room that those of another file took.
    pub fn reusing(mut self, mut observations: Vec<Observation>) -> Self {
        observations.clear();
        self.intake.delivery.observations = observations;
        self
    }

    /// What the file says is only to be stored.
    pub fn encoding(mut self) -> Self {
        self.intake.encodes = true;
        self
    }

    /// The moment of receipt, milliseconds since the epoch. What claims to be from more than
    /// [`AHEAD_MS_MAX`] later is not believed, or it would hold against everything true that is told
    /// until then: such items are quarantined, and count as seen now without a configuration; a
    /// snapshot of such a moment counts as taken now.
    pub fn received(mut self, now_ms: i64) -> Self {
        self.intake.now_ms = Some(now_ms);
        self
    }

    /// Reads on. After an error the file is refused, and nothing of it is to be used.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), DeliveryError> {
        let intake = &mut self.intake;
        // A place for each, as far as can be told, rather than moving those that are there.
        let items = bytes.len() / ITEM_BYTES_USUAL;
        if intake.encodes {
            intake.delivery.encoded.reserve(items, items * KEPT_BYTES_USUAL);
        } else {
            intake.delivery.observations.reserve(items);
        }
        self.splitter.push(bytes, &mut |piece| intake.take(piece))
    }

    /// The end of the file.
    pub fn finish(self) -> Result<Delivery, DeliveryError> {
        let DeliveryReader { mut splitter, mut intake } = self;
        let ended = splitter.finish(&mut |piece| intake.take(piece));
        let Intake { mut delivery, coverage, wanted, encodes, now_ms, next, strangers, empty_list } =
            intake;
        if splitter.is_blank() && delivery.name.ends_with(WRITABILITY_CHECK) {
            delivery.ignored = 1;
            return Ok(delivery);
        }
        ended?;
        match splitter.roots {
            0 if splitter.is_blank() => return Err(DeliveryError::Empty),
            0 => return Err(DeliveryError::NoJson),
            1 if splitter.root.items => {
                delivery.snapshot = coverage.facts(&delivery, splitter.root);
                if let (Some(snapshot), Some(now_ms)) = (&mut delivery.snapshot, now_ms)
                    && is_ahead(snapshot.moment_ms, now_ms)
                {
                    snapshot.moment_ms = now_ms;
                }
            }
            _ => {}
        }
        let stand_ins = coverage.stand_ins(&delivery);
        stand_ins.into_iter().for_each(|one| delivery.keep(one, encodes));
        // An empty list of items, as for a resource type without any, is a fine file.
        if next == strangers && !splitter.lists && !empty_list {
            return Err(DeliveryError::NoItems);
        }
        delivery.ignored += strangers;
        if wanted.is_some() {
            delivery.shown = coverage.shown();
        }
        Ok(delivery)
    }
}

/// Collects what the file's pieces say.
#[derive(Default)]
struct Intake {
    delivery: Delivery,
    coverage: Coverage,
    /// The types that are wanted; `None`: all.
    wanted: Option<Arc<BTreeSet<ResourceType>>>,
    /// Observations are encoded.
    encodes: bool,
    /// When the file was received, if it matters.
    now_ms: Option<i64>,
    /// Index of the next item or message.
    next: u64,
    /// Objects at the top that are neither items nor known messages.
    strangers: u64,
    /// A message held an empty list of items.
    empty_list: bool,
}

impl Intake {
    fn take(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Outlined(outline, raw) => self.outlined(outline, raw),
            Piece::Raw(Role::Item, raw) => self.item(raw, Form::Whole),
            Piece::Raw(Role::Row | Role::Record | Role::Other, raw) if raw == b"null" => {
                self.quarantine(Unread::because("null is no item"));
            }
            Piece::Raw(role, raw) => match std::str::from_utf8(raw) {
                Ok(text) if role == Role::Row => envelope::open_row(text, &mut |f| self.found(f)),
                Ok(text) => envelope::open(text, 1, &mut |f| self.found(f)),
                // A bare item tells more of itself than that it is not UTF-8.
                Err(_) => self.item(raw, Form::Whole),
            },
            Piece::TooLarge => {
                let reason = format!("larger than {} MiB", ITEM_BYTES_MAX / (1024 * 1024));
                self.quarantine(Unread::because(&reason));
            }
            Piece::TooDeep(raw) => self.too_deep(raw),
        }
    }

    /// What is nested too deep is not believed, but its key is.
    fn too_deep(&mut self, raw: &[u8]) {
        let unread = match read(raw, Form::Whole) {
            Ok(seen) => Unread {
                resource_id: Some(seen.item.key.id.to_string()),
                shadow: Some(Box::new(unseen(seen))),
                ..Unread::default()
            },
            Err(unread) => unread,
        };
        self.outcome(Err(Unread { reason: too_deep(), ..unread }));
    }

    fn found(&mut self, found: Found<'_>) {
        match found {
            Found::Item(form, text) => self.item(text.as_bytes(), form),
            Found::Ignored => {
                self.delivery.ignored += 1;
                self.next += 1;
            }
            Found::Stranger => {
                self.strangers += 1;
                self.next += 1;
            }
            Found::EmptyList => self.empty_list = true,
            Found::Broken(reason) => self.quarantine(Unread::because(&reason)),
        }
    }

    fn outlined(&mut self, outline: &Outline<'_>, raw: &[u8]) {
        if let Some(wanted) = &self.wanted
            && let Some(bystander) = Bystander::of(outline)
            && !self.now_ms.is_some_and(|now_ms| is_ahead(bystander.latest_ms, now_ms))
            && self.coverage.notes_bystander(&bystander, wanted).is_some()
        {
            self.next += 1;
            return;
        }
        if self.encodes && self.encoded(outline).is_some() {
            self.next += 1;
            return;
        }
        // What is read has to be right to the last comma.
        let seen = if !outline.text(Field::Type).is_some_and(is_read) || grammar::is_kept(raw) {
            read_outline(outline)
        } else {
            let everything = Outline::of(raw, 0, Look::Everything);
            everything.and_then(|(outline, _)| read_outline(&outline))
        };
        match seen {
            Some(seen) => self.outcome(seen),
            None => {
                let read = read(raw, Form::Whole);
                self.outcome(read.map_err(|unread| salvaged(outline, unread)));
            }
        }
    }

    /// Encodes an item of a type that nobody reads as it lies there; `None`: it has to be read.
    fn encoded(&mut self, outline: &Outline<'_>) -> Option<()> {
        let bystander = Bystander::of(outline)?;
        if self.now_ms.is_some_and(|now_ms| is_ahead(bystander.latest_ms, now_ms)) {
            return None;
        }
        if self.delivery.encoded.push_bystander(&bystander, outline)? {
            self.coverage.sees(bystander.captured_ms);
        } else {
            let (shard, resource_type) = bystander.identity()?;
            let (global, captured_ms) = (bystander.global, bystander.captured_ms);
            self.coverage.notes(&shard, global, &resource_type, captured_ms);
        }
        Some(())
    }

    fn item(&mut self, raw: &[u8], form: Form) {
        match Outline::of(raw, 0, Look::Brackets) {
            Some((outline, end)) if form == Form::Whole && end == raw.len() => {
                self.outlined(&outline, raw);
            }
            _ => self.outcome(read(raw, form)),
        }
    }

    fn outcome(&mut self, read: Result<Observation, Unread>) {
        match read.map_err(|unread| self.of_now(unread)) {
            Ok(observation) if self.is_ahead(&observation.item.version) => {
                let id = observation.item.key.id.to_string();
                let unread = Unread {
                    reason:
                        "it was captured in the future: the clock of its recorder or ours is wrong"
                            .to_owned(),
                    resource_id: Some(id),
                    shadow: Some(Box::new(unseen(observation))),
                    ..Unread::default()
                };
                let unread = self.of_now(unread);
                self.quarantine(unread);
            }
            Ok(observation) => {
                self.observe(observation);
                self.next += 1;
            }
            Err(unread) => self.quarantine(unread),
        }
    }

    fn is_ahead(&self, version: &Version) -> bool {
        let latest_ms = version.latest_ms();
        self.now_ms.is_some_and(|now_ms| is_ahead(latest_ms, now_ms))
    }

    /// What is not read of an item from the future is known as of now.
    fn of_now(&self, mut unread: Unread) -> Unread {
        if let (Some(shadow), Some(now_ms)) = (&mut unread.shadow, self.now_ms)
            && self.is_ahead(&shadow.item.version)
        {
            shadow.item.version = Version { state: None, captured_ms: now_ms };
        }
        if let (Some(captured_ms), Some(now_ms)) = (&mut unread.lost.captured_ms, self.now_ms)
            && is_ahead(*captured_ms, now_ms)
        {
            *captured_ms = now_ms;
        }
        unread
    }

    fn observe(&mut self, observation: Observation) {
        self.coverage.contains(&observation);
        self.delivery.keep(observation, self.encodes);
    }

    fn quarantine(&mut self, unread: Unread) {
        let observed = unread.shadow.is_some();
        match unread.shadow {
            Some(shadow) => self.observe(*shadow),
            None => self.coverage.lost(Lost { index: self.next, ..*unread.lost }),
        }
        if self.delivery.quarantined.len() < QUARANTINED_MAX {
            self.delivery.quarantined.push(Quarantined {
                index: self.next,
                resource_id: unread.resource_id.map(|id| shortened(id, RESOURCE_ID_CHARS_MAX)),
                reason: shortened(unread.reason, REASON_CHARS_MAX),
                observed,
            });
        } else {
            self.delivery.quarantined_more += 1;
        }
        self.next += 1;
    }
}

impl Delivery {
    fn keep(&mut self, observation: Observation, encodes: bool) {
        if encodes {
            self.encoded.push(&observation);
        } else {
            self.observations.push(observation);
        }
    }
}

/// Why something nested beyond the limit is not read.
pub(super) fn too_deep() -> String {
    format!("nested more than {DEPTH_MAX} deep")
}

fn is_ahead(moment_ms: i64, now_ms: i64) -> bool {
    moment_ms > now_ms.saturating_add(AHEAD_MS_MAX)
}

/// The text, cut to `chars_max` characters.
fn shortened(mut text: String, chars_max: usize) -> String {
    if text.chars().nth(chars_max).is_some() {
        text = text.chars().take(chars_max.saturating_sub(1)).chain(['…']).collect();
    }
    text
}

impl Unread {
    fn because(reason: &str) -> Unread {
        Unread { reason: reason.to_owned(), ..Unread::default() }
    }
}

#[cfg(test)]
mod tests;
