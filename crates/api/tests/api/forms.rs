//! The order of every list, and the form of every id, ARN and token. That whole answers keep the
//! model is checked wherever tests call.

use std::collections::{BTreeMap, BTreeSet};

use palisade_api::operations::OPERATIONS;
use serde_json::{Value, json};

use crate::resource_sets::delivered;
use crate::world::*;

/// Two objects of one moment, one older, one younger: in order of moment and then id, whatever
/// their names.
fn by_age<'v>(made: &'v [(i64, Value)], id: &str) -> Vec<&'v Value> {
    let mut ordered: Vec<(i64, &Value)> =
        made.iter().map(|(at, object)| (*at, &object[id])).collect();
    ordered.sort_by_key(|(at, id)| (*at, id.to_string()));
    ordered.into_iter().map(|(_, id)| id).collect()
}

/// Lists that an operation answers, each with the member that tells its elements apart, in the
/// order in which they must come.
async fn ordered(world: &World, operation: &str) -> (Value, &'static str, Vec<Value>) {
    let mut made = Vec::new();
    let names = ["m", "z", "a", "k", "b"];
    for (n, name) in names.into_iter().enumerate() {
        // Moments: 0 ms, three times 1 ms, 2 ms.
        if n == 1 || n == 4 {
            world.clock.advance(1);
        }
        let (put, member, list) = match operation {
            "ListPolicies" => ("PutPolicy", "Policy", audit(name)),
            "ListAppsLists" => (
                "PutAppsList",
                "AppsList",
                json!({ "ListName": name, "AppsList": [{ "AppName": "a", "Protocol": "tcp", "Port": 1 }] }),
            ),
            "ListProtocolsLists" => (
                "PutProtocolsList",
                "ProtocolsList",
                json!({ "ListName": name, "ProtocolsList": ["tcp"] }),
            ),
            _ => (
                "PutResourceSet",
                "ResourceSet",
                json!({ "Name": name, "ResourceTypeList": ["AWS::NetworkFirewall::Firewall"] }),
            ),
        };
        let answer = world.admin(put, json!({ member: list })).await.ok();
        made.push((world.clock.now(), answer[member].clone()));
    }
    let of = |id: &str| by_age(&made, id).into_iter().cloned().collect::<Vec<_>>();
    match operation {
        "ListPolicies" => (json!({}), "PolicyList", of("PolicyId")),
        "ListAppsLists" => (json!({}), "AppsLists", of("ListId")),
        "ListProtocolsLists" => (json!({}), "ProtocolsLists", of("ListId")),
        "ListResourceSets" => (json!({}), "ResourceSets", of("Id")),
        "ListMemberAccounts" => {
            let accounts = [MANAGEMENT, ADMIN, MEMBER, OTHER, LONER, SUSPENDED];
            (json!({}), "MemberAccounts", accounts.map(Value::from).to_vec())
        }
        "ListComplianceStatus" => {
            let id = world.put_audit("judged").await;
            let accounts = [MANAGEMENT, ADMIN, MEMBER, OTHER, LONER];
            for account in [OTHER, MEMBER, LONER] {
                world.judge(&id, account, Found::violators(1));
            }
            let expected = accounts.map(Value::from).to_vec();
            (json!({ "PolicyId": id }), "PolicyComplianceStatusList", expected)
        }
        "ListResourceSetResources" => {
            let id = made[0].1["Id"].clone();
            let arn =
                |name: &str| format!("arn:aws:network-firewall:{REGION}:{MEMBER}:firewall/{name}");
            for batch in [["y", "x"], ["c", "b"], ["x", "a"]] {
                world.clock.advance(1);
                let items: Vec<String> = batch.into_iter().map(arn).collect();
                let input = json!({ "ResourceSetIdentifier": id, "Items": items });
                world.admin("BatchAssociateResource", input).await.ok();
            }
            let expected = ["x", "y", "b", "c", "a"].map(|name| json!(arn(name))).to_vec();
            (json!({ "Identifier": id }), "Items", expected)
        }
        "ListTagsForResource" => {
            let arn = format!(
                "arn:aws:fms:{REGION}:{ADMIN}:resource-set/{}",
                made[0].1["Id"].as_str().unwrap()
            );
            let tags =
                ["b", "B", "a", "é", "10", "9"].map(|key| json!({ "Key": key, "Value": "" }));
            let input = json!({ "ResourceArn": arn, "TagList": tags });
            world.admin("TagResource", input).await.ok();
            let expected = ["10", "9", "B", "a", "b", "é"].map(Value::from).to_vec();
            (json!({ "ResourceArn": arn }), "TagList", expected)
        }
        "ListAdminAccountsForOrganization" | "ListAdminsManagingAccount" => {
            let everything = json!({ "AccountScope": { "AllAccountsEnabled": true } });
            for (whom, after_ms) in [(OTHER, 1), (MEMBER, 0), (MANAGEMENT, 1)] {
                world.clock.advance(after_ms);
                let input = json!({ "AdminAccount": whom, "AdminScope": everything });
                world.call(MANAGEMENT, HOME, "PutAdminAccount", input).await.ok();
            }
            let expected = [ADMIN, MEMBER, OTHER, MANAGEMENT].map(Value::from).to_vec();
            (json!({}), "AdminAccounts", expected)
        }
        "ListDiscoveredResources" => {
            delivered(world, MEMBER, &["y", "b", "x"]);
            let input = json!({ "MemberAccountIds": [MEMBER],
                "ResourceType": "AWS::NetworkFirewall::Firewall" });
            (input, "Items", ["b", "x", "y"].map(Value::from).to_vec())
        }
        "ListThirdPartyFirewallFirewallPolicies" => {
            let input = json!({ "ThirdPartyFirewall": "PALO_ALTO_NETWORKS_CLOUD_NGFW" });
            (input, "ThirdPartyFirewallFirewallPolicies", Vec::new())
        }
        other => panic!("{other} has no order in this table"),
    }
}

