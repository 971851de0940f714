//! The draft of a policy as the editor has it: JSON with the data of the policy's type as JSON in it, and the
//! fields beside the text that say the same.

mod fields;

use palisade_api::printable::is_hidden;
use palisade_core::policy::PolicyFile;
use palisade_core::policy::PolicyType;
use palisade_store::PolicyRecord;
use serde_json::{Map, Value, json};

pub use fields::{FIELDS, Field, Kind};

/// The members above the data of a policy's type.
const DATA: [&str; 2] = ["SecurityServicePolicyData", "ManagedServiceData"];

/// A draft that can be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft(pub Value);

/// Why a text is no draft, and where.
#[derive(Debug, Eq, PartialEq)]
pub struct Unread {
    /// Why, in a sentence.
    pub message: String,
    /// The line that cannot be read, and a mark below the place; empty where there is none.
    pub excerpt: String,
}

impl Draft {
    /// A new policy of this type.
    pub fn of_type(policy_type: &str) -> Draft {
        let known = PolicyType::ALL.into_iter().find(|known| known.as_str() == policy_type);
        let types = known.map(|known| known.facts().resource_types).unwrap_or_default();
        let first = types.first().map(ToString::to_string).unwrap_or_default();
        Draft(json!({
            "PolicyName": "",
            "SecurityServicePolicyData": {
                "Type": policy_type,
                "ManagedServiceData": { "type": policy_type },
            },
            "ResourceType": first,
            "ExcludeResourceTags": false,
            "RemediationEnabled": false,
        }))
    }

    /// The version of a policy that is in force, with the token that an update must carry.
    pub fn of_record(record: &PolicyRecord) -> Draft {
        let mut told = serde_json::to_value(&record.document).unwrap_or_default();
        if let Some(members) = told.as_object_mut() {
            members.insert("PolicyId".to_owned(), json!(record.id.as_str()));
            members.insert("PolicyUpdateToken".to_owned(), json!(record.token));
        }
        let mut draft = Draft(told);
        if let Some(data) = draft.at_mut(&DATA)
            && let Some(parsed) = data.as_str().and_then(|text| serde_json::from_str(text).ok())
        {
            *data = parsed;
        }
        draft
    }

    /// Reads what was typed: a policy, or a PutPolicy request.
    ///
    /// # Errors
    /// No JSON; members that a policy does not have; members of another kind.
    pub fn read(text: &str) -> Result<Draft, Unread> {
        let read: Value = serde_json::from_str(text).map_err(|error| Unread {
            excerpt: excerpt(text, error.line(), error.column()),
            message: format!("the text is no JSON: {error}"),
        })?;
        let policy = match read.get("Policy") {
            Some(policy) => policy.clone(),
            None => read,
        };
        let draft = Draft(policy);
        match PolicyFile::parse(draft.request().to_string().as_bytes()) {
            Ok(_) => Ok(draft),
            Err(refusal) => Err(Unread { message: refusal.message, excerpt: String::new() }),
        }
    }

    /// The policy as `PutPolicy` takes it: the data of its type is a text.
    pub fn request(&self) -> Value {
        let mut policy = self.clone();
        if let Some(data) = policy.at_mut(&DATA)
            && !data.is_string()
            && !data.is_null()
        {
            *data = Value::String(data.to_string());
        }
        policy.0
    }

    /// In lines, to be edited.
    pub fn text(&self) -> String {
        format!("{:#}", self.0)
    }

    /// Its type; empty where it has none.
    pub fn policy_type(&self) -> &str {
        self.at(&["SecurityServicePolicyData", "Type"]).and_then(Value::as_str).unwrap_or_default()
    }

    /// The update token that it carries.
    pub fn token(&self) -> Option<&str> {
        self.at(&["PolicyUpdateToken"]).and_then(Value::as_str)
    }

    /// With another update token.
    pub fn with_token(mut self, token: &str) -> Draft {
        if let Some(members) = self.0.as_object_mut() {
            members.insert("PolicyUpdateToken".to_owned(), json!(token));
        }
        self
    }

