//! JSON and CSV of every command, held against `docs/schemas`: one casing, one form of time, one name for one thing.
//! `PALISADE_BLESS=1` writes the schemas that are made of the endpoints' types, and the columns of CSV.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use palisade::report::naming::{AUDIT, Naming, PLAIN, PREVIEW, UNDER_POLICY, WAIVERS};
use serde_json::{Value, json};

use crate::described::{Changes, described};
use crate::schema::faults;
use crate::world::{WORLD, printed};

/// A command that prints JSON.
struct Row {
    /// Its words joined by `-`.
    command: &'static str,
    title: &'static str,
    /// What of the endpoints' description its schema is made of; none is written by hand.
    made_of: Option<(&'static str, Naming, Changes)>,
    /// Command lines that print all that there is to print.
    lines: &'static [&'static str],
}

const fn row(
    command: &'static str,
    title: &'static str,
    made_of: Option<(&'static str, Naming, Changes)>,
    lines: &'static [&'static str],
) -> Row {
    Row { command, title, made_of, lines }
}

/// A page's token is followed by the command.
const WHOLE: Changes = &[("next", None)];
/// What changed is told as the endpoints of policies, accounts and violators tell it.
const CHANGES: Changes = &[("next", None)];

const ROWS: [Row; 17] = [
    row("audit", "Who changed what, newest first", Some(("Audit", AUDIT, WHOLE)), &["audit"]),
    row(
        "changes",
        "What changed lately; with --follow each line is an element of `Changes`",
        Some(("Changes", UNDER_POLICY, CHANGES)),
        &["changes --since 2026-11-01T08:30:00Z"],
    ),
    row(
        "check",
        "Accounts under policies, judged without a server",
        None,
        &[
            "check --region us-east-1 --policy policies --organization organization.json AWSLogs",
            "check --region us-east-1 --policy policies --organization organization.json --violators AWSLogs",
        ],
    ),
    row(
        "compliance",
        "Accounts under policies",
        None,
        &[
            "compliance",
            "compliance --all-regions",
            "compliance no-remote-administration --at 2026-11-01T08:30:00Z",
        ],
    ),
    row(
        "diff",
        "What changed between two moments",
        Some(("Changes", UNDER_POLICY, CHANGES)),
        &["diff --from 2026-11-01T08:30:00Z"],
    ),
    row(
        "doctor",
        "How a store and a server are",
        None,
        &["doctor --store sqlite:keys.db", "doctor --store sqlite:keys.db --endpoint {endpoint}"],
    ),
    row(
        "explain",
        "How a resource stands to a policy, and why",
        Some(("Explanation", UNDER_POLICY, &[])),
        &[
            "explain no-remote-administration legacy-erp {resource}",
            "explain no-remote-administration security-tooling sg-0a5d17c0ffee0a0d1",
        ],
    ),
    row(
        "history",
        "How an account stood under a policy, and the violators that ended",
        Some(("History", UNDER_POLICY, WHOLE)),
        &[
            "history no-remote-administration legacy-erp",
            "history no-remote-administration kiosk-prod",
            "history no-remote-administration shared-services --at 2026-11-01T08:30:00Z",
        ],
    ),
    row(
        "keys-create",
        "A new access key; its secret is told this once",
        Some(("NewKey", PLAIN, &[])),
        &[
            "keys create --operator --store sqlite:keys.db",
            "keys create --account 210987654321 --name ci-pipeline --expires 90d --store sqlite:keys.db",
        ],
    ),
    row(
        "keys-list",
        "Access keys",
        Some(("Keys", PLAIN, &[])),
        &["keys list --store sqlite:keys.db"],
    ),
    row(
        "keys-rotate",
        "The access key that takes the place of another",
        Some(("NewKey", PLAIN, &[])),
        &["keys rotate {key} --store sqlite:keys.db"],
    ),
    row(
        "policies-get",
        "A policy, as GetPolicy answers",
        None,
        &["policies get no-remote-administration"],
    ),
    row(
        "policies-list",
        "The policies of a Region, as ListPolicies answers",
        None,
        &["policies list"],
    ),
    row(
        "preview",
        "What drafts would find, held against what is in force",
        Some(("Preview", PREVIEW, &[])),
        &["preview policies"],
    ),
    row("sources", "What the server reads by itself", Some(("Sources", PLAIN, &[])), &["sources"]),
    row(
        "violators",
        "Violators of a policy, of every account or of one",
        None,
        &[
            "violators no-remote-administration",
            "violators no-remote-administration legacy-erp",
            "violators no-remote-administration kiosk-prod",
            "violators no-remote-administration legacy-erp --at 2026-11-01T08:30:00Z",
        ],
    ),
    row(
        "waivers-list",
        "Waivers, what each covers",
        Some(("Waivers", WAIVERS, WHOLE)),
        &["waivers list"],
    ),
];

