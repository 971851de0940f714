//! Counts and times of every stage for `/metrics`, written by hand in Prometheus' text format.

mod page;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use palisade_store::{Effort, InventoryAges, WorkCounts};
use tracing::Instrument as _;

/// A named part of answering a request, of taking a delivery in, or of a round of work.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// Of a request: its body arrives.
    Accept,
    /// Of a request: its signature is checked.
    Verify,
    /// Of a request: its body becomes the operation's input.
    Decode,
    /// Of a request: what is asked is done, the store's part included.
    Act,
    /// Of a request: the output becomes bytes.
    Encode,
    /// Of a delivery: its bytes arrive and are written to disk.
    Spool,
    /// Of a delivery: it is inflated and read.
    Parse,
    /// Of a delivery: the store takes it in.
    TakeIn,
    /// Of a round of work: policies are fanned out to accounts.
    Expand,
    /// Of a round of work: due shards are leased.
    Lease,
    /// Of a round of work: one leased shard is loaded and judged.
    Judge,
    /// Of a round of work: what was found is written.
    Settle,
}

/// What a stage is part of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flow {
    /// Answering a call of an operation.
    Request,
    /// Taking in a delivery.
    Ingest,
    /// The worker's rounds.
    Worker,
}

impl Flow {
    /// Every flow.
    pub const ALL: [Flow; 3] = [Flow::Request, Flow::Ingest, Flow::Worker];

    /// The histogram of its stages.
    pub const fn series(self) -> &'static str {
        match self {
            Flow::Request => "palisade_request_stage_seconds",
            Flow::Ingest => "palisade_ingest_stage_seconds",
            Flow::Worker => "palisade_worker_stage_seconds",
        }
    }
}

impl Stage {
    /// Every stage, in the order in which they follow each other.
    pub const ALL: [Stage; 12] = [
        Stage::Accept,
        Stage::Verify,
        Stage::Decode,
        Stage::Act,
        Stage::Encode,
        Stage::Spool,
        Stage::Parse,
        Stage::TakeIn,
        Stage::Expand,
        Stage::Lease,
        Stage::Judge,
        Stage::Settle,
    ];

    /// What it is part of.
    pub const fn flow(self) -> Flow {
        match self {
            Stage::Accept | Stage::Verify | Stage::Decode | Stage::Act | Stage::Encode => {
                Flow::Request
            }
            Stage::Spool | Stage::Parse | Stage::TakeIn => Flow::Ingest,
            Stage::Expand | Stage::Lease | Stage::Judge | Stage::Settle => Flow::Worker,
        }
    }

    /// Its name in labels, spans and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Accept | Stage::TakeIn => "accept",
            Stage::Verify => "verify",
            Stage::Decode => "decode",
            Stage::Act => "act",
            Stage::Encode => "encode",
            Stage::Spool => "spool",
            Stage::Parse => "parse",
            Stage::Expand => "expand",
            Stage::Lease => "lease",
            Stage::Judge => "judge",
            Stage::Settle => "settle",
        }
    }
}

/// Upper bounds of a histogram's buckets, nanoseconds, and as the page writes them, seconds.
const BUCKETS: [(u64, &str); 9] = [
    (100_000, "0.0001"),
    (500_000, "0.0005"),
    (2_500_000, "0.0025"),
    (10_000_000, "0.01"),
    (50_000_000, "0.05"),
    (250_000_000, "0.25"),
    (1_000_000_000, "1"),
    (5_000_000_000, "5"),
    (30_000_000_000, "30"),
];

/// Durations of one stage.
#[derive(Debug, Default)]
struct Histogram {
    /// How many were at most as long as the bound of [`BUCKETS`], and longer than the one before.
    within: [AtomicU64; BUCKETS.len()],
    count: AtomicU64,
    sum_ns: AtomicU64,
}

impl Histogram {
    fn observe(&self, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BUCKETS.iter().zip(&self.within).find(|((bound, _), _)| ns <= *bound);
        if let Some((_, bucket)) = bucket {
            bucket.fetch_add(1, Relaxed);
        }
        self.count.fetch_add(1, Relaxed);
        self.sum_ns.fetch_add(ns, Relaxed);
    }
}

