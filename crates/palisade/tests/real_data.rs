//! Every published file of real data (`../shared/real-data`, or the folder that
//! `PALISADE_REAL_DATA` names) goes through `POST /palisade/v1/inventory`, as a user would send it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so may what tests share"
)]

#[path = "support/house.rs"]
mod house;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use house::{Answer, House};
use palisade_core::ident::ShardId;
use palisade_core::inventory::DeliveryReader;
use palisade_store::{Inventory, Want};
use serde_json::{Value, json};

/// Every reason for which an item of these files cannot be read, and why that is right.
const EXPLAINED: &[(&str, &str)] = &[
    (
        "`awsAccountId` is missing",
        "a recorded query that did not select the account, or a history response, whose items the \
         recorder stripped of it: whose resource it is nobody can tell",
    ),
    (
        "is not an account id",
        "an example whose publisher blanked the account, a negative test of its own project",
    ),
    (
        "`Not Applicable` is not a Region",
        "an example item whose publisher wrote the availability zone's word into `awsRegion`",
    ),
    (
        "`configurationItemCaptureTime` is not a time: `\"datetime.datetime(",
        "an example item printed by a Python program rather than as JSON",
    ),
];

/// Beyond these the published files have none; other sets of files may.
const EXPLAINED_ELSEWHERE: &[(&str, &str)] = &[
    ("is missing and `configurationStateId`", "a row of a query that selected no time"),
    ("is not a time", "a time that only its writer can read"),
    ("` is missing", "a row of a query that did not select what identifies a resource"),
    ("is not a Region", "an item whose writer put another word there"),
    ("is not a resource", "an item without a type or id that AWS would give"),
    ("not valid JSON", "a message or an item that is text and no JSON"),
    ("not UTF-8", "an item in another encoding"),
    ("the message is text without", "a message of prose"),
    ("neither an object nor a list", "a message of prose"),
    ("null is no item", "an empty place in a list"),
    ("an empty row", "an empty place in a list"),
    ("`configuration", "a body that does not say what its type is judged by, or a made-up status"),
    ("`ipPermissions", "a rule that AWS would not take"),
    ("`tags`", "tags that are no tags"),
    ("invalid type", "a member of another type than AWS gives it"),
];

/// Per folder: files, refused, and of the others' items: accepted, stale, deleted, ignored,
/// quarantined. Each file into a store of its own, so that none hides another's items.
const PINNED: &[(&str, [u64; 7])] = &[
    ("assembled", [25, 0, 77, 3, 18, 0, 0]),
    ("aws-api", [209, 209, 0, 0, 0, 0, 0]),
    ("aws-cli", [16, 16, 0, 0, 0, 0, 0]),
    ("config-api", [21, 4, 9, 1, 0, 0, 12]),
    ("config-item", [63, 1, 60, 0, 0, 0, 2]),
    ("config-notification", [58, 0, 56, 3, 20, 2, 1]),
    ("config-schema", [37, 37, 0, 0, 0, 0, 0]),
    ("fms-policy", [2, 2, 0, 0, 0, 0, 0]),
];

fn folder() -> Option<PathBuf> {
    palisade_testkit::outside_data("PALISADE_REAL_DATA", "real-data")
}

