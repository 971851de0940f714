//! `GET /policies/{policy}`

use std::cmp::Reverse;
use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use palisade_api::App;
use palisade_api::own::{Refused, readers};
use palisade_api::printable::escaped_json;
use palisade_core::ident::AccountId;
use palisade_core::policy::Document;
use palisade_store::PolicyRecord;
use serde_json::Value;

use crate::answer::page;
use crate::commands;
use crate::frame::{Frame, Link};
use crate::pages::policies::row;
use crate::paging;
use crate::reader::Reader;
use crate::shown::{Moment, Words};
use crate::survey;
use crate::views::policy::{AccountRow, Policy, PolicyLinks};

/// Answers the page.
pub async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    page(app, request, move |reader| policy(reader, &id)).await
}

fn policy(reader: &Reader<'_>, id: &str) -> Result<Policy, Refused> {
    let record = readers::policy(&reader.view, reader.caller(), id)?;
    at_home(reader, &record)?;
    let name = Words::from(&record.document.policy_name);
    let frame = Frame::of(reader, "/policies", name)?
        .below(vec![Link::to("Policies", reader.place.to("/policies"))])
        .with_commands(vec![
            commands::palisade(reader, &format!("compliance {id}")),
            commands::aws(reader, &format!("list-compliance-status --policy-id {id}")),
            commands::curl(reader, &format!("/palisade/v1/policies/{id}/accounts")),
        ]);
    let column = survey::one(reader, &record)?;
    let mut states: Vec<_> = column.states().collect();
    states.sort_by_key(|(account, state)| (Reverse(*state), *account));
    let (states, paging) = paging::page(reader, states)?;
    let accounts = states.into_iter().map(|(account, state)| AccountRow {
        name: reader.name_of(account),
        account: account.to_string(),
        unit: unit(reader, account),
        href: reader.place.to(&format!("/policies/{id}/accounts/{account}")),
        state,
        age_seconds: (frame.coverage.newest_ms.get(account))
            .map(|at_ms| Moment(*at_ms).ago(reader.now_ms)),
    });
    let accounts = accounts.collect();
    let query = format!("policy:{id}");
    Ok(Policy {
        accounts,
        policy: row(reader, &column),
        owner: record.owner.to_string(),
        description: Words::from(record.document.policy_description.as_deref().unwrap_or_default()),
        paging,
        definition: definition(&record.document),
        violations: reader.place.with("/violations", &[("q", &query)]),
        links: PolicyLinks {
            history: reader.place.with("/history", &[("policy", id)]),
            changes: reader.place.with("/changes", &[("policy", id)]),
            waive: reader.place.now().with("/waivers/new", &[("policy", id)]),
            edit: reader.place.now().to(&format!("/policies/{id}/edit")),
            delete: reader.place.now().to(&format!("/policies/{id}/delete")),
        },
        frame,
    })
}

/// A policy is of one Region: its page in another one would show nothing of it.
///
/// # Errors
/// The Region of the address is another.
pub fn at_home(reader: &Reader<'_>, record: &PolicyRecord) -> Result<(), Refused> {
    if record.region == reader.place.region {
        return Ok(());
    }
    Err(Refused::not_found(format!(
        "policy `{}` is one of {}, and this page is of {}; choose that Region",
        record.id, record.region, reader.place.region
    )))
}

/// The names of the units above an account, the outermost first.
pub fn unit(reader: &Reader<'_>, account: &AccountId) -> Words {
    let Some(organization) = reader.organization() else { return Words::from("") };
    let above = organization.ancestors(account);
    let names = above.iter().rev().filter_map(|id| organization.units.get(id));
    Words(names.map(|unit| &*unit.name).collect::<Vec<_>>().join(" / "))
}

/// The document in lines, the JSON inside of it as JSON.
pub fn definition(document: &Document) -> String {
    let mut told = serde_json::to_value(document).unwrap_or_default();
    let data = told.pointer_mut("/SecurityServicePolicyData/ManagedServiceData");
    if let Some(data) = data
        && let Some(parsed) =
            data.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok())
    {
        *data = parsed;
    }
    escaped_json(&format!("{told:#}")).into_owned()
}
