//! `palisade waivers`: which violators somebody accepted, until when.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use palisade_core::ident::AccountId;
use serde_json::{Value, json};

use crate::args::{self, Output};
use crate::asking::{account_named, compliance_of, own_pages};
use crate::client::{Client, encoded, listed};
use crate::commands::{text, text_of};
use crate::failure::{Exit, Failure, Outcome, unreadable};
use crate::files;
use crate::policies::policy_id;
use crate::report::naming::WAIVERS;
use crate::report::{self, Cell, Side, StatusRow, lines::Lines, to_seconds};
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
    let mut names = Names::default();
    let accounts = names.ids(&client, &policy, &args.accounts)?;
    let wanted = json!({
        "policy": policy, "resource": args.resource, "until": args.until, "reason": args.reason,
        "owner": args.owner, "ticket": args.ticket, "accounts": accounts, "units": args.units,
        "resourceType": args.resource_type, "from": args.from,
    });
    let query = confirmed(args.confirm);
    let made = client.own("POST", PATH, query, wanted.to_string().as_bytes())?;
    print_line(&told("made", &made))?;
    Ok(Exit::Done)
}

fn confirmed(confirm: bool) -> &'static [(&'static str, &'static str)] {
    if confirm { &[("confirm", "true")] } else { &[] }
}

/// What names of accounts mean under each policy.
#[derive(Default)]
struct Names(BTreeMap<String, Vec<StatusRow>>);

impl Names {
    /// The ids of accounts that are named by id, or by the name of one in the policy's scope.
    fn ids(
        &mut self,
        client: &Client,
        policy: &str,
        named: &[String],
    ) -> Result<Vec<String>, Failure> {
        let id = |named: &String| match AccountId::try_from(named.as_str()) {
            Ok(id) => Ok(id.to_string()),
            Err(_) => {
                if !self.0.contains_key(policy) {
                    self.0.insert(policy.to_owned(), compliance_of(client, policy)?);
                }
                account_named(self.0.get(policy).map_or(&[], Vec::as_slice), named)
            }
        };
        named.iter().map(id).collect()
    }
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
        Output::Json => print_json(&WAIVERS.named(&json!({ "waivers": found }))),
        Output::Csv => print_by(|to| csv(&found, to)),
        Output::Table if found.is_empty() => {
            print_line("no waivers; `palisade waivers add` makes one")
        }
        Output::Table => print(&table(&found)),
    }?;
    Ok(Exit::Done)
}

/// How a waiver stands, in words: the same in a table and in a spreadsheet.
fn state(waiver: &Value) -> &str {
    match text(waiver, "state") {
        "in-force" if covers(waiver) == "0" => "covers nothing",
        "in-force" => "in force",
        other => other,
    }
}

fn table(waivers: &[Value]) -> String {
    let mut table = report::table();
    table.set_header([
        "Id", "Policy", "Resource", "Of", "Covers", "State", "Until", "Owner", "Reason",
    ]);
    for waiver in waivers {
        table.add_row([
            Cell::new(text(waiver, "id")),
            Cell::name(policy_name(waiver)),
            Cell::new(text(waiver, "resource")),
            Cell::new(whose(waiver)),
            Cell::new(covers(waiver)).on(Side::Right),
            Cell::new(state(waiver)),
            Cell::new(to_seconds(text(waiver, "until"))),
            Cell::new(text(waiver, "owner")),
            Cell::new(text(waiver, "reason")),
        ]);
    }
    report::finished(&table)
}

/// Of which accounts a waiver is.
fn whose(waiver: &Value) -> String {
    let named = ["accounts", "units"].map(|member| joined(waiver, member));
    let named: Vec<&str> =
        named.iter().map(String::as_str).filter(|some| !some.is_empty()).collect();
    if named.is_empty() { "every account".to_owned() } else { named.join(" ") }
}

/// The texts of a list, with blanks between.
fn joined(waiver: &Value, member: &str) -> String {
    let all = waiver.get(member).and_then(Value::as_array);
    all.into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
}

/// The policy's name; of one that is gone its id.
fn policy_name(waiver: &Value) -> &str {
    match text(waiver, "policyName") {
        "" => text(waiver, "policy"),
        name => name,
    }
}

fn covers(waiver: &Value) -> String {
    let count = waiver.get("covers").and_then(Value::as_u64).unwrap_or_default();
    let is_cut = waiver.get("coversMore").and_then(Value::as_bool) == Some(true);
    format!("{count}{}", if is_cut { "+" } else { "" })
}

fn csv(waivers: &[Value], to: &mut dyn Write) -> io::Result<()> {
    let mut lines = Lines::to(to);
    lines.line([
        "Id",
        "PolicyId",
        "PolicyName",
        "Resource",
        "Covers",
        "State",
        "Until",
        "Owner",
        "Reason",
        "Accounts",
        "Units",
        "ResourceType",
        "From",
        "Ended",
        "Created",
        "Ticket",
    ])?;
    for waiver in waivers {
        lines.line([
            text(waiver, "id"),
            text(waiver, "policy"),
            policy_name(waiver),
            text(waiver, "resource"),
            &covers(waiver),
            state(waiver),
            text(waiver, "until"),
            text(waiver, "owner"),
            text(waiver, "reason"),
            &joined(waiver, "accounts"),
            &joined(waiver, "units"),
            text(waiver, "resourceType"),
            text(waiver, "from"),
            text(waiver, "ended"),
            text(waiver, "created"),
            text(waiver, "ticket"),
        ])?;
    }
    lines.finish()
}

