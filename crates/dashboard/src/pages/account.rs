//! `GET /accounts/{account}`

use std::cmp::Reverse;
use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use palisade_api::App;
use palisade_api::known::Known;
use palisade_api::own::{Refused, readers};
use palisade_core::ident::{AccountId, Region, ShardId};
use palisade_store::PolicyRecord;

use crate::answer::page;
use crate::commands;
use crate::coverage::Covers;
use crate::frame::Frame;
use crate::pages::policy::unit;
use crate::pages::standing::{issues, named};
use crate::paging;
use crate::place::Place;
use crate::reader::Reader;
use crate::shown::{Moment, Words};
use crate::state::AccountState;
use crate::views::account::{Account, PolicyRow, RegionRow};

/// Answers the page.
pub async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    page(app, request, move |reader| account(reader, &id)).await
}

fn account(reader: &Reader<'_>, id: &str) -> Result<Account, Refused> {
    let id = named(reader, id)?;
    let (about, others): (Vec<_>, Vec<_>) = reader
        .policies()
        .into_iter()
        .partition(|record| reader.view.in_scope(&record.id).binary_search(&id).is_ok());
    let policies: Vec<&PolicyRecord> = about.iter().map(|record| &***record).collect();
    let mut commands = vec![commands::palisade(reader, &format!("compliance --account {id}"))];
    commands.extend(commands::of_each(
        reader,
        &policies,
        &format!("get-compliance-detail --member-account {id}"),
        &format!("accounts/{id}/violators"),
    ));
    let frame =
        Frame::covering(reader, "/heatmap", reader.name_of(&id), &Covers::Account(id.clone()))?
            .below(vec![crate::frame::Link::to("Heatmap", reader.place.to("/heatmap"))])
            .with_commands(commands);
    let rows: Result<Vec<PolicyRow>, Refused> =
        about.into_iter().map(|record| policy_row(reader, record, &id)).collect();
    let mut rows = rows?;
    rows.sort_by_key(|row| Reverse(row.state));
    let all = rows.iter().map(|row| row.state);
    let violators = all.clone().map(AccountState::violators).sum();
    let state = match all.max() {
        Some(AccountState::Violates(_)) => AccountState::Violates(violators),
        other => other.unwrap_or(AccountState::OutOfScope),
    };
    let (policies, paging) = paging::page(reader, rows)?;
    let known = reader.organization().and_then(|known| known.accounts.get(&id));
    let status = known.and_then(|known| serde_json::to_value(known.status).ok());
    let regions: Result<Vec<RegionRow>, Refused> =
        reader.regions().into_iter().map(|region| region_row(reader, region, &id)).collect();
    let query = format!("account:{id}");
    Ok(Account {
        account: id.to_string(),
        name: reader.name_of(&id),
        unit: unit(reader, &id),
        status: status.and_then(|status| Some(status.as_str()?.to_owned())).unwrap_or_default(),
        is_judged: known.is_some_and(|known| known.status.is_judged()),
        is_administrator: reader.view.administrator(&id).is_some(),
        state,
        policies,
        paging,
        out_of_scope: others.len().into(),
        regions: regions?,
        violations: reader.place.with("/violations", &[("q", &query)]),
        history: crate::reader::is_told(reader)
            .then(|| reader.place.with("/history", &[("account", id.as_str())])),
        frame,
    })
}

fn policy_row(
    reader: &Reader<'_>,
    record: &Arc<PolicyRecord>,
    account: &AccountId,
) -> Result<PolicyRow, Refused> {
    let read = readers::account_violators(reader.app, &reader.as_of(), record, account, None, 0)?;
    let entry = read.and_then(|(entry, _)| entry);
    let known = Known::in_scope(record, entry.as_ref());
    Ok(PolicyRow {
        name: Words::from(&record.document.policy_name),
        policy: record.id.to_string(),
        href: reader.place.to(&format!("/policies/{}/accounts/{account}", record.id)),
        state: AccountState::of(&known),
        issues: issues(&known),
        judged: known.row.map(|row| Moment(row.last_updated_ms)),
    })
}

fn region_row(
    reader: &Reader<'_>,
    region: Region,
    account: &AccountId,
) -> Result<RegionRow, Refused> {
    let shard = ShardId { account: account.clone(), region };
    // How old it was at a moment of the past is not kept.
    let newest_ms = match reader.at_ms {
        None => reader.app.store.newest_ms(&shard)?,
        Some(_) => None,
    };
    let newest = newest_ms.map(|at_ms| Moment(at_ms.min(reader.now_ms)));
    let age = newest.map(|newest| newest.ago(reader.now_ms));
    let stale_after = reader.app.settings.stale_after_ms;
    let place = Place { region: shard.region.clone(), ..reader.place.clone() };
    Ok(RegionRow {
        region: shard.region.to_string(),
        href: place.to(reader.path),
        newest,
        age_seconds: age,
        is_stale: age.zip(stale_after).is_some_and(|(age, stale)| age.0 >= stale / 1_000),
    })
}
