use palisade_core::inventory::DeliveryReader;
use palisade_store::Inventory;
use serde_json::{Value, json};

use crate::world::*;

const FIREWALL: &str = "AWS::NetworkFirewall::Firewall";

fn set(name: &str) -> Value {
    json!({ "Name": name, "ResourceTypeList": [FIREWALL] })
}

async fn put(world: &World, name: &str) -> Value {
    world.admin("PutResourceSet", json!({ "ResourceSet": set(name) })).await.ok()["ResourceSet"]
        .clone()
}

fn firewall(account: &str, name: &str) -> String {
    format!("arn:aws:network-firewall:{REGION}:{account}:firewall/{name}")
}

#[tokio::test]
async fn a_set_is_created_read_changed_and_deleted() {
    let world = World::new().await;
    let mut given = set("edge");
    given["Description"] = json!("what faces the world");
    given["LastUpdateTime"] = json!(1);
    given["ResourceSetStatus"] = json!("OUT_OF_ADMIN_SCOPE");
    let tags = json!([{ "Key": "team", "Value": "" }]);
    let answer =
        world.admin("PutResourceSet", json!({ "ResourceSet": given, "TagList": tags })).await.ok();
    let made = &answer["ResourceSet"];
    let id = made["Id"].as_str().unwrap();
    assert_eq!(id.len(), 22);
    assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
    let arn = answer["ResourceSetArn"].as_str().unwrap();
    assert_eq!(arn, format!("arn:aws:fms:{REGION}:{ADMIN}:resource-set/{id}"));
    assert_eq!(made["ResourceSetStatus"], "ACTIVE");
    assert_eq!(made["LastUpdateTime"], json!(NOW_MS as f64 / 1000.0));
    let get = || world.admin("GetResourceSet", json!({ "Identifier": id }));
    assert_eq!(get().await.ok(), answer);
    let listed = world.admin("ListTagsForResource", json!({ "ResourceArn": arn })).await.ok();
    assert_eq!(listed, json!({ "TagList": tags }));

    let update = |change: Value| {
        let mut update = made.clone();
        update.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let world = &world;
        async move { world.admin("PutResourceSet", json!({ "ResourceSet": update })).await }
    };
    update(json!({ "Name": "other" })).await.refuses("InvalidInputException", "cannot change");
    update(json!({ "UpdateToken": "1:x" })).await.refuses("InvalidInputException", "`UpdateToken`");
    let absent = "0".repeat(22);
    update(json!({ "Id": absent })).await.refuses("InvalidInputException", "does not exist");
    world.clock.advance(5_000);
    let changed = update(json!({ "Description": "new" })).await.ok()["ResourceSet"].clone();
    assert_eq!(changed["Description"], "new");
    assert_ne!(changed["UpdateToken"], made["UpdateToken"]);
    assert_eq!(changed["LastUpdateTime"], json!((NOW_MS + 5_000) as f64 / 1000.0));
    // Without a token the update is unconditional.
    let mut bare = set("edge");
    bare["Id"] = json!(id);
    world.admin("PutResourceSet", json!({ "ResourceSet": bare })).await.ok();
    assert_eq!(get().await.ok()["ResourceSet"].get("Description"), None);

    world.admin("DeleteResourceSet", json!({ "Identifier": id })).await.ok();
    get().await.refuses("ResourceNotFoundException", "does not exist in this account and Region");
}

#[tokio::test]
async fn what_is_no_set_is_refused() {
    let world = World::new().await;
    for (change, fragment) in [
        (json!({ "ResourceTypeList": [] }), "`ResourceTypeList` is empty"),
        (json!({ "ResourceTypeList": ["AWS::EC2::VPC"] }), "`AWS::EC2::VPC`"),
        (json!({ "UpdateToken": "1:x" }), "`UpdateToken` comes with `Id` alone"),
    ] {
        let mut given = set("edge");
        given.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = world.admin("PutResourceSet", json!({ "ResourceSet": given })).await;
        answer.refuses("InvalidInputException", fragment);
    }
}

#[tokio::test]
async fn sets_are_listed_by_age_then_id() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for round in 0..3 {
        let mut made = Vec::new();
        for name in ["a", "b"] {
            made.push(put(&world, &format!("{name}{round}")).await["Id"].clone());
        }
        made.sort_by_key(ToString::to_string);
        ids.extend(made);
        world.clock.advance(1_000);
    }
    for size in 1..=7 {
        let listed = world.pages("ListResourceSets", json!({}), "ResourceSets", size).await;
        assert_eq!(listed.iter().map(|set| set["Id"].clone()).collect::<Vec<_>>(), ids);
    }
}

