//! What a file had, or its source, and did not give (semantics §11 rows 37, 39 and 45).

use std::slice::from_ref;

use super::*;
use crate::ident::AccountId;
use crate::inventory::{Cause, Missed, read_item};

const NOW_MS: i64 = 1_800_000_000_000;

/// `account/Region/type/what cause moment` of each gap, and how many items are nobody's.
fn told(name: &str, text: &str) -> String {
    let read = |mut reader: DeliveryReader| {
        reader.push(text.as_bytes()).unwrap();
        reader.finish().unwrap()
    };
    let delivery = read(DeliveryReader::new(name).received(NOW_MS));
    let encoded = read(DeliveryReader::new(name).received(NOW_MS).encoding());
    assert_eq!(encoded::decoded(encoded), delivery);
    for size in [1, 7, 100] {
        let mut reader = DeliveryReader::new(name).received(NOW_MS);
        text.as_bytes().chunks(size).for_each(|chunk| reader.push(chunk).unwrap());
        assert_eq!(reader.finish().unwrap(), delivery, "chunks of {size}");
    }
    let mut all: Vec<String> = delivery.missed.iter().map(gap).collect();
    assert!(delivery.anybodys.iter().all(|one| one.account.is_none()));
    assert!(delivery.anybodys.len() as u64 <= delivery.nobodys);
    if delivery.nobodys > 0 {
        all.push(format!("{} of nobody", delivery.nobodys));
    }
    all.join(", ")
}

fn gap(missed: &Missed) -> String {
    let text = |known: Option<&str>| known.unwrap_or("*").to_owned();
    let kind = missed.resource_type.as_ref().map(ResourceType::as_str);
    let cause = match missed.cause {
        Cause::GoesOn => "goes on",
        Cause::LeftOut => "left out",
        Cause::Item => "item",
        Cause::File => "file",
        Cause::Call => "call",
    };
    let moment = match missed.moment_ms {
        1_770_091_506_000 => String::new(),
        1_772_582_400_000 => " at the snapshot".to_owned(),
        NOW_MS => " now".to_owned(),
        other => format!(" {other}"),
    };
    format!(
        "{}/{}/{}/{} {cause}{moment}",
        text(missed.account.as_ref().map(AccountId::as_str)),
        text(missed.region.as_ref().map(Region::as_str)),
        text(kind.map(|kind| kind.rsplit("::").next().unwrap())),
        missed.what.as_deref().unwrap_or("*"),
    )
}

/// Moment 1772582400000.
const SNAPSHOT: &str = "111122223333_Config_eu-west-1_ConfigSnapshot_20260304T000000Z_u.json.gz";
const FOLDER: &str = "AWSLogs/111122223333/Config/eu-west-1/x.json";

fn group(id: &str) -> String {
    let body = r#""configuration":{"ipPermissions":[],"ipPermissionsEgress":[]}"#;
    item_of("AWS::EC2::SecurityGroup", id, "eu-west-1", body)
}

