//! The audit log: every call that changes something has its event, whoever makes it, and no other.

use std::collections::BTreeSet;

use palisade_api::operations::{Effect, OPERATIONS};
use palisade_store::{AuditFilter, AuditLog, AuditRow, CallerKind, Control};
use serde_json::{Value, json};

use crate::world::*;

impl World {
    /// Events since a place in the log, oldest first.
    fn events(&self, since: u64) -> Vec<AuditRow> {
        let mut rows = self.store.audit(&AuditFilter::default(), 10_000).unwrap();
        rows.retain(|row| row.sequence > since);
        rows.reverse();
        rows
    }

    fn newest(&self) -> u64 {
        self.store.audit(&AuditFilter::default(), 1).unwrap().first().map_or(0, |row| row.sequence)
    }

    /// The one event that `answer` left behind.
    #[track_caller]
    fn event_of(&self, since: u64, answer: &Answer) -> AuditRow {
        let mut events = self.events(since);
        assert_eq!(events.len(), 1, "{events:#?}");
        let row = events.remove(0);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.headers["x-amzn-requestid"], row.event.request_id.as_str());
        row
    }
}

/// A call of every operation that writes, in an order in which each succeeds: the operation, who
/// calls, the type of the object and what is there before and after.
async fn story(world: &World) -> Vec<(&'static str, &'static str, Value, &'static str, [bool; 2])> {
    let policy = world.put_audit("before").await;
    let app = json!({ "AppName": "a", "Protocol": "tcp", "Port": 1 });
    let apps = json!({ "AppsList": { "ListName": "l", "AppsList": [app] } });
    let protocols = json!({ "ProtocolsList": { "ListName": "l", "ProtocolsList": ["tcp"] } });
    let types = ["AWS::NetworkFirewall::Firewall"];
    let set = json!({ "ResourceSet": { "Name": "s", "ResourceTypeList": types } });
    let id = async |operation: &str, input: &Value, member: &str, id: &str| {
        world.admin(operation, input.clone()).await.ok()[member][id].clone()
    };
    let apps_id = id("PutAppsList", &apps, "AppsList", "ListId").await;
    let protocols_id = id("PutProtocolsList", &protocols, "ProtocolsList", "ListId").await;
    let set_id = id("PutResourceSet", &set, "ResourceSet", "Id").await;
    let arn = format!("arn:aws:fms:{REGION}:{ADMIN}:policy/{policy}");
    let firewall = format!("arn:aws:network-firewall:{REGION}:{MEMBER}:firewall/f");
    let channel = json!({ "SnsTopicArn": format!("arn:aws:sns:{REGION}:{ADMIN}:t"),
        "SnsRoleName": format!("arn:aws:iam::{ADMIN}:role/r") });
    let vendor = json!({ "ThirdPartyFirewall": "FORTIGATE_CLOUD_NATIVE_FIREWALL" });
    let batch = json!({ "ResourceSetIdentifier": set_id, "Items": [firewall] });
    let scope = json!({ "AdminAccount": OTHER, "AdminScope": {} });
    let (new, kept, gone) = ([false, true], [true, true], [true, false]);
    let channel_type = "notification-channel";
    vec![
        ("PutPolicy", ADMIN, json!({ "Policy": audit("one") }), "policy", new),
        ("PutAppsList", ADMIN, apps, "applications-list", new),
        ("PutProtocolsList", ADMIN, protocols, "protocols-list", new),
        ("PutResourceSet", ADMIN, set, "resource-set", new),
        (
            "TagResource",
            ADMIN,
            json!({ "ResourceArn": arn, "TagList": [{ "Key": "k", "Value": "v" }] }),
            "policy",
            kept,
        ),
        ("UntagResource", ADMIN, json!({ "ResourceArn": arn, "TagKeys": ["k"] }), "policy", kept),
        ("BatchAssociateResource", ADMIN, batch.clone(), "resource-set", kept),
        ("BatchDisassociateResource", ADMIN, batch, "resource-set", kept),
        ("PutNotificationChannel", ADMIN, channel, channel_type, new),
        ("DeleteNotificationChannel", ADMIN, json!({}), channel_type, gone),
        ("AssociateThirdPartyFirewall", ADMIN, vendor.clone(), "third-party-firewall", new),
        ("DisassociateThirdPartyFirewall", ADMIN, vendor, "third-party-firewall", kept),
        ("DeleteAppsList", ADMIN, json!({ "ListId": apps_id }), "applications-list", gone),
        ("DeleteProtocolsList", ADMIN, json!({ "ListId": protocols_id }), "protocols-list", gone),
        ("DeleteResourceSet", ADMIN, json!({ "Identifier": set_id }), "resource-set", gone),
        ("DeletePolicy", ADMIN, json!({ "PolicyId": policy }), "policy", gone),
        ("PutAdminAccount", MANAGEMENT, scope, "administrator", new),
        ("DisassociateAdminAccount", OTHER, json!({}), "administrator", gone),
        (
            "AssociateAdminAccount",
            MANAGEMENT,
            json!({ "AdminAccount": ADMIN }),
            "administrator",
            new,
        ),
    ]
}

