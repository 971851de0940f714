//! Texts and lists of details as the model bounds them.

/// Characters of a description (model `LengthBoundedString`, `ViolationTarget`).
const TEXT_LEN_MAX: usize = 1024;

/// The text, cut to what the model takes.
pub fn bounded(text: &str) -> String {
    text.chars().take(TEXT_LEN_MAX).collect()
}

/// A list that has nothing is left out (semantics §3.7: blank where no remedy is safe).
pub fn unless_empty<T>(items: impl Iterator<Item = T>) -> Option<Vec<T>> {
    let items: Vec<T> = items.collect();
    (!items.is_empty()).then_some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_what_the_model_takes() {
        for (length, kept) in [(1023, 1023), (1024, 1024), (1025, 1024)] {
            assert_eq!(bounded(&"\u{e4}".repeat(length)).chars().count(), kept);
        }
    }
}
