//! `GetViolationDetails`: why one resource violates a policy and what would end that (semantics
//! §3.6, §3.7), from what the ledger keeps as evidence. Nothing is executed. Each family of findings
//! has its members of `ResourceViolation` in a file of its own.

mod dns;
mod firewalls;
mod network_acls;
mod security_groups;
mod shield;
#[cfg(test)]
mod tests;
mod text;
mod third_party;
mod waf;

use std::collections::BTreeSet;

use palisade_core::evaluate::{Fact, Finding, Reference, Violation};
use palisade_core::ident::{AccountId, ResourceId, ResourceType, ShardId};
use palisade_core::ledger::ViolatorRow;
use palisade_store::{Inventory, PolicyRecord, StoreError, Want};
use palisade_wire::shapes::{
    GetViolationDetailsRequest, GetViolationDetailsResponse, ResourceViolation, Tag,
    ViolationDetail,
};
use palisade_wire::{ErrorKind, Fault};

use crate::call::Call;
use crate::compliance::judged;
use crate::fault::internal;

use text::bounded;

/// Types of resource that have details (model `GetViolationDetailsRequest`, developer guide).
const TYPES: &[ResourceType] = &[
    ResourceType::INSTANCE,
    ResourceType::INTERNET_GATEWAY,
    ResourceType::NETWORK_INTERFACE,
    ResourceType::SECURITY_GROUP,
    ResourceType::SUBNET,
    ResourceType::VPC,
    ResourceType::NETWORK_FIREWALL_POLICY,
    ResourceType::WAFV2_WEB_ACL,
];

/// `GetViolationDetails`
///
/// # Errors
/// InvalidInputException for a type of resource or policy without details and for an account
/// outside the organization, ResourceNotFoundException for a policy that is not the caller's in
/// this Region and for a resource that does not violate it.
pub fn details(
    call: &Call<'_>,
    input: GetViolationDetailsRequest,
) -> Result<GetViolationDetailsResponse, Fault> {
    let reading = call.read()?;
    let (standing, view) = (&reading.standing, &reading.view);
    let record = judged(&reading, &input.policy_id)?;
    let resource_type = detailed_type(call, record, &input.resource_type)?;
    let account = AccountId::try_from(input.member_account.as_str())
        .ok()
        .filter(|account| view.manages(&standing.account, account))
        .ok_or_else(|| {
            call.bad_input(format!("account `{}` is not in the organization", input.member_account))
        })?;
    let known = match ResourceId::try_from(input.resource_id.as_str()) {
        Ok(id) if view.in_scope(&record.id).binary_search(&account).is_ok() => {
            let resource = (resource_type, id);
            call.app.store.violator(&record.id, &account, &resource).map_err(internal)?
        }
        _ => None,
    };
    let row = known.ok_or_else(|| {
        Fault::new(
            ErrorKind::ResourceNotFound,
            format!(
                "resource `{}` of type `{}` in account `{account}` is not known to violate policy `{}`",
                input.resource_id, input.resource_type, record.id
            ),
        )
    })?;
    let shard = ShardId { account: account.clone(), region: standing.region.clone() };
    let detail = ViolationDetail {
        policy_id: record.id.to_string(),
        member_account: account.to_string(),
        resource_id: row.id.to_string(),
        resource_type: row.resource_type.to_string(),
        resource_violations: row
            .violations
            .iter()
            .filter_map(|found| violation(&row, found))
            .collect(),
        resource_tags: tags(&*call.app.store, &shard, &row).map_err(internal)?,
        // The model's list of a violation may be cut; here it says by how much. Of groups on an interface
        // or instance the model has ids alone; here are their rules, and owners (semantics §11 row 51).
        resource_description: row.violations.first().map(|found| bounded(&found.finding.summary())),
    };
    Ok(GetViolationDetailsResponse { violation_detail: Some(detail) })
}

/// The tags that the inventory tells of a violator now; none where it is not held any more or what
/// is held cannot be read, for the violation stands without them.
fn tags(
    store: &dyn Inventory,
    shard: &ShardId,
    row: &ViolatorRow,
) -> Result<Option<Vec<Tag>>, StoreError> {
    let reference = Reference::Item {
        account: shard.account.clone(),
        region: shard.region.clone(),
        resource_type: row.resource_type.clone(),
        id: row.id.clone(),
    };
    let wanted = BTreeSet::from([reference]);
    let loaded = match store.load(&Want::of_types(shard, &wanted, &[], &BTreeSet::new())) {
        Err(StoreError::Damaged { .. }) => return Ok(None),
        loaded => loaded?,
    };
    let facts = loaded.references.values().next().cloned();
    Ok(facts.and_then(|fact| match fact {
        Fact::Item(item, _) => {
            item.latest_tags().map(|tags| tags.iter().map(|(key, value)| tag(key, value)).collect())
        }
        Fact::Apps(_) | Fact::Protocols(_) | Fact::Resources(_) | Fact::Policies(_) => None,
    }))
}

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}

fn detailed_type(
    call: &Call<'_>,
    record: &PolicyRecord,
    resource_type: &str,
) -> Result<ResourceType, Fault> {
    let policy_type = record.document.policy_type().map_err(internal)?;
    if !policy_type.facts().has_details {
        return Err(call.bad_input(format!(
            "policies of type {} have no violation details; ask GetComplianceDetail",
            policy_type.as_str()
        )));
    }
    // In any letter case (semantics §11 row 50).
    let is_it = |known: &&ResourceType| known.as_str().eq_ignore_ascii_case(resource_type);
    TYPES.iter().find(is_it).cloned().ok_or_else(|| {
        let known: Vec<&str> = TYPES.iter().map(ResourceType::as_str).collect();
        call.bad_input(format!(
            "resources of type `{resource_type}` have no violation details; those of these types have: {}",
            known.join(", ")
        ))
    })
}

/// One element of the answer: exactly one of its violations is set, with what would end it where the
/// model has that beside. `None` where the model has no member
/// for what was found.
pub(crate) fn violation(row: &ViolatorRow, found: &Violation) -> Option<ResourceViolation> {
    match &found.finding {
        Finding::Dns(finding) => dns::violation(row, finding),
        Finding::Firewalls(finding) => Some(firewalls::violation(row, finding)),
        Finding::NetworkAcls(finding) => Some(network_acls::violation(row, finding)),
        Finding::SecurityGroups(finding) => security_groups::violation(row, finding),
        Finding::Shield(finding) => shield::violation(finding),
        Finding::ThirdParty(finding) => Some(third_party::violation(row, finding)),
        Finding::Waf(finding) => waf::violation(row, finding),
    }
}
