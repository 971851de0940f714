//! `GET /sources`

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use palisade_api::App;
use palisade_api::own::{Refused, readers};
use palisade_core::ident::AccountId;
use palisade_store::PolicyRecord;

use crate::answer::page;
use crate::commands;
use crate::frame::Frame;
use crate::pages::standing::issues;
use crate::paging;
use crate::reader::Reader;
use crate::shown::{Ago, Count, Moment, Words};
use crate::state::AccountState;
use crate::views::sources::{Gap, Sources};

/// Answers the page.
pub async fn show(State(app): State<Arc<App>>, request: Request) -> Response {
    page(app, request, sources).await
}

fn sources(reader: &Reader<'_>) -> Result<Sources, Refused> {
    let policies: Vec<&PolicyRecord> =
        reader.policies().into_iter().map(|record| &**record).collect();
    let mut commands = vec![commands::palisade(reader, "compliance --fail-on unknown")];
    commands.extend(commands::of_each(
        reader,
        &policies,
        "list-compliance-status",
        "accounts?limit=1000",
    ));
    let frame = Frame::of(reader, "/sources", "Sources and gaps")?.with_commands(commands);
    let mut gaps: Vec<Gap> = gaps(reader, &frame.coverage.newest_ms)?;
    gaps.sort_by(|one, other| {
        let key = |gap: &Gap| {
            let age = gap.age_seconds;
            (age.is_some(), Reverse(age), gap.account.clone(), gap.why.clone())
        };
        key(one).cmp(&key(other))
    });
    let (gaps, paging) = paging::page(reader, gaps)?;
    let work = reader.caller().is_operator().then(|| readers::work(reader.app, reader.caller()));
    let work = work.transpose()?;
    let waits = work.filter(|work| work.dirty > 0).map(|work| work.oldest_seconds);
    Ok(Sources {
        region: reader.place.region.to_string(),
        coverage: frame.coverage.clone(),
        gaps,
        paging,
        due: work.map(|work| Count(work.dirty.saturating_add(work.leased))),
        waits_seconds: waits.map(|seconds| Ago(i64::try_from(seconds).unwrap_or(i64::MAX))),
        has_policies: !reader.policies().is_empty(),
        has_organization: reader.organization().is_some(),
        frame,
    })
}

/// One gap for each account and reason, whatever number of policies it stands in the way of.
fn gaps(reader: &Reader<'_>, newest_ms: &BTreeMap<AccountId, i64>) -> Result<Vec<Gap>, Refused> {
    let mut gaps: BTreeMap<(AccountId, String, String), Gap> = BTreeMap::new();
    for record in reader.policies() {
        let accounts = reader.view.in_scope(&record.id);
        readers::known_of(reader.app, None, record, None, accounts, |account, known| {
            let since = known.row.map(|row| Moment(row.entry.since_ms));
            for issue in issues(known) {
                let key = (account.clone(), issue.service.clone(), issue.text.0.clone());
                let gap = gaps.entry(key).or_insert_with(|| Gap {
                    account: account.to_string(),
                    account_name: reader.name_of(account),
                    href: reader.place.to(&format!("/accounts/{account}")),
                    state: AccountState::of(known),
                    why: issue.text,
                    service: issue.service,
                    policies: Vec::new(),
                    since,
                    age_seconds: newest_ms
                        .get(account)
                        .map(|at_ms| Moment(*at_ms).ago(reader.now_ms)),
                });
                gap.state = unknown(gap.state, AccountState::of(known));
                gap.since = gap.since.into_iter().chain(since).min();
                gap.policies.push(Words::from(&record.document.policy_name));
            }
        })?;
    }
    Ok(gaps.into_values().collect())
}

/// Of two states, the one that says less is known.
fn unknown(one: AccountState, other: AccountState) -> AccountState {
    let rank = |state: AccountState| match state {
        AccountState::NotKnown => 3,
        AccountState::NotJudged => 2,
        AccountState::Violates(_) => 1,
        AccountState::Complies | AccountState::OutOfScope => 0,
    };
    if rank(other) > rank(one) { other } else { one }
}
