//! One fault at one request of one call, each with each: the listing is whole and right, or an error that names
//! account, Region, call and code.

use std::sync::Arc;

use palisade_aws::{CallError, Client, Complete, Credentials, Reason, Role, calls, codes};
use serde_json::{Value, json};

use crate::fake::{Fake, Fault, ITEMS, PAGES, Plan};
use crate::world::{World, client_with, parameters, settings, target};

/// How often each call is tried in these tests.
const ATTEMPTS: u16 = 3;

/// A listing of each protocol: the call, and the path of a member's id.
static LISTINGS: [(&palisade_aws::Call, &str); 8] = [
    (&calls::DESCRIBE_VPCS, "VpcId"),
    (&calls::DESCRIBE_LOAD_BALANCERS, "LoadBalancerArn"),
    (&calls::LIST_ACCOUNTS, "Id"),
    (&calls::LIST_FIREWALLS, "FirewallArn"),
    (&calls::GET_REST_APIS, "id"),
    (&calls::GET_RESOURCE_SHARES, "resourceShareArn"),
    (&calls::LIST_OBJECTS, "Key"),
    (&calls::LIST_DISTRIBUTIONS, "Id"),
];

async fn read(
    client: &Client,
    account: &str,
    call: &'static palisade_aws::Call,
) -> Result<(Vec<Value>, Complete), CallError> {
    let bucket = if call.action == "ListObjectsV2" { json!({"Bucket": "logs"}) } else { json!({}) };
    client.list(&target(account, "eu-west-1"), call, parameters(bucket)).all(100).await
}

fn assert_whole(items: &[Value], complete: Complete, id: &str, what: &str) {
    let ids: Vec<&str> = items.iter().map(|item| item[id].as_str().unwrap()).collect();
    let expected: Vec<String> = (0..ITEMS).map(|place| format!("id-{place}")).collect();
    assert_eq!(ids, expected, "{what}");
    assert_eq!((complete.pages(), complete.items()), (PAGES, ITEMS as u64), "{what}");
}

/// What a fault that does not pass ends in.
fn expected(fault: Fault) -> (Reason, &'static [&'static str]) {
    match fault {
        Fault::Throttle => (Reason::Throttled, &["RequestLimitExceeded", "ThrottlingException"]),
        Fault::Deny => (Reason::Denied, &["UnauthorizedOperation", "AccessDeniedException"]),
        Fault::Expire => (Reason::Expired, &["ExpiredToken"]),
        Fault::OptIn => (Reason::NotEnabled, &["OptInRequired"]),
        Fault::ServerError => (Reason::Other, &["InternalFailure"]),
        Fault::BadGateway => (Reason::Other, &[codes::NO_CODE]),
        Fault::Stall => (Reason::Timeout, &[codes::FIRST_BYTE_TIMEOUT]),
        Fault::StallInBody => (Reason::Timeout, &[codes::ANSWER_TIMEOUT]),
        Fault::Cut | Fault::Reset => (Reason::Other, &[codes::CONNECTION_FAILED]),
        Fault::CutWithoutLength | Fault::Garbage | Fault::Empty | Fault::Other => {
            (Reason::Malformed, &[codes::MALFORMED_ANSWER])
        }
        Fault::RepeatToken => (Reason::Malformed, &[codes::PAGE_TOKEN_REPEATED]),
        Fault::TooLong => (Reason::Malformed, &[codes::ANSWER_TOO_LONG]),
    }
}

/// Whether a fault that happens once is got over.
fn passes(fault: Fault) -> bool {
    match fault {
        Fault::Throttle
        | Fault::Expire
        | Fault::ServerError
        | Fault::BadGateway
        | Fault::Stall
        | Fault::StallInBody
        | Fault::Cut
        | Fault::Reset => true,
        Fault::Deny
        | Fault::OptIn
        | Fault::CutWithoutLength
        | Fault::Garbage
        | Fault::Empty
        | Fault::Other
        | Fault::RepeatToken
        | Fault::TooLong => false,
    }
}

