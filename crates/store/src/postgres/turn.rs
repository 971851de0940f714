//! One transaction. Statements whose answers nobody needs at once are sent without waiting for them: a
//! transaction of many writes costs a few round trips.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio_postgres::Row;

use crate::{Result, StoreError};

use super::columns::{Param, damaged, number, with};
use super::expected::Expected;
use super::fault::{Fault, FaultKind};
use super::session::{CommitMark, Session};

/// Statements that may be on their way at one time: their answers take memory.
const UNANSWERED_MAX: usize = 512;
/// How long the server keeps a writing transaction that asks nothing: so long a node that was stopped in
/// the middle of one holds up the others.
const IDLE_WRITE_MS: u32 = 5_000;

/// What a transaction may do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mode {
    /// Reads, all of one moment.
    Read,
    /// Statements outside of a transaction, each of its own moment.
    ReadOne,
    /// Writes leases, beside whoever else writes.
    Lease,
    /// Writes anything, as the only one who does.
    Write,
}

type Unanswered<'s> = Pin<Box<dyn Future<Output = Result<u64, tokio_postgres::Error>> + Send + 's>>;

/// The rows as a transaction sees them.
pub(crate) struct Turn<'s> {
    session: &'s Session,
    mode: Mode,
    unanswered: RefCell<VecDeque<Unanswered<'s>>>,
    /// What tells afterwards whether it was committed; reading needs none.
    mark: Option<CommitMark>,
    /// The store's sequence as this transaction moved it.
    sequence: Cell<u64>,
    has_counted: Cell<bool>,
    has_written: Cell<bool>,
    has_ended: Cell<bool>,
    /// Rows that were asked for together, until each is asked for.
    pub(super) expected: Expected,
}

/// How a transaction ended.
pub(super) enum Ended {
    /// Its writes are durable.
    Committed,
    /// Nobody knows: the answer to COMMIT did not come.
    Unknown(CommitMark, Fault),
}