/// Commands that print JSON and nothing else.
const JSON_ALONE: [&str; 1] = ["policies-get"];

/// Columns that are empty in each row of the sample, and why.
const EMPTY: [(&str, &str, &str); 2] = [
    ("audit", "KeyName", "the server of the sample asks nobody for a key"),
    ("keys-list", "LastUsed", "nobody serves from that store"),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas")
}

fn path(command: &str) -> PathBuf {
    folder().join(format!("{command}.schema.json"))
}

fn read(command: &str) -> Value {
    let text = std::fs::read(path(command)).unwrap_or_else(|error| panic!("{command}: {error}"));
    serde_json::from_slice(&text).unwrap()
}

fn is_blessed() -> bool {
    std::env::var_os("PALISADE_BLESS").is_some()
}

fn write(command: &str, schema: &Value) {
    std::fs::create_dir_all(folder()).unwrap();
    std::fs::write(path(command), format!("{schema:#}\n")).unwrap();
}

/// Commands that have `--output`, their words joined by `-`.
fn with_output(command: &clap::Command, words: &str, found: &mut BTreeSet<String>) {
    for sub in command.get_subcommands() {
        let name = format!("{words}{}", sub.get_name());
        if sub.get_arguments().any(|flag| flag.get_id() == "output") {
            found.insert(name.clone());
        }
        with_output(sub, &format!("{name}-"), found);
    }
}

#[test]
fn every_command_that_prints_json_has_its_schema() {
    let mut commands: BTreeSet<String> = JSON_ALONE.map(str::to_owned).into();
    with_output(&palisade::args::command(), "", &mut commands);
    let rows: BTreeSet<String> = ROWS.iter().map(|row| row.command.to_owned()).collect();
    assert_eq!(rows, commands, "a row here for each command with --output");
    for row in ROWS {
        let Some((component, naming, changes)) = row.made_of else { continue };
        let mut schema = described(component, naming, changes);
        schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        schema["title"] =
            json!(format!("palisade {}: {}", row.command.replace('-', " "), row.title));
        let there = std::fs::read(path(row.command)).ok();
        let there: Value = there.map_or(json!({}), |text| serde_json::from_slice(&text).unwrap());
        if let Some(columns) = there.get("x-csv") {
            schema["x-csv"] = columns.clone();
        }
        if is_blessed() {
            write(row.command, &schema);
        }
        assert_eq!(read(row.command), schema, "{}: PALISADE_BLESS=1 writes it", row.command);
    }
    let files = std::fs::read_dir(folder()).unwrap();
    let files: BTreeSet<String> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(files, commands.iter().map(|name| format!("{name}.schema.json")).collect());
}

/// What a command line prints.
fn told(line: &str, output: &str) -> String {
    let endpoint = WORLD.endpoint();
    let key = if line.contains("{key}") { WORLD.new_key() } else { String::new() };
    let line = line.replace("{endpoint}", endpoint).replace("{key}", &key);
    let mut words = WORLD.words(&line);
    if output != "json" || !line.starts_with("policies get") {
        words.extend(["--output", output]);
    }
    let command = WORLD.command(&words);
    // What is found is no failure: 1 and 2 are of `check` and `preview`.
    String::from_utf8(printed(command, &[0, 1, 2]).stdout).unwrap()
}

