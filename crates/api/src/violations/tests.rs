use palisade_core::evaluate::{
    AttachedGroup, BrokenRule, Direction, NarrowPeer, NarrowRule, RuleAction, RuleRemedy,
    SecurityGroupFinding, ShieldFinding, ViolationReason, WafFinding,
};
use serde_json::{Value, json};

use super::*;

/// The wire form of one violation of a resource.
fn told(resource_type: &ResourceType, id: &str, finding: Finding) -> Value {
    let reason = ViolationReason::ResourceViolatesAuditSecurityGroup;
    let found = Violation { reason, finding };
    let row = ViolatorRow {
        resource_type: resource_type.clone(),
        id: id.try_into().unwrap(),
        violations: vec![found.clone()],
        since_ms: 0,
        captured_ms: None,
    };
    serde_json::to_value(violation(&row, &found)).unwrap()
}

fn rule(remedies: Vec<RuleRemedy>) -> Finding {
    Finding::SecurityGroups(SecurityGroupFinding::SecurityGroupRule {
        group: "sg-1".into(),
        direction: Direction::Ingress,
        rule: "tcp 22 from ::/0".into(),
        against: "too open".into(),
        near_misses: Vec::new(),
        remedies,
        lookalike: false,
    })
}

fn attached() -> Finding {
    let groups = |ids: &[&str]| ids.iter().map(|id| (*id).into()).collect();
    let interfaces =
        vec![("eni-1".into(), groups(&["sg-2", "sg-1"])), ("eni-2".into(), groups(&["sg-1"]))];
    let broken = |rule: &str| BrokenRule {
        direction: Direction::Ingress,
        rule: rule.into(),
        against: "too open".into(),
    };
    let told = |group: &str, owner: Option<&str>, rules: Vec<BrokenRule>| AttachedGroup {
        group: group.into(),
        owner: owner.map(|owner| owner.try_into().unwrap()),
        lookalike: false,
        rules,
        more: false,
    };
    let groups = vec![
        told("sg-1", Some("222222222222"), vec![broken("tcp 22 from ::/0")]),
        told("sg-2", None, vec![broken("udp 1 from ::/0"), broken("udp 2 from ::/0")]),
    ];
    Finding::SecurityGroups(SecurityGroupFinding::AttachedGroups { interfaces, groups })
}

/// Semantics §11 row 51.
#[test]
fn the_description_names_the_rules_of_attached_groups_and_the_groups_owner() {
    assert_eq!(
        attached().summary(),
        "violating security groups sg-2, sg-1 on eni-1; sg-1 on eni-2; ingress rule `tcp 22 from \
         ::/0` of sg-1 of account 222222222222: too open; ingress rule `udp 1 from ::/0` of sg-2: \
         too open; ingress rule `udp 2 from ::/0` of sg-2: too open"
    );
}

#[test]
fn a_web_acl_used_out_of_scope_tells_where() {
    let arn = "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/mine/0a1b";
    let finding = Finding::Waf(WafFinding::WebAclOutOfScopeUse {
        web_acl: arn.into(),
        resources: vec!["api-1".into(), "api-2".into()],
        more: 3,
    });
    assert_eq!(
        told(&ResourceType::WAFV2_WEB_ACL, arn, finding),
        json!({"WebACLHasOutOfScopeResourcesViolation": {
            "WebACLArn": arn, "OutOfScopeResourceList": ["api-1", "api-2"],
        }})
    );
}

#[test]
fn a_web_acl_of_another_policy_tells_why_it_is_incompatible() {
    let arn = "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/other/0a1b";
    let finding = Finding::Waf(WafFinding::WebAcl {
        found: Some(arn.into()),
        wanted: "a free one".into(),
        differences: vec![],
    });
    assert_eq!(
        told(&ResourceType::WAFV2_WEB_ACL, arn, finding),
        json!({"WebACLHasIncompatibleConfigurationViolation": {
            "WebACLArn": arn, "Description": format!("web ACL {arn}; wanted: a free one"),
        }})
    );
}

