//! How accounts stand under policies, and how much is known of them: what somebody is to be woken for.
//! Reading it costs an entry for each account under each policy, so that scrapers are told the same for a
//! while.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use palisade_core::evaluate::Status;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::known::{Known, Reason};

/// How long the same is told, milliseconds.
pub const SURVEY_MS: i64 = 60_000;
/// Policies that have series of their own, the first by id; all others have one together, `others`.
pub const POLICIES_TOLD_MAX: usize = 200;
/// Stands for the policies beyond these.
const OTHERS: &str = "others";

/// How an account stands under a policy.
const STANDINGS: [&str; 4] = ["compliant", "noncompliant", "unknown", "not_judged"];
/// How old the inventory of an account in a Region is.
const FRESHNESS: [&str; 3] = ["fresh", "stale", "none"];

/// What is told until it is [`SURVEY_MS`] old.
#[derive(Debug, Default)]
pub(crate) struct Surveys(Mutex<Option<(i64, Arc<Survey>)>>);

/// Figures by policy and by Region.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Survey {
    /// By policy and Region.
    policies: BTreeMap<(String, String), OfPolicy>,
    regions: BTreeMap<String, [u64; FRESHNESS.len()]>,
}

/// Figures of one policy.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct OfPolicy {
    accounts: [u64; STANDINGS.len()],
    violators: u64,
    /// Of the account in its scope of which nothing newer came for longest; `None`: of none came anything.
    oldest_ms: Option<i64>,
}

impl Surveys {
    /// The figures at `now_ms`, read again where they are too old.
    ///
    /// # Errors
    /// What `read` fails with.
    pub fn of<E>(
        &self,
        now_ms: i64,
        read: impl FnOnce() -> Result<Survey, E>,
    ) -> Result<Arc<Survey>, E> {
        // Whoever comes meanwhile waits, rather than read all of it as well.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = |at_ms: i64| (0..SURVEY_MS).contains(&now_ms.saturating_sub(at_ms));
        if let Some((_, survey)) = known.as_ref().filter(|(at_ms, _)| is_fresh(*at_ms)) {
            return Ok(survey.clone());
        }
        let survey = Arc::new(read()?);
        *known = Some((now_ms, survey.clone()));
        Ok(survey)
    }
}

impl OfPolicy {
    /// One more account in its scope, with the newest moment that inventory of it tells of.
    pub fn note(&mut self, known: &Known<'_>, newest_ms: Option<i64>) {
        add(&mut self.accounts, standing(known));
        let violators = known.result().map_or(0, |(_, entry)| entry.violator_count);
        self.violators = self.violators.saturating_add(violators);
        if let Some(newest_ms) = newest_ms {
            self.oldest_ms = Some(self.oldest_ms.unwrap_or(i64::MAX).min(newest_ms));
        }
    }
}

impl Survey {
    /// The figures of a policy, which is the one of so many.
    pub fn policy(&mut self, id: &str, region: &str, place: usize) -> &mut OfPolicy {
        self.policies.entry((told_as(id, place).to_owned(), region.to_owned())).or_default()
    }

    /// One more account that a policy of the Region is about, with the age of its inventory.
    pub fn note_inventory(&mut self, region: &str, age_ms: Option<i64>, stale_ms: Option<i64>) {
        let place = match age_ms {
            Some(age) if stale_ms.is_none_or(|stale| age < stale) => 0,
            Some(_) => 1,
            None => 2,
        };
        add(self.regions.entry(region.to_owned()).or_default(), place);
    }

    /// Registers the series.
    pub fn tell(&self, to: &mut Registry, now_ms: i64) {
        type By<const N: usize> = Family<[(&'static str, String); N], Gauge>;
        let (accounts, violators, ages) =
            (By::<3>::default(), By::<2>::default(), By::<2>::default());
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        for ((policy, region), figures) in &self.policies {
            let of = || [("policy", policy.clone()), ("region", region.clone())];
            for (standing, count) in STANDINGS.iter().zip(figures.accounts) {
                let [policy, region] = of();
                let labels = [policy, region, ("standing", (*standing).to_owned())];
                accounts.get_or_create(&labels).set(number(count));
            }
            violators.get_or_create(&of()).set(number(figures.violators));
            if let Some(oldest_ms) = figures.oldest_ms {
                ages.get_or_create(&of()).set(now_ms.saturating_sub(oldest_ms).max(0) / 1_000);
            }
        }
        let coverage = By::<2>::default();
        for (region, counts) in &self.regions {
            for (inventory, count) in FRESHNESS.iter().zip(counts) {
                let labels = [("region", region.clone()), ("inventory", (*inventory).to_owned())];
                coverage.get_or_create(&labels).set(number(*count));
            }
        }
        let help = "Accounts in the scope of a policy by how they stand";
        to.register("palisade_policy_accounts", help, accounts);
        to.register("palisade_policy_violators", "Violators of a policy", violators);
        let help = "Age of the oldest inventory that a policy is judged by";
        to.register("palisade_policy_inventory_age_seconds", help, ages);
        let help =
            "Accounts in the scope of a policy of a Region by the age of their inventory of it";
        to.register("palisade_region_accounts", help, coverage);
    }
}

/// The policy of a series: itself, or one of the others.
fn told_as(id: &str, place: usize) -> &str {
    if place < POLICIES_TOLD_MAX { id } else { OTHERS }
}

/// The place in [`STANDINGS`].
fn standing(known: &Known<'_>) -> usize {
    match (known.status, known.reason) {
        (Some(Status::Compliant), _) => 0,
        (Some(Status::NonCompliant), _) => 1,
        (None, Reason::NotJudgedYet) => 3,
        (None, Reason::Judged | Reason::NoResult | Reason::OutOfScope) => 2,
    }
}

fn add(counts: &mut [u64], place: usize) {
    if let Some(count) = counts.get_mut(place) {
        *count = count.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_have_series_of_their_own_to_the_limit() {
        for (place, told) in [
            (0, "p"),
            (POLICIES_TOLD_MAX - 1, "p"),
            (POLICIES_TOLD_MAX, "others"),
            (POLICIES_TOLD_MAX + 1, "others"),
        ] {
            assert_eq!(told_as("p", place), told, "{place}");
        }
    }
}
