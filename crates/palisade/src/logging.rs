//! The log on standard error. Lines are written by a thread of their own: no call waits for whoever
//! reads them, and none fails where they cannot be written.
//!
//! ```text
//! calls, rounds ─ a line each ─► queue (bounded) ─► thread ─► standard error
//!                                   full: lost, counted      fails: lost, counted, tried every second
//! ```

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::printable::escaped;
use crate::secrets::masked;

/// Lines that wait to be written; what comes when so many do is lost, and counted.
pub const LINES_MAX: usize = 4_096;
/// Bytes of one line; the rest of a longer one is left out.
pub const LINE_SIZE_MAX: usize = 16 * 1024;

/// How often it is tried again to write, while that fails.
const RETRY: Duration = Duration::from_secs(1);
/// From when on a line that is being written is told to be stuck.
const STUCK: Duration = Duration::from_secs(3);
/// How long the end of the program waits for the last lines.
const FLUSH: Duration = Duration::from_secs(2);
/// How often it is looked whether there is room for asking that.
const FLUSH_LOOK: Duration = Duration::from_millis(5);

static LOG: OnceLock<Log> = OnceLock::new();

/// Logs to standard error, `level` and above unless `PALISADE_LOG` says otherwise. A second start in
/// one process, as in tests, keeps the first.
pub fn start(level: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("PALISADE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    let log = LOG.get_or_init(|| Log::to(io::stderr()));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Colors are escapes, which no line may hold: nobody could tell ours from a caller's.
        .with_ansi(false)
        .log_internal_errors(false)
        .with_writer(|| Line(log));
    if subscriber.try_init().is_ok() {
        // The hook that comes with Rust writes to standard error itself, and would wait for it.
        std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "a thread panicked")));
    }
}

/// Why lines are lost just now; `None` where they are not, or none are written.
pub fn failing() -> Option<String> {
    let log = LOG.get()?;
    if tracing::level_filters::LevelFilter::current() == tracing::level_filters::LevelFilter::OFF {
        return None;
    }
    log.failing().or_else(hung_up)
}

/// How many lines were lost since the program began.
pub fn lost() -> u64 {
    LOG.get().map_or(0, |log| log.state.lost.load(Relaxed))
}

/// Returns when the lines so far are written, or not in time.
pub fn flush() {
    if let Some(log) = LOG.get() {
        log.flush(FLUSH);
    }
}

/// Whether nobody reads what is written, though nothing was just now.
#[cfg(unix)]
fn hung_up() -> Option<String> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stderr = io::stderr();
    let mut asked = [PollFd::new(&stderr, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut asked, Some(&at_once)).ok()?;
    let told = asked.first()?.revents();
    let is_gone = told.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL);
    is_gone.then(|| "nobody reads standard error any more".to_owned())
}

#[cfg(not(unix))]
fn hung_up() -> Option<String> {
    None
}

/// Where lines go.
struct Log {
    queue: SyncSender<Entry>,
    state: Arc<State>,
}

enum Entry {
    Line(String),
    /// All before it is written, or lost.
    Flush(SyncSender<()>),
}

#[derive(Default)]
struct State {
    lost: AtomicU64,
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    /// Why the last line was not written.
    failed: Option<String>,
    /// Since when a line is being written.
    writing: Option<Instant>,
    /// Whether lines were lost because too many waited.
    overflowed: bool,
    has_ended: bool,
}

impl State {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn to(out: impl io::Write + Send + 'static) -> Log {
        let (queue, lines) = sync_channel(LINES_MAX);
        let state = Arc::new(State::default());
        let mut writing = Writing { out, state: state.clone(), untold: 0, torn: false };
        let thread = thread::Builder::new().name("log-lines".to_owned());
        let ended = Ended(state.clone());
        let spawned = thread.spawn(move || {
            let _ended = ended;
            writing.run(&lines);
        });
        // Without its thread nothing is written, which is told; `ended` went with the closure.
        drop(spawned);
        Log { queue, state }
    }

    fn push(&self, line: String) {
        if self.queue.try_send(Entry::Line(line)).is_err() {
            self.state.lost.fetch_add(1, Relaxed);
            self.state.now().overflowed = true;
        }
    }

