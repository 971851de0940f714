use super::*;
use crate::ident::{Region, ResourceType, ShardId};
use crate::inventory::limits::PREAMBLE_BYTES_MAX;
use crate::inventory::{
    AHEAD_MS_MAX, AutomaticResponse, Body, EncodedItem, ItemKey, envelope::LAYERS_MAX,
};

mod bounds;
mod collections;
mod encoded;
mod foreign;
mod missed;
mod partial;
mod snapshots;
mod twice;

/// A minimal item of a type that is not looked into.
fn item(id: &str) -> String {
    item_of("AWS::EC2::VPC", id, "eu-west-1", r#""configuration":{}"#)
}

fn item_of(resource_type: &str, id: &str, region: &str, more: &str) -> String {
    format!(
        r#"{{{more},"tags":{{}},"configurationItemCaptureTime":"2026-02-03T04:05:06.000Z","configurationStateId":1770091506000,"awsAccountId":"111122223333","configurationItemStatus":"OK","resourceType":"{resource_type}","resourceId":"{id}","awsRegion":"{region}"}}"#
    )
}

fn snapshot(items: &[String]) -> String {
    format!(
        r#"{{"fileVersion":"1.0","configSnapshotId":"s","configurationItems":[{}]}}"#,
        items.join(",")
    )
}

/// Encoded, a file says the same.
fn read_as(name: &str, text: impl AsRef<[u8]>) -> Result<Delivery, DeliveryError> {
    let read = |mut reader: DeliveryReader| {
        reader.push(text.as_ref())?;
        reader.finish()
    };
    let made = read(DeliveryReader::new(name));
    assert_eq!(read(DeliveryReader::new(name).encoding()).map(encoded::decoded), made);
    made
}

fn read(text: impl AsRef<[u8]>) -> Result<Delivery, DeliveryError> {
    read_as("", text)
}

fn ids(delivery: &Delivery) -> Vec<&str> {
    delivery.observations.iter().map(|one| one.item.key.id.as_str()).collect()
}

/// `text` as the inside of a JSON string, quoted.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn notification(id: &str) -> String {
    format!(
        r#"{{"configurationItemDiff":{{"changedProperties":{{"Configuration.X":{{"previousValue":"{{[\""}}}}}},"configurationItem":{},"messageType":"ConfigurationItemChangeNotification","recordVersion":"1.3"}}"#,
        item(id)
    )
}

#[test]
fn a_snapshot_reads_the_same_however_it_is_cut_into_chunks() {
    let text = snapshot(&[item("a"), item("b\\u00e9\\\\"), item("c")]);
    let whole = read(&text).unwrap();
    assert_eq!(ids(&whole), ["a", "bé\\", "c"]);
    assert!(whole.snapshot.is_some());
    for size in [1, 2, 3, 7, 64, 1000] {
        let mut reader = DeliveryReader::new("");
        text.as_bytes().chunks(size).for_each(|chunk| reader.push(chunk).unwrap());
        assert_eq!(reader.finish().unwrap(), whole, "chunks of {size}");
    }
}

