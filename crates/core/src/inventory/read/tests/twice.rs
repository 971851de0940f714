//! What AWS cannot have written since it stands there twice (semantics §11 row 69).

use super::*;
use crate::inventory::outline::{Look, Outline};

/// Why an item cannot be read, short way and long way alike; and whether it is known to be there.
fn refused(text: &str) -> Option<(String, bool)> {
    let short = Outline::of(text.as_bytes(), 0, Look::Everything)
        .and_then(|(outline, _)| read_outline(&outline, Form::Whole));
    let long = read(text.as_bytes(), Form::Whole).map_err(|unread| (unread.reason, unread.shadow));
    if let Some(short) = short {
        let short = short.map_err(|unread| (unread.reason, unread.shadow));
        assert_eq!(short, long, "{text}");
    }
    long.err().map(|(reason, shadow)| (reason, shadow.is_some()))
}

#[test]
fn a_member_that_stands_twice_in_an_item_makes_it_unreadable() {
    let fine = item("AWS::EC2::EIP", r#""configuration":{},"tags":{"a":"b","A":"b"},"x":1"#);
    assert_eq!(refused(&fine), None, "of tags letter case counts");
    for (twice, name, is_known) in [
        (r#""configuration":{}"#, "configuration", true),
        (r#""Configuration":null"#, "Configuration", true),
        (r#""tags":{"a":"c"}"#, "tags", true),
        (r#""relatedEvents":[]"#, "relatedEvents", true),
        (r#""RELATEDEVENTS":[]"#, "RELATEDEVENTS", true),
        (r#""x":1"#, "x", true),
        (r#""X":2"#, "X", true),
        (r#""configurationItemStatus":"ResourceDeleted""#, "configurationItemStatus", true),
        (r#""resourceId":"the-id""#, "resourceId", false),
        (r#""configurationStateId":9"#, "configurationStateId", true),
        (r#""awsregion":"us-east-1""#, "awsregion", false),
    ] {
        let text = fine.replace(r#","x":1"#, &format!(r#","x":1,{twice}"#));
        let told = (format!("`{name}` stands there twice"), is_known);
        assert_eq!(refused(&text), Some(told), "{twice}");
    }
    // Both dialects' names of one member are two names.
    let both = fine.replace(r#","x":1"#, r#","accountId":"011122223333""#);
    assert_eq!(refused(&both), None);
}

/// Semantics §11 row 39: what can be read of it is named in its gap, and the gap is of when it was captured.
#[test]
fn what_does_not_stand_twice_tells_where_an_item_is_and_when() {
    let fine = item("AWS::EC2::EIP", r#""configuration":{},"x":1"#);
    let whole = read(fine.as_bytes(), Form::Whole).unwrap().item;
    let told = |twice: &str| {
        let text = fine.replace(r#","x":1"#, &format!(r#","x":1,{twice}"#));
        *read(text.as_bytes(), Form::Whole).unwrap_err().lost
    };
    let key = &whole.key;
    let all = Sort {
        accounts: [key.account.clone()].into(),
        region: Some(key.region.clone()),
        resource_type: Some(key.resource_type.clone()),
        id: Some(key.id.clone()),
    };
    let captured_ms = Some(whole.version.captured_ms);
    for (twice, sort) in [
        (r#""resourceId":"the-id""#, Sort { id: None, ..all.clone() }),
        (r#""x":2,"resourceId":"the-id""#, Sort { id: None, ..all.clone() }),
        (r#""awsRegion":"eu-west-1""#, Sort { region: None, ..all.clone() }),
        (r#""resourceType":"AWS::EC2::EIP""#, Sort { resource_type: None, ..all.clone() }),
        (r#""awsAccountId":"1""#, Sort { accounts: [].into(), ..all.clone() }),
    ] {
        let Lost { sort: found, captured_ms: at } = told(twice);
        assert_eq!((found, at), (sort, captured_ms), "{twice}");
    }
}

#[test]
fn a_member_that_stands_twice_in_what_is_read_of_a_body_makes_it_unreadable() {
    for (resource_type, fine, twice) in [
        (
            GROUP,
            r#"{"groupName":"g","description":"d","ipPermissions":[],"ipPermissionsEgress":[]}"#,
            vec![
                ("\"ipPermissions\":[]", "\"ipPermissions\":[],\"ipPermissions\":[]"),
                ("\"ipPermissions\":[]", "\"ipPermissions\":[],\"IpPermissions\":null"),
                ("\"groupName\":\"g\"", "\"groupName\":\"g\",\"groupName\":\"default\""),
                (
                    "\"ipPermissions\":[]",
                    r#""ipPermissions":[{"ipProtocol":"-1","ipProtocol":"tcp","ipv4Ranges":[],"ipv6Ranges":[],"prefixListIds":[],"userIdGroupPairs":[]}]"#,
                ),
                (
                    "\"ipPermissions\":[]",
                    r#""ipPermissions":[{"ipProtocol":"-1","ipv4Ranges":[{"cidrIp":"0.0.0.0/0","cidrIp":"10.0.0.0/8"}],"ipv6Ranges":[],"prefixListIds":[],"userIdGroupPairs":[]}]"#,
                ),
            ],
        ),
        (
            "AWS::EC2::NetworkInterface",
            r#"{"groups":[{"groupId":"sg-1"}],"attachment":{"instanceId":"i-1"}}"#,
            vec![
                ("\"groupId\":\"sg-1\"", "\"groupId\":\"sg-1\",\"groupId\":\"sg-2\""),
                ("\"groups\":", "\"groups\":[],\"groups\":"),
                ("\"instanceId\":\"i-1\"", "\"instanceId\":\"i-1\",\"InstanceId\":\"i-2\""),
            ],
        ),
        (
            "AWS::WAFv2::WebACL",
            r#"{"Name":"a","PreProcessFirewallManagerRuleGroups":[{"Name":"r","Priority":1,"OverrideAction":{"None":{}},"FirewallManagerStatement":{}}]}"#,
            vec![
                ("{\"None\":{}}", "{\"None\":{},\"none\":{}}"),
                ("\"Priority\":1", "\"Priority\":1,\"Priority\":2"),
            ],
        ),
    ] {
        let of =
            |body: &str| item(resource_type, &format!(r#""configuration":{body},"tags":{{}}"#));
        assert_eq!(refused(&of(fine)), None, "{fine}");
        let unread = fine.replacen('{', r#"{"nobody":1,"nobody":2,"#, 1);
        assert_eq!(refused(&of(&unread)), None, "what is not read is not looked at");
        for (from, to) in twice {
            assert!(fine.contains(from), "{from}");
            let (why, is_known) = refused(&of(&fine.replace(from, to))).expect(to);
            assert!(why.contains("stands there twice") && is_known, "{to}: {why}");
        }
    }
}

#[test]
fn rules_of_one_place_make_an_item_unreadable() {
    let groups = |list: &str, places: [i64; 2]| {
        let [a, b] = places.map(|place| format!(r#"{{"Name":"r{place}","Priority":{place}}}"#));
        format!(r#"{{"Name":"a","{list}":[{a},{b}]}}"#)
    };
    for list in
        ["Rules", "PreProcessFirewallManagerRuleGroups", "PostProcessFirewallManagerRuleGroups"]
    {
        assert!(body("AWS::WAFv2::WebACL", &groups(list, [1, 2])).is_ok());
        let why = body("AWS::WAFv2::WebACL", &groups(list, [1, 1])).unwrap_err();
        assert!(why.contains("the priority `1` stands there twice"), "{why}");
    }
    let apart = r#"{"Name":"a","Rules":[{"Priority":0}],"PreProcessFirewallManagerRuleGroups":[{"Priority":0}]}"#;
    assert!(body("AWS::WAFv2::WebACL", apart).is_ok(), "each list has places of its own");
    let untold = r#"{"Name":"a","Rules":[{"Name":"b"},{"Name":"c"}]}"#;
    assert!(body("AWS::WAFv2::WebACL", untold).is_ok(), "not told is not equal");
    let classic = |place: i64| {
        format!(
            r#"{{"name":"a","rulesList":[{{"ruleId":"1","priority":1}},{{"ruleId":"2","priority":{place}}}]}}"#
        )
    };
    for kind in ["AWS::WAF::WebACL", "AWS::WAFRegional::WebACL"] {
        assert!(body(kind, &classic(2)).is_ok());
        assert!(
            body(kind, &classic(1)).unwrap_err().contains("the priority `1` stands there twice")
        );
    }
    let entry = |number: u16, egress: bool| {
        format!(
            r#"{{"ruleNumber":{number},"protocol":"-1","ruleAction":"allow","egress":{egress},"cidrBlock":"10.0.0.0/8"}}"#
        )
    };
    let acl = |other: &str| format!(r#"{{"vpcId":"v","entries":[{},{other}]}}"#, entry(100, true));
    for other in [entry(101, true), entry(100, false)] {
        assert!(body("AWS::EC2::NetworkAcl", &acl(&other)).is_ok(), "{other}");
    }
    let other = entry(100, true).replace("allow", "deny");
    let why = body("AWS::EC2::NetworkAcl", &acl(&other)).unwrap_err();
    assert!(why.contains("the `ruleNumber` `100` stands there twice"), "{why}");
}

/// Out of scope by a tag filter is no resource of which AWS cannot have written that it is.
#[test]
fn what_stands_twice_takes_no_resource_out_of_scope_by_its_tags() {
    let body = r#"{"ipPermissions":[],"ipPermissions":[],"ipPermissionsEgress":[]}"#;
    let text = item(GROUP, &format!(r#""tags":{{"skip":"1"}},"configuration":{body}"#));
    let unread = read(text.as_bytes(), Form::Whole).err().unwrap();
    assert_eq!(unread.shadow.unwrap().item.tags, None);
    let other =
        text.replace(r#""ipPermissions":[],"ipPermissions":[]"#, r#""ipPermissions":[null]"#);
    let unread = read(other.as_bytes(), Form::Whole).err().unwrap();
    assert!(unread.shadow.unwrap().item.tags.is_some(), "what can be read counts");
}
