//! `palisade preview`: what drafts would find, held against what is in force. Nothing is written.

use std::path::PathBuf;

use palisade_core::utf8;
use serde_json::{Value, json};

use crate::args::{Output, Preview};
use crate::client::{Client, listed};
use crate::commands::{text, text_of};
use crate::failure::{Exit, Failure, Outcome, unreadable};
use crate::files;
use crate::policies::put_request;
use crate::printable::escaped;
use crate::report::naming::PREVIEW;
use crate::report::{counted, lines};
use crate::terminal::{print, print_by, print_json, warn, width};
use crate::wrapping::paragraph;

/// Columns of what is printed for people where nobody looks at a terminal.
const WIDTH: usize = 80;
/// Most columns on a terminal: longer lines are hard to read.
const WIDTH_MAX: usize = 100;
/// Lines of one list that are printed for people; JSON has more.
const SHOWN_MAX: usize = 20;

/// Runs the command.
pub fn run(args: &Preview) -> Outcome {
    let client = Client::new(&args.server)?;
    let paths = drafts(&args.paths)?;
    let mut asked = Drafts::default();
    for path in &paths {
        let text = std::fs::read(path).map_err(|error| unreadable(path, error))?;
        asked.add(&client, path, &text, !args.new)?;
    }
    let body = json!({"policies": asked.policies, "organization": asked.organization});
    let body = body.to_string();
    let answer = client
        .own("POST", "/palisade/v1/preview", &[], body.as_bytes())
        .map_err(|failure| asked.placed(failure))?;
    match args.output {
        Output::Json => print_json(&PREVIEW.named(&answer))?,
        Output::Table => {
            print(&told(&answer, width().map_or(WIDTH, |width| width.min(WIDTH_MAX)))?)?
        }
        Output::Csv => print_by(|to| lines::write(rows(&answer), to))?,
    }
    let unread = answer.get("unreadCount").and_then(Value::as_u64).unwrap_or_default();
    if unread > 0 {
        warn(format_args!(
            "the inventory of {} could not be read: nothing is told of them",
            counted(unread, "account")
        ));
        return Ok(Exit::Unreadable);
    }
    match answer.get("changes").and_then(Value::as_bool) {
        Some(false) => Ok(Exit::Done),
        Some(true) | None => Ok(Exit::Undecided),
    }
}

/// The files given, and the JSON files of the folders given, in order.
fn drafts(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            let inside = files::find(std::slice::from_ref(path))?;
            let is_json = |path: &PathBuf| path.extension().is_some_and(|end| end == "json");
            found.extend(inside.into_iter().filter(is_json));
        } else {
            found.push(path.clone());
        }
    }
    match found.is_empty() {
        true => Err(Failure::Usage("no .json file in the folder given".to_owned())),
        false => Ok(found),
    }
}

/// What is to be previewed.
#[derive(Default)]
struct Drafts {
    policies: Vec<Value>,
    /// The files of the policies.
    paths: Vec<PathBuf>,
    organization: Option<Value>,
}

impl Drafts {
    fn add(
        &mut self,
        client: &Client,
        path: &std::path::Path,
        text: &[u8],
        by_name: bool,
    ) -> Result<(), Failure> {
        let of = |why: &dyn std::fmt::Display| format!("`{}`: {why}", path.display());
        let read: Option<Value> = serde_json::from_slice(&utf8::decoded(text)).ok();
        if let Some(file) = read.filter(|read| read.get("Accounts").is_some()) {
            if self.organization.replace(file).is_some() {
                return Err(Failure::Usage(of(&"a second organization; give one")));
            }
            return Ok(());
        }
        let request = put_request(client, text, by_name).map_err(|failure| match failure {
            Failure::Usage(why) => Failure::Usage(of(&why)),
            other => other,
        })?;
        self.policies.push(request);
        self.paths.push(path.to_owned());
        Ok(())
    }