#[tokio::test]
async fn each_item_is_accepted_or_refused_alone_in_the_order_of_decision() {
    let world = World::new().await;
    let id = put(&world, "edge").await["Id"].clone();
    let good = firewall(MEMBER, "one");
    let bad = [
        ("not-an-arn", "NOT_VALID_ARN"),
        ("arn:aws-cn:x:y:z:w", "NOT_VALID_PARTITION"),
        ("arn:aws:ec2:y:z:w", "NOT_VALID_SERVICE"),
        ("arn:aws:network-firewall:us-east-1:z:w", "NOT_VALID_REGION"),
        ("arn:aws:network-firewall:eu-west-1:z:firewall-policy/w", "NOT_VALID_RESOURCE_TYPE"),
        ("arn:aws:network-firewall:eu-west-1:z:firewall/", "NOT_VALID_RESOURCE_TYPE"),
        ("arn:aws:network-firewall:eu-west-1:z:firewall/w", "NOT_VALID_ACCOUNT_ID"),
        ("arn:aws:network-firewall:eu-west-1:999999999999:firewall/w", "NOT_VALID_ACCOUNT_ID"),
    ];
    let mut items: Vec<&str> = bad.iter().map(|(item, _)| *item).collect();
    items.insert(3, &good);
    let batch = |operation: &'static str, items: Value| {
        world.admin(operation, json!({ "ResourceSetIdentifier": id, "Items": items }))
    };
    let answer = batch("BatchAssociateResource", json!(items)).await.ok();
    let failed: Vec<Value> =
        bad.iter().map(|(item, reason)| json!({ "URI": item, "Reason": reason })).collect();
    assert_eq!(answer, json!({ "ResourceSetIdentifier": id, "FailedItems": failed }));
    let again = batch("BatchAssociateResource", json!([good])).await.ok();
    assert_eq!(again, json!({ "ResourceSetIdentifier": id, "FailedItems": [] }));
    let input = json!({ "Identifier": id });
    let held = world.pages("ListResourceSetResources", input.clone(), "Items", 1).await;
    assert_eq!(held, [json!({ "URI": good, "AccountId": MEMBER })]);

    let absent = firewall(MEMBER, "absent");
    let gone = batch("BatchDisassociateResource", json!(["x", absent, good])).await.ok();
    assert_eq!(gone["FailedItems"], json!([{ "URI": "x", "Reason": "NOT_VALID_ARN" }]));
    let empty = world.admin("ListResourceSetResources", input).await.ok();
    assert_eq!(empty, json!({ "Items": [] }));
}

#[tokio::test]
async fn resources_are_listed_by_the_moment_of_association_and_pages_stay_while_rows_change() {
    let world = World::new().await;
    let id = put(&world, "edge").await["Id"].clone();
    let arns: Vec<String> = (0..6).rev().map(|n| firewall(MEMBER, &n.to_string())).collect();
    for arn in &arns {
        let input = json!({ "ResourceSetIdentifier": id, "Items": [arn] });
        world.admin("BatchAssociateResource", input).await.ok();
        world.clock.advance(1);
    }
    let page = |token: Option<Value>| {
        let mut input = json!({ "Identifier": id, "MaxResults": 2 });
        if let Some(token) = token {
            input["NextToken"] = token;
        }
        world.admin("ListResourceSetResources", input)
    };
    let first = page(None).await.ok();
    // What was on the page just read goes, and so does what would have come next.
    let input = json!({ "ResourceSetIdentifier": id, "Items": [arns[1], arns[2]] });
    world.admin("BatchDisassociateResource", input).await.ok();
    let second = page(Some(first["NextToken"].clone())).await.ok();
    let third = page(Some(second["NextToken"].clone())).await.ok();
    let uris: Vec<&str> = [&first, &second, &third]
        .iter()
        .flat_map(|page| page["Items"].as_array().unwrap())
        .map(|item| item["URI"].as_str().unwrap())
        .collect();
    assert_eq!(uris, [&arns[0], &arns[1], &arns[3], &arns[4], &arns[5]]);
    assert_eq!(third.get("NextToken"), None);
}

