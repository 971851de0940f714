//! Compliance as people, programs and spreadsheets read it.

mod known;
pub use palisade_api::lines;
mod matrix;
mod row;
mod table;
mod totals;
mod wrapped;

use std::io::{self, Write};

use serde_json::Value;

use crate::args::Output;
use crate::printable::{escaped, escaped_json};
pub use known::{Age, Reason};
use lines::Lines;
pub use matrix::{matrix, matrix_csv};
pub use row::{StatusRow, ViolatorLine, color, counted};
pub use table::{Cell, CellAlignment, Color, Table, finished, table};
pub use totals::Totals;
pub use wrapped::wrapped;

/// How rows are told.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// As what.
    pub output: Output,
    /// Whether a ledger tells when accounts were judged, and violators first found.
    pub dated: bool,
    /// Sums, for people and programs.
    pub totals: Option<Totals>,
    /// Rows that are left out behind the last.
    pub left_out: usize,
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
        Output::Csv => status_csv(&mut rows, form.dated, to),
        Output::Table => {
            let rows: Vec<StatusRow> = rows.collect();
            to.write_all(status_table(&rows).as_bytes())?;
            if form.left_out > 0 {
                writeln!(to, "… and {} below", counted(form.left_out as u64, "row"))?;
            }
            if let Some(totals) = &form.totals {
                writeln!(to, "{}", totals.text())?;
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
                        violator_table(violators)
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
        Output::Csv => violator_csv(row, lines, to),
        Output::Table => {
            to.write_all(summary(row).as_bytes())?;
            match lines {
                [] => Ok(()),
                lines => write!(to, "\n{}", violator_table(lines)),
            }
        }
    }
}

/// What is known of one account, in sentences.
fn summary(row: &StatusRow) -> String {
    let count = match row.status {
        Some(_) => format!(", {}", counted(row.violator_count, "violator")),
        None => String::new(),
    };
    let age = match &row.age {
        Some(age) => format!("as of {}, {} ago", age.as_of, age.text()),
        None => "nothing was told of it".to_owned(),
    };
    let mut text = format!(
        "{} in {}, account {}{}: {}{count} ({age})\n",
        escaped(&row.policy),
        row.region,
        row.account,
        row.account_name.as_deref().map(|name| format!(" ({})", escaped(name))).unwrap_or_default(),
        row.status_text(),
    );
    if row.reason == Reason::OutOfScope {
        text.push_str("  the policy is not about this account\n");
    }
    for (service, issue) in &row.issues {
        text.push_str(&format!("  {service}: {}\n", escaped(issue)));
    }
    text
}

