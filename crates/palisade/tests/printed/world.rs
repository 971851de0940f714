//! A server of the sample organization whose clock stands, and one of which nothing is known, each behind a socket.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use palisade::sample::{self, Extent};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::house::House;
use crate::support::NOW_MS;

/// The policy whose violators are told of, and an account and a resource that break it.
pub const POLICY: &str = "no-remote-administration";
pub const WORST: &str = "legacy-erp";
const HALF_HOUR_MS: i64 = 30 * 60 * 1_000;
const REGION: &str = "us-east-1";

/// The world that every test of this binary looks at, and writes nothing to.
pub static WORLD: LazyLock<World> = LazyLock::new(World::new);

pub struct World {
    folder: TempDir,
    endpoint: String,
    empty: String,
    /// A violator of the policy in the worst account.
    pub resource: String,
    _sockets: Runtime,
    // What answers is of these.
    _houses: [House; 2],
}

/// Puts a router behind a socket.
pub fn served(runtime: &Runtime, router: axum::Router) -> String {
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    runtime.spawn(async move { axum::serve(listener, router).await });
    endpoint
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Every file below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        sample::write(folder.path(), Extent::default(), NOW_MS).unwrap();
        // For `check`, whose clock is the machine's.
        let now = jiff::Timestamp::now().as_millisecond();
        sample::write(&folder.path().join("now"), Extent::default(), now).unwrap();
        let house = House::open();
        let at = |name: &str| folder.path().join(name);
        house
            .own(
                "PUT",
                "/palisade/v1/organization",
                std::fs::read(at("organization.json")).unwrap(),
            )
            .ok();
        for path in files(&at("AWSLogs")) {
            let name = path.file_name().unwrap().to_str().unwrap();
            house.ingest(name, &std::fs::read(&path).unwrap()).ok();
        }
        let mut ids = Vec::new();
        for path in files(&at("policies")) {
            let put = house.call(REGION, "PutPolicy", &read(&path)).ok();
            ids.push(put["Policy"].clone());
        }
        house.settle();
        house.advance_ms(2 * HALF_HOUR_MS);
        let of = |name: &str| ids.iter().find(|policy| policy["PolicyName"] == name).unwrap();
        let policy = of(POLICY)["PolicyId"].as_str().unwrap();
        let account = sample::account_id(WORST).unwrap();
        let path = format!("/palisade/v1/policies/{policy}/accounts/{account}/violators?limit=1");
        let first = house.own("GET", &path, "").ok();
        let resource = first["violators"][0]["ResourceId"].as_str().unwrap().to_owned();
        let unit = &read(&at("organization.json"))["OrganizationalUnits"][0]["Id"];
        changes(&house, of(POLICY), of("payments-single-ports"), &resource, unit);
        house.settle();
        sources(&house);
        house.advance_ms(2 * HALF_HOUR_MS);
        let nobody = House::open();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (endpoint, empty) =
            (served(&runtime, house.router()), served(&runtime, nobody.router()));
        let world = World {
            folder,
            endpoint,
            empty,
            resource,
            _sockets: runtime,
            _houses: [house, nobody],
        };
        let line = ["keys", "create", "--operator", "--store", "sqlite:keys.db"];
        printed(world.command(&line), &[0]);
        let rotate = ["keys", "rotate", &world.new_key(), "--store", "sqlite:keys.db"];
        printed(world.command(&rotate), &[0]);
        world
    }

    /// The id of a new account's key in the store `keys.db`.
    pub fn new_key(&self) -> String {
        let line = ["keys", "create", "--account", "210987654321", "--store", "sqlite:keys.db"];
        let line = [&line[..], &["--name", "ci-pipeline", "--expires", "90d"]].concat();
        let made = printed(self.command(&[&line[..], &["--output", "json"]].concat()), &[0]).stdout;
        let made: Value = serde_json::from_slice(&made).unwrap();
        made["AccessKeyId"].as_str().unwrap().to_owned()
    }

    /// Where the sample's files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the server of the sample is.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// A command that asks the server of the sample, in the folder of the sample's files.
    pub fn command(&self, line: &[&str]) -> Command {
        self.asks(line, &self.endpoint)
    }

    /// A command that asks the server of which nothing is known.
    pub fn command_of_nothing(&self, line: &[&str]) -> Command {
        self.asks(line, &self.empty)
    }

    fn asks(&self, line: &[&str], endpoint: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
        command.args(line).env_clear().env("HOME", "/nonexistent").stdin(Stdio::null());
        command.env("PALISADE_ENDPOINT", endpoint).env("AWS_ACCESS_KEY_ID", "AKIAOPERATOR");
        command.env("AWS_SECRET_ACCESS_KEY", "any").env("AWS_DEFAULT_REGION", REGION);
        command.current_dir(self.folder.path());
        command
    }

    /// The words of a command line, with `{resource}` for the violator.
    pub fn words<'w>(&'w self, line: &'w str) -> Vec<&'w str> {
        let word = |word: &'w str| if word == "{resource}" { self.resource.as_str() } else { word };
        words_of(line).into_iter().map(word).collect()
    }
}

