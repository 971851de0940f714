//! One delivered file: its items, what could not be read, and whether it is a whole snapshot.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ident::{Region, ResourceType, ShardId};

use super::age::is_ahead;
use super::bystander::Bystander;
use super::collection::Collection;
use super::delivery_error::DeliveryError;
use super::encoded::Encoded;
use super::envelope::{self, Answer, Found, Series};
use super::foreign;
use super::limits::{ITEM_BYTES_MAX, too_deep};
use super::missed::{MissedItems, Unanswered, are_owned};
use super::name::NameFacts;
use super::outline::{Field, Look, Outline};
use super::read::shape::TWICE;
use super::read::{Form, Unread, is_read, read, read_outline, salvaged, unseen};
use super::snapshot::{Coverage, Shown, is_named};
use super::split::{Piece, Role, Root, Splitter};
use super::{Missed, Observation, SnapshotFacts, Version};

/// The marker that AWS Config puts into a bucket to see that it may write there.
const WRITABILITY_CHECK: &str = "ConfigWritabilityCheckFile";

/// Why an item of a moment too far ahead is not believed.
const AHEAD: &str = "it was captured in the future: the clock of its recorder or ours is wrong";

/// Characters of a reason; what it quotes from the item may be of any length.
const REASON_CHARS_MAX: usize = 500;

/// Items that could not be read of which a delivery tells one by one: a file of a few kilobytes,
/// inflated, may hold millions.
pub const QUARANTINED_MAX: usize = 1_000;

/// Bytes of an item as AWS Config writes most of them.
const ITEM_BYTES_USUAL: usize = 2048;
/// What of them is kept, encoded.
const KEPT_BYTES_USUAL: usize = 256;

/// Characters of the resource id of an item that could not be read.
const RESOURCE_ID_CHARS_MAX: usize = 1024;

/// What one delivered file says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Delivery {
    /// The original file name; empty when unknown.
    pub name: String,
    /// In the order of the file. An item that was quarantined but whose key and version are
    /// readable is here with an unseen body: it exists and cannot be judged, and must count neither
    /// as gone nor as complying.
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
    /// What the file, or its source, had and did not give.
    pub missed: Vec<Missed>,
    /// Items that cannot be read and of which nothing tells whose they are: the file counts as
    /// unreadable input.
    pub nobodys: u64,
    /// What these may be, of anybody.
    pub anybodys: Vec<Missed>,
    /// It is of another service than AWS Config and says nothing.
    pub foreign: bool,
    /// Set for a whole snapshot.
    pub snapshot: Option<SnapshotFacts>,
    /// Types that the source listed completely, by shard, each with the moment of the listing in
    /// milliseconds since the epoch: what of them is not among the observations and was not seen since
    /// is gone, and they are known (semantics §11 row 36). Of files, a collector's alone claims that of
    /// itself.
    pub listings: BTreeMap<ShardId, BTreeMap<ResourceType, i64>>,
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
    /// How the file begins.
    head: Vec<u8>,
    /// It is another service's: the rest is not looked at.
    left_out: bool,
}

impl DeliveryReader {
    /// Reads a file of this original name, which may tell kind, moment, account and Region
    /// (formats §5); `""` when unknown.
    pub fn new(name: &str) -> Self {
        let delivery = Delivery { name: name.to_owned(), ..Delivery::default() };
        let intake = Intake { delivery, ..Intake::default() };
        DeliveryReader { splitter: Splitter::new(), intake, head: Vec::new(), left_out: false }
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
    /// [`AHEAD_MS_MAX`](super::AHEAD_MS_MAX) later is not believed, or it would hold against everything true
    /// that is told until then (semantics §11 row 68): such items are quarantined, and count as seen now
    /// without a configuration; a snapshot or listing of such a moment is but its items.
    pub fn received(mut self, now_ms: i64) -> Self {
        self.intake.now_ms = Some(now_ms);
        self
    }

    /// Reads on. After an error the file is refused, and nothing of it is to be used.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), DeliveryError> {
        if self.left_out {
            return Ok(());
        }
        let head = foreign::HEAD_BYTES_MAX.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(bytes.get(..head).unwrap_or_default());
        let intake = &mut self.intake;
        // A place for each, as far as can be told, rather than moving those that are there.
        let items = bytes.len() / ITEM_BYTES_USUAL;
        if intake.encodes {
            intake.delivery.encoded.reserve(items, items * KEPT_BYTES_USUAL);
        } else {
            intake.delivery.observations.reserve(items);
        }
        let pushed = match DeliveryError::of_head(&self.head) {
            Some(kind) => Err(kind),
            None => self.splitter.push(bytes, &mut |piece| intake.take(piece)),
        };
        self.left_out = pushed.is_err() && self.is_foreign();
        if self.left_out { Ok(()) } else { pushed }
    }

