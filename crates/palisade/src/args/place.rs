//! Which server or store a command is about.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::TypedValueParser;
use palisade_core::ident::Region;
use palisade_store::postgres::Address;

/// Where `serve` listens, and clients look for it.
pub const LISTEN: &str = "127.0.0.1:7780";

/// Where a server is and how it is spoken to.
#[derive(Args, Clone, Debug)]
pub struct Server {
    /// Address of the server. Keys come from the AWS environment variables and profiles. Default:
    /// AWS_ENDPOINT_URL_FMS, else http://127.0.0.1:7780.
    #[arg(
        long,
        env = "PALISADE_ENDPOINT",
        default_value_t = endpoint(),
        hide_default_value = true,
        value_name = "URL"
    )]
    pub endpoint: String,
    /// Region to ask. Default: AWS_REGION, AWS_DEFAULT_REGION, the profile's, else us-east-1.
    #[arg(long, env = "PALISADE_REGION", value_name = "REGION", value_parser = Region::named)]
    pub region: Option<Region>,
    /// Certificates, in PEM, that the server's is checked with. Default: AWS_CA_BUNDLE, else the
    /// system's.
    #[arg(long, env = "PALISADE_CA", value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// AWS profile to take keys from. Default: AWS_PROFILE.
    #[arg(long, env = "PALISADE_PROFILE", value_name = "NAME")]
    pub profile: Option<String>,
}

/// Where a server is that nothing else names.
fn endpoint() -> String {
    let told = std::env::var("AWS_ENDPOINT_URL_FMS").ok().filter(|url| !url.is_empty());
    told.unwrap_or_else(|| format!("http://{LISTEN}"))
}

/// Where a store is: `sqlite:PATH`, `postgres://…`, or `memory`.
#[derive(Clone, Debug)]
pub enum StoreAddress {
    /// In a file of this machine.
    File(PathBuf),
    /// In a database, which many nodes may serve from.
    Database(Box<Address>),
    /// In the memory of the server, with which it ends.
    Memory,
}

/// How a store may be named.
pub const STORE: &str = "sqlite:PATH|postgres://…|memory";

impl StoreAddress {
    /// The file, where there is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            StoreAddress::File(path) => Some(path),
            StoreAddress::Database(_) | StoreAddress::Memory => None,
        }
    }
}

impl From<PathBuf> for StoreAddress {
    fn from(path: PathBuf) -> StoreAddress {
        StoreAddress::File(path)
    }
}

impl std::fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StoreAddress::File(path) => write!(f, "{}", path.display()),
            StoreAddress::Database(address) => write!(f, "{address}"),
            StoreAddress::Memory => f.write_str("memory"),
        }
    }
}

impl std::str::FromStr for StoreAddress {
    type Err = String;

    /// The refusal tells the engine at most: the rest of another engine's address may be a password.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const ENGINE_LENGTH_MAX: usize = 16;
        match text.split_once(':') {
            None if text == "memory" => Ok(StoreAddress::Memory),
            Some(("sqlite", "")) => Err("the path is missing; write `sqlite:PATH`".to_owned()),
            Some(("sqlite", path)) => Ok(StoreAddress::File(path.into())),
            Some(("postgres" | "postgresql", _)) => {
                let variable = |name: &str| std::env::var(name).ok();
                Ok(StoreAddress::Database(Box::new(Address::read(text, &variable)?)))
            }
            Some((engine, _))
                if engine.len() <= ENGINE_LENGTH_MAX
                    && engine.chars().all(|c| c.is_ascii_alphanumeric() || c == '+') =>
            {
                Err(format!(
                    "`{engine}:` is no engine; write `sqlite:PATH`, `postgres://USER@HOST/DATABASE` or `memory`"
                ))
            }
            Some(_) | None => {
                Err("write `sqlite:PATH`, `postgres://USER@HOST/DATABASE` or `memory`".to_owned())
            }
        }
    }
}

/// Reads what may hold a secret, which clap would repeat in its refusal.
#[derive(Clone)]
pub struct Discreet<T>(fn(&str) -> Result<T, String>);

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Discreet<T> {
    type Value = T;

    fn parse_ref(
        &self,
        command: &clap::Command,
        flag: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<T, clap::Error> {
        let read = value.to_str().ok_or("it is not text".to_owned()).and_then(self.0);
        read.map_err(|why| {
            let flag = flag.map(ToString::to_string).unwrap_or_default();
            let text = format!("the value of '{flag}' cannot be used: {why}\n");
            clap::Error::raw(clap::error::ErrorKind::ValueValidation, text).with_cmd(command)
        })
    }
}

/// The store's address.
pub const fn store() -> Discreet<StoreAddress> {
    Discreet(str::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_named_by_its_engine() {
        let file: StoreAddress = "sqlite:a/b.db".parse().unwrap();
        assert_eq!(file.file(), Some(Path::new("a/b.db")));
        let database: StoreAddress = "postgres://u:secret@h/d".parse().unwrap();
        assert_eq!(
            (database.file(), database.to_string().as_str()),
            (None, "postgres://u@h:5432/d")
        );
        for wrong in
            ["", "a.db", "sqlite:", "mysql://x", "my secret:x", "postgres:/x:y", "postgres:x"]
        {
            let why = wrong.parse::<StoreAddress>().unwrap_err();
            assert!(!why.contains("secret") && !why.contains('x'), "{wrong:?}: {why}");
        }
    }
}