    /// A refusal of the only draft, with its file.
    fn placed(&self, failure: Failure) -> Failure {
        match (failure, self.paths.as_slice()) {
            (Failure::Refused(why), [path]) if self.organization.is_none() => {
                Failure::Refused(format!("`{}`: {why}", path.display()))
            }
            (failure, _) => failure,
        }
    }
}

const HEAD: [&str; 10] = [
    "PolicyId",
    "PolicyName",
    "Region",
    "Change",
    "MemberAccount",
    "AccountName",
    "ResourceType",
    "ResourceId",
    "ViolationReason",
    "Evidence",
];

/// One line a change: accounts that enter or leave, violators that are gained, lost or altered.
fn rows(answer: &Value) -> Vec<[String; 10]> {
    let mut rows = vec![HEAD.map(str::to_owned)];
    for policy in list(answer, "policies") {
        let of = |name: &str| text(policy, name).to_owned();
        for (name, change) in [("entered", "account enters"), ("left", "account leaves")] {
            for one in first(policy, name) {
                let [a, b, c, d] = ["", "", "", ""].map(str::to_owned);
                let [id, name, region] = ["id", "name", "region"].map(of);
                let [account, called] = ["account", "accountName"].map(|name| text_of(one, name));
                rows.push([id, name, region, change.into(), account, called, a, b, c, d]);
            }
        }
        for (name, change) in [
            ("gained", "violator gained"),
            ("lost", "violator lost"),
            ("altered", "violator altered"),
        ] {
            for one in first(policy, name) {
                let told = |name: &str| text(one, name).to_owned();
                rows.push([
                    of("id"),
                    of("name"),
                    of("region"),
                    change.to_owned(),
                    told("account"),
                    told("accountName"),
                    told("resourceType"),
                    told("resourceId"),
                    told("reason"),
                    told("summary"),
                ]);
            }
        }
    }
    rows
}

fn list<'v>(answer: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    answer.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn first<'v>(policy: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    policy.get(name).into_iter().flat_map(|one| list(one, "first"))
}

fn count(policy: &Value, name: &str) -> u64 {
    policy.get(name).and_then(|one| one.get("count")).and_then(Value::as_u64).unwrap_or_default()
}

/// For people, in so many columns: what changes is a list of lines with `+ - ~`.
fn told(answer: &Value, width: usize) -> Result<String, Failure> {
    let mut page = String::new();
    let mut line = |indent: usize, text: &str| {
        let text = format!("{}{}", " ".repeat(indent), escaped(text));
        page.push_str(&paragraph(&text, Some(width)));
    };
    let policies = listed(answer, "policies", "preview")?;
    if policies.is_empty() {
        line(0, "No policy changes, nor the accounts in the scope of one.");
    }
    for policy in policies {
        let becomes = match text(policy, "becomes") {
            "new" => "+ new",
            "removed" => "- removed",
            "kept" => "~ other accounts",
            _ => "~ edited",
        };
        line(0, &format!("{becomes}: {} ({})", text(policy, "name"), text(policy, "region")));
        line(2, &format!("accounts in scope: {}", before_after(policy.get("accounts"))));
        if text(policy, "becomes") == "kept" {
            line(2, "of those that enter or leave:");
        }
        for (title, name) in
            [("resources in scope", "resourcesInScope"), ("violators", "violators")]
        {
            line(2, &format!("{title}: {}", before_after(policy.get(name))));
        }
        let standings = policy.get("standings").unwrap_or(&Value::Null);
        for (title, name) in [
            ("accounts that comply", "compliant"),
            ("accounts with violators", "nonCompliant"),
            ("accounts not known", "unknown"),
        ] {
            let side = |side: &str| standings.get(side).and_then(|one| one.get(name)).cloned();
            let both = json!({"before": side("before"), "after": side("after")});
            line(2, &format!("{title}: {}", before_after(Some(&both))));
        }
        for (name, mark) in [("entered", "+"), ("left", "-")] {
            for one in first(policy, name).take(SHOWN_MAX) {
                line(2, &format!("{mark} account {}", whose(one)));
            }
            more(&mut line, mark, count(policy, name));
        }
        for (name, mark) in [("gained", "+"), ("lost", "-"), ("altered", "~")] {
            for one in first(policy, name).take(SHOWN_MAX) {
                let (account, id) = (whose(one), text(one, "resourceId"));
                line(2, &format!("{mark} {account} {id}: {}", text(one, "summary")));
            }
            more(&mut line, mark, count(policy, name));
        }
    }
    for name in list(answer, "nothingInScope").filter_map(Value::as_str) {
        line(0, &format!("Policy {name}: nothing is in its scope."));
    }
    if answer.get("changes").and_then(Value::as_bool) == Some(false) {
        line(0, "Nothing would change.");
    }
    Ok(page)
}

