//! What callers are told when an answer takes too long.

use std::sync::{Arc, Condvar, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use palisade_api::{App, Auth, Clock, Entropy, Settings, router};
use palisade_store::sqlite::SqliteStore;
use tower::ServiceExt as _;

use crate::world::*;

/// A clock that nobody can read while it is shut, but for the thread that answers.
struct Gate {
    shut: Mutex<bool>,
    changed: Condvar,
    answering: ThreadId,
}

impl Gate {
    fn set(&self, shut: bool) {
        *self.shut.lock().unwrap() = shut;
        self.changed.notify_all();
    }
}

impl Clock for Gate {
    fn now_ms(&self) -> i64 {
        if std::thread::current().id() != self.answering {
            let shut = self.shut.lock().unwrap();
            drop(self.changed.wait_while(shut, |shut| *shut).unwrap());
        }
        NOW_MS
    }
}

struct Sevens;

impl Entropy for Sevens {
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
        bytes.fill(7);
        Ok(())
    }
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up_and_may_still_take_effect() {
    let gate = Arc::new(Gate {
        shut: Mutex::new(true),
        changed: Condvar::new(),
        answering: std::thread::current().id(),
    });
    let spool = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(Auth::Open, spool.path().into());
    settings.request_deadline = Duration::from_millis(50);
    let store = Arc::new(SqliteStore::in_memory([7; 32]).unwrap());
    let app = App::new(store, gate.clone(), Arc::new(Sevens), settings);
    let put = Request::put("/palisade/v1/organization")
        .body(Body::from(organization().to_string()))
        .unwrap();
    let answer = router(app.clone()).oneshot(put).await.unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["x-amzn-requestid"].len(), 36);
    let text = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let text = String::from_utf8(text.to_vec()).unwrap();
    assert!(text.contains("no answer within") && text.contains("may still take effect"), "{text}");
    gate.set(false);
    let there = tokio::task::spawn_blocking(move || {
        while app.view().unwrap().organization().is_none() {
            std::thread::yield_now();
        }
    });
    tokio::time::timeout(Duration::from_secs(120), there).await.unwrap().unwrap();
}