/// Names and bytes of all JSON files, plain or gzip, ascending.
fn files() -> Option<Vec<(String, Vec<u8>)>> {
    let folder = folder()?;
    let mut paths = Vec::new();
    below(&folder, &mut paths);
    paths.sort();
    let shown = |path: &PathBuf| path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
    Some(paths.iter().map(|path| (shown(path), fs::read(path).unwrap())).collect())
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_str().unwrap();
        if path.is_dir() {
            below(&path, found);
        } else if name.ends_with(".json") || name.ends_with(".json.gz") {
            found.push(path);
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn sum(answer: &Value, member: &str) -> u64 {
    match &answer[member] {
        Value::Object(by_type) => by_type.values().map(|count| count.as_u64().unwrap()).sum(),
        Value::Array(list) => list.len() as u64,
        count => count.as_u64().unwrap(),
    }
}

/// What an answer counts.
const COUNTED: [&str; 5] = ["accepted", "stale", "deleted", "ignored", "quarantined"];

fn counted(answer: &Answer) -> u64 {
    COUNTED.iter().map(|member| sum(&answer.json(), member)).sum()
}

/// Shows what became of a file and adds it to its folder's counts.
fn tell(shown: &str, answer: &Answer, counts: &mut BTreeMap<String, [u64; 7]>) {
    let count = counts.entry(shown.split('/').next().unwrap().to_owned()).or_default();
    count[0] += 1;
    if answer.status != 200 {
        let body = answer.json();
        assert_eq!((answer.status, &body["error"]["code"]), (400, &json!("InvalidDelivery")));
        let message = body["error"]["message"].as_str().unwrap();
        println!("{shown}: refused: {message}");
        assert!(message.contains(shown.rsplit('/').next().unwrap()), "{message}");
        count[1] += 1;
        return;
    }
    let body = answer.json();
    let said: Vec<String> =
        COUNTED.iter().map(|member| format!("{} {member}", sum(&body, member))).collect();
    println!("{shown}: {}", said.join(", "));
    for (at, member) in COUNTED.iter().enumerate() {
        count[at + 2] += sum(&body, member);
    }
    for bad in body["quarantined"].as_array().unwrap() {
        println!("    {bad}\n        {}", explanation(bad["reason"].as_str().unwrap()));
    }
}

fn explanation(reason: &str) -> &'static str {
    let elsewhere: &[_] =
        if std::env::var_os("PALISADE_REAL_DATA").is_some() { EXPLAINED_ELSEWHERE } else { &[] };
    let known = EXPLAINED.iter().chain(elsewhere).find(|(words, _)| reason.contains(words));
    known.unwrap_or_else(|| panic!("nobody explained `{reason}`")).1
}

#[test]
fn real_data_every_file_is_taken_in_or_refused_and_explained() {
    let Some(files) = files() else { return };
    let mut counts = BTreeMap::new();
    for (shown, bytes) in &files {
        let name = shown.rsplit('/').next().unwrap();
        let answer = House::open().ingest(name, bytes);
        let empty = bytes.windows(2).any(|pair| pair == b"[]");
        assert!(empty || answer.status != 200 || counted(&answer) > 0, "{shown}: nothing in it");
        tell(shown, &answer, &mut counts);
        if !name.ends_with(".gz") {
            let packed = House::open().ingest(name, &gzip(bytes));
            assert_eq!(answer, packed, "{shown}: gzip makes no difference");
        }
    }
    println!("folder: files, refused; accepted, stale, deleted, ignored, quarantined");
    for (folder, count) in &counts {
        println!("{folder}: {count:?}");
    }
    if std::env::var_os("PALISADE_REAL_DATA").is_none() {
        let pinned = PINNED.iter().map(|(folder, count)| ((*folder).to_owned(), *count));
        assert_eq!(counts, pinned.collect());
    }
}

/// The recordings of other services' answers, property lists and policies hold no configuration
/// item (formats §8).
#[test]
fn real_data_without_configuration_items_is_refused() {
    let Some(files) = files() else { return };
    let house = House::open();
    let kinds = ["aws-api/", "aws-cli/", "config-schema/", "fms-policy/"];
    let mut refused = 0;
    for (shown, bytes) in &files {
        if !kinds.iter().any(|kind| shown.starts_with(kind)) {
            continue;
        }
        let name = shown.rsplit('/').next().unwrap();
        let answer = house.ingest(name, bytes);
        assert_eq!(answer.status, 400, "{shown}: {answer:?}");
        assert!(answer.text.contains("no configuration items in it"), "{shown}: {answer:?}");
        refused += 1;
    }
    println!("{refused} files without configuration items, each refused");
    assert_eq!(held(&house, &files), "", "nothing of a refused file is kept");
}

/// All that a store holds of the shards that the files speak of.
fn held(house: &House, files: &[(String, Vec<u8>)]) -> String {
    let mut shards: BTreeSet<ShardId> = BTreeSet::new();
    for (shown, bytes) in files {
        let mut reader = DeliveryReader::new(shown);
        if reader.push(bytes).is_err() {
            continue;
        }
        let Ok(delivery) = reader.finish() else { continue };
        shards.extend(delivery.observations.iter().map(|seen| seen.item.key.shard()));
    }
    let mut text = String::new();
    for shard in shards {
        let loaded = house.store.load(&Want::whole(&shard, &BTreeSet::new(), &[])).unwrap();
        if !loaded.shard.is_unheard_of() {
            text.push_str(&format!("{:?}\n", loaded.shard));
        }
    }
    text
}

/// Histories, notifications and snapshots of the same resources, taken in together.
#[test]
fn real_data_in_any_order_and_twice_is_held_the_same() {
    let Some(mut files) = files() else { return };
    files.retain(|(shown, _)| shown.starts_with("assembled/") || shown.starts_with("config-"));
    let mut dice = palisade_testkit::Rng::with_seed(7);
    let mut first: Option<String> = None;
    for order in 0..5 {
        let house = House::open();
        for (shown, bytes) in &files {
            house.ingest(shown.rsplit('/').next().unwrap(), bytes);
        }
        for (shown, bytes) in &files {
            let again = house.ingest(shown.rsplit('/').next().unwrap(), bytes);
            if again.status == 200 {
                let again = again.json();
                let news = (sum(&again, "accepted"), sum(&again, "deleted"));
                assert_eq!(news, (0, 0), "{shown} a second time: {again}");
            }
        }
        let held = held(&house, &files);
        assert!(held.lines().count() > 10, "{held}");
        match &first {
            Some(first) => assert_eq!(*first, held, "order {order}"),
            None => first = Some(held),
        }
        dice.shuffle(&mut files);
    }
}
