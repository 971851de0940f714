//! What the program hands over once: the store, the clock, the source of random bytes, the settings.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use palisade_core::ident::Region;
use palisade_core::inventory::Assumed;
use palisade_core::policy::Quotas;
use palisade_store::{AuditEvent, ControlChange, Span, Store, StoreError};
use palisade_wire::{ErrorKind, Fault};
use tokio::sync::{Notify, Semaphore};

use crate::budget::{Budget, PROVEN_BYTES_MAX, UNPROVEN_BYTES_MAX};
use crate::buffers::{Buffers, DELIVERIES_AT_ONCE_MAX};
use crate::entropy::Entropy;
use crate::health::Health;
use crate::inflate::Bounds;
use crate::metrics::{Metrics, Surveys};
use crate::pages::Sealer;
use crate::remembered::Remembered;
use crate::sources::Sources;
use crate::throttle::{Rate, Throttle};
use crate::usage::Uses;
use crate::vault::Vault;
use crate::view::{ControlView, Desk};

/// Compressed bytes of one delivered file, unless the settings say otherwise: 4 GiB.
pub const INGEST_SIZE_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// Bytes a second of a delivery, unless the settings say otherwise: slower ones would hold their turn
/// for hours.
pub const INGEST_PACE_MIN: u64 = 4 * 1024;
/// Bytes of all deliveries that wait in files, unless the settings say otherwise: as much as those
/// that are under way may have, 16 GiB.
pub const SPOOL_SIZE_MAX: u64 = INGEST_SIZE_MAX * DELIVERIES_AT_ONCE_MAX as u64;
/// Changes of the control state that wait for each other or are decided; one more is to come again
/// rather than to wait for seconds.
pub const WRITES_WAITING_MAX: usize = 64;
/// Previews that are made at once: each judges with all processors.
pub(crate) const PREVIEWS_AT_ONCE_MAX: usize = 2;
/// How often a change is decided again because somebody else changed the control state meanwhile.
const ATTEMPTS_MAX: usize = 32;

/// Tells the time. Given by the binary; nothing below it asks the system.
pub trait Clock: Send + Sync {
    /// Milliseconds since the epoch.
    fn now_ms(&self) -> i64;
}

/// Who is believed to be calling.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Auth {
    /// For development: any signature. A 12-digit access key id is the account; any other key or
    /// none is the operator.
    Open,
    /// Keys of the store, every call signed.
    SigV4 {
        /// How far a call's moment may be from now, each way, milliseconds (semantics §10 row 23).
        window_ms: i64,
    },
}

/// What an operator may set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who is believed to be calling.
    pub auth: Auth,
    /// Whether open authentication answers requests for any host: a page of another site may have
    /// its name point to this machine, and browsers take it for the page's own server then.
    pub any_host: bool,
    /// Quotas, by default AWS's but for counts of accounts.
    pub quotas: Quotas,
    /// Folder of the temporary files in which deliveries wait until they are authentic.
    pub spool: PathBuf,
    /// Compressed bytes of one delivery.
    pub ingest_size_max: u64,
    /// How much a delivery may inflate.
    pub inflate: Bounds,
    /// How long the body of a call may take to arrive, and the answer to be made; deliveries apart.
    pub request_deadline: Duration,
    /// How long the answer to a preview may take, which judges a whole organization.
    pub unhurried_deadline: Duration,
    /// How long the sender of a delivery may stay silent.
    pub ingest_silence: Duration,
    /// How long a delivery waits for its turn before its sender is told to come again.
    pub ingest_wait: Duration,
    /// Bytes a second that the sender of a delivery keeps up, once it took longer than
    /// `ingest_silence`.
    pub ingest_pace_min: u64,
    /// Bytes of all deliveries that wait in files.
    pub spool_size_max: u64,
    /// Bytes that wait to be found authentic, of all connections together.
    pub unproven_bytes_max: usize,
    /// How often one access key may call; `None` is as often as it likes.
    pub rate: Option<Rate>,
    /// How long onboarding and offboarding an administrator takes to be seen, milliseconds
    /// (semantics §9 row 48).
    pub onboarding_ms: i64,
    /// Partition in ARNs: `aws`, `aws-cn`, `aws-us-gov`, `aws-eusc`.
    pub partition: String,
    /// What seals the secrets of access keys, and sessions. Without one no keys can be made here, sealed
    /// ones not be used, and nobody sign in.
    pub vault: Option<Arc<Vault>>,
    /// Whether callers reach the server by TLS, its own or that of a proxy in front of it.
    pub over_tls: bool,
    /// The age at which inventory counts as stale, milliseconds; `None` is never. Judging has its own copy:
    /// this one is for those who tell of ages.
    pub stale_after_ms: Option<i64>,
    /// Types that count as recorded, whatever was delivered: as `stale_after_ms`, for those who explain.
    pub assumed: Assumed,
}

