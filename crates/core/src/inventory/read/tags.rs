//! Tags of an item, and where bodies repeat them (formats §4).

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::inventory::Tags;
use crate::inventory::encoded::Pairs;

use super::plain::Plain;
use super::shape::{Text, shape};
use super::{Source, embedded, parse};

/// Item-level tags: a map, or in query results a list (formats §4).
pub(super) struct TagMap(pub(super) Tags);

shape! {
    /// One tag of a list.
    Tag {
        key: Text<'a> = "key",
        value: Text<'a> = "value",
    }
}

/// Whether item-level tags are read.
pub(in crate::inventory) fn are_tags(text: &str) -> bool {
    parse::<TagMap>("tags", text).is_ok()
}

impl<'a> Deserialize<'a> for TagMap {
    fn deserialize<D: Deserializer<'a>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'a> Visitor<'a> for Any {
            type Value = TagMap;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("tags as an object or a list")
            }
            fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<TagMap, A::Error> {
                let mut tags = Tags::new();
                while let Some(key) = map.next_key::<String>()? {
                    let value = map.next_value::<Option<Text<'a>>>()?;
                    tags.insert(key.into(), value.map(Text::into_box).unwrap_or_default());
                }
                Ok(TagMap(tags))
            }
            fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<TagMap, A::Error> {
                let mut tags = Tags::new();
                while let Some(tag) = seq.next_element::<Tag<'a>>()? {
                    let key = tag.key.ok_or_else(|| A::Error::custom("a tag without `key`"))?;
                    tags.insert(key.into_box(), tag.value.map(Text::into_box).unwrap_or_default());
                }
                Ok(TagMap(tags))
            }
        }
        from.deserialize_any(Any)
    }
}

/// Item-level tags in the one form that Config writes today, each told once, where they lie. `None`
/// is for whoever reads a [`TagMap`] to decide. The text's strings have no control characters.
pub(in crate::inventory) fn plain_pairs(raw: &str) -> Option<Pairs<'_>> {
    let mut pairs = Vec::new();
    let mut plain = Plain::new(raw);
    plain.object(|key, value| {
        pairs.push((key, value.text()?));
        Some(())
    })?;
    plain.is_done().then_some(())?;
    pairs.sort_unstable_by_key(|(key, _)| *key);
    let is_repeated = pairs.windows(2).any(|pair| matches!(pair, [a, b] if a.0 == b.0));
    (!is_repeated).then_some(Pairs(pairs))
}

shape! {
    /// Where bodies repeat the tags (formats §4).
    TagLists {
        tags: &'a RawValue = "tags",
        tag_set: &'a RawValue = "tagSet",
        tag_list: &'a RawValue = "tagList",
    }
}

/// The tags that the body repeats, for items that have no map of their own; `None` when it does not
/// tell them.
pub(super) fn listed_tags(source: &Source<'_>) -> Result<Option<Tags>, String> {
    for text in [source.configuration, source.supplementary] {
        let lists: TagLists<'_> = parse("tags", text)?;
        let Some(raw) = lists.tags.or(lists.tag_set).or(lists.tag_list) else { continue };
        if let Some(list) = embedded("tags", raw.get())? {
            let tags: TagMap = parse("tags", list.json())?;
            return Ok(Some(tags.0));
        }
    }
    Ok(None)
}
