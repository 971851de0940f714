//! `palisade explain`: how a resource stands to a policy, and why.

use serde_json::Value;

use crate::args::{Explain, Output};
use crate::asking::account_at;
use crate::client::Client;
use crate::commands::text;
use crate::failure::{Exit, Outcome};
use crate::policies::policy_id;
use crate::printable::escaped;
use crate::report::naming::UNDER_POLICY;
use crate::report::{lines, to_seconds};
use crate::terminal::{print, print_by, print_json, width};
use crate::wrapping::{paragraph, words_in};

/// Columns of what is printed for people where nobody looks at a terminal.
const WIDTH: usize = 80;
/// Most columns on a terminal: longer lines are hard to read.
const WIDTH_MAX: usize = 100;

/// Runs the command.
pub fn run(args: &Explain) -> Outcome {
    let client = Client::new(&args.server)?;
    let policy = policy_id(&client, &args.policy)?;
    let account = account_at(&client, &policy, &args.account, None)?;
    let mut query = vec![
        ("policy", policy.as_str()),
        ("account", account.as_str()),
        ("id", args.resource.as_str()),
    ];
    query.extend(args.resource_type.as_deref().map(|kind| ("type", kind)));
    query.extend(args.of_region.as_ref().map(|region| ("region", region.as_str())));
    let answer = client.own("GET", "/palisade/v1/explain", &query, b"")?;
    match args.output {
        Output::Json => print_json(&UNDER_POLICY.named(&answer))?,
        Output::Table => {
            print(&told(&answer, width().map_or(WIDTH, |width| width.min(WIDTH_MAX))))?
        }
        Output::Csv => {
            let all = [HEAD.map(str::to_owned), row(&answer)];
            print_by(|to| lines::write(all, to))?;
        }
    }
    Ok(Exit::Done)
}

const HEAD: [&str; 13] = [
    "PolicyId",
    "PolicyName",
    "Region",
    "MemberAccount",
    "AccountName",
    "UnitPath",
    "ResourceType",
    "ResourceId",
    "Verdict",
    "Since",
    "Sentence",
    "EndsBy",
    "Waiver",
];

fn row(answer: &Value) -> [String; 13] {
    let of = |name: &str| text(answer, name).to_owned();
    let policy = answer.get("policy").unwrap_or(&Value::Null);
    [
        text(policy, "id").to_owned(),
        text(policy, "name").to_owned(),
        of("region"),
        of("account"),
        of("accountName"),
        of("unitPath"),
        of("resourceType"),
        of("resourceId"),
        of("verdict"),
        of("since"),
        of("sentence"),
        listed(answer, "endsBy").filter_map(Value::as_str).collect::<Vec<_>>().join("; "),
        answer.get("waiver").map(waived).unwrap_or_default(),
    ]
}

/// For people, in so many columns.
fn told(answer: &Value, width: usize) -> String {
    let of = |name: &str| text(answer, name);
    let mut shown = Page { text: String::new(), width };
    let policy = answer.get("policy").unwrap_or(&Value::Null);
    let account = match of("accountName") {
        "" => of("account").to_owned(),
        name => format!("{name} ({})", of("account")),
    };
    let (resource, kind) = (of("resourceId"), of("resourceType"));
    shown.line(0, &format!("{kind} {resource}"));
    shown.line(0, &format!("account {account}, {}, policy {}", of("region"), text(policy, "name")));
    if !of("unitPath").is_empty() {
        shown.line(0, &format!("below {}", of("unitPath")));
    }
    let (mark, word) = match of("verdict") {
        "violates" => ("▲", "violates"),
        "complies" => ("●", "complies"),
        "out-of-scope" => ("–", "out of scope"),
        _ => ("◌", "not known"),
    };
    let since = match of("since") {
        "" => String::new(),
        since => format!(", since {}", to_seconds(since)),
    };
    shown.gap();
    shown.line(0, &format!("{mark} {word}{since}"));
    shown.line(2, of("sentence"));
    if let Some(waiver) = answer.get("waiver") {
        shown.line(2, &waived(waiver));
    }
    let violations: Vec<&Value> = listed(answer, "violations").skip(1).collect();
    shown.section("Also", violations.iter().map(|one| text(one, "summary").to_owned()));
    shown.section("Held against", listed(answer, "heldAgainst").map(held));
    shown.section("Missing", listed(answer, "missing").map(|one| text(one, "text").to_owned()));
    let ends = listed(answer, "endsBy").filter_map(Value::as_str).map(str::to_owned);
    shown.section("What would end it", ends);
    shown.section("Judged by", listed(answer, "items").map(item));
    if let Some(seconds) = answer.get("ageSeconds").and_then(Value::as_i64) {
        let age = crate::report::Age { as_of: of("asOf").to_owned(), seconds };
        shown.gap();
        shown.line(0, &format!("Inventory of {} ({} ago)", to_seconds(&age.as_of), age.text()));
    }
    shown.text
}

