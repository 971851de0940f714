//! A small world of files, the program's commands over it, and a server of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A command of the program with nothing of the tester's own surroundings.
pub fn palisade(line: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.args(line).env_clear().env("HOME", "/nonexistent").stdin(Stdio::null());
    command
}

pub fn run(line: &[&str]) -> Output {
    palisade(line).output().unwrap()
}

pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("ended by a signal: {output:?}"))
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub const MEMBER: &str = "111122223333";
pub const OTHER: &str = "444455556666";

/// A folder with an organization of two accounts, a policy against ssh from everywhere, and a
/// snapshot of the first account with one group.
pub struct World(pub TempDir);

impl World {
    pub fn new(cidr: &str) -> World {
        let world = World(tempfile::tempdir().unwrap());
        world.write(
            "organization.json",
            &json!({
                "Organization": {"Id": "o-test000001", "ManagementAccountId": MEMBER},
                "Roots": [{"Id": "r-test"}],
                "OrganizationalUnits": [],
                "Accounts": [
                    {"Id": MEMBER, "Name": "one", "Status": "ACTIVE", "ParentId": "r-test"},
                    {"Id": OTHER, "Name": "two", "Status": "SUSPENDED", "ParentId": "r-test"},
                ],
                "DefaultAdministrator": MEMBER,
            }),
        );
        world.write("policy.json", &policy(&json!({})));
        world.write(&snapshot_name(), &snapshot(cidr));
        world
    }

    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    pub fn write(&self, name: &str, content: &Value) {
        self.write_text(name, &content.to_string());
    }

    pub fn write_text(&self, name: &str, content: &str) {
        let path = PathBuf::from(self.path(name));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub fn check(&self, more: &[&str]) -> Output {
        let (policy, organization) = (self.path("policy.json"), self.path("organization.json"));
        let deliveries = self.path("AWSLogs");
        let mut line = vec!["check", "--policy", &policy, "--organization", &organization];
        line.extend(more);
        line.push(&deliveries);
        run(&line)
    }
}

/// A policy that no rule may name addresses wider than /16, with more members.
pub fn policy(more: &Value) -> Value {
    let mut policy = json!({
        "PolicyName": "narrow",
        "SecurityServicePolicyData": {
            "Type": "SECURITY_GROUPS_CONTENT_AUDIT",
            "ManagedServiceData": "{\"type\":\"SECURITY_GROUPS_CONTENT_AUDIT\",\"preManagedOptions\":[{\"minIpv4CidrPrefixLenPerSgRule\":16}]}",
        },
        "ResourceType": "AWS::EC2::SecurityGroup",
        "ExcludeResourceTags": false,
        "RemediationEnabled": false,
    });
    policy.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "Policy": policy })
}

/// The policy with a member that nobody knows and a tag filter that nothing can meet.
pub fn policy_in_vain(more: &Value) -> Value {
    let data = r#"{"preManagedOptions":[{"minIpv4CidrPrefixLenPerSgRule":"16","denyAll":true}]}"#;
    let mut policy = policy(&json!({
        "PolicyName": "in-vain",
        "SecurityServicePolicyData": {"Type": "SECURITY_GROUPS_CONTENT_AUDIT", "ManagedServiceData": data},
        "ResourceTags": [{"Key": "env", "Value": "a"}, {"Key": "env", "Value": "b"}],
    }));
    let members = policy["Policy"].as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    policy
}

pub fn snapshot_name() -> String {
    format!(
        "AWSLogs/{MEMBER}/Config/eu-west-1/2026/2/3/ConfigSnapshot/{MEMBER}_Config_eu-west-1_ConfigSnapshot_20260203T040506Z_00000000-0000-4000-8000-000000000000.json"
    )
}

pub fn snapshot(cidr: &str) -> Value {
    json!({
        "fileVersion": "1.0",
        "configSnapshotId": "00000000-0000-4000-8000-000000000000",
        "configurationItems": [{
            "configuration": {
                "groupId": "sg-1", "groupName": "web", "ownerId": MEMBER, "vpcId": "vpc-1",
                "ipPermissions": [{
                    "ipProtocol": "tcp", "fromPort": 443, "toPort": 443,
                    "ipv4Ranges": [{"cidrIp": cidr}], "ipv6Ranges": [], "ipRanges": [cidr],
                    "prefixListIds": [], "userIdGroupPairs": [],
                }],
                "ipPermissionsEgress": [],
            },
            "configurationItemVersion": "1.3",
            "configurationItemCaptureTime": "2026-02-03T04:00:00.000Z",
            "configurationStateId": 1_770_091_200_000_i64,
            "awsAccountId": MEMBER,
            "configurationItemStatus": "ResourceDiscovered",
            "resourceType": "AWS::EC2::SecurityGroup",
            "resourceId": "sg-1",
            "awsRegion": "eu-west-1",
        }],
    })
}

/// A server of its own on a port of its own; ended when dropped.
pub struct Server {
    pub child: Child,
    pub endpoint: String,
    pub store: String,
}

impl Server {
    pub fn start(folder: &Path, auth: &str) -> Server {
        Server::over(&folder.join("deep/palisade.db"), auth)
    }

    pub fn over(store: &Path, auth: &str) -> Server {
        let store = format!("sqlite:{}", store.display());
        // What the files tell is of a fixed day.
        Server::with(store, &["--auth", auth, "--stale-after", "0"])
    }

    pub fn with(store: String, more: &[&str]) -> Server {
        let mut line = vec!["serve", "--listen", "127.0.0.1:0", "--store", &store];
        line.extend(more);
        let mut child =
            palisade(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let endpoint = line
            .split_whitespace()
            .find(|word| word.starts_with("http://"))
            .unwrap_or_else(|| panic!("no address in {line:?}"));
        Server { child, endpoint: endpoint.trim_end_matches(';').to_owned(), store }
    }

    pub fn run(&self, line: &[&str], keys: Option<(&str, &str)>) -> Output {
        let mut command = palisade(line);
        command.env("PALISADE_ENDPOINT", &self.endpoint);
        if let Some((id, secret)) = keys {
            command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret);
        }
        command.output().unwrap()
    }

    pub fn done(&self, line: &[&str]) -> String {
        let output = self.run(line, None);
        assert_eq!(code(&output), 0, "{line:?}: {}", stderr(&output));
        stdout(&output)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks until every account in scope has an answer; the harness's own time limit ends it.
pub fn settled(server: &Server, line: &[&str]) -> Value {
    loop {
        let answer: Value = serde_json::from_str(&server.done(line)).unwrap();
        let rows = answer["PolicyComplianceStatusList"].as_array().unwrap();
        if rows.iter().all(|row| row["EvaluationResults"] != json!([])) && !rows.is_empty() {
            return answer;
        }
        std::thread::yield_now();
    }
}
