//! What PostgreSQL, or the way to it, failed at, and whether the same may succeed when it is tried again.

use std::sync::Arc;

use tokio_postgres::error::SqlState;

use crate::StoreError;

/// Why a statement or a connection failed. Holds no password.
#[derive(Debug, thiserror::Error)]
#[error("PostgreSQL at {place}: {why}")]
pub(super) struct Fault {
    pub place: Arc<str>,
    pub why: String,
    pub kind: FaultKind,
}

/// What a fault says of the transaction that it ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum FaultKind {
    /// The server undid it, and says that it may be tried again.
    Undone,
    /// The connection is gone, and the server undoes it unless its commit was asked for.
    Lost,
    /// Trying again does not help.
    Final,
}

impl Fault {
    /// A fault of a library call.
    pub fn of(place: &Arc<str>, error: &tokio_postgres::Error) -> Fault {
        let kind = match error.code() {
            Some(code) => kind_of(code),
            // What the library reports without a code and is neither of these is ours: a type, a column.
            None if error.is_closed() || has_io_cause(error) => FaultKind::Lost,
            None => FaultKind::Final,
        };
        let why = match error.as_db_error() {
            Some(told) => format!("{} (SQLSTATE {})", told.message(), told.code().code()),
            None => causes(error),
        };
        Fault { place: place.clone(), why, kind }
    }

    /// It did not answer in time.
    pub fn silent(place: &Arc<str>, seconds: u64) -> Fault {
        let why = format!("it did not answer within {seconds} s");
        Fault { place: place.clone(), why, kind: FaultKind::Lost }
    }

    /// As anybody may read it: without hosts, users and databases, which the log has.
    pub fn in_public(&self) -> String {
        let state =
            self.why.rsplit_once("(SQLSTATE ").map(|(_, state)| state.trim_end_matches(')'));
        match (self.kind, state) {
            (FaultKind::Lost, _) => "the database cannot be reached or does not answer".to_owned(),
            (_, Some(state)) => format!("the database refuses with SQLSTATE {state}"),
            (_, None) => "the database cannot be used".to_owned(),
        }
    }

    /// One that trying again does not mend.
    pub fn last(place: &Arc<str>, why: impl Into<String>) -> Fault {
        Fault { place: place.clone(), why: why.into(), kind: FaultKind::Final }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> StoreError {
        StoreError::Engine(Box::new(fault))
    }
}

/// Exactly 40001, 40P01, 57P01 to 57P03 and class 08 may be tried again.
fn kind_of(code: &SqlState) -> FaultKind {
    match code.code() {
        "40001" | "40P01" => FaultKind::Undone,
        "57P01" | "57P02" | "57P03" => FaultKind::Lost,
        code if code.starts_with("08") => FaultKind::Lost,
        _ => FaultKind::Final,
    }
}

/// The kind of the fault in an error of the store.
pub(super) fn kind(error: &StoreError) -> Option<FaultKind> {
    match error {
        StoreError::Engine(cause) => cause.downcast_ref::<Fault>().map(|fault| fault.kind),
        _ => None,
    }
}

/// As [`Fault::in_public`], of any failure.
pub(super) fn in_public(error: &StoreError) -> String {
    match error {
        StoreError::Engine(cause) => match cause.downcast_ref::<Fault>() {
            Some(fault) => fault.in_public(),
            None => "the database cannot be used".to_owned(),
        },
        other => other.to_string(),
    }
}

fn has_io_cause(error: &tokio_postgres::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if error.is::<std::io::Error>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anybody_may_read_what_is_told_in_public() {
        let fault =
            |why: &str, kind| Fault { place: "postgres://u@h".into(), why: why.into(), kind };
        let table = [
            (fault("no host `db-1`", FaultKind::Lost), "cannot be reached"),
            (fault("no role \"u\" (SQLSTATE 28000)", FaultKind::Final), "SQLSTATE 28000"),
            (fault("db-1 is of another kind", FaultKind::Final), "cannot be used"),
        ];
        for (fault, expected) in table {
            let told = fault.in_public();
            assert!(told.contains(expected) && !told.contains("db-1"), "{told}");
        }
    }

    #[test]
    fn what_may_be_tried_again_is_exactly_what_the_server_says_may() {
        let table = [
            ("40001", FaultKind::Undone),
            ("40P01", FaultKind::Undone),
            ("40002", FaultKind::Final),
            ("57P00", FaultKind::Final),
            ("57P01", FaultKind::Lost),
            ("57P02", FaultKind::Lost),
            ("57P03", FaultKind::Lost),
            ("57P04", FaultKind::Final),
            ("08000", FaultKind::Lost),
            ("08006", FaultKind::Lost),
            ("09000", FaultKind::Final),
            ("23505", FaultKind::Final),
            ("25P03", FaultKind::Final),
            ("53100", FaultKind::Final),
            ("55P03", FaultKind::Final),
        ];
        for (code, kind) in table {
            assert_eq!(kind_of(&SqlState::from_code(code)), kind, "{code}");
        }
    }
}
