//! Taking in one delivery: what is held moves by core's rules, and what follows is marked due.
//!
//! Nothing is forgotten when a snapshot shows a resource to be gone: its row stays with
//! [`State::Gone`] until it expires, as tombstones do. So what is held is a function of the set of
//! deliveries taken in, never of their order.

use std::collections::{BTreeMap, BTreeSet};

use palisade_core::ident::{ResourceType, ShardId};
use palisade_core::inventory::{
    EncodedItem, Held, Item, ItemDecodeError, ItemKey, Merged, OfType, OpenGaps, decode_item,
    encode_item, is_live, is_live_unless, merge,
};

use crate::{Accepted, Due, Result, Revision, StoreError};

use super::changes::{self, Log};
use super::coverage::HeldTypes;
use super::networks::{self, Networks};
use super::prepared::{Prepared, Spoken};
use super::protections::Served;
use super::rows::{Coverage, EXPECTED_MAX, First, Of, ShardRow, State, Stored};
use super::{Rows, clock, coverage, damaged, gaps, marks, missed, readers};

/// What a row of items is called where it is damaged.
const ITEM: &str = "item";

/// Takes in a delivery that was received at this moment.
pub fn accept<'t>(
    rows: &'t impl Rows,
    delivery: &'t Prepared<'t>,
    received_ms: i64,
) -> Result<Accepted> {
    let sequence = rows.next_sequence()?;
    let stale_after_ms = clock::stale_after_ms(rows)?;
    let mut accepted = Accepted::default();
    for (id, spoken) in &delivery.shards {
        if !rows.is_member(&id.account)? {
            accepted.strangers = accepted.strangers.saturating_add(spoken.rows() as u64);
        }
        let mut shard = Intake::open(rows, id, stale_after_ms)?;
        let moment = delivery.moment_ms;
        for of_type in &spoken.types {
            // A listing shows what comes with it, as a snapshot does.
            let listed = spoken.lists.and_then(|lists| lists.get(of_type.resource_type)).copied();
            shard.observe_all(of_type, moment.max(listed), &mut accepted)?;
        }
        if let Some(moment) = moment {
            for resource_type in spoken.covers.into_iter().flatten() {
                shard.cover(resource_type, moment, &mut accepted)?;
            }
            for resource_type in spoken.holds.into_iter().flatten() {
                let coverage = shard.coverage.entry(resource_type.clone()).or_default();
                coverage.snapshot_ms = coverage.snapshot_ms.max(Some(moment));
            }
        }
        for (resource_type, moment) in spoken.lists.into_iter().flatten() {
            shard.cover(resource_type, *moment, &mut accepted)?;
            let coverage = shard.coverage.entry(resource_type.clone()).or_default();
            coverage.listed_ms = coverage.listed_ms.max(Some(*moment));
        }
        accepted.is_held_otherwise |= shard.close(spoken, sequence, received_ms)?;
    }
    accepted.is_held_otherwise |= missed::keep(rows, delivery.missed, sequence, received_ms)?;
    Ok(accepted)
}

/// What a look for a resource's row finds.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one at a time, nearly always the large one"
)]
enum Row {
    /// None.
    Absent,
    /// A state, live or not.
    Held(Held),
    /// One of another version's layout: what it tells nobody knows. Delivering it again is the cure.
    Foreign,
}

impl Row {
    fn of(key: &ItemKey, stored: &Stored) -> Result<Row> {
        match decode_item(key, &stored.body) {
            Ok(item) => Ok(Row::Held(Held { item, seen_ms: stored.seen_ms })),
            Err(ItemDecodeError::Layout { .. }) => Ok(Row::Foreign),
            Err(error @ ItemDecodeError::Damaged(_)) => Err(damaged(ITEM, error)),
        }
    }

    fn held(&self) -> Option<&Held> {
        match self {
            Row::Held(held) => Some(held),
            Row::Absent | Row::Foreign => None,
        }
    }
}

