//! Third-party firewalls (semantics §6.6): what the default administrator asked for. No source
//! tells what the vendor made of it, so nothing is refused for a subscription that is unknown, and
//! an association is never claimed to be complete (semantics §10 row 31).

use palisade_store::{Association, ControlChange, PolicyRecord};
use palisade_wire::shapes::{
    AssociateThirdPartyFirewallRequest, AssociateThirdPartyFirewallResponse,
    DisassociateThirdPartyFirewallRequest, DisassociateThirdPartyFirewallResponse,
    GetThirdPartyFirewallAssociationStatusRequest, GetThirdPartyFirewallAssociationStatusResponse,
    ListThirdPartyFirewallFirewallPoliciesRequest, ListThirdPartyFirewallFirewallPoliciesResponse,
    MarketplaceSubscriptionOnboardingStatus, ThirdPartyFirewall,
    ThirdPartyFirewallAssociationStatus as Status,
};
use palisade_wire::{ErrorKind, Fault};

use crate::call::Call;
use crate::caller::Standing;
use crate::view::ControlView;

/// `AssociateThirdPartyFirewall`
///
/// # Errors
/// InvalidOperationException when it is associated already.
pub fn associate(
    call: &Call<'_>,
    input: AssociateThirdPartyFirewallRequest,
) -> Result<AssociateThirdPartyFirewallResponse, Fault> {
    let firewall = input.third_party_firewall;
    call.decide(|standing, view| {
        if asked(standing, view, firewall) == Some(Association::Associated) {
            return Err(Fault::new(
                ErrorKind::InvalidOperation,
                format!("`{firewall}` is associated with account `{}` already", standing.account),
            ));
        }
        let status = Some(Status::Onboarding);
        let answer = AssociateThirdPartyFirewallResponse { third_party_firewall_status: status };
        Ok((vec![change(standing, firewall, Association::Associated)], answer))
    })
}

/// `DisassociateThirdPartyFirewall`
///
/// # Errors
/// ResourceNotFoundException when it is not associated, InvalidOperationException while the caller
/// has policies for it.
pub fn disassociate(
    call: &Call<'_>,
    input: DisassociateThirdPartyFirewallRequest,
) -> Result<DisassociateThirdPartyFirewallResponse, Fault> {
    let firewall = input.third_party_firewall;
    call.decide(|standing, view| {
        if asked(standing, view, firewall) != Some(Association::Associated) {
            return Err(Fault::new(
                ErrorKind::ResourceNotFound,
                format!("`{firewall}` is not associated with account `{}`", standing.account),
            ));
        }
        let mut policies = view.control().policies.values();
        if let Some(record) = policies.find(|record| {
            standing.owns(&record.owner, &record.region) && is_about(record, firewall)
        }) {
            return Err(Fault::new(
                ErrorKind::InvalidOperation,
                format!("policy `{}` is about `{firewall}`; delete it first", record.id),
            ));
        }
        let status = Some(Status::Offboarding);
        let answer = DisassociateThirdPartyFirewallResponse { third_party_firewall_status: status };
        Ok((vec![change(standing, firewall, Association::Disassociated)], answer))
    })
}

/// Whether a policy is one of this vendor's: its text names the vendor.
fn is_about(record: &PolicyRecord, firewall: ThirdPartyFirewall) -> bool {
    let text = record.document.security_service_policy_data.managed_service_data.as_deref();
    text.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok()).is_some_and(|data| {
        data.get("thirdPartyFirewall").and_then(|vendor| vendor.as_str()) == Some(firewall.as_str())
    })
}

/// `GetThirdPartyFirewallAssociationStatus`: NOT_EXIST before any association.
///
/// # Errors
/// AccessDeniedException for accounts other than the default administrator.
pub fn status(
    call: &Call<'_>,
    input: GetThirdPartyFirewallAssociationStatusRequest,
) -> Result<GetThirdPartyFirewallAssociationStatusResponse, Fault> {
    use MarketplaceSubscriptionOnboardingStatus as Marketplace;
    let reading = call.read()?;
    let (status, marketplace) =
        match asked(&reading.standing, &reading.view, input.third_party_firewall) {
            None => (Status::NotExist, Marketplace::NoSubscription),
            // The vendor's side is not seen: it stays to be completed.
            Some(Association::Associated) => (Status::Onboarding, Marketplace::NotComplete),
            // Nothing was ever made at the vendor, so nothing is left there.
            Some(Association::Disassociated) => {
                (Status::OffboardComplete, Marketplace::NoSubscription)
            }
        };
    Ok(GetThirdPartyFirewallAssociationStatusResponse {
        third_party_firewall_status: Some(status),
        marketplace_onboarding_status: Some(marketplace),
    })
}

/// `ListThirdPartyFirewallFirewallPolicies`: none, since no source tells of a vendor's policies.
///
/// # Errors
/// An invalid page token.
pub fn list_policies(
    call: &Call<'_>,
    input: ListThirdPartyFirewallFirewallPoliciesRequest,
) -> Result<ListThirdPartyFirewallFirewallPoliciesResponse, Fault> {
    let reading = call.read()?;
    let filter = [reading.standing.region.as_str(), input.third_party_firewall.as_str()];
    call.position(&reading.standing, &filter, input.next_token.as_deref())?;
    Ok(ListThirdPartyFirewallFirewallPoliciesResponse {
        third_party_firewall_firewall_policies: Some(Vec::new()),
        next_token: None,
    })
}

fn asked(
    standing: &Standing,
    view: &ControlView,
    firewall: ThirdPartyFirewall,
) -> Option<Association> {
    let key = (standing.account.clone(), standing.region.clone(), firewall.as_str().into());
    view.control().associations.get(&key).copied()
}

fn change(standing: &Standing, firewall: ThirdPartyFirewall, state: Association) -> ControlChange {
    let (account, region) = (standing.account.clone(), standing.region.clone());
    ControlChange::PutAssociation(account, region, firewall.as_str().into(), state)
}
