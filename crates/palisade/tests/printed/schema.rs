//! Values held against JSON schemas, of the keywords that ours use: any other is refused rather than passed over.

use serde_json::{Map, Value};

/// What a value breaks, each with its place.
pub fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    Check { root: schema, found: &mut found }.any(schema, value, "");
    found
}

struct Check<'s, 'f> {
    root: &'s Value,
    found: &'f mut Vec<String>,
}

impl<'s> Check<'s, '_> {
    fn any(&mut self, schema: &Value, value: &Value, place: &str) {
        let Value::Object(keywords) = schema else {
            panic!("a schema is an object: {schema}");
        };
        for (keyword, wanted) in keywords {
            self.one(keyword, wanted, keywords, value, place);
        }
    }

    fn one(
        &mut self,
        keyword: &str,
        wanted: &Value,
        all: &Map<String, Value>,
        value: &Value,
        place: &str,
    ) {
        let is_right = match keyword {
            "$schema" | "title" | "description" | "$defs" | "x-csv" => true,
            "$ref" => {
                let referred = self.referred(wanted);
                return self.any(referred, value, place);
            }
            "type" => types(wanted).any(|name| is_of(name, value)),
            "enum" => wanted.as_array().unwrap().contains(value),
            "format" => value.as_str().is_none_or(|text| has_format(wanted, text)),
            "pattern" => value.as_str().is_none_or(|text| fits(wanted.as_str().unwrap(), text)),
            "minimum" => value.as_f64().is_none_or(|number| number >= wanted.as_f64().unwrap()),
            "minLength" => {
                value.as_str().is_none_or(|text| text.len() as u64 >= wanted.as_u64().unwrap())
            }
            "required" => return self.required(wanted, value, place),
            "properties" => return self.properties(wanted, value, place),
            "additionalProperties" => return self.additional(wanted, all, value, place),
            "items" => {
                for (nth, element) in value.as_array().into_iter().flatten().enumerate() {
                    self.any(wanted, element, &format!("{place}/{nth}"));
                }
                return;
            }
            "anyOf" => {
                let each = wanted.as_array().unwrap().iter().map(|one| {
                    let mut found = Vec::new();
                    Check { root: self.root, found: &mut found }.any(one, value, place);
                    found
                });
                let best = each.min_by_key(Vec::len).unwrap();
                self.found.extend(best);
                return;
            }
            other => panic!("the keyword `{other}` is not known here"),
        };
        if !is_right {
            self.found.push(format!("{place}: {value} is not {keyword} {wanted}"));
        }
    }

    fn referred(&self, reference: &Value) -> &'s Value {
        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
        self.root.pointer(pointer).unwrap_or_else(|| panic!("{reference} is not there"))
    }

    fn required(&mut self, wanted: &Value, value: &Value, place: &str) {
        let Value::Object(members) = value else { return };
        for name in wanted.as_array().unwrap() {
            if !members.contains_key(name.as_str().unwrap()) {
                self.found.push(format!("{place}: {name} is missing"));
            }
        }
    }

    fn properties(&mut self, wanted: &Value, value: &Value, place: &str) {
        for (name, schema) in wanted.as_object().unwrap() {
            if let Some(member) = value.get(name) {
                self.any(schema, member, &format!("{place}/{name}"));
            }
        }
    }

    fn additional(&mut self, wanted: &Value, all: &Map<String, Value>, value: &Value, place: &str) {
        let known = all.get("properties").and_then(Value::as_object);
        for (name, member) in value.as_object().into_iter().flatten() {
            if known.is_some_and(|known| known.contains_key(name)) {
                continue;
            }
            match wanted {
                Value::Bool(true) => {}
                Value::Bool(false) => self.found.push(format!("{place}: `{name}` is not known")),
                schema => self.any(schema, member, &format!("{place}/{name}")),
            }
        }
    }
}

fn types(wanted: &Value) -> impl Iterator<Item = &str> {
    let several = wanted.as_array().into_iter().flatten();
    several.chain(wanted.is_string().then_some(wanted)).map(|name| name.as_str().unwrap())
}

fn is_of(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("`{other}` is no type"),
    }
}

fn has_format(format: &Value, text: &str) -> bool {
    match format.as_str().unwrap() {
        // Of the one form that all of ours have: in UTC, without an offset.
        "date-time" => text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok(),
        other => panic!("the format `{other}` is not known here"),
    }
}

/// The patterns of ours: so many digits, or words of one casing.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern {
        "^[0-9]{12}$" => text.len() == 12 && text.bytes().all(|c| c.is_ascii_digit()),
        other => panic!("the pattern `{other}` is not known here"),
    }
}
