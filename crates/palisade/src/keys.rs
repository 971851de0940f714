//! `palisade keys` and `palisade doctor`: commands that open the store themselves, or, for keys, ask
//! the server that serves from it.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use jiff::Timestamp;
use palisade_api::Clock as _;
use palisade_api::audit::Actor;
use palisade_api::keys::{self, Keyring, NewKey};
use palisade_api::vault::Vault;
use palisade_store::{KeyRecord, Store, StoreError, StoredSecret};
use serde_json::{Value, json};

use crate::args::{self, Output};
use crate::client::{Client, encoded};
use crate::doctor::findings::{self, Looked};
use crate::failure::{Exit, Failure, Outcome};
use crate::printable::escaped;
use crate::report::{Cell, Color, lines};
use crate::system::{Room, SystemClock, SystemEntropy};
use crate::terminal::{print, print_by, print_json, print_line, say};
use crate::{opening, report, sealing, terminal, wrapping};

const PATH: &str = "/palisade/v1/keys";

/// `palisade keys …`
pub fn run(command: &args::Keys) -> Outcome {
    match command {
        args::Keys::Create(args) => {
            let wanted = wanted(args)?;
            let place = Place::making(&args.place, args.new)?;
            let new = place.create(&wanted)?;
            show(&new, args.output)?;
        }
        args::Keys::Rotate(args) => {
            let place = Place::sealing(&args.place)?;
            let new = place.rotate(&args.key, args.expires)?;
            show(&new, args.output)?;
        }
        args::Keys::List(args) => {
            let keys = list(&args.place)?;
            match args.output {
                Output::Json => print_json(&json!({ "Keys": keys }))?,
                Output::Csv => print_by(|to| csv(&keys, to))?,
                Output::Table => print(&table(&keys))?,
            }
        }
        args::Keys::Disable(args) => {
            Place::of(&args.place)?.enable(&args.key, false, args.confirm)?;
            print_line(&format!(
                "disabled {}; calls signed with it are refused from now on",
                args.key
            ))?;
        }
        args::Keys::Enable(args) => {
            Place::of(&args.place)?.enable(&args.key, true, true)?;
            print_line(&format!("enabled {}; calls signed with it are believed again", args.key))?;
        }
        args::Keys::Delete(args) => {
            Place::of(&args.place)?.delete(&args.key, args.confirm)?;
            print_line(&format!("deleted {}", args.key))?;
        }
        args::Keys::Reseal(args) => reseal(args)?,
    }
    Ok(Exit::Done)
}

/// Where keys are changed: both answer the same members.
enum Place {
    Store(Box<Opened>),
    Server(Client),
}

/// A store with what changing its keys takes.
struct Opened {
    store: Box<dyn Store>,
    /// Needed to seal a new secret alone: a store whose sealing key is lost can be tidied.
    vault: Option<Vault>,
    actor: Actor,
}

impl Opened {
    fn ring(&self, keeps_an_operator: bool) -> Keyring<'_> {
        Keyring {
            store: &*self.store,
            vault: self.vault.as_ref(),
            entropy: &SystemEntropy,
            actor: &self.actor,
            keeps_an_operator,
        }
    }

    /// A key that was made, with what stands against its use.
    fn new_json(&self, new: NewKey) -> Result<Value, Failure> {
        let control = self.store.control().map_err(failed)?;
        let warning = keys::outside(&new.record, control.organization.as_deref());
        let mut shown = key_json(&new.record, self.actor.at_ms);
        if let Some(members) = shown.as_object_mut() {
            members.insert("SecretAccessKey".to_owned(), new.secret.into());
            members.insert("Warning".to_owned(), warning.into());
        }
        Ok(shown)
    }
}

impl Place {
    /// A server, or a store that is there.
    fn of(place: &args::KeyPlace) -> Result<Place, Failure> {
        match place.remote {
            true => Ok(Place::Server(Client::new(&place.server)?)),
            false => Place::over(opening::existing(&place.store)?, None),
        }
    }

    /// As [`Place::of`], to make a key in.
    fn sealing(place: &args::KeyPlace) -> Result<Place, Failure> {
        match place.remote {
            true => Place::of(place),
            false => Place::sealed(place, opening::existing(&place.store)?),
        }
    }

    /// As [`Place::sealing`]; a store that is not there is made.
    fn making(place: &args::KeyPlace, new: bool) -> Result<Place, Failure> {
        match place.remote {
            true => Place::of(place),
            false => Place::sealed(place, opening::open(&place.store, new)?),
        }
    }

