//! Items that are not wanted are left out, and nothing else changes.

use super::*;

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
        group("sg-4", "[]").replace("AWS::EC2::SecurityGroup", "AWS::EC2::SECURITYGROUP"),
        item("shouted").replace("AWS::EC2::VPC", "aws::ec2::vpc"),
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
        for name in [NAME, "ConfigHistory", ""] {
            let text = snapshot(&items);
            let whole = read_as(name, &text).unwrap();
            for size in [5, 100_000] {
                let mut reader = DeliveryReader::reading_only(name, Arc::clone(&wanted));
                text.as_bytes().chunks(size).for_each(|chunk| reader.push(chunk).unwrap());
                let only = reader.finish().unwrap();
                assert_eq!(only.quarantined, whole.quarantined, "{name}");
                assert_eq!(only.snapshot, whole.snapshot, "{name}");
                assert_eq!(only.missed, whole.missed, "{name}");
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
