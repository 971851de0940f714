//! Schemas of what commands print of endpoints' answers, made of the types that the endpoints are described by.

use std::collections::BTreeSet;

use palisade::report::naming::{Naming, POLICY};
use serde_json::{Map, Value, json};

/// The description of the endpoints, as it is checked in.
fn components() -> Value {
    let text = include_str!("../../../../docs/openapi.json");
    let document: Value = serde_json::from_str(text).unwrap();
    document["components"]["schemas"].clone()
}

/// Members of an answer that a command prints otherwise: where, and as what; `None` leaves it out.
pub type Changes = &'static [(&'static str, Option<&'static str>)];

/// The schema of what a command prints of the answer that a component describes.
pub fn described(component: &str, naming: Naming, changes: Changes) -> Value {
    let mut maker = Maker { all: components(), naming, wanted: Vec::new(), made: Map::new() };
    let mut schema = maker.of(&maker.all[component].clone());
    for (member, value) in changes {
        let name = naming.member(member);
        match value {
            None => {
                schema["properties"].as_object_mut().unwrap().remove(&name);
                schema["required"].as_array_mut().unwrap().retain(|one| *one != name);
            }
            Some(value) => {
                let value = maker.of(&serde_json::from_str(value).unwrap());
                schema["properties"][&name] = value;
            }
        }
    }
    let mut seen = BTreeSet::new();
    while let Some(name) = maker.wanted.pop() {
        if seen.insert(name.clone()) {
            let made = maker.of(&maker.all[&name].clone());
            maker.made.insert(name, made);
        }
    }
    if !maker.made.is_empty() {
        schema["$defs"] = Value::Object(maker.made);
    }
    schema
}

struct Maker {
    all: Value,
    naming: Naming,
    /// Components that are referred to.
    wanted: Vec<String>,
    made: Map<String, Value>,
}

const REFERENCE: &str = "#/components/schemas/";

impl Maker {
    fn of(&mut self, schema: &Value) -> Value {
        let whole = self.whole(schema);
        let mut made = Map::new();
        for (keyword, value) in &whole {
            match keyword.as_str() {
                "$ref" => {
                    let name = value.as_str().unwrap().strip_prefix(REFERENCE).unwrap();
                    self.wanted.push(name.to_owned());
                    made.insert("$ref".into(), json!(format!("#/$defs/{name}")));
                }
                "items" => {
                    made.insert("items".into(), self.of(value));
                }
                "anyOf" => {
                    let each = value.as_array().unwrap().iter().map(|one| self.of(one)).collect();
                    made.insert("anyOf".into(), each);
                }
                // Of numbers, which JSON has of one kind; of names, which are texts anyway.
                "format" if value != "date-time" => {}
                "propertyNames" | "properties" | "required" | "additionalProperties" => {}
                "type" | "enum" | "description" | "format" | "minimum" => {
                    made.insert(keyword.clone(), value.clone());
                }
                other => panic!("the keyword `{other}` of {schema}"),
            }
        }
        match (whole.get("properties"), whole.get("additionalProperties")) {
            (Some(properties), _) => made.extend(self.members(properties, whole.get("required"))),
            (None, Some(values @ Value::Object(_))) => {
                made.insert("additionalProperties".into(), self.of(values));
            }
            (None, _) => {}
        }
        Value::Object(made)
    }

    /// A schema with those that it consists of put together.
    fn whole(&self, schema: &Value) -> Map<String, Value> {
        let mut whole = schema.as_object().unwrap().clone();
        let Some(Value::Array(parts)) = whole.remove("allOf") else { return whole };
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for part in parts {
            let part = match part.get("$ref").and_then(Value::as_str) {
                Some(name) => self.all[name.strip_prefix(REFERENCE).unwrap()].clone(),
                None => part,
            };
            let part = self.whole(&part);
            properties.extend(part["properties"].as_object().unwrap().clone());
            required.extend(
                part.get("required").and_then(Value::as_array).into_iter().flatten().cloned(),
            );
        }
        whole.insert("type".into(), json!("object"));
        whole.insert("properties".into(), Value::Object(properties));
        whole.insert("required".into(), Value::Array(required));
        whole
    }

    fn members(&mut self, properties: &Value, required: Option<&Value>) -> Map<String, Value> {
        let mut named = Map::new();
        let mut needed: BTreeSet<String> = BTreeSet::new();
        let required = required.and_then(Value::as_array).cloned().unwrap_or_default();
        for (name, schema) in properties.as_object().unwrap() {
            let is_needed = required.contains(&json!(name));
            if schema["$ref"] == format!("{REFERENCE}PolicyNamed") {
                for (_, name) in POLICY {
                    named.entry(name).or_insert_with(|| member(name, json!({"type": "string"})));
                    needed.extend(is_needed.then(|| name.to_owned()));
                }
                continue;
            }
            let own = self.naming.member(name);
            let made = self.of(schema);
            named.insert(own.clone(), member(&own, made));
            needed.extend(is_needed.then_some(own));
        }
        let mut made = Map::new();
        made.insert("properties".into(), Value::Object(named));
        made.insert("required".into(), json!(needed));
        made.insert("additionalProperties".into(), json!(false));
        made
    }
}

/// Accounts are twelve digits wherever they are told.
fn member(name: &str, mut schema: Value) -> Value {
    let is_account = ["MemberAccount", "PolicyOwner", "Account"].contains(&name);
    if is_account && schema["enum"].is_null() {
        schema["pattern"] = json!("^[0-9]{12}$");
    }
    schema
}
