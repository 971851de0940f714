//! A server of its own process, what it acknowledged, and what it says of itself.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::*;

/// Within which `/readyz` is to say what fails.
pub const SAID: Duration = Duration::from_secs(10);
/// For what only has to come at all.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A server over a store in a folder of its own.
pub struct Server {
    pub folder: TempDir,
    pub child: Child,
    pub endpoint: String,
    /// Policies, by name.
    pub acknowledged: BTreeSet<String>,
    /// Asked for, whatever came of it.
    pub asked: BTreeSet<String>,
    /// Keep their connections, for there may be no others to be had: one for calls, one to watch by.
    agent: ureq::Agent,
    watching: ureq::Agent,
    /// Set when nobody is to read standard error any more.
    pub hung_up: Arc<AtomicBool>,
}

pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Answer {
    /// Whether the server says that it failed, or cannot be reached; Firewall Manager's own answer for
    /// the former is a 400.
    pub fn is_error(&self) -> bool {
        self.status >= 500
            || self.text.contains("InternalErrorException")
            || self.text.contains("ThrottlingException")
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// One whose standard error somebody reads.
    pub fn start() -> Server {
        let mut server = Server::with(Stdio::piped());
        server.listen();
        server.organize();
        server
    }

    pub fn with(stderr: Stdio) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let (child, endpoint) = spawned(&folder.path().join("store.db"), stderr);
        Server::of(folder, child, endpoint)
    }

    pub fn of(folder: TempDir, child: Child, endpoint: String) -> Server {
        let agent = || {
            let config = ureq::Agent::config_builder().http_status_as_error(false);
            config.timeout_global(Some(PATIENCE)).build().new_agent()
        };
        let (acknowledged, asked, hung_up) = Default::default();
        let (agent, watching) = (agent(), agent());
        Server { folder, child, endpoint, acknowledged, asked, agent, watching, hung_up }
    }

    fn listen(&mut self) {
        let mut stderr: ChildStderr = self.child.stderr.take().unwrap();
        self.hung_up = Arc::default();
        let hung_up = self.hung_up.clone();
        thread::spawn(move || {
            let mut piece = [0; 4096];
            while !hung_up.load(SeqCst) && stderr.read(&mut piece).is_ok_and(|read| read > 0) {}
        });
    }

    pub fn organize(&self) {
        let organization = organization(3).to_string();
        let answer = self.send("PUT", "/palisade/v1/organization", &[], &organization);
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// One that does not answer answers 599.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.endpoint))
            .header("authorization", AUTHORIZATION);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let agent = if path == "/readyz" { &self.watching } else { &self.agent };
        let answer = agent.run(request.body(body.to_owned()).unwrap());
        let read = answer.and_then(|mut answer| {
            let text = answer.body_mut().read_to_string()?;
            Ok(Answer { status: answer.status().as_u16(), text })
        });
        read.unwrap_or_else(|error| Answer { status: 599, text: error.to_string() })
    }

    pub fn call(&self, operation: &str, input: &Value) -> Answer {
        let target = format!("AWSFMS_20180101.{operation}");
        let headers =
            [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
        self.send("POST", "/", &headers, &input.to_string())
    }

    /// Puts a policy with a name of its own; answers whether that was acknowledged.
    pub fn put(&mut self) -> bool {
        let name = format!("policy-{}", self.asked.len());
        let answer = self.attempt(&name);
        self.note(name, &answer)
    }

    pub fn attempt(&self, name: &str) -> Answer {
        let padding = "x".repeat(100);
        let mut policy = audit(name, &[GROUP], &json!([{"minIpv4CidrPrefixLenPerSgRule": 16}]));
        policy["PolicyDescription"] = padding.into();
        self.call("PutPolicy", &json!({"Policy": policy}))
    }

    /// Notes what came of an attempt.
    pub fn note(&mut self, name: String, answer: &Answer) -> bool {
        self.asked.insert(name.clone());
        match answer.status {
            200 => self.acknowledged.insert(name),
            _ if answer.is_error() => false,
            _ => panic!("{} {}", answer.status, answer.text),
        }
    }

    /// The policies that the server lists; `None` where it answers with an error.
    pub fn listed(&self) -> Option<BTreeSet<String>> {
        let mut names = BTreeSet::new();
        let mut input = json!({"MaxResults": 100});
        loop {
            let answer = self.call("ListPolicies", &input);
            if answer.is_error() {
                return None;
            }
            assert_eq!(answer.status, 200, "{}", answer.text);
            let page = answer.json();
            let list = page["PolicyList"].as_array().unwrap();
            names.extend(list.iter().map(|one| one["PolicyName"].as_str().unwrap().to_owned()));
            match page.get("NextToken") {
                Some(token) => input["NextToken"] = token.clone(),
                None => return Some(names),
            }
        }
    }

    /// That what is listed, if anything, is what was acknowledged, and nothing that was not asked for.
    #[track_caller]
    pub fn assert_right(&self) {
        if let Some(listed) = self.listed() {
            assert_eq!(lost(&self.acknowledged, &listed), BTreeSet::new());
            assert!(listed.is_subset(&self.asked));
        }
    }

    /// The parts that are not well, or nothing.
    pub fn unwell(&self) -> String {
        match self.readiness() {
            (200, _) => String::new(),
            (_, text) => text,
        }
    }

    /// What `/readyz` says.
    pub fn readiness(&self) -> (u16, String) {
        let Answer { status, text } = self.send("GET", "/readyz", &[], "");
        assert!([200, 503, 599].contains(&status), "{status} {text}");
        (status, text)
    }

    #[track_caller]
    pub fn says(&self, part: &str) {
        let named = format!("\"part\":\"{part}\"");
        self.says_so(part, |status, text| status == 503 && text.contains(&named));
    }

    /// That it is ready all the same.
    #[track_caller]
    pub fn says_degraded(&self, part: &str) {
        let named = format!("degraded\n{part}: ");
        self.says_so(part, |status, text| status == 200 && text.contains(&named));
    }

    #[track_caller]
    fn says_so(&self, part: &str, is_said: impl Fn(u16, &str) -> bool) {
        let begun = Instant::now();
        loop {
            let (status, text) = self.readiness();
            if is_said(status, &text) {
                return;
            }
            // The machine may be busy: the promise is measured, not the scheduler.
            assert!(begun.elapsed() < SAID + SAID, "`{part}` is not said: {status} {text}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    #[track_caller]
    pub fn is_well_again(&self) {
        let begun = Instant::now();
        while self.readiness() != (200, "ok\n".to_owned()) {
            assert!(begun.elapsed() < PATIENCE, "{:?}", self.readiness());
            thread::sleep(Duration::from_millis(100));
        }
    }

    pub fn pid(&self) -> Option<Pid> {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    pub fn limit(&self, resource: Resource, soft: Option<u64>) {
        // The server inherited ours.
        let maximum = rustix::process::getrlimit(resource).maximum;
        prlimit(self.pid(), resource, Rlimit { current: soft, maximum }).unwrap();
    }

    /// Stopped as an operator does, and started again.
    pub fn restart(&mut self) {
        self.stop();
        self.start_again(Stdio::piped());
        self.listen();
    }

    pub fn stop(&mut self) {
        let terminate = rustix::process::Signal::TERM;
        rustix::process::kill_process(self.pid().unwrap(), terminate).unwrap();
        self.child.wait().unwrap();
    }

    /// Killed, and started again.
    pub fn resurrect(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.start_again(Stdio::null());
    }

    pub fn start_again(&mut self, stderr: Stdio) {
        (self.child, self.endpoint) = spawned(&self.path("store.db"), stderr);
    }
}

pub const GROUP: &str = "AWS::EC2::SecurityGroup";
pub const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=AKIAOPERATOR/20261101/us-east-1/fms/aws4_request, SignedHeaders=host, Signature=00";

pub fn lost(acknowledged: &BTreeSet<String>, listed: &BTreeSet<String>) -> BTreeSet<String> {
    acknowledged.difference(listed).cloned().collect()
}

pub fn serve(store: &Path, listen: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    let store = format!("sqlite:{}", store.display());
    command
        .args(["serve", "--auth", "open", "--listen", listen, "--store", &store])
        .env_clear()
        .env("HOME", "/nonexistent")
        .stdin(Stdio::null());
    command
}

/// A server, and where it answers.
pub fn spawned(store: &Path, stderr: Stdio) -> (Child, String) {
    let mut command = serve(store, "127.0.0.1:0");
    let mut child = command.stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let endpoint = line.split_whitespace().find(|word| word.starts_with("http://"));
    let endpoint = endpoint.unwrap_or_else(|| panic!("no address: {line}"));
    (child, endpoint.trim_end_matches(';').to_owned())
}
