//! `GET /policies/{policy}/accounts/{account}/resource?type=&id=`

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use palisade_api::App;
use palisade_api::own::explanation::{Which, explain};
use palisade_api::own::{Refused, readers};
use palisade_core::evaluate::{self, Explained, Explanation};
use palisade_core::ident::{AccountId, PolicyId, ResourceId, ResourceType};
use palisade_core::ledger::ViolatorRow;
use serde_json::Value;

use crate::answer::page;
use crate::commands;
use crate::coverage::Covers;
use crate::frame::{Frame, Link};
use crate::pages::policy::{at_home, definition};
use crate::pages::standing::{named, reason};
use crate::reader::Reader;
use crate::shown::{Moment, Words};
use crate::state::AccountState;
use crate::views::resource::{Also, HeldAgainst, JudgedBy, Remedy, Resource, Violation};

/// Answers the page.
pub async fn show(
    State(app): State<Arc<App>>,
    Path((policy, account)): Path<(String, String)>,
    request: Request,
) -> Response {
    page(app, request, move |reader| resource(reader, &policy, &account)).await
}

fn resource(reader: &Reader<'_>, policy: &str, account: &str) -> Result<Resource, Refused> {
    let record = readers::policy(&reader.view, reader.caller(), policy)?;
    at_home(reader, &record)?;
    let account = named(reader, account)?;
    let key = asked(reader)?;
    let row = readers::violator(reader.app, &reader.view, &record, &account, &key)?;
    let which = Which {
        account: &account,
        region: &record.region,
        resource_type: Some(&key.0),
        named: key.1.as_str(),
    };
    let explained = explain(reader.app, &reader.view, reader.caller(), &record, which);
    // A violator of the ledger's that is gone by now is shown until it is judged again.
    let explained = match explained {
        Ok(explained) => Some(explained.explanation),
        Err(refused) if row.is_none() => return Err(refused),
        Err(_) => None,
    };
    let policy_page = reader.place.to(&format!("/policies/{policy}"));
    let standing_page = reader.place.to(&format!("/policies/{policy}/accounts/{account}"));
    let detail = format!(
        "get-violation-details --policy-id {policy} --member-account {account} --resource-type {}",
        key.0
    );
    let id = shell(key.1.as_str());
    let frame =
        Frame::covering(reader, "/violations", key.1.as_str(), &Covers::Account(account.clone()))?
            .below(vec![
                Link::to("Policies", reader.place.to("/policies")),
                Link::to(&record.document.policy_name, policy_page.clone()),
                Link::to(reader.name_of(&account).0, standing_page),
            ])
            .with_commands(vec![
                commands::palisade(reader, &format!("explain {policy} {account} {id}")),
                commands::palisade(reader, &format!("violators {policy} {account}")),
                commands::aws(reader, &format!("{detail} --resource-id {id}")),
                commands::curl(
                    reader,
                    &format!("/palisade/v1/policies/{policy}/accounts/{account}/violators"),
                ),
            ]);
    let entry =
        readers::account_violators(reader.app, &reader.as_of(), &record, &account, None, 0)?;
    let entry = entry.and_then(|(entry, _)| entry);
    let newest = frame.coverage.newest_ms.get(&account);
    Ok(Resource {
        policy: Words::from(&record.document.policy_name),
        policy_page,
        account_name: reader.name_of(&account),
        account_page: reader.place.to(&format!("/accounts/{account}")),
        waive: row.as_ref().map(|_| {
            let members = [
                ("policy", record.id.as_str()),
                ("account", account.as_str()),
                ("type", key.0.as_str()),
                ("id", key.1.as_str()),
            ];
            reader.place.with("/waivers/new", &members)
        }),
        history: reader.place.to(&format!("/policies/{}/accounts/{account}/history", record.id)),
        resource_type: Words::from(key.0.as_str()),
        resource: Words::from(key.1.as_str()),
        region: record.region.to_string(),
        state: state(row.is_some(), explained.as_ref()),
        since: row.as_ref().map(|row| Moment(row.began_ms())),
        sentence: Words(explained.as_ref().map(Explanation::sentence).unwrap_or_default()),
        held_against: explained.iter().flat_map(|one| &one.held_against).map(held).collect(),
        missing: explained
            .iter()
            .flat_map(Explanation::missing)
            .map(|one| Words::from(&one.gap.text))
            .collect(),
        known_by: explained
            .iter()
            .flat_map(Explanation::missing)
            .filter_map(|one| one.ends_by.as_ref().map(Words::from))
            .collect(),
        items: explained.iter().flat_map(|one| &one.items).map(judged_by).collect(),
        age_seconds: newest.map(|at_ms| Moment(*at_ms).ago(reader.now_ms)),
        judged: entry.map(|entry| Moment(entry.last_updated_ms)),
        violations: row
            .iter()
            .flat_map(|row| row.violations.iter().map(|found| violation(row, found)))
            .collect(),
        also: also(reader, &record.id, &account, &key)?,
        definition: definition(&record.document),
        account: account.to_string(),
        frame,
    })
}

