//! `GET /policies/{policy}/accounts/{account}`

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use palisade_api::App;
use palisade_api::known::Known;
use palisade_api::own::{Refused, readers};
use palisade_core::ident::{AccountId, ResourceId, ResourceType};
use palisade_core::ledger;
use palisade_store::PolicyRecord;

use crate::answer::page;
use crate::commands;
use crate::coverage::Covers;
use crate::frame::{Frame, Link};
use crate::pages::policy::{at_home, definition};
use crate::reader::{ROWS_MAX, Reader};
use crate::shown::{Moment, Words};
use crate::state::AccountState;
use crate::views::Paging;
use crate::views::standing::{Issue, Standing, ViolatorRow, Waived};

/// Answers the page.
pub async fn show(
    State(app): State<Arc<App>>,
    Path((policy, account)): Path<(String, String)>,
    request: Request,
) -> Response {
    page(app, request, move |reader| standing(reader, &policy, &account)).await
}

fn standing(reader: &Reader<'_>, policy: &str, account: &str) -> Result<Standing, Refused> {
    let record = readers::policy(&reader.view, reader.caller(), policy)?;
    at_home(reader, &record)?;
    let account = named(reader, account)?;
    let name = reader.name_of(&account);
    let title = format!("{} under {}", name.0, record.document.policy_name);
    let frame = Frame::covering(reader, "/policies", title, &Covers::Account(account.clone()))?
        .below(vec![
            Link::to("Policies", reader.place.to("/policies")),
            Link::to(&record.document.policy_name, reader.place.to(&format!("/policies/{policy}"))),
        ])
        .with_commands(vec![
            commands::palisade(reader, &format!("violators {policy} {account}")),
            commands::aws(
                reader,
                &format!("get-compliance-detail --policy-id {policy} --member-account {account}"),
            ),
            commands::curl(
                reader,
                &format!("/palisade/v1/policies/{policy}/accounts/{account}/violators"),
            ),
        ]);
    let after = behind(reader)?;
    // One more than is shown tells whether there is another page.
    let limit = ROWS_MAX.saturating_add(1);
    let as_of = reader.as_of();
    let read =
        readers::account_violators(reader.app, &as_of, &record, &account, after.as_ref(), limit)?;
    let is_in_scope = read.is_some();
    let (row, mut violators) = read.unwrap_or_default();
    let known = match is_in_scope {
        true => Known::in_scope(&record, row.as_ref()),
        false => Known::out_of_scope(),
    };
    let more = violators.len() > ROWS_MAX;
    violators.truncate(ROWS_MAX);
    let next = violators.last().filter(|_| more).map(|last| {
        let position =
            [("after-type", last.resource_type.as_str()), ("after-id", last.id.as_str())];
        reader.place.with(reader.path, &position)
    });
    let state = AccountState::of(&known);
    let age = frame.coverage.newest_ms.get(&account);
    let first = after.as_ref().map(|_| reader.place.to(reader.path));
    let count = violators.len();
    let waiving = as_of.waiving(reader.app, &record);
    Ok(Standing {
        policy: Words::from(&record.document.policy_name),
        account_page: reader.place.to(&format!("/accounts/{account}")),
        history: reader.place.to(&format!("/policies/{policy}/accounts/{account}/history")),
        definition: definition(&record.document),
        state,
        issues: issues(&known),
        judged: known.row.map(|row| Moment(row.last_updated_ms)),
        since: known.row.map(|row| Moment(row.entry.since_ms)),
        age_seconds: age.map(|at_ms| Moment(*at_ms).ago(reader.now_ms)),
        paging: Paging {
            first: usize::from(count > 0).into(),
            last: count.into(),
            all: (after.is_none() && next.is_none()).then(|| count.into()),
            before: first,
            next,
        },
        violators: violators
            .into_iter()
            .map(|violator| violator_row(reader, &record, &account, violator, &waiving))
            .collect(),
        account: account.to_string(),
        account_name: name,
        frame,
    })
}

/// An account of the organization that the caller reads of.
///
/// # Errors
/// NotFound
pub fn named(reader: &Reader<'_>, account: &str) -> Result<AccountId, Refused> {
    AccountId::try_from(account)
        .ok()
        .filter(|id| reader.organization().is_some_and(|known| known.accounts.contains_key(id)))
        .filter(|id| reader.reads(id))
        .ok_or_else(|| {
            Refused::not_found(format!("account `{account}` is not in the organization"))
        })
}

/// The issues of what is known, by service.
pub fn issues(known: &Known<'_>) -> Vec<Issue> {
    let issues = known.issues.iter().map(|(service, text)| {
        // As `IssueInfoMap` names it.
        let service = serde_json::to_value(service).unwrap_or_default();
        let service = service.as_str().unwrap_or_default().to_owned();
        Issue { service, text: Words::from(text) }
    });
    issues.collect()
}

fn behind(reader: &Reader<'_>) -> Result<Option<(ResourceType, ResourceId)>, Refused> {
    let (Some(of_type), Some(id)) = (reader.asked("after-type"), reader.asked("after-id")) else {
        return Ok(None);
    };
    let read = ResourceType::try_from(of_type).ok().zip(ResourceId::try_from(id).ok());
    let unread = || Refused::invalid("`after-type` and `after-id` name no resource");
    read.map(Some).ok_or_else(unread)
}

/// A violator as a row.
pub fn violator_row(
    reader: &Reader<'_>,
    record: &PolicyRecord,
    account: &AccountId,
    violator: ledger::ViolatorRow,
    waiving: &readers::Waiving<'_>,
) -> ViolatorRow {
    let path = format!("/policies/{}/accounts/{account}/resource", record.id);
    let members = [("type", violator.resource_type.as_str()), ("id", violator.id.as_str())];
    let waived = waiving.of(account, &violator).map(|waiver| Waived {
        waiver: waiver.id.to_string(),
        reason: Words::from(&waiver.reason),
        until: Moment(waiver.until_ms),
        href: reader.place.to(&format!("/waivers/{}", waiver.id)),
    });
    ViolatorRow {
        waived,
        policy: Words::from(&record.document.policy_name),
        account: account.to_string(),
        account_name: reader.name_of(account),
        href: reader.place.with(&path, &members),
        resource_type: Words::from(violator.resource_type.as_str()),
        resource: Words::from(violator.id.as_str()),
        reason: violator.violations.first().map(reason).unwrap_or_default(),
        evidence: violator.violations.iter().map(|one| Words(one.finding.summary())).collect(),
        since: Moment(violator.began_ms()),
    }
}

/// The model's word for why.
pub fn reason(violation: &palisade_core::evaluate::Violation) -> String {
    let word = serde_json::to_value(violation.reason).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}
