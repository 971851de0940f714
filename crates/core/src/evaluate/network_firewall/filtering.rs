//! What a firewall filters by: its firewall policy, held against what a policy wants.

use crate::evaluate::coverage::not_seen;
use crate::evaluate::firewall_policies::compare;
use crate::evaluate::{DependentService, FirewallFinding, Gap, unseen_gap};
use crate::ident::ResourceType;
use crate::inventory::{Body, FirewallPolicy, FirewallRules, Item, Shard};

use super::found::Found;
use super::places::{Firewall, untold};

/// Holds the firewall policy of a firewall against what is wanted; the firewall policy is what breaks
/// the policy (semantics §5.7, §5.8).
pub(in crate::evaluate) fn judge(
    firewall: Firewall<'_>,
    wanted: &FirewallRules,
    shard: &Shard,
    found: &mut Found,
) {
    let Some(arn) = firewall.firewall.policy.as_deref() else {
        return found.gap(untold(firewall.item, "firewall policy"));
    };
    let Some((item, held)) = found.told(held(shard, arn)) else { return };
    found.reads(item);
    let comparison = compare(wanted, &held.rules);
    if let Some(what) = comparison.untold {
        found.gap(untold(item, what));
    }
    if !comparison.differences.is_empty() {
        let current = Box::new(held.rules.clone());
        let expected = Box::new(wanted.clone());
        let (arn, differences) = (arn.into(), comparison.differences);
        let finding =
            FirewallFinding::FirewallPolicyModified { arn, current, expected, differences };
        found.violates(item, finding);
    }
}

fn held<'a>(shard: &'a Shard, arn: &str) -> Result<(&'a Item, &'a FirewallPolicy), Gap> {
    let mut unseen = not_seen(shard, &ResourceType::NETWORK_FIREWALL_POLICY);
    for item in shard.of_type(&ResourceType::NETWORK_FIREWALL_POLICY) {
        match &item.body {
            Body::FirewallPolicy(policy) if policy.arn.as_deref() == Some(arn) => {
                return Ok((item, policy));
            }
            Body::FirewallPolicy(policy) if policy.arn.is_some() => {}
            Body::FirewallPolicy(_) => unseen = Some(untold(item, "ARN")),
            _ => unseen = Some(unseen_gap(item)),
        }
    }
    Err(unseen.unwrap_or_else(|| {
        let text = format!("Firewall policy {arn} was not recorded.");
        Gap::new(DependentService::Config, &text)
    }))
}
