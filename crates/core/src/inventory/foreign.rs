//! Files of other services that lie beside those of AWS Config in the same bucket: they are left out
//! and are no gap (semantics §11 row 39). A file that is Config's by its name, or in which
//! configuration items were begun, is never one of them, however broken it is.

use super::name::NameFacts;
use super::read::shape::{Present, shape};

/// Bytes of a file by which its text is recognised.
pub(super) const HEAD_BYTES_MAX: usize = 4096;

/// Services as they name their log files: `<account>_<service>_…`.
const SERVICES: [&str; 8] = [
    "CloudTrail",
    "CloudTrail-Digest",
    "CloudTrail-Insight",
    "elasticloadbalancing",
    "vpcflowlogs",
    "vpcdnsquerylogs",
    "waflogs",
    "networkfirewalllogs",
];

/// Whether Config itself gave this name.
pub(super) fn is_configs(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or_default();
    NameFacts::of(file).kind.is_some()
        || file.contains("_Config_")
        || service(name) == Some("Config")
}

/// Whether another service gave this name, or it lies in another service's folder.
pub(super) fn is_named(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or_default();
    let of_file = match file.split('_').collect::<Vec<_>>().as_slice() {
        [account, service, _, ..] => is_account(account) && SERVICES.contains(service),
        _ => false,
    };
    !is_configs(name) && (of_file || service(name).is_some())
}

/// `…AWSLogs/[<organization>/]<account>/<service>/…`
fn service(name: &str) -> Option<&str> {
    let mut folders = name.split('/').skip_while(|folder| *folder != "AWSLogs").skip(1);
    let mut account = folders.next()?;
    if account.starts_with("o-") {
        account = folders.next()?;
    }
    let service = folders.next()?;
    (is_account(account) && folders.next().is_some()).then_some(service)
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text is a log of lines, as VPC flow logs, load balancers, S3 and CloudFront write them,
/// by how it begins.
pub(super) fn is_log(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let words: Vec<&str> = first.split_ascii_whitespace().collect();
    let is_time = |text: &str| {
        text.len() >= 19 && text.as_bytes().get(10) == Some(&b'T') && text.starts_with("20")
    };
    match words.as_slice() {
        // A custom format has a line of its fields' names.
        ["#Version:", ..] => true,
        all if all.len() >= 5 && all.contains(&"interface-id") && all.contains(&"account-id") => {
            true
        }
        [version, account, interface, _, _, ..] if interface.starts_with("eni-") => {
            is_account(account) && version.parse::<u8>().is_ok()
        }
        ["http" | "https" | "h2" | "ws" | "wss" | "grpcs", time, _, _, ..] => is_time(time),
        ["tls", _, time, _, ..] => is_time(time),
        // Classic load balancers.
        [time, _, client, _, _, ..] if is_time(time) => client.contains(':'),
        // S3's logs of accesses.
        [owner, _, time, ..] => {
            owner.len() == 64
                && owner.bytes().all(|byte| byte.is_ascii_hexdigit())
                && time.starts_with('[')
        }
        _ => false,
    }
}

/// Which archive a file is by how it begins (semantics §11 row 69): what is in it is not seen.
pub fn archive(head: &[u8]) -> Option<&'static str> {
    const BEGINNINGS: [(&[u8], &str); 7] = [
        (b"PK\x03\x04", "zip"),
        (b"PK\x05\x06", "zip"),
        (b"PK\x07\x08", "zip"),
        (b"BZh", "bzip2"),
        (b"\xFD7zXZ\0", "xz"),
        (b"\x28\xB5\x2F\xFD", "zstd"),
        (b"7z\xBC\xAF\x27\x1C", "7z"),
    ];
    let begins = BEGINNINGS.iter().find(|(beginning, _)| head.starts_with(beginning));
    let tar = || head.get(257..)?.starts_with(b"ustar").then_some("tar");
    begins.map(|(_, kind)| *kind).or_else(tar)
}

