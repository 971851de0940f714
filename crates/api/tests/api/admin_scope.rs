use palisade_store::{Control, Work};
use serde_json::{Value, json};

use crate::world::*;

fn everything() -> Value {
    json!({
        "AccountScope": { "AllAccountsEnabled": true, "Accounts": [], "ExcludeSpecifiedAccounts": false },
        "OrganizationalUnitScope": { "AllOrganizationalUnitsEnabled": true, "OrganizationalUnits": [],
            "ExcludeSpecifiedOrganizationalUnits": false },
        "RegionScope": { "AllRegionsEnabled": true, "Regions": [] },
        "PolicyTypeScope": { "AllPolicyTypesEnabled": true, "PolicyTypes": [] },
    })
}

fn with(part: &str, value: Value) -> Value {
    let mut scope = everything();
    scope[part] = value;
    scope
}

/// Everything but for accounts: these.
fn over(accounts: &[&str]) -> Value {
    let mut scope = everything();
    scope["AccountScope"] = json!({ "Accounts": accounts, "AllAccountsEnabled": false, "ExcludeSpecifiedAccounts": false });
    scope.as_object_mut().unwrap().remove("OrganizationalUnitScope");
    scope
}

async fn grant(world: &World, whom: &str, scope: Value) -> Answer {
    let input = json!({ "AdminAccount": whom, "AdminScope": scope });
    world.call(MANAGEMENT, HOME, "PutAdminAccount", input).await
}

async fn scope_of(world: &World, whom: &str) -> Value {
    let input = json!({ "AdminAccount": whom });
    world.call(MANAGEMENT, HOME, "GetAdminScope", input).await.ok()["AdminScope"].clone()
}

#[tokio::test]
async fn a_scope_is_read_back_as_it_was_put_and_replaced_whole() {
    let world = World::new().await;
    for scope in [
        everything(),
        over(&[OTHER, MEMBER]),
        with(
            "AccountScope",
            json!({ "Accounts": [MEMBER], "AllAccountsEnabled": false, "ExcludeSpecifiedAccounts": true }),
        ),
        with(
            "RegionScope",
            json!({ "Regions": ["eu-west-1", "af-south-1"], "AllRegionsEnabled": false }),
        ),
        with(
            "PolicyTypeScope",
            json!({ "PolicyTypes": ["WAFV2", "WAF"], "AllPolicyTypesEnabled": false }),
        ),
        json!({}),
    ] {
        grant(&world, OTHER, scope.clone()).await.ok();
        assert_eq!(scope_of(&world, OTHER).await, scope);
    }
}

#[tokio::test]
async fn a_scope_that_cannot_be_is_refused() {
    let world = World::new().await;
    for (scope, fragment) in [
        (
            with("AccountScope", json!({ "Accounts": [MEMBER], "AllAccountsEnabled": true })),
            "All-flag",
        ),
        (
            with("AccountScope", json!({ "Accounts": [STRANGER] })),
            "`999999999999` in `AccountScope.Accounts`",
        ),
        (
            with("OrganizationalUnitScope", json!({ "OrganizationalUnits": ["ou-abcd-none0001"] })),
            "`ou-abcd-none0001`",
        ),
        (
            with("RegionScope", json!({ "Regions": ["eu-west-1"], "AllRegionsEnabled": true })),
            "All-flag",
        ),
        (
            with(
                "PolicyTypeScope",
                json!({ "PolicyTypes": ["WAF"], "AllPolicyTypesEnabled": true }),
            ),
            "All-flag",
        ),
        (
            with("RegionScope", json!({ "Regions": ["eu-west-1", "us-nowhere-9"] })),
            "`us-nowhere-9` in `RegionScope.Regions` is not a Region",
        ),
        (
            with("PolicyTypeScope", json!({ "PolicyTypes": ["WAF", "THIRD_PARTY_FIREWALL"] })),
            "the default administrator alone has third-party firewalls",
        ),
    ] {
        grant(&world, OTHER, scope).await.refuses("InvalidInputException", fragment);
    }
    let twice = json!({ "Regions": ["eu-west-1", "ap-southeast-2", "eu-west-1"] });
    grant(&world, LONER, with("RegionScope", twice)).await.ok();
    assert_eq!(
        scope_of(&world, LONER).await["RegionScope"]["Regions"],
        json!(["eu-west-1", "ap-southeast-2"]),
        "each Region once"
    );
    world.call(LONER, HOME, "DisassociateAdminAccount", json!({})).await.ok();
    grant(&world, STRANGER, everything())
        .await
        .refuses("InvalidInputException", "not in the organization");
    grant(&world, ADMIN, everything()).await.ok();
    grant(&world, ADMIN, over(&[MEMBER]))
        .await
        .refuses("InvalidInputException", "always everything");
    let bare = json!({ "AdminAccount": OTHER });
    let answer = world.call(MANAGEMENT, HOME, "PutAdminAccount", bare).await;
    answer.refuses("InvalidInputException", "`AdminScope` is missing");
    assert_eq!(world.store.control().unwrap().administrators.len(), 1);
    let world = World::organized().await;
    let (kind, text) = grant(&world, OTHER, everything()).await.fault();
    assert_eq!(kind, "InvalidOperationException");
    assert_eq!(text, "No default admin could be found for organization o-palisade01");
}

