//! What resource sets hold, from the answers of GetResourceSet and ListResourceSetResources in files
//! (semantics §6.2, §11 rows 37, 59).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use palisade_core::ident::{AccountId, Region, ResourceSetId};
use serde_json::Value;

use crate::failure::{Failure, unreadable};

/// The ARNs of sets.
pub type ResourceSets = BTreeMap<ResourceSetId, BTreeSet<Box<str>>>;

/// One answer, or both in one object.
struct Answer {
    set: Option<String>,
    items: Option<Vec<Resource>>,
    goes_on: bool,
}

struct Resource {
    uri: String,
    account: Option<String>,
}

impl Answer {
    /// Reads the value at a place of a file.
    fn read(value: &Value, place: &str) -> Result<Answer, String> {
        let Value::Object(members) = value else {
            return Err(format!("{place} is {}, not an object; {ADVICE}", kind(value)));
        };
        let told = |name: &str| members.get(name).filter(|value| !value.is_null());
        let set = told("ResourceSet").map(|set| text(set.get("Id"), place, "ResourceSet.Id"));
        let items = told("Items").map(|items| {
            let Value::Array(items) = items else {
                let found = kind(items);
                return Err(format!("{place}: `Items` is {found}, not a list; {ADVICE}"));
            };
            items.iter().enumerate().map(|(at, item)| Resource::read(item, place, at)).collect()
        });
        let (set, items) = (set.transpose()?, items.transpose()?);
        Ok(Answer { set, items, goes_on: told("NextToken").is_some() })
    }
}

/// What the file has to hold.
const ADVICE: &str = "give what GetResourceSet answers, {\"ResourceSet\": {\"Id\": …}}, then what \
    ListResourceSetResources answers, {\"Items\": [{\"URI\": …}]}";

