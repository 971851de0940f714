//! Quotas of one account or organization, each at its limit, under it and over it.

use palisade_core::policy::Quotas;
use serde_json::{Value, json};

use crate::world::*;

fn numbered(n: usize, entry: impl Fn(usize) -> Value) -> Vec<Value> {
    (0..n).map(entry).collect()
}

fn tag(n: usize) -> Value {
    json!({ "Key": format!("k{n}"), "Value": "v" })
}

fn app(n: usize) -> Value {
    json!({ "AppName": format!("a{n}"), "Protocol": "tcp", "Port": n })
}

fn apps(count: usize) -> Value {
    json!({ "AppsList": { "ListName": "web", "AppsList": numbered(count, app) } })
}

fn protocols(count: usize) -> Value {
    let names = numbered(count, |n| json!((n + 20).to_string()));
    json!({ "ProtocolsList": { "ListName": "p", "ProtocolsList": names } })
}

fn policy(member: &str, value: Value) -> Value {
    let mut policy = audit("one");
    policy[member] = value;
    json!({ "Policy": policy })
}

#[tokio::test]
async fn what_one_request_may_hold_has_a_quota() {
    type Case = (&'static str, fn(&mut Quotas), fn(usize) -> (&'static str, Value));
    let cases: [Case; 7] = [
        (
            "scope tags",
            |q| q.scope_tags_max = 3,
            |n| ("PutPolicy", policy("ResourceTags", json!(numbered(n, tag)))),
        ),
        (
            "accounts named",
            |q| q.accounts_named_max = Some(3),
            |n| {
                let named = [MANAGEMENT, ADMIN, MEMBER, OTHER];
                ("PutPolicy", policy("IncludeMap", json!({ "ACCOUNT": named[..n] })))
            },
        ),
        (
            "tags of a policy",
            |q| q.object_tags_max = 3,
            |n| {
                let mut input = policy("PolicyName", json!("one"));
                input["TagList"] = json!(numbered(n, tag));
                ("PutPolicy", input)
            },
        ),
        (
            "tags of a list",
            |q| q.object_tags_max = 3,
            |n| {
                let mut input = apps(1);
                input["TagList"] = json!(numbered(n, tag));
                ("PutAppsList", input)
            },
        ),
        (
            "tags of a set",
            |q| q.object_tags_max = 3,
            |n| {
                let set =
                    json!({ "Name": "s", "ResourceTypeList": ["AWS::NetworkFirewall::Firewall"] });
                ("PutResourceSet", json!({ "ResourceSet": set, "TagList": numbered(n, tag) }))
            },
        ),
        ("apps per list", |q| q.apps_per_list_max = 3, |n| ("PutAppsList", apps(n))),
        (
            "protocols per list",
            |q| q.protocols_per_list_max = 3,
            |n| ("PutProtocolsList", protocols(n)),
        ),
    ];
    for (what, set, request) in cases {
        let world = World::settled(|settings| set(&mut settings.quotas)).await;
        for count in 2..=4 {
            let (operation, input) = request(count);
            let answer = world.admin(operation, input).await;
            match count {
                4 => answer.refuses("LimitExceededException", "the quota is 3"),
                _ => assert_eq!(answer.status, 200, "{what} {count}: {answer:?}"),
            }
        }
    }
}

#[tokio::test]
async fn what_one_account_may_have_has_a_quota() {
    type Case = (&'static str, fn(&mut Quotas), fn() -> Value);
    let cases: [Case; 4] = [
        ("PutPolicy", |q| q.policies_max = 3, || json!({ "Policy": audit("one") })),
        ("PutAppsList", |q| q.apps_lists_max = 3, || apps(1)),
        ("PutProtocolsList", |q| q.protocols_lists_max = 3, || protocols(1)),
        (
            "PutResourceSet",
            |q| q.resource_sets_max = 3,
            || json!({ "ResourceSet": { "Name": "s", "ResourceTypeList": ["AWS::NetworkFirewall::Firewall"] } }),
        ),
    ];
    for (operation, set, request) in cases {
        let world = World::settled(|settings| set(&mut settings.quotas)).await;
        for _ in 0..3 {
            world.admin(operation, request()).await.ok();
        }
        let over = world.admin(operation, request()).await;
        over.refuses("LimitExceededException", "quota is 3");
        world.call(ADMIN, HOME, operation, request()).await.ok();
    }
}

#[tokio::test]
async fn an_object_has_so_many_tags_however_they_came() {
    let world = World::settled(|settings| settings.quotas.object_tags_max = 3).await;
    let id = world.put_audit("one").await;
    let arn = format!("arn:aws:fms:{REGION}:{ADMIN}:policy/{id}");
    let add =
        |n: usize| world.admin("TagResource", json!({ "ResourceArn": arn, "TagList": [tag(n)] }));
    for n in 0..3 {
        add(n).await.ok();
    }
    add(3).await.refuses("LimitExceededException", "4 tags and the quota is 3");
    add(2).await.ok();
}