/// A waiver of a file, and its place there.
struct Given {
    path: PathBuf,
    nth: usize,
    wanted: Value,
}

impl Given {
    fn placed(&self, failure: Failure) -> Failure {
        let told = |why: String| format!("`{}`: waiver {}: {why}", self.path.display(), self.nth);
        match failure {
            Failure::Refused(why) => Failure::Refused(told(why)),
            Failure::Usage(why) => Failure::Usage(told(why)),
            other => other,
        }
    }
}

/// Makes and renews what the files name, all or nothing; nothing is ended.
fn apply(args: &args::WaiversApply) -> Outcome {
    let client = Client::new(&args.server)?;
    let mut given = Vec::new();
    for path in json_files(&args.paths)? {
        given.extend(read(&path)?);
    }
    let (mut ids, mut names) = (BTreeMap::new(), Names::default());
    for one in &mut given {
        let resolved = resolve(&client, &one.wanted, &mut ids, &mut names);
        one.wanted = resolved.map_err(|failure| one.placed(failure))?;
    }
    let wanted: Vec<&Value> = given.iter().map(|one| &one.wanted).collect();
    let body = json!({ "waivers": wanted }).to_string();
    let query = confirmed(args.confirm);
    let (answer, place) = client.own_placed("PUT", PATH, query, body.as_bytes());
    let answer = answer.map_err(|failure| match place.and_then(|at| given.get(at)) {
        Some(one) => one.placed(failure),
        None => failure,
    })?;
    let applied = listed(&answer, "waivers", PATH)?;
    for (one, given) in applied.iter().zip(&given) {
        let became = text(one, "became");
        print_line(&match one.get("waiver") {
            Some(waiver) => told(became, waiver),
            None => format!(
                "waiver {} of `{}` is over since {}: nothing was made",
                given.nth,
                given.path.display(),
                text(&given.wanted, "until")
            ),
        })?;
    }
    Ok(Exit::Done)
}

/// The files given, and the JSON files of the folders given, in order.
fn json_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        let inside = files::find(std::slice::from_ref(path))?;
        let is_json = |path: &PathBuf| path.extension().is_some_and(|end| end == "json");
        let before = found.len();
        found.extend(inside.into_iter().filter(is_json));
        if found.len() == before {
            return Err(Failure::Usage(format!("no .json file in `{}`", path.display())));
        }
    }
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<Given>, Failure> {
    let wrong = |why: String| Failure::Usage(format!("`{}`: {why}", path.display()));
    let text = std::fs::read(path).map_err(|error| unreadable(path, error))?;
    let file: Value = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
    let all = file.get("waivers").and_then(Value::as_array);
    let all = all.ok_or_else(|| wrong("it has no list `waivers`".to_owned()))?;
    let one = |(at, wanted): (usize, &Value)| Given {
        path: path.to_owned(),
        nth: at.saturating_add(1),
        wanted: wanted.clone(),
    };
    Ok(all.iter().enumerate().map(one).collect())
}

/// A waiver with the ids of the policy and of the accounts that it names.
fn resolve(
    client: &Client,
    wanted: &Value,
    ids: &mut BTreeMap<String, String>,
    names: &mut Names,
) -> Result<Value, Failure> {
    let Value::Object(mut wanted) = wanted.clone() else {
        return Err(Failure::Usage("it is no object".to_owned()));
    };
    let named = wanted.get("policy").and_then(Value::as_str);
    let named = named.ok_or_else(|| Failure::Usage("`policy` is missing".to_owned()))?.to_owned();
    if !ids.contains_key(&named) {
        ids.insert(named.clone(), policy_id(client, &named)?);
    }
    let policy = ids.get(&named).cloned().unwrap_or_default();
    // What is no list of texts the server refuses.
    if let Some(Value::Array(accounts)) = wanted.get("accounts") {
        let texts = accounts.iter().map(|one| one.as_str().map(str::to_owned));
        if let Some(texts) = texts.collect::<Option<Vec<String>>>() {
            let accounts = names.ids(client, &policy, &texts)?;
            wanted.insert("accounts".to_owned(), Value::from(accounts));
        }
    }
    wanted.insert("policy".to_owned(), Value::from(policy));
    Ok(Value::Object(wanted))
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
        for word in ["in force", "covers nothing", "ended", "moves in May"] {
            assert!(told.contains(word), "{word}: {told}");
        }
        let mut text = Vec::new();
        csv(&[waiver("planned", 0)], &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.contains(
                "w1,p,no-ssh,sg-*,0,planned,2026-06-01T00:00:00Z,net,moves in May,2 1,,,"
            ),
            "{text}"
        );
        // A spreadsheet has the words of the table.
        let mut text = Vec::new();
        csv(&[waiver("in-force", 3), waiver("in-force", 0)], &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains(",3,in force,") && text.contains(",0,covers nothing,"), "{text}");
    }
}
