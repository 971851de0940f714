//! Calls and listings that go right, and the few that go wrong in a way of their own.

use std::sync::Arc;
use std::time::Duration;

use palisade_aws::{CallError, Reason, Settings, Step, calls, codes};
use serde_json::json;

use crate::fake::{Fake, Fault, ITEMS, Plan};
use crate::world::{World, client, client_with, keys, parameters, settings, target};

const ACCOUNT: &str = "111122223333";

#[tokio::test]
async fn a_listing_comes_page_by_page_and_ends_as_complete() {
    let world = Arc::new(World::default());
    let fake = Fake::start(&world).await;
    let client = client(&fake, &world);
    let mut listing = client.list(
        &target(ACCOUNT, "eu-west-1"),
        &calls::LIST_DISTRIBUTIONS,
        parameters(json!({})),
    );
    let mut sizes = Vec::new();
    let complete = loop {
        match listing.next().await.unwrap() {
            Step::Page(page) => {
                assert_eq!(
                    page.rest["DistributionList"]["Quantity"],
                    json!(page.items.len()),
                    "what else the answer has"
                );
                sizes.push(page.items.len());
            }
            Step::Complete(complete) => break complete,
        }
    };
    assert_eq!(sizes, [3, 3, 1]);
    assert_eq!((complete.pages(), complete.items()), (3, ITEMS as u64));
    assert!(matches!(listing.next().await, Ok(Step::Complete(again)) if again == complete));
    let sizes: Vec<_> =
        fake.seen().iter().map(|seen| seen.parameters.get("MaxItems").cloned()).collect();
    assert_eq!(sizes, vec![Some("100".to_owned()); 3], "each page asks for AWS's greatest");
}

#[tokio::test]
async fn a_listing_that_failed_stays_failed() {
    let world = Arc::new(World::default());
    let fake = Fake::start(&world).await;
    let client = client(&fake, &world);
    fake.plan(ACCOUNT, "ec2:DescribeVpcs", Plan { fault: Fault::Deny, from: 1, times: 1 });
    let mut listing =
        client.list(&target(ACCOUNT, "eu-west-1"), &calls::DESCRIBE_VPCS, parameters(json!({})));
    assert!(matches!(listing.next().await, Ok(Step::Page(_))));
    let first = listing.next().await.unwrap_err();
    assert_eq!(first.reason, Reason::Denied);
    assert_eq!(listing.next().await.unwrap_err(), first, "though AWS would answer the page now");
    assert_eq!(fake.count("ec2:DescribeVpcs"), 2);
}

#[tokio::test]
async fn a_listing_without_pages_is_complete_at_once_and_may_be_empty() {
    let world = Arc::new(World::default());
    let fake = Fake::start(&world).await;
    let client = client(&fake, &world);
    let to = target(ACCOUNT, "eu-west-1");
    for call in [&calls::DESCRIBE_ADDRESSES, &calls::RECEIVE_MESSAGE] {
        let (items, complete) = client.list(&to, call, parameters(json!({}))).all(0).await.unwrap();
        assert_eq!((items.len(), complete.pages(), complete.items()), (0, 1, 0), "{}", call.name());
    }
}

#[tokio::test]
async fn limits_of_a_listing_are_kept() {
    let world = Arc::new(World::default());
    let fake = Fake::start(&world).await;
    let client = client(&fake, &world);
    let list = |most: usize| {
        client
            .list(&target(ACCOUNT, "eu-west-1"), &calls::LIST_ACCOUNTS, parameters(json!({})))
            .all(most)
    };
    assert_eq!(list(ITEMS).await.unwrap().0.len(), ITEMS);
    let error = list(ITEMS - 1).await.unwrap_err();
    assert_eq!((error.reason, &*error.code), (Reason::Other, codes::ANSWER_TOO_LONG));
    let error = client
        .list(&target(ACCOUNT, "eu-west-1"), &calls::GET_WEB_ACL, parameters(json!({})))
        .next()
        .await
        .unwrap_err();
    assert_eq!(
        (&*error.code, &*error.message),
        (codes::INVALID_REQUEST, "the call answers no list")
    );
}

