//! `GET /changes`

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use palisade_api::App;
use palisade_api::own::{Refused, in_process, moment};
use palisade_api::printable::escaped;
use serde::Deserialize;
use serde_json::Value;

use crate::answer::page;
use crate::commands;
use crate::frame::{Frame, Link};
use crate::moments::{self, typed};
use crate::place::{Theme, encoded};
use crate::reader::Reader;
use crate::shown::{Count, Moment, Words};
use crate::views::changes::{ChangeRow, ChangeTally, Changes, Day, What};

/// Changes of one page.
pub const CHANGES_SHOWN_MAX: usize = 200;
const HOUR_MS: i64 = 60 * 60 * 1_000;
/// A week, milliseconds.
pub const WEEK_MS: i64 = 7 * 24 * HOUR_MS;

/// Answers the page.
pub async fn show(State(app): State<Arc<App>>, request: Request) -> Response {
    page(app, request, changes).await
}

fn changes(reader: &Reader<'_>) -> Result<Changes, Refused> {
    let kept_ms = kept_ms(reader)?;
    // It stands in a command that people copy.
    let is_id = |text: &&str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let policy = reader.asked("policy").filter(is_id).unwrap_or_default().to_owned();
    let span = span(reader, kept_ms);
    let ((from_ms, to_ms), wrong) = match span {
        Ok(span) => (span, None),
        Err(refused) => (lately(reader, kept_ms, WEEK_MS), Some(refused)),
    };
    let found = match wrong {
        // Before the first judgement there is no past to compare.
        None if kept_ms.is_none() => Ok(Told::default()),
        None => told(reader, from_ms, to_ms, &policy, reader.asked("next"), CHANGES_SHOWN_MAX),
        Some(refused) => Err(refused),
    };
    // A moment that nothing is kept of is the reader's to mend, on the page; all else is the page's.
    let (found, error) = match found {
        Ok(found) => (found, String::new()),
        Err(refused) if ["InvalidInput", "AccessDenied"].contains(&refused.code) => {
            (Told::default(), escaped(&refused.message).into_owned())
        }
        Err(refused) => return Err(refused),
    };
    let rows = rows(reader, &found.changes);
    let (from, to) = (moment(from_ms), moment(to_ms));
    let words = match policy.as_str() {
        "" => format!("diff --from {from} --to {to}"),
        _ => format!("diff --from {from} --to {to} --policy {policy}"),
    };
    let path = format!("/palisade/v1/changes?from={from}&to={to}&policy={}", encoded(&policy));
    let frame = Frame::of(reader, "/changes", "Changes")?
        .with_commands(vec![commands::palisade(reader, &words), commands::curl(reader, &path)]);
    let is_all = reader.asked("next").is_none() && found.next.is_none();
    // What comes next is between the same moments.
    let members =
        |token: &str| [("from", from.clone()), ("to", to.clone()), ("next", token.to_owned())];
    let next = found.next.as_deref().map(|token| {
        let members = members(token);
        let members: Vec<(&str, &str)> =
            members.iter().map(|(name, value)| (*name, value.as_str())).collect();
        reader.place.again(reader.path, reader.query, &members)
    });
    let theme = reader.place.theme.map(Theme::name).unwrap_or_default();
    let policies = reader.policies().into_iter().map(|record| {
        let id = record.id.to_string();
        let is_asked = id == policy;
        (id, Words::from(&record.document.policy_name), is_asked)
    });
    Ok(Changes {
        from: Moment(from_ms),
        to: Moment(to_ms),
        kept_from: kept_ms.map(Moment),
        error,
        tally: tally(&rows),
        days: days(rows),
        is_all,
        next,
        spans: spans(reader, kept_ms),
        typed: [typed(from_ms), typed(to_ms)],
        policies: policies.collect(),
        policy,
        hidden: vec![("region", reader.place.region.to_string()), ("theme", theme.to_owned())],
        frame,
    })
}

