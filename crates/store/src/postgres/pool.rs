//! Connections that are lent out and come back.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::fault::Fault;
use super::session::{ANSWER, Server, Session};

/// Connections of one node; who comes when all are lent waits for one.
pub(super) const SESSIONS_MAX: usize = 16;
/// A connection that rested for longer is asked whether it still is one, before it is used.
const RESTED: Duration = Duration::from_secs(1);
/// How long one is waited for.
const TURN: Duration = Duration::from_secs(30);

/// Up to [`SESSIONS_MAX`] connections to one server.
pub(super) struct Pool {
    server: Arc<Server>,
    held: Mutex<Held>,
    returned: Condvar,
}

#[derive(Default)]
struct Held {
    idle: Vec<Session>,
    /// INVARIANT: at most [`SESSIONS_MAX`].
    lent: usize,
}

/// A connection that goes back when it is let go, unless it is broken.
pub(super) struct Lent<'p> {
    pool: &'p Pool,
    /// `None` until there is one.
    session: Option<Session>,
}

impl Lent<'_> {
    /// The connection.
    pub fn session(&self) -> Result<&Session, Fault> {
        let none = || Fault::last(&self.pool.server.place, "no connection is lent");
        self.session.as_ref().ok_or_else(none)
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let session = self.session.take().filter(Session::is_usable);
        let mut held = self.pool.held();
        held.lent = held.lent.saturating_sub(1);
        held.idle.extend(session);
        drop(held);
        self.pool.returned.notify_one();
    }
}

impl Pool {
    pub fn of(server: Arc<Server>) -> Pool {
        Pool { server, held: Mutex::default(), returned: Condvar::new() }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that works, as far as is known.
    ///
    /// # Errors
    /// None can be made, or all stayed lent.
    pub fn lend(&self) -> Result<Lent<'_>, Fault> {
        let until = Instant::now() + TURN;
        let mut held = self.held();
        while held.lent >= SESSIONS_MAX {
            let Some(left) = until.checked_duration_since(Instant::now()) else {
                let why =
                    format!("all {SESSIONS_MAX} connections have been in use for a long time");
                return Err(Fault::last(&self.server.place, why));
            };
            let waited = self.returned.wait_timeout(held, left);
            held = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        held.lent = held.lent.saturating_add(1);
        drop(held);
        let mut lent = Lent { pool: self, session: None };
        lent.session = Some(self.session()?);
        Ok(lent)
    }

    fn session(&self) -> Result<Session, Fault> {
        loop {
            let Some(session) = self.held().idle.pop() else { break };
            let answers = |session: &Session| session.wait(session.client.check_connection());
            let is_fine = session.rested() < RESTED || answers(&session).is_ok();
            if session.is_usable() && is_fine {
                return Ok(session);
            }
        }
        self.server.connect(ANSWER)
    }
}
