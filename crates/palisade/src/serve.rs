//! `palisade serve`: store, listener and worker loop, put together and taken apart in order.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use palisade_api::{App, Auth, Clock as _, Entropy as _, Settings};
use palisade_core::policy::Quotas;
use palisade_store::Store;
use palisade_store::sqlite::{Opening, SqliteStore, Synchronous};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::args::{self, AuthMode};
use crate::edge::tls::{self, Tls};
use crate::edge::{self, Edge, until};
use crate::failure::{Exit, Failure, Outcome};
use crate::system::{SystemClock, SystemEntropy};
use crate::worker::{self, Judging};

/// How long the worker rests when nothing is due and nobody wakes it: work that time alone makes
/// due is found this late at most.
const REST: Duration = Duration::from_secs(1);
/// How often old history is dropped.
const EXPIRY: Duration = Duration::from_secs(60 * 60);
/// How long calls under way may take to end when the server stops.
const FAREWELL: Duration = Duration::from_secs(10);

const HOUR_MS: i64 = 60 * 60 * 1_000;

/// What to serve, and how.
pub struct Plan {
    /// The store's file.
    pub store: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Who is believed to be calling.
    pub auth: Auth,
    /// Quotas of policies and lists.
    pub quotas: Quotas,
    /// How the worker judges.
    pub judging: Judging,
    /// How much history is kept, milliseconds; `None` is all.
    pub keep_history_ms: Option<i64>,
    /// How far a commit goes before it is acknowledged. Anything but `Full` loses data, which only
    /// a crash test may want to see.
    pub synchronous: Synchronous,
    /// Limits of connections, and TLS.
    pub edge: Edge,
}

/// Runs the command until a signal stops it.
pub fn run(args: &args::Serve) -> Outcome {
    let plan = plan(args)?;
    log("info");
    runtime()?.block_on(async {
        let running = Running::start(plan).await?;
        let scheme = if args.tls_cert.is_some() { "https" } else { "http" };
        println!("palisade serves on {scheme}://{}; stop it with Ctrl-C", running.address);
        running.until_signal().await
    })?;
    Ok(Exit::Done)
}

/// Serves as the crash tests do: open to this machine, the defaults otherwise, with a store that may
/// be told to lose data. No command line leads here.
///
/// # Errors
/// As [`Running::start`] and [`Running::until_signal`]; an address that is none.
pub fn run_for_test(store: &Path, listen: &str, synchronous: Synchronous) -> Result<(), Failure> {
    let listen: SocketAddr =
        listen.parse().map_err(|error| Failure::Usage(format!("address `{listen}`: {error}")))?;
    let plan = Plan {
        store: store.to_owned(),
        listen,
        auth: Auth::Open,
        quotas: Quotas::default(),
        judging: Judging::default(),
        keep_history_ms: None,
        synchronous,
        edge: Edge::default(),
    };
    runtime()?.block_on(async { Running::start(plan).await?.until_signal().await })
}

fn plan(args: &args::Serve) -> Result<Plan, Failure> {
    allowed(args)?;
    let auth = match args.auth {
        AuthMode::Open => Auth::Open,
        AuthMode::Sigv4 => Auth::SigV4 { window_ms: i64::from(args.clock_window) * 1_000 },
    };
    // The command line has both or neither.
    let tls = args.tls_cert.clone().zip(args.tls_key.clone());
    let tls = tls.map(|(certificate, key)| tls::Files { certificate, key });
    let positive = |n: u32, unit_ms: i64| (n > 0).then(|| i64::from(n).saturating_mul(unit_ms));
    let quotas = if args.aws_quotas { Quotas::aws() } else { Quotas::default() };
    Ok(Plan {
        store: args.store.0.clone(),
        listen: args.listen,
        auth,
        quotas,
        judging: Judging { stale_after_ms: positive(args.stale_after, HOUR_MS) },
        keep_history_ms: positive(args.keep_history, 24 * HOUR_MS),
        synchronous: Synchronous::Full,
        edge: Edge { tls, ..Edge::default() },
    })
}