#[tokio::test]
async fn there_are_so_many_administrators_and_no_more() {
    let world = World::settled(|settings| settings.quotas.administrators_max = 3).await;
    grant(&world, MEMBER, everything()).await.ok();
    grant(&world, OTHER, everything()).await.ok();
    let answer = grant(&world, LONER, everything()).await;
    answer.refuses("LimitExceededException", "has 3 administrators and the quota is 3");
    grant(&world, OTHER, over(&[])).await.ok();
    world.call(OTHER, HOME, "DisassociateAdminAccount", json!({})).await.ok();
    grant(&world, LONER, everything()).await.ok();
}

#[tokio::test]
async fn a_policy_judges_those_accounts_that_its_owner_manages() {
    let world = World::new().await;
    grant(&world, OTHER, everything()).await.ok();
    let input = json!({ "Policy": audit("mine") });
    let put = world.call(OTHER, REGION, "PutPolicy", input).await.ok();
    let id = put["Policy"]["PolicyId"].clone();
    let judged = async || {
        let input = json!({ "PolicyId": id });
        let answer = world.call(OTHER, REGION, "ListComplianceStatus", input).await.ok();
        let rows = answer["PolicyComplianceStatusList"].as_array().unwrap().clone();
        json!(rows.into_iter().map(|row| row["MemberAccount"].clone()).collect::<Vec<_>>())
    };
    assert_eq!(judged().await, json!([MANAGEMENT, ADMIN, MEMBER, OTHER, LONER]));
    let fan_out = world.store.fan_outs().unwrap().remove(0);
    world.store.advance_fan_out(&fan_out, &[], None, NOW_MS).unwrap();
    for (scope, want) in [
        (over(&[MEMBER, SUSPENDED]), json!([MEMBER])),
        (
            with("AccountScope", json!({ "Accounts": [] })),
            json!([MANAGEMENT, ADMIN, MEMBER, OTHER, LONER]),
        ),
        (
            json!({ "OrganizationalUnitScope": { "OrganizationalUnits": [PROD] } }),
            json!([MEMBER, OTHER]),
        ),
        (
            json!({ "AccountScope": { "Accounts": [MEMBER, LONER], "ExcludeSpecifiedAccounts": true } }),
            json!([MANAGEMENT, ADMIN, OTHER]),
        ),
        (json!({}), json!([])),
    ] {
        let before = judged().await;
        let work = |world: &World| {
            let leases = world.store.lease(world.clock.now(), 1, 100).unwrap();
            json!(leases.iter().map(|lease| lease.shard.account.to_string()).collect::<Vec<_>>())
        };
        grant(&world, OTHER, scope).await.ok();
        assert_eq!(judged().await, want);
        // Exactly those that came or went are judged again.
        let changed: Vec<Value> = [MANAGEMENT, ADMIN, MEMBER, OTHER, LONER]
            .iter()
            .map(|account| json!(account))
            .filter(|account| {
                before.as_array().unwrap().contains(account)
                    != want.as_array().unwrap().contains(account)
            })
            .collect();
        assert_eq!(work(&world), json!(changed));
        world.clock.advance(10);
        for lease in world.store.lease(world.clock.now(), 1, 100).unwrap() {
            let settlement = palisade_store::Settlement {
                revision: Some(lease.revision),
                lease,
                evaluated_ms: NOW_MS,
                outcomes: Vec::new(),
                not_before_ms: None,
            };
            world.store.settle(&[settlement]).unwrap();
        }
    }
    let members = world.call(OTHER, REGION, "ListMemberAccounts", json!({})).await.ok();
    assert_eq!(members, json!({ "MemberAccounts": [] }));
    grant(&world, OTHER, over(&[LONER])).await.ok();
    let members = world.call(OTHER, REGION, "ListMemberAccounts", json!({})).await.ok();
    assert_eq!(members, json!({ "MemberAccounts": [LONER] }));
    for (who, managers) in [(LONER, json!([ADMIN, OTHER])), (MEMBER, json!([ADMIN]))] {
        let answer = world.call(who, REGION, "ListAdminsManagingAccount", json!({})).await.ok();
        assert_eq!(answer, json!({ "AdminAccounts": managers }));
    }
}

