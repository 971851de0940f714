//! `palisade compliance` and `palisade violators`: what a server's ledger tells, in the order and cut that
//! were asked for, and graded for pipelines.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use palisade_api::compliance::VIOLATORS_SHOWN_MAX;
use palisade_core::evaluate::Status;
use palisade_core::ident::AccountId;
use serde_json::Value;

use crate::args::{self, FailOn, Output, Sort, Standing};
use crate::client::{Client, encoded, listed, next};
use crate::commands::{text, text_of};
use crate::failure::{Exit, Failure, Outcome};
use crate::policies::{policy_id, summaries};
use crate::report::{self, Age, Form, Reason, StatusRow, Totals, ViolatorLine};
use crate::terminal::{print_by, warn};

/// `palisade compliance`
pub fn compliance(args: &args::Compliance) -> Outcome {
    let client = Client::new(&args.server)?;
    let policies = policies(&client, args)?;
    let mut columns = Vec::new();
    for policy in &policies {
        let rows = compliance_at(&client, &policy.id, args.at.as_deref())?;
        if rows.is_empty() {
            let Policy { name, region, .. } = policy;
            warn(format_args!("policy `{name}` in {region}: no account is in its scope"));
        }
        let title = match args.all_regions {
            true => format!("{} ({})", policy.name, policy.region),
            false => policy.name.clone(),
        };
        columns.push((title, rows));
    }
    for (_, rows) in &mut columns {
        keep_accounts(rows, &args.accounts);
    }
    if !args.accounts.is_empty() && columns.iter().all(|(_, rows)| rows.is_empty()) {
        return Err(Failure::Usage(format!(
            "no policy that was asked for has `{}` in its scope",
            args.accounts.join("`, `")
        )));
    }
    let grade = graded(columns.iter().flat_map(|(_, rows)| rows), args.fail_on);
    if args.matrix {
        matrix(&columns, args.output)?;
        return Ok(grade);
    }
    let mut rows: Vec<StatusRow> = columns.into_iter().flat_map(|(_, rows)| rows).collect();
    rows.retain(|row| args.statuses.is_empty() || args.statuses.contains(&standing(row)));
    sort(&mut rows, args.sort);
    let totals = Totals::of(&rows, policies.len());
    let more = args.limit.map_or(0, |limit| rows.len().saturating_sub(limit.get()));
    rows.truncate(rows.len().saturating_sub(more));
    let form = Form { totals: Some(totals), left_out: more, ..Form::of_a_server(args.output) };
    print_by(|to| report::statuses(rows, &form, to))?;
    Ok(grade)
}

/// A policy that is asked about.
struct Policy {
    id: String,
    name: String,
    region: String,
}

fn policies(client: &Client, args: &args::Compliance) -> Result<Vec<Policy>, Failure> {
    let mut found = Vec::new();
    if args.all_regions || args.at.is_some() {
        let at = args.at.as_deref();
        own_pages(client, "/palisade/v1/policies", "policies", at, |_, policies| {
            found.extend(policies.iter().map(|policy| Policy {
                id: text_of(policy, "id"),
                name: text_of(policy, "name"),
                region: text_of(policy, "region"),
            }));
        })?;
        found.retain(|policy| args.all_regions || policy.region == client.region());
        found.sort_by(|a, b| (&a.name, &a.region, &a.id).cmp(&(&b.name, &b.region, &b.id)));
        if let Some(named) = &args.policy {
            found.retain(|policy| policy.id == *named || policy.name == *named);
            if found.is_empty() {
                return Err(Failure::Usage(format!(
                    "there is no such policy `{named}`; `palisade compliance --all-regions` shows those \
                     there are, with --at those there were"
                )));
            }
        }
        return Ok(found);
    }
    let region = client.region();
    let wanted = args.policy.as_ref().map(|named| policy_id(client, named)).transpose()?;
    for policy in &summaries(client)? {
        let (id, name) = (text_of(policy, "PolicyId"), text_of(policy, "PolicyName"));
        if wanted.as_ref().is_none_or(|wanted| *wanted == id) {
            found.push(Policy { id, name, region: region.to_owned() });
        }
    }
    if found.is_empty() {
        warn(format_args!(
            "{region} has no policies; --region asks another Region, --all-regions all"
        ));
    }
    Ok(found)
}

