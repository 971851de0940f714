//! The page that a scraper reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use palisade_store::{Effort, InventoryAges};
use prometheus_client::encoding::prometheus_text::encode;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;

use super::process::of_process;
use super::{Asked, Labels, Metrics, NO_CERTIFICATE};
use crate::health::Unwell;
use crate::sources::Source;

impl Metrics {
    /// Everything counted, with what the store says now, where it could be asked.
    pub(crate) fn render(
        &self,
        asked: Option<&Asked>,
        unwell: &[Unwell],
        degraded: &[Unwell],
        sources: &BTreeMap<String, Source>,
        now_ms: i64,
    ) -> String {
        let mut now = Registry::default();
        for (name, help, parts) in [
            ("palisade_unwell", "Parts that keep the server from being ready", unwell),
            ("palisade_degraded", "Parts that are strained while the server is ready", degraded),
        ] {
            let parts = parts.iter().map(|unwell| (unwell.part, 1));
            gauges(&mut now, [name, "part", help], parts);
        }
        let edition = [(env!("CARGO_PKG_VERSION"), 1)];
        gauges(&mut now, ["palisade_build_info", "version", "The edition that answers"], edition);
        of_process(&mut now, *self.process.lock().unwrap_or_else(PoisonError::into_inner));
        of_sources(&mut now, sources, now_ms);
        let ends_ms = self.certificate_ends_ms.load(Relaxed);
        if ends_ms != NO_CERTIFICATE {
            let left = ConstGauge::new(ends_ms.saturating_sub(now_ms).div_euclid(1_000));
            let help = "Until the server's certificate is no longer good; below 0 since then";
            now.register("palisade_certificate_expires_seconds", help, left);
        }
        if let Some(Asked { work, ages, effort, keys, survey, now_ms }) = asked {
            let states = keys.iter().map(|(state, count)| (state.name(), *count));
            gauges(&mut now, ["palisade_keys", "state", "Access keys by state"], states);
            survey.tell(&mut now, *now_ms);
            let states = [("dirty", work.dirty), ("leased", work.leased), ("future", work.future)];
            gauges(&mut now, ["palisade_work", "state", "Marks of work by state"], states);
            let oldest = ConstGauge::new(work.oldest_seconds);
            now.register("palisade_work_oldest_seconds", "Age of the oldest due mark", oldest);
            of_inventory(&mut now, *ages, *now_ms);
            of_store(&mut now, *effort);
        }
        let mut page = String::new();
        // Writing to memory does not fail.
        let _ = encode(&mut page, &self.registry).and_then(|()| encode(&mut page, &now));
        if let Some(asked) = asked {
            let _ = summary(&mut page, asked.effort);
        }
        page
    }
}

/// A gauge with one label, of which each of these values is a series.
fn gauges(
    to: &mut Registry,
    [name, label, help]: [&'static str; 3],
    values: impl IntoIterator<Item = (&'static str, u64)>,
) {
    let family: Family<Labels<1>, Gauge> = Family::default();
    for (value, number) in values {
        family.get_or_create(&[(label, value)]).set(i64::try_from(number).unwrap_or(i64::MAX));
    }
    to.register(name, help, family);
}

/// Of each source its age, gaps and failures.
fn of_sources(to: &mut Registry, sources: &BTreeMap<String, Source>, at_ms: i64) {
    type ByName = Family<[(&'static str, String); 1], Gauge>;
    let mut series = |name: &str, help: &str, of: &dyn Fn(&Source) -> Option<i64>| {
        let family = ByName::default();
        for (name, source) in sources {
            let value = of(source);
            value.map(|value| family.get_or_create(&[("source", name.clone())]).set(value));
        }
        to.register(name, help, family);
    };
    if sources.is_empty() {
        return;
    }
    let number = |count: u64| Some(i64::try_from(count).unwrap_or(i64::MAX));
    series("palisade_source_age_seconds", "Since when a source was last read whole", &|source| {
        source.whole_ms.map(|ms| at_ms.saturating_sub(ms).max(0) / 1_000)
    });
    series("palisade_source_read_seconds", "How long its last reading took", &|source| {
        source.ended_ms.map(|_| source.took_ms / 1_000)
    });
    series("palisade_source_gaps", "What its last reading could not read", &|source| {
        number(source.gaps)
    });
    series("palisade_source_calls_failed", "Calls that failed since the start", &|source| {
        number(source.calls_failed)
    });
    series("palisade_source_backlog", "Messages that wait in its queue", &|source| {
        source.backlog.and_then(number)
    });
    series("palisade_source_set_aside", "What cannot be read, since the start", &|source| {
        number(source.set_aside)
    });
    series("palisade_source_accepted", "New states since the start", &|source| {
        number(source.accepted)
    });
}

fn of_inventory(to: &mut Registry, ages: InventoryAges, now_ms: i64) {
    let shards = ConstGauge::new(ages.shards);
    let help = "Accounts and Regions of the organization with any inventory";
    to.register("palisade_inventory_shards", help, shards);
    let seconds = |moment_ms: i64| now_ms.saturating_sub(moment_ms).max(0).unsigned_abs() / 1_000;
    let moments = [("oldest", ages.oldest_ms), ("newest", ages.newest_ms)];
    let ages = moments.into_iter().filter_map(|(of, ms)| ms.map(|ms| (of, seconds(ms))));
    let help = "Age of what the newest delivery tells of an account and Region";
    gauges(to, ["palisade_inventory_age_seconds", "of", help], ages);
}

fn of_store(to: &mut Registry, effort: Effort) {
    let seconds = |ns| ConstCounter::new(Duration::from_nanos(ns).as_secs_f64());
    to.register(
        "palisade_store_write_wait_seconds",
        "Time for which writes waited for their turn",
        seconds(effort.write_wait_ns),
    );
    to.register(
        "palisade_store_sync_seconds",
        "Time for which writes waited for the disk, many at once",
        seconds(effort.sync_ns),
    );
    let bytes = ConstGauge::new(effort.bytes);
    to.register("palisade_store_bytes", "Size of the database", bytes);
    let free = ConstGauge::new(effort.free_bytes);
    to.register("palisade_store_free_bytes", "Of these, bytes to be used again", free);
}

/// The one summary; prometheus-client has none.
fn summary(page: &mut String, effort: Effort) -> std::fmt::Result {
    let name = "palisade_store_seconds";
    writeln!(page, "# HELP {name} Time of the store's transactions, whoever asked.")?;
    writeln!(page, "# TYPE {name} summary")?;
    for (kind, ns, count) in
        [("read", effort.read_ns, effort.reads), ("write", effort.write_ns, effort.writes)]
    {
        let seconds = Duration::from_nanos(ns).as_secs_f64();
        writeln!(page, "{name}_sum{{kind=\"{kind}\"}} {seconds}")?;
        writeln!(page, "{name}_count{{kind=\"{kind}\"}} {count}")?;
    }
    Ok(())
}
