//! `palisade serve`: store, listener and worker loop, put together and taken apart in order.

mod signals;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse as _;
use palisade_api::own::SPOOLED_PREFIX;
use palisade_api::{App, Auth, Clock as _, Rate, Settings};
use palisade_core::evaluate;
use palisade_core::ident::PolicyId;
use palisade_core::policy::Quotas;
use palisade_store::Store;
use palisade_store::sqlite::Synchronous;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::args::{self, AuthMode, Role, StoreAddress};
use crate::aws::Aws;
use crate::crew::{Crew, Keep, PROLONGING};
use crate::edge::tls::{self, Tls};
use crate::edge::{self, Edge};
use crate::failure::{Exit, Failure, Outcome};
use crate::stop::until;
use crate::system::{SystemClock, SystemEntropy};
use crate::timekeeper::Timekeeper;
use crate::watch::{Beside, Watch, watched};
use crate::worker::Judging;
use crate::{logging, opening, sealing, sources, terminal};
use signals::Signals;

/// How often the last uses of keys are written.
const USES: Duration = Duration::from_secs(60);
/// Threads on which calls may block. The store reads on sixteen connections and writes on one, so more
/// would only wait, and each takes memory: callers that are not known are checked on them, too.
const BLOCKING_THREADS_MAX: usize = 96;
/// How long calls under way may take to end when the server stops.
const FAREWELL: Duration = Duration::from_secs(10);

const HOUR_MS: i64 = 60 * 60 * 1_000;

/// What to serve, and how.
pub struct Plan {
    /// The store.
    pub store: StoreAddress,
    /// What this node does of it.
    pub role: Role,
    /// Where long deliveries wait; `None` is beside the store's file, else among temporary files.
    pub spool: Option<PathBuf>,
    /// Whether a store may be made where one was before.
    pub new: bool,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Who is believed to be calling.
    pub auth: Auth,
    /// Whether open authentication answers under other names of the host than this machine's own.
    pub any_host: bool,
    /// Quotas of policies and lists.
    pub quotas: Quotas,
    /// Policies elsewhere by whose ids Firewall Manager's own groups are told as well (semantics §11
    /// row 57).
    pub fms_policies: BTreeSet<PolicyId>,
    /// How long onboarding and offboarding an administrator is to be seen, milliseconds.
    pub onboarding_ms: i64,
    /// How the worker judges.
    pub judging: Judging,
    /// How much history is kept, milliseconds; `None` is all.
    pub keep_history_ms: Option<i64>,
    /// How much of the audit log is kept, milliseconds; `None` is all.
    pub keep_audit_ms: Option<i64>,
    /// File of the sealing key; `None` is `PALISADE_KEY`, or the file beside the store.
    pub key_file: Option<PathBuf>,
    /// How often one access key may call; `None` is as often as it likes.
    pub rate: Option<Rate>,
    /// The partition of the organization: `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// How far a commit goes before it is acknowledged. Anything but `Full` loses data, which only
    /// a crash test may want to see.
    pub synchronous: Synchronous,
    /// Limits of connections, and TLS.
    pub edge: Edge,
    /// What is read by itself, and through what.
    pub sources: Option<(palisade_sources::settings::Settings, Aws)>,
}

/// Runs the command until a signal stops it.
pub fn run(args: &args::Serve) -> Outcome {
    let plan = plan(args)?;
    logging::start("info");
    // A mistyped path is a new store.
    let made = plan.store.file().filter(|path| !path.exists()).map(Path::to_owned);
    runtime()?.block_on(async {
        let running = Running::start(plan).await?;
        let scheme = if args.tls_cert.is_some() { "https" } else { "http" };
        if let Some(made) = made {
            terminal::say(format_args!(
                "`{}` was not there: it is a new, empty store",
                made.display()
            ));
        }
        let signals = Signals::listen();
        announce(&format!("palisade serves on {scheme}://{}", running.address));
        running.until(signals).await
    })?;
    Ok(Exit::Done)
}

