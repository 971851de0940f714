//! Which of the names that are known one that is not may be meant for.

/// Most edits between a name and the one that it may be meant for.
const EDITS_MAX: usize = 3;
/// Bytes of a name that is compared with those known; none of them is nearly as long.
const NAME_LEN_MAX: usize = 64;
/// Fewest letters of a known name that begin like it when its end is forgotten.
const BEGINNING_MIN: usize = 8;

/// The known name that an unknown one is meant for: the same but for letter case, for a few edits, or
/// for a forgotten end. The nearest; of equally near ones the first; `None` for one that is known.
pub fn nearest(name: &str, known: impl IntoIterator<Item = &'static str>) -> Option<&'static str> {
    let lower = name.to_lowercase();
    // Far longer than any: not worth comparing.
    if lower.len() > NAME_LEN_MAX {
        return None;
    }
    let distance = |other: &str| {
        let other = other.to_lowercase();
        let begins = lower.len() >= BEGINNING_MIN && other.starts_with(&lower);
        let edits = edits(&lower, &other);
        if begins { edits.min(EDITS_MAX) } else { edits }
    };
    let mut best: Option<(usize, &'static str)> = None;
    for other in known {
        if other == name {
            return None;
        }
        let edits = distance(other);
        if edits <= EDITS_MAX && best.is_none_or(|(least, _)| edits < least) {
            best = Some((edits, other));
        }
    }
    best.map(|(_, other)| other)
}

/// Insertions, removals and replacements that make one text of the other.
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (line, a) in from.chars().enumerate() {
        let mut left = line.saturating_add(1);
        let mut corner = line;
        let mut next = vec![left];
        for (b, above) in to.chars().zip(row.iter().skip(1).copied()) {
            let replaced = corner.saturating_add(usize::from(a != b));
            left = replaced.min(above.saturating_add(1)).min(left.saturating_add(1));
            corner = above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