impl<'s> Turn<'s> {
    /// Begins a transaction. One that writes anything waits until it is the only one.
    pub(super) fn begin(session: &'s Session, mode: Mode) -> Result<Turn<'s>> {
        let writes = matches!(mode, Mode::Lease | Mode::Write);
        let turn = Turn {
            session,
            mode,
            mark: writes.then(|| session.next_mark()).transpose()?,
            unanswered: RefCell::default(),
            sequence: Cell::new(0),
            has_counted: Cell::new(false),
            has_written: Cell::new(false),
            has_ended: Cell::new(mode == Mode::ReadOne),
            expected: Expected::default(),
        };
        match mode {
            Mode::ReadOne => {}
            Mode::Read => {
                turn.send_batch("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY".into())?
            }
            Mode::Lease | Mode::Write => turn.send_batch(format!(
                "BEGIN; SET LOCAL idle_in_transaction_session_timeout = {IDLE_WRITE_MS}"
            ))?,
        }
        if mode == Mode::Write {
            let held = turn.one("SELECT sequence FROM store WHERE one = 1 FOR UPDATE", with![])?;
            let held = held.ok_or_else(|| damaged("store row", "it is missing"))?;
            turn.sequence.set(number(&held, 0, "store row")?);
        }
        Ok(turn)
    }

    /// The next number of the store's sequence, which no other transaction moves meanwhile.
    pub(super) fn next_number(&self) -> Result<u64> {
        if self.mode != Mode::Write {
            return Err(Fault::last(&self.session.place, "only a writer moves the sequence").into());
        }
        self.sequence.set(self.sequence.get().saturating_add(1));
        self.has_counted.set(true);
        Ok(self.sequence.get())
    }

    // Statements.

    /// Rows of a statement, after all that was sent before.
    pub(super) fn rows(&self, sql: &'static str, values: Vec<Param>) -> Result<Vec<Row>> {
        let asked = self.session.query(sql, &values);
        self.settled(asked)
    }

    /// The first row.
    pub(super) fn one(&self, sql: &'static str, values: Vec<Param>) -> Result<Option<Row>> {
        Ok(self.rows(sql, values)?.into_iter().next())
    }

    /// Whether there is a row.
    pub(super) fn exists(&self, sql: &'static str, values: Vec<Param>) -> Result<bool> {
        Ok(!self.rows(sql, values)?.is_empty())
    }

    /// Sends a statement that writes. That it fails is told by a later one, or by the commit.
    pub(super) fn send(&self, sql: &'static str, values: Vec<Param>) -> Result<()> {
        let statement = self.session.statement(sql);
        let statement = self.settled(statement)?;
        self.has_written.set(true);
        let client = &self.session.client;
        self.push(Box::pin(async move {
            let values = values.iter().map(|value| value.as_ref() as _).collect::<Vec<_>>();
            client.execute(&statement, &values).await
        }))
    }

    /// How many rows a statement wrote.
    pub(super) fn count(&self, sql: &'static str, values: Vec<Param>) -> Result<u64> {
        self.has_written.set(true);
        let statement = self.session.statement(sql);
        let statement = self.settled(statement)?;
        let values = values.iter().map(|value| value.as_ref() as _).collect::<Vec<_>>();
        let counted = self.session.wait(self.session.client.execute(&statement, &values));
        self.settled(counted)
    }

    /// A statement that was asked for its rows wrote some.
    pub(super) fn wrote(&self) {
        self.has_written.set(true);
    }

    #[cfg(test)]
    pub(super) fn mark(&self) -> Option<CommitMark> {
        self.mark.clone()
    }

    fn send_batch(&self, sql: String) -> Result<()> {
        let client = &self.session.client;
        self.push(Box::pin(async move { client.batch_execute(&sql).await.map(|()| 0) }))
    }

    /// Sends a request, for which it is asked once. The connection goes on with it by itself.
    fn push(&self, mut request: Unanswered<'s>) -> Result<()> {
        let mut unanswered = self.unanswered.borrow_mut();
        match request.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(error)) => return Err(self.session.fault(&error).into()),
            Poll::Pending => unanswered.push_back(request),
        }
        if unanswered.len() >= UNANSWERED_MAX {
            drop(unanswered);
            self.answered()?;
        }
        Ok(())
    }

    /// Waits for the answers to all that was sent; the first fault counts, the rest follow from it.
    fn answered(&self) -> Result<(), Fault> {
        let mut first = None;
        while let Some(request) = self.next_unanswered() {
            if let Err(fault) = self.session.wait(request) {
                first.get_or_insert(fault);
                if !self.session.is_usable() {
                    self.unanswered.borrow_mut().clear();
                }
            }
        }
        first.map_or(Ok(()), Err)
    }

    /// Waits for the answers to all that was sent.
    pub(super) fn flush(&self) -> Result<()> {
        Ok(self.answered()?)
    }

    fn next_unanswered(&self) -> Option<Unanswered<'s>> {
        self.unanswered.borrow_mut().pop_front()
    }

    /// An answer, or, where there is none, the first reason why not.
    fn settled<T>(&self, answer: Result<T, Fault>) -> Result<T> {
        match answer {
            Ok(answer) => Ok(answer),
            Err(fault) => Err(self.answered().err().unwrap_or(fault).into()),
        }
    }

    // The end.

    /// Commits, and says whether that is known.
    ///
    /// # Errors
    /// A statement failed; nothing is written then.
    pub(super) fn commit(self) -> Result<Ended> {
        let has_work = self.has_written.get() || self.has_counted.get();
        let Some(mark) = self.mark.clone().filter(|_| has_work) else {
            return self.leave().map(|()| Ended::Committed);
        };
        if self.has_counted.get() {
            let sequence = self.sequence.get();
            self.send("UPDATE store SET sequence = $1 WHERE one = 1", with![sequence])?;
        }
        self.send(
            "UPDATE commits SET number = $2 WHERE connection = $1::text::uuid",
            with![&mark.connection, mark.number],
        )?;
        // Else its answer tells whether there is anything to commit.
        self.answered()?;
        self.has_ended.set(true);
        match self.session.batch("COMMIT") {
            Ok(()) => Ok(Ended::Committed),
            Err(fault) if fault.kind == FaultKind::Lost => Ok(Ended::Unknown(mark, fault)),
            Err(fault) => {
                self.session.abandon();
                Err(fault.into())
            }
        }
    }

    /// Ends a transaction that wrote nothing. Its answers are not waited for.
    fn leave(&self) -> Result<()> {
        self.has_ended.set(true);
        if self.mode != Mode::ReadOne {
            self.answered()?;
            self.send_batch("COMMIT".into())?;
        }
        Ok(())
    }

    /// Undoes all.
    pub(super) fn undo(self) {
        let _ = self.answered();
        self.has_ended.set(true);
        if self.mode != Mode::ReadOne
            && self.session.is_usable()
            && self.session.batch("ROLLBACK").is_err()
        {
            self.session.abandon();
        }
    }
}

impl Drop for Turn<'_> {
    /// By a panic it ends in the middle: the server undoes what it finds when the connection is gone.
    fn drop(&mut self) {
        if !self.has_ended.get() {
            self.session.abandon();
        }
    }
}

/// Ends a transaction by what came of it.
pub(super) fn ended<T>(turn: Turn<'_>, done: Result<T>) -> Result<(T, Ended)> {
    match done {
        Ok(done) => turn.commit().map(|ended| (done, ended)),
        Err(error) => {
            turn.undo();
            Err(error)
        }
    }
}

/// What a fault left unknown, when it stays so.
pub(super) fn unknown(place: &std::sync::Arc<str>, fault: &Fault) -> StoreError {
    let why = format!(
        "the connection was lost at the commit ({}), and it cannot be read whether the change was made",
        fault.why
    );
    Fault::last(place, why).into()
}
