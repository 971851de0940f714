//! Waivers as these endpoints show them, with what each covers.

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_core::ident::{AccountId, OuId, PolicyId};
use palisade_core::waiver::{Waiver, WaiverState};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::own::answer::{Refused, moment};
use crate::own::readers::{self, AsOf};

/// Violators of one policy that are looked at to tell what its waivers cover.
pub const COVERED_MAX: usize = 10_000;

/// A waiver.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Waiver)]
pub(in crate::own) struct Shown {
    id: String,
    /// The policy's id.
    policy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    policy_name: Option<String>,
    /// With no units either: every account.
    #[schema(value_type = Vec<String>)]
    accounts: Vec<AccountId>,
    #[schema(value_type = Vec<String>)]
    units: Vec<OuId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    resource_type: Option<String>,
    resource: String,
    reason: String,
    owner: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    ticket: Option<String>,
    state: State,
    #[schema(format = DateTime)]
    from: String,
    #[schema(format = DateTime)]
    until: String,
    /// When somebody ended it before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    ended: Option<String>,
    #[schema(format = DateTime)]
    created: String,
    /// Violators that it covers; 0 covers nothing. Of a policy with many violators, those found among the
    /// first 10,000.
    covers: u64,
    /// The policy has more violators than were looked at.
    covers_more: bool,
}

/// How a waiver stands.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = WaiverState)]
enum State {
    /// Its time has not come.
    Planned,
    /// It covers what fits it.
    InForce,
    /// Its time is over, or somebody ended it.
    Ended,
}

impl From<WaiverState> for State {
    fn from(state: WaiverState) -> State {
        match state {
            WaiverState::Planned => State::Planned,
            WaiverState::InForce => State::InForce,
            WaiverState::Ended => State::Ended,
        }
    }
}

/// These waivers, as of a moment.
pub(super) fn all(
    app: &App,
    as_of: &AsOf,
    waivers: &[&Arc<Waiver>],
) -> Result<Vec<Shown>, Refused> {
    let at_ms = as_of.at_ms.unwrap_or_else(|| app.clock.now_ms());
    let mut by_policy: BTreeMap<&PolicyId, Vec<&Waiver>> = BTreeMap::new();
    for waiver in waivers.iter().filter(|it| it.state(at_ms) == WaiverState::InForce) {
        by_policy.entry(&waiver.policy).or_default().push(waiver);
    }
    let mut covered: BTreeMap<&str, u64> = BTreeMap::new();
    let mut cut: Vec<&PolicyId> = Vec::new();
    for (policy, waivers) in &by_policy {
        let (Some(record), Some(organization)) =
            (as_of.view.control().policies.get(*policy), as_of.view.organization())
        else {
            continue;
        };
        let is_asked = |account: &AccountId| {
            waivers.iter().any(|waiver| waiver.has_account(organization, account))
        };
        let read = COVERED_MAX.saturating_add(1);
        let found = readers::policy_violators(app, as_of, record, None, is_asked, read)?;
        if found.len() > COVERED_MAX {
            cut.push(policy);
        }
        for (account, row) in found.iter().take(COVERED_MAX) {
            for waiver in waivers.iter().filter(|waiver| {
                waiver.has_account(organization, account)
                    && waiver.has_resource(&row.resource_type, &row.id)
            }) {
                let count = covered.entry(waiver.id.as_str()).or_default();
                *count = count.saturating_add(1);
            }
        }
    }
    let one = |waiver: &&Arc<Waiver>| {
        let covers = covered.get(waiver.id.as_str()).copied().unwrap_or_default();
        shown(as_of, waiver, at_ms, covers, cut.contains(&&waiver.policy))
    };
    Ok(waivers.iter().map(one).collect())
}

fn shown(as_of: &AsOf, waiver: &Waiver, at_ms: i64, covers: u64, covers_more: bool) -> Shown {
    let record = as_of.view.control().policies.get(&waiver.policy);
    Shown {
        id: waiver.id.to_string(),
        policy: waiver.policy.to_string(),
        policy_name: record.map(|record| record.document.policy_name.clone()),
        accounts: waiver.accounts.iter().cloned().collect(),
        units: waiver.units.iter().cloned().collect(),
        resource_type: waiver.resource_type.as_ref().map(ToString::to_string),
        resource: waiver.resource.to_string(),
        reason: waiver.reason.to_string(),
        owner: waiver.owner.to_string(),
        ticket: waiver.ticket.as_ref().map(ToString::to_string),
        state: waiver.state(at_ms).into(),
        from: moment(waiver.from_ms),
        until: moment(waiver.until_ms),
        ended: waiver.ended_ms.map(moment),
        created: moment(waiver.created_ms),
        covers,
        covers_more,
    }
}