/// Judgements of shards, one for each policy, by how much was looked at.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Judgements {
    /// The whole shard.
    pub shard: u64,
    /// What changed of its items, with what they are judged with.
    pub changes: u64,
    /// Nothing: what changed is none of the policy's business.
    pub nothing: u64,
}

impl Judgements {
    /// Both together.
    pub fn and(self, more: Judgements) -> Judgements {
        Judgements {
            shard: self.shard.saturating_add(more.shard),
            changes: self.changes.saturating_add(more.changes),
            nothing: self.nothing.saturating_add(more.nothing),
        }
    }
}

/// What a store says when a page is made.
pub(crate) struct Asked {
    pub work: WorkCounts,
    pub ages: InventoryAges,
    pub effort: Effort,
    /// When it was asked, by the server's clock.
    pub now_ms: i64,
}

/// Counts and times since the process began.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: Mutex<BTreeMap<(&'static str, &'static str), u64>>,
    items: Mutex<BTreeMap<&'static str, u64>>,
    stages: [Histogram; Stage::ALL.len()],
    ingest_bytes: AtomicU64,
    accepts_failed: AtomicU64,
    connections_gave_way: AtomicU64,
    shards: AtomicU64,
    failed_shards: AtomicU64,
    steps: AtomicU64,
    log_lost: AtomicU64,
    judgements: Mutex<Judgements>,
    clock_ahead_ms: AtomicU64,
}

impl Metrics {
    /// Counts one answered request. Both names come from closed sets, so the series stay few.
    pub(crate) fn request(&self, operation: &'static str, outcome: &'static str) {
        let mut requests = locked(&self.requests);
        let count = requests.entry((operation, outcome)).or_default();
        *count = count.saturating_add(1);
    }

    /// Counts delivered items by what became of them.
    pub(crate) fn items(&self, outcome: &'static str, more: u64) {
        let mut items = locked(&self.items);
        let count = items.entry(outcome).or_default();
        *count = count.saturating_add(more);
    }

    /// Counts the bytes of a delivery as they arrived.
    pub(crate) fn ingested(&self, bytes: u64) {
        self.ingest_bytes.fetch_add(bytes, Relaxed);
    }

    /// Counts a connection that the system had no room for.
    pub fn accept_failed(&self) {
        self.accepts_failed.fetch_add(1, Relaxed);
    }

    /// Counts a connection that was ended to make room for another.
    pub fn connection_gave_way(&self) {
        self.connections_gave_way.fetch_add(1, Relaxed);
    }

    /// Counts shards that were settled, and how they were judged.
    pub fn settled(&self, shards: usize, judgements: Judgements) {
        self.shards.fetch_add(shards as u64, Relaxed);
        let mut all = locked(&self.judgements);
        *all = all.and(judgements);
    }

    /// Counts shards whose judgement or settlement failed.
    pub fn failed(&self, shards: usize) {
        self.failed_shards.fetch_add(shards as u64, Relaxed);
    }

    /// Notes that the worker took a step: it looked for work, or got on with some.
    pub fn stepped(&self) {
        self.steps.fetch_add(1, Relaxed);
    }

    /// How many steps the worker took.
    pub fn steps(&self) -> u64 {
        self.steps.load(Relaxed)
    }

    /// Notes how many lines of the log were lost so far.
    pub fn log_lost(&self, lines: u64) {
        self.log_lost.store(lines, Relaxed);
    }

    /// Notes how far the clock is ahead of what is believed of it, milliseconds.
    pub fn clock_ahead(&self, ahead_ms: i64) {
        self.clock_ahead_ms.store(u64::try_from(ahead_ms).unwrap_or(0), Relaxed);
    }

    /// How shards were judged so far.
    pub fn judgements(&self) -> Judgements {
        *locked(&self.judgements)
    }