#[tokio::test]
async fn every_operation_that_writes_is_told_with_who_what_before_and_after() {
    let world = World::new().await;
    let told: BTreeSet<&str> = story(&world).await.iter().map(|call| call.0).collect();
    let writing: BTreeSet<&str> = OPERATIONS
        .iter()
        .filter(|row| row.effect == Effect::Writes)
        .map(|row| row.operation.name())
        .collect();
    assert_eq!(told, writing, "an operation that writes has its call here");
    for (operation, who, input, object_type, there) in story(&world).await {
        if operation == "AssociateAdminAccount" {
            world.call(ADMIN, HOME, "DisassociateAdminAccount", json!({})).await.ok();
        }
        let row = OPERATIONS.iter().find(|row| row.operation.name() == operation).unwrap();
        let place = if row.home_region_only { HOME } else { REGION };
        let since = world.newest();
        let answer = world.call(who, place, operation, input).await;
        let event = world.event_of(since, &answer).event;
        assert_eq!(event.operation, operation);
        assert_eq!(event.access_key_id.as_deref(), Some(who), "{operation}");
        assert_eq!(event.account, Some(account(who)), "{operation}");
        assert_eq!((event.region.as_str(), event.at_ms), (place, NOW_MS), "{operation}");
        let caller = match who {
            MANAGEMENT => CallerKind::Management,
            ADMIN => CallerKind::DefaultAdministrator,
            _ => CallerKind::Administrator,
        };
        assert_eq!(event.caller, caller, "{operation}");
        let change = &event.changes[0];
        assert_eq!(change.object_type, object_type, "{operation}");
        let found = [change.before.is_some(), change.after.is_some()];
        assert_eq!(found, there, "{operation}: {change:?}");
        assert_ne!(change.before, change.after, "{operation}");
    }
}

#[tokio::test]
async fn states_tell_what_a_change_was() {
    let world = World::new().await;
    let mut policy = world.put(audit("old name")).await;
    let arn =
        format!("arn:aws:fms:{REGION}:{ADMIN}:policy/{}", policy["PolicyId"].as_str().unwrap());
    let since = world.newest();
    policy["PolicyName"] = json!("new name");
    let answer = world.admin("PutPolicy", json!({ "Policy": policy })).await;
    let event = world.event_of(since, &answer).event;
    let [change] = &event.changes[..] else { panic!("{event:?}") };
    assert_eq!(change.object, arn);
    let (before, after) = (change.before.clone().unwrap(), change.after.clone().unwrap());
    assert_eq!(before["document"]["PolicyName"], "old name");
    assert_eq!(after["document"]["PolicyName"], "new name");
    assert_eq!((&before["revision"], &after["revision"]), (&json!(1), &json!(2)));
    let text = format!("{event:?}");
    let token = answer.ok()["Policy"]["PolicyUpdateToken"].as_str().unwrap().to_owned();
    assert!(!text.contains(&token), "who reads the log cannot update with it: {text}");
}

