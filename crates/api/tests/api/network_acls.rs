//! Policies on network ACLs that share subnets (semantics §4.7, §11 row 53).

use palisade_api::ControlView;
use palisade_core::ident::PolicyId;
use palisade_store::{Control, Due, Settlement, Work};
use serde_json::{Value, json};

use crate::world::*;

fn network_acl(name: &str, include: Value) -> Value {
    let entry = json!({"Protocol": "tcp", "PortRange": {"From": 22, "To": 22}, "RuleAction": "deny",
        "Egress": false, "CidrBlock": "0.0.0.0/0"});
    json!({"PolicyName": name, "ResourceType": "AWS::EC2::Subnet", "ExcludeResourceTags": false,
        "RemediationEnabled": false, "IncludeMap": include,
        "SecurityServicePolicyData": {"Type": "NETWORK_ACL_COMMON", "PolicyOption":
            {"NetworkAclCommonPolicy": {"NetworkAclEntrySet": {"FirstEntries": [entry],
                "ForceRemediateForFirstEntries": false, "ForceRemediateForLastEntries": false}}}}})
}

/// The policy as put anew with other members.
fn edited(put: &Value, more: Value) -> Value {
    let mut policy = put.clone();
    for (name, value) in more.as_object().unwrap() {
        policy[name] = value.clone();
    }
    policy
}

/// What became due since the last look: names of policies to be fanned out, and `account name` of each
/// mark under one policy.
fn due(world: &World) -> String {
    let control = world.store.control().unwrap();
    let name = |id: &PolicyId| control.policies[id].document.policy_name.clone();
    let mut due = Vec::new();
    for fan_out in world.store.fan_outs().unwrap() {
        due.push(name(&fan_out.policy));
        assert!(world.store.advance_fan_out(&fan_out, &[], None, 0).unwrap());
    }
    due.sort();
    world.clock.advance(10);
    for lease in world.store.lease(world.clock.now(), 1, 100).unwrap() {
        for mark in &lease.marks {
            match &mark.due {
                Due::Policy(id) => due.push(format!("{} {}", lease.shard.account, name(id))),
                other => panic!("{other:?}"),
            }
        }
        let settlement = Settlement {
            revision: Some(lease.revision),
            lease,
            evaluated_ms: NOW_MS,
            outcomes: Vec::new(),
            not_before_ms: None,
        };
        world.store.settle(&[settlement]).unwrap();
    }
    due.join(", ")
}

/// Of each policy the older ones with the accounts that they judge, by name.
fn elders(world: &World) -> Vec<String> {
    let view = ControlView::new(world.store.control().unwrap());
    let told = view.policies().map(|policy| {
        let elders = policy.elders.iter().map(|elder| {
            let accounts: Vec<&str> = elder.accounts.iter().map(|id| id.as_str()).collect();
            format!("{} [{}]", elder.name, accounts.join(" "))
        });
        format!("{}: {}", policy.name, elders.collect::<Vec<_>>().join(", "))
    });
    let mut told: Vec<String> = told.collect();
    told.sort();
    told
}

#[tokio::test]
async fn a_policy_is_judged_again_where_older_ones_come_to_hold_subnets_or_no_longer_do() {
    let world = World::new().await;
    let of = |accounts: &[&str]| json!({ "ACCOUNT": accounts });
    let one = world.put(network_acl("one", of(&[MEMBER]))).await;
    world.clock.advance(10);
    let two = world.put(network_acl("two", Value::Null)).await;
    world.clock.advance(10);
    world.put(audit("groups")).await;
    assert_eq!(due(&world), "groups, one, two");
    assert_eq!(
        elders(&world),
        ["groups: ".to_owned(), "one: ".into(), format!("two: one [{MEMBER}]")]
    );
    // A younger one changes nothing of an older one.
    let two = world.put(edited(&two, json!({"RemediationEnabled": true}))).await;
    assert_eq!(due(&world), "two");
    // Which accounts an older one judges concerns those.
    let one = world.put(edited(&one, json!({"IncludeMap": of(&[MEMBER, OTHER])}))).await;
    assert_eq!(due(&world), format!("one, {OTHER} two"));
    assert_eq!(elders(&world)[2], format!("two: one [{MEMBER} {OTHER}]"));
    let one = world.put(edited(&one, json!({"IncludeMap": of(&[LONER, OTHER])}))).await;
    assert_eq!(due(&world), format!("one, {MEMBER} two, {LONER} two"));
    // Which subnets, all of them.
    let tags = json!({"ResourceTags": [{"Key": "env", "Value": "prod"}]});
    let one = world.put(edited(&one, tags)).await;
    assert_eq!(due(&world), "one, two");
    // What an older one demands concerns nobody else.
    world.put(edited(&one, json!({"RemediationEnabled": true}))).await;
    assert_eq!(due(&world), "one");
    world.clock.advance(10);
    world.put(network_acl("three", Value::Null)).await;
    assert_eq!(due(&world), "three");
    world.admin("DeletePolicy", json!({"PolicyId": one["PolicyId"]})).await.ok();
    assert_eq!(due(&world), "three, two");
    world.admin("DeletePolicy", json!({"PolicyId": two["PolicyId"]})).await.ok();
    assert_eq!(due(&world), "three");
    assert_eq!(elders(&world)[1], "three: ");
}

