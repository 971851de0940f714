//! Ten thousand generated calls, played in JSON against one world and in CBOR against its equal:
//! every answer is the same.

use std::collections::{BTreeMap, VecDeque};

use axum::body::{Body, to_bytes};
use axum::http::Request;
use palisade_api::operations::{Callers, OPERATIONS, Row};
use palisade_store::Control;
use palisade_testkit::Rng;
use palisade_wire::cbor::{Head, Reader};
use palisade_wire::{Kind, Protocol, ShapeId, TABLE, Timestamp, Value, decode_value};
use serde_json::{Value as Json, json};
use tower::ServiceExt as _;

use crate::world::*;

const CALLS: usize = 10_000;

/// The seed gives the same calls again.
struct Random(Rng);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0.usize(..bound.max(1))
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    fn of<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())].clone()
    }
}

#[derive(Clone)]
pub(super) struct Call {
    caller: &'static str,
    region: &'static str,
    input: Value,
}

/// What earlier answers told of: texts by the member that takes them, documents to put again, and
/// calls that have a next page.
#[derive(Default)]
struct Known {
    texts: BTreeMap<&'static str, VecDeque<String>>,
    documents: BTreeMap<&'static str, VecDeque<Value>>,
    pages: BTreeMap<&'static str, Call>,
}

fn keep<T>(kept: &mut VecDeque<T>, one: T) {
    kept.push_back(one);
    if kept.len() > 8 {
        kept.pop_front();
    }
}

/// Which kind of id a member called `ListId`, `Id` and the like holds in an operation.
fn kind_of(operation: &str, member: &str) -> Option<&'static str> {
    match member {
        "PolicyId" if operation == "GetProtectionStatus" => Some("shield"),
        "PolicyId" => Some("policy"),
        "ListId" if operation.contains("Apps") => Some("apps"),
        "ListId" => Some("protocols"),
        "Identifier" | "ResourceSetIdentifier" => Some("set"),
        "Id" if operation.contains("ResourceSet") => Some("set"),
        "ResourceArn" | "PolicyArn" | "AppsListArn" | "ProtocolsListArn" | "ResourceSetArn" => {
            Some("arn")
        }
        _ => None,
    }
}

impl Known {
    fn learn(&mut self, operation: &str, answer: &Json) {
        match answer {
            Json::Object(members) => {
                for (name, member) in members {
                    match (kind_of(operation, name), member.as_str()) {
                        (Some(kind), Some(text)) => {
                            keep(self.texts.entry(kind).or_default(), text.to_owned());
                        }
                        _ => self.learn(operation, member),
                    }
                }
            }
            Json::Array(items) => items.iter().for_each(|item| self.learn(operation, item)),
            _ => {}
        }
    }
}

pub(super) struct Generator {
    random: Random,
    known: Known,
    made: usize,
}

impl Generator {
    pub(super) fn seeded(seed: u64) -> Generator {
        Generator { random: Random(Rng::with_seed(seed)), known: Known::default(), made: 0 }
    }

    /// What later calls are made of: ids and documents that an answer told, and the page behind it.
    pub(super) fn heard(&mut self, row: &Row, call: Call, json: &Json, read: &Value) {
        let name = row.operation.name();
        if call.caller == ADMIN && call.region == REGION {
            self.known.learn(name, json);
            let policy = &json["Policy"];
            if policy["SecurityServicePolicyData"]["Type"] == "SHIELD_ADVANCED" {
                self.known.learn("GetProtectionStatus", policy);
            }
        }
        let member = name.strip_prefix("Put").or_else(|| name.strip_prefix("Get"));
        let put = member.and_then(|member| {
            let row =
                OPERATIONS.iter().find(|row| row.operation.name() == format!("Put{member}"))?;
            Some((row.operation.name(), *TABLE_MEMBERS.iter().find(|name| **name == member)?))
        });
        if let Some((put, member)) = put
            && let Some(document) = read.member(member)
        {
            let input = Value::Structure(vec![(member, document.clone())]);
            keep(self.known.documents.entry(put).or_default(), input);
        }
        // The token leads on from what was asked.
        match (json.get("NextToken").and_then(Json::as_str), &call.input) {
            (Some(token), Value::Structure(members)) => {
                let mut members = members.clone();
                members.retain(|(name, _)| *name != "NextToken");
                members.push(("NextToken", Value::String(token.to_owned())));
                let input = Value::Structure(members);
                self.known.pages.insert(name, Call { input, ..call });
            }
            _ => drop(self.known.pages.remove(name)),
        }
    }