/// Keeps the rows of accounts that are named by id or, in any letter case, by name.
fn keep_accounts(rows: &mut Vec<StatusRow>, accounts: &[String]) {
    if !accounts.is_empty() {
        rows.retain(|row| accounts.iter().any(|account| is_named(row, account)));
    }
}

fn is_named(row: &StatusRow, account: &str) -> bool {
    let name = row.account_name.as_deref();
    row.account == account || name.is_some_and(|name| name.eq_ignore_ascii_case(account))
}

fn standing(row: &StatusRow) -> Standing {
    match row.status {
        Some(Status::Compliant) => Standing::Compliant,
        Some(Status::NonCompliant) => Standing::NonCompliant,
        None => Standing::Unknown,
    }
}

/// Rows that are level stay in the order of policy, Region and account.
fn sort(rows: &mut [StatusRow], by: Sort) {
    match by {
        Sort::Account => {}
        Sort::Violators => {
            let count = |row: &StatusRow| row.status.map(|_| row.violator_count);
            rows.sort_by_key(|row| Reverse(count(row)));
        }
        Sort::Status => rows.sort_by_key(|row| match standing(row) {
            Standing::NonCompliant => 0,
            Standing::Unknown => 1,
            Standing::Compliant => 2,
        }),
    }
}

/// How a command ends that was asked to grade: never with 0 where something is unknown, or nothing was told.
fn graded<'r>(rows: impl Iterator<Item = &'r StatusRow>, fail_on: Option<FailOn>) -> Exit {
    let Some(fail_on) = fail_on else { return Exit::Done };
    let mut rows = rows.peekable();
    // Where nothing was told, nothing was told to comply.
    let mut is_unknown = rows.peek().is_none();
    for row in rows {
        match standing(row) {
            Standing::NonCompliant if fail_on == FailOn::Violators => return Exit::NonCompliant,
            // A policy that is not about an account leaves nothing open.
            Standing::Unknown => is_unknown |= row.reason != Reason::OutOfScope,
            Standing::Compliant | Standing::NonCompliant => {}
        }
    }
    if is_unknown { Exit::Undecided } else { Exit::Done }
}

fn matrix(columns: &[(String, Vec<StatusRow>)], output: Output) -> Result<(), Failure> {
    let mut accounts: BTreeMap<&str, &str> = BTreeMap::new();
    for row in columns.iter().flat_map(|(_, rows)| rows) {
        accounts.insert(&row.account, row.account_name.as_deref().unwrap_or_default());
    }
    let accounts: Vec<(&str, String)> =
        accounts.into_iter().map(|(id, name)| (id, name.to_owned())).collect();
    match output {
        Output::Json => Err(Failure::Usage(
            "--matrix is a table or CSV; in JSON the list without it tells the same".to_owned(),
        )),
        Output::Table => print_by(|to| to.write_all(report::matrix(&accounts, columns).as_bytes())),
        Output::Csv => print_by(|to| report::matrix_csv(&accounts, columns, to)),
    }
}

/// What is known of every account in a policy's scope.
pub fn compliance_of(client: &Client, policy_id: &str) -> Result<Vec<StatusRow>, Failure> {
    compliance_at(client, policy_id, None)
}

/// What is known, or was told at a moment.
fn compliance_at(
    client: &Client,
    policy_id: &str,
    at: Option<&str>,
) -> Result<Vec<StatusRow>, Failure> {
    let reader = if at.is_some() { "compliance" } else { "accounts" };
    let path = format!("/palisade/v1/policies/{}/{reader}", encoded(policy_id));
    let mut rows = Vec::new();
    own_pages(client, &path, "accounts", at, |page, accounts| {
        let policy = page.get("policy").unwrap_or(&Value::Null);
        let row = |account| dated(status_row(policy, account), account, at);
        rows.extend(accounts.iter().map(row));
    })?;
    Ok(rows)
}

