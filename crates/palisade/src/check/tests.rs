//! `check` over the sample organization, judged by the library itself.

use std::path::PathBuf;
use std::sync::OnceLock;

use clap::Parser;
use flate2::read::GzDecoder;

use super::*;
use crate::args::{Cli, Command};
use crate::sample;

const NOW_MS: i64 = 1_770_100_000_000;

/// The sample, written once for all tests of this file.
fn sample() -> &'static PathBuf {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let folder = FOLDER.get_or_init(|| tempfile::tempdir().unwrap());
        sample::write(folder.path(), sample::Extent::default(), NOW_MS).unwrap();
        folder.path().to_owned()
    })
}

fn judged(more: &[&str], paths: &[PathBuf]) -> Vec<StatusRow> {
    judged_at(NOW_MS, more, paths)
}

fn judged_at(now_ms: i64, more: &[&str], paths: &[PathBuf]) -> Vec<StatusRow> {
    let folder = sample();
    let mut line: Vec<String> = vec![
        "palisade".into(),
        "check".into(),
        "--policy".into(),
        folder.join("policies").display().to_string(),
    ];
    line.extend(["--organization".into(), folder.join("organization.json").display().to_string()]);
    line.extend(more.iter().map(|text| (*text).to_owned()));
    line.extend(paths.iter().map(|path| path.display().to_string()));
    let Command::Check(args) = Cli::try_parse_from(line).unwrap().command else { unreachable!() };
    let question = Question::read(&args).unwrap();
    let groups = Groups::of(files::find(&args.paths).unwrap());
    let wanted = std::sync::Arc::new(question.policies.iter().flat_map(reads).collect());
    let judging = Judging {
        question: &question,
        groups: &groups,
        wanted,
        anybodys: BTreeSet::new(),
        read: Mutex::default(),
        networks: Networks::default(),
        now_ms,
    };
    let found = judging.everything(2).unwrap();
    assert!(found.reading.unread.is_empty(), "{:?}", found.reading.unread);
    assert!(found.reading.warnings.is_empty(), "{:?}", found.reading.warnings);
    told(&question, found.rows, now_ms).collect()
}

/// All rows of the whole sample, judged once for all tests of this file.
fn rows() -> &'static [StatusRow] {
    static ROWS: OnceLock<Vec<StatusRow>> = OnceLock::new();
    ROWS.get_or_init(|| judged(&[], &[sample().join("AWSLogs")]))
}

fn row(policy: &str, region: &str, account: &str) -> Option<StatusRow> {
    let account = sample::account_id(account).unwrap();
    let fits =
        |row: &&StatusRow| row.policy == policy && row.region == region && row.account == account;
    let mut found = rows().iter().filter(fits);
    let first = found.next().cloned();
    assert_eq!(found.next(), None, "one row for {policy} {region} {account}");
    first
}

#[test]
fn an_earlier_name_is_given_to_its_policy_and_must_be_of_one() {
    let folder = sample();
    let read = |name: &str| {
        let policies = folder.join("policies").display().to_string();
        let organization = folder.join("organization.json").display().to_string();
        let line = ["palisade", "check", "--policy", &policies, "--organization", &organization];
        let line = line.into_iter().chain(["--former-name", name, "logs"]);
        let Command::Check(args) = Cli::try_parse_from(line).unwrap().command else {
            unreachable!()
        };
        Question::read(&args)
    };
    let question = read("web-acl-on-load-balancers=web=acl").unwrap();
    for policy in &question.policies {
        let renamed = &*policy.name == "web-acl-on-load-balancers";
        let want: &[Box<str>] = if renamed { &["web=acl".into()] } else { &[] };
        assert_eq!(policy.former_names, want, "{}", policy.name);
    }
    for stray in ["nobody=web", "web-acl-on-load-balancers", "web-acl-on-load-balancers="] {
        let Err(Failure::Usage(text)) = read(stray) else { panic!("`{stray}` was taken") };
        assert!(text.contains(stray) && text.contains("NAME=EARLIER"), "{text}");
    }
}