/// An account with its name, where it has one.
fn whose(one: &Value) -> String {
    match (text(one, "account"), text(one, "accountName")) {
        (account, "") => account.to_owned(),
        (account, name) => format!("{account} ({name})"),
    }
}

fn more(line: &mut impl FnMut(usize, &str), mark: &str, count: u64) {
    if let Some(more) = count.checked_sub(SHOWN_MAX as u64).filter(|more| *more > 0) {
        line(2, &format!("{mark} and {more} more"));
    }
}

fn before_after(figures: Option<&Value>) -> String {
    let number = |side: &str| {
        figures.and_then(|one| one.get(side)).and_then(Value::as_u64).unwrap_or_default()
    };
    match (number("before"), number("after")) {
        (before, after) if before == after => before.to_string(),
        (before, after) => format!("{before} → {after}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_is_a_list_of_lines_with_marks() {
        let violator = |id: &str| {
            json!({
                "account": "111111111111", "accountName": "shop", "resourceType": "AWS::EC2::SecurityGroup",
                "resourceId": id, "reason": "SECURITY_GROUP_UNUSED", "summary": format!("{id} is unused"),
            })
        };
        let none = json!({"count": 0, "first": []});
        let answer = json!({
            "changes": true,
            "policies": [{
                "name": "unused", "region": "us-east-1", "becomes": "edited",
                "accounts": {"before": 2, "after": 3},
                "entered": {"count": 1, "first": [{"account": "222222222222", "accountName": null}]}, "left": none,
                "resourcesInScope": {"before": 7, "after": 9}, "violators": {"before": 1, "after": 1},
                "standings": {
                    "before": {"compliant": 1, "nonCompliant": 1, "unknown": 0},
                    "after": {"compliant": 1, "nonCompliant": 1, "unknown": 1},
                },
                "gained": {"count": 21, "first": [violator("sg-1")]},
                "lost": {"count": 1, "first": [violator("sg-2")]}, "altered": none,
            }],
            "nothingInScope": ["other"],
        });
        assert_eq!(
            told(&answer, WIDTH).unwrap(),
            "~ edited: unused (us-east-1)\n\
             \x20 accounts in scope: 2 → 3\n\
             \x20 resources in scope: 7 → 9\n\
             \x20 violators: 1\n\
             \x20 accounts that comply: 1\n\
             \x20 accounts with violators: 1\n\
             \x20 accounts not known: 0 → 1\n\
             \x20 + account 222222222222\n\
             \x20 + 111111111111 (shop) sg-1: sg-1 is unused\n\
             \x20 + and 1 more\n\
             \x20 - 111111111111 (shop) sg-2: sg-2 is unused\n\
             Policy other: nothing is in its scope.\n"
        );
        assert_eq!(rows(&answer).len(), 4, "a head, an account and two violators");
        let nothing = json!({"changes": false, "policies": []});
        let text = told(&nothing, WIDTH).unwrap();
        assert!(text.ends_with("Nothing would change.\n"), "{text}");
    }
}
