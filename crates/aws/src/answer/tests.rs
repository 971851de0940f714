use serde_json::json;

use super::*;
use crate::calls;

fn raw(status: u16, headers: &[(&'static str, &str)], body: &str) -> Raw {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    Raw {
        status: StatusCode::from_u16(status).unwrap(),
        headers: map,
        body: body.as_bytes().to_vec(),
    }
}

#[test]
fn refusals_of_each_protocol_tell_code_message_and_request() {
    for (call, status, headers, body, code, message, id) in [
        (
            &calls::DESCRIBE_VPCS,
            403,
            vec![],
            "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You may not.</Message></Error></Errors>\
             <RequestID>r-1</RequestID></Response>",
            "UnauthorizedOperation",
            "You may not.",
            Some("r-1"),
        ),
        (
            &calls::ASSUME_ROLE,
            403,
            vec![],
            "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>No &amp; no.</Message></Error>\
             <RequestId>r-2</RequestId></ErrorResponse>",
            "AccessDenied",
            "No & no.",
            Some("r-2"),
        ),
        (
            &calls::LIST_OBJECTS,
            404,
            vec![],
            "<Error><Code>NoSuchBucket</Code><Message>None.</Message><RequestId>r-3</RequestId></Error>",
            "NoSuchBucket",
            "None.",
            Some("r-3"),
        ),
        (
            &calls::LIST_ACCOUNTS,
            400,
            vec![("x-amzn-requestid", "r-4")],
            r#"{"__type":"com.amazonaws.organizations#AccessDeniedException","Message":"You may not."}"#,
            "AccessDeniedException",
            "You may not.",
            Some("r-4"),
        ),
        (
            &calls::GET_REST_APIS,
            403,
            vec![
                ("x-amzn-errortype", "AccessDeniedException:http://internal.amazon.com/x"),
                ("x-amzn-requestid", "r-5"),
            ],
            r#"{"message":"You may not."}"#,
            "AccessDeniedException",
            "You may not.",
            Some("r-5"),
        ),
        (&calls::HEAD_OBJECT, 404, vec![], "", "NotFound", "status 404 without a message", None),
        (
            &calls::DESCRIBE_VPCS,
            503,
            vec![],
            "<html>",
            codes::NO_CODE,
            "status 503 without a message",
            None,
        ),
        (
            &calls::LIST_OBJECTS,
            301,
            vec![("x-amz-bucket-region", "eu-central-1")],
            "<Error><Code>PermanentRedirect</Code><Message>Elsewhere.</Message></Error>",
            "PermanentRedirect",
            "Elsewhere. (the bucket is in Region `eu-central-1`)",
            None,
        ),
    ] {
        let failure = read(call, &raw(status, &headers, body)).unwrap_err();
        assert_eq!((&*failure.code, &*failure.message), (code, message));
        assert_eq!((failure.status, failure.request_id.as_deref()), (Some(status), id), "{code}");
        assert_eq!(failure.passing, status >= 500, "{code}");
    }
}

#[test]
fn an_answer_without_its_list_is_malformed_unless_aws_leaves_empty_ones_out() {
    for (call, body, expected) in [
        (&calls::LIST_ACCOUNTS, r#"{"Accounts":[]}"#, Ok(json!({"Accounts": []}))),
        (&calls::LIST_ACCOUNTS, "{}", Err("the answer has no `Accounts`")),
        (&calls::LIST_ACCOUNTS, r#"{"Accounts":null}"#, Err("the answer has no `Accounts`")),
        (&calls::LIST_ACCOUNTS, r#"{"Accounts":{}}"#, Err("`Accounts` is no list")),
        (&calls::LIST_ACCOUNTS, "", Err("no JSON: EOF while parsing a value at line 1 column 0")),
        (
            &calls::LIST_TAGS_FOR_WAF_RESOURCE,
            r#"{"TagInfoForResource":{}}"#,
            Err("the answer has no `TagInfoForResource/TagList`"),
        ),
        (&calls::RECEIVE_MESSAGE, "{}", Ok(json!({}))),
        (&calls::DELETE_MESSAGE, "", Ok(json!({}))),
        (&calls::GET_WEB_ACL, "7", Err("JSON that is no object")),
        (
            &calls::DESCRIBE_VPCS,
            "<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>",
            Ok(json!({"Vpcs": []})),
        ),
        (
            &calls::DESCRIBE_VPCS,
            "<DescribeVpcsResponse><requestId>r</requestId></DescribeVpcsResponse>",
            Err("the answer has no `Vpcs`"),
        ),
        (
            &calls::LIST_OBJECTS,
            "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>",
            Ok(json!({"IsTruncated": false})),
        ),
        (
            &calls::LIST_OBJECTS,
            "<ListBucketResult></ListBucketResult>",
            Err("the answer has no `Contents`"),
        ),
        (
            &calls::LIST_DISTRIBUTIONS,
            "<DistributionList><IsTruncated>false</IsTruncated><Quantity>0</Quantity></DistributionList>",
            Ok(json!({"DistributionList": {"IsTruncated": false, "Quantity": 0}})),
        ),
    ] {
        let answer = read(call, &raw(200, &[], body)).map_err(|failure| {
            assert_eq!((failure.reason, failure.status), (Reason::Malformed, Some(200)));
            failure.message.to_string()
        });
        assert_eq!(answer, expected.map_err(str::to_owned), "{} {body}", call.name());
    }
}

#[test]
fn a_message_has_a_greatest_length() {
    let of = |length: usize| {
        let body = json!({"__type": "X", "message": "ü".repeat(length)}).to_string();
        read(&calls::LIST_ACCOUNTS, &raw(400, &[], &body)).unwrap_err().message.chars().count()
    };
    assert_eq!(of(MESSAGE_LENGTH_MAX), MESSAGE_LENGTH_MAX);
    assert_eq!(of(MESSAGE_LENGTH_MAX + 1), MESSAGE_LENGTH_MAX);
}

#[test]
fn the_date_of_an_answer_is_read() {
    let of = |text: &str| date(&raw(200, &[("date", text)], "").headers);
    assert_eq!(of("Mon, 30 Nov 2026 12:00:00 GMT"), Some(1_796_040_000_000));
    assert_eq!(of("yesterday"), None);
}