/// Says where the server is. It serves all the same when nobody can be told; the log tells it, too.
fn announce(what: &str) {
    if let Err(failure) = terminal::print_line(&format!("{what}; stop it with Ctrl-C")) {
        tracing::warn!(%failure, "standard output does not tell where the server is");
    }
    tracing::info!("{what}");
}

fn plan(args: &args::Serve) -> Result<Plan, Failure> {
    allowed(args)?;
    let is_shared = matches!(args.store, StoreAddress::Database(_));
    if args.role != Role::All && !is_shared {
        return Err(Failure::Usage(
            "one server does everything of a store of its own; --role is for a store in PostgreSQL"
                .to_owned(),
        ));
    }
    if matches!((&args.store, args.auth), (StoreAddress::Memory, AuthMode::Sigv4)) {
        return Err(Failure::Usage(
            "nobody could make the first access key of a store in memory; say `--auth open` with it"
                .to_owned(),
        ));
    }
    let auth = match args.auth {
        AuthMode::Open => Auth::Open,
        AuthMode::Sigv4 => Auth::SigV4 { window_ms: i64::from(args.clock_window) * 1_000 },
    };
    // The command line has both or neither.
    let tls = args.tls_cert.clone().zip(args.tls_key.clone());
    let tls = tls.map(|(certificate, key)| tls::Files { certificate, key });
    let positive = |n: u32, unit_ms: i64| (n > 0).then(|| i64::from(n).saturating_mul(unit_ms));
    let mut quotas = if args.aws_quotas { Quotas::aws() } else { Quotas::default() };
    for (name, max) in &args.quotas {
        if !quotas.set(name, *max) {
            return Err(Failure::Usage(format!("there is no quota `{name}`")));
        }
    }
    Ok(Plan {
        store: args.store.clone(),
        role: args.role,
        spool: args.spool.clone(),
        new: args.new,
        listen: args.listen,
        auth,
        any_host: args.i_know_this_is_open,
        quotas,
        fms_policies: args.fms_policies.iter().cloned().collect(),
        onboarding_ms: i64::from(args.onboarding).saturating_mul(1_000),
        judging: Judging {
            stale_after_ms: positive(args.stale_after, HOUR_MS),
            assumed: args::assumed(&args.assume_recorded)?,
        },
        keep_history_ms: positive(args.keep_history, 24 * HOUR_MS),
        keep_audit_ms: positive(args.keep_audit, 24 * HOUR_MS),
        key_file: args.key_file.clone(),
        partition: args.partition.clone(),
        rate: (args.rate > 0).then(|| Rate {
            per_second: args.rate,
            burst_max: args.burst.map_or(args.rate.saturating_mul(2), NonZeroU32::get),
        }),
        synchronous: args.synchronous.into(),
        edge: Edge { tls, behind_proxy: args.behind_proxy, ..Edge::default() },
        sources: sources_of(args)?,
    })
}

/// What the configuration file names.
fn sources_of(
    args: &args::Serve,
) -> Result<Option<(palisade_sources::settings::Settings, Aws)>, Failure> {
    let Some(file) = &args.config else { return Ok(None) };
    let settings = sources::read_right(file)?;
    Ok(Some((settings, Aws::of_environment()?)))
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

/// The runtime that calls are answered on.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .build()
        .map_err(|error| Failure::Refused(format!("threads cannot be started: {error}")))
}