/// How it stands: as the ledger has it where that is a violator.
fn state(is_violator: bool, explained: Option<&Explanation>) -> AccountState {
    match explained.map(|one| &one.verdict) {
        _ if is_violator => AccountState::Violates(1),
        Some(Explained::Violates { .. }) => AccountState::Violates(1),
        Some(Explained::Complies) => AccountState::Complies,
        Some(Explained::OutOfScope(_)) => AccountState::OutOfScope,
        Some(Explained::Unknown(_)) | None => AccountState::NotKnown,
    }
}

fn held(one: &evaluate::Held) -> HeldAgainst {
    HeldAgainst {
        what: Words::from(&one.what),
        wanted: Words::from(&one.wanted),
        found: Words::from(&one.found),
        fits: one.fits,
    }
}

fn judged_by(seen: &evaluate::ItemSeen) -> JudgedBy {
    JudgedBy {
        resource_type: Words::from(seen.key.resource_type.as_str()),
        resource: Words::from(seen.key.id.as_str()),
        state_id: seen.version.state.map(|state| state.to_string()).unwrap_or_default(),
        captured: Moment(seen.version.captured_ms),
        later: seen.unseen_since.as_ref().map(|later| Moment(later.captured_ms)),
    }
}

fn asked(reader: &Reader<'_>) -> Result<(ResourceType, ResourceId), Refused> {
    let of_type = ResourceType::try_from(reader.asked("type").unwrap_or_default()).ok();
    let id = ResourceId::try_from(reader.asked("id").unwrap_or_default()).ok();
    of_type.zip(id).ok_or_else(|| Refused::invalid("`type` and `id` must name a resource"))
}

/// Other policies of the Region that the same resource breaks.
fn also(
    reader: &Reader<'_>,
    but: &PolicyId,
    account: &AccountId,
    key: &(ResourceType, ResourceId),
) -> Result<Vec<Also>, Refused> {
    let mut also = Vec::new();
    for record in reader.policies().into_iter().filter(|record| record.id != *but) {
        let row = readers::violator(reader.app, &reader.view, record, account, key)?;
        let Some(row) = row else { continue };
        let path = format!("/policies/{}/accounts/{account}/resource", record.id);
        let members = [("type", key.0.as_str()), ("id", key.1.as_str())];
        also.push(Also {
            policy: Words::from(&record.document.policy_name),
            href: reader.place.with(&path, &members),
            since: Moment(row.began_ms()),
        });
    }
    Ok(also)
}

fn violation(row: &ViolatorRow, found: &evaluate::Violation) -> Violation {
    let finding = serde_json::to_value(&found.finding).unwrap_or_default();
    let alone = ViolatorRow { violations: vec![found.clone()], ..row.clone() };
    let details = serde_json::to_value(readers::details(&alone)).unwrap_or_default();
    let mut remedies = Vec::new();
    remedies_in(&details, &mut remedies);
    let mut summary = found.finding.summary();
    // Where the model has no member for it, the sentence says what would end the violation.
    if remedies.is_empty()
        && let Some((evidence, remedy)) = summary.split_once("; to end it: ")
    {
        remedies.push(Remedy { text: Words::from(remedy), is_default: true });
        summary = evidence.to_owned();
    }
    remedies.sort_by_key(|remedy| !remedy.is_default);
    Violation {
        reason: reason(found),
        summary: Words(summary),
        members: members(&finding),
        finding,
        remedies,
    }
}

/// What the model says would end a violation, wherever a family has it: an action with its description,
/// and whether it is the default.
fn remedies_in(details: &Value, remedies: &mut Vec<Remedy>) {
    match details {
        Value::Array(list) => list.iter().for_each(|one| remedies_in(one, remedies)),
        Value::Object(object) => {
            let text = object.get("Description").and_then(Value::as_str);
            let is_default = object.get("IsDefaultAction").and_then(Value::as_bool);
            if let (Some(text), Some(is_default)) = (text, is_default) {
                remedies.push(Remedy { text: Words::from(text), is_default });
                return;
            }
            object.values().for_each(|one| remedies_in(one, remedies));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The members of a finding that say something by themselves, in words.
fn members(finding: &Value) -> Vec<(String, Words)> {
    let Some(object) = finding.as_object() else { return Vec::new() };
    let is_told = |name: &str| ["kind", "remedies", "near_misses", "entries"].contains(&name);
    let told = object.iter().filter(|(name, _)| !is_told(name)).filter_map(|(name, value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(true) => "yes".to_owned(),
            Value::Bool(false) => "no".to_owned(),
            Value::Array(list) if !list.is_empty() && list.iter().all(Value::is_string) => {
                list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
            }
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        Some((name.replace('_', " "), Words(text)))
    });
    told.collect()
}

/// As one word of a shell.
fn shell(text: &str) -> String {
    format!("'{}'", palisade_api::printable::escaped(text).replace('\'', "'\\''"))
}
