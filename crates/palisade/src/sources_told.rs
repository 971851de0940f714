//! `palisade sources`: what a server reads by itself, how old that is and why it failed.

use serde_json::Value;

use crate::args::{Output, Sources};
use crate::client::{Client, listed};
use crate::commands::text;
use crate::failure::{Exit, Outcome};
use crate::report::naming::PLAIN;
use crate::report::{Cell, Side, finished, lines, table};
use crate::terminal::{print, print_by, print_json, print_line, warn};

/// Runs the command.
pub fn run(args: &Sources) -> Outcome {
    let client = Client::new(&args.server)?;
    let answer = client.own("GET", "/palisade/v1/sources", &[], &[])?;
    if args.output == Output::Json {
        print_json(&PLAIN.named(&answer))?;
        return Ok(Exit::Done);
    }
    let sources = listed(&answer, "sources", "sources")?;
    if args.output == Output::Csv {
        let rows = sources.iter().map(|source| COLUMNS.map(|name| cell(source, name)));
        let head = [COLUMNS.map(|name| PLAIN.member(name))];
        print_by(|to| lines::write(head.into_iter().chain(rows), to))?;
        return Ok(Exit::Done);
    }
    if sources.is_empty() {
        print_line("the server reads nothing by itself; start it with --config")?;
        return Ok(Exit::Done);
    }
    let mut shown = table();
    shown.set_header(HEAD);
    sources.iter().for_each(|source| shown.add_row(row(source)));
    print(&finished(&shown))?;
    for source in sources {
        for failure in source.get("failures").and_then(Value::as_array).into_iter().flatten() {
            warn(format_args!(
                "{}: {}",
                text(source, "name"),
                failure.as_str().unwrap_or_default()
            ));
        }
    }
    Ok(Exit::Done)
}

const HEAD: [&str; 6] = ["Source", "Kind", "Age", "Gaps", "New", "Last error"];
/// Members of a source that a spreadsheet has; those of its failures are in JSON.
const COLUMNS: [&str; 14] = [
    "name",
    "kind",
    "begunAt",
    "wholeAt",
    "ageSeconds",
    "tookMs",
    "nextAt",
    "accepted",
    "callsFailed",
    "gaps",
    "backlog",
    "setAside",
    "lastErrorAt",
    "lastError",
];

fn cell(source: &Value, member: &str) -> String {
    match source.get(member) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn row(source: &Value) -> [Cell; 6] {
    let number = |name: &str| source.get(name).and_then(Value::as_u64);
    let shown = |name: &str| number(name).map_or_else(String::new, |count| count.to_string());
    let whole = number("ageSeconds").map_or("never whole".to_owned(), age);
    [
        Cell::name(text(source, "name")),
        Cell::new(text(source, "kind")),
        Cell::new(whole).on(Side::Right),
        Cell::new(shown("gaps")).on(Side::Right),
        Cell::new(shown("accepted")).on(Side::Right),
        Cell::new(
            number("lastErrorSeconds").map_or_else(String::new, |ago| format!("{} ago", age(ago))),
        ),
    ]
}

/// An age in the largest unit of which it has two.
fn age(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_the_largest_unit_of_which_they_have_two() {
        for (seconds, shown) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7199, "119 min"),
            (7200, "2 h"),
            (172_799, "47 h"),
            (172_800, "2 d"),
        ] {
            assert_eq!(age(seconds), shown);
        }
    }
}
