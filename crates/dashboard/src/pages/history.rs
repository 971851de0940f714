//! `GET /history` and `GET /policies/{policy}/accounts/{account}/history`

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use palisade_api::App;
use palisade_api::own::{Refused, in_process, readers};
use serde::Deserialize;

use crate::answer::{page, read};
use crate::commands;
use crate::coverage::Covers;
use crate::frame::{Frame, Link};
use crate::pages::changes::{WEEK_MS, cause, kept_ms, lately, read_moment};
use crate::pages::policy::at_home;
use crate::pages::standing::named;
use crate::place::encoded;
use crate::reader::{ROWS_MAX, Reader, is_told};
use crate::shown::{Moment, Words};
use crate::state::AccountState;
use crate::trend::{Of, looks, trends};
use crate::views::Paging;
use crate::views::history::{Ended, History, Look, PastState, StandingHistory};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// The time that is shown unless another is asked for.
pub const TREND_MS: i64 = 90 * DAY_MS;

/// Answers the page of a trend.
pub async fn show(State(app): State<Arc<App>>, request: Request) -> Response {
    page(app, request, history).await
}

fn history(reader: &Reader<'_>) -> Result<History, Refused> {
    let kept = kept_ms(reader)?;
    let days = reader.asked("days").map(|text| {
        let days = text.parse::<i64>().ok().filter(|days| (1..=400).contains(days));
        days.ok_or_else(|| Refused::invalid(format!("`days` is `{text}`; give 1 to 400")))
    });
    let span_ms = days.transpose()?.map_or(TREND_MS, |days| days.saturating_mul(DAY_MS));
    let (from_ms, to_ms) = lately(reader, kept, span_ms);
    let mut of = Of::default();
    let mut crumbs = Vec::new();
    let mut words = format!("every policy of {}", reader.place.region);
    let mut tab = "/";
    if let Some(policy) = reader.asked("policy") {
        let record = readers::policy(&reader.view, reader.caller(), policy)?;
        at_home(reader, &record)?;
        words = record.document.policy_name.clone();
        let page = reader.place.to(&format!("/policies/{policy}"));
        crumbs.push(Link::to("Policies", reader.place.to("/policies")));
        crumbs.push(Link::to(&words, page));
        of.policy = Some(record.id.clone());
        tab = "/policies";
    } else if let Some(account) = reader.asked("account") {
        let account = named(reader, account)?;
        words = reader.name_of(&account).0;
        crumbs.push(Link::to(&words, reader.place.to(&format!("/accounts/{account}"))));
        of.account = Some(account);
        tab = "/heatmap";
    }
    // Before anything was judged there is no moment to look at.
    let mut moments = match kept {
        Some(_) if is_told(reader) => looks(reader, &of, from_ms, to_ms)?,
        _ => Vec::new(),
    };
    let trends = trends(&moments);
    moments = moved(moments);
    moments.reverse();
    let commands = match &of.policy {
        Some(policy) => vec![
            commands::palisade(
                reader,
                &format!("compliance {policy} --at {}", Moment(from_ms).iso()),
            ),
            commands::curl(
                reader,
                &format!("/palisade/v1/policies/{policy}/accounts?at={}", Moment(from_ms).iso()),
            ),
        ],
        None => {
            vec![commands::palisade(reader, &format!("compliance --at {}", Moment(from_ms).iso()))]
        }
    };
    let spans = [("7 days", "7"), ("30 days", "30"), ("90 days", "90"), ("400 days", "400")];
    let spans = spans.map(|(name, days)| Link {
        name: Words::from(name),
        href: reader.place.again(reader.path, reader.query, &[("days", days)]),
        is_here: reader.asked("days").unwrap_or("90") == days,
    });
    Ok(History {
        frame: Frame::of(reader, tab, format!("History of {words}"))?
            .below(crumbs)
            .with_commands(commands),
        of: Words(words),
        kept_from: kept.map(Moment),
        is_told: is_told(reader),
        trends,
        moments,
        spans: spans.into(),
    })
}

/// The first look, those whose figures are others than the ones before, and the last.
fn moved(looks: Vec<Look>) -> Vec<Look> {
    let last = looks.len().saturating_sub(1);
    let mut kept: Vec<Look> = Vec::new();
    for (nth, look) in looks.into_iter().enumerate() {
        let is_same = kept.last().is_some_and(|before| before.accounts == look.accounts);
        if !is_same || nth == last {
            kept.push(look);
        }
    }
    kept
}

/// Answers the page of an account under a policy.
pub async fn show_standing(
    State(app): State<Arc<App>>,
    Path((policy, account)): Path<(String, String)>,
    request: Request,
) -> Response {
    page(app, request, move |reader| standing(reader, &policy, &account)).await
}

