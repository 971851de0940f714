use palisade_core::scope::AdminScope;
use palisade_store::{Administrator, Control, ControlChange, ControlState};
use serde_json::json;

use crate::world::*;

/// Makes an additional administrator, which no operation does yet.
fn add_administrator(world: &World, account_id: &str) {
    let ControlState { revision, .. } = world.store.control().unwrap();
    let administrator = Administrator::additional(NOW_MS + 1, AdminScope::full());
    let change = ControlChange::PutAdministrator(account(account_id), administrator);
    world.store.commit(revision, &[change], NOW_MS).unwrap();
}

#[tokio::test]
async fn the_management_account_associates_the_default_administrator_once() {
    let world = World::organized().await;
    let associate = |who: &'static str, whom: &'static str| {
        world.call(who, HOME, "AssociateAdminAccount", json!({ "AdminAccount": whom }))
    };
    let (kind, text) = associate(MEMBER, ADMIN).await.fault();
    assert_eq!(kind, "InvalidOperationException");
    assert_eq!(
        text,
        format!(
            "{MEMBER} is not the management account of the Organization but trying to AssociateAdmin, Organization management account is {MANAGEMENT}"
        )
    );
    associate(MANAGEMENT, STRANGER)
        .await
        .refuses("InvalidInputException", "is not in the organization");
    let answer = associate(MANAGEMENT, ADMIN).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    // Clients poll so until the role is READY, and some a little longer.
    for (after_ms, accepted) in [(0, true), (59_999, true), (1, false), (1, false)] {
        world.clock.advance(after_ms);
        let answer = associate(MANAGEMENT, ADMIN).await;
        match accepted {
            true => assert_eq!((answer.status, answer.text.as_str()), (200, "")),
            false => {
                answer.refuses("InvalidOperationException", "is the default administrator already")
            }
        }
    }
    associate(MANAGEMENT, MEMBER)
        .await
        .refuses("InvalidOperationException", "must disassociate itself before");
}

#[tokio::test]
async fn the_management_account_may_be_the_administrator_itself() {
    let world = World::organized().await;
    let input = json!({ "AdminAccount": MANAGEMENT });
    world.call(MANAGEMENT, HOME, "AssociateAdminAccount", input).await.ok();
    let answer = world.call(MANAGEMENT, HOME, "GetAdminAccount", json!({})).await.ok();
    assert_eq!(answer, json!({ "AdminAccount": MANAGEMENT, "RoleStatus": "READY" }));
}

#[tokio::test]
async fn an_organization_above_the_quota_is_not_onboarded() {
    let world = World::with(|settings| settings.quotas.accounts_max = Some(5));
    world.apply(&organization()).await.ok();
    let input = json!({ "AdminAccount": ADMIN });
    let answer = world.call(MANAGEMENT, HOME, "AssociateAdminAccount", input).await;
    answer.refuses("LimitExceededException", "has 6 accounts and the quota is 5");
}

#[tokio::test]
async fn get_admin_account_tells_who_it_is_to_those_who_may_know() {
    let world = World::organized().await;
    let get = |who: &'static str| world.call(who, HOME, "GetAdminAccount", json!({}));
    for who in [MANAGEMENT, MEMBER, STRANGER] {
        get(who).await.refuses("ResourceNotFoundException", "no default administrator");
    }
    world
        .call(MANAGEMENT, HOME, "AssociateAdminAccount", json!({ "AdminAccount": ADMIN }))
        .await
        .ok();
    for who in [MANAGEMENT, ADMIN] {
        assert_eq!(get(who).await.ok(), json!({ "AdminAccount": ADMIN, "RoleStatus": "READY" }));
    }
    for who in [MEMBER, STRANGER] {
        let (kind, text) = get(who).await.fault();
        assert_eq!(kind, "AccessDeniedException");
        assert_eq!(text, format!("Account: {who} is not currently delegated by AWS FM."));
    }
}

#[tokio::test]
async fn administrator_operations_are_answered_in_the_home_region_alone() {
    let world = World::new().await;
    for (operation, input) in [
        ("AssociateAdminAccount", json!({ "AdminAccount": ADMIN })),
        ("DisassociateAdminAccount", json!({})),
        ("GetAdminAccount", json!({})),
        ("GetAdminScope", json!({ "AdminAccount": ADMIN })),
        ("ListAdminAccountsForOrganization", json!({})),
        ("PutAdminAccount", json!({ "AdminAccount": ADMIN })),
    ] {
        let (kind, text) = world.call(MANAGEMENT, "eu-west-1", operation, input).await.fault();
        assert_eq!(kind, "InvalidOperationException", "{operation}");
        assert_eq!(text, "This operation is not supported in the 'eu-west-1' region.");
    }
    let world = World::settled(|_| {}).await;
    world.call(ADMIN, "eu-west-1", "ListMemberAccounts", json!({})).await.ok();
}

#[tokio::test]
async fn the_home_region_is_that_of_the_partition() {
    let world = World::with(|settings| settings.partition = "aws-us-gov".into());
    world.apply(&organization()).await.ok();
    let input = json!({ "AdminAccount": ADMIN });
    let call = |region: &'static str| {
        world.call(MANAGEMENT, region, "AssociateAdminAccount", input.clone())
    };
    call("us-east-1").await.refuses("InvalidOperationException", "'us-east-1'");
    call("us-gov-west-1").await.ok();
}

