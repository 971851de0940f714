//! `GET /violations`

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use palisade_api::App;
use palisade_api::own::{Refused, readers};
use palisade_core::ident::{AccountId, PolicyId};
use palisade_core::ledger::ViolatorRow;
use palisade_store::PolicyRecord;

use crate::answer::page;
use crate::commands;
use crate::frame::Frame;
use crate::pages::filter::{Filter, TERMS, with_term};
use crate::pages::standing::{reason, violator_row};
use crate::paging;
use crate::place::Theme;
use crate::reader::Reader;
use crate::shown::{Count, Words};
use crate::survey::Survey;
use crate::views::violations::{Facet, FacetValue, Violations};

/// Violators that one page looks through.
pub const LOOKED_THROUGH_MAX: usize = 10_000;
/// Values of a facet that are shown.
const VALUES_MAX: usize = 8;
/// Characters of a value that its term repeats; behind them stands a `*`.
const TERM_VALUE_MAX: usize = 80;

/// Answers the page.
pub async fn show(State(app): State<Arc<App>>, request: Request) -> Response {
    page(app, request, violations).await
}

fn violations(reader: &Reader<'_>) -> Result<Violations, Refused> {
    let text = &reader.typed("q");
    let policies: Vec<&PolicyRecord> =
        reader.policies().into_iter().map(|record| &**record).collect();
    let mut commands = vec![commands::palisade(reader, "compliance --sort violators")];
    commands.extend(commands::of_each(
        reader,
        &policies,
        "list-compliance-status",
        "violators?limit=1000",
    ));
    let frame = Frame::of(reader, "/violations", "Violations")?.with_commands(commands);
    let (filter, error) = match Filter::parse(text) {
        Ok(filter) => (Some(filter), String::new()),
        Err(error) => (None, error),
    };
    let (found, is_cut) = match &filter {
        Some(filter) => found(reader, filter)?,
        None => (Vec::new(), false),
    };
    let facets = facets(reader, text, &found);
    let (found, paging) = paging::page(reader, found)?;
    let survey = Survey::of(reader)?;
    let unknown = survey.sums(reader).values().filter(|sum| sum.unknown > 0).count();
    let theme = reader.place.theme.map(Theme::name).unwrap_or_default();
    let as_of = reader.as_of();
    let mut waiving: BTreeMap<PolicyId, readers::Waiving<'_>> = BTreeMap::new();
    let shown = found.into_iter().map(|(record, account, row)| {
        let waiving =
            waiving.entry(record.id.clone()).or_insert_with(|| as_of.waiving(reader.app, &record));
        violator_row(reader, &record, &account, row, waiving)
    });
    Ok(Violations {
        violators: shown.collect(),
        query: text.clone(),
        error,
        terms: &TERMS,
        paging,
        facets,
        cut_at: is_cut.then_some(Count(LOOKED_THROUGH_MAX as u64)),
        has_policies: !survey.columns.is_empty(),
        unknown_accounts: unknown.into(),
        hidden: vec![("region", reader.place.region.to_string()), ("theme", theme.to_owned())],
        everything: reader.place.to("/violations"),
        frame,
    })
}

type Found = (Arc<PolicyRecord>, AccountId, ViolatorRow);

/// The violators that fit, among the first [`LOOKED_THROUGH_MAX`]; and whether there may be more.
fn found(reader: &Reader<'_>, filter: &Filter) -> Result<(Vec<Found>, bool), Refused> {
    let mut found = Vec::new();
    let mut left = LOOKED_THROUGH_MAX;
    for record in reader.policies().into_iter().filter(|record| filter.fits_policy(record)) {
        let is_asked =
            |account: &AccountId| reader.reads(account) && filter.fits_account(reader, account);
        // One more than may be looked through tells that there are more.
        let limit = left.saturating_add(1);
        let rows =
            readers::policy_violators(reader.app, &reader.as_of(), record, None, is_asked, limit)?;
        let is_cut = rows.len() > left;
        for (account, row) in rows.into_iter().take(left) {
            left = left.saturating_sub(1);
            if filter.fits_violator(reader, record, &account, &row) {
                found.push((record.clone(), account, row));
            }
        }
        if is_cut {
            return Ok((found, true));
        }
    }
    Ok((found, false))
}

fn facets(reader: &Reader<'_>, text: &str, found: &[Found]) -> Vec<Facet> {
    let by = |name: &'static str, value: &dyn Fn(&Found) -> String| {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for one in found {
            let count = counts.entry(value(one)).or_default();
            *count = count.saturating_add(1);
        }
        facet(reader, text, name, counts)
    };
    vec![
        by("policy", &|(record, _, _)| record.document.policy_name.clone()),
        by("account", &|(_, account, _)| reader.name_of(account).0),
        by("reason", &|(_, _, row)| row.violations.first().map(reason).unwrap_or_default()),
        by("type", &|(_, _, row)| row.resource_type.to_string()),
    ]
}

fn facet(
    reader: &Reader<'_>,
    text: &str,
    name: &'static str,
    counts: BTreeMap<String, u64>,
) -> Facet {
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    counts.sort_by(|one, other| (Reverse(one.1), &one.0).cmp(&(Reverse(other.1), &other.0)));
    let more = counts.len().saturating_sub(VALUES_MAX);
    let values = counts.into_iter().take(VALUES_MAX).map(|(value, count)| FacetValue {
        href: reader.place.with("/violations", &[("q", &with_term(text, name, &short(&value)))]),
        value: Words(value),
        count: Count(count),
    });
    Facet { name, values: values.collect(), more: more.into() }
}

/// A value, or the beginning of a long one: an address has an end.
fn short(value: &str) -> String {
    match value.char_indices().nth(TERM_VALUE_MAX) {
        Some((end, _)) => format!("{}*", value.get(..end).unwrap_or_default()),
        None => value.to_owned(),
    }
}