/// Whether a file is an export of an advanced query as CSV, by the names of its columns (semantics §11 row 69):
/// what its rows tell is not seen.
pub fn is_query_table(head: &[u8]) -> bool {
    const COLUMNS: [&str; 8] = [
        "accountid",
        "awsregion",
        "resourceid",
        "resourcetype",
        "resourcename",
        "configuration",
        "supplementaryconfiguration",
        "relationships",
    ];
    // Nearly every file begins so, and is asked at every part of it.
    if head.starts_with(b"{") || head.starts_with(b"[") {
        return false;
    }
    let text = String::from_utf8_lossy(head);
    let first = text.lines().next().unwrap_or_default().trim_start_matches('\u{feff}');
    let columns: Vec<&str> = first.split(',').map(|name| name.trim().trim_matches('"')).collect();
    let is_name = |name: &&str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    let is_known = |name: &&str| {
        let member = name.split('.').next().unwrap_or_default();
        COLUMNS.iter().any(|column| member.eq_ignore_ascii_case(column))
    };
    columns.len() > 1 && columns.iter().all(is_name) && columns.iter().any(is_known)
}

/// Whether a file's beginning shows that it tells of configuration items.
pub(super) fn mentions_items(head: &[u8]) -> bool {
    let lower = head.to_ascii_lowercase();
    let mentions = |word: &[u8]| lower.windows(word.len()).any(|bytes| bytes == word);
    mentions(b"configurationitem") || mentions(b"configsnapshotid")
}

shape! {
    /// What other services' records are known by.
    loose Marks {
        event_version: Present = "eventVersion",
        event_source: Present = "eventSource",
        digest: Present = "digestS3Bucket",
        web_acl: Present = "webaclId",
        request: Present = "httpRequest",
        schema: Present = "schemaVersion",
        severity: Present = "severity",
        query: Present = "query_name",
        firewall: Present = "firewall_name",
        event: Present = "event",
        // What Config itself tells of rules is of no resource's state.
        evaluations: Present = "EvaluationResults" | "AggregateEvaluationResults"
            | "ComplianceByConfigRules" | "ComplianceByResources"
            | "ConformancePackRuleEvaluationResults",
    }
}

