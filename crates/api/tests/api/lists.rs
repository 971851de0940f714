use serde_json::{Value, json};

use crate::world::*;

fn apps(name: &str, count: usize) -> Value {
    let apps: Vec<Value> = (0..count)
        .map(|n| json!({ "AppName": format!("app {n}"), "Protocol": "TCP", "Port": 8000 + n }))
        .collect();
    json!({ "ListName": name, "AppsList": apps })
}

fn protocols(name: &str, list: &[&str]) -> Value {
    json!({ "ListName": name, "ProtocolsList": list })
}

/// The two kinds: what differs between their operations.
struct Kind {
    noun: &'static str,
    plural: &'static str,
    arn: &'static str,
    sample: fn(&str) -> Value,
    default: &'static str,
}

const KINDS: [Kind; 2] = [
    Kind {
        noun: "AppsList",
        plural: "AppsLists",
        arn: "applications-list",
        sample: |name| apps(name, 2),
        default: "FMS-Default-Public-Access-Apps-Allowed",
    },
    Kind {
        noun: "ProtocolsList",
        plural: "ProtocolsLists",
        arn: "protocols-list",
        sample: |name| protocols(name, &["tcp", "17"]),
        default: "FMS-Default-Protocols-Allowed",
    },
];

impl Kind {
    async fn put(&self, world: &World, list: Value) -> Answer {
        world.admin(&format!("Put{}", self.noun), json!({ self.noun: list })).await
    }

    async fn get(&self, world: &World, input: Value) -> Answer {
        world.admin(&format!("Get{}", self.noun), input).await
    }

    async fn delete(&self, world: &World, id: &Value) -> Answer {
        world.admin(&format!("Delete{}", self.noun), json!({ "ListId": id })).await
    }
}

/// Of however many accounts: nothing of the organization is read or made again.
#[tokio::test]
async fn what_is_put_beside_the_organization_leaves_it_as_it_was_read() {
    let world = World::new().await;
    let organization = || world.app.view().unwrap().control().organization.clone().unwrap();
    let read = organization();
    world.admin("PutAppsList", json!({ "AppsList": apps("mine", 1) })).await.ok();
    world.admin("PutPolicy", json!({ "Policy": audit("one") })).await.ok();
    assert!(std::sync::Arc::ptr_eq(&read, &organization()));
    let control = world.app.view().unwrap().control().clone();
    assert_eq!((control.lists.len(), control.policies.len()), (1, 1));
}

#[tokio::test]
async fn a_list_is_put_read_changed_and_deleted() {
    for kind in &KINDS {
        let world = World::new().await;
        let put = kind.put(&world, (kind.sample)("mine")).await.ok();
        let list = &put[kind.noun];
        let id = list["ListId"].as_str().unwrap();
        let arn = format!("arn:aws:fms:{REGION}:{ADMIN}:{}/{id}", kind.arn);
        assert_eq!(put[format!("{}Arn", kind.noun)], arn);
        assert_eq!(list[kind.noun], (kind.sample)("mine")[kind.noun], "kept as sent");
        assert_eq!(list["CreateTime"], json!(1_767_225_600.0));
        assert_eq!(list["LastUpdateTime"], list["CreateTime"]);
        assert!(list.get(format!("Previous{}", kind.noun)).is_none());
        assert_eq!(kind.get(&world, json!({ "ListId": id })).await.ok(), put);

        world.clock.advance(5_000);
        let mut update = list.clone();
        update["ListName"] = json!("renamed");
        let updated = kind.put(&world, update.clone()).await.ok()[kind.noun].clone();
        assert_eq!(updated["ListId"], id);
        assert_eq!(updated["ListName"], "renamed");
        assert_eq!(updated["CreateTime"], list["CreateTime"]);
        assert_eq!(
            updated["LastUpdateTime"].as_f64().unwrap() - list["CreateTime"].as_f64().unwrap(),
            5.0
        );
        assert_ne!(updated["ListUpdateToken"], list["ListUpdateToken"]);
        kind.put(&world, update.clone()).await.refuses(
            "InvalidInputException",
            "`ListUpdateToken` is not that of the current version",
        );
        update.as_object_mut().unwrap().remove("ListUpdateToken");
        kind.put(&world, update)
            .await
            .refuses("InvalidInputException", "`ListUpdateToken` is missing");

        let answer = kind.delete(&world, &list["ListId"]).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, ""));
        kind.get(&world, json!({ "ListId": id })).await.refuses("ResourceNotFoundException", id);
        kind.delete(&world, &list["ListId"]).await.refuses("ResourceNotFoundException", id);
    }
}

#[tokio::test]
async fn a_token_without_an_id_and_an_unknown_id_are_refused() {
    let world = World::new().await;
    for kind in &KINDS {
        let mut list = (kind.sample)("mine");
        list["ListUpdateToken"] = json!("1:AAAA");
        kind.put(&world, list.clone())
            .await
            .refuses("InvalidInputException", "`ListUpdateToken` comes with `ListId` alone");
        list["ListId"] = json!("00000000-0000-4000-8000-000000000000");
        kind.put(&world, list)
            .await
            .refuses("ResourceNotFoundException", "00000000-0000-4000-8000-000000000000");
    }
}

