use super::*;
use crate::inventory::UntoldOfGroup;
use crate::inventory::{
    AutomaticResponse, Instance, InstanceInterface, NetworkInterface, Permission, PrefixList,
    Protection, Recorder, RecordingGroup, SecurityGroup, WafAssociation,
};

mod classic_acls;
mod dns;
mod firewalls;
mod groups;
mod network_acls;
mod routes;
mod twice;
mod types;

/// An item of the type in the delivery dialect, with more fields.
fn item(resource_type: &str, more: &str) -> String {
    format!(
        r#"{{"configurationItemVersion":"1.3","configurationItemCaptureTime":"2026-02-03T04:05:06.789Z","configurationStateId":1770091506789,"awsAccountId":"011122223333","configurationItemStatus":"OK","resourceType":"{resource_type}","resourceId":"the-id","resourceName":"the-name","ARN":"arn:the","awsRegion":"eu-west-1","relatedEvents":[],{more}}}"#
    )
}

fn read_ok(text: &str) -> Observation {
    read_item(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn body(resource_type: &str, configuration: &str) -> Result<Body, String> {
    let text = item(resource_type, &format!(r#""configuration":{configuration},"tags":{{}}"#));
    read_item(text.as_bytes()).map(|seen| seen.item.body)
}

const GROUP: &str = "AWS::EC2::SecurityGroup";

fn group(permission: &str) -> Result<Permission, String> {
    match body(GROUP, &format!(r#"{{"ipPermissions":[{permission}],"ipPermissionsEgress":[]}}"#))? {
        Body::SecurityGroup(group) => Ok(group.ingress[0].clone()),
        other => panic!("{other:?}"),
    }
}

fn boxes(texts: &[&str]) -> Vec<Box<str>> {
    texts.iter().map(|text| (*text).into()).collect()
}

#[test]
fn both_dialects_say_the_same() {
    let configuration = r#"{"groupName":"g","vpcId":"vpc-1","ownerId":"011122223333","ipPermissions":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"ipv4Ranges":[{"cidrIp":"10.0.0.0/8"}]}],"ipPermissionsEgress":[]}"#;
    let delivered = read_ok(&item(
        GROUP,
        &format!(
            r#""relationships":[],"configuration":{configuration},"supplementaryConfiguration":{{}},"tags":{{"k":"v","e":""}}"#
        ),
    ));
    assert_eq!(
        delivered.item.version,
        Version { state: Some(1_770_091_506_789), captured_ms: 1_770_091_506_789 }
    );
    assert_eq!(delivered.item.key.account.as_str(), "011122223333");
    assert_eq!(delivered.item.name.as_deref(), Some("the-name"));
    let text = serde_json::to_string(configuration).unwrap();
    for api in [
        format!(
            r#"{{"version":"1.3","accountId":"011122223333","configurationItemCaptureTime":1770091506.789,"configurationItemStatus":"ResourceDiscovered","configurationStateId":"1770091506789","configurationItemMD5Hash":"","arn":"arn:the","resourceType":"{GROUP}","resourceId":"the-id","resourceName":"the-name","awsRegion":"eu-west-1","tags":{{"k":"v","e":""}},"relatedEvents":[],"relationships":[],"configuration":{text},"supplementaryConfiguration":{{}}}}"#
        ),
        // Query rows: tags as a list, numbers as floats, the body an object again.
        format!(
            r#"{{"accountId":"011122223333","awsRegion":"eu-west-1","arn":"arn:the","resourceId":"the-id","resourceName":"the-name","resourceType":"{GROUP}","configurationItemCaptureTime":"2026-02-03T04:05:06.789Z","configurationStateId":1.770091506789E12,"tags":[{{"key":"k","value":"v","tag":"k=v"}},{{"key":"e","value":"","tag":"e="}}],"configuration":{}}}"#,
            configuration.replace(":22", ":22.0")
        ),
        // Hand-made: any letter case at the top, nulls.
        format!(
            r#"{{"CONFIGURATION":{configuration},"ACCOUNTID":"011122223333","awsregion":"eu-west-1","arn":"arn:the","ResourceId":"the-id","ResourceName":"the-name","ResourceType":"{GROUP}","ConfigurationItemCaptureTime":"2026-02-03T05:05:06.789+01:00","configurationStateID":1770091506789,"Tags":{{"k":"v","e":""}},"relationships":null}}"#
        ),
    ] {
        assert_eq!(read_ok(&api), delivered, "{api}");
    }
}

#[test]
fn a_state_has_a_number_or_a_time_or_is_refused() {
    let version = |state: &str, captured: &str| {
        let text = item("AWS::X::Y", r#""tags":{}"#)
            .replace(
                r#""configurationStateId":1770091506789"#,
                &format!(r#""configurationStateId":{state}"#),
            )
            .replace(r#""2026-02-03T04:05:06.789Z""#, captured);
        read_item(text.as_bytes())
            .map(|seen| (seen.item.version.state, seen.item.version.captured_ms))
    };
    const TIME: &str = "\"2026-02-03T04:05:06Z\"";
    const MS: i64 = 1_770_091_506_000;
    for (state, captured, wanted) in [
        ("58", TIME, Ok((Some(58), MS))),
        ("\"58\"", TIME, Ok((Some(58), MS))),
        ("4102444799999", TIME, Ok((Some(4_102_444_799_999), MS))),
        ("4102444800000", TIME, Ok((None, MS))),
        ("18446744073709551615", TIME, Ok((None, MS))),
        ("18446744073709551616", TIME, Ok((None, MS))),
        ("\"4b3c-uuid\"", TIME, Ok((None, MS))),
        ("null", TIME, Ok((None, MS))),
        ("0", TIME, Ok((None, MS))),
        ("-5", TIME, Ok((None, MS))),
        ("1770091506000", "null", Ok((Some(1_770_091_506_000), MS))),
        ("58", "null", Err("`configurationItemCaptureTime` is missing")),
        ("null", "null", Err("`configurationItemCaptureTime` is missing")),
        ("58", "\"soon\"", Err("`configurationItemCaptureTime` is not a time: `\"soon\"`")),
    ] {
        match (version(state, captured), wanted) {
            (Ok(found), Ok(wanted)) => assert_eq!(found, wanted, "{state} {captured}"),
            (Err(found), Err(wanted)) => assert!(found.starts_with(wanted), "{found}"),
            (found, wanted) => panic!("{state} {captured}: {found:?}, not {wanted:?}"),
        }
    }
}

#[test]
fn status_tells_what_exists() {
    let of = |status: &str, configuration: &str, resource_type: &str| {
        let text = item(resource_type, &format!(r#""configuration":{configuration},"tags":{{}}"#));
        let text = match status {
            "-" => text.replace(r#""configurationItemStatus":"OK","#, ""),
            status => text.replace("\"OK\"", &format!("\"{status}\"")),
        };
        read_item(text.as_bytes()).map(|seen| seen.item.body)
    };
    let full = r#"{"ipPermissions":[]}"#;
    let there = Body::SecurityGroup(SecurityGroup {
        group_name: "the-name".into(),
        untold: UntoldOfGroup { ingress: false, egress: true },
        ..SecurityGroup::default()
    });
    for (status, configuration, body) in [
        ("OK", full, &there),
        ("ResourceDiscovered", full, &there),
        ("-", full, &there),
        ("OK", "null", &Body::Unseen),
        ("OK", "\"null\"", &Body::Unseen),
        ("OK", "\"\"", &Body::Unseen),
        ("OK", "{}", &Body::Unseen),
        ("ResourceNotRecorded", "null", &Body::Unseen),
        ("ResourceNotRecorded", full, &Body::Unseen),
        ("ResourceDeleted", "null", &Body::Deleted),
        ("ResourceDeleted", "\"null\"", &Body::Deleted),
        ("ResourceDeletedNotRecorded", full, &Body::Deleted),
    ] {
        assert_eq!(of(status, configuration, GROUP).as_ref(), Ok(body), "{status} {configuration}");
    }
    assert_eq!(of("OK", "null", "AWS::X::Y"), Ok(Body::Unwanted));
    assert_eq!(of("ResourceNotRecorded", "null", "AWS::X::Y"), Ok(Body::Unseen));
    assert_eq!(of("Odd", full, GROUP).unwrap_err(), "`configurationItemStatus` is unknown: `Odd`");
    assert!(of("OK", "7", GROUP).unwrap_err().contains("expected an object"));
    assert!(of("OK", "\"{\"", GROUP).unwrap_err().contains("not valid JSON"));
}

#[test]
fn identity_is_required_and_checked() {
    let good = item("AWS::X::Y", r#""tags":{}"#);
    for (from, to, reason) in [
        (r#""awsAccountId":"011122223333","#, "", "`awsAccountId` is missing"),
        (
            r#""awsAccountId":"011122223333","#,
            r#""awsAccountId":null,"#,
            "`awsAccountId` is missing",
        ),
        (
            r#""011122223333""#,
            "11122223333",
            "`awsAccountId`: invalid type: integer `11122223333`, expected a string",
        ),
        (r#""011122223333""#, r#"{"value":11122223333}"#, "`awsAccountId`: not a string"),
        (r#""eu-west-1""#, "7", "`awsRegion`: invalid type: integer `7`, expected a string"),
        ("011122223333", "", "`` is not an account id: it is empty"),
        (
            "eu-west-1",
            "Not Applicable",
            "`Not Applicable` is not a Region: it holds a character that is not allowed",
        ),
        (r#""resourceId":"the-id","#, "", "`resourceId` is missing"),
        (r#""resourceType":"AWS::X::Y","#, "", "`resourceType` is missing"),
        (r#""the-id""#, "[]", "`resourceId`: invalid type: sequence, expected text"),
    ] {
        assert_eq!(read_item(good.replace(from, to).as_bytes()).unwrap_err(), reason);
    }
    let vpc = good.replace("AWS::X::Y", "AWS::EC2::VPC").replace("eu-west-1", "global");
    for (text, reason) in [
        (good.replace(r#""AWS::X::Y""#, "7"), "`resourceType` is not one such as"),
        (good.replace(r#""AWS::X::Y""#, "true"), "`resourceType` is not one such as"),
        (good.replace("AWS::X::Y", "AWS::X::Y "), "`resourceType` is not one such as"),
        (good.replace("AWS::X::Y", " AWS::EC2::VPC"), "`resourceType` is not one such as"),
        (vpc.clone(), "`awsRegion` is `global`, where no AWS::EC2::VPC can be"),
        (
            good.replace("eu-west-1", "eu-west-1a"),
            "`awsRegion` is no Region's name, such as `eu-west-1`: `eu-west-1a`",
        ),
    ] {
        let refused = read_item(text.as_bytes()).unwrap_err();
        assert!(refused.starts_with(reason), "{refused}");
    }
    for global in ["AWS::WAFv2::WebACL", "AWS::IAM::Role", "AWS::Shield::Protection"] {
        let seen = read_item(vpc.replace("AWS::EC2::VPC", global).as_bytes());
        assert!(seen.is_ok_and(|seen| seen.global), "{global}");
    }
    for odd in ["a|b|c", "https://x/y?z", "with spaces", "arn:aws:x:::y/z", "ünïcödé", "a\\\"b"]
    {
        let seen = read_ok(&good.replace("the-id", odd));
        assert_eq!(seen.item.key.id.as_str(), odd.replace("\\\"", "\""));
    }
    assert!(
        read_item(format!("{good} {good}").as_bytes()).unwrap_err().contains("trailing characters")
    );
}

#[test]
fn tags_are_the_items_own_else_those_its_body_repeats() {
    let shown_tags = |text: &str| {
        let seen = read_item(text.as_bytes())?;
        let Some(tags) = seen.item.tags else { return Ok::<_, String>("not told".to_owned()) };
        let shown: Vec<String> = tags.iter().map(|(k, v)| format!("{k}={v}")).collect();
        Ok(shown.join(" "))
    };
    let tags = |resource_type: &str, more: &str| shown_tags(&item(resource_type, more));
    const EIP: &str = "AWS::EC2::EIP";
    for (more, shown) in [
        (r#""tags":{"b":"2","a":"1","aws:x":"","A":"\u0007é"}"#, "A=\u{7}é a=1 aws:x= b=2"),
        (r#""tags":{},"configuration":{"tags":[{"key":"k","value":"v"}]}"#, ""),
        (r#""configuration":{"tags":[{"key":"k","value":"v"}]}"#, "k=v"),
        (r#""tags":null,"configuration":{"Tags":[{"Key":"k","Value":"v"}]}"#, "k=v"),
        (r#""configuration":{"tagSet":[{"key":"k","value":"v"}]}"#, "k=v"),
        (r#""configuration":{"tagList":[{"key":"k","value":""}]}"#, "k="),
        (r#""configuration":{"tags":{"k":"v"}}"#, "k=v"),
        (r#""configuration":"{\"tags\":{\"k\":\"v\"}}""#, "k=v"),
        (
            r#""configuration":{},"supplementaryConfiguration":{"Tags":[{"key":"k","value":"v"}]}"#,
            "k=v",
        ),
        (
            r#""configuration":{},"supplementaryConfiguration":{"tags":"[{\"key\":\"k\",\"value\":\"v\"}]"}"#,
            "k=v",
        ),
        // An empty list that was told is empty (semantics §11 row 38); what no member tells is not.
        (r#""configuration":{"tags":[]}"#, ""),
        (r#""tags":[],"configuration":{"tags":[{"key":"k","value":"v"}]}"#, ""),
        (r#""configuration":{},"supplementaryConfiguration":{"Tags":"[]"}"#, ""),
        (r#""configuration":{}"#, "not told"),
        (r#""tags":null,"configuration":{"tags":null}"#, "not told"),
        (r#""configuration":{},"supplementaryConfiguration":{"Tags":""}"#, "not told"),
        (r#""configuration":{"Tags":"none of ours"}"#, "not told"),
        // Without the value of one nobody knows what a filter would make of them.
        (r#""configuration":{"tagList":[{"key":"k"}]}"#, "not told"),
        (r#""tags":[{"key":"k","value":"v"},{"key":"l","value":null}]"#, "not told"),
        (r#""tags":[{"key":7,"value":"v"}]"#, "not told"),
        (r#""tags":{"k":"v","l":null}"#, "not told"),
        (r#""tags":{"l":7,"k":"v"}"#, "not told"),
        (r#""tags":{"l":true}"#, "not told"),
        (r#""tags":{"l":1.5}"#, "not told"),
        (r#""tags":{"l":{"value":-7}}"#, "not told"),
        (r#""tags":{"l":{"value":"v"}}"#, "l=v"),
    ] {
        assert_eq!(tags(EIP, more).as_deref(), Ok(shown), "{more}");
    }
    for (told, shown) in [(r#""tags":{}"#, "not told"), (r#""tags":{"k":"v"}"#, "k=v")] {
        let text = item(EIP, told).replace(r#""OK""#, r#""ResourceNotRecorded""#);
        assert_eq!(shown_tags(&text).as_deref(), Ok(shown), "{told}");
    }
    let odd = r#""configuration":{"ipPermissions":[],"tags":[{"notkey":"k"}]}"#;
    assert_eq!(tags(GROUP, odd).unwrap_err(), "`tags`: a tag without `key`");
    let odd = r#""tags":[{"key":{"a":1}}]"#;
    assert!(tags(EIP, odd).unwrap_err().contains("an object without `value`"));
}

#[test]
fn every_wanted_type_has_a_reader_and_no_other() {
    let wanted = ResourceType::NAMED.iter().filter(|named| reader_of(named).is_some()).count();
    assert_eq!(wanted, 25);
    assert!(reader_of(&ResourceType::EIP).is_none());
    // Old samples shout.
    assert_eq!(body("AWS::EC2::SECURITYGROUP", "{}"), Ok(Body::Unseen));
}