    fn sealed(place: &args::KeyPlace, store: Box<dyn Store>) -> Result<Place, Failure> {
        let vault =
            sealing::vault(&place.store, &*store, place.key_file.as_deref(), &sealing::aloud)?;
        Place::over(store, Some(vault))
    }

    fn over(store: Box<dyn Store>, vault: Option<Vault>) -> Result<Place, Failure> {
        Ok(Place::Store(Box::new(Opened { store, vault, actor: sealing::local()? })))
    }

    fn create(&self, wanted: &keys::Wanted) -> Result<Value, Failure> {
        match self {
            Place::Store(opened) => {
                opened.new_json(opened.ring(false).create(wanted).map_err(sealing::refused)?)
            }
            Place::Server(client) => {
                let keys::Wanted { account, name, role, expires_ms } = wanted;
                let asked = json!({
                    "account": account,
                    "operator": account.is_none(),
                    "name": name,
                    "role": role.word(),
                    "expires": expires_ms.map(moment),
                });
                client.own("POST", PATH, &[], asked.to_string().as_bytes())
            }
        }
    }

    fn rotate(&self, key: &str, expires: Option<Timestamp>) -> Result<Value, Failure> {
        match self {
            Place::Store(opened) => {
                let new = opened.ring(false).rotate(key, expires.map(Timestamp::as_millisecond));
                opened.new_json(new.map_err(sealing::refused)?)
            }
            Place::Server(client) => {
                let asked = json!({ "expires": expires.map(|at| at.to_string()) }).to_string();
                let path = format!("{PATH}/{}/rotate", encoded(key));
                client.own("POST", &path, &[], asked.as_bytes())
            }
        }
    }

    fn enable(&self, key: &str, enabled: bool, confirm: bool) -> Result<(), Failure> {
        match self {
            Place::Store(opened) => {
                let changed = opened.ring(!confirm).enable(key, enabled);
                changed.map(drop).map_err(sealing::refused)
            }
            Place::Server(client) => {
                let status = json!({ "Status": if enabled { "Active" } else { "Inactive" } });
                let path = format!("{PATH}/{}", encoded(key));
                let status = status.to_string();
                client.own("PATCH", &path, &confirmed(confirm), status.as_bytes()).map(drop)
            }
        }
    }

    fn delete(&self, key: &str, confirm: bool) -> Result<(), Failure> {
        match self {
            Place::Store(opened) => {
                opened.ring(!confirm).delete(key).map(drop).map_err(sealing::refused)
            }
            Place::Server(client) => {
                let path = format!("{PATH}/{}", encoded(key));
                client.own("DELETE", &path, &confirmed(confirm), b"").map(drop)
            }
        }
    }
}

fn confirmed(confirm: bool) -> Vec<(&'static str, &'static str)> {
    if confirm { vec![("confirm", "true")] } else { Vec::new() }
}

/// The key that is asked for. What is wrong with it is said before a store is made, and as the user's own
/// mistake by a server as well.
fn wanted(args: &args::KeyCreate) -> Result<keys::Wanted, Failure> {
    args.account.as_ref().map_or(Ok(()), keys::is_account).map_err(sealing::refused)?;
    args.name.as_deref().map_or(Ok(()), keys::is_name).map_err(sealing::refused)?;
    let expires_ms = args.expires.map(Timestamp::as_millisecond);
    keys::is_end(expires_ms, SystemClock.now_ms()).map_err(sealing::refused)?;
    Ok(keys::Wanted {
        account: args.account.clone(),
        name: args.name.clone(),
        role: args.role.into(),
        expires_ms,
    })
}

/// The keys there are; no sealing key is needed to look at them.
fn list(place: &args::KeyPlace) -> Result<Vec<Value>, Failure> {
    if place.remote {
        let answer = Client::new(&place.server)?.own("GET", PATH, &[], b"")?;
        return Ok(answer.get("keys").and_then(Value::as_array).cloned().unwrap_or_default());
    }
    let keys = opening::existing(&place.store)?.keys().map_err(failed)?;
    let now_ms = SystemClock.now_ms();
    Ok(keys.iter().map(|key| key_json(key, now_ms)).collect())
}

/// A key as the server's endpoint shows it.
fn key_json(key: &KeyRecord, now_ms: i64) -> Value {
    let status = match key.enabled {
        _ if key.has_expired(now_ms) => "Expired",
        true => "Active",
        false => "Inactive",
    };
    json!({
        "AccessKeyId": key.access_key_id,
        "Account": key.account,
        "Status": status,
        "Created": moment(key.created_ms),
        "LastUsed": key.last_used_ms.map(moment),
        "Replaces": key.replaces,
        "Name": key.name,
        "Role": key.role.word(),
        "Expires": key.expires_ms.map(moment),
    })
}

