//! Where a database is, as libpq reads it: `postgres://USER@HOST:PORT,HOST:PORT/DATABASE?NAME=VALUE`, then
//! the `PG…` variables, then defaults.

use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use super::passwords;

/// A port that nobody named.
const PORT: u16 = 5432;
/// How long one host may take to answer a connection, unless something else is said.
const CONNECT: Duration = Duration::from_secs(5);
/// Where Debian's PostgreSQL has its socket: libpq's default there.
const SOCKETS: &str = "/var/run/postgresql";
/// The schema that holds the tables, unless the URL names another.
const SCHEMA: &str = "palisade";
/// Characters of a schema's name: so many PostgreSQL tells apart.
const SCHEMA_LENGTH_MAX: usize = 63;

/// A database, whom to be there, and how the way to it is protected.
///
/// Its text has no password.
#[derive(Clone)]
pub struct Address {
    /// Tried in this order; the first that takes writes is it.
    pub(super) hosts: Vec<Host>,
    pub(super) user: String,
    pub(super) database: String,
    /// The schema that holds the tables.
    pub(super) schema: String,
    pub(super) tls: TlsSettings,
    /// What the server shows of our connections, if it was said.
    pub(super) application: Option<String>,
    pub(super) options: Option<String>,
    pub(super) connect: Duration,
}

/// One server.
#[derive(Clone)]
pub(super) struct Host {
    pub name: HostName,
    pub port: u16,
    pub password: Option<String>,
}

/// How a server is reached.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum HostName {
    /// Name or address.
    Net(String),
    /// Folder of its socket.
    Folder(PathBuf),
}

/// `sslmode`, weakest first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TlsMode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// Where the certificates are that a server's is checked with, and ours.
#[derive(Clone, Debug)]
pub(super) struct TlsSettings {
    pub mode: TlsMode,
    /// `None`: the system's authorities, which verify-ca and verify-full alone ask for.
    pub roots: Option<PathBuf>,
    /// Our certificate and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// Why an address is not one. Tells no part that may be a password.
pub type Refusal = String;

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "postgres://{}@", self.user)?;
        for (place, host) in self.hosts.iter().enumerate() {
            f.write_str(if place > 0 { "," } else { "" })?;
            write!(f, "{host}")?;
        }
        write!(f, "/{}", self.database)?;
        if self.schema == SCHEMA { Ok(()) } else { write!(f, "?schema={}", self.schema) }
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            HostName::Net(name) if name.contains(':') => write!(f, "[{name}]:{}", self.port),
            HostName::Net(name) => write!(f, "{name}:{}", self.port),
            HostName::Folder(folder) => write!(f, "{}:{}", folder.display(), self.port),
        }
    }
}

/// The parts of a URL before anything else is looked at.
#[derive(Default)]
struct Parts {
    user: Option<String>,
    password: Option<String>,
    hosts: Vec<(String, Option<String>)>,
    database: Option<String>,
    settings: Vec<(String, String)>,
}

