//! The compact form in which a store keeps an item: everything but the key.

use serde::{Deserialize, Serialize};

use super::{Body, Item, ItemKey, Tags, Version};

/// First byte of an encoded item; raised whenever the layout or a typed body changes.
pub const ITEM_LAYOUT: u8 = 1;

/// Why bytes are not an encoded item.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ItemDecodeError {
    /// The first byte is another layout's.
    #[error(
        "the item has layout {found}, this version reads {ITEM_LAYOUT}: ingest its delivery again"
    )]
    Layout {
        /// What the first byte says; 0 when there is none.
        found: u8,
    },
    /// The rest does not decode.
    #[error("the stored item is damaged: {0}")]
    Damaged(String),
}

#[derive(Serialize)]
struct StoredRef<'a> {
    version: &'a Version,
    name: &'a Option<Box<str>>,
    arn: &'a Option<Box<str>>,
    tags: &'a Tags,
    body: &'a Body,
}

#[derive(Deserialize)]
struct Stored {
    version: Version,
    name: Option<Box<str>>,
    arn: Option<Box<str>>,
    tags: Tags,
    body: Body,
}

/// The item without its key: [`ITEM_LAYOUT`], then version, name, ARN, tags and body in postcard.
/// Equal items encode equally.
pub fn encode_item(item: &Item) -> Vec<u8> {
    let stored = StoredRef {
        version: &item.version,
        name: &item.name,
        arn: &item.arn,
        tags: &item.tags,
        body: &item.body,
    };
    let bytes = vec![ITEM_LAYOUT];
    // Writing derived types into a growing vector has no way to fail; were one added, the lone
    // layout byte would be refused when read.
    postcard::to_extend(&stored, bytes).unwrap_or_else(|_| vec![ITEM_LAYOUT])
}

/// The item whose key is `key` and whose stored form is `bytes`.
pub fn decode_item(key: &ItemKey, bytes: &[u8]) -> Result<Item, ItemDecodeError> {
    let Some((&ITEM_LAYOUT, rest)) = bytes.split_first() else {
        return Err(ItemDecodeError::Layout { found: bytes.first().copied().unwrap_or(0) });
    };
    let damaged = |why: String| Err(ItemDecodeError::Damaged(why));
    match postcard::take_from_bytes::<Stored>(rest) {
        Ok((stored, [])) => Ok(Item {
            key: key.clone(),
            version: stored.version,
            name: stored.name,
            arn: stored.arn,
            tags: stored.tags,
            body: stored.body,
        }),
        Ok((_, left)) => damaged(format!("{} bytes too many", left.len())),
        Err(error) => damaged(error.to_string()),
    }
}