impl Settings {
    /// The defaults, with deliveries spooled in `spool`.
    pub fn new(auth: Auth, spool: PathBuf) -> Self {
        Settings {
            auth,
            any_host: true,
            quotas: Quotas::default(),
            spool,
            ingest_size_max: INGEST_SIZE_MAX,
            inflate: Bounds::default(),
            request_deadline: Duration::from_secs(30),
            unhurried_deadline: Duration::from_secs(600),
            ingest_silence: Duration::from_secs(60),
            ingest_wait: Duration::from_secs(20),
            ingest_pace_min: INGEST_PACE_MIN,
            spool_size_max: SPOOL_SIZE_MAX,
            unproven_bytes_max: UNPROVEN_BYTES_MAX,
            rate: None,
            onboarding_ms: 0,
            partition: "aws".to_owned(),
            vault: None,
            over_tls: false,
            stale_after_ms: None,
            assumed: Assumed::Nothing,
        }
    }

    /// The Region that alone takes operations on administrators (semantics §1.4).
    pub fn home_region(&self) -> &'static str {
        match self.partition.as_str() {
            "aws-us-gov" => "us-gov-west-1",
            "aws-eusc" => "eusc-de-east-1",
            "aws-cn" => "cn-north-1",
            _ => Region::HOME_OF_GLOBAL,
        }
    }
}

/// Everything that answering needs.
pub struct App {
    /// Durable state. Its calls block: they run on threads that may.
    pub store: Arc<dyn Store>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// What the operator set.
    pub settings: Settings,
    /// Poked whenever work was marked.
    pub wake: Notify,
    /// Counts and times of every stage.
    pub metrics: Metrics,
    /// What keeps the server from being well.
    pub health: Health,
    /// What is read by itself.
    pub sources: Sources,
    pub(crate) deliveries: Arc<Semaphore>,
    pub(crate) previews: Arc<Semaphore>,
    /// Bytes of deliveries that wait in files.
    pub(crate) spooled: Arc<AtomicU64>,
    /// What bodies hold of which anybody may be the sender.
    pub(crate) unproven: Arc<Budget>,
    /// What bodies hold of which the head is signed.
    pub(crate) proven: Arc<Budget>,
    pub(crate) buffers: Buffers,
    pub(crate) throttle: Throttle,
    pub(crate) uses: Uses,
    pub(crate) surveys: Surveys,
    pub(crate) sessions: Remembered,
    desk: Desk,
    /// How many changes are queued.
    writes: AtomicUsize,
    sealer: OnceLock<Sealer>,
}