fn moment(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |at| at.to_string())
}

fn text<'a>(key: &'a Value, member: &str) -> &'a str {
    key.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// Shows a key that was made; the one time its secret is.
///
/// # Errors
/// It cannot be shown. The key is there, and nobody has its secret.
fn show(new: &Value, output: Output) -> Result<(), Failure> {
    let id = text(new, "AccessKeyId");
    print_by(|to| tell_new(new, output, to)).inspect_err(|_| {
        say(format_args!("key {id} was made, but could not be shown: delete it, make another"));
    })?;
    // Beside what may be read by a program, not within it.
    if let Some(warning) = new.get("Warning").and_then(Value::as_str) {
        say(format_args!("{}", escaped(warning)));
    }
    Ok(())
}

fn tell_new(new: &Value, output: Output, to: &mut dyn Write) -> io::Result<()> {
    let (id, secret) = (text(new, "AccessKeyId"), text(new, "SecretAccessKey"));
    match output {
        Output::Json => writeln!(to, "{new:#}"),
        Output::Csv => {
            let row = [id, secret, text(new, "Account")];
            lines::write([["AccessKeyId", "SecretAccessKey", "Account"], row], to)
        }
        Output::Table => {
            let who = match text(new, "Account") {
                "" => "the operator".to_owned(),
                account => format!("account {account}"),
            };
            let old = match text(new, "Replaces") {
                "" => String::new(),
                old => wrapping::paragraph(
                    &format!(
                        "{old} goes on working: give the new key to whoever uses it, then say `palisade keys \
                         disable {old}`, and `palisade keys delete {old}` once nobody misses it"
                    ),
                    terminal::width(),
                ),
            };
            let what = match text(new, "Role") {
                "reader" => "reader's key",
                _ => "key",
            };
            let name = match text(new, "Name") {
                "" => String::new(),
                name => format!(" `{}`", escaped(name)),
            };
            let until = match text(new, "Expires") {
                "" => String::new(),
                end => format!(" until {}", report::to_seconds(end)),
            };
            let head = format!("{what}{name} for {who}{until}; the secret is not shown again:");
            write!(
                to,
                "{}export AWS_ACCESS_KEY_ID={id}\nexport AWS_SECRET_ACCESS_KEY={secret}\n{old}",
                wrapping::paragraph(&head, terminal::width())
            )
        }
    }
}

const COLUMNS: [&str; 9] = [
    "AccessKeyId",
    "Account",
    "Status",
    "Created",
    "LastUsed",
    "Replaces",
    "Name",
    "Role",
    "Expires",
];

fn csv(keys: &[Value], to: &mut dyn Write) -> io::Result<()> {
    let rows = keys.iter().map(|key| COLUMNS.map(|name| text(key, name)));
    lines::write([COLUMNS].into_iter().chain(rows), to)
}

/// For people, in 80 columns: days for moments, and below what takes the place of what.
fn table(keys: &[Value]) -> String {
    if keys.is_empty() {
        return "no keys yet; `palisade keys create --operator` makes one\n".to_owned();
    }
    let is_named = keys.iter().any(|key| !text(key, "Name").is_empty());
    let columns = [
        (true, "Access key id"),
        (true, "Acts as"),
        (is_named, "Name"),
        (true, "State"),
        (true, "Last used"),
        (true, "Expires"),
    ];
    let mut table = report::table();
    table.set_header(columns.into_iter().filter(|(is, _)| *is).map(|(_, name)| name));
    for key in keys {
        let cells = columns.into_iter().filter(|(is, _)| *is).map(|(_, name)| cell(key, name));
        table.add_row(cells);
    }
    let replaced = keys.iter().filter_map(|key| {
        let old = keys.iter().find(|old| text(old, "AccessKeyId") == text(key, "Replaces"))?;
        let state = match text(old, "Status") {
            "Active" => "which goes on working until it is disabled",
            _ => "which nobody is believed with any more: delete it",
        };
        let (new, old) = (text(key, "AccessKeyId"), text(old, "AccessKeyId"));
        Some(wrapping::paragraph(&format!("{new} replaces {old}, {state}"), terminal::width()))
    });
    report::finished(&table) + &replaced.collect::<String>()
}

