//! Who is explained what, and who may preview: what a caller may not see is not to be told from absent.

use serde_json::{Value, json};

use crate::world::*;

const GROUP: &str = "AWS::EC2::SecurityGroup";

/// A world with a group of a member, and its policy in force.
async fn world() -> (World, String) {
    let world = World::new().await;
    let id = world.put_audit("one").await;
    let item = json!({
        "awsAccountId": MEMBER, "awsRegion": REGION,
        "resourceType": GROUP, "resourceId": "sg-1", "resourceName": "web",
        "configurationItemStatus": "OK", "configurationStateId": 1_767_225_600_000_i64,
        "configurationItemCaptureTime": "2026-01-01T00:00:00Z",
        "configuration": { "groupName": "web", "ownerId": MEMBER, "ipPermissions": [] },
        "tags": {},
    });
    world.own("POST", "/palisade/v1/inventory?name=x.json", item.to_string()).await.ok();
    (world, id)
}

fn path(policy: &str, account: &str, resource: &str) -> String {
    format!("/palisade/v1/explain?policy={policy}&account={account}&id={resource}")
}

#[tokio::test]
async fn the_operator_and_the_policys_owner_are_told_and_nobody_else() {
    let (world, id) = world().await;
    let told = world.own("GET", &path(&id, MEMBER, "sg-1"), "").await.ok();
    assert_eq!(told["resourceId"], "sg-1");
    assert_eq!(told["items"][0]["stateId"], "1767225600000");
    assert_eq!(told["items"][0]["capturedAt"], "2026-01-01T00:00:00Z");
    let by_name = world.own("GET", &path(&id, MEMBER, "web"), "").await.ok();
    assert_eq!(by_name, told, "a name is taken for the id");
    let owner = world.own_as(ADMIN, "GET", &path(&id, MEMBER, "sg-1"), "").await.ok();
    assert_eq!(owner, told);
    for other in [MEMBER, MANAGEMENT, STRANGER] {
        let refused = world.own_as(other, "GET", &path(&id, MEMBER, "sg-1"), "").await;
        let absent = world.own_as(other, "GET", &path("none", MEMBER, "sg-1"), "").await;
        refused.own_refuses(404, "NotFound", "does not exist");
        assert_eq!(refused.text.replace(&id, "none"), absent.text, "{other}");
    }
}

#[tokio::test]
async fn accounts_outside_an_administrators_scope_have_no_resources_for_it() {
    let (world, _) = world().await;
    let over = |accounts: &[&str]| {
        json!({
            "AccountScope": { "Accounts": accounts, "AllAccountsEnabled": false, "ExcludeSpecifiedAccounts": false },
            "RegionScope": { "AllRegionsEnabled": true, "Regions": [] },
            "PolicyTypeScope": { "AllPolicyTypesEnabled": true, "PolicyTypes": [] },
        })
    };
    let grant = |scope: Value| json!({ "AdminAccount": OTHER, "AdminScope": scope });
    let put = "PutAdminAccount";
    world.call(MANAGEMENT, HOME, put, grant(over(&[MEMBER]))).await.ok();
    let policy = world.call(OTHER, REGION, "PutPolicy", json!({ "Policy": audit("theirs") })).await;
    let id = policy.ok()["Policy"]["PolicyId"].as_str().unwrap().to_owned();
    let ask = |resource: &'static str| {
        let (world, path) = (&world, path(&id, MEMBER, resource));
        async move { world.own_as(OTHER, "GET", &path, "").await }
    };
    assert_eq!(ask("sg-1").await.ok()["resourceId"], "sg-1");
    world.call(MANAGEMENT, HOME, put, grant(over(&[LONER]))).await.ok();
    let (hidden, absent) = (ask("sg-1").await, ask("sg-none").await);
    hidden.own_refuses(404, "NotFound", "is not known in account");
    assert_eq!(hidden.text.replace("sg-1", "sg-none"), absent.text);
    // The operator is told which filter it is.
    let told = world.own("GET", &path(&id, MEMBER, "sg-1"), "").await.ok();
    assert_eq!(
        (&told["verdict"], &told["filter"]),
        (&json!("out-of-scope"), &json!("administrator-scope"))
    );
}

#[tokio::test]
async fn administrators_preview_policies_and_the_operator_organizations() {
    let (world, id) = world().await;
    let draft = json!({ "policies": [{ "Policy": audit("draft") }] }).to_string();
    let preview = "/palisade/v1/preview";
    let told = world.own_as(ADMIN, "POST", preview, draft.clone()).await.ok();
    assert_eq!(told["policies"][0]["name"], "draft");
    assert_eq!(told["policies"][0]["becomes"], "new");
    let refused = world.own_as(MEMBER, "POST", preview, draft).await;
    refused.own_refuses(403, "AccessDenied", "is not currently delegated");
    let moved = json!({ "organization": organization() }).to_string();
    let refused = world.own_as(ADMIN, "POST", preview, moved.clone()).await;
    refused.own_refuses(403, "AccessDenied", "the operator's");
    let told = world.own("POST", preview, moved).await.ok();
    assert_eq!((&told["changes"], &told["policies"]), (&json!(false), &json!([])), "{told}");
    // What is deleted since is an update of nothing.
    let known = world.admin("GetPolicy", json!({ "PolicyId": id })).await.ok();
    world.admin("DeletePolicy", json!({ "PolicyId": id })).await.ok();
    let edited = json!({ "policies": [{ "Policy": known["Policy"] }] }).to_string();
    world.own_as(ADMIN, "POST", preview, edited).await.own_refuses(404, "ResourceNotFound", &id);
    world.own("GET", &path(&id, MEMBER, "sg-1"), "").await.own_refuses(
        404,
        "NotFound",
        "does not exist",
    );
}