fn listed<'v>(answer: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    answer.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// Who accepted it, why and until when.
fn waived(waiver: &Value) -> String {
    let ticket = match text(waiver, "ticket") {
        "" => String::new(),
        ticket => format!(", {ticket}"),
    };
    let [owner, reason, until] = ["owner", "reason", "until"].map(|name| text(waiver, name));
    format!("Waived until {until} by {owner}: {reason}{ticket}")
}

fn held(one: &Value) -> String {
    let mark = match one.get("fits").and_then(Value::as_bool) {
        Some(true) => "●",
        Some(false) => "▲",
        None => "◌",
    };
    format!("{mark} {}: {}; wanted: {}", text(one, "what"), text(one, "found"), text(one, "wanted"))
}

fn item(one: &Value) -> String {
    let state = match text(one, "stateId") {
        "" => String::new(),
        state => format!("state {state}, "),
    };
    let told = match one.get("told").and_then(Value::as_bool) {
        Some(false) => ", without its configuration",
        _ => "",
    };
    let later = match one.get("later") {
        Some(later) => {
            let captured = to_seconds(text(later, "capturedAt"));
            format!("; a later one, captured {captured}, tells nothing")
        }
        None => String::new(),
    };
    format!(
        "{} {}: {state}captured {}{told}{later}",
        text(one, "resourceType"),
        text(one, "resourceId"),
        to_seconds(text(one, "capturedAt"))
    )
}

/// Text under headings.
struct Page {
    text: String,
    width: usize,
}

impl Page {
    fn gap(&mut self) {
        self.text.push('\n');
    }

    fn line(&mut self, indent: usize, text: &str) {
        let indented = " ".repeat(indent);
        for line in words_in(&escaped(text), self.width.saturating_sub(indent)) {
            self.text.push_str(&format!("{indented}{line}\n"));
        }
    }

    /// A heading with its lines, where there are some.
    fn section(&mut self, heading: &str, lines: impl IntoIterator<Item = String>) {
        let mut lines = lines.into_iter().peekable();
        if lines.peek().is_none() {
            return;
        }
        self.gap();
        self.line(0, heading);
        for line in lines {
            self.text.push_str(&paragraph(&format!("  {}", escaped(&line)), Some(self.width)));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_explanation_is_told_in_80_columns() {
        let answer = json!({
            "policy": {"id": "p", "name": "no-remote", "owner": "9", "region": "us-east-1"},
            "account": "111111111111", "accountName": "legacy", "region": "us-east-1",
            "unitPath": "Root / Old",
            "waiver": {"owner": "net", "reason": "moves in May", "ticket": "N-7", "until": "2026-08-01T00:00:00Z"},
            "resourceType": "AWS::EC2::SecurityGroup", "resourceId": "sg-1",
            "verdict": "violates", "since": "2026-06-03T00:00:00Z",
            "sentence": "sg-1 violates the policy: ingress rule `tcp 22 from 0.0.0.0/0` of sg-1: no rule of audit group sg-a allows it.",
            "violations": [{"summary": "one"}, {"summary": "two"}],
            "heldAgainst": [
                {"what": "ingress rule", "found": "tcp 22", "wanted": "less", "fits": false},
                {"what": "tags", "found": "none", "wanted": "some", "fits": null},
            ],
            "items": [{
                "resourceType": "AWS::EC2::SecurityGroup", "resourceId": "sg-1", "stateId": "7",
                "capturedAt": "2026-06-02T00:00:00Z", "told": true,
            }],
            "endsBy": ["remove rule `tcp 22 from 0.0.0.0/0` of sg-1"],
            "asOf": "2026-06-04T00:00:00Z", "ageSeconds": 60,
        });
        let text = told(&answer, WIDTH);
        assert_eq!(
            text,
            "AWS::EC2::SecurityGroup sg-1\n\
             account legacy (111111111111), us-east-1, policy no-remote\n\
             below Root / Old\n\
             \n\
             ▲ violates, since 2026-06-03T00:00:00Z\n\
             \x20 sg-1 violates the policy: ingress rule `tcp 22 from 0.0.0.0/0` of sg-1: no\n\
             \x20 rule of audit group sg-a allows it.\n\
             \x20 Waived until 2026-08-01T00:00:00Z by net: moves in May, N-7\n\
             \n\
             Also\n\
             \x20 two\n\
             \n\
             Held against\n\
             \x20 ▲ ingress rule: tcp 22; wanted: less\n\
             \x20 ◌ tags: none; wanted: some\n\
             \n\
             What would end it\n\
             \x20 remove rule `tcp 22 from 0.0.0.0/0` of sg-1\n\
             \n\
             Judged by\n\
             \x20 AWS::EC2::SecurityGroup sg-1: state 7, captured 2026-06-02T00:00:00Z\n\
             \n\
             Inventory of 2026-06-04T00:00:00Z (60 s ago)\n"
        );
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH));
        assert_eq!(row(&answer)[8], "violates");
    }
}
