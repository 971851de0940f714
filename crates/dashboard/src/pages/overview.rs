//! `GET /`

use std::cmp::Reverse;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use palisade_api::App;
use palisade_api::own::{Refused, readers};
use palisade_core::ident::AccountId;

use crate::answer::page;
use crate::commands;
use crate::frame::Frame;
use crate::pages::changes::{kept_ms, lately, rows, tally, told};
use crate::pages::history::{TREND_MS, week_ago};
use crate::pages::policies::{order, row};
use crate::reader::{Reader, is_told};
use crate::shown::{Count, Moment};
use crate::state::{AccountState, Tally};
use crate::survey::{Sum, Survey};
use crate::trend::{LOOKS_MAX, Of, cells, difference, looks, trends};
use crate::views::changes::What;
use crate::views::history::Look;
use crate::views::overview::{AccountRow, GapRow, Moved, Overview, OverviewLinks, Week};

/// Accounts and policies that are shown.
const WORST_MAX: usize = 10;
/// Changes that are looked at for the week, and those that are shown.
const CHANGES_READ_MAX: usize = 200;
const NEWEST_MAX: usize = 5;
/// Accounts under policies up to which the overview tells of the week: the past costs as much as the present.
const WEEK_CELLS_MAX: usize = 20_000;
/// The same of the trend, which looks at many moments.
const TREND_CELLS_MAX: usize = WEEK_CELLS_MAX / LOOKS_MAX;
/// Gaps that are shown.
const GAPS_MAX: usize = 5;

/// Answers the page.
pub async fn show(State(app): State<Arc<App>>, request: Request) -> Response {
    page(app, request, overview).await
}

fn overview(reader: &Reader<'_>) -> Result<Overview, Refused> {
    let frame = Frame::of(reader, "/", "Overview")?.with_commands(vec![
        commands::palisade(reader, "policies list"),
        commands::aws(reader, "list-policies"),
        commands::curl(reader, "/palisade/v1/policies"),
    ]);
    let survey = Survey::of(reader)?;
    let sums = survey.sums(reader);
    let newest = |account: &AccountId| {
        let at_ms = frame.coverage.newest_ms.get(account);
        at_ms.map(|at_ms| Moment(*at_ms).ago(reader.now_ms))
    };
    let mut worst: Vec<(&AccountId, Sum)> = sums
        .iter()
        .filter(|(_, sum)| sum.violators > 0)
        .map(|(account, sum)| (*account, *sum))
        .collect();
    worst.sort_by_key(|(account, sum)| (Reverse(sum.violators), *account));
    let mut gaps: Vec<(&AccountId, Sum)> = sums
        .iter()
        .filter(|(_, sum)| sum.unknown > 0)
        .map(|(account, sum)| (*account, *sum))
        .collect();
    // What nothing was ever told of comes first, then the oldest.
    gaps.sort_by_key(|(account, _)| {
        (newest(account).is_some(), Reverse(newest(account)), *account)
    });
    let account_row = |(account, sum): &(&AccountId, Sum)| AccountRow {
        name: reader.name_of(account),
        account: account.to_string(),
        href: reader.place.to(&format!("/accounts/{account}")),
        state: sum.state(),
        policies_broken: Count(sum.broken),
        policies_unknown: Count(sum.unknown),
        age_seconds: newest(account),
    };
    let gap_row = |(account, sum): &(&AccountId, Sum)| GapRow {
        name: reader.name_of(account),
        account: account.to_string(),
        href: reader.place.to(&format!("/accounts/{account}")),
        state: if sum.unknown > 0 && sum.worst == Some(AccountState::NotJudged) {
            AccountState::NotJudged
        } else {
            AccountState::NotKnown
        },
        policies_unknown: Count(sum.unknown),
        age_seconds: newest(account),
    };
    let mut policies: Vec<_> = survey.columns.iter().map(|column| row(reader, column)).collect();
    policies.sort_by(order);
    policies.retain(|row| row.tally.violators.0 > 0);
    policies.truncate(WORST_MAX);
    let is_work_shown = reader.caller().is_operator() && reader.at_ms.is_none();
    let work = is_work_shown.then(|| readers::work(reader.app, reader.caller()));
    let due = work.transpose()?.map(|work| Count(work.dirty.saturating_add(work.leased)));
    let to = |path: &str| reader.place.to(path);
    let accounts = Tally::of(sums.values().map(Sum::state));
    let week = week(reader, &accounts)?;
    let looks = lately_looked(reader)?;
    Ok(Overview {
        week,
        trends: if looks.len() > 1 { trends(&looks) } else { Vec::new() },
        looks,
        has_organization: reader.organization().is_some(),
        policy_count: survey.columns.len().into(),
        reads_policies: readers::policies(&reader.view, reader.caller()).next().is_some(),
        accounts,
        account_count: sums.len().into(),
        worst_accounts: worst.iter().take(WORST_MAX).map(account_row).collect(),
        worst_policies: policies,
        gaps: gaps.iter().take(GAPS_MAX).map(gap_row).collect(),
        gap_count: gaps.len().into(),
        due,
        links: OverviewLinks {
            heatmap: to("/heatmap"),
            sources: to("/sources"),
            violations: to("/violations"),
            policies: to("/policies"),
            history: to("/history"),
            changes: to("/changes"),
        },
        frame,
    })
}

/// The figures of the last 90 days.
fn lately_looked(reader: &Reader<'_>) -> Result<Vec<Look>, Refused> {
    let affordable = reader.at_ms.is_none() && cells(reader) <= TREND_CELLS_MAX;
    match kept_ms(reader)? {
        kept @ Some(_) if affordable && is_told(reader) => {
            let (from_ms, to_ms) = lately(reader, kept, TREND_MS);
            looks(reader, &Of::default(), from_ms, to_ms)
        }
        _ => Ok(Vec::new()),
    }
}

/// What the last week brought.
fn week(reader: &Reader<'_>, now: &Tally) -> Result<Option<Week>, Refused> {
    // The week before a moment of the past is the page of changes'.
    if reader.at_ms.is_some() {
        return Ok(None);
    }
    if cells(reader) > WEEK_CELLS_MAX {
        return Ok(None);
    }
    let Some((since_ms, then)) = week_ago(reader)? else { return Ok(None) };
    let found = told(reader, since_ms, reader.now_ms, "", None, CHANGES_READ_MAX)?;
    let rows = rows(reader, &found.changes);
    let mut newest: Vec<_> =
        rows.iter().filter(|row| row.at.is_some() && row.what == What::Violator).cloned().collect();
    newest.sort_by_key(|row| Reverse(row.at));
    newest.truncate(NEWEST_MAX);
    // Accounts that no policy was about had no figure then.
    let known = |tally: &Tally| tally.in_scope().0;
    let out = |tally: &Tally| (now.out_of_scope.0 + known(now)).saturating_sub(known(tally));
    Ok(Some(Week {
        since: Moment(since_ms),
        accounts: then,
        moved: (then.in_scope().0 > 0).then(|| Moved {
            violate: difference(then.violate.0, now.violate.0),
            not_known: difference(then.not_known.0, now.not_known.0),
            comply: difference(then.comply.0, now.comply.0),
            out_of_scope: difference(out(&then), now.out_of_scope.0),
        }),
        tally: tally(&rows),
        is_all: found.next.is_none(),
        newest,
    }))
}
