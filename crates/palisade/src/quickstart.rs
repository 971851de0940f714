//! `palisade quickstart`: the sample organization taken through the door that users come by, and
//! what came of it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use palisade_api::{Auth, Clock as _};
use palisade_core::organization::{Account, AccountStatus, Organization};
use palisade_core::policy::Quotas;
use palisade_store::sqlite::Synchronous;
use serde_json::Value;

use crate::args::{self, Role};
use crate::asking;
use crate::client::Client;
use crate::commands::Ingested;
use crate::edge::Edge;
use crate::failure::{Exit, Failure, Outcome, unreadable};
use crate::report::{self, Age, StatusRow};
use crate::sample::{self, REGIONS, REMOTE_ADMIN_POLICY};
use crate::serve::{self, Plan, Running};
use crate::system::SystemClock;
use crate::terminal::{print, print_line, warn};
use crate::worker::Judging;
use crate::{deliver, files, logging, policies, progress};

/// How often the work that is left is asked for.
const POLL: Duration = Duration::from_millis(100);
/// How long judging the sample may take before something must be wrong.
const WORK: Duration = Duration::from_secs(15 * 60);

/// Runs the command.
pub fn run(args: &args::Quickstart) -> Outcome {
    if !args.listen.ip().is_loopback() {
        return Err(Failure::Usage(format!(
            "{} can be reached from other machines and quickstart asks nobody for a key; listen on \
             127.0.0.1, or use `palisade serve`",
            args.listen
        )));
    }
    logging::start("warn");
    let sample = write_sample(&args.data)?;
    let plan = Plan {
        store: args.data.join("quickstart.db").into(),
        role: Role::All,
        spool: None,
        // It is made from the sample again whenever it is not there.
        new: true,
        listen: args.listen,
        auth: Auth::Open,
        any_host: false,
        onboarding_ms: 0,
        quotas: Quotas::default(),
        fms_policies: BTreeSet::new(),
        // The sample's snapshots are as old as its folder: staleness would hide everything else.
        judging: Judging { stale_after_ms: None, ..Judging::default() },
        keep_history_ms: None,
        keep_audit_ms: None,
        key_file: None,
        rate: None,
        partition: "aws".to_owned(),
        synchronous: Synchronous::Grouped,
        edge: Edge::default(),
        sources: None,
    };
    serve::runtime()?.block_on(async {
        let running = Running::start(plan).await?;
        let address = running.address;
        let told = tokio::task::spawn_blocking(move || tell(address, &sample)).await;
        told.map_err(|error| Failure::Refused(format!("quickstart ended early: {error}")))??;
        if args.exit {
            running.stop().await
        } else {
            print(&format!(
                "\nServing on http://{address} until Ctrl-C. The dashboard, in a browser:\n  http://{address}/\n"
            ))?;
            running.until_signal().await
        }
    })?;
    Ok(Exit::Done)
}

/// Writes the sample below the data folder, unless it is there from an earlier run.
fn write_sample(data: &Path) -> Result<PathBuf, Failure> {
    let folder = data.join("sample");
    if folder.join("organization.json").exists() {
        print_line(&format!("Using the sample in {}.", folder.display()))?;
        return Ok(folder);
    }
    let failed = |error: std::io::Error| {
        Failure::Refused(format!("the sample cannot be written to `{}`: {error}", folder.display()))
    };
    // Under another name until it is whole, so that an interrupted run leaves no half sample.
    let unfinished = data.join("sample.unfinished");
    let census = sample::write(&unfinished, sample::Extent::default(), SystemClock.now_ms())
        .map_err(failed)?;
    std::fs::rename(&unfinished, &folder).map_err(failed)?;
    print_line(&format!(
        "Wrote a sample organization to {}: {} accounts of the made-up company {}, {} AWS Config \
         snapshots with {} items.",
        folder.display(),
        census.accounts,
        sample::COMPANY,
        census.snapshots,
        census.items
    ))?;
    Ok(folder)
}

/// Brings the sample to the server, waits until it is judged, and shows the result.
fn tell(address: SocketAddr, sample: &Path) -> Result<(), Failure> {
    let endpoint = format!("http://{address}");
    let client = Client::with(&endpoint, None, "us-east-1".to_owned(), None)?;
    let text = read(&sample.join("organization.json"))?;
    client.own("PUT", "/palisade/v1/organization", &[], &text)?;
    ingest(&client, &sample.join("AWSLogs"))?;
    let found = files::find(&[sample.join("policies")])?;
    for region in REGIONS {
        put_policies(&client.in_region(region), &found)?;
    }
    wait(&client)?;
    let organization = Organization::parse(&text)
        .map_err(|error| Failure::Refused(format!("the sample's organization: {error}")))?;
    for region in REGIONS {
        let client = client.in_region(region);
        let mut columns = Vec::new();
        for policy in policies::summaries(&client)? {
            let named = |name: &str| {
                policy.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            columns
                .push((named("PolicyName"), asking::compliance_of(&client, &named("PolicyId"))?));
        }
        let age = ages(columns.iter().flat_map(|(_, rows)| rows));
        print(&format!("\nCompliance in {region}{age}\n{}", matrix(&organization, &columns)))?;
    }
    let home = policies::summaries(&client)?;
    print(&advice(address, &home))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| unreadable(path, error))
}