/// A server that runs.
pub struct Running {
    /// Where it listens; the port is a real one even when any was asked for.
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    listener: JoinHandle<()>,
    worker: JoinHandle<()>,
    uses: JoinHandle<()>,
    /// Reads certificate and key again; `None` without TLS.
    certificate: Option<JoinHandle<()>>,
    watch: Watch,
    /// What is read by itself.
    sources: Vec<JoinHandle<()>>,
    app: Arc<App>,
    /// A folder that goes when the server does.
    _spool: Option<TempDir>,
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
        let store: Arc<dyn Store> = opened(&plan).await?.into();
        // First: under another sealing key nothing of the store changes.
        let vault = sealing::vault(&plan.store, &*store, plan.key_file.as_deref(), &|told| {
            tracing::info!("{told}");
        })?;
        let again = store
            .judge_by(evaluate::RULES, &plan.judging.assumed.to_string(), SystemClock.now_ms())
            .map_err(|error| Failure::Refused(error.to_string()))?;
        if again > 0 {
            tracing::info!(
                policies = again,
                "judged by other rules or settings before: judged again"
            );
        }
        let is_new = store
            .name_common_policies(&plan.fms_policies, SystemClock.now_ms())
            .map_err(|error| Failure::Refused(error.to_string()))?;
        if is_new {
            tracing::info!(policies = plan.fms_policies.len(), "--fms-policy names other policies");
        }
        let again = store
            .stale_by(plan.judging.stale_after_ms, SystemClock.now_ms())
            .map_err(|error| Failure::Refused(error.to_string()))?;
        if again {
            tracing::info!("another age counts as stale than before: all is judged again");
        }
        let ((spool, kept), aside) = (spool(&plan)?, aside(&plan));
        let folder = plan.store.file().and_then(Path::parent).map(Path::to_owned);
        let store_disk = folder.map(|folder| ("store", folder));
        let disks = store_disk.into_iter().chain([("spool", spool.clone())]).collect();
        let settings = Settings {
            vault: Some(Arc::new(vault)),
            over_tls: plan.edge.tls.is_some() || plan.edge.behind_proxy,
            stale_after_ms: plan.judging.stale_after_ms,
            assumed: plan.judging.assumed.clone(),
            rate: plan.rate,
            partition: plan.partition,
            any_host: plan.any_host,
            quotas: plan.quotas,
            onboarding_ms: plan.onboarding_ms,
            request_deadline: plan.edge.patience.call,
            ingest_silence: plan.edge.patience.delivery,
            ..Settings::new(plan.auth, spool)
        };
        let app = App::new(store, Arc::new(SystemClock), Arc::new(SystemEntropy), settings);
        let time = Timekeeper::start(&app).map_err(|error| Failure::Refused(error.to_string()))?;
        let (stop, stopped) = watch::channel(false);
        let keep = Keep { history_ms: plan.keep_history_ms, audit_ms: plan.keep_audit_ms };
        let crew = Crew::new(app.clone(), plan.judging, keep, PROLONGING);
        let task = |part, task| watched(&app, part, stopped.clone(), task);
        let worker = match plan.role {
            Role::All | Role::Work => boxed(crew.work(time, stopped.clone())),
            Role::Api => boxed(until(stopped.clone())),
        };
        let worker = task("worker", worker);
        let uses = write_uses_now_and_then(app.clone(), stopped.clone());
        let uses = task("key uses", boxed(uses));
        let fresh = tls.clone();
        let certificate = tls.clone().map(|tls| {
            let fresh = tls::keep_fresh(tls, plan.edge.patience.tls_files, stopped.clone());
            task("certificate", boxed(fresh))
        });
        let sources = plan
            .sources
            .filter(|_| plan.role != Role::Api)
            .map(|(settings, aws)| sources::start(&app, settings, &aws, &aside, &stopped))
            .unwrap_or_default();
        let router = palisade_api::router_with(app.clone(), palisade_dashboard::routes());
        let router = if plan.role == Role::Work { only_probes(router) } else { router };
        let serving = edge::serve(listener, router, app.clone(), plan.edge, tls, stopped.clone());
        let listener = task("listener", boxed(serving));
        let beside = Beside { disks, tls: fresh };
        let watch = Watch::start(app.clone(), plan.role != Role::Api, beside)
            .map_err(|error| Failure::Refused(format!("threads cannot be started: {error}")))?;
        Ok(Running {
            address,
            stop,
            listener,
            worker,
            uses,
            certificate,
            watch,
            sources,
            app,
            _spool: kept,
        })
    }

    /// Serves until Ctrl-C or a request to terminate, then stops in order.
    ///
    /// # Errors
    /// A task that the server cannot do without has ended.
    pub async fn until_signal(self) -> Result<(), Failure> {
        self.until(Signals::listen()).await
    }

    async fn until(mut self, mut signals: Signals) -> Result<(), Failure> {
        let certificate = async {
            match &mut self.certificate {
                Some(task) => task.await,
                None => std::future::pending().await,
            }
        };
        // Half alive it would answer from what nobody keeps up to date.
        let (part, ended) = tokio::select! {
            () = signals.next() => ("", Ok(())),
            ended = &mut self.listener => ("listener", ended),
            ended = &mut self.worker => ("worker", ended),
            ended = &mut self.uses => ("writer of key uses", ended),
            ended = certificate => ("reader of certificates", ended),
        };
        if !part.is_empty() {
            let why = ended.map_or_else(|error| format!(": {error}"), |()| String::new());
            return Err(Failure::Refused(format!("the {part} ended by itself{why}")));
        }
        // Who asks a second time wants it now.
        tokio::spawn(async move {
            signals.next().await;
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
        let _ = tokio::time::timeout(FAREWELL, self.uses).await;
        // A call of AWS that is under way is of no use any more; what was handed over is being taken in.
        for source in self.sources {
            let _ = tokio::time::timeout(FAREWELL, source).await;
        }
        self.watch.stop(FAREWELL).await;
        // After the last call: now there are no more uses to come.
        write_uses(self.app).await;
        ended.map_or(Ok(()), listener_end)
    }
}

/// Tasks of one type, whatever they do.
fn boxed(
    task: impl Future<Output = ()> + Send + 'static,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(task)
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

/// A path beside a file.
fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// The folder of what sources cannot read: beside the store's file, else beside the named spool.
fn aside(plan: &Plan) -> PathBuf {
    match plan.store.file().or(plan.spool.as_deref()) {
        Some(file) => beside(file, ".aside"),
        None => PathBuf::from("palisade-data/aside"),
    }
}

/// The folder in which deliveries wait until they are authentic, and what removes it if it is this server's.
fn spool(plan: &Plan) -> Result<(PathBuf, Option<TempDir>), Failure> {
    let usual = plan.store.file().map(|file| beside(file, ".spool"));
    let Some(spool) = plan.spool.clone().or_else(|| usual.clone()) else {
        let made = tempfile::Builder::new().prefix("palisade-spool-").tempdir();
        let made = made.map_err(|error| {
            Failure::Refused(format!(
                "no folder for deliveries can be made: {error}; name one with --spool"
            ))
        })?;
        return Ok((made.path().to_owned(), Some(made)));
    };
    std::fs::create_dir_all(&spool).map_err(|error| {
        Failure::Refused(format!("folder `{}` cannot be made: {error}", spool.display()))
    })?;
    // Where files cannot lose their names while they are open, a crash leaves them behind. Nobody
    // else serves a store in a file, so they are nobody's; a folder that was named others may use as well.
    if Some(&spool) == usual.as_ref() {
        for left in std::fs::read_dir(&spool).into_iter().flatten().flatten() {
            if left.file_name().to_string_lossy().starts_with(SPOOLED_PREFIX) {
                let _ = std::fs::remove_file(left.path());
            }
        }
    }
    Ok((spool, None))
}

/// Opens the store. That may take long, and stops to be waited for when the process is to end.
async fn opened(plan: &Plan) -> Result<Box<dyn Store>, Failure> {
    let (store, new, synchronous) = (plan.store.clone(), plan.new, plan.synchronous);
    let node = opening::node_name();
    let opening =
        tokio::task::spawn_blocking(move || opening::serving(&store, new, synchronous, &node));
    opening.await.map_err(|error| Failure::Refused(format!("the store was not opened: {error}")))?
}

/// What a node answers that only works: probes and counts. Callers are told to ask another.
fn only_probes(router: Router) -> Router {
    router.layer(from_fn(async |request: Request, next: Next| {
        match palisade_api::own::is_probe(request.uri().path()) {
            true => next.run(request).await,
            false => {
                let why =
                    "this node judges and answers probes alone (--role work); ask another node\n";
                (StatusCode::SERVICE_UNAVAILABLE, why).into_response()
            }
        }
    }))
}

/// Writes when keys were last used, once for many calls, until told to stop.
async fn write_uses_now_and_then(app: Arc<App>, stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        tokio::select! {
            () = tokio::time::sleep(USES) => write_uses(app.clone()).await,
            () = until(stopped.clone()) => {}
        }
    }
}

async fn write_uses(app: Arc<App>) {
    match tokio::task::spawn_blocking(move || app.write_uses()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::error!(%error, "last uses of keys could not be written"),
        Err(error) => tracing::error!(%error, "last uses of keys could not be written"),
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
            ("--store memory --auth open", true),
            ("--store memory", false),
            ("--store memory --auth open --role work", false),
        ];
        for (line, fine) in cases {
            assert_eq!(planned(line).is_ok(), fine, "{line}");
        }
    }

    #[test]
    fn the_partition_is_that_of_the_organization() {
        assert_eq!(planned("").unwrap().partition, "aws");
        assert_eq!(planned("--partition aws-us-gov").unwrap().partition, "aws-us-gov");
        let unknown = ["palisade", "serve", "--partition", "aws-moon"];
        assert!(Cli::try_parse_from(unknown).is_err());
    }

    #[test]
    fn quotas_and_onboarding_are_settings() {
        assert_eq!(planned("").unwrap().quotas, Quotas::default());
        assert_eq!(planned("").unwrap().onboarding_ms, 0);
        assert_eq!(planned("--onboarding 3").unwrap().onboarding_ms, 3_000);
        let wanted = Quotas { policies_max: 7, accounts_named_max: Some(3), ..Quotas::aws() };
        for line in [
            "--aws-quotas --quota policies=7 --quota accounts-named=3",
            "--quota policies=9,accounts-named=3 --quota policies=7 --aws-quotas",
        ] {
            assert_eq!(planned(line).unwrap().quotas, wanted, "{line}");
        }
        for (quota, why) in [
            ("colours=1", "there is no quota `colours`; the quotas are policies, units-in-scope"),
            ("policies", "give NAME=MAX"),
            ("policies=-1", "quota `policies` must be a whole number up to 4294967295, not `-1`"),
        ] {
            let refused = Cli::try_parse_from(["palisade", "serve", "--quota", quota]);
            let text = refused.unwrap_err().to_string();
            assert!(text.contains(why), "{quota}: {text}");
        }
        let help = <Cli as clap::CommandFactory>::command()
            .find_subcommand_mut("serve")
            .unwrap()
            .render_long_help()
            .to_string();
        let help: String = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let names = Quotas::names().collect::<Vec<_>>().join(", ");
        assert!(help.contains(&names), "{help}");
    }

    #[test]
    fn zero_turns_staleness_and_expiry_off() {
        let plan = planned("--stale-after 0 --keep-history 0").unwrap();
        assert_eq!((plan.judging.stale_after_ms, plan.keep_history_ms), (None, None));
        assert_eq!(planned("--keep-audit 0").unwrap().keep_audit_ms, None);
        let plan = planned("").unwrap();
        assert_eq!(plan.judging.stale_after_ms, Some(36 * HOUR_MS));
        assert_eq!(plan.keep_audit_ms, Some(400 * 24 * HOUR_MS));
    }

    #[test]
    fn a_rate_has_a_burst_and_none_is_no_limit() {
        let rate = |line| planned(line).unwrap().rate.map(|rate| (rate.per_second, rate.burst_max));
        assert_eq!(rate(""), None);
        assert_eq!(rate("--burst 3"), None);
        assert_eq!(rate("--rate 5"), Some((5, 10)));
        assert_eq!(rate("--rate 5 --burst 1"), Some((5, 1)));
    }
}
