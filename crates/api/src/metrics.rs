//! Counts and times of every stage for `/metrics`.

mod page;
mod process;
mod survey;

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use palisade_store::{Effort, InventoryAges, WorkCounts};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tracing::Instrument as _;

use crate::key_use::KeyUse;
pub use process::Process;
pub use survey::{POLICIES_TOLD_MAX, SURVEY_MS};
pub(crate) use survey::{Survey, Surveys};

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

/// Upper bounds of a histogram's buckets, seconds.
const BUCKETS: [f64; 9] = [0.0001, 0.0005, 0.0025, 0.01, 0.05, 0.25, 1.0, 5.0, 30.0];

/// Stands for the end of a certificate where there is none.
const NO_CERTIFICATE: i64 = i64::MIN;

/// Names and values of a series' labels.
type Labels<const N: usize> = [(&'static str, &'static str); N];

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
    pub keys: [(KeyUse, u64); KeyUse::ALL.len()],
    pub survey: Arc<Survey>,
    /// When it was asked, by the server's clock.
    pub now_ms: i64,
}

/// Counts and times since the process began.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Labels<2>, Counter>,
    items: Family<Labels<1>, Counter>,
    stages: [Histogram; Stage::ALL.len()],
    ingest_bytes: Counter,
    accepts_failed: Counter,
    connections_gave_way: Counter,
    shards: Counter,
    failed_shards: Counter,
    log_lost: Counter,
    judgements: [Counter; 3],
    clock_ahead_seconds: Gauge,
    disk_bytes: Family<Labels<1>, Gauge>,
    disk_free_bytes: Family<Labels<1>, Gauge>,
    /// Milliseconds since the epoch; [`NO_CERTIFICATE`] without one.
    certificate_ends_ms: AtomicI64,
    process: Mutex<Option<Process>>,
    steps: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let mut to = Registry::default();
        Metrics {
            requests: family(&mut to, "palisade_requests", "Requests answered"),
            items: family(&mut to, "palisade_items", "Delivered items by what became of them"),
            ingest_bytes: counter(
                &mut to,
                "palisade_ingest_bytes",
                "Bytes of deliveries as they came",
            ),
            accepts_failed: counter(
                &mut to,
                "palisade_accept_failures",
                "Times the system had no descriptors or memory for a connection",
            ),
            connections_gave_way: counter(
                &mut to,
                "palisade_connections_gave_way",
                "Connections ended to make room for others",
            ),
            shards: counter(&mut to, "palisade_worker_shards", "Shards judged and settled"),
            failed_shards: counter(
                &mut to,
                "palisade_worker_failed_shards",
                "Shards whose judgement or settlement failed and is tried again",
            ),
            log_lost: counter(&mut to, "palisade_log_failures", "Lines of the log that were lost"),
            clock_ahead_seconds: gauge(
                &mut to,
                "palisade_clock_ahead_seconds",
                "How far the clock is ahead of what anything stored tells",
            ),
            disk_bytes: gauges(
                &mut to,
                "palisade_disk_bytes",
                "Size of the disks that are written to",
            ),
            disk_free_bytes: gauges(&mut to, "palisade_disk_free_bytes", "Room left on them"),
            certificate_ends_ms: AtomicI64::new(NO_CERTIFICATE),
            process: Mutex::default(),
            judgements: judgements(&mut to),
            stages: stages(&mut to),
            steps: AtomicU64::default(),
            registry: to,
        }
    }
}

fn family<const N: usize>(to: &mut Registry, name: &str, help: &str) -> Family<Labels<N>, Counter> {
    let family = Family::default();
    to.register(name, help, family.clone());
    family
}

/// Its name is written with `_total` behind it.
fn counter(to: &mut Registry, name: &str, help: &str) -> Counter {
    let counter = Counter::default();
    to.register(name, help, counter.clone());
    counter
}

fn gauge(to: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    to.register(name, help, gauge.clone());
    gauge
}

fn gauges(to: &mut Registry, name: &str, help: &str) -> Family<Labels<1>, Gauge> {
    let family = Family::default();
    to.register(name, help, family.clone());
    family
}

fn judgements(to: &mut Registry) -> [Counter; 3] {
    let help = "Judgements of a shard under a policy, by what was looked at";
    let family: Family<Labels<1>, Counter> = family(to, "palisade_worker_judgements", help);
    ["shard", "changes", "nothing"]
        .map(|looked_at| family.get_or_create_owned(&[("looked_at", looked_at)]))
}

fn stages(to: &mut Registry) -> [Histogram; Stage::ALL.len()] {
    let families = Flow::ALL.map(|flow| {
        let family =
            Family::<Labels<1>, Histogram, fn() -> Histogram>::new_with_constructor(|| {
                Histogram::new(BUCKETS)
            });
        to.register(flow.series(), "Time of each stage", family.clone());
        family
    });
    let [request, ingest, worker] = families;
    Stage::ALL.map(|stage| {
        let family = match stage.flow() {
            Flow::Request => &request,
            Flow::Ingest => &ingest,
            Flow::Worker => &worker,
        };
        family.get_or_create_owned(&[("stage", stage.name())])
    })
}

