//! Sessions as a role: one for all who use it, renewed before its end, and begun anew when it ended early.

use std::sync::Arc;
use std::time::Duration;

use palisade_aws::{
    Credentials, ExternalId, InvalidRole, REFRESH_BEFORE, REFUSED_FOR, Reason, Role, SESSION_SECS,
    Target, account_of_role, calls,
};
use serde_json::json;

use crate::fake::{Fake, Fault, Plan};
use crate::world::{World, client, keys, parameters, target};

const HOME: &str = "999988887777";
const MEMBER: &str = "111122223333";

fn role() -> Role {
    Role {
        arn: format!("arn:aws:iam::{MEMBER}:role/PalisadeReadOnly").into(),
        external_id: Some(ExternalId("id-of-this-installation".into())),
        session_name: "palisade-node-1".into(),
        session_secs: 3600,
        session_policy: None,
        sts_region: "eu-central-1".into(),
        of: Credentials::fixed(keys(HOME)),
    }
}

fn member(role: Role) -> Target {
    Target {
        account: MEMBER.into(),
        region: "eu-west-1".into(),
        credentials: Credentials::role(role).unwrap(),
    }
}

async fn vpcs(
    client: &palisade_aws::Client,
    to: &Target,
) -> Result<usize, palisade_aws::CallError> {
    client
        .list(to, &calls::DESCRIBE_VPCS, parameters(json!({})))
        .all(100)
        .await
        .map(|(items, _)| items.len())
}

#[tokio::test]
async fn a_role_is_asked_for_once_with_its_external_id_in_its_region() {
    let world = Arc::new(World::default());
    let fake = Fake::start(&world).await;
    let client = client(&fake, &world);
    fake.ask_for_external_id("id-of-this-installation");
    let to = member(role());
    let (first, second) = tokio::join!(vpcs(&client, &to), vpcs(&client, &to));
    assert_eq!((first.unwrap(), second.unwrap()), (7, 7));
    let asked: Vec<_> =
        fake.seen().into_iter().filter(|seen| seen.action == "AssumeRole").collect();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].region, "eu-central-1");
    assert_eq!(asked[0].parameters["RoleSessionName"], "palisade-node-1");
    assert_eq!(asked[0].parameters["DurationSeconds"], "3600");
    let signed = fake.seen().into_iter().filter(|seen| seen.action == "DescribeVpcs");
    assert!(
        signed.into_iter().all(|seen| seen.key.starts_with("ASIA") && seen.region == "eu-west-1")
    );
}

#[tokio::test]
async fn a_session_is_renewed_before_its_end() {
    let world = Arc::new(World::default());
    let fake = Fake::start(&world).await;
    let client = client(&fake, &world);
    let to = member(role());
    vpcs(&client, &to).await.unwrap();
    world.pass(Duration::from_secs(3600) - REFRESH_BEFORE - Duration::from_secs(1));
    vpcs(&client, &to).await.unwrap();
    assert_eq!(fake.count("sts:AssumeRole"), 1);
    world.pass(Duration::from_secs(1));
    vpcs(&client, &to).await.unwrap();
    assert_eq!(fake.count("sts:AssumeRole"), 2);
}

#[tokio::test]
async fn a_session_that_cannot_be_renewed_serves_to_its_end() {
    let world = Arc::new(World::default());
    let fake = Fake::start(&world).await;
    let client = client(&fake, &world);
    let to = member(role());
    vpcs(&client, &to).await.unwrap();
    fake.plan(HOME, "sts:AssumeRole", Plan { fault: Fault::Deny, from: 1, times: usize::MAX });
    world.pass(Duration::from_secs(3500));
    vpcs(&client, &to).await.unwrap();
    world.pass(Duration::from_secs(101));
    let error = vpcs(&client, &to).await.unwrap_err();
    assert_eq!(
        (error.reason, error.action, &*error.account),
        (Reason::Denied, "AssumeRole", MEMBER)
    );
    assert_eq!(&*error.region, "eu-west-1", "the Region that could not be read");
}

#[tokio::test]
async fn a_session_that_ended_early_is_begun_anew() {
    let world = Arc::new(World::default());
    let fake = Fake::start(&world).await;
    let client = client(&fake, &world);
    let to = member(role());
    vpcs(&client, &to).await.unwrap();
    fake.end_sessions();
    assert_eq!(vpcs(&client, &to).await.unwrap(), 7);
    assert_eq!(fake.count("sts:AssumeRole"), 2);
}

