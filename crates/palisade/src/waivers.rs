//! `palisade waivers`: which violators somebody accepted, until when.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use crate::args::{self, Output};
use crate::asking::own_pages;
use crate::client::{Client, encoded};
use crate::commands::{text, text_of};
use crate::failure::{Exit, Failure, Outcome, unreadable};
use crate::policies::policy_id;
use crate::report::{self, lines::Lines};
use crate::terminal::{print, print_by, print_json, print_line};

const PATH: &str = "/palisade/v1/waivers";

/// Runs the command.
pub fn run(command: &args::Waivers) -> Outcome {
    match command {
        args::Waivers::Add(args) => add(args),
        args::Waivers::List(args) => list(args),
        args::Waivers::End(args) => {
            let client = Client::new(&args.server)?;
            let path = format!("{PATH}/{}", encoded(&args.waiver));
            let ended = client.own("DELETE", &path, &[], b"")?;
            print_line(&format!("waiver {} ended", text(&ended, "id")))?;
            Ok(Exit::Done)
        }
        args::Waivers::Apply(args) => apply(args),
    }
}

fn add(args: &args::WaiverAdd) -> Outcome {
    let client = Client::new(&args.server)?;
    let policy = policy_id(&client, &args.policy)?;
    let wanted = json!({
        "policy": policy, "resource": args.resource, "until": args.until, "reason": args.reason,
        "owner": args.owner, "ticket": args.ticket, "accounts": args.accounts, "units": args.units,
        "resourceType": args.resource_type, "from": args.from,
    });
    let made = create(&client, &wanted, args.confirm)?;
    print_line(&told("made", &made))?;
    Ok(Exit::Done)
}

fn create(client: &Client, wanted: &Value, confirm: bool) -> Result<Value, Failure> {
    let query: &[(&str, &str)] = if confirm { &[("confirm", "true")] } else { &[] };
    client.own("POST", PATH, query, wanted.to_string().as_bytes())
}

/// What became of a waiver, in one line.
fn told(what: &str, waiver: &Value) -> String {
    let covers = waiver.get("covers").and_then(Value::as_u64).unwrap_or_default();
    format!(
        "waiver {} {what}: {} of {} until {}, covers {}",
        text(waiver, "id"),
        text(waiver, "resource"),
        text(waiver, "policyName"),
        text(waiver, "until"),
        report::counted(covers, "violator"),
    )
}

fn all(client: &Client, at: Option<&str>) -> Result<Vec<Value>, Failure> {
    let mut found = Vec::new();
    own_pages(client, PATH, "waivers", at, |_, waivers| found.extend(waivers.iter().cloned()))?;
    Ok(found)
}

fn list(args: &args::WaiverList) -> Outcome {
    let client = Client::new(&args.server)?;
    let mut found = all(&client, args.at.as_deref())?;
    if let Some(named) = &args.policy {
        let is_named = |waiver: &Value| {
            text(waiver, "policy") == named.as_str() || text(waiver, "policyName") == named.as_str()
        };
        found.retain(is_named);
    }
    // Those that end soonest first, ended ones last.
    found.sort_by_key(|waiver| (text(waiver, "state") == "ended", text_of(waiver, "until")));
    match args.output {
        Output::Json => print_json(&json!({ "waivers": found })),
        Output::Csv => print_by(|to| csv(&found, to)),
        Output::Table => print(&table(&found)),
    }?;
    Ok(Exit::Done)
}

fn table(waivers: &[Value]) -> String {
    let mut table = report::table();
    table.set_header(["Id", "Policy", "Resource", "Covers", "State", "Until", "Owner: reason"]);
    for waiver in waivers {
        let state = match text(waiver, "state") {
            "in-force" if covers(waiver) == "0" => "covers nothing",
            "in-force" => "in force",
            other => other,
        };
        let why = format!("{}: {}", text(waiver, "owner"), text(waiver, "reason"));
        table.add_row([
            text(waiver, "id"),
            text(waiver, "policyName"),
            text(waiver, "resource"),
            &covers(waiver),
            state,
            text(waiver, "until"),
            &why,
        ]);
    }
    report::finished(&table)
}

fn covers(waiver: &Value) -> String {
    let count = waiver.get("covers").and_then(Value::as_u64).unwrap_or_default();
    let is_cut = waiver.get("coversMore").and_then(Value::as_bool) == Some(true);
    format!("{count}{}", if is_cut { "+" } else { "" })
}

