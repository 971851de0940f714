use palisade_core::scope::AdminScope;
use serde_json::{Value, json};

use crate::world::*;

/// The least input that each built operation of administrators takes.
fn input(operation: &str) -> Value {
    let id = "00000000-0000-4000-8000-000000000000";
    match operation {
        "PutPolicy" => json!({ "Policy": audit("one") }),
        "GetPolicy" | "DeletePolicy" | "ListComplianceStatus" => json!({ "PolicyId": id }),
        "GetComplianceDetail" => json!({ "PolicyId": id, "MemberAccount": MEMBER }),
        "PutAppsList" => {
            json!({ "AppsList": { "ListName": "web", "AppsList": [{ "AppName": "a", "Protocol": "tcp", "Port": 80 }] } })
        }
        "PutProtocolsList" => {
            json!({ "ProtocolsList": { "ListName": "p", "ProtocolsList": ["tcp"] } })
        }
        "GetAppsList" | "GetProtocolsList" | "DeleteAppsList" | "DeleteProtocolsList" => {
            json!({ "ListId": id })
        }
        "ListAppsLists" | "ListProtocolsLists" => json!({ "MaxResults": 10 }),
        "TagResource" => json!({ "ResourceArn": "arn", "TagList": [] }),
        "UntagResource" => json!({ "ResourceArn": "arn", "TagKeys": [] }),
        "ListTagsForResource" => json!({ "ResourceArn": "arn" }),
        _ => json!({}),
    }
}

const GETS_AND_LISTS: &[&str] = &[
    "GetPolicy",
    "ListPolicies",
    "GetComplianceDetail",
    "ListComplianceStatus",
    "GetAppsList",
    "GetProtocolsList",
    "ListAppsLists",
    "ListProtocolsLists",
    "ListTagsForResource",
];
const CHANGES: &[&str] = &[
    "PutPolicy",
    "DeletePolicy",
    "PutAppsList",
    "DeleteAppsList",
    "PutProtocolsList",
    "DeleteProtocolsList",
    "TagResource",
    "UntagResource",
];

#[tokio::test]
async fn before_any_administrator_there_is_no_default_admin() {
    let world = World::organized().await;
    for operation in GETS_AND_LISTS.iter().chain(CHANGES).chain(&["ListMemberAccounts"]) {
        for who in [MANAGEMENT, MEMBER, STRANGER] {
            let answer = world.call(who, REGION, operation, input(operation)).await;
            let text = format!("No default admin could be found for account {who}");
            assert_eq!(answer.fault(), ("AccessDeniedException".into(), text), "{operation}");
            assert_eq!(answer.status, 400);
        }
    }
}

#[tokio::test]
async fn accounts_that_are_no_administrators_are_refused_in_awss_words() {
    let world = World::new().await;
    for who in [MANAGEMENT, MEMBER, SUSPENDED, STRANGER] {
        for operation in GETS_AND_LISTS {
            let answer = world.call(who, REGION, operation, input(operation)).await;
            let text = format!(
                "Operation {operation} is only available to AWS Firewall Manager Administrators."
            );
            assert_eq!(answer.fault(), ("AccessDeniedException".into(), text));
        }
        for operation in CHANGES {
            let answer = world.call(who, REGION, operation, input(operation)).await;
            let text = format!("Account: {who} is not currently delegated by AWS FM.");
            assert_eq!(answer.fault(), ("AccessDeniedException".into(), text), "{operation}");
        }
    }
    assert!(world.store_is_untouched());
}

impl World {
    fn store_is_untouched(&self) -> bool {
        use palisade_store::Control;
        let control = self.store.control().unwrap();
        control.policies.is_empty() && control.lists.is_empty()
    }
}

#[tokio::test]
async fn the_operator_acts_as_the_default_administrator() {
    let world = World::new().await;
    let id = world.put_audit("one").await;
    let answer =
        world.call("AKIAOPERATOR", REGION, "GetPolicy", json!({ "PolicyId": id })).await.ok();
    assert_eq!(answer["Policy"]["PolicyName"], "one");
    let unsigned = axum::http::Request::post("/")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "AWSFMS_20180101.GetAdminAccount")
        .body("{}".into())
        .unwrap();
    assert_eq!(world.send(unsigned).await.ok()["AdminAccount"], ADMIN);
}

#[tokio::test]
async fn the_operator_acts_as_the_management_account_while_there_is_no_administrator() {
    let world = World::organized().await;
    let input = json!({ "AdminAccount": ADMIN });
    world.call("AKIAOPERATOR", HOME, "AssociateAdminAccount", input).await.ok();
}

#[tokio::test]
async fn without_an_organization_the_operator_is_told_what_to_do() {
    let world = World::empty();
    let answer = world.call("AKIAOPERATOR", REGION, "ListPolicies", json!({})).await;
    answer.refuses("AccessDeniedException", "No default admin could be found for account");
    answer.refuses("AccessDeniedException", "palisade organization apply");
    let answer = world.call(MEMBER, REGION, "ListPolicies", json!({})).await;
    let text = format!("No default admin could be found for account {MEMBER}");
    assert_eq!(answer.fault(), ("AccessDeniedException".into(), text));
}

#[tokio::test]
async fn another_administrators_objects_do_not_exist() {
    use palisade_store::{Administrator, Control, ControlChange};
    let world = World::new().await;
    let policy = world.put_audit("one").await;
    let list = world.admin("PutAppsList", input("PutAppsList")).await.ok()["AppsList"]["ListId"]
        .as_str()
        .unwrap()
        .to_owned();
    let revision = world.store.control_revision().unwrap();
    let administrator = Administrator::additional(NOW_MS, AdminScope::full());
    let change = ControlChange::PutAdministrator(account(OTHER), administrator);
    world.store.commit(revision, &[change], NOW_MS).unwrap();
    let absent = "00000000-0000-4000-8000-000000000000";
    for (who, region) in [(OTHER, REGION), (ADMIN, "eu-west-2")] {
        for (operation, member, id) in [
            ("GetPolicy", "PolicyId", &policy),
            ("DeletePolicy", "PolicyId", &policy),
            ("ListComplianceStatus", "PolicyId", &policy),
            ("GetAppsList", "ListId", &list),
            ("DeleteAppsList", "ListId", &list),
        ] {
            let foreign = world.call(who, region, operation, json!({ member: id })).await.fault();
            let missing =
                world.call(who, region, operation, json!({ member: absent })).await.fault();
            assert_eq!(foreign.0, "ResourceNotFoundException", "{operation}");
            assert_eq!(foreign.1.replace(id.as_str(), absent), missing.1, "{operation}");
        }
        let none = world.call(who, region, "ListPolicies", json!({})).await.ok();
        assert_eq!(none, json!({ "PolicyList": [] }));
        let none = world.call(who, region, "ListAppsLists", json!({ "MaxResults": 5 })).await.ok();
        assert_eq!(none, json!({ "AppsLists": [] }));
    }
}
