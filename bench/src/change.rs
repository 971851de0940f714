//! What a change costs a server that holds a fleet: a policy that is put, and an item that changes.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use crate::Report;
use crate::check::Programs;
use crate::fleet::{Fleet, REGIONS, account_id};
use crate::ingest::thousands;
use crate::runs::{median, percentile};
use crate::serve::Server;

/// Policies put, each against a run of `check`.
const PUTS: usize = 5;
/// Items changed at each fleet.
const CHANGES: usize = 400;
/// How long a preview may take at a million items.
const PREVIEW_SECS_MAX: f64 = 10.0;
/// How often the ledger is looked at for a change.
const LOOK: Duration = Duration::from_micros(200);

/// Measures a fleet, and beside it a smaller one.
pub fn rows(
    report: &mut Report,
    programs: &Programs,
    fleet: &Fleet,
    smaller: &Fleet,
    folder: &Path,
) {
    let [large, small] = [(fleet, "large"), (smaller, "small")].map(|(fleet, name)| {
        let server = Server::fresh(&programs.palisade, &folder.join(name));
        let ids = server.furnish(fleet);
        server.ingest(&programs.palisade, &fleet.snapshots);
        server.settled();
        server.assert_truth(fleet, &ids);
        Held { server, fleet, policy: ids[REGIONS[0]][0].clone() }
    });
    put_policy(report, programs, &large);
    preview(report, programs, &large);

    let mut times = [Vec::new(), Vec::new()];
    for nth in 0..CHANGES {
        times[0].push(large.change(nth));
        times[1].push(small.change(nth));
    }
    for percent in [50, 99] {
        let [large_time, small_time] =
            [&times[0], &times[1]].map(|times| percentile(times, percent));
        let ratio = large_time / small_time;
        report.row(
            &format!(
                "one changed item until the ledger shows it, p{percent}, at {} to that at {}",
                thousands(fleet.items),
                thousands(smaller.items)
            ),
            "≤ 1.3 ×",
            &format!("{ratio:.2} × ({:.1} ms)", large_time * 1_000.0),
            Some(ratio <= 1.3),
        );
    }
    let store = large.server.store().to_owned();
    large.server.stop();
    small.server.stop();
    bytes(report, fleet, &store);
}

/// What the ledger and its past take, of tables with their indexes: pages, row by row.
fn bytes(report: &mut Report, fleet: &Fleet, store: &Path) {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let store = Connection::open_with_flags(store, flags).expect("a store");
    let number = |text: String| store.query_row(&text, [], |row| row.get::<_, i64>(0));
    let many = thousands(fleet.items);
    for (table, what) in [
        ("violators", "bytes a violator"),
        ("past_violators", "bytes a violator that ended or changed"),
        ("history", "bytes a change of an account under a policy"),
        ("audit", "bytes an event of the audit log"),
    ] {
        let pages = number(format!(
            "SELECT SUM(pages.pgsize) FROM dbstat pages JOIN sqlite_master master
               ON master.name = pages.name WHERE master.tbl_name = '{table}'"
        ));
        let rows = number(format!("SELECT COUNT(*) FROM {table}"));
        let (pages, rows) = (pages.expect("its pages"), rows.expect("its rows"));
        let each = format!("{:.0} ({rows} rows)", pages as f64 / (rows.max(1)) as f64);
        report.told(&format!("{what}, at {many} items"), &each);
    }
}

/// A draft of the first question in both Regions, against `check` of it.
fn preview(report: &mut Report, programs: &Programs, held: &Held<'_>) {
    let question = &held.fleet.questions[0];
    let mut input: Value =
        serde_json::from_slice(&fs::read(question).expect("is there")).expect("JSON");
    input["Policy"]["PolicyName"] = json!("draft");
    let client = &held.server.client;
    let (mut ratios, mut walls) = (Vec::new(), Vec::new());
    for _ in 0..PUTS {
        let mut wall = 0.0;
        for region in REGIONS {
            let clock = Instant::now();
            let answer = client.preview(region, &input);
            wall += clock.elapsed().as_secs_f64();
            let of_region = held.fleet.truth.iter().filter(|((_, of), _)| of == region);
            let expected: u64 = of_region.map(|(_, found)| found[0]).sum();
            let draft = &answer["policies"][0];
            assert_eq!(draft["violators"]["after"], expected, "{region}");
            assert_eq!(answer["unreadCount"], 0, "{region}");
        }
        let check = programs.check_of(held.fleet, std::slice::from_ref(question), 2);
        ratios.push(check.wall / wall);
        walls.push(wall);
    }
    let many = thousands(held.fleet.items);
    let (ratio, wall) = (median(ratios), median(walls));
    let what = format!("preview of {many} items, `check` of the policy with two threads to it");
    report.ratio(&what, 1.0, Some(ratio));
    let reached = wall <= PREVIEW_SECS_MAX;
    report.row("… by the clock", "≤ 10 s", &format!("{wall:.2} s"), Some(reached));
}

