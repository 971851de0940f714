//! What PutPolicy checks beyond the document itself: the organization, the Region, quotas, and the
//! version that it replaces.

use super::wanted::Wanted;
use super::{Document, Quotas, Refusal, scope_of, service_data, shown, within};
use crate::ident::{AccountId, Region, ResourceType};
use crate::organization::Organization;
use crate::scope::{AccountScope, AccountSet, Scope, in_scope_accounts};

/// What a document is put for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose<'a> {
    /// A new policy.
    Create,
    /// To take the place of this version of the policy.
    Update(&'a Document),
    /// To judge by it here, whatever it is or will be on a server.
    Judge,
}

/// Checks a document against where and when it is put: the ids of its maps belong to the
/// organization, or were in the version before (what has vanished matches nothing, and the policy
/// stays valid: semantics §10 row 32), CloudFront is global, quotas hold, and a content audit is not created with
/// remediation on. Refuses what [`super::parse`] refuses, too. Whether references (groups, lists,
/// resource sets) exist is not asked (semantics §10 row 27).
pub fn admit(
    document: &Document,
    organization: &Organization,
    region: &Region,
    quotas: &Quotas,
    purpose: Purpose<'_>,
) -> Result<(), Refusal> {
    let wanted = Wanted::read(document, region)?;
    let distribution = ResourceType::CLOUDFRONT_DISTRIBUTION;
    if wanted.scope.lists(&distribution) && region.as_str() != Region::HOME_OF_GLOBAL {
        return Err(Refusal::input(format!(
            "Resource [\"{distribution}\"] can not be used in region: {region}."
        )));
    }
    let begins = matches!(purpose, Purpose::Create) && document.remediation_enabled;
    if begins && !wanted.policy_type.facts().may_begin_remediating {
        return Err(Refusal::input(format!(
            "{} must be created with `RemediationEnabled` false; create it so, look at what it \
             finds, and switch remediation on by an update",
            wanted.policy_type.as_str()
        )));
    }
    let before = match purpose {
        Purpose::Update(before) => Some(before),
        Purpose::Create | Purpose::Judge => None,
    };
    let data = service_data::read(document, wanted.policy_type)?;
    (wanted.policy_type.facts().check_put)(&data.root())?;
    check_ids(document, organization, before)?;
    check_quotas(document, &wanted, organization, quotas)
}

fn check_ids(
    document: &Document,
    organization: &Organization,
    before: Option<&Document>,
) -> Result<(), Refusal> {
    let maps = |document: &Document| {
        [("IncludeMap", document.include_map.clone()), ("ExcludeMap", document.exclude_map.clone())]
    };
    let mut known = AccountSet::default();
    for (member, map) in before.into_iter().flat_map(maps) {
        let set = scope_of::account_set(member, map.as_ref())?;
        known.accounts.extend(set.accounts);
        known.units.extend(set.units);
    }
    for (member, map) in maps(document) {
        let set = scope_of::account_set(member, map.as_ref())?;
        for unit in &set.units {
            if organization.roots.contains(unit.as_str()) {
                // AWS's words (semantics §8.2), and what to do.
                return Err(Refusal::input(format!(
                    "Input ORG_UNIT map contains invalid IDs. `{}` in {member}.ORG_UNIT is a root of \
                     the organization, which no policy may name; a policy without IncludeMap is about \
                     every account",
                    shown(unit.as_str())
                )));
            }
            if !organization.units.contains_key(unit) && !known.units.contains(unit) {
                return Err(Refusal::input(format!(
                    "Input ORG_UNIT map contains invalid IDs. `{}` in {member}.ORG_UNIT is not an \
                     organizational unit of the organization; correct or remove it",
                    shown(unit.as_str())
                )));
            }
        }
        let is_unknown = |account: &&AccountId| {
            !organization.accounts.contains_key(*account) && !known.accounts.contains(*account)
        };
        if let Some(account) = set.accounts.iter().find(is_unknown) {
            return Err(Refusal::input(format!(
                "Input ACCOUNT map contains invalid IDs. `{}` in {member}.ACCOUNT is not an \
                 account of the organization; correct or remove it",
                shown(account.as_str())
            )));
        }
    }
    Ok(())
}

fn check_quotas(
    document: &Document,
    wanted: &Wanted,
    organization: &Organization,
    quotas: &Quotas,
) -> Result<(), Refusal> {
    let Scope { accounts, tags, .. } = &wanted.scope;
    let nobody = AccountSet::default();
    let named = match accounts {
        AccountScope::Everyone => &nobody,
        AccountScope::Only(set) | AccountScope::AllBut(set) => set,
    };
    within("organizational units in scope", named.units.len(), quotas.units_in_scope_max)?;
    if let Some(max) = quotas.accounts_named_max {
        // An ExcludeMap beside an IncludeMap is not honoured, but kept: it counts as well.
        for (member, map) in
            [("IncludeMap", &document.include_map), ("ExcludeMap", &document.exclude_map)]
        {
            let count = scope_of::account_set(member, map.as_ref())?.accounts.len();
            within("accounts in IncludeMap or ExcludeMap", count, max)?;
        }
    }
    if let Some(max) = quotas.accounts_in_scope_max.filter(|_| named.accounts.is_empty()) {
        let count = in_scope_accounts(&wanted.scope, organization).len();
        within("accounts in scope of a policy that names none", count, max)?;
    }
    within("`ResourceTags`", tags.tags.len(), quotas.scope_tags_max)?;
    let sets = document.resource_set_ids.as_deref().unwrap_or_default();
    within("`ResourceSetIds`", sets.len(), quotas.resource_sets_per_policy_max)?;
    wanted.counts.iter().try_for_each(|count| within(count.what, count.count, (count.max)(quotas)))
}

/// Checks what an update may not change: the type, and of a Network Firewall policy its deployment
/// model, inspection VPC, choice of zones and a MONITOR once set (semantics §6.7).
pub fn admit_update(before: &Document, after: &Document) -> Result<(), Refusal> {
    let (was, is) = (before.policy_type()?, after.policy_type()?);
    if was != is {
        return Err(Refusal::input(format!(
            "SecurityServicePolicyData.Type cannot change from {} to {}; create another policy",
            was.as_str(),
            is.as_str()
        )));
    }
    let (before, after) = (service_data::read(before, was)?, service_data::read(after, is)?);
    (is.facts().check_update)(&before.root(), &after.root())
}