/// What a table shows of a key in a column.
fn cell(key: &Value, column: &str) -> Cell {
    let day = |member: &str| match text(key, member).split_once('T') {
        Some((day, _)) => Cell::new(day),
        None => Cell::new("never"),
    };
    match column {
        "Access key id" => Cell::new(text(key, "AccessKeyId")),
        "Acts as" => {
            let account = Some(text(key, "Account")).filter(|account| !account.is_empty());
            let reads = if text(key, "Role") == "reader" { " (reader)" } else { "" };
            Cell::name(format!("{}{reads}", account.unwrap_or("operator")))
        }
        "Name" => Cell::name(text(key, "Name")),
        "State" => match text(key, "Status") {
            "Active" => Cell::new("active").fg(Color::Green),
            "Expired" => Cell::new("expired").fg(Color::Yellow),
            _ => Cell::new("disabled").fg(Color::Yellow),
        },
        "Last used" => day("LastUsed"),
        _ => day("Expires"),
    }
}

/// `palisade keys reseal`: with the server stopped, since it holds the old sealing key.
fn reseal(args: &args::KeyReseal) -> Result<(), Failure> {
    opening::existing(&args.store)?;
    let store = opening::alone(&args.store)?;
    let (address, file) = (&args.store, args.key_file.as_deref());
    let vault = match args.forget_lost {
        true => sealing::left(address, file, &sealing::aloud)?,
        false => Some(sealing::vault(address, &*store, file, &sealing::aloud)?),
    };
    let new = Vault::new(&sealing::new_file(&args.new_key_file, &sealing::aloud)?);
    let opened = Opened { store, vault, actor: sealing::local()? };
    let done = opened.ring(false).reseal_under(&new, args.forget_lost).map_err(sealing::refused)?;
    for id in &done.forgotten {
        print_line(&format!("deleted {id}, whose secret nothing opens"))?;
    }
    print_line(&format!(
        "sealed the secrets of {} under key `{}` of `{}`; from now on say --key-file {}",
        report::counted(done.sealed as u64, "access key"),
        new.id(),
        args.new_key_file.display(),
        args.new_key_file.display()
    ))
}

/// The store's part of `palisade doctor`.
pub(crate) fn doctor(args: &args::Doctor) -> Result<Looked, Failure> {
    let store = opening::existing(&args.store)?;
    let control = store.control().map_err(failed)?;
    let work = store.work(SystemClock.now_ms()).map_err(failed)?;
    let keys = store.keys().map_err(failed)?;
    // A store's newest changes may be in its log alone.
    let size = store.effort().map_err(failed)?.bytes;
    let mut lines = Vec::new();
    let mut line = |name: &str, value: String| lines.push((name.to_owned(), value));
    line("store", format!("{}, {} KiB, schema up to date", args.store, size / 1024));
    line(
        "organization",
        match &control.organization {
            Some(organization) => format!(
                "{}: {} accounts in {} organizational units",
                organization.id,
                organization.accounts.len(),
                organization.units.len()
            ),
            None => "none yet; `palisade organization apply FILE` brings one".to_owned(),
        },
    );
    line(
        "administrators",
        match control.administrators.is_empty() {
            true => "none yet; AssociateAdminAccount makes one".to_owned(),
            false => control
                .administrators
                .keys()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", "),
        },
    );
    line("policies", control.policies.len().to_string());
    line("lists", control.lists.len().to_string());
    line(
        "keys",
        match keys.len() {
            0 => "none yet; `palisade keys create` makes one".to_owned(),
            n => {
                let disabled = keys.iter().filter(|key| !key.enabled).count();
                format!("{n}, {disabled} of them disabled; {}", sealed(&keys))
            }
        },
    );
    line(
        "work",
        match (work.dirty, work.leased) {
            (0, 0) => format!("none due, {} later", work.future),
            (dirty, leased) => format!(
                "{dirty} due, {leased} being done, {} later, the oldest waits {} s; `palisade serve` does it",
                work.future, work.oldest_seconds
            ),
        },
    );
    let folder = args.store.file().and_then(Path::parent);
    // A relative name without a folder is of this one.
    let folder = folder.map(|folder| if folder == Path::new("") { Path::new(".") } else { folder });
    let room = folder.and_then(Room::at);
    let mut found = findings::keys(&keys, control.organization.as_deref(), SystemClock.now_ms());
    found.extend(findings::disk(room));
    Ok((lines, found))
}

/// How the secrets of keys are kept.
fn sealed(keys: &[KeyRecord]) -> String {
    let under: BTreeSet<Option<&str>> = keys
        .iter()
        .map(|key| match &key.secret {
            StoredSecret::Plain(_) => None,
            StoredSecret::Sealed { under, .. } => Some(under.as_str()),
        })
        .collect();
    let told: Vec<String> = under
        .into_iter()
        .map(|under| match under {
            None => "secrets in the clear, to be sealed by `palisade serve`".to_owned(),
            Some(under) => format!("secrets sealed under key `{under}`"),
        })
        .collect();
    told.join("; ")
}

fn failed(error: StoreError) -> Failure {
    Failure::Refused(error.to_string())
}
