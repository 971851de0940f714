//! Random bytes.

/// Draws random bytes. Given by the binary; nothing below it asks the system.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with bytes that nobody can guess.
    ///
    /// # Errors
    /// When the source fails: nothing may be made of the bytes then.
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()>;
}
