//! Waivers as callers ask for them, checked.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::StatusCode;
use palisade_core::ident::{AccountId, OuId, ResourceType, WaiverId};
use palisade_core::waiver::{WAIVER_LASTS_MS_MAX, Waiver, WaiverState};
use palisade_store::PolicyRecord;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::own::answer::{Refused, moment};
use crate::own::moments;
use crate::view::ControlView;

/// Waivers of a store, ended ones among them.
pub const WAIVERS_MAX: usize = 10_000;
/// Accounts and units that one waiver names.
pub const WAIVER_ACCOUNTS_MAX: usize = 1_000;
/// Characters of a reason, an owner, a ticket or a pattern.
pub const WAIVER_TEXT_MAX: usize = 1_024;
/// How long a waiver that ended is listed, milliseconds: 400 days, as long as history is kept.
const LISTED_MS: i64 = 400 * 24 * 60 * 60 * 1_000;

/// A new waiver.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = NewWaiver)]
pub(super) struct Wanted {
    /// The policy's id.
    pub policy: String,
    /// With no units either: every account.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    accounts: BTreeSet<AccountId>,
    /// Organizational units, with all below them.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    units: BTreeSet<OuId>,
    /// Resources of this type; of any, unless it is given.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    resource_type: Option<ResourceType>,
    /// The resource's id; `*` stands for any characters.
    resource: String,
    /// Why it is accepted.
    reason: String,
    /// Who answers for it.
    owner: String,
    /// Where it was agreed.
    ticket: Option<String>,
    /// From then on; from now on, unless it is given.
    #[schema(format = DateTime)]
    from: Option<String>,
    /// Until then, at most 365 days later.
    #[schema(format = DateTime)]
    until: String,
}

/// Until when a waiver lasts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WaiverRenewal)]
pub(super) struct Renewal {
    #[schema(format = DateTime)]
    until: String,
}

impl Wanted {
    /// The waiver.
    pub fn waiver(
        &self,
        view: &ControlView,
        record: &PolicyRecord,
        id: WaiverId,
        now_ms: i64,
        confirmed: bool,
    ) -> Result<Waiver, Refused> {
        self.names_what_is_there(view)?;
        for (name, text) in
            [("reason", &self.reason), ("owner", &self.owner), ("resource", &self.resource)]
        {
            is_text(name, text)?;
        }
        self.ticket.as_ref().map_or(Ok(()), |ticket| is_text("ticket", ticket))?;
        self.resource_type.as_ref().map_or(Ok(()), is_found)?;
        let from_ms = self.from.as_ref().map(|text| moments::read("from", text)).transpose()?;
        let from_ms = from_ms.unwrap_or(now_ms).max(now_ms);
        let until_ms = until_ms(&self.until, from_ms)?;
        let waiver = Waiver {
            id,
            policy: record.id.clone(),
            accounts: self.accounts.clone(),
            units: self.units.clone(),
            resource_type: self.resource_type.clone(),
            resource: self.resource.as_str().into(),
            reason: self.reason.as_str().into(),
            owner: self.owner.as_str().into(),
            ticket: self.ticket.as_deref().map(Into::into),
            from_ms,
            until_ms,
            ended_ms: None,
            created_ms: now_ms,
        };
        if let Some(every) = waiver.fits_every(&record.region).filter(|_| !confirmed) {
            return Err(Refused::new(
                StatusCode::CONFLICT,
                "ConfirmationRequired",
                format!(
                    "the pattern `{}` fits {every}; add `?confirm=true` if that is meant",
                    self.resource
                ),
            ));
        }
        Ok(waiver)
    }

    /// The same waiver as it stands, where there is one that has not ended: of the same policy, accounts, units,
    /// type and resource.
    pub fn standing<'v>(&self, view: &'v ControlView, now_ms: i64) -> Option<&'v Arc<Waiver>> {
        view.control().waivers.values().find(|waiver| {
            waiver.state(now_ms) != WaiverState::Ended && self.scope() == scope(waiver)
        })
    }

    /// What the waiver is about: two with the same are one.
    pub fn scope(&self) -> Scope<'_> {
        let kind = self.resource_type.as_ref();
        (&self.policy, &self.accounts, &self.units, kind, &self.resource)
    }

    /// Until when, as text.
    pub fn until(&self) -> &str {
        &self.until
    }

    /// Whether a waiver of the same scope has this end and these words already.
    pub fn says_the_same(&self, standing: &Waiver, until_ms: i64) -> bool {
        standing.until_ms == until_ms
            && *standing.reason == *self.reason
            && *standing.owner == *self.owner
            && standing.ticket.as_deref() == self.ticket.as_deref()
    }

    /// A waiver of the same scope as this one wants it: with its end and its words, checked as a new one is.
    pub fn renewed(&self, standing: &Waiver, wanted: Waiver) -> Waiver {
        Waiver {
            id: standing.id.clone(),
            from_ms: standing.from_ms,
            created_ms: standing.created_ms,
            ..wanted
        }
    }
}