#[test]
fn every_container_is_understood() {
    let a = item("a");
    let b = item("b");
    let message = notification("a");
    let sns = format!(
        r#"{{"Type":"Notification","TopicArn":"t","Message":{},"Timestamp":"x"}}"#,
        quoted(&message)
    );
    let summary = r#"{"configurationItemSummary":{"changeType":"UPDATE","configurationItemCaptureTime":"2026-02-03T04:05:06Z","configurationStateId":0,"awsAccountId":"111122223333","configurationItemStatus":"OK","resourceType":"AWS::EC2::SecurityGroup","resourceId":"a","awsRegion":"eu-west-1"},"s3DeliverySummary":{"s3BucketLocation":"b/k"},"messageType":"OversizedConfigurationItemChangeNotification"}"#;
    for (what, text, wanted) in [
        ("history", format!(r#"{{"fileVersion":"1.0","configurationItems":[{a},{b}]}}"#), "a b"),
        (
            "keys behind",
            format!(r#"{{"configurationItems":[{a},{b}],"x":[{{}}],"configSnapshotId":"s"}}"#),
            "a b",
        ),
        ("pascal case", format!(r#"{{"ConfigurationItems":[{a}]}}"#), "a"),
        (
            "batch",
            format!(r#"{{"baseConfigurationItems":[{a}],"unprocessedResourceKeys":[]}}"#),
            "a",
        ),
        ("escaped key", format!(r#"{{"configuration\u0049tems":[{a}]}}"#), "a"),
        (
            "unknown keys",
            format!(
                r#"{{"{}":1,"n":-1.5e3,"t":true,"z":null,"o":{{"a":[1,"]"]}},"configurationItems":[ {a} ] }}"#,
                "k".repeat(600)
            ),
            "a",
        ),
        ("no items", r#"{"configurationItems":[]}"#.to_owned(), ""),
        ("bare list", format!("[{a},\n {b}]"), "a b"),
        ("bare item", format!("  {a}\n"), "a"),
        ("lines", format!("{a}\n{b}\r\n"), "a b"),
        (
            "lines of files",
            format!(
                "{}\n{}\n",
                snapshot(std::slice::from_ref(&a)),
                snapshot(std::slice::from_ref(&b))
            ),
            "a b",
        ),
        ("byte order mark", format!("\u{feff}{a}"), "a"),
        ("notification", message.clone(), "a"),
        ("list of notifications", format!("[{message},{}]", notification("b")), "a b"),
        ("sns", sns.clone(), "a"),
        (
            "sns, message as an object",
            format!(r#"{{"Type":"Notification","Message":{message}}}"#),
            "a",
        ),
        (
            "queue, raw",
            format!(r#"{{"Messages":[{{"MessageId":"1","Body":{}}}]}}"#, quoted(&message)),
            "a",
        ),
        (
            "queue, sns",
            format!(r#"{{"Records":[{{"messageId":"1","body":{}}}]}}"#, quoted(&sns)),
            "a",
        ),
        (
            "list of queue records",
            format!(r#"[{{"Body":{}}},{{"Body":{}}}]"#, quoted(&sns), quoted(&b)),
            "a b",
        ),
        (
            "event",
            format!(
                r#"{{"version":"0","detail-type":"Config Configuration Item Change","account":"1","resources":[],"detail":{message}}}"#
            ),
            "a",
        ),
        (
            "rule event",
            format!(
                r#"{{"invokingEvent":{},"ruleParameters":"{{}}","resultToken":"t","accountId":"111122223333"}}"#,
                quoted(&message)
            ),
            "a",
        ),
        (
            "misspelt diff",
            format!(r#"{{"Configurationitemdiff":null,"configurationItem":{a}}}"#),
            "a",
        ),
        (
            "e-mail",
            format!("New State Record Summary [x]:\n----\n{message}\n--\nUnsubscribe [here]."),
            "a",
        ),
        (
            "e-mail in a message",
            format!(
                r#"{{"Type":"Notification","Message":{}}}"#,
                quoted(&format!("Summary:\n--\n{message}\n--"))
            ),
            "a",
        ),
        ("oversized", summary.to_owned(), "a"),
        (
            "query result",
            format!(
                r#"{{"Results":[{},{}],"QueryInfo":{{"SelectFields":[]}}}}"#,
                quoted(&a),
                quoted(&b)
            ),
            "a b",
        ),
        ("query result, empty", r#"{"QueryInfo":{},"Results":[]}"#.to_owned(), ""),
        (
            "recorded response",
            format!(r#"{{"status_code":200,"data":{{"configurationItems":[{a}]}}}}"#),
            "a",
        ),
        ("recorded response, empty", r#"{"status_code":200,"data":{"Results":[]}}"#.to_owned(), ""),
    ] {
        let delivery = read(&text).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(ids(&delivery).join(" "), wanted, "{what}");
        assert_eq!((delivery.quarantined, delivery.ignored), (vec![], 0), "{what}");
        let mut reader = DeliveryReader::new("");
        text.as_bytes().chunks(1).for_each(|byte| reader.push(byte).unwrap());
        assert_eq!(ids(&reader.finish().unwrap()).join(" "), wanted, "{what}, byte by byte");
    }
}

#[test]
fn an_oversized_notification_is_an_unseen_state_and_a_deletion_in_one_a_tombstone() {
    for (status, change, body) in [
        ("OK", "UPDATE", Body::Unseen),
        ("OK", "DELETE", Body::Deleted),
        ("ResourceDeleted", "DELETE", Body::Deleted),
        ("ResourceDeletedNotRecorded", "", Body::Deleted),
    ] {
        let text = format!(
            r#"{{"configurationItemSummary":{{"changeType":"{change}","configurationItemCaptureTime":"2026-02-03T04:05:06Z","configurationStateId":7,"awsAccountId":"111122223333","configurationItemStatus":"{status}","resourceType":"AWS::EC2::VPC","resourceId":"a","awsRegion":"eu-west-1"}},"messageType":"OversizedConfigurationItemChangeDeliveryFailed"}}"#
        );
        let delivery = read(&text).unwrap();
        assert_eq!(delivery.observations[0].item.body, body, "{status} {change}");
        assert_eq!(delivery.observations[0].item.version.state, Some(7));
    }
}

#[test]
fn messages_without_an_item_are_ignored() {
    for text in [
        r#"{"messageType":"ConfigurationSnapshotDeliveryCompleted","configSnapshotId":"s","s3ObjectKey":"k"}"#,
        r#"{"messageType":"ComplianceChangeNotification","resourceType":"AWS::EC2::VPC","resourceId":"v"}"#,
        r#"{"messageType":"SomethingNew"}"#,
        r#"{"configurationItem":null,"messageType":"X"}"#,
        r#"{"Type":"Notification","Message":"{\"source\":\"aws.ec2\",\"detail\":{\"event\":\"x\"}}"}"#,
        r#"{"Type":"SubscriptionConfirmation","Message":"You have chosen to subscribe"}"#,
        r#"{"invokingEvent":"{\"messageType\":\"ScheduledNotification\"}"}"#,
        r#"{"Records":[{"body":"{\"Records\":[{\"eventSource\":\"aws:s3\"}]}"}]}"#,
    ] {
        let delivery = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((delivery.ignored, delivery.observations.len()), (1, 0), "{text}");
        assert_eq!(delivery.quarantined, [], "{text}");
    }
    let check = read_as("AWSLogs/1/Config/ConfigWritabilityCheckFile", "").unwrap();
    assert_eq!(check.ignored, 1);
}

#[test]
fn files_without_items_are_refused() {
    for (text, error) in [
        ("", DeliveryError::Empty),
        (" \n", DeliveryError::Empty),
        ("just text", DeliveryError::NoJson),
        ("null", DeliveryError::NoJson),
        ("{}", DeliveryError::NoItems),
        ("[]", DeliveryError::NoItems),
        (r#"{"SecurityGroups":[{"GroupId":"sg-1"}]}"#, DeliveryError::NoItems),
        (r#"{"status_code":200,"data":{"LoadBalancers":[]}}"#, DeliveryError::NoItems),
        (r#"{"status_code":404,"data":{"Message":"Invalid stage"}}"#, DeliveryError::NoItems),
        (r#"{"data":"of another kind"}"#, DeliveryError::NoItems),
        (r#"[{"a":1},{"b":2}]"#, DeliveryError::NoItems),
        // A published list of a type's properties.
        (
            r#"{"accountId":"string","configuration.name":"string","resourceId":"string","resourceType":"string"}"#,
            DeliveryError::NoItems,
        ),
    ] {
        assert_eq!(read(text).unwrap_err(), error, "{text}");
    }
    let mixed = read(format!(r#"[{{"a":1}},{}]"#, item("a"))).unwrap();
    assert_eq!((ids(&mixed), mixed.ignored), (vec!["a"], 1));
}

#[test]
fn a_file_that_is_no_json_is_refused_with_its_position() {
    for (text, error) in [
        (&b"\x1f\x8b\x08\x00"[..], r"not JSON at byte 0: unexpected `\x1f`"),
        (b"{a}", "not JSON at byte 1: unexpected `a`"),
        (b"{\"a\" 1}", "not JSON at byte 5: unexpected `1`"),
        (b"{\"a\":1 2}", "not JSON at byte 7: unexpected `2`"),
        (b"{\"a\":[}]}", "not JSON at byte 6: unexpected `}`"),
        (b"{\"a\":}", "not JSON at byte 5: unexpected `}`"),
        (b"{\"a\":1,}", "not JSON at byte 7: unexpected `}`"),
        (b"{\"configurationItems\":[,]}", "not JSON at byte 23: unexpected `,`"),
        (b"{\"a\":\xff}", r"not JSON at byte 5: unexpected `\xff`"),
        (b"{\"a\":tr\xff}", r"not JSON at byte 7: unexpected `\xff`"),
        (
            b"{\"configurationItems\":[]} x",
            "trailing data at byte 26: nothing but blanks and line breaks may separate JSON values",
        ),
        (
            b"{\"configurationItems\":[]}\nx",
            "trailing data at byte 26: nothing but blanks and line breaks may separate JSON values",
        ),
        (
            b"mail {\"messageType\":\"x\"} {",
            "trailing data at byte 25: nothing but blanks and line breaks may separate JSON values",
        ),
    ] {
        assert_eq!(read(text).unwrap_err().to_string(), error, "{}", text.escape_ascii());
    }
}

/// As Firehose joins them.
#[test]
fn objects_may_follow_each_other_without_a_line_break() {
    let message = |id: &str| {
        format!(
            r#"{{"messageType":"ConfigurationItemChangeNotification","configurationItem":{}}}"#,
            item(id)
        )
    };
    for between in ["", " ", "\r\n"] {
        let both = read([message("a"), message("b")].join(between)).unwrap();
        assert_eq!(ids(&both), ["a", "b"], "{between:?}");
        let lists =
            read([format!("[{}]", item("a")), format!("[{}]", item("b"))].join(between)).unwrap();
        assert_eq!(ids(&lists), ["a", "b"], "{between:?}");
    }
}

/// A row of a query tells what was selected: of a protection without its name nothing tells that no response
/// is set. The same as an item is a whole one.
#[test]
fn what_a_query_did_not_select_of_a_protection_is_not_told() {
    let item = |body: &str| {
        format!(
            r#"{{"accountId":"111122223333","awsRegion":"us-east-1","resourceType":"AWS::Shield::Protection","resourceId":"p-1","configurationItemCaptureTime":"2026-02-03T04:05:06.789Z","configuration":{body}}}"#
        )
    };
    let response = |text: String| {
        let delivery = read(text).unwrap();
        match &delivery.observations[0].item.body {
            Body::Protection(protection) => protection.automatic_response.clone(),
            other => panic!("{other:?}"),
        }
    };
    let untold = Some(AutomaticResponse { enabled: None, block: None });
    for (body, of_row, of_item) in [
        (r#"{"ResourceArn":"a","Id":"p-1"}"#, untold.clone(), None),
        (r#"{"ResourceArn":"a","Id":"p-1","Name":"n"}"#, None, None),
        (r#"{"ResourceArn":"a"}"#, untold.clone(), untold),
    ] {
        let item = item(body);
        let row = serde_json::to_string(&item).unwrap();
        assert_eq!(response(format!(r#"{{"Results":[{row}]}}"#)), of_row, "{body}");
        assert_eq!(response(format!("[{item}]")), of_item, "{body}");
    }
}

/// As `select-resource-config --query Results` writes them.
#[test]
fn a_list_of_texts_of_rows_is_read() {
    let row = |id: &str| serde_json::Value::from(item(id)).to_string();
    let rows = read(format!("[{},{}]", row("a"), row("b"))).unwrap();
    assert_eq!(ids(&rows), ["a", "b"]);
    let prose = read(format!(r#"["prose",{}]"#, row("a"))).unwrap();
    assert_eq!((ids(&prose), prose.quarantined.len()), (vec!["a"], 1));
}

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    let text = snapshot(&[item("a"), item("b")]);
    for end in 1..text.len() {
        let refused = read(&text.as_bytes()[..end]).unwrap_err();
        assert_eq!(refused, DeliveryError::Truncated(end as u64));
    }
}

#[test]
fn a_bad_item_is_quarantined_and_the_rest_goes_on() {
    let broken = item("broken").replace(r#""tags":{}"#, r#""tags":{} "x":1"#);
    let cidr = item_of(
        "AWS::EC2::SecurityGroup",
        "sg-bad",
        "eu-west-1",
        r#""configuration":{"ipPermissions":[{"ipProtocol":"tcp","fromPort":1,"toPort":1,"ipRanges":["10.0.0.300/8"]}]}"#,
    );
    let delivery = read(snapshot(&[
        item("a"),
        broken,
        cidr,
        "null".to_owned(),
        "17".to_owned(),
        "\"text\"".to_owned(),
        item("").replace(r#""tags":{}"#, r#""tags":5"#),
        item("z"),
    ]))
    .unwrap();
    assert_eq!(ids(&delivery), ["a", "sg-bad", "z"]);
    // What is lost is a gap: the item without an id is a VPC, the others are of any type.
    let types: BTreeSet<_> = delivery.missed.iter().map(|one| &one.resource_type).collect();
    assert!(types.contains(&None) && types.contains(&Some(ResourceType::VPC)));
    assert_eq!(delivery.observations[1].item.body, Body::Unseen, "there, and not judged");
    let told: Vec<String> = delivery
        .quarantined
        .iter()
        .map(|bad| {
            format!(
                "{} {} {} {}",
                bad.index,
                bad.resource_id.as_deref().unwrap_or("-"),
                bad.observed,
                bad.reason
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "1 - false not valid JSON: expected `,` or `}` at column 31 of line 1",
            "2 sg-bad true `ipPermissions[0]`: `10.0.0.300/8` is not a CIDR",
            "3 - false invalid type: null, expected an object",
            "4 - false invalid type: integer `17`, expected an object",
            "5 - false invalid type: string \"text\", expected an object",
            "6  false `` is not a resource id: it is empty",
        ]
    );
}

#[test]
fn broken_messages_are_quarantined_one_by_one() {
    let record = |body: &str| format!(r#"{{"Body":{}}}"#, quoted(body));
    let good = notification("a");
    let text = format!(
        r#"{{"Messages":[{},{},{},{},{},null,"x"]}}"#,
        record("not JSON at all"),
        record(&format!("{good} trailing")),
        record(&good[..good.len() - 1]),
        record(&good),
        record(&format!("Summary: {{ {good}")),
    );
    let delivery = read(text).unwrap();
    assert_eq!(ids(&delivery), ["a"]);
    let told: Vec<String> =
        delivery.quarantined.iter().map(|bad| format!("{} {}", bad.index, bad.reason)).collect();
    assert_eq!(
        told,
        [
            "0 the message is text without JSON",
            "1 `message`: not valid JSON: trailing characters at column 447 of line 1",
            "2 `message`: not valid JSON: EOF while parsing an object at column 444 of line 1",
            "4 the message is text without valid JSON",
            "5 null is no item",
            "6 a message is neither an object nor a list",
        ]
    );
}

#[test]
fn an_item_that_is_not_utf8_is_quarantined_with_what_can_be_read() {
    let mut text = snapshot(&[item("a"), item("b"), item("c")]).into_bytes();
    let at = text.windows(15).rposition(|bytes| bytes == b"\"configuration\"").unwrap();
    text.splice(at..at, b"\"x\":\"\xff\xfe\",".iter().copied());
    let delivery = read(&text).unwrap();
    assert_eq!(delivery.observations.len(), 3);
    assert_eq!(delivery.observations[2].item.body, Body::Unseen);
    let bad = &delivery.quarantined[0];
    assert_eq!((bad.index, bad.resource_id.as_deref()), (2, Some("c")));
    assert_eq!(bad.reason, "not UTF-8 at byte 6 of the item");
}

#[test]
fn global_items_are_homed_and_flagged() {
    let delivery = read(item_of("AWS::IAM::Role", "r", "global", r#""configuration":{}"#)).unwrap();
    assert!(delivery.observations[0].global);
    assert_eq!(delivery.observations[0].item.key.region, Region::home_of_global());
}

const NAME: &str = "111122223333_Config_eu-west-1_ConfigSnapshot_20260203T040506Z_a0a0a0a0-0000-0000-0000-000000000000.json.gz";

#[test]
fn the_future_is_not_believed() {
    let at = |captured: &str, state: &str| {
        let item = item("a").replace("2026-02-03T04:05:06.000Z", captured);
        item.replace(r#""configurationStateId":1770091506000,"#, state)
    };
    let read_now = |name: &str, text: String, only: bool| {
        let mut reader = match only {
            true => DeliveryReader::reading_only(name, Arc::default()),
            false => DeliveryReader::new(name),
        };
        reader = reader.received(NOW_MS);
        reader.push(text.as_bytes()).unwrap();
        reader.finish().unwrap()
    };
    let state = |ms: i64| format!(r#""configurationStateId":{ms},"#);
    let last_believed = state(NOW_MS + AHEAD_MS_MAX);
    let first_doubted = state(NOW_MS + AHEAD_MS_MAX + 1000);
    for (captured, state, believed) in [
        ("2026-02-03T04:05:06.000Z", "", true),
        ("2026-02-03T04:20:06.000Z", "", true),
        ("2026-02-03T04:20:07.000Z", "", false),
        ("2026-02-03T04:20:06.001Z", "", false),
        ("9999-01-01T00:00:00Z", "", false),
        ("2026-02-03T04:05:06.000Z", &*last_believed, true),
        ("2026-02-03T04:05:06.000Z", &*first_doubted, false),
        ("2026-02-03T04:05:06.000Z", r#""configurationStateId":4102444799999,"#, false),
        // Past every time it is no number, and the capture time alone orders the state.
        ("2026-02-03T04:05:06.000Z", r#""configurationStateId":4102444800000,"#, true),
        ("2026-02-03T04:05:06.000Z", r#""configurationStateId":18446744073709551615,"#, true),
        // A counter of the first years is no time.
        ("2026-02-03T04:05:06.000Z", r#""configurationStateId":58,"#, true),
    ] {
        for only in [false, true] {
            let text = snapshot(&[at(captured, state), item("b")]);
            let delivery = read_now(NAME, text, only);
            assert_eq!(delivery.quarantined.is_empty(), believed, "{captured} {state}");
            assert!(delivery.snapshot.is_some(), "its name tells its own moment");
            if !believed {
                let doubted = &delivery.observations[0].item;
                assert_eq!((doubted.key.id.as_str(), &doubted.body), ("a", &Body::Unseen));
                assert_eq!(doubted.version, Version { state: None, captured_ms: NOW_MS });
                let ahead = delivery.observations.iter().filter(|one| one.is_ahead).count();
                assert!(delivery.observations[0].is_ahead && ahead == 1);
            }
        }
    }
}

/// Semantics §11 row 68.
#[test]
fn a_snapshot_of_the_future_is_but_its_items() {
    let read_now = |name: &str, text: String| {
        let mut reader = DeliveryReader::new(name).received(NOW_MS);
        reader.push(text.as_bytes()).unwrap();
        reader.finish().unwrap()
    };
    let named = |moment: &str| NAME.replace("20260203T040506Z", moment);
    for (moment, is_one) in [
        ("20260203T040506Z", true),
        ("20260203T042006Z", true),
        ("20260203T042007Z", false),
        ("20990101T000000Z", false),
    ] {
        let delivery = read_now(&named(moment), snapshot(&[item("a")]));
        assert_eq!(delivery.snapshot.is_some(), is_one, "{moment}");
        assert_eq!(delivery.quarantined.is_empty(), is_one, "it is told");
        assert_eq!(delivery.observations.len(), 1);
        assert!(!delivery.observations[0].is_ahead, "the item is of its own moment");
        assert_eq!((delivery.nobodys, &delivery.missed[..]), (0, &[][..]));
    }
    // Where its name tells no moment, its newest item's is its own.
    let later = item("b").replace("2026-02-03T04:05:06.000Z", "2099-01-01T00:00:00.000Z");
    let unnamed = |items: &[String]| read_now("", snapshot(items)).snapshot.is_some();
    assert!(unnamed(&[item("a")]));
    assert!(!unnamed(&[item("a"), later]));
}

/// Semantics §11 row 68.
#[test]
fn a_deletion_of_the_future_ends_nothing() {
    let gone = |captured: &str| {
        item("a")
            .replace("2026-02-03T04:05:06.000Z", captured)
            .replace(r#""OK""#, r#""ResourceDeleted""#)
            .replace(r#""tags":{}"#, r#""tags":{"fms":"skip"}"#)
    };
    for (captured, body) in [
        ("2026-02-03T04:20:06.000Z", Body::Deleted),
        ("2026-02-03T04:20:07.000Z", Body::Unseen),
        ("2099-01-01T00:00:00.000Z", Body::Unseen),
    ] {
        let text = gone(captured).replace(r#""configurationStateId":1770091506000,"#, "");
        assert!(text.contains("ResourceDeleted"));
        for encodes in [false, true] {
            let mut reader = DeliveryReader::new("").received(NOW_MS);
            if encodes {
                reader = reader.encoding();
            }
            reader.push(text.as_bytes()).unwrap();
            let delivery = reader.finish().unwrap();
            let seen = match encodes {
                true => delivery.encoded.items().next().unwrap().decode().unwrap(),
                false => delivery.observations[0].clone(),
            };
            assert_eq!((&seen.item.body, seen.is_ahead), (&body, body == Body::Unseen));
            assert!(!seen.is_ahead || seen.item.tags.is_none(), "it tells nothing");
            assert!(!seen.is_ahead || seen.item.version.captured_ms == NOW_MS);
        }
    }
}

const NOW_MS: i64 = 1_770_091_506_000;

/// Text that holds JSON is held to the rules of JSON as the value itself would be.
#[test]
fn a_body_told_as_text_has_to_be_json() {
    let balancer = "AWS::ElasticLoadBalancingV2::LoadBalancer";
    let rules = r#""ipPermissions":[],"ipPermissionsEgress":[]"#;
    let cases = [
        ("AWS::EC2::SecurityGroup", format!(r#"{{"x":garbage,{rules}}}"#), "{}"),
        ("AWS::EC2::SecurityGroup", format!("{{\"groupName\":\"a\nb\",{rules}}}"), "{}"),
        (
            "AWS::EC2::SecurityGroup",
            r#"{"ipPermissions":[{"ipProtocol":"tcp","fromPort":0022,"toPort":22}],"ipPermissionsEgress":[]}"#
                .to_owned(),
            "{}",
        ),
        ("AWS::EC2::SecurityGroup", format!(r#"{{"x":{{"a":[1,{{]}},{rules}}},{rules}}}"#), "{}"),
        (balancer, r#"{"type":"application","x":oops}"#.to_owned(), "{}"),
        (balancer, r#"{"type":"application"}"#.to_owned(), r#"{"y":[1 2]}"#),
    ];
    for (resource_type, configuration, supplementary) in cases {
        let told = |blank: &str| {
            let configuration = configuration.replacen('{', &format!("{{{blank}"), 1);
            let more = format!(
                r#""configuration":{},"supplementaryConfiguration":{}"#,
                quoted(&configuration),
                quoted(supplementary)
            );
            let item = item_of(resource_type, "r-1", "eu-west-1", &more);
            let delivery = read(snapshot(&[item])).unwrap();
            let [one] = &delivery.quarantined[..] else { panic!("{configuration}: {delivery:?}") };
            assert!(one.observed && one.reason.contains("onfiguration`"), "{one:?}");
        };
        told("");
        told(" ");
    }
}

/// What is wrong with an item does not depend on who asks for its type.
#[test]
fn wrong_tags_are_quarantined_whoever_reads() {
    for (tags, is_right) in [
        (r#"{"a":"b","c":null,"d":1}"#, true),
        (r#"{"a" "b"}"#, false),
        (r#"{"a"}"#, false),
        ("{1:2}", false),
        (r#"{"a":x}"#, false),
        (r#"{"a":tru}"#, false),
        (r#"{"a":"b",}"#, false),
        (r#"{"a":"b"]"#, false),
        (r#"{"a":01}"#, false),
        (r#"{"a":"b","c" "d","e":"f"}"#, false),
        (r#"{"a":"b" ,"c":"d"}"#, true),
        (r#"{"a":1e999}"#, false),
        (r#"[{"key":"a","value":"b"}]"#, true),
        (r#"[{"value":"b"}]"#, false),
        (r#"{"a":"b","c":{"d":["e"]}}"#, false),
        (r#"{"a\n":"\ud800"}"#, false),
        (r#"{"a":"b","c":"d","a":"b"}"#, false),
        (r#"{"a":"b","a": "c"}"#, false),
        (r#"{"a":null,"a":"c"}"#, false),
        (r#"{"a":"b","A":"b"}"#, true),
        (r#"{"aws:stack-1":"b","aws:stack-2":"b"}"#, true),
        (r#"[{"key":"a","value":"b"},{"key":"a","value":"b"}]"#, false),
    ] {
        // Wherever blocks of the text begin.
        for pad in (0..130).chain(3_900..4_030) {
            let item = item("vpc-1").replace(r#""tags":{}"#, &format!(r#""tags":{tags}"#));
            let padded = format!(r#""configuration":{{"p":"{}"}}"#, "x".repeat(pad));
            let text = snapshot(&[item.replace(r#""configuration":{}"#, &padded)]);
            assert_told_alike(&text, tags, is_right);
        }
    }
}

/// Asserts that the quarantine is the same whoever reads, and in how many chunks.
fn assert_told_alike(text: &str, tags: &str, is_right: bool) {
    let wanted = std::sync::Arc::new(BTreeSet::from([ResourceType::SECURITY_GROUP]));
    let name = "100000000001_Config_eu-west-1_ConfigSnapshot_20260203T040506Z_x.json";
    let read = |mut reader: DeliveryReader, chunk: usize| {
        text.as_bytes().chunks(chunk).try_for_each(|chunk| reader.push(chunk))?;
        reader.finish().map(|delivery| delivery.quarantined)
    };
    let told = read(DeliveryReader::new(name), text.len());
    assert_eq!(told.as_ref().is_ok_and(Vec::is_empty), is_right, "{tags}: {told:?}");
    for chunk in [text.len(), text.len() / 2] {
        let encoding = DeliveryReader::new(name).encoding();
        assert_eq!(read(encoding, chunk), told, "{tags} by {chunk}");
        let only = DeliveryReader::reading_only(name, wanted.clone());
        assert_eq!(read(only, chunk), told, "{tags} by {chunk}");
    }
}

#[test]
fn an_item_that_breaks_off_the_rules_behind_its_key_is_known_to_be_there() {
    let history = |item: &str| format!(r#"{{"fileVersion":"1.0","configurationItems":[{item}]}}"#);
    let group = |body: &str| item_of("AWS::EC2::SecurityGroup", "sg-1", "eu-west-1", body);
    let right = r#""configuration":{"ipPermissions":[],"ipPermissionsEgress":[]}"#;
    for (item, observed) in [
        (group(&right.replace("[],", "[1 2],")), true),
        (group(&right.replace("[],", "[,],")), true),
        (group(right).replace(r#""tags":{}"#, r#""tags":{"a":"b",}"#), true),
        (group(&format!(r#"{right},"x":[tru]"#)), true),
        // Without a Region it is known of which type it is, and no more.
        (group(right).replace(r#""eu-west-1""#, "{}"), false),
    ] {
        let delivery = read_as(
            "111122223333_Config_eu-west-1_ConfigHistory_20260203T040506Z_1.json",
            history(&item),
        )
        .unwrap();
        assert_eq!(delivery.quarantined.len(), 1, "{item}");
        assert_eq!(delivery.quarantined[0].resource_id.as_deref(), Some("sg-1"), "{item}");
        assert_eq!(delivery.quarantined[0].observed, observed, "{item}");
        let Some(seen) = delivery.observations.first() else {
            let missed = &delivery.missed[0];
            assert_eq!(missed.resource_type, Some(ResourceType::SECURITY_GROUP));
            assert_eq!(missed.what.as_deref(), Some("sg-1"));
            continue;
        };
        let ItemKey { resource_type, .. } = &seen.item.key;
        assert_eq!(
            (resource_type, &seen.item.body),
            (&ResourceType::SECURITY_GROUP, &Body::Unseen)
        );
    }
}
