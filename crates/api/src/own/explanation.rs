//! Why a resource stands to a policy as it does: judged anew, by what is held now, with nothing written.

use std::sync::Arc;

use palisade_core::evaluate::{self, Explanation, Filter};
use palisade_core::ident::{AccountId, Region, ResourceId, ResourceType, ShardId};
use palisade_core::inventory::{Item, Shard};
use palisade_core::policy::Policy;
use palisade_core::scope::AccountFilter;
use palisade_store::{PolicyRecord, Want};

use super::answer::Refused;
use crate::app::App;
use crate::caller::Caller;
use crate::fault::internal;
use crate::judging::{assuming, evidence};
use crate::view::ControlView;

/// Types that an answer names where a resource is asked for without its type.
const TYPES_NAMED_MAX: usize = 10;

/// Which resource is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Which<'a> {
    /// Whose inventory holds it.
    pub account: &'a AccountId,
    /// In which Region.
    pub region: &'a Region,
    /// Of what type; `None`: the one of that name.
    pub resource_type: Option<&'a ResourceType>,
    /// Its id, or its name where no resource has that id.
    pub named: &'a str,
}

/// An explanation, and how old it is.
#[derive(Debug)]
pub struct Explained {
    /// What was found.
    pub explanation: Explanation,
    /// The newest moment that deliveries tell of the account and Region.
    pub newest_ms: Option<i64>,
}

/// Explains a resource under a policy that the caller reads.
///
/// # Errors
/// NotFound for a resource that is not held, or that the caller may not see: these are not told apart;
/// InvalidInput for a name that several resources have; what the store says.
pub fn explain(
    app: &App,
    view: &ControlView,
    caller: &Caller,
    record: &PolicyRecord,
    which: Which<'_>,
) -> Result<Explained, Refused> {
    let policy = view.judged(record).map_err(palisade_wire::Fault::from)?;
    let may_see = |owner: &AccountId| view.manages(owner, which.account);
    if !caller.account.as_ref().is_none_or(may_see) {
        return Err(not_held(which));
    }
    let id = ShardId { account: which.account.clone(), region: which.region.clone() };
    let references = evaluate::references(policy);
    let mut types = evaluate::reads(policy);
    types.extend(which.resource_type.cloned());
    let want = match which.resource_type {
        Some(_) => Want::of_types(&id, &references, &[], &types),
        None => Want::whole(&id, &references, &[]),
    };
    let loaded = assuming(app, app.store.load(&want)?);
    let item = find(&loaded.shard, which)?;
    let newest_ms = loaded.shard.newest_ms;
    if let Some(filter) = left_out(view, policy, which) {
        return Ok(Explained { explanation: Explanation::out_of_scope(item, filter), newest_ms });
    }
    let evidence = evidence(app, &loaded, app.clock.now_ms());
    let explanation = evaluate::explain(policy, &evidence, &item.key.resource_type, &item.key.id);
    let explanation =
        explanation.ok_or_else(|| internal("a resource that is held is not found"))?;
    Ok(Explained { explanation, newest_ms })
}

/// What leaves the whole account and Region out.
fn left_out(view: &ControlView, policy: &Arc<Policy>, which: Which<'_>) -> Option<Filter> {
    if policy.region != *which.region {
        return Some(Filter::Region(policy.region.clone()));
    }
    let organization = view.organization()?;
    let owner = view.admin_scope(&policy.owner);
    AccountFilter::of(&policy.scope, owner, organization, which.account).map(Filter::Account)
}

/// The one resource that is meant.
fn find<'s>(shard: &'s Shard, which: Which<'_>) -> Result<&'s Item, Refused> {
    let of_type =
        |item: &&Item| which.resource_type.is_none_or(|one| *one == item.key.resource_type);
    let all = || shard.items.values().flat_map(|items| items.values()).filter(of_type);
    let by_id: Vec<&Item> = match ResourceId::try_from(which.named) {
        Ok(id) => all().filter(|item| item.key.id == id).collect(),
        Err(_) => Vec::new(),
    };
    let found = match by_id.is_empty() {
        true => all().filter(|item| item.name.as_deref() == Some(which.named)).collect(),
        false => by_id,
    };
    match found.as_slice() {
        [item] => Ok(item),
        [] => Err(not_held(which)),
        several => {
            let told = several.iter().take(TYPES_NAMED_MAX);
            let told = told.map(|item| format!("{} {}", item.key.resource_type, item.key.id));
            Err(Refused::invalid(format!(
                "{} resources of account `{}` in {} are named `{}`; say which by type and id: {}",
                several.len(),
                which.account,
                which.region,
                which.named,
                told.collect::<Vec<_>>().join(", ")
            )))
        }
    }
}

fn not_held(which: Which<'_>) -> Refused {
    let of_type = which.resource_type.map(|one| format!("{one} ")).unwrap_or_default();
    Refused::not_found(format!(
        "{of_type}`{}` is not known in account `{}`, Region `{}`: no inventory told of it, or it is gone; \
         check account, Region and type, or deliver its inventory",
        which.named, which.account, which.region
    ))
}
