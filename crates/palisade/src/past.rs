//! `palisade history`, `palisade diff` and `palisade changes`: what was, and what became of it.

use std::io::{self, Write};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::args::{self, Output};
use crate::asking::{account_at, policy_at};
use crate::client::{Client, encoded, listed, next};
use crate::commands::{text, text_of};
use crate::failure::{Exit, Failure, Outcome};
use crate::policies::policy_id;
use crate::printable::{escaped, escaped_json};
use crate::report::naming::UNDER_POLICY;
use crate::report::{self, lines::Lines, to_seconds};
use crate::terminal::{print, print_by, print_json, print_line};

/// How far a feed stays behind now: what is being written while it asks belongs to its next look.
const BEHIND: Duration = Duration::from_secs(5);
/// How often a feed looks.
const LOOK: Duration = Duration::from_secs(5);
/// What changed between two moments.
const CHANGES: &str = "/palisade/v1/changes";

/// `palisade history`
pub fn history(args: &args::History) -> Outcome {
    let client = Client::new(&args.server)?;
    let policy = match args.at.as_deref() {
        None => policy_id(&client, &args.policy).map_err(in_the_past)?,
        Some(at) => policy_at(&client, &args.policy, at)?,
    };
    let account = account_at(&client, &policy, &args.account, args.at.as_deref())?;
    let path = format!("/palisade/v1/policies/{}/history", encoded(&policy));
    let (mut states, mut ended, mut after) = (Vec::new(), Vec::new(), None::<String>);
    let head = loop {
        let mut query = vec![("account", account.as_str()), ("limit", "1000")];
        query.extend(args.at.as_deref().map(|at| ("at", at)));
        query.extend(after.as_deref().map(|after| ("next", after)));
        let page = client.own("GET", &path, &query, b"")?;
        states.extend(listed(&page, "states", &path)?.iter().cloned());
        ended.extend(listed(&page, "ended", &path)?.iter().cloned());
        after = next(&page, "next", &path)?;
        if after.is_none() || (args.limit > 0 && states.len() >= args.limit) {
            break page;
        }
    };
    if args.limit > 0 {
        states.truncate(args.limit);
    }
    match args.output {
        Output::Json => {
            let told = json!({ "account": account, "states": states, "ended": ended });
            print_json(&UNDER_POLICY.named(&with_head(told, &head)))
        }
        Output::Csv => print_by(|to| history_csv(&head, &account, &states, to)),
        Output::Table => print(&history_table(&states, &ended)),
    }?;
    Ok(Exit::Done)
}

/// What is told, and the policy and the account's name as a page of the answer has them.
fn with_head(mut told: Value, page: &Value) -> Value {
    if let Some(told) = told.as_object_mut() {
        for member in ["policy", "accountName"] {
            told.extend(page.get(member).map(|value| (member.to_owned(), value.clone())));
        }
    }
    told
}

/// A refusal of what there is not now says how to name what there was.
fn in_the_past(failure: Failure) -> Failure {
    match failure {
        Failure::Usage(why) => Failure::Usage(format!(
            "{why}; for one that was deleted name a moment at which there was one with --at"
        )),
        other => other,
    }
}

fn standing(state: &Value) -> &str {
    match state.get("outOfScope").and_then(Value::as_bool) {
        Some(true) => "out of scope",
        _ if text(state, "status").is_empty() => "no result",
        _ => text(state, "status"),
    }
}

fn issues(state: &Value) -> String {
    let issues = state.get("issues").and_then(Value::as_object);
    let all = issues.into_iter().flatten();
    let texts =
        all.map(|(service, text)| format!("{service}: {}", text.as_str().unwrap_or_default()));
    texts.collect::<Vec<_>>().join(" ")
}

fn number(value: &Value, member: &str) -> String {
    value.get(member).map(Value::to_string).unwrap_or_default()
}

/// How an account stood, in the words of `compliance`.
fn stood(state: &Value) -> String {
    match standing(state) {
        "COMPLIANT" => "complies".to_owned(),
        "NON_COMPLIANT" => {
            let count = state.get("violatorCount").and_then(Value::as_u64).unwrap_or_default();
            report::counted(count, "violator")
        }
        other => other.to_owned(),
    }
}

