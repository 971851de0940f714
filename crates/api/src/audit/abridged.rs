//! States that are too large for the audit log: told by their size, their hash, and what differs.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// How much of a part is kept, tried in turn until it fits: bytes of a text, members of an object or
/// elements of an array.
const STEPS: [(usize, usize); 5] = [(32_768, 4_096), (4_096, 512), (512, 128), (64, 32), (16, 8)];

/// An object's states; one of more than `size_max` bytes as JSON becomes what of it differs from the
/// other, or, of an object that was made or removed, its beginning.
pub(super) fn states(
    before: Option<Value>,
    after: Option<Value>,
    size_max: usize,
) -> (Option<Value>, Option<Value>) {
    let told = |state: &Option<Value>, other: &Option<Value>| {
        let state = state.as_ref()?;
        if size(state) <= size_max {
            return Some(state.clone());
        }
        let part = other.as_ref().map_or_else(|| state.clone(), |other| difference(state, other));
        Some(abridged(state, &part, size_max))
    };
    (told(&before, &after), told(&after, &before))
}

/// A state by its size and hash, with as much of a part as fits.
pub(super) fn abridged(state: &Value, part: &Value, size_max: usize) -> Value {
    let text = state.to_string();
    let hash = Sha256::digest(&text);
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let omitted = json!({ "bytes": text.len(), "sha256": hash });
    STEPS
        .iter()
        .map(|(text_max, members_max)| {
            json!({ "omitted": omitted, "part": cut(part, *text_max, *members_max) })
        })
        .find(|told| size(told) <= size_max)
        .unwrap_or_else(|| json!({ "omitted": omitted }))
}

pub(super) fn size(state: &Value) -> usize {
    state.to_string().len()
}

/// What of a value is not the same in another: of objects the members, of arrays the elements.
fn difference(value: &Value, other: &Value) -> Value {
    match (value, other) {
        (Value::Object(members), Value::Object(others)) => members
            .iter()
            .filter_map(|(name, member)| match others.get(name) {
                Some(other) if other == member => None,
                Some(other) => Some((name.clone(), difference(member, other))),
                None => Some((name.clone(), member.clone())),
            })
            .collect(),
        (Value::Array(elements), Value::Array(others)) => {
            let others: BTreeSet<String> = others.iter().map(ToString::to_string).collect();
            let is_other = |element: &&Value| !others.contains(&element.to_string());
            elements.iter().filter(is_other).cloned().collect()
        }
        _ => value.clone(),
    }
}

/// A value with the beginnings of its long texts, objects and arrays; each says how much more there was.
fn cut(value: &Value, text_max: usize, members_max: usize) -> Value {
    let inner = |value: &Value| cut(value, text_max, members_max);
    match value {
        Value::String(text) if text.len() > text_max => {
            let end = text.floor_char_boundary(text_max);
            let (head, rest) = text.split_at(end);
            format!("{head}… {} bytes more", rest.len()).into()
        }
        Value::Array(elements) => {
            let more = elements.len().saturating_sub(members_max);
            let more = (more > 0).then(|| Value::from(format!("… {more} more")));
            elements.iter().take(members_max).map(inner).chain(more).collect()
        }
        Value::Object(members) => {
            let first = members.iter().take(members_max);
            let mut kept: Map<String, Value> =
                first.map(|(name, member)| (name.clone(), inner(member))).collect();
            let more = members.len().saturating_sub(members_max);
            if more > 0 {
                kept.insert("…".to_owned(), format!("{more} more").into());
            }
            Value::Object(kept)
        }
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(before: Value, after: Value, size_max: usize) -> (Value, Value) {
        let (before, after) = states(Some(before), Some(after), size_max);
        (before.unwrap(), after.unwrap())
    }

    #[test]
    fn a_large_state_tells_what_differs() {
        let arns: Vec<String> = (0..400).map(|n| format!("arn:{n:04}")).collect();
        let mut more = arns.clone();
        more.insert(7, "arn:added".to_owned());
        more.remove(100);
        let before = json!({ "name": "a", "same": 1, "arns": arns, "inner": { "x": 1, "y": 2 } });
        let after = json!({ "name": "b", "same": 1, "arns": more, "inner": { "x": 1, "z": 3 } });
        let (old, new) = parts(before.clone(), after.clone(), 1_000);
        let gone = json!({ "name": "a", "arns": ["arn:0099"], "inner": { "y": 2 } });
        let come = json!({ "name": "b", "arns": ["arn:added"], "inner": { "z": 3 } });
        assert_eq!((&old["part"], &new["part"]), (&gone, &come));
        assert_eq!(old["omitted"]["bytes"], size(&before));
        assert_eq!(new["omitted"]["sha256"].as_str().unwrap().len(), 64);
        assert_ne!(old["omitted"]["sha256"], new["omitted"]["sha256"]);
        assert_eq!(
            parts(before.clone(), after.clone(), size(&before).max(size(&after))),
            (before, after)
        );
    }

    #[test]
    fn what_differs_is_cut_until_it_fits() {
        let large = json!({ "text": "ö".repeat(50_000), "list": vec!["element"; 9_000], "n": 5 });
        for size_max in [100_000, 10_000, 1_000, 500] {
            let (told, none) = states(Some(large.clone()), None, size_max);
            let told = told.unwrap();
            assert!(none.is_none() && size(&told) <= size_max, "{size_max}");
            assert_eq!(told["part"]["n"], 5);
            let text = told["part"]["text"].as_str().unwrap();
            assert!(text.starts_with('ö') && text.ends_with("bytes more"), "{text}");
            let list = told["part"]["list"].as_array().unwrap();
            assert!(list.last().unwrap().as_str().unwrap().ends_with("more"));
        }
        let least = abridged(&large, &large, 10);
        assert!(least.get("part").is_none() && least["omitted"]["sha256"].is_string());
    }
}