#[tokio::test]
async fn a_list_of_one_kind_is_none_of_the_other() {
    let world = World::new().await;
    let [one, other] = &KINDS;
    let put = one.put(&world, (one.sample)("mine")).await.ok();
    let id = &put[one.noun]["ListId"];
    other
        .get(&world, json!({ "ListId": id }))
        .await
        .refuses("ResourceNotFoundException", "protocols list");
    other.delete(&world, id).await.refuses("ResourceNotFoundException", "protocols list");
}

#[tokio::test]
async fn reserved_names_bad_protocols_and_too_much_are_refused() {
    let world = World::new().await;
    let [apps_kind, protocols_kind] = &KINDS;
    for name in ["fms-mine", "FMS-mine"] {
        for kind in &KINDS {
            kind.put(&world, (kind.sample)(name))
                .await
                .refuses("InvalidInputException", "reserved");
        }
    }
    apps_kind.put(&world, apps("at the quota", 50)).await.ok();
    apps_kind
        .put(&world, apps("over it", 51))
        .await
        .refuses("LimitExceededException", "quota is 50");
    let five = ["tcp", "udp", "icmp", "58", "47"];
    protocols_kind.put(&world, protocols("at the quota", &five)).await.ok();
    let six = ["tcp", "udp", "icmp", "58", "47", "50"];
    protocols_kind
        .put(&world, protocols("over it", &six))
        .await
        .refuses("LimitExceededException", "quota is 5");
    protocols_kind
        .put(&world, protocols("bad", &["no-such"]))
        .await
        .refuses("InvalidInputException", "no-such");
    let mut port = apps("port", 1);
    port["AppsList"][0]["Port"] = json!(65_536);
    apps_kind
        .put(&world, port)
        .await
        .refuses("InvalidInputException", "port' failed to satisfy constraint");
}

#[tokio::test]
async fn one_list_over_the_quota_of_its_kind_is_refused() {
    let world = World::new().await;
    for kind in &KINDS {
        for n in 0..10 {
            kind.put(&world, (kind.sample)(&format!("list {n}"))).await.ok();
        }
        kind.put(&world, (kind.sample)("one more"))
            .await
            .refuses("LimitExceededException", "quota is 10");
    }
}

#[tokio::test]
async fn lists_are_paged_by_age() {
    let world = World::new().await;
    for kind in &KINDS {
        let mut names = Vec::new();
        for n in 0..5 {
            let name = format!("list {n}");
            kind.put(&world, (kind.sample)(&name)).await.ok();
            names.push(name);
            world.clock.advance(1);
        }
        let operation = format!("List{}", kind.plural);
        for size in 1..=6 {
            let listed = world.pages(&operation, json!({}), kind.plural, size).await;
            let found: Vec<&str> = listed.iter().map(|l| l["ListName"].as_str().unwrap()).collect();
            assert_eq!(found, names, "pages of {size}");
            assert!(listed[0]["ListArn"].as_str().unwrap().contains(kind.arn));
            assert!(listed[0][kind.noun].is_array());
        }
        let missing = world.admin(&operation, json!({})).await;
        missing.refuses("ValidationException", "maxResults");
    }
}

#[tokio::test]
async fn aws_managed_lists_are_read_with_the_flag_and_never_changed() {
    let world = World::new().await;
    for kind in &KINDS {
        let input = json!({ "MaxResults": 100, "DefaultLists": true });
        let listed = world.admin(&format!("List{}", kind.plural), input).await.ok();
        let all = listed[kind.plural].as_array().unwrap();
        let list = all.iter().find(|list| list["ListName"] == kind.default).unwrap();
        let id = &list["ListId"];
        assert_eq!(id.as_str().unwrap().len(), 36);
        assert_eq!(
            list["ListArn"],
            format!("arn:aws:fms:{REGION}:{ADMIN}:{}/{}", kind.arn, id.as_str().unwrap())
        );
        let got = kind.get(&world, json!({ "ListId": id, "DefaultList": true })).await.ok();
        assert_eq!(got[kind.noun][kind.noun], list[kind.noun]);
        assert_eq!(got[kind.noun][format!("Previous{}", kind.noun)], json!({}));
        kind.get(&world, json!({ "ListId": id }))
            .await
            .refuses("ResourceNotFoundException", "does not exist");
        kind.delete(&world, id).await.refuses("InvalidOperationException", "managed by AWS");
        let mut changed = (kind.sample)("mine");
        changed["ListId"] = id.clone();
        changed["ListUpdateToken"] = json!("1:AAAA");
        kind.put(&world, changed).await.refuses("InvalidOperationException", "managed by AWS");
        let tags =
            json!({ "ResourceArn": list["ListArn"], "TagList": [{ "Key": "a", "Value": "b" }] });
        world
            .admin("TagResource", tags)
            .await
            .refuses("InvalidOperationException", "managed by AWS");
        let custom =
            world.admin(&format!("List{}", kind.plural), json!({ "MaxResults": 100 })).await.ok();
        assert_eq!(custom, json!({ kind.plural: [] }));
        let put = kind.put(&world, (kind.sample)("mine")).await.ok();
        let id = &put[kind.noun]["ListId"];
        kind.get(&world, json!({ "ListId": id, "DefaultList": true }))
            .await
            .refuses("ResourceNotFoundException", "AWS-managed");
    }
}
