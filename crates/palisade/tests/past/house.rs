//! Palisade behind its router over any store, with a clock that is set.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use palisade::worker::{self, Judging};
use palisade_api::own::moment;
use palisade_api::{App, Auth, Clock, Entropy, Settings, router};
use palisade_core::ident::{AccountId, Region};
use palisade_core::policy::PolicyFile;
use palisade_store::{ControlChange, PolicyRecord, Store};
use palisade_testkit::Rng;
use serde_json::Value;
use tower::ServiceExt as _;

use super::support::{account, policy_id};

struct StoppedClock(AtomicI64);

impl Clock for StoppedClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

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
    pub store: Arc<dyn Store>,
    clock: Arc<StoppedClock>,
    router: Router,
    waits: tokio::runtime::Runtime,
}

/// A path of one of the readers, of a moment or now.
pub fn path(path: &str, at_ms: Option<i64>) -> String {
    let at = at_ms.map(|at_ms| format!("&at={}", moment(at_ms))).unwrap_or_default();
    format!("{path}?limit=1000{at}")
}

impl House {
    pub fn over(store: Arc<dyn Store>, now_ms: i64) -> House {
        let clock = Arc::new(StoppedClock(AtomicI64::new(now_ms)));
        let settings = Settings::new(Auth::Open, std::env::temp_dir());
        let entropy = Arc::new(Seeded(Mutex::new(Rng::with_seed(1))));
        let app = App::new(store.clone(), clock.clone(), entropy, settings);
        let waits = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        House { router: router(app.clone()), app, store, clock, waits }
    }

    /// A server over another store, at the same moment.
    pub fn again(&self, store: Arc<dyn Store>) -> House {
        House::over(store, self.now_ms())
    }

    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    pub fn advance(&self, ms: i64) {
        self.clock.0.fetch_add(ms, Ordering::SeqCst);
        self.store.look_at_clock(self.now_ms(), ms).unwrap();
    }

    pub fn set_back(&self, ms: i64) {
        self.clock.0.fetch_sub(ms, Ordering::SeqCst);
        self.store.look_at_clock(self.now_ms(), 0).unwrap();
    }

    /// Does all work that is due.
    pub fn settle(&self) {
        let view = || self.app.view();
        let now_ms = self.now_ms();
        while worker::round(&*self.store, &view, Judging::default(), now_ms).unwrap() > 0 {}
    }

    /// One of Palisade's own endpoints, asked by the operator.
    pub fn own(&self, method: &str, path: &str, body: &str) -> Value {
        let credential = "AKIAOPERATOR/20261101/us-east-1/fms/aws4_request";
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header(
                "authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=00"
                ),
            )
            .body(Body::from(body.to_owned()))
            .unwrap();
        let answered = async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            to_bytes(response.into_body(), usize::MAX).await.unwrap()
        };
        let bytes = self.waits.block_on(answered);
        serde_json::from_slice(&bytes).unwrap_or_else(|_| panic!("{path}: not JSON: {bytes:?}"))
    }

    pub fn put_policy(&self, number: u64, revision: u64, policy: &Value) {
        let file = PolicyFile::parse(policy.to_string().as_bytes()).unwrap();
        let record = PolicyRecord {
            id: policy_id(number),
            owner: AccountId::try_from(account(1)).unwrap(),
            region: Region::try_from("us-east-1").unwrap(),
            revision,
            token: format!("{revision}:AAAAAAAAAAAAAAAAAAAAAA=="),
            former_names: Vec::new(),
            former_entry_sets: None,
            document: file.policy,
            tags: BTreeMap::new(),
            created_ms: 0,
            updated_ms: self.now_ms(),
        };
        self.commit(ControlChange::PutPolicy(Arc::new(record)));
    }

    pub fn remove_policy(&self, number: u64) {
        self.commit(ControlChange::RemovePolicy(policy_id(number)));
    }

    pub fn commit(&self, change: ControlChange) {
        let revision = self.store.control_revision().unwrap();
        self.store.commit(revision, &[change], self.now_ms()).unwrap();
    }

    /// What is told of a moment, by what it is of: a policy, an account under it, a violator of that.
    pub fn rows(&self, at_ms: i64) -> BTreeMap<String, Value> {
        let mut rows = BTreeMap::new();
        let policies = self.own("GET", &path("/palisade/v1/policies", Some(at_ms)), "");
        for policy in policies["policies"].as_array().unwrap_or_else(|| panic!("{policies}")) {
            let id = policy["id"].as_str().unwrap();
            rows.insert(format!("policy {id}"), policy.clone());
            for (list, what) in [("compliance", "account"), ("violators", "violator")] {
                let asked = path(&format!("/palisade/v1/policies/{id}/{list}"), Some(at_ms));
                let answer = self.own("GET", &asked, "");
                let member = if list == "compliance" { "accounts" } else { list };
                for row in answer[member].as_array().unwrap_or_else(|| panic!("{asked}: {answer}"))
                {
                    let mut row = row.clone();
                    let account = row["account"].as_str().unwrap().to_owned();
                    let mut key = format!("{what} {id} {account}");
                    if what == "violator" {
                        for member in ["ResourceType", "ResourceId"] {
                            key.push_str(&format!(" {}", row[member].as_str().unwrap()));
                        }
                        // Whose it is stands beside the change.
                        for member in ["account", "accountName", "unitPath"] {
                            row.as_object_mut().unwrap().remove(member);
                        }
                    }
                    rows.insert(key, row);
                }
            }
        }
        rows
    }

    /// All that readers tell of a moment, or now, a line each; without what is not kept of the past.
    pub fn answers(&self, at_ms: Option<i64>) -> String {
        let mut lines = Vec::new();
        let waivers = self.own("GET", &path("/palisade/v1/waivers", at_ms), "");
        lines.push(waivers.to_string());
        let policies = self.own("GET", &path("/palisade/v1/policies", at_ms), "");
        for policy in policies["policies"].as_array().unwrap_or_else(|| panic!("{policies}")) {
            lines.push(policy.to_string());
            let id = policy["id"].as_str().unwrap();
            for list in ["compliance", "violators"] {
                let asked = path(&format!("/palisade/v1/policies/{id}/{list}"), at_ms);
                let answer = self.own("GET", &asked, "");
                let member = if list == "compliance" { "accounts" } else { list };
                let rows = answer[member].as_array().unwrap_or_else(|| panic!("{asked}: {answer}"));
                for row in rows {
                    let mut row = row.clone();
                    for not_kept in ["lastUpdated", "asOf", "ageSeconds"] {
                        row.as_object_mut().unwrap().remove(not_kept);
                    }
                    lines.push(format!("{list} {row}"));
                }
            }
        }
        lines.join("\n")
    }
}
