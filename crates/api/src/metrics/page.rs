//! The page that a scraper reads.

use std::fmt::{Display, Write as _};
use std::sync::atomic::Ordering::Relaxed;

use palisade_store::{Effort, InventoryAges, WorkCounts};

use crate::health::Unwell;

use super::{Asked, BUCKETS, Flow, Histogram, Metrics, Stage, locked};

impl Metrics {
    /// Everything counted, with what the store says now, where it could be asked.
    pub(crate) fn render(
        &self,
        asked: Option<&Asked>,
        unwell: &[Unwell],
        degraded: &[Unwell],
    ) -> String {
        let mut page = Page(String::new());
        for (name, help, parts) in [
            ("palisade_unwell", "Parts that keep the server from being ready.", unwell),
            ("palisade_degraded", "Parts that are strained while the server is ready.", degraded),
        ] {
            page.head(name, "gauge", help);
            for Unwell { part, .. } in parts {
                page.line(name, &format!("{{part=\"{part}\"}}"), 1);
            }
        }
        self.counts(&mut page);
        for flow in Flow::ALL {
            page.head(flow.series(), "histogram", "Time of each stage.");
            let stages = Stage::ALL.iter().zip(&self.stages);
            for (stage, histogram) in stages.filter(|(stage, _)| stage.flow() == flow) {
                page.histogram(flow.series(), stage.name(), histogram);
            }
        }
        if let Some(asked) = asked {
            page.work(asked.work);
            page.inventory(asked.ages, asked.now_ms);
            page.store(asked.effort);
        }
        page.0
    }

    fn counts(&self, page: &mut Page) {
        page.head("palisade_requests_total", "counter", "Requests answered.");
        for ((operation, outcome), count) in &*locked(&self.requests) {
            let labels = format!("{{operation=\"{operation}\",outcome=\"{outcome}\"}}");
            page.line("palisade_requests_total", &labels, count);
        }
        page.head("palisade_items_total", "counter", "Delivered items by what became of them.");
        for (outcome, count) in &*locked(&self.items) {
            page.line("palisade_items_total", &format!("{{outcome=\"{outcome}\"}}"), count);
        }
        for (name, help, count) in [
            (
                "palisade_ingest_bytes_total",
                "Bytes of deliveries as they came.",
                &self.ingest_bytes,
            ),
            (
                "palisade_accept_failures_total",
                "Times the system had no descriptors or memory for a connection.",
                &self.accepts_failed,
            ),
            (
                "palisade_connections_gave_way_total",
                "Connections ended to make room for others.",
                &self.connections_gave_way,
            ),
            ("palisade_worker_shards_total", "Shards judged and settled.", &self.shards),
            (
                "palisade_worker_failed_shards_total",
                "Shards whose judgement or settlement failed and is tried again.",
                &self.failed_shards,
            ),
            ("palisade_log_failures_total", "Lines of the log that were lost.", &self.log_lost),
        ] {
            page.head(name, "counter", help);
            page.line(name, "", count.load(Relaxed));
        }
        let name = "palisade_clock_ahead_seconds";
        page.head(name, "gauge", "How far the clock is ahead of what anything stored tells.");
        page.line(name, "", self.clock_ahead_ms.load(Relaxed) / 1_000);
        let name = "palisade_worker_judgements_total";
        page.head(name, "counter", "Judgements of a shard under a policy, by what was looked at.");
        let judgements = self.judgements();
        for (looked_at, count) in [
            ("shard", judgements.shard),
            ("changes", judgements.changes),
            ("nothing", judgements.nothing),
        ] {
            page.line(name, &format!("{{looked_at=\"{looked_at}\"}}"), count);
        }
    }
}

struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &str, value: impl Display) {
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    fn histogram(&mut self, name: &str, stage: &str, histogram: &Histogram) {
        let bucket = format!("{name}_bucket");
        let mut below = 0u64;
        for ((_, bound), within) in BUCKETS.iter().zip(&histogram.within) {
            below = below.saturating_add(within.load(Relaxed));
            self.line(&bucket, &format!("{{stage=\"{stage}\",le=\"{bound}\"}}"), below);
        }
        // Read last, so that it is never below a bucket.
        let count = histogram.count.load(Relaxed).max(below);
        self.line(&bucket, &format!("{{stage=\"{stage}\",le=\"+Inf\"}}"), count);
        let labels = format!("{{stage=\"{stage}\"}}");
        self.line(&format!("{name}_sum"), &labels, seconds(histogram.sum_ns.load(Relaxed)));
        self.line(&format!("{name}_count"), &labels, count);
    }

    fn work(&mut self, work: WorkCounts) {
        self.head("palisade_work", "gauge", "Marks of work by state.");
        for (state, count) in
            [("dirty", work.dirty), ("leased", work.leased), ("future", work.future)]
        {
            self.line("palisade_work", &format!("{{state=\"{state}\"}}"), count);
        }
        self.head("palisade_work_oldest_seconds", "gauge", "Age of the oldest due mark.");
        self.line("palisade_work_oldest_seconds", "", work.oldest_seconds);
    }

    fn inventory(&mut self, ages: InventoryAges, now_ms: i64) {
        let name = "palisade_inventory_shards";
        self.head(name, "gauge", "Accounts and Regions of the organization with any inventory.");
        self.line(name, "", ages.shards);
        let name = "palisade_inventory_age_seconds";
        self.head(name, "gauge", "Age of what the newest delivery tells of an account and Region.");
        for (of, moment_ms) in [("oldest", ages.oldest_ms), ("newest", ages.newest_ms)] {
            if let Some(moment_ms) = moment_ms {
                let age_ms = now_ms.saturating_sub(moment_ms).max(0);
                self.line(name, &format!("{{of=\"{of}\"}}"), age_ms / 1_000);
            }
        }
    }

    fn store(&mut self, effort: Effort) {
        let name = "palisade_store_seconds";
        self.head(name, "summary", "Time of the store's transactions, whoever asked.");
        for (kind, ns, count) in
            [("read", effort.read_ns, effort.reads), ("write", effort.write_ns, effort.writes)]
        {
            let labels = format!("{{kind=\"{kind}\"}}");
            self.line(&format!("{name}_sum"), &labels, seconds(ns));
            self.line(&format!("{name}_count"), &labels, count);
        }
        let name = "palisade_store_write_wait_seconds_total";
        self.head(name, "counter", "Time for which writes waited for their turn.");
        self.line(name, "", seconds(effort.write_wait_ns));
        let name = "palisade_store_sync_seconds_total";
        self.head(name, "counter", "Time for which writes waited for the disk, many at once.");
        self.line(name, "", seconds(effort.sync_ns));
        for (name, help, bytes) in [
            ("palisade_store_bytes", "Size of the database.", effort.bytes),
            ("palisade_store_free_bytes", "Of these, bytes to be used again.", effort.free_bytes),
        ] {
            self.head(name, "gauge", help);
            self.line(name, "", bytes);
        }
    }
}

/// Nanoseconds as seconds, exactly.
fn seconds(ns: u64) -> String {
    let text = format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
