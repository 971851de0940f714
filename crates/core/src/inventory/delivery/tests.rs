use super::*;
use crate::ident::{Region, ResourceType, ShardId};
use crate::inventory::split::PREAMBLE_BYTES_MAX;
use crate::inventory::{Body, envelope::LAYERS_MAX};

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

fn read_as(name: &str, text: impl AsRef<[u8]>) -> Result<Delivery, DeliveryError> {
    let mut reader = DeliveryReader::new(name);
    reader.push(text.as_ref())?;
    reader.finish()
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
            "trailing data at byte 26: only line breaks may separate JSON values",
        ),
        (
            b"{\"configurationItems\":[]}{}",
            "trailing data at byte 25: only line breaks may separate JSON values",
        ),
        (
            b"{\"configurationItems\":[]}\nx",
            "trailing data at byte 26: only line breaks may separate JSON values",
        ),
        (
            b"mail {\"messageType\":\"x\"} {",
            "trailing data at byte 25: only line breaks may separate JSON values",
        ),
    ] {
        assert_eq!(read(text).unwrap_err().to_string(), error, "{}", text.escape_ascii());
    }
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
    // What may be lost is unseen: the item without an id is a VPC, the others are of any type.
    let (first, any) = ("unreadable-item-1", "unreadable-item-6");
    assert_eq!(ids(&delivery), ["a", "sg-bad", "z", any, first, first]);
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
fn nesting_is_bounded_in_the_file_and_in_each_text() {
    let nested = |levels: u32| {
        let (open, close) = ("[".repeat(levels as usize), "]".repeat(levels as usize));
        item("deep").replace(r#""configuration":{}"#, &format!(r#""configuration":{open}{close}"#))
    };
    // A container and its list around the item, which is a level itself.
    for (around, file) in [
        (3, &(|levels| snapshot(&[nested(levels)])) as &dyn Fn(u32) -> String),
        (2, &|levels| format!("[{}]", nested(levels))),
        (1, &nested),
    ] {
        for (levels, fits) in [
            (DEPTH_MAX - around - 1, true),
            (DEPTH_MAX - around, true),
            (DEPTH_MAX - around + 1, false),
        ] {
            let found = read(file(levels));
            assert_eq!(found.is_ok(), fits, "{around} around {levels}");
            assert!(fits || matches!(found, Err(DeliveryError::TooDeep(_))));
        }
    }
    let message =
        |levels| format!(r#"{{"Type":"Notification","Message":{}}}"#, quoted(&nested(levels)));
    assert_eq!(ids(&read(message(DEPTH_MAX - 1)).unwrap()), ["deep"]);
    let over = read(message(DEPTH_MAX)).unwrap();
    assert_eq!(over.quarantined[0].reason, "nested more than 64 deep");
}

#[test]
fn a_megabyte_of_brackets_is_refused_at_once() {
    for brackets in ["[", "{\"a\":", "[{\"configurationItems\":"] {
        let text = brackets.repeat(1 << 20);
        assert!(matches!(read(&text), Err(DeliveryError::TooDeep(at)) if at < 2000), "{brackets}");
    }
    let text = format!(r#"{{"Type":"Notification","Message":{}}}"#, quoted(&"[".repeat(1 << 20)));
    assert_eq!(read(text).unwrap().quarantined.len(), 1);
    let text = format!(
        r#"{{"configurationItems":[{}]}}"#,
        item("a").replace(
            r#""configuration":{}"#,
            &format!(r#""configuration":{}"#, quoted(&"[".repeat(1 << 20)))
        )
    );
    assert_eq!(ids(&read(text).unwrap()), ["a"], "of a type that is not looked into");
}

#[test]
fn an_item_of_more_than_the_limit_is_quarantined_and_the_rest_goes_on() {
    let sized = |size: usize| {
        let filler = "x".repeat(size - item("big").len() - 6);
        item("big").replace(r#""tags":{}"#, &format!(r#""tags":{{"k":"{filler}"}}"#))
    };
    assert_eq!(sized(1000).len(), 1000);
    for (size, fits) in
        [(ITEM_BYTES_MAX - 1, true), (ITEM_BYTES_MAX, true), (ITEM_BYTES_MAX + 1, false)]
    {
        let of = |text: String, chunk: usize| {
            let mut reader = DeliveryReader::new("");
            text.as_bytes().chunks(chunk).for_each(|chunk| reader.push(chunk).unwrap());
            reader.finish().unwrap()
        };
        for (delivery, lost) in [
            (of(snapshot(&[sized(size), item("a")]), 1 << 20), &["a", "unreadable-item-0"][..]),
            (of(format!("{}\n{}", sized(size), item("a")), usize::MAX), &["a"]),
        ] {
            assert_eq!(ids(&delivery), if fits { &["big", "a"] } else { lost });
            let reasons: Vec<_> = delivery.quarantined.iter().map(|bad| &*bad.reason).collect();
            assert_eq!(reasons, if fits { vec![] } else { vec!["larger than 16 MiB"] });
        }
    }
}

#[test]
fn what_is_told_of_a_bad_item_is_bounded() {
    for (length, chars) in [(498, 498), (499, 499), (500, 500), (501, 500), (9999, 500)] {
        assert_eq!(shortened("é".repeat(length), 500).chars().count(), chars);
    }
    let long = "x".repeat(100_000);
    let delivery = read(snapshot(&[item(&long), format!("\"{long}\"")])).unwrap();
    let bad = &delivery.quarantined;
    assert_eq!(bad[0].resource_id.as_ref().unwrap().chars().count(), RESOURCE_ID_CHARS_MAX);
    assert!(bad[0].reason.ends_with("is not a resource id: it is too long"));
    assert_eq!(bad[1].reason.chars().count(), REASON_CHARS_MAX);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..proptest::prelude::ProptestConfig::default()
    })]

    /// Bytes of a good file overwritten, inserted or removed at random: no panic, and the same
    /// outcome however the file is cut.
    #[test]
    fn damaged_files_are_read_or_refused_alike_in_any_chunks(
        edits in proptest::collection::vec(
            (proptest::num::usize::ANY, proptest::num::u8::ANY, 0..4_u8),
            1..6,
        ),
        chunk in 1..50_usize,
    ) {
        const TELLING: &[u8] = b"{}[]\",:\\ \n0ntf\xff";
        let mut text = snapshot(&[notification("a"), item("b"), item("c\\u0041")]).into_bytes();
        for (at, byte, kind) in edits {
            let at = at % text.len();
            let byte = if kind < 2 { TELLING[usize::from(byte) % TELLING.len()] } else { byte };
            match kind {
                0 => text[at] = byte,
                1 | 2 => text.insert(at, byte),
                _ => { text.remove(at); }
            }
        }
        let whole = read(&text);
        let mut reader = DeliveryReader::new("");
        let pushed = text.chunks(chunk).try_for_each(|chunk| reader.push(chunk));
        proptest::prop_assert_eq!(pushed.and_then(|()| reader.finish()), whole);
    }
}

#[test]
fn text_before_the_json_is_bounded() {
    let max = usize::try_from(PREAMBLE_BYTES_MAX).unwrap();
    for (length, fits) in [(max - 1, true), (max, true), (max + 1, false)] {
        let found = read(format!("{}{}", "-".repeat(length), notification("a")));
        assert_eq!(found.is_ok(), fits, "{length}");
        assert!(fits || found == Err(DeliveryError::NoJson));
    }
}

#[test]
fn envelopes_in_each_other_are_bounded() {
    let wrapped = |layers: u32| {
        let mut text = item("a");
        for _ in 1..layers {
            text = format!(r#"{{"detail":{text}}}"#);
        }
        read(text).unwrap()
    };
    assert_eq!(ids(&wrapped(LAYERS_MAX - 1)), ["a"]);
    assert_eq!(ids(&wrapped(LAYERS_MAX)), ["a"]);
    let over = wrapped(LAYERS_MAX + 1);
    assert_eq!(over.quarantined[0].reason, "more than 8 envelopes in each other");
}

#[test]
fn global_items_are_homed_and_flagged() {
    let delivery = read(item_of("AWS::IAM::Role", "r", "global", r#""configuration":{}"#)).unwrap();
    assert!(delivery.observations[0].global);
    assert_eq!(delivery.observations[0].item.key.region, Region::home_of_global());
}

const NAME: &str = "111122223333_Config_eu-west-1_ConfigSnapshot_20260203T040506Z_a0a0a0a0-0000-0000-0000-000000000000.json.gz";

fn facts(name: &str, text: &str) -> Option<String> {
    let facts = read_as(name, text).unwrap().snapshot?;
    let shard = |id: &ShardId| format!("{}/{}", id.account, id.region);
    let covers: Vec<String> = facts
        .covers
        .iter()
        .map(|(id, types)| {
            let types: Vec<&str> =
                types.iter().map(|one| one.as_str().rsplit("::").next().unwrap()).collect();
            format!("{} {}", id.region, types.join(","))
        })
        .collect();
    let of = facts.shard.as_ref().map_or("-".to_owned(), shard);
    Some(format!("{of} {} [{}]", facts.moment_ms, covers.join("; ")))
}

#[test]
fn whole_snapshots_are_told_by_name_or_content() {
    let items = format!("[{}]", item("a"));
    let of = |keys: &str| format!(r#"{{{keys}"configurationItems":{items}}}"#);
    let snapshot = of(r#""configSnapshotId":"s","#);
    let request = of(r#""requestId":"r","#);
    let named = Some("111122223333/eu-west-1 1770091506000 [eu-west-1 VPC]".to_owned());
    for (what, name, text, wanted) in [
        ("content", "", snapshot.clone(), &named),
        ("name", NAME, of(""), &named),
        ("path", "AWSLogs/1/Config/x/2026/2/3/ConfigSnapshot/mine.json", of(""), &named),
        ("request id", "", request.clone(), &named),
        ("nothing", "", of(""), &None),
        (
            "a history's name",
            "1_Config_x_ConfigHistory_AWS::EC2::VPC_a.json",
            snapshot.clone(),
            &None,
        ),
        (
            "a history's name in a folder",
            "ConfigSnapshot/1_Config_x_ConfigHistory_t.json",
            snapshot.clone(),
            &None,
        ),
        (
            "a change's name",
            "1_Config_x_ChangeNotification_t_i_m_1.json.gz",
            snapshot.clone(),
            &None,
        ),
        ("a page of an answer", "", of(r#""configSnapshotId":"s","nextToken":"t","#), &None),
        ("two snapshots in a file", "", format!("{snapshot}\n{snapshot}"), &None),
        ("an item alone", NAME, item("a"), &None),
        (
            "old, repeats a resource",
            "",
            request.replace(&items, &format!("[{0},{0}]", item("a"))),
            &None,
        ),
        ("old, tells a deletion", "", request.replace(r#""OK""#, r#""ResourceDeleted""#), &None),
    ] {
        assert_eq!(&facts(name, &text), wanted, "{what}");
    }
}

#[test]
fn a_snapshots_moment_is_its_names_else_its_newest_capture() {
    let newer = item("b").replace("2026-02-03T04:05:06.000Z", "2026-02-03T05:00:00.000Z");
    let text = snapshot(&[newer, item("a")]);
    let moment = |name: &str| read_as(name, &text).unwrap().snapshot.unwrap().moment_ms;
    assert_eq!(moment(""), 1_770_094_800_000);
    assert_eq!(moment(NAME), 1_770_091_506_000);
    assert_eq!(moment("ConfigSnapshot_20260203T0405Z_x.json"), 1_770_094_800_000);
    assert_eq!(facts("", &snapshot(&[])), None, "no moment at all");
    assert_eq!(facts(NAME, &snapshot(&[])).unwrap(), "111122223333/eu-west-1 1770091506000 []");
}

#[test]
fn a_snapshot_covers_what_it_contains_and_what_its_recorder_lists() {
    let recorder = |group: &str| {
        item_of(
            "AWS::Config::ConfigurationRecorder",
            "default",
            "eu-west-1",
            &format!(r#""configuration":{{"RecordingGroup":{group}}}"#),
        )
    };
    let covered = |items: &[String]| {
        let facts = read_as(NAME, snapshot(items)).unwrap().snapshot.unwrap();
        facts.covers.into_values().next().unwrap()
    };
    let types =
        |texts: &[&str]| texts.iter().map(|text| ResourceType::try_from(*text).unwrap()).collect();
    assert_eq!(
        covered(&[
            item("a"),
            recorder(r#"{"AllSupported":false,"ResourceTypes":["AWS::EC2::EIP","AWS::X::Y"]}"#)
        ]),
        types(&[
            "AWS::EC2::VPC",
            "AWS::EC2::EIP",
            "AWS::X::Y",
            "AWS::Config::ConfigurationRecorder"
        ])
    );
    let all = covered(&[
        recorder(r#"{"AllSupported":true}"#),
        item_of("AWS::X::Y", "a", "eu-west-1", r#""a":1"#),
    ]);
    assert_eq!(all.len(), ResourceType::NAMED.len() + 1);
    let but = covered(&[recorder(
        r#"{"allSupported":false,"exclusionByResourceTypes":{"resourceTypes":["AWS::EC2::EIP"]}}"#,
    )]);
    assert_eq!(but.len(), ResourceType::NAMED.len() - 1);
    assert!(!but.contains(&ResourceType::EIP));
}

#[test]
fn global_items_are_covered_in_their_home_and_make_nothing_else_known() {
    let of = |resource_type: &str, region: &str| item_of(resource_type, "a", region, r#""a":1"#);
    let role = of("AWS::IAM::Role", "global");
    let acl = of("AWS::WAFv2::WebACL", "global");
    assert_eq!(
        facts(NAME, &snapshot(&[item("v"), role.clone(), acl.clone()])).unwrap(),
        "111122223333/eu-west-1 1770091506000 [eu-west-1 VPC; us-east-1 Role]",
        "another Region's snapshot is not the whole truth about regional web ACLs"
    );
    assert_eq!(
        facts("", &snapshot(&[of("AWS::EC2::VPC", "us-east-1"), role.clone(), acl])).unwrap(),
        "111122223333/us-east-1 1770091506000 [us-east-1 VPC,Role,WebACL]"
    );
    assert_eq!(facts("", &snapshot(&[role])).unwrap(), "- 1770091506000 []");
}

/// A lost item leaves something that cannot be judged, wherever it may belong.
#[test]
fn unseen_resources_stand_in_for_items_without_a_readable_key() {
    let group = || item_of("AWS::EC2::SecurityGroup", "sg-1", "eu-west-1", r#""ipPermissions":[]"#);
    let role = || item_of("AWS::IAM::Role", "r", "global", r#""a":1"#);
    let no_id = |item: String, id: &str| item.replace(&format!(r#""resourceId":"{id}","#), "");
    let of = |name: &str, text: String| -> String {
        let delivery = read_as(name, text).unwrap();
        let unreadable = |seen: &&Observation| seen.item.key.id.as_str().starts_with("unreadable");
        let seen = delivery.observations.iter().filter(unreadable).map(|seen| {
            assert_eq!(seen.item.body, Body::Unseen);
            let key = &seen.item.key;
            let type_name = key.resource_type.as_str().rsplit("::").next().unwrap();
            let number = key.id.as_str().rsplit('-').next().unwrap();
            format!("{}/{}/{type_name}/{number} {}", key.account, key.region, seen.global)
        });
        seen.collect::<Vec<_>>().join(", ")
    };
    let group_1 = "111122223333/eu-west-1/SecurityGroup/1 false";
    let lost = no_id(group(), "sg-1");
    let history = |items: &[String]| format!(r#"{{"configurationItems":[{}]}}"#, items.join(","));
    let recorder = item_of(
        "AWS::Config::ConfigurationRecorder",
        "default",
        "eu-west-1",
        r#""configuration":{"recordingGroup":{"allSupported":false,"resourceTypes":["AWS::EC2::SecurityGroup"]}}"#,
    );
    for (what, name, text, wanted) in [
        ("no id", "", snapshot(&[group(), lost.clone()]), group_1),
        ("no id, alone of its type", "", snapshot(&[role(), lost.clone()]), group_1),
        ("in a history", "", history(&[item("v"), lost.clone()]), group_1),
        (
            "of the files shard",
            NAME,
            snapshot(&[group(), lost.replace("111122223333", "x")]),
            group_1,
        ),
        ("no account", "", snapshot(&[group(), group().replace("111122223333", "")]), group_1),
        ("no Region", "", snapshot(&[group(), group().replace("\"eu-west-1\"", "null")]), group_1),
        (
            "no time",
            "",
            snapshot(&[group(), group().replace("2026-", "x").replace("1770091506000", "0")]),
            group_1,
        ),
        (
            "global",
            "",
            snapshot(&[group(), no_id(role(), "r")]),
            "111122223333/us-east-1/Role/1 true",
        ),
        ("of no type", "", snapshot(&[group(), "null".to_owned(), "null".to_owned()]), group_1),
        ("of no type, listed", "", snapshot(&[recorder.clone(), "5".to_owned()]), group_1),
        ("the recorder", "", snapshot(&[group(), no_id(recorder, "default")]), group_1),
        ("of no type, in a history", "", history(&[group(), "null".to_owned()]), ""),
        ("of no known place", "", history(&[lost.replace("111122223333", "")]), ""),
    ] {
        assert_eq!(of(name, text), wanted, "{what}");
    }
}

#[test]
fn a_snapshot_is_not_the_whole_truth_about_what_it_lost() {
    let mixed = [item("v"), item_of("AWS::EC2::VPC", "w", "us-west-2", r#""a":1"#)];
    assert_eq!(facts("", &snapshot(&mixed)).unwrap(), "- 1770091506000 []", "of two Regions");
    assert_eq!(
        facts(NAME, &snapshot(&mixed)).unwrap(),
        "111122223333/eu-west-1 1770091506000 [eu-west-1 VPC]",
        "the name tells which"
    );
    let eip = item_of("AWS::EC2::EIP", "e", "eu-west-1", r#""a":1"#);
    let lost = eip.replace("111122223333", "");
    assert_eq!(
        facts(NAME, &snapshot(&[item("v"), eip.clone(), lost])).unwrap(),
        "111122223333/eu-west-1 1770091506000 [eu-west-1 VPC]",
        "an address of unknown owner"
    );
    assert_eq!(
        facts(NAME, &snapshot(&[item("v"), eip, "null".to_owned()])).unwrap(),
        "- 1770091506000 []",
        "an item of unknown type"
    );
}

/// A snapshot's name, by which its kind is known before its items are.
const NAMED: &str = "111122223333_Config_eu-west-1_ConfigSnapshot_20260203T040506Z_u.json";

#[test]
fn leaving_out_what_is_not_wanted_changes_nothing_else() {
    let wanted: Arc<BTreeSet<ResourceType>> =
        Arc::new([ResourceType::SECURITY_GROUP, ResourceType::CONFIGURATION_RECORDER].into());
    let group = |id: &str, rules: &str| {
        let body =
            format!(r#""configuration":{{"ipPermissions":{rules},"ipPermissionsEgress":[]}}"#);
        item_of("AWS::EC2::SecurityGroup", id, "eu-west-1", &body)
    };
    let of_us_all = |more: &str| item_of("AWS::IAM::Role", "r", "global", more);
    let mut items = vec![
        item("plain"),
        item("é"),
        item("escaped\\u0041"),
        item(""),
        item(&"x".repeat(1024)),
        item(&"x".repeat(1025)),
        group("sg-1", "[]"),
        group("sg-2", r#"[{"ipProtocol":"tcp","fromPort":"x"}]"#),
        group("sg-3", "[1 2]"),
        of_us_all(r#""configuration":{}"#),
        item_of("AWS::Lambda::Function", "f", "us-west-2", r#""configuration":"{\"a\":1}""#),
        item_of("AWS::Lambda::Function", "g", "eu west", r#""configuration":{}"#),
        item_of("", "g", "eu-west-1", r#""configuration":{}"#),
        item("tagged").replace(r#""tags":{}"#, r#""tags":{"a":"b","c":null,"d":1}"#),
        item("listed").replace(r#""tags":{}"#, r#""tags":[{"key":"a","value":"b"}]"#),
        item("nested").replace(r#""tags":{}"#, r#""tags":{"a":{"b":"c"}}"#),
        item("untagged").replace(r#""tags":{},"#, ""),
        item("deleted").replace(r#""OK""#, r#""ResourceDeleted""#),
        item("unknown").replace(r#""OK""#, r#""Perhaps""#),
        item("unrecorded").replace(r#""OK""#, r#""ResourceNotRecorded""#),
        item("timeless").replace("2026-02-03T04:05:06.000Z", "yesterday"),
        item("null").replace(r#""111122223333""#, "null"),
        item("number").replace(r#""111122223333""#, "111122223333"),
        item("account").replace("111122223333", "12a"),
        item("later").replace("2026-02-03T04:05:06.000Z", "2026-02-03T04:05:07Z"),
        r#"{"awsRegion":"eu-west-1"}"#.to_owned(),
        "{}".to_owned(),
        "null".to_owned(),
        "7".to_owned(),
    ];
    for _ in 0..items.len() {
        items.rotate_left(1);
        for name in [NAMED, "ConfigHistory", ""] {
            let text = snapshot(&items);
            let whole = read_as(name, &text).unwrap();
            for size in [5, 100_000] {
                let mut reader = DeliveryReader::reading_only(name, Arc::clone(&wanted));
                text.as_bytes().chunks(size).for_each(|chunk| reader.push(chunk).unwrap());
                let only = reader.finish().unwrap();
                assert_eq!(only.quarantined, whole.quarantined, "{name}");
                assert_eq!(only.snapshot, whole.snapshot, "{name}");
                let of_wanted = |delivery: &Delivery| -> Vec<Observation> {
                    let is_wanted =
                        |one: &&Observation| wanted.contains(&one.item.key.resource_type);
                    delivery.observations.iter().filter(is_wanted).cloned().collect()
                };
                assert_eq!(of_wanted(&only), of_wanted(&whole), "{name}");
                let shown: BTreeSet<(ShardId, bool, ResourceType)> = only
                    .shown
                    .iter()
                    .flat_map(|shown| {
                        shown.types.iter().map(|t| (shown.shard.clone(), shown.global, t.clone()))
                    })
                    .collect();
                let told: BTreeSet<(ShardId, bool, ResourceType)> = whole
                    .observations
                    .iter()
                    .filter(|one| !one.item.key.id.as_str().starts_with("unreadable-item-"))
                    .map(|one| {
                        (one.item.key.shard(), one.global, one.item.key.resource_type.clone())
                    })
                    .collect();
                if name.is_empty() {
                    assert_eq!(only, whole, "a file of unknown kind is read whole");
                } else {
                    assert_eq!(shown, told, "{name}");
                    assert!(
                        only.observations.len() < whole.observations.len(),
                        "some are left out"
                    );
                }
            }
        }
    }
}

#[test]
fn the_future_is_not_believed() {
    const NOW_MS: i64 = 1_770_091_506_000;
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
    let first_doubted = state(NOW_MS + AHEAD_MS_MAX + 1);
    for (captured, state, believed) in [
        ("2026-02-03T04:05:06.000Z", "", true),
        ("2026-02-04T04:05:06.000Z", "", true),
        ("2026-02-04T04:05:06.001Z", "", false),
        ("9999-01-01T00:00:00Z", "", false),
        ("2026-02-03T04:05:06.000Z", &*last_believed, true),
        ("2026-02-03T04:05:06.000Z", &*first_doubted, false),
        // A counter of the first years is no time.
        ("2026-02-03T04:05:06.000Z", r#""configurationStateId":58,"#, true),
    ] {
        for only in [false, true] {
            let text = snapshot(&[at(captured, state), item("b")]);
            let delivery = read_now(NAMED, text, only);
            assert_eq!(delivery.quarantined.is_empty(), believed, "{captured} {state}");
            if !believed {
                let doubted = &delivery.observations[0].item;
                assert_eq!((doubted.key.id.as_str(), &doubted.body), ("a", &Body::Unseen));
                assert_eq!(doubted.version, Version { state: None, captured_ms: NOW_MS });
            }
        }
    }
    let ahead = NAMED.replace("20260203T", "20990101T");
    for (name, moment_ms) in [(NAMED, NOW_MS), (&ahead, NOW_MS)] {
        let delivery = read_now(name, snapshot(&[item("a")]), false);
        assert_eq!(delivery.snapshot.unwrap().moment_ms, moment_ms, "{name}");
    }
    let unknown = read_now("", snapshot(&[at("9999-01-01T00:00:00Z", "")]), false);
    assert_eq!(unknown.snapshot.unwrap().moment_ms, NOW_MS, "told by its newest item");
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
        let seen = &delivery.observations[0].item;
        assert_eq!(
            (&seen.key.resource_type, &seen.body),
            (&ResourceType::SECURITY_GROUP, &Body::Unseen)
        );
    }
}

#[test]
fn unreadable_items_are_told_one_by_one_to_their_limit() {
    for (items, told, more) in [
        (QUARANTINED_MAX - 1, QUARANTINED_MAX - 1, 0),
        (QUARANTINED_MAX, QUARANTINED_MAX, 0),
        (QUARANTINED_MAX + 1, QUARANTINED_MAX, 1),
    ] {
        let delivery = read(snapshot(&vec!["{}".to_owned(); items])).unwrap();
        assert_eq!((delivery.quarantined.len(), delivery.quarantined_more), (told, more));
    }
}
