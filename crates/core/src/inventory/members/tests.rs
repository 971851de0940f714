use super::*;
use crate::inventory::{Held, Item, Merged, merge, read_item};

fn item(resource_type: &str, members: &str) -> Item {
    let text = format!(
        r#"{{{members},"configurationItemCaptureTime":"2026-02-03T04:05:06.789Z","configurationStateId":1770091506789,"awsAccountId":"011122223333","configurationItemStatus":"OK","resourceType":"AWS::{resource_type}","resourceId":"the-id","resourceName":"g","awsRegion":"eu-west-1"}}"#
    );
    read_item(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}")).item
}

fn contradict(one: &Item, other: &Item) -> bool {
    let said = one.members().contradict(&other.members());
    assert_eq!(said, other.members().contradict(&one.members()), "either way");
    let held = Held { item: one.clone(), seen_ms: 0 };
    let merged = merge(Some(&held), Held { item: other.clone(), seen_ms: 0 });
    let noticed = matches!(&merged, Merged::Replaced(now) if now.item.is_contradicted());
    assert_eq!(said, noticed, "{one:?} {other:?}");
    said
}

/// A whole body of each type, other writings of it and projections, and what contradicts it.
#[test]
fn what_tells_the_same_differently_contradicts_and_nothing_else() {
    const RULES: &str = r#""ipPermissionsEgress":[],"ipPermissions":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"userIdGroupPairs":[{"userId":"1","groupId":"sg-2"}],"prefixListIds":[],"ipv4Ranges":[{"cidrIp":"10.0.0.0/8"},{"cidrIp":"10.1.0.0/16"}],"ipv6Ranges":[]}]"#;
    const SPLIT: &str = r#""ipPermissionsEgress":[],"ipPermissions":[{"ipProtocol":"6","fromPort":22,"toPort":22,"userIdGroupPairs":[],"prefixListIds":[],"ipRanges":["10.1.0.0/16"]},{"ipProtocol":"TCP","fromPort":22.0,"toPort":"22","userIdGroupPairs":[{"groupId":"sg-2"}],"prefixListIds":[],"ipRanges":["10.0.0.0/8"]}]"#;
    let group = |more: &str, rules: &str| format!(r#"{{"groupName":"g"{more},{rules}}}"#);
    for (resource_type, whole, same, other) in [
        (
            "EC2::SecurityGroup",
            group(r#","vpcId":"vpc-1""#, RULES),
            vec![
                group(r#","vpcId":"vpc-1""#, SPLIT),
                group("", RULES),
                r#"{"ipPermissionsEgress":[]}"#.to_owned(),
            ],
            vec![
                group(r#","vpcId":"vpc-2""#, RULES),
                group(r#","vpcId":"""#, RULES),
                group(r#","ownerId":"222222222222","vpcId":"vpc-1""#, r#""ipPermissions":[]"#),
                r#"{"groupName":"default","ipPermissionsEgress":[]}"#.to_owned(),
                r#"{"ipPermissions":[]}"#.to_owned(),
            ],
        ),
        (
            "EC2::NetworkInterface",
            r#"{"groups":[{"groupId":"sg-1"},{"groupId":"sg-2"}],"vpcId":"vpc-1","requesterManaged":false,"attachment":{"deviceIndex":0}}"#.to_owned(),
            vec![
                r#"{"groups":[{"groupId":"sg-2"},{"groupId":"sg-1"}],"attachment":{"deviceIndex":0.0}}"#
                    .to_owned(),
            ],
            vec![
                r#"{"groups":[{"groupId":"sg-1"}]}"#.to_owned(),
                r#"{"groups":[{"groupId":"sg-1"},{"groupId":"sg-2"}],"requesterManaged":true}"#
                    .to_owned(),
                r#"{"groups":[{"groupId":"sg-1"},{"groupId":"sg-2"}],"vpcId":"vpc-2"}"#.to_owned(),
            ],
        ),
        (
            "EC2::Instance",
            r#"{"state":{"name":"running"},"securityGroups":[{"groupId":"sg-1"}],"networkInterfaces":[{"networkInterfaceId":"eni-1","groups":[{"groupId":"sg-1"}]},{"networkInterfaceId":"eni-2","groups":[]}]}"#.to_owned(),
            vec![
                r#"{"securityGroups":[{"groupId":"sg-1"}]}"#.to_owned(),
                r#"{"state":{"name":"Running"},"networkInterfaces":[{"networkInterfaceId":"eni-2","groups":[]},{"networkInterfaceId":"eni-1","groups":[{"groupId":"sg-1"}]}]}"#.to_owned(),
            ],
            vec![
                r#"{"securityGroups":[{"groupId":"sg-2"}]}"#.to_owned(),
                r#"{"networkInterfaces":[{"networkInterfaceId":"eni-1","groups":[{"groupId":"sg-1"}]}]}"#.to_owned(),
                r#"{"state":{"name":"terminated"}}"#.to_owned(),
            ],
        ),
        (
            "ElasticLoadBalancingV2::LoadBalancer",
            r#"{"type":"application","vpcId":"vpc-1","securityGroups":["sg-1"]}"#.to_owned(),
            vec![r#"{"type":"Application"}"#.to_owned(), r#"{"securityGroups":["sg-1"]}"#.to_owned()],
            vec![r#"{"type":"network"}"#.to_owned(), r#"{"securityGroups":[]}"#.to_owned()],
        ),
        (
            "Route53Resolver::FirewallRuleGroupAssociation",
            r#"{"FirewallRuleGroupId":"rg-1","VpcId":"vpc-1","Priority":1,"Status":"COMPLETE","Name":"n"}"#.to_owned(),
            vec![r#"{"FirewallRuleGroupId":"rg-1","Status":"Complete"}"#.to_owned()],
            vec![r#"{"Priority":2}"#.to_owned(), r#"{"Name":"m"}"#.to_owned()],
        ),
        (
            "ApiGateway::Stage",
            r#"{"webAclArn":"arn:1"}"#.to_owned(),
            vec!["{}".to_owned()],
            vec![r#"{"webAclArn":""}"#.to_owned(), r#"{"webAclArn":"arn:2"}"#.to_owned()],
        ),
        (
            "Shield::Protection",
            r#"{"Name":"p","Id":"1","ResourceArn":"arn:r"}"#.to_owned(),
            vec![r#"{"ResourceArn":"arn:r"}"#.to_owned()],
            vec![
                r#"{"ResourceArn":"arn:s"}"#.to_owned(),
                r#"{"Name":"p","Id":"1","ResourceArn":"arn:r","ApplicationLayerAutomaticResponseConfiguration":{"Status":"ENABLED","Action":{"Count":{}}}}"#.to_owned(),
            ],
        ),
        (
            "NetworkFirewall::FirewallPolicy",
            r#"{"FirewallPolicy":{"StatefulRuleGroupReferences":[{"ResourceArn":"arn:g"}],"StatelessDefaultActions":["aws:drop"]}}"#.to_owned(),
            vec![r#"{"FirewallPolicy":{"StatelessDefaultActions":["aws:drop"]}}"#.to_owned()],
            vec![
                r#"{"FirewallPolicy":{"StatefulRuleGroupReferences":[{"ResourceArn":"arn:g","Override":{"Action":"DROP_TO_ALERT"}}]}}"#.to_owned(),
                r#"{"FirewallPolicy":{"StatelessDefaultActions":["aws:pass"]}}"#.to_owned(),
            ],
        ),
        (
            "Config::ConfigurationRecorder",
            r#"{"RecordingGroup":{"AllSupported":true}}"#.to_owned(),
            vec![r#"{"recordingGroup":{"allSupported":true},"recording":true}"#.to_owned()],
            vec![
                r#"{"RecordingGroup":{"AllSupported":false,"ResourceTypes":["AWS::EC2::VPC"]}}"#
                    .to_owned(),
                r#"{"RecordingGroup":{"AllSupported":true},"Recording":false}"#.to_owned(),
            ],
        ),
    ] {
        let of = |configuration: &str| {
            item(resource_type, &format!(r#""configuration":{configuration}"#))
        };
        let whole = of(&whole);
        assert!(!whole.body.is_unseen(), "{resource_type}");
        for same in same {
            assert!(!contradict(&whole, &of(&same)), "{resource_type} {same}");
        }
        for other in other {
            assert!(contradict(&whole, &of(&other)), "{resource_type} {other}");
        }
    }
}

#[test]
fn tags_and_deletions_contradict_names_do_not() {
    let vpc = |more: &str| item("EC2::VPC", &format!(r#""configuration":{{}}{more}"#));
    let bare = vpc("");
    let [none, one, other] =
        [r#","tags":{}"#, r#","tags":{"a":"b"}"#, r#","tags":{"a":"B"}"#].map(vpc);
    assert!(!contradict(&bare, &none), "not told is not none");
    assert!(!contradict(&one, &vpc(r#","tags":[{"key":"a","value":"b","tag":"a=b"}]"#)));
    assert!(contradict(&none, &one));
    assert!(contradict(&one, &other), "letter case counts");
    let mut named = one.clone();
    (named.name, named.arn) = (Some("other".into()), Some("arn:other".into()));
    assert!(!contradict(&one, &named));
    let mut deleted = one.clone();
    deleted.body = Body::Deleted;
    assert!(contradict(&one, &deleted));
    let again = Item { tags: None, ..deleted.clone() };
    assert!(!contradict(&deleted, &again), "it is gone by both");
    let mut unseen = one.clone();
    unseen.body = Body::Unseen;
    let held = Held { item: one, seen_ms: 0 };
    assert_eq!(merge(Some(&held), Held { item: unseen, seen_ms: 0 }), Merged::Stale);
}

#[test]
fn the_whole_item_is_kept_beside_its_projection() {
    let whole = item(
        "EC2::Subnet",
        r#""configuration":{"vpcId":"a","availabilityZone":"eu-west-1a","cidrBlock":"10.0.0.0/24"}"#,
    );
    // By its encoding this one is the greater.
    let part = item("EC2::Subnet", r#""configuration":{"vpcId":"a","ownerId":"222222222222"}"#);
    let held = |item: &Item| Held { item: item.clone(), seen_ms: 0 };
    for (first, second) in [(&whole, &part), (&part, &whole)] {
        let Merged::Replaced(now) = merge(Some(&held(first)), held(second)) else {
            panic!("both tell something");
        };
        assert_eq!(now.item.body, whole.body);
        assert!(now.item.unseen_since.is_none() && now.item.told_beside.is_some());
        for again in [&whole, &part] {
            assert_eq!(merge(Some(&now), held(again)), Merged::Stale);
        }
    }
}
