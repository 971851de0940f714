//! One connection to the database, and how one is made.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::{Client, Config, Row, Statement};

use super::address::{Address, Host, HostName, TlsMode};
use super::columns::Param;
use super::fault::{Fault, FaultKind};
use super::tls::Tls;
use super::waiting::wait;

/// How long the server works on one statement before it gives it up.
const STATEMENT: Duration = Duration::from_secs(60);
/// How long a statement waits for a lock that another transaction holds.
const LOCK: Duration = Duration::from_secs(10);
/// How long the server keeps a reading transaction that asks nothing: a shard is judged meanwhile.
const IDLE_READ: Duration = Duration::from_secs(60);
/// How long we wait for an answer: longer than the server works on it, so that its reason is told.
pub(super) const ANSWER: Duration = Duration::from_secs(65);
/// How long the way to the server may be silent before the system calls it broken.
const SILENCE: Duration = Duration::from_secs(10);

/// The database, and what it takes to get to it.
pub(super) struct Server {
    pub address: Address,
    /// The address as it is told, without the password.
    pub place: Arc<str>,
    tls: Tls,
    application: String,
    /// Where connections do their work.
    handle: Handle,
    /// The host that took writes when one was last looked for.
    favourite: AtomicUsize,
}

impl Server {
    /// Nothing is connected yet.
    ///
    /// # Errors
    /// A file of the TLS settings cannot be used.
    pub fn new(address: Address, application: String, handle: Handle) -> Result<Server, Fault> {
        let place: Arc<str> = address.to_string().into();
        let tls = Tls::of(&address.tls).map_err(|why| Fault::last(&place, why))?;
        let application = address.application.clone().unwrap_or(application);
        let favourite = AtomicUsize::new(0);
        Ok(Server { address, place, tls, application, handle, favourite })
    }

    /// A connection to the first host that takes writes, the one that did before first.
    ///
    /// # Errors
    /// Why each host is none.
    pub fn connect(&self, patience: Duration) -> Result<Session, Fault> {
        let (count, first) = (self.address.hosts.len(), self.favourite.load(Relaxed));
        let (mut reasons, mut kind) = (Vec::new(), FaultKind::Final);
        for step in 0..count {
            let place = first.saturating_add(step).checked_rem(count).unwrap_or(0);
            let Some(host) = self.address.hosts.get(place) else { continue };
            match self.connect_to(host, patience) {
                Ok(session) => {
                    self.favourite.store(place, Relaxed);
                    return Ok(session);
                }
                Err(fault) => {
                    // One that may come back is waited for, whatever the others say.
                    if fault.kind == FaultKind::Lost {
                        kind = FaultKind::Lost;
                    }
                    reasons.push(if count > 1 {
                        format!("{host}: {}", fault.why)
                    } else {
                        fault.why
                    });
                }
            }
        }
        Err(Fault { place: self.place.clone(), why: reasons.join("; "), kind })
    }

    fn connect_to(&self, host: &Host, patience: Duration) -> Result<Session, Fault> {
        let config = self.config(host, patience.min(self.address.connect));
        let tls = self.tls.clone();
        let connecting = self.handle.spawn(async move {
            let (client, connection) = config.connect(tls).await?;
            // It ends with its client; whoever waits for an answer is told why.
            tokio::spawn(async move { drop(connection.await) });
            Ok::<Client, tokio_postgres::Error>(client)
        });
        let until = Instant::now() + patience.saturating_add(Duration::from_secs(1));
        let client = match wait(connecting, until) {
            Some(Ok(Ok(client))) => client,
            Some(Ok(Err(error))) => return Err(Fault::of(&self.place, &error)),
            Some(Err(ended)) => return Err(Fault::last(&self.place, ended.to_string())),
            None => return Err(Fault::silent(&self.place, patience.as_secs())),
        };
        let session = Session {
            client,
            place: self.place.clone(),
            statements: RefCell::default(),
            patience,
            commits: RefCell::default(),
            is_broken: Cell::new(false),
            used: Cell::new(Instant::now()),
        };
        session.batch(&self.settings())?;
        Ok(session)
    }

    fn config(&self, host: &Host, patience: Duration) -> Config {
        let Address { user, database, options, .. } = &self.address;
        let mut config = Config::new();
        match &host.name {
            HostName::Net(name) => config.host(name),
            #[cfg(unix)]
            HostName::Folder(folder) => config.host_path(folder),
            #[cfg(not(unix))]
            HostName::Folder(folder) => config.host(folder.to_string_lossy()),
        };
        let is_socket = matches!(host.name, HostName::Folder(_));
        config.port(host.port).user(user).dbname(database).connect_timeout(patience);
        config.ssl_mode(match self.address.tls.mode {
            // As libpq: a socket of this machine has no TLS.
            _ if is_socket => SslMode::Disable,
            TlsMode::Disable => SslMode::Disable,
            TlsMode::Prefer => SslMode::Prefer,
            TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => SslMode::Require,
        });
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        config.application_name(&self.application);
        config.keepalives_idle(SILENCE).keepalives_interval(SILENCE / 5).keepalives_retries(3);
        config.tcp_user_timeout(SILENCE);
        if let Some(password) = &host.password {
            config.password(password);
        }
        if let Some(options) = options {
            config.options(options);
        }
        config
    }

