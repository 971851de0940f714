//! A server of its own for every measurement, asked as any client asks: signed calls over HTTP.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use palisade_wire::sigv4::{Payload, RequestParts, Secret, Signer, sign};
use palisade_wire::{Operation, Protocol, TARGET_PREFIX};
use serde_json::{Value, json};
use ureq::Agent;

use crate::fleet::{Fleet, REGIONS};
use crate::runs::{cpu_seconds, resident};

/// How often a server is asked whether its work is done.
const LOOK: Duration = Duration::from_millis(5);
/// Entries of a page of ListComplianceStatus: the most there can be.
pub const PAGE: usize = 100;

/// `palisade serve` over a store in a folder of its own.
pub struct Server {
    child: Child,
    store: PathBuf,
    pub client: Client,
}

/// What every client has: an address, and a key to sign with.
pub struct Client {
    agent: Agent,
    address: String,
    /// Its id and its secret.
    key: (String, String),
}

impl Server {
    /// A server over a new, empty store.
    pub fn fresh(palisade: &Path, folder: &Path) -> Server {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).expect("a folder");
        Server::open(palisade, folder)
    }

    /// A server over the store in a folder, with a new key.
    pub fn open(palisade: &Path, folder: &Path) -> Server {
        Server::with(palisade, folder, "sigv4")
    }

    /// The same without authentication, so that pages need no session.
    pub fn open_to_all(palisade: &Path, folder: &Path) -> Server {
        Server::with(palisade, folder, "open")
    }

    fn with(palisade: &Path, folder: &Path, auth: &str) -> Server {
        let store = folder.join("palisade.db");
        let name = format!("sqlite:{}", store.display());
        let made = Command::new(palisade)
            .args(["keys", "create", "--operator", "--store", &name])
            .stderr(Stdio::null())
            .output()
            .expect("starts");
        let told = String::from_utf8(made.stdout).expect("text");
        let word = |name: &str| {
            let line = told.lines().find_map(|line| line.strip_prefix(name));
            line.expect("a key").to_owned()
        };
        let id = word("export AWS_ACCESS_KEY_ID=");
        let secret = word("export AWS_SECRET_ACCESS_KEY=");
        let log = fs::File::create(folder.join("log")).expect("a log");
        let mut child = Command::new(palisade)
            // The fleet is dated: its age is not what is measured.
            .args(["serve", "--listen", "127.0.0.1:0", "--store", &name, "--stale-after", "0"])
            .args(["--auth", auth])
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("starts");
        let address = announced(&mut child);
        Server { child, store, client: Client::new(address, (id, secret)) }
    }

    /// CPU seconds it took so far.
    pub fn cpu(&self) -> f64 {
        cpu_seconds(self.child.id())
    }

    /// Resident memory now, bytes.
    pub fn resident(&self) -> u64 {
        resident(self.child.id())
    }

    /// What a page is sent as.
    pub fn get(&self, path: &str) -> Vec<u8> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        self.client.exchange("GET", (path, query), REGIONS[0], &[], b"").0
    }

    /// The store's file.
    pub fn store(&self) -> &Path {
        &self.store
    }

    /// The whole organization of a fleet, and its four policies in both Regions. Answers the ids of
    /// the policies: by Region, in the order of the fleet's.
    pub fn furnish(&self, fleet: &Fleet) -> BTreeMap<&'static str, Vec<String>> {
        let organization = fs::read(&fleet.organization).expect("is there");
        self.client.own("PUT", "/palisade/v1/organization", "", &organization);
        let mut ids = BTreeMap::new();
        for region in REGIONS {
            let files = fleet.questions.iter().chain(&fleet.further);
            let put = files.map(|path| {
                let input: Value =
                    serde_json::from_slice(&fs::read(path).expect("is there")).expect("JSON");
                self.client.put_policy(region, &input)
            });
            ids.insert(region, put.collect());
        }
        self.settled();
        ids
    }

    /// Waits until nothing is due any more.
    pub fn settled(&self) {
        loop {
            let work = self.client.own("GET", "/palisade/v1/work", "", b"");
            if work["dirty"] == 0 && work["leased"] == 0 {
                return;
            }
            std::thread::sleep(LOOK);
        }
    }

    /// `palisade ingest` of files, as a user runs it.
    pub fn ingest(&self, palisade: &Path, files: &Path) {
        let (id, secret) = &self.client.key;
        let ended = Command::new(palisade)
            .arg("ingest")
            .arg(files)
            .env("PALISADE_ENDPOINT", format!("http://{}", self.client.address))
            .env("AWS_ACCESS_KEY_ID", id)
            .env("AWS_SECRET_ACCESS_KEY", secret)
            .stdout(Stdio::null())
            .status()
            .expect("starts");
        assert!(ended.success(), "palisade ingest");
    }

    /// Asserts that the ledger holds the fleet's truth: the violators of every account under both
    /// questions in both Regions, and none under the further policies.
    pub fn assert_truth(&self, fleet: &Fleet, ids: &BTreeMap<&'static str, Vec<String>>) {
        for (region, ids) in ids {
            for (at, id) in ids.iter().enumerate() {
                let expected: BTreeMap<String, u64> = fleet
                    .truth
                    .iter()
                    .filter(|((_, of), _)| of == region)
                    .map(|((account, _), found)| {
                        (account.clone(), found.get(at).copied().unwrap_or(0))
                    })
                    .collect();
                assert_eq!(self.client.violators(region, id), expected, "policy {at} in {region}");
            }
        }
    }

    /// Stops it as an operator does, so that the log is moved into the store's file. Answers the
    /// file's bytes.
    pub fn stop(mut self) -> u64 {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        assert!(asked.expect("starts").success());
        assert!(self.child.wait().expect("ends").success(), "palisade serve");
        fs::metadata(&self.store).expect("a store").len()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `stop` there is nothing left of it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Client {
    /// A client of a server at `host:port`.
    fn new(address: String, key: (String, String)) -> Client {
        let agent = Agent::config_builder().http_status_as_error(false).proxy(None).build();
        Client { agent: agent.new_agent(), address, key }
    }

    /// The same key for another server.
    pub fn at(&self, address: String) -> Client {
        Client { agent: self.agent.clone(), address, key: self.key.clone() }
    }

    /// One Firewall Manager operation.
    pub fn call(&self, region: &str, operation: &str, input: &Value) -> Value {
        let target = format!("AWSFMS_20180101.{operation}");
        let headers =
            [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
        self.send("POST", ("/", ""), region, &headers, input.to_string().as_bytes())
    }

    /// One of Palisade's own endpoints.
    pub fn own(&self, method: &str, path: &str, query: &str, body: &[u8]) -> Value {
        let headers = [("content-type", "application/json")];
        self.send(method, (path, query), REGIONS[0], &headers, body)
    }

    /// What a draft of a policy would find in a Region.
    pub fn preview(&self, region: &str, input: &Value) -> Value {
        let headers = [("content-type", "application/json")];
        let body = json!({"policies": [input]}).to_string();
        self.send("POST", ("/palisade/v1/preview", ""), region, &headers, body.as_bytes())
    }

    /// Puts a policy; answers its id.
    pub fn put_policy(&self, region: &str, input: &Value) -> String {
        let answer = self.call(region, "PutPolicy", input);
        answer["Policy"]["PolicyId"].as_str().expect("an id").to_owned()
    }

    /// Violators by account, as ListComplianceStatus counts them.
    pub fn violators(&self, region: &str, policy: &str) -> BTreeMap<String, u64> {
        let mut violators = BTreeMap::new();
        let mut token = Value::Null;
        loop {
            let page = self.page(region, policy, &token);
            violators.extend(counts(&page));
            token = page["NextToken"].clone();
            if token.is_null() {
                return violators;
            }
        }
    }

    /// One page of ListComplianceStatus.
    pub fn page(&self, region: &str, policy: &str, token: &Value) -> Value {
        let mut input = json!({"PolicyId": policy, "MaxResults": PAGE});
        if !token.is_null() {
            input["NextToken"] = token.clone();
        }
        self.call(region, "ListComplianceStatus", &input)
    }

    fn send(
        &self,
        method: &str,
        whole: (&str, &str),
        region: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Value {
        let (bytes, _) = self.exchange(method, whole, region, headers, body);
        if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).expect("JSON") }
    }

    /// One operation in either protocol. Answers the body, and the seconds from the first byte sent
    /// to the last received.
    pub fn ask(
        &self,
        protocol: Protocol,
        region: &str,
        operation: Operation,
        body: &[u8],
    ) -> (Vec<u8>, f64) {
        let name = operation.name();
        match protocol {
            Protocol::Json => {
                let target = format!("{TARGET_PREFIX}.{name}");
                let headers = [
                    ("content-type", "application/x-amz-json-1.1"),
                    ("x-amz-target", target.as_str()),
                ];
                self.exchange("POST", ("/", ""), region, &headers, body)
            }
            Protocol::Cbor => {
                let path = format!("/service/{TARGET_PREFIX}/operation/{name}");
                let headers = [
                    ("content-type", "application/cbor"),
                    ("accept", "application/cbor"),
                    ("smithy-protocol", "rpc-v2-cbor"),
                ];
                self.exchange("POST", (&path, ""), region, &headers, body)
            }
        }
    }

    /// Signs, sends and reads to the end; only the latter two are timed.
    fn exchange(
        &self,
        method: &str,
        (path, query): (&str, &str),
        region: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> (Vec<u8>, f64) {
        let mut headers: Vec<(String, String)> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        headers.push(("host".to_owned(), self.address.clone()));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let secret = Secret::new(self.key.1.as_str());
        let signer = Signer {
            access_key_id: &self.key.0,
            secret: &secret,
            session_token: None,
            region,
            service: "fms",
            now_ms: i64::try_from(now.as_millis()).expect("a moment"),
        };
        let payload = Payload::Bytes(body);
        let parts = RequestParts { method, path, query, headers: &headers, payload };
        let added = sign(&signer, &parts);
        headers.extend(added);
        let mark = if query.is_empty() { "" } else { "?" };
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}{mark}{query}", self.address));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let started = Instant::now();
        let answer = if body.is_empty() {
            self.agent.run(request.body(()).expect("a request"))
        } else {
            self.agent.run(request.body(body).expect("a request"))
        };
        let mut answer = answer.expect("an answer");
        let bytes = answer.body_mut().with_config().limit(1 << 28).read_to_vec().expect("a body");
        let took = started.elapsed().as_secs_f64();
        let status = answer.status();
        let text = String::from_utf8_lossy(&bytes);
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        (bytes, took)
    }
}

/// The address that a server prints first, between `http://` and `;`.
pub fn announced(child: &mut Child) -> String {
    let mut line = String::new();
    let out = child.stdout.take().expect("a pipe");
    BufReader::new(out).read_line(&mut line).expect("an announcement");
    let address = line.split("http://").nth(1).and_then(|rest| rest.split(';').next());
    address.expect("an address").to_owned()
}

/// The violators that a page of ListComplianceStatus counts; every account of it is judged.
pub fn counts(page: &Value) -> Vec<(String, u64)> {
    let list = page["PolicyComplianceStatusList"].as_array().expect("a list");
    let count = |status: &Value| {
        let result = &status["EvaluationResults"][0];
        assert!(result["ComplianceStatus"].is_string(), "undecided: {status}");
        let account = status["MemberAccount"].as_str().expect("an account").to_owned();
        (account, result["ViolatorCount"].as_u64().expect("a count"))
    };
    list.iter().map(count).collect()
}
