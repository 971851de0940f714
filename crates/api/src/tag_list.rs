//! The tags that a request gives to an object.

use std::collections::BTreeMap;

use palisade_wire::shapes::Tag;
use palisade_wire::{ErrorKind, Fault};

use crate::call::Call;

/// Keys that begin so are AWS's.
const RESERVED_PREFIX: &str = "aws:";

/// The tags of a request by key.
///
/// # Errors
/// InvalidInputException for a key given twice or reserved.
pub fn map(call: &Call<'_>, list: Vec<Tag>) -> Result<BTreeMap<String, String>, Fault> {
    let mut tags = BTreeMap::new();
    for Tag { key, value } in list {
        if key
            .get(..RESERVED_PREFIX.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(RESERVED_PREFIX))
        {
            return Err(call.bad_input(format!(
                "tag key `{key}` begins with `{RESERVED_PREFIX}`, which is reserved; choose another key"
            )));
        }
        if tags.contains_key(&key) {
            return Err(call.bad_input(format!("tag key `{key}` is given twice; give it once")));
        }
        tags.insert(key, value);
    }
    Ok(tags)
}

/// The same tags, if one object may have as many.
///
/// # Errors
/// LimitExceededException above the quota.
pub fn within_quota(
    call: &Call<'_>,
    tags: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Fault> {
    let (count, max) = (tags.len(), call.app.settings.quotas.object_tags_max);
    if count > usize::try_from(max).unwrap_or(usize::MAX) {
        return Err(Fault::new(
            ErrorKind::LimitExceeded,
            format!("the object would have {count} tags and the quota is {max}; give fewer"),
        ));
    }
    Ok(tags)
}
