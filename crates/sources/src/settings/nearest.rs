//! Which of the names that are known an unknown one may be meant for.

/// Most edits between the two.
const EDITS_MAX: usize = 3;

/// Letters of a name that is compared: none that is known is nearly as long.
const NAME_LEN_MAX: usize = 64;

/// The nearest known name, if one is near; the first of equally near ones.
pub(super) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    if name.len() > NAME_LEN_MAX {
        return None;
    }
    let name = name.to_lowercase();
    let near = known.iter().map(|other| (edits(&name, other), *other));
    let best = near.min_by_key(|(distance, _)| *distance)?;
    // Of a short name every other short one is near.
    let most = EDITS_MAX.min(name.chars().count().saturating_sub(1).max(1) / 2 + 1);
    Some(best).filter(|(distance, _)| *distance <= most).map(|(_, other)| other)
}

/// Letters to add, take out or exchange.
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut left = i.saturating_add(1);
        let mut diagonal = i;
        let mut next = vec![left];
        for (b, above) in other.iter().zip(row.iter().skip(1)) {
            let exchanged = diagonal.saturating_add(usize::from(a != *b));
            left = exchanged.min(left.saturating_add(1)).min(above.saturating_add(1));
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_understood() {
        let known = ["source", "role", "external_id", "every", "regions"];
        for (name, near) in [
            ("sorce", Some("source")),
            ("Role", Some("role")),
            ("rôle", Some("role")),
            ("externalid", Some("external_id")),
            ("region", Some("regions")),
            ("evrey", Some("every")),
            ("colour", None),
            ("x", None),
        ] {
            assert_eq!(nearest(name, &known), near, "{name}");
        }
        assert_eq!(nearest(&"role".repeat(20), &known), None);
    }
}
