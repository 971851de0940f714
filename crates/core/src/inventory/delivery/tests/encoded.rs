//! What is encoded without having been made into an item says the same.

use super::*;
use crate::inventory::outline::Look;
use crate::inventory::{Encoded, encode_item, seen_ms};

/// The delivery as it is read without [`DeliveryReader::encoding`].
pub fn decoded(mut delivery: Delivery) -> Delivery {
    assert_eq!(delivery.observations, []);
    let encoded = std::mem::take(&mut delivery.encoded);
    let decode = |item: EncodedItem<'_>| {
        let observation = item.decode().unwrap();
        let made = &observation.item;
        assert_eq!(item.body, encode_item(made), "equal items encode equally");
        assert_eq!(item.is_tombstone, made.is_tombstone());
        for moment in [None, Some(0), Some(i64::MAX)] {
            assert_eq!(item.seen_ms(moment), seen_ms(&made.version, moment));
        }
        observation
    };
    delivery.observations = encoded.items().map(decode).collect();
    assert_eq!(delivery.observations.len(), encoded.len());
    delivery
}

/// A usual item with this in place of its tags.
fn with(fields: &str) -> String {
    let unread = item("plain").replace("AWS::EC2::VPC", "AWS::EC2::EIP");
    unread.replace(r#""tags":{}"#, fields)
}

#[test]
fn usual_items_are_encoded_as_they_lie_there_and_others_are_read() {
    let group = item_of("AWS::EC2::SecurityGroup", "sg-1", "eu-west-1", r#""configuration":{}"#);
    for (text, is_usual) in [
        (with(r#""tags":{}"#), true),
        (with(r#""tags":{"a":"b"}"#), true),
        (with(r#""tags":{"b":"1","a":"é","":""}"#), true),
        (with(r#""tags":{"a":"1","a":"2"}"#), false),
        (with(r#""tags":{"a":null}"#), false),
        (with(r#""tags":{"a":1}"#), false),
        (with(r#""tags":{"a": "b"}"#), false),
        (with(r#""tags":{"a":"b",}"#), false),
        (with(r#""tags":{"a":"\u0041"}"#), false),
        (with(r#""tags":[{"key":"a","value":"b"}]"#), false),
        (with(r#""tags":null"#), false),
        (with(r#""tags":{},"resourceName":"n","ARN":"arn:é""#), true),
        (with(r#""tags":{},"resourceName":"","ARN":null"#), true),
        (with(r#""tags":{},"resourceName":"\u0041""#), false),
        (with(r#""tags":{},"resourceName":7"#), false),
        (with(r#""tags":{},"ARN":["arn"]"#), false),
        (with(r#""tags":{}"#).replace(r#""eu-west-1""#, r#""global""#), false),
        (
            with(r#""tags":{}"#)
                .replace(r#""eu-west-1""#, r#""global""#)
                .replace("AWS::EC2::EIP", "AWS::IAM::Role"),
            true,
        ),
        (with(r#""tags":{}"#).replace(r#""eu-west-1""#, r#""eu-west-1a""#), false),
        (with(r#""tags":{}"#).replace(r#""eu-west-1""#, r#""eu-west-""#), false),
        (with(r#""tags":{}"#).replace("AWS::EC2::EIP", "AWS::EC2::EIP "), false),
        (with(r#""tags":{}"#).replace("AWS::EC2::EIP", "EIP"), false),
        (with(r#""tags":{}"#).replace("1770091506000", "0"), true),
        (with(r#""tags":{}"#).replace("1770091506000", r#""x""#), true),
        (with(r#""tags":{}"#).replace(r#""OK""#, r#""ResourceDeleted""#), false),
        (group, false),
    ] {
        let (outline, _) = Outline::of(text.as_bytes(), 0, Look::Brackets).unwrap();
        let mut encoded = Encoded::default();
        let bystander = Bystander::of(&outline);
        let taken = bystander.and_then(|one| encoded.push_bystander(&one, &outline));
        assert_eq!(taken.is_some(), is_usual, "{text}");
        assert_eq!(encoded.is_empty(), !is_usual, "{text}");
        // Both ways, and beside others of its kind.
        read_as(NAME, snapshot(&[text.clone(), item("a"), text])).unwrap();
    }
}

#[test]
fn what_is_encoded_is_sorted_by_place_and_id_and_then_as_it_was_told() {
    let at = |id: &str, region: &str, resource_type: &str| {
        item_of(resource_type, id, region, r#""configuration":{}"#)
    };
    let items = [
        at("b", "us-east-1", "AWS::B::B"),
        at("a", "us-east-1", "AWS::B::B"),
        at("é", "us-east-1", "AWS::A::A"),
        at("b", "eu-west-1", "AWS::B::B"),
        at("a", "global", "AWS::B::B"),
    ];
    let mut reader = DeliveryReader::new("").encoding();
    reader.push(snapshot(&items).as_bytes()).unwrap();
    let encoded = reader.finish().unwrap().encoded;
    let sorted: Vec<String> = encoded
        .by_type()
        .iter()
        .flat_map(|of| {
            let place = format!("{} {}", of.shard.region, of.resource_type);
            of.items.iter().map(move |item| format!("{place} {} {}", item.id, item.global))
        })
        .collect();
    assert_eq!(
        sorted,
        [
            "eu-west-1 AWS::B::B b false",
            "us-east-1 AWS::A::A é false",
            "us-east-1 AWS::B::B a false",
            "us-east-1 AWS::B::B a true",
            "us-east-1 AWS::B::B b false",
        ]
    );
}

#[test]
fn places_of_one_slot_do_not_take_each_others_items() {
    // The slot is by the last letters of the type.
    let at = |account: &str, region: &str, resource_type: &str| {
        item_of(resource_type, "x", region, r#""configuration":{}"#)
            .replace("111122223333", account)
    };
    let mut items = Vec::new();
    for account in ["111122223333", "222222222222"] {
        for region in ["eu-west-1", "us-east-1", "global"] {
            for resource_type in ["AWS::One::Function", "AWS::Two::Function", "A::B"] {
                items.push(at(account, region, resource_type));
            }
        }
    }
    for _ in 0..items.len() {
        items.rotate_left(5);
        assert_eq!(read(snapshot(&items)).unwrap().observations.len(), items.len());
    }
}

#[test]
fn what_was_captured_in_the_future_is_quarantined_all_the_same() {
    let later = item("later").replace("2026-02-03T04:05:06.000Z", "2026-02-05T04:05:06.001Z");
    let numbered = item("numbered").replace("1770091506000", "1770264306001");
    let text = snapshot(&[item("a"), later, numbered, item("b")]);
    let now_ms = 1_770_091_506_000;
    let read = |reader: DeliveryReader| {
        let mut reader = reader.received(now_ms);
        reader.push(text.as_bytes()).unwrap();
        reader.finish().unwrap()
    };
    let made = read(DeliveryReader::new(NAME));
    assert_eq!(made.quarantined.len(), 2);
    assert_eq!(decoded(read(DeliveryReader::new(NAME).encoding())), made);
}

#[test]
fn types_in_another_letter_case_are_the_type() {
    let group = |resource_type: &str| {
        let body = r#""configuration":{"ipPermissions":[],"ipPermissionsEgress":[]}"#;
        item_of(resource_type, "sg-1", "eu-west-1", body)
    };
    let recorder = |listed: &str| {
        let body = format!(
            r#""configuration":{{"recording":true,"recordingGroup":{{"allSupported":false,"resourceTypes":["{listed}"]}}}}"#
        );
        item_of("aws::config::configurationrecorder", "default", "eu-west-1", &body)
    };
    let usual = [
        group("AWS::EC2::SecurityGroup"),
        item("a"),
        recorder("AWS::EC2::SecurityGroup")
            .replace("aws::config::configurationrecorder", "AWS::Config::ConfigurationRecorder"),
    ];
    let other = [
        group("AWS::EC2::SECURITYGROUP"),
        item("a").replace("AWS::EC2::VPC", "Aws::Ec2::Vpc"),
        recorder("aws::ec2::securitygroup"),
    ];
    for name in [NAME, "ConfigHistory", ""] {
        let usual = read_as(name, snapshot(&usual)).unwrap();
        assert_eq!(read_as(name, snapshot(&other)).unwrap(), usual);
        assert_eq!(usual.quarantined, []);
    }
    // Either is wanted where the type is.
    for wanted in [ResourceType::SECURITY_GROUP, ResourceType::VPC] {
        let wanted = Arc::new([wanted].into());
        let [usual, other] = [&usual, &other].map(|items| {
            let mut reader = DeliveryReader::reading_only(NAME, Arc::clone(&wanted));
            reader.push(snapshot(items).as_bytes()).unwrap();
            reader.finish().unwrap()
        });
        assert_eq!(other, usual);
        assert!(usual.observations.iter().any(|one| wanted.contains(&one.item.key.resource_type)));
    }
}
