//! Items that nobody reads: that they are well formed and where they are is all that is asked of them.

use std::collections::BTreeSet;

use crate::ident::{AccountId, Region, ResourceType, ShardId};

use super::Version;
use super::outline::Outline;
use super::read::{moment_ms, state_id};

/// An existing resource of a type that is not wanted, as plain as Config writes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bystander<'t> {
    pub account: &'t str,
    /// us-east-1 for `global` ones.
    pub region: &'t str,
    pub global: bool,
    pub resource_type: &'t str,
    pub captured_ms: i64,
    /// [`Version::latest_ms`]
    pub latest_ms: i64,
}

impl<'t> Bystander<'t> {
    /// The item, if its type is not wanted and nothing is unusual about it: what this takes, reading
    /// it whole takes too, and whatever else there is to say of an item is said by reading it whole.
    pub fn of(outline: &Outline<'t>, wanted: &BTreeSet<ResourceType>) -> Option<Bystander<'t>> {
        let resource_type = plain(outline.resource_type()?)?;
        if wanted.contains(resource_type) || outline.change().is_some() {
            return None;
        }
        let id = plain(outline.id()?)?;
        let is_id = (1..=256).contains(&id.len()) && !any(id, |byte| !matches!(byte, 0x20..0x7F));
        let exists = matches!(plain(outline.status()?)?, "OK" | "ResourceDiscovered");
        if !is_id || !exists || !is_flat(outline.tags()?) {
            return None;
        }
        let region = plain(outline.region()?)?;
        let captured_ms = moment_ms(outline.captured()?)?;
        let version = Version { state: outline.state().and_then(state_id), captured_ms };
        let global = region.eq_ignore_ascii_case("global");
        Some(Bystander {
            account: plain(outline.account()?)?,
            region: if global { Region::HOME_OF_GLOBAL } else { region },
            global,
            resource_type,
            captured_ms,
            latest_ms: version.latest_ms(),
        })
    }

    /// Where it is, and what.
    pub fn identity(&self) -> Option<(ShardId, ResourceType)> {
        let account = AccountId::try_from(self.account).ok()?;
        let region = Region::try_from(self.region).ok()?;
        let resource_type = ResourceType::try_from(self.resource_type).ok()?;
        Some((ShardId { account, region }, resource_type))
    }
}

/// A string without escapes.
fn plain(raw: &str) -> Option<&str> {
    let text = raw.strip_prefix('"')?.strip_suffix('"')?;
    (!any(text, |byte| byte == b'\\')).then_some(text)
}

/// An object of scalars, as tags are.
fn is_flat(tags: &str) -> bool {
    let Some(inside) = tags.strip_prefix('{') else { return false };
    !any(inside, |byte| byte == b'{' || byte == b'[' || byte == b'\\')
}

/// Whether some byte is so. Looks at all of them: without a way out the loop is done by vector.
fn any(text: &str, is: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(false, |found, byte| found | is(byte))
}