fn history_table(states: &[Value], ended: &[Value]) -> String {
    let mut table = report::table();
    let any = |told: fn(&Value) -> bool| states.iter().any(told);
    let [causes, issued] =
        [any(|state| !text(state, "cause").is_empty()), any(|state| !issues(state).is_empty())];
    let header =
        [(true, "From"), (true, "Until"), (true, "Status"), (causes, "Cause"), (issued, "Issues")];
    table.set_header(header.into_iter().filter(|(is, _)| *is).map(|(_, name)| name));
    for state in states {
        let until = text(state, "until");
        let until = if until.is_empty() { "now".to_owned() } else { to_seconds(until) };
        let cells = [
            (true, to_seconds(text(state, "from"))),
            (true, until),
            (true, stood(state)),
            (causes, text_of(state, "cause")),
            (issued, issues(state)),
        ];
        table.add_row(cells.into_iter().filter(|(is, _)| *is).map(|(_, cell)| cell));
    }
    let mut told = report::finished(&table);
    if !ended.is_empty() {
        let mut table = report::table();
        table.set_header(["Since", "Ended", "Type", "Resource", "Reason"]);
        for one in ended {
            let members = ["since", "ended", "ResourceType", "ResourceId", "ViolationReason"];
            table.add_row(members.map(|member| match member {
                "since" | "ended" => to_seconds(text(one, member)),
                _ => text_of(one, member),
            }));
        }
        told.push_str("\nViolators that ended:\n");
        told.push_str(&report::finished(&table));
    }
    told
}

fn history_csv(
    page: &Value,
    account: &str,
    states: &[Value],
    to: &mut dyn Write,
) -> io::Result<()> {
    let policy = page.get("policy").unwrap_or(&Value::Null);
    let mut lines = Lines::to(to);
    lines.line([
        "PolicyId",
        "PolicyName",
        "Region",
        "MemberAccount",
        "AccountName",
        "From",
        "Until",
        "Status",
        "ViolatorCount",
        "PolicyRevision",
        "Cause",
        "Issues",
    ])?;
    for state in states {
        lines.line([
            text(policy, "id"),
            text(policy, "name"),
            text(policy, "region"),
            account,
            text(page, "accountName"),
            text(state, "from"),
            text(state, "until"),
            standing(state),
            &number(state, "violatorCount"),
            &number(state, "policyRevision"),
            text(state, "cause"),
            &issues(state),
        ])?;
    }
    lines.finish()
}

/// `palisade diff`
pub fn diff(args: &args::Diff) -> Outcome {
    let client = Client::new(&args.server)?;
    let policy = args.policy.as_deref().map(|named| meant(&client, named));
    let (changes, to) = between(&client, &args.from, args.to.as_deref(), policy.as_deref())?;
    match args.output {
        Output::Json => {
            print_changes(&args.from, &to, &changes)?;
        }
        Output::Csv => print_by(|to| changes_csv(&changes, to))?,
        Output::Table => {
            for change in &changes {
                print_line(&line(change))?;
            }
            let count = report::counted(changes.len() as u64, "change");
            print_line(&format!("{count} from {} to {to}", args.from))?;
        }
    }
    Ok(if args.exit_code && !changes.is_empty() { Exit::NonCompliant } else { Exit::Done })
}

/// `palisade changes`
pub fn changes(args: &args::Changes) -> Outcome {
    let client = Client::new(&args.server)?;
    let policy = args.policy.as_deref().map(|named| meant(&client, named));
    let ago = |passed: Duration| (Timestamp::now() - passed).to_string();
    let mut from = match &args.since {
        Some(since) => since.clone(),
        None => lately(&client)?,
    };
    if !args.follow {
        let (changes, to) = between(&client, &from, None, policy.as_deref())?;
        match args.output {
            Output::Json => {
                print_changes(&from, &to, &changes)?;
            }
            Output::Csv => print_by(|to| changes_csv(&changes, to))?,
            Output::Table => changes.iter().try_for_each(|change| print_line(&line(change)))?,
        }
        return Ok(Exit::Done);
    }
    loop {
        let to = ago(BEHIND);
        if from < to {
            let (changes, reached) = between(&client, &from, Some(&to), policy.as_deref())?;
            for change in &changes {
                match args.output {
                    Output::Table | Output::Csv => print_line(&line(change))?,
                    Output::Json => print_change(change)?,
                }
            }
            from = reached;
        }
        std::thread::sleep(LOOK);
    }
}

/// A change as an object in one line, however wide that is.
fn print_change(change: &Value) -> Result<(), Failure> {
    let change = UNDER_POLICY.named(change).to_string();
    print(&format!("{}\n", escaped_json(&change)))
}

fn print_changes(from: &str, to: &str, changes: &[Value]) -> Result<(), Failure> {
    print_json(&UNDER_POLICY.named(&json!({ "from": from, "to": to, "changes": changes })))
}

/// The id of a policy; one that is not there now is taken for an id.
fn meant(client: &Client, named: &str) -> String {
    policy_id(client, named).unwrap_or_else(|_| named.to_owned())
}

/// From when on the server tells where nobody says since when: an hour, as far as the past is kept.
fn lately(client: &Client) -> Result<String, Failure> {
    let page = client.own("GET", CHANGES, &[("limit", "1")], b"")?;
    Ok(text_of(&page, "from"))
}