/// A member that has to be text.
fn text(value: Option<&Value>, place: &str, name: &str) -> Result<String, String> {
    match value {
        Some(Value::String(text)) => Ok(text.clone()),
        None => Err(format!("{place}: `{name}` is missing; {ADVICE}")),
        Some(other) => Err(format!("{place}: `{name}` is {}, not text; {ADVICE}", kind(other))),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

impl Resource {
    fn read(value: &Value, place: &str, at: usize) -> Result<Resource, String> {
        let uri = text(value.get("URI"), place, &format!("Items[{at}].URI"))?;
        let account = value.get("AccountId").filter(|account| !account.is_null());
        let name = format!("Items[{at}].AccountId");
        let account = account.map(|account| text(Some(account), place, &name)).transpose()?;
        Ok(Resource { uri, account })
    }
}

impl Resource {
    /// Whether it names a firewall: anything else would name none, and leave it out.
    fn check(&self) -> Result<(), String> {
        let parts: Vec<&str> = self.uri.splitn(6, ':').collect();
        let account = match parts[..] {
            ["arn", partition, "network-firewall", region, account, resource]
                if !partition.is_empty()
                    && Region::try_from(region).is_ok()
                    && AccountId::try_from(account).is_ok()
                    && resource.strip_prefix("firewall/").is_some_and(is_name) =>
            {
                account
            }
            _ => {
                return Err(format!(
                    "`{}` is not the ARN of a firewall, such as \
                     `arn:aws:network-firewall:us-east-1:111122223333:firewall/NAME`",
                    shown(&self.uri)
                ));
            }
        };
        match &self.account {
            Some(told) if told != account => {
                Err(format!("`{}` is not of account `{}`", shown(&self.uri), shown(told)))
            }
            _ => Ok(()),
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Reads the files.
///
/// # Errors
/// A usage error that names the file: what is no such answer, resources before the set that they are of, a
/// set without its resources, or without the last page of them.
pub fn read(paths: &[PathBuf]) -> Result<ResourceSets, Failure> {
    let mut sets = ResourceSets::new();
    for path in paths {
        let text = std::fs::read(path).map_err(|error| unreadable(path, error))?;
        parse(&text, &mut sets).map_err(|why| wrong(path, &why))?;
    }
    Ok(sets)
}

fn wrong(path: &Path, why: &str) -> Failure {
    Failure::Usage(format!("resource sets `{}`: {why}", path.display()))
}

/// Answers one after the other: a set, then the pages of its resources.
fn parse(text: &[u8], into: &mut ResourceSets) -> Result<(), String> {
    let mut pages = Pages::default();
    for (at, answer) in serde_json::Deserializer::from_slice(text).into_iter::<Value>().enumerate()
    {
        let answer = answer.map_err(|error| format!("is not JSON: {error}; {ADVICE}"))?;
        let place = format!("value {}", at.saturating_add(1));
        match answer {
            Value::Array(all) => {
                for (at, one) in all.iter().enumerate() {
                    pages.take(Answer::read(one, &format!("{place}, element {at}"))?)?;
                }
            }
            one => pages.take(Answer::read(&one, &place)?)?,
        }
    }
    pages.end()?;
    for (set, arns) in pages.whole {
        into.entry(set).or_default().extend(arns);
    }
    Ok(())
}

/// What was read of a file so far.
#[derive(Default)]
struct Pages {
    whole: ResourceSets,
    /// The set that pages are of, its ARNs, and whether the last page was read.
    open: Option<(ResourceSetId, BTreeSet<Box<str>>, bool)>,
}

impl Pages {
    fn take(&mut self, answer: Answer) -> Result<(), String> {
        let is_any = answer.set.is_some() || answer.items.is_some();
        if !is_any {
            return Err(format!("has an object with neither `ResourceSet` nor `Items`; {ADVICE}"));
        }
        if let Some(set) = answer.set {
            self.end()?;
            let id = ResourceSetId::try_from(set.as_str())
                .map_err(|_| format!("`{}` is not the id of a resource set", shown(&set)))?;
            self.open = Some((id, BTreeSet::new(), false));
        }
        let Some(items) = answer.items else { return Ok(()) };
        let Some((_, arns, is_whole)) = &mut self.open else {
            return Err(
                "has `Items` before the `ResourceSet` that they are of; put the answer of \
                 GetResourceSet first"
                    .to_owned(),
            );
        };
        for resource in items {
            resource.check()?;
            arns.insert(resource.uri.into());
        }
        *is_whole = !answer.goes_on;
        Ok(())
    }

    /// The set is complete.
    fn end(&mut self) -> Result<(), String> {
        match self.open.take() {
            Some((id, arns, true)) => {
                self.whole.insert(id, arns);
                Ok(())
            }
            Some((id, ..)) => Err(format!(
                "does not tell all resources of set {id}: the last page of \
                 ListResourceSetResources, the one without `NextToken`, is missing"
            )),
            None => Ok(()),
        }
    }
}

fn shown(text: &str) -> String {
    text.chars().take(100).flat_map(char::escape_default).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "AAAAAAAAAAAAAAAAAAAAAA";
    const B: &str = "BBBBBBBBBBBBBBBBBBBBBB";

    fn told(text: &str) -> Result<String, String> {
        let arn = |name: &str| {
            format!(r#""URI":"arn:aws:network-firewall:us-east-1:111122223333:firewall/{name}""#)
        };
        let text = text.replace("$A", A).replace("$B", B);
        let text = text.replace(r#""URI":"a""#, &arn("a")).replace(r#""URI":"b""#, &arn("b"));
        let mut sets = ResourceSets::new();
        parse(text.as_bytes(), &mut sets)?;
        let one = |(id, arns): (&ResourceSetId, &BTreeSet<Box<str>>)| {
            let arns: Vec<&str> = arns.iter().map(|arn| arn.rsplit('/').next().unwrap()).collect();
            format!("{}={}", &id.as_str()[..1], arns.join(","))
        };
        Ok(sets.iter().map(one).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn answers_are_taken_as_aws_gives_them() {
        for (text, want) in [
            (
                r#"{"ResourceSet":{"Id":"$A","Name":"x"},"ResourceSetArn":"arn"} {"Items":[{"URI":"a","AccountId":"111122223333"}]}"#,
                "A=a",
            ),
            (r#"{"ResourceSet":{"Id":"$A"},"Items":[]}"#, "A="),
            (
                r#"[{"ResourceSet":{"Id":"$A"}},{"Items":[{"URI":"a"}],"NextToken":"t"},{"Items":[{"URI":"b"}],"NextToken":null}]"#,
                "A=a,b",
            ),
            (
                r#"{"ResourceSet":{"Id":"$B"},"Items":[{"URI":"b"}]}{"ResourceSet":{"Id":"$A"},"Items":[{"URI":"a"}]}"#,
                "A=a B=b",
            ),
            ("", ""),
        ] {
            assert_eq!(told(text), Ok(want.to_owned()), "{text}");
        }
    }

    /// Not told is not none: a set that is told by halves is refused.
    #[test]
    fn what_is_told_by_halves_is_refused() {
        for (text, want) in [
            (r#"{"ResourceSet":{"Id":"$A"}}"#, "does not tell all resources of set AAAA"),
            (r#"{"ResourceSet":{"Id":"$A"},"Items":[],"NextToken":"t"}"#, "does not tell all"),
            (
                r#"{"ResourceSet":{"Id":"$A"}}{"ResourceSet":{"Id":"$B"},"Items":[]}"#,
                "does not tell all resources of set AAAA",
            ),
            (r#"{"Items":[]}"#, "before the `ResourceSet`"),
            (r#"{"ResourceSet":{"Id":"no id"},"Items":[]}"#, "`no id` is not the id"),
            (r#"{"Resources":[]}"#, "neither `ResourceSet` nor `Items`"),
            (
                r#"{"ResourceSet":{"Id":"$A"},"Items":[{"AccountId":"111122223333"}]}"#,
                "value 1: `Items[0].URI` is missing; give what GetResourceSet answers",
            ),
            ("[1]", "value 1, element 0 is a number, not an object; give what"),
            (
                r#"{"ResourceSet":{"Id":7}}"#,
                "value 1: `ResourceSet.Id` is a number, not text; give",
            ),
            (r#"{"ResourceSet":["$A"]}"#, "value 1: `ResourceSet.Id` is missing; give"),
            (
                r#"{"ResourceSet":{"Id":"$A"}} {"Items":{}}"#,
                "value 2: `Items` is an object, not a list",
            ),
            (
                r#"{"ResourceSet":{"Id":"$A"},"Items":[{"URI":"a"},{"URI":"a","AccountId":1}]}"#,
                "`Items[1].AccountId` is a number, not text",
            ),
            (r#"{"ResourceSet":{"Id":"$A"},"Items":[{"URI":"zzz"}]}"#, "`zzz` is not the ARN"),
            (
                r#"{"ResourceSet":{"Id":"$A"},"Items":[{"URI":"arn:aws:network-firewall:us-east-1:111122223333:firewall/a "}]}"#,
                "is not the ARN",
            ),
            (
                r#"{"ResourceSet":{"Id":"$A"},"Items":[{"URI":"ARN:AWS:network-firewall:us-east-1:111122223333:firewall/a"}]}"#,
                "is not the ARN",
            ),
            (
                r#"{"ResourceSet":{"Id":"$A"},"Items":[{"URI":"a","AccountId":"222222222222"}]}"#,
                "is not of account `222222222222`",
            ),
            (
                r#"{"ResourceSet":"#,
                "is not JSON: EOF while parsing a value at line 1 column 15; give",
            ),
        ] {
            let found = told(text).unwrap_err();
            assert!(found.contains(want), "{text}: {found}");
        }
    }
}
