//! Access keys through the operator's endpoint: made, rotated, disabled, deleted, watched; and what
//! a signed call hears of it.

use std::sync::Arc;

use palisade_api::Auth;
use palisade_api::vault::Vault;
use palisade_store::{AuditFilter, AuditLog, KeyChange, Keys, StoredSecret};
use palisade_wire::sigv4::{Payload, RequestParts, Secret, Signer, sign};
use serde_json::{Value, json};

use crate::world::*;

pub const KEYS: &str = "/palisade/v1/keys";
const DISABLED: &str = "The security token included in the request is invalid.";

/// A key as its owner holds it.
#[derive(Clone)]
pub struct Held {
    pub id: String,
    pub secret: String,
}

impl Held {
    pub fn of(made: &Value) -> Held {
        let text = |member: &str| made[member].as_str().unwrap().to_owned();
        Held { id: text("AccessKeyId"), secret: text("SecretAccessKey") }
    }
}

/// A server that checks signatures, with an operator's key.
pub fn signed_world() -> (World, Held) {
    let world = World::with(|settings| settings.auth = Auth::SigV4 { window_ms: 300_000 });
    world.keep_key("AKIAOPERATOR", None);
    let operator =
        Held { id: "AKIAOPERATOR".to_owned(), secret: "secret of AKIAOPERATOR".to_owned() };
    (world, operator)
}

impl World {
    pub async fn signed(&self, key: &Held, method: &str, path: &str, body: &str) -> Answer {
        self.signed_with(key, method, path, &[], body).await
    }

