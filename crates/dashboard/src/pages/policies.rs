//! `GET /policies`

use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use palisade_api::App;
use palisade_api::own::Refused;

use crate::answer::page;
use crate::commands;
use crate::frame::Frame;
use crate::pages::scope;
use crate::paging;
use crate::reader::Reader;
use crate::shown::{Moment, Words};
use crate::survey::{Column, Survey};
use crate::views::policies::{Policies, PolicyRow};

/// Answers the page.
pub async fn show(State(app): State<Arc<App>>, request: Request) -> Response {
    page(app, request, policies).await
}

fn policies(reader: &Reader<'_>) -> Result<Policies, Refused> {
    let frame = Frame::of(reader, "/policies", "Policies")?.with_commands(vec![
        commands::palisade(reader, "policies list"),
        commands::aws(reader, "list-policies"),
        commands::curl(reader, "/palisade/v1/policies"),
    ]);
    let survey = Survey::of(reader)?;
    let mut rows: Vec<PolicyRow> =
        survey.columns.iter().map(|column| row(reader, column)).collect();
    rows.sort_by(order);
    let (policies, paging) = paging::page(reader, rows)?;
    let account = reader.caller().account.as_ref();
    let is_member = account.is_some_and(|account| reader.view.administrator(account).is_none());
    let new = reader.place.to("/policies/new");
    Ok(Policies { frame, new, policies, paging, is_member })
}

/// The most violators first, then the most that is not known; level ones by name.
pub fn order(one: &PolicyRow, other: &PolicyRow) -> Ordering {
    let key = |row: &PolicyRow| {
        let unknown = row.tally.not_known.0.saturating_add(row.tally.not_judged.0);
        (!row.is_parsed, row.tally.violators.0, unknown)
    };
    let by_name = || (&one.name, &one.policy).cmp(&(&other.name, &other.policy));
    Reverse(key(one)).cmp(&Reverse(key(other))).then_with(by_name)
}

/// One policy as a row.
pub fn row(reader: &Reader<'_>, column: &Column) -> PolicyRow {
    let record = &column.record;
    let document = &record.document;
    PolicyRow {
        name: Words::from(&document.policy_name),
        policy: record.id.to_string(),
        href: reader.place.to(&format!("/policies/{}", record.id)),
        policy_type: Words::from(&document.security_service_policy_data.policy_type),
        scope: Words(scope::accounts(document, reader.organization())),
        resources: Words(scope::resources(document)),
        is_parsed: column.is_parsed,
        tally: column.tally(),
        edited: Moment(record.updated_ms),
        remediation: document.remediation_enabled,
    }
}
