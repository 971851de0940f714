//! What a new user wants to do, done with the commands that README shows and nothing else, in a fresh folder.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's helpers fail the test"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

const README: &str = include_str!("../../../README.md");
const POLICY: &str = "no-remote-administration";

/// A folder, and the variables that README exports in it.
struct User {
    folder: TempDir,
    variables: Vec<(String, String)>,
    /// What the user wants, and how many commands it took so far.
    task: (&'static str, usize),
}

/// Commands of README's that a task may take.
const COMMANDS_MAX: usize = 2;

impl User {
    fn new() -> User {
        User { folder: tempfile::tempdir().unwrap(), variables: Vec::new(), task: ("set up", 0) }
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
        command.args(line.split(' ')).env_clear().env("HOME", "/nonexistent");
        command.envs(self.variables.clone()).current_dir(self.folder.path());
        command.stdin(Stdio::null());
        command
    }

    /// Begins with what the user wants next.
    fn wants(&mut self, task: &'static str) {
        self.task = (task, 0);
    }

    /// That README shows a command, and that the task is not too long with it.
    fn takes(&mut self, shown: &str) {
        let is_shown = README.lines().any(|line| {
            let line = line.split(" #").next().unwrap_or_default().trim();
            line == format!("$ {shown}")
        });
        assert!(is_shown, "README does not show `{shown}`");
        let (task, taken) = &mut self.task;
        *taken += 1;
        println!("{task}: $ {shown}");
        assert!(*taken <= COMMANDS_MAX, "{task}: `{shown}` is one too many");
    }

    /// Runs a command that README shows, with the user's own names in the places of README's.
    fn says(&mut self, shown: &str, own: &[(&str, &str)]) -> Output {
        self.takes(&format!("palisade {shown}"));
        let line = own.iter().fold(shown.to_owned(), |line, (of, by)| line.replace(of, by));
        self.command(&line).output().unwrap()
    }

    fn does(&mut self, shown: &str, own: &[(&str, &str)]) -> String {
        let output = self.says(shown, own);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{shown}: {told}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }
}

/// A server that ends with the test.
struct Server(Child, String);

impl Server {
    fn start(mut command: Command) -> Server {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).unwrap_or_else(|| panic!("{line}"));
        let address = address.split(';').next().unwrap().to_owned();
        Server(child, address)
    }