/// Since when the past is kept.
pub fn kept_ms(reader: &Reader<'_>) -> Result<Option<i64>, Refused> {
    Ok(reader.app.store.span()?.from_ms)
}

/// The last `span_ms`, as far as the past is kept.
pub fn lately(reader: &Reader<'_>, kept_ms: Option<i64>, span_ms: i64) -> (i64, i64) {
    let now_ms = reader.now_ms;
    let from_ms = now_ms.saturating_sub(span_ms).max(kept_ms.unwrap_or(now_ms)).min(now_ms);
    (from_ms, now_ms)
}

fn span(reader: &Reader<'_>, kept_ms: Option<i64>) -> Result<(i64, i64), Refused> {
    let (from_ms, to_ms) = lately(reader, kept_ms, WEEK_MS);
    let read = |name: &str, otherwise| {
        reader.asked(name).map_or(Ok(otherwise), |text| moments::read(name, text))
    };
    Ok((read("from", from_ms)?, read("to", to_ms)?))
}

fn spans(reader: &Reader<'_>, kept_ms: Option<i64>) -> Vec<Link> {
    let all = [
        ("hour", HOUR_MS),
        ("24 h", 24 * HOUR_MS),
        ("7 days", WEEK_MS),
        ("30 days", 30 * 24 * HOUR_MS),
    ];
    let of = |(name, span_ms): (&str, i64)| {
        let (from_ms, _) = lately(reader, kept_ms, span_ms);
        let from = moment(from_ms);
        let members = [("from", from.as_str()), ("to", ""), ("next", "")];
        Link::to(name, reader.place.again(reader.path, reader.query, &members))
    };
    all.into_iter().map(of).collect()
}

/// What the endpoint answers.
#[derive(Debug, Default, Deserialize)]
pub struct Told {
    pub changes: Vec<Change>,
    pub next: Option<String>,
}

/// One change as the endpoint tells it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    policy: Policy,
    account: Option<String>,
    account_name: Option<String>,
    what: String,
    before: Value,
    after: Value,
    at: Option<String>,
    cause: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Policy {
    id: String,
    name: String,
    region: String,
}

/// What the endpoint tells of the time between two moments.
///
/// # Errors
/// As the endpoint.
pub fn told(
    reader: &Reader<'_>,
    from_ms: i64,
    to_ms: i64,
    policy: &str,
    next: Option<&str>,
    limit: usize,
) -> Result<Told, Refused> {
    let query = format!(
        "from={}&to={}&policy={}&limit={limit}&next={}",
        encoded(&moment(from_ms)),
        encoded(&moment(to_ms)),
        encoded(policy),
        encoded(next.unwrap_or_default())
    );
    let told = in_process::changes(reader.app, reader.visitor, &query)?;
    crate::answer::read(told)
}

/// The changes of the page's Region, as rows.
pub fn rows(reader: &Reader<'_>, changes: &[Change]) -> Vec<ChangeRow> {
    let here = |change: &&Change| change.policy.region == reader.place.region.as_str();
    let policies = reader.policies();
    let known: BTreeSet<&str> = policies.iter().map(|record| record.id.as_str()).collect();
    let mut rows = Vec::new();
    // Violators follow their account, of which the reason may be that nothing is known any more.
    let mut sight: Option<(&str, Option<&str>, Sight)> = None;
    for change in changes.iter().filter(here) {
        let of = (change.policy.id.as_str(), change.account.as_deref());
        if change.what == "account" {
            sight = Some((of.0, of.1, Sight::of(&change.after)));
        }
        let seen = sight.filter(|(policy, account, _)| (*policy, *account) == of);
        let sight = seen.map_or(Sight::Clear, |(_, _, sight)| sight);
        rows.push(row(reader, change, sight, known.contains(of.0)));
    }
    rows
}