    /// A member by its way.
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(&self.0, |value, name| value.get(name))
    }

    fn at_mut(&mut self, path: &[&str]) -> Option<&mut Value> {
        path.iter().try_fold(&mut self.0, |value, name| value.get_mut(name))
    }

    /// Sets a member; the objects above it are made. A value of none takes the member away, and with it what is
    /// empty then.
    pub fn set(&mut self, path: &[&str], value: Option<Value>) {
        set(&mut self.0, path, value);
    }
}

fn set(above: &mut Value, path: &[&str], value: Option<Value>) {
    let Some((name, rest)) = path.split_first() else { return };
    if !above.is_object() {
        if value.is_none() {
            return;
        }
        *above = Value::Object(Map::new());
    }
    let Some(members) = above.as_object_mut() else { return };
    match (rest, value) {
        ([], Some(value)) => {
            members.insert((*name).to_owned(), value);
        }
        ([], None) => {
            members.remove(*name);
        }
        (rest, value) => {
            if value.is_none() && !members.contains_key(*name) {
                return;
            }
            let takes_away = value.is_none();
            let below = members.entry((*name).to_owned()).or_insert_with(|| json!({}));
            set(below, rest, value);
            if takes_away && below.as_object().is_some_and(Map::is_empty) {
                members.remove(*name);
            }
        }
    }
}

/// The line of an error, with a mark below the place.
fn excerpt(text: &str, line: usize, column: usize) -> String {
    const WIDTH: usize = 72;
    let Some(told) = line.checked_sub(1).and_then(|nth| text.lines().nth(nth)) else {
        return String::new();
    };
    let before = column.saturating_sub(1);
    let start = before.saturating_sub(WIDTH / 2);
    // Hidden characters would move the mark, or more.
    let plain = |c| if is_hidden(c) { char::REPLACEMENT_CHARACTER } else { c };
    let shown: String = told.chars().skip(start).take(WIDTH).map(plain).collect();
    format!("{line:>4}  {shown}\n      {}^", " ".repeat(before.saturating_sub(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_no_json_is_told_with_its_place() {
        let unread = Draft::read("{\n  \"PolicyName\": oops\n}").unwrap_err();
        assert!(unread.message.contains("line 2 column 17"), "{}", unread.message);
        assert_eq!(unread.excerpt, "   2    \"PolicyName\": oops\n                      ^");
    }

    #[test]
    fn a_slip_in_a_member_is_told_with_what_was_meant() {
        let mut draft = Draft::of_type("WAFV2");
        draft.set(&["PolicyNme"], Some(json!("x")));
        let unread = Draft::read(&draft.text()).unwrap_err();
        assert!(unread.message.contains("`PolicyName` is"), "{}", unread.message);
    }

    #[test]
    fn every_type_has_a_draft_whose_request_has_its_data_as_text() {
        for policy_type in PolicyType::ALL {
            let draft = Draft::of_type(policy_type.as_str());
            let read = Draft::read(&draft.text()).unwrap();
            assert_eq!(read, draft, "{policy_type:?}");
            let request = draft.request();
            let data = &request["SecurityServicePolicyData"]["ManagedServiceData"];
            assert_eq!(*data, json!({"type": policy_type.as_str()}).to_string(), "{policy_type:?}");
            assert!(
                FIELDS.iter().any(|field| field.is_of(policy_type.as_str())),
                "{policy_type:?}"
            );
        }
    }

    #[test]
    fn members_are_made_and_taken_away_with_what_is_empty_then() {
        let mut draft = Draft(json!({"a": 1}));
        draft.set(&["b", "c"], Some(json!([1])));
        assert_eq!(draft.0, json!({"a": 1, "b": {"c": [1]}}));
        draft.set(&["b", "c"], None);
        assert_eq!(draft.0, json!({"a": 1}));
        draft.set(&["x", "y"], None);
        assert_eq!(draft.0, json!({"a": 1}));
    }
}