#[tokio::test]
async fn an_administrator_that_goes_takes_its_policies_along() {
    let world = World::new().await;
    let scope = json!({ "AdminAccount": OTHER, "AdminScope": {
        "AccountScope": { "AllAccountsEnabled": true },
        "OrganizationalUnitScope": { "AllOrganizationalUnitsEnabled": true },
        "RegionScope": { "AllRegionsEnabled": true },
        "PolicyTypeScope": { "AllPolicyTypesEnabled": true },
    } });
    world.call(MANAGEMENT, HOME, "PutAdminAccount", scope).await.ok();
    for name in ["one", "two"] {
        let put = json!({ "Policy": audit(name) });
        world.call(OTHER, REGION, "PutPolicy", put).await.ok();
    }
    let since = world.newest();
    let answer = world.call(OTHER, HOME, "DisassociateAdminAccount", json!({})).await;
    let changes = world.event_of(since, &answer).event.changes;
    let objects: Vec<&str> = changes.iter().map(|change| change.object_type.as_str()).collect();
    assert_eq!(objects, ["administrator", "policy", "policy"]);
    assert_eq!(changes[0].object, OTHER);
    let mut names: Vec<&Value> = changes[1..]
        .iter()
        .map(|change| &change.before.as_ref().unwrap()["document"]["PolicyName"])
        .collect();
    names.sort_by_key(|name| name.to_string());
    assert_eq!(names, ["one", "two"]);
    assert!(changes.iter().all(|change| change.after.is_none()));
}

#[tokio::test]
async fn a_refused_call_leaves_no_event_and_one_that_changes_nothing_does() {
    let world = World::new().await;
    let id = world.put_audit("one").await;
    let since = world.newest();
    for (who, operation, input) in [
        (MEMBER, "PutPolicy", json!({ "Policy": audit("two") })),
        (ADMIN, "PutPolicy", json!({ "Policy": { "PolicyName": "x" } })),
        (ADMIN, "DeletePolicy", json!({ "PolicyId": "0".repeat(36) })),
        (ADMIN, "AssociateAdminAccount", json!({ "AdminAccount": OTHER })),
    ] {
        assert_ne!(world.call(who, REGION, operation, input).await.status, 200, "{operation}");
    }
    world
        .own("POST", "/palisade/v1/evaluate?policy=none", "")
        .await
        .own_refuses(404, "NotFound", "");
    world.own("PUT", "/palisade/v1/organization", "{}").await.own_refuses(400, "InvalidInput", "");
    world.own_as(ADMIN, "POST", "/palisade/v1/keys", "{}").await.own_refuses(
        403,
        "AccessDenied",
        "",
    );
    world.admin("ListPolicies", json!({})).await.ok();
    assert_eq!(world.events(since), []);
    let revision = world.store.control_revision().unwrap();
    let arn = format!("arn:aws:fms:{REGION}:{ADMIN}:policy/{id}");
    let input = json!({ "ResourceArn": arn, "TagKeys": ["unknown"] });
    let answer = world.admin("UntagResource", input).await;
    let event = world.event_of(since, &answer).event;
    assert_eq!((event.operation.as_str(), event.changes.len()), ("UntagResource", 0));
    assert_eq!(world.store.control_revision().unwrap(), revision);
}

