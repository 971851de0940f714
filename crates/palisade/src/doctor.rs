//! `palisade doctor`: how the store is, and, of a server that runs, where its time goes and what
//! can be done about it.

pub(crate) mod findings;
mod health;
mod page;

use std::path::Path;

use palisade_api::metrics::{Flow, Stage};
use palisade_store::sqlite::SqliteStore;
use serde_json::{Value, json};

use crate::args::{self, Output};
use crate::client::Client;
use crate::failure::{Exit, Failure, Outcome};
use crate::keys;
use crate::printable::escaped;
use crate::report::{Age, lines};
use crate::secrets::masked;
use crate::terminal::{print, print_by, print_json, width};
use crate::wrapping::titled;
use findings::{Finding, STALE_SECS};
use health::Health;
use page::{Page, Sum};

/// Age of the oldest due work, seconds, from which the worker counts as behind.
const BEHIND_SECS: f64 = 60.0;
/// Share of a flow's time, percent, from which one stage is said to be the reason.
const REASON_MIN: f64 = 40.0;
/// Seconds of a flow below which there is nothing to improve.
const WORTH_SECS: f64 = 1.0;
/// Average wait of a write for its turn, seconds, from which writers are said to be in each other's way.
const WAIT_SECS: f64 = 0.05;

/// Runs the command.
pub fn run(args: &args::Doctor) -> Outcome {
    if args.accept_damage || args.verify {
        return examine(args);
    }
    // A server's store may be on another machine.
    let is_here = args.endpoint.is_none() || args.store.file().is_some_and(Path::exists);
    let (mut lines, mut found) =
        if is_here { keys::doctor(args)? } else { (Vec::new(), Vec::new()) };
    let Some(endpoint) = &args.endpoint else {
        report(&lines, &found, None, args.output)?;
        return Ok(attention(&found, args.strict));
    };
    let client = Client::with(endpoint, None, "us-east-1".to_owned(), args.ca.as_deref())?;
    let health = Health::ask(&client)?;
    let page = Page::parse(&client.page("/metrics")?);
    if !page.is_ours() {
        return Err(Failure::Refused(
            "/metrics was answered with no counts of Palisade's".to_owned(),
        ));
    }
    lines.extend(told(&masked(endpoint), &page, &health));
    // A store that is here names its keys, and its disk is the server's.
    let is_told = |finding: &Finding| found.iter().any(|known| known.is_about(finding));
    let of_page: Vec<Finding> =
        findings::of_page(&page).into_iter().filter(|finding| !is_told(finding)).collect();
    found.extend(of_page);
    found.extend(findings::clock(client.clock_ahead_secs()));
    report(&lines, &found, Some(&health), args.output)?;
    verdict(&health)?;
    Ok(attention(&found, args.strict))
}

/// How it ends where something is to be done about what is well as yet: as a success, so that what asks
/// whether a server is well is not told otherwise, unless that is asked for.
fn attention(found: &[Finding], strict: bool) -> Exit {
    match strict && found.iter().any(|finding| finding.fix.is_some()) {
        true => Exit::Undecided,
        false => Exit::Done,
    }
}