#[tokio::test]
async fn what_leaves_the_scope_is_read_only_and_returns_with_it() {
    let world = World::new().await;
    grant(&world, OTHER, everything()).await.ok();
    let call = |operation: &'static str, input: Value| world.call(OTHER, REGION, operation, input);
    let policy = call("PutPolicy", json!({ "Policy": audit("mine") })).await.ok();
    let (id, arn) = (policy["Policy"]["PolicyId"].clone(), policy["PolicyArn"].clone());
    let set = json!({ "ResourceSet": { "Name": "s", "ResourceTypeList": ["AWS::NetworkFirewall::Firewall"] } });
    let set = call("PutResourceSet", set).await.ok()["ResourceSet"]["Id"].clone();
    let status = async || {
        let got = call("GetPolicy", json!({ "PolicyId": id })).await.ok();
        let listed = call("ListPolicies", json!({})).await.ok();
        assert_eq!(got["Policy"]["PolicyStatus"], listed["PolicyList"][0]["PolicyStatus"]);
        let of_set = call("GetResourceSet", json!({ "Identifier": set })).await.ok();
        let sets = call("ListResourceSets", json!({})).await.ok();
        assert_eq!(
            of_set["ResourceSet"]["ResourceSetStatus"],
            sets["ResourceSets"][0]["ResourceSetStatus"]
        );
        (got["Policy"]["PolicyStatus"].clone(), of_set["ResourceSet"]["ResourceSetStatus"].clone())
    };
    let types = with("PolicyTypeScope", json!({ "PolicyTypes": ["WAFV2"] }));
    let regions = with("RegionScope", json!({ "Regions": ["eu-north-1"] }));
    let out = "OUT_OF_ADMIN_SCOPE";
    for (scope, of_policy, of_set, fragment) in [
        (types, out, "ACTIVE", out),
        (regions, out, out, "Region `eu-west-1` is outside the AdminScope"),
    ] {
        grant(&world, OTHER, scope).await.ok();
        assert_eq!(status().await, (json!(of_policy), json!(of_set)));
        let tags = json!({ "ResourceArn": arn, "TagList": [{ "Key": "a", "Value": "b" }] });
        for (operation, input) in [
            ("PutPolicy", json!({ "Policy": policy["Policy"] })),
            ("DeletePolicy", json!({ "PolicyId": id })),
            ("TagResource", tags),
        ] {
            call(operation, input).await.refuses("InvalidOperationException", fragment);
        }
        let another = call("PutPolicy", json!({ "Policy": audit("more") })).await;
        another.refuses("InvalidOperationException", "AdminScope");
        if of_set == out {
            let delete = call("DeleteResourceSet", json!({ "Identifier": set })).await;
            delete.refuses("InvalidOperationException", fragment);
        }
    }
    grant(&world, OTHER, everything()).await.ok();
    let got = call("GetPolicy", json!({ "PolicyId": id })).await.ok();
    assert_eq!(got["Policy"]["PolicyStatus"], "ACTIVE");
    call("DeletePolicy", json!({ "PolicyId": id })).await.ok();
}