fn violator_csv(row: &StatusRow, lines: &[ViolatorLine], to: &mut dyn Write) -> io::Result<()> {
    let header =
        ["ResourceType", "ResourceId", "ViolationReason", "Since", "FirstJudged", "Evidence"];
    let of_account = [
        "PolicyName",
        "Region",
        "MemberAccount",
        "AccountName",
        "ComplianceStatus",
        "Reason",
        "Issues",
        "AsOf",
        "AgeSeconds",
    ];
    let mut csv = Lines::to(to);
    csv.line(header.iter().chain(&of_account))?;
    let [as_of, age_seconds] = Age::cells(row.age.as_ref());
    let issues = row.issue_text();
    let known: [&str; 9] = [
        &row.policy,
        &row.region,
        &row.account,
        row.account_name.as_deref().unwrap_or_default(),
        row.status_text(),
        row.reason.name(),
        &issues,
        &as_of,
        &age_seconds,
    ];
    if lines.is_empty() {
        csv.line([""; 6].iter().chain(&known))?;
    }
    for line in lines {
        let since = line.since.as_deref().unwrap_or_default();
        let judged = line.judged.as_deref().unwrap_or_default();
        let evidence = line.evidence.join("; ");
        let cells: [&str; 6] =
            [&line.resource_type, &line.id, &line.reason, since, judged, &evidence];
        csv.line(cells.iter().chain(&known))?;
    }
    csv.finish()
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

fn status_table(rows: &[StatusRow]) -> String {
    let named = rows.iter().any(|row| row.account_name.is_some());
    let issues = rows.iter().any(|row| !row.issues.is_empty());
    let mut table = table();
    let mut header = vec!["Policy", "Region", "Account"];
    header.extend(named.then_some("Name"));
    header.extend(["Status", "Violators", "Age"]);
    header.extend(issues.then_some("Issues"));
    table.set_header(header);
    for row in rows {
        let mut cells =
            vec![Cell::new(&row.policy), Cell::new(&row.region), Cell::new(&row.account)];
        if named {
            cells.push(Cell::new(row.account_name.as_deref().unwrap_or_default()));
        }
        cells.push(Cell::new(row.status_text()).fg(color(row.status)));
        let count = match row.limit_exceeded {
            true => format!("{} (over 100)", row.violator_count),
            false => row.violator_count.to_string(),
        };
        let count = if row.status.is_none() { "-".to_owned() } else { count };
        cells.push(Cell::new(count).set_alignment(CellAlignment::Right));
        let age = row.age.as_ref().map_or_else(|| "-".to_owned(), Age::text);
        cells.push(Cell::new(age).set_alignment(CellAlignment::Right));
        if issues {
            cells.push(Cell::new(row.issue_text()));
        }
        table.add_row(cells);
    }
    finished(&table)
}

fn violator_table(lines: &[ViolatorLine]) -> String {
    let dated = lines.iter().any(|line| line.since.is_some());
    let mut table = table();
    let mut header = vec!["Type", "Resource", "Reason"];
    header.extend(dated.then_some("Since"));
    header.push("Evidence");
    table.set_header(header);
    for line in lines {
        let mut cells = vec![line.resource_type.clone(), line.id.clone(), line.reason.clone()];
        cells.extend(dated.then(|| line.since.clone().unwrap_or_default()));
        cells.push(match line.evidence.as_slice() {
            [] => String::new(),
            [only] => only.clone(),
            [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
        });
        table.add_row(cells);
    }
    finished(&table)
}

fn status_csv(
    rows: &mut dyn Iterator<Item = StatusRow>,
    dated: bool,
    to: &mut dyn Write,
) -> io::Result<()> {
    let mut rows = rows.peekable();
    // Asked for or not, they are of all rows.
    let with_violators = rows.peek().is_some_and(|row| row.violators.is_some());
    let of_account = [
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
    let mut header = Vec::from(of_account);
    header.extend(dated.then_some("LastUpdated"));
    if with_violators {
        header.extend(["ResourceType", "ResourceId", "ViolationReason", "Since"]);
        header.extend(dated.then_some("FirstJudged"));
        header.push("Evidence");
    }
    let mut csv = Lines::to(to);
    csv.line(&header)?;
    for row in rows {
        let cells = status_cells(&row);
        let updated = dated.then(|| row.last_updated.as_deref().unwrap_or_default());
        let cells = || cells.iter().map(String::as_str).chain(updated);
        match row.violators.as_deref() {
            Some([]) => csv.line(cells().chain([""; 6].into_iter().skip(usize::from(!dated))))?,
            Some(violators) => {
                // One line a violator, so that a spreadsheet can sort and filter them.
                for line in violators {
                    let evidence = line.evidence.join("; ");
                    let since = line.since.as_deref().unwrap_or_default();
                    let judged = dated.then(|| line.judged.as_deref().unwrap_or_default());
                    let resource: [&str; 4] = [&line.resource_type, &line.id, &line.reason, since];
                    csv.line(cells().chain(resource).chain(judged).chain([evidence.as_str()]))?;
                }
            }
            None => csv.line(cells())?,
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
    use std::collections::BTreeMap;

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
            evidence: vec!["tcp 22 is denied".into(), "tcp 3389 is denied".into()],
        };
        let [_, row, none] = rows().try_into().unwrap();
        let told = |output| text(|to| violators(&row, std::slice::from_ref(&line), output, to));
        insta::assert_snapshot!(told(Output::Table));
        assert!(told(Output::Csv).contains("; tcp 3389 is denied,no-ssh,eu-west-1,000000000002,"));
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
        assert!(csv.contains("no result,no-result,AWSCONFIG: Nothing was delivered.,,"), "{csv}");
        let out = StatusRow { reason: Reason::OutOfScope, issues: BTreeMap::new(), ..none };
        let table = told(&out, Output::Table);
        assert!(table.contains("out of scope") && table.contains("not about this"), "{table}");
    }
}
