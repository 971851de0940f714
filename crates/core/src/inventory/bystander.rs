//! Items that nobody reads: that they are well formed and where they are is all that is asked of them.

use std::collections::BTreeMap;

use crate::ident::{AccountId, Region, ResourceType, ShardId};

use super::Version;
use super::missed::{may_be_global, type_told};
use super::outline::{Field, Outline, any};
use super::read::{are_tags, moment_ms, state_id, usual_ms};
use super::region::region_named;

/// An existing resource, as plain as Config writes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bystander<'t> {
    pub account: &'t [u8],
    /// us-east-1 for `global` ones.
    pub region: &'t [u8],
    pub global: bool,
    /// As it was written, in any letter case.
    pub resource_type: &'t [u8],
    pub captured_ms: i64,
    /// [`Version::latest_ms`]
    pub latest_ms: i64,
}

impl<'t> Bystander<'t> {
    /// The item, if nothing is unusual about it: what this takes, reading it whole takes too if its
    /// type is one that nobody reads, and whatever else there is to say of an item is said by
    /// reading it whole.
    #[inline]
    pub fn of(outline: &Outline<'t>) -> Option<Bystander<'t>> {
        if outline.raw(Field::Change).is_some() {
            return None;
        }
        let id = outline.plain(Field::Id)?;
        // The walk refused what is below the blank.
        let is_id = (1..=256).contains(&id.len()) && !any(id, |byte| byte >= 0x7F);
        let status = outline.plain(Field::Status)?;
        let exists = status == b"ResourceDiscovered" || status == b"OK";
        if !is_id || !exists || !(outline.has_usual_tags() || are_read(outline.raw(Field::Tags)?)) {
            return None;
        }
        let region = outline.plain(Field::Region)?;
        let captured_ms = match usual_ms(outline.raw(Field::Captured)?) {
            Some(captured_ms) => captured_ms,
            None => moment_ms(outline.text(Field::Captured)?)?,
        };
        let state = outline.text(Field::State).and_then(state_id);
        let version = Version { state, captured_ms };
        let global = region.eq_ignore_ascii_case(b"global");
        Some(Bystander {
            account: outline.plain(Field::Account)?,
            region: if global { Region::HOME_OF_GLOBAL.as_bytes() } else { region },
            global,
            resource_type: outline.plain(Field::Type)?,
            captured_ms,
            latest_ms: version.latest_ms(),
        })
    }

    /// Where it is, and what.
    pub fn identity(&self) -> Option<(ShardId, ResourceType)> {
        let text = |bytes: &'t [u8]| std::str::from_utf8(bytes).ok();
        let account = AccountId::try_from(text(self.account)?).ok()?;
        let region = region_named(text(self.region)?).ok()?;
        let resource_type = type_told(text(self.resource_type)?)?;
        (!self.global || may_be_global(&resource_type)).then_some(())?;
        Some((ShardId { account, region }, resource_type))
    }
}

/// Places and types of bystanders that were noted: most items tell nothing new, and then this is all
/// that is looked at.
#[derive(Debug, Default)]
pub(super) struct Familiar {
    /// Of `global` items, and of the others.
    places: [Place; 2],
    /// The newest capture time of those that were at places before, by shard and whether `global`.
    newest_ms: BTreeMap<(ShardId, bool), i64>,
}

/// Where the last items were, and some of their types.
#[derive(Debug, Default)]
struct Place {
    account: Box<[u8]>,
    region: Box<[u8]>,
    /// The same two, read; `None` before anything was noted.
    shard: Option<ShardId>,
    /// The newest capture time there.
    newest_ms: i64,
    /// By [`slot`]; of two types for one slot the later holds.
    types: Vec<Box<[u8]>>,
}

/// Slots for types.
pub(super) const SLOTS: usize = 64;

impl Familiar {
    /// Whether one of this place and type was noted; its time then is.
    #[inline]
    pub fn sees(&mut self, item: &Bystander<'_>) -> bool {
        let [global, regional] = &mut self.places;
        let place = if item.global { global } else { regional };
        let knows = is_same(&place.account, item.account)
            && is_same(&place.region, item.region)
            && slot(item.resource_type)
                .and_then(|slot| place.types.get(slot))
                .is_some_and(|known| is_same(known, item.resource_type));
        if knows {
            place.newest_ms = place.newest_ms.max(item.captured_ms);
        }
        knows
    }