/// Semantics §11 rows 53 and 64.
#[test]
fn policies_given_earlier_are_older() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, policy_name: &str, accounts: &[&str]| {
        let entry = serde_json::json!({"Protocol": "-1", "RuleAction": "deny", "Egress": false,
            "CidrBlock": "0.0.0.0/0"});
        let set = serde_json::json!({"FirstEntries": [entry], "ForceRemediateForFirstEntries": false,
            "ForceRemediateForLastEntries": false});
        let ids: Vec<String> = accounts
            .iter()
            .map(|account| sample::account_id(account).unwrap().to_string())
            .collect();
        let policy = serde_json::json!({"PolicyName": policy_name, "ResourceType": "AWS::EC2::Subnet",
            "ExcludeResourceTags": false, "RemediationEnabled": false, "IncludeMap": {"ACCOUNT": ids},
            "SecurityServicePolicyData": {"Type": "NETWORK_ACL_COMMON", "PolicyOption":
                {"NetworkAclCommonPolicy": {"NetworkAclEntrySet": set}}}});
        let path = folder.path().join(name);
        std::fs::write(&path, policy.to_string()).unwrap();
        path.display().to_string()
    };
    let [one, two, three] = [
        put("1.json", "one", &["legacy-erp"]),
        put("2.json", "two", &["legacy-erp", "kiosk-prod"]),
        put("3.json", "three", &["kiosk-prod"]),
    ];
    let organization = sample().join("organization.json").display().to_string();
    let older = |files: &[&str]| {
        let mut line = vec!["palisade", "check", "--organization", &organization];
        line.extend(files.iter().flat_map(|file| ["--policy", *file]));
        line.push("logs");
        let Command::Check(args) = Cli::try_parse_from(line).unwrap().command else {
            unreachable!()
        };
        let question = Question::read(&args).unwrap();
        let told = question.policies.iter().map(|policy| {
            let elders: Vec<&str> = policy.elders.iter().map(|elder| &*elder.name).collect();
            let in_scope = question::older_in_scope(policy, &question.organization).join(" ");
            format!("{}: {}; {in_scope}", policy.name, elders.join(" "))
        });
        told.collect::<Vec<_>>()
    };
    let wanted = ["one: ; ", "two: one; one", "three: one two; two"];
    assert_eq!(older(&[&one, &two, &three]), wanted);
    assert_eq!(older(&[&three, &one]), ["three: ; ", "one: three; "]);
    // Those of a folder by name.
    let policies = folder.path().display().to_string();
    assert_eq!(older(&[&policies]), wanted);
}

#[test]
fn the_sample_keeps_its_promises() {
    let remote = sample::REMOTE_ADMIN_POLICY;
    let table = [
        // policy, account, Region: status, violators, over the limit
        (remote, "legacy-erp", "us-east-1", "NON_COMPLIANT", 137, true),
        (remote, "legacy-erp", "eu-west-1", "NON_COMPLIANT", 12, false),
        (remote, "northbay-outdoor", "us-east-1", "NON_COMPLIANT", 100, false),
        (remote, "harborline-wms", "us-east-1", "NON_COMPLIANT", 101, true),
        (remote, "harborline-wms", "eu-west-1", "COMPLIANT", 0, false),
        (remote, "storefront-prod", "us-east-1", "COMPLIANT", 0, false),
        (remote, "security-tooling", "us-east-1", "COMPLIANT", 0, false),
        (remote, "kiosk-prod", "us-east-1", "no result", 0, false),
        (remote, "kiosk-prod", "eu-west-1", "no result", 0, false),
        ("public-web-only", "storefront-prod", "us-east-1", "COMPLIANT", 0, false),
        ("public-web-only", "ml-platform-prod", "us-east-1", "no result", 0, false),
        ("web-acl-on-load-balancers", "storefront-prod", "us-east-1", "COMPLIANT", 0, false),
        ("web-acl-on-load-balancers", "ml-platform-prod", "us-east-1", "COMPLIANT", 0, false),
        ("payments-single-ports", "payments-prod", "us-east-1", "COMPLIANT", 0, false),
        ("administration-group", "security-tooling", "us-east-1", "COMPLIANT", 0, false),
        ("administration-group", "legacy-erp", "us-east-1", "NON_COMPLIANT", 1, false),
        ("administration-group", "ml-platform-prod", "us-east-1", "no result", 0, false),
        ("known-bad-domains", "dns-and-certificates", "us-east-1", "COMPLIANT", 0, false),
        ("known-bad-domains", "network-hub", "eu-west-1", "COMPLIANT", 0, false),
        ("known-bad-domains", "shared-services", "us-east-1", "NON_COMPLIANT", 1, false),
        ("known-bad-domains", "build-and-release", "eu-west-1", "NON_COMPLIANT", 1, false),
        ("known-bad-domains", "ml-platform-prod", "us-east-1", "no result", 0, false),
        ("inspected-data", "reporting-prod", "us-east-1", "COMPLIANT", 0, false),
        ("inspected-data", "data-lake-prod", "eu-west-1", "COMPLIANT", 0, false),
        ("inspected-data", "analytics-prod", "us-east-1", "NON_COMPLIANT", 2, false),
        ("inspected-data", "analytics-prod", "eu-west-1", "NON_COMPLIANT", 1, false),
        ("inspected-data", "ml-platform-prod", "us-east-1", "no result", 0, false),
        ("partner-stages", "northbay-outdoor", "us-east-1", "COMPLIANT", 0, false),
        ("partner-stages", "tannery-direct", "eu-west-1", "COMPLIANT", 0, false),
        ("partner-stages", "harborline-wms", "us-east-1", "NON_COMPLIANT", 1, false),
        ("partner-stages", "legacy-erp", "eu-west-1", "NON_COMPLIANT", 1, false),
        ("partner-stages", "ml-platform-prod", "us-east-1", "no result", 0, false),
        ("vendor-firewall", "network-hub", "us-east-1", "no result", 0, false),
        ("vendor-firewall", "warehouse-prod", "us-east-1", "NON_COMPLIANT", 2, false),
        ("vendor-firewall", "warehouse-prod", "eu-west-1", "NON_COMPLIANT", 1, false),
        ("vendor-firewall", "ml-platform-prod", "us-east-1", "no result", 0, false),
    ];
    for (policy, account, region, status, violators, exceeded) in table {
        let row = row(policy, region, account).unwrap();
        let found = (row.status_text(), row.violator_count, row.limit_exceeded);
        assert_eq!(
            found,
            (status, violators, exceeded),
            "{policy} {account} {region} {:?}",
            row.issues
        );
    }
}

