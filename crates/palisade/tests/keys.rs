//! Keys and the audit log as an operator sees them: the program run, with a server beside it or not.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's helpers fail the test"
)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;

const MEMBER: &str = "111122223333";

/// A command of the program with nothing of the tester's own surroundings.
fn palisade(line: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.args(line).env_clear().env("HOME", "/nonexistent").stdin(Stdio::null());
    command
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("ended by a signal: {output:?}"))
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[track_caller]
fn json_of(output: &Output) -> Value {
    assert_eq!(code(output), 0, "{}", stderr(output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stdout(output)))
}

/// A folder with a store in it.
struct House {
    folder: TempDir,
}

impl House {
    fn new() -> House {
        House { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// A key file that its owner alone may read.
    fn key_file(&self, name: &str, byte: &str) -> String {
        std::fs::write(self.path(name), byte.repeat(32)).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let owner = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(self.path(name), owner).unwrap();
        }
        self.text(name)
    }

    /// Writes a key to the store as somebody would who can write to its file.
    fn plant(&self, id: &str, secret: &str) {
        use palisade_store::sqlite::{Opening, SqliteStore, Synchronous};
        use palisade_store::{KeyChange, KeyRecord, KeyRole, Keys, StoredSecret};
        let opening =
            Opening { fresh_sealing_key: [1; 32], serve: false, synchronous: Synchronous::Grouped };
        let store = SqliteStore::open(&self.path("palisade.db"), opening).unwrap();
        let record = KeyRecord {
            access_key_id: id.to_owned(),
            secret: StoredSecret::Plain(secret.to_owned()),
            account: (id == "AKIAOFOLD").then(|| MEMBER.try_into().unwrap()),
            enabled: true,
            replaces: None,
            created_ms: 1,
            last_used_ms: None,
            name: None,
            role: KeyRole::Full,
            expires_ms: None,
            signed_out_ms: None,
        };
        let event = palisade_api::audit::Actor::local(String::new(), 1).event("x", Vec::new());
        let revision = store.keys_revision().unwrap();
        store.commit_keys(revision, &[KeyChange::Create(record)], &event).unwrap();
    }

    fn store(&self) -> String {
        format!("sqlite:{}", self.text("palisade.db"))
    }

    /// `palisade keys …` over the store.
    fn keys(&self, line: &[&str]) -> Output {
        self.keys_with(line, &[])
    }

    fn keys_with(&self, line: &[&str], variables: &[(&str, &str)]) -> Output {
        let store = self.store();
        let line: Vec<&str> =
            ["keys"].into_iter().chain(line.iter().copied()).chain(["--store", &store]).collect();
        palisade(&line).envs(variables.iter().copied()).output().unwrap()
    }

    fn create(&self, who: &[&str]) -> Held {
        let line: Vec<&str> = ["create", "--output", "json"].iter().chain(who).copied().collect();
        Held::of(&json_of(&self.keys(&line)))
    }

    fn listed(&self, id: &str) -> Value {
        let all = json_of(&self.keys(&["list", "--output", "json"]));
        let all = all["Keys"].as_array().unwrap();
        all.iter().find(|key| key["AccessKeyId"] == id).cloned().unwrap_or(Value::Null)
    }

    fn serve(&self, more: &[&str]) -> Server {
        let store = self.store();
        let mut line = vec!["serve", "--listen", "127.0.0.1:0", "--store", &store];
        line.extend(more);
        let mut child =
            palisade(&line).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut told = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut told).unwrap();
        let endpoint = told
            .split_whitespace()
            .find(|word| word.starts_with("http://"))
            .unwrap_or_else(|| panic!("no address in {told:?}"));
        Server { child, endpoint: endpoint.trim_end_matches(';').to_owned() }
    }
}

/// A key as its owner holds it.
struct Held {
    id: String,
    secret: String,
}

impl Held {
    fn of(made: &Value) -> Held {
        let text = |member: &str| made[member].as_str().unwrap().to_owned();
        Held { id: text("AccessKeyId"), secret: text("SecretAccessKey") }
    }
}

/// A server that is ended when dropped.
struct Server {
    child: Child,
    endpoint: String,
}

impl Server {
    fn run(&self, key: &Held, line: &[&str]) -> Output {
        palisade(line)
            .env("PALISADE_ENDPOINT", &self.endpoint)
            .env("AWS_ACCESS_KEY_ID", &key.id)
            .env("AWS_SECRET_ACCESS_KEY", &key.secret)
            .output()
            .unwrap()
    }

