//! DNS Firewall associations of the sample's VPCs (formats §9).

use serde_json::json;

use super::company::{INFRASTRUCTURE, Member, Part};
use super::item::{ConfigurationItem, Place};
use super::network::Network;
use super::policies::{DNS_PRIORITY, DNS_RULE_GROUP};
use super::prng::Prng;

/// What an account of the infrastructure unit has on its VPCs: the company's rule group where it is
/// spotless, else what a team put there before the policy came.
pub fn associations(
    place: &Place,
    member: &Member<'_>,
    networks: &[Network],
    captured_ms: i64,
) -> Vec<ConfigurationItem> {
    if member.unit != INFRASTRUCTURE {
        return Vec::new();
    }
    let mut prng = Prng::labelled(3, &format!("{}/{}", place.account, place.region));
    let (group, priority) = match (member.part, member.name) {
        (Part::Spotless, _) => (DNS_RULE_GROUP.to_owned(), DNS_PRIORITY),
        // The company's group is there, but behind the team's own ones.
        (_, "shared-services") => (DNS_RULE_GROUP.to_owned(), 150),
        // Another group has the priority.
        _ => (prng.ec2_id("rslvr-frg"), DNS_PRIORITY),
    };
    let of_network = |network: &Network| {
        let id = prng.ec2_id("rslvr-frgassoc");
        let arn = format!(
            "arn:aws:route53resolver:{}:{}:firewall-rule-group-association/{id}",
            place.region, place.account
        );
        ConfigurationItem::new(
            place,
            "AWS::Route53Resolver::FirewallRuleGroupAssociation",
            &id,
            captured_ms,
        )
        .named("dns-firewall")
        .arn(arn.clone())
        .configuration(json!({
            "Id": id,
            "Arn": arn,
            "FirewallRuleGroupId": group,
            "VpcId": network.vpc,
            "Name": "dns-firewall",
            "Priority": priority,
            "MutationProtection": "DISABLED",
            "Status": "COMPLETE",
            "StatusMessage": "Finished rule group association update",
        }))
    };
    networks.iter().map(of_network).collect()
}