    pub(super) fn call(&mut self, row: &Row) -> Call {
        let name = row.operation.name();
        if self.random.percent(25)
            && let Some(page) = self.known.pages.get(name)
        {
            return page.clone();
        }
        let manages = row.callers == Callers::Management || name == "AssociateAdminAccount";
        let caller = match name {
            _ if self.random.percent(8) => {
                self.random.of(&[ADMIN, MANAGEMENT, OTHER, MEMBER, STRANGER])
            }
            "DisassociateAdminAccount" if self.random.percent(90) => OTHER,
            _ if manages => MANAGEMENT,
            _ => ADMIN,
        };
        let region = match row.home_region_only {
            _ if self.random.percent(4) => self.random.of(&[HOME, REGION, "eu-north-1"]),
            true => HOME,
            false => REGION,
        };
        Call { caller, region, input: self.input(name, row.operation.input_shape()) }
    }

    fn input(&mut self, operation: &'static str, shape: ShapeId) -> Value {
        self.made += 1;
        if self.random.percent(30)
            && let Some(documents) = self.known.documents.get(operation)
        {
            let at = self.random.below(documents.len());
            return documents[at].clone();
        }
        let template = if self.random.percent(60) { self.template(operation) } else { None };
        template.unwrap_or_else(|| self.value(operation, "", shape))
    }

    fn template(&mut self, operation: &str) -> Option<Value> {
        let n = self.made;
        Some(given(&match operation {
            "PutPolicy" if n.is_multiple_of(3) => json!({ "Policy": {
                "PolicyName": format!("shield {n}"),
                "SecurityServicePolicyData": {
                    "Type": "SHIELD_ADVANCED",
                    "ManagedServiceData": "{\"type\":\"SHIELD_ADVANCED\"}" },
                "ResourceType": "AWS::EC2::EIP",
                "ExcludeResourceTags": false, "RemediationEnabled": false } }),
            "PutPolicy" => json!({ "Policy": audit(&format!("audit {n}")) }),
            "PutAppsList" => json!({ "AppsList": { "ListName": format!("apps {n}"),
                "AppsList": [{ "AppName": "a", "Protocol": "tcp", "Port": n % 65_536 }] } }),
            "PutProtocolsList" => json!({ "ProtocolsList": {
                "ListName": format!("protocols {n}"), "ProtocolsList": ["tcp", "udp"] } }),
            "PutResourceSet" => json!({ "ResourceSet": { "Name": format!("set-{n}"),
                "ResourceTypeList": ["AWS::NetworkFirewall::Firewall"] } }),
            "PutNotificationChannel" => json!({ "SnsTopicArn": "arn:aws:sns:r:a:t",
                "SnsRoleName": "arn:aws:iam::a:r" }),
            "PutAdminAccount" => json!({ "AdminAccount": OTHER, "AdminScope": {} }),
            _ => return None,
        }))
    }

