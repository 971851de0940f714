//! `cargo xtask bench --growth`: how a cost grows with what has nothing to do with it, and with what has.
//!
//! Of each dimension three sizes are measured, as CPU seconds of a server for one piece of work, and a power of the
//! size is fitted to them: 0 is a cost that does not grow, 1 one that grows as the size does. What the server
//! answers is asserted before anything is measured.

use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use crate::fleet::{self, REGIONS, account_id};
use crate::runs::percentile;
use crate::serve::Server;

/// Accounts of organizations beside which something is done.
const ACCOUNTS: [u64; 3] = [500, 5_000, 50_000];
/// Accounts of the unit that a policy is put for, beside those.
const UNIT: u64 = 100;
/// Accounts of a unit, in an organization of twice as many as the most.
const UNITS: [u64; 3] = [100, 1_000, 10_000];
/// Items of the fleet whose files are sent again.
const ITEMS: [u64; 3] = [5_000, 20_000, 80_000];
/// How often a small piece of work is done to measure one.
const REPEATS: usize = 50;
/// Puts in a row whose latencies are told.
const PUTS: usize = 200;

/// Measures every dimension, and prints it.
pub fn run(palisade: &Path, folder: &Path) {
    println!("{:52} {:>9} {:>40}  reach", "work, by what", "exponent", "CPU ms at each size");
    let beside: Vec<_> = ACCOUNTS.iter().map(|n| beside_accounts(palisade, folder, *n)).collect();
    let of = |at: fn(&[f64; 3]) -> f64| beside.iter().map(at).collect::<Vec<_>>();
    told("PutAppsList and a read, by accounts", ACCOUNTS, &of(|it| it[0]), 0.25);
    told("PutPolicy for one unit, by accounts beside it", ACCOUNTS, &of(|it| it[1]), 0.25);
    let slowest = beside.iter().map(|it| format!("{:.1}", it[2])).collect::<Vec<_>>().join(", ");
    println!("… p99 to p50 of {PUTS} in a row, by the clock: {slowest}; wanted: 10 at most");
    let of_units = units(palisade, folder);
    told("PutPolicy for one unit, by its accounts", UNITS, &of_units, 1.1);
    let sent: Vec<_> = ITEMS.iter().map(|n| sent_again(palisade, folder, *n)).collect();
    told(
        "files taken in, by their items",
        ITEMS,
        &sent.iter().map(|it| it[0]).collect::<Vec<_>>(),
        1.1,
    );
    told("… the same files again", ITEMS, &sent.iter().map(|it| it[1]).collect::<Vec<_>>(), 1.1);
    let share = sent.iter().map(|it| format!("{:.2}", it[1] / it[0])).collect::<Vec<_>>();
    println!("… again to the first time: {}", share.join(", "));
}

/// Prints a dimension, whose fitted power is to be `most` at most.
fn told(what: &str, sizes: [u64; 3], costs: &[f64], most: f64) {
    let power = exponent(&sizes.map(|size| size as f64), costs);
    let costs = costs.iter().map(|cost| format!("{:.2}", cost * 1_000.0)).collect::<Vec<_>>();
    let verdict = if power <= most { "reached" } else { "not reached" };
    println!("{what:52} {power:>9.2} {:>40}  ≤ {most} {verdict}", costs.join(", "));
}

/// The power of the sizes that the costs grow with: the slope of least squares between their logarithms.
fn exponent(sizes: &[f64], costs: &[f64]) -> f64 {
    // The clock of the kernel has ticks: what took none took less than one.
    let points = sizes.iter().zip(costs).map(|(size, cost)| (size.ln(), cost.max(1e-6).ln()));
    let points: Vec<(f64, f64)> = points.collect();
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (across, up) = (mean(|it| it.0), mean(|it| it.1));
    let rise: f64 = points.iter().map(|it| (it.0 - across) * (it.1 - up)).sum();
    rise / points.iter().map(|it| (it.0 - across).powi(2)).sum::<f64>()
}

/// What a list that is put and read costs, what a policy of one small unit does until it is judged, and how
/// many times the middle the slowest of a hundred puts in a row takes.
fn beside_accounts(palisade: &Path, folder: &Path, accounts: u64) -> [f64; 3] {
    let server = Server::fresh(palisade, &folder.join(format!("accounts-{accounts}")));
    organize(&server, accounts, &[UNIT]);
    let list = |server: &Server| {
        let mut known = Value::Null;
        for port in 1..=REPEATS {
            let mut input = json!({"ListName": "grown", "AppsList": [{"AppName": "a", "Protocol": "TCP", "Port": port}]});
            if let Some(token) = known["AppsList"]["ListUpdateToken"].as_str() {
                input["ListUpdateToken"] = json!(token);
                input["ListId"] = known["AppsList"]["ListId"].clone();
            }
            known = server.client.call(REGIONS[0], "PutAppsList", &json!({"AppsList": input}));
            let read = json!({"ListId": known["AppsList"]["ListId"], "DefaultList": false});
            let read = server.client.call(REGIONS[0], "GetAppsList", &read);
            assert_eq!(read["AppsList"]["AppsList"][0]["Port"], port, "{read}");
        }
    };
    let before = server.cpu();
    list(&server);
    let list = (server.cpu() - before) / REPEATS as f64;

    let mut policy = put_policy(&server, &policy(0));
    server.settled();
    assert_eq!(judged(&server, &policy), UNIT, "of {accounts} accounts");
    let before = server.cpu();
    for nth in 0..REPEATS {
        policy = put_again(&server, &policy, nth);
        server.settled();
    }
    let put = (server.cpu() - before) / REPEATS as f64;
    assert_eq!(judged(&server, &policy), UNIT, "of {accounts} accounts");

    let mut times = Vec::new();
    for nth in 0..PUTS {
        let begun = Instant::now();
        policy = put_again(&server, &policy, nth);
        times.push(begun.elapsed().as_secs_f64());
    }
    server.settled();
    server.stop();
    [list, put, percentile(&times, 99) / percentile(&times, 50)]
}

