//! The organization: whole or not at all.

use std::sync::Arc;

use palisade_core::ident::{AccountId, OuId};
use palisade_core::organization::AccountStatus;
use palisade_sources::{Unread, read_organization};

use crate::answers::ACCOUNT;
use crate::fake::{Fake, Fault};
use crate::world::{World, client, target};

#[tokio::test]
async fn the_whole_tree_is_read_with_accounts_of_every_state() {
    let (fake, world) = (Fake::start().await, Arc::new(World::default()));
    let read = read_organization(&client(&fake, &world), &target("us-east-1")).await;
    let (organization, _) = read.unwrap();
    let account = |id: &str| &organization.accounts[&AccountId::try_from(id).unwrap()];
    for (id, parent, status) in [
        ("000000000001", "r-1", AccountStatus::Active),
        (ACCOUNT, "ou-2", AccountStatus::Active),
        ("000000000003", "ou-1", AccountStatus::Suspended),
        ("000000000004", "ou-1", AccountStatus::PendingActivation),
    ] {
        assert_eq!((&*account(id).parent, account(id).status), (parent, status), "{id}");
    }
    let units: Vec<&str> = organization.units.keys().map(OuId::as_str).collect();
    assert_eq!(units, ["ou-1", "ou-2", "ou-3"]);
    let ancestors = organization.ancestors(&AccountId::try_from(ACCOUNT).unwrap());
    assert_eq!(ancestors.iter().map(OuId::as_str).collect::<Vec<_>>(), ["ou-2", "ou-1"]);
    assert_eq!(organization.default_administrator.as_ref().map(AccountId::as_str), Some(ACCOUNT));
    assert_eq!(organization.judged_accounts().count(), 2);
}

#[tokio::test]
async fn a_call_that_fails_leaves_nothing() {
    let (fake, world) = (Fake::start().await, Arc::new(World::default()));
    let client = client(&fake, &world);
    read_organization(&client, &target("us-east-1")).await.unwrap();
    let calls = fake.asked();
    assert_eq!(calls.len(), 6, "{calls:?}");
    for call in &calls {
        let is_first = call == "organizations:DescribeOrganization";
        for fault in Fault::ALL.into_iter().filter(|fault| is_first || *fault != Fault::Stall) {
            fake.spoil(call, fault);
            let read = read_organization(&client, &target("us-east-1")).await;
            match read.unwrap_err() {
                Unread::Call(error) => {
                    assert_eq!(format!("{}:{}", error.service, error.action), *call);
                    assert_eq!(&*error.code, fault.code(), "{call} {fault:?}");
                }
                // An answer without its one object is refused as a whole.
                Unread::Told(why) => {
                    let is_head = call == "organizations:DescribeOrganization";
                    assert!(is_head && fault == Fault::Empty, "{call} {fault:?}: {why}");
                }
            }
        }
    }
    fake.heal();
    read_organization(&client, &target("us-east-1")).await.unwrap();
}

#[tokio::test]
async fn what_does_not_hang_together_is_refused() {
    let (fake, world) = (Fake::start().await, Arc::new(World::default()));
    let client = client(&fake, &world);
    let account = r#"{"Id": "111122223333", "Status": "ACTIVE", "Paths": ["o-1/r-1/"]}"#;
    let moved = r#"{"Accounts": [{"Id": "1", "Status": "ACTIVE", "Paths": ["o-1/r-1/ou-9/"]}]}"#;
    for (call, body) in [
        ("organizations:ListAccounts", moved.to_owned()),
        ("organizations:ListAccounts", format!(r#"{{"Accounts": [{account}, {account}]}}"#)),
        ("organizations:ListAccounts", format!(r#"{{"Accounts": [{account}]}}"#)),
        ("organizations:ListAccounts", r#"{"Accounts": [{"Name": "nobody"}]}"#.to_owned()),
        ("organizations:ListRoots", r#"{"Roots": []}"#.to_owned()),
    ] {
        fake.answer(call, &body);
        let read = read_organization(&client, &target("us-east-1")).await;
        assert!(matches!(read, Err(Unread::Told(_))), "{call} {body}");
    }
}
