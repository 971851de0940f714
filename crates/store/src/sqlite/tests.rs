//! The contract on disk and in memory, and what is SQLite's own.

mod file;
mod files;
mod disk {
    use super::beds::OnDisk;
    crate::contract::contract_suite!(OnDisk::new);
}
mod memory {
    use super::beds::InMemory;
    crate::contract::contract_suite!(InMemory::new);
}
mod ages;
pub(super) mod beds;
mod checksums;
mod company;
mod intake;
mod past;
mod plans;
mod readers;
mod sums;