/// Whether the absence of a violator says that it ended.
#[derive(Clone, Copy)]
enum Sight {
    /// It does.
    Clear,
    /// Nothing is known of the account any more.
    Lost,
    /// The policy is not about it any more.
    OutOfScope,
}

impl Sight {
    fn of(account: &Value) -> Sight {
        if account.is_null() || text(account, "reason") == "out-of-scope" {
            return Sight::OutOfScope;
        }
        if account.get("status").is_none_or(Value::is_null) { Sight::Lost } else { Sight::Clear }
    }
}

fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn row(reader: &Reader<'_>, change: &Change, sight: Sight, is_there: bool) -> ChangeRow {
    let what = match change.what.as_str() {
        "policy" => What::Policy,
        "account" => What::Account,
        _ => What::Violator,
    };
    let (mark, word) = match (what, change.before.is_null(), change.after.is_null()) {
        (What::Violator, true, _) => ("+", "new violator"),
        (What::Violator, _, true) => match sight {
            Sight::Clear => ("-", "ended"),
            Sight::Lost => ("◌", "not known any more"),
            Sight::OutOfScope => ("–", "out of scope"),
        },
        (What::Account, true, _) => ("+", "in scope"),
        (What::Account, _, true) => ("-", "out of scope"),
        (What::Policy, true, _) => ("+", "made"),
        (What::Policy, _, true) => ("-", "removed"),
        _ => ("~", "changed"),
    };
    let policy_page = reader.place.to(&format!("/policies/{}", change.policy.id));
    let account = change.account.as_deref().unwrap_or_default();
    let standing = format!("/policies/{}/accounts/{account}", change.policy.id);
    let either = if change.after.is_null() { &change.before } else { &change.after };
    let account_name = change.account_name.as_deref().unwrap_or(account);
    let (subject, href) = match what {
        What::Policy => (change.policy.name.as_str(), policy_page.clone()),
        What::Account => (account_name, reader.place.to(&standing)),
        What::Violator => {
            let (of_type, id) = (text(either, "ResourceType"), text(either, "ResourceId"));
            let members = [("type", of_type), ("id", id)];
            (id, reader.place.with(&format!("{standing}/resource"), &members))
        }
    };
    let (before, after) = match what {
        What::Policy => policy_words(change),
        What::Account => (account_words(&change.before), account_words(&change.after)),
        What::Violator => (violator_words(&change.before), violator_words(&change.after)),
    };
    ChangeRow {
        what,
        mark,
        word,
        policy: Words::from(&change.policy.name),
        // What is gone has no page.
        policy_page: if is_there { policy_page } else { String::new() },
        account: change.account.clone(),
        account_name: Words::from(account_name),
        subject: Words::from(subject),
        href: if is_there { href } else { String::new() },
        before: Words(before),
        after: Words(after),
        at: change.at.as_deref().and_then(read_moment),
        cause: change.cause.as_deref().map(cause).unwrap_or_default().to_owned(),
    }
}

/// A moment of an endpoint.
pub fn read_moment(text: &str) -> Option<Moment> {
    text.parse::<jiff::Timestamp>().ok().map(|at| Moment(at.as_millisecond()))
}

/// A cause in words.
pub fn cause(name: &str) -> &str {
    match name {
        "delivery" => "AWS Config told of a change",
        "policy" => "the policy was put or deleted",
        "organization" => "the organization or a scope is another",
        "time" => "time passed",
        "waiver" => "a waiver was made, renewed or ended",
        other => other,
    }
}

/// What is told of a policy at both moments; its name where that is another one then.
fn policy_words(change: &Change) -> (String, String) {
    let is_renamed = !change.before.is_null()
        && !change.after.is_null()
        && text(&change.before, "name") != text(&change.after, "name");
    let words = |policy: &Value| {
        let accounts = policy.get("accounts").and_then(Value::as_u64);
        let scope = accounts.map(|count| format!("{} in scope", Count(count).of("account")));
        let name = is_renamed.then(|| text(policy, "name").to_owned());
        name.into_iter().chain(scope).collect::<Vec<_>>().join(", ")
    };
    (words(&change.before), words(&change.after))
}