    fn failing(&self) -> Option<String> {
        let now = self.state.now();
        if now.has_ended {
            return Some("the thread that writes it has ended; start the server again".to_owned());
        }
        if let Some(stuck) = now.writing.map(|since| since.elapsed()).filter(|long| *long >= STUCK)
        {
            return Some(format!("a line is not taken since {} s", stuck.as_secs()));
        }
        now.failed.clone()
    }

    fn flush(&self, patience: Duration) {
        let begun = Instant::now();
        let (done, is_done) = sync_channel(1);
        while self.queue.try_send(Entry::Flush(done.clone())).is_err() {
            if begun.elapsed() >= patience {
                return;
            }
            thread::sleep(FLUSH_LOOK);
        }
        let _ = is_done.recv_timeout(patience.saturating_sub(begun.elapsed()));
    }
}

/// Notes the end of the thread, by a panic too.
struct Ended(Arc<State>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.now().has_ended = true;
    }
}

struct Writing<W> {
    out: W,
    state: Arc<State>,
    /// Lines lost of which the log does not tell yet.
    untold: u64,
    /// Whether the last line was written in part.
    torn: bool,
}

impl<W: io::Write> Writing<W> {
    fn run(&mut self, lines: &Receiver<Entry>) {
        loop {
            let is_failing = self.state.now().failed.is_some();
            let entry = match is_failing {
                true => lines.recv_timeout(RETRY),
                false => lines.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match entry {
                Ok(Entry::Line(line)) => self.line(&line),
                Ok(Entry::Flush(done)) => {
                    let _ = done.try_send(());
                }
                // Nobody writes: whether it could be written is only told by trying.
                Err(RecvTimeoutError::Timeout) => {
                    let _ = self.tell_lost();
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn line(&mut self, line: &str) {
        let overflowed = std::mem::take(&mut self.state.now().overflowed);
        let told = if overflowed || self.untold > 0 { self.tell_lost() } else { Ok(()) };
        if told.and_then(|()| self.write(line)).is_err() {
            self.state.lost.fetch_add(1, Relaxed);
            self.untold = self.untold.saturating_add(1);
        }
    }

    /// Tells how many lines were lost so far: a gap in a log must show.
    fn tell_lost(&mut self) -> io::Result<()> {
        let why = self.state.now().failed.clone();
        let why = why.unwrap_or_else(|| "more came than were taken".to_owned());
        let lost = self.state.lost.load(Relaxed);
        let begin = if self.torn { "\n" } else { "" };
        self.write(&format!(
            "{begin}{lost} lines of this log were lost so far: {}",
            escaped(&why)
        ))?;
        self.untold = 0;
        Ok(())
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        self.state.now().writing = Some(Instant::now());
        let text = format!("{line}\n");
        let written = whole(&mut self.out, text.as_bytes());
        let mut now = self.state.now();
        now.writing = None;
        match written {
            Ok(()) => {
                (now.failed, self.torn) = (None, false);
                Ok(())
            }
            Err((error, some)) => {
                now.failed = Some(error.to_string());
                self.torn |= some > 0;
                Err(error)
            }
        }
    }
}

/// Writes all; or answers why not, and how much.
fn whole(out: &mut impl io::Write, bytes: &[u8]) -> Result<(), (io::Error, usize)> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let done = bytes.len().saturating_sub(rest.len());
        match out.write(rest) {
            Ok(0) => return Err((io::ErrorKind::WriteZero.into(), done)),
            Ok(some) => rest = rest.get(some..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((error, done)),
        }
    }
    out.flush().map_err(|error| (error, bytes.len()))
}

/// One event on its way to the queue, as tracing writes it: whole, with a line break behind it.
struct Line(&'static Log);

impl io::Write for Line {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.0.push(shown(&String::from_utf8_lossy(event)));
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An event as one line, of bounded length, without what is hidden or secret.
fn shown(event: &str) -> String {
    let event = event.strip_suffix('\n').unwrap_or(event);
    let end = event.floor_char_boundary(LINE_SIZE_MAX.min(event.len()));
    let cut = event.get(..end).unwrap_or(event);
    let mut line = escaped(&masked(cut)).into_owned();
    if cut.len() < event.len() {
        line.push_str(" …");
    }
    line
}

#[cfg(test)]
mod tests;
