//! `palisade store`.

use super::*;

/// `palisade store …`
#[derive(Debug, Subcommand)]
pub enum Keeping {
    /// Copy a store to a new file, while a server serves from it or not: as it is at one moment.
    Backup(StoreBackup),
    /// Put a copy where a store is to be; what is there already stays.
    Restore(StoreRestore),
    /// Look through a store, or a copy of one, for damage: every page, table, index and row.
    Verify(StoreVerify),
}

/// `palisade store backup`
#[derive(Args, Debug)]
pub struct StoreBackup {
    /// The store.
    #[command(flatten)]
    pub place: StorePlace,
    /// The copy, a file that is not there yet.
    #[arg(long, env = "PALISADE_BACKUP_TO", value_name = "FILE")]
    pub to: PathBuf,
}

/// `palisade store restore`
#[derive(Args, Debug)]
pub struct StoreRestore {
    /// The copy that `palisade store backup` made.
    #[arg(long, env = "PALISADE_RESTORE_FROM", value_name = "FILE")]
    pub from: PathBuf,
    /// File of the key under which the copy's secrets are sealed: it is put beside the store too, as PATH.key,
    /// where `palisade serve` looks for it.
    #[arg(long, env = "PALISADE_RESTORE_SEALING_KEY", value_name = "FILE")]
    pub sealing_key: Option<PathBuf>,
    /// The store, at which nothing may be yet.
    #[command(flatten)]
    pub place: StorePlace,
}

/// `palisade store verify`
#[derive(Args, Debug)]
#[command(after_help = "Exit status: 0 nothing is damaged, 1 something is.")]
pub struct StoreVerify {
    /// The store or the copy.
    #[command(flatten)]
    pub place: StorePlace,
}

/// A store in a file.
#[derive(Args, Clone, Debug)]
pub struct StorePlace {
    /// The store.
    #[arg(
        long,
        env = "PALISADE_STORE",
        default_value = "sqlite:palisade-data/palisade.db",
        value_parser = store(),
        value_name = STORE
    )]
    pub store: StoreAddress,
}