/// Whether it is safe to serve like this: keys and data must not cross a network in the clear, and
/// nobody may do everything from another machine, unless the operator says that this is meant.
fn allowed(args: &args::Serve) -> Result<(), Failure> {
    if args.listen.ip().is_loopback() {
        return Ok(());
    }
    match args.auth {
        AuthMode::Open if !args.i_know_this_is_open => Err(Failure::Usage(format!(
            "`--auth open` lets everybody who reaches {} do everything; listen on 127.0.0.1, use \
             `--auth sigv4`, or say --i-know-this-is-open",
            args.listen
        ))),
        AuthMode::Sigv4 if !args.behind_proxy && args.tls_cert.is_none() => {
            Err(Failure::Usage(format!(
                "{} can be reached from other machines; give --tls-cert and --tls-key, or put a \
                 TLS proxy in front and say --behind-proxy, or listen on 127.0.0.1",
                args.listen
            )))
        }
        AuthMode::Open | AuthMode::Sigv4 => Ok(()),
    }
}

/// Logs to standard error, `level` and above unless `PALISADE_LOG` says otherwise.
pub fn log(level: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("PALISADE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    // A second start in one process, as in tests, keeps the first subscriber.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .try_init();
}

/// The runtime that calls are answered on.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Refused(format!("threads cannot be started: {error}")))
}

/// Opens the store at `path` without serving from it; its folder is made when it is not there.
///
/// # Errors
/// The folder or the store cannot be made or opened.
pub fn open(path: &Path) -> Result<SqliteStore, Failure> {
    open_as(path, false, Synchronous::Full)
}

fn open_as(path: &Path, serve: bool, synchronous: Synchronous) -> Result<SqliteStore, Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::Refused(format!("folder `{}` cannot be made: {error}", folder.display()))
        })?;
    }
    let mut fresh_sealing_key = [0; 32];
    SystemEntropy
        .fill(&mut fresh_sealing_key)
        .map_err(|error| Failure::Refused(format!("no random bytes can be had: {error}")))?;
    let opening = Opening { fresh_sealing_key, serve, synchronous };
    SqliteStore::open(path, opening).map_err(|error| Failure::Refused(error.to_string()))
}

/// A server that runs.
pub struct Running {
    /// Where it listens; the port is a real one even when any was asked for.
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    listener: JoinHandle<()>,
    worker: JoinHandle<()>,
}

impl Running {
    /// Opens the store, listens, and begins to work.
    ///
    /// # Errors
    /// The store is in use or cannot be opened; the address is in use or not ours.
    pub async fn start(plan: Plan) -> Result<Running, Failure> {
        let tls = plan.edge.tls.clone().map(Tls::open).transpose()?.map(Arc::new);
        let listener =
            TcpListener::bind(plan.listen).await.map_err(|error| unbound(plan.listen, &error))?;
        let address = listener.local_addr().map_err(|error| unbound(plan.listen, &error))?;
        let store: Arc<dyn Store> = Arc::new(open_as(&plan.store, true, plan.synchronous)?);
        let spool = spool(&plan.store)?;
        let settings = Settings {
            quotas: plan.quotas,
            request_deadline: plan.edge.patience.call,
            ingest_silence: plan.edge.patience.delivery,
            ..Settings::new(plan.auth, spool)
        };
        let app = App::new(store, Arc::new(SystemClock), Arc::new(SystemEntropy), settings);
        let (stop, stopped) = watch::channel(false);
        let worker =
            tokio::spawn(work(app.clone(), plan.judging, plan.keep_history_ms, stopped.clone()));
        let router = palisade_api::router(app);
        let listener = tokio::spawn(edge::serve(listener, router, plan.edge, tls, stopped));
        Ok(Running { address, stop, listener, worker })
    }

    /// Serves until Ctrl-C or a request to terminate, then stops in order.
    ///
    /// # Errors
    /// The listener failed.
    pub async fn until_signal(mut self) -> Result<(), Failure> {
        tokio::select! {
            () = signal() => {}
            ended = &mut self.listener => return listener_end(ended),
        }
        // Who asks a second time wants it now.
        tokio::spawn(async {
            signal().await;
            std::process::exit(130);
        });
        self.stop().await
    }

    /// Stops: no new calls, those under way end, the worker finishes its round.
    ///
    /// # Errors
    /// The listener failed.
    pub async fn stop(mut self) -> Result<(), Failure> {
        self.stop.send_replace(true);
        let ended = tokio::time::timeout(FAREWELL, &mut self.listener).await;
        if ended.is_err() {
            self.listener.abort();
        }
        // The worker does not hold the process up: what it has not settled stays due.
        let _ = tokio::time::timeout(FAREWELL, self.worker).await;
        ended.map_or(Ok(()), listener_end)
    }
}