impl Metrics {
    /// Counts one answered request. Both names come from closed sets, so the series stay few.
    pub(crate) fn request(&self, operation: &'static str, outcome: &'static str) {
        self.requests.get_or_create(&[("operation", operation), ("outcome", outcome)]).inc();
    }

    /// Counts delivered items by what became of them.
    pub(crate) fn items(&self, outcome: &'static str, more: u64) {
        self.items.get_or_create(&[("outcome", outcome)]).inc_by(more);
    }

    /// Counts the bytes of a delivery as they arrived.
    pub(crate) fn ingested(&self, bytes: u64) {
        self.ingest_bytes.inc_by(bytes);
    }

    /// Counts a connection that the system had no room for.
    pub fn accept_failed(&self) {
        self.accepts_failed.inc();
    }

    /// Counts a connection that was ended to make room for another.
    pub fn connection_gave_way(&self) {
        self.connections_gave_way.inc();
    }

    /// Counts shards that were settled, and how they were judged.
    pub fn settled(&self, shards: usize, judgements: Judgements) {
        self.shards.inc_by(shards as u64);
        let Judgements { shard, changes, nothing } = judgements;
        for (counter, more) in self.judgements.iter().zip([shard, changes, nothing]) {
            counter.inc_by(more);
        }
    }

    /// Counts shards whose judgement or settlement failed.
    pub fn failed(&self, shards: usize) {
        self.failed_shards.inc_by(shards as u64);
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
        self.log_lost.inner().store(lines, Relaxed);
    }

    /// Notes how far the clock is ahead of what is believed of it, milliseconds.
    pub fn clock_ahead(&self, ahead_ms: i64) {
        self.clock_ahead_seconds.set(ahead_ms.max(0) / 1_000);
    }

    /// Notes the size of a disk and the room that is left on it, bytes.
    pub fn disk(&self, of: &'static str, bytes: u64, free_bytes: u64) {
        let number = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        self.disk_bytes.get_or_create(&[("of", of)]).set(number(bytes));
        self.disk_free_bytes.get_or_create(&[("of", of)]).set(number(free_bytes));
    }

    /// Notes what the process uses; `None` where the system does not tell it.
    pub fn process(&self, process: Option<Process>) {
        *self.process.lock().unwrap_or_else(PoisonError::into_inner) = process;
    }

    /// Notes when the server's certificate ends, milliseconds since the epoch; `None` without TLS of its own.
    pub fn certificate_ends(&self, ends_ms: Option<i64>) {
        self.certificate_ends_ms.store(ends_ms.unwrap_or(NO_CERTIFICATE), Relaxed);
    }

    /// How shards were judged so far.
    pub fn judgements(&self) -> Judgements {
        let [shard, changes, nothing] = self.judgements.each_ref().map(Counter::get);
        Judgements { shard, changes, nothing }
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
            histogram.observe(took.as_secs_f64());
        }
    }
}

/// Shown, with what happens within, by `PALISADE_LOG=debug`.
fn span(stage: Stage) -> tracing::Span {
    tracing::debug_span!("stage", name = stage.name())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

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
        let keys = KeyUse::ALL.map(|state| (state, u64::from(state == KeyUse::Expiring)));
        let survey = Arc::default();
        let mut asked = Asked { work, ages, effort, keys, survey, now_ms: 10_000 };
        let page = metrics.render(Some(&asked), &unwell, &degraded, &BTreeMap::new(), 0);
        assert!(page.contains("palisade_inventory_shards 3\n"), "{page}");
        assert!(page.contains("palisade_keys{state=\"expiring\"} 1\n"), "{page}");
        assert!(page.contains("palisade_keys{state=\"expired\"} 0\n"), "{page}");
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
        let page = metrics.render(Some(&asked), &[], &[], &BTreeMap::new(), 0);
        assert!(page.contains("palisade_inventory_shards 0\n"), "{page}");
        assert!(!page.contains("palisade_inventory_age_seconds{"), "nothing has no age: {page}");
    }

    #[test]
    fn a_certificate_is_told_of_where_there_is_one() {
        let metrics = Metrics::default();
        let page = || metrics.render(None, &[], &[], &BTreeMap::new(), 10_000);
        assert!(!page().contains("palisade_certificate"), "{}", page());
        metrics.certificate_ends(Some(15_999));
        assert!(page().contains("palisade_certificate_expires_seconds 5\n"), "{}", page());
        metrics.certificate_ends(Some(4_000));
        assert!(page().contains("palisade_certificate_expires_seconds -6\n"), "{}", page());
        metrics.disk("store", 100, 7);
        assert!(page().contains("palisade_disk_free_bytes{of=\"store\"} 7\n"), "{}", page());
    }

    #[test]
    fn a_duration_counts_in_every_bucket_from_its_own_on() {
        let metrics = Metrics::default();
        for ns in [500_000, 500_001, 60_000_000_000] {
            metrics.observe(Stage::Judge, Duration::from_nanos(ns));
        }
        let page = metrics.render(None, &[], &[], &BTreeMap::new(), 0);
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
