//! `THIRD_PARTY_FIREWALL` (semantics §5.10): which vendor's firewall is where.

use super::facts::{DependentService, Facts, OptionMember};
use super::firewall::*;
use super::network_firewall::{Placement, inspection_vpcs, listed};
use super::shape::Shape::{Any, Object, Text};
use super::shape::{Node, Shape, TYPE};
use super::{Document, Refusal, shown};
use crate::ident::ResourceType;

/// What is true of the type.
pub(super) static FACTS: Facts = Facts {
    has_details: true,
    is_default_administrators: true,
    option: Some(OptionMember {
        name: "ThirdPartyFirewallPolicy",
        is_set: |option| option.third_party_firewall_policy.is_some(),
    }),
    check_put,
    ..Facts::new("THIRD_PARTY_FIREWALL", &[ResourceType::VPC], DependentService::Vpc, &DATA)
};

static DATA: Shape = Object(&[
    TYPE,
    ("thirdPartyFirewall", Text),
    // Vendors add keys of their own, such as Palo Alto's logging.
    ("thirdPartyFirewallConfig", Any),
    ("firewallDeploymentModel", DEPLOYMENT_MODEL),
]);

/// What a THIRD_PARTY_FIREWALL policy wants of VPCs. Which of the vendor's policies a firewall applies no
/// source tells.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ThirdPartyFirewall {
    /// `thirdPartyFirewall`
    pub vendor: Box<str>,
    /// Which VPCs have one, and where in them its endpoints are.
    pub placement: Placement,
}

/// Reads the data of a THIRD_PARTY_FIREWALL policy.
pub(super) fn parse(document: &Document, data: &Node<'_>) -> Result<ThirdPartyFirewall, Refusal> {
    check(document, data)?;
    let central = centralized_orchestration(data);
    let own = distributed_orchestration(data);
    let zones_of = |config: &Node<'_>| listed(&zones(config));
    let is_central = data.get("firewallDeploymentModel").get(CENTRAL).is_set();
    let placement = match (is_central, zones(&own).is_filled()) {
        (true, _) => {
            Placement::Inspection { vpcs: inspection_vpcs(&central), zones: zones_of(&central) }
        }
        (false, true) => Placement::Listed { zones: zones_of(&own), single: false },
        (false, false) => Placement::Automatic { single: false },
    };
    let vendor = data.get("thirdPartyFirewall").text().unwrap_or_default().into();
    Ok(ThirdPartyFirewall { vendor, placement })
}

const CENTRAL: &str = "centralizedFirewallDeploymentModel";

fn distributed_orchestration<'a>(data: &Node<'a>) -> Node<'a> {
    data.get("firewallDeploymentModel")
        .get("distributedFirewallDeploymentModel")
        .get("distributedFirewallOrchestrationConfig")
}

fn check(document: &Document, data: &Node<'_>) -> Result<(), Refusal> {
    let vendors = ["PALO_ALTO_NETWORKS_CLOUD_NGFW", "FORTIGATE_CLOUD_NATIVE_FIREWALL"];
    let vendor = data.get("thirdPartyFirewall");
    vendor.required(&format!("give {}", vendors.join(" or ")))?.one_of(&vendors)?;
    let model = data.get("firewallDeploymentModel");
    let distributed = model.get("distributedFirewallDeploymentModel");
    let centralized = model.get(CENTRAL);
    if distributed.is_set() == centralized.is_set() {
        return Err(model.refuse(
            "must have either `distributedFirewallDeploymentModel` or \
             `centralizedFirewallDeploymentModel`",
        ));
    }
    let option = document.security_service_policy_data.policy_option.as_ref();
    let option = option.and_then(|option| option.third_party_firewall_policy.as_ref());
    let says = option.and_then(|option| option.firewall_deployment_model.as_deref());
    if says.is_some_and(|says| (says == CENTRALIZED) != centralized.is_set()) {
        return Err(model.refuse(format!(
            "does not fit PolicyOption, which says {}; make them agree",
            shown(says.unwrap_or_default())
        )));
    }
    check_orchestration(&distributed.get("distributedFirewallOrchestrationConfig"))?;
    check_orchestration(&centralized_orchestration(data))?;
    Ok(())
}

/// What is asked of a policy that is put, beyond what must hold for it to be read. Vendors' own keys of the configuration are
/// not published and stay as they came.
fn check_put(data: &Node<'_>) -> Result<(), Refusal> {
    let config = data.get("thirdPartyFirewallConfig");
    if config.is_set() && config.map().is_none() {
        return Err(config.refuse(
            "must be an object, such as {\"thirdPartyFirewallPolicyList\":[\"global-1\"]}",
        ));
    }
    let policies = config.get("thirdPartyFirewallPolicyList");
    if policies.is_set() && !policies.is_array() {
        return Err(policies.refuse("must be an array of names of the vendor's policies"));
    }
    for policy in policies.items() {
        filled(&policy, "give the name of one of the vendor's firewall policies, as a text")?;
    }
    check_zones_put(&distributed_orchestration(data))?;
    check_central_put(data)
}
