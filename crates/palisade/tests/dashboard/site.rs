//! A server with its dashboard, without a socket, and a browser that keeps its cookies.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, header};
use flate2::Compression;
use flate2::write::GzEncoder;
use palisade::sample;
use palisade::worker::{self, Judging};
use palisade_api::audit::Actor;
use palisade_api::keys::{Keyring, Wanted};
use palisade_api::vault::Vault;
use palisade_api::{App, Auth, Clock, Entropy, Settings, router_with};
use palisade_core::ident::AccountId;
use palisade_store::sqlite::SqliteStore;
use palisade_testkit::Rng;
use palisade_wire::sigv4::{Payload, RequestParts, Secret, Signer, sign};
use serde_json::Value;
use tower::ServiceExt as _;

use super::support::NOW_MS;

/// Bytes of a page as gzip packs it.
pub const PAGE_SIZE_MAX: usize = 100 * 1024;

pub const SEALING: [u8; 32] = [9; 32];
pub const SIGV4: Auth = Auth::SigV4 { window_ms: 300_000 };

pub struct StoppedClock(AtomicI64);

impl StoppedClock {
    pub fn advance_ms(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

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

pub struct Site {
    pub app: Arc<App>,
    pub store: Arc<SqliteStore>,
    pub clock: Arc<StoppedClock>,
    router: Router,
    waits: tokio::runtime::Runtime,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn cookies(&self) -> Vec<&str> {
        self.headers.get_all(header::SET_COOKIE).iter().map(|one| one.to_str().unwrap()).collect()
    }

    /// How many bytes it has as gzip packs it.
    pub fn packed(&self) -> usize {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(self.text.as_bytes()).unwrap();
        gzip.finish().unwrap().len()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    /// A hidden member of a form that the page has.
    pub fn hidden(&self, name: &str) -> String {
        let begin = format!("name=\"{name}\" value=\"");
        let (_, rest) = self.text.split_once(&begin).expect("a member");
        rest.split('"').next().unwrap().to_owned()
    }

    /// What the text area of the page holds.
    pub fn area(&self) -> String {
        let (_, rest) = self.text.split_once("<textarea id=\"text\"").expect("a text area");
        let (_, rest) = rest.split_once(">\n").unwrap();
        let text = rest.split("</textarea>").next().unwrap();
        let plain = text.replace("&#34;", "\"").replace("&#39;", "'").replace("&#60;", "<");
        plain.replace("&#62;", ">").replace("&#38;", "&")
    }

    /// The token in the form that the page has.
    pub fn token(&self) -> String {
        let (_, rest) = self.text.split_once("name=\"token\" value=\"").expect("a form");
        rest.split('"').next().unwrap().to_owned()
    }
}

/// A key as its owner holds it.
#[derive(Clone, Debug)]
pub struct Held {
    pub id: String,
    pub secret: String,
}

impl Site {
    pub fn open() -> Site {
        Site::on(Arc::new(SqliteStore::in_memory([7; 32]).unwrap()), |_| {})
    }

    pub fn signed() -> Site {
        Site::on(Arc::new(SqliteStore::in_memory([7; 32]).unwrap()), |set| set.auth = SIGV4)
    }

    pub fn on(store: Arc<SqliteStore>, set: impl FnOnce(&mut Settings)) -> Site {
        static SEED: AtomicI64 = AtomicI64::new(1);
        let clock = Arc::new(StoppedClock(AtomicI64::new(NOW_MS)));
        let mut settings = Settings::new(Auth::Open, std::env::temp_dir());
        settings.any_host = false;
        settings.vault = Some(Arc::new(Vault::new(&SEALING)));
        settings.stale_after_ms = Judging::default().stale_after_ms;
        set(&mut settings);
        // A server that starts again draws other bytes.
        let seed = SEED.fetch_add(1, Ordering::SeqCst).unsigned_abs();
        let entropy = Arc::new(Seeded(Mutex::new(Rng::with_seed(seed))));
        let app = App::new(store.clone(), clock.clone(), entropy, settings);
        let router = router_with(app.clone(), palisade_dashboard::routes());
        let waits = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Site { app, store, clock, router, waits }
    }

    /// The sample organization, judged, under open authentication.
    pub fn sample() -> &'static Site {
        static SAMPLE: OnceLock<Site> = OnceLock::new();
        SAMPLE.get_or_init(|| {
            let site = Site::open();
            site.fill();
            site
        })
    }

    /// Brings the sample by the door that users come by, and judges it.
    pub fn fill(&self) {
        let mut policies = Vec::new();
        sample::generate(sample::Extent::default(), NOW_MS, |file| {
            let path = file.path.display().to_string();
            if path == "organization.json" {
                self.own("PUT", "/palisade/v1/organization", file.bytes).json();
            } else if path.starts_with("policies") {
                policies.push(file.bytes);
            } else {
                let name = path.replace('/', "%2F");
                self.own("POST", &format!("/palisade/v1/inventory?name={name}"), file.bytes).json();
            }
            Ok(())
        })
        .unwrap();
        for region in ["us-east-1", "eu-west-1"] {
            for policy in &policies {
                self.call(region, "PutPolicy", &serde_json::from_slice(policy).unwrap()).json();
            }
        }
        // A minute without a judgement, and one with: the past has something to tell.
        self.clock.advance_ms(60_000);
        self.settle();
        self.clock.advance_ms(60_000);
    }

    pub fn settle(&self) {
        let now_ms = self.clock.now_ms();
        while worker::round(&*self.store, &|| self.app.view(), Judging::default(), now_ms).unwrap()
            > 0
        {}
    }

    pub fn send(&self, request: Request<Body>) -> Answer {
        self.waits.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (head, body) = response.into_parts();
            let bytes = to_bytes(body, usize::MAX).await.unwrap();
            Answer {
                status: head.status.as_u16(),
                headers: head.headers,
                text: String::from_utf8(bytes.to_vec()).unwrap(),
            }
        })
    }

