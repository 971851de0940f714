//! Shape tables made from the vectors' own `model.json`.

use std::collections::{BTreeMap, HashMap};

use palisade_wire::{Constraints, Kind, Member, Pattern, Shape, ShapeId, Table, TimestampFormat};
use serde_json::Value;

use super::suite::load;

/// The shapes and operations that a suite speaks of.
pub struct TestModel {
    pub table: Table,
    json: BTreeMap<String, Value>,
    ids: HashMap<String, ShapeId>,
}

/// Shapes that Smithy defines without a model.
const PRELUDE: &[(&str, Kind)] = &[
    (
        "ValidationException",
        Kind::Structure(&[Member {
            name: "message",
            shape: ShapeId(1),
            required: true,
            constraints: None,
        }]),
    ),
    ("string", Kind::String),
    ("boolean", Kind::Boolean),
    ("byte", Kind::Byte),
    ("short", Kind::Short),
    ("integer", Kind::Integer),
    ("long", Kind::Long),
    ("float", Kind::Float),
    ("double", Kind::Double),
    ("blob", Kind::Blob),
    ("timestamp", Kind::Timestamp(TimestampFormat::EpochSeconds)),
    ("document", Kind::Document),
    ("unit", Kind::Structure(&[])),
    ("@epoch-seconds", Kind::Timestamp(TimestampFormat::EpochSeconds)),
    ("@date-time", Kind::Timestamp(TimestampFormat::DateTime)),
    ("@http-date", Kind::Timestamp(TimestampFormat::HttpDate)),
];

impl TestModel {
    /// Reads the named model files as one.
    pub fn load(names: &[&str]) -> Option<Self> {
        let mut json = BTreeMap::new();
        for name in names {
            let Value::Object(shapes) = load(name)? else { panic!("`{name}` is no object") };
            json.extend(shapes);
        }
        for (name, shape) in json.clone() {
            constrained_parts(&name, &shape, &mut json);
        }
        let modelled = json.keys().cloned().collect::<Vec<_>>();
        let names = PRELUDE.iter().map(|(n, _)| (*n).to_owned()).chain(modelled);
        let ids = names.enumerate().map(|(i, n)| (n, ShapeId(u16::try_from(i).unwrap()))).collect();
        let mut model = Self { table: Table::new(&[]), json, ids };
        let mut shapes: Vec<Shape> = PRELUDE
            .iter()
            .map(|(name, kind)| Shape { name, kind: *kind, constraints: Constraints::NONE })
            .collect();
        for (name, shape) in &model.json {
            let constraints = constraints(&shape["traits"]);
            shapes.push(Shape { name: leak(name), kind: model.kind(shape), constraints });
        }
        model.table = Table::new(Box::leak(shapes.into_boxed_slice()));
        Some(model)
    }

    pub fn id(&self, name: &str) -> ShapeId {
        *self.ids.get(name).unwrap_or_else(|| panic!("no shape `{name}`"))
    }

    pub fn json(&self, name: &str) -> &Value {
        self.json.get(name).unwrap_or_else(|| panic!("no shape `{name}`"))
    }

    /// The shape of an operation's `input` or `output`; nothing is a structure without members.
    pub fn side(&self, operation: &str, side: &str) -> ShapeId {
        self.id(self.json(operation)[side].as_str().unwrap_or("unit"))
    }

    /// The default of a member, as `params` would write it.
    pub fn default_of(&self, shape: ShapeId, member: &str) -> Option<&Value> {
        let shape = self.json.get(self.table.shape(shape).name)?;
        let client_only = shape["members"][member]["traits"].get("clientOptional").is_some();
        if client_only { None } else { shape["members"][member].get("default") }
    }