    /// What every connection is told first. Who runs the database may have chosen otherwise for others.
    fn settings(&self) -> String {
        let millis = Duration::as_millis;
        format!(
            "SET search_path TO {schema};
             SET statement_timeout = {statement};
             SET lock_timeout = {lock};
             SET idle_in_transaction_session_timeout = {idle};
             SET client_min_messages = error;
             SET default_transaction_isolation = 'read committed';
             SELECT set_config('synchronous_commit', 'on', false)
               WHERE current_setting('synchronous_commit') = 'off'",
            schema = self.address.schema,
            statement = millis(&STATEMENT),
            lock = millis(&LOCK),
            idle = millis(&IDLE_READ),
        )
    }
}

/// A connection and the statements that it knows.
pub(super) struct Session {
    pub client: Client,
    pub place: Arc<str>,
    statements: RefCell<HashMap<&'static str, Statement>>,
    /// How long an answer is waited for.
    patience: Duration,
    /// The connection's row in `commits` and the number of its last transaction.
    commits: RefCell<Option<CommitMark>>,
    /// It is used no more: what is under way in it nobody knows.
    is_broken: Cell<bool>,
    used: Cell<Instant>,
}

/// Tells a transaction from every other.
#[derive(Clone, Debug)]
pub(super) struct CommitMark {
    pub connection: String,
    pub number: i64,
}

impl Session {
    /// Waits for an answer.
    pub fn wait<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Fault> {
        let answered = wait(answer, Instant::now() + self.patience);
        self.used.set(Instant::now());
        match answered {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(error)) => Err(self.fault(&error)),
            None => {
                self.is_broken.set(true);
                Err(Fault::silent(&self.place, self.patience.as_secs()))
            }
        }
    }

    /// What a failed call means for this connection.
    pub fn fault(&self, error: &tokio_postgres::Error) -> Fault {
        let fault = Fault::of(&self.place, error);
        // A server that became a standby takes no writes until somebody makes it a primary again.
        let is_read_only = error.code().is_some_and(|code| code.code() == "25006");
        if fault.kind == FaultKind::Lost || is_read_only || self.client.is_closed() {
            self.is_broken.set(true);
        }
        fault
    }

    /// A statement that the server has read before, or reads now.
    pub fn statement(&self, sql: &'static str) -> Result<Statement, Fault> {
        if let Some(known) = self.statements.borrow().get(sql) {
            return Ok(known.clone());
        }
        let statement = self.wait(self.client.prepare(sql))?;
        self.statements.borrow_mut().insert(sql, statement.clone());
        Ok(statement)
    }

    /// Statements without parameters or answers.
    pub fn batch(&self, sql: &str) -> Result<(), Fault> {
        self.wait(self.client.batch_execute(sql))
    }

    /// Rows of one statement outside of a transaction.
    pub fn query(&self, sql: &'static str, values: &[Param]) -> Result<Vec<Row>, Fault> {
        let statement = self.statement(sql)?;
        let values = values.iter().map(|value| value.as_ref() as _).collect::<Vec<_>>();
        self.wait(self.client.query(&statement, &values))
    }

    /// A mark for the next transaction.
    pub fn next_mark(&self) -> Result<CommitMark, Fault> {
        if self.commits.borrow().is_none() {
            let made = self.query(
                "INSERT INTO commits (connection, number) VALUES (gen_random_uuid(), 0)
                 RETURNING connection::text",
                &[],
            )?;
            let connection = made.first().and_then(|row| row.try_get(0).ok());
            let connection =
                connection.ok_or_else(|| Fault::last(&self.place, "a connection has no number"))?;
            *self.commits.borrow_mut() = Some(CommitMark { connection, number: 0 });
        }
        let mut mark = self.commits.borrow_mut();
        let mark = mark.as_mut().ok_or_else(|| Fault::last(&self.place, "no mark"))?;
        mark.number = mark.number.saturating_add(1);
        Ok(mark.clone())
    }

    pub fn is_usable(&self) -> bool {
        !self.is_broken.get() && !self.client.is_closed()
    }

    /// Gives it up.
    pub fn abandon(&self) {
        self.is_broken.set(true);
    }

    /// Since when nothing was asked of it.
    pub fn rested(&self) -> Duration {
        self.used.get().elapsed()
    }
}
