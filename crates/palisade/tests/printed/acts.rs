//! Screens of commands that change something. Each is run in a folder and beside a server of its own, so that it
//! says what it says the first time.

use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::process::{Child, Command, Stdio};

use axum::Router;
use axum::routing::get;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::house::House;
use crate::masks::masked;
use crate::screens::{kept, redacted};
use crate::terminal::{WIDTHS, in_terminal, plain, streams, too_wide};
use crate::world::{WORLD, printed, served, words_of};

/// A command, and what is done before it.
struct Act {
    name: &'static str,
    before: &'static [&'static str],
    line: &'static str,
    /// The code with which it ends.
    code: i32,
}

const fn act(
    name: &'static str,
    before: &'static [&'static str],
    line: &'static str,
    code: i32,
) -> Act {
    Act { name, before, line, code }
}

const ORGANIZATION: &str = "organization apply organization.json";
const INVENTORY: &str = "ingest AWSLogs/797508589926";
/// The administrator's account, where the groups are that policies name.
const AUDIT_GROUP: &str = "ingest AWSLogs/121616284929";
const POLICY: &str = "policies put policies/no-remote-administration.json";
const OPERATOR: &str = "keys create --operator --store sqlite:keys.db";
const ACCOUNT: &str =
    "keys create --account 210987654321 --name ci-pipeline --expires 90d --store sqlite:keys.db";
const READER: &str = "keys create --account 210987654321 --role reader --store sqlite:keys.db";
const ROTATE: &str = "keys rotate {key} --store sqlite:keys.db";
const BACKUP: &str = "store backup --store sqlite:keys.db --to backup.db";

const ACTS: [Act; 47] = [
    act("config_check", &[], "config check palisade.toml", 0),
    act("config_check_nothing", &[], "config check none.toml", 74),
    act("config_check_wrong", &[], "config check wrong.toml", 64),
    act("dashboard", &[], "dashboard", 0),
    act("dashboard_signed", &[], "dashboard --endpoint {signed}", 0),
    act("doctor", &[OPERATOR, ACCOUNT], "doctor --store sqlite:keys.db", 0),
    act("doctor_none", &[], "doctor --store sqlite:none.db", 64),
    act("doctor_csv", &[OPERATOR], "doctor --store sqlite:keys.db --output csv", 0),
    act("doctor_server", &[], "doctor --endpoint {figures}", 0),
    act("ingest", &[ORGANIZATION], INVENTORY, 0),
    act("ingest_again", &[ORGANIZATION, INVENTORY], INVENTORY, 0),
    act("ingest_nothing", &[ORGANIZATION], "ingest empty", 74),
    act("ingest_wrong", &[ORGANIZATION], "ingest wrong.toml policies/partner-stages.json", 74),
    act("keys_create", &[OPERATOR], ACCOUNT, 0),
    act("keys_create_first", &[], OPERATOR, 0),
    act("keys_create_remote", &[], "keys create --operator --remote --endpoint {signed}", 0),
    act("keys_delete", &[OPERATOR, ACCOUNT], "keys delete {last} --store sqlite:keys.db", 0),
    act("keys_delete_last", &[], "keys delete {own} --remote --endpoint {signed}", 69),
    act("keys_delete_unknown", &[OPERATOR], "keys delete AKIANONE --store sqlite:keys.db", 64),
    act("keys_disable", &[OPERATOR, ACCOUNT], "keys disable {last} --store sqlite:keys.db", 0),
    act("keys_enable", &[OPERATOR, ACCOUNT], "keys enable {last} --store sqlite:keys.db", 0),
    act(
        "keys_list",
        &[ACCOUNT, OPERATOR, READER, ROTATE, "keys disable {last} --store sqlite:keys.db"],
        "keys list --store sqlite:keys.db",
        0,
    ),
    act("keys_list_one", &[OPERATOR], "keys list --store sqlite:keys.db", 0),
    act(
        "keys_list_none",
        &[OPERATOR, "keys delete {key} --confirm --store sqlite:keys.db"],
        "keys list --store sqlite:keys.db",
        0,
    ),
    act("keys_reseal", &[OPERATOR], "keys reseal --new-key-file new.key --store sqlite:keys.db", 0),
    act("keys_rotate", &[ACCOUNT], ROTATE, 0),
    act("keys_rotate_again", &[ACCOUNT, ROTATE], ROTATE, 69),
    act("organization_apply", &[], ORGANIZATION, 0),
    act("organization_apply_wrong", &[], "organization apply policies/partner-stages.json", 69),
    act("policies_delete", &[ORGANIZATION, POLICY], "policies delete no-remote-administration", 0),
    act("policies_delete_unknown", &[ORGANIZATION, POLICY], "policies delete no-remote", 64),
    act("policies_put", &[ORGANIZATION, POLICY], "policies put policies", 0),
    act("policies_put_unchanged", &[ORGANIZATION, POLICY], POLICY, 0),
    act("policies_put_wrong", &[ORGANIZATION], "policies put wrong.json", 64),
    act("quickstart", &[], "quickstart --exit --listen 127.0.0.1:0", 0),
    act("sample", &[], "sample --accounts 5 --out new", 0),
    act("sample_there", &[], "sample --accounts 5 --out policies", 64),
    act("store_backup", &[OPERATOR], BACKUP, 0),
    act("store_backup_there", &[OPERATOR, BACKUP], BACKUP, 64),
    act(
        "store_restore",
        &[OPERATOR, BACKUP],
        "store restore --from backup.db --sealing-key keys.db.key --store sqlite:restored/keys.db",
        0,
    ),
    act(
        "store_restore_other_key",
        &[OPERATOR, BACKUP, "keys create --operator --store sqlite:other.db"],
        "store restore --from backup.db --sealing-key other.db.key --store sqlite:restored/keys.db",
        64,
    ),
    act(
        "store_restore_without_key",
        &[OPERATOR, BACKUP],
        "store restore --from backup.db --store sqlite:restored/keys.db",
        0,
    ),
    act("store_verify", &[OPERATOR, BACKUP], "store verify --store sqlite:backup.db", 0),
    act(
        "waivers_add",
        &[ORGANIZATION, POLICY, INVENTORY, AUDIT_GROUP],
        "waivers add no-remote-administration {resource} --account legacy-erp --until 2027-03-01T00:00:00Z --owner net \
         --reason closed-in-May",
        0,
    ),
    act(
        "waivers_add_all",
        &[ORGANIZATION, POLICY],
        "waivers add no-remote-administration * --until 2027-03-01T00:00:00Z --owner net --reason any",
        69,
    ),
    act("waivers_apply", &[ORGANIZATION, POLICY, INVENTORY], "waivers apply waivers.json", 0),
    act(
        "waivers_end",
        &[ORGANIZATION, POLICY, INVENTORY, "waivers apply waivers.json"],
        "waivers end {waiver}",
        0,
    ),
];