#[tokio::test]
async fn the_operators_own_changes_are_told_too() {
    let world = World::new().await;
    let mut since = world.newest();
    let mut told = async |method: &str, path: &str, body: String| {
        let answer = world.own(method, path, body).await;
        let row = world.event_of(since, &answer);
        since = row.sequence;
        assert_eq!(row.event.caller, CallerKind::Operator);
        assert_eq!(row.event.access_key_id.as_deref(), Some("AKIAOPERATOR"));
        assert_eq!(row.event.account, None);
        (answer, row.event)
    };
    let mut smaller = organization();
    smaller["Accounts"].as_array_mut().unwrap().pop();
    let (_, event) = told("PUT", "/palisade/v1/organization", smaller.to_string()).await;
    assert_eq!(event.operation, "PutOrganization");
    let after = event.changes[0].after.as_ref().unwrap();
    assert_eq!(event.changes[0].before.as_ref().unwrap()["accounts"], 6);
    assert_eq!(
        (&after["accounts"], &after["dropped"]),
        (&json!(5), &json!({ "count": 1, "first": [SUSPENDED] }))
    );

    let (_, event) = told("POST", "/palisade/v1/evaluate?region=eu-west-1", String::new()).await;
    assert_eq!(
        (event.operation.as_str(), event.changes[0].object.as_str()),
        ("Evaluate", "region eu-west-1")
    );

    let file = json!({ "fileVersion": "1.0", "configurationItems": [{
        "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": "2025-12-31T23:00:00.000Z",
        "awsAccountId": MEMBER,
        "configurationItemStatus": "ResourceDiscovered",
        "resourceType": "AWS::EC2::VPC",
        "resourceId": "vpc-1",
        "awsRegion": "eu-west-1",
        "configuration": { "vpcId": "vpc-1" },
    }] })
    .to_string();
    let name =
        "x_Config_eu-west-1_ConfigHistory_AWS::EC2::VPC_20260101T000000Z_20260101T000000Z_1.json";
    let path = format!("/palisade/v1/inventory?name={name}");
    let (answer, event) = told("POST", &path, file.clone()).await;
    assert_eq!(answer.ok()["name"], name);
    assert_eq!(
        (event.operation.as_str(), event.changes[0].object.as_str()),
        ("PostInventory", name)
    );
    assert_eq!(event.changes[0].after.as_ref().unwrap()["sha256"].as_str().unwrap().len(), 64);
    // The same once more, under its name or another, changes nothing.
    let told_so_far = world.newest();
    for again in [path.clone(), path.replace("_1.json", "_2.json")] {
        world.own("POST", &again, file.clone()).await.ok();
    }
    assert_eq!(world.events(told_so_far), []);

    let keys = "/palisade/v1/keys";
    let (answer, event) = told("POST", keys, json!({ "account": MEMBER }).to_string()).await;
    let id = answer.ok()["AccessKeyId"].as_str().unwrap().to_owned();
    assert_eq!(
        (event.operation.as_str(), event.changes[0].object.as_str()),
        ("CreateKey", id.as_str())
    );
    assert_eq!(event.changes[0].after.as_ref().unwrap()["account"], MEMBER);
    let one = format!("{keys}/{id}");
    for (method, path, body, operation, there) in [
        ("PATCH", one.clone(), "{\"Status\":\"Inactive\"}", "DisableKey", [true, true]),
        ("PATCH", one.clone(), "{\"Status\":\"Active\"}", "EnableKey", [true, true]),
        ("POST", format!("{one}/rotate"), "", "RotateKey", [false, true]),
        ("DELETE", one, "", "DeleteKey", [true, false]),
    ] {
        let (_, event) = told(method, &path, body.to_owned()).await;
        assert_eq!(event.operation, operation);
        let change = &event.changes[0];
        assert_eq!([change.before.is_some(), change.after.is_some()], there, "{operation}");
    }
}

#[tokio::test]
async fn a_replaced_organization_tells_what_its_accounts_and_units_were_and_are() {
    let world = World::new().await;
    let replace = async |organization: &Value| {
        let since = world.newest();
        let body = organization.to_string();
        let answer = world.own("PUT", "/palisade/v1/organization", body).await;
        world.event_of(since, &answer).event.changes.remove(0)
    };
    let mut wanted = organization();
    let root = wanted["Roots"][0]["Id"].clone();
    let units = wanted["OrganizationalUnits"].as_array_mut().unwrap();
    units.push(json!({ "Id": "ou-told-00000001", "Name": "one", "ParentId": root }));
    units.push(json!({ "Id": "ou-told-00000002", "Name": "two", "ParentId": root }));
    let told = replace(&wanted).await;
    let after = told.after.unwrap();
    assert_eq!(after["unitsAdded"]["count"], 2);
    assert_eq!(after["differingAccounts"], json!({}), "accounts that stay as they are");

    let accounts = wanted["Accounts"].as_array_mut().unwrap();
    let member = accounts.iter_mut().find(|account| account["Id"] == MEMBER).unwrap();
    let was = member["ParentId"].clone();
    member["ParentId"] = json!("ou-told-00000001");
    let units = wanted["OrganizationalUnits"].as_array_mut().unwrap();
    units.retain(|unit| unit["Id"] != "ou-told-00000002");
    units.last_mut().unwrap()["Name"] = json!("renamed");
    let told = replace(&wanted).await;
    let (before, after) = (told.before.unwrap(), told.after.unwrap());
    assert_eq!(before["differingAccounts"][MEMBER]["parent"], was);
    assert_eq!(after["differingAccounts"][MEMBER]["parent"], "ou-told-00000001");
    assert_eq!(before["differingAccounts"].as_object().unwrap().len(), 1);
    assert_eq!(before["differingUnits"]["ou-told-00000001"]["name"], "one");
    assert_eq!(before["differingUnits"]["ou-told-00000002"]["name"], "two");
    assert_eq!(
        after["differingUnits"],
        json!({ "ou-told-00000001": { "name": "renamed", "parent": root } })
    );
    assert_eq!(after["unitsDropped"], json!({ "count": 1, "first": ["ou-told-00000002"] }));
    assert_eq!(after["unitsChanged"]["first"], json!(["ou-told-00000001"]));
    assert!(before.get("defaultAdministrator").is_some());
}