#[tokio::test]
async fn answers_without_a_body_to_read_are_their_headers() {
    let world = Arc::new(World::default());
    let fake = Fake::start(&world).await;
    let client = client(&fake, &world);
    let to = target(ACCOUNT, "eu-west-1");
    let object = parameters(json!({"Bucket": "logs", "Key": "a/b.json.gz"}));
    let head = client.call(&to, &calls::HEAD_OBJECT, &object).await.unwrap();
    assert_eq!((&head["etag"], &head["content-length"]), (&json!("\"e\""), &json!("8")));
    let blob = client.fetch(&to, &calls::GET_OBJECT, &object, 8).await.unwrap();
    assert_eq!(
        (blob.body.as_slice(), &blob.headers["content-length"]),
        (b"contents".as_slice(), &json!("8"))
    );
    assert_eq!(
        client
            .call(&to, &calls::DELETE_MESSAGE, &parameters(json!({"QueueUrl": "q"})))
            .await
            .unwrap(),
        json!({})
    );
    let identity =
        client.call(&to, &calls::GET_CALLER_IDENTITY, &parameters(json!({}))).await.unwrap();
    assert_eq!(identity, json!({"Account": ACCOUNT, "Arn": "arn"}));
}

#[tokio::test]
async fn a_wrong_clock_is_corrected_once_and_for_all() {
    for hours in [-2, 2] {
        let world = Arc::new(World::wrong_by(hours * 3_600_000));
        let fake = Fake::start(&world).await;
        let client = client(&fake, &world);
        let to = target(ACCOUNT, "eu-west-1");
        for _ in 0..2 {
            client.call(&to, &calls::DESCRIBE_ADDRESSES, &parameters(json!({}))).await.unwrap();
        }
        assert_eq!(
            fake.count("ec2:DescribeAddresses"),
            2,
            "the refused one is not counted, and there was one"
        );
        assert_eq!(world.elapsed_ms(), 0, "nobody waited");
    }
}

#[tokio::test]
async fn a_wrong_key_is_denied_and_not_tried_again() {
    let world = Arc::new(World::default());
    let fake = Fake::start(&world).await;
    let client = client(&fake, &world);
    let mut to = target(ACCOUNT, "eu-west-1");
    let wrong =
        palisade_aws::Keys { secret: palisade_aws::Secret::new("another"), ..keys(ACCOUNT) };
    to.credentials = palisade_aws::Credentials::fixed(wrong);
    let error = client.call(&to, &calls::DESCRIBE_VPCS, &parameters(json!({}))).await.unwrap_err();
    assert_eq!(
        (error.reason, &*error.code, error.attempts),
        (Reason::Denied, "InvalidSignatureException", 1)
    );
    assert_eq!(error.request_id.as_deref(), Some("req-2"));
}

#[tokio::test]
async fn throttled_calls_slow_down_and_waits_grow() {
    let world = Arc::new(World::default());
    let fake = Fake::start(&world).await;
    let client = client_with(Settings { attempts: 4, ..settings(&fake) }, &world);
    let to = target(ACCOUNT, "eu-west-1");
    assert_eq!(client.pace_milli(&to, &calls::DESCRIBE_VPCS), 500);
    fake.plan(
        ACCOUNT,
        "ec2:DescribeVpcs",
        Plan { fault: Fault::Throttle, from: 0, times: usize::MAX },
    );
    let error = client.call(&to, &calls::DESCRIBE_VPCS, &parameters(json!({}))).await.unwrap_err();
    assert_eq!((error.reason, error.attempts), (Reason::Throttled, 4));
    // Waits of at least 125, 250 and 500 ms, and at most twice as much; and as long for a token of an empty bucket.
    let waited = world.elapsed_ms();
    assert!((875..=2800).contains(&waited), "{waited}");
    let pace = client.pace_milli(&to, &calls::DESCRIBE_VPCS);
    assert!(pace <= 250, "{pace}");
    assert_eq!(
        client.pace_milli(&target(ACCOUNT, "us-east-1"), &calls::DESCRIBE_VPCS),
        500,
        "another Region does not"
    );
    world.pass(Duration::from_secs(300));
    assert_eq!(client.pace_milli(&to, &calls::DESCRIBE_VPCS), 500, "time gives it back");
}