    fn value(&mut self, operation: &str, name: &str, id: ShapeId) -> Value {
        let shape = TABLE.shape(id);
        match shape.kind {
            Kind::Structure(members) => {
                let mut present = Vec::new();
                for member in members {
                    let chance = match (member.required, member.name) {
                        (true, _) => 98,
                        (_, "NextToken") => 8,
                        _ => 50,
                    };
                    if self.random.percent(chance) {
                        let value = self.value(operation, member.name, member.shape);
                        present.push((member.name, value));
                    }
                }
                Value::Structure(present)
            }
            Kind::List { member, .. } => {
                let length = self.random.below(3);
                Value::List((0..length).map(|_| self.value(operation, name, member)).collect())
            }
            Kind::Map { key, value, .. } => {
                let length = self.random.below(3);
                let entries = (0..length)
                    .map(|_| (self.text(operation, name, key), self.value(operation, name, value)));
                Value::Map(entries.collect())
            }
            Kind::Boolean => Value::Boolean(self.random.percent(50)),
            Kind::Integer | Kind::Long => {
                let drawn = self.random.below(110);
                Value::Integer(i64::try_from(drawn).unwrap())
            }
            Kind::Timestamp(_) => {
                let drawn = self.random.below(1 << 31);
                Value::Timestamp(Timestamp::from_millis(i64::try_from(drawn).unwrap() * 997))
            }
            _ => Value::String(self.text(operation, name, id)),
        }
    }

    fn text(&mut self, operation: &str, name: &str, id: ShapeId) -> String {
        let shape = TABLE.shape(id);
        if self.random.percent(80) {
            let fitting = match name {
                "AdminAccount" => vec![ADMIN, ADMIN, OTHER],
                "MemberAccount" | "MemberAccountId" | "MemberAccountIds" | "AwsAccountId" => {
                    vec![MEMBER, MEMBER, OTHER]
                }
                "ResourceId" => vec!["sg-00000", "sg-00001"],
                "ResourceType" if operation == "ListDiscoveredResources" => {
                    vec!["AWS::NetworkFirewall::Firewall"]
                }
                "ResourceType" => vec!["AWS::EC2::SecurityGroup"],
                "Items" => vec!["arn:aws:network-firewall:eu-west-1:222222222222:firewall/a"],
                _ => Vec::new(),
            };
            let known = kind_of(operation, name).and_then(|kind| self.known.texts.get(kind));
            if let Some(known) = known {
                return known[self.random.below(known.len())].clone();
            }
            if !fitting.is_empty() {
                return self.random.of(&fitting).to_owned();
            }
        }
        if let Kind::Enum(values) = shape.kind {
            return if self.random.percent(97) { self.random.of(values) } else { "NO" }.to_owned();
        }
        let least = usize::try_from(shape.constraints.length_min.unwrap_or(0)).unwrap();
        let length = least + self.random.below(10);
        let letters: &[char] = match self.random.below(6) {
            0 => &['a', '{', '"', '\\', '\t', 'é', '漢', '🦀'],
            1 | 2 => &['0', '1', '2', '9'],
            _ => &['a', 'Z', '0', '9'],
        };
        (0..length).map(|_| self.random.of(letters)).collect()
    }
}

/// JSON as an input.
fn given(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Boolean(*value),
        Json::Number(number) => Value::Integer(number.as_i64().unwrap()),
        Json::String(text) => Value::String(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(given).collect()),
        Json::Object(members) => {
            Value::Map(members.iter().map(|(name, value)| (name.clone(), given(value))).collect())
        }
    }
}

fn in_json(value: &Value) -> Json {
    match value {
        Value::Boolean(value) => json!(value),
        Value::Integer(number) => json!(number),
        Value::String(text) => json!(text),
        Value::Timestamp(moment) => json!(moment.as_seconds()),
        Value::List(items) => items.iter().map(in_json).collect(),
        Value::Map(entries) => {
            entries.iter().map(|(name, value)| (name.clone(), in_json(value))).collect()
        }
        Value::Structure(members) => {
            members.iter().map(|(name, value)| ((*name).to_owned(), in_json(value))).collect()
        }
        other => panic!("no input has {other:?}"),
    }
}

