//! Where the entries of a policy are in a network ACL, and where they must be (semantics §5.11): in
//! each direction first ones, then custom ones, then last ones, by relative order alone.

use crate::inventory::{AclEntry, NumberedEntry};
use crate::policy::network_acl_common::{Former, NetworkAclCommon};

use super::{CONFLICTS_MAX, EntryFault, EntryPart, PlacedEntry};

/// Numbers that Firewall Manager leaves to custom entries (semantics §5.11).
const CUSTOM_NUMBERS: std::ops::RangeInclusive<u16> = 5_000..=32_000;

/// The entries of one direction, held against the policy.
pub(super) struct Order<'a> {
    /// Ascending by number, without the closing ones.
    actual: Vec<&'a NumberedEntry>,
    /// What each of them is.
    parts: Vec<EntryPart>,
    first: Part<'a>,
    last: Part<'a>,
}

/// The policy's entries at one end.
struct Part<'a> {
    wanted: Vec<&'a AclEntry>,
    /// Where each of them is; `None`: nowhere.
    found: Vec<Option<usize>>,
}

impl<'a> Part<'a> {
    fn of(entries: &'a [AclEntry], egress: bool) -> Part<'a> {
        let wanted: Vec<&AclEntry> =
            entries.iter().filter(|entry| entry.egress == egress).collect();
        let found = vec![None; wanted.len()];
        Part { wanted, found }
    }

    fn present(&self) -> usize {
        self.found.iter().flatten().count()
    }
}

/// Both directions, inbound first.
pub(super) fn orders<'a>(
    rule: &'a NetworkAclCommon,
    entries: &'a [NumberedEntry],
) -> [Order<'a>; 2] {
    [false, true].map(|egress| Order::of(rule, entries, egress))
}