impl App {
    /// An application over these.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        settings: Settings,
    ) -> Arc<Self> {
        Arc::new(App {
            desk: Desk::new(store.clone()),
            store,
            clock,
            entropy,
            wake: Notify::new(),
            metrics: Metrics::default(),
            health: Health::default(),
            sources: Sources::default(),
            deliveries: Arc::new(Semaphore::new(DELIVERIES_AT_ONCE_MAX)),
            previews: Arc::new(Semaphore::new(PREVIEWS_AT_ONCE_MAX)),
            spooled: Arc::default(),
            unproven: Budget::new(settings.unproven_bytes_max),
            proven: Budget::new(PROVEN_BYTES_MAX),
            buffers: Buffers::default(),
            settings,
            throttle: Throttle::default(),
            uses: Uses::default(),
            surveys: Surveys::default(),
            sessions: Remembered::default(),
            writes: AtomicUsize::new(0),
            sealer: OnceLock::new(),
        })
    }

    /// Whether deliveries are under way: more work is about to be marked.
    pub fn is_taking_in(&self) -> bool {
        self.deliveries.available_permits() < DELIVERIES_AT_ONCE_MAX
    }

    /// The control state, never older than the store at the moment of the call. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn view(&self) -> Result<Arc<ControlView>, StoreError> {
        self.desk.view()
    }

    /// The control state of a moment, as far as the past reaches. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) fn past_view(&self, at_ms: i64, span: Span) -> Result<Arc<ControlView>, StoreError> {
        self.desk.past(at_ms, span)
    }

    /// What seals page tokens. Blocks the first time.
    pub(crate) fn sealer(&self) -> Result<&Sealer, StoreError> {
        if let Some(sealer) = self.sealer.get() {
            return Ok(sealer);
        }
        let key = self.store.sealing_key()?;
        Ok(self.sealer.get_or_init(|| Sealer::new(key)))
    }

    /// Writes when keys were last used: called every minute or so, and when the server stops, rather
    /// than by each call. Blocks.
    ///
    /// # Errors
    /// What the store says; the uses are then written the next time.
    pub fn write_uses(&self) -> Result<usize, StoreError> {
        let uses = self.uses.take();
        if uses.is_empty() {
            return Ok(0);
        }
        match self.store.used_keys(&uses) {
            Ok(()) => Ok(uses.len()),
            Err(error) => {
                uses.iter().for_each(|(key, at_ms)| self.uses.note(key, *at_ms));
                Err(error)
            }
        }
    }

    /// Changes the control state: decides on the present one, commits if it is still that, and
    /// otherwise decides again. Blocks.
    ///
    /// INVARIANT: what was decided was decided on the state that the commit replaced, so of two
    /// updates with one update token exactly one wins. The event is in the same transaction.
    /// # Errors
    /// What `decide` refuses; ThrottlingException when [`WRITES_WAITING_MAX`] wait already; what the
    /// store says.
    pub(crate) fn decide<T, E: From<StoreError> + From<Fault>>(
        &self,
        mut decide: impl FnMut(&ControlView) -> Result<Decision<T>, E>,
    ) -> Result<T, E> {
        let _queued = Queued::of(&self.writes)?;
        // One writer of this process at a time: conflicts are then with other processes alone.
        let _turn = self.desk.turn();
        let mut attempt = 1;
        loop {
            let view = self.view()?;
            let Decision { mut changes, event, answer } = decide(&view)?;
            let otherwise = view.judged_otherwise(&changes);
            let held_otherwise = view.held_otherwise(&changes);
            changes.extend(otherwise.into_iter().map(ControlChange::FanOut));
            changes.extend(held_otherwise);
            changes.push(ControlChange::Audit(Arc::new(event)));
            match self.store.commit(view.revision(), &changes, self.clock.now_ms()) {
                Ok(_) => {
                    self.wake.notify_one();
                    return Ok(answer);
                }
                Err(StoreError::Conflict) if attempt < ATTEMPTS_MAX => attempt += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// A change that waits for its turn to be decided, or is decided.
struct Queued<'a>(&'a AtomicUsize);

impl<'a> Queued<'a> {
    /// A place in the queue.
    ///
    /// # Errors
    /// ThrottlingException, which SDKs send again after a pause, when all are taken.
    fn of(queue: &'a AtomicUsize) -> Result<Self, Fault> {
        let queued = Queued(queue);
        match queue.fetch_add(1, Ordering::SeqCst) < WRITES_WAITING_MAX {
            true => Ok(queued),
            false => Err(Fault::new(ErrorKind::Throttling, "Rate exceeded")),
        }
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What was decided on one view of the control state.
pub(crate) struct Decision<T> {
    /// What changes.
    pub changes: Vec<ControlChange>,
    /// What the audit log tells of it.
    pub event: AuditEvent,
    /// What the caller is answered.
    pub answer: T,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use palisade_store::sqlite::SqliteStore;

    use super::*;
    use crate::audit::Actor;

    struct Fixed;

    impl Clock for Fixed {
        fn now_ms(&self) -> i64 {
            0
        }
    }

    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
            bytes.fill(7);
            Ok(())
        }
    }

    /// Why a decision was not made.
    #[derive(Debug)]
    enum Failed {
        Store(StoreError),
        Fault(Fault),
    }

    impl From<StoreError> for Failed {
        fn from(error: StoreError) -> Self {
            Failed::Store(error)
        }
    }

    impl From<Fault> for Failed {
        fn from(fault: Fault) -> Self {
            Failed::Fault(fault)
        }
    }

    #[test]
    fn so_many_changes_wait_and_one_more_is_to_come_again() {
        for count in [WRITES_WAITING_MAX - 1, WRITES_WAITING_MAX, WRITES_WAITING_MAX + 1] {
            let store = Arc::new(SqliteStore::in_memory([7; 32]).unwrap());
            let settings = Settings::new(Auth::Open, "unused".into());
            let app = App::new(store, Arc::new(Fixed), Arc::new(Fixed), settings);
            let put = || {
                app.decide(|_| {
                    let event = Actor::local(String::new(), 0).event("Decide", Vec::new());
                    Ok::<_, Failed>(Decision { changes: Vec::new(), event, answer: () })
                })
            };
            // Nobody's turn comes before all are there.
            let turn = app.desk.turn();
            let done = std::thread::scope(|scope| {
                let sent: Vec<_> = (0..count).map(|_| scope.spawn(put)).collect();
                while app.writes.load(Ordering::SeqCst) < count.min(WRITES_WAITING_MAX)
                    || sent.iter().filter(|sent| sent.is_finished()).count()
                        < count.saturating_sub(WRITES_WAITING_MAX)
                {
                    std::thread::yield_now();
                }
                drop(turn);
                sent.into_iter().map(|sent| sent.join().unwrap()).collect::<Vec<_>>()
            });
            let refused = done.iter().filter_map(|done| done.as_ref().err());
            let kinds: Vec<ErrorKind> = refused
                .map(|failed| match failed {
                    Failed::Fault(fault) => fault.kind,
                    Failed::Store(error) => panic!("{error}"),
                })
                .collect();
            let expected = count.saturating_sub(WRITES_WAITING_MAX);
            assert_eq!(kinds, vec![ErrorKind::Throttling; expected], "{count}");
            assert_eq!(app.writes.load(Ordering::SeqCst), 0);
            put().unwrap();
        }
    }

    #[test]
    fn a_decision_that_others_overtake_is_made_again_to_the_limit() {
        for overtaken in [ATTEMPTS_MAX - 2, ATTEMPTS_MAX - 1, ATTEMPTS_MAX] {
            let store = Arc::new(SqliteStore::in_memory([7; 32]).unwrap());
            let settings = Settings::new(Auth::Open, "unused".into());
            let app = App::new(store, Arc::new(Fixed), Arc::new(Fixed), settings);
            let mut made = 0;
            let decided = app.decide(|view| {
                made += 1;
                if made <= overtaken {
                    app.store.commit(view.revision(), &[], 0)?;
                }
                let event = Actor::local(String::new(), 0).event("Decide", Vec::new());
                Ok::<_, Failed>(Decision { changes: Vec::new(), event, answer: view.revision() })
            });
            if overtaken < ATTEMPTS_MAX {
                assert_eq!(decided.unwrap(), overtaken as u64, "overtaken {overtaken} times");
                assert_eq!(made, overtaken + 1);
            } else {
                assert!(
                    matches!(decided, Err(Failed::Store(StoreError::Conflict))),
                    "overtaken {overtaken} times"
                );
                assert_eq!(made, ATTEMPTS_MAX);
            }
        }
    }
}
