//! Network ACLs and subnets.

use super::*;
use crate::inventory::{
    AclAssociation, AclEntry, AclTraffic, NetworkAcl, NumberedEntry, Subnet, decode_item,
    encode_item,
};

const ACL: &str = "AWS::EC2::NetworkAcl";
const SUBNET: &str = "AWS::EC2::Subnet";

fn network_acl(text: &str) -> Result<NetworkAcl, String> {
    match body(ACL, text)? {
        Body::NetworkAcl(acl) => Ok(acl),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_network_acl_is_read_as_config_writes_it() {
    let entry = |number, egress, allow| NumberedEntry {
        number,
        entry: AclEntry {
            egress,
            allow,
            traffic: AclTraffic::All,
            cidr: "0.0.0.0/0".parse().unwrap(),
        },
    };
    let on = |subnet: &str, id: Option<&str>| AclAssociation {
        subnet: subnet.into(),
        id: id.map(Into::into),
    };
    let wanted = NetworkAcl {
        vpc: Some("vpc-1".into()),
        entries: Some(vec![
            entry(100, false, true),
            entry(32_767, false, false),
            entry(100, true, true),
            entry(32_767, true, false),
        ]),
        associations: Some(vec![on("subnet-1", None), on("subnet-2", Some("aclassoc-2"))]),
    };
    // As delivered in 2017, with nulls; as it is today, without; as a query tells it.
    let delivered = r#"{"associations":[{"networkAclAssociationId":"aclassoc-2","networkAclId":"the-id","subnetId":"subnet-2"},{"networkAclAssociationId":null,"networkAclId":"the-id","subnetId":"subnet-1"}],"entries":[{"cidrBlock":"0.0.0.0/0","egress":true,"icmpTypeCode":null,"ipv6CidrBlock":null,"portRange":null,"protocol":"-1","ruleAction":"allow","ruleNumber":100},{"cidrBlock":"0.0.0.0/0","egress":true,"icmpTypeCode":null,"ipv6CidrBlock":null,"portRange":null,"protocol":"-1","ruleAction":"deny","ruleNumber":32767},{"cidrBlock":"0.0.0.0/0","egress":false,"protocol":"-1","ruleAction":"deny","ruleNumber":32767},{"cidrBlock":"0.0.0.0/0","egress":false,"protocol":"-1","ruleAction":"allow","ruleNumber":100}],"isDefault":true,"networkAclId":"the-id","tags":[],"vpcId":"vpc-1"}"#;
    let queried = delivered
        .replace(":100}", ":100.0}")
        .replace("\"allow\"", "{\"value\":\"Allow\"}")
        .replace("\"ruleNumber\"", "\"RuleNumber\"");
    for text in [delivered, &queried] {
        assert_eq!(network_acl(text), Ok(wanted.clone()), "{text}");
        let seen = read_ok(&item(ACL, &format!(r#""configuration":{text},"tags":{{}}"#)));
        let stored = encode_item(&seen.item);
        assert_eq!(decode_item(&seen.item.key, &stored), Ok(seen.item));
    }
}

/// Semantics §11 row 38.
#[test]
fn what_a_network_acl_does_not_tell_is_not_none() {
    assert_eq!(body(ACL, r#"{"vpcId":"vpc-1","isDefault":true}"#), Ok(Body::Unseen));
    assert_eq!(body(ACL, "null"), Ok(Body::Unseen));
    let told = |text: &str| {
        let acl = network_acl(text).unwrap();
        (acl.entries.map(|all| all.len()), acl.associations.map(|all| all.len()), acl.vpc)
    };
    assert_eq!(told(r#"{"entries":[]}"#), (Some(0), None, None));
    assert_eq!(told(r#"{"associations":[],"entries":null}"#), (None, Some(0), None));
    assert_eq!(told(r#"{"associations":[],"vpcId":""}"#), (None, Some(0), None));
    let nameless = r#"{"associations":[{"networkAclAssociationId":"aclassoc-1"}]}"#;
    let why = network_acl(nameless).unwrap_err();
    assert!(why.contains("`associations`: one without `subnetId`"), "{why}");
    for list in ["entries", "associations"] {
        assert!(network_acl(&format!(r#"{{"{list}":[null]}}"#)).unwrap_err().contains("null"));
    }
}

#[test]
fn what_an_entry_is_about_depends_on_its_protocol() {
    let read = |more: &str| -> Result<AclTraffic, String> {
        let ipv4 = if more.contains("ipv6CidrBlock") { "" } else { r#""cidrBlock":"10.9.9.9/8","# };
        let text = format!(
            r#"{{"entries":[{{"ruleNumber":1,"egress":false,"ruleAction":"deny",{ipv4}{more}}}]}}"#
        );
        let [NumberedEntry { entry, .. }] = &network_acl(&text)?.entries.unwrap()[..] else {
            panic!("{text}");
        };
        let range = if ipv4.is_empty() { "fc00::/7" } else { "10.0.0.0/8" };
        assert_eq!(entry.cidr.to_string(), range, "host bits are cleared");
        Ok(entry.traffic)
    };
    let ports = |protocol, from, to| Ok(AclTraffic::Ports { protocol, from, to });
    let icmp = |protocol, kind, code| Ok(AclTraffic::Icmp { protocol, kind, code });
    const V6: &str = r#""ipv6CidrBlock":"fc00::1/7","#;
    for (more, wanted) in [
        (r#""protocol":"6","portRange":{"from":1,"to":2}"#, ports(6, 1, 2)),
        (r#""protocol":"TCP","portRange":{"from":0,"to":65535}"#, ports(6, 0, 65_535)),
        (r#""protocol":17,"portRange":{"from":53.0,"to":"53"}"#, ports(17, 53, 53)),
        (r#""protocol":"1","icmpTypeCode":{"type":8,"code":0}"#, icmp(1, 8, 0)),
        (r#""protocol":"icmp","icmpTypeCode":{"type":-1,"code":-1}"#, icmp(1, -1, -1)),
        (r#""protocol":"1","icmpTypeCode":{"type":-1,"code":3}"#, icmp(1, -1, -1)),
        (r#""protocol":"1","icmpTypeCode":{"type":255,"code":255}"#, icmp(1, 255, 255)),
        (&format!(r#"{V6}"protocol":"58","icmpTypeCode":{{"type":1,"code":-1}}"#), icmp(58, 1, -1)),
        // EC2 looks at types of ICMPv6 for IPv6 ranges alone, and at ports of nothing else.
        (r#""protocol":"58","icmpTypeCode":{"type":1,"code":1}"#, Ok(AclTraffic::Protocol(58))),
        (r#""protocol":"50","portRange":{"from":1,"to":2}"#, Ok(AclTraffic::Protocol(50))),
        (r#""protocol":"-1","portRange":{"from":1,"to":2}"#, Ok(AclTraffic::All)),
        (r#""protocol":"0""#, Ok(AclTraffic::Protocol(0))),
        (r#""protocol":"255""#, Ok(AclTraffic::Protocol(255))),
    ] {
        assert_eq!(read(more), wanted, "{more}");
    }
    for (more, wanted) in [
        (r#""protocol":"256""#, "`256` is not a protocol"),
        (r#""protocol":"6""#, "`portRange` is not told"),
        (r#""protocol":"6","portRange":{"from":1}"#, "`portRange` is not told"),
        (r#""protocol":"6","portRange":{"from":2,"to":1}"#, "ports `2` to `1` are not a range"),
        (r#""protocol":"6","portRange":{"from":0,"to":65536}"#, "`65536` are not a range"),
        (r#""protocol":"6","portRange":{"from":-1,"to":-1}"#, "are not a range"),
        (r#""protocol":"1""#, "`icmpTypeCode` is not told"),
        (r#""protocol":"1","icmpTypeCode":{"type":8}"#, "`icmpTypeCode` is not told"),
        (r#""protocol":"1","icmpTypeCode":{"type":256,"code":0}"#, "type `256`, code `0`"),
        (r#""protocol":"1","icmpTypeCode":{"type":8,"code":-2}"#, "type `8`, code `-2`"),
        (&format!(r#"{V6}"protocol":"58""#), "`icmpTypeCode` is not told"),
    ] {
        let why = read(more).unwrap_err();
        assert!(why.contains("`entries[0]`: ") && why.contains(wanted), "{more}: {why}");
    }
}

#[test]
fn an_entry_that_leaves_something_out_makes_the_item_unreadable() {
    let whole = serde_json::json!({"ruleNumber": 1, "protocol": "-1", "ruleAction": "allow",
        "egress": true, "cidrBlock": "0.0.0.0/0"});
    let read = |entry: &serde_json::Value| network_acl(&format!(r#"{{"entries":[{entry}]}}"#));
    read(&whole).unwrap();
    for (name, wanted) in [
        ("ruleNumber", "`ruleNumber` is missing"),
        ("protocol", "`protocol` is missing"),
        ("ruleAction", "`ruleAction` is missing"),
        ("egress", "`egress` is missing"),
        ("cidrBlock", "neither `cidrBlock` nor `ipv6CidrBlock` is told"),
    ] {
        let mut entry = whole.clone();
        entry.as_object_mut().unwrap().remove(name);
        let why = read(&entry).unwrap_err();
        assert!(why.contains(wanted), "{why}");
    }
    for (name, value, wanted) in [
        ("ruleNumber", serde_json::json!(65_536), "`ruleNumber` is out of range: `65536`"),
        ("ruleNumber", serde_json::json!(-1), "`ruleNumber` is out of range: `-1`"),
        ("ruleAction", serde_json::json!("drop"), "`ruleAction` is neither allow nor deny: `drop`"),
        ("cidrBlock", serde_json::json!("x"), "`x` is not a CIDR"),
        ("ipv6CidrBlock", serde_json::json!("::/0"), "both `cidrBlock` and `ipv6CidrBlock`"),
    ] {
        let mut entry = whole.clone();
        entry[name] = value;
        let why = read(&entry).unwrap_err();
        assert!(why.contains(wanted), "{why}");
    }
}

#[test]
fn a_subnet_tells_its_vpc_zone_owner_and_addresses_or_not() {
    let told = Subnet {
        vpc: Some("vpc-1".into()),
        zone: Some("eu-west-1a".into()),
        owner: Some("222222222222".try_into().unwrap()),
        zone_id: Some("euw1-az2".into()),
        ipv4: Some("10.0.0.0/24".parse().unwrap()),
    };
    let vpc = Subnet { vpc: Some("vpc-1".into()), ..Subnet::default() };
    for (text, wanted) in [
        (
            r#"{"subnetId":"the-id","state":"available","vpcId":"vpc-1","availabilityZone":"eu-west-1a","availabilityZoneId":"euw1-az2","ownerId":"222222222222","cidrBlock":"10.0.0.0/24"}"#,
            told,
        ),
        (r#"{"vpcId":"vpc-1","availabilityZone":null,"cidrBlock":""}"#, vpc),
        ("{}", Subnet::default()),
    ] {
        assert_eq!(body(SUBNET, text), Ok(Body::Subnet(wanted)), "{text}");
    }
    assert_eq!(body(SUBNET, "null"), Ok(Body::Unseen));
    for (text, wanted) in [
        (r#"{"ownerId":"x"}"#, "`ownerId`"),
        (r#"{"cidrBlock":"x"}"#, "`x` is not a CIDR"),
        (r#"{"cidrBlock":"::/64"}"#, "`::/64` is not of IPv4"),
    ] {
        let why = body(SUBNET, text).unwrap_err();
        assert!(why.contains(wanted), "{why}");
    }
}
