//! The whole path against moto, whose answers nobody here wrote: resources are made through boto3, `collect` and `check`
//! judge them from files, and a server that reads by itself comes to the same. Skipped where moto is not installed.

#![expect(clippy::unwrap_used, reason = "tests may, and so may what they share")]
#![expect(
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may, and so may what they share"
)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const REGION: &str = "eu-west-1";
/// What moto takes for the management account.
const MANAGEMENT: &str = "123456789012";

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A moto server, where there is one, and its port.
fn moto() -> Option<(Running, u16)> {
    let has_boto = Command::new("python3").args(["-c", "import boto3"]).output();
    let port = free_port();
    let started = Command::new("moto_server")
        .args(["-H", "127.0.0.1", "-p", &port.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let (Ok(child), true) = (started, has_boto.is_ok_and(|run| run.status.success())) else {
        palisade_testkit::skipped("`moto_server` or boto3 is not installed");
        return None;
    };
    let moto = Running(child);
    wait_for("moto", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    Some((moto, port))
}

fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_there() {
        assert!(begun.elapsed() < Duration::from_secs(120), "{what} does not come");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn estate(port: u16, what: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/estate.py");
    let run = Command::new("python3").arg(script).arg(port.to_string()).args(what).output();
    let run = run.unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap()
}

/// A command that asks moto for AWS, as whoever has this key.
fn palisade(port: u16, key: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command
        .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
        .env("AWS_ACCESS_KEY_ID", key)
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_DEFAULT_REGION", REGION)
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_REGION");
    command
}

fn ran(command: &mut Command, code: i32) -> Output {
    let run = command.output().unwrap();
    let told = format!(
        "{command:?}\n{}\n{}",
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr)
    );
    assert_eq!(run.status.code(), Some(code), "{told}");
    run
}

fn json_of(command: &mut Command, code: i32) -> Value {
    serde_json::from_slice(&ran(command, code).stdout).unwrap()
}

fn policy() -> Value {
    let options = json!([
        {"auditSgDirection": {"type": "INGRESS"}}, {"allowedPortCountPerSgRule": 1},
    ]);
    let data = json!({"type": "SECURITY_GROUPS_CONTENT_AUDIT", "preManagedOptions": options});
    json!({
        "PolicyName": "one-port-a-rule",
        "ResourceType": "AWS::EC2::SecurityGroup",
        "ExcludeResourceTags": false,
        "RemediationEnabled": false,
        "SecurityServicePolicyData": {
            "Type": "SECURITY_GROUPS_CONTENT_AUDIT", "ManagedServiceData": data.to_string(),
        },
    })
}

/// Status and violators of an account.
type Status = (Value, Value);

/// Those of each account.
fn statuses(rows: &Value) -> BTreeMap<String, Status> {
    let rows = rows.as_array().or_else(|| rows["PolicyComplianceStatusList"].as_array());
    let rows = rows.unwrap_or_else(|| panic!("no rows"));
    rows.iter()
        .map(|row| {
            let account = row["MemberAccount"].as_str().unwrap_or_else(|| panic!("{row}"));
            let result = row["EvaluationResults"].get(0);
            let of = |name: &str| result.map_or(Value::Null, |result| result[name].clone());
            (account.to_owned(), (of("ComplianceStatus"), of("ViolatorCount")))
        })
        .collect()
}

/// A server that reads by itself.
struct Server {
    _process: Running,
    endpoint: String,
    port: u16,
}

impl Server {
    /// Starts it with this configuration, which is right.
    fn start(port: u16, folder: &Path, config: &str) -> Server {
        let file = folder.join("palisade.toml");
        std::fs::write(&file, config).unwrap();
        ran(palisade(port, "test").args(["config", "check"]).arg(&file), 0);
        let store = format!("sqlite:{}", folder.join("p.db").display());
        let mut serve = palisade(port, "test");
        serve.args(["serve", "--auth", "open", "--listen", "127.0.0.1:0", "--config"]);
        serve.arg(&file).args(["--store", &store]);
        serve.stdout(Stdio::piped()).stderr(std::fs::File::create(folder.join("log")).unwrap());
        let mut process = Running(serve.spawn().unwrap());
        let mut first = String::new();
        BufReader::new(process.0.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let endpoint = first.split_whitespace().find(|word| word.starts_with("http"));
        let endpoint = endpoint.unwrap_or_else(|| panic!("`{first}`")).trim_end_matches(';');
        Server { _process: process, endpoint: endpoint.to_owned(), port }
    }

    fn ask(&self, key: &str, line: &[&str]) -> Command {
        let mut command = palisade(self.port, key);
        command.args(line).args(["--endpoint", &self.endpoint]);
        command
    }

    fn sources(&self) -> Vec<Value> {
        let told = json_of(&mut self.ask("test", &["sources", "--output", "json"]), 0);
        told["Sources"].as_array().unwrap().clone()
    }

    fn put(&self, key: &str, policy: &Path) {
        let line = ["policies", "put", policy.to_str().unwrap(), "--region", REGION];
        ran(&mut self.ask(key, &line), 0);
    }

    /// Whether these accounts stand like this.
    fn is_judged(&self, key: &str, wanted: &BTreeMap<String, Status>) -> bool {
        let line = ["compliance", "one-port-a-rule", "--region", REGION, "--output", "json"];
        let run = self.ask(key, &line).output().unwrap();
        let now = statuses(&serde_json::from_slice(&run.stdout).unwrap_or_else(|_| json!([])));
        wanted.iter().all(|(account, known)| now.get(account) == Some(known))
    }
}

#[test]
fn a_server_that_reads_by_itself_comes_to_what_check_finds_in_collected_files() {
    let Some((_moto, port)) = moto() else { return };
    let accounts: Vec<String> = serde_json::from_str(&estate(port, &["make"])).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("policy.json"), policy().to_string()).unwrap();

    // Moto does not know every call: what it does not is told, and everything else is whole.
    let mut collect = palisade(port, "test");
    collect.args(["collect", "--role", "PalisadeReadOnly", "--region", REGION, "--out"]);
    let run = ran(collect.arg(at("files")), 2);
    let warned = String::from_utf8(run.stderr).unwrap();
    assert!(warned.contains("shield:GetSubscriptionState in account"), "{warned}");
    let mut check = palisade(port, "test");
    check.arg("check").arg("--policy").arg(at("policy.json")).arg("--organization");
    check.arg(at("files/organization.json")).args(["--output", "json", "--region", REGION]);
    let checked = statuses(&json_of(check.arg(at("files/inventory")), 1));
    let status = |account: &str| checked[account].0.as_str();
    assert_eq!(status(&accounts[0]), Some("NON_COMPLIANT"));
    assert_eq!(status(&accounts[1]), Some("COMPLIANT"));
    assert_eq!(checked.len(), 4, "{checked:?}");

    let config = format!(
        "[organization]\nsource = \"aws\"\nevery = \"10s\"\n\n[[inventory]]\nsource = \"live\"\n\
         role = \"PalisadeReadOnly\"\nregions = [\"{REGION}\"]\nevery = \"10s\"\n"
    );
    let server = Server::start(port, folder.path(), &config);
    wait_for("the organization", || !server.sources()[1]["WholeAt"].is_null());
    associate(&server.endpoint, &accounts[2]);
    server.put(&accounts[2], &at("policy.json"));
    let judged = |wanted: &BTreeMap<String, Status>| server.is_judged(&accounts[2], wanted);
    wait_for("what check found", || judged(&checked));

    estate(port, &["mend", &accounts[0]]);
    let mut mended = checked.clone();
    mended.insert(accounts[0].clone(), (json!("COMPLIANT"), json!(0)));
    wait_for("what was mended", || judged(&mended));

    let told = ran(&mut server.ask("test", &["sources"]), 0).stdout;
    let told = String::from_utf8(told).unwrap();
    assert!(told.contains("organization") && told.contains("inventory[0]"), "{told}");
    assert!(
        told.lines().all(|line| line.starts_with("warning") || line.chars().count() <= 80),
        "{told}"
    );
}

#[test]
fn deliveries_in_a_bucket_and_changes_in_a_queue_are_taken_in_and_what_nobody_can_read_is_set_aside()
 {
    let Some((_moto, port)) = moto() else { return };
    let accounts: Vec<String> = serde_json::from_str(&estate(port, &["make"])).unwrap();
    let url = estate(port, &["deposit", &accounts[0]]).trim().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("policy.json"), policy().to_string()).unwrap();
    let config = format!(
        "[organization]\nsource = \"aws\"\nevery = \"10s\"\n\n[[inventory]]\nsource = \"s3\"\n\
         bucket = \"config-logs\"\nprefix = \"AWSLogs/\"\nregion = \"{REGION}\"\nqueue = \"{url}\"\n"
    );
    let server = Server::start(port, folder.path(), &config);
    let key = &accounts[2];
    wait_for("the organization", || !server.sources()[1]["WholeAt"].is_null());
    associate(&server.endpoint, key);
    server.put(key, &at("policy.json"));
    let broken: Status = (json!("NON_COMPLIANT"), json!(1));
    let fine: Status = (json!("COMPLIANT"), json!(0));
    let stands = |account: &String, status: &Status| {
        server.is_judged(key, &BTreeMap::from([(account.clone(), status.clone())]))
    };
    wait_for("what lay in the bucket", || stands(&accounts[0], &broken));

    estate(port, &["add", &accounts[1]]);
    wait_for("what came into the bucket", || stands(&accounts[1], &broken));

    estate(port, &["tell", &accounts[0], &url]);
    wait_for("the change", || stands(&accounts[0], &fine));
    assert!(stands(&accounts[1], &broken));
    wait_for("what nobody can read", || server.sources()[0]["SetAside"] == 1);
    let aside: Vec<_> = std::fs::read_dir(at("p.db.aside")).unwrap().collect();
    assert_eq!(aside.len(), 1);
    let kept = std::fs::read_to_string(aside[0].as_ref().unwrap().path()).unwrap();
    assert!(kept.contains("this is no delivery at all {"), "{kept}");
    wait_for("an empty queue", || server.sources()[0]["Backlog"] == 0);
}

#[test]
fn the_page_for_new_users_has_six_commands_and_files_that_are_right() {
    let page = include_str!("../../../docs/onboarding.md").replace("\\\n", " ");
    let commands: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    assert_eq!(commands.len(), 6, "{commands:?}");
    let ours: Vec<&&str> = commands.iter().filter(|line| line.starts_with("palisade ")).collect();
    assert_eq!(ours.len(), 4, "{ours:?}");
    for line in ours {
        let words = line.split_whitespace().take_while(|word| *word != ">");
        let words: Vec<String> = words.map(|word| word.replace('"', "")).collect();
        assert!(palisade::args::read(&words).is_ok(), "{line}");
    }
    let lookup = palisade_sources::settings::Lookup {
        variable: &|_| Some("an-id".to_owned()),
        file: &|_| Ok("an-id".to_owned()),
    };
    let files: Vec<&str> = page.split("```toml\n").skip(1).collect();
    assert_eq!(files.len(), 2);
    for text in files {
        let text = text.split("```").next().unwrap();
        let settings = palisade_sources::settings::read(text, &lookup);
        assert!(settings.is_ok(), "{text}\n{settings:?}");
    }
}

/// The management account makes an account the default administrator.
fn associate(endpoint: &str, account: &str) {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={MANAGEMENT}/20260101/us-east-1/fms/aws4_request, \
         SignedHeaders=host, Signature=0"
    );
    let sent = ureq::post(endpoint)
        .header("x-amz-target", "AWSFMS_20180101.AssociateAdminAccount")
        .header("content-type", "application/x-amz-json-1.1")
        .header("authorization", authorization)
        .send(json!({"AdminAccount": account}).to_string());
    assert!(sent.is_ok(), "{sent:?}");
}
