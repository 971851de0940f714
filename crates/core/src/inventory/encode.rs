//! The compact form in which a store keeps an item: everything but the key.

use serde::{Deserialize, Serialize};

use super::decode;
use super::layout::{ITEM_LAYOUT, ItemDecodeError, end, take};
use super::older_layout;
use super::tag_pairs::Pairs;
use super::{Body, Item, ItemKey, Members, Tags, UnseenState, Version};

#[derive(Serialize)]
struct StoredRef<'a> {
    version: &'a Version,
    name: &'a Option<Box<str>>,
    arn: &'a Option<Box<str>>,
    tags: &'a Option<Tags>,
    body: &'a Body,
}

/// The same of an item that nobody reads, where its texts lie.
#[derive(Serialize)]
struct PlainRef<'a> {
    version: &'a Version,
    name: Option<&'a str>,
    arn: Option<&'a str>,
    tags: Option<&'a Pairs<'a>>,
    body: &'a Body,
}

#[derive(Deserialize)]
struct Stored {
    version: Version,
    name: Option<Box<str>>,
    arn: Option<Box<str>>,
    tags: Option<Tags>,
    body: Body,
}

/// The item without its key: [`ITEM_LAYOUT`], then version, name, ARN, tags and body, then
/// [`Item::unseen_since`], then, where there is one, [`Item::told_beside`], in postcard. Equal items encode
/// equally.
pub fn encode_item(item: &Item) -> Vec<u8> {
    append_item(Vec::new(), item)
}

/// As [`encode_item`], behind what `out` holds already.
pub fn append_item(out: Vec<u8>, item: &Item) -> Vec<u8> {
    let state = append_state(out, item);
    let state = append(state, &item.unseen_since);
    item.told_beside.iter().fold(state, append)
}

/// As [`append_item`], of an existing item of a type that nobody reads.
pub(super) fn append_plain(
    mut out: Vec<u8>,
    version: &Version,
    name: Option<&str>,
    arn: Option<&str>,
    tags: &Pairs<'_>,
) -> Vec<u8> {
    out.push(ITEM_LAYOUT);
    let state =
        append(out, &PlainRef { version, name, arn, tags: Some(tags), body: &Body::Unwanted });
    append(state, &None::<UnseenState>)
}

/// Writing derived types into a growing vector has no way to fail; were one added, what is cut off
/// would be refused when read.
fn append(out: Vec<u8>, value: &impl Serialize) -> Vec<u8> {
    postcard::to_extend(value, out).unwrap_or_else(|_| vec![ITEM_LAYOUT])
}

/// The state alone, without a later one.
pub(super) fn encode_state(item: &Item) -> Vec<u8> {
    append_state(Vec::new(), item)
}

fn append_state(mut out: Vec<u8>, item: &Item) -> Vec<u8> {
    out.push(ITEM_LAYOUT);
    let stored = StoredRef {
        version: &item.version,
        name: &item.name,
        arn: &item.arn,
        tags: &item.tags,
        body: &item.body,
    };
    append(out, &stored)
}

/// The item whose key is `key` and whose stored form is `bytes`, in this layout or an older one. Of
/// an older one its typed body is [`Body::OlderLayout`], and an empty map of tags was not told.
pub fn decode_item(key: &ItemKey, bytes: &[u8]) -> Result<Item, ItemDecodeError> {
    decode_item_of(|| key.clone(), bytes)
}

/// As [`decode_item`], for a key that is made once there is an item.
pub fn decode_item_of(key: impl Fn() -> ItemKey, bytes: &[u8]) -> Result<Item, ItemDecodeError> {
    match bytes.split_first() {
        Some((&ITEM_LAYOUT, rest)) => match decode::item(&key, rest) {
            Some(item) => Ok(item),
            None => decode_any(&key(), rest),
        },
        Some((layout, rest)) if older_layout::READ.contains(layout) => {
            older_layout::item(key(), *layout, rest)
        }
        other => {
            let found = other.map_or(0, |(found, _)| *found);
            Err(ItemDecodeError::Layout { found })
        }
    }
}

/// The long way: of whatever this layout can say, and telling what is wrong.
pub(super) fn decode_any(key: &ItemKey, rest: &[u8]) -> Result<Item, ItemDecodeError> {
    let (stored, rest): (Stored, _) = take(rest)?;
    let (unseen_since, rest) = take::<Option<Box<UnseenState>>>(rest)?;
    let (told_beside, rest) = match rest {
        // None of them are not told.
        [] | [0, ..] => (None, rest),
        rest => take::<Box<Members>>(rest).map(|(beside, rest)| (Some(beside), rest))?,
    };
    end(rest)?;
    Ok(Item {
        key: key.clone(),
        version: stored.version,
        name: stored.name,
        arn: stored.arn,
        tags: stored.tags,
        body: stored.body,
        unseen_since,
        told_beside,
    })
}