#[tokio::test]
async fn onboarding_and_offboarding_are_seen_while_they_last() {
    let world = World::with(|settings| settings.onboarding_ms = 5_000);
    world.apply(&organization()).await.ok();
    let management =
        |operation: &'static str, input: Value| world.call(MANAGEMENT, HOME, operation, input);
    let associate = || management("AssociateAdminAccount", json!({ "AdminAccount": ADMIN }));
    let get = async || management("GetAdminAccount", json!({})).await.ok();
    let revoke = || world.call(ADMIN, HOME, "DisassociateAdminAccount", json!({}));
    associate().await.ok();
    assert_eq!(get().await, json!({ "AdminAccount": ADMIN, "RoleStatus": "CREATING" }));
    // Terraform asks again and again until the role is READY.
    associate().await.ok();
    world.clock.advance(1);
    associate().await.ok();
    world.clock.advance(-1);
    let listed = management("ListAdminAccountsForOrganization", json!({})).await.ok();
    assert_eq!(listed["AdminAccounts"][0]["Status"], "ONBOARDING");
    let (kind, text) = revoke().await.fault();
    assert_eq!(kind, "InvalidOperationException");
    assert_eq!(
        text,
        format!(
            "Failed to offboard AWS Account {ADMIN} as an AWS Firewall Manager administrator account. Your AWS Organization is currently onboarding with AWS Firewall Manager and cannot be offboarded."
        )
    );
    world.clock.advance(4_999);
    assert_eq!(get().await["RoleStatus"], "CREATING");
    world.clock.advance(1);
    assert_eq!(get().await["RoleStatus"], "READY");
    world.clock.advance(59_999);
    associate().await.ok();
    world.clock.advance(1);
    associate().await.refuses("InvalidOperationException", "is the default administrator already");
    // Associated while the clock was ahead: that time is not waited for.
    world.clock.advance(-3_600_000);
    assert_eq!(get().await["RoleStatus"], "READY");
    world.clock.advance(3_600_000);
    let listed = management("ListAdminAccountsForOrganization", json!({})).await.ok();
    assert_eq!(listed["AdminAccounts"][0]["Status"], "ONBOARDING_COMPLETE");
    revoke().await.ok();
    assert_eq!(get().await, json!({ "AdminAccount": ADMIN, "RoleStatus": "DELETING" }));
    let (kind, text) = associate().await.fault();
    assert_eq!(kind, "InvalidOperationException");
    assert_eq!(
        text,
        "Your AWS Organization is currently offboarding with AWS Firewall Manager. Please submit onboard request after offboarded."
    );
    world.clock.advance(5_000);
    management("GetAdminAccount", json!({}))
        .await
        .refuses("ResourceNotFoundException", "no default administrator");
    associate().await.ok();
    assert_eq!(get().await["RoleStatus"], "CREATING");
}

#[tokio::test]
async fn revoking_an_additional_administrator_removes_its_policies_alone() {
    let world = World::new().await;
    let kept = world.put_audit("kept").await;
    grant(&world, OTHER, everything()).await.ok();
    for region in [REGION, "eu-north-1"] {
        world.call(OTHER, region, "PutPolicy", json!({ "Policy": audit("gone") })).await.ok();
    }
    world.call(OTHER, HOME, "DisassociateAdminAccount", json!({})).await.ok();
    let left: Vec<String> =
        world.store.control().unwrap().policies.into_keys().map(String::from).collect();
    assert_eq!(left, [kept]);
}

#[tokio::test]
async fn a_scope_is_put_again_although_what_it_lists_has_vanished() {
    let world = World::new().await;
    grant(&world, OTHER, over(&[MEMBER, LONER])).await.ok();
    let mut file = organization();
    file["Accounts"].as_array_mut().unwrap().retain(|account| account["Id"] != LONER);
    world.apply(&file).await.ok();
    let held = scope_of(&world, OTHER).await;
    grant(&world, OTHER, held).await.ok();
    let unknown = grant(&world, OTHER, over(&[STRANGER])).await;
    unknown.refuses("InvalidInputException", "is not known to the organization");
    grant(&world, OTHER, over(&[MEMBER])).await.ok();
    let gone = grant(&world, OTHER, over(&[LONER])).await;
    gone.refuses("InvalidInputException", "is not known to the organization");
}