/// A fleet in a server.
struct Held<'f> {
    server: Server,
    fleet: &'f Fleet,
    /// The policy of the first question in the first Region.
    policy: String,
}

/// The first question put again, until every account is judged under it, against `check` of it.
fn put_policy(report: &mut Report, programs: &Programs, held: &Held<'_>) {
    let question = &held.fleet.questions[0];
    let mut input: Value =
        serde_json::from_slice(&fs::read(question).expect("is there")).expect("JSON");
    let (server, client) = (&held.server, &held.server.client);
    let mut ratios = [Vec::new(), Vec::new()];
    for nth in 0..PUTS {
        input["Policy"]["PolicyName"] = json!(format!("put-again-{nth}"));
        let (cpu, clock) = (server.cpu(), Instant::now());
        let ids = REGIONS.map(|region| client.put_policy(region, &input));
        server.settled();
        let (cpu, clock) = (server.cpu() - cpu, clock.elapsed().as_secs_f64());
        for (region, id) in REGIONS.iter().zip(&ids) {
            let of_region = held.fleet.truth.iter().filter(|((_, of), _)| of == region);
            let expected = of_region.map(|((account, _), found)| (account.clone(), found[0]));
            assert_eq!(client.violators(region, id), expected.collect(), "{region}");
            client.call(region, "DeletePolicy", &json!({"PolicyId": id}));
        }
        server.settled();
        let check = programs.check_of(held.fleet, std::slice::from_ref(question), 2);
        println!(
            "PutPolicy: {cpu:.2} CPU s, {clock:.2} s; check: {:.2} CPU s, {:.2} s",
            check.cpu, check.wall
        );
        ratios[0].push(check.cpu / cpu);
        ratios[1].push(check.wall / clock);
    }
    let [by_cpu, by_clock] = ratios.map(median);
    let many = thousands(held.fleet.items);
    report.ratio(
        &format!("PutPolicy until {many} items are judged, to `check` of the policy"),
        5.0,
        Some(by_cpu),
    );
    report.ratio("… by the clock, `check` with two threads", 5.0, Some(by_clock));
}

impl Held<'_> {
    /// Delivers a security group that opens remote administration, or no longer does, and waits
    /// until its account's violators say so. Answers how many seconds that took.
    fn change(&self, nth: usize) -> f64 {
        let accounts = self.fleet.truth.len() / REGIONS.len();
        let account = account_id((nth % accounts) as u64);
        let opens = (nth / accounts).is_multiple_of(2);
        let id = format!("sg-0change{account}");
        let body = group(&account, &id, nth, opens);
        let path = format!("/palisade/v1/policies/{}/accounts/{account}/violators", self.policy);
        let name = format!(
            "name={account}_Config_{}_ConfigHistory_AWS%3A%3AEC2%3A%3ASecurityGroup_{nth}.json",
            REGIONS[0]
        );
        let started = Instant::now();
        self.server.client.own("POST", "/palisade/v1/inventory", &name, body.as_bytes());
        loop {
            let page = self.server.client.own("GET", &path, "limit=1000", b"");
            let violators = page["violators"].as_array().expect("a list");
            if violators.iter().any(|one| one["ResourceId"] == id.as_str()) == opens {
                return started.elapsed().as_secs_f64();
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// The nth state of a security group, in the form of a history file.
fn group(account: &str, id: &str, nth: usize, opens: bool) -> String {
    let region = REGIONS[0];
    let port = if opens { 22 } else { 443 };
    let (minute, second) = (nth / 60, nth % 60);
    json!({
        "fileVersion": "1.0",
        "configurationItems": [{
            "relatedEvents": [],
            "relationships": [],
            "configuration": {
                "description": "changes",
                "groupName": "changes",
                "ipPermissions": [{
                    "fromPort": port,
                    "toPort": port,
                    "ipProtocol": "tcp",
                    "ipv6Ranges": [],
                    "prefixListIds": [],
                    "userIdGroupPairs": [],
                    "ipv4Ranges": [{"cidrIp": "0.0.0.0/0"}],
                    "ipRanges": ["0.0.0.0/0"],
                }],
                "ownerId": account,
                "groupId": id,
                "ipPermissionsEgress": [],
                "tags": [],
                "vpcId": "vpc-00000000000000001",
            },
            "supplementaryConfiguration": {},
            "tags": {},
            "configurationItemVersion": "1.3",
            "configurationItemCaptureTime": format!("2026-02-05T03:{minute:02}:{second:02}.000Z"),
            "configurationStateId": 1_770_000_000_000_u64 + nth as u64,
            "awsAccountId": account,
            "configurationItemStatus": "OK",
            "resourceType": "AWS::EC2::SecurityGroup",
            "resourceId": id,
            "resourceName": "changes",
            "ARN": format!("arn:aws:ec2:{region}:{account}:security-group/{id}"),
            "awsRegion": region,
            "availabilityZone": "Not Applicable",
            "configurationStateMd5Hash": "",
            "resourceCreationTime": "2025-03-04T05:06:07.000Z",
        }],
    })
    .to_string()
}