fn listener_end(ended: Result<(), tokio::task::JoinError>) -> Result<(), Failure> {
    ended.map_err(|error| Failure::Refused(format!("the listener failed: {error}")))
}

fn unbound(listen: SocketAddr, error: &std::io::Error) -> Failure {
    Failure::Refused(match error.kind() {
        std::io::ErrorKind::AddrInUse => format!(
            "address {listen} is in use; stop what listens there, or give another with --listen"
        ),
        _ => format!("address {listen} cannot be listened on: {error}"),
    })
}

/// The folder beside the store in which deliveries wait until they are authentic.
fn spool(store: &Path) -> Result<PathBuf, Failure> {
    let mut name = store.as_os_str().to_owned();
    name.push(".spool");
    let spool = PathBuf::from(name);
    std::fs::create_dir_all(&spool).map_err(|error| {
        Failure::Refused(format!("folder `{}` cannot be made: {error}", spool.display()))
    })?;
    Ok(spool)
}

/// Waits for Ctrl-C or a request to terminate.
async fn signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return interrupt.await };
        tokio::select! {
            () = interrupt => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    interrupt.await;
}

/// Does due work, round after round, until told to stop.
async fn work(
    app: Arc<App>,
    judging: Judging,
    keep_history_ms: Option<i64>,
    stopped: watch::Receiver<bool>,
) {
    let mut expiry = tokio::time::interval(EXPIRY);
    while !*stopped.borrow() {
        let busy = {
            let app = app.clone();
            tokio::task::spawn_blocking(move || {
                worker::round(&*app.store, &|| app.view(), judging, app.clock.now_ms())
            })
        };
        match busy.await {
            Ok(Ok(done)) if done > 0 => continue,
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!(%error, "a round of work failed; it is tried again"),
            Err(error) => tracing::error!(%error, "a round of work ended early; it is tried again"),
        }
        tokio::select! {
            () = app.wake.notified() => {}
            () = tokio::time::sleep(REST) => {}
            () = until(stopped.clone()) => {}
            _ = expiry.tick() => expire(&app, keep_history_ms).await,
        }
    }
}

async fn expire(app: &Arc<App>, keep_history_ms: Option<i64>) {
    let Some(keep_ms) = keep_history_ms else { return };
    let app = app.clone();
    let before_ms = SystemClock.now_ms().saturating_sub(keep_ms);
    let expired = tokio::task::spawn_blocking(move || app.store.expire(before_ms)).await;
    match expired {
        Ok(Ok(rows)) => tracing::debug!(rows, "old history dropped"),
        Ok(Err(error)) => tracing::error!(%error, "old history could not be dropped"),
        Err(error) => tracing::error!(%error, "old history could not be dropped"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn planned(line: &str) -> Result<Plan, Failure> {
        let words = ["palisade", "serve"].into_iter().chain(line.split_whitespace());
        match Cli::try_parse_from(words).unwrap().command {
            Command::Serve(args) => plan(&args),
            _ => unreachable!(),
        }
    }

    #[test]
    fn what_other_machines_reach_must_be_meant() {
        let cases = [
            ("", true),
            ("--auth open", true),
            ("--auth open --listen [::1]:1", true),
            ("--auth open --listen 0.0.0.0:1", false),
            ("--auth open --listen 0.0.0.0:1 --behind-proxy", false),
            ("--auth open --listen 0.0.0.0:1 --i-know-this-is-open", true),
            ("--listen 0.0.0.0:1", false),
            ("--listen 10.0.0.1:1 --i-know-this-is-open", false),
            ("--listen 0.0.0.0:1 --behind-proxy", true),
            ("--listen 0.0.0.0:1 --tls-cert a --tls-key b", true),
            ("--auth open --listen 0.0.0.0:1 --tls-cert a --tls-key b", false),
        ];
        for (line, fine) in cases {
            assert_eq!(planned(line).is_ok(), fine, "{line}");
        }
    }

    #[test]
    fn zero_turns_staleness_and_expiry_off() {
        let plan = planned("--stale-after 0 --keep-history 0").unwrap();
        assert_eq!((plan.judging.stale_after_ms, plan.keep_history_ms), (None, None));
        let plan = planned("").unwrap();
        assert_eq!(plan.judging.stale_after_ms, Some(24 * HOUR_MS));
    }
}