impl Address {
    /// Reads a URL, and from the environment what it leaves out.
    ///
    /// # Errors
    /// What cannot be used of it, and what to write instead.
    pub fn read(url: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Address, Refusal> {
        let parts = Parts::of(url)?;
        let set = |name: &str| {
            let setting = parts.settings.iter().find(|(known, _)| known == name);
            setting.map(|(_, text)| text.clone())
        };
        let said = |name: &str, variable_name: &str| {
            set(name).or_else(|| variable(variable_name)).filter(|text| !text.is_empty())
        };
        let user = parts.user.clone().or_else(|| said("user", "PGUSER"));
        let user = user.or_else(|| variable("USER")).or_else(|| variable("LOGNAME"));
        let user = user.ok_or("name the user: postgres://USER@HOST/DATABASE, or PGUSER")?;
        let database = parts.database.clone().or_else(|| said("dbname", "PGDATABASE"));
        let database = database.unwrap_or_else(|| user.clone());
        let hosts = hosts(&parts, said("host", "PGHOST"), said("port", "PGPORT"))?;
        let password = parts.password.clone().or_else(|| said("password", "PGPASSWORD"));
        let file = said("passfile", "PGPASSFILE").map(PathBuf::from);
        let home = variable("HOME").map(PathBuf::from);
        let passwords = match (&password, file) {
            (Some(_), _) => None,
            (None, Some(file)) => Some(passwords::read(&file)?),
            (None, None) => {
                let usual = home.as_ref().map(|home| home.join(".pgpass"));
                usual
                    .filter(|file| file.is_file())
                    .map(|file| passwords::read(&file))
                    .transpose()?
            }
        };
        let of_host = |(name, port): (HostName, u16)| {
            let asked = match &name {
                HostName::Net(name) => name.as_str(),
                // So libpq looks for the password of the default socket.
                HostName::Folder(_) => "localhost",
            };
            let listed = || passwords.as_ref()?.find(asked, port, &database, &user);
            let password = password.clone().or_else(listed);
            Host { name, port, password }
        };
        let tls = tls(&said, home)?;
        Ok(Address {
            hosts: hosts.into_iter().map(of_host).collect(),
            schema: schema(set("schema"))?,
            tls,
            application: said("application_name", "PGAPPNAME"),
            options: said("options", "PGOPTIONS"),
            connect: seconds(said("connect_timeout", "PGCONNECT_TIMEOUT"))?,
            user,
            database,
        })
    }
}

/// Names of the settings that a URL may have.
const SETTINGS: [&str; 13] = [
    "host",
    "port",
    "user",
    "password",
    "dbname",
    "passfile",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "application_name",
    "options",
    "connect_timeout",
];
/// Settings of ours, and one of libpq's whose only value here is `read-write`.
const OTHERS: [&str; 2] = ["schema", "target_session_attrs"];

impl Parts {
    fn of(url: &str) -> Result<Parts, Refusal> {
        let rest = ["postgres://", "postgresql://"].iter().find_map(|it| url.strip_prefix(it));
        let rest = rest.ok_or("write postgres://USER@HOST:PORT/DATABASE")?;
        let (rest, settings) = rest.split_once('?').unwrap_or((rest, ""));
        let (place, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (who, hosts) = place.rsplit_once('@').unwrap_or(("", place));
        let (user, password) = match who.split_once(':') {
            Some((user, password)) => (user, Some(decoded(password)?)),
            None => (who, None),
        };
        let given = |text: &str| decoded(text).map(|text| Some(text).filter(|it| !it.is_empty()));
        let mut parts =
            Parts { user: given(user)?, password, database: given(database)?, ..Parts::default() };
        for host in hosts.split(',').filter(|host| !host.is_empty()) {
            parts.hosts.push(host_and_port(host)?);
        }
        for setting in settings.split('&').filter(|setting| !setting.is_empty()) {
            let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
            if !SETTINGS.iter().chain(&OTHERS).any(|known| *known == name) {
                return Err(unknown(name));
            }
            parts.settings.push((name.to_owned(), decoded(value)?));
        }
        if let Some((_, wanted)) =
            parts.settings.iter().find(|(it, _)| it == "target_session_attrs")
            && wanted != "read-write"
        {
            return Err("target_session_attrs can be `read-write` alone, and always is".to_owned());
        }
        Ok(parts)
    }
}

/// A name that is none; what looks like one is told.
fn unknown(name: &str) -> Refusal {
    let known = SETTINGS.iter().chain(&OTHERS).copied().collect::<Vec<_>>().join(", ");
    let is_plain = name.len() <= 32 && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let what = if is_plain { format!("`{name}`") } else { "what stands there".to_owned() };
    format!("{what} is no setting of a PostgreSQL URL; the settings are {known}")
}

fn decoded(text: &str) -> Result<String, Refusal> {
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded = decoded.map_err(|_| "the URL holds what is no text".to_owned())?;
    match decoded.contains('\0') {
        true => Err("the URL holds a NUL".to_owned()),
        false => Ok(decoded.into_owned()),
    }
}

fn host_and_port(text: &str) -> Result<(String, Option<String>), Refusal> {
    if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or("an IPv6 address lacks its `]`")?;
        let port = port.strip_prefix(':').map(str::to_owned);
        return Ok((address.to_owned(), port));
    }
    match text.split_once(':') {
        Some((host, port)) => Ok((decoded(host)?, Some(decoded(port)?))),
        None => Ok((decoded(text)?, None)),
    }
}

/// Hosts with their ports: those of the URL, else of `host` and `port`, which may list several, else the
/// usual socket, else this machine.
fn hosts(
    parts: &Parts,
    host: Option<String>,
    port: Option<String>,
) -> Result<Vec<(HostName, u16)>, Refusal> {
    let ports: Vec<&str> = port.as_deref().map(|it| it.split(',').collect()).unwrap_or_default();
    let mut named = parts.hosts.clone();
    if named.is_empty() {
        named = host.iter().flat_map(|it| it.split(',')).map(|it| (it.to_owned(), None)).collect();
    }
    if named.is_empty() {
        let is_here = std::path::Path::new(SOCKETS).is_dir();
        named.push((if is_here { SOCKETS } else { "localhost" }.to_owned(), None));
    }
    if ports.len() > 1 && ports.len() != named.len() {
        return Err(format!("{} ports are named for {} hosts", ports.len(), named.len()));
    }
    let at = |place: usize| ports.get(place).or(ports.first()).map(|port| (*port).to_owned());
    let one = |(place, (name, own)): (usize, (String, Option<String>))| {
        let text = own.or_else(|| at(place)).filter(|port| !port.is_empty());
        let port = text.map_or(Ok(PORT), |text| text.parse());
        let port = port.map_err(|_| "a port is no number up to 65535".to_owned())?;
        let is_folder = name.starts_with('/');
        let name = if is_folder { HostName::Folder(name.into()) } else { HostName::Net(name) };
        Ok((name, port))
    };
    named.into_iter().enumerate().map(one).collect()
}

fn tls(
    said: &dyn Fn(&str, &str) -> Option<String>,
    home: Option<PathBuf>,
) -> Result<TlsSettings, Refusal> {
    let mode = match said("sslmode", "PGSSLMODE").as_deref() {
        None | Some("prefer") => TlsMode::Prefer,
        Some("disable") => TlsMode::Disable,
        Some("require") => TlsMode::Require,
        Some("verify-ca") => TlsMode::VerifyCa,
        Some("verify-full") => TlsMode::VerifyFull,
        Some(_) => {
            return Err("sslmode is disable, prefer, require, verify-ca or verify-full".to_owned());
        }
    };
    let usual = |name: &str| {
        let file = home.as_ref()?.join(".postgresql").join(name);
        file.is_file().then_some(file)
    };
    let named = said("sslrootcert", "PGSSLROOTCERT");
    let is_system = named.as_deref() == Some("system");
    if is_system && mode != TlsMode::VerifyFull {
        // Anybody has a certificate of a public authority for some name.
        return Err("sslrootcert=system needs sslmode=verify-full".to_owned());
    }
    let roots = named.filter(|_| !is_system).map(PathBuf::from);
    let roots = roots.or_else(|| usual("root.crt").filter(|_| !is_system));
    // As libpq: who has the authority's certificate wants it used.
    let mode = if mode == TlsMode::Require && roots.is_some() { TlsMode::VerifyCa } else { mode };
    if mode == TlsMode::VerifyCa && roots.is_none() {
        return Err("sslmode=verify-ca needs sslrootcert=FILE".to_owned());
    }
    let file = |name: &str, variable: &str, other: &str| {
        said(name, variable).map(PathBuf::from).or_else(|| usual(other))
    };
    let certificate = file("sslcert", "PGSSLCERT", "postgresql.crt");
    let key = file("sslkey", "PGSSLKEY", "postgresql.key");
    Ok(TlsSettings { mode, roots, identity: certificate.zip(key) })
}

fn schema(name: Option<String>) -> Result<String, Refusal> {
    let name = name.unwrap_or_else(|| SCHEMA.to_owned());
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let is_fine = name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(is_plain);
    match is_fine && name.len() <= SCHEMA_LENGTH_MAX {
        true => Ok(name),
        false => Err(format!(
            "a schema's name is of lower-case letters, digits and `_`, begins with a letter, and has up \
             to {SCHEMA_LENGTH_MAX} characters"
        )),
    }
}

fn seconds(text: Option<String>) -> Result<Duration, Refusal> {
    let Some(text) = text else { return Ok(CONNECT) };
    match text.parse() {
        // libpq's 0 is for ever, which no server can wait.
        Ok(0) => Ok(CONNECT),
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => Err("connect_timeout is a whole number of seconds".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str, variables: &[(&str, &str)]) -> Result<Address, Refusal> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Address::read(url, &variable)
    }

    fn shown(url: &str, variables: &[(&str, &str)]) -> String {
        let address = read(url, variables).unwrap_or_else(|why| panic!("{url}: {why}"));
        let passwords: Vec<&str> =
            address.hosts.iter().map(|host| host.password.as_deref().unwrap_or("-")).collect();
        format!("{address} {:?} {}", address.tls.mode, passwords.join(","))
    }

    #[test]
    fn a_url_comes_before_variables_and_these_before_defaults() {
        let table = [
            ("postgres://u@h/d", &[][..], "postgres://u@h:5432/d Prefer -"),
            ("postgresql://u:p%40%2Fw@h:1/d", &[], "postgres://u@h:1/d Prefer p@/w"),
            ("postgres://u:a@b@h/d", &[], "postgres://u@h:5432/d Prefer a@b"),
            (
                "postgres://u@a:1,b:2,[::1]/d?sslmode=disable",
                &[],
                "postgres://u@a:1,b:2,[::1]:5432/d Disable -,-,-",
            ),
            ("postgres://u@/d?host=/tmp&port=6", &[], "postgres://u@/tmp:6/d Prefer -"),
            ("postgres://u@%2Ftmp:7/d", &[], "postgres://u@/tmp:7/d Prefer -"),
            (
                "postgres://",
                &[("PGHOST", "a,b"), ("PGPORT", "1,2"), ("PGUSER", "u"), ("PGDATABASE", "d")],
                "postgres://u@a:1,b:2/d Prefer -,-",
            ),
            (
                "postgres://v@h/e",
                &[("PGHOST", "a"), ("PGPORT", "9"), ("PGUSER", "u"), ("PGPASSWORD", "s")],
                "postgres://v@h:9/e Prefer s",
            ),
            (
                "postgres://u@h?sslmode=require",
                &[("PGSSLMODE", "disable")],
                "postgres://u@h:5432/u Require -",
            ),
            (
                "postgres://h/d?sslmode=require&sslrootcert=/ca.pem&schema=two",
                &[("USER", "me")],
                "postgres://me@h:5432/d?schema=two VerifyCa -",
            ),
        ];
        for (url, variables, expected) in table {
            assert_eq!(shown(url, variables), expected, "{url} {variables:?}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused_without_a_word_of_the_password() {
        let table = [
            ("http://u:secret@h", "write postgres://"),
            ("postgres://h/d", "name the user"),
            ("postgres://u:secret@h:port/d", "a port is no number"),
            ("postgres://u:secret@h/d?ssl=1", "`ssl` is no setting"),
            ("postgres://u@h/d?Secret%20=1", "what stands there is no setting"),
            ("postgres://u:secret@h/d?sslmode=allow", "sslmode is"),
            ("postgres://u:secret@h/d?sslmode=verify-ca", "needs sslrootcert"),
            ("postgres://u:secret@h/d?sslmode=require&sslrootcert=system", "verify-full"),
            ("postgres://u:secret@h/d?schema=a-b", "a schema's name"),
            ("postgres://u:secret@h/d?target_session_attrs=any", "read-write"),
            ("postgres://u:secret@a,b,c/d?port=1,2", "2 ports are named for 3 hosts"),
            ("postgres://u:secret@h/d?connect_timeout=soon", "seconds"),
            ("postgres://u:secr%00et@h/d", "NUL"),
        ];
        for (url, why) in table {
            let refused = read(url, &[]).err().unwrap_or_else(|| panic!("{url} is taken"));
            assert!(refused.contains(why), "{url}: {refused}");
            assert!(!refused.to_lowercase().contains("secr"), "{url}: {refused}");
        }
    }

    #[test]
    fn schema_names_end_at_the_limit() {
        for (length, is_fine) in
            [(1, true), (SCHEMA_LENGTH_MAX, true), (SCHEMA_LENGTH_MAX + 1, false)]
        {
            assert_eq!(schema(Some("a".repeat(length))).is_ok(), is_fine, "{length}");
        }
    }

    #[test]
    fn neither_text_nor_debug_text_has_the_password() {
        let address = read("postgres://u:secret@h/d", &[]).unwrap();
        assert!(!format!("{address} {address:?}").contains("secret"));
    }

    #[test]
    fn each_host_has_its_own_password_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pass");
        std::fs::write(&file, "a:1:*:u:one\nb:*:d:u:two\n").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let file = file.to_str().unwrap();
        let url = "postgres://u@a:1,b:2,c:3/d";
        assert!(shown(url, &[("PGPASSFILE", file)]).ends_with("one,two,-"));
        let both = [("PGPASSFILE", file), ("PGPASSWORD", "all")];
        assert!(shown(url, &both).ends_with("all,all,all"));
    }
}
