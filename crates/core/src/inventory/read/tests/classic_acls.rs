//! Web ACLs of WAF Classic.

use super::*;
use crate::inventory::{ClassicAcl, ClassicRule, decode_item, encode_item};

const REGIONAL: &str = "AWS::WAFRegional::WebACL";
const GLOBAL: &str = "AWS::WAF::WebACL";

fn acl(kind: &str, text: &str) -> Result<ClassicAcl, String> {
    match body(kind, text)? {
        Body::ClassicAcl(acl) => Ok(acl),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_classic_web_acl_is_read_as_config_and_as_the_service_writes_it() {
    let rule = |id: &str, priority, is_group, count, excluded| ClassicRule {
        id: Some(id.into()),
        priority: Some(priority),
        is_group: Some(is_group),
        count,
        excluded,
    };
    let wanted = ClassicAcl {
        name: Some("FMManagedWebACL1".into()),
        rules: Some(vec![
            rule("g-1", 1, true, Some(true), Some(boxes(&["r-1", "r-2"]))),
            rule("g-2", 2, true, Some(false), Some(Vec::new())),
            rule("r-3", 10, false, None, None),
        ]),
        resources: Some(boxes(&["arn:a", "arn:b"])),
    };
    let delivered = r#"{"webACLId":"acl-1","name":"FMManagedWebACL1","metricName":"m","defaultAction":{"type":"ALLOW"},"rulesList":[{"ruleId":"r-3","priority":10,"type":"REGULAR","action":{"type":"BLOCK"}},{"ruleId":"g-2","priority":2,"type":"GROUP","overrideAction":{"type":"NONE"}},{"ruleId":"g-1","priority":1,"type":"GROUP","overrideAction":{"type":"COUNT"},"excludedRules":[{"ruleId":"r-2"},{"ruleId":"r-1","exclusionType":"EXCLUDED_AS_COUNT"}]}],"associationList":[{"resourceARN":"arn:b"},{"resourceARN":"arn:a"}]}"#;
    let by_service = delivered.replace("rulesList", "Rules").replace("ruleId", "RuleId");
    let queried = delivered.replace(":10,", ":10.0,").replace("\"GROUP\"", "{\"value\":\"GROUP\"}");
    for kind in [REGIONAL, GLOBAL] {
        for text in [delivered, &by_service, &queried] {
            assert_eq!(acl(kind, text), Ok(wanted.clone()), "{text}");
            let seen = read_ok(&item(kind, &format!(r#""configuration":{text},"tags":{{}}"#)));
            let stored = encode_item(&seen.item);
            assert_eq!(decode_item(&seen.item.key, &stored), Ok(seen.item));
        }
    }
}

/// Semantics §11 row 38.
#[test]
fn what_a_classic_web_acl_does_not_tell_is_not_none() {
    let name = || Some("the-name".into());
    assert_eq!(acl(REGIONAL, "{}"), Ok(ClassicAcl { name: name(), ..ClassicAcl::default() }));
    let empty = acl(REGIONAL, r#"{"rulesList":[],"associationList":[]}"#);
    let told = ClassicAcl { name: name(), rules: Some(vec![]), resources: Some(vec![]) };
    assert_eq!(empty, Ok(told));
    // An association without its resource may be any's.
    let loose = acl(REGIONAL, r#"{"associationList":[{"resourceARN":"arn:a"},{}]}"#).unwrap();
    assert_eq!(loose.resources, None);
    for (rule, count, excluded) in [
        (r#"{"type":"GROUP","overrideAction":{"type":"NONE"}}"#, Some(false), Some(0)),
        (r#"{"type":"GROUP","overrideAction":{}}"#, None, None),
        (r#"{"type":"GROUP","overrideAction":{"type":"BLOCK"}}"#, None, Some(0)),
        (r#"{"type":"GROUP"}"#, None, None),
        (r#"{"overrideAction":{"type":"COUNT"}}"#, Some(true), None),
        (
            r#"{"type":"GROUP","overrideAction":{"type":"COUNT"},"excludedRules":[{}]}"#,
            Some(true),
            None,
        ),
    ] {
        let read = acl(REGIONAL, &format!(r#"{{"rulesList":[{rule}]}}"#)).unwrap().rules.unwrap();
        assert_eq!(read[0].count, count, "{rule}");
        assert_eq!(read[0].excluded.as_ref().map(Vec::len), excluded, "{rule}");
        assert_eq!((&read[0].id, read[0].priority), (&None, None));
    }
}