/// A row as it was told at a moment, or now.
fn dated(row: StatusRow, known: &Value, at: Option<&str>) -> StatusRow {
    let since = known.get("since").and_then(Value::as_str);
    let since = since.filter(|_| at.is_some()).map(str::to_owned);
    StatusRow { at: at.map(str::to_owned), since, ..row }
}

/// Takes every page of one of Palisade's own lists, and what it lists.
pub fn own_pages(
    client: &Client,
    path: &str,
    list: &str,
    at: Option<&str>,
    mut take: impl FnMut(&Value, &[Value]),
) -> Result<(), Failure> {
    let mut after: Option<String> = None;
    loop {
        let mut query = vec![("limit", "1000")];
        query.extend(at.map(|at| ("at", at)));
        query.extend(after.as_deref().map(|after| ("next", after)));
        let page = client.own("GET", path, &query, b"")?;
        take(&page, listed(&page, list, path)?);
        after = next(&page, "next", path)?;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// An account as the server knows it.
fn status_row(policy: &Value, known: &Value) -> StatusRow {
    let issues = known.get("issues").and_then(Value::as_object);
    let as_text = |(service, text): (&String, &Value)| {
        (service.clone(), text.as_str().unwrap_or_default().to_owned())
    };
    let number = |name: &str| known.get(name).and_then(Value::as_u64).unwrap_or_default();
    StatusRow {
        owner: text_of(policy, "owner"),
        policy_id: Some(text_of(policy, "id")),
        policy: text_of(policy, "name"),
        region: text_of(policy, "region"),
        account: text_of(known, "account"),
        account_name: known.get("accountName").and_then(Value::as_str).map(str::to_owned),
        unit_path: known.get("unitPath").and_then(Value::as_str).map(str::to_owned),
        status: match text(known, "status") {
            "COMPLIANT" => Some(Status::Compliant),
            "NON_COMPLIANT" => Some(Status::NonCompliant),
            _ => None,
        },
        reason: Reason::named(text(known, "reason")),
        age: known.get("asOf").and_then(Value::as_str).map(|as_of| Age {
            as_of: as_of.to_owned(),
            seconds: known.get("ageSeconds").and_then(Value::as_i64).unwrap_or_default(),
        }),
        violator_count: number("violatorCount"),
        limit_exceeded: number("violatorCount") > VIOLATORS_SHOWN_MAX as u64,
        issues: issues.map(|issues| issues.iter().map(as_text).collect()).unwrap_or_default(),
        last_updated: known.get("lastUpdated").and_then(Value::as_str).map(str::to_owned),
        violators: None,
        at: None,
        since: None,
        waived: number("waived"),
    }
}

/// `palisade violators`: all of them, where AWS's own answer ends at 100.
pub fn violators(args: &args::Violators) -> Outcome {
    let client = Client::new(&args.server)?;
    let at = args.at.as_deref();
    let id = match at {
        None => policy_id(&client, &args.policy)?,
        Some(at) => policy_at(&client, &args.policy, at)?,
    };
    let Some(account) = &args.account else { return all_violators(&client, &id, args) };
    let account = account_at(&client, &id, account, at)?;
    let path = format!("/palisade/v1/policies/{}/accounts/{account}/violators", encoded(&id));
    let (mut row, mut lines) = (StatusRow::default(), Vec::new());
    own_pages(&client, &path, "violators", at, |page, violators| {
        row = status_row(page.get("policy").unwrap_or(&Value::Null), page);
        row = dated(std::mem::take(&mut row), page, at);
        lines.extend(violators.iter().map(violator_line));
    })?;
    print_by(|to| report::violators(&row, &lines, args.output, to))?;
    Ok(graded([&row].into_iter(), args.fail_on))
}

/// The id of a policy that there was at a moment, named by id or name, in the client's Region.
///
/// # Errors
/// There was none, or several.
pub fn policy_at(client: &Client, named: &str, at: &str) -> Result<String, Failure> {
    let mut found = Vec::new();
    own_pages(client, "/palisade/v1/policies", "policies", Some(at), |_, policies| {
        let is_meant = |policy: &&Value| {
            text(policy, "id") == named
                || text(policy, "name") == named && text(policy, "region") == client.region()
        };
        found.extend(policies.iter().filter(is_meant).map(|policy| text_of(policy, "id")));
    })?;
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Failure::Usage(format!("there was no policy `{named}` at {at}"))),
        _ => Err(Failure::Usage(format!(
            "several policies were named `{named}` at {at}; give the id of one"
        ))),
    }
}