    /// The newest capture time that was noted of a shard.
    pub fn newest_ms(&self, shard: &ShardId, global: bool) -> Option<i64> {
        let [of_global, regional] = &self.places;
        let place = if global { of_global } else { regional };
        let last_ms = (place.shard.as_ref() == Some(shard)).then_some(place.newest_ms);
        last_ms.max(self.newest_ms.get(&(shard.clone(), global)).copied())
    }

    /// One was noted, of this shard.
    pub fn note(&mut self, item: &Bystander<'_>, shard: &ShardId) {
        let [global, regional] = &mut self.places;
        let place = if item.global { global } else { regional };
        if *place.account != *item.account || *place.region != *item.region {
            let here = Place {
                account: item.account.into(),
                region: item.region.into(),
                shard: Some(shard.clone()),
                newest_ms: item.captured_ms,
                types: vec![Box::default(); SLOTS],
            };
            let left = std::mem::replace(place, here);
            if let Some(shard) = left.shard {
                let newest_ms =
                    self.newest_ms.entry((shard, item.global)).or_insert(left.newest_ms);
                *newest_ms = left.newest_ms.max(*newest_ms);
            }
        }
        place.newest_ms = place.newest_ms.max(item.captured_ms);
        if let Some(place) = slot(item.resource_type).and_then(|slot| place.types.get_mut(slot)) {
            *place = item.resource_type.into();
        }
    }
}

/// The slot of a type, by its last letters. `None` for the few that are too short.
#[inline]
pub(super) fn slot(resource_type: &[u8]) -> Option<usize> {
    let last = u64::from_le_bytes(*resource_type.last_chunk::<8>()?);
    // Multiplied by the golden ratio, the upper bits depend on all the letters.
    let mixed = last.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    usize::try_from(mixed >> (u64::BITS - SLOTS.ilog2())).ok()
}

/// Whether both are the same text; those of usual length are compared right here.
#[inline]
fn is_same(one: &[u8], other: &[u8]) -> bool {
    fn ends<const N: usize>(text: &[u8]) -> Option<(&[u8; N], &[u8; N])> {
        Some((text.first_chunk()?, text.last_chunk()?))
    }
    one.len() == other.len()
        && match one.len() {
            8..=16 => ends::<8>(one) == ends::<8>(other),
            17..=32 => ends::<16>(one) == ends::<16>(other),
            _ => one == other,
        }
}

/// Tags in another form that is read: the walk may have looked at their brackets and strings alone.
fn are_read(tags: &[u8]) -> bool {
    !any(tags, |byte| byte == b'\\') && std::str::from_utf8(tags).is_ok_and(are_tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_any_length_are_told_apart_by_any_byte() {
        for length in 0..70 {
            let text = vec![b'a'; length];
            assert!(is_same(&text, &text.clone()), "{length}");
            assert!(!is_same(&text, &[text.as_slice(), b"a"].concat()), "{length}");
            for at in 0..length {
                let mut other = text.clone();
                other[at] = b'b';
                assert!(!is_same(&text, &other), "{at} of {length}");
            }
        }
    }

    #[test]
    fn familiar_is_what_was_noted_for_the_place() {
        let at = |account: &'static str, global, resource_type: &'static str| Bystander {
            account: account.as_bytes(),
            region: b"us-east-1",
            global,
            resource_type: resource_type.as_bytes(),
            captured_ms: 0,
            latest_ms: 0,
        };
        let shard = ShardId {
            account: AccountId::try_from("000000000001").unwrap(),
            region: Region::home_of_global(),
        };
        let mut familiar = Familiar::default();
        assert!(!familiar.sees(&at("1", false, "")), "nothing was noted");
        familiar.note(&at("1", false, "AWS::A::Thing"), &shard);
        familiar.note(&at("1", true, "AWS::B::Other"), &shard);
        familiar.note(&at("1", true, "Short"), &shard);
        assert!(familiar.sees(&at("1", false, "AWS::A::Thing")));
        assert!(familiar.sees(&at("1", true, "AWS::B::Other")));
        for (account, global, resource_type) in [
            ("1", true, "AWS::A::Thing"),
            ("1", false, "AWS::B::Other"),
            ("2", false, "AWS::A::Thing"),
            ("1", false, "AWS::C::Thing"),
            ("1", true, "Short"),
            ("1", false, ""),
        ] {
            assert!(!familiar.sees(&at(account, global, resource_type)), "{resource_type}");
        }
        familiar.note(&at("2", false, "AWS::B::Other"), &shard);
        assert!(!familiar.sees(&at("2", false, "AWS::A::Thing")), "noted for another account");
        assert!(!familiar.sees(&at("1", false, "AWS::A::Thing")), "forgotten");
    }
}