#[tokio::test]
async fn batches_and_sets_are_bounded() {
    let world = World::settled(|settings| settings.quotas.resources_per_set_max = 3).await;
    let id = put(&world, "edge").await["Id"].clone();
    let associate = |range: std::ops::Range<usize>| {
        let items: Vec<String> = range.map(|n| firewall(MEMBER, &n.to_string())).collect();
        world
            .admin("BatchAssociateResource", json!({ "ResourceSetIdentifier": id, "Items": items }))
    };
    associate(0..2).await.ok();
    associate(0..4)
        .await
        .refuses("LimitExceededException", "would hold 4 resources and the quota is 3");
    let held = world.admin("ListResourceSetResources", json!({ "Identifier": id })).await.ok();
    assert_eq!(held["Items"].as_array().unwrap().len(), 2, "nothing of a refused batch is kept");
    associate(0..3).await.ok();
    for (count, ok) in [(99, true), (100, true), (101, false)] {
        let items = vec!["x"; count];
        let input = json!({ "ResourceSetIdentifier": id, "Items": items });
        for operation in ["BatchAssociateResource", "BatchDisassociateResource"] {
            let answer = world.admin(operation, input.clone()).await;
            match ok {
                true => assert_eq!(answer.ok()["FailedItems"].as_array().unwrap().len(), count),
                false => answer.refuses("InvalidInputException", "at most 100"),
            }
        }
    }
}

#[tokio::test]
async fn a_set_that_a_policy_uses_stays() {
    let world = World::new().await;
    let id = put(&world, "edge").await["Id"].clone();
    let policy = world
        .put(json!({
            "PolicyName": "import",
            "SecurityServicePolicyData": {
                "Type": "IMPORT_NETWORK_FIREWALL",
                "ManagedServiceData": "{\"type\":\"IMPORT_NETWORK_FIREWALL\",\"awsNetworkFirewallConfig\":{\"networkFirewallStatelessRuleGroupReferences\":[],\"networkFirewallStatelessDefaultActions\":[\"aws:pass\"],\"networkFirewallStatelessFragmentDefaultActions\":[\"aws:pass\"],\"networkFirewallStatelessCustomActions\":[],\"networkFirewallStatefulRuleGroupReferences\":[]}}",
            },
            "ResourceType": FIREWALL,
            "ExcludeResourceTags": false,
            "RemediationEnabled": false,
            "ResourceSetIds": [id],
        }))
        .await;
    let delete = || world.admin("DeleteResourceSet", json!({ "Identifier": id }));
    delete().await.refuses("InvalidOperationException", "disassociated from all policies first");
    world.admin("DeletePolicy", json!({ "PolicyId": policy["PolicyId"] })).await.ok();
    delete().await.ok();
}

pub fn delivered(world: &World, account: &str, names: &[&str]) {
    let items: Vec<Value> = names
        .iter()
        .map(|name| {
            json!({
                "configurationItemVersion": "1.3", "configurationItemStatus": "ResourceDiscovered",
                "configurationItemCaptureTime": "2026-01-01T00:00:00.000Z",
                "configurationStateId": "1", "awsAccountId": account, "awsRegion": REGION,
                "resourceType": FIREWALL, "resourceId": firewall(account, name),
                "resourceName": name, "ARN": firewall(account, name), "configuration": {},
            })
        })
        .collect();
    let file = json!({ "fileVersion": "1.0", "configurationItems": items });
    let mut reader = DeliveryReader::new("");
    reader.push(file.to_string().as_bytes()).unwrap();
    world.store.accept(&reader.finish().unwrap(), NOW_MS, None).unwrap();
}

#[tokio::test]
async fn what_the_inventory_holds_is_discovered() {
    let world = World::new().await;
    delivered(&world, MEMBER, &["b", "a", "c"]);
    delivered(&world, OTHER, &["d"]);
    let input = json!({ "MemberAccountIds": [MEMBER], "ResourceType": FIREWALL });
    let item = |name: &str| json!({ "URI": firewall(MEMBER, name), "AccountId": MEMBER, "Type": FIREWALL, "Name": name });
    for size in 1..=4 {
        let found = world.pages("ListDiscoveredResources", input.clone(), "Items", size).await;
        assert_eq!(found, [item("a"), item("b"), item("c")]);
    }
    for (accounts, resource_type, fragment) in [
        (json!([]), FIREWALL, "name exactly one"),
        (json!([MEMBER, OTHER]), FIREWALL, "name exactly one"),
        (json!([STRANGER]), FIREWALL, "is not in the organization"),
        (json!([MEMBER]), "AWS::EC2::VPC", "is not a type that resource sets hold"),
    ] {
        let input = json!({ "MemberAccountIds": accounts, "ResourceType": resource_type });
        let answer = world.admin("ListDiscoveredResources", input).await;
        answer.refuses("InvalidInputException", fragment);
    }
}