impl<'a> Order<'a> {
    fn of(rule: &'a NetworkAclCommon, entries: &'a [NumberedEntry], egress: bool) -> Order<'a> {
        let actual =
            entries.iter().filter(|held| held.entry.egress == egress && !held.is_closing());
        let mut actual: Vec<&NumberedEntry> = actual.collect();
        actual.sort_by_key(|held| held.number);
        let mut order = Order {
            parts: vec![EntryPart::Custom; actual.len()],
            actual,
            first: Part::of(&rule.first, egress),
            last: Part::of(&rule.last, egress),
        };
        order.take_what_is_in_place();
        order.search();
        order
    }

    /// Entries at the ends count as the policy's before others that do the same.
    fn take_what_is_in_place(&mut self) {
        for (at, (wanted, held)) in self.first.wanted.iter().zip(&self.actual).enumerate() {
            if **wanted != held.entry {
                break;
            }
            set(&mut self.first.found, at, at);
            set_part(&mut self.parts, at, EntryPart::First);
        }
        let from_end = self.last.wanted.iter().enumerate().rev();
        for ((nth, wanted), (at, held)) in from_end.zip(self.actual.iter().enumerate().rev()) {
            if **wanted != held.entry || self.parts.get(at) != Some(&EntryPart::Custom) {
                break;
            }
            set(&mut self.last.found, nth, at);
            set_part(&mut self.parts, at, EntryPart::Last);
        }
    }

    /// Of those that do the same the nearest behind the one before counts, at the other end before the
    /// one behind.
    fn search(&mut self) {
        let mut from = 0;
        for nth in 0..self.first.wanted.len() {
            if let Some(Some(at)) = self.first.found.get(nth) {
                from = at.saturating_add(1);
                continue;
            }
            let Some(wanted) = self.first.wanted.get(nth) else { continue };
            let fits: Vec<usize> = self.customs_like(wanted).collect();
            let at = fits.iter().find(|at| **at >= from).or(fits.first()).copied();
            if let Some(at) = at {
                set(&mut self.first.found, nth, at);
                set_part(&mut self.parts, at, EntryPart::First);
                from = at.saturating_add(1);
            }
        }
        let mut to = self.actual.len();
        for nth in (0..self.last.wanted.len()).rev() {
            if let Some(Some(at)) = self.last.found.get(nth) {
                to = *at;
                continue;
            }
            let Some(wanted) = self.last.wanted.get(nth) else { continue };
            let fits: Vec<usize> = self.customs_like(wanted).collect();
            let at = fits.iter().rfind(|at| **at < to).or(fits.last()).copied();
            if let Some(at) = at {
                set(&mut self.last.found, nth, at);
                set_part(&mut self.parts, at, EntryPart::Last);
                to = at;
            }
        }
    }

    fn customs(&self) -> impl DoubleEndedIterator<Item = (usize, &'a NumberedEntry)> {
        let all = self.actual.iter().copied().enumerate().zip(&self.parts);
        all.filter(|(_, part)| **part == EntryPart::Custom).map(|(held, _)| held)
    }

    fn customs_like(&self, wanted: &AclEntry) -> impl Iterator<Item = usize> {
        self.customs().filter(move |(_, held)| held.entry == *wanted).map(|(at, _)| at)
    }

    /// Whether an entry that is there is where it must be beside those that are there.
    fn is_in_place(&self, part: EntryPart, nth: usize, at: usize) -> bool {
        let before = |part: &Part<'_>| part.found.iter().take(nth).flatten().count();
        match part {
            EntryPart::First => at == before(&self.first),
            EntryPart::Last => {
                let from = self.actual.len().saturating_sub(self.last.present());
                at == from.saturating_add(before(&self.last))
            }
            EntryPart::Custom => true,
        }
    }

    /// What is amiss: nothing where the direction is as the policy wants it.
    pub fn faults(&self) -> Vec<EntryFault> {
        let customs = self.customs().count();
        let behind_customs = self.first.wanted.len().saturating_add(customs);
        let first = self.part_faults(EntryPart::First, &self.first, 0);
        let last = self.part_faults(EntryPart::Last, &self.last, behind_customs);
        first.chain(last).collect()
    }

    /// Custom entries that earlier versions of the policy wanted and this one does not.
    pub fn leftovers(&self, former: &Former) -> impl Iterator<Item = EntryFault> {
        let is_wanted = |held: &NumberedEntry| {
            let mut wanted = self.first.wanted.iter().chain(&self.last.wanted);
            wanted.any(|wanted| **wanted == held.entry)
        };
        let customs = self.customs().filter(move |(_, held)| !is_wanted(held));
        customs.filter_map(|(at, held)| {
            let part = match (former.first.contains(&held.entry), former.last.contains(&held.entry))
            {
                (true, _) => EntryPart::First,
                (false, true) => EntryPart::Last,
                (false, false) => return None,
            };
            Some(EntryFault {
                expected: PlacedEntry {
                    entry: held.entry.clone(),
                    number: Some(held.number),
                    part,
                },
                expected_order: 0,
                actual_order: Some(counted(at)),
                at_expected: None,
                conflicts: Vec::new(),
                is_former: true,
            })
        })
    }

    /// Custom entries whose numbers are those of the policy's own, as they are given first (semantics
    /// §5.11).
    pub fn has_customs_numbered_as_own(&self) -> bool {
        self.customs().any(|(_, held)| !CUSTOM_NUMBERS.contains(&held.number))
    }

    fn part_faults(
        &self,
        part: EntryPart,
        of: &Part<'a>,
        from: usize,
    ) -> impl Iterator<Item = EntryFault> {
        let all = of.wanted.iter().zip(&of.found).enumerate();
        all.filter_map(move |(nth, (wanted, found))| {
            if found.is_some_and(|at| self.is_in_place(part, nth, at)) {
                return None;
            }
            let place = from.saturating_add(nth);
            Some(EntryFault {
                expected: PlacedEntry {
                    entry: (*wanted).clone(),
                    number: found.and_then(|at| self.actual.get(at)).map(|held| held.number),
                    part,
                },
                expected_order: counted(place),
                actual_order: found.map(counted),
                at_expected: self.placed(place),
                conflicts: found.map(|at| self.conflicts(part, wanted, at)).unwrap_or_default(),
                is_former: false,
            })
        })
    }

    /// Custom entries of the opposite action, with traffic in common, that an entry must move across.
    fn conflicts(&self, part: EntryPart, wanted: &AclEntry, from: usize) -> Vec<PlacedEntry> {
        let is_crossed = |at: usize| match part {
            EntryPart::First => at < from,
            EntryPart::Last => at > from,
            EntryPart::Custom => false,
        };
        let crossed = self.customs().filter(|(at, _)| is_crossed(*at));
        let opposed = crossed
            .filter(|(_, held)| held.entry.allow != wanted.allow && held.entry.overlaps(wanted));
        opposed.filter_map(|(at, _)| self.placed(at)).take(CONFLICTS_MAX).collect()
    }

    fn placed(&self, at: usize) -> Option<PlacedEntry> {
        let (held, part) = (self.actual.get(at)?, self.parts.get(at)?);
        Some(PlacedEntry { entry: held.entry.clone(), number: Some(held.number), part: *part })
    }

    /// Entries that must be added, each with a number that is free where it must be; `None` where there
    /// is none.
    pub fn additions(&self) -> Vec<PlacedEntry> {
        let customs = || self.customs().map(|(_, held)| held.number);
        let in_place = |part: EntryPart, of: &Part<'_>| -> Vec<Option<u16>> {
            let numbers = of.found.iter().enumerate().map(|(nth, found)| {
                let at = found.filter(|at| self.is_in_place(part, nth, *at))?;
                self.actual.get(at).map(|held| held.number)
            });
            numbers.collect()
        };
        let first = in_place(EntryPart::First, &self.first);
        let last = in_place(EntryPart::Last, &self.last);
        let beyond = NumberedEntry::NUMBER_MAX.saturating_add(1);
        let lowest_other = customs().chain(last.iter().flatten().copied()).min();
        let highest_other = customs().chain(first.iter().flatten().copied()).max();
        let first_free = self.free(&first, 0, lowest_other.unwrap_or(beyond), true);
        let last_free = self.free(&last, highest_other.unwrap_or(0), beyond, false);
        let added = |part, of: &Part<'_>, kept: Vec<Option<u16>>, free: Vec<Option<u16>>| {
            let all = of.wanted.iter().zip(kept).zip(free);
            let added = all.filter(|((_, kept), _)| kept.is_none());
            let placed = added.map(|((wanted, _), number)| PlacedEntry {
                entry: (*wanted).clone(),
                number,
                part,
            });
            placed.collect::<Vec<_>>()
        };
        let mut all = added(EntryPart::First, &self.first, first, first_free);
        all.extend(added(EntryPart::Last, &self.last, last, last_free));
        all
    }

    /// Free numbers for those that have none, between `low` and `high`: ascending from below, or
    /// descending from above. Of a run for which there are not enough, none gets one.
    fn free(
        &self,
        kept: &[Option<u16>],
        low: u16,
        high: u16,
        from_below: bool,
    ) -> Vec<Option<u16>> {
        let is_free = |number: &u16| self.actual.iter().all(|held| held.number != *number);
        let mut numbers = kept.to_vec();
        let mut at = 0;
        while at < kept.len() {
            let run = kept.iter().skip(at).take_while(|number| number.is_none()).count();
            if run == 0 {
                at = at.saturating_add(1);
                continue;
            }
            let before = kept.iter().take(at).rev().find_map(|number| *number).unwrap_or(low);
            let behind = kept.iter().skip(at).find_map(|number| *number).unwrap_or(high);
            let between = before.saturating_add(1)..behind;
            let mut free: Vec<u16> = match from_below {
                true => between.filter(is_free).take(run).collect(),
                false => between.rev().filter(is_free).take(run).collect(),
            };
            free.sort_unstable();
            if free.len() == run {
                for (number, free) in numbers.iter_mut().skip(at).zip(free) {
                    *number = Some(free);
                }
            }
            at = at.saturating_add(run);
        }
        numbers
    }
}

fn set(found: &mut [Option<usize>], nth: usize, at: usize) {
    if let Some(found) = found.get_mut(nth) {
        *found = Some(at);
    }
}

fn set_part(parts: &mut [EntryPart], at: usize, part: EntryPart) {
    if let Some(held) = parts.get_mut(at) {
        *held = part;
    }
}

/// A place, counted from 1.
fn counted(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX).saturating_add(1)
}
