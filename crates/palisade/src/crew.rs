//! Who does due work: one who leads, and a helper while there is more than one can do.
//!
//! ```text
//! lead: gather ─ round ─ round ─ … ─ rest until woken      a round: lease ─ judge ─ settle
//! help:      (more than a round takes) ─ round ─ …         meanwhile: prolong its leases
//! ```

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use palisade_api::App;
use palisade_store::{Lease, StoreError};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, interval_at};

use crate::stop::until;
use crate::timekeeper::Timekeeper;
use crate::worker::{self, Judging, LEASE_MS};

/// How long the worker rests when nothing is due and nobody wakes it: work that time alone makes
/// due is found this late at most.
const REST: Duration = Duration::from_secs(1);
/// How long work that was marked waits at most for more to come while deliveries are under way: to
/// judge the shards of many together costs one settlement, and one wait for the disk.
const GATHERING: Duration = Duration::from_millis(50);
/// How often it is looked whether they still are.
const GATHERING_LOOK: Duration = Duration::from_millis(5);
/// How often old history and audit are dropped.
const EXPIRY: Duration = Duration::from_secs(60 * 60);
/// After how many times a round's leases were prolonged it is told that it takes long.
const LONG: u32 = 100;
/// How long rounds may fail before that is told of the server.
const FAILING: Duration = Duration::from_secs(5);
/// How often the leases of a round under way are prolonged: two such may fail before one ends.
pub const PROLONGING: Duration = Duration::from_millis(LEASE_MS.unsigned_abs() / 3);

/// How long the past is kept, milliseconds; `None` is for ever.
#[derive(Clone, Copy)]
pub struct Keep {
    /// Of history.
    pub history_ms: Option<i64>,
    /// Of the audit log.
    pub audit_ms: Option<i64>,
}

/// Those who work.
pub struct Crew {
    app: Arc<App>,
    judging: Judging,
    keep: Keep,
    prolonging: Duration,
    /// Told when a round finds more than it takes.
    more: Notify,
    /// Since when every round failed.
    failing: Mutex<Option<Instant>>,
}

/// A round that failed: it has been told why.
struct Failed;

impl Crew {
    /// Those that do the work of `app`; leases are prolonged once in `prolonging`, which is
    /// [`PROLONGING`] outside of tests.
    #[must_use]
    pub fn new(app: Arc<App>, judging: Judging, keep: Keep, prolonging: Duration) -> Arc<Crew> {
        Arc::new(Crew {
            app,
            judging,
            keep,
            prolonging,
            more: Notify::new(),
            failing: Mutex::default(),
        })
    }

    /// Does due work, round after round, until told to stop.
    pub async fn work(self: Arc<Self>, time: Timekeeper, stopped: watch::Receiver<bool>) {
        tokio::join!(self.lead(time, &stopped), self.help(&stopped));
    }

    /// Does due work and what comes with time.
    async fn lead(self: &Arc<Self>, time: Timekeeper, stopped: &watch::Receiver<bool>) {
        let time = Arc::new(Mutex::new(time));
        let mut expiry = Instant::now();
        let mut backlog = false;
        while !*stopped.borrow() {
            self.app.metrics.stepped();
            if kept(&time).is_due(self.app.clock.now_ms()) {
                look(&self.app, &time).await;
            }
            if Instant::now() >= expiry {
                let believed_ms = kept(&time).believed_ms();
                expire(&self.app, self.keep, believed_ms).await;
                expiry += EXPIRY;
            }
            if !backlog {
                gather(&self.app).await;
            }
            let done = self.round().await;
            backlog = matches!(done, Ok(done) if done >= worker::LEASE_SHARDS_MAX);
            match done {
                Err(Failed) => rest(stopped).await,
                Ok(0) => tokio::select! {
                    () = self.app.wake.notified() => {}
                    () = rest(stopped) => {}
                },
                Ok(_) => {}
            }
        }
    }

    /// While there is more due than one round takes, does a second at the same time: it loads and
    /// judges while the other settles.
    async fn help(self: &Arc<Self>, stopped: &watch::Receiver<bool>) {
        while !*stopped.borrow() {
            tokio::select! {
                () = self.more.notified() => {}
                () = until(stopped.clone()) => continue,
            }
            while !*stopped.borrow() {
                match self.round().await {
                    Ok(done) if done >= worker::LEASE_SHARDS_MAX => {}
                    Ok(_) => break,
                    // Told of more by that round itself, it would go on at once.
                    Err(Failed) => rest(stopped).await,
                }
            }
        }
    }