/// Commands whose screens these are.
pub fn lines() -> impl Iterator<Item = &'static str> {
    ACTS.iter().map(|act| act.line)
}

const WRONG_TOML: &str =
    "[server]\nlisten = \"localhost\"\n\n[[inventory]]\nsource = \"bucket\"\nbukcet = \"config\"\n";
const RIGHT_TOML: &str = "[[inventory]]\nsource = \"live\"\nrole = \"PalisadeReadOnly\"\n";
const WAIVERS: &str = r#"{"waivers": [
    {"policy": "no-remote-administration", "resource": "sg-0a1*", "accounts": ["797508589926"],
     "until": "2027-03-01T00:00:00Z", "owner": "network team", "reason": "moves to Session Manager in February"},
    {"policy": "no-remote-administration", "resource": "sg-0badc0de*", "until": "2026-01-01T00:00:00Z",
     "owner": "network team", "reason": "was over before it began"}]}
"#;

/// A folder with the sample's files, and servers to ask.
struct Scene {
    folder: TempDir,
    endpoint: String,
    figures: String,
    house: House,
    _sockets: Runtime,
    signed: Option<Signed>,
}

/// A server that asks for keys, with one of its own.
struct Signed {
    child: Child,
    endpoint: String,
    key: String,
    secret: String,
    _folder: TempDir,
}

impl Drop for Signed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server with figures that stand.
fn figures() -> Router {
    let page = || async { include_str!("pages/metrics.txt") };
    Router::new().route("/metrics", get(page)).route("/readyz", get(|| async { "ok\n" }))
}