/// Policy, accounts, units, type and pattern of a waiver.
pub(super) type Scope<'w> =
    (&'w str, &'w BTreeSet<AccountId>, &'w BTreeSet<OuId>, Option<&'w ResourceType>, &'w str);

fn scope(waiver: &Waiver) -> Scope<'_> {
    let Waiver { policy, accounts, units, resource_type, resource, .. } = waiver;
    (policy.as_str(), accounts, units, resource_type.as_ref(), resource)
}

/// Refuses more waivers than a store may hold.
pub(super) fn has_room(view: &ControlView, more: usize) -> Result<(), Refused> {
    if view.control().waivers.len().saturating_add(more) <= WAIVERS_MAX {
        return Ok(());
    }
    Err(Refused::new(
        StatusCode::CONFLICT,
        "LimitExceeded",
        format!(
            "there would be more than {WAIVERS_MAX} waivers, which is the limit; ended ones go after 400 days"
        ),
    ))
}

/// Refuses types of which no policy finds violators: such a waiver would cover nothing for ever.
fn is_found(kind: &ResourceType) -> Result<(), Refused> {
    if ResourceType::NAMED.contains(kind) {
        return Ok(());
    }
    Err(Refused::invalid(format!(
        "`resourceType` is `{kind}`, of which no policy finds violators; give AWS Config's name of a type that \
         one does, such as `AWS::EC2::SecurityGroup`"
    )))
}

impl Wanted {
    fn names_what_is_there(&self, view: &ControlView) -> Result<(), Refused> {
        let count = self.accounts.len().saturating_add(self.units.len());
        if count > WAIVER_ACCOUNTS_MAX {
            return Err(Refused::invalid(format!(
                "{count} accounts and units are named; a waiver names {WAIVER_ACCOUNTS_MAX} at most"
            )));
        }
        let organization = view.organization();
        let is_there = |account: &&AccountId| {
            organization.is_some_and(|known| known.accounts.contains_key(*account))
        };
        if let Some(account) = self.accounts.iter().find(|account| !is_there(account)) {
            return Err(Refused::invalid(format!(
                "account `{account}` is not in the organization; a waiver is for accounts that are"
            )));
        }
        let is_unit =
            |unit: &&OuId| organization.is_some_and(|known| known.units.contains_key(*unit));
        match self.units.iter().find(|unit| !is_unit(unit)) {
            Some(unit) => Err(Refused::invalid(format!(
                "unit `{unit}` is not in the organization; a waiver is for units that are"
            ))),
            None => Ok(()),
        }
    }
}

impl Renewal {
    /// The waiver with its new end.
    pub fn renewed(&self, waiver: &Waiver, now_ms: i64) -> Result<Waiver, Refused> {
        if waiver.state(now_ms) == WaiverState::Ended {
            return Err(Refused::new(
                StatusCode::CONFLICT,
                "WaiverEnded",
                format!("waiver `{}` has ended; make another", waiver.id),
            ));
        }
        let until_ms = until_ms(&self.until, now_ms.max(waiver.from_ms))?;
        Ok(Waiver { until_ms, ..waiver.clone() })
    }
}

fn is_text(name: &str, text: &str) -> Result<(), Refused> {
    let length = text.chars().count();
    let hidden = text.chars().enumerate().find(|(_, one)| one.is_control());
    let why = if text.trim().is_empty() {
        "is empty".to_owned()
    } else if length > WAIVER_TEXT_MAX {
        format!("is {length} characters")
    } else if let Some((at, one)) = hidden {
        let place = at.saturating_add(1);
        format!("has the control character U+{:04X} as character {place}", u32::from(one))
    } else {
        return Ok(());
    };
    Err(Refused::invalid(format!(
        "`{name}` {why}; give 1 to {WAIVER_TEXT_MAX} characters on one line"
    )))
}

/// When it ends that begins at `from_ms`.
fn until_ms(text: &str, from_ms: i64) -> Result<i64, Refused> {
    let until_ms = moments::read("until", text)?;
    if until_ms <= from_ms {
        return Err(Refused::invalid(format!(
            "`until` is {}, which is not after {}",
            moment(until_ms),
            moment(from_ms)
        )));
    }
    if until_ms.saturating_sub(from_ms) > WAIVER_LASTS_MS_MAX {
        return Err(Refused::invalid(format!(
            "`until` is {}; a waiver lasts 365 days at most, here until {}; renew it then",
            moment(until_ms),
            moment(from_ms.saturating_add(WAIVER_LASTS_MS_MAX))
        )));
    }
    Ok(until_ms)
}

/// Waivers that ended so long ago that they are not listed any more.
pub(super) fn outdated(view: &ControlView, now_ms: i64) -> impl Iterator<Item = WaiverId> {
    let is_outdated = move |waiver: &Waiver| {
        waiver.ended_ms.unwrap_or(i64::MAX).min(waiver.until_ms) < now_ms.saturating_sub(LISTED_MS)
    };
    let waivers = view.control().waivers.values();
    waivers
        .filter(|waiver| is_outdated(waiver))
        .map(|waiver| waiver.id.clone())
        .collect::<Vec<_>>()
        .into_iter()
}