    /// Does a stage in a span of its own and notes how long it took.
    pub fn timed<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let done = span(stage).in_scope(work);
        self.observe(stage, begun.elapsed());
        done
    }

    /// As [`Metrics::timed`], for what waits.
    pub(crate) async fn awaited<T>(&self, stage: Stage, work: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let done = work.instrument(span(stage)).await;
        self.observe(stage, begun.elapsed());
        done
    }

    fn observe(&self, stage: Stage, took: Duration) {
        if let Some(histogram) = self.stages.get(stage as usize) {
            histogram.observe(took);
        }
    }
}

/// Shown, with what happens within, by `PALISADE_LOG=debug`.
fn span(stage: Stage) -> tracing::Span {
    tracing::debug_span!("stage", name = stage.name())
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Unwell;

    #[test]
    fn the_page_names_each_series_once_and_counts_up() {
        let metrics = Metrics::default();
        metrics.request("ListPolicies", "ok");
        metrics.request("ListPolicies", "ok");
        metrics.items("accepted", 3);
        let work = WorkCounts { dirty: 4, ..WorkCounts::default() };
        let effort = Effort { reads: 2, read_ns: 1_500_000_000, bytes: 4096, ..Effort::default() };
        let unwell = [Unwell { part: "log", why: "it is full".to_owned() }];
        let degraded = [Unwell { part: "bodies", why: "many".to_owned() }];
        let ages = InventoryAges { shards: 3, oldest_ms: Some(5_000), newest_ms: Some(8_999) };
        let mut asked = Asked { work, ages, effort, now_ms: 10_000 };
        let page = metrics.render(Some(&asked), &unwell, &degraded);
        assert!(page.contains("palisade_inventory_shards 3\n"), "{page}");
        assert!(page.contains("palisade_inventory_age_seconds{of=\"oldest\"} 5\n"), "{page}");
        assert!(page.contains("palisade_inventory_age_seconds{of=\"newest\"} 1\n"), "{page}");
        assert!(page.contains("palisade_unwell{part=\"log\"} 1\n"), "{page}");
        assert!(page.contains("palisade_degraded{part=\"bodies\"} 1\n"), "{page}");
        assert!(
            page.contains("palisade_requests_total{operation=\"ListPolicies\",outcome=\"ok\"} 2\n")
        );
        assert!(page.contains("palisade_items_total{outcome=\"accepted\"} 3\n"));
        assert!(page.contains("palisade_work{state=\"dirty\"} 4\n"));
        assert!(page.contains("palisade_store_seconds_sum{kind=\"read\"} 1.5\n"), "{page}");
        assert!(page.contains("palisade_store_bytes 4096\n"), "{page}");
        let mut types: Vec<&str> = page.lines().filter(|line| line.starts_with("# TYPE")).collect();
        let all = types.len();
        types.sort_unstable();
        types.dedup();
        assert_eq!(types.len(), all);
        asked.ages = InventoryAges::default();
        let page = metrics.render(Some(&asked), &[], &[]);
        assert!(page.contains("palisade_inventory_shards 0\n"), "{page}");
        assert!(!page.contains("palisade_inventory_age_seconds{"), "nothing has no age: {page}");
    }

    #[test]
    fn a_duration_counts_in_every_bucket_from_its_own_on() {
        let metrics = Metrics::default();
        for ns in [500_000, 500_001, 60_000_000_000] {
            metrics.observe(Stage::Judge, Duration::from_nanos(ns));
        }
        let page = metrics.render(None, &[], &[]);
        for (bound, count) in [("0.0001", 0), ("0.0005", 1), ("0.0025", 2), ("30", 2), ("+Inf", 3)]
        {
            let line = format!(
                "palisade_worker_stage_seconds_bucket{{stage=\"judge\",le=\"{bound}\"}} {count}\n"
            );
            assert!(page.contains(&line), "{line}{page}");
        }
        let sum = "palisade_worker_stage_seconds_sum{stage=\"judge\"} 60.001000001\n";
        assert!(page.contains(sum), "{page}");
    }

    #[test]
    fn the_stages_are_numbered_in_their_order() {
        for (at, stage) in Stage::ALL.into_iter().enumerate() {
            assert_eq!(stage as usize, at);
        }
    }
}