/// What a policy costs that is put again for units of so many accounts.
fn units(palisade: &Path, folder: &Path) -> Vec<f64> {
    let server = Server::fresh(palisade, &folder.join("units"));
    organize(&server, 2 * UNITS[2], &UNITS);
    let of_unit = |(unit, accounts): (u64, &u64)| {
        let policy = put_policy(&server, &policy(unit));
        server.settled();
        assert_eq!(judged(&server, &policy), *accounts);
        let before = server.cpu();
        let policy = put_again(&server, &policy, 1);
        server.settled();
        let cost = server.cpu() - before;
        assert_eq!(judged(&server, &policy), *accounts);
        cost
    };
    (0..).zip(&UNITS).map(of_unit).collect()
}

/// What the files of a fleet cost, and the same files once more.
fn sent_again(palisade: &Path, folder: &Path, items: u64) -> [f64; 2] {
    let fleet =
        fleet::write(&folder.join(format!("fleet-{items}")), items, false).expect("a fleet");
    let server = Server::fresh(palisade, &folder.join(format!("files-{items}")));
    let ids = server.furnish(&fleet);
    let sent = || {
        let before = server.cpu();
        server.ingest(palisade, &fleet.snapshots);
        server.settled();
        server.cpu() - before
    };
    let first = sent();
    server.assert_truth(&fleet, &ids);
    let again = sent();
    server.assert_truth(&fleet, &ids);
    server.stop();
    [first, again]
}

/// Applies an organization whose first units have so many accounts each, and another one the rest.
fn organize(server: &Server, accounts: u64, units: &[u64]) {
    let mut organization = fleet::organization(accounts);
    let mut of_unit = (0..).zip(units).flat_map(|(unit, count)| (0..*count).map(move |_| unit));
    for account in organization["Accounts"].as_array_mut().expect("a list") {
        account["ParentId"] = json!(unit_id(of_unit.next().unwrap_or(9)));
    }
    server.client.own("PUT", "/palisade/v1/organization", "", organization.to_string().as_bytes());
    assert_eq!(
        server.client.call(REGIONS[0], "GetAdminAccount", &json!({}))["AdminAccount"],
        account_id(0)
    );
}

fn unit_id(unit: u64) -> String {
    format!("ou-flee-{unit:08}")
}

/// A policy for one unit.
fn policy(unit: u64) -> Value {
    json!({
        "PolicyName": format!("of unit {unit}"),
        "ResourceType": "AWS::EC2::SecurityGroup",
        "ExcludeResourceTags": false,
        "RemediationEnabled": false,
        "IncludeMap": {"ORG_UNIT": [unit_id(unit)]},
        "SecurityServicePolicyData": {
            "Type": "SECURITY_GROUPS_CONTENT_AUDIT",
            "ManagedServiceData": options(0),
        },
    })
}

fn options(nth: usize) -> Value {
    let options = json!({
        "type": "SECURITY_GROUPS_CONTENT_AUDIT",
        "preManagedOptions": [
            {"auditSgDirection": {"type": "INGRESS"}},
            {"allowedPortCountPerSgRule": nth % 2 + 1},
        ],
    });
    json!(options.to_string())
}

fn put_policy(server: &Server, policy: &Value) -> Value {
    server.client.call(REGIONS[0], "PutPolicy", &json!({"Policy": policy}))["Policy"].clone()
}

/// The policy once more, so that its accounts must be judged again.
fn put_again(server: &Server, policy: &Value, nth: usize) -> Value {
    let mut policy = policy.clone();
    policy["SecurityServicePolicyData"]["ManagedServiceData"] = options(nth + 1);
    put_policy(server, &policy)
}

/// How many accounts ListComplianceStatus tells of.
fn judged(server: &Server, policy: &Value) -> u64 {
    let id = policy["PolicyId"].as_str().expect("an id");
    let (mut found, mut token) = (0, Value::Null);
    loop {
        let page = server.client.page(REGIONS[0], id, &token);
        found += page["PolicyComplianceStatusList"].as_array().expect("a list").len() as u64;
        token = page["NextToken"].clone();
        if token.is_null() {
            return found;
        }
    }
}
