//! What a document demands, whoever owns the policy: all that can be said of it by itself.

use super::facts::Count;
use super::kinds::{KINDS, Rule, rule_of};
use super::{Document, PolicyType, Refusal, scope_of, service_data, shown};
use crate::ident::Region;
use crate::scope::Scope;

/// The identity-free part of a policy, with what quotas count.
pub(super) struct Wanted {
    pub policy_type: PolicyType,
    pub scope: Scope,
    pub rule: Rule,
    /// (what, count, quota) of each quota that the type's own data touches.
    pub counts: Vec<Count>,
}

impl Wanted {
    pub fn read(document: &Document, region: &Region) -> Result<Wanted, Refusal> {
        let policy_type = document.policy_type()?;
        check_name(&document.policy_name)?;
        let scope = scope_of::scope_of(document, policy_type, region)?;
        check_options(document, policy_type)?;
        let data = service_data::read(document, policy_type)?;
        let mut counts = Vec::new();
        let rule = rule_of(document, &data.root(), &mut counts)?;
        Ok(Wanted { policy_type, scope, rule, counts })
    }
}

/// Longest `PolicyName` (model `ResourceName`), in UTF-16 units.
pub const POLICY_NAME_MAX: usize = 128;

fn check_name(name: &str) -> Result<(), Refusal> {
    let length = name.encode_utf16().count();
    if length == 0 || length > POLICY_NAME_MAX {
        return Err(Refusal::input(format!(
            "PolicyName has {length} characters; give 1 to {POLICY_NAME_MAX}"
        )));
    }
    Ok(())
}

/// Members of the document that only some types may use (semantics §2.2, PutPolicy items 6–8).
fn check_options(document: &Document, policy_type: PolicyType) -> Result<(), Refusal> {
    let facts = policy_type.facts();
    if document.delete_unused_managed_resources == Some(true) && !facts.cleans_up {
        return Err(Refusal::input(format!(
            "`DeleteUnusedFMManagedResources` is not available for {}; set it to false or leave \
             it out",
            policy_type.as_str()
        )));
    }
    let sets = document.resource_set_ids.as_deref().unwrap_or_default();
    if facts.needs_resource_sets && sets.is_empty() {
        // AWS's words, and where that is.
        return Err(Refusal::input(
            "You must specify an Resource Set ID in \"resourceSetIds\". It is the policy's member \
             `ResourceSetIds`, beside SecurityServicePolicyData and not in ManagedServiceData",
        ));
    }
    check_policy_option(document, policy_type)
}

fn check_policy_option(document: &Document, policy_type: PolicyType) -> Result<(), Refusal> {
    let Some(option) = &document.security_service_policy_data.policy_option else {
        return Ok(());
    };
    let mut members = KINDS.iter().filter_map(|kind| {
        let member = kind.facts.option.as_ref()?;
        (member.is_set)(option).then_some((member.name, kind.policy_type))
    });
    let (Some((member, of)), None) = (members.next(), members.next()) else {
        return Err(Refusal::input(
            "`SecurityServicePolicyData.PolicyOption` must have exactly one member set; keep the \
             one of the policy's type or leave PolicyOption out",
        ));
    };
    if of != policy_type {
        return Err(Refusal::input(format!(
            "`SecurityServicePolicyData.PolicyOption.{member}` belongs to {}, not to {}; leave it \
             out",
            of.as_str(),
            policy_type.as_str()
        )));
    }
    for deployment in
        [&option.network_firewall_policy, &option.third_party_firewall_policy].into_iter().flatten()
    {
        let model = deployment.firewall_deployment_model.as_deref();
        if let Some(model) = model.filter(|model| !matches!(*model, "CENTRALIZED" | "DISTRIBUTED"))
        {
            return Err(Refusal::input(format!(
                "`PolicyOption.{member}.FirewallDeploymentModel` is CENTRALIZED or DISTRIBUTED, \
                 not `{}`",
                shown(model)
            )));
        }
    }
    Ok(())
}
