use super::*;
use crate::inventory::{
    AutomaticResponse, Instance, InstanceInterface, NetworkInterface, Permission, PrefixList,
    Protection, Recorder, RecordingGroup, SecurityGroup, WafAssociation,
};

/// An item of the type in the delivery dialect, with more fields.
fn item(resource_type: &str, more: &str) -> String {
    format!(
        r#"{{"configurationItemVersion":"1.3","configurationItemCaptureTime":"2026-02-03T04:05:06.789Z","configurationStateId":1770091506789,"awsAccountId":"011122223333","configurationItemStatus":"OK","resourceType":"{resource_type}","resourceId":"the-id","resourceName":"the-name","ARN":"arn:the","awsRegion":"eu-west-1","relatedEvents":[],{more}}}"#
    )
}

fn read_ok(text: &str) -> Observation {
    read_item(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn body(resource_type: &str, configuration: &str) -> Result<Body, String> {
    let text = item(resource_type, &format!(r#""configuration":{configuration},"tags":{{}}"#));
    read_item(text.as_bytes()).map(|seen| seen.item.body)
}

const GROUP: &str = "AWS::EC2::SecurityGroup";

fn group(permission: &str) -> Result<Permission, String> {
    match body(GROUP, &format!(r#"{{"ipPermissions":[{permission}],"ipPermissionsEgress":[]}}"#))? {
        Body::SecurityGroup(group) => Ok(group.ingress[0].clone()),
        other => panic!("{other:?}"),
    }
}

fn boxes(texts: &[&str]) -> Vec<Box<str>> {
    texts.iter().map(|text| (*text).into()).collect()
}

#[test]
fn both_dialects_say_the_same() {
    let configuration = r#"{"groupName":"g","vpcId":"vpc-1","ownerId":"011122223333","ipPermissions":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"ipv4Ranges":[{"cidrIp":"10.0.0.0/8"}]}],"ipPermissionsEgress":[]}"#;
    let delivered = read_ok(&item(
        GROUP,
        &format!(
            r#""relationships":[],"configuration":{configuration},"supplementaryConfiguration":{{}},"tags":{{"k":"v","e":""}}"#
        ),
    ));
    assert_eq!(
        delivered.item.version,
        Version { state: Some(1_770_091_506_789), captured_ms: 1_770_091_506_789 }
    );
    assert_eq!(delivered.item.key.account.as_str(), "011122223333");
    assert_eq!(delivered.item.name.as_deref(), Some("the-name"));
    let text = serde_json::to_string(configuration).unwrap();
    for api in [
        format!(
            r#"{{"version":"1.3","accountId":"011122223333","configurationItemCaptureTime":1770091506.789,"configurationItemStatus":"ResourceDiscovered","configurationStateId":"1770091506789","configurationItemMD5Hash":"","arn":"arn:the","resourceType":"{GROUP}","resourceId":"the-id","resourceName":"the-name","awsRegion":"eu-west-1","tags":{{"k":"v","e":""}},"relatedEvents":[],"relationships":[],"configuration":{text},"supplementaryConfiguration":{{}}}}"#
        ),
        // Query rows: tags as a list, numbers as floats, the body an object again.
        format!(
            r#"{{"accountId":"011122223333","awsRegion":"eu-west-1","arn":"arn:the","resourceId":"the-id","resourceName":"the-name","resourceType":"{GROUP}","configurationItemCaptureTime":"2026-02-03T04:05:06.789Z","configurationStateId":1.770091506789E12,"tags":[{{"key":"k","value":"v","tag":"k=v"}},{{"key":"e","value":"","tag":"e="}}],"configuration":{}}}"#,
            configuration.replace(":22", ":22.0")
        ),
        // Hand-made: any letter case at the top, nulls, the last of a repeated field.
        format!(
            r#"{{"CONFIGURATION":{configuration},"ACCOUNTID":"011122223333","awsregion":"eu-west-1","arn":"arn:the","ResourceId":"x","ResourceId":"the-id","ResourceId":null,"ResourceName":"the-name","ResourceType":"{GROUP}","ConfigurationItemCaptureTime":"2026-02-03T05:05:06.789+01:00","configurationStateID":1770091506789,"Tags":{{"k":"v","e":null}},"relationships":null}}"#
        ),
    ] {
        assert_eq!(read_ok(&api), delivered, "{api}");
    }
}

#[test]
fn a_state_has_a_number_or_a_time_or_is_refused() {
    let version = |state: &str, captured: &str| {
        let text = item("AWS::X::Y", r#""tags":{}"#)
            .replace(
                r#""configurationStateId":1770091506789"#,
                &format!(r#""configurationStateId":{state}"#),
            )
            .replace(r#""2026-02-03T04:05:06.789Z""#, captured);
        read_item(text.as_bytes())
            .map(|seen| (seen.item.version.state, seen.item.version.captured_ms))
    };
    const TIME: &str = "\"2026-02-03T04:05:06Z\"";
    const MS: i64 = 1_770_091_506_000;
    for (state, captured, wanted) in [
        ("58", TIME, Ok((Some(58), MS))),
        ("\"58\"", TIME, Ok((Some(58), MS))),
        ("4102444799999", TIME, Ok((Some(4_102_444_799_999), MS))),
        ("4102444800000", TIME, Ok((None, MS))),
        ("18446744073709551615", TIME, Ok((None, MS))),
        ("18446744073709551616", TIME, Ok((None, MS))),
        ("\"4b3c-uuid\"", TIME, Ok((None, MS))),
        ("null", TIME, Ok((None, MS))),
        ("0", TIME, Ok((None, MS))),
        ("-5", TIME, Ok((None, MS))),
        ("1770091506000", "null", Ok((Some(1_770_091_506_000), MS))),
        ("58", "null", Err("`configurationItemCaptureTime` is missing")),
        ("null", "null", Err("`configurationItemCaptureTime` is missing")),
        ("58", "\"soon\"", Err("`configurationItemCaptureTime` is not a time: `\"soon\"`")),
    ] {
        match (version(state, captured), wanted) {
            (Ok(found), Ok(wanted)) => assert_eq!(found, wanted, "{state} {captured}"),
            (Err(found), Err(wanted)) => assert!(found.starts_with(wanted), "{found}"),
            (found, wanted) => panic!("{state} {captured}: {found:?}, not {wanted:?}"),
        }
    }
}

#[test]
fn status_tells_what_exists() {
    let of = |status: &str, configuration: &str, resource_type: &str| {
        let text = item(resource_type, &format!(r#""configuration":{configuration},"tags":{{}}"#));
        let text = match status {
            "-" => text.replace(r#""configurationItemStatus":"OK","#, ""),
            status => text.replace("\"OK\"", &format!("\"{status}\"")),
        };
        read_item(text.as_bytes()).map(|seen| seen.item.body)
    };
    let full = r#"{"ipPermissions":[]}"#;
    let there = Body::SecurityGroup(SecurityGroup {
        group_name: "the-name".into(),
        ..SecurityGroup::default()
    });
    for (status, configuration, body) in [
        ("OK", full, &there),
        ("ResourceDiscovered", full, &there),
        ("-", full, &there),
        ("OK", "null", &Body::Unseen),
        ("OK", "\"null\"", &Body::Unseen),
        ("OK", "\"\"", &Body::Unseen),
        ("OK", "{}", &Body::Unseen),
        ("ResourceNotRecorded", "null", &Body::Unseen),
        ("ResourceNotRecorded", full, &Body::Unseen),
        ("ResourceDeleted", "null", &Body::Deleted),
        ("ResourceDeleted", "\"null\"", &Body::Deleted),
        ("ResourceDeletedNotRecorded", full, &Body::Deleted),
    ] {
        assert_eq!(of(status, configuration, GROUP).as_ref(), Ok(body), "{status} {configuration}");
    }
    assert_eq!(of("OK", "null", "AWS::X::Y"), Ok(Body::Unwanted));
    assert_eq!(of("ResourceNotRecorded", "null", "AWS::X::Y"), Ok(Body::Unseen));
    assert_eq!(of("Odd", full, GROUP).unwrap_err(), "`configurationItemStatus` is unknown: `Odd`");
    assert!(of("OK", "7", GROUP).unwrap_err().contains("expected an object"));
    assert!(of("OK", "\"{\"", GROUP).unwrap_err().contains("not valid JSON"));
}

#[test]
fn identity_is_required_and_checked() {
    let good = item("AWS::X::Y", r#""tags":{}"#);
    for (from, to, reason) in [
        (r#""awsAccountId":"011122223333","#, "", "`awsAccountId` is missing"),
        (
            r#""awsAccountId":"011122223333","#,
            r#""awsAccountId":null,"#,
            "`awsAccountId` is missing",
        ),
        ("011122223333", "", "`` is not an account id: it is empty"),
        (
            "eu-west-1",
            "Not Applicable",
            "`Not Applicable` is not a Region: it holds a character that is not allowed",
        ),
        (r#""resourceId":"the-id","#, "", "`resourceId` is missing"),
        (r#""resourceType":"AWS::X::Y","#, "", "`resourceType` is missing"),
        (r#""the-id""#, "[]", "`resourceId`: invalid type: sequence, expected text"),
    ] {
        assert_eq!(read_item(good.replace(from, to).as_bytes()).unwrap_err(), reason);
    }
    for odd in ["a|b|c", "https://x/y?z", "with spaces", "arn:aws:x:::y/z", "ünïcödé", "a\\\"b"]
    {
        let seen = read_ok(&good.replace("the-id", odd));
        assert_eq!(seen.item.key.id.as_str(), odd.replace("\\\"", "\""));
    }
    assert!(
        read_item(format!("{good} {good}").as_bytes()).unwrap_err().contains("trailing characters")
    );
}

#[test]
fn tags_are_the_items_own_else_those_its_body_repeats() {
    let tags = |resource_type: &str, more: &str| {
        let seen = read_item(item(resource_type, more).as_bytes())?;
        let shown: Vec<String> = seen.item.tags.iter().map(|(k, v)| format!("{k}={v}")).collect();
        Ok::<_, String>(shown.join(" "))
    };
    const EIP: &str = "AWS::EC2::EIP";
    for (more, shown) in [
        (r#""tags":{"b":"2","a":"1","aws:x":"","A":"\u0007é"}"#, "A=\u{7}é a=1 aws:x= b=2"),
        (r#""tags":{},"configuration":{"tags":[{"key":"k","value":"v"}]}"#, ""),
        (r#""configuration":{"tags":[{"key":"k","value":"v"}]}"#, "k=v"),
        (r#""tags":null,"configuration":{"Tags":[{"Key":"k","Value":"v"}]}"#, "k=v"),
        (r#""configuration":{"tagSet":[{"key":"k","value":"v"}]}"#, "k=v"),
        (r#""configuration":{"tagList":[{"key":"k"}]}"#, "k="),
        (r#""configuration":{"tags":{"k":"v"}}"#, "k=v"),
        (r#""configuration":"{\"tags\":{\"k\":\"v\"}}""#, "k=v"),
        (
            r#""configuration":{},"supplementaryConfiguration":{"Tags":[{"key":"k","value":"v"}]}"#,
            "k=v",
        ),
        (
            r#""configuration":{},"supplementaryConfiguration":{"tags":"[{\"key\":\"k\",\"value\":\"v\"}]"}"#,
            "k=v",
        ),
        (r#""configuration":{"Tags":"none of ours"}"#, ""),
    ] {
        assert_eq!(tags(EIP, more).as_deref(), Ok(shown), "{more}");
    }
    let odd = r#""configuration":{"ipPermissions":[],"tags":[{"notkey":"k"}]}"#;
    assert_eq!(tags(GROUP, odd).unwrap_err(), "`tags`: a tag without `key`");
    let odd = r#""tags":[{"key":{"a":1}}]"#;
    assert!(tags(EIP, odd).unwrap_err().contains("an object without `value`"));
}

#[test]
fn a_permission_is_read_in_every_layout() {
    let wanted = Permission {
        protocol: Some(6),
        from_port: Some(22),
        to_port: Some(23),
        ipv4: vec!["10.0.0.0/8".parse().unwrap(), "192.0.2.1/32".parse().unwrap()],
        ipv6: vec!["2001:db8::/32".parse().unwrap()],
        prefix_lists: boxes(&["pl-1", "pl-2"]),
        groups: vec![(None, "sg-1".into()), (Some("444455556666".into()), "sg-2".into())],
    };
    for permission in [
        r#"{"ipProtocol":"tcp","fromPort":22,"toPort":23,"ipv4Ranges":[{"cidrIp":"192.0.2.1/32","description":"x"},{"cidrIp":"10.1.2.3/8"}],"ipRanges":["10.1.2.3/8","192.0.2.1/32"],"ipv6Ranges":[{"cidrIpv6":"2001:db8::1/32"}],"prefixListIds":[{"prefixListId":"pl-2"},{"prefixListId":"pl-1","description":"y"}],"userIdGroupPairs":[{"groupId":"sg-2","userId":"444455556666"},{"groupId":"sg-1","userId":null},{"groupId":"sg-1"}]}"#,
        // 2016: bare strings alone.
        r#"{"ipProtocol":"6","fromPort":22,"toPort":23,"ipRanges":["192.0.2.1/32","10.0.0.0/8","2001:db8::/32"],"prefixListIds":["pl-1","pl-2"],"userIdGroupPairs":[{"groupId":"sg-1"},{"groupId":"sg-2","userId":"444455556666"}]}"#,
        // Half of each list.
        r#"{"ipProtocol":"TCP","fromPort":22.0,"toPort":"23","ipv4Ranges":[{"cidrIp":"192.0.2.1/32"}],"ipRanges":["10.0.0.0/8"],"ipv6Ranges":[{"cidrIpv6":"2001:db8::/32"}],"prefixListIds":[{"prefixListId":"pl-1"},{"prefixListId":"pl-2"}],"userIdGroupPairs":[{"groupId":"sg-1","userId":""},{"groupId":"sg-2","userId":"444455556666"}]}"#,
        // The service API.
        r#"{"IpProtocol":"tcp","FromPort":22,"ToPort":23,"IpRanges":[{"CidrIp":"10.0.0.0/8"},{"CidrIp":"192.0.2.1"}],"Ipv6Ranges":[{"CidrIpv6":"2001:db8::/32"}],"PrefixListIds":[{"PrefixListId":"pl-1"},{"PrefixListId":"pl-2"}],"UserIdGroupPairs":[{"GroupName":"sg-1"},{"GroupId":"sg-2","UserId":"444455556666"}]}"#,
        // Queries.
        r#"{"ipProtocol":{"value":"tcp"},"fromPort":{"value":22.0},"toPort":2.3E1,"ipv4Ranges":[null,{"cidrIp":{"value":"10.0.0.0/8"}}],"ipRanges":[{"value":"192.0.2.1/32"}],"ipv6Ranges":{"items":[{"cidrIpv6":"2001:db8::/32"}]},"prefixListIds":[{"value":"pl-1"},{"value":"pl-2"}],"userIdGroupPairs":[{"groupId":"sg-1"},{"groupId":"sg-2","userId":"444455556666"}]}"#,
    ] {
        assert_eq!(group(permission).as_ref(), Ok(&wanted), "{permission}");
    }
}

#[test]
fn protocols_and_ports_are_normalised_or_refused() {
    let of = |protocol: &str, ports: &str| {
        group(&format!(r#"{{"ipProtocol":{protocol}{ports}}}"#))
            .map(|one| (one.protocol, one.from_port, one.to_port))
    };
    let all_ports = (Some(0), Some(65_535));
    for (protocol, ports, wanted) in [
        ("\"-1\"", "", (None, None, None)),
        ("-1", r#","fromPort":null,"toPort":null"#, (None, None, None)),
        ("\"udp\"", r#","fromPort":53,"toPort":53"#, (Some(17), Some(53), Some(53))),
        ("\"17\"", "", (Some(17), all_ports.0, all_ports.1)),
        ("\"tcp\"", r#","fromPort":-1,"toPort":-1"#, (Some(6), all_ports.0, all_ports.1)),
        ("\"tcp\"", r#","fromPort":0,"toPort":65535"#, (Some(6), all_ports.0, all_ports.1)),
        ("\"icmp\"", r#","fromPort":8,"toPort":-1"#, (Some(1), Some(8), Some(-1))),
        ("\"ICMPv6\"", "", (Some(58), None, None)),
        ("\"58\"", "", (Some(58), None, None)),
        ("\"50\"", "", (Some(50), None, None)),
        ("255", "", (Some(255), None, None)),
    ] {
        assert_eq!(of(protocol, ports), Ok(wanted), "{protocol}{ports}");
    }
    for (protocol, ports, reason) in [
        ("\"256\"", "", "`256` is not a protocol"),
        ("\"-2\"", "", "`-2` is not a protocol"),
        ("\"sctp\"", "", "`sctp` is not a protocol"),
        ("\"all\"", "", "`all` is not a protocol"),
        ("\"\"", "", "`` is not a protocol"),
        ("null", "", "`ipProtocol` is missing"),
        ("\"tcp\"", r#","fromPort":65536,"toPort":65536"#, "`fromPort` is not a port: `65536`"),
        ("\"tcp\"", r#","fromPort":0,"toPort":-2"#, "`toPort` is not a port: `-2`"),
        ("\"tcp\"", r#","fromPort":22,"toPort":21"#, "ports `22` to `21` are not a range"),
        ("\"udp\"", r#","fromPort":22"#, "ports `22` to `none` are not a range"),
        ("\"udp\"", r#","toPort":22"#, "ports `none` to `22` are not a range"),
        ("\"udp\"", r#","fromPort":22.5,"toPort":23"#, "`22.5` is not a whole number"),
        ("\"udp\"", r#","fromPort":"http","toPort":80"#, "`http` is not a whole number"),
    ] {
        let found = of(protocol, ports).unwrap_err();
        assert!(found.contains(reason) && found.contains("ipPermissions"), "{found}");
    }
}

#[test]
fn what_a_rule_opens_is_never_dropped_in_silence() {
    for (peers, reason) in [
        (r#""ipRanges":["10.0.0.0/33"]"#, "`10.0.0.0/33` is not a CIDR"),
        (r#""ipRanges":["0.0.0.0/0 "]"#, "`0.0.0.0/0 ` is not a CIDR"),
        (r#""ipRanges":[7]"#, "`7` is not a CIDR"),
        (r#""ipv4Ranges":[{"cidr_ip":"10.0.0.0/8"}]"#, "an object without `cidrIp`"),
        (r#""ipv4Ranges":[{"cidrIp":null}]"#, "an object without `cidrIp`"),
        (r#""ipv6Ranges":[{"cidrIpv6":"::/129"}]"#, "`::/129` is not a CIDR"),
        (r#""ipRanges":"10.0.0.0/8""#, "expected a list"),
        (r#""prefixListIds":[{}]"#, "an object without `prefixListId`"),
        (r#""userIdGroupPairs":[{"userId":"1"}]"#, "a group reference without `groupId`"),
    ] {
        let found = group(&format!(r#"{{"ipProtocol":"-1",{peers}}}"#)).unwrap_err();
        assert!(found.contains(reason), "{found}");
    }
    let egress =
        body(GROUP, r#"{"ipPermissions":[],"ipPermissionsEgress":[{},{"ipProtocol":"-1"}]}"#);
    assert_eq!(egress.unwrap_err(), "`ipPermissionsEgress[0]`: `ipProtocol` is missing");
}

#[test]
fn rules_that_are_not_told_are_not_no_rules() {
    for (configuration, seen) in [
        (r#"{"vpcId":"vpc-1","ipPermissions":[],"ipPermissionsEgress":[]}"#, true),
        (r#"{"vpcId":"vpc-1","ipPermissions":[]}"#, false),
        (r#"{"vpcId":"vpc-1","ipPermissions":[],"ipPermissionsEgress":null}"#, false),
        (r#"{"vpcId":"vpc-1","ipPermissionsEgress":[]}"#, false),
        // EC2-Classic had no outbound rules.
        (r#"{"ipPermissions":[]}"#, true),
    ] {
        let found = body(GROUP, configuration).unwrap();
        assert_eq!(matches!(found, Body::SecurityGroup(_)), seen, "{configuration}");
        assert!(seen || found == Body::Unseen, "{configuration}");
    }
}

#[test]
fn an_object_is_a_list_only_where_it_says_its_elements() {
    let rules = |rules: &str| {
        let configuration =
            format!(r#"{{"vpcId":"v","ipPermissions":{rules},"ipPermissionsEgress":[]}}"#);
        body(GROUP, &configuration)
    };
    let rule = r#"{"ipProtocol":"tcp","fromPort":22,"toPort":22,"ipv4Ranges":{"value":[{"cidrIp":"0.0.0.0/0"}]}}"#;
    for told in [
        format!("[{rule}]"),
        format!(r#"{{"quantity":1,"items":[{rule}]}}"#),
        format!(r#"{{"items":[{rule},null]}}"#),
        format!(r#"{{"value":[{rule}]}}"#),
    ] {
        let Ok(Body::SecurityGroup(group)) = rules(&told) else { panic!("{told}") };
        assert_eq!(group.ingress.len(), 1, "{told}");
        assert_eq!(group.ingress[0].ipv4.len(), 1, "{told}");
    }
    for none in [r#"{"quantity":0}"#, r#"{"quantity":0,"items":null}"#, r#"{"items":[]}"#, "[]"] {
        let Ok(Body::SecurityGroup(group)) = rules(none) else { panic!("{none}") };
        assert!(group.ingress.is_empty(), "{none}");
    }
    let untold = rule.replace(r#"{"value":[{"cidrIp":"0.0.0.0/0"}]}"#, r#"{"cidrIp":"0.0.0.0/0"}"#);
    for wrong in ["{}", r#"{"quantity":3}"#, r#"{"ipProtocol":"-1"}"#, &format!("[{untold}]")] {
        let error = rules(wrong).unwrap_err();
        assert!(error.contains("an object without `items`, expected a list"), "{error}");
    }
}

#[test]
fn interfaces_and_instances_are_read() {
    const INTERFACE: &str = "AWS::EC2::NetworkInterface";
    let interface = NetworkInterface {
        groups: boxes(&["sg-1", "sg-2"]),
        vpc: Some("vpc-1".into()),
        subnet: Some("subnet-1".into()),
        interface_type: Some("interface".into()),
        requester_managed: true,
        instance: Some("i-1".into()),
        device_index: Some(0),
    };
    let text = r#"{"groups":[{"groupName":"b","groupId":"sg-2"},{"groupId":"sg-1"}],"vpcId":"vpc-1","subnetId":"subnet-1","interfaceType":"interface","requesterManaged":true,"attachment":{"instanceId":"i-1","deviceIndex":0.0,"status":"attached"},"association":null}"#;
    assert_eq!(body(INTERFACE, text), Ok(Body::NetworkInterface(interface)));
    let bare = NetworkInterface::default();
    let text = r#"{"Groups":[],"vpcId":null,"attachment":null}"#;
    assert_eq!(body(INTERFACE, text), Ok(Body::NetworkInterface(bare)));
    assert_eq!(body(INTERFACE, r#"{"vpcId":"vpc-1"}"#), Ok(Body::Unseen));
    assert!(body(INTERFACE, r#"{"groups":[{"groupName":"x"}]}"#).is_err());

    let instance = Instance {
        state: Some("running".into()),
        vpc: Some("vpc-1".into()),
        groups: boxes(&["sg-1"]),
        interfaces: vec![InstanceInterface {
            id: "eni-1".into(),
            groups: boxes(&["sg-1"]),
            device_index: Some(1),
        }],
    };
    let text = r#"{"state":{"code":16,"name":"running"},"vpcId":"vpc-1","securityGroups":[{"groupId":"sg-1"},{"groupId":"sg-1"}],"networkInterfaces":[{"networkInterfaceId":"eni-1","groups":[{"groupId":"sg-1"}],"attachment":{"deviceIndex":1}}]}"#;
    assert_eq!(body("AWS::EC2::Instance", text), Ok(Body::Instance(instance)));
    let gone = Instance { state: Some("terminated".into()), ..Instance::default() };
    let text = r#"{"state":{"name":"terminated"},"networkInterfaces":[]}"#;
    assert_eq!(body("AWS::EC2::Instance", text), Ok(Body::Instance(gone)));
    assert_eq!(body("AWS::EC2::Instance", r#"{"imageId":"ami-1"}"#), Ok(Body::Unseen));
    for untold in [
        r#"{"state":{"name":"running"}}"#,
        r#"{"state":{"name":"running"},"networkInterfaces":[{"networkInterfaceId":"eni-1"}]}"#,
        r#"{"networkInterfaces":[{"networkInterfaceId":"eni-1","groups":null}]}"#,
    ] {
        assert_eq!(body("AWS::EC2::Instance", untold), Ok(Body::Unseen), "{untold}");
    }
    for told in [
        r#"{"state":{"name":"running"},"securityGroups":[]}"#,
        r#"{"securityGroups":[],"networkInterfaces":[{"networkInterfaceId":"eni-1"}]}"#,
        r#"{"networkInterfaces":[{"networkInterfaceId":"eni-1","groups":[]}]}"#,
        r#"{"state":{"name":"terminated"}}"#,
    ] {
        assert!(matches!(body("AWS::EC2::Instance", told), Ok(Body::Instance(_))), "{told}");
    }
    assert!(body("AWS::EC2::Instance", r#"{"networkInterfaces":[{}]}"#).is_err());
}

#[test]
fn a_prefix_list_tells_its_entries_or_not() {
    const LIST: &str = "AWS::EC2::PrefixList";
    let told = PrefixList {
        id: "pl-1".into(),
        ipv4: Some(vec!["10.0.0.0/8".parse().unwrap()]),
        ipv6: Some(vec![]),
    };
    let text = r#"{"PrefixListId":"pl-1","Entries":[{"Cidr":"10.9.9.9/8","Description":"x"}]}"#;
    assert_eq!(body(LIST, text), Ok(Body::PrefixList(told)));
    let untold = PrefixList { id: "the-id".into(), ipv4: None, ipv6: None };
    assert_eq!(body(LIST, r#"{"MaxEntries":5}"#), Ok(Body::PrefixList(untold)));
    assert!(body(LIST, r#"{"Entries":[{"Cidr":"x"}]}"#).unwrap_err().contains("`x` is not a CIDR"));
}

#[test]
fn what_a_resource_says_of_its_web_acl() {
    let balancer = |attributes: &str| {
        let text = item(
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            &format!(
                r#""configuration":{{"type":"application","securityGroups":["sg-2",{{"value":"sg-1"}}]}},"supplementaryConfiguration":{{"LoadBalancerAttributes":{attributes}}},"tags":{{}}"#
            ),
        );
        match read_ok(&text).item.body {
            Body::LoadBalancer(balancer) => {
                assert_eq!(balancer.groups, boxes(&["sg-1", "sg-2"]));
                assert_eq!(balancer.kind.as_deref(), Some("application"));
                balancer.web_acl
            }
            other => panic!("{other:?}"),
        }
    };
    let acl = || WafAssociation::Acl("arn:acl".into());
    let list =
        r#"[{"key":"waf.enabled","value":"true"},{"key":"waf.web_acl_id","value":"arn:acl"}]"#;
    assert_eq!(balancer(list), acl());
    assert_eq!(balancer(&serde_json::to_string(list).unwrap()), acl());
    assert_eq!(balancer(r#"[{"key":"waf.web_acl_id","value":""}]"#), WafAssociation::Bare);
    assert_eq!(balancer(r#"[{"key":"waf.web_acl_id","value":null}]"#), WafAssociation::Unsaid);
    assert_eq!(
        balancer(r#"[{"key":"idle_timeout.timeout_seconds","value":"60"}]"#),
        WafAssociation::Unsaid
    );
    assert_eq!(balancer("null"), WafAssociation::Unsaid);

    let stage = |text| match body("AWS::ApiGateway::Stage", text) {
        Ok(Body::ApiStage(stage)) => stage.web_acl,
        other => panic!("{other:?}"),
    };
    assert_eq!(stage(r#"{"webAclArn":"arn:acl","createdDate":"Feb 21, 2022 6:37:48 PM"}"#), acl());
    assert_eq!(stage(r#"{"stageName":"x"}"#), WafAssociation::Unsaid);
    let distribution = |text| match body("AWS::CloudFront::Distribution", text) {
        Ok(Body::Distribution(distribution)) => distribution.web_acl,
        other => panic!("{other:?}"),
    };
    assert_eq!(distribution(r#"{"distributionConfig":{"webACLId":"arn:acl"}}"#), acl());
    assert_eq!(distribution(r#"{"distributionConfig":{"webACLId":""}}"#), WafAssociation::Bare);
    assert_eq!(distribution(r#"{"distributionConfig":{}}"#), WafAssociation::Unsaid);

    match body(
        "AWS::ElasticLoadBalancing::LoadBalancer",
        r#"{"securityGroups":["sg-1"],"vpcid":"v"}"#,
    ) {
        Ok(Body::ClassicLoadBalancer(classic)) => assert_eq!(classic.groups, boxes(&["sg-1"])),
        other => panic!("{other:?}"),
    }
}

#[test]
fn web_acls_are_read_in_both_letter_cases() {
    let pascal = r#"{"ARN":"arn:acl","Id":"1","Name":"acl","DefaultAction":{"Block":{}},"ManagedByFirewallManager":true,"RetrofittedByFirewallManager":false,"PreProcessFirewallManagerRuleGroups":[{"Name":"PREFMManaged-b","Priority":1,"FirewallManagerStatement":{"RuleGroupReferenceStatement":{"ARN":"arn:rg"}},"OverrideAction":{"Count":{}}},{"Name":"PREFMManaged-a","Priority":0,"FirewallManagerStatement":{"ManagedRuleGroupStatement":{"VendorName":"AWS","Name":"Common","Version":"1.2"}},"OverrideAction":{"None":{}}}],"PostProcessFirewallManagerRuleGroups":[],"Rules":[]}"#;
    let camel = pascal
        .replace("\"ARN\":\"arn:acl\"", "\"resourceARN\":\"arn:acl\"")
        .replace("ManagedByFirewallManager\":true", "managedByFirewallManager\":\"true\"")
        .replace("\"Name\":\"acl\"", "\"name\":\"acl\"")
        .replace("DefaultAction", "defaultAction")
        .replace("VendorName", "vendorName");
    let relationships = r#""relationships":[{"resourceId":"b","resourceType":"AWS::X::Y","name":"Is associated with "},{"resourceId":"a","resourceName":null,"resourceType":"AWS::X::Y","relationshipName":"x"},{"resourceName":"only","resourceType":"AWS::X::Y"}]"#;
    for configuration in [pascal, &camel] {
        let text = item(
            "AWS::WAFv2::WebACL",
            &format!(r#""configuration":{configuration},{relationships},"tags":{{}}"#),
        );
        let Body::WebAcl(acl) = read_ok(&text).item.body else { panic!("{text}") };
        assert_eq!((&*acl.arn, &*acl.name), ("arn:acl", "acl"));
        assert_eq!(
            (acl.managed_by_fms, acl.retrofitted, acl.default_block),
            (true, false, Some(true))
        );
        let pre = acl.pre_process.unwrap();
        assert_eq!(pre[0].vendor.as_deref(), Some("AWS"));
        assert_eq!(
            (pre[0].name.as_deref(), pre[0].version.as_deref(), pre[0].count),
            (Some("Common"), Some("1.2"), false)
        );
        assert_eq!((pre[1].arn.as_deref(), pre[1].count), (Some("arn:rg"), true));
        assert_eq!(acl.post_process, Some(vec![]));
        let named: Vec<&str> = acl.associated.iter().map(|(_, id)| &**id).collect();
        assert_eq!(named, ["a", "b"]);
    }
    let Ok(Body::WebAcl(untold)) = body("AWS::WAFv2::WebACL", r#"{"name":"x"}"#) else { panic!() };
    assert_eq!((untold.pre_process, untold.default_block, &*untold.arn), (None, None, "arn:the"));
}

#[test]
fn a_protection_says_what_it_protects() {
    for resource_type in ["AWS::Shield::Protection", "AWS::ShieldRegional::Protection"] {
        for name in [
            "ApplicationLayerAutomaticResponseConfig",
            "ApplicationLayerAutomaticResponseConfiguration",
        ] {
            let text = format!(
                r#"{{"Id":"1","ResourceArn":"arn:r","{name}":{{"Status":"ENABLED","Action":{{"Count":{{}}}}}}}}"#
            );
            let wanted = Protection {
                resource_arn: "arn:r".into(),
                automatic_response: Some(AutomaticResponse { enabled: true, block: Some(false) }),
            };
            assert_eq!(body(resource_type, &text), Ok(Body::Protection(wanted)));
        }
        assert_eq!(
            body(resource_type, "{\"Id\":\"1\"}").unwrap_err(),
            "`configuration`: `ResourceArn` is missing"
        );
    }
}

#[test]
fn a_recorder_tells_what_it_records() {
    let types =
        |texts: &[&str]| texts.iter().map(|text| ResourceType::try_from(*text).unwrap()).collect();
    for (text, recording, group) in [
        (
            r#"{"Recording":true,"RecordingGroup":{"AllSupported":true,"ResourceTypes":[]}}"#,
            true,
            RecordingGroup::All,
        ),
        (
            r#"{"recording":false,"recordingGroup":{"allSupported":true}}"#,
            false,
            RecordingGroup::All,
        ),
        (
            r#"{"RecordingGroup":{"AllSupported":false,"ResourceTypes":["B::B","A::A"]}}"#,
            true,
            RecordingGroup::Only(types(&["A::A", "B::B"])),
        ),
        (
            r#"{"RecordingGroup":{"ResourceTypes":["A::A"]}}"#,
            true,
            RecordingGroup::Only(types(&["A::A"])),
        ),
        (
            r#"{"RecordingGroup":{"AllSupported":false,"ResourceTypes":[]}}"#,
            true,
            RecordingGroup::Only(vec![]),
        ),
        (
            r#"{"RecordingGroup":{"AllSupported":false,"ExclusionByResourceTypes":{"ResourceTypes":["A::A"]}}}"#,
            true,
            RecordingGroup::AllBut(types(&["A::A"])),
        ),
        (
            r#"{"RecordingGroup":{"AllSupported":false,"ResourceTypes":["B::B"],"ExclusionByResourceTypes":{"ResourceTypes":["A::A"]},"RecordingStrategy":{"UseOnly":"EXCLUSION_BY_RESOURCE_TYPES"}}}"#,
            true,
            RecordingGroup::AllBut(types(&["A::A"])),
        ),
        (
            r#"{"RecordingGroup":{"RecordingStrategy":{"UseOnly":"INCLUSION_BY_RESOURCE_TYPES"},"ResourceTypes":["B::B"]}}"#,
            true,
            RecordingGroup::Only(types(&["B::B"])),
        ),
        (
            r#"{"RecordingGroup":{"RecordingStrategy":{"UseOnly":"ALL_SUPPORTED_RESOURCE_TYPES"},"ExclusionByResourceTypes":null}}"#,
            true,
            RecordingGroup::All,
        ),
    ] {
        let wanted = Body::Recorder(Recorder { recording, group });
        assert_eq!(
            body("AWS::Config::ConfigurationRecorder", text).as_ref(),
            Ok(&wanted),
            "{text}"
        );
    }
    assert!(body("AWS::Config::ConfigurationRecorder", r#"{"Recording":"maybe"}"#).is_err());
    // One that does not tell lists nothing.
    for text in ["{}", r#"{"Name":"default"}"#, r#"{"Recording":true}"#, r#"{"RecordingGroup":{}}"#]
    {
        let found = body("AWS::Config::ConfigurationRecorder", text);
        assert_eq!(found, Ok(Body::Unseen), "{text}");
    }
}

#[test]
fn every_wanted_type_has_a_reader_and_no_other() {
    let wanted = ResourceType::NAMED.iter().filter(|named| reader_of(named).is_some()).count();
    assert_eq!(wanted, 12);
    assert!(reader_of(&ResourceType::VPC).is_none());
    // Compared exactly: an old sample that shouts is another type.
    assert_eq!(body("AWS::EC2::SECURITYGROUP", "{}"), Ok(Body::Unwanted));
}

#[test]
fn a_usual_state_number_is_read_as_any_other() {
    for raw in ["1770091506789", "1", "4102444799999", "0", "4102444800000", "999999999999999999"] {
        assert_eq!(usual_state_id(raw.as_bytes()), state_id(raw), "{raw}");
    }
    for raw in
        ["", "-1", "1.0", "1e3", "\"1\"", " 1", "1000000000000000000", "99999999999999999999"]
    {
        assert_eq!(usual_state_id(raw.as_bytes()), None, "{raw}");
    }
}
