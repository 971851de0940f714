//! Watches what a server depends on, on a thread of its own, once a second: whether the log is
//! written, the store takes writes, judging moves, files can be opened, the clock keeps time. What is
//! found shows in `/readyz` ([`palisade_api::health`]), and so does the end of the watch itself.

mod clock;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use palisade_api::App;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::edge::tls::Tls;
use crate::logging;
use crate::system::{self, Room};
use clock::ClockWatch;

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(1);
/// After how long without a look the watch counts as stuck: something that it asks does not answer.
const LOOK_PATIENCE: Duration = Duration::from_secs(6);
/// How often it is looked whether the thread has ended.
const END_LOOK: Duration = Duration::from_millis(2);
/// How long judging may stand still. The longest step is one shard's, or one settlement.
pub const STILL: Duration = Duration::from_secs(30);

/// What is measured, and keeps no server from being well.
#[derive(Default)]
pub struct Beside {
    /// Folders of which the disk's room is told, each by a name.
    pub disks: Vec<(&'static str, PathBuf)>,
    /// The server's certificate.
    pub tls: Option<Arc<Tls>>,
}

/// A watch that goes on until this is stopped or dropped.
pub struct Watch {
    until: Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl Watch {
    /// Watches over a server, and its worker if it `judges`.
    ///
    /// # Errors
    /// The system has no thread for it.
    pub fn start(app: Arc<App>, judges: bool, beside: Beside) -> io::Result<Watch> {
        let (until, ended) = channel();
        let looking = Looking::new(app, judges, beside);
        let named = thread::Builder::new().name("watch".to_owned());
        let thread = named.spawn(move || looking.run(&ended))?;
        Ok(Watch { until, thread })
    }

    /// Ends it, and waits for that no longer than `patience`: what it asks may not answer.
    pub async fn stop(self, patience: Duration) {
        let Watch { until, thread } = self;
        drop(until);
        let ends = async {
            while !thread.is_finished() {
                tokio::time::sleep(END_LOOK).await;
            }
        };
        let _ = tokio::time::timeout(patience, ends).await;
    }
}

struct Looking {
    app: Arc<App>,
    judges: bool,
    clock: ClockWatch,
    beside: Beside,
    steps: u64,
    stepped: Instant,
    /// Seconds since the epoch.
    begun_secs: i64,
}

impl Looking {
    fn new(app: Arc<App>, judges: bool, beside: Beside) -> Looking {
        let clock = ClockWatch::start(app.clock.now_ms());
        let begun_secs = app.clock.now_ms() / 1_000;
        Looking { app, judges, clock, beside, steps: 0, stepped: Instant::now(), begun_secs }
    }

    fn run(mut self, ended: &Receiver<()>) {
        loop {
            self.app.health.moves("watch", LOOK_PATIENCE);
            self.look();
            match ended.recv_timeout(LOOK) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn look(&mut self) {
        self.app.metrics.log_lost(logging::lost());
        let unwritten = |why| format!("the log cannot be written: {why}");
        self.note("log", logging::failing().map(unwritten));
        self.note("files", unopened());
        self.measure();
        let now_ms = self.app.clock.now_ms();
        let clock = self.clock.look(now_ms);
        self.note("clock", clock);
        let judging = self.judging();
        self.note("judging", judging);
        // Last: it may be the one that does not answer.
        self.note("store", self.app.store.probe().err().map(|error| causes(&error)));
        if let Ok(view) = self.app.view() {
            self.app.health.degrade("policies", left_out(view.left_out()));
        }
    }

    /// What those look at who are to be woken before anything fails.
    fn measure(&self) {
        for (name, folder) in &self.beside.disks {
            if let Some(Room { bytes, free_bytes }) = Room::at(folder) {
                self.app.metrics.disk(name, bytes, free_bytes);
            }
        }
        self.app.metrics.process(system::process(self.begun_secs));
        let ends_ms = self.beside.tls.as_ref().and_then(|tls| tls.ends_ms());
        self.app.metrics.certificate_ends(ends_ms);
    }

    /// Whether the worker looks for work and gets on with what it finds.
    fn judging(&mut self) -> Option<String> {
        let steps = self.app.metrics.steps();
        if steps != self.steps {
            (self.steps, self.stepped) = (steps, Instant::now());
        }
        let still = self.stepped.elapsed();
        (self.judges && still > STILL).then(|| {
            format!(
                "the worker has neither looked for work nor got on with any for {} s; start the \
                 server again if that goes on",
                still.as_secs()
            )
        })
    }

    fn note(&self, part: &'static str, why: Option<String>) {
        let told = why.clone();
        let is_news = self.app.health.note(part, why);
        match told {
            Some(why) if is_news => tracing::error!(part, why, "not well"),
            None if is_news => tracing::info!(part, "well again"),
            Some(_) | None => {}
        }
    }
}

/// What is told of policies that nothing is judged by.
fn left_out(policies: usize) -> Option<String> {
    (policies > 0).then(|| {
        format!(
            "{policies} stored policies cannot be parsed by this edition: nothing is judged by them; the log \
             names them"
        )
    })
}

/// An error with its causes, in one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        // Many errors tell their cause themselves.
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    line
}

/// Why no file can be opened, as when the process has as many open as it may.
fn unopened() -> Option<String> {
    let anything = if cfg!(unix) { "/dev/null" } else { "NUL" };
    let error = std::fs::File::open(anything).err()?;
    // A container may lack it: that says nothing of others.
    let is_missing =
        matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied);
    (!is_missing).then(|| format!("no file or connection can be opened: {error}"))
}

/// A task that a server cannot do without: where it ends, by a panic too, before it was to stop,
/// `/readyz` names it.
pub fn watched(
    app: &Arc<App>,
    part: &'static str,
    stopped: watch::Receiver<bool>,
    task: impl Future<Output = ()> + Send + 'static,
) -> JoinHandle<()> {
    let end = End { app: app.clone(), part, stopped };
    tokio::spawn(async move {
        let _end = end;
        task.await;
    })
}

struct End {
    app: Arc<App>,
    part: &'static str,
    stopped: watch::Receiver<bool>,
}

impl Drop for End {
    fn drop(&mut self) {
        if !*self.stopped.borrow() {
            self.app.health.ended(self.part);
            tracing::error!(part = self.part, "a task ended that the server cannot do without");
        }
    }
}

#[cfg(test)]
mod tests;