#[tokio::test]
async fn what_an_older_policy_holds_follows_the_organization_and_its_owners_scope() {
    let world = World::new().await;
    let all = json!({
        "AccountScope": { "AllAccountsEnabled": true, "Accounts": [] },
        "OrganizationalUnitScope": { "AllOrganizationalUnitsEnabled": true, "OrganizationalUnits": [] },
        "RegionScope": { "AllRegionsEnabled": true, "Regions": [] },
        "PolicyTypeScope": { "AllPolicyTypesEnabled": true, "PolicyTypes": [] },
    });
    let grant = async |scope: &Value| {
        let input = json!({ "AdminAccount": OTHER, "AdminScope": scope });
        world.call(MANAGEMENT, HOME, "PutAdminAccount", input).await.ok();
    };
    grant(&all).await;
    let policy = network_acl("one", json!({ "ORG_UNIT": [PROD] }));
    world.call(OTHER, REGION, "PutPolicy", json!({ "Policy": policy })).await.ok();
    world.clock.advance(10);
    world.put(network_acl("two", Value::Null)).await;
    assert_eq!(due(&world), "one, two");
    assert_eq!(elders(&world)[1], format!("two: one [{MEMBER} {OTHER}]"));
    let mut moved = organization();
    moved["Accounts"][2]["ParentId"] = json!("r-abcd");
    world.apply(&moved).await.ok();
    assert_eq!(due(&world), format!("{MEMBER} one, {MEMBER} two"));
    assert_eq!(elders(&world)[1], format!("two: one [{OTHER}]"));
    world.apply(&organization()).await.ok();
    assert_eq!(due(&world), format!("{MEMBER} one, {MEMBER} two"));
    let mut narrow = all.clone();
    narrow["AccountScope"] = json!({ "AllAccountsEnabled": false, "Accounts": [MEMBER] });
    narrow.as_object_mut().unwrap().remove("OrganizationalUnitScope");
    grant(&narrow).await;
    assert_eq!(due(&world), format!("{OTHER} one, {OTHER} two"));
    assert_eq!(elders(&world)[1], format!("two: one [{MEMBER}]"));
    world.call(OTHER, HOME, "DisassociateAdminAccount", json!({})).await.ok();
    assert_eq!(due(&world), "two");
}

/// What the network ACLs of an account may still hold of earlier versions (semantics §5.11).
#[tokio::test]
async fn earlier_entries_of_a_policy_are_remembered_until_they_are_too_many() {
    let world = World::new().await;
    let mut policy = world.put(network_acl("one", Value::Null)).await;
    let known = || {
        let control = world.store.control().unwrap();
        let record = control.policies.values().next().unwrap().clone();
        record.known_entry_sets().map(<[_]>::len)
    };
    let port = |policy: &mut Value, port: u16| {
        let set =
            "/SecurityServicePolicyData/PolicyOption/NetworkAclCommonPolicy/NetworkAclEntrySet";
        let set = policy.pointer_mut(set).unwrap();
        set["FirstEntries"][0]["PortRange"] = json!({"From": port, "To": port});
    };
    assert_eq!(known(), Some(0));
    for edits in 1_u16..=52 {
        port(&mut policy, 1000 + edits);
        policy = world.put(policy).await;
        let wanted = (edits <= 50).then_some(usize::from(edits));
        assert_eq!(known(), wanted, "{edits}");
    }
}
