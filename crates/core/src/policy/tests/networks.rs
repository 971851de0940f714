//! Rules of policies on networks as evaluators get them: network ACLs and Network Firewall.

use super::*;
use crate::policy::network_firewall::{InspectionVpc, NetworkFirewall, Placement, Zone};

fn network_acl(set: Value) -> Result<Policy, Refusal> {
    let option = json!({"NetworkAclCommonPolicy": {"NetworkAclEntrySet": set}});
    let data = json!({"PolicyOption": option});
    let mut document = edited(
        "NETWORK_ACL_COMMON",
        "AWS::EC2::Subnet",
        "",
        json!({"SecurityServicePolicyData": data}),
    );
    document.security_service_policy_data.managed_service_data = None;
    parsed(&document)
}

#[test]
fn network_acl_entries_become_those_of_subnets() {
    let told = |entry: Value| {
        let mut whole = json!({"RuleAction": "deny", "Egress": false});
        if entry.get("Ipv6CidrBlock").is_none() {
            merge(&mut whole, json!({"CidrBlock": "10.9.9.9/8"}));
        }
        merge(&mut whole, entry);
        let set = json!({"FirstEntries": [whole], "ForceRemediateForFirstEntries": true,
            "LastEntries": null, "ForceRemediateForLastEntries": false});
        let Rule::NetworkAclCommon(read) = network_acl(set).unwrap().rule else { panic!() };
        assert_eq!((read.first.len(), read.last.len()), (1, 0));
        assert_eq!((read.force_first, read.force_last), (true, false));
        read.first[0].to_string()
    };
    let v6 = |mut entry: Value| {
        merge(&mut entry, json!({"Ipv6CidrBlock": "fc00::1/7"}));
        entry
    };
    let ssh = json!({"PortRange": {"From": 22, "To": 22}});
    let with = |protocol: &str, more: &Value| {
        let mut entry = json!({ "Protocol": protocol });
        merge(&mut entry, more.clone());
        entry
    };
    let ping = json!({"IcmpTypeCode": {"Type": 8, "Code": 0}});
    let (of, of_v6) = ("from 10.0.0.0/8", "from fc00::/7");
    for (entry, wanted) in [
        (with("tcp", &ssh), format!("deny tcp 22 {of}")),
        (with("TCP", &ssh), format!("deny tcp 22 {of}")),
        (with("6", &ssh), format!("deny tcp 22 {of}")),
        (with("udp", &ssh), format!("deny udp 22 {of}")),
        (v6(with("17", &ssh)), format!("deny udp 22 {of_v6}")),
        (with("-1", &ssh), format!("deny all traffic {of}")),
        (with("50", &ssh), format!("deny protocol 50 {of}")),
        (with("icmp", &ping), format!("deny icmp type 8 code 0 {of}")),
        (with("1", &json!({})), format!("deny icmp {of}")),
        (with("1", &json!({"IcmpTypeCode": {"Type": 3}})), format!("deny icmp type 3 {of}")),
        (with("58", &ping), format!("deny protocol 58 {of}")),
        (v6(with("58", &ping)), format!("deny icmpv6 type 8 code 0 {of_v6}")),
        // Passed once, by a number that is no usual one: all ports.
        (with("06", &json!({})), format!("deny tcp 0-65535 {of}")),
        (
            with("-1", &json!({"Egress": true, "RuleAction": "allow"})),
            "allow all traffic to 10.0.0.0/8".into(),
        ),
    ] {
        assert_eq!(told(entry.clone()), wanted, "{entry}");
    }
}