#[tokio::test]
async fn the_rate_of_a_call_is_kept_on_the_clock() {
    let world = Arc::new(World::default());
    let fake = Fake::start(&world).await;
    let client = client(&fake, &world);
    let to = target(ACCOUNT, "eu-west-1");
    // Half of a burst of 50 and of 10 a second.
    for _ in 0..35 {
        client.call(&to, &calls::DESCRIBE_ADDRESSES, &parameters(json!({}))).await.unwrap();
    }
    assert_eq!(world.elapsed_ms(), 2000);
}

#[tokio::test]
async fn a_call_that_cannot_be_sent_says_so() {
    let world = Arc::new(World::default());
    let fake = Fake::start(&world).await;
    let client = client(&fake, &world);
    let to = target(ACCOUNT, "eu-west-1");
    let error: CallError =
        client.call(&to, &calls::GET_STAGES, &parameters(json!({}))).await.unwrap_err();
    assert_eq!(
        (&*error.code, &*error.message),
        (codes::INVALID_REQUEST, "the parameter `restapi_id` is missing")
    );
    assert_eq!(error.attempts, 0);
    assert_eq!(fake.seen().len(), 0);
}

#[tokio::test]
async fn a_body_is_whole_or_an_error() {
    let world = Arc::new(World::default());
    let fake = Fake::start(&world).await;
    let client = client(&fake, &world);
    let to = target(ACCOUNT, "eu-west-1");
    let object = parameters(json!({"Bucket": "logs", "Key": "a/b.json.gz"}));
    let error = client.fetch(&to, &calls::GET_OBJECT, &object, 7).await.unwrap_err();
    assert_eq!((error.reason, &*error.code), (Reason::Malformed, codes::ANSWER_TOO_LONG));
    for (fault, reason, code) in [
        (Fault::Cut, Reason::Other, codes::CONNECTION_FAILED),
        (Fault::StallInBody, Reason::Timeout, codes::ANSWER_TIMEOUT),
    ] {
        let from = fake.count("s3:GetObject");
        fake.plan(ACCOUNT, "s3:GetObject", Plan { fault, from, times: 1 });
        let mut download = client.download(&to, &calls::GET_OBJECT, &object).await.unwrap();
        let error = loop {
            match download.next().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("{fault:?} looks whole"),
                Err(error) => break error,
            }
        };
        assert_eq!(
            (error.reason, &*error.code, error.action),
            (reason, code, "GetObject"),
            "{fault:?}"
        );
        assert_eq!(download.next().await.unwrap_err(), error, "it stays failed");
        assert_eq!(
            client.fetch(&to, &calls::GET_OBJECT, &object, 8).await.unwrap().body,
            b"contents"
        );
    }
    let from = fake.count("s3:GetObject");
    fake.plan(ACCOUNT, "s3:GetObject", Plan { fault: Fault::ServerError, from, times: 1 });
    assert_eq!(
        client.fetch(&to, &calls::GET_OBJECT, &object, 8).await.unwrap().body,
        b"contents",
        "tried again"
    );
    fake.plan(ACCOUNT, "s3:GetObject", Plan { fault: Fault::Deny, from: from + 3, times: 1 });
    let _ = client.fetch(&to, &calls::GET_OBJECT, &object, 8).await.unwrap();
    let error = client.fetch(&to, &calls::GET_OBJECT, &object, 8).await.unwrap_err();
    assert_eq!((error.reason, error.status), (Reason::Denied, Some(403)));
}

#[tokio::test]
async fn exchanges_under_way_are_bounded() {
    let world = Arc::new(World::default());
    let fake = Fake::start(&world).await;
    let client = client_with(Settings { in_flight: 1, ..settings(&fake) }, &world);
    let to = target(ACCOUNT, "eu-west-1");
    let object = parameters(json!({"Bucket": "logs", "Key": "a"}));
    let download = client.download(&to, &calls::GET_OBJECT, &object).await.unwrap();
    let empty = parameters(json!({}));
    let mut other = Box::pin(client.call(&to, &calls::DESCRIBE_ADDRESSES, &empty));
    assert!(
        tokio::time::timeout(Duration::from_millis(200), &mut other).await.is_err(),
        "the seat is taken"
    );
    drop(download);
    other.await.unwrap();
}