    /// Status and body of an answer that is no text.
    pub fn send_bytes(&self, request: Request<Body>) -> (u16, Vec<u8>) {
        self.waits.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            (status, to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec())
        })
    }

    /// One AWS operation, by the operator under open authentication.
    pub fn call(&self, region: &str, operation: &str, input: &Value) -> Answer {
        let request = Request::post("/")
            .header("host", "localhost")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("AWSFMS_20180101.{operation}"))
            .header("authorization", authorization(region));
        self.send(request.body(Body::from(input.to_string())).unwrap())
    }

    /// One of Palisade's own endpoints, by the operator under open authentication.
    pub fn own(&self, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder().method(method).uri(path).header("host", "localhost");
        let request = request.header("authorization", authorization("us-east-1"));
        self.send(request.body(body.into()).unwrap())
    }

    /// A signed call.
    pub fn signed_call(&self, key: &Held, method: &str, path: &str) -> Answer {
        let mut headers: Vec<(String, String)> = vec![("host".into(), "localhost".into())];
        let signer = Signer {
            access_key_id: &key.id,
            secret: &Secret::new(key.secret.as_str()),
            session_token: None,
            region: "us-east-1",
            service: "fms",
            now_ms: self.clock.now_ms(),
        };
        let payload = Payload::Bytes(b"");
        let parts = RequestParts { method, path, query: "", headers: &headers, payload };
        headers.extend(sign(&signer, &parts));
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        self.send(request.body(Body::empty()).unwrap())
    }

    /// Makes a key.
    pub fn key(&self, account: Option<&str>) -> Held {
        let account = account.map(|id| AccountId::try_from(id).unwrap());
        self.key_as(&Wanted { account, ..Wanted::default() })
    }

    /// Makes a key of a role, with an end.
    pub fn key_as(&self, wanted: &Wanted) -> Held {
        let new = self.ring(|ring| ring.create(wanted).unwrap());
        Held { id: new.record.access_key_id, secret: new.secret }
    }

    pub fn enable(&self, key: &Held, enabled: bool) {
        self.ring(|ring| ring.enable(&key.id, enabled).unwrap());
    }

    pub fn delete(&self, key: &Held) {
        self.ring(|ring| ring.delete(&key.id).unwrap());
    }

    fn ring<T>(&self, act: impl FnOnce(&Keyring<'_>) -> T) -> T {
        act(&Keyring {
            store: &*self.store,
            vault: self.app.settings.vault.as_deref(),
            entropy: &*self.app.entropy,
            actor: &Actor::local(String::new(), self.clock.now_ms()),
            keeps_an_operator: false,
        })
    }

    pub fn browser(&self) -> Browser<'_> {
        let host = "localhost:7780".to_owned();
        Browser { site: self, cookies: BTreeMap::new(), host, headers: Vec::new() }
    }
}

pub fn authorization(region: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIAOPERATOR/20261101/{region}/fms/aws4_request, SignedHeaders=host, Signature=00"
    )
}

/// Keeps cookies, and sends them back.
pub struct Browser<'s> {
    pub site: &'s Site,
    pub cookies: BTreeMap<String, String>,
    pub host: String,
    /// What else it sends with every request.
    pub headers: Vec<(&'static str, String)>,
}

impl Browser<'_> {
    pub fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, Body::empty())
    }

    pub fn post(&mut self, path: &str, members: &[(&str, &str)]) -> Answer {
        let text: Vec<String> =
            members.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        self.send("POST", path, Body::from(text.join("&")))
    }

    /// Gets the form and sends it.
    pub fn sign_in(&mut self, key: &Held) -> Answer {
        let token = self.get("/sign-in").token();
        self.post("/sign-in", &[("token", &token), ("key", &key.id), ("secret", &key.secret)])
    }

    fn send(&mut self, method: &str, path: &str, body: Body) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.host)
            .header("accept", "text/html,*/*");
        if method == "POST" {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        if !self.cookies.is_empty() {
            let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
            request = request.header("cookie", cookies.collect::<Vec<_>>().join("; "));
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let answer = self.site.send(request.body(body).unwrap());
        for cookie in answer.cookies() {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            match value {
                "" => self.cookies.remove(name),
                value => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        answer
    }
}

pub fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
    text.bytes()
        .map(|byte| match plain(&byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

/// Pages that a visitor without any rights sees something of, for tests of what all pages have.
pub const PAGES: [&str; 13] = [
    "/",
    "/policies",
    "/policies/new",
    "/heatmap",
    "/heatmap?view=table",
    "/violations",
    "/changes",
    "/history",
    "/waivers",
    "/waivers/new",
    "/keys",
    "/sources",
    "/audit",
];
