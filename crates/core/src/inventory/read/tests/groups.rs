//! Bodies of security groups.

use super::*;

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
        r#"{"ipProtocol":{"value":"tcp"},"fromPort":{"value":22.0},"toPort":2.3E1,"ipv4Ranges":[{"cidrIp":{"value":"10.0.0.0/8"}}],"ipRanges":[{"value":"192.0.2.1/32"}],"ipv6Ranges":{"items":[{"cidrIpv6":"2001:db8::/32"}]},"prefixListIds":[{"value":"pl-1"},{"value":"pl-2"}],"userIdGroupPairs":[{"groupId":"sg-1"},{"groupId":"sg-2","userId":"444455556666"}]}"#,
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
        ("\"tcp\"", r#","fromPort":-1,"toPort":-1"#, (Some(6), all_ports.0, all_ports.1)),
        ("\"tcp\"", r#","fromPort":0,"toPort":65535"#, (Some(6), all_ports.0, all_ports.1)),
        ("\"icmp\"", r#","fromPort":8,"toPort":-1"#, (Some(1), Some(8), Some(-1))),
        ("\"ICMPv6\"", r#","fromPort":-1,"toPort":-1"#, (Some(58), Some(-1), Some(-1))),
        ("\"58\"", r#","fromPort":128,"toPort":0"#, (Some(58), Some(128), Some(0))),
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
        ("\"udp\"", r#","fromPort":22.5,"toPort":23"#, "`22.5` is not a whole number"),
        ("\"udp\"", r#","fromPort":"http","toPort":80"#, "`http` is not a whole number"),
    ] {
        let found = of(protocol, ports).unwrap_err();
        assert!(found.contains(reason) && found.contains("ipPermissions"), "{found}");
    }
}

/// Semantics §11 rows 38 and 39; what EC2 tells of each protocol is in formats §9.
#[test]
fn ports_that_are_not_told_are_not_all_ports() {
    let peers = r#","ipv4Ranges":[],"ipv6Ranges":[],"ipRanges":[],"prefixListIds":[],"userIdGroupPairs":[]"#;
    for (protocols, ports, wanted) in [
        ("tcp udp icmp icmpv6 6 17 1 58 -1 50", r#","fromPort":7,"toPort":8"#, ""),
        ("tcp udp icmp icmpv6 6 17 1 58 -1 50", r#","fromPort":-1,"toPort":-1"#, ""),
        ("tcp udp icmp icmpv6 6 17 1 58", "", "`fromPort` is missing"),
        (
            "tcp udp icmp icmpv6 6 17 1 58",
            r#","fromPort":null,"toPort":null"#,
            "`fromPort` is missing",
        ),
        ("tcp udp icmp icmpv6 6 17 1 58 -1 50", r#","toPort":8"#, "`fromPort` is missing"),
        (
            "tcp udp icmp icmpv6 6 17 1 58 -1 50",
            r#","fromPort":null,"toPort":-1"#,
            "`fromPort` is missing",
        ),
        ("tcp udp icmp icmpv6 6 17 1 58 -1 50", r#","fromPort":7"#, "`toPort` is missing"),
        (
            "tcp udp icmp icmpv6 6 17 1 58 -1 50",
            r#","fromPort":-1,"toPort":null"#,
            "`toPort` is missing",
        ),
        ("-1 50 0 255", "", ""),
        ("-1 50 0 255", r#","fromPort":null,"toPort":null"#, ""),
    ] {
        for protocol in protocols.split_whitespace() {
            let read = group(&format!(r#"{{"ipProtocol":"{protocol}"{ports}{peers}}}"#));
            let found = read.err().unwrap_or_default();
            assert_eq!(found.is_empty(), wanted.is_empty(), "{protocol}{ports}: {found}");
            assert!(found.contains(wanted), "{protocol}{ports}: {found}");
        }
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

/// What of a group is untold: `v` its VPC, `i` ingress, `e` egress; `-` all of it.
fn untold(configuration: &str) -> String {
    let text = item(GROUP, &format!(r#""configuration":{configuration},"tags":{{}}"#));
    let Body::SecurityGroup(group) = read_ok(&text).item.body else {
        return "-".to_owned();
    };
    let vpc = group.vpc.is_none();
    let UntoldOfGroup { ingress, egress } = group.untold;
    [(vpc, 'v'), (ingress, 'i'), (egress, 'e')]
        .iter()
        .filter(|(is, _)| *is)
        .map(|one| one.1)
        .collect()
}

/// Semantics §11 row 38.
#[test]
fn rules_that_are_not_told_are_not_no_rules() {
    for (configuration, want) in [
        (r#"{"vpcId":"vpc-1","ipPermissions":[],"ipPermissionsEgress":[]}"#, ""),
        (r#"{"vpcId":"vpc-1","ipPermissions":[]}"#, "e"),
        (r#"{"vpcId":"vpc-1","ipPermissions":[],"ipPermissionsEgress":null}"#, "e"),
        (r#"{"vpcId":"vpc-1","ipPermissionsEgress":[]}"#, "i"),
        (r#"{"ipPermissions":[],"ipPermissionsEgress":[]}"#, "v"),
        // EC2-Classic is where there is no VPC.
        (r#"{"VpcId":null,"ipPermissions":[],"ipPermissionsEgress":[]}"#, ""),
        (r#"{"vpcId":"vpc-1"}"#, "-"),
    ] {
        assert_eq!(untold(configuration), want, "{configuration}");
    }
}

#[test]
fn a_rule_tells_every_kind_of_other_end_or_not_all() {
    const MEMBERS: [&str; 5] =
        ["ipv4Ranges", "ipv6Ranges", "ipRanges", "prefixListIds", "userIdGroupPairs"];
    for (told, want) in [
        ("ipv4Ranges ipv6Ranges ipRanges prefixListIds userIdGroupPairs", ""),
        ("ipv4Ranges ipv6Ranges prefixListIds userIdGroupPairs", ""),
        // Semantics §11 row 38.
        ("ipv6Ranges ipRanges prefixListIds userIdGroupPairs", "e"),
        // Before 2017 there were no others; such items are met with any year.
        ("ipRanges prefixListIds userIdGroupPairs", ""),
        ("ipv4Ranges ipRanges prefixListIds userIdGroupPairs", "e"),
        ("ipv6Ranges prefixListIds userIdGroupPairs", "e"),
        ("ipv4Ranges ipv6Ranges ipRanges userIdGroupPairs", "e"),
        ("ipv4Ranges ipv6Ranges ipRanges prefixListIds", "e"),
        ("ipRanges", "e"),
        ("", "e"),
    ] {
        let told: Vec<&str> = told.split_whitespace().collect();
        assert!(told.iter().all(|one| MEMBERS.contains(one)));
        let members: String = told.iter().map(|one| format!(r#","{one}":[]"#)).collect();
        let configuration = format!(
            r#"{{"vpcId":"v","ipPermissions":[],"ipPermissionsEgress":[{{"ipProtocol":"-1"{members}}}]}}"#
        );
        assert_eq!(untold(&configuration), want, "{told:?}");
    }
}

#[test]
fn a_group_is_anothers_only_by_an_account_id() {
    let owner = |owner: &str| {
        let text = format!(
            r#"{{"vpcId":"v","ownerId":{owner},"ipPermissions":[],"ipPermissionsEgress":[]}}"#
        );
        match body(GROUP, &text)? {
            Body::SecurityGroup(group) => Ok(group.owner.map(String::from).unwrap_or_default()),
            other => Err(format!("{other:?}")),
        }
    };
    for (told, want) in [
        (r#""011122223333""#, "011122223333"),
        (r#""444455556666""#, "444455556666"),
        ("444455556666", "444455556666"),
        (r#""""#, ""),
        ("null", ""),
    ] {
        assert_eq!(owner(told).as_deref(), Ok(want), "{told}");
    }
    for told in ["7", r#""7""#, r#""44445555666""#, "44445555666", "true", r#""4444555566667""#] {
        assert!(owner(told).unwrap_err().contains("`ownerId`"), "{told}");
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
        format!(r#"{{"items":[{rule}]}}"#),
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