async fn check(fake: Fake, client: Client, number: usize, listing: usize, plan: Plan) {
    let (call, id) = LISTINGS[listing];
    let account = format!("{number:012}");
    let what = format!("{} {plan:?}", call.name());
    fake.plan(&account, &call.name(), plan);
    let outcome = read(&client, &account, call).await;
    if plan.times == 1 && passes(plan.fault) {
        let (items, complete) = outcome.unwrap_or_else(|error| panic!("{what}: {error}"));
        return assert_whole(&items, complete, id, &what);
    }
    // The first page has no token to repeat: it is the right page.
    if plan.fault == Fault::RepeatToken && plan.from == 0 && plan.times == 1 {
        let (items, complete) = outcome.unwrap_or_else(|error| panic!("{what}: {error}"));
        return assert_whole(&items, complete, id, &what);
    }
    let error = match outcome {
        Err(error) => error,
        Ok((items, complete)) => panic!("{what}: {complete:?} {items:?}"),
    };
    let (reason, codes) = expected(plan.fault);
    assert_eq!(error.reason, reason, "{what}: {error}");
    assert!(codes.contains(&&*error.code), "{what}: {error}");
    assert_eq!((&*error.account, &*error.region), (&*account, "eu-west-1"), "{what}");
    assert_eq!((error.service, error.action), (call.service.name(), call.action), "{what}");
    assert!(!error.message.is_empty(), "{what}");
    let told = error.to_string();
    for part in [&*account, "eu-west-1", &call.name(), &error.code] {
        assert!(told.contains(part), "{told}: {part}");
    }
    // And afterwards all is well again: nothing of the fault stays.
    fake.plan(&account, &call.name(), Plan { fault: plan.fault, from: 0, times: 0 });
    let (items, complete) =
        read(&client, &account, call).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_whole(&items, complete, id, &what);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_single_fault_makes_a_listing_look_complete() {
    let world = Arc::new(World::default());
    let fake = Fake::start(&world).await;
    let client =
        client_with(palisade_aws::Settings { attempts: ATTEMPTS, ..settings(&fake) }, &world);
    let mut running = tokio::task::JoinSet::new();
    let mut number = 0;
    for listing in 0..LISTINGS.len() {
        for fault in Fault::ALL {
            for from in 0..PAGES as usize {
                for times in [1, usize::MAX] {
                    number += 1;
                    let plan = Plan { fault, from, times };
                    running.spawn(check(fake.clone(), client.clone(), number, listing, plan));
                }
            }
        }
    }
    assert_eq!(number, 8 * 16 * 3 * 2);
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
}

/// The faults of a session's beginning: the call that wanted it says which account and Region could not be read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_cannot_begin_is_an_error_of_its_account() {
    let world = Arc::new(World::default());
    let fake = Fake::start(&world).await;
    let client =
        client_with(palisade_aws::Settings { attempts: ATTEMPTS, ..settings(&fake) }, &world);
    for (number, fault) in Fault::ALL.into_iter().enumerate() {
        if fault == Fault::RepeatToken {
            continue;
        }
        for times in [1, usize::MAX] {
            let (member, home) =
                (format!("4444{number:08}"), format!("9{}{number:010}", times.min(2)));
            let role = Role {
                arn: format!("arn:aws:iam::{member}:role/PalisadeReadOnly").into(),
                external_id: None,
                session_name: "palisade-test".into(),
                session_secs: 3600,
                session_policy: None,
                sts_region: "us-east-1".into(),
                of: target(&home, "us-east-1").credentials,
            };
            // The limits count for the account that is asked about, and so does a plan for who signs.
            fake.plan(&home, "sts:AssumeRole", Plan { fault, from: 0, times });
            let to = palisade_aws::Target {
                account: member.as_str().into(),
                region: "eu-west-1".into(),
                credentials: Credentials::role(role).unwrap(),
            };
            let outcome =
                client.list(&to, &calls::DESCRIBE_VPCS, parameters(json!({}))).all(100).await;
            let what = format!("{fault:?} {times}");
            if times == 1 && passes(fault) {
                let (items, complete) = outcome.unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_whole(&items, complete, "VpcId", &what);
                continue;
            }
            let error = outcome.expect_err(&what);
            assert_eq!(error.reason, expected(fault).0, "{what}: {error}");
            assert_eq!((&*error.account, &*error.region), (&*member, "eu-west-1"), "{what}");
            assert_eq!((error.service, error.action), ("sts", "AssumeRole"), "{what}");
            assert!(!error.code.is_empty(), "{what}");
        }
    }
}
