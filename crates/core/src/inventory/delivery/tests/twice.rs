//! A member that stands twice around items hides one of the two: what it decides is not believed (semantics
//! §11 row 69).

use super::*;
use crate::inventory::Cause;

fn reasons(found: &Delivery) -> Vec<&str> {
    found.quarantined.iter().map(|bad| &*bad.reason).collect()
}

#[test]
fn a_message_in_which_a_member_stands_twice_cannot_be_read() {
    let (a, b) = (item("a"), item("b"));
    let in_text = quoted(&notification("a"));
    for text in [
        format!(r#"{{"configurationItem":{a},"configurationItem":{b}}}"#),
        format!(r#"{{"configurationItem":{a},"ConfigurationItem":null}}"#),
        format!(r#"{{"Type":"Notification","Message":{in_text},"Message":"{{}}"}}"#),
        format!(r#"{{"Body":{in_text},"Body":"{{\"x\":1}}"}}"#),
        format!(r#"{{"source":"aws.config","detail":{{"configurationItem":{a}}},"detail":{{}}}}"#),
        format!(
            r#"{{"region":"us-east-1","region":"eu-west-1","detail":{{"configurationItem":{a}}}}}"#
        ),
        format!(r#"{{"Message":{}}}"#, quoted(&format!(r#"{{"Results":[{a}],"Results":[]}}"#))),
    ] {
        let found = read(&text).unwrap();
        assert_eq!(ids(&found), [""; 0], "{text}");
        assert_eq!(reasons(&found), ["a member of a message stands there twice"], "{text}");
        assert!(!found.missed.is_empty() || found.nobodys > 0, "{text}: it is a gap");
    }
    // What is not Config's is nobody's business, and what an item says is read with the item.
    let others = format!(r#"[{},{{"Message":"x","Message":"{{}}"}}]"#, item("a"));
    let found = read(others).unwrap();
    assert_eq!((ids(&found).as_slice(), reasons(&found).len()), (&["a"][..], 0));
    let doubled = item("a").replacen('{', r#"{"configuration":null,"#, 1);
    let found = read(doubled).unwrap();
    assert_eq!(ids(&found), ["a"]);
    assert_eq!(reasons(&found), ["`configuration` stands there twice"]);
}

#[test]
fn a_snapshot_in_which_a_member_stands_twice_is_but_its_items() {
    let whole = snapshot(&[item("a")]);
    assert!(read(&whole).unwrap().snapshot.is_some());
    let why = "a member of the snapshot stands there twice: it is read as single items";
    for (from, to) in [
        (r#""configSnapshotId":"s""#, r#""configSnapshotId":"s","ConfigSnapshotId":"t""#),
        (r#""configSnapshotId":"s""#, r#""configSnapshotId":"s","configurationItems":[]"#),
        (r#""configSnapshotId":"s""#, r#""configSnapshotId":"s","configurationItems":null"#),
        (r#""fileVersion":"1.0""#, r#""nextToken":null,"nextToken":null"#),
    ] {
        let text = whole.replace(from, to);
        let found = read(&text).unwrap();
        assert_eq!(ids(&found), ["a"], "{text}");
        assert_eq!((found.snapshot, found.quarantined[0].reason.as_str()), (None, why), "{text}");
    }
    let unknown = whole.replace(r#""fileVersion":"1.0""#, r#""x":1,"x":2"#);
    assert!(read(unknown).unwrap().snapshot.is_some(), "what nobody reads does not matter");
}

#[test]
fn an_answer_in_which_a_token_stands_twice_goes_on() {
    let rows = |before: &str, behind: &str| {
        format!(r#"{{{before}"Results":[{}]{behind}}}"#, quoted(&item("a")))
    };
    for text in [
        rows(r#""nextToken":"t","nextToken":"","#, ""),
        rows("", r#","NextToken":"t","nextToken":null"#),
        rows(r#""nextToken":"t","#, r#","nextToken":"""#),
        format!(r#"{{"Message":{}}}"#, quoted(&rows(r#""nextToken":"t","nextToken":"","#, ""))),
    ] {
        let found = read(&text).unwrap();
        assert!(!found.missed.is_empty() || found.nobodys > 0, "{text}");
    }
    let left = r#""unprocessedResourceKeys":[{"resourceType":"AWS::EC2::VPC"}],"unprocessedResourceKeys":[]"#;
    let batch = format!(r#"{{"baseConfigurationItems":[{}],{left}}}"#, item("a"));
    let found = read(batch).unwrap();
    assert!(found.missed.iter().any(|one| one.cause == Cause::LeftOut), "{:?}", found.missed);
}
