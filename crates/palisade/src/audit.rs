//! `palisade audit`: who changed what, newest first.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::args::{self, Output};
use crate::client::Client;
use crate::failure::{Exit, Failure, Outcome};
use crate::report::naming::AUDIT;
use crate::report::{self, Cell, lines::Lines};
use crate::terminal::{print, print_by, print_json, print_line};

/// Events asked for at once.
const PAGE: usize = palisade_api::own::AUDIT_PAGE_MAX;

/// Runs the command.
pub fn run(args: &args::Audit) -> Outcome {
    let events = events(&Client::new(&args.server)?, args)?;
    match args.output {
        Output::Json => print_json(&AUDIT.named(&json!({ "events": events }))),
        Output::Csv => print_by(|to| csv(&events, to)),
        Output::Table if events.is_empty() => print_line("nothing was changed"),
        Output::Table => print(&table(&events)),
    }?;
    Ok(Exit::Done)
}

fn events(client: &Client, args: &args::Audit) -> Result<Vec<Value>, Failure> {
    let mut events = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let is_cut = args.limit > 0 && args.until.is_none() && args.object.is_none();
        let left = if is_cut { args.limit.saturating_sub(events.len()) } else { PAGE };
        let limit = left.min(PAGE).to_string();
        let account = args.account.as_ref().map(ToString::to_string);
        let mut query = vec![("limit", limit.as_str())];
        query.extend(account.as_deref().map(|account| ("account", account)));
        query.extend(args.operation.as_deref().map(|operation| ("operation", operation)));
        query.extend(next.as_deref().map(|next| ("next", next)));
        let answer = client.own("GET", "/palisade/v1/audit", &query, b"")?;
        let page = answer.get("events").and_then(Value::as_array);
        for event in page.into_iter().flatten() {
            let at: Option<jiff::Timestamp> = text(event, "at").parse().ok();
            if at.zip(args.since).is_some_and(|(at, since)| at < since) {
                return Ok(events);
            }
            let is_later = at.zip(args.until).is_some_and(|(at, until)| at >= until);
            if !is_later && is_about(event, args.object.as_deref()) {
                events.push(event.clone());
            }
            if args.limit > 0 && events.len() >= args.limit {
                return Ok(events);
            }
        }
        next = answer.get("next").and_then(Value::as_str).map(str::to_owned);
        if next.is_none() {
            return Ok(events);
        }
    }
}

/// Whether an event changed an object whose name holds the text.
fn is_about(event: &Value, asked: Option<&str>) -> bool {
    let holds = |part: &str| {
        let is_so =
            |change: &Value| text(change, "object").contains(part) || object(change).contains(part);
        changes(event).iter().any(is_so)
    };
    asked.is_none_or(holds)
}

/// For people: the id of the request is in JSON and CSV.
fn table(events: &[Value]) -> String {
    let mut table = report::table();
    table.set_header(["When", "Operation", "Caller", "Account", "Access key id", "What"]);
    for event in events {
        let what = match changes(event) {
            [] => "nothing changed".to_owned(),
            [only] => object(only),
            [first, more @ ..] => format!("{} and {} more", object(first), more.len()),
        };
        let cells = ["at", "operation", "caller", "account"];
        let mut row: Vec<Cell> =
            cells.map(|name| Cell::new(report::to_seconds(text(event, name)))).into();
        // The name first: it says who, where the id says which.
        let key = match (text(event, "keyName"), text(event, "accessKeyId")) {
            ("", id) => id.to_owned(),
            (name, id) => format!("{name} {id}"),
        };
        row.extend([Cell::name(key), Cell::name(what)]);
        table.add_row(row);
    }
    report::finished(&table)
}

/// What a change is about, by its type and the name that it has; of what has none by its id.
fn object(change: &Value) -> String {
    let state = |side: &str| change.get(side).filter(|state| state.is_object());
    let state = state("after").or_else(|| state("before"));
    let names = ["/document/PolicyName", "/document/ListName", "/document/Name", "/name"];
    let name =
        state.and_then(|state| names.into_iter().find_map(|name| state.pointer(name)?.as_str()));
    let id = text(change, "object");
    // An ARN ends in the id.
    let id = if id.starts_with("arn:") { id.rsplit('/').next().unwrap_or(id) } else { id };
    format!("{} {}", text(change, "objectType"), name.unwrap_or(id))
}

/// A line for each object; an event that changed nothing has one without an object.
fn csv(events: &[Value], to: &mut dyn Write) -> io::Result<()> {
    let of_event =
        ["sequence", "at", "requestId", "operation", "caller", "accessKeyId", "account", "region"];
    let of_change = ["objectType", "object", "before", "after"];
    let mut lines = Lines::to(to);
    let last = ["keyName"];
    let header = of_event.iter().chain(&of_change).chain(&last);
    lines.line(header.map(|name| AUDIT.member(name)))?;
    for event in events {
        let none = [Value::Null];
        let changes = match changes(event) {
            [] => &none[..],
            changes => changes,
        };
        for change in changes {
            let of_event = of_event.iter().map(|name| cell(event, name));
            let of_change = of_change.iter().map(|name| cell(change, name));
            lines
                .line(of_event.chain(of_change).chain(last.iter().map(|name| cell(event, name))))?;
        }
    }
    lines.finish()
}

fn changes(event: &Value) -> &[Value] {
    event.get("changes").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A member as one cell: text as it is, nothing for what is not there, anything else as JSON.
fn cell(value: &Value, member: &str) -> String {
    match value.get(member) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events() -> Vec<Value> {
        let change = |object: &str| json!({ "objectType": "policy", "object": object, "before": null, "after": { "a": 1 } });
        let event = |sequence: u64, changes: Vec<Value>| {
            json!({
                "sequence": sequence, "at": "2026-01-01T00:00:00Z", "requestId": format!("r{sequence}"),
                "operation": "PutPolicy", "caller": "operator", "accessKeyId": "AKIA1", "keyName": "ci",
                "account": null, "region": "eu-west-1", "changes": changes,
            })
        };
        vec![
            event(3, vec![change("a"), change("b")]),
            event(2, vec![change("c")]),
            event(1, vec![]),
        ]
    }

    #[test]
    fn each_object_has_its_line_and_an_event_without_one_has_one() {
        let mut text = Vec::new();
        csv(&events(), &mut text).unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "Sequence,At,RequestId,Operation,Caller,AccessKeyId,Account,Region,ObjectType,Object,Before,After,KeyName\n\
             3,2026-01-01T00:00:00Z,r3,PutPolicy,operator,AKIA1,,eu-west-1,policy,a,,\"{\"\"a\"\":1}\",ci\n\
             3,2026-01-01T00:00:00Z,r3,PutPolicy,operator,AKIA1,,eu-west-1,policy,b,,\"{\"\"a\"\":1}\",ci\n\
             2,2026-01-01T00:00:00Z,r2,PutPolicy,operator,AKIA1,,eu-west-1,policy,c,,\"{\"\"a\"\":1}\",ci\n\
             1,2026-01-01T00:00:00Z,r1,PutPolicy,operator,AKIA1,,eu-west-1,,,,,ci\n"
        );
    }

    #[test]
    fn a_row_tells_the_first_object_and_how_many_more() {
        let table = table(&events());
        for told in [
            "policy a and 1 more",
            "policy c",
            "ci AKIA1",
            "nothing changed",
            "2026-01-01T00:00:00Z",
        ] {
            assert!(table.contains(told), "{told}: {table}");
        }
    }
}