/// The member of an element that tells it apart; `None` when elements are texts.
fn key(operation: &str) -> Option<&'static str> {
    match operation {
        "ListPolicies" => Some("PolicyId"),
        "ListAppsLists" | "ListProtocolsLists" => Some("ListId"),
        "ListResourceSets" => Some("Id"),
        "ListComplianceStatus" => Some("MemberAccount"),
        "ListResourceSetResources" => Some("URI"),
        "ListDiscoveredResources" => Some("Name"),
        "ListTagsForResource" => Some("Key"),
        "ListAdminAccountsForOrganization" => Some("AdminAccount"),
        _ => None,
    }
}

#[tokio::test]
async fn every_list_has_its_order_whatever_the_size_of_pages() {
    for row in OPERATIONS.iter().filter(|row| row.operation.name().starts_with("List")) {
        let operation = row.operation.name();
        let world = World::new().await;
        let (input, member, expected) = ordered(&world, operation).await;
        let (who, region) = match operation {
            "ListAdminAccountsForOrganization" => (MANAGEMENT, HOME),
            "ListAdminsManagingAccount" => (LONER, REGION),
            _ => (ADMIN, REGION),
        };
        let sizes: &[i32] = if operation == "ListTagsForResource" { &[0] } else { &[1, 2, 3, 100] };
        for size in sizes {
            let mut found = Vec::new();
            let mut asked = input.clone();
            if *size > 0 {
                asked["MaxResults"] = json!(size);
            }
            loop {
                let page = world.call(who, region, operation, asked.clone()).await.ok();
                let elements = page[member].as_array().unwrap();
                found.extend(elements.iter().map(|element| match key(operation) {
                    Some(key) => element[key].clone(),
                    None => element.clone(),
                }));
                let Some(token) = page.get("NextToken") else { break };
                assert_eq!(elements.len(), usize::try_from(*size).unwrap(), "{operation}");
                asked["NextToken"] = token.clone();
            }
            assert_eq!(found, expected, "{operation} in pages of {size}");
        }
    }
}

#[tokio::test]
async fn violators_come_by_type_and_id_and_failed_items_as_they_were_asked() {
    let world = World::new().await;
    let id = world.put_audit("one").await;
    world.judge(&id, MEMBER, Found::violators(3));
    let detail = json!({ "PolicyId": id, "MemberAccount": MEMBER });
    let detail = world.admin("GetComplianceDetail", detail).await.ok();
    let violators = detail["PolicyComplianceDetail"]["Violators"].as_array().unwrap();
    let ids: Vec<&str> = violators.iter().map(|v| v["ResourceId"].as_str().unwrap()).collect();
    assert_eq!(ids, ["sg-00000", "sg-00001", "sg-00002"]);
    let set = json!({ "ResourceSet": {
        "Name": "set", "ResourceTypeList": ["AWS::NetworkFirewall::Firewall"] } });
    let set = world.admin("PutResourceSet", set).await.ok()["ResourceSet"]["Id"].clone();
    for operation in ["BatchAssociateResource", "BatchDisassociateResource"] {
        let input = json!({ "ResourceSetIdentifier": set, "Items": ["z", "a", "m"] });
        let failed = world.admin(operation, input).await.ok()["FailedItems"].clone();
        let uris: Vec<&Value> =
            failed.as_array().unwrap().iter().map(|item| &item["URI"]).collect();
        assert_eq!(uris, ["z", "a", "m"], "{operation}");
    }
}

