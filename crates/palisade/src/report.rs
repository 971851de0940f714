//! Compliance as people, programs and spreadsheets read it.

mod known;
pub use palisade_api::lines;
mod matrix;
pub mod naming;
mod row;
mod table;
mod totals;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde_json::Value;

use crate::args::Output;
use crate::printable::{escaped, escaped_json};
use crate::terminal::width;
use crate::wrapping;
pub use known::{Age, Reason};
use lines::Lines;
pub use matrix::{matrix, matrix_csv};
pub use row::{StatusRow, ViolatorLine, color, counted};
use table::laid_out_in;
pub use table::{Cell, Color, Side, Table, finished, table};
pub use totals::Totals;

/// How rows are told.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// As what.
    pub output: Output,
    /// Whether a ledger tells when accounts were judged, and violators first found.
    pub dated: bool,
    /// Whether some policy has an id, as each of a server's has.
    pub identified: bool,
    /// Sums, for people and programs.
    pub totals: Option<Totals>,
    /// Rows that are left out behind the last.
    pub left_out: usize,
}

impl Form {
    /// Of what a server tells.
    pub fn of_a_server(output: Output) -> Form {
        Form { output, dated: true, identified: true, ..Form::default() }
    }
}

/// Writes the rows in the form asked for, with a newline at the end: those of a fleet one by one,
/// but for a table, whose columns are as wide as the widest of all.
pub fn statuses(
    rows: impl IntoIterator<Item = StatusRow>,
    form: &Form,
    to: &mut dyn Write,
) -> io::Result<()> {
    let mut rows = rows.into_iter();
    match form.output {
        Output::Json => {
            let rows = rows.map(|row| row.json());
            let head = form.totals.as_ref().map(|totals| ("Totals".to_owned(), totals.json()));
            json_list(&head.into_iter().collect(), "PolicyComplianceStatusList", rows, to)
        }
        Output::Csv => status_csv(&mut rows, form, to),
        Output::Table => {
            let rows: Vec<StatusRow> = rows.collect();
            if let Some(at) = rows.first().and_then(|row| row.at.as_ref()) {
                writeln!(to, "As it was told at {}:", dated_back(at))?;
            }
            to.write_all(status_table(&rows, width()).as_bytes())?;
            if form.left_out > 0 {
                writeln!(to, "… and {} below", counted(form.left_out as u64, "row"))?;
            }
            if let Some(totals) = &form.totals {
                to.write_all(paragraph(&totals.text(), width()).as_bytes())?;
            }
            for row in &rows {
                if let Some(violators) = row.violators.as_ref().filter(|list| !list.is_empty()) {
                    let name = row.account_name.as_deref().filter(|_| form.totals.is_some());
                    let name = name.map(|name| format!(" ({})", escaped(name))).unwrap_or_default();
                    write!(
                        to,
                        "\n{} in {}, account {}{name}:\n{}",
                        escaped(&row.policy),
                        row.region,
                        row.account,
                        violator_table(violators, width())
                    )?;
                }
            }
            Ok(())
        }
    }
}

/// Writes the violators of one policy and account in the form asked for, behind what is known of the
/// account.
pub fn violators(
    row: &StatusRow,
    lines: &[ViolatorLine],
    output: Output,
    to: &mut dyn Write,
) -> io::Result<()> {
    match output {
        Output::Json => {
            let head = row.json();
            let head = head.as_object().cloned().unwrap_or_default();
            json_list(&head, "Violators", lines.iter().map(ViolatorLine::json), to)
        }
        Output::Csv => {
            let row = StatusRow { violators: Some(lines.to_vec()), ..row.clone() };
            status_csv(&mut [row].into_iter(), &Form::of_a_server(output), to)
        }
        Output::Table => {
            to.write_all(summary(row, width()).as_bytes())?;
            match lines {
                [] => Ok(()),
                lines => write!(to, "\n{}", violator_table(lines, width())),
            }
        }
    }
}

/// What is known of one account, in sentences.
fn summary(row: &StatusRow, width: Option<usize>) -> String {
    let age = match &row.age {
        _ if row.at.is_some() => {
            let since = row.since.as_deref().map(|since| format!(", so since {since}"));
            let at = dated_back(row.at.as_deref().unwrap_or_default());
            format!("told at {at}{}", since.unwrap_or_default())
        }
        Some(age) => format!("as of {}, {} ago", age.as_of, age.text()),
        None => "nothing was told of it".to_owned(),
    };
    let name = row.account_name.as_deref();
    let mut text = paragraph(
        &format!(
            "{} in {}, account {}{}: {} ({age})",
            row.policy,
            row.region,
            row.account,
            name.map(|name| format!(" ({name})")).unwrap_or_default(),
            row.standing(),
        ),
        width,
    );
    if let Some(path) = &row.unit_path {
        text.push_str(&paragraph(&format!("  below {path}"), width));
    }
    if row.reason == Reason::OutOfScope {
        text.push_str("  the policy is not about this account\n");
    }
    for (service, issue) in &row.issues {
        text.push_str(&paragraph(&format!("  {service}: {issue}"), width));
    }
    text
}

