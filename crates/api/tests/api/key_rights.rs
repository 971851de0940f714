//! What a key is called, how long it is good for, and what its holder may do.

use palisade_api::keys::{KEY_LASTS_MS_MAX, KEY_NAME_LEN_MAX};
use palisade_api::operations::{Effect, OPERATIONS};
use palisade_api::own::moment;
use serde_json::{Value, json};

use crate::keys::{Held, KEYS, signed_world};
use crate::world::*;

const EXPIRED: &str = "The security token included in the request is expired";
/// What a reader is told where it would change something.
const READER: &str = "is a reader's";

/// What `palisade keys` and pages are told of a key.
async fn shown(world: &World, by: &Held, id: &str) -> Value {
    let listed = world.listed(by).await;
    listed.into_iter().find(|key| key["AccessKeyId"] == id).unwrap()
}

async fn fms(world: &World, by: &Held, operation: &str, input: &str) -> Answer {
    let target = format!("AWSFMS_20180101.{operation}");
    let headers =
        [("x-amz-target", target.as_str()), ("content-type", "application/x-amz-json-1.1")];
    world.signed_with(by, "POST", "/", &headers, input).await
}

#[tokio::test]
async fn a_key_has_a_name_that_the_audit_log_tells() {
    let (world, operator) = signed_world();
    let ci = world.made(&operator, json!({ "operator": true, "name": "ci-pipeline" })).await;
    assert_eq!(shown(&world, &operator, &ci.id).await["Name"], "ci-pipeline");
    world.signed(&ci, "POST", "/palisade/v1/evaluate", "").await.ok();
    let rotated = world.signed(&ci, "POST", &format!("{KEYS}/{}/rotate", ci.id), "").await.ok();
    assert_eq!(rotated["Name"], "ci-pipeline", "whoever takes its place is called the same");
    world.signed(&operator, "DELETE", &format!("{KEYS}/{}", ci.id), "").await.ok();
    let log = world.signed(&operator, "GET", "/palisade/v1/audit", "").await.ok();
    let events = log["events"].as_array().unwrap();
    let of = |operation: &str| events.iter().find(|event| event["operation"] == operation).unwrap();
    assert_eq!(of("Evaluate")["keyName"], "ci-pipeline", "though the key is gone");
    assert_eq!(of("RotateKey")["keyName"], "ci-pipeline");
    assert_eq!(of("CreateKey")["keyName"], Value::Null, "the operator's key has none");
    assert_eq!(of("CreateKey")["changes"][0]["after"]["name"], "ci-pipeline");
    assert_eq!(of("DeleteKey")["changes"][0]["before"]["name"], "ci-pipeline");
}

#[tokio::test]
async fn names_are_one_line_of_some_length() {
    let world = World::empty();
    let make = async |name: &str| {
        world.own("POST", KEYS, json!({ "operator": true, "name": name }).to_string()).await
    };
    for name in ["x", "Prüfer Ä 监", &"n".repeat(KEY_NAME_LEN_MAX)] {
        assert_eq!(make(name).await.ok()["Name"], name);
    }
    for name in ["", "  ", "two\nlines", "hid\u{200b}den", &"n".repeat(KEY_NAME_LEN_MAX + 1)] {
        make(name).await.own_refuses(400, "InvalidInput", "name of a key");
    }
}

#[tokio::test]
async fn a_key_is_good_until_its_second_comes_and_not_in_it() {
    let (world, operator) = signed_world();
    let ends = json!({ "account": MEMBER, "expires": "2026-01-01T00:01:00Z" });
    let key = world.made(&operator, ends).await;
    let told = shown(&world, &operator, &key.id).await;
    assert_eq!(
        (&told["Expires"], &told["Status"]),
        (&json!("2026-01-01T00:01:00Z"), &json!("Active"))
    );
    world.clock.advance(59_999);
    assert!(world.believes(&key).await, "a millisecond before");
    world.clock.advance(1);
    let path = "/palisade/v1/work";
    world.signed(&key, "GET", path, "").await.own_refuses(403, "ExpiredToken", EXPIRED);
    fms(&world, &key, "ListPolicies", "{}").await.refuses("ExpiredTokenException", EXPIRED);
    assert_eq!(shown(&world, &operator, &key.id).await["Status"], "Expired");
    // Whoever does not know the secret is not told that there was such a key.
    let stranger = Held { secret: "wrong".to_owned(), ..key.clone() };
    world.signed(&stranger, "GET", path, "").await.own_refuses(403, "InvalidSignature", "");
    // Enabling brings no time back.
    world.set(&operator, &key.id, "Inactive").await.ok();
    assert_eq!(world.set(&operator, &key.id, "Active").await.ok()["Status"], "Expired");
    world.signed(&key, "GET", path, "").await.own_refuses(403, "ExpiredToken", EXPIRED);
    // The next one lasts as long as this one did, from now on, or as long as is said.
    let rotate = format!("{KEYS}/{}/rotate", key.id);
    let next = world.signed(&operator, "POST", &rotate, "").await.ok();
    assert_eq!(next["Expires"], "2026-01-01T00:02:00Z");
    assert!(world.believes(&Held::of(&next)).await);
    let next_id = next["AccessKeyId"].as_str().unwrap();
    world.signed(&operator, "DELETE", &format!("{KEYS}/{next_id}"), "").await.ok();
    let until = json!({ "expires": "2026-01-01T09:00:00+01:00" }).to_string();
    let next = world.signed(&operator, "POST", &rotate, &until).await.ok();
    assert_eq!(next["Expires"], "2026-01-01T08:00:00Z");
}