fn in_cbor(value: &Value, bytes: &mut Vec<u8>) {
    match value {
        Value::Boolean(value) => bytes.push(0xf4 + u8::from(*value)),
        Value::Integer(number) => head(0, u64::try_from(*number).unwrap(), bytes),
        Value::String(text) => cbor_text(text, bytes),
        Value::Timestamp(moment) => {
            bytes.extend([0xc1, 0xfb]);
            bytes.extend(moment.as_seconds().to_be_bytes());
        }
        Value::List(items) => {
            head(4, items.len() as u64, bytes);
            items.iter().for_each(|item| in_cbor(item, bytes));
        }
        Value::Map(entries) => {
            head(5, entries.len() as u64, bytes);
            for (name, value) in entries {
                cbor_text(name, bytes);
                in_cbor(value, bytes);
            }
        }
        Value::Structure(members) => {
            head(5, members.len() as u64, bytes);
            for (name, value) in members {
                cbor_text(name, bytes);
                in_cbor(value, bytes);
            }
        }
        other => panic!("no input has {other:?}"),
    }
}

fn head(major: u8, number: u64, bytes: &mut Vec<u8>) {
    bytes.push(major << 5 | 27);
    bytes.extend(number.to_be_bytes());
}

fn cbor_text(text: &str, bytes: &mut Vec<u8>) {
    head(3, text.len() as u64, bytes);
    bytes.extend(text.as_bytes());
}

/// Any CBOR as JSON; a moment is its seconds.
fn plain(reader: &mut Reader<'_>) -> Option<Json> {
    let more = |at: &mut u64, length: Option<u64>| {
        *at += 1;
        length.is_none_or(|length| *at <= length)
    };
    let mut at = 0;
    Some(match reader.head().unwrap() {
        Head::Unsigned(number) => json!(number as f64),
        Head::Negative(number) => json!(-1.0 - number as f64),
        Head::Float(number) => json!(number),
        Head::Text(length) => json!(reader.text(length).unwrap()),
        Head::Tag(1) => plain(reader).unwrap(),
        Head::Simple(value @ 20..=21) => json!(value == 21),
        Head::Array(length) => {
            let mut items = Vec::new();
            while more(&mut at, length)
                && let Some(item) = plain(reader)
            {
                items.push(item);
            }
            Json::Array(items)
        }
        Head::Map(length) => {
            let mut members = serde_json::Map::new();
            while more(&mut at, length)
                && let Some(name) = plain(reader)
            {
                members.insert(name.as_str().unwrap().to_owned(), plain(reader).unwrap());
            }
            Json::Object(members)
        }
        Head::Break => return None,
        other => panic!("no answer has {other:?}"),
    })
}

/// Every number as a float, as [`plain`] has it.
fn floats(json: Json) -> Json {
    match json {
        Json::Number(number) => json!(number.as_f64().unwrap()),
        Json::Array(items) => items.into_iter().map(floats).collect(),
        Json::Object(members) => {
            members.into_iter().map(|(name, value)| (name, floats(value))).collect()
        }
        other => other,
    }
}

pub(super) async fn play(
    world: &World,
    row: &Row,
    call: &Call,
    protocol: Protocol,
) -> (u16, Vec<u8>) {
    let name = row.operation.name();
    let (path, header, body) = match protocol {
        Protocol::Json => {
            let target = format!("AWSFMS_20180101.{name}");
            ("/".to_owned(), ("x-amz-target", target), in_json(&call.input).to_string().into())
        }
        Protocol::Cbor => {
            let mut body = Vec::new();
            in_cbor(&call.input, &mut body);
            let path = format!("/service/AWSFMS_20180101/operation/{name}");
            (path, ("smithy-protocol", "rpc-v2-cbor".to_owned()), body)
        }
    };
    let kind =
        if protocol == Protocol::Json { "application/x-amz-json-1.1" } else { "application/cbor" };
    let request = Request::post(path)
        .header("host", "localhost")
        .header("content-type", kind)
        .header(header.0, header.1)
        .header("authorization", authorization(call.caller, call.region))
        .body(Body::from(body))
        .unwrap();
    let response = world.router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    (status, to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec())
}