#[test]
fn what_is_too_old_is_not_called_compliant_when_that_is_asked_for() {
    const HOUR_MS: i64 = 3_600_000;
    let later_ms = NOW_MS + 100 * HOUR_MS;
    let paths = [sample().join("AWSLogs")];
    let by_age = judged_at(later_ms, &["--stale-after", "36"], &paths);
    let mut stood = 0;
    for (old, now) in by_age.iter().zip(rows()) {
        let age = |row: &StatusRow| row.age.as_ref().map(|age| age.seconds);
        assert_eq!(age(old), age(now).map(|seconds| seconds + 100 * 60 * 60), "{}", old.account);
        assert_eq!(old.status, now.status.filter(|status| *status == Status::NonCompliant));
        assert_eq!(old.violator_count, now.violator_count);
        if old.age.is_some() {
            assert!(old.issues["AWSCONFIG"].contains("tells of the last 36 hours"), "{old:?}");
            stood += usize::from(old.status.is_some());
        }
    }
    assert!(stood > 10, "{stood}");
    let statuses = |rows: &[StatusRow]| rows.iter().map(|row| row.status).collect::<Vec<_>>();
    for fine in [&["--stale-after", "200"][..], &["--stale-after", "0"], &[]] {
        assert_eq!(statuses(&judged_at(later_ms, fine, &paths)), statuses(rows()), "{fine:?}");
    }
}

#[test]
fn spotless_accounts_comply_and_every_untidy_one_breaks_something() {
    for (name, spotless) in sample::tidiness() {
        let account = sample::account_id(name).unwrap();
        let of_account: Vec<_> = rows().iter().filter(|row| row.account == account).collect();
        let broken = of_account.iter().any(|row| row.status_text() == "NON_COMPLIANT");
        let issues: Vec<_> = of_account
            .iter()
            .map(|row| (&row.policy, &row.region, row.status_text(), &row.violators))
            .collect();
        assert_eq!(broken, !spotless, "{name}: {issues:?}");
    }
}

#[test]
fn accounts_out_of_scope_have_no_row() {
    let out = [
        ("no-remote-administration", "sandbox-data"),
        ("no-remote-administration", "old-marketing-site"),
        ("public-web-only", "security-tooling"),
        ("payments-single-ports", "storefront-prod"),
    ];
    for (policy, account) in out {
        assert_eq!(row(policy, "us-east-1", account), None, "{policy} {account}");
    }
}

#[test]
fn what_was_not_seen_is_said() {
    let unheard = row("public-web-only", "us-east-1", "kiosk-prod").unwrap();
    assert_eq!(unheard.issues.keys().collect::<Vec<_>>(), ["AWSCONFIG"]);
    let half = row("public-web-only", "us-east-1", "ml-platform-prod").unwrap();
    let text = &half.issues["AWSCONFIG"];
    assert!(text.contains("AWS::EC2::NetworkInterface"), "{text}");
}

