//! Pages of ListComplianceStatus against a bare handler: the same read of the same store, prepared
//! once, serialised and sent, and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use rusqlite::{Connection, OpenFlags, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Report;
use crate::check::Programs;
use crate::fleet::{Fleet, REGIONS, organization};
use crate::runs::{cpu_seconds, median, percentile};
use crate::serve::{Client, PAGE, Server, announced, counts};

/// Rounds over every page of both.
const ROUNDS: usize = 5;

/// Measures a ledger of `accounts` accounts under `policies` policies, which are the fleet's first
/// question under many names.
pub fn rows(
    report: &mut Report,
    programs: &Programs,
    fleet: &Fleet,
    folder: &Path,
    [accounts, policies]: [u64; 2],
) {
    let server = Server::fresh(&programs.palisade, folder);
    let whole = organization(accounts).to_string();
    server.client.own("PUT", "/palisade/v1/organization", "", whole.as_bytes());
    let mut input: Value =
        serde_json::from_slice(&fs::read(&fleet.questions[0]).expect("is there")).expect("JSON");
    let put = (0..policies).map(|nth| {
        input["Policy"]["PolicyName"] = json!(format!("policy-{nth}"));
        server.client.put_policy(REGIONS[0], &input)
    });
    let ids: Vec<String> = put.collect();
    server.settled();
    let store = server.store().to_owned();
    server.stop();
    let expected = found(&store);
    assert_eq!(expected.len() as u64, accounts);

    let server = Server::open(&programs.palisade, folder);
    let (bare, address) = bare_handler(programs, &store);
    let plain = server.client.at(address);
    for id in &ids {
        assert_eq!(server.client.violators(REGIONS[0], id), expected, "palisade serve");
        assert_eq!(plain.violators(REGIONS[0], id), expected, "the bare handler");
    }
    let (mut ratios, mut times) = (Vec::new(), [Vec::new(), Vec::new()]);
    for _ in 0..ROUNDS {
        let before = server.cpu();
        times[0].extend(pages(&server.client, &ids));
        let ours = server.cpu() - before;
        let before = cpu_seconds(bare.0.id());
        times[1].extend(pages(&plain, &ids));
        let floor = cpu_seconds(bare.0.id()) - before;
        println!("ListComplianceStatus: {ours:.2} CPU s, the bare handler: {floor:.2} CPU s");
        ratios.push(floor / ours);
    }
    server.stop();
    let of = format!("{accounts} accounts × {policies} policies");
    report.ratio(
        &format!("ListComplianceStatus in JSON, SigV4, {of}, to a bare handler"),
        0.7,
        Some(median(ratios)),
    );
    let [ours, floor] = times.map(|times| percentile(&times, 99));
    let ratio = ours / floor;
    report.row(
        "… its p99 by the clock to the handler's",
        "≤ 3 ×",
        &format!("{ratio:.2} × ({:.2} ms)", ours * 1_000.0),
        Some(ratio <= 3.0),
    );
}

/// Puts violators into the ledger of a store that holds no inventory: more than none in every
/// account. Answers how many.
fn found(store: &Path) -> BTreeMap<String, u64> {
    let writer = Connection::open(store).expect("a store");
    writer
        .execute(
            "UPDATE entries SET status = 'NON_COMPLIANT', issues = NULL, in_scope = 100,
               violator_count = 1 + CAST(account AS INTEGER) % 97",
            [],
        )
        .expect("is written");
    let mut every = writer
        .prepare("SELECT DISTINCT account, 1 + CAST(account AS INTEGER) % 97 FROM entries")
        .expect("is prepared");
    let rows = every.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("is asked");
    rows.map(|row| row.expect("a row")).collect()
}

/// Seconds of every page of every policy.
fn pages(client: &Client, policies: &[String]) -> Vec<f64> {
    let mut times = Vec::new();
    for policy in policies {
        let mut token = Value::Null;
        loop {
            let started = Instant::now();
            let page = client.page(REGIONS[0], policy, &token);
            times.push(started.elapsed().as_secs_f64());
            assert!(!counts(&page).is_empty());
            token = page["NextToken"].clone();
            if token.is_null() {
                break;
            }
        }
    }
    times
}

// The bare handler.

/// Stopped when this is let go.
struct Bare(Child);

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn bare_handler(programs: &Programs, store: &Path) -> (Bare, String) {
    let mut child = Command::new(&programs.bench)
        .arg("bare")
        .arg(store)
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let address = announced(&mut child);
    (Bare(child), address)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asked {
    policy_id: String,
    max_results: usize,
    /// The account before the page: nothing is sealed here.
    #[serde(default)]
    next_token: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Page<'a> {
    policy_compliance_status_list: Vec<Status<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Status<'a> {
    policy_owner: &'a str,
    policy_id: &'a str,
    policy_name: &'a str,
    member_account: String,
    evaluation_results: [Evaluation; 1],
    last_updated: f64,
    issue_info_map: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Evaluation {
    compliance_status: Option<String>,
    violator_count: u64,
    evaluation_limit_exceeded: bool,
}

/// Serves pages of a store's ledger to everybody, until it is killed.
pub fn bare(store: &Path) {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let reader = Connection::open_with_flags(store, flags).expect("a store");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("threads").block_on(async {
        let router =
            axum::Router::new().route("/", post(answer)).with_state(Arc::new(Mutex::new(reader)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("http://{};", listener.local_addr().expect("an address"));
        axum::serve(listener, router).await.expect("serves");
    });
}

async fn answer(State(reader): State<Arc<Mutex<Connection>>>, body: Bytes) -> String {
    let asked: Asked = serde_json::from_slice(&body).expect("a request");
    let reader = reader.lock().expect("no panic before");
    let mut read = reader
        .prepare_cached(
            "SELECT e.account, e.status, e.violator_count, e.in_scope, e.issues, e.since_ms,
               e.policy_revision, max(e.evaluated_ms, coalesce(j.evaluated_ms, e.evaluated_ms))
             FROM entries e LEFT JOIN judged j ON j.account = e.account
               AND j.region = (SELECT region FROM policies WHERE policy = ?1)
             WHERE e.policy = ?1 AND e.account > ?2 AND e.account <= ':'
             ORDER BY e.account LIMIT ?3",
        )
        .expect("is prepared");
    let status = |row: &rusqlite::Row<'_>| {
        let counted: u64 = row.get(2)?;
        Ok(Status {
            policy_owner: "100000000007",
            policy_id: &asked.policy_id,
            policy_name: "policy",
            member_account: row.get(0)?,
            evaluation_results: [Evaluation {
                compliance_status: row.get(1)?,
                violator_count: counted,
                evaluation_limit_exceeded: counted > PAGE as u64,
            }],
            last_updated: row.get::<_, i64>(7)? as f64 / 1_000.0,
            issue_info_map: BTreeMap::new(),
        })
    };
    // One more than asked for tells whether there is another page.
    let rows = read
        .query_map(params![asked.policy_id, asked.next_token, asked.max_results + 1], status)
        .expect("is asked");
    let mut list: Vec<Status<'_>> = rows.map(|row| row.expect("a row")).collect();
    let more = list.len() > asked.max_results;
    list.truncate(asked.max_results);
    let next_token = list.last().filter(|_| more).map(|last| last.member_account.clone());
    serde_json::to_string(&Page { policy_compliance_status_list: list, next_token })
        .expect("serialises")
}
