//! `/keys`: all keys for the operator; others are told what their own lets them see.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use palisade_api::App;
use palisade_api::own::{Refused, in_process, moment};
use palisade_api::printable::is_hidden;
use palisade_api::visit::{Form, Sender};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::acting::{Done, Size, act};
use crate::answer::{page, read};
use crate::commands;
use crate::coverage::Covers;
use crate::frame::Frame;
use crate::pages::changes::read_moment;
use crate::paging;
use crate::reader::Reader;
use crate::shown::{Moment, Words};
use crate::views::keys::{KeyRow, Keys, Made, ToConfirm};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Answers the page.
pub async fn show(State(app): State<Arc<App>>, request: Request) -> Response {
    page(app, request, |reader| keys(reader, None, "")).await
}

/// What the endpoint answers.
#[derive(Deserialize)]
struct Told {
    keys: Vec<ToldKey>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ToldKey {
    access_key_id: String,
    account: Option<String>,
    status: String,
    created: String,
    last_used: Option<String>,
    replaces: Option<String>,
    name: Option<String>,
    role: String,
    expires: Option<String>,
    warning: Option<String>,
    secret_access_key: Option<String>,
}

fn keys(reader: &Reader<'_>, made: Option<Made>, error: &str) -> Result<Keys, Refused> {
    let own = reader.visitor.session().map(|session| session.access_key_id().to_owned());
    let all = match reader.caller().is_operator() {
        true => {
            let told: Told = read(in_process::keys(reader.app, reader.visitor)?)?;
            let rows = told.keys.into_iter().map(|key| row(reader, key, own.as_deref()));
            Some(paging::page(reader, rows.collect())?)
        }
        false => None,
    };
    let (all, paging) = all.unzip();
    let mut frame = Frame::covering(reader, "/keys", "Access keys", &Covers::Nothing)?;
    match all {
        Some(_) => {
            frame = frame.with_commands(vec![
                commands::palisade(reader, "keys list"),
                commands::curl(reader, "/palisade/v1/keys"),
            ]);
        }
        None => frame.exports.clear(),
    }
    Ok(Keys {
        own,
        may: may(reader),
        keys: all,
        paging,
        made,
        to_confirm: None,
        error: palisade_api::printable::escaped(error).into_owned(),
        account: String::new(),
        name: String::new(),
        action: reader.place.to("/keys"),
        frame,
    })
}

/// What the caller may see and do, in a sentence.
fn may(reader: &Reader<'_>) -> &'static str {
    if !reader.caller().may_change() {
        return "A reader's key sees everything that its account, or the operator, may see, and changes nothing.";
    }
    let administrator =
        reader.caller().account.as_ref().map(|account| reader.view.administrator(account));
    match administrator {
        None => {
            "The operator sees and changes everything: every policy, every waiver, the audit log and all keys."
        }
        Some(Some(known)) if known.default => {
            "The default administrator sees what its own policies found, in every account that it manages, puts policies and waives what they find."
        }
        Some(Some(_)) => {
            "An administrator sees what its own policies found, in the accounts, units and Regions of its scope, puts policies there and waives what they find."
        }
        Some(None) => {
            "An account that administers nothing reads of itself: its units, its Regions and the age of their inventory. Policies are told to those who own them."
        }
    }
}

fn row(reader: &Reader<'_>, key: ToldKey, own: Option<&str>) -> KeyRow {
    let organization = reader.organization();
    let name = key.account.as_deref().and_then(|id| organization?.accounts.get(id));
    KeyRow {
        is_own: own == Some(key.access_key_id.as_str()),
        id: Words(key.access_key_id),
        account_name: Words(name.map(|known| known.name.to_string()).unwrap_or_default()),
        account: key.account,
        is_active: key.status == "Active",
        is_expired: key.status == "Expired",
        name: Words(key.name.unwrap_or_default()),
        is_reader: key.role == "reader",
        expires: key.expires.as_deref().and_then(read_moment),
        created: read_moment(&key.created).unwrap_or(Moment(0)),
        last_used: key.last_used.as_deref().and_then(read_moment),
        replaces: key.replaces.map(Words),
    }
}

/// Makes, replaces, disables, enables or forgets a key.
pub async fn change(State(app): State<Arc<App>>, request: Request) -> Response {
    act(app, request, Size::Small, |reader, sender, form| {
        match done(reader, sender, form) {
            // The secret is on no page that could be loaded again.
            Ok(Some(made)) => Ok(Done::Shown(keys(reader, Some(made), "")?)),
            Ok(None) => Ok(Done::To(reader.place.to("/keys"))),
            Err(refused) if refused.status.is_client_error() => {
                let mut page = keys(reader, None, &refused.message)?;
                let typed = form.member("account");
                page.account = typed.chars().filter(|c| c.is_ascii_digit()).collect();
                page.to_confirm = to_confirm(&refused, form);
                page.name = form.member("name").chars().filter(|c| !is_hidden(*c)).collect();
                Ok(Done::Refused(page, refused.status))
            }
            Err(refused) => Err(refused),
        }
    })
    .await
}

fn done(reader: &Reader<'_>, sender: &Sender, form: &Form) -> Result<Option<Made>, Refused> {
    let (app, id) = (reader.app, form.member("key"));
    let confirmed = !form.member("confirm").is_empty();
    let status = |status: &str| {
        in_process::change_key(app, sender, id, &json!({ "Status": status }), confirmed)
    };
    match form.member("act") {
        "make" => {
            let mut body = match form.member("account").trim() {
                "" => json!({ "operator": true }),
                account => json!({ "account": account }),
            };
            let text = |member: &str| Some(form.member(member).trim()).filter(|it| !it.is_empty());
            if let Some(members) = body.as_object_mut() {
                members.insert("name".to_owned(), text("name").into());
                members.insert("role".to_owned(), text("role").into());
                members.insert("expires".to_owned(), end_of(reader, text("days"))?.into());
            }
            made(in_process::make_key(app, sender, &body)?).map(Some)
        }
        "rotate" => made(in_process::rotate_key(app, sender, id)?).map(Some),
        "disable" => status("Inactive").map(|_| None),
        "enable" => status("Active").map(|_| None),
        "delete" => in_process::delete_key(app, sender, id, confirmed).map(|_| None),
        other => Err(Refused::invalid(format!("`{other}` is nothing that is done to a key"))),
    }
}

/// What is done when somebody confirms it: to the last operator key that works.
fn to_confirm(refused: &Refused, form: &Form) -> Option<ToConfirm> {
    let act = match form.member("act") {
        "disable" => ("disable", "Disable"),
        "delete" => ("delete", "Delete"),
        _ => return None,
    };
    let is_last = refused.code == "LastOperatorKey";
    is_last.then(|| ToConfirm { act: act.0, name: act.1, key: Words::from(form.member("key")) })
}

/// When a key ends that lasts so many days; none lasts until it is deleted.
fn end_of(reader: &Reader<'_>, days: Option<&str>) -> Result<Option<String>, Refused> {
    let Some(text) = days else { return Ok(None) };
    let days: Option<i64> = text.parse().ok();
    let ahead_ms = days.filter(|days| *days > 0).and_then(|days| days.checked_mul(DAY_MS));
    let end_ms = ahead_ms.and_then(|ahead_ms| reader.now_ms.checked_add(ahead_ms));
    let none = || Refused::invalid(format!("`{text}` is no number of days; give 1 to 3650"));
    end_ms.map(|end_ms| Some(moment(end_ms))).ok_or_else(none)
}

fn made(told: Value) -> Result<Made, Refused> {
    let key: ToldKey = read(told)?;
    Ok(Made {
        warning: key.warning.map(Words),
        name: Words(key.name.unwrap_or_default()),
        id: key.access_key_id,
        secret: key.secret_access_key.unwrap_or_default(),
        acts_as: key
            .account
            .map_or("the operator".to_owned(), |account| format!("account {account}")),
    })
}