/// One shard while a delivery is taken in.
struct Intake<'t, R> {
    rows: &'t R,
    id: &'t ShardId,
    /// How old the shard may be and was not judged stale; `None`: however old.
    stale_after_ms: Option<i64>,
    /// First states of one type, not written yet.
    firsts: Vec<First<'t>>,
    before: ShardRow,
    /// Whether there was a row before.
    was_heard_of: bool,
    coverage_before: BTreeMap<ResourceType, Coverage>,
    coverage: BTreeMap<ResourceType, Coverage>,
    gaps_before: OpenGaps,
    /// Whether anybody reads items of this shard from outside.
    is_referenced: bool,
    /// Items whose change readers must be told of.
    told: BTreeSet<ItemKey>,
    /// Other shards of the account that read what changed.
    served: Served,
    /// What changed that shards of other accounts read.
    networks: Networks,
    /// Whether anything was written, judged or not.
    is_written: bool,
    /// Whether what is judged changed.
    changed: bool,
    /// Whether what is known of the shard as a whole did: it is judged whole.
    is_whole: bool,
    /// The items that did.
    log: Log,
}

impl<'t, R: Rows> Intake<'t, R> {
    fn open(rows: &'t R, id: &'t ShardId, stale_after_ms: Option<i64>) -> Result<Intake<'t, R>> {
        let coverage = rows.coverage(id, Of::All)?;
        let row = rows.shard(id)?;
        let known = coverage::covered(rows, id, row.as_ref(), HeldTypes::IfTheyTell)?;
        Ok(Intake {
            rows,
            stale_after_ms,
            firsts: Vec::new(),
            was_heard_of: row.is_some(),
            before: row.unwrap_or_default(),
            coverage_before: coverage.clone(),
            coverage,
            served: Served::open(&known),
            networks: Networks::open(&known),
            gaps_before: known.open_gaps,
            is_referenced: readers::any_of(rows, id)?,
            told: BTreeSet::new(),
            is_written: false,
            changed: false,
            is_whole: false,
            log: Log::default(),
            id,
        })
    }

    /// What a delivery says of one type.
    fn observe_all(
        &mut self,
        told: &'t OfType<'t>,
        moment: Option<i64>,
        accepted: &mut Accepted,
    ) -> Result<()> {
        let resource_type = told.resource_type;
        let coverage = self.coverage.entry(resource_type.clone()).or_default();
        coverage.held = true;
        let mark = coverage.mark_ms;
        let is_first = !self.held_before(resource_type);
        // The shard may not have been heard of before.
        self.is_whole |= is_first;
        let mut tally = Tally::default();
        let mut before = None;
        for some in told.items.chunks(EXPECTED_MAX) {
            if !is_first {
                let ids: Vec<&str> = some.iter().map(|item| item.id).collect();
                self.rows.expect_items(self.id, resource_type, &ids)?;
            }
            for item in some {
                let again = before.replace(item.id) == Some(item.id);
                if again {
                    // What waits to be written may be of the same resource.
                    self.write_firsts(resource_type)?;
                }
                tally.count(match is_first && !again {
                    true => self.observe_first(item, mark, moment)?,
                    false => self.observe(item, mark, moment)?,
                });
            }
        }
        self.write_firsts(resource_type)?;
        tally.add_to(accepted, resource_type);
        Ok(())
    }

    fn write_firsts(&mut self, resource_type: &ResourceType) -> Result<()> {
        if !self.firsts.is_empty() {
            self.rows.put_first_items(self.id, resource_type, &self.firsts)?;
            self.firsts.clear();
        }
        Ok(())
    }

    /// What becomes of one state: whether it is news, and what its resource's row counts as then.
    fn observe(
        &mut self,
        told: &EncodedItem<'t>,
        mark: Option<i64>,
        moment: Option<i64>,
    ) -> Result<(bool, State)> {
        let key = key(told)?;
        let seen_ms = told.seen_ms(moment);
        let row = match self.rows.item(&key)? {
            None => return self.observe_first(told, mark, moment),
            Some(stored) if stored.body == told.body => {
                return self.see(&key, told, &stored, seen_ms, mark);
            }
            Some(stored) => Row::of(&key, &stored)?,
        };
        let is_foreign = matches!(row, Row::Foreign);
        let mut is_read_alike = false;
        let held = row.held();
        let was_live = held.is_some_and(|held| is_live(held, mark));
        let item = decoded(told)?;
        let (state, news) = match merge(held, Held { item: item.clone(), seen_ms }) {
            Merged::Replaced(now) => {
                let state = state_of(&now, mark);
                self.is_written = true;
                self.rows.put_item(&key, state, now.seen_ms, &encode_item(&now.item))?;
                // That states contradict each other neither of them tells.
                if now.item.is_contradicted() {
                    self.note_shown(&now.item);
                }
                let is_shown = match held {
                    Some(before) if was_live && state == State::Live => {
                        is_read_alike = before.item.tells_same(&now.item);
                        shows_other(before, &now)
                    }
                    _ => state != State::Gone,
                };
                (state, is_shown)
            }
            Merged::Seen(held) => {
                let state = state_of(&held, mark);
                self.is_written = true;
                self.rows.see_item(&key, held.seen_ms, state)?;
                (state, state == State::Live && !was_live)
            }
            Merged::Stale => (State::Gone, false),
        };
        // The tombstone of what was not there changes nothing that is judged, but for a recorder's:
        // it tells why the shard is not recorded.
        let is_judged = was_live
            || is_foreign
            || state == State::Live
            || key.resource_type == ResourceType::CONFIGURATION_RECORDER;
        if news && is_judged {
            self.note_shown(&item);
            held.iter().for_each(|held| self.note_shown(&held.item));
            // What it was when the shard was judged is not known any more.
            self.is_whole |= is_foreign;
            let before = held.filter(|_| was_live);
            match is_read_alike {
                true => self.change_of_shard(&key, before),
                false => self.change(&key, before),
            }
        }
        Ok((news, state))
    }

    /// Notes what a state of an item shows other shards.
    fn note_shown(&mut self, item: &Item) {
        if Served::concerns(&item.key.resource_type) {
            self.served.note(item);
        }
        if Networks::concerns(&item.key.resource_type) {
            self.networks.note(item);
        }
    }

    /// As [`Intake::observe`], of the very state that is held: all that can be new is that it was
    /// seen again.
    fn see(
        &mut self,
        key: &ItemKey,
        told: &EncodedItem<'_>,
        held: &Stored,
        seen_ms: i64,
        mark: Option<i64>,
    ) -> Result<(bool, State)> {
        if seen_ms <= held.seen_ms {
            return Ok((false, State::Gone));
        }
        let was_live = is_live_unless(told.is_tombstone, held.seen_ms, mark);
        let state = State::of_item(told.is_tombstone, seen_ms, mark);
        self.rows.see_item(key, seen_ms, state)?;
        self.is_written = true;
        let is_back = state == State::Live && !was_live;
        if is_back {
            if Served::concerns(&key.resource_type) {
                self.served.note(&decoded(told)?);
            }
            if Networks::concerns(&key.resource_type) {
                self.networks.note(&decoded(told)?);
            }
            self.change(key, None);
        }
        Ok((is_back, state))
    }

    /// Whether anything was held of the type when the delivery came. What it says itself of it is
    /// not held before.
    fn held_before(&self, resource_type: &ResourceType) -> bool {
        self.coverage_before.get(resource_type).is_some_and(|before| before.held)
    }

    /// As [`Intake::observe`], of a resource that nothing is held of. Where no row of its type is in
    /// the store there is none to look for.
    fn observe_first(
        &mut self,
        told: &EncodedItem<'t>,
        mark: Option<i64>,
        moment: Option<i64>,
    ) -> Result<(bool, State)> {
        let seen_ms = told.seen_ms(moment);
        let state = State::of_item(told.is_tombstone, seen_ms, mark);
        self.is_written = true;
        self.firsts.push(First { id: told.id, state, seen_ms, body: told.body });
        let resource_type = told.resource_type();
        let tells_of_recording = *resource_type == ResourceType::CONFIGURATION_RECORDER;
        if state == State::Live || state == State::Deleted && tells_of_recording {
            if Served::concerns(resource_type) {
                self.served.note(&decoded(told)?);
            }
            if state == State::Live && Networks::concerns(resource_type) {
                self.networks.note_first(&decoded(told)?);
            }
            self.changed = true;
            self.is_whole |= tells_of_recording;
            // Of many no more is asked.
            if self.is_referenced || !self.is_whole {
                self.change(&key(told)?, None);
            }
        }
        Ok((state != State::Gone, state))
    }

    /// A snapshot of this moment is the whole truth about the type: what was last seen before is
    /// gone.
    fn cover(
        &mut self,
        resource_type: &ResourceType,
        moment: i64,
        accepted: &mut Accepted,
    ) -> Result<()> {
        let coverage = self.coverage.entry(resource_type.clone()).or_default();
        if coverage.mark_ms.is_some_and(|mark| mark >= moment) {
            return Ok(());
        }
        coverage.mark_ms = Some(moment);
        if !self.held_before(resource_type) {
            // All that is held of it is of this snapshot.
            return Ok(());
        }
        for id in self.rows.sweep(self.id, resource_type, moment)? {
            add(&mut accepted.deleted);
            let key = ItemKey {
                account: self.id.account.clone(),
                region: self.id.region.clone(),
                resource_type: resource_type.clone(),
                id,
            };
            let gone = self.what_went(&key)?;
            if Served::concerns(resource_type) {
                gone.iter().for_each(|held| self.served.note(&held.item));
            }
            if Networks::concerns(resource_type) {
                gone.iter().for_each(|held| self.networks.note(&held.item));
            }
            self.change(&key, gone.as_ref());
        }
        Ok(())
    }

    /// What was held of an item that a snapshot shows to be gone, where anybody asks.
    fn what_went(&mut self, key: &ItemKey) -> Result<Option<Held>> {
        let is_served = Served::concerns(&key.resource_type);
        let is_shown = Networks::concerns(&key.resource_type);
        if !is_served && !is_shown && self.log.is_over() {
            return Ok(None);
        }
        match self.row(key) {
            Ok(Row::Held(held)) => return Ok(Some(held)),
            Ok(Row::Absent | Row::Foreign) => {}
            Err(StoreError::Damaged { .. }) if !is_served => {}
            Err(error) => return Err(error),
        }
        if is_shown {
            self.networks.note_unreadable(key);
        }
        // Nobody can tell what it was, but all the same that it is gone.
        self.is_whole = true;
        Ok(None)
    }

    fn row(&self, key: &ItemKey) -> Result<Row> {
        self.rows.item(key)?.map_or(Ok(Row::Absent), |stored| Row::of(key, &stored))
    }

    /// An item changes, of which this was held while it was live, and so does what its readers read.
    fn change(&mut self, key: &ItemKey, before: Option<&Held>) {
        self.change_of_shard(key, before);
        if self.is_referenced {
            self.told.insert(key.clone());
        }
    }

    /// As [`Intake::change`], of an item that tells readers elsewhere what it told before.
    fn change_of_shard(&mut self, key: &ItemKey, before: Option<&Held>) {
        self.changed = true;
        // What recorders tell is of the whole shard, and a deleted one is known by its tombstone.
        self.is_whole |= key.resource_type == ResourceType::CONFIGURATION_RECORDER;
        if !self.is_whole {
            self.log.note(key, before);
        }
    }

    /// Writes what is known of the shard and marks what follows. Answers whether anything is held
    /// otherwise than before.
    fn close(mut self, spoken: &Spoken<'_>, sequence: u64, received_ms: i64) -> Result<bool> {
        self.put_coverage()?;
        let is_seen_otherwise =
            !self.gaps_before.is_empty() && gaps::open(self.rows, self.id)? != self.gaps_before;
        if is_seen_otherwise {
            self.is_whole = true;
            missed::closed(self.rows, self.id, sequence, received_ms)?;
        }
        let mut after = self.before;
        after.snapshot_accepted |= spoken.snapshot;
        self.is_whole |= after.snapshot_accepted != self.before.snapshot_accepted;
        self.changed |= self.is_whole;
        let ages = [(&mut after.own, spoken.own_ms), (&mut after.global, spoken.global_ms)];
        for (age, newest_ms) in ages {
            age.settle(received_ms);
            newest_ms.into_iter().for_each(|ms| age.hear(ms, received_ms));
        }
        let told_ms = spoken.own_ms.max(spoken.global_ms).filter(|ms| *ms <= received_ms);
        told_ms.map_or(Ok(()), |told_ms| self.rows.raise_told_ms(told_ms))?;
        let was_stale = self.may_have_been_stale(&after, received_ms);
        self.is_whole |= was_stale;
        // Of a shard that nothing was delivered of nobody has read anything.
        let is_current_again = was_stale && self.was_heard_of;
        self.changed |= is_current_again;
        if self.changed {
            after.revision = Revision(sequence);
        }
        self.rows.put_shard(self.id, &after)?;
        self.is_written |= is_seen_otherwise || !self.was_heard_of || after != self.before;
        let is_whole = self.is_whole
            || self.log.is_over()
            || (self.changed && changes::are_many(self.rows, self.id)?);
        if is_whole {
            marks::mark(self.rows, self.id, None, sequence, received_ms)?;
        } else if self.changed {
            self.log.write(self.rows, self.id, sequence)?;
            self.rows.put_mark(self.id, &Due::Changes, sequence, received_ms)?;
        }
        for key in &self.told {
            readers::mark_of_item(self.rows, key, sequence, received_ms)?;
        }
        if is_seen_otherwise || is_current_again {
            readers::mark_of_shard(self.rows, self.id, sequence, received_ms)?;
            networks::mark_sharing(self.rows, self.id, sequence, received_ms)?;
        }
        if is_current_again {
            self.served.note_current_again(self.rows, self.id)?;
        }
        if self.changed {
            // Whatever tells how complete a shard is has it judged whole.
            let known = self.is_whole.then(|| coverage::of(self.rows, self.id)).transpose()?;
            self.served.mark(self.rows, self.id, known.as_ref(), sequence, received_ms)?;
            self.networks.close(self.rows, self.id, known.as_ref(), sequence, received_ms)?;
        }
        Ok(self.is_written)
    }

    fn may_have_been_stale(&self, after: &ShardRow, received_ms: i64) -> bool {
        let (before, after) = (self.before.newest_ms(), after.newest_ms());
        let Some(after_ms) = self.stale_after_ms else { return false };
        let was_stale = before.is_none_or(|ms| received_ms.saturating_sub(ms) >= after_ms);
        after != before && (was_stale || after < before)
    }

    fn put_coverage(&mut self) -> Result<()> {
        for (resource_type, coverage) in &self.coverage {
            let before = self.coverage_before.get(resource_type).copied().unwrap_or_default();
            if before != *coverage {
                self.rows.put_coverage(self.id, resource_type, *coverage)?;
                self.is_written = true;
            }
            // From now on the shard is heard of, or the type is known.
            self.is_whole |= coverage.held && !before.held
                || coverage.snapshot_ms.is_some() && before.snapshot_ms.is_none()
                || coverage.listed_ms.is_some() && before.listed_ms.is_none();
        }
        Ok(())
    }
}