/// What a worker finds of one member under an audit, in all worlds alike.
pub(super) fn judge(worlds: &[&World], generator: &mut Generator) {
    worlds.iter().for_each(|world| world.clock.advance(61_000));
    let control = worlds[0].store.control().unwrap();
    let audits = control.policies.values().filter(|record| {
        record.owner == account(ADMIN)
            && record.region == region(REGION)
            && record.document.policy_name.starts_with("audit")
    });
    let ids: Vec<String> = audits.map(|record| record.id.to_string()).collect();
    if ids.is_empty() {
        return;
    }
    let id: String = generator.random.of(&ids);
    for world in worlds {
        world.judge(&id, MEMBER, Found::violators(2));
    }
    let policies = generator.known.texts.entry("policy").or_default();
    (0..4).for_each(|_| keep(policies, id.clone()));
}

#[tokio::test]
async fn ten_thousand_calls_are_answered_alike_in_both_protocols() {
    let seed = 0x5eed_0004;
    println!("seed {seed:#x}");
    let mut generator = Generator::seeded(seed);
    let (left, right) = (World::new().await, World::new().await);
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    let mut of_operation: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for at in 0..CALLS {
        if at % 50 == 49 {
            judge(&[&left, &right], &mut generator);
        }
        let row = &OPERATIONS[at * 11 % OPERATIONS.len()];
        let name = row.operation.name();
        let call = generator.call(row);
        let (status, said) = play(&left, row, &call, Protocol::Json).await;
        let (status_too, said_too) = play(&right, row, &call, Protocol::Cbor).await;
        let place = format!("call {at}, {name} by {}: {}", call.caller, call.input);
        assert_eq!(status, status_too, "{place}");
        let empty = |bytes: &[u8]| bytes.is_empty() || bytes == [0xbf, 0xff];
        let json: Json = match empty(&said) {
            true => json!({}),
            false => serde_json::from_slice(&said).unwrap(),
        };
        let mut cbor = match empty(&said_too) {
            true => json!({}),
            false => plain(&mut Reader::new(&said_too)).unwrap(),
        };
        if status != 200 {
            let kind = cbor["__type"].as_str().unwrap();
            cbor["__type"] = json!(kind.strip_prefix("com.amazonaws.fms#").unwrap());
        }
        assert_eq!(floats(json.clone()), cbor, "{place}");
        let outcome = if status == 200 { "ok" } else { json["__type"].as_str().unwrap() };
        *outcomes.entry(outcome.to_owned()).or_default() += 1;
        of_operation.entry(name).or_default()[usize::from(status != 200)] += 1;
        if status != 200 {
            continue;
        }
        let Some(shape) = row.operation.output_shape() else { continue };
        let read = decode_value(&TABLE, shape, Protocol::Json, &said).unwrap();
        let read_too = decode_value(&TABLE, shape, Protocol::Cbor, &said_too).unwrap();
        assert_eq!(read.to_string(), read_too.to_string(), "{place}");
        generator.heard(row, call, &json, &read);
    }
    println!("{outcomes:?}");
    println!("{of_operation:?}");
    assert!(outcomes["ok"] * 3 >= CALLS, "{outcomes:?}");
    for (name, [ok, refused]) in &of_operation {
        assert!(*ok > 0 && *refused > 0, "{name}: {ok} succeeded, {refused} refused");
    }
    assert_eq!(of_operation.len(), OPERATIONS.len());
}

/// Members that are put and read under one name.
const TABLE_MEMBERS: [&str; 4] = ["Policy", "AppsList", "ProtocolsList", "ResourceSet"];