impl Scene {
    fn new() -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["AWSLogs", "organization.json", "policies"] {
            symlink(WORLD.folder().join(name), at(name)).unwrap();
        }
        std::fs::create_dir(at("empty")).unwrap();
        let write = |name: &str, text: &str| std::fs::write(at(name), text).unwrap();
        write("wrong.toml", WRONG_TOML);
        write("palisade.toml", RIGHT_TOML);
        write("waivers.json", WAIVERS);
        let policy = std::fs::read(at("policies/partner-stages.json")).unwrap();
        let mut policy: Value = serde_json::from_slice(&policy).unwrap();
        policy["Policy"]["IncludeMaps"] = serde_json::json!({"ACCOUNT": ["1"]});
        write("wrong.json", &policy.to_string());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let house = House::open();
        let endpoint = served(&runtime, house.router());
        let figures = served(&runtime, figures());
        Scene { folder, endpoint, figures, house, _sockets: runtime, signed: None }
    }

    fn command(&self, words: &[&str]) -> Command {
        let key = self.signed.as_ref().map(|signed| (&*signed.key, &*signed.secret));
        let (key, secret) = key.unwrap_or(("AKIAOPERATOR", "any"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
        command.args(words).env_clear().env("HOME", "/nonexistent").stdin(Stdio::null());
        if !words.contains(&"doctor") {
            command.env("PALISADE_ENDPOINT", &self.endpoint);
        }
        command.env("AWS_ACCESS_KEY_ID", key).env("AWS_SECRET_ACCESS_KEY", secret);
        command.env("AWS_DEFAULT_REGION", "us-east-1").current_dir(self.folder.path());
        command
    }

    fn json(&self, words: &[&str]) -> Value {
        let output = printed(self.command(&[words, &["--output", "json"]].concat()), &[0]);
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What stands for a word of a command line.
    fn word(&mut self, word: &str) -> String {
        let keys = |scene: &Scene, last: bool| {
            let listed = scene.json(&["keys", "list", "--store", "sqlite:keys.db"]);
            let mut keys = listed["Keys"].as_array().unwrap().clone();
            keys.sort_by_key(|key| key["Created"].as_str().unwrap().to_owned());
            let key = if last { keys.last() } else { keys.first() };
            key.unwrap()["AccessKeyId"].as_str().unwrap().to_owned()
        };
        match word {
            "{key}" => keys(self, false),
            "{last}" => keys(self, true),
            "{waiver}" => {
                let listed = self.json(&["waivers", "list"]);
                listed["Waivers"][0]["Id"].as_str().unwrap().to_owned()
            }
            "{resource}" => WORLD.resource.clone(),
            "{figures}" => self.figures.clone(),
            "{signed}" => self.signed.as_ref().unwrap().endpoint.clone(),
            "{own}" => self.signed.as_ref().unwrap().key.clone(),
            word => word.to_owned(),
        }
    }

    fn words(&mut self, line: &str) -> Vec<String> {
        if line.contains("{signed}") {
            self.signed = Some(signed());
        }
        words_of(line).into_iter().map(|word| self.word(word)).collect()
    }

    /// The command of an act, with everything before it done.
    fn set(&mut self, act: &Act) -> Command {
        for line in act.before {
            let words = self.words(line);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            printed(self.command(&words), &[0]);
            self.house.settle();
        }
        let words = self.words(act.line);
        self.command(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// A text with what differs from run to run replaced.
    fn masked(&self, text: &str) -> String {
        masked(&redacted(text))
    }
}

fn signed() -> Signed {
    let folder = tempfile::tempdir().unwrap();
    let program = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
        command.env_clear().current_dir(folder.path()).stdin(Stdio::null());
        command
    };
    let mut make = program();
    make.args(["keys", "create", "--operator", "--output", "json"]);
    let made: Value = serde_json::from_slice(&printed(make, &[0]).stdout).unwrap();
    let mut child = program()
        .args(["serve", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let out = child.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).unwrap();
    let address = line.split("http://").nth(1).unwrap_or_else(|| panic!("{line}"));
    let address = address.split(';').next().unwrap().trim();
    let of = |name: &str| made[name].as_str().unwrap().to_owned();
    Signed {
        child,
        endpoint: format!("http://{address}"),
        key: of("AccessKeyId"),
        secret: of("SecretAccessKey"),
        _folder: folder,
    }
}

/// What an act shows at each width and piped; what is wrong with it is told.
fn shown(act: &Act, wrong: &mut Vec<String>) -> String {
    let mut told = format!("$ palisade {}\n", act.line);
    for line in act.before.iter().rev() {
        told.insert_str(0, &format!("$ palisade {line}\n"));
    }
    let mut narrow = String::new();
    for width in WIDTHS {
        let mut scene = Scene::new();
        let output = scene.set(act).env("COLUMNS", width.to_string()).output().unwrap();
        let (text, code) = (scene.masked(&streams(&output)), output.status.code());
        wrong.extend((code != Some(act.code)).then(|| format!("{} ends {code:?}", act.name)));
        assert!(!text.contains('\u{1b}'), "{}: {text:?}", act.name);
        let out = String::from_utf8(output.stdout).unwrap();
        if !act.line.contains("csv") {
            wrong.extend(too_wide(act.name, &out, width));
        }
        write!(told, "\n[{width} columns]\n{text}").unwrap();
        if width == WIDTHS[0] {
            narrow = scene.masked(&out);
        }
    }
    let mut scene = Scene::new();
    let text = streams(&scene.set(act).output().unwrap());
    write!(told, "\n[piped]\n{}", scene.masked(&text)).unwrap();
    // It takes long, and what it shows is tables and lines as others are.
    if act.name != "quickstart" {
        let mut scene = Scene::new();
        let in_terminal = in_terminal(&scene.set(act), WIDTHS[0], false);
        let shown = scene.masked(&plain(&in_terminal));
        let is_it = shown.trim_end() == narrow.trim_end();
        wrong.extend((!is_it).then(|| format!("{}: {shown}\n-- by COLUMNS:\n{narrow}", act.name)));
    }
    told
}

#[test]
fn screens_of_what_changes_something_are_as_they_were_looked_at() {
    // What takes long is to wait for the commands.
    const AT_ONCE: usize = 4;
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        let (mut wrong, mut all) = (Vec::new(), Vec::new());
        while let Some(act) = ACTS.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
            all.push((act.name, shown(act, &mut wrong)));
        }
        (wrong, all)
    };
    let done: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut wrong = Vec::new();
    for (some, screens) in done {
        wrong.extend(some);
        screens.iter().for_each(|(name, shown)| kept(name, shown));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
