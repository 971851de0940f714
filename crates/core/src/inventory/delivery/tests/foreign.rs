//! Files of other services beside those of AWS Config (semantics §11 row 39).

use super::*;

const TRAIL: &str = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/02/03/111122223333_CloudTrail_eu-west-1_20260203T0405Z_x.json.gz";
const EVENT: &str = r#"{"eventVersion":"1.08","eventSource":"ec2.amazonaws.com","awsRegion":"eu-west-1","recipientAccountId":"111122223333","resources":[{"accountId":"111122223333"}]}"#;
const FLOWS: &str =
    "version account-id interface-id srcaddr dstaddr\n2 111122223333 eni-1 10.0.0.1 10.0.0.2\n";
const ELB: &str =
    "https 2026-02-03T04:05:06.000000Z app/a/b 10.0.0.1:1 10.0.0.2:2 0.1 \"GET /?x={[ HTTP/1.1\"\n";

/// `left out`, the ids of its items, or the error; alike in any chunks.
fn told(name: &str, text: &str) -> String {
    let read = |size: usize| {
        let mut reader = DeliveryReader::new(name);
        for chunk in text.as_bytes().chunks(size) {
            reader.push(chunk)?;
        }
        reader.finish()
    };
    let whole = read(usize::MAX);
    for size in [1, 10, 1000] {
        assert_eq!(read(size), whole, "chunks of {size}");
    }
    match whole {
        Ok(delivery) if delivery.foreign => {
            let nothing = Delivery { name: name.to_owned(), foreign: true, ..Delivery::default() };
            assert_eq!(delivery, nothing);
            "left out".to_owned()
        }
        Ok(delivery) => ids(&delivery).join(" "),
        Err(error) => error.to_string(),
    }
}

#[test]
fn other_services_files_are_left_out_whatever_their_name() {
    let records = |records: &[&str]| format!(r#"{{"Records":[{}]}}"#, records.join(","));
    let trail = records(&[EVENT, EVENT]);
    for (what, text) in [
        ("CloudTrail", trail.as_str()),
        ("S3 events", r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","s3":{}}]}"#),
        ("a digest", r#"{"awsAccountId":"1","digestS3Bucket":"b","logFiles":[]}"#),
        (
            "web requests",
            "{\"webaclId\":\"a\",\"httpRequest\":{}}\n{\"webaclId\":\"a\",\"httpRequest\":{}}\n",
        ),
        (
            "evaluations of rules",
            r#"{"EvaluationResults":[{"ComplianceType":"COMPLIANT"}],"NextToken":"x"}"#,
        ),
        ("flow logs", FLOWS),
        ("flow logs, long", &FLOWS.repeat(10_000)),
        ("a load balancer", ELB),
    ] {
        assert_eq!(told("", text), "left out", "{what}");
        assert_eq!(told(TRAIL, text), "left out", "{what}");
        let own = told(NAME, text);
        assert!(!own.is_empty() && own != "left out", "{what}: {own}");
    }
    for cut in [1, 30, trail.len() - 1] {
        assert_eq!(told(TRAIL, &trail[..cut]), "left out", "cut at {cut}");
    }
    assert_eq!(told("", &trail[..trail.len() - 1]), "left out", "records were seen");
    assert_eq!(told(TRAIL, ""), "left out");
    assert_eq!(told(TRAIL, r#"{"Something":"else"}"#), "left out");
}

/// Semantics §11 row 69.
#[test]
fn an_archive_is_refused_unless_it_is_another_services() {
    let read = |name: &str, bytes: &[u8]| {
        let mut reader = DeliveryReader::new(name);
        reader.push(bytes)?;
        reader.finish()
    };
    let tar = [&b"x.json"[..], &[0; 251], b"ustar\0", snapshot(&[item("a")]).as_bytes()].concat();
    let zip = [&b"PK\x03\x04"[..], snapshot(&[item("a")]).as_bytes()].concat();
    let bzip2 = b"BZh91AY&SY\x17\x8a".to_vec();
    for (kind, bytes) in [("tar", tar), ("zip", zip), ("bzip2", bzip2.clone())] {
        for name in ["", NAME, "items.json", "AWSLogs/111122223333/Config/eu-west-1/x.zip"] {
            assert_eq!(read(name, &bytes), Err(DeliveryError::Archive(kind)), "{name}");
        }
    }
    assert!(read(TRAIL, &bzip2).unwrap().foreign);
    let error = DeliveryError::Archive("zip").to_string();
    assert_eq!(error, "it is a zip archive: unpack it first");
}

#[test]
fn an_export_of_a_query_as_csv_is_refused() {
    let text = "resourceId,resourceType,accountId,awsRegion\nsg-1,AWS::EC2::SecurityGroup,111122223333,eu-west-1\n";
    for name in ["", "rows.csv", NAME] {
        let mut reader = DeliveryReader::new(name);
        let read = reader.push(text.as_bytes()).and_then(|()| reader.finish());
        assert_eq!(read, Err(DeliveryError::QueryTable), "{name}");
    }
}

#[test]
fn what_is_configs_by_name_or_content_is_not_left_out() {
    let message = notification("a");
    let lambda = format!(
        r#"{{"Records":[{{"EventSource":"aws:sns","EventVersion":"1.0","Sns":{{"Type":"Notification","Message":{}}}}}]}}"#,
        quoted(&message)
    );
    let queue = format!(
        r#"{{"Records":[{{"eventSource":"aws:sqs","eventVersion":"1","body":{}}}]}}"#,
        quoted(&message)
    );
    for (what, text) in [
        ("a snapshot", snapshot(&[item("a")])),
        ("a list", format!("[{}]", item("a"))),
        ("Lambda's event of a topic", lambda),
        ("Lambda's event of a queue", queue),
        ("beside events", format!(r#"{{"Records":[{EVENT},{message}]}}"#)),
    ] {
        for name in ["", TRAIL, NAME] {
            assert_eq!(told(name, &text), "a", "{what}, {name}");
        }
        let cut = &text[..text.len() - 1];
        for name in [TRAIL, NAME] {
            assert!(told(name, cut).contains("cut off"), "{what} cut, {name}");
        }
    }
    // Begun, but no item of it was seen yet.
    let begun = item("a");
    for name in ["", TRAIL] {
        assert!(told(name, &begun[..begun.len() - 1]).contains("cut off"), "{name}");
    }
    assert!(told("", r#"{"a":1}"#).contains("no configuration items"));
    assert!(told("", "prose").contains("no JSON"));
}
