use std::io::Write as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::Request;
use palisade_api::own::SPOOLED_IN_MEMORY_MAX;
use palisade_api::{Auth, DELIVERIES_AT_ONCE_MAX};
use palisade_core::ident::ShardId;
use palisade_store::{Inventory, Want};
use serde_json::{Value, json};

use crate::wire::signed_request;
use crate::world::*;

const NAME: &str = "222222222222_Config_eu-west-1_ConfigSnapshot_20260101T000000Z_00000000-0000-4000-8000-000000000000.json.gz";

fn item(account: &str, id: &str) -> Value {
    json!({
        "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": "2025-12-31T23:00:00.000Z",
        "configurationStateId": 1_767_222_000_000u64,
        "awsAccountId": account,
        "configurationItemStatus": "ResourceDiscovered",
        "resourceType": "AWS::EC2::SecurityGroup",
        "resourceId": id,
        "awsRegion": REGION,
        "tags": {},
        "relationships": [],
        "configuration": { "groupId": id, "groupName": id, "vpcId": "vpc-1", "ownerId": account, "ipPermissions": [], "ipPermissionsEgress": [] },
        "supplementaryConfiguration": {},
    })
}

fn snapshot(items: Vec<Value>) -> String {
    json!({ "fileVersion": "1.0", "configSnapshotId": "00000000-0000-4000-8000-000000000000", "configurationItems": items }).to_string()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn deliver(world: &World, body: impl Into<Body>) -> Answer {
    world.own("POST", &format!("/palisade/v1/inventory?name={NAME}"), body).await
}

fn held(world: &World, account_id: &str) -> usize {
    let shard = ShardId { account: account(account_id), region: region(REGION) };
    let loaded = world.store.load(&Want::whole(&shard, &Default::default(), &[])).unwrap();
    loaded.shard.items.values().map(|items| items.len()).sum()
}

impl World {
    #[track_caller]
    fn spool_is_empty(&self) {
        let left: Vec<_> = std::fs::read_dir(self.spool.path()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[tokio::test]
async fn plain_and_gzip_deliveries_are_taken_in_and_told() {
    let world = World::new().await;
    let mut broken = item(MEMBER, "sg-3");
    broken.as_object_mut().unwrap().remove("resourceType");
    let file = snapshot(vec![item(MEMBER, "sg-1"), item(MEMBER, "sg-2"), broken]);
    let answer = deliver(&world, gzip(file.as_bytes())).await.ok();
    assert_eq!(answer["name"], NAME);
    assert_eq!(answer["accepted"], json!({ "AWS::EC2::SecurityGroup": 2 }));
    assert_eq!(answer["missed"], 1, "the one that may be of any type");
    for (member, count) in [("stale", 0), ("deleted", 0), ("ignored", 0), ("strangers", 0)] {
        assert_eq!(answer[member], count, "{member}");
    }
    let quarantined = answer["quarantined"].as_array().unwrap();
    assert_eq!(quarantined.len(), 1);
    assert_eq!(quarantined[0]["index"], 2);
    assert!(!quarantined[0]["reason"].as_str().unwrap().is_empty());
    let again = deliver(&world, file).await.ok();
    assert_eq!((&again["accepted"], &again["stale"]), (&json!({}), &json!(2)), "the same, plain");
    assert_eq!(held(&world, MEMBER), 2);
    // As PowerShell writes what a command prints, packed or not.
    let wide: Vec<u8> = format!("\u{feff}{}", snapshot(vec![item(MEMBER, "sg-4")]))
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let answer = deliver(&world, wide.clone()).await.ok();
    assert_eq!(answer["accepted"], json!({ "AWS::EC2::SecurityGroup": 1 }));
    assert_eq!(deliver(&world, gzip(&wide)).await.ok()["stale"], 1);
    let strange = deliver(&world, snapshot(vec![item(STRANGER, "sg-9")])).await.ok();
    assert_eq!(strange["strangers"], 1);
    world.spool_is_empty();
}

/// It is known by its bytes: neither read nor taken in, and no change that the audit log would tell of.
#[tokio::test]
async fn a_file_that_comes_again_is_not_read_again() {
    let world = World::new().await;
    let read = || async {
        let text = world.own("GET", "/metrics", "").await.text;
        let line = r#"palisade_ingest_stage_seconds_count{stage="parse"} "#;
        let count = text.lines().find_map(|told| told.strip_prefix(line));
        count.unwrap_or_else(|| panic!("{text}")).parse::<u64>().unwrap()
    };
    let file = snapshot(vec![item(MEMBER, "sg-1"), item(MEMBER, "sg-2")]);
    let first = deliver(&world, file.clone()).await.ok();
    assert_eq!((&first["stale"], first.get("repeated")), (&json!(0), None));
    let reads = read().await;
    for _ in 0..3 {
        let again = deliver(&world, file.clone()).await.ok();
        assert_eq!((&again["stale"], &again["repeated"]), (&json!(2), &json!(true)), "{again}");
        assert_eq!((&again["name"], &again["accepted"]), (&json!(NAME), &json!({})));
    }
    assert_eq!(read().await, reads, "three times the same file");
    let events = world.own("GET", "/palisade/v1/audit", "").await.ok();
    let deliveries = events["events"].as_array().unwrap().iter();
    let deliveries = deliveries.filter(|event| event["operation"] == "PostInventory");
    assert_eq!(deliveries.count(), 1, "the first alone changed anything: {events}");

    // Another name tells another moment; and of what is not all told nothing is remembered.
    let other = NAME.replace("20260101", "20260102");
    let path = format!("/palisade/v1/inventory?name={other}");
    assert_eq!(world.own("POST", &path, file.clone()).await.ok().get("repeated"), None);
    let mut broken = item(MEMBER, "sg-3");
    broken.as_object_mut().unwrap().remove("resourceType");
    let broken = snapshot(vec![broken]);
    for _ in 0..2 {
        let told = deliver(&world, broken.clone()).await.ok();
        assert_eq!((told.get("repeated"), &told["missed"]), (None, &json!(1)), "{told}");
    }
    let strangers = snapshot(vec![item("999999999999", "sg-1")]);
    for _ in 0..2 {
        assert_eq!(deliver(&world, strangers.clone()).await.ok()["strangers"], 1);
    }
}

#[tokio::test]
async fn what_was_missed_and_what_is_of_other_services_is_told() {
    let world = World::new().await;
    let post = async |name: &str, body: String| {
        world.own("POST", &format!("/palisade/v1/inventory?name={name}"), body).await.ok()
    };
    let mut bad = item(MEMBER, "sg-1");
    bad.as_object_mut().unwrap().remove("awsAccountId");
    let bad = json!({ "configurationItems": [bad] }).to_string();
    let answer = post("x.json", bad.clone()).await;
    assert_eq!((&answer["nobodys"], &answer["missed"]), (&json!(1), &Value::Null));
    let answer = post("AWSLogs/222222222222/Config/eu-west-1/x.json", bad).await;
    assert_eq!((&answer["nobodys"], &answer["missed"]), (&Value::Null, &json!(1)));
    let gaps = || {
        let shard = ShardId { account: account(MEMBER), region: region(REGION) };
        world
            .store
            .load(&Want::whole(&shard, &Default::default(), &[]))
            .unwrap()
            .shard
            .open_gaps
            .len()
    };
    assert_eq!(gaps(), 1);
    let mended = json!({ "configurationItems": [item(MEMBER, "sg-1")] }).to_string();
    post("x.json", mended).await;
    assert_eq!(gaps(), 0, "it was mended");
    let flows = "version account-id interface-id srcaddr dstaddr\n";
    for body in [r#"{"Records":[{"eventVersion":"1","eventSource":"x"}]}"#, flows] {
        let answer = post("x.json", body.to_owned()).await;
        assert_eq!((&answer["foreign"], &answer["accepted"]), (&json!(true), &json!({})));
    }
}

#[tokio::test]
async fn a_delivery_that_cannot_be_read_to_its_end_leaves_nothing() {
    let world = World::new().await;
    let items: Vec<Value> = (0..200).map(|n| item(MEMBER, &format!("sg-{n}"))).collect();
    let file = snapshot(items);
    let zipped = gzip(file.as_bytes());
    let cases: Vec<(&str, Vec<u8>, u16, &str)> = vec![
        ("cut text", file.as_bytes()[..file.len() / 2].to_vec(), 400, "byte"),
        ("cut gzip", zipped[..zipped.len() / 2].to_vec(), 400, "ends in the middle"),
        ("cut gzip trailer", zipped[..zipped.len() - 4].to_vec(), 400, "ends in the middle"),
        ("a megabyte of brackets", vec![b'['; 1024 * 1024], 400, "cut off"),
        ("a megabyte of braces", b"{\"a\":".repeat(200_000), 400, ""),
        ("no Config file", b"{\"Records\":[]}".to_vec(), 400, "AWS Config"),
        ("no JSON", b"hello".to_vec(), 400, "no JSON"),
        ("nothing", Vec::new(), 400, "empty"),
        ("a bomb", gzip(&vec![b' '; 64 * 1024 * 1024]), 413, "inflates to more than 200 times"),
    ];
    for (what, body, status, fragment) in cases {
        let answer = deliver(&world, body).await;
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert_eq!(answer.status, status, "{what}: {message}");
        assert!(message.contains(fragment), "{what}: {message}");
        assert!(message.contains(NAME), "{what} names the file: {message}");
        assert_eq!(held(&world, MEMBER), 0, "{what}");
    }
    world.spool_is_empty();
}

#[tokio::test]
async fn a_delivery_above_the_size_is_refused() {
    let file = snapshot(vec![item(MEMBER, "sg-1")]);
    for (size_max, status) in [(file.len() + 1, 200), (file.len(), 200), (file.len() - 1, 413)] {
        let world = World::settled(|settings| settings.ingest_size_max = size_max as u64).await;
        let answer = deliver(&world, file.clone()).await;
        assert_eq!(answer.status, status, "{answer:?}");
        if status == 413 {
            assert!(answer.text.contains(&format!("the {size_max} bytes")), "{answer:?}");
            assert_eq!(held(&world, MEMBER), 0);
        }
        world.spool_is_empty();
    }
}

#[tokio::test]
async fn a_delivery_waits_in_memory_up_to_a_size_and_in_a_file_above() {
    let world = World::new().await;
    let padded = |id: &str, size: usize| {
        let mut file = snapshot(vec![item(MEMBER, id)]);
        file.extend(std::iter::repeat_n(' ', size - file.len()));
        file
    };
    let sizes = [-1, 0, 1].map(|more| SPOOLED_IN_MEMORY_MAX.checked_add_signed(more).unwrap());
    for size in sizes {
        deliver(&world, padded(&format!("sg-{size}"), size)).await.ok();
        world.spool_is_empty();
    }
    assert_eq!(held(&world, MEMBER), 3);
    // Where there is no place for files, only the last needs one.
    std::fs::remove_dir(world.spool.path()).unwrap();
    let statuses = sizes.map(|size| (size, padded("sg-again", size)));
    let mut answered = Vec::new();
    for (_, file) in statuses {
        answered.push(deliver(&world, file).await.status);
    }
    assert_eq!(answered, [200, 200, 500]);
}

#[tokio::test]
async fn a_delivery_is_believed_for_the_body_that_was_signed_alone() {
    let world = World::with(|settings| settings.auth = Auth::SigV4 { window_ms: 300_000 });
    for (id, account_id) in [("AKIAOPERATOR", None), ("AKIAMEMBER", Some(MEMBER))] {
        world.keep_key(id, account_id);
    }
    let file = snapshot(vec![item(MEMBER, "sg-1")]);
    let path = format!("/palisade/v1/inventory?name={NAME}");
    let signed = |key: &str| signed_request(&world, key, "POST", &path, &[], &file);
    let (parts, _) = signed("AKIAOPERATOR").into_parts();
    let other = Body::from(snapshot(vec![item(MEMBER, "sg-2")]));
    let answer = world.send(Request::from_parts(parts, other)).await;
    answer.own_refuses(403, "InvalidSignature", "does not match");
    assert_eq!(held(&world, MEMBER), 0);
    world.send(signed("AKIAMEMBER")).await.own_refuses(403, "AccessDenied", "operator");
    world.send(signed("AKIAUNKNOWN")).await.own_refuses(403, "UnrecognizedClient", "");
    world.send(signed("AKIAOPERATOR")).await.ok();
    assert_eq!(held(&world, MEMBER), 1);
    world.spool_is_empty();
}

/// What bodies of deliveries on their way see of each other.
#[derive(Default)]
struct Road {
    /// Bodies that are being read, and the most there ever were at once.
    open: usize,
    most: usize,
    /// Bodies that may end, and those that wait for that.
    released: usize,
    waiting: Vec<std::task::Waker>,
}

/// A body that is a delivery once it may end.
struct Held {
    road: Arc<Mutex<Road>>,
    is_open: bool,
    text: Option<Bytes>,
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        let road = self.road.clone();
        let mut road = road.lock().unwrap();
        if !self.is_open {
            self.is_open = true;
            road.open += 1;
            road.most = road.most.max(road.open);
        }
        if self.text.is_some() && road.released == 0 {
            road.waiting.push(context.waker().clone());
            return Poll::Pending;
        }
        let text = self.text.take();
        match text {
            Some(_) => road.released -= 1,
            None => road.open -= 1,
        }
        Poll::Ready(text.map(|text| Ok(http_body::Frame::data(text))))
    }
}

#[tokio::test]
async fn deliveries_are_taken_in_together_to_the_limit_and_the_others_wait() {
    for count in [DELIVERIES_AT_ONCE_MAX - 1, DELIVERIES_AT_ONCE_MAX, DELIVERIES_AT_ONCE_MAX + 1] {
        let world = World::new().await;
        let road = Arc::new(Mutex::new(Road::default()));
        let sent: Vec<_> = (0..count)
            .map(|at| {
                let (world, road) = (world.copy(), road.clone());
                let text = Bytes::from(snapshot(vec![item(MEMBER, &format!("sg-{at}"))]));
                let body = Held { road, is_open: false, text: Some(text) };
                tokio::spawn(async move { deliver(&world, Body::new(body)).await })
            })
            .collect();
        let together = count.min(DELIVERIES_AT_ONCE_MAX);
        // As many as may are read at once. Then each ends, one after the other.
        while road.lock().unwrap().open < together {
            world.own("GET", "/readyz", Body::empty()).await;
        }
        for _ in 0..count {
            // Time enough for one too many.
            for _ in 0..20 {
                world.own("GET", "/readyz", Body::empty()).await;
            }
            let waiting = {
                let mut road = road.lock().unwrap();
                road.released += 1;
                std::mem::take(&mut road.waiting)
            };
            waiting.into_iter().for_each(std::task::Waker::wake);
        }
        for answer in sent {
            answer.await.unwrap().ok();
        }
        let road = road.lock().unwrap();
        assert_eq!((road.most, road.open), (together, 0), "{count} deliveries");
        assert_eq!(held(&world, MEMBER), count);
    }
}
