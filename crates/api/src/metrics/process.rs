//! What the server's process uses of its machine, by the names that Prometheus's own clients have.

use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// Figures of the process, as the system tells them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Process {
    /// When it began, seconds since the epoch.
    pub begun_secs: i64,
    /// Seconds of processor time.
    pub cpu_secs: f64,
    /// Memory that it holds, bytes.
    pub resident_bytes: i64,
    /// Threads.
    pub threads: i64,
    /// Open files and connections.
    pub open_files: i64,
}

/// Tells the figures, where the system tells them.
pub(super) fn of_process(to: &mut Registry, process: Option<Process>) {
    let Some(process) = process else { return };
    for (name, help, value) in [
        ("process_start_time_seconds", "When the server was started", process.begun_secs),
        ("process_resident_memory_bytes", "Memory that it holds", process.resident_bytes),
        ("process_threads", "Its threads", process.threads),
        ("process_open_fds", "Its open files and connections", process.open_files),
    ] {
        to.register(name, help, ConstGauge::new(value));
    }
    let help = "Processor time that it used";
    to.register("process_cpu_seconds", help, ConstCounter::new(process.cpu_secs));
}
