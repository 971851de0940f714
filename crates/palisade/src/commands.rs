//! The client commands: each a call or two, and the answer as it was asked for.

use serde_json::Value;

use crate::args;
use crate::client::Client;
use crate::failure::{Exit, Failure, Outcome, unreadable};
use crate::report;
use crate::terminal::{print_line, say, warn};
use crate::{deliver, files, progress};

/// `palisade ingest`: sends every file and adds up the answers. A file that is refused does not
/// keep the others from being sent; a key that is refused does.
pub fn ingest(args: &args::Ingest) -> Outcome {
    let client = Client::new(&args.server)?;
    let found = files::find(&args.paths)?;
    if found.is_empty() {
        return Err(Failure::Input(files::NONE.to_owned()));
    }
    let bar = progress::bar(found.len() as u64, "files sent");
    let mut sum = Ingested::default();
    deliver::each(&client, &found, |path, answer| {
        match answer {
            Ok(answer) => sum.add(&answer, |line| {
                bar.suspend(|| warn(format_args!("`{}`, {line}", path.display())))
            }),
            Err(failure @ Failure::Unwelcome(_)) => return Err(failure),
            Err(failure) => {
                sum.refused += 1;
                bar.suspend(|| say(&failure));
            }
        }
        bar.inc(1);
        Ok(())
    })?;
    bar.finish_and_clear();
    print_line(&sum.text(found.len()))?;
    if sum.refused > 0 || sum.nobodys > 0 { Ok(Exit::Unreadable) } else { Ok(Exit::Done) }
}

/// Sums over the answers of an ingest.
#[derive(Default)]
pub struct Ingested {
    accepted: u64,
    stale: u64,
    deleted: u64,
    strangers: u64,
    quarantined: u64,
    nobodys: u64,
    missed: u64,
    foreign: u64,
    refused: u64,
}

impl Ingested {
    /// Adds one file's answer; `warn` is told of each item that could not be read.
    pub fn add(&mut self, answer: &Value, mut warn: impl FnMut(String)) {
        let number = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or_default();
        let accepted = answer.get("accepted").and_then(Value::as_object);
        self.accepted += accepted
            .map(|types| types.values().filter_map(Value::as_u64).sum::<u64>())
            .unwrap_or_default();
        self.stale += number("stale");
        self.deleted += number("deleted");
        self.strangers += number("strangers");
        self.quarantined += number("quarantinedMore");
        self.nobodys += number("nobodys");
        self.missed += number("missed");
        self.foreign += u64::from(answer.get("foreign").and_then(Value::as_bool) == Some(true));
        for one in answer.get("quarantined").and_then(Value::as_array).into_iter().flatten() {
            self.quarantined += 1;
            let id = text(one, "resourceId");
            let index = one.get("index").and_then(Value::as_u64).unwrap_or_default();
            warn(format!("item {index} {id}: {}", text(one, "reason")));
        }
    }

    /// The sums in one line.
    pub fn text(&self, files: usize) -> String {
        let mut parts = vec![
            report::counted(self.accepted, "new state"),
            format!("{} already known", self.stale),
            format!("{} gone", self.deleted),
        ];
        let extra = [
            (self.strangers, format!("{} of accounts outside the organization", self.strangers)),
            (self.quarantined, report::counted(self.quarantined, "unreadable item") + " set aside"),
            (self.nobodys, format!("{} of them of an unknown account", self.nobodys)),
            (self.missed, report::counted(self.missed, "gap") + " until more is delivered"),
            (self.foreign, report::counted(self.foreign, "file") + " of other services left out"),
            (self.refused, report::counted(self.refused, "file") + " refused"),
        ];
        parts.extend(extra.into_iter().filter(|(n, _)| *n > 0).map(|(_, text)| text));
        format!("{}: {}", report::counted(files as u64, "file"), parts.join(", "))
    }
}

/// `palisade organization apply`
pub fn apply(args: &args::OrganizationApply) -> Outcome {
    let client = Client::new(&args.server)?;
    let text = std::fs::read(&args.file).map_err(|error| unreadable(&args.file, error))?;
    let query: &[(&str, &str)] = if args.confirm { &[("confirm", "true")] } else { &[] };
    let answer = client.own("PUT", "/palisade/v1/organization", query, &text)?;
    let count = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or_default();
    print_line(&format!(
        "organization {}: {} accounts in {} organizational units",
        text_of(&answer, "id"),
        count("accounts"),
        count("units"),
    ))?;
    Ok(Exit::Done)
}

/// A member that is text; empty where it is not told.
pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The same, for keeps.
pub fn text_of(value: &Value, name: &str) -> String {
    text(value, name).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::client::{listed, next};

    #[test]
    fn an_answer_without_its_list_is_no_empty_one() {
        let list =
            |answer: Value| listed(&answer, "PolicyList", "ListPolicies").map(<[Value]>::len);
        assert_eq!(list(json!({"PolicyList": [1, 2]})), Ok(2));
        for strange in
            [json!({}), json!({"PolicyList": null}), json!({"PolicyList": {}}), json!([])]
        {
            assert!(list(strange.clone()).is_err(), "{strange}");
        }
        let token = |answer: Value| next(&answer, "NextToken", "ListPolicies");
        assert_eq!(token(json!({})), Ok(None));
        assert_eq!(token(json!({"NextToken": null})), Ok(None));
        assert_eq!(token(json!({"NextToken": "t"})), Ok(Some("t".to_owned())));
        for strange in [json!({"NextToken": 5}), json!({"NextToken": ["t"]})] {
            assert!(token(strange.clone()).is_err(), "{strange}");
        }
    }

    #[test]
    fn answers_of_ingest_are_added_up() {
        let mut sum = Ingested::default();
        let mut warnings = Vec::new();
        sum.add(
            &json!({
                "accepted": {"AWS::EC2::VPC": 2, "AWS::EC2::Subnet": 3}, "stale": 1, "deleted": 4,
                "ignored": 0, "strangers": 0,
                "quarantined": [{"index": 7, "resourceId": "sg-1", "reason": "no capture time"}],
            }),
            |line| warnings.push(line),
        );
        assert_eq!(
            sum.text(1),
            "1 file: 5 new states, 1 already known, 4 gone, 1 unreadable item set aside"
        );
        assert_eq!(warnings, ["item 7 sg-1: no capture time"]);
        sum.add(&json!({"nobodys": 1, "missed": 2}), |_| ());
        sum.add(&json!({"foreign": true}), |_| ());
        let text = sum.text(3);
        let more = "1 of them of an unknown account, 2 gaps until more is delivered, 1 file of other services left out";
        assert!(text.ends_with(more), "{text}");
    }
}