    /// One round of due work, whose leases last until it ends. Answers how much it did.
    async fn round(self: &Arc<Self>) -> Result<usize, Failed> {
        let held: Arc<Mutex<Vec<Lease>>> = Arc::default();
        let (crew, taken) = (self.clone(), held.clone());
        let mut busy = tokio::task::spawn_blocking(move || {
            let Crew { app, judging, more, .. } = &*crew;
            let leased = |leases: &[Lease]| {
                *taken.lock().unwrap_or_else(PoisonError::into_inner) = leases.to_vec();
                if leases.len() >= worker::LEASE_SHARDS_MAX {
                    more.notify_one();
                }
            };
            let (view, clock) = (|| app.view(), || app.clock.now_ms());
            worker::measured_round(
                &*app.store,
                &view,
                judging.clone(),
                &clock,
                &app.metrics,
                &app.health,
                &leased,
            )
        });
        let mut prolonging = interval_at(Instant::now() + self.prolonging, self.prolonging);
        let mut prolonged = 0_u32;
        let ended = loop {
            tokio::select! {
                ended = &mut busy => break ended,
                _ = prolonging.tick() => self.prolong(held.clone()).await,
            }
            prolonged = prolonged.saturating_add(1);
            if prolonged.is_multiple_of(LONG) {
                let seconds = (self.prolonging * prolonged).as_secs();
                tracing::warn!(seconds, "a round of work takes very long");
            }
        };
        let error = match ended {
            Ok(Ok(done)) => {
                self.note(None);
                return Ok(done);
            }
            Ok(Err(error)) => error.to_string(),
            Err(error) => format!("it ended early: {error}"),
        };
        self.note(Some(&error));
        tracing::error!(error, "a round of work failed; it is tried again");
        Err(Failed)
    }

    /// Notes how a round ended. That of one shard fails now and then is told by the log and counted;
    /// where round after round fails, nothing is judged any more.
    fn note(&self, failure: Option<&str>) {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(failure) = failure else {
            *failing = None;
            self.app.health.note("rounds", None);
            return;
        };
        let since = failing.get_or_insert_with(Instant::now).elapsed();
        if since >= FAILING {
            let why = format!("nothing is judged for {} s: {failure}", since.as_secs());
            self.app.health.note("rounds", Some(why));
        }
    }

    async fn prolong(self: &Arc<Self>, held: Arc<Mutex<Vec<Lease>>>) {
        let app = self.app.clone();
        let prolonged = tokio::task::spawn_blocking(move || {
            let leases = held.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let until_ms = app.clock.now_ms().saturating_add(LEASE_MS);
            if leases.is_empty() { Ok(()) } else { app.store.prolong(&leases, until_ms) }
        });
        match prolonged.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "leases could not be prolonged"),
            Err(error) => tracing::error!(%error, "leases could not be prolonged"),
        }
    }
}

/// Until there may be something to do by time alone, or it is time to stop.
async fn rest(stopped: &watch::Receiver<bool>) {
    tokio::select! {
        () = tokio::time::sleep(REST) => {}
        () = until(stopped.clone()) => {}
    }
}

/// Waits for the deliveries that are under way, but not for long: others may follow without end.
async fn gather(app: &App) {
    let mut waited = Duration::ZERO;
    while waited < GATHERING && app.is_taking_in() {
        tokio::time::sleep(GATHERING_LOOK).await;
        waited += GATHERING_LOOK;
    }
}

/// Looks at the clock; a look that fails is taken again.
async fn look(app: &Arc<App>, time: &Arc<Mutex<Timekeeper>>) {
    let (app, time) = (app.clone(), time.clone());
    let looked = tokio::task::spawn_blocking(move || kept(&time).look(&app));
    match looked.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "what the clock says could not be noted"),
        Err(error) => tracing::error!(%error, "what the clock says could not be noted"),
    }
}

fn kept(time: &Mutex<Timekeeper>) -> MutexGuard<'_, Timekeeper> {
    time.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn expire(app: &Arc<App>, keep: Keep, believed_ms: i64) {
    let app = app.clone();
    let expired = tokio::task::spawn_blocking(move || {
        let before_ms = |keep_ms: i64| believed_ms.saturating_sub(keep_ms);
        let history = keep.history_ms.map(|ms| app.store.expire(before_ms(ms))).transpose()?;
        let audit = keep.audit_ms.map(|ms| app.store.expire_audit(before_ms(ms))).transpose()?;
        Ok::<_, StoreError>((history, audit))
    });
    match expired.await {
        Ok(Ok((history, audit))) => tracing::debug!(history, audit, "old rows dropped"),
        Ok(Err(error)) => tracing::error!(%error, "old rows could not be dropped"),
        Err(error) => tracing::error!(%error, "old rows could not be dropped"),
    }
}