/// Prints what was found: a line each, or an object with the advice by itself.
fn report(
    lines: &[(String, String)],
    findings: &[Finding],
    health: Option<&Health>,
    output: Output,
) -> Result<(), Failure> {
    let is_advice = |(name, _): &&(String, String)| name == ADVICE;
    let checked: Vec<(String, String)> =
        findings.iter().map(|one| (one.check.to_owned(), one.found.clone())).collect();
    let fixes = findings.iter().filter_map(|one| Some((one.check, one.fix.as_deref()?)));
    let fixes: Vec<(String, String)> =
        fixes.map(|(check, fix)| (ADVICE.to_owned(), format!("{check}: {fix}"))).collect();
    let (advice, told): (Vec<_>, Vec<_>) = lines.iter().cloned().partition(|line| is_advice(&line));
    // Where something is to be done, it does stand out.
    let is_calm = fixes.is_empty();
    let advice = advice.into_iter().filter(|(_, text)| is_calm || text != NOTHING);
    let unmended: Vec<(String, String)> = told.into_iter().chain(checked).chain(advice).collect();
    let lines: Vec<(String, String)> = unmended.iter().cloned().chain(fixes).collect();
    let lines = lines.as_slice();
    match output {
        Output::Table => print(&text(lines, width())),
        // What mends something stands beside it.
        Output::Csv => print_by(|to| {
            let head = [["Check", "Found", "State", "Fix"]];
            let rows = unmended.iter().map(|line| check_row(line, findings));
            lines::write(head.into_iter().chain(rows), to)
        }),
        Output::Json => {
            let found = lines.iter().filter(|line| !is_advice(line));
            let found: Vec<Value> = found.map(|line| check_json(line, findings)).collect();
            let advice: Vec<&String> =
                lines.iter().filter(is_advice).map(|(_, advice)| advice).collect();
            let mut told = json!({"Checks": found, "Advice": advice});
            if let (Some(told), Some(health)) = (told.as_object_mut(), health) {
                told.insert("Ready".to_owned(), json!(health.unwell.is_empty()));
            }
            print_json(&told)
        }
    }
}

/// What a line was looked at for, and how that stands.
fn looked_at<'f>(
    (name, found): &(String, String),
    findings: &'f [Finding],
) -> Option<(&'static str, &'f Finding)> {
    let finding = findings.iter().find(|one| one.check == name && one.found == *found)?;
    Some((if finding.fix.is_some() { "attention" } else { "good" }, finding))
}

/// A line as an object: with what is to be done, where it was looked at for that.
fn check_json(line: &(String, String), findings: &[Finding]) -> Value {
    let mut told = json!({"Check": line.0, "Found": line.1});
    if let (Some(told), Some((state, finding))) = (told.as_object_mut(), looked_at(line, findings))
    {
        told.insert("State".to_owned(), json!(state));
        told.insert("Fix".to_owned(), json!(finding.fix));
    }
    told
}

/// The same for a spreadsheet.
fn check_row<'l>(line: &'l (String, String), findings: &'l [Finding]) -> [&'l str; 4] {
    let (state, fix) = looked_at(line, findings)
        .map(|(state, finding)| (state, finding.fix.as_deref().unwrap_or_default()))
        .unwrap_or_default();
    [&line.0, &line.1, state, fix]
}

fn text(lines: &[(String, String)], width: Option<usize>) -> String {
    lines.iter().map(|(name, value)| titled(name, &escaped(value), width)).collect()
}

/// The name of lines that say what to do.
const ADVICE: &str = "advice";
/// What is said where there is nothing to do.
const NOTHING: &str = "nothing stands out";

/// How it ends: a server that is not well is no success, one that is degraded is.
fn verdict(health: &Health) -> Outcome {
    if health.unwell.is_empty() {
        return Ok(Exit::Done);
    }
    let parts: Vec<&str> = health.unwell.iter().map(|(part, _)| part.as_str()).collect();
    Err(Failure::Unwell(format!("the server is not well: {}", parts.join(", "))))
}

/// Looks for damage in the store, or has it go on as it is.
fn examine(args: &args::Doctor) -> Outcome {
    let Some(path) = args.store.file() else {
        return Err(Failure::Usage(
            "PostgreSQL looks after its own pages: `pg_amcheck` looks through a database while it runs, \
             `pg_checksums` through one that is stopped"
                .to_owned(),
        ));
    };
    let failed = |error: palisade_store::StoreError| Failure::Refused(error.to_string());
    if !path.exists() {
        return Err(Failure::Usage(format!("there is no store at `{}`", path.display())));
    }
    if args.accept_damage {
        SqliteStore::accept_damage(path).map_err(failed)?;
        print(
            "the store is taken as it is; `palisade doctor --verify` tells what cannot be read\n",
        )?;
        return Ok(Exit::Done);
    }
    crate::keeping::verify(path)
}

