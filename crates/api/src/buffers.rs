//! Memory in which deliveries wait, used again: a fresh page of it costs as much as copying into it.

use std::sync::{Mutex, PoisonError};

/// Deliveries that are spooled or parsed at the same time; more wait.
pub const DELIVERIES_AT_ONCE_MAX: usize = 4;
/// Bytes of a buffer that is kept; larger deliveries are few.
pub(crate) const KEPT_SIZE_MAX: usize = 2 * 1024 * 1024;

/// Buffers that nobody uses just now.
///
/// INVARIANT: at most [`DELIVERIES_AT_ONCE_MAX`], of at most [`KEPT_SIZE_MAX`] bytes each.
#[derive(Default)]
pub(crate) struct Buffers(Mutex<Vec<Vec<u8>>>);

impl Buffers {
    /// An empty buffer with room for this much.
    pub(crate) fn take(&self, size: usize) -> Vec<u8> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut buffer = kept.unwrap_or_default();
        buffer.reserve_exact(size);
        buffer
    }

    /// Keeps a buffer for the next one, unless there are enough or it is a large one.
    pub(crate) fn put_back(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < DELIVERIES_AT_ONCE_MAX && buffer.capacity() <= KEPT_SIZE_MAX {
            kept.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_buffers_are_kept_and_come_back_empty() {
        for (size, kept) in
            [(KEPT_SIZE_MAX - 1, true), (KEPT_SIZE_MAX, true), (KEPT_SIZE_MAX + 1, false)]
        {
            let buffers = Buffers::default();
            let mut buffer = buffers.take(size);
            buffer.push(1);
            buffers.put_back(buffer);
            let again = buffers.take(0);
            assert!(again.is_empty());
            assert_eq!(again.capacity() > 0, kept, "{size}");
        }
    }

    #[test]
    fn as_many_are_kept_as_deliveries_are_under_way() {
        let max = DELIVERIES_AT_ONCE_MAX;
        for (count, kept) in [(max - 1, max - 1), (max, max), (max + 1, max)] {
            let buffers = Buffers::default();
            (0..count).for_each(|_| buffers.put_back(Vec::with_capacity(8)));
            assert_eq!(buffers.0.lock().unwrap().len(), kept, "{count}");
        }
    }
}
