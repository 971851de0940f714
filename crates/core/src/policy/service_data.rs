//! `ManagedServiceData`: JSON in a text, read once, answered again in the server's form.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::shape::{Node, Path, Unknown};
use super::{Document, PolicyType, Refusal, shown};

/// Deepest nesting of ManagedServiceData.
pub const SERVICE_DATA_DEPTH_MAX: usize = 64;

/// Data of a policy, checked against the shape of its type; `None` when there is none to have.
#[derive(Debug)]
pub(super) struct ServiceData(Option<Value>);

impl ServiceData {
    /// The whole data.
    pub(super) fn root(&self) -> Node<'_> {
        Node::root(self.0.as_ref())
    }
}

/// Reads the data of a document. Absent or `""` is refused for types that need data
/// (semantics §2.2 PutPolicy item 5).
pub(super) fn read(document: &Document, policy_type: PolicyType) -> Result<ServiceData, Refusal> {
    let text = document.security_service_policy_data.managed_service_data.as_deref();
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        return Ok(ServiceData(Some(Value::Object(read_text(policy_type, text)?))));
    }
    if !policy_type.facts().needs_data {
        return Ok(ServiceData(None));
    }
    Err(Refusal::input(format!(
        "SecurityServicePolicyData.ManagedServiceData is {}; {} needs it: give JSON such as \
         {{\"type\":\"{}\",…}}",
        if text.is_some() { "empty" } else { "missing" },
        policy_type.as_str(),
        policy_type.as_str()
    )))
}

/// The members of a document's ManagedServiceData that nobody knows, deep: they are kept and echoed,
/// and judged by nobody (semantics §11 row 47). None where the data cannot be read.
pub fn unknown_members(document: &Document) -> Vec<Unknown> {
    let text = document.security_service_policy_data.managed_service_data.as_deref();
    let mut found = Vec::new();
    if let (Ok(policy_type), Some(text)) = (document.policy_type(), text)
        && let Ok(map) = read_text(policy_type, text)
    {
        policy_type.facts().data.unknown(&Path::Root, &Value::Object(map), &mut found);
    }
    found
}

/// The data in the server's form: every known key in its order, omitted ones as null or `[]`,
/// unknown ones as they came, `type` filled in (semantics §10 row 26, §11 row 47). `""` and a text that is not
/// valid data come back as they are.
pub(super) fn normalise(policy_type: PolicyType, text: &str) -> String {
    match read_text(policy_type, text) {
        Ok(map) => {
            let mut out = String::with_capacity(text.len());
            policy_type.facts().data.write(Some(&Value::Object(map)), &mut out);
            without_line_escapes(&out)
        }
        Err(_) => text.to_owned(),
    }
}

/// Spells line breaks, Unicode's own among them, and backslashes before `n` and `r`, as `\u` escapes:
/// the model's pattern forbids line breaks and the two characters `\n` and `\r` anywhere in
/// ManagedServiceData, and what we answer must be acceptable when it is sent back.
fn without_line_escapes(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        if matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}') {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
            continue;
        }
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push_str("\\u000a"),
            Some('r') => out.push_str("\\u000d"),
            Some('\\') if matches!(chars.peek(), Some('n' | 'r')) => out.push_str("\\u005c"),
            escaped => {
                out.push('\\');
                out.extend(escaped);
            }
        }
    }
    out
}

fn read_text(policy_type: PolicyType, text: &str) -> Result<Map<String, Value>, Refusal> {
    check_depth(text)?;
    let mut map = match serde_json::from_str(text) {
        Ok(Value::Object(map)) => map,
        Ok(_) => {
            return Err(unreadable("is not a JSON object"));
        }
        Err(error) => return Err(unreadable(&format!("is not JSON: {error}"))),
    };
    match map.get("type") {
        None | Some(Value::Null) => {
            map.insert("type".into(), policy_type.as_str().into());
        }
        Some(Value::String(text)) if text == policy_type.as_str() => {}
        Some(other) => {
            return Err(Refusal::input(format!(
                "`type` in ManagedServiceData is `{}` and SecurityServicePolicyData.Type is `{}`; \
                 they must be equal",
                shown(other.as_str().unwrap_or(&other.to_string())),
                policy_type.as_str()
            )));
        }
    }
    let mut value = Value::Object(map);
    policy_type.facts().data.type_scalars(&mut value);
    policy_type.facts().data.check(&Path::Root, &value)?;
    match value {
        Value::Object(map) => Ok(map),
        _ => Ok(Map::new()),
    }
}

fn unreadable(what: &str) -> Refusal {
    Refusal::input(format!(
        "SecurityServicePolicyData.ManagedServiceData {what}; give one JSON object as a text, its \
         quotes escaped, such as \"{{\\\"type\\\":\\\"WAFV2\\\",…}}\""
    ))
}

/// Counts brackets outside of texts, so that nothing deep is ever built.
fn check_depth(text: &str) -> Result<(), Refusal> {
    let (mut depth, mut in_text, mut escaped) = (0usize, false, false);
    let (mut line, mut column) = (1usize, 0usize);
    for c in text.chars() {
        column = column.saturating_add(1);
        match c {
            '\n' => (line, column) = (line.saturating_add(1), 0),
            _ if escaped => {
                escaped = false;
                continue;
            }
            '\\' if in_text => escaped = true,
            '"' => in_text = !in_text,
            '{' | '[' if !in_text => depth = depth.saturating_add(1),
            '}' | ']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > SERVICE_DATA_DEPTH_MAX {
            return Err(unreadable(&format!(
                "is nested deeper than {SERVICE_DATA_DEPTH_MAX} levels at line {line} column \
                 {column}"
            )));
        }
    }
    Ok(())
}
