//! JSON as it is written: a member of one name twice, which a value cannot hold, is noted beside the last of
//! them (semantics §11 row 69).

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, json};

/// Where an object lists the names that stand in it twice.
const TWICE: &str = "written twice";

/// The documents of a text, one after another; nothing where it is no JSON.
pub fn documents(text: &str) -> Option<Vec<Value>> {
    let all = serde_json::Deserializer::from_str(text).into_iter::<Written>();
    all.map(|one| one.ok().map(|written| written.0)).collect()
}

/// The one document of a text.
pub fn document(text: &str) -> Option<Value> {
    serde_json::from_str::<Written>(text).ok().map(|written| written.0)
}

/// The names that stand twice in an object, in small letters where letters do not count.
pub fn twice(object: &Value, letters_count: bool) -> BTreeSet<String> {
    let name = |said: &str| match letters_count {
        true => said.to_owned(),
        false => said.to_ascii_lowercase(),
    };
    let marked = object[TWICE].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut found: BTreeSet<String> = marked.map(name).collect();
    let mut seen = BTreeSet::new();
    for (key, _) in object.as_object().into_iter().flatten() {
        if !seen.insert(name(key)) {
            found.insert(name(key));
        }
    }
    found
}

/// Whether some member stands twice anywhere in a value. What people write about a rule is not read.
pub fn any_twice(value: &Value) -> bool {
    match value {
        Value::Object(map) => {
            twice(value, false).iter().any(|name| name != "description")
                || map.iter().any(|(key, inner)| key != TWICE && any_twice(inner))
        }
        Value::Array(all) => all.iter().any(any_twice),
        _ => false,
    }
}

struct Written(Value);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Written, D::Error> {
        from.deserialize_any(Reader).map(Written)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let (mut map, mut twice) = (Map::new(), vec![]);
        while let Some((key, Written(value))) = from.next_entry::<String, Written>()? {
            if map.insert(key.clone(), value).is_some() {
                twice.push(key);
            }
        }
        if !twice.is_empty() {
            map.insert(TWICE.to_owned(), json!(twice));
        }
        Ok(Value::Object(map))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut all = vec![];
        while let Some(Written(value)) = from.next_element()? {
            all.push(value);
        }
        Ok(Value::Array(all))
    }

    fn visit_str<E>(self, said: &str) -> Result<Value, E> {
        Ok(json!(said))
    }

    fn visit_bool<E>(self, said: bool) -> Result<Value, E> {
        Ok(json!(said))
    }

    fn visit_i64<E>(self, said: i64) -> Result<Value, E> {
        Ok(json!(said))
    }

    fn visit_u64<E>(self, said: u64) -> Result<Value, E> {
        Ok(json!(said))
    }

    fn visit_f64<E>(self, said: f64) -> Result<Value, E> {
        Ok(json!(said))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}
