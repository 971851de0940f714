//! `palisade keys`.

use palisade_store::KeyRole;

use super::moments::ahead;
use super::*;

/// `palisade keys …`
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Create a key and print it; the secret is shown this once.
    Create(KeyCreate),
    /// List keys with their state and last use, without their secrets.
    List(KeyList),
    /// Refuse calls signed with a key from now on; `enable` takes it back.
    Disable(KeyNamed),
    /// Believe calls signed with a disabled key again.
    Enable(KeyEnabled),
    /// Create another key for the same caller; the old one works until it is disabled or deleted.
    ///
    /// As with the two keys of an IAM user, a key is rotated again once the one before it is deleted.
    Rotate(KeyRotate),
    /// Delete a key for good.
    Delete(KeyNamed),
    /// Seal the secrets of keys under another key file, while the server is stopped.
    Reseal(KeyReseal),
}

/// Whose keys: a store's, or those of a server that is asked.
#[derive(Args, Clone, Debug)]
pub struct KeyPlace {
    /// The store; a running server sees what changes at once.
    #[arg(
        long,
        env = "PALISADE_STORE",
        default_value = "sqlite:palisade-data/palisade.db",
        value_parser = store(),
        value_name = STORE
    )]
    pub store: StoreAddress,
    /// File of the key under which the store's secrets are sealed; PALISADE_KEY may hold the key
    /// itself instead. Default: the store's own, PATH.key, made when nothing is sealed yet.
    #[arg(long, env = "PALISADE_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// Ask the server at --endpoint, with an operator key, instead of opening the store.
    #[arg(long, env = "PALISADE_REMOTE", value_parser = FalseyValueParser::new())]
    pub remote: bool,
    /// The server, with --remote.
    #[command(flatten)]
    pub server: Server,
}

/// `palisade keys create`
#[derive(Args, Debug)]
pub struct KeyCreate {
    /// Where the key is made.
    #[command(flatten)]
    pub place: KeyPlace,
    /// The account that the key acts as.
    #[arg(
        long,
        env = "PALISADE_KEY_ACCOUNT",
        required_unless_present = "operator",
        conflicts_with = "operator"
    )]
    pub account: Option<AccountId>,
    /// Make an operator's key: organization, ingest, keys.
    #[arg(long, env = "PALISADE_OPERATOR", value_parser = FalseyValueParser::new())]
    pub operator: bool,
    /// What people call it, such as ci-pipeline: shown with the key and in the audit log.
    #[arg(long, env = "PALISADE_KEY_NAME", value_name = "NAME")]
    pub name: Option<String>,
    /// What its holder may do: everything that its account, or the operator, may; or, as a reader, see
    /// all of that and change nothing.
    #[arg(long, env = "PALISADE_KEY_ROLE", default_value = "full")]
    pub role: KeyMay,
    /// When it ends: a span such as 90d or 12h, a day (its beginning in UTC) or a moment. Default: never.
    #[arg(long, env = "PALISADE_KEY_EXPIRES", value_name = "WHEN", value_parser = ahead)]
    pub expires: Option<jiff::Timestamp>,
    /// Make an empty store though a sealing key or a log of one is left where it would be.
    #[arg(long, env = "PALISADE_NEW", value_parser = FalseyValueParser::new())]
    pub new: bool,
    /// How to print.
    #[arg(long, env = "PALISADE_OUTPUT", default_value = "table")]
    pub output: Output,
}

/// `palisade keys list`
#[derive(Args, Debug)]
pub struct KeyList {
    /// Whose keys.
    #[command(flatten)]
    pub place: KeyPlace,
    /// How to print.
    #[arg(long, env = "PALISADE_OUTPUT", default_value = "table")]
    pub output: Output,
}

/// What the holder of a key may do.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum KeyMay {
    /// Everything.
    Full,
    /// See everything and change nothing.
    Reader,
}

impl From<KeyMay> for KeyRole {
    fn from(role: KeyMay) -> KeyRole {
        match role {
            KeyMay::Full => KeyRole::Full,
            KeyMay::Reader => KeyRole::Reader,
        }
    }
}

/// `palisade keys disable` and `delete`
#[derive(Args, Debug)]
pub struct KeyNamed {
    /// Access key id.
    #[arg(value_name = "ACCESS-KEY-ID")]
    pub key: String,
    /// Do so though it is the last operator key that works.
    #[arg(long, env = "PALISADE_CONFIRM", value_parser = FalseyValueParser::new())]
    pub confirm: bool,
    /// Where the key is.
    #[command(flatten)]
    pub place: KeyPlace,
}

/// `palisade keys enable`
#[derive(Args, Debug)]
pub struct KeyEnabled {
    /// Access key id.
    #[arg(value_name = "ACCESS-KEY-ID")]
    pub key: String,
    /// Where the key is.
    #[command(flatten)]
    pub place: KeyPlace,
}

/// `palisade keys rotate`
#[derive(Args, Debug)]
pub struct KeyRotate {
    /// Access key id of the key to be replaced.
    #[arg(value_name = "ACCESS-KEY-ID")]
    pub key: String,
    /// When the new one ends, as with `create`. Default: it lasts as long as the old one did.
    #[arg(long, env = "PALISADE_KEY_EXPIRES", value_name = "WHEN", value_parser = ahead)]
    pub expires: Option<jiff::Timestamp>,
    /// Where the key is.
    #[command(flatten)]
    pub place: KeyPlace,
    /// How to print.
    #[arg(long, env = "PALISADE_OUTPUT", default_value = "table")]
    pub output: Output,
}

/// `palisade keys reseal`
#[derive(Args, Debug)]
pub struct KeyReseal {
    /// The store; no server may serve from it meanwhile.
    #[arg(
        long,
        env = "PALISADE_STORE",
        default_value = "sqlite:palisade-data/palisade.db",
        value_parser = store(),
        value_name = STORE
    )]
    pub store: StoreAddress,
    /// File of the key under which the secrets are sealed so far; PALISADE_KEY may hold the key itself
    /// instead. Default: the store's own, PATH.key.
    #[arg(long, env = "PALISADE_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// File of the key to seal them under; made when it is not there.
    #[arg(long, env = "PALISADE_NEW_KEY_FILE", value_name = "FILE")]
    pub new_key_file: PathBuf,
    /// The sealing key is lost: delete the access keys whose secrets nothing opens any more, and go
    /// on under the new one. What the old key file still opens is kept.
    #[arg(long, env = "PALISADE_FORGET_LOST", value_parser = FalseyValueParser::new())]
    pub forget_lost: bool,
}
