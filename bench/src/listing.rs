//! Pages of ListComplianceStatus in both protocols against a bare handler: the same read of the same
//! store, prepared once, the same answer serialised by serde and sent, and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use ciborium::tag::Required;
use palisade_wire::shapes::{
    ListComplianceStatusRequest, ListComplianceStatusResponse, PolicyComplianceStatus,
};
use palisade_wire::{Operation, Protocol, Shaped as _, decode_output, encode};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Report;
use crate::check::Programs;
use crate::fleet::{Fleet, REGIONS, organization};
use crate::runs::{cpu_seconds, median, percentile};
use crate::serve::{Client, PAGE, Server, announced};

/// Rounds of both, in turn.
const ROUNDS: usize = 5;
/// Calls of one side in one round, at least: the kernel tells CPU time in hundredths of a second.
const CALLS_MIN: usize = 5_000;

const OPERATION: Operation = Operation::ListComplianceStatus;

/// The rows' words for the protocols.
const PROTOCOLS: [(Protocol, &str); 2] =
    [(Protocol::Json, "JSON 1.1"), (Protocol::Cbor, "RPC v2 CBOR")];

/// Measures a ledger of `accounts` accounts under `policies` policies, which are the fleet's first
/// question under many names.
pub fn rows(
    report: &mut Report,
    programs: &Programs,
    fleet: &Fleet,
    folder: &Path,
    [accounts, policies]: [u64; 2],
) {
    let ids = ledger(programs, fleet, folder, [accounts, policies]);
    let server = Server::open(&programs.palisade, folder);
    let store = server.store().to_owned();
    let expected = counts(&store);
    assert_eq!(expected.len() as u64, accounts);
    let (bare, address) = bare_handler(programs, &store);
    let plain = server.client.at(address);
    let of = format!("{accounts} accounts × {policies} policies");
    for (protocol, name) in PROTOCOLS {
        let sides = [&server.client, &plain].map(|client| Pages::of(client, protocol, &ids));
        let [ours, floor] = &sides;
        assert_eq!(ours.told, floor.told, "{name}");
        for id in &ids {
            assert_eq!(counted(&ours.told, id), expected, "{name}");
        }
        let (mut ratios, mut times) = (Vec::new(), [Vec::new(), Vec::new()]);
        for _ in 0..ROUNDS {
            let before = [server.cpu(), cpu_seconds(bare.0.id())];
            let [ours, floor] = &sides;
            let calls = [ours.ask(&mut times[0]), floor.ask(&mut times[1])];
            let after = [server.cpu(), cpu_seconds(bare.0.id())];
            let each = |side: usize| (after[side] - before[side]) / calls[side] as f64 * 1e6;
            println!(
                "ListComplianceStatus in {name}: {:.0} CPU µs a call, the bare handler: {:.0}",
                each(0),
                each(1)
            );
            ratios.push(each(1) / each(0));
        }
        report.ratio(
            &format!("ListComplianceStatus in {name}, SigV4, {of}, to a bare handler"),
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
    server.stop();
}

/// Makes the ledger of a store in a folder: `accounts` accounts under `policies` policies. Answers the
/// policies' ids.
pub fn ledger(
    programs: &Programs,
    fleet: &Fleet,
    folder: &Path,
    [accounts, policies]: [u64; 2],
) -> Vec<String> {
    let server = Server::fresh(&programs.palisade, folder);
    let whole = organization(accounts).to_string();
    server.client.own("PUT", "/palisade/v1/organization", "", whole.as_bytes());
    let mut input: Value =
        serde_json::from_slice(&fs::read(&fleet.questions[0]).expect("is there")).expect("JSON");
    let put = (0..policies).map(|nth| {
        input["Policy"]["PolicyName"] = json!(format!("policy-{nth}"));
        server.client.put_policy(REGIONS[0], &input)
    });
    let ids = put.collect();
    server.settled();
    let store = server.store().to_owned();
    server.stop();
    find(&store);
    ids
}

/// Puts violators into the ledger of a store that holds no inventory: more than none in every
/// account.
fn find(store: &Path) {
    let writer = Connection::open(store).expect("a store");
    writer
        .execute(
            "UPDATE entries SET status = 'NON_COMPLIANT', issues = NULL, in_scope = 100,
               violator_count = 1 + CAST(account AS INTEGER) % 97",
            [],
        )
        .expect("is written");
    palisade_store::sqlite::sum_rows(&writer).expect("is summed up");
}

/// How many violators each account has.
fn counts(store: &Path) -> BTreeMap<String, u64> {
    let reader = Connection::open(store).expect("a store");
    let mut every = reader
        .prepare("SELECT DISTINCT account, 1 + CAST(account AS INTEGER) % 97 FROM entries")
        .expect("is prepared");
    let rows = every.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("is asked");
    rows.map(|row| row.expect("a row")).collect()
}

/// The requests for every page of every policy in one protocol.
struct Pages<'a> {
    client: &'a Client,
    protocol: Protocol,
    /// Bodies, and how long each one's answer is.
    requests: Vec<(Vec<u8>, usize)>,
    /// What all of them were answered, told as typed entries.
    told: Vec<PolicyComplianceStatus>,
}

impl<'a> Pages<'a> {
    /// Asks for each page once.
    fn of(client: &'a Client, protocol: Protocol, policies: &[String]) -> Pages<'a> {
        let mut pages = Pages { client, protocol, requests: Vec::new(), told: Vec::new() };
        for policy in policies {
            let mut next_token = None;
            loop {
                next_token = pages.first(policy, next_token);
                if next_token.is_none() {
                    break;
                }
            }
        }
        pages
    }

    fn first(&mut self, policy: &str, next_token: Option<String>) -> Option<String> {
        let input = ListComplianceStatusRequest {
            max_results: i32::try_from(PAGE).ok(),
            next_token,
            policy_id: policy.to_owned(),
        };
        let body = encode(self.protocol, &input).expect("can be said");
        let (answer, _) = self.client.ask(self.protocol, REGIONS[0], OPERATION, &body);
        let page: ListComplianceStatusResponse =
            decode_output(ListComplianceStatusResponse::SHAPE, self.protocol, &answer)
                .expect("an answer");
        let list = page.policy_compliance_status_list.expect("a list");
        assert!(!list.is_empty() && list.len() <= PAGE);
        self.told.extend(list);
        self.requests.push((body, answer.len()));
        page.next_token
    }

    /// Asks for every page again, as often as makes [`CALLS_MIN`] calls; answers how many these are.
    fn ask(&self, times: &mut Vec<f64>) -> usize {
        let passes = CALLS_MIN.div_ceil(self.requests.len());
        for _ in 0..passes {
            for (body, length) in &self.requests {
                let (answer, took) = self.client.ask(self.protocol, REGIONS[0], OPERATION, body);
                assert_eq!(answer.len(), *length);
                times.push(took);
            }
        }
        passes * self.requests.len()
    }
}

/// The violators of one policy, by account.
fn counted(told: &[PolicyComplianceStatus], policy: &str) -> BTreeMap<String, u64> {
    let of = told.iter().filter(|status| status.policy_id.as_deref() == Some(policy));
    let count = |status: &PolicyComplianceStatus| {
        let result = &status.evaluation_results.as_deref().expect("results")[0];
        let account = status.member_account.clone().expect("an account");
        (account, result.violator_count.expect("a count").cast_unsigned())
    };
    of.map(count).collect()
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
struct Page<'a, M> {
    policy_compliance_status_list: Vec<Status<'a, M>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `M` is how the protocol writes a moment.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Status<'a, M> {
    policy_owner: &'a str,
    policy_id: &'a str,
    policy_name: &'a str,
    member_account: String,
    evaluation_results: [Evaluation; 1],
    last_updated: M,
    issue_info_map: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Evaluation {
    compliance_status: Option<String>,
    violator_count: u64,
    evaluation_limit_exceeded: bool,
}

/// What the bare handler serves from.
struct Ledger {
    reader: Mutex<Connection>,
    /// Owner and name of each policy, which do not change while it serves.
    policies: BTreeMap<String, [String; 2]>,
}

/// Serves pages of a store's ledger to everybody, until it is killed.
pub fn bare(store: &Path) {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let reader = Connection::open_with_flags(store, flags).expect("a store");
    // Prepared once: without this SQLite plans a statement with a bound range anew for every call.
    reader.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).expect("is set");
    let policies = policies(&reader);
    let ledger = Arc::new(Ledger { reader: Mutex::new(reader), policies });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("threads").block_on(async {
        let router = axum::Router::new()
            .route("/", post(in_json))
            .route("/service/AWSFMS_20180101/operation/ListComplianceStatus", post(in_cbor))
            .with_state(ledger);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("http://{};", listener.local_addr().expect("an address"));
        axum::serve(listener, router).await.expect("serves");
    });
}

fn policies(reader: &Connection) -> BTreeMap<String, [String; 2]> {
    let mut every = reader
        .prepare(
            "SELECT policy, record ->> '$.owner', record ->> '$.document.PolicyName'
             FROM policies",
        )
        .expect("is prepared");
    let rows = every.query_map([], |row| Ok((row.get(0)?, [row.get(1)?, row.get(2)?])));
    rows.expect("is asked").map(|row| row.expect("a row")).collect()
}

async fn in_json(State(ledger): State<Arc<Ledger>>, body: Bytes) -> String {
    let asked: Asked = serde_json::from_slice(&body).expect("a request");
    ledger.page(&asked, |seconds| seconds, |page| serde_json::to_string(page).expect("serialises"))
}

async fn in_cbor(State(ledger): State<Arc<Ledger>>, body: Bytes) -> Vec<u8> {
    let asked: Asked = read(&body);
    ledger.page(&asked, Required::<f64, 1>, |page| {
        let mut written = Vec::new();
        ciborium::into_writer(page, &mut written).expect("serialises");
        written
    })
}

fn read<T: DeserializeOwned>(body: &[u8]) -> T {
    ciborium::from_reader(body).expect("a request")
}

impl Ledger {
    /// Reads the page that was asked for and writes it.
    fn page<M, W>(
        &self,
        asked: &Asked,
        moment: fn(f64) -> M,
        write: impl FnOnce(&Page<'_, M>) -> W,
    ) -> W {
        let [policy_owner, policy_name] = &self.policies[&asked.policy_id];
        let reader = self.reader.lock().expect("no panic before");
        let mut read = reader
            .prepare_cached(
                "SELECT e.account, e.status, e.violator_count, e.in_scope, e.issues, e.since_ms,
                   e.policy_revision,
                   max(e.evaluated_ms, coalesce(j.evaluated_ms, e.evaluated_ms))
                 FROM entries e LEFT JOIN judged j ON j.account = e.account
                   AND j.region = (SELECT region FROM policies WHERE policy = ?1)
                 WHERE e.policy = ?1 AND e.account > ?2 AND e.account <= ':'
                 ORDER BY e.account LIMIT ?3",
            )
            .expect("is prepared");
        let status = |row: &rusqlite::Row<'_>| {
            let counted: u64 = row.get(2)?;
            let issues: Option<String> = row.get(4)?;
            Ok(Status {
                policy_owner,
                policy_id: &asked.policy_id,
                policy_name,
                member_account: row.get(0)?,
                evaluation_results: [Evaluation {
                    compliance_status: row.get(1)?,
                    violator_count: counted,
                    evaluation_limit_exceeded: counted > PAGE as u64,
                }],
                last_updated: moment(row.get::<_, i64>(7)? as f64 / 1_000.0),
                issue_info_map: issues
                    .map(|text| serde_json::from_str(&text).expect("JSON"))
                    .unwrap_or_default(),
            })
        };
        // One more than asked for tells whether there is another page.
        let rows = read
            .query_map(params![asked.policy_id, asked.next_token, asked.max_results + 1], status)
            .expect("is asked");
        let mut list: Vec<Status<'_, M>> = rows.map(|row| row.expect("a row")).collect();
        let more = list.len() > asked.max_results;
        list.truncate(asked.max_results);
        let next_token = list.last().filter(|_| more).map(|last| last.member_account.clone());
        write(&Page { policy_compliance_status_list: list, next_token })
    }
}