#[test]
fn what_is_printed_fits_its_schema() {
    let mut found = Vec::new();
    for row in &ROWS {
        let mut schema = read(row.command);
        names_are_of_one_casing(row.command, &schema, &mut found);
        let mut columns: Vec<Value> = Vec::new();
        let mut filled: BTreeMap<String, bool> = BTreeMap::new();
        for line in row.lines {
            let value: Value = serde_json::from_str(&told(line, "json")).unwrap();
            let wrong = faults(&schema, &value);
            found.extend(wrong.into_iter().take(5).map(|fault| format!("`{line}`{fault}")));
            broken_values_are_noticed(line, &schema, &value, &mut found);
            if JSON_ALONE.contains(&row.command) {
                continue;
            }
            let header = cells(&told(line, "csv"), &mut filled);
            if !columns.contains(&header) {
                columns.push(header);
            }
        }
        let columns = Value::Array(columns);
        if is_blessed() && columns != json!([]) {
            schema["x-csv"] = columns.clone();
            write(row.command, &schema);
        }
        let known = schema.get("x-csv").cloned().unwrap_or(json!([]));
        assert_eq!(columns, known, "{}: columns of CSV; PALISADE_BLESS=1 writes them", row.command);
        for (column, _) in filled.into_iter().filter(|(_, is_filled)| !is_filled) {
            if !EMPTY.iter().any(|(command, name, _)| *command == row.command && *name == column) {
                found.push(format!("{}: the column `{column}` is always empty", row.command));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The header of a sheet; notes which columns hold something.
fn cells(text: &str, filled: &mut BTreeMap<String, bool>) -> Value {
    let mut lines = sheet(text).into_iter();
    let header = lines.next().unwrap();
    for name in &header {
        filled.entry(name.clone()).or_default();
    }
    for line in lines {
        assert_eq!(line.len(), header.len(), "{line:?}");
        for (name, cell) in header.iter().zip(&line).filter(|(_, cell)| !cell.is_empty()) {
            filled.insert(name.clone(), true);
            assert!(!looks_like_a_moment(cell) || is_a_moment(cell), "{name}: {cell}");
        }
    }
    json!(header)
}

/// Lines of cells, quoted where they must be.
fn sheet(text: &str) -> Vec<Vec<String>> {
    let (mut lines, mut line, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut is_quoted = false;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if is_quoted && rest.peek() == Some(&'"') => cell.extend(rest.next()),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => line.push(std::mem::take(&mut cell)),
            '\n' if !is_quoted => {
                line.push(std::mem::take(&mut cell));
                lines.push(std::mem::take(&mut line));
            }
            c => cell.push(c),
        }
    }
    lines
}

fn looks_like_a_moment(text: &str) -> bool {
    let shape = |(at, c): (usize, char)| match at {
        4 | 7 => c == '-',
        _ => c.is_ascii_digit(),
    };
    text.len() >= 10 && text.len() <= 35 && text.chars().take(10).enumerate().all(shape)
}

fn is_a_moment(text: &str) -> bool {
    text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok()
}

/// Every member that a schema names, and every column, begins with a capital and has no blank.
fn names_are_of_one_casing(command: &str, schema: &Value, found: &mut Vec<String>) {
    let is_right = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.chars().all(|c| c.is_ascii_alphanumeric())
    };
    let mut wrong = |name: &str| {
        if !is_right(name) {
            found.push(format!("{command}: `{name}` is of another casing"));
        }
    };
    for header in schema.get("x-csv").and_then(Value::as_array).into_iter().flatten() {
        header.as_array().unwrap().iter().for_each(|name| wrong(name.as_str().unwrap()));
    }
    let mut parts = vec![schema];
    while let Some(part) = parts.pop() {
        if let Some(Value::Object(properties)) = part.get("properties") {
            properties.keys().for_each(|name| wrong(name));
            assert_eq!(part["additionalProperties"], false, "{command}: {part}");
        }
        match part {
            Value::Object(members) => parts.extend(members.values()),
            Value::Array(elements) => parts.extend(elements),
            _ => {}
        }
    }
}

/// A schema that refuses nothing would hold nothing.
fn broken_values_are_noticed(line: &str, schema: &Value, value: &Value, found: &mut Vec<String>) {
    let is_noticed = |broken: &Value| !faults(schema, broken).is_empty();
    for name in schema["required"].as_array().into_iter().flatten() {
        let mut broken = value.clone();
        broken.as_object_mut().unwrap().remove(name.as_str().unwrap());
        assert!(is_noticed(&broken), "{line}: without {name}");
    }
    let mut broken = value.clone();
    broken["stranger"] = json!(1);
    assert!(is_noticed(&broken), "{line}: with a member that is not known");
    for pointer in moments(value, String::new()) {
        let mut broken = value.clone();
        *broken.pointer_mut(&pointer).unwrap() = json!("2026-11-01 08:00");
        if !is_noticed(&broken) {
            found.push(format!("`{line}`: {pointer} may have another form"));
        }
    }
}

/// Where the first few moments stand.
fn moments(value: &Value, place: String) -> Vec<String> {
    const FEW: usize = 20;
    let mut found = Vec::new();
    match value {
        Value::String(text) if looks_like_a_moment(text) => found.push(place),
        Value::Object(members) => {
            // What was put is somebody else's.
            let own =
                members.iter().filter(|(name, _)| !["Before", "After"].contains(&name.as_str()));
            for (name, member) in own {
                found.extend(moments(member, format!("{place}/{name}")));
            }
        }
        Value::Array(elements) => {
            for (nth, element) in elements.iter().enumerate().take(FEW) {
                found.extend(moments(element, format!("{place}/{nth}")));
            }
        }
        _ => {}
    }
    found.truncate(FEW);
    found
}