/// How an account stands, in the words of its state.
pub fn account_words(account: &Value) -> String {
    if account.is_null() {
        return "out of scope".to_owned();
    }
    let violators = account.get("violatorCount").and_then(Value::as_u64).unwrap_or_default();
    let waived = account.get("waived").and_then(Value::as_u64).unwrap_or_default();
    let state = match (text(account, "status"), text(account, "reason")) {
        ("COMPLIANT", _) => "complies".to_owned(),
        ("NON_COMPLIANT", _) => Count(violators).of("violator"),
        (_, "not-judged-yet") => "not judged yet".to_owned(),
        (_, "out-of-scope") => "out of scope".to_owned(),
        _ => "not known".to_owned(),
    };
    let issues = account.get("issues").and_then(Value::as_object).map_or(0, serde_json::Map::len);
    let waived = (waived > 0).then(|| format!("{waived} waived"));
    let issues = (issues > 0).then(|| Count(issues as u64).of("gap"));
    [Some(state), waived, issues].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn violator_words(violator: &Value) -> String {
    let evidence = violator.get("evidence").and_then(Value::as_array);
    let first = evidence.and_then(|all| all.first()).map(|one| text(one, "summary"));
    let waived = violator.get("waiver").map(|_| "; waived").unwrap_or_default();
    first.map(|summary| format!("{summary}{waived}")).unwrap_or_default()
}

/// How many rows are of which kind.
pub fn tally(rows: &[ChangeRow]) -> ChangeTally {
    let mut tally = ChangeTally::default();
    for row in rows {
        let count = match (row.what, row.mark) {
            (What::Policy, _) => &mut tally.policies,
            (What::Account, _) => &mut tally.accounts,
            (What::Violator, "+") => &mut tally.gained,
            (What::Violator, "-") => &mut tally.ended,
            (What::Violator, "◌" | "–") => &mut tally.lost_sight,
            (What::Violator, _) => &mut tally.altered,
        };
        count.0 = count.0.saturating_add(1);
    }
    tally
}

/// By day, the latest first; those of no noted moment come last.
fn days(rows: Vec<ChangeRow>) -> Vec<Day> {
    let mut days: BTreeMap<Option<String>, Vec<ChangeRow>> = BTreeMap::new();
    for row in rows {
        days.entry(row.at.map(Moment::day)).or_default().push(row);
    }
    let mut days: Vec<Day> = days.into_iter().map(|(day, changes)| Day { day, changes }).collect();
    days.sort_by(|one, other| other.day.cmp(&one.day));
    days
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_violator_that_is_not_seen_any_more_did_not_end() {
        let known = json!({"status": "NON_COMPLIANT", "reason": "judged"});
        assert!(matches!(Sight::of(&known), Sight::Clear));
        let unknown = json!({"status": null, "reason": "no-result"});
        assert!(matches!(Sight::of(&unknown), Sight::Lost));
        assert!(matches!(Sight::of(&Value::Null), Sight::OutOfScope));
    }

    #[test]
    fn an_account_is_told_in_the_words_of_its_state() {
        for (account, words) in [
            (Value::Null, "out of scope"),
            (json!({"status": "COMPLIANT", "violatorCount": 0, "issues": {}}), "complies"),
            (
                json!({"status": "NON_COMPLIANT", "violatorCount": 2, "waived": 1}),
                "2 violators, 1 waived",
            ),
            (
                json!({"status": null, "reason": "no-result", "issues": {"AWSCONFIG": "x"}}),
                "not known, 1 gap",
            ),
            (json!({"status": null, "reason": "not-judged-yet"}), "not judged yet"),
        ] {
            assert_eq!(account_words(&account), words);
        }
    }
}