/// What changed, and up to which moment.
fn between(
    client: &Client,
    from: &str,
    to: Option<&str>,
    policy: Option<&str>,
) -> Result<(Vec<Value>, String), Failure> {
    let (mut found, mut after) = (Vec::new(), None::<String>);
    loop {
        let mut query = vec![("from", from), ("limit", "1000")];
        query.extend(to.map(|to| ("to", to)));
        query.extend(policy.map(|policy| ("policy", policy)));
        query.extend(after.as_deref().map(|after| ("next", after)));
        let page = client.own("GET", CHANGES, &query, b"")?;
        found.extend(listed(&page, "changes", CHANGES)?.iter().cloned());
        after = next(&page, "next", CHANGES)?;
        if after.is_none() {
            return Ok((found, text_of(&page, "to")));
        }
    }
}

fn sign(change: &Value) -> &'static str {
    let is_there = |side: &str| change.get(side).is_some_and(|value| !value.is_null());
    match (is_there("before"), is_there("after")) {
        (false, _) => "+",
        (true, false) => "-",
        (true, true) => "~",
    }
}

/// A change in one line: sign, policy, account, what, why.
fn line(change: &Value) -> String {
    let null = Value::Null;
    let [before, after] = ["before", "after"].map(|side| change.get(side).unwrap_or(&null));
    let there = if after.is_null() { before } else { after };
    let policy = change.get("policy").map(|policy| text(policy, "name")).unwrap_or_default();
    let mut told = format!("{} {}", sign(change), escaped(policy));
    let account = text(change, "account");
    if !account.is_empty() {
        let name = text(change, "accountName");
        let name = if name.is_empty() { String::new() } else { format!(" ({})", escaped(name)) };
        told.push_str(&format!(" {account}{name}"));
    }
    match text(change, "what") {
        "violator" => told.push_str(&format!(
            " {} {}{}",
            escaped(text(there, "ResourceId")),
            text(there, "ViolationReason"),
            if there.get("waiver").is_some() { ", waived" } else { "" }
        )),
        "account" => match [before, after].map(stands) {
            [was, is] if was == is => told.push_str(&format!(" {is}, as before")),
            [was, is] => told.push_str(&format!(" {was} → {is}")),
        },
        _ => told.push_str(match (before.is_null(), after.is_null()) {
            (true, _) => " was put",
            (false, true) => " was deleted",
            (false, false) => " was edited",
        }),
    }
    let cause = text(change, "cause");
    if !cause.is_empty() {
        told.push_str(&format!(" [{cause}]"));
    }
    told
}

/// How an account stands, in few words.
fn stands(account: &Value) -> String {
    if account.is_null() {
        return "out of scope".to_owned();
    }
    let count = account.get("violatorCount").and_then(Value::as_u64).unwrap_or_default();
    match text(account, "status") {
        "" => "not known".to_owned(),
        "COMPLIANT" => "complies".to_owned(),
        _ => match account.get("waived").and_then(Value::as_u64).unwrap_or_default() {
            0 => report::counted(count, "violator"),
            waived => format!("{}, {waived} waived", report::counted(count, "violator")),
        },
    }
}

fn changes_csv(changes: &[Value], to: &mut dyn Write) -> io::Result<()> {
    let mut lines = Lines::to(to);
    lines.line([
        "Sign",
        "PolicyId",
        "PolicyName",
        "Region",
        "MemberAccount",
        "AccountName",
        "What",
        "ResourceType",
        "ResourceId",
        "At",
        "Cause",
        "Before",
        "After",
    ])?;
    let null = Value::Null;
    for change in changes {
        let policy = change.get("policy").unwrap_or(&null);
        let [before, after] = ["before", "after"].map(|side| change.get(side).unwrap_or(&null));
        let there = if after.is_null() { before } else { after };
        let json = |side: &Value| match side {
            Value::Null => String::new(),
            told => UNDER_POLICY.named(told).to_string(),
        };
        lines.line([
            sign(change),
            text(policy, "id"),
            text(policy, "name"),
            text(policy, "region"),
            text(change, "account"),
            text(change, "accountName"),
            text(change, "what"),
            text(there, "ResourceType"),
            text(there, "ResourceId"),
            text(change, "at"),
            text(change, "cause"),
            &json(before),
            &json(after),
        ])?;
    }
    lines.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_a_line_with_a_sign() {
        let change = |what: &str, before: Value, after: Value| {
            line(&json!({
                "policy": {"id": "p", "name": "no-ssh"}, "account": "1", "accountName": "bank",
                "what": what, "before": before, "after": after, "cause": "delivery",
            }))
        };
        let violator = json!({"ResourceId": "sg-1", "ViolationReason": "R"});
        assert_eq!(
            change("violator", Value::Null, violator.clone()),
            "+ no-ssh 1 (bank) sg-1 R [delivery]"
        );
        assert_eq!(
            change("violator", violator, Value::Null),
            "- no-ssh 1 (bank) sg-1 R [delivery]"
        );
        let complies = json!({"status": "COMPLIANT", "violatorCount": 0});
        let violates = json!({"status": "NON_COMPLIANT", "violatorCount": 1});
        assert_eq!(
            change("account", complies, violates),
            "~ no-ssh 1 (bank) complies → 1 violator [delivery]"
        );
    }
}