#[tokio::test]
async fn the_operators_fms_calls_name_the_account_acted_as() {
    let world = World::new().await;
    let since = world.newest();
    let input = json!({ "Policy": audit("one") });
    let answer = world.call("AKIAOPERATOR", REGION, "PutPolicy", input).await;
    let event = world.event_of(since, &answer).event;
    assert_eq!((event.caller, event.account), (CallerKind::Operator, Some(account(ADMIN))));
}

#[tokio::test]
async fn a_state_above_the_limit_is_told_by_its_size_and_its_beginning() {
    use palisade_api::audit::{STATE_SIZE_MAX, change};
    let state = |size: usize| json!("x".repeat(size - 2));
    for (size, kept) in
        [(STATE_SIZE_MAX - 1, true), (STATE_SIZE_MAX, true), (STATE_SIZE_MAX + 1, false)]
    {
        let told = change("x", "x", Some(state(size)), None);
        assert_eq!(told.before == Some(state(size)), kept, "{size}");
        if !kept {
            let told = told.before.unwrap();
            assert_eq!(told["omitted"]["bytes"], size);
            assert!(told["part"].as_str().unwrap().starts_with("xxxx"), "{told}");
        }
    }
}

#[tokio::test]
async fn the_log_is_listed_newest_first_in_pages_and_by_filter() {
    let world = World::new().await;
    for n in 0..5 {
        world.put_audit(&format!("policy {n}")).await;
        world.call("AKIAOPERATOR", REGION, "DeleteNotificationChannel", json!({})).await.ok();
    }
    world.own("POST", "/palisade/v1/evaluate", "").await.ok();
    let list = async |query: &str| {
        let mut found: Vec<Value> = Vec::new();
        let mut next = String::new();
        loop {
            let page =
                world.own("GET", &format!("/palisade/v1/audit?{query}{next}"), "").await.ok();
            found.extend(page["events"].as_array().unwrap().iter().cloned());
            match page.get("next") {
                Some(token) => next = format!("&next={}", token.as_str().unwrap()),
                None => return found,
            }
        }
    };
    let all = list("limit=100").await;
    assert_eq!(all.len(), 13, "organization, administrator, ten calls, evaluate");
    let mut places: Vec<u64> =
        all.iter().map(|event| event["sequence"].as_u64().unwrap()).collect();
    places.reverse();
    assert!(places.is_sorted_by(|one, next| one < next));
    assert_eq!(all[0]["operation"], "Evaluate");
    assert_eq!(all[0]["caller"], "operator");
    assert_eq!(all[0]["account"], Value::Null);
    assert_eq!(all[0]["at"], "2026-01-01T00:00:00Z");
    for limit in [1, 2, 12, 13, 14] {
        assert_eq!(list(&format!("limit={limit}")).await, all, "pages of {limit}");
    }
    let of = |operation: &str| -> Vec<Value> {
        all.iter().filter(|event| event["operation"] == operation).cloned().collect()
    };
    assert_eq!(list("limit=2&operation=PutPolicy").await, of("PutPolicy"));
    let acted = |event: &&Value| event["account"] == ADMIN;
    let admins: Vec<Value> = all.iter().filter(acted).cloned().collect();
    assert_eq!((admins.len(), list(&format!("limit=3&account={ADMIN}")).await), (10, admins));
    assert_eq!(list(&format!("account={ADMIN}&operation=Evaluate")).await, [] as [Value; 0]);
    let first = world.own("GET", "/palisade/v1/audit?limit=1", "").await.ok();
    let token = first["next"].as_str().unwrap();
    for (query, fragment) in [
        ("limit=0", "`limit` is 0"),
        ("limit=101", "give 1 to 100"),
        ("next=abc", "`next`"),
        (&format!("operation=PutPolicy&next={token}"), "`next`"),
        ("operation=ListPolicies", "`ListPolicies` is no operation that changes anything"),
        ("operation=putpolicy", "PutPolicy"),
        ("account=12%20", "query"),
        ("acount=1", "query"),
    ] {
        let answer = world.own("GET", &format!("/palisade/v1/audit?{query}"), "").await;
        answer.own_refuses(400, "InvalidInput", fragment);
    }
}