/// The id of an account that is named by id, or by the name of one in the policy's scope, now or at a moment.
///
/// # Errors
/// There is none of that name, or there are several.
pub fn account_at(
    client: &Client,
    policy_id: &str,
    named: &str,
    at: Option<&str>,
) -> Result<String, Failure> {
    match AccountId::try_from(named) {
        Ok(account) => Ok(account.to_string()),
        Err(_) => account_named(&compliance_at(client, policy_id, at)?, named),
    }
}

/// The account of a name among these.
pub fn account_named(rows: &[StatusRow], name: &str) -> Result<String, Failure> {
    let mut found = rows.iter().filter(|row| is_named(row, name));
    match (found.next(), found.next()) {
        (Some(row), None) => Ok(row.account.clone()),
        (Some(one), Some(other)) => Err(Failure::Usage(format!(
            "several accounts are named `{name}`, such as {} and {}; give the id of one",
            one.account, other.account
        ))),
        (None, _) => Err(Failure::Usage(format!(
            "no account named `{name}` is in the policy's scope; give its id, or see `palisade \
             compliance`"
        ))),
    }
}

/// Every account in scope with its violators: those that comply, and those of which nothing can be told, are
/// listed too.
fn all_violators(client: &Client, id: &str, args: &args::Violators) -> Outcome {
    let at = args.at.as_deref();
    let mut rows = compliance_at(client, id, at)?;
    let mut found: BTreeMap<String, Vec<ViolatorLine>> = BTreeMap::new();
    let path = format!("/palisade/v1/policies/{}/violators", encoded(id));
    own_pages(client, &path, "violators", at, |_, violators| {
        for violator in violators {
            let lines = found.entry(text_of(violator, "account")).or_default();
            lines.push(violator_line(violator));
        }
    })?;
    for row in &mut rows {
        row.violators = Some(found.remove(&row.account).unwrap_or_default());
    }
    let grade = graded(rows.iter(), args.fail_on);
    let totals = Totals::of(&rows, 1);
    let form = Form { totals: Some(totals), ..Form::of_a_server(args.output) };
    print_by(|to| report::statuses(rows, &form, to))?;
    Ok(grade)
}

fn violator_line(violator: &Value) -> ViolatorLine {
    let evidence = violator.get("evidence").and_then(Value::as_array);
    ViolatorLine {
        resource_type: text_of(violator, "ResourceType"),
        id: text_of(violator, "ResourceId"),
        reason: text_of(violator, "ViolationReason"),
        since: violator.get("since").and_then(Value::as_str).map(str::to_owned),
        judged: violator.get("judged").and_then(Value::as_str).map(str::to_owned),
        evidence: evidence
            .into_iter()
            .flatten()
            .map(|one| text_of(one, "summary"))
            .filter(|summary| !summary.is_empty())
            .collect(),
        waiver: violator.get("waiver").map(waived_by),
    }
}