fn history(items: &[String]) -> String {
    format!(r#"{{"configurationItems":[{}]}}"#, items.join(","))
}

/// The rows as a query answers them, with these members around.
fn page(rows: &[String], around: &str) -> String {
    let rows: Vec<String> = rows.iter().map(|row| quoted(row)).collect();
    format!(r#"{{"Results":[{}],"QueryInfo":{{"SelectFields":[]}}{around}}}"#, rows.join(","))
}

fn without(item: &str, key: &str) -> String {
    let mut object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(item).unwrap();
    object.remove(key).unwrap();
    serde_json::to_string(&object).unwrap()
}

#[test]
fn whatever_can_be_read_of_a_bad_item_is_named() {
    let one = group("sg-1");
    let other = group("sg-2").replace("111122223333", "444455556666");
    let role = item_of("AWS::IAM::Role", "r", "global", r#""configuration":{}"#);
    let timeless = |item: &str| item.replace("2026-", "x").replace("1770091506000", "0");
    let here = "111122223333/eu-west-1/SecurityGroup/sg-1 item";
    let any = "111122223333/eu-west-1/*/* item";
    // What may be of any type may be global as well.
    let global: Vec<String> = ["Distribution", "Protection", "WebACL", "WebACL"]
        .iter()
        .map(|kind| format!("111122223333/us-east-1/{kind}/* item"))
        .collect();
    let global = global.join(", ");
    let both =
        format!("{any} at the snapshot, {}", global.replace(" item", " item at the snapshot"));
    let list = |item: &str| format!("[{item}]");
    for (what, name, text, wanted) in [
        ("no account, of the folder", FOLDER, history(&[without(&one, "awsAccountId")]), here.to_owned()),
        (
            "no account, beside another item",
            "",
            history(&[group("sg-0"), without(&one, "awsAccountId")]),
            here.to_owned(),
        ),
        (
            "no account, beside items of two",
            "",
            history(&[group("sg-0"), other.clone(), without(&one, "awsAccountId")]),
            format!("{here}, {}, 1 of nobody", here.replace("111122223333", "444455556666")),
        ),
        ("no account", "", history(&[without(&one, "awsAccountId")]), "1 of nobody".to_owned()),
        ("no Region", "", history(&[without(&one, "awsRegion")]), here.replace("eu-west-1", "*")),
        (
            "a zone's name, or one that was cut off, is no Region's: a gap there would be seen by nobody",
            "",
            history(&[one.replace("eu-west-1", "eu-west-1a")]),
            here.replace("eu-west-1", "*"),
        ),
        ("no Region, of the folder", FOLDER, history(&[without(&one, "awsRegion")]), here.to_owned()),
        (
            "no type",
            "",
            history(&[without(&one, "resourceType")]),
            "111122223333/eu-west-1/*/sg-1 item".to_owned(),
        ),
        (
            "no id",
            "",
            history(&[without(&one, "resourceId")]),
            "111122223333/eu-west-1/SecurityGroup/* item".to_owned(),
        ),
        ("no time", "", history(&[timeless(&one)]), format!("{here} now")),
        ("no time, beside another", "", history(&[group("sg-0"), timeless(&one)]), here.to_owned()),
        (
            "in a snapshot it was still so then",
            SNAPSHOT,
            snapshot(&[group("sg-0"), without(&one, "resourceId")]),
            "111122223333/eu-west-1/SecurityGroup/* item at the snapshot".to_owned(),
        ),
        (
            "the recorder may have told of any type",
            "",
            history(&[without(&item_of("AWS::Config::ConfigurationRecorder", "default", "eu-west-1", r#""a":1"#), "configurationItemCaptureTime").replace("1770091506000", "0")]),
            "111122223333/eu-west-1/*/default item now".to_owned(),
        ),
        ("of a type that nobody reads", "", history(&[without(&role, "resourceId")]), String::new()),
        ("a number", SNAPSHOT, snapshot(&["7".to_owned()]), both.clone()),
        ("null", SNAPSHOT, snapshot(&["null".to_owned()]), both.clone()),
        ("a text", SNAPSHOT, snapshot(&[quoted("x")]), both.clone()),
        ("an empty list", SNAPSHOT, snapshot(&["[]".to_owned()]), both),
        (
            "an item as text",
            "",
            history(&[quoted(&one)]),
            "111122223333/eu-west-1/SecurityGroup/* item now".to_owned(),
        ),
        (
            "a nested list",
            "",
            history(&[list(&list(&one))]),
            "111122223333/eu-west-1/SecurityGroup/* item now".to_owned(),
        ),
        (
            "a list of two accounts",
            "",
            history(&[format!("[{one},{other}]")]),
            "111122223333/eu-west-1/SecurityGroup/* item now, 444455556666/eu-west-1/SecurityGroup/* item now".to_owned(),
        ),
        (
            "configurationItem as a list",
            "",
            format!(r#"{{"configurationItem":[{one}],"messageType":"x"}}"#),
            "111122223333/eu-west-1/SecurityGroup/* item now".to_owned(),
        ),
        (
            "configurationItem as text",
            FOLDER,
            format!(r#"{{"configurationItem":{},"messageType":"x"}}"#, quoted(&one)),
            "111122223333/eu-west-1/SecurityGroup/* item now".to_owned(),
        ),
        (
            "configurationItem as a number",
            "",
            r#"{"configurationItem":7,"messageType":"x"}"#.to_owned(),
            "1 of nobody".to_owned(),
        ),
        (
            "half a message",
            "",
            format!(r#"{{"Messages":[{{"Body":{}}}]}}"#, quoted(notification("a").trim_end_matches('}'))),
            "111122223333/eu-west-1/VPC/* item now".to_owned(),
        ),
        (
            "a type that is none",
            "",
            history(&[one.replace("SecurityGroup\"", "SecurityGroup \"")]),
            "111122223333/eu-west-1/*/sg-1 item".to_owned(),
        ),
        (
            "a type that is a number",
            "",
            history(&[one.replace("\"AWS::EC2::SecurityGroup\"", "7")]),
            "111122223333/eu-west-1/*/sg-1 item".to_owned(),
        ),
        (
            "global, of a type that never is",
            SNAPSHOT,
            snapshot(&[group("sg-0"), one.replace("eu-west-1", "global")]),
            format!("{here} at the snapshot"),
        ),
        (
            "global, of a type that nobody reads and never is",
            SNAPSHOT,
            snapshot(&[item("v").replace("eu-west-1", "us-east-1"), item("w").replace("eu-west-1", "global")]),
            "111122223333/eu-west-1/VPC/w item at the snapshot".to_owned(),
        ),
        (
            "an owner that is no account",
            "",
            history(&[one.replace("\"ipPermissions\"", "\"ownerId\":7,\"ipPermissions\"")]),
            String::new(),
        ),
        ("nothing wrong", SNAPSHOT, snapshot(&[one]), String::new()),
    ] {
        assert_eq!(told(name, &text), wanted, "{what}");
    }
}

#[test]
fn a_notification_without_its_item_is_an_item_that_cannot_be_read() {
    const LOCATION: &str = "b/AWSLogs/111122223333/Config/eu-west-1/2026/2/3/OversizedChangeNotification/AWS::EC2::SecurityGroup/sg-1/111122223333_Config_eu-west-1_ChangeNotification_AWS::EC2::SecurityGroup_sg-1_20260203T040506Z_1.json.gz";
    let nobodys = "1 of nobody";
    let of_type = |kind: &str, more: &str| format!(r#"{{{more}"messageType":"{kind}"}}"#);
    let change = "ConfigurationItemChangeNotification";
    let large = "OversizedConfigurationItemChangeNotification";
    let failed = "OversizedConfigurationItemChangeDeliveryFailed";
    let stored = format!(r#""s3DeliverySummary":{{"s3BucketLocation":"{LOCATION}"}},"#);
    let sns = |message: &str| format!(r#"{{"Type":"Notification"{message}}}"#);
    for (what, name, text, wanted) in [
        ("a change", "", of_type(change, ""), nobodys),
        ("a change, null", "", of_type(change, r#""configurationItem":null,"#), nobodys),
        ("of a folder", FOLDER, of_type(change, ""), "all"),
        ("oversized", "", of_type(large, ""), nobodys),
        ("oversized, null", "", of_type(large, r#""configurationItemSummary":null,"#), nobodys),
        ("not delivered", "", of_type(failed, r#""configurationItemSummary":null,"#), nobodys),
        (
            "of an object in S3",
            "",
            of_type(large, &stored),
            "111122223333/eu-west-1/SecurityGroup/* item now",
        ),
        (
            "in a message",
            "",
            sns(&format!(r#","Message":{}"#, quoted(&of_type(change, "")))),
            nobodys,
        ),
        ("an empty message", "", sns(r#","Message":"""#), nobodys),
        ("a message that is null", "", sns(r#","Message":null"#), nobodys),
        ("no message", "", sns(""), nobodys),
        ("an empty record", "", r#"{"Records":[{"messageId":"1","body":""}]}"#.to_owned(), nobodys),
        (
            "a record without a body",
            "",
            r#"{"Messages":[{"ReceiptHandle":"1","Body":null}]}"#.to_owned(),
            nobodys,
        ),
        ("a null among records", "", r#"{"Messages":[null]}"#.to_owned(), nobodys),
        (
            "a null among a message's",
            "",
            sns(&format!(r#","Message":{}"#, quoted("[null]"))),
            nobodys,
        ),
        (
            "an event",
            "",
            r#"{"detail-type":"Config Configuration Item Change","detail":null}"#.to_owned(),
            nobodys,
        ),
        (
            "an event with nothing in it",
            "",
            r#"{"detail-type":"Config Configuration Item Change","account":"1","detail":{}}"#
                .to_owned(),
            nobodys,
        ),
        (
            "an event with another thing in it",
            "",
            r#"{"detail-type":"Config Configuration Item Change","detail":{"a":{"b":1}}}"#
                .to_owned(),
            nobodys,
        ),
        ("for a rule", "", r#"{"invokingEvent":null,"resultToken":"t"}"#.to_owned(), nobodys),
        ("for a rule", "", r#"{"invokingEvent":"{}","resultToken":"t"}"#.to_owned(), nobodys),
    ] {
        let told = told(name, &text);
        match wanted {
            "all" => assert!(told.starts_with("111122223333/eu-west-1/*/* item now"), "{told}"),
            _ => assert_eq!(told, wanted, "{what}"),
        }
    }
    // A list of items in a message is read but for what is null in it.
    let items = format!(r#"{{"configurationItems":[null,{}]}}"#, group("sg-1"));
    let told = told("", &sns(&format!(r#","Message":{}"#, quoted(&items))));
    assert!(told.starts_with("111122223333/"), "{told}");
}

/// An event that does not say whose it is may be of an item; another service's says so.
#[test]
fn an_event_that_does_not_say_whose_it_is_cannot_be_read() {
    for text in [r#"{"detail":{}}"#, r#"{"detail":{"a":{"b":1}},"source":"aws.config"}"#] {
        assert!(matches!(read(text), Err(DeliveryError::NoItems)), "{text}");
    }
    for of in [r#""source":"aws.ec2""#, r#""detail-type":"EC2 Instance State-change Notification""#]
    {
        let delivery = read(format!(r#"{{"detail":{{}},{of}}}"#)).unwrap();
        assert!(delivery.missed.is_empty(), "{of}");
    }
}

#[test]
fn an_item_that_is_known_has_no_other_gap_than_itself() {
    let bad = group("sg-1").replace(r#""ipPermissions":[]"#, r#""ipPermissions":"x""#);
    assert_eq!(told("", &history(&[bad])), "");
}

#[test]
fn answers_that_go_on_are_gaps() {
    let one = group("sg-1");
    let two = group("sg-2");
    let vpc = item("v");
    let token = r#","NextToken":"t""#;
    let rows = "111122223333/eu-west-1/SecurityGroup/* goes on";
    let items = "111122223333/eu-west-1/*/* goes on";
    let web_acl = item_of("AWS::WAFv2::WebACL", "w", "global", r#""configuration":{}"#);
    let late = web_acl.replace(r#""OK""#, r#""ResourceNotRecorded""#);
    let next = |items: &[String], key: &str| {
        format!(r#"{{"{key}":"t","configurationItems":[{}]}}"#, items.join(","))
    };
    for (what, name, text, wanted) in [
        ("a page", "", page(from_ref(&one), token), rows),
        ("a page, any case", "", page(from_ref(&one), r#","nexttoken":"t""#), rows),
        ("the last page", "", page(from_ref(&one), ""), ""),
        ("no token", "", page(from_ref(&one), r#","NextToken":null"#), ""),
        ("an empty token", "", page(from_ref(&one), r#","NextToken":"""#), ""),
        ("the token first", "", page(from_ref(&one), "").replacen('{', r#"{"NextToken":"t","#, 1), rows),
        (
            "several types",
            "",
            page(&[one.clone(), vpc.clone()], token),
            "111122223333/eu-west-1/*/* goes on",
        ),
        (
            "several Regions",
            "",
            page(&[one.clone(), two.replace("eu-west-1", "us-east-1")], token),
            "111122223333/*/SecurityGroup/* goes on",
        ),
        (
            "several accounts",
            "",
            page(&[one.clone(), two.replace("111122223333", "444455556666")], token),
            "111122223333/eu-west-1/SecurityGroup/* goes on, 444455556666/eu-west-1/SecurityGroup/* goes on",
        ),
        ("a page without rows", "", page(&[], token), "*/*/*/* goes on now"),
        ("of a folder", FOLDER, page(from_ref(&one), token), rows),
        ("of a folder, without rows", FOLDER, page(&[], token), "111122223333/eu-west-1/*/* goes on now"),
        (
            "pages as lines, to the end",
            "",
            format!("{}\n{}", page(from_ref(&one), token), page(from_ref(&two), "")),
            "",
        ),
        (
            "pages as a list, to the end",
            "",
            format!("[{},{}]", page(from_ref(&one), token), page(from_ref(&two), "")),
            "",
        ),
        (
            "pages as a list, not to the end",
            "",
            format!("[{},{}]", page(from_ref(&one), token), page(from_ref(&two), token)),
            rows,
        ),
        (
            "the end of another query",
            "",
            format!(
                "{}\n{}",
                page(from_ref(&one), token),
                page(from_ref(&two), "").replace(r#""SelectFields":[]"#, r#""SelectFields":[{"Name":"x"}]"#)
            ),
            rows,
        ),
        (
            "recorded",
            "",
            format!(r#"{{"status_code":200,"data":{}}}"#, page(from_ref(&one), token)),
            rows,
        ),
        (
            "two queries that do not tell what they select",
            "",
            [page(from_ref(&one), token), page(from_ref(&two), "")]
                .map(|page| page.replace(r#""QueryInfo":{"SelectFields":[]}"#, r#""x":1"#))
                .join("\n"),
            rows,
        ),
        (
            "two lists of ids",
            FOLDER,
            ["SecurityGroup", "NetworkInterface"]
                .map(|kind| format!(r#"{{"resourceIdentifiers":[{{"resourceType":"AWS::EC2::{kind}"}}],"nextToken":"{}"}}"#, if kind == "SecurityGroup" { "t" } else { "" }))
                .join("\n"),
            "111122223333/eu-west-1/NetworkInterface/* goes on now, 111122223333/eu-west-1/SecurityGroup/* goes on now",
        ),
        (
            "a history named so",
            "111122223333_Config_eu-west-1_ConfigHistory_AWS::EC2::SecurityGroup_20260203T000000Z_20260203T040506Z_1.json",
            next(from_ref(&one), "nextToken"),
            "111122223333/eu-west-1/SecurityGroup/* goes on",
        ),
        ("a history", "", next(&[one.clone(), one.clone()], "nextToken"), ""),
        ("a history, not recorded any more", "", next(&[late.clone(), late.clone()], "nextToken"), ""),
        ("a history, not recorded for a while", "", next(&[web_acl.clone(), late.clone()], "nextToken"), ""),
        ("of another that is not recorded", "", next(&[one.clone(), late.clone()], "nextToken"), items),
        ("a page without items", "", next(&[], "nextToken"), "*/*/*/* goes on now"),
        ("without items, of a folder", FOLDER, next(&[], "nextToken"), "111122223333/eu-west-1/*/* goes on now"),
        (
            "without items, recorded",
            "",
            format!(r#"{{"data":{}}}"#, next(&[], "nextToken")),
            "*/*/*/* goes on now",
        ),
        (
            "histories, as lines",
            "",
            format!("{}\n{}", next(from_ref(&one), "nextToken"), next(from_ref(&two), "nextToken")),
            "",
        ),
        ("of several resources", "", next(&[one.clone(), two.clone()], "nextToken"), items),
        (
            "of several resources, recorded",
            "",
            format!(r#"{{"data":{}}}"#, next(&[one.clone(), two.clone()], "nextToken")),
            items,
        ),
        (
            "a snapshot",
            SNAPSHOT,
            snapshot(from_ref(&one)).replacen('{', r#"{"NextToken":"t","#, 1),
            "111122223333/eu-west-1/*/* goes on at the snapshot",
        ),
        (
            "a list of ids",
            FOLDER,
            r#"{"resourceIdentifiers":[{"resourceType":"AWS::EC2::SecurityGroup","resourceId":"sg-1"}],"nextToken":"t"}"#.to_owned(),
            "111122223333/eu-west-1/SecurityGroup/* goes on now",
        ),
        (
            "an aggregator's list of ids",
            "",
            r#"{"ResourceIdentifiers":[{"SourceAccountId":"1","SourceRegion":"eu-west-1","ResourceType":"AWS::EC2::SECURITYGROUP","ResourceId":"sg-1"}],"NextToken":"t"}"#.to_owned(),
            "1/eu-west-1/SecurityGroup/* goes on now",
        ),
    ] {
        assert_eq!(told(name, &text), wanted, "{what}");
    }
}

#[test]
fn what_an_answer_names_and_does_not_give_is_a_gap() {
    let one = group("sg-1");
    let batch = |items: &[String], key: &str, left_out: &str| {
        format!(r#"{{"baseConfigurationItems":[{}],"{key}":{left_out}}}"#, items.join(","))
    };
    let keys = "unprocessedResourceKeys";
    let key = r#"[{"resourceType":"AWS::EC2::NetworkInterface","resourceId":"eni-1"}]"#;
    let here = "111122223333/eu-west-1/NetworkInterface/* left out";
    let aggregated = r#"[{"SourceAccountId":"1","SourceRegion":"us-east-1","ResourceType":"AWS::EC2::NetworkInterface","ResourceId":"eni-1"}]"#;
    for (what, text, wanted) in [
        ("of the other items", batch(from_ref(&one), keys, key), here),
        (
            "first",
            batch(from_ref(&one), "x", "1").replacen('{', &format!(r#"{{"{keys}":{key},"#), 1),
            here,
        ),
        ("in any letter case", batch(from_ref(&one), "UNPROCESSEDRESOURCEKEYS", key), here),
        ("recorded", format!(r#"{{"data":{}}}"#, batch(from_ref(&one), keys, key)), here),
        ("of everybody", batch(&[], keys, key), "*/*/NetworkInterface/* left out now"),
        ("none", batch(from_ref(&one), keys, "[]"), ""),
        ("null", batch(from_ref(&one), keys, "null"), ""),
        ("of no type", batch(from_ref(&one), keys, "[{}]"), "111122223333/eu-west-1/*/* left out"),
        (
            "in another form",
            batch(from_ref(&one), keys, "[7]"),
            "111122223333/eu-west-1/*/* left out",
        ),
        (
            "an aggregator's",
            batch(from_ref(&one), "UnprocessedResourceIdentifiers", aggregated),
            "1/us-east-1/NetworkInterface/* left out",
        ),
        (
            "of a type that nobody reads",
            batch(&[one], keys, r#"[{"resourceType":"AWS::IAM::Role","resourceId":"r"}]"#),
            "",
        ),
    ] {
        assert_eq!(told("", &text), wanted, "{what}");
    }
}

#[test]
fn a_global_resource_that_another_region_does_not_record_is_not_told_of() {
    let web_acl = item_of("AWS::WAFv2::WebACL", "w", "global", r#""configuration":null"#);
    let unrecorded = web_acl.replace(r#""OK""#, r#""ResourceNotRecorded""#);
    let regional = unrecorded.replace("global", "eu-west-1");
    let event = |region: &str, item: &str| {
        let detail = format!(r#"{{"configurationItem":{item},"messageType":"x"}}"#);
        format!(r#"{{"source":"aws.config","region":"{region}","detail":{detail}}}"#)
    };
    let sns = |region: &str, item: &str| {
        let message = quoted(&format!(r#"{{"configurationItem":{item},"messageType":"x"}}"#));
        format!(
            r#"{{"Type":"Notification","TopicArn":"arn:aws:sns:{region}:1:t","Message":{message}}}"#
        )
    };
    let home = SNAPSHOT.replace("eu-west-1", "us-east-1");
    for (what, name, text, wanted) in [
        ("of the file", SNAPSHOT, snapshot(&[unrecorded.clone(), item("v")]), "v"),
        ("of the folder", FOLDER, history(from_ref(&unrecorded)), ""),
        ("of the other items", "", history(&[unrecorded.clone(), item("v")]), "v"),
        ("of us-east-1's file", &home, snapshot(from_ref(&unrecorded)), "w"),
        ("of nobody", "", history(from_ref(&unrecorded)), "w"),
        ("of an event", "", event("eu-west-1", &unrecorded), ""),
        ("of an event of us-east-1", "", event("us-east-1", &unrecorded), "w"),
        (
            "behind an event of another Region",
            "",
            format!("{}\n{}", event("eu-west-1", &item("v")), history(from_ref(&unrecorded))),
            "v w",
        ),
        (
            "behind such an event in one message",
            "",
            format!(
                r#"{{"Message":{}}}"#,
                quoted(&format!("[{},{unrecorded}]", event("eu-west-1", &item("v"))))
            ),
            "v w",
        ),
        (
            "of a topic, within an event's list",
            "",
            format!(
                r#"{{"region":"eu-west-1","detail":[{},{unrecorded}]}}"#,
                sns("us-east-1", &item("v").replace("eu-west-1", "us-east-1"))
            ),
            "v",
        ),
        ("of a topic", "", sns("eu-west-1", &unrecorded), ""),
        ("of a topic in us-east-1", "", sns("us-east-1", &unrecorded), "w"),
        ("of the Region itself", SNAPSHOT, snapshot(&[regional]), "w"),
        ("one that is recorded", SNAPSHOT, snapshot(&[web_acl, item("v")]), "w v"),
    ] {
        let delivery = read_as(name, &text).unwrap();
        assert_eq!(ids(&delivery).join(" "), wanted, "{what}");
        assert_eq!(delivery.quarantined, [], "{what}");
        let seen = delivery.observations.len() as u64 + delivery.ignored;
        assert_eq!(seen, text.matches("configurationItemStatus").count() as u64, "{what}");
        let covers = delivery.snapshot.iter().flat_map(|snapshot| snapshot.covers.values());
        let covered = covers.flatten().any(|one| *one == ResourceType::WAFV2_WEB_ACL);
        assert!(!covered || wanted.contains('w'), "{what}");
    }
    assert!(read_item(unrecorded.as_bytes()).is_ok());
}

#[test]
fn a_file_that_cannot_be_read_is_a_gap_where_its_name_says() {
    let account: AccountId = "999988887777".try_into().unwrap();
    let history = "111122223333_Config_eu-west-1_ConfigHistory_AWS::EC2::VPC_20260203T000000Z_20260203T040506Z_1.json";
    let told = |name: &str, account| -> String {
        let missed = Missed::file(name, account, NOW_MS);
        missed.iter().map(gap).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(told(history, None), format!("111122223333/eu-west-1/VPC/{history} file"));
    assert_eq!(told("x/y.json", None), "*/*/*/y.json file now");
    assert_eq!(told("y.json", Some(&account)), "999988887777/*/*/y.json file now");
    let of_snapshot = told(SNAPSHOT, Some(&account));
    assert!(of_snapshot.starts_with(&format!("111122223333/eu-west-1/*/{SNAPSHOT} file at")));
    assert!(of_snapshot.contains("111122223333/us-east-1/Distribution/"), "{of_snapshot}");
}