/// An object of one list, of which one element at a time is made: as values, the rows of a fleet
/// take many times the room of their text.
fn json_list(
    head: &serde_json::Map<String, Value>,
    name: &str,
    elements: impl Iterator<Item = Value>,
    to: &mut dyn Write,
) -> io::Result<()> {
    to.write_all(b"{\n")?;
    for (name, value) in head {
        let value = escaped_json(&format!("{value:#}")).replace('\n', "\n  ");
        writeln!(to, "  {}: {value},", Value::from(name.as_str()))?;
    }
    write!(to, "  {}: [", Value::from(name))?;
    let mut between = "";
    for element in elements {
        to.write_all(between.as_bytes())?;
        for line in escaped_json(&format!("{element:#}")).lines() {
            to.write_all(b"\n    ")?;
            to.write_all(line.as_bytes())?;
        }
        between = ",";
    }
    // As an empty list is written.
    to.write_all(if between.is_empty() { b"]\n}\n" } else { b"\n  ]\n}\n" })
}

/// The rows behind a line that tells what all of them have in common, and below them what stood in the way of
/// knowing where there is no room for that beside them.
fn status_table(rows: &[StatusRow], width: Option<usize>) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let one_policy = rows.iter().all(|row| row.policy == first.policy);
    let one_region = rows.iter().all(|row| row.region == first.region);
    let heading = match (one_policy, one_region) {
        (true, true) => format!("{} in {}\n", escaped(&first.policy), first.region),
        (true, false) => format!("{}\n", escaped(&first.policy)),
        (false, true) => format!("In {}\n", first.region),
        (false, false) => String::new(),
    };
    let columns = [!one_policy, !one_region];
    let is_whole =
        one_policy && one_region || table::fits(&status_cells_of(rows, columns, false), width);
    if !is_whole && let Some(runs) = runs(rows) {
        return runs.into_iter().map(|run| status_table(run, width)).collect::<Vec<_>>().join("\n");
    }
    let beside = rows.iter().any(|row| !row.issues.is_empty());
    let whole = status_cells_of(rows, columns, beside);
    if !beside || table::fits(&whole, width) {
        return heading + &laid_out_in(&whole, width);
    }
    heading + &laid_out_in(&status_cells_of(rows, columns, false), width) + &issues(rows, width)
}

/// The rows of each policy and Region, where these are not mixed.
fn runs(rows: &[StatusRow]) -> Option<Vec<&[StatusRow]>> {
    let of = |row: &StatusRow| (row.policy.clone(), row.region.clone());
    let runs: Vec<&[StatusRow]> = rows.chunk_by(|one, other| of(one) == of(other)).collect();
    let several: BTreeSet<_> = runs.iter().filter_map(|run| run.first().map(of)).collect();
    (several.len() == runs.len()).then_some(runs)
}

fn status_cells_of(rows: &[StatusRow], [policy, region]: [bool; 2], issues: bool) -> Table {
    let named = rows.iter().any(|row| row.account_name.is_some());
    // How old the inventory was is not kept: since when it was told so is.
    let past = rows.iter().any(|row| row.at.is_some());
    let mut table = table();
    let header = [
        (policy, "Policy"),
        (region, "Region"),
        (true, "Account"),
        (named, "Name"),
        (true, "Status"),
        (!past, "Age"),
        (past, "Since"),
        (issues, "Issues"),
    ];
    table.set_header(header.into_iter().filter(|(is, _)| *is).map(|(_, name)| name));
    for row in rows {
        let age = row.age.as_ref().map_or_else(|| "-".to_owned(), Age::text);
        let cells = [
            (policy, Cell::name(&row.policy)),
            (region, Cell::new(&row.region)),
            (true, Cell::new(&row.account)),
            (named, Cell::name(row.account_name.as_deref().unwrap_or_default())),
            (true, Cell::new(row.standing()).fg(color(row.status))),
            (!past, Cell::new(age).on(Side::Right)),
            (past, Cell::new(row.since.as_deref().map_or_else(|| "-".to_owned(), to_seconds))),
            (issues, Cell::new(row.issue_text())),
        ];
        table.add_row(cells.into_iter().filter(|(is, _)| *is).map(|(_, cell)| cell));
    }
    table
}