    /// Whether a key is let in, asked with a call that any key may sign.
    fn believes(&self, key: &Held) -> bool {
        let said = stderr(&self.run(key, &["policies", "list"]));
        assert!(said.contains("was refused: "), "there is no organization yet: {said}");
        !said.contains("UnrecognizedClientException")
    }

    #[cfg(unix)]
    fn terminate(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spells(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|file| {
        let Ok(bytes) = std::fs::read(file.unwrap().path()) else { return false };
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[test]
fn a_key_lives_its_life_beside_a_running_server() {
    let house = House::new();
    let server = house.serve(&[]);
    let old = house.create(&["--account", MEMBER]);
    assert!(server.believes(&old));
    let rotated = house.keys(&["rotate", &old.id, "--output", "json"]);
    let new = Held::of(&json_of(&rotated));
    assert_eq!(house.listed(&new.id)["Replaces"], old.id.as_str());
    assert!(server.believes(&old) && server.believes(&new));
    let again = house.keys(&["rotate", &new.id]);
    assert_eq!(code(&again), 69);
    assert!(stderr(&again).contains(&old.id), "{}", stderr(&again));
    assert_eq!(code(&house.keys(&["disable", &old.id])), 0);
    assert!(!server.believes(&old) && server.believes(&new));
    assert_eq!(house.listed(&old.id)["Status"], "Inactive");
    assert_eq!(code(&house.keys(&["enable", &old.id])), 0);
    assert!(server.believes(&old));
    assert_eq!(code(&house.keys(&["delete", &old.id])), 0);
    assert!(!server.believes(&old) && server.believes(&new));
    let gone = house.keys(&["disable", &old.id]);
    assert_eq!(code(&gone), 64);
    assert!(stderr(&gone).contains("does not exist"), "{}", stderr(&gone));
    let table = stdout(&house.keys(&["list"]));
    assert!(table.contains(&new.id) && table.contains("active"), "{table}");
    assert_eq!(house.listed(&old.id), Value::Null);
}

#[test]
fn keys_are_managed_through_the_server_as_well() {
    let house = House::new();
    let operator = house.create(&["--operator"]);
    let server = house.serve(&[]);
    let keys = |line: &[&str]| {
        let line: Vec<&str> =
            ["keys"].into_iter().chain(line.iter().copied()).chain(["--remote"]).collect();
        server.run(&operator, &line)
    };
    let made = Held::of(&json_of(&keys(&["create", "--account", MEMBER, "--output", "json"])));
    assert!(server.believes(&made));
    let rotated = Held::of(&json_of(&keys(&["rotate", &made.id, "--output", "json"])));
    assert!(server.believes(&rotated));
    assert_eq!(code(&keys(&["disable", &made.id])), 0);
    assert!(!server.believes(&made));
    assert_eq!(code(&keys(&["enable", &made.id])), 0);
    assert!(server.believes(&made));
    assert_eq!(code(&keys(&["delete", &made.id])), 0);
    assert!(!server.believes(&made));
    let last = keys(&["disable", &operator.id]);
    assert_eq!(code(&last), 69);
    assert!(stderr(&last).contains("LastOperatorKey"), "{}", stderr(&last));
    let (ours, theirs) =
        (house.keys(&["list", "--output", "csv"]), keys(&["list", "--output", "csv"]));
    let without_last_use = |text: String| -> Vec<Vec<String>> {
        let cells = |line: &str| {
            let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
            cells.remove(4);
            cells
        };
        text.lines().map(cells).collect()
    };
    assert_eq!(without_last_use(stdout(&ours)), without_last_use(stdout(&theirs)));
    // The endpoint knows of the last use before it is written.
    assert!(
        stdout(&theirs)
            .lines()
            .any(|line| line.contains(&operator.id) && line.matches('T').count() > 1)
    );
}

#[test]
fn a_key_has_a_name_a_role_and_an_end() {
    let house = House::new();
    let operator = house.create(&["--operator"]);
    let server = house.serve(&[]);
    let remote = |line: &[&str]| {
        let line: Vec<&str> =
            ["keys"].into_iter().chain(line.iter().copied()).chain(["--remote"]).collect();
        server.run(&operator, &line)
    };
    let what = ["create", "--operator", "--name", "ci", "--role", "reader", "--expires", "90d"];
    let json: Vec<&str> = what.into_iter().chain(["--output", "json"]).collect();
    for made in [json_of(&house.keys(&json)), json_of(&remote(&json))] {
        assert_eq!((&made["Name"], &made["Role"]), (&json!("ci"), &json!("reader")));
        let moment = |name: &str| made[name].as_str().unwrap().parse::<Timestamp>().unwrap();
        let days = moment("Expires").duration_since(moment("Created")).as_secs() / 86_400;
        assert!((89..=90).contains(&days), "{made}");
        let id = made["AccessKeyId"].as_str().unwrap();
        assert_eq!(house.listed(id)["Expires"], made["Expires"]);
        let reader = Held::of(&made);
        assert_eq!(code(&server.run(&reader, &["keys", "list", "--remote"])), 0);
        let refused = server.run(&reader, &["keys", "delete", &operator.id, "--remote"]);
        assert_eq!(code(&refused), 69);
        assert!(stderr(&refused).contains("is a reader's"), "{}", stderr(&refused));
    }
    let told = stdout(&house.keys(&what));
    assert!(told.contains("reader's key `ci` for the operator until "), "{told}");
    let table = stdout(&house.keys(&["list"]));
    assert!(table.contains("ci") && table.contains("reader") && table.contains("never"), "{table}");
    for (wrong, why) in [
        (["--name", ""], "name of a key"),
        (["--expires", "0d"], "3650 days"),
        (["--expires", "2020-01-01"], "3650 days"),
        (["--expires", "soon"], "write 90d"),
        (["--role", "owner"], "reader"),
    ] {
        let line: Vec<&str> = ["create", "--operator"].into_iter().chain(wrong).collect();
        for refused in [house.keys(&line), remote(&line)] {
            assert_eq!(code(&refused), 64, "{wrong:?}");
            assert!(stderr(&refused).contains(why), "{wrong:?}: {}", stderr(&refused));
        }
    }
}

#[test]
fn the_doctor_tells_of_keys_that_are_about_to_end() {
    let house = House::new();
    let store = house.store();
    let doctor = |more: &[&str]| {
        palisade(&[&["doctor", "--store", &store, "--output", "json"], more].concat())
            .output()
            .unwrap()
    };
    let check = |name: &str| {
        let told = json_of(&doctor(&[]));
        let checks = told["Checks"].as_array().unwrap();
        checks.iter().find(|check| check["Check"] == name).cloned().unwrap_or(Value::Null)
    };
    house.create(&["--operator"]);
    assert_eq!(check("keys in use")["State"], "good");
    let key = house.create(&["--operator", "--name", "ci", "--expires", "3d"]);
    let expiring = check("keys expiring");
    assert_eq!(expiring["State"], "attention");
    assert!(expiring["Found"].as_str().unwrap().starts_with(&format!("{} `ci` until ", key.id)));
    assert!(expiring["Fix"].as_str().unwrap().contains("keys rotate"));
    assert_eq!(check("keys in use"), Value::Null);
    assert!(check("disk")["Found"].as_str().unwrap().contains("GiB"));
    assert_eq!(code(&doctor(&["--strict"])), 2);
}

#[test]
fn the_last_operator_key_goes_when_that_is_confirmed() {
    let house = House::new();
    let operator = house.create(&["--operator"]);
    for act in ["disable", "delete"] {
        let refused = house.keys(&[act, &operator.id]);
        assert_eq!(code(&refused), 69);
        assert!(stderr(&refused).contains("last operator key"), "{}", stderr(&refused));
    }
    let server = house.serve(&[]);
    let remote = |line: &[&str]| server.run(&operator, &[&["keys"], line, &["--remote"]].concat());
    assert_eq!(code(&remote(&["disable", &operator.id])), 69);
    assert_eq!(code(&remote(&["disable", &operator.id, "--confirm"])), 0);
    assert!(!server.believes(&operator));
    assert_eq!(code(&house.keys(&["enable", &operator.id])), 0);
    assert_eq!(code(&house.keys(&["delete", &operator.id, "--confirm"])), 0);
    assert_eq!(house.listed(&operator.id), Value::Null);
}

#[cfg(unix)]
#[test]
fn the_last_use_is_kept_when_the_server_stops_in_order() {
    let house = House::new();
    let key = house.create(&["--account", MEMBER]);
    let server = house.serve(&[]);
    assert!(server.believes(&key));
    assert_eq!(house.listed(&key.id)["LastUsed"], Value::Null, "calls write nothing");
    server.terminate();
    let listed = house.listed(&key.id);
    // As moments: written without needless zeros they do not sort as texts.
    let moment = |name: &str| listed[name].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    assert!(moment("Created").is_some() && moment("LastUsed") >= moment("Created"), "{listed}");
}

#[test]
fn the_key_file_is_made_beside_the_store_for_its_owner_alone() {
    let house = House::new();
    let made = house.keys(&["create", "--operator", "--output", "json"]);
    let said = stderr(&made);
    assert!(said.contains("made key file") && said.contains("palisade.db.key"), "{said}");
    let key = Held::of(&json_of(&made));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(house.path("palisade.db.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert!(!spells(house.folder.path(), &key.secret), "no secret in the clear");
    assert_eq!(stderr(&house.keys(&["create", "--operator"])), "", "said once");
}

#[test]
fn a_key_may_be_in_a_file_or_in_the_environment() {
    let house = House::new();
    let hex = "5a".repeat(32);
    std::fs::write(house.path("k"), format!("{hex}\n")).unwrap();
    let file = house.text("k");
    let line = ["create", "--operator", "--key-file", &file];
    assert_eq!(code(&house.keys(&line)), 0);
    assert!(!house.path("palisade.db.key").exists());
    assert_eq!(code(&house.keys_with(&["create", "--operator"], &[("PALISADE_KEY", &hex)])), 0);
    assert_eq!(
        code(&house.keys_with(&["create", "--operator"], &[("PALISADE_KEY_FILE", &file)])),
        0
    );
    let both = house.keys_with(&line, &[("PALISADE_KEY", &hex)]);
    assert_eq!(code(&both), 64);
    assert!(stderr(&both).contains("give one of them"), "{}", stderr(&both));
    let short = house.keys_with(&["create", "--operator"], &[("PALISADE_KEY", "5a5a")]);
    assert_eq!(code(&short), 64);
    assert!(stderr(&short).contains("openssl rand -hex 32"), "{}", stderr(&short));
}

#[test]
fn a_wrong_or_missing_sealing_key_is_told_and_changes_nothing() {
    let house = House::new();
    house.create(&["--operator"]);
    let before = house.keys(&["list", "--output", "csv"]).stdout;
    house.key_file("other", "77");
    let (file, absent, store) = (house.text("other"), house.text("absent"), house.store());
    let create = ["keys", "create", "--operator", "--store", &store, "--key-file"];
    let serve = ["serve", "--listen", "127.0.0.1:0", "--store", &store, "--key-file"];
    for line in [&create[..], &serve[..]] {
        for (file, says) in [(&file, "were sealed under key"), (&absent, "is not there")] {
            let line: Vec<&str> = line.iter().copied().chain([file.as_str()]).collect();
            let output = palisade(&line).output().unwrap();
            assert_eq!(code(&output), 64, "{line:?}");
            let said = stderr(&output);
            assert!(said.contains(says) && said.lines().count() == 1, "{said}");
        }
    }
    assert!(!house.path("absent").exists(), "a new key would open nothing");
    std::fs::rename(house.path("palisade.db.key"), house.path("moved")).unwrap();
    let output = house.keys(&["create", "--operator"]);
    assert_eq!(code(&output), 64);
    assert!(stderr(&output).contains("palisade.db.key` is not there"), "{}", stderr(&output));
    assert!(!house.path("palisade.db.key").exists());
    assert_eq!(house.keys(&["list", "--output", "csv"]).stdout, before, "looking needs no key");
}

#[test]
fn secrets_are_sealed_anew_under_another_key_file() {
    let house = House::new();
    let key = house.create(&["--account", MEMBER]);
    let new_file = house.text("new.key");
    let reseal = ["reseal", "--new-key-file", &new_file];
    {
        let _server = house.serve(&[]);
        let busy = house.keys(&reseal);
        assert_eq!(code(&busy), 69);
        assert!(stderr(&busy).contains("in use by another palisade process"), "{}", stderr(&busy));
    }
    let done = house.keys(&reseal);
    assert_eq!(code(&done), 0, "{}", stderr(&done));
    assert!(stdout(&done).contains("--key-file"), "{}", stdout(&done));
    assert_eq!(code(&house.keys(&["create", "--operator"])), 64, "the old key opens nothing");
    let server = house.serve(&["--key-file", &new_file]);
    assert!(server.believes(&key));
}

#[test]
fn a_store_with_secrets_in_the_clear_is_sealed_when_it_is_next_used() {
    let house = House::new();
    let (id, secret) = ("AKIAOFOLD".to_owned(), "a secret of an older palisade".to_owned());
    house.plant(&id, &secret);
    assert!(spells(house.folder.path(), &secret));
    let key = Held { id, secret };
    let server = house.serve(&[]);
    assert!(server.believes(&key));
    assert!(!spells(house.folder.path(), &key.secret), "in no file of the store any more");
}

#[test]
fn a_secret_in_the_clear_is_believed_by_no_store_that_was_sealed() {
    let house = House::new();
    let member = house.create(&["--account", MEMBER]);
    let minted = Held { id: "AKIAMINTED".to_owned(), secret: "known".to_owned() };
    let lets_in = |server: &Server| {
        let said = stderr(&server.run(&minted, &["audit"]));
        assert!(said.contains("InternalError") || said.contains("failed to answer"), "{said}");
        assert!(server.believes(&member));
    };
    let server = house.serve(&[]);
    house.plant(&minted.id, &minted.secret);
    lets_in(&server);
    drop(server);
    lets_in(&house.serve(&[]));
    let told = stderr(&house.keys(&["create", "--operator"]));
    assert!(told.contains("believed by nobody, `AKIAMINTED`"), "{told}");
    assert_eq!(code(&house.keys(&["delete", &minted.id])), 0);
    assert_eq!(stderr(&house.keys(&["create", "--operator"])), "");
}

#[test]
fn a_store_knows_its_sealing_key_from_the_first_use_on() {
    let house = House::new();
    let file = house.key_file("x", "5a");
    let refused = |output: &Output| {
        assert_eq!(code(output), 64);
        let said = stderr(output);
        assert!(said.contains("sealed under key") && said.lines().count() == 1, "{said}");
        assert!(said.contains("--forget-lost"), "{said}");
    };
    {
        let server = house.serve(&["--key-file", &file, "--auth", "open"]);
        refused(&house.keys(&["create", "--operator"]));
        let anybody = Held { id: MEMBER.to_owned(), secret: "any".to_owned() };
        let operator = Held { id: "AKIAANY".to_owned(), ..anybody };
        let made = server.run(&operator, &["keys", "create", "--operator", "--remote"]);
        assert_eq!(code(&made), 0, "{}", stderr(&made));
    }
    assert!(!house.path("palisade.db.key").exists());
    refused(&house.keys(&["create", "--operator"]));
    let other = house.key_file("y", "77");
    refused(&house.keys(&["create", "--operator", "--key-file", &other]));
    assert_eq!(code(&house.keys(&["create", "--operator", "--key-file", &file])), 0);
    house.serve(&["--key-file", &file]);
}

#[test]
fn a_lost_sealing_key_costs_the_keys_and_nothing_else() {
    let house = House::new();
    let keys = ["one", "two"].map(|_| house.create(&["--account", MEMBER]));
    std::fs::remove_file(house.path("palisade.db.key")).unwrap();
    for line in [["disable", &keys[0].id], ["enable", &keys[0].id], ["delete", &keys[0].id]] {
        let done = house.keys(&line);
        assert_eq!((code(&done), stderr(&done)), (0, String::new()), "{line:?}");
    }
    assert_eq!(code(&house.keys(&["rotate", &keys[1].id])), 64);
    let file = house.text("palisade.db.key");
    let reseal = ["reseal", "--new-key-file", &file];
    let careful = house.keys(&reseal);
    assert_eq!(code(&careful), 64);
    assert!(stderr(&careful).contains("--forget-lost"), "{}", stderr(&careful));
    assert_eq!(house.listed(&keys[1].id)["Status"], "Active", "nothing is lost by itself");
    let done = house.keys(&[&reseal[..], &["--forget-lost"]].concat());
    assert_eq!(code(&done), 0, "{}", stderr(&done));
    let told = stdout(&done);
    assert!(told.contains(&format!("deleted {}", keys[1].id)) && told.contains("of 0 "), "{told}");
    assert_eq!(house.listed(&keys[1].id), Value::Null);
    let fresh = house.create(&["--account", MEMBER]);
    assert!(house.serve(&[]).believes(&fresh));
    // What the old key file still opens is kept.
    let new = house.text("new.key");
    let kept = house.keys(&["reseal", "--new-key-file", &new, "--forget-lost"]);
    assert!(stdout(&kept).contains("of 1 "), "{}", stdout(&kept));
    assert!(house.serve(&["--key-file", &new]).believes(&fresh));
}

#[test]
fn a_key_for_what_is_no_account_is_refused() {
    let house = House::new();
    for id in ["12", "1111222233334"] {
        let made = house.keys(&["create", "--account", id]);
        assert_eq!(code(&made), 64);
        assert!(stderr(&made).contains("12 digits"), "{}", stderr(&made));
    }
    assert!(!house.path("palisade.db").exists());
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_can_read_is_told_in_one_line() {
    use std::os::unix::fs::PermissionsExt;
    let house = House::new();
    let file = house.key_file("k", "5a");
    for (mode, warned) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true)] {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(house.path("k"), permissions).unwrap();
        let made = house.keys(&["create", "--operator", "--key-file", &file]);
        assert_eq!(code(&made), 0);
        let said = stderr(&made);
        assert_eq!(said.contains("can be read by others"), warned, "{mode:o}: {said}");
        assert_eq!(said.lines().count(), usize::from(warned));
    }
}

#[test]
fn the_audit_log_tells_of_the_server_and_of_commands_beside_it() {
    let house = House::new();
    let operator = house.create(&["--operator"]);
    let server = house.serve(&[]);
    let organization = json!({
        "Organization": {"Id": "o-test000001", "ManagementAccountId": MEMBER},
        "Roots": [{"Id": "r-test"}],
        "OrganizationalUnits": [],
        "Accounts": [{"Id": MEMBER, "Name": "one", "Status": "ACTIVE", "ParentId": "r-test"}],
        "DefaultAdministrator": MEMBER,
    });
    std::fs::write(house.path("organization.json"), organization.to_string()).unwrap();
    let apply = ["organization", "apply", &house.text("organization.json")];
    assert_eq!(code(&server.run(&operator, &apply)), 0);
    let key = house.create(&["--account", MEMBER]);
    let audit = |more: &[&str]| {
        let line: Vec<&str> = ["audit"].iter().chain(more).copied().collect();
        server.run(&operator, &line)
    };
    let told = json_of(&audit(&["--output", "json"]));
    let events: Vec<(&str, &str, &str)> = told["Events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| {
            let text = |member: &str| event[member].as_str().unwrap();
            let object = event["Changes"][0]["Object"].as_str().unwrap();
            (text("Operation"), text("Caller"), object)
        })
        .collect();
    let sealing = told["Events"][3]["Changes"][0]["Object"].as_str().unwrap();
    let expected = [
        ("CreateKey", "local", key.id.as_str()),
        ("PutOrganization", "operator", "o-test000001"),
        ("CreateKey", "local", &operator.id),
        ("SealKeys", "local", sealing),
    ];
    assert_eq!(events, expected);
    let one = json_of(&audit(&["--output", "json", "--limit", "1"]));
    assert_eq!(one["Events"], json!([told["Events"][0]]));
    let created =
        json_of(&audit(&["--output", "json", "--operation", "CreateKey", "--limit", "0"]));
    assert_eq!(created["Events"].as_array().unwrap().len(), 2);
    let table = stdout(&audit(&[]));
    assert!(table.contains("PutOrganization") && table.contains("o-test000001"), "{table}");
    let csv = stdout(&audit(&["--output", "csv"]));
    assert_eq!(csv.lines().count(), 6, "an organization and its administrator in two lines: {csv}");
    for text in [table, csv, told.to_string()] {
        assert!(!text.contains(&operator.secret) && !text.contains(&key.secret));
    }
    let wrong = audit(&["--operation", "GetPolicy"]);
    assert_eq!(code(&wrong), 69);
    assert!(stderr(&wrong).contains("no operation that changes anything"), "{}", stderr(&wrong));
    let not_theirs = server.run(&key, &["audit"]);
    assert!(stderr(&not_theirs).contains("AccessDenied"), "{}", stderr(&not_theirs));
}

#[test]
fn a_rate_is_kept_and_the_client_waits_for_its_turn() {
    let house = House::new();
    let key = house.create(&["--account", MEMBER]);
    let server = house.serve(&["--rate", "1", "--burst", "1"]);
    // The second call comes before its second is over, unless this machine is very slow.
    for _ in 0..20 {
        assert!(server.believes(&key), "waited for, and answered in the end");
        let metrics = ureq::get(format!("{}/metrics", server.endpoint)).call().unwrap();
        let metrics = metrics.into_body().read_to_string().unwrap();
        let refused = "operation=\"ListPolicies\",outcome=\"ThrottlingException\"";
        if metrics.contains(refused) {
            return;
        }
    }
    panic!("twenty calls in a row were none too many");
}
