//! Looks at the clock now and then, and tells when it is wrong: what is kept must not go, and work must
//! not wait, because of it ([`palisade_store::Clock`]).

use std::time::{Duration, Instant};

use palisade_api::App;
use palisade_store::{Clock, JUMP_MS_MAX, SET_BACK_MS_MAX, StoreError};

/// How often the clock is looked at when nothing seems wrong with it.
const LOOK: Duration = Duration::from_secs(60);
/// How often while something does.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How long a clock is told of that is behind what it said, and no delivery told otherwise: whoever set it
/// meant it then.
const BEHIND_TOLD: Duration = Duration::from_secs(10 * 60);

/// When the clock was last looked at, and what it said.
pub struct Timekeeper {
    looked: Instant,
    wall_ms: i64,
    clock: Clock,
    /// When the clock was found to be behind, and what was known by then.
    behind: Option<(Instant, i64)>,
}

impl Timekeeper {
    /// Looks at the clock of a server that starts.
    ///
    /// # Errors
    /// The store's.
    pub fn start(app: &App) -> Result<Timekeeper, StoreError> {
        let (looked, wall_ms) = (Instant::now(), app.clock.now_ms());
        let clock = app.store.look_at_clock(wall_ms, 0)?;
        let mut time = Timekeeper { looked, wall_ms, clock: Clock::default(), behind: None };
        time.note(app, clock, wall_ms);
        Ok(time)
    }

    /// Whether it is time to look again: a minute later, or at once where the clock stepped.
    pub fn is_due(&self, now_ms: i64) -> bool {
        let passed_ms = millis(self.looked.elapsed());
        let step_ms = now_ms.saturating_sub(self.wall_ms).saturating_sub(passed_ms);
        let is_usual = (-SET_BACK_MS_MAX..=JUMP_MS_MAX).contains(&step_ms);
        let is_wrong = self.why().is_some();
        self.looked.elapsed() >= if is_wrong { LOOK_AGAIN } else { LOOK } || !is_usual
    }

    /// Looks again.
    ///
    /// # Errors
    /// The store's.
    pub fn look(&mut self, app: &App) -> Result<(), StoreError> {
        let passed = self.looked.elapsed();
        let now_ms = app.clock.now_ms();
        let clock = app.store.look_at_clock(now_ms, millis(passed))?;
        self.note(app, clock, now_ms);
        Ok(())
    }

    fn note(&mut self, app: &App, clock: Clock, now_ms: i64) {
        tell(app, &clock, &self.clock);
        (self.looked, self.wall_ms, self.clock) = (Instant::now(), now_ms, clock);
        if clock.behind_ms > 0 {
            self.behind = Some((self.looked, now_ms.saturating_add(clock.behind_ms)));
        }
        let still = |(at, known_ms): &(Instant, i64)| {
            at.elapsed() < BEHIND_TOLD && now_ms < known_ms.saturating_sub(SET_BACK_MS_MAX)
        };
        self.behind = self.behind.filter(still);
        app.health.degrade("clock", self.why());
    }

    /// Why the clock is not believed, or should not be.
    fn why(&self) -> Option<String> {
        let ahead_ms = self.clock.ahead_ms;
        if ahead_ms > 0 {
            return Some(format!(
                "the clock is {} hours ahead of anything stored: check it; nothing is dropped for its \
                 age until a delivery of AWS Config tells of that time",
                ahead_ms / (60 * 60 * 1_000)
            ));
        }
        let (_, known_ms) = self.behind?;
        let seconds = known_ms.saturating_sub(self.wall_ms) / 1_000;
        Some(format!("the clock is {seconds} s behind what it or a delivery said before: check it"))
    }

    /// The moment by whose distance things are old enough to be dropped.
    pub fn believed_ms(&self) -> i64 {
        self.clock.believed_ms
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn tell(app: &App, clock: &Clock, before: &Clock) {
    app.metrics.clock_ahead(clock.ahead_ms);
    if clock.set_back_ms > 0 {
        let seconds = clock.set_back_ms / 1_000;
        tracing::warn!(seconds, "the clock was set back: everything is judged again");
    }
    if clock.ahead_ms > 0 && before.ahead_ms == 0 {
        let hours = clock.ahead_ms / (60 * 60 * 1_000);
        tracing::warn!(
            hours,
            "the clock is far ahead of anything stored: nothing is dropped for its age until a \
             delivery of AWS Config tells of that time; check the clock"
        );
    }
    if clock.ahead_ms == 0 && before.ahead_ms > 0 {
        tracing::info!("the clock is believed again");
    }
}