#[tokio::test]
async fn a_refusal_is_heard_once_in_a_while() {
    let world = Arc::new(World::default());
    let fake = Fake::start(&world).await;
    let client = client(&fake, &world);
    fake.ask_for_external_id("another");
    let to = member(role());
    let first = vpcs(&client, &to).await.unwrap_err();
    assert_eq!((first.reason, &*first.code), (Reason::Denied, "AccessDenied"));
    assert!(first.message.contains("sts:AssumeRole"), "{first}");
    assert_eq!(vpcs(&client, &to).await.unwrap_err(), first);
    assert_eq!(fake.count("sts:AssumeRole"), 1);
    fake.ask_for_external_id("id-of-this-installation");
    world.pass(REFUSED_FOR);
    assert_eq!(vpcs(&client, &to).await.unwrap(), 7);
}

#[tokio::test]
async fn a_session_may_begin_from_a_session() {
    let world = Arc::new(World::default());
    let fake = Fake::start(&world).await;
    let client = client(&fake, &world);
    let hub = Role { arn: format!("arn:aws:iam::{HOME}:role/Hub").into(), ..role() };
    let to = member(Role { of: Credentials::role(hub).unwrap(), ..role() });
    assert_eq!(vpcs(&client, &to).await.unwrap(), 7);
    let keys: Vec<String> = fake
        .seen()
        .into_iter()
        .filter(|seen| seen.action == "AssumeRole")
        .map(|seen| seen.key)
        .collect();
    assert!(keys[0].starts_with("AKIA") && keys[1].starts_with(&format!("ASIA{HOME}")), "{keys:?}");
}

#[test]
fn roles_that_aws_would_refuse_are_refused() {
    let refused = |role: Role| Credentials::role(role).map(|_| ()).unwrap_err();
    for arn in [
        "role/X",
        "arn:aws:iam::1:role/X",
        "arn:aws:iam::111122223333:user/X",
        "arn:aws:iam::111122223333:role/",
    ] {
        assert_eq!(refused(Role { arn: arn.into(), ..role() }), InvalidRole::Arn(arn.into()));
    }
    for name in ["x", "a b", &"x".repeat(65)] {
        assert_eq!(
            refused(Role { session_name: name.into(), ..role() }),
            InvalidRole::SessionName(name.into())
        );
    }
    for seconds in [SESSION_SECS.start() - 1, SESSION_SECS.end() + 1] {
        assert_eq!(
            refused(Role { session_secs: seconds, ..role() }),
            InvalidRole::SessionSecs(seconds)
        );
    }
    for id in ["x", "a b", &"x".repeat(1225)] {
        assert_eq!(
            refused(Role { external_id: Some(ExternalId(id.into())), ..role() }),
            InvalidRole::ExternalId
        );
    }
    for name in ["xx", &"x".repeat(64)] {
        assert!(Credentials::role(Role { session_name: name.into(), ..role() }).is_ok());
    }
    for seconds in [*SESSION_SECS.start(), *SESSION_SECS.end()] {
        assert!(Credentials::role(Role { session_secs: seconds, ..role() }).is_ok());
    }
    for id in ["xx", &"x".repeat(1224)] {
        assert!(
            Credentials::role(Role { external_id: Some(ExternalId(id.into())), ..role() }).is_ok()
        );
    }
    assert_eq!(account_of_role("arn:aws-cn:iam::111122223333:role/path/X"), Some("111122223333"));
}

#[tokio::test]
async fn nothing_prints_a_secret() {
    let world = Arc::new(World::default());
    let fake = Fake::start(&world).await;
    let client = client(&fake, &world);
    let to = member(Role { external_id: Some(ExternalId("external-secret".into())), ..role() });
    vpcs(&client, &to).await.unwrap();
    let keys = client.keys(&to).await.unwrap();
    fake.plan(MEMBER, "ec2:DescribeVpcs", Plan { fault: Fault::Deny, from: 0, times: usize::MAX });
    let error = vpcs(&client, &to).await.unwrap_err();
    let fixed = target(HOME, "eu-west-1");
    let printed = format!(
        "{to:?} {keys:?} {error:?} {error} {client:?} {fixed:?} {:?}",
        ExternalId("external-secret".into())
    );
    for secret in ["secret-of-", "session-secret-", "session-token-", "external-secret"] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
    assert!(printed.contains("ASIA"), "the public id is shown, so that a reader can find it");
}