#[test]
fn web_acl_violations_come_in_all_three_kinds() {
    let rows = judged(&["--violators", "--region", "us-east-1"], &[sample().join("AWSLogs")]);
    let reasons: BTreeSet<String> = rows
        .iter()
        .filter(|row| row.policy == "web-acl-on-load-balancers")
        .flat_map(|row| row.violators.iter().flatten())
        .map(|line| line.reason.clone())
        .collect();
    let wanted =
        ["RESOURCE_INCORRECT_WEB_ACL", "RESOURCE_MISSING_WEB_ACL", "WEB_ACL_MISSING_RULE_GROUP"];
    assert_eq!(reasons.iter().map(String::as_str).collect::<Vec<_>>(), wanted);
}

#[test]
fn items_in_other_accounts_files_come_to_the_same_answer() {
    // Everything in three heaps, account by account dealt round, under names that tell nothing.
    let heaps = tempfile::tempdir().unwrap();
    let mut texts = vec![Vec::new(), Vec::new(), Vec::new()];
    for (at, path) in files::find(&[sample().join("AWSLogs")]).unwrap().iter().enumerate() {
        let mut text = String::new();
        let file = std::fs::File::open(path).unwrap();
        std::io::Read::read_to_string(&mut GzDecoder::new(file), &mut text).unwrap();
        let whole: serde_json::Value = serde_json::from_str(&text).unwrap();
        let items = whole["configurationItems"].as_array().unwrap().clone();
        for (n, item) in items.into_iter().enumerate() {
            texts[(at + n) % 3].push(item);
        }
    }
    let mut paths = Vec::new();
    for (at, items) in texts.into_iter().enumerate() {
        let path = heaps.path().join(format!("heap-{at}.json"));
        std::fs::write(&path, serde_json::Value::Array(items).to_string()).unwrap();
        paths.push(path);
    }
    let heaped = judged(&[], &paths);
    for (ours, theirs) in rows().iter().zip(&heaped) {
        // But for the moments of snapshots, which are in their names.
        let undated = |row: &StatusRow| StatusRow { age: None, ..row.clone() };
        assert_eq!(undated(ours), undated(theirs));
        assert_eq!(ours.age.is_some(), theirs.age.is_some(), "{}", ours.account);
    }
    assert_eq!(rows().len(), heaped.len());
}

#[test]
fn an_account_outside_the_organization_is_left_out_with_its_region() {
    let folder = tempfile::tempdir().unwrap();
    let item = |account: &str, region: &str| {
        serde_json::json!({
            "configuration": {"vpcId": "vpc-1"},
            "configurationItemCaptureTime": "2026-02-03T04:00:00.000Z",
            "configurationStateId": 1,
            "awsAccountId": account,
            "configurationItemStatus": "OK",
            "resourceType": "AWS::EC2::VPC",
            "resourceId": "vpc-1",
            "awsRegion": region,
        })
    };
    let member = sample::account_id("fleet-prod").unwrap();
    let items = [item(&member, "eu-north-1"), item("999999999999", "ap-south-1")];
    let path = folder.path().join("mixed.json");
    std::fs::write(&path, serde_json::json!(items).to_string()).unwrap();
    let regions: BTreeSet<String> =
        judged(&[], &[path]).into_iter().map(|row| row.region).collect();
    assert_eq!(regions.into_iter().collect::<Vec<_>>(), ["eu-north-1"]);
}

#[test]
fn accounts_outside_the_organization_are_named_with_what_to_do() {
    let text = |ids: &[&str]| {
        super::strangers_text(&ids.iter().map(|id| AccountId::try_from(*id).unwrap()).collect())
    };
    let [one, two, three, four] = ["1", "2", "3", "4"].map(|digit| digit.repeat(12));
    for (ids, wanted) in [
        (vec![], None),
        (
            vec![one.as_str()],
            Some(
                "items of account 111111111111 left out: it is not in the organization; add it to the \
                 organization file if it is",
            ),
        ),
        (
            vec![&one, &two, &three, &four],
            Some(
                "items of accounts 111111111111, 222222222222, 333333333333 and 1 more left out: they are \
                 not in the organization; add them to the organization file if they are",
            ),
        ),
        (
            vec!["12345678901"],
            Some(
                "items of account 12345678901 left out: it is not in the organization; account ids have \
                 12 digits, and 12345678901 may have lost its zeros",
            ),
        ),
    ] {
        assert_eq!(text(&ids).as_deref(), wanted);
    }
}