#[tokio::test]
async fn a_key_ends_between_now_and_ten_years() {
    let (world, operator) = signed_world();
    let make = async |ms: i64| {
        let expires = moment(world.clock.now() + ms);
        let asked = json!({ "account": MEMBER, "expires": expires }).to_string();
        world.signed(&operator, "POST", KEYS, &asked).await
    };
    for ms in [1, KEY_LASTS_MS_MAX] {
        make(ms).await.ok();
    }
    for ms in [-1, 0, KEY_LASTS_MS_MAX + 1] {
        make(ms).await.own_refuses(400, "InvalidInput", "3650 days");
    }
    let asked = json!({ "account": MEMBER, "expires": "soon" }).to_string();
    world.signed(&operator, "POST", KEYS, &asked).await.own_refuses(400, "InvalidInput", "soon");
}

#[tokio::test]
async fn a_key_of_an_account_outside_the_organization_is_warned_of() {
    let world = World::organized().await;
    let make =
        async |world: &World, what: Value| world.own("POST", KEYS, what.to_string()).await.ok();
    let stranger = json!({ "account": "999999999999" });
    let warning = make(&world, stranger.clone()).await["Warning"].clone();
    assert!(warning.as_str().unwrap().contains("`999999999999` is not in the organization"));
    for known in [json!({ "account": MEMBER }), json!({ "operator": true })] {
        assert_eq!(make(&world, known).await["Warning"], Value::Null);
    }
    assert_eq!(make(&World::empty(), stranger).await["Warning"], Value::Null, "nobody knows yet");
}

#[tokio::test]
async fn a_reader_calls_what_reads_and_nothing_else() {
    let (world, operator) = signed_world();
    world
        .signed(&operator, "PUT", "/palisade/v1/organization", &organization().to_string())
        .await
        .ok();
    let admin = json!({ "AdminAccount": ADMIN }).to_string();
    fms(&world, &operator, "AssociateAdminAccount", &admin).await.ok();
    let of = |account: &str| json!({ "account": account, "role": "reader" });
    let readers = [
        world.made(&operator, json!({ "operator": true, "role": "reader" })).await,
        world.made(&operator, of(ADMIN)).await,
        world.made(&operator, of(MEMBER)).await,
    ];
    let full = [
        operator.clone(),
        world.made(&operator, json!({ "account": ADMIN })).await,
        world.made(&operator, json!({ "account": MEMBER })).await,
    ];
    let before = events(&world);
    for row in OPERATIONS {
        let name = row.operation.name();
        for (reader, full) in readers.iter().zip(&full) {
            let answer = fms(&world, reader, name, "{}").await;
            match row.effect {
                Effect::Writes => answer.refuses("AccessDeniedException", READER),
                Effect::Reads => {
                    let told = fms(&world, full, name, "{}").await;
                    assert_eq!((answer.status, &answer.text), (told.status, &told.text), "{name}");
                }
            }
        }
    }
    assert_eq!(events(&world), before, "nothing was changed");
}

/// The number of events in the audit log.
fn events(world: &World) -> usize {
    use palisade_store::AuditLog as _;
    world.store.audit(&Default::default(), 10_000).unwrap().len()
}

/// Endpoints that change nothing, though they are not got.
const READING: [(&str, &str); 2] =
    [("post", "/palisade/v1/preview"), ("post", "/palisade/v1/dashboard")];

/// Walks the document, so that an endpoint which is added is refused or listed above.
#[tokio::test]
async fn a_reader_asks_endpoints_that_read_and_no_others() {
    let (world, operator) = signed_world();
    world
        .signed(&operator, "PUT", "/palisade/v1/organization", &organization().to_string())
        .await
        .ok();
    let reader = world.made(&operator, json!({ "operator": true, "role": "reader" })).await;
    let member = world.made(&operator, json!({ "account": MEMBER, "role": "reader" })).await;
    let document = world.own("GET", "/palisade/v1/openapi.json", String::new()).await.ok();
    let before = events(&world);
    let (mut read, mut refused) = (0, 0);
    for (path, methods) in document["paths"].as_object().unwrap() {
        let called = path.replace("{policy}", "p").replace("{account}", MEMBER);
        let called = called.replace("{key}", &operator.id).replace("{waiver}", "w");
        assert!(!called.contains('{'), "{called}");
        for method in methods.as_object().unwrap().keys() {
            let verb = method.to_uppercase();
            let answer = world.signed(&reader, &verb, &called, "{}").await;
            let of_member = world.signed(&member, &verb, &called, "{}").await;
            if method == "get" || READING.contains(&(method, path)) {
                assert!(!answer.text.contains(READER), "{verb} {path}: {answer:?}");
                if method == "get" {
                    let full = world.signed(&operator, &verb, &called, "{}").await;
                    assert_eq!(answer.status, full.status, "{path}");
                }
                read += 1;
            } else {
                answer.own_refuses(403, "AccessDenied", READER);
                assert_eq!(of_member.status, 403, "{verb} {path}: {of_member:?}");
                refused += 1;
            }
        }
    }
    assert!(read > 15 && refused > 8, "{read} {refused}");
    assert_eq!(events(&world), before, "nothing was changed");
    assert!(world.believes(&operator).await);
}
