//! Bodies of the other types that are read.

use super::*;
use crate::inventory::{
    ACTION_COUNT, ACTION_NONE, PeeringConnection, PeeringSide, RuleGroupId, Subnet, Vpc,
};

#[test]
fn interfaces_and_instances_are_read() {
    const INTERFACE: &str = "AWS::EC2::NetworkInterface";
    let interface = NetworkInterface {
        groups: boxes(&["sg-1", "sg-2"]),
        vpc: Some("vpc-1".into()),
        subnet: Some("subnet-1".into()),
        interface_type: Some("interface".into()),
        requester_managed: Some(true),
        instance: Some("i-1".into()),
        device_index: Some(0),
        owner: Some(crate::ident::AccountId::try_from("222222222222").unwrap()),
    };
    let text = r#"{"groups":[{"groupName":"b","groupId":"sg-2"},{"groupId":"sg-1"}],"vpcId":"vpc-1","subnetId":"subnet-1","interfaceType":"interface","ownerId":"222222222222","requesterManaged":true,"attachment":{"instanceId":"i-1","deviceIndex":0.0,"status":"attached"},"association":null}"#;
    assert_eq!(body(INTERFACE, text), Ok(Body::NetworkInterface(interface)));
    let bare = NetworkInterface::default();
    let text = r#"{"Groups":[],"vpcId":null,"attachment":null}"#;
    assert_eq!(body(INTERFACE, text), Ok(Body::NetworkInterface(bare)));
    assert_eq!(body(INTERFACE, r#"{"vpcId":"vpc-1"}"#), Ok(Body::Unseen));
    assert!(body(INTERFACE, r#"{"groups":[{"groupName":"x"}]}"#).is_err());
    for no_account in [r#""x""#, "7", r#""11112222333""#, "11112222333", r#""1111222233334""#] {
        let text = format!(r#"{{"groups":[],"ownerId":{no_account}}}"#);
        assert!(body(INTERFACE, &text).unwrap_err().contains("`ownerId`"), "{text}");
    }

    let instance = Instance {
        state: Some("running".into()),
        vpc: Some("vpc-1".into()),
        groups: boxes(&["sg-1"]),
        interfaces: Some(vec![InstanceInterface {
            id: "eni-1".into(),
            groups: Some(boxes(&["sg-1"])),
            device_index: Some(1),
        }]),
    };
    let text = r#"{"state":{"code":16,"name":"running"},"vpcId":"vpc-1","securityGroups":[{"groupId":"sg-1"},{"groupId":"sg-1"}],"networkInterfaces":[{"networkInterfaceId":"eni-1","groups":[{"groupId":"sg-1"}],"attachment":{"deviceIndex":1}}]}"#;
    assert_eq!(body("AWS::EC2::Instance", text), Ok(Body::Instance(instance)));
    let interfaces = Some(Vec::new());
    let gone = Instance { state: Some("terminated".into()), interfaces, ..Instance::default() };
    let text = r#"{"state":{"name":"terminated"},"networkInterfaces":[]}"#;
    assert_eq!(body("AWS::EC2::Instance", text), Ok(Body::Instance(gone)));
    assert_eq!(body("AWS::EC2::Instance", r#"{"imageId":"ami-1"}"#), Ok(Body::Unseen));
    for untold in [
        r#"{"state":{"name":"running"}}"#,
        r#"{"state":{"name":"running"},"networkInterfaces":[{"networkInterfaceId":"eni-1"}]}"#,
        r#"{"networkInterfaces":[{"networkInterfaceId":"eni-1","groups":null}]}"#,
        // EC2-Classic has groups without interfaces.
        r#"{"state":{"name":"running"},"networkInterfaces":[]}"#,
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
    // What is told of it is judged; a list that is not told is not empty (semantics §11 row 38).
    for (text, lists) in [
        (r#"{"state":{"name":"running"},"securityGroups":[]}"#, false),
        (r#"{"state":{"name":"running"},"securityGroups":[],"networkInterfaces":null}"#, false),
        (r#"{"state":{"name":"running"},"securityGroups":[],"networkInterfaces":[]}"#, true),
    ] {
        let Ok(Body::Instance(instance)) = body("AWS::EC2::Instance", text) else {
            panic!("{text}");
        };
        assert_eq!(instance.interfaces.is_some(), lists, "{text}");
    }
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
                assert_eq!(balancer.groups, Some(boxes(&["sg-1", "sg-2"])));
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
    // What is no application load balancer is out of scope (semantics §10 row 18): another word is
    // not told.
    for (kind, told) in [
        (r#""network""#, Some("network")),
        (r#""Gateway""#, Some("Gateway")),
        (r#""junk""#, None),
        ("7", None),
        (r#""""#, None),
        ("null", None),
    ] {
        let text = format!(r#"{{"type":{kind},"securityGroups":[]}}"#);
        match body("AWS::ElasticLoadBalancingV2::LoadBalancer", &text) {
            Ok(Body::LoadBalancer(balancer)) => {
                assert_eq!(balancer.kind.as_deref(), told, "{kind}")
            }
            other => panic!("{other:?}"),
        }
    }

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
        Ok(Body::ClassicLoadBalancer(classic)) => {
            assert_eq!(classic.groups, Some(boxes(&["sg-1"])))
        }
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
    let relationships = r#""relationships":[{"resourceId":"b","resourceType":"AWS::X::Y","name":"Is associated with "},{"resourceId":"a","resourceName":null,"resourceType":"AWS::X::Y","relationshipName":"x"},{"resourceId":"a","resourceType":"AWS::X::Y"}]"#;
    for configuration in [pascal, &camel] {
        let text = item(
            "AWS::WAFv2::WebACL",
            &format!(r#""configuration":{configuration},{relationships},"tags":{{}}"#),
        );
        let Body::WebAcl(acl) = read_ok(&text).item.body else { panic!("{text}") };
        assert_eq!((&*acl.arn, &*acl.name), ("arn:acl", "acl"));
        assert_eq!(
            (acl.managed_by_fms, acl.retrofitted, acl.default_block),
            (Some(true), Some(false), Some(true))
        );
        let pre = acl.pre_process.unwrap();
        let common = RuleGroupId::Managed { vendor: "AWS".into(), name: "Common".into() };
        assert_eq!(pre[0].id, Some(common));
        assert_eq!(
            (pre[0].version.as_deref(), pre[0].override_action.as_deref()),
            (Some("1.2"), Some(ACTION_NONE))
        );
        assert_eq!(pre[1].id, Some(RuleGroupId::Own { arn: "arn:rg".into() }));
        assert_eq!(pre[1].override_action.as_deref(), Some(ACTION_COUNT));
        assert_eq!(acl.post_process, Some(vec![]));
        let named: Vec<&str> = acl.associated.iter().flatten().map(|(_, id)| &**id).collect();
        assert_eq!(named, ["a", "b"]);
    }
    let Ok(Body::WebAcl(untold)) = body("AWS::WAFv2::WebACL", r#"{"name":"x"}"#) else { panic!() };
    assert_eq!((untold.pre_process, untold.default_block, &*untold.arn), (None, None, "arn:the"));
}

/// Semantics §11 row 38: an override that says neither, and a rule of two statements, are not told.
#[test]
fn a_rule_group_that_may_be_another_is_not_told() {
    for (own, managed, action, is_told, is_action_told) in [
        (r#""ARN":"arn:rg""#, "", r#"{"None":{}}"#, true, true),
        ("", r#""VendorName":"AWS","Name":"x""#, r#"{"Count":{}}"#, true, true),
        (r#""ARN":"arn:rg""#, "", "{}", true, false),
        (r#""ARN":"arn:rg""#, r#""VendorName":"AWS","Name":"x""#, r#"{"None":{}}"#, false, true),
    ] {
        let of = |name: &str, members: &str| match members {
            "" => String::new(),
            members => format!(r#""{name}":{{{members}}}"#),
        };
        let statements =
            [of("RuleGroupReferenceStatement", own), of("ManagedRuleGroupStatement", managed)];
        let statements = statements.into_iter().filter(|one| !one.is_empty());
        let statements = statements.collect::<Vec<_>>().join(",");
        let text = format!(
            r#"{{"PreProcessFirewallManagerRuleGroups":[{{"Name":"g","FirewallManagerStatement":{{{statements}}},"OverrideAction":{action}}}]}}"#
        );
        let Ok(Body::WebAcl(acl)) = body("AWS::WAFv2::WebACL", &text) else { panic!("{text}") };
        let groups = acl.pre_process.unwrap();
        let told = (groups[0].id.is_some(), groups[0].override_action.is_some());
        assert_eq!(told, (is_told, is_action_told), "{text}");
    }
}

/// First and last groups of a retrofitted web ACL, told by the names of its rules.
#[test]
fn groups_among_rules_are_told_where_every_rule_tells_its_name_and_place() {
    for (rules, want) in [
        (r#"{"Name":"PREFMManaged-a"}"#, Some((1, 0))),
        (r#"{"Name":"PREFMManaged-a","Priority":0},{"Name":"own","Priority":5}"#, Some((1, 0))),
        (r#"{"Name":"PREFMManaged-a","Priority":5},{"Name":"own","Priority":0}"#, Some((0, 0))),
        (r#"{"Name":"own","Priority":0},{"Name":"POSTFMManaged-a","Priority":5}"#, Some((0, 1))),
        (r#"{"Name":"PREFMManaged-a"},{"Name":"own","Priority":0}"#, None),
        (r#"{"Name":"PREFMManaged-a","Priority":0},{"Priority":1}"#, None),
        (r#"{"Name":"PREFMManaged-a","Priority":0},{"Name":"","Priority":1}"#, None),
        (r#"{"Name":"own","Priority":0}"#, None),
    ] {
        let text = format!(r#"{{"RetrofittedByFirewallManager":true,"Rules":[{rules}]}}"#);
        let Ok(Body::WebAcl(acl)) = body("AWS::WAFv2::WebACL", &text) else { panic!("{text}") };
        let counts = acl.pre_process.zip(acl.post_process);
        assert_eq!(counts.map(|(pre, post)| (pre.len(), post.len())), want, "{rules}");
    }
}

/// Semantics §11 row 38: what stands in a list and is not told is not nothing.
#[test]
fn a_recorder_that_contradicts_itself_tells_nothing() {
    for group in [
        r#""AllSupported":false,"ResourceTypes":["A::A"]"#,
        r#""AllSupported":true,"ExclusionByResourceTypes":{"ResourceTypes":["A::A"]}"#,
    ] {
        let strategy = r#""RecordingStrategy":{"UseOnly":"ALL_SUPPORTED_RESOURCE_TYPES"}"#;
        let text = format!(r#"{{"RecordingGroup":{{{group},{strategy}}}}}"#);
        let read = body("AWS::Config::ConfigurationRecorder", &text);
        assert_eq!(read, Ok(Body::Unseen), "{text}");
    }
}

/// A number or truth value is nobody's id: no other resource has it, so that nothing would be held against
/// what it names.
#[test]
fn an_id_that_is_no_text_makes_an_item_unreadable() {
    for id in ["0", "12", "true", "1.5"] {
        for (resource_type, text) in [
            (
                ResourceType::SECURITY_GROUP,
                format!(r#"{{"groupName":"g","ipPermissions":[],"vpcId":{id}}}"#),
            ),
            (ResourceType::NETWORK_INTERFACE, format!(r#"{{"groups":[],"vpcId":{id}}}"#)),
            (ResourceType::SUBNET, format!(r#"{{"vpcId":{id}}}"#)),
            (
                ResourceType::NETWORK_FIREWALL,
                format!(r#"{{"firewall":{{"firewallArn":{id},"vpcId":"vpc-1"}}}}"#),
            ),
            (ResourceType::SHIELD_PROTECTION, format!(r#"{{"resourceArn":{id}}}"#)),
        ] {
            let read = body(resource_type.as_str(), &text);
            assert!(
                read.as_ref().is_err_and(|error| error.contains("expected a string")),
                "{resource_type} {text}: {read:?}"
            );
        }
    }
}

#[test]
fn a_null_in_a_list_makes_an_item_unreadable() {
    const RECORDER: &str = "AWS::Config::ConfigurationRecorder";
    const LIST: &str = "AWS::EC2::PrefixList";
    for (kind, text) in [
        (GROUP, r#"{"ipPermissions":[null],"ipPermissionsEgress":[]}"#),
        (GROUP, r#"{"ipPermissions":[{"ipProtocol":"-1","ipRanges":[null]}]}"#),
        (GROUP, r#"{"ipPermissions":[{"ipProtocol":"-1","userIdGroupPairs":[null]}]}"#),
        ("AWS::EC2::NetworkInterface", r#"{"groups":[null]}"#),
        ("AWS::EC2::Instance", r#"{"securityGroups":[{"groupId":"sg-1"},null]}"#),
        ("AWS::EC2::Instance", r#"{"securityGroups":[],"networkInterfaces":[null]}"#),
        (LIST, r#"{"Entries":[null]}"#),
        (LIST, r#"{"Entries":{"items":[null]}}"#),
        ("AWS::ElasticLoadBalancing::LoadBalancer", r#"{"securityGroups":[null]}"#),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", r#"{"securityGroups":["sg-1",null]}"#),
        ("AWS::WAFv2::WebACL", r#"{"PostProcessFirewallManagerRuleGroups":[null]}"#),
        (RECORDER, r#"{"RecordingGroup":{"AllSupported":false,"ResourceTypes":[null]}}"#),
    ] {
        assert!(body(kind, text).unwrap_err().contains("null in a list"), "{text}");
    }
    let related = r#""relationships":[null],"configuration":{"name":"x"},"tags":{}"#;
    assert!(read_item(item("AWS::WAFv2::WebACL", related).as_bytes()).is_err());
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
                automatic_response: Some(AutomaticResponse {
                    enabled: Some(true),
                    block: Some(false),
                }),
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
            r#"{"RecordingGroup":{"AllSupported":true,"ExclusionByResourceTypes":{"ResourceTypes":["A::A"]}}}"#,
            true,
            RecordingGroup::AllBut(types(&["A::A"])),
        ),
        (
            r#"{"RecordingGroup":{"AllSupported":true,"ResourceTypes":[],"RecordingStrategy":{"UseOnly":"ALL_SUPPORTED_RESOURCE_TYPES"}}}"#,
            true,
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
        let wanted = Body::Recorder(Recorder { recording, group, internal: false });
        assert_eq!(
            body("AWS::Config::ConfigurationRecorder", text).as_ref(),
            Ok(&wanted),
            "{text}"
        );
    }
    assert!(body("AWS::Config::ConfigurationRecorder", r#"{"Recording":"maybe"}"#).is_err());
    // A service-linked one says so, or has a name that AWS Config keeps for those.
    for (scope, name, is_internal) in [
        (r#","RecordingScope":"INTERNAL""#, "default", true),
        (r#","recordingScope":"internal""#, "default", true),
        (r#","RecordingScope":"PAID""#, "AWSConfigurationRecorderForX_1", false),
        ("", "AWSConfigurationRecorderForObservabilityAdmin_1", true),
        ("", "myAWSConfigurationRecorderForX", false),
    ] {
        let configuration = format!(r#"{{"RecordingGroup":{{"AllSupported":true}}{scope}}}"#);
        let more = format!(r#""configuration":{configuration},"tags":{{}}"#);
        let text = item("AWS::Config::ConfigurationRecorder", &more);
        let Body::Recorder(found) = read_ok(&text.replace("the-id", name)).item.body else {
            panic!("{text}");
        };
        assert_eq!(found.internal, is_internal, "{scope} {name}");
    }
    // One that does not tell lists nothing.
    for text in ["{}", r#"{"Name":"default"}"#, r#"{"Recording":true}"#, r#"{"RecordingGroup":{}}"#]
    {
        let found = body("AWS::Config::ConfigurationRecorder", text);
        assert_eq!(found, Ok(Body::Unseen), "{text}");
    }
}

/// Semantics §11 row 38: a list or a flag that is not told is not empty and not false.
#[test]
fn what_a_projection_leaves_out_is_not_told() {
    let groups = |kind: &str, text: &str| match body(kind, text) {
        Ok(Body::LoadBalancer(balancer)) => balancer.groups.map(|groups| groups.len()),
        Ok(Body::ClassicLoadBalancer(balancer)) => balancer.groups.map(|groups| groups.len()),
        other => panic!("{other:?}"),
    };
    const V2: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
    const CLASSIC: &str = "AWS::ElasticLoadBalancing::LoadBalancer";
    for kind in [V2, CLASSIC] {
        assert_eq!(groups(kind, r#"{"type":"application","securityGroups":[]}"#), Some(0));
        assert_eq!(groups(kind, r#"{"type":"application","securityGroups":null}"#), None);
        assert_eq!(groups(kind, r#"{"Type":"application"}"#), None);
    }
    let associated = |relationships: &str| {
        let text = item(
            "AWS::WAFv2::WebACL",
            &format!(r#""configuration":{{"name":"x"}},"tags":{{}}{relationships}"#),
        );
        match read_ok(&text).item.body {
            Body::WebAcl(acl) => acl.associated.map(|named| named.len()),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(associated(r#","relationships":[]"#), Some(0));
    assert_eq!(associated(r#","relationships":null"#), None);
    // One that is not told whole may be of any resource.
    let two = |other: &str| {
        let one = r#"{"resourceId":"a","resourceType":"AWS::X::Y"}"#;
        associated(&format!(r#","relationships":[{one},{other}]"#))
    };
    assert_eq!(two(r#"{"resourceId":"b","resourceType":"AWS::X::Y"}"#), Some(2));
    for untold in [
        r#"{"resourceName":"b","resourceType":"AWS::X::Y"}"#,
        r#"{"resourceId":"","resourceType":"AWS::X::Y"}"#,
        r#"{"resourceId":"b"}"#,
        r#"{"resourceId":"b","resourceType":null}"#,
        r#"{"resourceId":"b","resourceType":"AWS::X::Y "}"#,
    ] {
        assert_eq!(two(untold), None, "{untold}");
    }
    assert_eq!(associated(""), None);
    let response = |more: &str| {
        let text = format!(r#"{{"ResourceArn":"arn:r"{more}}}"#);
        match body("AWS::Shield::Protection", &text) {
            Ok(Body::Protection(protection)) => {
                protection.automatic_response.map(|one| one.enabled)
            }
            other => panic!("{other:?}"),
        }
    };
    // A whole item leaves out what is off; one that tells nothing but the resource tells no more.
    assert_eq!(response(r#","Id":"1","Name":"n""#), None);
    assert_eq!(response(""), Some(None));
    let config = |config: &str| format!(r#","ApplicationLayerAutomaticResponseConfig":{config}"#);
    assert_eq!(response(&config(r#"{"Status":"ENABLED"}"#)), Some(Some(true)));
    assert_eq!(response(&config(r#"{"Status":"DISABLED"}"#)), Some(Some(false)));
    assert_eq!(response(&config(r#"{"Action":{"Block":{}}}"#)), Some(None));
    let recorder =
        r#"{"RecordingGroup":{"RecordingStrategy":{"UseOnly":"EXCLUSION_BY_RESOURCE_TYPES"}}}"#;
    assert_eq!(body("AWS::Config::ConfigurationRecorder", recorder), Ok(Body::Unseen));
}

#[test]
fn vpcs_subnets_and_peerings_are_read() {
    let owner = || Some(crate::ident::AccountId::try_from("222222222222").unwrap());
    for (text, owner) in [
        (r#"{"vpcId":"vpc-1","ownerId":"222222222222"}"#, owner()),
        (r#"{"VpcId":"vpc-1","OwnerId":""}"#, None),
        ("{}", None),
    ] {
        assert_eq!(body("AWS::EC2::VPC", text), Ok(Body::Vpc(Vpc { owner })), "{text}");
    }
    assert!(body("AWS::EC2::VPC", r#"{"ownerId":"me"}"#).unwrap_err().contains("`ownerId`"));

    let zone = Some("eu-west-1a".into());
    let subnet = Subnet { vpc: Some("vpc-1".into()), zone, owner: owner(), ..Subnet::default() };
    let text = r#"{"subnetId":"subnet-1","vpcId":"vpc-1","availabilityZone":"eu-west-1a","ownerId":"222222222222"}"#;
    assert_eq!(body("AWS::EC2::Subnet", text), Ok(Body::Subnet(subnet)));
    assert_eq!(body("AWS::EC2::Subnet", "{}"), Ok(Body::Subnet(Subnet::default())));

    const PEERING: &str = "AWS::EC2::VPCPeeringConnection";
    let side = |vpc: &str| PeeringSide {
        vpc: Some(vpc.into()),
        owner: owner(),
        region: Some("eu-west-1".into()),
    };
    let told =
        |vpc: &str| format!(r#"{{"vpcId":"{vpc}","ownerId":"222222222222","region":"eu-west-1"}}"#);
    for (status, active) in [
        (r#"{"code":"active","message":"Active"}"#, Some(true)),
        (r#"{"Code":"Active"}"#, Some(true)),
        (r#""active""#, Some(true)),
        (r#"{"value":"active"}"#, Some(true)),
        (r#"{"code":"deleted","message":"Deleted by 1"}"#, Some(false)),
        (r#""""#, None),
        ("null", None),
    ] {
        let (accepter, requester) = (told("vpc-1"), told("vpc-2"));
        let text = format!(
            r#"{{"accepterVpcInfo":{accepter},"requesterVpcInfo":{requester},"status":{status}}}"#
        );
        let (accepter, requester) = (side("vpc-1"), side("vpc-2"));
        let peering = PeeringConnection { accepter, requester, active };
        assert_eq!(body(PEERING, &text), Ok(Body::PeeringConnection(peering)), "{text}");
    }
    let untold = Body::PeeringConnection(PeeringConnection::default());
    assert_eq!(body(PEERING, "{}"), Ok(untold));
    assert!(body(PEERING, r#"{"status":{"message":"Active"}}"#).is_err(), "a state without a code");
}

/// Semantics §10 row 19, §11 row 69: each network card has a device 0, of which the first card's is the primary
/// interface.
#[test]
fn the_primary_interface_is_device_0_of_the_first_network_card() {
    let read = |interfaces: &[(&str, Option<i32>, Option<i32>)]| {
        let entries: Vec<String> = interfaces
            .iter()
            .map(|(id, index, card)| {
                let of = |name: &str, value: &Option<i32>| {
                    value.map(|value| format!(r#""{name}":{value}"#))
                };
                let attachment = [of("deviceIndex", index), of("networkCardIndex", card)];
                let attachment: Vec<String> = attachment.into_iter().flatten().collect();
                format!(
                    r#"{{"networkInterfaceId":"{id}","groups":[],"attachment":{{{}}}}}"#,
                    attachment.join(",")
                )
            })
            .collect();
        let text =
            format!(r#"{{"securityGroups":[],"networkInterfaces":[{}]}}"#, entries.join(","));
        body("AWS::EC2::Instance", &text).map(|body| match body {
            Body::Instance(Instance { interfaces: Some(all), .. }) => {
                all.iter().map(|one| one.device_index).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        })
    };
    let card = NetworkInterface::CARD;
    assert_eq!(
        read(&[("eni-2", Some(0), Some(1)), ("eni-1", Some(0), Some(0)), ("eni-3", Some(1), None)]),
        Ok(vec![Some(card), Some(0), Some(1)])
    );
    assert_eq!(read(&[("eni-1", None, Some(1))]), Ok(vec![None]));
    let twice = read(&[("eni-1", Some(0), None), ("eni-2", Some(0), Some(0))]);
    assert_eq!(twice, Err("`networkInterfaces`: two of `deviceIndex` 0".to_owned()));
    for out in [-1, card] {
        assert!(read(&[("eni-1", Some(out), None)]).unwrap_err().contains("out of range"));
        assert!(read(&[("eni-1", Some(0), Some(out))]).unwrap_err().contains("out of range"));
    }
}

/// Semantics §11 row 69.
#[test]
fn an_automatic_response_that_aws_cannot_have_written_is_refused() {
    let read = |response: &str| {
        let text = format!(
            r#"{{"resourceArn":"arn:aws:x:::y","name":"n","applicationLayerAutomaticResponseConfiguration":{response}}}"#
        );
        body("AWS::Shield::Protection", &text).map(|body| match body {
            Body::Protection(protection) => protection.automatic_response,
            other => panic!("{other:?}"),
        })
    };
    let told = |enabled, block| Ok(Some(AutomaticResponse { enabled, block }));
    for (response, want) in [
        (r#"{"status":"ENABLED","action":{"block":{}}}"#, told(Some(true), Some(true))),
        (r#"{"status":"Disabled","action":{"count":{}}}"#, told(Some(false), Some(false))),
        (r#"{"action":{}}"#, told(None, None)),
        (
            r#"{"status":"ENABLED","action":{"block":{},"count":{}}}"#,
            Err("`action`: both `block` and `count`".to_owned()),
        ),
        (
            r#"{"status":"ENABLING"}"#,
            Err("`status` is neither ENABLED nor DISABLED: `ENABLING`".to_owned()),
        ),
    ] {
        assert_eq!(read(response), want, "{response}");
    }
}