#[tokio::test]
async fn third_party_policies_are_the_default_administrators_alone() {
    let world = World::new().await;
    grant(&world, OTHER, everything()).await.ok();
    let policy = json!({
        "PolicyName": "ngfw",
        "SecurityServicePolicyData": {
            "Type": "THIRD_PARTY_FIREWALL",
            "ManagedServiceData": "{\"type\":\"THIRD_PARTY_FIREWALL\",\"thirdPartyFirewall\":\"PALO_ALTO_NETWORKS_CLOUD_NGFW\",\"thirdPartyFirewallConfig\":{\"thirdPartyFirewallPolicyList\":[\"global-1\"]},\"firewallDeploymentModel\":{\"distributedFirewallDeploymentModel\":{\"distributedFirewallOrchestrationConfig\":{\"firewallCreationConfig\":{\"endpointLocation\":{\"availabilityZoneConfigList\":[{\"availabilityZoneName\":\"eu-west-1a\"}]}},\"allowedIPV4CidrList\":[]}}}}",
        },
        "ResourceType": "AWS::EC2::VPC",
        "ExcludeResourceTags": false,
        "RemediationEnabled": false,
    });
    let firewall = json!({ "ThirdPartyFirewall": "PALO_ALTO_NETWORKS_CLOUD_NGFW" });
    let input = json!({ "Policy": policy });
    let answer = world.call(OTHER, REGION, "PutPolicy", input.clone()).await;
    answer.refuses("InvalidOperationException", "type THIRD_PARTY_FIREWALL are outside");
    let (_, text) = answer.fault();
    assert!(text.contains("the default administrator alone has them"), "{text}");
    let states = async |status: &str, marketplace: &str| {
        let found =
            world.admin("GetThirdPartyFirewallAssociationStatus", firewall.clone()).await.ok();
        assert_eq!(found["ThirdPartyFirewallStatus"], status);
        assert_eq!(found["MarketplaceOnboardingStatus"], marketplace);
    };
    states("NOT_EXIST", "NO_SUBSCRIPTION").await;
    let gone = world.admin("DisassociateThirdPartyFirewall", firewall.clone()).await;
    gone.refuses("ResourceNotFoundException", "is not associated");
    let made = world.admin("AssociateThirdPartyFirewall", firewall.clone()).await.ok();
    assert_eq!(made, json!({ "ThirdPartyFirewallStatus": "ONBOARDING" }));
    let again = world.admin("AssociateThirdPartyFirewall", firewall.clone()).await;
    again.refuses("InvalidOperationException", "already");
    states("ONBOARDING", "NOT_COMPLETE").await;
    let id = world.admin("PutPolicy", input).await.ok()["Policy"]["PolicyId"].clone();
    let used = world.admin("DisassociateThirdPartyFirewall", firewall.clone()).await;
    used.refuses("InvalidOperationException", "delete it first");
    let mut list = firewall.clone();
    list["MaxResults"] = json!(5);
    let policies = world.admin("ListThirdPartyFirewallFirewallPolicies", list).await.ok();
    assert_eq!(policies, json!({ "ThirdPartyFirewallFirewallPolicies": [] }));
    world.admin("DeletePolicy", json!({ "PolicyId": id })).await.ok();
    let gone = world.admin("DisassociateThirdPartyFirewall", firewall.clone()).await.ok();
    assert_eq!(gone, json!({ "ThirdPartyFirewallStatus": "OFFBOARDING" }));
    states("OFFBOARD_COMPLETE", "NO_SUBSCRIPTION").await;
    // Revoking the default administrator ends what it associated.
    world.admin("AssociateThirdPartyFirewall", firewall.clone()).await.ok();
    for who in [OTHER, ADMIN] {
        world.call(who, HOME, "DisassociateAdminAccount", json!({})).await.ok();
    }
    let default = json!({ "AdminAccount": ADMIN });
    world.call(MANAGEMENT, HOME, "AssociateAdminAccount", default).await.ok();
    states("OFFBOARD_COMPLETE", "NO_SUBSCRIPTION").await;
}