    fn kind(&self, shape: &Value) -> Kind {
        let target = |part: &str| self.target(&shape["members"][part]);
        let sparse = shape["traits"].get("sparse").is_some();
        match shape["type"].as_str().unwrap() {
            "structure" => Kind::Structure(self.members(shape)),
            "union" => Kind::Union(self.members(shape)),
            "list" | "set" => Kind::List { member: target("member"), sparse },
            "map" => Kind::Map { key: target("key"), value: target("value"), sparse },
            "enum" => Kind::Enum(enum_values(shape)),
            "intEnum" => Kind::Integer,
            "string" if shape["traits"].get("enum").is_some() => {
                Kind::Enum(enum_trait(&shape["traits"]["enum"]))
            }
            "timestamp" => match shape["traits"]["timestampFormat"].as_str() {
                Some(format) => {
                    PRELUDE.iter().find(|(n, _)| n[1..] == *format && n.starts_with('@')).unwrap().1
                }
                None => Kind::Timestamp(TimestampFormat::EpochSeconds),
            },
            "operation" | "service" => Kind::Structure(&[]),
            simple => {
                PRELUDE
                    .iter()
                    .find(|(n, _)| *n == simple)
                    .unwrap_or_else(|| panic!("type `{simple}`"))
                    .1
            }
        }
    }

    /// Members of the body: those bound to a header, the query or the path are another protocol's.
    fn members(&self, shape: &Value) -> &'static [Member] {
        let mut members = Vec::new();
        for (name, member) in shape["members"].as_object().unwrap() {
            let traits = &member["traits"];
            if ["httpLabel", "httpQuery", "httpHeader"].iter().any(|t| traits.get(t).is_some()) {
                continue;
            }
            let overrides = ["length", "range", "pattern"].iter().any(|t| traits.get(t).is_some());
            members.push(Member {
                name: leak(name),
                shape: self.target(member),
                required: traits.get("required").is_some(),
                constraints: overrides.then(|| &*Box::leak(Box::new(constraints(traits)))),
            });
        }
        Box::leak(members.into_boxed_slice())
    }

    fn target(&self, member: &Value) -> ShapeId {
        if let Some(own) = member["own"].as_str() {
            return self.id(own);
        }
        match member["traits"]["timestampFormat"].as_str() {
            Some(format) => self.id(&format!("@{format}")),
            None => self.id(member["target"].as_str().unwrap()),
        }
    }
}

/// Gives the items, keys and values of lists and maps that have constraints of their own a shape of their own.
fn constrained_parts(name: &str, shape: &Value, json: &mut BTreeMap<String, Value>) {
    if !matches!(shape["type"].as_str(), Some("list" | "map")) {
        return;
    }
    for (part, member) in shape["members"].as_object().unwrap() {
        let Some(traits) = member["traits"].as_object() else { continue };
        let target = member["target"].as_str().unwrap();
        let mut own = json
            .get(target)
            .cloned()
            .unwrap_or_else(|| serde_json::json!({ "type": target, "traits": {} }));
        for (key, value) in traits {
            own["traits"][key] = value.clone();
        }
        let own_name = format!("{name}${part}");
        json.get_mut(name).unwrap()["members"][part]["own"] = own_name.clone().into();
        json.insert(own_name, own);
    }
}

fn leak(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

/// The values of an enum but those with the `internal` trait.
fn enum_values(shape: &Value) -> &'static [&'static str] {
    let members = shape["members"].as_object().unwrap().values();
    let public = members.filter(|m| m["traits"].get("internal").is_none());
    Box::leak(public.map(|m| leak(m["value"].as_str().unwrap())).collect())
}

/// The values of the older enum trait but those tagged `internal`.
fn enum_trait(values: &Value) -> &'static [&'static str] {
    let internal =
        |v: &Value| v["tags"].as_array().is_some_and(|t| t.iter().any(|t| t == "internal"));
    let public = values.as_array().unwrap().iter().filter(|v| !internal(v));
    Box::leak(public.map(|v| leak(v["value"].as_str().unwrap())).collect())
}

fn constraints(traits: &Value) -> Constraints {
    let pattern = |text| &*Box::leak(Box::new(Pattern::new(leak(text))));
    Constraints {
        length_min: traits["length"]["min"].as_u64(),
        length_max: traits["length"]["max"].as_u64(),
        range_min: traits["range"]["min"].as_f64(),
        range_max: traits["range"]["max"].as_f64(),
        pattern: traits["pattern"].as_str().map(pattern),
        unique: traits.get("uniqueItems").is_some(),
    }
}