    /// Whether what was read so far is of another service, so that it does not matter why the rest
    /// cannot be read.
    pub fn is_foreign(&self) -> bool {
        let is_known = self.shows_others() || {
            let name = &self.intake.delivery.name;
            foreign::is_named(name) || foreign::is_log(&self.head)
        };
        is_known && self.shows_nothing() && !foreign::mentions_items(&self.head)
    }

    /// Whether there are other services' records, and no items, in a file that is Config's by name.
    fn shows_others(&self) -> bool {
        self.intake.foreign > 0 && self.intake.strangers == 0
    }

    fn shows_nothing(&self) -> bool {
        let Intake { next, strangers, foreign, empty_list, .. } = self.intake;
        let has_lists = self.splitter.lists || empty_list;
        next == strangers + foreign
            && !has_lists
            && !foreign::is_configs(&self.intake.delivery.name)
    }

    /// The end of the file.
    pub fn finish(mut self) -> Result<Delivery, DeliveryError> {
        let DeliveryReader { splitter, intake, left_out, head } = &mut self;
        let ended = match DeliveryError::of_head(head) {
            _ if *left_out => Ok(()),
            Some(kind) => Err(kind),
            None => splitter.finish(&mut |piece| intake.take(piece)),
        };
        let name = &self.intake.delivery.name;
        if self.splitter.is_blank() && name.ends_with(WRITABILITY_CHECK) {
            self.intake.delivery.ignored = 1;
            return Ok(self.intake.delivery);
        }
        let is_read = ended.and_then(|()| self.is_read());
        if self.left_out || is_read.is_err() && (self.is_foreign() || self.has_others_alone()) {
            let name = self.intake.delivery.name;
            return Ok(Delivery { name, foreign: true, ..Delivery::default() });
        }
        is_read?;
        let DeliveryReader { splitter, intake, .. } = self;
        Ok(intake.end(&splitter))
    }

    /// Whether a file that came to its end holds other services' records and nothing else.
    fn has_others_alone(&self) -> bool {
        self.shows_others() && self.shows_nothing() && self.splitter.is_outside()
    }