    /// One operation of Firewall Manager as an AWS SDK sends it: its status and its answer.
    fn call(&self, operation: &str, input: &Value) -> (u16, Value) {
        let (mut stream, body) = (TcpStream::connect(&self.1).unwrap(), input.to_string());
        write!(
            stream,
            "POST / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/x-amz-json-1.1\r\n\
             X-Amz-Target: AWSFMS_20180101.{operation}\r\nContent-Length: {}\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential={ADMIN}/20261101/us-east-1/fms/aws4_request, SignedHeaders=host, Signature=00\r\n\r\n{body}",
            self.1,
            body.len()
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    fn page(&self, path: &str) -> String {
        self.ask("GET", path)
    }

    fn ask(&self, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.1).unwrap();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.1)
            .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The id and the secret of a key that was made, as a shell takes them.
fn key(told: &str) -> (String, String) {
    let of = |name: &str| {
        let line = told.lines().find_map(|line| line.split_once(&format!("{name}=")));
        line.unwrap_or_else(|| panic!("{name} in {told}")).1.trim().to_owned()
    };
    (of("AWS_ACCESS_KEY_ID"), of("AWS_SECRET_ACCESS_KEY"))
}

/// Waits until nothing is left to judge.
fn judged(server: &Server) {
    loop {
        let page = server.page("/metrics");
        let of = |state: &str| {
            let line = format!("palisade_work{{state=\"{state}\"}} ");
            page.lines().find_map(|told| told.strip_prefix(&line)?.parse::<f64>().ok())
        };
        if of("dirty") == Some(0.0) && of("leased") == Some(0.0) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// The sample's administrator.
const ADMIN: &str = "121616284929";

/// What Terraform's `aws_fms_policy` asks while a policy is created, read, changed and destroyed.
fn terraform(server: &Server) {
    let data = json!({"type": "SECURITY_GROUPS_USAGE_AUDIT", "deleteUnusedSecurityGroups": true});
    let mut policy = json!({"PolicyName": "unused", "ResourceType": "AWS::EC2::SecurityGroup",
        "ExcludeResourceTags": false, "RemediationEnabled": false, "DeleteUnusedFMManagedResources": false,
        "SecurityServicePolicyData": {"Type": "SECURITY_GROUPS_USAGE_AUDIT", "ManagedServiceData": data.to_string()}});
    let tags = json!([{"Key": "by", "Value": "terraform"}]);
    let ok = |operation: &str, input: &Value| match server.call(operation, input) {
        (200, answer) => answer,
        refused => panic!("{operation}: {refused:?}"),
    };
    let made = ok("PutPolicy", &json!({"Policy": policy, "TagList": tags}));
    let (id, arn) = (&made["Policy"]["PolicyId"], &made["PolicyArn"]);
    let read = || ok("GetPolicy", &json!({ "PolicyId": id }))["Policy"].clone();
    assert_eq!(
        (&read()["PolicyName"], &read()["RemediationEnabled"]),
        (&json!("unused"), &json!(false))
    );
    assert_eq!(ok("ListTagsForResource", &json!({ "ResourceArn": arn }))["TagList"], tags);
    policy["PolicyId"] = id.clone();
    policy["PolicyUpdateToken"] = read()["PolicyUpdateToken"].clone();
    policy["RemediationEnabled"] = json!(true);
    ok("PutPolicy", &json!({ "Policy": policy }));
    assert_eq!(read()["RemediationEnabled"], true);
    ok("DeletePolicy", &json!({"PolicyId": id, "DeleteAllPolicyResources": false}));
    let (status, gone) = server.call("GetPolicy", &json!({ "PolicyId": id }));
    let why = gone["__type"].as_str().unwrap_or_default();
    assert_eq!((status, why.ends_with("ResourceNotFoundException")), (400, true), "{gone}");
}

/// Whether an alert of the shipped rules would fire of a page of metrics: of those that compare one series with a
/// number or a product of two.
fn fires(alert: &str, page: &str) -> bool {
    let rules = include_str!("../../../packaging/prometheus/alerts.yml");
    let rule = rules.split("- alert: ").find(|rule| rule.lines().next() == Some(alert));
    let expression =
        rule.unwrap_or_else(|| panic!("no alert {alert}")).split("expr: ").nth(1).unwrap();
    let words: Vec<&str> = expression.lines().next().unwrap().split(' ').collect();
    let [series, comparison, limit @ ..] = words.as_slice() else { panic!("{expression}") };
    let limit: f64 = limit
        .iter()
        .filter(|word| **word != "*")
        .map(|number| number.parse::<f64>().unwrap())
        .product();
    let is_it = |line: &&str| {
        let told = line.rsplit_once(' ').map(|(told, _)| told).unwrap_or_default();
        told == *series || told.split('{').next() == Some(series)
    };
    let values =
        page.lines().filter(is_it).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    let values: Vec<f64> = values.collect();
    values.iter().any(|value| match *comparison {
        ">" => *value > limit,
        "==" => *value == limit,
        other => panic!("{other} of {expression}"),
    })
}

#[test]
fn ten_tasks_of_a_new_user_take_the_commands_that_readme_shows() {
    let mut user = User::new();
    let sample = user.command("sample --out files").output().unwrap();
    assert!(sample.status.success());
    let made = user.does("keys create --store sqlite:palisade.db --operator", &[]);
    let (id, secret) = key(&made);
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", secret.as_str()),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ] {
        assert!(README.contains(name));
        user.variables.push((name.to_owned(), value.to_owned()));
    }
    let serve = "serve --store sqlite:palisade.db --listen 127.0.0.1:7780";
    user.takes(&format!("palisade {serve}"));
    let server = Server::start(user.command(&serve.replace("7780", "0")));
    user.variables.push(("PALISADE_ENDPOINT".to_owned(), format!("http://{}", server.1)));

    user.wants("onboard an account");
    user.does(
        "organization apply organization.json",
        &[("organization.json", "files/organization.json")],
    );
    user.does("ingest ./AWSLogs", &[("./AWSLogs", "files/AWSLogs")]);
    user.wants("put policies");
    user.does("policies put policy.json", &[("policy.json", "files/policies")]);
    judged(&server);

    user.wants("the worst account");
    let worst = user.does("compliance --sort violators --limit 10", &[]);
    let first = worst.lines().find(|line| line.contains("violators")).unwrap();
    assert!(first.contains("legacy-erp") && first.contains("137 violators"), "{worst}");
    user.wants("why");
    let own = [("no-wide-rules", POLICY), ("payments", "legacy-erp")];
    let why = user.does("violators no-wide-rules payments", &own);
    assert!(why.contains("137 violators") && why.contains("from 0.0.0.0/0"), "{why}");

    user.wants("all evidence for an auditor");
    let all = user.does("violators no-wide-rules --output csv", &own);
    assert!(all.lines().next().unwrap().contains("Since,FirstJudged,Evidence"), "{all}");
    assert!(all.lines().filter(|line| line.contains("RESOURCE_VIOLATES")).count() > 300);
    user.wants("what is unknown and how old");
    let unknown = user.does("compliance --status unknown", &[]);
    assert!(unknown.contains("kiosk-prod") && unknown.contains("no result"), "{unknown}");
    assert!(unknown.contains(" Age ") && unknown.contains("min"), "{unknown}");

    user.wants("put a policy from a wrong file");
    let mut wrong: Value = serde_json::from_slice(
        &std::fs::read(user.path(&format!("files/policies/{POLICY}.json"))).unwrap(),
    )
    .unwrap();
    wrong["Policy"]["IncludeMaps"] = json!({"ACCOUNT": ["1"]});
    std::fs::write(user.path("wrong.json"), wrong.to_string()).unwrap();
    let refused = user.says("policies put policy.json", &[("policy.json", "wrong.json")]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(64), "{told}");
    assert!(told.contains("`IncludeMaps` is not a member of Policy; `IncludeMap` is"), "{told}");

    // The new key works beside the old one.
    user.wants("rotate a key");
    let rotated = key(&user.does("keys rotate AKIA… --remote", &[("AKIA…", &id)]));
    assert_ne!(rotated.0, id);

    // While the server runs; the copy tells the same, to the same keys.
    user.wants("back up and restore");
    let told = user.does("store backup --store sqlite:palisade.db --to backup.db", &[]);
    assert!(told.contains("found whole") && told.contains("palisade.db.key"), "{told}");
    user.does(
        "store restore --from backup.db --sealing-key palisade.db.key --store sqlite:restored/palisade.db",
        &[],
    );
    let restored = "serve --store sqlite:restored/palisade.db --listen 127.0.0.1:0";
    let copy = Server::start(user.command(restored));
    user.variables.push(("PALISADE_ENDPOINT".to_owned(), format!("http://{}", copy.1)));
    judged(&copy);
    user.wants("see that it is restored");
    let again = user.does("compliance --sort violators --limit 10", &[]);
    let rows = |text: &str| text.lines().filter(|line| line.contains("violators")).count();
    assert_eq!(rows(&again), rows(&worst), "{again}");

    // The rules that are shipped are quiet here.
    user.wants("read a metric and alert on it");
    user.takes("curl http://127.0.0.1:7780/metrics");
    assert!(README.contains("packaging/prometheus/alerts.yml"));
    for rule in ["PalisadeNotWell", "PalisadeNoInventory", "PalisadeNothingDelivered"] {
        assert!(!fires(rule, &server.page("/metrics")), "{rule}");
    }

    // Nothing is kept, and nobody asked for a key.
    user.wants("test Terraform in CI");
    user.takes("palisade serve --store memory --auth open");
    let memory =
        Server::start(user.command("serve --store memory --auth open --listen 127.0.0.1:0"));
    user.variables.push(("PALISADE_ENDPOINT".to_owned(), format!("http://{}", memory.1)));
    user.does(
        "organization apply organization.json",
        &[("organization.json", "files/organization.json")],
    );
    terraform(&memory);
    user.wants("put policies");
    user.does("policies put policy.json", &[("policy.json", "files/policies")]);
    user.wants("what it tells");
    assert!(user.does("compliance --status unknown", &[]).contains("kiosk-prod"));
    // Of an organization whose inventory nobody delivers they tell.
    assert!(fires("PalisadeNoInventory", &memory.page("/metrics")));
    let forgotten = memory.ask("POST", "/palisade/v1/reset");
    assert!(forgotten.contains(r#"{"reset":true}"#), "{forgotten}");
    let asked = user.says("compliance --status unknown", &[]);
    let told = String::from_utf8_lossy(&asked.stderr).into_owned();
    assert!(told.contains("no organization was applied"), "{told}");
    assert!(server.ask("POST", "/palisade/v1/reset").contains("MissingAuthenticationToken"));
    assert!(!Path::new(&user.path("palisade-data")).exists());
}