/// Who accepted it, why and until when.
fn waived_by(waiver: &Value) -> String {
    let until = text(waiver, "until");
    format!("until {until}, {}: {}", text(waiver, "owner"), text(waiver, "reason"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_server_knows_of_an_account_becomes_a_row() {
        let policy = json!({"id": "p", "name": "n", "owner": "1", "region": "eu-west-1"});
        let row = status_row(
            &policy,
            &json!({
                "account": "2", "accountName": "team", "status": "NON_COMPLIANT", "reason": "judged", "violatorCount": 137,
                "issues": {"AWSCONFIG": "x"}, "lastUpdated": "1970-01-01T00:00:01.5Z",
                "asOf": "1970-01-01T00:00:00Z", "ageSeconds": 3,
            }),
        );
        assert_eq!(row.status_text(), "NON_COMPLIANT");
        assert_eq!((row.violator_count, row.limit_exceeded), (137, true));
        assert_eq!(row.issues["AWSCONFIG"], "x");
        assert_eq!((row.policy.as_str(), row.account.as_str()), ("n", "2"));
        assert_eq!(row.account_name.as_deref(), Some("team"));
        assert_eq!(row.last_updated.as_deref(), Some("1970-01-01T00:00:01.5Z"));
        assert_eq!(row.age, Some(Age::of(0, 3_000)));
        for (reason, text) in [
            ("no-result", "no result"),
            ("not-judged-yet", "not judged yet"),
            ("out-of-scope", "out of scope"),
        ] {
            let none = status_row(&policy, &json!({"status": null, "reason": reason}));
            assert_eq!((none.status_text(), none.age), (text, None));
        }
    }

    fn rows() -> Vec<StatusRow> {
        let row = |account: &str, status, violator_count| StatusRow {
            account: account.into(),
            account_name: Some(format!("Team-{account}")),
            status,
            violator_count,
            reason: if status.is_some() { Reason::Judged } else { Reason::NoResult },
            ..StatusRow::default()
        };
        vec![
            row("1", Some(Status::Compliant), 0),
            row("2", Some(Status::NonCompliant), 3),
            row("3", None, 0),
            row("4", Some(Status::NonCompliant), 137),
        ]
    }

    #[test]
    fn rows_are_sorted_and_level_ones_stay_in_their_order() {
        for (by, want) in
            [(Sort::Account, "1234"), (Sort::Violators, "4213"), (Sort::Status, "2431")]
        {
            let mut rows = rows();
            sort(&mut rows, by);
            let order: String = rows.iter().map(|row| row.account.as_str()).collect();
            assert_eq!(order, want, "{by:?}");
        }
    }

    #[test]
    fn accounts_are_found_by_id_and_by_name_in_any_letter_case() {
        let mut found = rows();
        keep_accounts(&mut found, &["2".into(), "team-3".into()]);
        assert_eq!(found.len(), 2);
        keep_accounts(&mut found, &[]);
        assert_eq!(found.len(), 2, "none named is all");
        assert_eq!(account_named(&rows(), "TEAM-4"), Ok("4".to_owned()));
        assert!(account_named(&rows(), "team-9").is_err());
        let twice = [rows(), rows()].concat();
        assert!(account_named(&twice, "team-1").is_err());
    }

    #[test]
    fn a_grade_is_never_0_where_something_is_unknown() {
        use FailOn::{Unknown, Violators};
        let [complies, fails, unknown, _] = rows().try_into().unwrap();
        let out = StatusRow { reason: Reason::OutOfScope, ..unknown.clone() };
        for (rows, fail_on, want) in [
            (vec![&complies, &fails, &unknown], None, Exit::Done),
            (vec![&complies], Some(Violators), Exit::Done),
            (vec![&complies, &unknown], Some(Violators), Exit::Undecided),
            (vec![&unknown, &fails], Some(Violators), Exit::NonCompliant),
            (vec![&fails], Some(Unknown), Exit::Done),
            (vec![&fails, &unknown], Some(Unknown), Exit::Undecided),
            (vec![&out], Some(Unknown), Exit::Done),
            (vec![], Some(Violators), Exit::Undecided),
            (vec![], None, Exit::Done),
        ] {
            assert_eq!(graded(rows.into_iter(), fail_on), want, "{fail_on:?}");
        }
    }
}