/// Whether a text has the form of `pattern`: `x` is a lower-case hexadecimal digit, `b` a letter or
/// digit, `+` a character of base64, `9` a decimal digit, all else itself.
fn has_form(text: &str, pattern: &str) -> bool {
    text.len() == pattern.len()
        && text.chars().zip(pattern.chars()).all(|(found, wanted)| match wanted {
            'x' => found.is_ascii_digit() || ('a'..='f').contains(&found),
            'b' => found.is_ascii_alphanumeric(),
            '+' => found.is_ascii_alphanumeric() || found == '+' || found == '/',
            '9' => found.is_ascii_digit(),
            other => found == other,
        })
}

const UUID: &str = "xxxxxxxx-xxxx-4xxx-xxxx-xxxxxxxxxxxx";

#[tokio::test]
async fn every_id_arn_and_token_has_the_form_of_awss() {
    for (partition, home, region) in
        [("aws", HOME, REGION), ("aws-us-gov", "us-gov-west-1", "us-gov-east-1")]
    {
        let world = World::with(|settings| settings.partition = partition.to_owned());
        world.apply(&organization()).await.ok();
        let associate = json!({ "AdminAccount": ADMIN });
        world.call(MANAGEMENT, home, "AssociateAdminAccount", associate).await.ok();
        let call =
            |operation: &'static str, input: Value| world.call(ADMIN, region, operation, input);
        let base62 = "b".repeat(22);
        let token = format!("1:{}==", "+".repeat(22));
        let app = json!({ "AppName": "a", "Protocol": "tcp", "Port": 1 });
        for (put, member, object, id, id_form, kind, token_member) in [
            ("PutPolicy", "Policy", audit("one"), "PolicyId", UUID, "policy", "PolicyUpdateToken"),
            (
                "PutAppsList",
                "AppsList",
                json!({ "ListName": "l", "AppsList": [app] }),
                "ListId",
                UUID,
                "applications-list",
                "ListUpdateToken",
            ),
            (
                "PutProtocolsList",
                "ProtocolsList",
                json!({ "ListName": "l", "ProtocolsList": ["tcp"] }),
                "ListId",
                UUID,
                "protocols-list",
                "ListUpdateToken",
            ),
            (
                "PutResourceSet",
                "ResourceSet",
                json!({ "Name": "s", "ResourceTypeList": ["AWS::NetworkFirewall::Firewall"] }),
                "Id",
                base62.as_str(),
                "resource-set",
                "UpdateToken",
            ),
        ] {
            let mut seen = BTreeMap::new();
            for _ in 0..8 {
                let answer = call(put, json!({ member: object })).await;
                let request = answer.headers["x-amzn-requestid"].to_str().unwrap();
                assert!(has_form(request, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"), "{request}");
                let answer = answer.ok();
                let text = |member: &str| answer[member].as_str().unwrap().to_owned();
                let (known, given) = (&answer[member][id], &answer[member][token_member]);
                let (known, given) = (known.as_str().unwrap(), given.as_str().unwrap());
                assert!(has_form(known, id_form), "{put}: {known}");
                assert!(has_form(given, &token), "{put}: {given}");
                let arn = text(&format!("{member}Arn"));
                assert_eq!(arn, format!("arn:{partition}:fms:{region}:{ADMIN}:{kind}/{known}"));
                seen.insert(known.to_owned(), given.to_owned());
            }
            let tokens: BTreeSet<&String> = seen.values().collect();
            assert_eq!((seen.len(), tokens.len()), (8, 8), "{put}: none is given twice");
        }
        let listed = call("ListPolicies", json!({ "MaxResults": 1 })).await.ok();
        let next = listed["NextToken"].as_str().unwrap();
        let opaque = |c: char| c.is_ascii_alphanumeric() || "_.:/=+-@".contains(c);
        assert!(!next.is_empty() && next.len() <= 4096 && next.chars().all(opaque), "{next}");
        for (operation, member) in
            [("ListAppsLists", "AppsLists"), ("ListProtocolsLists", "ProtocolsLists")]
        {
            let input = json!({ "MaxResults": 100, "DefaultLists": true });
            let lists = call(operation, input).await.ok()[member].clone();
            for list in lists.as_array().unwrap() {
                let known = list["ListId"].as_str().unwrap();
                assert!(has_form(known, &UUID.replace('4', "x")), "{known}");
                let arn = list["ListArn"].as_str().unwrap();
                assert!(
                    arn.starts_with(&format!("arn:{partition}:fms:{region}:{ADMIN}:")),
                    "{arn}"
                );
                assert!(arn.ends_with(&format!("-list/{known}")), "{arn}");
            }
        }
    }
}
