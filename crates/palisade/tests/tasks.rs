//! What a new user wants to do, done with the commands that README shows and nothing else, in a fresh folder.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test's helpers fail the test")]

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
}

impl User {
    fn new() -> User {
        User { folder: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
        command.args(line.split(' ')).env_clear().env("HOME", "/nonexistent");
        command.envs(self.variables.clone()).current_dir(self.folder.path());
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command that README shows, with the user's own names in the places of README's.
    fn says(&self, shown: &str, own: &[(&str, &str)]) -> Output {
        let is_shown = README.lines().any(|line| {
            let line = line.split(" #").next().unwrap_or_default().trim();
            line == format!("$ palisade {shown}")
        });
        assert!(is_shown, "README does not show `palisade {shown}`");
        let line = own.iter().fold(shown.to_owned(), |line, (of, by)| line.replace(of, by));
        self.command(&line).output().unwrap()
    }

    fn does(&self, shown: &str, own: &[(&str, &str)]) -> String {
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
    assert!(README.contains(&format!("$ palisade {serve}")));
    let server = Server::start(user.command(&serve.replace("7780", "0")));
    user.variables.push(("PALISADE_ENDPOINT".to_owned(), format!("http://{}", server.1)));

    // Onboard accounts, and put policies.
    user.does(
        "organization apply organization.json",
        &[("organization.json", "files/organization.json")],
    );
    user.does("ingest ./AWSLogs", &[("./AWSLogs", "files/AWSLogs")]);
    user.does("policies put policy.json", &[("policy.json", "files/policies")]);
    judged(&server);

    // Who is worst, and why.
    let worst = user.does("compliance --sort violators --limit 10", &[]);
    let first = worst.lines().find(|line| line.contains("violators")).unwrap();
    assert!(first.contains("legacy-erp") && first.contains("137 violators"), "{worst}");
    let own = [("no-wide-rules", POLICY), ("payments", "legacy-erp")];
    let why = user.does("violators no-wide-rules payments", &own);
    assert!(why.contains("137 violators") && why.contains("from 0.0.0.0/0"), "{why}");

    // Everything, for an auditor; and what is not known, with its age.
    let all = user.does("violators no-wide-rules --output csv", &own);
    assert!(all.lines().next().unwrap().contains("Since,FirstJudged,Evidence"), "{all}");
    assert!(all.lines().filter(|line| line.contains("RESOURCE_VIOLATES")).count() > 300);
    let unknown = user.does("compliance --status unknown", &[]);
    assert!(unknown.contains("kiosk-prod") && unknown.contains("no result"), "{unknown}");

    // A policy from a wrong file changes nothing.
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

    // Rotate the key: the new one works beside the old one.
    let rotated = key(&user.does("keys rotate AKIA… --remote", &[("AKIA…", &id)]));
    assert_ne!(rotated.0, id);

    // Back up while the server runs, restore, and read the same from the copy.
    let told = user.does("store backup --store sqlite:palisade.db --to backup.db", &[]);
    assert!(told.contains("found whole") && told.contains("palisade.db.key"), "{told}");
    user.does("store restore --from backup.db --store sqlite:restored/palisade.db", &[]);
    std::fs::copy(user.path("palisade.db.key"), user.path("restored/palisade.db.key")).unwrap();
    let restored = "serve --store sqlite:restored/palisade.db --listen 127.0.0.1:0";
    let copy = Server::start(user.command(restored));
    user.variables.push(("PALISADE_ENDPOINT".to_owned(), format!("http://{}", copy.1)));
    judged(&copy);
    let again = user.does("compliance --sort violators --limit 10", &[]);
    let rows = |text: &str| text.lines().filter(|line| line.contains("violators")).count();
    assert_eq!(rows(&again), rows(&worst), "{again}");

    // A figure to alert on.
    let rules = include_str!("../../../packaging/prometheus/alerts.yml");
    let page = server.page("/metrics");
    let named = page.lines().filter_map(|line| line.split(['{', ' ']).next());
    assert!(named.filter(|name| name.starts_with("palisade_")).any(|name| rules.contains(name)));

    // A Firewall Manager for tests: nothing is kept, and nobody asked for a key.
    assert!(README.contains("serve --store memory --auth open"));
    let memory =
        Server::start(user.command("serve --store memory --auth open --listen 127.0.0.1:0"));
    user.variables.push(("PALISADE_ENDPOINT".to_owned(), format!("http://{}", memory.1)));
    user.does(
        "organization apply organization.json",
        &[("organization.json", "files/organization.json")],
    );
    user.does("policies put policy.json", &[("policy.json", "files/policies")]);
    assert!(user.does("compliance --status unknown", &[]).contains("kiosk-prod"));
    let forgotten = memory.ask("POST", "/palisade/v1/reset");
    assert!(forgotten.contains(r#"{"reset":true}"#), "{forgotten}");
    let asked = user.says("compliance --status unknown", &[]);
    let told = String::from_utf8_lossy(&asked.stderr).into_owned();
    assert!(told.contains("no organization was applied"), "{told}");
    assert!(server.ask("POST", "/palisade/v1/reset").contains("MissingAuthenticationToken"));
    assert!(!Path::new(&user.path("palisade-data")).exists());
}
