//! What `palisade check` makes of files that hold less than there is, and of files that are none of
//! AWS Config (semantics §11 rows 37, 39 and 50).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so may what tests share"
)]

mod support;

mod tests {
    use std::process::Command;
    use std::slice::from_ref;

    use super::support::*;
    use serde_json::{Value, json};

    /// The answer to a check of three accounts that comply, by files of their own, with more files.
    struct Answer {
        code: i32,
        /// `C`, `N` or `-` of each account, with its issues.
        rows: Vec<(char, String)>,
        said: String,
    }

    impl Answer {
        fn statuses(&self) -> String {
            self.rows.iter().map(|(status, _)| *status).collect()
        }
    }

    fn check(more: &[(&str, &str)]) -> Answer {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("organization.json", &organization(3).to_string());
        let deny = json!([{"denyProtocolAllValue": true}]);
        let policy = audit("narrow", &["AWS::EC2::SecurityGroup"], &deny);
        write("policy.json", &policy.to_string());
        for number in 0..3 {
            let (name, text) = snapshot(&account(number), 1, &[good(number, "sg-1")]);
            write(&format!("files/{name}"), &text);
        }
        for (name, text) in more {
            write(&format!("files/{name}"), text);
        }
        let at = |name: &str| folder.path().join(name);
        let run = Command::new(env!("CARGO_BIN_EXE_palisade"))
            .args(["check", "--output", "json", "--region", "us-east-1", "--policy"])
            .arg(at("policy.json"))
            .arg("--organization")
            .arg(at("organization.json"))
            .arg(at("files"))
            .output()
            .unwrap();
        let said = String::from_utf8(run.stderr.clone()).unwrap();
        let answer: Value =
            serde_json::from_slice(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
        let row = |row: &Value| {
            let status = match row["EvaluationResults"][0]["ComplianceStatus"].as_str() {
                Some("COMPLIANT") => 'C',
                Some(_) => 'N',
                None => '-',
            };
            let issue = row["IssueInfoMap"]["AWSCONFIG"].as_str().unwrap_or_default();
            (status, issue.to_owned())
        };
        let rows = answer["PolicyComplianceStatusList"].as_array().unwrap().iter().map(row);
        Answer { code: run.status.code().unwrap(), rows: rows.collect(), said }
    }

    fn good(number: u64, id: &str) -> Value {
        group(&account(number), id, 1, "10.0.0.0/16", 443)
    }

    /// After the snapshots.
    fn later(mut item: Value) -> Value {
        item["configurationItemCaptureTime"] = json!("2026-11-01T07:00:00Z");
        item["configurationStateId"] = json!(1_793_516_400_000_u64);
        item
    }

    fn without(mut item: Value, key: &str) -> Value {
        item.as_object_mut().unwrap().remove(key).unwrap();
        item
    }

    fn items(items: &[Value]) -> String {
        json!({"fileVersion": "1.0", "configurationItems": items}).to_string()
    }

    fn page(items: &[Value], token: Value) -> String {
        let rows: Vec<String> = items.iter().map(Value::to_string).collect();
        json!({"Results": rows, "QueryInfo": {"SelectFields": []}, "NextToken": token}).to_string()
    }

    #[test]
    fn files_of_other_services_are_left_out_and_counted_once() {
        let event = json!({"eventVersion": "1.08", "eventSource": "ec2.amazonaws.com",
            "userIdentity": {"accountId": account(1)}});
        let trail = json!({"Records": [event]}).to_string();
        let flows = "version account-id interface-id srcaddr dstaddr\n2 100000000001 eni-1 1 2\n";
        let cut = "{\"Records\":[{";
        let trail_name = format!("AWSLogs/{0}/CloudTrail/us-east-1/2026/11/01/x.json", account(1));
        let flow_name =
            format!("{}_vpcflowlogs_us-east-1_fl-1_20261101T0600Z_x.log.gz", account(1));
        let answer = check(&[
            ("trail.json", &trail),
            (&trail_name, cut),
            (&flow_name, flows),
            ("anything.json", flows),
        ]);
        assert_eq!((answer.code, answer.statuses().as_str()), (0, "CCC"), "{}", answer.said);
        assert_eq!(answer.said.lines().count(), 1, "{}", answer.said);
        assert!(answer.said.contains("and 3 more left out: not of AWS Config"), "{}", answer.said);
    }

    #[test]
    fn a_broken_file_of_config_is_a_gap_where_its_name_says() {
        let (name, _) = history(&account(1), &[]);
        let here = format!("Delivery file {name} could not be read.");
        let event = json!({"Records": [{"eventVersion": "1", "eventSource": "x"}]}).to_string();
        for text in ["{\"configurationItems\":[{", "not JSON", "", &event] {
            let answer = check(&[(&name, text)]);
            assert_eq!((answer.code, answer.statuses().as_str()), (74, "C-C"), "{text}");
            assert_eq!(answer.rows[1].1, here, "{text}");
        }
        let other = name.replace("SecurityGroup", "Instance");
        let answer = check(&[(&other, "{")]);
        assert_eq!(
            (answer.code, answer.statuses().as_str()),
            (74, "CCC"),
            "of no type that is read"
        );
        let elsewhere = name.replace("us-east-1", "eu-west-1");
        assert_eq!(check(&[(&elsewhere, "{")]).statuses(), "CCC", "of another Region");
        let folder = format!("AWSLogs/{}/Config/us-east-1/2026/11/1/x.json", account(2));
        let answer = check(&[(&folder, "{")]);
        assert_eq!((answer.code, answer.statuses().as_str()), (74, "CC-"), "by its folder");
        let answer = check(&[("CloudTrail.json", &items(&[good(0, "sg-2")])[..200])]);
        assert_eq!((answer.code, answer.statuses().as_str()), (74, "-CC"), "by what it holds");
        // A whole snapshot from after it.
        let (old, _) = snapshot(&account(1), 0, &[]);
        let answer = check(&[(&old, "{")]);
        assert_eq!((answer.code, answer.statuses().as_str()), (74, "CCC"));
    }

    #[test]
    fn an_item_that_cannot_be_read_is_a_gap_until_it_is_mended() {
        let bad = later(good(1, "sg-1"));
        let name = "x.json";
        for key in ["resourceType", "awsRegion", "configurationItemStatus"] {
            let mut broken = without(bad.clone(), key);
            if key == "configurationItemStatus" {
                broken[key] = json!("Perhaps");
            }
            let answer = check(&[(name, &items(from_ref(&broken)))]);
            assert_eq!((answer.code, answer.statuses().as_str()), (2, "C-C"), "{key}");
            assert!(answer.rows[1].1.contains("sg-1"), "{key}: {}", answer.rows[1].1);
            let mended = items(from_ref(&bad));
            for (first, second) in [("1.json", "2.json"), ("2.json", "1.json")] {
                let answer = check(&[(first, &items(from_ref(&broken))), (second, &mended)]);
                assert_eq!((answer.code, answer.statuses().as_str()), (0, "CCC"), "{key} mended");
            }
        }
        let lists = [
            items(&[json!(bad.to_string())]),
            items(&[json!([[bad]])]),
            json!({"configurationItem": [bad], "messageType": "x"}).to_string(),
        ];
        for text in &lists {
            let answer = check(&[(name, text)]);
            assert_eq!((answer.code, answer.statuses().as_str()), (2, "C-C"), "{text}");
            let (whole, mended) = snapshot(&account(1), 59, &[good(1, "sg-1")]);
            let whole = whole.replace("T06", "T08");
            let answer = check(&[(name, text), (&whole, &mended)]);
            // What is a text tells no time: nothing is known to be later.
            assert_eq!(answer.statuses(), "C-C", "{text}");
        }
    }

    #[test]
    fn an_item_of_nobody_is_unreadable_input() {
        let bad = without(later(good(1, "sg-1")), "awsAccountId");
        for text in [
            items(from_ref(&bad)),
            items(&[json!(7)]),
            items(&[good(0, "sg-2"), later(good(1, "sg-2")), json!(7)]),
        ] {
            let answer = check(&[("x.json", &text)]);
            assert_eq!((answer.code, answer.statuses().as_str()), (74, "---"), "{text}");
            assert!(answer.said.contains("1 item cannot be read, nor whose"), "{}", answer.said);
        }
        let (name, _) = history(&account(1), &[]);
        let answer = check(&[(&name, &items(&[bad]))]);
        assert_eq!((answer.code, answer.statuses().as_str()), (2, "C-C"), "the name tells");
        assert!(answer.rows[1].1.contains("sg-1"));
    }

    #[test]
    fn an_answer_that_goes_on_is_a_gap_until_a_later_snapshot() {
        let one = later(good(1, "sg-1"));
        let first = page(from_ref(&one), json!("t"));
        let answer = check(&[("1.json", &first)]);
        assert_eq!((answer.code, answer.statuses().as_str()), (2, "C-C"), "{}", answer.said);
        assert!(answer.rows[1].1.contains("not seen to its end"), "{}", answer.rows[1].1);
        let pages = format!("{first}\n{}", page(&[later(good(2, "sg-1"))], Value::Null));
        assert_eq!(check(&[("pages.json", &pages)]).statuses(), "CCC");
        let (name, whole) = snapshot(&account(1), 1, from_ref(&one));
        let name = name.replace("T06", "T08");
        let answer = check(&[("1.json", &first), (&name, &whole)]);
        assert_eq!((answer.code, answer.statuses().as_str()), (0, "CCC"), "a whole snapshot");
        let (name, whole) = snapshot(&account(1), 2, &[good(1, "sg-1")]);
        let answer = check(&[("1.json", &first), (&name, &whole)]);
        assert_eq!(answer.statuses(), "C-C", "a snapshot from before");
        // A batch that leaves resources out: of the account of the other items, else of everybody.
        let key = json!([{"resourceType": "AWS::EC2::SecurityGroup", "resourceId": "sg-9"}]);
        let batch = |items: &[Value]| {
            json!({"baseConfigurationItems": items, "unprocessedResourceKeys": key}).to_string()
        };
        assert_eq!(check(&[("1.json", &batch(&[one]))]).statuses(), "C-C");
        assert_eq!(check(&[("1.json", &batch(&[]))]).statuses(), "---");
    }

    #[test]
    fn a_type_in_another_letter_case_is_judged() {
        let mut open = later(group(&account(1), "sg-9", 1, "0.0.0.0/0", 22));
        open["configuration"]["ipPermissions"][0]["ipProtocol"] = json!("-1");
        open["resourceType"] = json!("AWS::EC2::SECURITYGROUP");
        let (name, _) = history(&account(1), &[]);
        let name = name.replace("AWS::EC2::SecurityGroup", "aws::ec2::securitygroup");
        let answer = check(&[(&name, &items(&[open]))]);
        assert_eq!((answer.code, answer.statuses().as_str()), (1, "CNC"));
    }
}