/// Accounts that are told with an issue that many have.
const ISSUE_ACCOUNTS_MAX: usize = 3;

/// Each issue once, with whose it is.
fn issues(rows: &[StatusRow], width: Option<usize>) -> String {
    let mut whose: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for row in rows.iter().filter(|row| !row.issues.is_empty()) {
        let name = row.account_name.as_deref().unwrap_or(&row.account);
        whose.entry(row.issue_text()).or_default().insert(name);
    }
    let mut text = String::new();
    for (issue, accounts) in whose {
        let first: Vec<&str> = accounts.iter().copied().take(ISSUE_ACCOUNTS_MAX).collect();
        let more = accounts.len().saturating_sub(first.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let line = format!("{}{more}: {issue}", first.join(", "));
        text.push_str(&paragraph(&line, width));
    }
    text
}

fn paragraph(text: &str, width: Option<usize>) -> String {
    wrapping::paragraph(&escaped(text), width)
}

fn violator_table(lines: &[ViolatorLine], width: Option<usize>) -> String {
    let one_type = lines.first().filter(|first| {
        lines.len() > 1 && lines.iter().all(|line| line.resource_type == first.resource_type)
    });
    let dated = lines.iter().any(|line| line.since.is_some());
    let mut table = table();
    let mut header: Vec<&str> = if one_type.is_some() { vec![] } else { vec!["Type"] };
    header.extend(["Resource", "Reason"]);
    header.extend(dated.then_some("Since"));
    let waived = lines.iter().any(|line| line.waiver.is_some());
    header.extend(waived.then_some("Waived"));
    header.push("Evidence");
    table.set_header(header);
    for line in lines {
        let mut cells = if one_type.is_some() { vec![] } else { vec![line.resource_type.clone()] };
        cells.extend([line.id.clone(), line.reason.clone()]);
        cells.extend(dated.then(|| line.since.as_deref().map(to_seconds).unwrap_or_default()));
        cells.extend(waived.then(|| line.waiver.clone().unwrap_or_default()));
        cells.push(match line.evidence.as_slice() {
            [] => String::new(),
            [only] => only.clone(),
            [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
        });
        table.add_row(cells);
    }
    let heading = one_type.map(|first| format!("{}\n", escaped(&first.resource_type)));
    heading.unwrap_or_default() + &laid_out_in(&table, width)
}

/// A moment with how long ago it was.
fn dated_back(at: &str) -> String {
    let read: Result<jiff::Timestamp, _> = at.parse();
    let ago = read.map(|at| jiff::Timestamp::now().duration_since(at).as_secs());
    ago.map_or_else(
        |_| at.to_owned(),
        |secs| format!("{at}, {} ago", Age { as_of: String::new(), seconds: secs }.text()),
    )
}

/// A moment without what is less than a second, as people read it.
pub fn to_seconds(moment: &str) -> String {
    match (moment.split_once('.'), moment.ends_with('Z')) {
        (Some((seconds, _)), true) => format!("{seconds}Z"),
        _ => moment.to_owned(),
    }
}

/// Columns of an account under a policy.
const OF_ACCOUNT: [&str; 13] = [
    "PolicyOwner",
    "PolicyId",
    "PolicyName",
    "Region",
    "MemberAccount",
    "AccountName",
    "ComplianceStatus",
    "ViolatorCount",
    "EvaluationLimitExceeded",
    "Issues",
    "Reason",
    "AsOf",
    "AgeSeconds",
];

/// Whether there is anything to tell in a column: of the past neither how old the inventory was nor when it was
/// judged is kept, and policies of files need have no id.
fn is_told(column: &str, form: &Form, past: bool) -> bool {
    match column {
        "PolicyId" => form.identified,
        "AsOf" | "AgeSeconds" => !past,
        _ => true,
    }
}

fn status_csv(
    rows: &mut dyn Iterator<Item = StatusRow>,
    form: &Form,
    to: &mut dyn Write,
) -> io::Result<()> {
    let mut rows = rows.peekable();
    let (dated, past) = (form.dated, rows.peek().is_some_and(|row| row.at.is_some()));
    // Asked for or not, they are of all rows.
    let with_violators = rows.peek().is_some_and(|row| row.violators.is_some());
    let now = dated && !past;
    let told = OF_ACCOUNT.map(|name| is_told(name, form, past));
    let of_account = OF_ACCOUNT.into_iter().zip(told).filter(|(_, is_told)| *is_told);
    let mut header: Vec<&str> = of_account.map(|(name, _)| name).collect();
    header.extend(now.then_some("LastUpdated"));
    if with_violators {
        header.extend(["ResourceType", "ResourceId", "ViolationReason", "Since"]);
        header.extend(dated.then_some("FirstJudged"));
        header.push("Evidence");
        header.extend(dated.then_some("Waiver"));
    }
    header.extend(dated.then_some("UnitPath"));
    header.extend(past.then_some(["At", "ToldSince"]).into_iter().flatten());
    let mut csv = Lines::to(to);
    csv.line(&header)?;
    for row in rows {
        let cells = status_cells(&row);
        let updated = now.then(|| row.last_updated.as_deref().unwrap_or_default());
        let mut own: Vec<&str> = Vec::new();
        for (cell, is_told) in cells.iter().zip(told) {
            own.extend(is_told.then_some(cell.as_str()));
        }
        own.extend(updated);
        let cells = || own.iter().copied();
        let text = |text: &Option<String>| text.as_deref().unwrap_or_default().to_owned();
        let moments = past.then(|| [text(&row.at), text(&row.since)]);
        let last: Vec<String> = dated
            .then(|| text(&row.unit_path))
            .into_iter()
            .chain(moments.into_iter().flatten())
            .collect();
        let last = || last.iter().map(String::as_str);
        match row.violators.as_deref() {
            Some([]) => {
                let none = [""; 7].into_iter().skip(if dated { 0 } else { 2 });
                csv.line(cells().chain(none).chain(last()))?
            }
            Some(violators) => {
                // One line a violator, so that a spreadsheet can sort and filter them.
                for line in violators {
                    let evidence = line.evidence.join("; ");
                    let since = line.since.as_deref().unwrap_or_default();
                    let judged = dated.then(|| line.judged.as_deref().unwrap_or_default());
                    let resource: [&str; 4] = [&line.resource_type, &line.id, &line.reason, since];
                    let waiver = dated.then(|| line.waiver.as_deref().unwrap_or_default());
                    let cells = cells().chain(resource).chain(judged);
                    csv.line(cells.chain([evidence.as_str()]).chain(waiver).chain(last()))?;
                }
            }
            None => csv.line(cells().chain(last()))?,
        }
    }
    csv.finish()
}

fn status_cells(row: &StatusRow) -> [String; 13] {
    let seen = row.status.is_some();
    let [as_of, age_seconds] = Age::cells(row.age.as_ref());
    let only_seen = |text: String| if seen { text } else { String::new() };
    [
        row.owner.clone(),
        row.policy_id.clone().unwrap_or_default(),
        row.policy.clone(),
        row.region.clone(),
        row.account.clone(),
        row.account_name.clone().unwrap_or_default(),
        row.status_text().to_owned(),
        only_seen(row.violator_count.to_string()),
        only_seen(row.limit_exceeded.to_string()),
        row.issue_text(),
        row.reason.name().to_owned(),
        as_of,
        age_seconds,
    ]
}

#[cfg(test)]
mod tests {
    use palisade_core::evaluate::Status;
    use serde_json::json;

    use super::*;

    fn rows() -> Vec<StatusRow> {
        let row = |account: &str, status, count| StatusRow {
            owner: "210987654321".into(),
            policy: "no-ssh".into(),
            region: "eu-west-1".into(),
            account: account.into(),
            account_name: Some(format!("team, \"{account}\"")),
            status,
            violator_count: count,
            limit_exceeded: count > 100,
            reason: if status.is_some() { Reason::Judged } else { Reason::NoResult },
            age: status.map(|_| Age::of(0, 7_200_000)),
            ..StatusRow::default()
        };
        let mut unheard = row("000000000003", None, 0);
        unheard.issues.insert("AWSCONFIG".into(), "Nothing was delivered.".into());
        vec![
            row("000000000001", Some(Status::Compliant), 0),
            row("000000000002", Some(Status::NonCompliant), 101),
            unheard,
        ]
    }

    fn text(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut text = Vec::new();
        write(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    fn told(rows: &[StatusRow], output: Output) -> String {
        text(|to| statuses(rows.to_vec(), &Form { output, ..Form::default() }, to))
    }

    #[test]
    fn a_table_shows_what_is_known_and_what_is_not() {
        insta::assert_snapshot!(told(&rows(), Output::Table));
    }

    #[test]
    fn csv_is_quoted_where_it_must_be() {
        insta::assert_snapshot!(told(&rows(), Output::Csv));
    }

    #[test]
    fn json_has_the_names_of_aws_and_no_result_is_an_empty_list() {
        insta::assert_snapshot!(told(&rows(), Output::Json));
    }

    /// What people see at 80 columns, at 120, and piped.
    #[test]
    fn screens_fit_the_terminal() {
        let mut named = rows();
        for (row, name) in
            named.iter_mut().zip(["larkfield-management", "legacy-erp", "kiosk-prod"])
        {
            row.account_name = Some(name.into());
        }
        let of = |resource: &str| ViolatorLine {
            resource_type: "AWS::EC2::SecurityGroup".into(),
            id: resource.into(),
            reason: "RESOURCE_VIOLATES_AUDIT_SECURITY_GROUP".into(),
            since: Some("2026-02-03T04:05:06.789Z".into()),
            judged: None,
            waiver: None,
            evidence: vec![format!(
                "ingress rule `tcp 22 from 0.0.0.0/0` of {resource}: denied by audit group sg-0a5d17c0ffee0a0d1"
            )],
        };
        let violators = [of("sg-03b307f4e69dbc235"), of("sg-0c2f90580dacff919")];
        let titles = [
            "administration-group",
            "inspected-data",
            "known-bad-domains",
            "no-remote-administration",
            "partner-stages",
            "payments-single-ports",
            "public-web-only",
            "vendor-firewall",
            "web-acl-on-load-balancers",
        ];
        let columns: Vec<(String, Vec<StatusRow>)> =
            titles.iter().map(|title| ((*title).to_owned(), named.clone())).collect();
        let accounts: Vec<(&str, String)> = named
            .iter()
            .map(|row| (row.account.as_str(), row.account_name.clone().unwrap_or_default()))
            .collect();
        for width in [Some(80), Some(120), None] {
            let text = [
                status_table(&named, width),
                summary(&named[1], width),
                violator_table(&violators, width),
                matrix::matrix_in(&accounts, &columns, width),
            ]
            .join("\n");
            let name = width.map_or("piped".to_owned(), |width| format!("{width}_columns"));
            insta::assert_snapshot!(format!("screens_{name}"), text);
            for line in text.lines() {
                assert!(
                    width.is_none_or(|width| wrapping::width_of(line) <= width),
                    "{name}: {line}"
                );
            }
        }
    }

    #[test]
    fn a_list_is_written_as_the_value_of_all_would_be() {
        for count in 0..=3 {
            let some = &rows()[..count];
            let list: Vec<Value> = some.iter().map(StatusRow::json).collect();
            let whole = format!("{:#}\n", json!({"PolicyComplianceStatusList": list}));
            assert_eq!(told(some, Output::Json), whole, "{count} rows");
        }
    }

    #[test]
    fn violators_show_the_first_finding_and_how_many_follow() {
        let line = ViolatorLine {
            resource_type: "AWS::EC2::SecurityGroup".into(),
            id: "sg-1".into(),
            reason: "RESOURCE_VIOLATES_AUDIT_SECURITY_GROUP".into(),
            since: Some("2026-02-03T04:05:06Z".into()),
            judged: None,
            waiver: None,
            evidence: vec!["tcp 22 is denied".into(), "tcp 3389 is denied".into()],
        };
        let [_, row, none] = rows().try_into().unwrap();
        let told = |output| text(|to| violators(&row, std::slice::from_ref(&line), output, to));
        insta::assert_snapshot!(told(Output::Table));
        // The same columns as of all accounts.
        let csv = told(Output::Csv);
        assert!(csv.starts_with("PolicyOwner,PolicyId,PolicyName,Region,MemberAccount,"), "{csv}");
        assert!(csv.contains(",000000000002,") && csv.contains("; tcp 3389 is denied,"), "{csv}");
        let json: Value = serde_json::from_str(&told(Output::Json)).unwrap();
        assert_eq!(json["Violators"], json!([line.json()]));
        assert_eq!((&json["Reason"], &json["AgeSeconds"]), (&json!("judged"), &json!(7_200)));
        // Where there are none, it is told why.
        let told = |row: &StatusRow, output| text(|to| violators(row, &[], output, to));
        let table = told(&none, Output::Table);
        assert!(table.contains("no result") && table.contains("Nothing was delivered."), "{table}");
        let json: Value = serde_json::from_str(&told(&none, Output::Json)).unwrap();
        assert_eq!((&json["Violators"], &json["Reason"]), (&json!([]), &json!("no-result")));
        let csv = told(&none, Output::Csv);
        assert!(csv.contains(",AWSCONFIG: Nothing was delivered.,no-result,,"), "{csv}");
        let out = StatusRow { reason: Reason::OutOfScope, issues: BTreeMap::new(), ..none };
        let table = told(&out, Output::Table);
        assert!(table.contains("out of scope") && table.contains("not about this"), "{table}");
    }
}
