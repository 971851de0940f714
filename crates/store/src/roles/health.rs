//! Whether a store works, and what it costs.

use crate::{Effort, Result};

/// The state of the store itself.
pub trait Health: Send + Sync {
    /// Whether it answers and takes writes.
    ///
    /// # Errors
    /// The reason why it does not.
    fn ready(&self) -> Result<()>;

    /// As [`Health::ready`], and tries a write if the last one failed. Called every second or so, it lets a
    /// store recover that nobody writes to.
    ///
    /// # Errors
    /// As [`Health::ready`].
    fn probe(&self) -> Result<()> {
        self.ready()
    }

    /// Forgets everything, in an engine whose rows end with the process anyway. Answers whether it did; one that
    /// keeps what it was given does not.
    fn forget(&self) -> Result<bool> {
        Ok(false)
    }

    /// What the calls cost since the store was opened, and its size. Zeros from an engine that does not
    /// count.
    fn effort(&self) -> Result<Effort> {
        Ok(Effort::default())
    }
}