    pub async fn signed_with(
        &self,
        key: &Held,
        method: &str,
        path: &str,
        more: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut headers: Vec<(String, String)> = vec![("host".into(), "localhost".into())];
        headers.extend(more.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let signer = Signer {
            access_key_id: &key.id,
            secret: &Secret::new(key.secret.as_str()),
            session_token: None,
            region: HOME,
            service: "fms",
            now_ms: self.clock.now(),
        };
        let payload = Payload::Bytes(body.as_bytes());
        let (path_only, query) = path.split_once('?').unwrap_or((path, ""));
        let parts = RequestParts { method, path: path_only, query, headers: &headers, payload };
        headers.extend(sign(&signer, &parts));
        let mut request = axum::http::Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        self.send(request.body(body.to_owned().into()).unwrap()).await
    }

    pub async fn made(&self, by: &Held, what: Value) -> Held {
        Held::of(&self.signed(by, "POST", KEYS, &what.to_string()).await.ok())
    }

    pub async fn set(&self, by: &Held, id: &str, status: &str) -> Answer {
        let body = json!({ "Status": status }).to_string();
        self.signed(by, "PATCH", &format!("{KEYS}/{id}"), &body).await
    }

    /// Whether a key is believed: an account's key that is believed is told that this is not for it.
    pub async fn believes(&self, key: &Held) -> bool {
        let answer = self.signed(key, "GET", "/palisade/v1/work", "").await;
        match (answer.status, answer.text.contains(DISABLED)) {
            (200, _) => true,
            (403, true) => {
                answer.own_refuses(403, "UnrecognizedClient", DISABLED);
                false
            }
            (403, false) => {
                answer.own_refuses(403, "AccessDenied", "operator");
                true
            }
            _ => panic!("{answer:?}"),
        }
    }

    pub async fn listed(&self, by: &Held) -> Vec<Value> {
        self.signed(by, "GET", KEYS, "").await.ok()["keys"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn a_disabled_key_is_refused_at_once_by_every_server_as_aws_does() {
    let (world, operator) = signed_world();
    let twin = world.twin_with(|settings| settings.auth = world.app.settings.auth);
    let key = world.made(&operator, json!({ "account": MEMBER })).await;
    let call = async |server: &World| server.believes(&key).await;
    assert!(call(&world).await && call(&twin).await);
    let answer = world.set(&operator, &key.id, "Inactive").await.ok();
    assert_eq!((&answer["AccessKeyId"], &answer["Status"]), (&json!(key.id), &json!("Inactive")));
    assert!(!call(&world).await && !call(&twin).await);
    twin.set(&operator, &key.id, "Active").await.ok();
    assert!(call(&world).await && call(&twin).await);
    let path = format!("{KEYS}/{}", key.id);
    world.signed(&operator, "DELETE", &path, "").await.ok();
    assert!(!call(&world).await && !call(&twin).await);
    world.signed(&operator, "DELETE", &path, "").await.own_refuses(404, "NotFound", &key.id);
}

#[tokio::test]
async fn a_disabled_key_gets_awss_exception_from_awss_operations() {
    let (world, operator) = signed_world();
    let key = world.made(&operator, json!({ "account": MEMBER })).await;
    world.set(&operator, &key.id, "Inactive").await.ok();
    let headers = [
        ("x-amz-target", "AWSFMS_20180101.ListPolicies".to_owned()),
        ("content-type", "application/x-amz-json-1.1".to_owned()),
    ];
    world.keep_key("AKIAMEMBER", Some(MEMBER));
    let call = || crate::wire::signed_request(&world, "AKIAMEMBER", "POST", "/", &headers, "{}");
    world.send(call()).await.refuses("AccessDeniedException", "");
    world.set(&operator, "AKIAMEMBER", "Inactive").await.ok();
    world.send(call()).await.refuses("UnrecognizedClientException", DISABLED);
}

#[tokio::test]
async fn a_rotated_key_works_beside_the_old_one_until_that_is_disabled() {
    let (world, operator) = signed_world();
    let old = world.made(&operator, json!({ "account": MEMBER })).await;
    let rotate = async |key: &Held| {
        world.signed(&operator, "POST", &format!("{KEYS}/{}/rotate", key.id), "").await
    };
    let made = rotate(&old).await.ok();
    let new = Held::of(&made);
    assert_eq!((&made["Account"], &made["Replaces"]), (&json!(MEMBER), &json!(old.id)));
    assert_ne!((&new.id, &new.secret), (&old.id, &old.secret));
    assert!(world.believes(&old).await && world.believes(&new).await);
    // Two of one rotation, as an IAM user's two keys: whichever is left can be rotated again.
    for key in [&old, &new] {
        let other = if key.id == old.id { &new.id } else { &old.id };
        rotate(key).await.own_refuses(409, "LimitExceeded", other);
    }
    world.set(&operator, &old.id, "Inactive").await.ok();
    assert!(!world.believes(&old).await && world.believes(&new).await);
    rotate(&new).await.own_refuses(409, "LimitExceeded", &old.id);
    world.signed(&operator, "DELETE", &format!("{KEYS}/{}", old.id), "").await.ok();
    let newest = Held::of(&rotate(&new).await.ok());
    assert!(world.believes(&newest).await);
    world.signed(&operator, "DELETE", &format!("{KEYS}/{}", newest.id), "").await.ok();
    rotate(&new).await.ok();
    let absent = Held { id: "AKIANONE".to_owned(), ..new };
    rotate(&absent).await.own_refuses(404, "NotFound", "AKIANONE");
}

#[tokio::test]
async fn the_last_operator_key_stays() {
    let (world, operator) = signed_world();
    let delete =
        async |by: &Held, id: &str| world.signed(by, "DELETE", &format!("{KEYS}/{id}"), "").await;
    world.set(&operator, &operator.id, "Inactive").await.own_refuses(
        409,
        "LastOperatorKey",
        &operator.id,
    );
    delete(&operator, &operator.id).await.own_refuses(409, "LastOperatorKey", "another");
    let second = world.made(&operator, json!({ "operator": true })).await;
    world.set(&operator, &second.id, "Inactive").await.ok();
    delete(&operator, &operator.id).await.own_refuses(409, "LastOperatorKey", &operator.id);
    delete(&operator, &second.id).await.ok();
    let third = world.made(&operator, json!({ "operator": true })).await;
    world.set(&third, &operator.id, "Inactive").await.ok();
    assert!(!world.believes(&operator).await && world.believes(&third).await);
    delete(&third, &third.id).await.own_refuses(409, "LastOperatorKey", "?confirm=true");
    // Neither a reader nor a key whose time is over operates anything.
    let reader = json!({ "operator": true, "role": "reader" });
    world.made(&third, reader).await;
    let short = json!({ "operator": true, "expires": "2026-01-01T00:00:10Z" });
    world.made(&third, short).await;
    world.clock.advance(10_000);
    delete(&third, &third.id).await.own_refuses(409, "LastOperatorKey", &third.id);
    let confirmed = |id: &str| format!("{KEYS}/{id}?confirm=true");
    let inactive = json!({ "Status": "Inactive" }).to_string();
    world.signed(&third, "PATCH", &confirmed(&third.id), &inactive).await.ok();
    assert!(!world.believes(&third).await, "whoever confirms it is left outside");
    let open = world.twin();
    open.own("PATCH", &format!("{KEYS}/{}", third.id), json!({ "Status": "Active" }).to_string())
        .await
        .ok();
    world.signed(&third, "DELETE", &confirmed(&third.id), "").await.ok();
    assert!(!world.believes(&third).await);
}

#[tokio::test]
async fn last_uses_are_seen_at_once_and_written_together() {
    let (world, operator) = signed_world();
    let key = world.made(&operator, json!({ "account": MEMBER })).await;
    let used = async |id: &str| {
        let listed = world.listed(&operator).await;
        listed.into_iter().find(|key| key["AccessKeyId"] == id).unwrap()["LastUsed"].clone()
    };
    assert_eq!(used(&key.id).await, Value::Null, "never");
    world.clock.advance(30_000);
    for _ in 0..50 {
        assert!(world.believes(&key).await);
    }
    assert_eq!(used(&key.id).await, "2026-01-01T00:00:30Z");
    let stored = || world.store.key(&key.id).unwrap().unwrap().last_used_ms;
    assert_eq!(stored(), None, "a call writes nothing");
    assert_eq!(world.app.write_uses().unwrap(), 2);
    assert_eq!(stored(), Some(NOW_MS + 30_000));
    assert_eq!(world.app.write_uses().unwrap(), 0, "nobody called in between");
    // A call that is not believed is no use.
    world.clock.advance(30_000);
    let wrong = Held { secret: "wrong".to_owned(), ..key.clone() };
    world.signed(&wrong, "GET", "/palisade/v1/work", "").await.own_refuses(
        403,
        "InvalidSignature",
        "",
    );
    assert_eq!(used(&key.id).await, "2026-01-01T00:00:30Z");
}

#[tokio::test]
async fn secrets_are_sealed_in_the_store_and_told_once() {
    let (world, operator) = signed_world();
    let key = world.made(&operator, json!({ "operator": true })).await;
    let kept = world.store.key(&key.id).unwrap().unwrap();
    let StoredSecret::Sealed { under, text } = &kept.secret else { panic!("in the clear") };
    assert_eq!(under, Vault::new(&SEALING_KEY).id());
    assert!(!text.contains(&key.secret));
    let listed = world.signed(&operator, "GET", KEYS, "").await.text;
    let audit = world.signed(&operator, "GET", "/palisade/v1/audit", "").await.text;
    let log = format!("{:?}", world.store.audit(&AuditFilter::default(), 99).unwrap());
    for told in [listed, audit, log] {
        assert!(told.contains(&key.id), "{told}");
        assert!(!told.contains(&key.secret) && !told.contains(text.as_str()), "{told}");
    }
}

#[tokio::test]
async fn a_server_with_another_sealing_key_lets_nobody_in() {
    let (world, operator) = signed_world();
    for vault in [Some(Arc::new(Vault::new(&[1; 32]))), None] {
        let other = world.twin_with(|settings| {
            settings.auth = world.app.settings.auth;
            settings.vault = vault;
        });
        let answer = other.signed(&operator, "GET", "/palisade/v1/work", "").await;
        answer.own_refuses(500, "InternalError", "the server failed to answer");
    }
    let keyless = World::with(|settings| settings.vault = None);
    let answer = keyless.own("POST", KEYS, json!({ "operator": true }).to_string()).await;
    answer.own_refuses(503, "NoSealingKey", "--key-file");
}

#[tokio::test]
async fn no_key_is_made_under_a_sealing_key_that_is_not_the_stores() {
    let (world, operator) = signed_world();
    let before = world.store.keys().unwrap();
    let other = world.twin_with(|settings| settings.vault = Some(Arc::new(Vault::new(&[1; 32]))));
    let rotate = format!("{KEYS}/{}/rotate", operator.id);
    let create = json!({ "operator": true }).to_string();
    let remembers = KeyChange::SealUnder(Vault::new(&SEALING_KEY).id().to_owned());
    let event = palisade_api::audit::Actor::local(String::new(), 1).event("SealKeys", Vec::new());
    // By the secrets that are there, by what the store remembers, and by that alone.
    for changes in [vec![], vec![remembers], vec![KeyChange::Remove(operator.id.clone())]] {
        if !changes.is_empty() {
            let revision = world.store.keys_revision().unwrap();
            world.store.commit_keys(revision, &changes, &event).unwrap();
        }
        let there = world.store.keys().unwrap();
        let answer = other.own("POST", KEYS, create.clone()).await;
        answer.own_refuses(409, "OtherSealingKey", "--forget-lost");
        if there == before {
            let answer = other.own("POST", &rotate, String::new()).await;
            answer.own_refuses(409, "OtherSealingKey", "were sealed under key");
        }
        assert_eq!(world.store.keys().unwrap(), there);
    }
    assert_eq!(world.store.keys().unwrap(), []);
    let operators = world.twin().own("GET", KEYS, String::new()).await.ok();
    assert_eq!(operators["keys"], json!([]));
    world.twin().own("POST", KEYS, create).await.ok();
}

#[tokio::test]
async fn a_key_is_made_for_12_digits_alone() {
    let world = World::empty();
    for id in ["1", "11112222333", "1111222233334"] {
        let answer = world.own("POST", KEYS, json!({ "account": id }).to_string()).await;
        answer.own_refuses(400, "InvalidInput", "12 digits");
    }
    assert_eq!(world.store.keys().unwrap(), []);
}

#[tokio::test]
async fn what_a_key_becomes_is_one_of_two() {
    let (world, operator) = signed_world();
    for bad in ["", "{}", "{\"Status\":\"Deleted\"}", "{\"Status\":\"Active\",\"x\":1}"] {
        let answer =
            world.signed(&operator, "PATCH", &format!("{KEYS}/{}", operator.id), bad).await;
        answer.own_refuses(400, "InvalidInput", "body");
    }
    world.set(&operator, "AKIANONE", "Active").await.own_refuses(404, "NotFound", "AKIANONE");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_operators_that_disable_each_other_do_not_both_succeed() {
    for _ in 0..20 {
        let (world, one) = signed_world();
        let twin = world.twin_with(|settings| settings.auth = world.app.settings.auth);
        let two = world.made(&one, json!({ "operator": true })).await;
        let (a, b) = tokio::join!(
            world.set(&one, &two.id, "Inactive"),
            twin.set(&two, &one.id, "Inactive"),
        );
        let believed = [world.believes(&one).await, world.believes(&two).await];
        assert_eq!(believed.into_iter().filter(|yes| *yes).count(), 1, "{a:?} {b:?}");
    }
}