fn ingest(client: &Client, folder: &Path) -> Result<(), Failure> {
    let found = files::find(&[folder.to_owned()])?;
    let bar = progress::bar(found.len() as u64, "snapshots sent");
    let mut sum = Ingested::default();
    deliver::each(client, &found, |path, answer| {
        sum.add(&answer?, |line| warn(format_args!("`{}`, {line}", path.display())));
        bar.inc(1);
        Ok(())
    })?;
    bar.finish_and_clear();
    print(&format!("Ingested {}.\n", sum.text(found.len())))
}

/// Puts the sample's policies into the client's Region; those of an earlier run stay as they are.
fn put_policies(client: &Client, found: &[PathBuf]) -> Result<(), Failure> {
    let there = policies::summaries(client)?;
    for path in found {
        let file = policies::read(path)?;
        let name = Some(file.policy.policy_name.as_str());
        if there.iter().any(|policy| policy.get("PolicyName").and_then(Value::as_str) == name) {
            continue;
        }
        policies::put_one(client, file, false)?;
    }
    Ok(())
}

/// Waits until every accepted fact is judged.
fn wait(client: &Client) -> Result<(), Failure> {
    let began = Instant::now();
    loop {
        let work = client.own("GET", "/palisade/v1/work", &[], b"")?;
        let count = |name: &str| work.get(name).and_then(Value::as_u64).unwrap_or_default();
        if count("dirty") == 0 && count("leased") == 0 {
            return print(&format!(
                "Judged everything {:.1} s later.\n",
                began.elapsed().as_secs_f64()
            ));
        }
        if began.elapsed() > WORK {
            return Err(Failure::Refused(format!(
                "judging did not come to an end: {work}; run again with PALISADE_LOG=info to see why"
            )));
        }
        std::thread::sleep(POLL);
    }
}

/// How old what is known of these is, behind a comma.
fn ages<'r>(rows: impl Iterator<Item = &'r StatusRow>) -> String {
    let mut ages: Vec<&Age> = rows.filter_map(|row| row.age.as_ref()).collect();
    ages.sort_by_key(|age| age.seconds);
    match ages.as_slice() {
        [] => String::new(),
        [newest, .., oldest] if newest.text() != oldest.text() => {
            format!(", by what AWS Config told {} to {} ago", newest.text(), oldest.text())
        }
        [age, ..] => format!(", by what AWS Config told {} ago", age.text()),
    }
}

/// Accounts by policies, suspended ones as well.
fn matrix(organization: &Organization, columns: &[(String, Vec<StatusRow>)]) -> String {
    let named = |account: &Account| match account.status {
        AccountStatus::Active => account.name.to_string(),
        AccountStatus::PendingActivation => format!("{} (not activated)", account.name),
        AccountStatus::PendingClosure => format!("{} (closing)", account.name),
        AccountStatus::Suspended | AccountStatus::Closed => format!("{} (suspended)", account.name),
    };
    let accounts: Vec<(&str, String)> =
        organization.accounts.iter().map(|(id, account)| (id.as_str(), named(account))).collect();
    report::matrix(&accounts, columns)
}

/// What to look at, and what to type next.
fn advice(address: SocketAddr, policies: &[Value]) -> String {
    let id = |name: &str| sample::account_id(name).unwrap_or_default();
    let policy = policies
        .iter()
        .find(|policy| {
            policy.get("PolicyName").and_then(Value::as_str) == Some(REMOTE_ADMIN_POLICY)
        })
        .and_then(|policy| policy.get("PolicyId").and_then(Value::as_str))
        .unwrap_or("POLICY-ID");
    let endpoint = match address.to_string().as_str() {
        args::LISTEN => String::new(),
        other => format!(" \\\n    --endpoint http://{other}"),
    };
    let (admin, erp) = (id("security-tooling"), id("legacy-erp"));
    format!(
        "
A number counts the resources that break the policy; `-` means that the policy
is not about the account; `no result` that something stood in the way of
knowing, which is never compliance.

What to look at
  legacy-erp        137 groups open ssh or rdp: AWS lists 100, ours all of them
  northbay-outdoor  exactly 100, harborline-wms 101: either side of that limit
  kiosk-prod        AWS Config is not set up there: nothing is known
  ml-platform-prod  its recorder leaves types out: six policies cannot be judged
  network-hub       a vendor's firewall: no source tells whether it is onboarded
  sandbox-…         excluded from the policies by their organizational unit
  old-marketing-…   suspended, so in no policy's scope

Ask for yourself, in another terminal
  palisade compliance {REMOTE_ADMIN_POLICY}{endpoint}
  palisade violators {REMOTE_ADMIN_POLICY} {erp}{endpoint}
  palisade policies get {REMOTE_ADMIN_POLICY}{endpoint}

With AWS's own tools; any secret will do, and the key id is the account's
  export AWS_ACCESS_KEY_ID={admin} AWS_SECRET_ACCESS_KEY=any
  export AWS_DEFAULT_REGION=us-east-1
  aws fms list-compliance-status --endpoint-url http://{address} \\
    --policy-id {policy}
  python3 -c 'import boto3; print(boto3.client(\"fms\",
    endpoint_url=\"http://{address}\").list_policies())'

Judge files of your own, without a server
  palisade check --policy POLICIES --organization ORGANIZATION.json AWSLogs
"
    )
}