fn state_of(held: &Held, mark_ms: Option<i64>) -> State {
    State::of_item(held.item.is_tombstone(), held.seen_ms, mark_ms)
}

/// Whether anything is known otherwise now: a late deletion below a later state without a body is
/// kept and changes nothing.
fn shows_other(before: &Held, now: &Held) -> bool {
    now.item.unseen_since.is_none() || before.item.clone().shown() != now.item.clone().shown()
}

fn key(told: &EncodedItem<'_>) -> Result<ItemKey> {
    told.key().map_err(|error| damaged(ITEM, error))
}

fn decoded(told: &EncodedItem<'_>) -> Result<Item> {
    told.decode().map(|observation| observation.item).map_err(|error| damaged(ITEM, error))
}

/// What became of the observations of one type.
#[derive(Default)]
struct Tally {
    accepted: u64,
    stale: u64,
    deleted: u64,
}

impl Tally {
    fn count(&mut self, (news, state): (bool, State)) {
        add(match (news, state) {
            (false, _) | (true, State::Gone) => &mut self.stale,
            (true, State::Deleted) => &mut self.deleted,
            (true, State::Live) => &mut self.accepted,
        });
    }

    fn add_to(&self, accepted: &mut Accepted, resource_type: &ResourceType) {
        accepted.stale = accepted.stale.saturating_add(self.stale);
        accepted.deleted = accepted.deleted.saturating_add(self.deleted);
        if self.accepted > 0 {
            let known = accepted.accepted.entry(resource_type.clone()).or_default();
            *known = known.saturating_add(self.accepted);
        }
    }
}

fn add(count: &mut u64) {
    *count = count.saturating_add(1);
}