/// The report on a server: whether it is well, figures, then advice.
fn told(endpoint: &str, page: &Page, health: &Health) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let mut line = |name: &str, value: &str| lines.push((name.to_owned(), value.to_owned()));
    line("server", &format!("{endpoint}, since it was started:"));
    if health.unwell.is_empty() {
        line("health", "ready");
    }
    for (name, parts) in [("not well", &health.unwell), ("degraded", &health.degraded)] {
        parts.iter().for_each(|(part, why)| line(name, &format!("{part}: {why}")));
    }
    line("calls", &calls(page));
    line("items", &items(page));
    for (name, flow) in
        [("call time", Flow::Request), ("ingest time", Flow::Ingest), ("worker time", Flow::Worker)]
    {
        line(name, &times(page, flow));
    }
    line("store time", &store(page));
    line("queue", &queue(page));
    line("inventory", &inventory(page));
    for advice in advice(page, health) {
        line(ADVICE, &advice);
    }
    lines
}

/// How old what is known is.
fn inventory(page: &Page) -> String {
    let age = |of: &str| page.told_one("palisade_inventory_age_seconds", "of", of);
    match (page.told("palisade_inventory_shards"), age("newest"), age("oldest")) {
        (Some(shards), Some(newest), Some(oldest)) => format!(
            "{shards} accounts and Regions; told of last {} ago, the longest silent one {} ago",
            Age::words(newest),
            Age::words(oldest)
        ),
        (Some(_), ..) => "nothing was delivered yet".to_owned(),
        (None, ..) => NOT_TOLD.to_owned(),
    }
}

fn calls(page: &Page) -> String {
    let (mut all, mut failed) = (0.0, 0.0);
    for (labels, count) in page.labelled("palisade_requests_total") {
        all += count;
        if labels.get("outcome").is_some_and(|outcome| outcome != "ok") {
            failed += count;
        }
    }
    format!("{all} answered, {failed} of them refused")
}

fn items(page: &Page) -> String {
    let told: Vec<String> = page
        .labelled("palisade_items_total")
        .filter(|(_, count)| *count > 0.0)
        .filter_map(|(labels, count)| Some(format!("{count} {}", labels.get("outcome")?)))
        .collect();
    match told.is_empty() {
        true => "none delivered".to_owned(),
        false => told.join(", "),
    }
}

fn stages(page: &Page, flow: Flow) -> Vec<(Stage, Sum)> {
    let of = |stage: Stage| (stage, page.sum(flow.series(), "stage", stage.name()));
    Stage::ALL.into_iter().filter(|stage| stage.flow() == flow).map(of).collect()
}

/// Seconds of a flow, and the share of each stage.
fn times(page: &Page, flow: Flow) -> String {
    let stages = stages(page, flow);
    let total: f64 = stages.iter().map(|(_, sum)| sum.seconds).sum();
    if total <= 0.0 {
        return "none".to_owned();
    }
    let shares: Vec<String> = stages
        .iter()
        .filter(|(_, sum)| sum.count > 0.0)
        .map(|(stage, sum)| {
            let share = sum.seconds / total * 100.0;
            format!("{} {share:.0} % ({} each)", stage.name(), duration(sum.average()))
        })
        .collect();
    format!("{}: {}", duration(total), shares.join(", "))
}

fn store(page: &Page) -> String {
    let of = |kind| page.sum("palisade_store_seconds", "kind", kind);
    let (read, write) = (of("read"), of("write"));
    if page.told("palisade_store_bytes").is_none() {
        return NOT_TOLD.to_owned();
    }
    let each = |name| Sum { seconds: page.value(name), count: write.count }.average();
    let mebibytes = |name| page.value(name) / (1024.0 * 1024.0);
    format!(
        "{} reads ({} each), {} writes ({} each, after waiting {}, and {} for the disk); {:.1} MiB, {:.1} of them free",
        read.count,
        duration(read.average()),
        write.count,
        duration(write.average()),
        duration(each("palisade_store_write_wait_seconds_total")),
        duration(each("palisade_store_sync_seconds_total")),
        mebibytes("palisade_store_bytes"),
        mebibytes("palisade_store_free_bytes"),
    )
}