pub fn words_of(line: &str) -> Vec<&str> {
    line.split(' ').filter(|word| !word.is_empty()).collect()
}

/// A waiver, an edited policy, a policy that is deleted, and one that nobody is in the scope of.
fn changes(house: &House, waived: &Value, deleted: &Value, resource: &str, unit: &Value) {
    let waiver = |resource: &str, reason: &str| {
        json!({"policy": waived["PolicyId"], "resource": resource, "reason": reason,
            "owner": "network team", "ticket": "NET-1742", "until": "2027-03-01T00:00:00Z"})
    };
    let made = |waiver: &Value| house.own("POST", "/palisade/v1/waivers", waiver.to_string()).ok();
    made(&waiver(resource, "moves to Session Manager in February"));
    let mut narrow = waiver("sg-0badc0de*", "was never there");
    narrow["accounts"] = json!([sample::account_id(WORST).unwrap()]);
    narrow["resourceType"] = json!("AWS::EC2::SecurityGroup");
    narrow["units"] = json!([unit]);
    made(&narrow);
    let ended = made(&waiver("sg-0decade*", "is gone"));
    house
        .own("DELETE", &format!("/palisade/v1/waivers/{}", ended["id"].as_str().unwrap()), "")
        .ok();
    let mut edited = waived.clone();
    edited["ExcludeMap"]["ACCOUNT"] = json!([sample::account_id("shared-services").unwrap()]);
    house.call(REGION, "PutPolicy", &json!({ "Policy": edited })).ok();
    house.call(REGION, "DeletePolicy", &json!({"PolicyId": deleted["PolicyId"]})).ok();
}

/// What a server that reads by itself knows of its sources.
fn sources(house: &House) {
    let note =
        |name: &str, note: fn(&mut palisade_api::sources::Source)| house.note_source(name, note);
    note("organization", |source| {
        source.kind = "organization";
        (source.begun_ms, source.whole_ms, source.took_ms) = (Some(NOW_MS), Some(NOW_MS), 1_412);
    });
    note("every account through its own APIs", |source| {
        source.kind = "live";
        source.begun_ms = Some(NOW_MS);
        (source.accepted, source.gaps) = (10_312, 3);
        source.next_ms = Some(NOW_MS + 6 * HALF_HOUR_MS);
        source.failed(
            NOW_MS,
            "shield:GetSubscriptionState in account 210987654321, us-east-1: AccessDeniedException: User is not \
             authorized to perform shield:GetSubscriptionState",
        );
    });
    note("config-bucket", |source| {
        source.kind = "sqs";
        (source.begun_ms, source.whole_ms) = (Some(NOW_MS), Some(NOW_MS - 50 * HALF_HOUR_MS));
        (source.backlog, source.set_aside) = (Some(7), 1);
    });
}

/// What a command printed where it ended with one of these codes.
#[track_caller]
pub fn printed(mut command: Command, codes: &[i32]) -> Output {
    let output = command.output().unwrap();
    let code = output.status.code();
    assert!(code.is_some_and(|code| codes.contains(&code)), "{command:?}: {output:?}");
    output
}