/// Whether an object without items is a record of another service: CloudTrail, its digests, S3's
/// events, web application and network firewalls, GuardDuty, resolver queries, and evaluations of
/// rules.
pub(super) fn is_record(object: &str) -> bool {
    let Ok(marks) = serde_json::from_str::<Marks<'_>>(object) else { return false };
    let both = |one: &Option<Present>, other: &Option<Present>| one.is_some() && other.is_some();
    both(&marks.event_version, &marks.event_source)
        || marks.digest.is_some()
        || both(&marks.web_acl, &marks.request)
        || both(&marks.schema, &marks.severity)
        || marks.query.is_some()
        || both(&marks.firewall, &marks.event)
        || marks.evaluations.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_whose_a_file_is() {
        let log = "111122223333_vpcflowlogs_eu-west-1_fl-0_20260203T0405Z_x.log.gz";
        let own = "111122223333_Config_eu-west-1_ConfigSnapshot_20260203T040506Z_u.json.gz";
        for (name, foreign, configs) in [
            (log, true, false),
            ("111122223333_CloudTrail_eu-west-1_20260203T0405Z_x.json.gz", true, false),
            ("x/AWSLogs/o-1/111122223333/CloudTrail-Digest/eu-west-1/x.json", true, false),
            ("AWSLogs/111122223333/GuardDuty/x.jsonl", true, false),
            ("AWSLogs/111122223333/Config/eu-west-1/x.json", false, true),
            (own, false, true),
            (
                "AWSLogs/111122223333/CloudTrail/eu-west-1/111122223333_Config_x_ConfigHistory_y",
                false,
                true,
            ),
            ("AWSLogs/111122223333/x.json", false, false),
            ("AWSLogs/CloudTrail/x.json", false, false),
            ("111122223333_export_eu-west-1.json", false, false),
            ("a_CloudTrail_b.json", false, false),
            ("", false, false),
        ] {
            assert_eq!((is_named(name), is_configs(name)), (foreign, configs), "{name}");
        }
    }

    #[test]
    fn archives_are_told_by_how_they_begin() {
        let tar = [&b"x.json"[..], &[0; 251], b"ustar\0"].concat();
        for (head, kind) in [
            (&b"PK\x03\x04\x14\0"[..], Some("zip")),
            (b"BZh91AY&SY", Some("bzip2")),
            (b"\xFD7zXZ\0\0", Some("xz")),
            (b"\x28\xB5\x2F\xFD\x24", Some("zstd")),
            (b"7z\xBC\xAF\x27\x1C\0", Some("7z")),
            (&tar, Some("tar")),
            (&tar[..261], None),
            (b"PK", None),
            (b"{\"configurationItems\":[]}", None),
            (b"\x1f\x8b", None),
            (b"", None),
        ] {
            assert_eq!(archive(head), kind, "{head:?}");
        }
    }

    #[test]
    fn exports_of_queries_are_told_by_their_columns() {
        for (head, is_one) in [
            ("resourceId,accountId,awsRegion\nsg-1,111122223333,eu-west-1\n", true),
            ("\u{feff}\"resourceId\",\"configuration.vpcId\"\r\n\"sg-1\",\"vpc-1\"", true),
            ("name,supplementaryConfiguration.tags\n", true),
            ("resourceId\nsg-1\n", false),
            ("name,owner\n", false),
            ("a resourceId, or an accountId\n", false),
            ("{\"resourceId\":1,\"accountId\":2}", false),
            ("", false),
        ] {
            assert_eq!(is_query_table(head.as_bytes()), is_one, "{head}");
        }
    }

    #[test]
    fn logs_are_told_by_their_first_line() {
        for line in [
            "version account-id interface-id srcaddr dstaddr srcport",
            "srcaddr account-id start end interface-id",
            "2 111122223333 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 1 1 1 ACCEPT OK",
            "https 2026-02-03T04:05:06.000000Z app/a/b 10.0.0.1:1 10.0.0.2:2 0.1",
            "tls 2.0 2026-02-03T04:05:06 net/a/b x 10.0.0.1:1",
            "2026-02-03T04:05:06.000000Z my-elb 10.0.0.1:1 10.0.0.2:80 0.1 \"GET / {\"",
            "#Version: 1.0",
            &format!("{} bucket [03/Feb/2026:04:05:06 +0000] 10.0.0.1 -", "ab".repeat(32)),
        ] {
            assert!(is_log(format!("\n {line}\nmore").as_bytes()), "{line}");
        }
        for text in [
            "",
            "{\"configurationItems\":[",
            "New State Record Summary: version account-id",
            "2 111122223333 sg-1 10.0.0.1 10.0.0.2",
            "2026-02-03T04:05:06.000000Z a b c d",
            "just a few words of prose",
        ] {
            assert!(!is_log(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn records_are_told_by_their_members() {
        for (record, foreign) in [
            (r#"{"eventVersion":"1.08","eventSource":"ec2.amazonaws.com"}"#, true),
            (r#"{"eventVersion":"1.08"}"#, false),
            (r#"{"webaclId":"a","httpRequest":{}}"#, true),
            (r#"{"schemaVersion":"2.0","severity":2,"region":"r"}"#, true),
            (r#"{"EvaluationResults":[]}"#, true),
            (r#"{"digestS3Bucket":"b"}"#, true),
            (r#"{"a":1}"#, false),
            ("[]", false),
        ] {
            assert_eq!(is_record(record), foreign, "{record}");
        }
    }
}