/// Said instead of figures that the server does not tell, which is not to say that there are none.
const NOT_TOLD: &str = "not told: the store does not answer";

fn queue(page: &Page) -> String {
    let of = |state| page.told_one("palisade_work", "state", state);
    let all = (of("dirty"), of("leased"), of("future"), page.told("palisade_work_oldest_seconds"));
    let (Some(dirty), Some(leased), Some(future), Some(oldest)) = all else {
        return NOT_TOLD.to_owned();
    };
    let judged = page.value("palisade_worker_shards_total");
    format!(
        "{dirty} due, {leased} being done, {future} later; the oldest waits {oldest} s; {judged} shards judged so far"
    )
}

/// What somebody can do, most pressing first.
fn advice(page: &Page, health: &Health) -> Vec<String> {
    let mut advice: Vec<String> =
        health.unwell.iter().map(|(part, _)| format!("first of all {}", mends(part))).collect();
    advice.extend(health.degraded.iter().filter_map(|(part, _)| relieves(part)).map(str::to_owned));
    let failed = page.value("palisade_worker_failed_shards_total");
    if failed > 0.0 {
        advice.push(format!(
            "{failed} times judging an account in a Region failed; the log names it, and until it succeeds what is answered of it is as old as its last judgement"
        ));
    }
    let lost = page.value("palisade_log_failures_total");
    if lost > 0.0 {
        advice.push(format!("{lost} lines of the log were lost: see to whoever reads it"));
    }
    let ahead = page.value("palisade_clock_ahead_seconds");
    if ahead > 0.0 {
        advice.push(format!(
            "the clock is {:.0} hours ahead of anything stored: check it; nothing is dropped for its age until a delivery tells of that time",
            ahead / 3600.0
        ));
    }
    let oldest = page.value("palisade_work_oldest_seconds");
    if page.told("palisade_work_oldest_seconds").is_none() {
        advice.push(
            "the server does not tell how much work is due: see why its store does not answer"
                .to_owned(),
        );
    }
    let behind = oldest >= BEHIND_SECS;
    if behind {
        advice.push(format!(
            "judging is {oldest} s behind what was delivered; answers are as old as that"
        ));
    }
    let silent = page.told_one("palisade_inventory_age_seconds", "of", "oldest").unwrap_or(0.0);
    if silent >= STALE_SECS {
        advice.push(format!(
            "nothing was told of some account for {}: `palisade compliance --status unknown` names those without \
             a result; see to what delivers their inventory",
            Age::words(silent)
        ));
    }
    let quarantined = page.one("palisade_items_total", "outcome", "quarantined");
    if quarantined > 0.0 {
        advice.push(format!(
            "{quarantined} delivered items could not be read; `palisade ingest` names them when the file is sent again"
        ));
    }
    let strangers = page.one("palisade_items_total", "outcome", "stranger");
    if strangers > 0.0 {
        advice.push(format!(
            "{strangers} delivered items are of accounts outside the organization; if they belong to it, bring a newer file with `palisade organization apply`"
        ));
    }
    let writes = page.sum("palisade_store_seconds", "kind", "write");
    let wait = page.value("palisade_store_write_wait_seconds_total");
    let sync = page.value("palisade_store_sync_seconds_total");
    for (seconds, what) in [
        (wait, "writes wait for each other: send fewer deliveries at a time"),
        (sync, "writes wait for the disk: put the store on a faster one"),
    ] {
        if (Sum { seconds, count: writes.count }).average() >= WAIT_SECS {
            advice.push(what.to_owned());
        }
    }
    // What takes long where something fails is no question of speed.
    if health.unwell.is_empty() {
        advice.extend(Flow::ALL.into_iter().filter_map(|flow| reason(page, flow)));
    }
    if advice.is_empty() {
        advice.push(NOTHING.to_owned());
    }
    advice
}

