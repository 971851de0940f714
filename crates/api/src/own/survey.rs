//! The figures of compliance and coverage that `/metrics` tells: read as every reader reads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use palisade_core::ident::{AccountId, Region};
use palisade_store::PolicyRecord;

use super::answer::Refused;
use super::readers;
use crate::app::App;
use crate::metrics::Survey;

/// Reads them, of all policies.
///
/// # Errors
/// What the store says.
pub(super) fn read(app: &App, now_ms: i64) -> Result<Survey, Refused> {
    let view = app.view()?;
    let policies: Vec<&Arc<PolicyRecord>> = view.control().policies.values().collect();
    let mut scopes: BTreeMap<&Region, BTreeSet<&AccountId>> = BTreeMap::new();
    for record in &policies {
        scopes.entry(&record.region).or_default().extend(view.in_scope(&record.id));
    }
    let mut survey = Survey::default();
    for (region, accounts) in scopes {
        let newest_ms: BTreeMap<AccountId, i64> = match accounts.last() {
            Some(last) => app.store.newest_each_ms(region, None, last)?.into_iter().collect(),
            None => BTreeMap::new(),
        };
        for account in &accounts {
            let age_ms = newest_ms.get(*account).map(|at_ms| now_ms.saturating_sub(*at_ms));
            survey.note_inventory(region.as_str(), age_ms, app.settings.stale_after_ms);
        }
        for (place, record) in policies.iter().enumerate() {
            if record.region != *region {
                continue;
            }
            let figures = survey.policy(record.id.as_str(), region.as_str(), place);
            let accounts = view.in_scope(&record.id);
            readers::known_of(app, None, record, None, accounts, |account, known| {
                figures.note(known, newest_ms.get(account).copied());
            })?;
        }
    }
    Ok(survey)
}
