//! Judging that panics.

use std::panic::{AssertUnwindSafe, catch_unwind};

use palisade_store::StoreError;

/// A judgement that panics fails like one that cannot read: it is of one shard.
pub fn guarded<T>(judge: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let judged = catch_unwind(AssertUnwindSafe(judge));
    judged.unwrap_or_else(|_| Err(StoreError::Engine("judging it panicked".into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_the_failure_of_what_panicked() {
        assert_eq!(guarded(|| Ok(1)).unwrap(), 1);
        let failed = guarded::<()>(|| panic!("on purpose")).unwrap_err();
        assert!(failed.to_string().contains("panicked"), "{failed}");
    }
}