    /// Whether there is anything in the file that is read.
    fn is_read(&self) -> Result<(), DeliveryError> {
        let Intake { next, strangers, foreign, empty_list, .. } = self.intake;
        match self.splitter.roots {
            0 if self.splitter.is_blank() => Err(DeliveryError::Empty),
            0 => Err(DeliveryError::NoJson),
            // An empty list of items, as for a resource type without any, is a fine file.
            _ if next == strangers + foreign && !self.splitter.lists && !empty_list => {
                Err(DeliveryError::NoItems)
            }
            _ => Ok(()),
        }
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
    /// Objects at the top that are neither items nor known messages, nor another service's.
    strangers: u64,
    /// Records of other services.
    foreign: u64,
    /// A message held an empty list of items.
    empty_list: bool,
    /// The members around the lists of the object that is read.
    answer: Answer,
    /// Some of them cannot be read.
    around_unread: bool,
    /// How many observations and unrecorded resources there were when it began.
    answer_from: (usize, usize),
    /// An item is of a moment too far ahead.
    has_ahead: bool,
    /// Whether the last page of each answer goes on.
    series: BTreeMap<Series, bool>,
    unanswered: Unanswered,
    /// What collectors say of their listings.
    collections: Vec<Collection>,
    /// The Regions whose recorders told of the messages that are open, the innermost last.
    told_by: Vec<Region>,
    /// `global` resources that are not recorded, and by whose recorder that was told.
    unrecorded: Vec<(Observation, Option<Region>)>,
}

impl Intake {
    fn take(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Raw(Role::Around, raw) => {
                let members = std::str::from_utf8(raw).map_err(drop);
                let added = members.and_then(|members| self.answer.add(members).map_err(drop));
                self.around_unread |= added.is_err();
            }
            Piece::AroundUnread => self.around_unread = true,
            Piece::End(root) => self.root_ended(root),
            Piece::Outlined(outline, raw) => self.outlined(outline, raw, Form::Whole),
            Piece::Raw(Role::Item, raw) => self.item(raw, Form::Whole),
            Piece::Raw(Role::Row | Role::Record | Role::Other, raw) if raw == b"null" => {
                self.quarantine(Unread::because("null is no item"));
            }
            Piece::Raw(role, raw) => match std::str::from_utf8(raw) {
                Ok(text) if role == Role::Row => envelope::open_row(text, &mut |f| self.found(f)),
                Ok(text) => self.record(text),
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

    fn record(&mut self, text: &str) {
        self.told_by.clear();
        self.answer_from = self.told();
        envelope::open(text, 1, &mut |found| self.found(found));
    }

    /// How many observations there are.
    fn observed(&self) -> usize {
        self.delivery.observations.len() + self.delivery.encoded.len()
    }

    /// How many observations there are, and how many resources that are not recorded.
    fn told(&self) -> (usize, usize) {
        (self.observed(), self.unrecorded.len())
    }

    /// An object with lists ended: what stood around them tells whether they are whole.
    fn root_ended(&mut self, root: Root) {
        let mut answer = std::mem::take(&mut self.answer);
        self.collected(&mut answer, root);
        if std::mem::take(&mut self.around_unread) {
            answer.goes_on |= root.next_token;
            answer.left_out.extend(root.left_out.then_some((None, None, None)));
            // What it selects is not known, nor then which answers are pages of it.
            answer.query = Box::default();
        }
        let is_whole = root.snapshot_id || root.batch;
        let series = match () {
            () if root.rows => Series::Rows(std::mem::take(&mut answer.query)),
            () if root.items && is_whole => Series::Snapshot,
            () if root.items => Series::Items,
            // Messages are not counted on: what the queue holds besides is nobody's gap.
            () => return,
        };
        self.answered(series, answer);
        self.answer_from = self.told();
    }

    /// What a collector says of its listings. Where that cannot be read, something was missed of which
    /// nothing tells what.
    fn collected(&mut self, answer: &mut Answer, root: Root) {
        let unread = || "`palisadeCollection` is too much to be read".to_owned();
        match answer.collection.take() {
            Some(_) if root.twice => {
                let reason = format!("a member beside `palisadeCollection` {TWICE}");
                self.quarantine(Unread::because(&reason));
            }
            Some(Ok(collection)) => self.collections.push(collection),
            Some(Err(reason)) => self.quarantine(Unread::because(&reason)),
            None if root.collection => self.quarantine(Unread::because(&unread())),
            None => {}
        }
    }

    fn answered(&mut self, series: Series, answer: Answer) {
        let Answer { goes_on, left_out, listed, .. } = answer;
        let is_history = series == Series::Items
            && !is_named(&self.delivery.name)
            && self.told() != self.answer_from
            && self.are_of_one(self.answer_from);
        if !is_history {
            // Where nothing tells that the next is a page of the same, it does not end it.
            let is_page = series.is_told();
            let known = self.series.entry(series).or_insert(goes_on);
            *known = goes_on || *known && !is_page;
        }
        self.unanswered.left_out.extend(left_out);
        let all = &mut self.unanswered.listed;
        all.accounts.extend(listed.accounts);
        all.regions.extend(listed.regions);
        all.types.extend(listed.types);
    }

    /// Whether what was told from a place on is of one resource.
    fn are_of_one(&self, (observed, unrecorded): (usize, usize)) -> bool {
        let seen = self.delivery.observations.get(observed..).unwrap_or_default();
        let is_one = |pair: &[Observation]| match pair {
            [one, other] => one.item.key == other.item.key,
            _ => false,
        };
        let (id, observed) = match self.encodes {
            true => {
                (self.delivery.encoded.id(observed), self.delivery.encoded.are_of_one(observed))
            }
            false => {
                (seen.first().map(|one| one.item.key.id.as_str()), seen.windows(2).all(is_one))
            }
        };
        let unrecorded = self.unrecorded.get(unrecorded..).unwrap_or_default();
        let mut ids = unrecorded.iter().map(|(one, _)| one.item.key.id.as_str());
        let id = id.or_else(|| ids.clone().next());
        observed && ids.all(|other| Some(other) == id)
    }

    /// The end of a file that can be read.
    fn end(mut self, splitter: &Splitter) -> Delivery {
        let name = NameFacts::of(&self.delivery.name);
        let is_container = splitter.roots == 1 && splitter.root.items;
        self.tell_unrecorded(&name, is_container);
        if is_container {
            let Delivery { name: told, observations, encoded, .. } = &self.delivery;
            self.delivery.snapshot =
                self.coverage.facts(told, observations, encoded, splitter.root);
            self.doubt_snapshot(&name);
            if splitter.root.twice && self.delivery.snapshot.take().is_some() {
                let why = format!("a member of the snapshot {TWICE}: it is read as single items");
                self.doubt(&why);
            }
        }
        self.note_missed(&name);
        self.note_listings();
        let Intake { mut delivery, coverage, wanted, strangers, foreign, .. } = self;
        delivery.ignored += strangers + foreign;
        if wanted.is_some() {
            delivery.shown = coverage.shown();
        }
        delivery
    }

    /// A snapshot of a moment too far ahead is but its items. Where its name tells none, its newest item's is
    /// its own.
    fn doubt_snapshot(&mut self, name: &NameFacts) {
        let Some(now_ms) = self.now_ms else { return };
        let is_doubted = name.moment_ms.map_or(self.has_ahead, |moment| is_ahead(moment, now_ms));
        if is_doubted && self.delivery.snapshot.take().is_some() {
            self.doubt("the snapshot claims to be of the future: it is read as single items");
        }
    }

    /// Tells what of the file itself is not believed.
    fn doubt(&mut self, reason: &str) {
        self.set_aside(None, reason.to_owned(), false);
    }

    /// A `global` resource is not recorded by the recorders of other Regions, which says nothing of
    /// it: us-east-1's tells (semantics §11 row 45). Where nobody knows who told, it is believed.
    /// Beside it, the items of a container tell that; messages may be of any recorder.
    fn tell_unrecorded(&mut self, name: &NameFacts, is_container: bool) {
        let beside = self.coverage.region().filter(|_| is_container);
        let of_file = name.region.as_ref().or(beside).cloned();
        for (observation, told_by) in std::mem::take(&mut self.unrecorded) {
            let told_by = told_by.or_else(|| of_file.clone());
            if told_by.is_some_and(|region| region.as_str() != Region::HOME_OF_GLOBAL) {
                self.delivery.ignored += 1;
                continue;
            }
            let observation = self.of_receipt(observation);
            if observation.is_ahead {
                self.doubt(AHEAD);
            }
            self.observe(observation);
        }
    }

    fn note_missed(&mut self, name: &NameFacts) {
        let going_on = self.series.iter().filter(|(_, goes_on)| **goes_on);
        self.unanswered.goes_on = going_on.map(|(series, _)| series.listing()).collect();
        let lost = self.coverage.lost_items();
        let is_whole = self.unanswered.goes_on.is_empty() && self.unanswered.left_out.is_empty();
        if is_whole && lost.is_empty() {
            return;
        }
        let snapshot_ms = self.delivery.snapshot.as_ref().map(|snapshot| snapshot.moment_ms);
        let is_believed = |ms: &i64| !self.now_ms.is_some_and(|now_ms| is_ahead(*ms, now_ms));
        let named_ms = name.latest_ms.filter(is_believed);
        let moment_ms = snapshot_ms.or(named_ms).or(self.coverage.newest_ms());
        // Of what tells no time, nothing that is seen by now is later.
        let moment_ms = moment_ms.or(self.now_ms).unwrap_or(i64::MAX);
        let contents = self.coverage.contents();
        let unanswered = &self.unanswered;
        let missed = MissedItems::of(name, &contents, lost, unanswered, moment_ms);
        self.delivery.nobodys = if are_owned(name, &contents) { 0 } else { lost.nobodys };
        (self.delivery.missed, self.delivery.anybodys) = missed;
    }

    fn note_listings(&mut self) {
        for collection in std::mem::take(&mut self.collections) {
            if self.now_ms.is_some_and(|now_ms| collection.is_ahead(now_ms)) {
                self.doubt("a listing claims to be of the future: it is read as single items");
            }
            let lost = self.coverage.lost_items();
            let (shard, complete, failed) = collection.claims(lost, self.now_ms);
            self.delivery.missed.extend(failed);
            let Some(shard) = shard else { continue };
            let listed = self.delivery.listings.entry(shard).or_default();
            for (resource_type, moment_ms) in complete {
                let known = listed.entry(resource_type).or_insert(moment_ms);
                *known = moment_ms.max(*known);
            }
        }
    }

    /// What is nested too deep is not believed, but its key is.
    fn too_deep(&mut self, raw: &[u8]) {
        let unread = match read(raw, Form::Whole) {
            Err(Unread { unrecorded: Some(seen), .. }) => Unread {
                resource_id: Some(seen.item.key.id.to_string()),
                shadow: Some(seen),
                ..Unread::default()
            },
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
            Found::Foreign => {
                self.foreign += 1;
                self.next += 1;
            }
            Found::EmptyList => self.empty_list = true,
            Found::Broken(reason, text) => {
                self.quarantine(Unread { reason, ..Unread::of_text(text) });
            }
            Found::From(region) => self.told_by.push(region),
            Found::FromEnds => drop(self.told_by.pop()),
            Found::Answer(series, answer) => {
                self.answered(series, answer);
                self.answer_from = self.told();
            }
        }
    }

    fn outlined(&mut self, outline: &Outline<'_>, raw: &[u8], form: Form) {
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
        let seen = if outline.text(Field::Type).is_some_and(is_read) {
            let everything = Outline::of(raw, 0, Look::Everything);
            everything.and_then(|(outline, _)| read_outline(&outline, form))
        } else {
            read_outline(outline, form)
        };
        match seen {
            Some(seen) => self.outcome(seen),
            None => {
                let read = read(raw, form);
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
            Some((outline, end)) if form != Form::Summary && end == raw.len() => {
                self.outlined(&outline, raw, form);
            }
            _ => self.outcome(read(raw, form)),
        }
    }

    fn outcome(&mut self, read: Result<Observation, Unread>) {
        match read.map_err(|unread| self.of_now(unread)) {
            Ok(observation) if self.is_ahead(&observation.item.version) => {
                let unread = Unread {
                    reason: AHEAD.to_owned(),
                    resource_id: Some(observation.item.key.id.to_string()),
                    shadow: Some(Box::new(self.of_receipt(observation))),
                    ..Unread::default()
                };
                self.quarantine(unread);
            }
            Ok(observation) => {
                self.observe(observation);
                self.next += 1;
            }
            Err(Unread { unrecorded: Some(observation), .. }) => {
                self.unrecorded.push((*observation, self.told_by.last().cloned()));
                self.next += 1;
            }
            Err(unread) => self.quarantine(unread),
        }
    }

    /// What claims to be of a moment too far ahead is here as of the receipt.
    fn of_receipt(&mut self, observation: Observation) -> Observation {
        let latest_ms = observation.item.version.latest_ms();
        match self.now_ms.filter(|now_ms| is_ahead(latest_ms, *now_ms)) {
            Some(now_ms) => {
                self.has_ahead = true;
                observation.ahead(now_ms)
            }
            None => observation,
        }
    }

    fn is_ahead(&self, version: &Version) -> bool {
        let latest_ms = version.latest_ms();
        self.now_ms.is_some_and(|now_ms| is_ahead(latest_ms, now_ms))
    }

    /// What is not read of an item from the future is known as of now.
    fn of_now(&mut self, mut unread: Unread) -> Unread {
        unread.shadow = unread.shadow.map(|shadow| Box::new(self.of_receipt(*shadow)));
        if let (Some(captured_ms), Some(now_ms)) = (&mut unread.lost.captured_ms, self.now_ms)
            && is_ahead(*captured_ms, now_ms)
        {
            self.has_ahead = true;
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
            None => self.coverage.lost(*unread.lost),
        }
        self.set_aside(unread.resource_id, unread.reason, observed);
        self.next += 1;
    }

    fn set_aside(&mut self, resource_id: Option<String>, reason: String, observed: bool) {
        if self.delivery.quarantined.len() < QUARANTINED_MAX {
            self.delivery.quarantined.push(Quarantined {
                index: self.next,
                resource_id: resource_id.map(|id| shortened(id, RESOURCE_ID_CHARS_MAX)),
                reason: shortened(reason, REASON_CHARS_MAX),
                observed,
            });
        } else {
            self.delivery.quarantined_more += 1;
        }
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