fn csv(waivers: &[Value], to: &mut dyn Write) -> io::Result<()> {
    let members = [
        "id",
        "policy",
        "policyName",
        "accounts",
        "units",
        "resourceType",
        "resource",
        "state",
        "covers",
        "from",
        "until",
        "ended",
        "created",
        "owner",
        "reason",
        "ticket",
    ];
    let mut lines = Lines::to(to);
    lines.line(members)?;
    for waiver in waivers {
        let cell = |member: &&str| match waiver.get(*member) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(all)) => {
                all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
            }
            Some(other) => other.to_string(),
        };
        lines.line(members.iter().map(cell).collect::<Vec<_>>().iter())?;
    }
    lines.finish()
}

/// Makes and renews what the file names; nothing is ended.
fn apply(args: &args::WaiversApply) -> Outcome {
    let client = Client::new(&args.server)?;
    let text = std::fs::read(&args.file).map_err(|error| unreadable(&args.file, error))?;
    let wrong = |why: String| Failure::Usage(format!("`{}`: {why}", args.file.display()));
    let file: Value = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
    let wanted = file.get("waivers").and_then(Value::as_array);
    let wanted = wanted.ok_or_else(|| wrong("it has no list `waivers`".to_owned()))?;
    let known = all(&client, None)?;
    for (nth, waiver) in wanted.iter().enumerate() {
        let of_file = |failure| match failure {
            Failure::Refused(why) => Failure::Refused(format!(
                "`{}`: waiver {}: {why}",
                args.file.display(),
                nth.saturating_add(1)
            )),
            other => other,
        };
        let line = apply_one(&client, waiver, &known, args.confirm).map_err(of_file)?;
        print_line(&line)?;
    }
    Ok(Exit::Done)
}

fn apply_one(
    client: &Client,
    waiver: &Value,
    known: &[Value],
    confirm: bool,
) -> Result<String, Failure> {
    let mut wanted: Map<String, Value> = waiver.as_object().cloned().unwrap_or_default();
    let policy = policy_id(client, text(waiver, "policy"))?;
    wanted.insert("policy".to_owned(), Value::from(policy));
    let wanted = Value::Object(wanted);
    let same =
        known.iter().find(|one| text(one, "state") != "ended" && scope(one) == scope(&wanted));
    let Some(same) = same else { return Ok(told("made", &create(client, &wanted, confirm)?)) };
    let read = |text: &str| text.parse::<jiff::Timestamp>().ok();
    if read(text(same, "until")) == read(text(&wanted, "until")) {
        return Ok(told("stays", same));
    }
    let path = format!("{PATH}/{}", encoded(text(same, "id")));
    let until = json!({ "until": text(&wanted, "until") });
    let renewed = client.own("PATCH", &path, &[], until.to_string().as_bytes())?;
    Ok(told("renewed", &renewed))
}

/// What a waiver is about: two with the same are one.
fn scope(waiver: &Value) -> (String, String, String, Vec<String>, Vec<String>) {
    let list = |member: &str| {
        let list = waiver.get(member).and_then(Value::as_array);
        let mut all: Vec<String> =
            list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        all.sort();
        all
    };
    let [policy, resource_type, resource] =
        ["policy", "resourceType", "resource"].map(|member| text_of(waiver, member));
    (policy, resource_type, resource, list("accounts"), list("units"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiver(state: &str, covers: u64) -> Value {
        json!({
            "id": "w1", "policy": "p", "policyName": "no-ssh", "accounts": ["2", "1"], "units": [],
            "resource": "sg-*", "state": state, "covers": covers, "coversMore": false,
            "from": "2026-01-01T00:00:00Z", "until": "2026-06-01T00:00:00Z",
            "created": "2026-01-01T00:00:00Z", "owner": "net", "reason": "moves in May",
        })
    }

    #[test]
    fn a_waiver_that_covers_nothing_or_has_ended_is_told_to() {
        let told = table(&[waiver("in-force", 3), waiver("in-force", 0), waiver("ended", 0)]);
        for word in ["in force", "covers nothing", "ended", "net: moves in May"] {
            assert!(told.contains(word), "{word}: {told}");
        }
        let mut text = Vec::new();
        csv(&[waiver("planned", 0)], &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("w1,p,no-ssh,2 1,,,sg-*,planned,0,2026-01-01T00:00:00Z,"), "{text}");
    }

    #[test]
    fn waivers_of_the_same_scope_are_one() {
        let other = json!({ "policy": "p", "resource": "sg-*", "accounts": ["1", "2"] });
        assert_eq!(scope(&waiver("ended", 0)), scope(&other));
        let third = json!({ "policy": "p", "resource": "sg-*", "accounts": ["1"] });
        assert_ne!(scope(&other), scope(&third));
    }
}