#[test]
fn network_acl_entries_are_checked() {
    let acl = network_acl;
    let set = |first: Value, last: Value| {
        json!({"FirstEntries": first, "ForceRemediateForFirstEntries": false,
               "LastEntries": last, "ForceRemediateForLastEntries": false})
    };
    let entry = |edits: Value| {
        let mut entry = json!({"Protocol": "6", "RuleAction": "deny", "Egress": true,
                               "CidrBlock": "0.0.0.0/0", "PortRange": {"From": 80, "To": 80}});
        merge(&mut entry, edits);
        set(json!([entry]), json!([]))
    };
    let cases = [
        (entry(json!({})), "ok"),
        (set(json!([]), json!([])), "at least one entry"),
        (entry(json!({"Protocol": "tcp"})), "ok"),
        (entry(json!({"Protocol": "-1", "PortRange": null})), "ok"),
        (entry(json!({"Protocol": "256", "PortRange": null})), "Protocol is tcp, udp, icmp"),
        (entry(json!({"Protocol": "quic"})), "FirstEntries[0].Protocol is tcp, udp, icmp"),
        (entry(json!({"RuleAction": "drop"})), "RuleAction is allow or deny, not `drop`"),
        (entry(json!({"PortRange": null})), "tcp and udp need From and To"),
        (entry(json!({"PortRange": {"To": null}})), "tcp and udp need From and To"),
        (entry(json!({"PortRange": {"From": 81}})), "PortRange is 81 to 80"),
        (entry(json!({"PortRange": {"From": 0, "To": 65535}})), "ok"),
        (entry(json!({"PortRange": {"To": 65536}})), "both 0 to 65535"),
        (entry(json!({"PortRange": {"From": -1}})), "both 0 to 65535"),
        (entry(json!({"IcmpTypeCode": {"Type": 3, "Code": 1}})), "IcmpTypeCode is for ICMP alone"),
        (entry(json!({"Protocol": "icmp", "PortRange": null, "IcmpTypeCode": {"Type": 3}})), "ok"),
        (entry(json!({"CidrBlock": null})), "either CidrBlock or Ipv6CidrBlock"),
        (entry(json!({"Ipv6CidrBlock": "::/0"})), "either CidrBlock or Ipv6CidrBlock"),
        (entry(json!({"CidrBlock": null, "Ipv6CidrBlock": "::/0"})), "ok"),
        (entry(json!({"CidrBlock": "10.0.0.0/33"})), "`10.0.0.0/33` is not a CIDR block"),
        (entry(json!({"CidrBlock": null, "Ipv6CidrBlock": "10.0.0.0/8"})), "is not a CIDR block"),
    ];
    for (set, wanted) in cases {
        expect(&set.to_string(), acl(set.clone()), wanted);
    }
    let bare = parsed(&document("NETWORK_ACL_COMMON", "AWS::EC2::Subnet", ""));
    expect("no option", bare, "`PolicyOption.NetworkAclCommonPolicy` is missing");
}

fn firewall(data: &str, option: serde_json::Value) -> NetworkFirewall {
    let edits = json!({"SecurityServicePolicyData": {"PolicyOption": option}});
    match parsed(&edited("NETWORK_FIREWALL", VPC, data, edits)).unwrap().rule {
        Rule::NetworkFirewall(firewall) => firewall,
        rule => panic!("{rule:?}"),
    }
}

