//! `palisade keys` and `palisade doctor`: commands that open the store themselves.

use std::fmt::Write as _;
use std::path::Path;

use palisade_api::{Clock as _, mint};
use palisade_store::sqlite::SqliteStore;
use palisade_store::{KeyRecord, Store, StoreError};
use serde_json::json;

use crate::args::{self, Output};
use crate::check::print;
use crate::failure::{Exit, Failure, Outcome};
use crate::system::{SystemClock, SystemEntropy};
use crate::{report, serve};

/// `palisade keys …`
pub fn run(command: &args::Keys) -> Outcome {
    match command {
        args::Keys::Create(args) => create(args),
        args::Keys::List(args) => list(args),
    }
}

fn create(args: &args::KeyCreate) -> Outcome {
    let store = serve::open(&args.store.0)?;
    let (access_key_id, secret) = mint::access_key(&SystemEntropy)
        .map_err(|error| Failure::Refused(format!("no random bytes can be had: {error}")))?;
    let key = KeyRecord {
        access_key_id,
        secret,
        account: args.account.clone(),
        created_ms: SystemClock.now_ms(),
    };
    store.create_key(&key).map_err(failed)?;
    let text = match args.output {
        Output::Json => {
            let account = key.account.as_ref().map(ToString::to_string);
            let shown = json!({
                "AccessKeyId": key.access_key_id,
                "SecretAccessKey": key.secret,
                "Account": account,
            });
            format!("{shown:#}\n")
        }
        Output::Csv => {
            let account = key.account.as_ref().map(ToString::to_string).unwrap_or_default();
            let header = report::csv_line(&["AccessKeyId", "SecretAccessKey", "Account"]);
            header + &report::csv_line(&[&key.access_key_id, &key.secret, &account])
        }
        Output::Table => {
            let who = match &key.account {
                Some(account) => format!("account {account}"),
                None => "the operator".to_owned(),
            };
            format!(
                "key for {who}; the secret is not shown again:\n\
                 export AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}\n",
                key.access_key_id, key.secret
            )
        }
    };
    print(&text)?;
    Ok(Exit::Done)
}

fn list(args: &args::KeyList) -> Outcome {
    let store = existing(&args.store.0)?;
    let keys = store.keys().map_err(failed)?;
    let created = |key: &KeyRecord| {
        jiff::Timestamp::from_millisecond(key.created_ms)
            .map_or_else(|_| key.created_ms.to_string(), |moment| moment.to_string())
    };
    let text = match args.output {
        Output::Json => {
            let shown: Vec<_> = keys
                .iter()
                .map(|key| {
                    json!({
                        "AccessKeyId": key.access_key_id,
                        "Account": key.account.as_ref().map(ToString::to_string),
                        "created": created(key),
                    })
                })
                .collect();
            format!("{:#}\n", json!({"keys": shown}))
        }
        Output::Csv => {
            let mut text = report::csv_line(&["AccessKeyId", "Account", "Created"]);
            for key in &keys {
                let account = key.account.as_ref().map(ToString::to_string).unwrap_or_default();
                text.push_str(&report::csv_line(&[&key.access_key_id, &account, &created(key)]));
            }
            text
        }
        Output::Table => {
            let mut table = report::table();
            table.set_header(["Access key id", "Acts as", "Created"]);
            for key in &keys {
                let who = key.account.as_ref().map_or("operator".to_owned(), ToString::to_string);
                table.add_row([key.access_key_id.clone(), who, created(key)]);
            }
            report::finished(&table)
        }
    };
    print(&text)?;
    Ok(Exit::Done)
}

/// `palisade doctor`
pub fn doctor(args: &args::Doctor) -> Outcome {
    let path = &args.store.0;
    let store = existing(path)?;
    let control = store.control().map_err(failed)?;
    let work = store.work(SystemClock.now_ms()).map_err(failed)?;
    let keys = store.keys().map_err(failed)?;
    let size = std::fs::metadata(path).map(|facts| facts.len()).unwrap_or_default();
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name:<16}{value}");
    };
    line("store", format!("{}, {} KiB, schema up to date", path.display(), size / 1024));
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
            n => n.to_string(),
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
    print(&text)?;
    Ok(Exit::Done)
}

/// Opens a store that is there: looking must not make one.
fn existing(path: &Path) -> Result<SqliteStore, Failure> {
    if !path.exists() {
        return Err(Failure::Usage(format!(
            "there is no store at `{}`; say where it is with --store sqlite:PATH",
            path.display()
        )));
    }
    serve::open(path)
}

fn failed(error: StoreError) -> Failure {
    Failure::Refused(error.to_string())
}
