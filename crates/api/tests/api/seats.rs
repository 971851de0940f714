//! Previews have two seats and a deadline, by whichever door they come.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use palisade_api::own::in_process;
use palisade_api::visit::{Form, Turned, visit};
use palisade_api::{App, Auth, Settings, router};
use palisade_store::sqlite::SqliteStore;
use palisade_store::{Control, ControlChange, ControlState, Result, Store, Version};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::world::*;

/// A store in which the next so many readers of what is decided wait until it is opened.
struct Gate {
    inner: Arc<dyn Store>,
    held_up: AtomicUsize,
    waiting: Mutex<usize>,
    changed: Condvar,
    is_open: Mutex<bool>,
}

impl Gate {
    fn shut_for(&self, readers: usize) {
        *self.is_open.lock().unwrap() = false;
        self.held_up.store(readers, Ordering::SeqCst);
    }

    fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.changed.notify_all();
    }

    /// How many wait: those whose turn to be held up has come.
    fn waiting(&self) -> usize {
        *self.waiting.lock().unwrap()
    }
}

palisade_testkit::delegate_roles!(
    [impl] Gate => inner: Keys, AuditLog, Inventory, Premises, Work, Ledger, Health
);

impl Control for Gate {
    fn control_revision(&self) -> Result<u64> {
        let one_less = |left: usize| left.checked_sub(1);
        if self.held_up.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok() {
            *self.waiting.lock().unwrap() += 1;
            let is_open = self.is_open.lock().unwrap();
            drop(self.changed.wait_while(is_open, |is_open| !*is_open).unwrap());
            *self.waiting.lock().unwrap() -= 1;
        }
        self.inner.control_revision()
    }

    fn control_since(&self, known: Option<&ControlState>) -> Result<ControlState> {
        self.inner.control_since(known)
    }

    fn control_at(&self, at_ms: i64) -> Result<ControlState> {
        self.inner.control_at(at_ms)
    }

    fn versions(&self, after_ms: i64, through_ms: i64) -> Result<Vec<Version>> {
        self.inner.versions(after_ms, through_ms)
    }

    fn commit(&self, at: u64, changes: &[ControlChange], now_ms: i64) -> Result<u64> {
        self.inner.commit(at, changes, now_ms)
    }
}

struct House {
    app: Arc<App>,
    gate: Arc<Gate>,
    _spool: tempfile::TempDir,
}

fn house(longest: Duration) -> House {
    let inner: Arc<dyn Store> = Arc::new(SqliteStore::in_memory([7; 32]).unwrap());
    let gate = Arc::new(Gate {
        inner,
        held_up: AtomicUsize::new(0),
        waiting: Mutex::new(0),
        changed: Condvar::new(),
        is_open: Mutex::new(true),
    });
    let spool = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(Auth::Open, spool.path().into());
    settings.unhurried_deadline = longest;
    let clock = Arc::new(StoppedClock::at(NOW_MS));
    let app = App::new(gate.clone(), clock, Arc::new(Seeded::new(3)), settings);
    House { app, gate, _spool: spool }
}

impl House {
    async fn put_organization(&self) {
        let put = Request::put("/palisade/v1/organization")
            .body(Body::from(organization().to_string()))
            .unwrap();
        assert_eq!(router(self.app.clone()).oneshot(put).await.unwrap().status(), 200);
    }

    /// By the endpoint: the status, whether it may go later, and the answer.
    async fn preview(&self) -> (u16, bool, Value) {
        let post =
            Request::post("/palisade/v1/preview").body(Body::from(asked().to_string())).unwrap();
        let answer = router(self.app.clone()).oneshot(post).await.unwrap();
        let (status, later) = (answer.status(), answer.headers().contains_key("retry-after"));
        let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status.as_u16(), later, serde_json::from_slice(&bytes).unwrap())
    }

    /// By a form of the dashboard: what it shows, or the status and the reason.
    async fn previewed(&self) -> std::result::Result<Value, (u16, String)> {
        let region = region("us-east-1");
        let page = Request::get("/policies/new").body(Body::empty()).unwrap().into_parts().0;
        let token = visit(&self.app, &page, region.clone(), |_, visitor| {
            Ok(visitor.form_token().to_owned())
        });
        let token = token.await.unwrap_or_else(|turned| panic!("{turned:?}"));
        let sent = form_urlencoded_token(&token);
        let post = Request::post("/policies/new").body(Body::from(sent)).unwrap();
        let form = Form::take_policy(&self.app, post).await.unwrap();
        let place = region.clone();
        let done = form.act_unhurried(&self.app, region, move |app, sender, _| {
            in_process::preview(app, sender, &place, &asked())
        });
        done.await.map_err(|turned| match turned {
            Turned::Refused(refused) => (refused.status.as_u16(), refused.message),
            other => panic!("{other:?}"),
        })
    }

    async fn until_waiting(&self, readers: usize) {
        let all_wait = async {
            while self.gate.waiting() < readers {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(120), all_wait).await.unwrap();
    }
}

/// Its letters are those of base64, of which a form escapes three.
fn form_urlencoded_token(token: &str) -> String {
    format!("token={}", token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"))
}

fn asked() -> Value {
    json!({"organization": organization()})
}

const LONG: Duration = Duration::from_secs(600);

#[tokio::test]
async fn a_third_preview_is_refused_while_two_are_under_way() {
    let house = house(LONG);
    house.put_organization().await;
    assert_eq!(Settings::new(Auth::Open, "/".into()).unhurried_deadline, LONG);
    house.gate.shut_for(2);
    // One by each door.
    let (one, other) = (house.preview(), house.previewed());
    let third = async {
        house.until_waiting(2).await;
        let (status, later, answer) = house.preview().await;
        assert_eq!((status, later), (429, true), "{answer}");
        assert_eq!(answer["error"]["code"], "Busy", "{answer}");
        let why = answer["error"]["message"].as_str().unwrap();
        assert!(why.starts_with("2 previews are under way") && why.contains("wait until"), "{why}");
        let (status, told) = house.previewed().await.unwrap_err();
        assert_eq!((status, &*told), (429, why));
        house.gate.open();
    };
    let ((status, _, answer), shown, ()) = tokio::join!(one, other, third);
    assert_eq!((status, &answer["changes"]), (200, &json!(false)), "{answer}");
    assert_eq!(shown.unwrap()["changes"], json!(false));
    // The seats are free again.
    assert_eq!(house.preview().await.0, 200);
    assert!(house.previewed().await.is_ok());
}

#[tokio::test]
async fn a_preview_that_takes_too_long_ends_by_either_door_and_leaves_its_seat() {
    let house = house(Duration::from_millis(500));
    house.put_organization().await;
    house.gate.shut_for(2);
    let ((status, _, answer), shown) = tokio::join!(house.preview(), house.previewed());
    assert_eq!(status, 503, "{answer}");
    let (status, why) = shown.unwrap_err();
    assert!(status == 503 && why.contains("it was given up"), "{status} {why}");
    house.gate.open();
    let free = async {
        while house.preview().await.0 != 200 || house.previewed().await.is_err() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), free).await.unwrap();
}