/// What helps where a part is not well.
fn mends(part: &str) -> &'static str {
    match part {
        "log" => "see to whoever reads the server's standard error, or to the disk it goes to",
        "store" => "see to the store's files and their disk: nothing is kept until then",
        "judging" | "rounds" => {
            "see in the log why nothing is judged: answers are as old as the last judgement"
        }
        "files" => "let the server open more files (`ulimit -n`), or let fewer clients connect",
        "clock" => "set the machine's clock right",
        _ => "start the server again",
    }
}

/// What helps where a part is degraded, if that is not told anyway.
fn relieves(part: &str) -> Option<&'static str> {
    match part {
        "connections" => Some(
            "as many calls are under way as there may be: see who makes them, and why they take long",
        ),
        "bodies" => {
            Some("more is sent at once than is held: send fewer or smaller bodies at a time")
        }
        "clock" => Some("set the machine's clock right"),
        "shards" => Some("see in the log why judging fails: it is tried again every minute"),
        "policies" => {
            Some("serve the store with the edition that wrote it, or put the policies anew")
        }
        _ => None,
    }
}

/// The stage that most of a flow's time goes to, when there is one, and what helps.
fn reason(page: &Page, flow: Flow) -> Option<String> {
    let stages = stages(page, flow);
    let total: f64 = stages.iter().map(|(_, sum)| sum.seconds).sum();
    let (stage, sum) =
        stages.into_iter().max_by(|(_, one), (_, other)| one.seconds.total_cmp(&other.seconds))?;
    let share = sum.seconds / total * 100.0;
    (total >= WORTH_SECS && share >= REASON_MIN)
        .then(|| format!("{share:.0} % of the {} {}", what(flow), helps(stage)))
}

fn what(flow: Flow) -> &'static str {
    match flow {
        Flow::Request => "time of calls goes to",
        Flow::Ingest => "time of deliveries goes to",
        Flow::Worker => "worker's time goes to",
    }
}

fn helps(stage: Stage) -> &'static str {
    match stage {
        Stage::Accept => "waiting for their bodies: look at the clients or the network between",
        Stage::Verify => {
            "checking signatures: ask for larger pages (`MaxResults` 100), so that there are fewer calls"
        }
        Stage::Decode => {
            "reading what is sent: look for clients that send large policies or lists again and again"
        }
        Stage::Act => {
            "doing what is asked, the store's reads included: see the store's time; put the store on a faster disk or give the machine more memory"
        }
        Stage::Encode => {
            "writing answers: ask for smaller pages, or for GetViolationDetails less often"
        }
        Stage::Spool => {
            "receiving files: look at the senders, the network and the disk of the spool folder"
        }
        Stage::Parse => {
            "reading files: send several at a time (four are read side by side), given the processors"
        }
        Stage::TakeIn => "writing items: put the store on a faster disk",
        Stage::Expand => "fanning out policies: fewer changes of policies cost less",
        Stage::Lease => "looking for due work, which is what idle servers do",
        Stage::Judge => {
            "judging: give the machine a faster processor, or narrow the policies' scopes"
        }
        Stage::Settle => "writing what was found: put the store on a faster disk",
    }
}

