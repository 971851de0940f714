//! Associations of DNS Firewall rule groups.

use super::*;
use crate::inventory::{DnsAssociation, decode_item, encode_item};

const TYPE: &str = "AWS::Route53Resolver::FirewallRuleGroupAssociation";

fn association(text: &str) -> Result<DnsAssociation, String> {
    match body(TYPE, text)? {
        Body::DnsAssociation(association) => Ok(association),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_association_of_a_dns_firewall_rule_group_is_read_in_either_form() {
    let wanted = DnsAssociation {
        group: Some("rslvr-frg-1".into()),
        vpc: Some("vpc-1".into()),
        priority: Some(101),
        status: Some("COMPLETE".into()),
        name: Some("FMManaged_1".into()),
    };
    let delivered = r#"{"Id":"rslvr-frgassoc-1","Arn":"arn:a","FirewallRuleGroupId":"rslvr-frg-1","VpcId":"vpc-1","Name":"FMManaged_1","Priority":101,"MutationProtection":"ENABLED","ManagedOwnerName":"Firewall Manager","Status":"COMPLETE","StatusMessage":"Finished rule group association update","CreatorRequestId":"x","CreationTime":"2026-02-03T04:05:06.789Z"}"#;
    let queried = delivered
        .replace(":101,", ":101.0,")
        .replace("\"COMPLETE\"", "{\"value\":\"COMPLETE\"}")
        .replace("\"VpcId\"", "\"vpcId\"");
    for text in [delivered, &queried, &delivered.replace(":101,", ":\"101\",")] {
        assert_eq!(association(text), Ok(wanted.clone()), "{text}");
        let seen = read_ok(&item(TYPE, &format!(r#""configuration":{text},"tags":{{}}"#)));
        let stored = encode_item(&seen.item);
        assert_eq!(decode_item(&seen.item.key, &stored), Ok(seen.item));
    }
}

/// Semantics §11 row 38.
#[test]
fn what_an_association_does_not_tell_is_none() {
    for text in [
        "{}",
        r#"{"FirewallRuleGroupId":"","VpcId":"","Status":""}"#,
        r#"{"FirewallRuleGroupId":null,"VpcId":null,"Priority":null,"Status":null,"Name":null}"#,
    ] {
        let name = Some("the-name".into());
        let wanted = DnsAssociation { name, ..DnsAssociation::default() };
        assert_eq!(association(text), Ok(wanted), "{text}");
    }
    for (priority, wanted) in [
        ("2147483648", "`Priority` is out of range: `2147483648`"),
        ("1.5", "`1.5` is not a whole number"),
        ("\"first\"", "`first` is not a whole number"),
    ] {
        let refused = association(&format!(r#"{{"Priority":{priority}}}"#)).unwrap_err();
        assert!(refused.contains(wanted), "{refused}");
    }
}
