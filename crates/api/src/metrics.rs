//! Counts for `/metrics`, written by hand in Prometheus' text format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use palisade_store::WorkCounts;

/// Counts since the process began.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: Mutex<BTreeMap<(&'static str, &'static str), u64>>,
    items: Mutex<BTreeMap<&'static str, u64>>,
}

impl Metrics {
    /// Counts one answered request. Both names come from closed sets, so the series stay few.
    pub(crate) fn request(&self, operation: &'static str, outcome: &'static str) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let count = requests.entry((operation, outcome)).or_default();
        *count = count.saturating_add(1);
    }

    /// Counts delivered items by what became of them.
    pub(crate) fn items(&self, outcome: &'static str, more: u64) {
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        let count = items.entry(outcome).or_default();
        *count = count.saturating_add(more);
    }

    /// The page that a scraper reads.
    pub(crate) fn render(&self, work: Option<WorkCounts>) -> String {
        let mut page = String::new();
        head(&mut page, "palisade_requests_total", "counter", "Requests answered.");
        for ((operation, outcome), count) in
            &*self.requests.lock().unwrap_or_else(PoisonError::into_inner)
        {
            let _ = writeln!(
                page,
                "palisade_requests_total{{operation=\"{operation}\",outcome=\"{outcome}\"}} {count}"
            );
        }
        head(
            &mut page,
            "palisade_items_total",
            "counter",
            "Delivered items by what became of them.",
        );
        for (outcome, count) in &*self.items.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = writeln!(page, "palisade_items_total{{outcome=\"{outcome}\"}} {count}");
        }
        let Some(work) = work else { return page };
        head(&mut page, "palisade_work", "gauge", "Marks of work by state.");
        for (state, count) in
            [("dirty", work.dirty), ("leased", work.leased), ("future", work.future)]
        {
            let _ = writeln!(page, "palisade_work{{state=\"{state}\"}} {count}");
        }
        head(&mut page, "palisade_work_oldest_seconds", "gauge", "Age of the oldest due mark.");
        let _ = writeln!(page, "palisade_work_oldest_seconds {}", work.oldest_seconds);
        page
    }
}

fn head(page: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_each_series_once_and_counts_up() {
        let metrics = Metrics::default();
        metrics.request("ListPolicies", "ok");
        metrics.request("ListPolicies", "ok");
        metrics.items("accepted", 3);
        let work = WorkCounts { dirty: 4, ..WorkCounts::default() };
        let page = metrics.render(Some(work));
        assert!(
            page.contains("palisade_requests_total{operation=\"ListPolicies\",outcome=\"ok\"} 2\n")
        );
        assert!(page.contains("palisade_items_total{outcome=\"accepted\"} 3\n"));
        assert!(page.contains("palisade_work{state=\"dirty\"} 4\n"));
        assert_eq!(page.matches("# TYPE palisade_work gauge").count(), 1);
    }
}
