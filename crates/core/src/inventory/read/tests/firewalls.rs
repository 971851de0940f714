//! AWS Network Firewall.

use super::*;
use crate::inventory::{
    CustomAction, FirewallPolicy, FirewallRuleGroup, FirewallRules, NetworkFirewall, decode_item,
    encode_item,
};

const FIREWALL: &str = "AWS::NetworkFirewall::Firewall";
const POLICY: &str = "AWS::NetworkFirewall::FirewallPolicy";

/// The first is a recorded item.
#[test]
fn a_firewall_is_read_as_config_writes_it() {
    let recorded = NetworkFirewall {
        name: Some("unicron".into()),
        arn: Some("arn:aws:network-firewall:us-east-2:644160558196:firewall/unicron".into()),
        vpc: Some("vpc-0517fa6f2b78569ac".into()),
        policy: Some(
            "arn:aws:network-firewall:us-east-2:644160558196:firewall-policy/policya".into(),
        ),
        subnets: Some(vec!["subnet-0419cca2069994f38".into(), "subnet-060031dd8ac95c297".into()]),
    };
    let text = r#"{"firewall":{"deleteProtection":false,"firewallArn":"arn:aws:network-firewall:us-east-2:644160558196:firewall/unicron","firewallId":"f80c47ff-8cd0-46f9-aeb7-e4093414f0ed","firewallName":"unicron","firewallPolicyArn":"arn:aws:network-firewall:us-east-2:644160558196:firewall-policy/policya","firewallPolicyChangeProtection":false,"subnetChangeProtection":false,"subnetMappings":[{"subnetId":"subnet-060031dd8ac95c297"},{"subnetId":"subnet-0419cca2069994f38"}],"tags":[{"key":"App","value":"CustodianDev"}],"vpcId":"vpc-0517fa6f2b78569ac"},"updateToken":"062f41d7"}"#;
    assert_eq!(body(FIREWALL, text), Ok(Body::NetworkFirewall(recorded)));
    // Name and ARN are the item's own as well.
    let bare = NetworkFirewall {
        name: Some("the-name".into()),
        arn: Some("arn:the".into()),
        ..NetworkFirewall::default()
    };
    assert_eq!(body(FIREWALL, r#"{"Firewall":{}}"#), Ok(Body::NetworkFirewall(bare)));
    assert_eq!(body(FIREWALL, r#"{"firewallName":"unicron"}"#), Ok(Body::Unseen));
    let why = body(FIREWALL, r#"{"firewall":{"subnetMappings":[{}]}}"#).unwrap_err();
    assert!(why.contains("one without `subnetId`"), "{why}");
}

#[test]
fn a_firewall_policy_is_read_with_all_that_it_filters_by() {
    let group = |priority, arn: &str, over: Option<&str>| FirewallRuleGroup {
        priority,
        arn: arn.into(),
        override_action: over.map(Into::into),
    };
    let texts = |all: &[&str]| Some(all.iter().map(|one| (*one).into()).collect());
    let text = r#"{"firewallPolicy":{"statelessRuleGroupReferences":[{"resourceArn":"arn:b","priority":20.0},{"resourceArn":"arn:a","priority":10}],"statelessDefaultActions":["aws:forward_to_sfe","count"],"statelessFragmentDefaultActions":["aws:drop"],"statelessCustomActions":[{"actionName":"count","actionDefinition":{"publishMetricAction":{"dimensions":[{"value":"v"}]}}}],"statefulRuleGroupReferences":[{"resourceArn":"arn:c","override":{"action":"DROP_TO_ALERT"}}],"statefulDefaultActions":["aws:drop_strict"],"statefulEngineOptions":{"ruleOrder":"STRICT_ORDER","streamExceptionPolicy":"DROP"}},"firewallPolicyResponse":{"firewallPolicyArn":"arn:policy","firewallPolicyName":"p"}}"#;
    let wanted = FirewallPolicy {
        arn: Some("arn:policy".into()),
        rules: FirewallRules {
            stateless_groups: Some(vec![
                group(Some(10), "arn:a", None),
                group(Some(20), "arn:b", None),
            ]),
            stateless_defaults: texts(&["aws:forward_to_sfe", "count"]),
            fragment_defaults: texts(&["aws:drop"]),
            custom_actions: Some(vec![CustomAction {
                name: "count".into(),
                dimensions: vec!["v".into()],
            }]),
            stateful_groups: Some(vec![group(None, "arn:c", Some("DROP_TO_ALERT"))]),
            stateful_defaults: texts(&["aws:drop_strict"]),
            rule_order: Some("STRICT_ORDER".into()),
            stream_exceptions: Some("DROP".into()),
        },
    };
    let seen = read_ok(&item(POLICY, &format!(r#""configuration":{text},"tags":{{}}"#)));
    assert_eq!(seen.item.body, Body::FirewallPolicy(wanted));
    assert_eq!(decode_item(&seen.item.key, &encode_item(&seen.item)), Ok(seen.item));
    // What is left out is not told.
    let bare = FirewallPolicy { arn: Some("arn:the".into()), ..FirewallPolicy::default() };
    assert_eq!(body(POLICY, r#"{"firewallPolicy":{}}"#), Ok(Body::FirewallPolicy(bare)));
    assert_eq!(body(POLICY, "{}"), Ok(Body::Unseen));
    for (policy, wanted) in [
        (r#"{"statelessRuleGroupReferences":[{"priority":1}]}"#, "a rule group without"),
        (
            r#"{"statefulRuleGroupReferences":[{"resourceArn":"a","priority":65536}]}"#,
            "`priority` is out of range: `65536`",
        ),
        (r#"{"statelessCustomActions":[{}]}"#, "a custom action without `actionName`"),
    ] {
        let why = body(POLICY, &format!(r#"{{"firewallPolicy":{policy}}}"#)).unwrap_err();
        assert!(why.contains(wanted), "{why}");
    }
}