#[test]
fn an_interface_tells_its_violating_groups_once() {
    assert_eq!(
        told(&ResourceType::NETWORK_INTERFACE, "eni-1", attached()),
        json!({"AwsEc2NetworkInterfaceViolation": {
            "ViolationTarget": "eni-1", "ViolatingSecurityGroups": ["sg-2", "sg-1"],
        }})
    );
}

#[test]
fn an_instance_tells_the_violations_of_its_interfaces() {
    assert_eq!(
        told(&ResourceType::INSTANCE, "i-1", attached()),
        json!({"AwsEc2InstanceViolation": {
            "ViolationTarget": "i-1",
            "AwsEc2NetworkInterfaceViolations": [
                {"ViolationTarget": "eni-1", "ViolatingSecurityGroups": ["sg-2", "sg-1"]},
                {"ViolationTarget": "eni-2", "ViolatingSecurityGroups": ["sg-1"]},
            ],
        }})
    );
}

#[test]
fn remedies_come_in_order_and_the_default_one_is_marked() {
    let narrow = |peer| NarrowRule {
        rule: "icmp type 8 code any from there".into(),
        protocol: "icmp".into(),
        from_port: Some(8),
        to_port: None,
        peer,
    };
    for (peer, member, value) in [
        (NarrowPeer::Ipv4("10.0.0.0/8".into()), "IPV4Range", "10.0.0.0/8"),
        (NarrowPeer::Ipv6("fc00::/7".into()), "IPV6Range", "fc00::/7"),
        (NarrowPeer::PrefixList("pl-1".into()), "PrefixListId", "pl-1"),
    ] {
        let remedies = vec![
            RuleRemedy { action: RuleAction::Modify(narrow(peer)), is_default: true },
            RuleRemedy { action: RuleAction::Remove, is_default: false },
        ];
        let told = told(&ResourceType::SECURITY_GROUP, "sg-1", rule(remedies));
        let told = &told["AwsVPCSecurityGroupViolation"]["PossibleSecurityGroupRemediationActions"];
        let mut result = json!({"Protocol": "icmp", "FromPort": 8});
        result[member] = json!(value);
        assert_eq!(
            *told,
            json!([
                {"RemediationActionType": "MODIFY", "IsDefaultAction": true,
                 "Description": "replace the rule by `icmp type 8 code any from there`",
                 "RemediationResult": result},
                {"RemediationActionType": "REMOVE", "IsDefaultAction": false,
                 "Description": "remove the rule"},
            ])
        );
    }
}

#[test]
fn without_a_safe_remedy_and_a_near_rule_both_are_left_out() {
    assert_eq!(
        told(&ResourceType::SECURITY_GROUP, "sg-1", rule(Vec::new())),
        json!({"AwsVPCSecurityGroupViolation": {
            "ViolationTarget": "tcp 22 from ::/0",
            "ViolationTargetDescription": "ingress rule `tcp 22 from ::/0` of sg-1: too open",
        }})
    );
}

/// Semantics §3.6, §5.4: usage audits, common groups and Shield have none.
#[test]
fn what_the_model_has_no_member_for_is_left_out() {
    let unused =
        SecurityGroupFinding::UnusedGroup { group: "sg-1".into(), since_ms: 0, lookalike: false };
    let group = ResourceType::SECURITY_GROUP;
    assert_eq!(told(&group, "sg-1", unused.into()), Value::Null);
    let missing = SecurityGroupFinding::MissingGroups { places: Vec::new() };
    assert_eq!(told(&ResourceType::NETWORK_INTERFACE, "eni-1", missing.into()), Value::Null);
    let edited = SecurityGroupFinding::EditedReplica {
        group: "sg-1".into(),
        primary: "sg-p".into(),
        differences: Vec::new(),
        more: 0,
    };
    assert_eq!(told(&group, "sg-1", edited.into()), Value::Null);
    let shield = ShieldFinding::Shield { protection: None, web_acl: None, amiss: "bare".into() };
    assert_eq!(told(&ResourceType::EIP, "eip-1", shield.into()), Value::Null);
    let bare = WafFinding::WebAcl { found: None, wanted: "one".into(), differences: vec![] };
    assert_eq!(told(&ResourceType::LOAD_BALANCER, "alb-1", bare.into()), Value::Null);
}
