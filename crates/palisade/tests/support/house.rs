//! Palisade behind its router, without a socket: what the tests ask it is what a client would.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use palisade::worker::{self, Judging};
use palisade_api::{App, Auth, Clock, Entropy, Settings, router};
use palisade_store::Work;
use palisade_store::sqlite::SqliteStore;
use palisade_testkit::Rng;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::support::NOW_MS;

/// A clock that goes on when it is told to.
struct StoppedClock(AtomicI64);

impl Clock for StoppedClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Bytes that differ from draw to draw and are the same in every run.
struct Seeded(Mutex<Rng>);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
        self.0.lock().unwrap().fill(bytes);
        Ok(())
    }
}

/// A server, its store, its clock and its worker.
pub struct House {
    app: Arc<App>,
    pub store: Arc<SqliteStore>,
    clock: Arc<StoppedClock>,
    router: Router,
    waits: tokio::runtime::Runtime,
    _spool: tempfile::TempDir,
}

/// An HTTP answer.
#[derive(Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        if self.text.is_empty() {
            return json!({});
        }
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The body of an answer that is no refusal.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()
    }
}

impl House {
    pub fn open() -> House {
        House::on(SqliteStore::in_memory([7; 32]).unwrap())
    }

    /// A server of this store.
    pub fn on(store: SqliteStore) -> House {
        let store = Arc::new(store);
        let clock = Arc::new(StoppedClock(AtomicI64::new(NOW_MS)));
        let spool = tempfile::tempdir().unwrap();
        let settings = Settings::new(Auth::Open, spool.path().into());
        let entropy = Arc::new(Seeded(Mutex::new(Rng::with_seed(1))));
        let app = App::new(store.clone(), clock.clone(), entropy, settings);
        let waits = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        House { router: router(app.clone()), app, store, clock, waits, _spool: spool }
    }

    pub fn advance_ms(&self, ms: i64) {
        self.clock.0.fetch_add(ms, Ordering::SeqCst);
    }

    /// What answers, for whoever puts it behind a socket.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Notes something of a source, as a server does that reads by itself.
    pub fn note_source(&self, name: &str, note: impl FnOnce(&mut palisade_api::sources::Source)) {
        self.app.sources.note(name, note);
    }

    fn send(&self, request: Request<Body>) -> Answer {
        let (status, bytes) = self.send_bytes(request);
        Answer { status, text: String::from_utf8(bytes).unwrap() }
    }

    /// Sends a request; answers the status and the body.
    pub fn send_bytes(&self, request: Request<Body>) -> (u16, Vec<u8>) {
        self.waits.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            (status, to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec())
        })
    }

    /// One AWS operation, by the operator.
    pub fn call(&self, region: &str, operation: &str, input: &Value) -> Answer {
        let request = Request::post("/")
            .header("host", "localhost")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("AWSFMS_20180101.{operation}"))
            .header("authorization", authorization(region))
            .body(Body::from(input.to_string()))
            .unwrap();
        self.send(request)
    }

    /// One of Palisade's own endpoints, by the operator.
    pub fn own(&self, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("authorization", authorization("us-east-1"))
            .body(body.into())
            .unwrap();
        self.send(request)
    }

    /// One delivered file.
    pub fn ingest(&self, name: &str, bytes: &[u8]) -> Answer {
        let name = escaped(name);
        self.own("POST", &format!("/palisade/v1/inventory?name={name}"), bytes.to_vec())
    }

    /// Every entry of a list, page by page.
    pub fn pages(&self, region: &str, operation: &str, input: &Value, member: &str) -> Vec<Value> {
        let mut input = input.clone();
        input["MaxResults"] = json!(3);
        let mut found = Vec::new();
        loop {
            let page = self.call(region, operation, &input).ok();
            found.extend(page[member].as_array().unwrap().iter().cloned());
            match page.get("NextToken") {
                Some(token) => input["NextToken"] = token.clone(),
                None => return found,
            }
        }
    }

    /// Does all work that is due.
    pub fn settle(&self) {
        let now_ms = self.clock.now_ms();
        let judging = Judging::default();
        while worker::round(&*self.store, &|| self.app.view(), judging.clone(), now_ms).unwrap() > 0
        {
        }
        let work = self.store.work(now_ms).unwrap();
        assert_eq!((work.dirty, work.leased), (0, 0), "{work:?}");
    }
}

pub fn authorization(region: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIAOPERATOR/20261101/{region}/fms/aws4_request, SignedHeaders=host, Signature=00"
    )
}

/// Text as a part of a query.
pub fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
