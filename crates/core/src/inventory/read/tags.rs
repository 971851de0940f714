//! Tags of an item, and where bodies repeat them (formats §4).

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::inventory::Tags;
use crate::inventory::tag_pairs::Pairs;

use super::plain::Plain;
use super::shape::{StringOnly, TWICE, shape};
use super::source::{Source, embedded, parse};

/// Item-level tags: a map, or in query results a list (formats §4). `None` where the value of one is
/// not told: nobody knows then what a filter would make of them (semantics §11 row 38).
pub(super) struct TagMap(pub(super) Option<Tags>);

shape! {
    /// One tag of a list.
    Tag {
        key: StringOnly = "key",
        value: StringOnly = "value",
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
                let mut told = Told::default();
                while let Some(key) = map.next_key::<String>()? {
                    let StringOnly(value) = map.next_value()?;
                    told.add(Some(key.into()), value).map_err(A::Error::custom)?;
                }
                Ok(told.map())
            }
            fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<TagMap, A::Error> {
                let mut told = Told::default();
                while let Some(tag) = seq.next_element::<Tag<'a>>()? {
                    let key = tag.key.ok_or_else(|| A::Error::custom("a tag without `key`"))?;
                    let value = tag.value.and_then(|value| value.0);
                    told.add(key.0, value).map_err(A::Error::custom)?;
                }
                Ok(told.map())
            }
        }
        from.deserialize_any(Any)
    }
}

/// Tags as they are told one by one.
#[derive(Default)]
struct Told {
    tags: Tags,
    /// One is not told whole, which leaves all untold.
    is_untold: bool,
}

impl Told {
    /// Adds a tag. No resource has two of one key (semantics §11 row 69).
    fn add(&mut self, key: Option<Box<str>>, value: Option<Box<str>>) -> Result<(), String> {
        self.is_untold |= key.is_none() || value.is_none();
        let Some(key) = key else { return Ok(()) };
        if self.tags.contains_key(&key) {
            return Err(format!("`{key}` {TWICE}"));
        }
        self.tags.insert(key, value.unwrap_or_default());
        Ok(())
    }

    fn map(self) -> TagMap {
        TagMap((!self.is_untold).then_some(self.tags))
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
            return Ok(tags.0);
        }
    }
    Ok(None)
}
