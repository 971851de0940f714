//! `GET /heatmap` and `GET /heatmap/cells`

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use palisade_api::App;
use palisade_api::own::Refused;
use palisade_api::visit::{Turned, visit};
use palisade_core::ident::{AccountId, Region};
use palisade_store::PolicyRecord;

use crate::answer::{page, query, refusal, sent};
use crate::commands;
use crate::frame::Frame;
use crate::pages::policy::unit;
use crate::paging;
use crate::reader::Reader;
use crate::shown::Words;
use crate::state::AccountState;
use crate::survey::{Column, Survey};
use crate::views::heatmap::{Cells, HeatCell, HeatRow, Heatmap, PolicyHead, StateShape, cell, row};

/// Policies beside each other in the table.
pub const COLUMNS_MAX: usize = 12;

/// Answers the page.
pub async fn show(State(app): State<Arc<App>>, request: Request) -> Response {
    page(app, request, heatmap).await
}

fn heatmap(reader: &Reader<'_>) -> Result<Heatmap, Refused> {
    let survey = Survey::of(reader)?;
    let all: Vec<&PolicyRecord> = survey.columns.iter().map(|column| &*column.record).collect();
    let mut commands = vec![commands::palisade(reader, "compliance --matrix")];
    commands.extend(commands::of_each(
        reader,
        &all,
        "list-compliance-status",
        "accounts?limit=1000",
    ));
    let frame = Frame::of(reader, "/heatmap", "Heatmap")?.with_commands(commands);
    let (accounts, paging) = paging::page(reader, grouped(reader))?;
    let from = first_column(reader, survey.columns.len())?;
    let columns: Vec<&Column> = survey.columns.iter().skip(from).take(COLUMNS_MAX).collect();
    let to_column =
        |from: usize| reader.place.again(reader.path, reader.query, &[("from", &from.to_string())]);
    let end = from.saturating_add(columns.len());
    let to_view = |view: &str| reader.place.with(reader.path, &[("view", view)]);
    Ok(Heatmap {
        is_table: reader.asked("view") == Some("table"),
        policies: columns.iter().map(|column| head(reader, column)).collect(),
        left: (from > 0).then(|| to_column(from.saturating_sub(COLUMNS_MAX))),
        right: (end < survey.columns.len()).then(|| to_column(end)),
        policy_count: survey.columns.len().into(),
        account_count: paging.all.unwrap_or_default(),
        accounts: accounts.iter().map(|account| heat_row(reader, &columns, account)).collect(),
        paging,
        picture: to_view(""),
        table: to_view("table"),
        cells: reader.place.to("/heatmap/cells"),
        frame,
    })
}

fn first_column(reader: &Reader<'_>, count: usize) -> Result<usize, Refused> {
    let Some(text) = reader.asked("from") else { return Ok(0) };
    let from = text.parse().ok().filter(|from| *from < count.max(1));
    from.ok_or_else(|| Refused::invalid(format!("`from` is `{text}`; there are {count} policies")))
}

fn head(reader: &Reader<'_>, column: &Column) -> PolicyHead {
    PolicyHead {
        name: Words::from(&column.record.document.policy_name),
        policy: column.record.id.to_string(),
        href: reader.place.to(&format!("/policies/{}", column.record.id)),
    }
}

fn heat_row(reader: &Reader<'_>, columns: &[&Column], account: &AccountId) -> HeatRow {
    let cell = |column: &&Column| {
        let state = column.state(account);
        let path = format!("/policies/{}/accounts/{account}", column.record.id);
        let href = match state {
            AccountState::OutOfScope => String::new(),
            _ => reader.place.to(&path),
        };
        HeatCell { state: StateShape { state }, href }
    };
    HeatRow {
        name: reader.name_of(account),
        account: account.to_string(),
        unit: unit(reader, account),
        href: reader.place.to(&format!("/accounts/{account}")),
        states: columns.iter().map(cell).collect(),
    }
}

/// The accounts that the caller reads of, by unit, then name.
fn grouped<'r>(reader: &'r Reader<'_>) -> Vec<&'r AccountId> {
    let mut accounts: Vec<(String, String, &AccountId)> = reader
        .accounts()
        .into_iter()
        .map(|account| (unit(reader, account).0, reader.name_of(account).0, account))
        .collect();
    accounts.sort();
    accounts.into_iter().map(|(_, _, account)| account).collect()
}

/// Answers what the script draws.
pub async fn cells(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let asked = match query(&parts) {
        Ok(asked) => asked,
        Err(refused) => return refusal(&parts, None, &refused),
    };
    let made = visit(&app, &parts, Region::home_of_global(), move |app, visitor| {
        let reader = Reader::of(app, visitor, "/heatmap", &asked, "")?;
        let survey = Survey::of(&reader)?;
        serde_json::to_vec(&drawn(&reader, &survey))
            .map_err(|error| Refused::invalid(error.to_string()))
    });
    match made.await {
        Ok(bytes) => sent(StatusCode::OK, "application/json", bytes),
        Err(Turned::Refused(refused)) => refusal(&parts, None, &refused),
        Err(Turned::Stranger | Turned::FromElsewhere) => {
            sent(StatusCode::UNAUTHORIZED, "application/json", b"{}".to_vec())
        }
    }
}

fn drawn(reader: &Reader<'_>, survey: &Survey) -> Cells {
    let accounts = grouped(reader);
    let mut units: Vec<String> = Vec::new();
    let mut rows = Vec::with_capacity(accounts.len());
    for account in accounts {
        let unit = unit(reader, account).to_string();
        // Accounts are by unit: one that is new is another than the last.
        if units.last() != Some(&unit) {
            units.push(unit);
        }
        let place = units.len().saturating_sub(1);
        let cells: String =
            survey.columns.iter().map(|column| cell(column.state(account))).collect();
        rows.push(row(account.as_str(), place, &cells, &reader.name_of(account).to_string()));
    }
    let policy = |column: &Column| {
        let name = Words::from(&column.record.document.policy_name);
        (column.record.id.to_string(), name.to_string())
    };
    Cells { policies: survey.columns.iter().map(policy).collect(), units, accounts: rows }
}