/// Seconds for people.
fn duration(seconds: f64) -> String {
    match seconds {
        s if s >= 1.0 => format!("{s:.1} s"),
        s if s >= 0.001 => format!("{:.1} ms", s * 1e3),
        s => format!("{:.0} µs", s * 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advised(page: &str) -> String {
        text(&told("http://localhost", &Page::parse(page), &Health::default()), None)
    }

    #[test]
    fn what_is_not_well_comes_first_and_speed_is_no_matter_then() {
        let page = Page::parse(
            "palisade_worker_stage_seconds_sum{stage=\"judge\"} 9\n\
             palisade_worker_failed_shards_total 3\npalisade_log_failures_total 2\n",
        );
        let unwell = vec![
            ("log".to_owned(), "the disk is full".to_owned()),
            ("worker".to_owned(), "it has ended".to_owned()),
        ];
        let degraded = vec![("bodies".to_owned(), "there are many".to_owned())];
        let text =
            super::text(&told("http://localhost", &page, &Health { unwell, degraded }), None);
        for line in [
            "not well        log: the disk is full",
            "not well        worker: it has ended",
            "degraded        bodies: there are many",
            "advice          more is sent at once",
            "advice          first of all see to whoever reads",
            "advice          first of all start the server again",
            "advice          3 times judging",
            "advice          2 lines of the log",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(!text.contains("processor"), "{text}");
        let well = super::text(&told("http://localhost", &page, &Health::default()), None);
        assert!(well.contains("health          ready") && well.contains("processor"), "{well}");
    }

    #[test]
    fn what_is_not_told_is_not_none_and_what_is_not_well_is_no_success() {
        let text =
            advised("palisade_requests_total{operation=\"ListPolicies\",outcome=\"ok\"} 3\n");
        for line in [
            "queue           not told",
            "store time      not told",
            "advice          the server does not",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(!text.contains("0 due") && !text.contains("nothing stands out"), "{text}");
        assert!(!Page::parse("<html>\nlog in: 5\n").is_ours());
        let part = || vec![("store".to_owned(), "gone".to_owned())];
        let unwell = Health { unwell: part(), degraded: Vec::new() };
        assert_eq!(verdict(&unwell), Err(Failure::Unwell("the server is not well: store".into())));
        let degraded = Health { unwell: Vec::new(), degraded: part() };
        assert_eq!(verdict(&degraded), Ok(Exit::Done));
    }

    #[test]
    fn a_quiet_server_gets_no_advice() {
        let text = advised(
            "palisade_requests_total{operation=\"ListPolicies\",outcome=\"ok\"} 3\n\
             palisade_work{state=\"dirty\"} 0\npalisade_work{state=\"leased\"} 0\n\
             palisade_work{state=\"future\"} 2\npalisade_work_oldest_seconds 0\n",
        );
        assert!(text.contains("0 due, 0 being done, 2 later"), "{text}");
        assert!(text.contains("3 answered, 0 of them refused"), "{text}");
        assert!(text.contains("advice          nothing stands out"), "{text}");
    }

    #[test]
    fn what_is_slow_is_named_with_what_helps() {
        let cases = [
            ("palisade_work_oldest_seconds 75", "judging is 75 s behind"),
            (
                "palisade_inventory_age_seconds{of=\"oldest\"} 129600",
                "nothing was told of some account for 36 h",
            ),
            (
                "palisade_items_total{outcome=\"quarantined\"} 2",
                "2 delivered items could not be read",
            ),
            (
                "palisade_store_seconds_count{kind=\"write\"} 10\npalisade_store_write_wait_seconds_total 1",
                "writes wait for each other",
            ),
            (
                "palisade_store_seconds_count{kind=\"write\"} 10\npalisade_store_sync_seconds_total 1",
                "writes wait for the disk",
            ),
            (
                "palisade_ingest_stage_seconds_sum{stage=\"accept\"} 9\npalisade_ingest_stage_seconds_sum{stage=\"parse\"} 1",
                "90 % of the time of deliveries goes to writing items",
            ),
            (
                "palisade_request_stage_seconds_sum{stage=\"accept\"} 9",
                "goes to waiting for their bodies",
            ),
            (
                "palisade_worker_stage_seconds_sum{stage=\"judge\"} 9",
                "100 % of the worker's time goes to judging",
            ),
        ];
        for (page, advice) in cases {
            let text = advised(page);
            assert!(text.contains(advice), "{page}\n{text}");
        }
    }

    #[test]
    fn shares_and_averages_are_told_by_stage() {
        let text = advised(
            "palisade_request_stage_seconds_sum{stage=\"verify\"} 0.001\n\
             palisade_request_stage_seconds_count{stage=\"verify\"} 10\n\
             palisade_request_stage_seconds_sum{stage=\"act\"} 0.003\n\
             palisade_request_stage_seconds_count{stage=\"act\"} 10\n",
        );
        assert!(
            text.contains("4.0 ms: verify 25 % (100 µs each), act 75 % (300 µs each)"),
            "{text}"
        );
    }
}