/// What the endpoint answers.
#[derive(Deserialize)]
struct Told {
    states: Vec<ToldState>,
    ended: Vec<ToldEnded>,
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToldState {
    from: String,
    until: Option<String>,
    status: Option<String>,
    violator_count: u64,
    issues: std::collections::BTreeMap<String, String>,
    out_of_scope: bool,
    policy_revision: u64,
    cause: Option<String>,
}

#[derive(Deserialize)]
struct ToldEnded {
    #[serde(rename = "ResourceType")]
    resource_type: String,
    #[serde(rename = "ResourceId")]
    resource_id: String,
    since: String,
    evidence: Vec<ToldEvidence>,
    ended: String,
}

#[derive(Deserialize)]
struct ToldEvidence {
    summary: String,
}

fn standing(reader: &Reader<'_>, policy: &str, account: &str) -> Result<StandingHistory, Refused> {
    let record = readers::policy(&reader.view, reader.caller(), policy)?;
    at_home(reader, &record)?;
    let account = named(reader, account)?;
    let name = reader.name_of(&account);
    let next = reader.asked("next").unwrap_or_default();
    let query = format!("account={account}&limit={ROWS_MAX}&next={}", encoded(next));
    let told: Told = read(in_process::history(reader.app, reader.visitor, policy, &query)?)?;
    let page = format!("/policies/{policy}/accounts/{account}");
    let title = format!("History of {} under {}", name.0, record.document.policy_name);
    let frame = Frame::covering(reader, "/policies", title, &Covers::Account(account.clone()))?
        .below(vec![
            Link::to("Policies", reader.place.to("/policies")),
            Link::to(&record.document.policy_name, reader.place.to(&format!("/policies/{policy}"))),
            Link::to(name.clone().0, reader.place.to(&page)),
        ])
        .with_commands(vec![
            commands::palisade(reader, &format!("history {policy} {account}")),
            commands::curl(
                reader,
                &format!("/palisade/v1/policies/{policy}/history?account={account}"),
            ),
        ]);
    let count = told.states.len();
    let paging = Paging {
        first: usize::from(count > 0).into(),
        last: count.into(),
        all: (next.is_empty() && told.next.is_none()).then(|| count.into()),
        before: (!next.is_empty()).then(|| reader.place.to(reader.path)),
        next: told
            .next
            .map(|next| reader.place.again(reader.path, reader.query, &[("next", &next)])),
    };
    let ended = told.ended.into_iter().map(|ended| {
        let members = [("type", ended.resource_type.as_str()), ("id", ended.resource_id.as_str())];
        let evidence: Vec<String> = ended.evidence.into_iter().map(|one| one.summary).collect();
        Ended {
            href: reader.place.with(&format!("{page}/resource"), &members),
            evidence: Words(evidence.join("; ")),
            since: read_moment(&ended.since),
            ended: read_moment(&ended.ended),
            resource: Words(ended.resource_id),
            resource_type: Words(ended.resource_type),
        }
    });
    Ok(StandingHistory {
        policy: Words::from(&record.document.policy_name),
        states: told.states.into_iter().map(past).collect(),
        ended: ended.collect(),
        account: account.to_string(),
        account_name: name,
        paging,
        frame,
    })
}

fn past(told: ToldState) -> PastState {
    let state = match told.status.as_deref() {
        _ if told.out_of_scope => AccountState::OutOfScope,
        Some("COMPLIANT") => AccountState::Complies,
        Some(_) => AccountState::Violates(told.violator_count),
        None => AccountState::NotKnown,
    };
    PastState {
        from: read_moment(&told.from).unwrap_or(Moment(0)),
        until: told.until.as_deref().and_then(read_moment),
        state,
        issues: told.issues.into_values().map(Words).collect(),
        policy_revision: told.policy_revision,
        cause: told.cause.as_deref().map(cause).unwrap_or_default().to_owned(),
    }
}

/// The figures of a week ago, and since when they are, as far as the past is kept.
///
/// # Errors
/// What the store says.
pub fn week_ago(reader: &Reader<'_>) -> Result<Option<(i64, crate::state::Tally)>, Refused> {
    let kept = kept_ms(reader)?;
    if kept.is_none() || !crate::reader::is_told(reader) {
        return Ok(None);
    }
    let (from_ms, _) = lately(reader, kept, WEEK_MS);
    Ok(Some((from_ms, crate::trend::tally(reader, &Of::default(), from_ms)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shown::Count;
    use crate::state::Tally;

    #[test]
    fn the_first_and_the_last_look_are_told_though_nothing_moved() {
        let look = |at_ms: i64, violators: u64| Look {
            at: Moment(at_ms),
            accounts: Tally { violators: Count(violators), ..Tally::default() },
            page: String::new(),
            changes: None,
        };
        for (violators, told) in [
            (vec![5], vec![0]),
            (vec![5, 5], vec![0, 1]),
            (vec![5, 5, 5, 5], vec![0, 3]),
            (vec![5, 6, 6, 5], vec![0, 1, 3]),
            (vec![5, 5, 6, 6, 6], vec![0, 2, 4]),
        ] {
            let looks = violators.iter().zip(0..).map(|(count, at_ms)| look(at_ms, *count));
            let kept: Vec<i64> = moved(looks.collect()).iter().map(|look| look.at.0).collect();
            assert_eq!(kept, told, "{violators:?}");
        }
    }
}
