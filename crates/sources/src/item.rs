//! A resource in AWS Config's own item format, made of what an API answered.

use palisade_aws::CallError;
use serde_json::{Map, Value, json};

/// What an API told of a resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Described {
    /// The id that AWS Config gives it.
    pub id: String,
    /// Its name, where the type has one.
    pub name: Option<String>,
    /// Its ARN.
    pub arn: Option<String>,
    /// Its tags; `None`: not asked for.
    pub tags: Option<Map<String, Value>>,
    /// The body.
    pub configuration: Value,
    /// Types and ids of related resources; `None`: not told.
    pub related: Option<Vec<(&'static str, String)>>,
    /// Whether its Region is `global`.
    pub is_global: bool,
}

/// All resources of a kind, or the call that failed.
pub type Found = Result<Vec<Described>, CallError>;

/// Where and when items were seen.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'s> {
    /// The account.
    pub account: &'s str,
    /// The Region.
    pub region: &'s str,
    /// The moment before the listing's first call, as text.
    pub at: &'s str,
}

impl Described {
    /// The item, of version 1.3.
    pub fn item(self, resource_type: &str, seen: Seen<'_>) -> Value {
        let region = if self.is_global { "global" } else { seen.region };
        let mut item = json!({
            "configurationItemVersion": "1.3",
            "configurationItemCaptureTime": seen.at,
            "configurationItemStatus": "OK",
            "awsAccountId": seen.account,
            "awsRegion": region,
            "resourceType": resource_type,
            "resourceId": self.id,
            "configuration": self.configuration,
        });
        let mut add = |name: &str, value: Option<Value>| {
            if let (Some(value), Some(item)) = (value, item.as_object_mut()) {
                item.insert(name.to_owned(), value);
            }
        };
        add("resourceName", self.name.map(Value::String));
        add("ARN", self.arn.map(Value::String));
        add("tags", self.tags.map(Value::Object));
        let related = self.related.map(|all| {
            let one = |(kind, id)| {
                json!({"resourceType": kind, "resourceId": id, "name": "Is associated with "})
            };
            Value::Array(all.into_iter().map(one).collect())
        });
        add("relationships", related);
        item
    }
}

/// A text member.
///
/// # Errors
/// It is not there, or no text.
pub fn text(answer: &Value, name: &str) -> Result<String, String> {
    match answer.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        _ => Err(format!("a member of the list has no `{name}`")),
    }
}

/// A text member that may be absent.
pub fn maybe(answer: &Value, name: &str) -> Option<String> {
    answer.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Tags in a list of `Key` and `Value`. AWS leaves an empty list out of what describes a resource; a tag without a
/// value has an empty one.
///
/// # Errors
/// It is no list, or one of them has no key.
pub fn tags(list: Option<&Value>) -> Result<Map<String, Value>, String> {
    let list = match list {
        None | Some(Value::Null) => return Ok(Map::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err("the tags are no list".to_owned()),
    };
    let one = |tag: &Value| {
        let key = text(tag, "Key").map_err(|_| "a tag without `Key`".to_owned())?;
        Ok((key, Value::String(maybe(tag, "Value").unwrap_or_default())))
    };
    list.iter().map(one).collect()
}

/// The same with each name's first letter small, all the way down: how AWS Config writes what EC2 and its like answer.
pub fn camel(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let small = members.iter().map(|(name, value)| (uncapitalised(name), camel(value)));
            Value::Object(small.collect())
        }
        Value::Array(all) => Value::Array(all.iter().map(camel).collect()),
        other => other.clone(),
    }
}

fn uncapitalised(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}