#[tokio::test]
async fn members_are_listed_ascending_page_by_page() {
    let world = World::new().await;
    let all = json!([MANAGEMENT, ADMIN, MEMBER, OTHER, LONER, SUSPENDED]);
    for who in [ADMIN, MANAGEMENT] {
        let answer = world.call(who, REGION, "ListMemberAccounts", json!({})).await.ok();
        assert_eq!(answer, json!({ "MemberAccounts": all }), "no NextToken on the last page");
    }
    for size in 1..=7 {
        let paged = world.pages("ListMemberAccounts", json!({}), "MemberAccounts", size).await;
        assert_eq!(json!(paged), all, "pages of {size}");
    }
    let denied = world.call(MEMBER, REGION, "ListMemberAccounts", json!({})).await;
    denied.refuses(
        "AccessDeniedException",
        "Operation ListMemberAccounts is only available to AWS Firewall Manager Administrators.",
    );
}

#[tokio::test]
async fn revoking_the_default_administrator_removes_its_policies() {
    let world = World::new().await;
    let id = world.put_audit("one").await;
    add_administrator(&world, MEMBER);
    let revoke = |who: &'static str| world.call(who, HOME, "DisassociateAdminAccount", json!({}));
    revoke(ADMIN).await.refuses(
        "InvalidOperationException",
        "every other administrator must disassociate itself first",
    );
    let denied = revoke(OTHER).await;
    denied.refuses(
        "AccessDeniedException",
        &format!("Account: {OTHER} is not currently delegated by AWS FM."),
    );
    revoke(MEMBER).await.ok();
    world.admin("GetPolicy", json!({ "PolicyId": id })).await.ok();
    revoke(ADMIN).await.ok();
    assert!(world.store.control().unwrap().policies.is_empty());
    let gone = world.call(MANAGEMENT, HOME, "GetAdminAccount", json!({})).await;
    gone.refuses("ResourceNotFoundException", "no default administrator");
    let text = format!("No default admin could be found for account {ADMIN}");
    assert_eq!(revoke(ADMIN).await.fault(), ("AccessDeniedException".into(), text));
}

#[tokio::test]
async fn administrators_are_listed_with_the_default_one_first() {
    let world = World::organized().await;
    let list = || world.call(MANAGEMENT, HOME, "ListAdminAccountsForOrganization", json!({}));
    let (kind, text) = list().await.fault();
    assert_eq!(kind, "InvalidOperationException");
    assert_eq!(text, "No default admin could be found for organization o-palisade01");
    world
        .call(MANAGEMENT, HOME, "AssociateAdminAccount", json!({ "AdminAccount": OTHER }))
        .await
        .ok();
    add_administrator(&world, MEMBER);
    let answer = list().await.ok();
    assert_eq!(
        answer,
        json!({ "AdminAccounts": [
            { "AdminAccount": OTHER, "DefaultAdmin": true, "Status": "ONBOARDING_COMPLETE" },
            { "AdminAccount": MEMBER, "DefaultAdmin": false, "Status": "ONBOARDING_COMPLETE" },
        ]})
    );
    let denied = world.call(MEMBER, HOME, "ListAdminAccountsForOrganization", json!({})).await;
    denied.refuses("AccessDeniedException", "only available to the management account");
}

#[tokio::test]
async fn a_member_learns_who_manages_it() {
    let world = World::organized().await;
    let list = |who: &'static str| world.call(who, REGION, "ListAdminsManagingAccount", json!({}));
    let (kind, text) = list(MEMBER).await.fault();
    assert_eq!(
        (kind.as_str(), text.as_str()),
        ("ResourceNotFoundException", "The referenced item does not exist.")
    );
    world
        .call(MANAGEMENT, HOME, "AssociateAdminAccount", json!({ "AdminAccount": ADMIN }))
        .await
        .ok();
    assert_eq!(list(MEMBER).await.ok(), json!({ "AdminAccounts": [ADMIN] }));
    list(STRANGER).await.refuses("AccessDeniedException", "is not a member of the Organization");
}

#[tokio::test]
async fn the_default_administrators_scope_is_everything() {
    let world = World::new().await;
    let get = |who: &'static str, whom: &'static str| {
        world.call(who, HOME, "GetAdminScope", json!({ "AdminAccount": whom }))
    };
    let answer = get(ADMIN, ADMIN).await.ok();
    assert_eq!(answer["Status"], "ONBOARDING_COMPLETE");
    let scope = &answer["AdminScope"];
    assert_eq!(scope["AccountScope"]["AllAccountsEnabled"], true);
    assert_eq!(scope["OrganizationalUnitScope"]["AllOrganizationalUnitsEnabled"], true);
    assert_eq!(scope["RegionScope"]["AllRegionsEnabled"], true);
    assert_eq!(scope["PolicyTypeScope"]["AllPolicyTypesEnabled"], true);
    assert_eq!(get(MANAGEMENT, ADMIN).await.ok(), answer);
    get(MANAGEMENT, MEMBER).await.refuses("ResourceNotFoundException", "is not an administrator");
    get(MEMBER, ADMIN).await.refuses("AccessDeniedException", "Operation GetAdminScope");
}