#[test]
fn a_firewall_policy_says_where_endpoints_are() {
    let name = |name: &str| Zone::Name(name.into());
    let listed = |zones, single| Placement::Listed { zones, single };
    let of = |orchestration: &str| {
        format!(r#"{{"networkFirewallOrchestrationConfig":{orchestration}}}"#)
    };
    let zones = |zones: &str| {
        format!(
            r#""firewallCreationConfig":{{"endpointLocation":{{"availabilityZoneConfigList":[{zones}]}}}}"#
        )
    };
    let two = zones(
        r#"{"availabilityZoneName":"us-east-1a"},{"availabilityZoneName":"us-east-1a"},{"availabilityZoneId":"use1-az2"}"#,
    );
    for (data, placement) in [
        ("{}".to_owned(), Placement::Automatic { single: false }),
        (of(r#"{"singleFirewallEndpointPerVPC":true}"#), Placement::Automatic { single: true }),
        (of(&format!("{{{}}}", zones(""))), Placement::Automatic { single: false }),
        (
            of(&format!("{{{two}}}")),
            listed(vec![name("us-east-1a"), Zone::Id("use1-az2".into())], false),
        ),
    ] {
        assert_eq!(firewall(&data, serde_json::Value::Null).placement, placement, "{data}");
    }
    let central = format!(
        r#"{{"firewallDeploymentModel":{{"centralizedFirewallDeploymentModel":{{"centralizedFirewallOrchestrationConfig":{{"inspectionVpcIds":[{{"resourceId":"vpc-1","accountId":"111122223333"}},{{"resourceId":"vpc-2","accountId":"x"}}],{}}}}}}}}}"#,
        zones(r#"{"availabilityZoneName":"us-east-1a"}"#)
    );
    let option = json!({"NetworkFirewallPolicy": {"FirewallDeploymentModel": "CENTRALIZED"}});
    let vpc = |account: Option<&str>, id: &str| InspectionVpc {
        account: account.map(|account| account.try_into().unwrap()),
        id: id.into(),
    };
    let vpcs = vec![vpc(Some("111122223333"), "vpc-1"), vpc(None, "vpc-2")];
    let inspection = Placement::Inspection { vpcs, zones: vec![name("us-east-1a")] };
    assert_eq!(firewall(&central, option).placement, inspection);
    let routes = of(
        r#"{"routeManagementAction":"MONITOR","routeManagementTargetTypes":["InternetGateway"],"routeManagementConfig":{"allowCrossAZTrafficIfNoEndpoint":true}}"#,
    );
    let routes = firewall(&routes, serde_json::Value::Null);
    assert!(routes.monitors && routes.may_cross);
}

#[test]
fn a_firewall_policy_says_what_firewalls_filter_by() {
    let data = r#"{"networkFirewallStatelessRuleGroupReferences":[{"resourceARN":"arn:b","priority":2},{"resourceARN":"arn:a","priority":1}],"networkFirewallStatelessDefaultActions":["aws:drop"],"networkFirewallStatelessCustomActions":[{"actionName":"count","actionDefinition":{"publishMetricAction":{"dimensions":[{"value":"v"}]}}}],"networkFirewallStatefulRuleGroupReferences":[{"resourceARN":"arn:c","override":{"action":"DROP_TO_ALERT"}}],"networkFirewallStatefulEngineOptions":{"ruleOrder":"STRICT_ORDER","streamExceptionPolicy":"FMS_IGNORE"},"networkFirewallStatefulDefaultActions":["aws:drop_strict"]}"#;
    let rules = firewall(data, serde_json::Value::Null).rules;
    let groups: Vec<_> = rules.stateless_groups.iter().flatten().map(|one| &*one.arn).collect();
    assert_eq!(groups, ["arn:a", "arn:b"]);
    assert_eq!(rules.stateless_defaults, Some(vec!["aws:drop".into()]));
    assert_eq!(rules.fragment_defaults, None, "not asked for");
    assert_eq!(rules.custom_actions.unwrap()[0].dimensions, ["v".into()]);
    let group = &rules.stateful_groups.unwrap()[0];
    assert_eq!(group.override_action.as_deref(), Some("DROP_TO_ALERT"));
    assert_eq!(rules.stateful_defaults, Some(vec!["aws:drop_strict".into()]));
    assert_eq!(rules.rule_order.as_deref(), Some("STRICT_ORDER"));
    assert_eq!(rules.stream_exceptions, None, "left alone");
    let bare = firewall("{}", serde_json::Value::Null).rules;
    assert_eq!(bare.rule_order.as_deref(), Some("DEFAULT_ACTION_ORDER"));
    assert_eq!(bare.stateful_groups, Some(Vec::new()));
}
