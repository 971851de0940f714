use serde_json::json;

use super::*;
use crate::calls;
use crate::endpoint::Endpoints;

fn prepared(call: &Call, parameters: Value, endpoints: &Endpoints) -> Result<Prepared, String> {
    let Value::Object(parameters) = parameters else { panic!("{parameters}") };
    let endpoint = endpoints.of(call.service, "eu-west-1");
    prepare(call, &parameters, &endpoint, endpoints.is_named(call.service))
}

/// Method, URL without scheme, and body.
fn shown(call: &Call, parameters: Value) -> String {
    let request = prepared(call, parameters, &Endpoints::default()).unwrap();
    let query =
        if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
    let body = String::from_utf8(request.body).unwrap();
    format!("{} {}{}{query} {body}", request.method, request.authority, request.path)
}

#[test]
fn each_protocol_writes_its_requests() {
    let filter =
        json!({"MaxResults": 5, "Filter": [{"Name": "vpc-id", "Value": ["vpc-1", "vpc-2"]}]});
    assert_eq!(
        shown(&calls::DESCRIBE_SUBNETS, filter),
        "POST ec2.eu-west-1.amazonaws.com/ Action=DescribeSubnets&Version=2016-11-15&Filter.1.Name=vpc-id\
         &Filter.1.Value.1=vpc-1&Filter.1.Value.2=vpc-2&MaxResults=5"
    );
    assert_eq!(
        shown(&calls::DESCRIBE_LOAD_BALANCER_TAGS, json!({"ResourceArns": ["arn:a/b", "ü &"]})),
        "POST elasticloadbalancing.eu-west-1.amazonaws.com/ Action=DescribeTags&Version=2015-12-01\
         &ResourceArns.member.1=arn%3Aa%2Fb&ResourceArns.member.2=%C3%BC%20%26"
    );
    assert_eq!(
        shown(&calls::LIST_ACCOUNTS, json!({"MaxResults": 20})),
        "POST organizations.us-east-1.amazonaws.com/ {\"MaxResults\":20}"
    );
    assert_eq!(
        shown(&calls::GET_STAGES, json!({"restapi_id": "a/b"})),
        "GET apigateway.eu-west-1.amazonaws.com/restapis/a%2Fb/stages "
    );
    assert_eq!(
        shown(&calls::GET_RESOURCE_SHARES, json!({"resourceOwner": "SELF"})),
        "POST ram.eu-west-1.amazonaws.com/getresourceshares {\"resourceOwner\":\"SELF\"}"
    );
    assert_eq!(
        shown(&calls::LIST_DISTRIBUTIONS, json!({"MaxItems": 100, "Marker": "E1"})),
        "GET cloudfront.amazonaws.com/2020-05-31/distribution?Marker=E1&MaxItems=100 "
    );
}

#[test]
fn targets_and_types_are_in_the_head() {
    for (call, expected) in [
        (
            &calls::RECEIVE_MESSAGE,
            vec![
                ("content-type", "application/x-amz-json-1.0"),
                ("x-amz-target", "AmazonSQS.ReceiveMessage"),
            ],
        ),
        (
            &calls::SELECT_AGGREGATE_RESOURCE_CONFIG,
            vec![
                ("content-type", "application/x-amz-json-1.1"),
                ("x-amz-target", "StarlingDoveService.SelectAggregateResourceConfig"),
            ],
        ),
        (&calls::GET_REST_APIS, vec![("accept", "application/json")]),
    ] {
        let request = prepared(call, json!({}), &Endpoints::default()).unwrap();
        let headers: Vec<_> =
            request.headers.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(headers, expected, "{}", call.name());
    }
}

#[test]
fn buckets_are_hosts_where_they_can_be() {
    let list =
        |bucket: &str| shown(&calls::LIST_OBJECTS, json!({"Bucket": bucket, "prefix": "AWSLogs/"}));
    assert_eq!(
        list("logs-1"),
        "GET logs-1.s3.eu-west-1.amazonaws.com/?list-type=2&prefix=AWSLogs%2F "
    );
    assert_eq!(
        list("a.dotted.one"),
        "GET s3.eu-west-1.amazonaws.com/a.dotted.one?list-type=2&prefix=AWSLogs%2F "
    );
    assert_eq!(
        shown(
            &calls::GET_OBJECT,
            json!({"Bucket": "logs-1", "Key": "a b/c+d.gz", "versionId": "3"})
        ),
        "GET logs-1.s3.eu-west-1.amazonaws.com/a%20b/c%2Bd.gz?versionId=3 "
    );
    let named = Endpoints::every("http://localhost:9000/base").unwrap();
    let request =
        prepared(&calls::GET_OBJECT, json!({"Bucket": "logs-1", "Key": "k"}), &named).unwrap();
    assert_eq!(
        (&*request.authority, &*request.path, request.tls),
        ("localhost:9000", "/base/logs-1/k", false)
    );
}

#[test]
fn parameters_that_cannot_be_sent_are_refused() {
    for (call, parameters, expected) in [
        (&calls::GET_STAGES, json!({}), "the parameter `restapi_id` is missing"),
        (&calls::GET_STAGES, json!({"restapi_id": ""}), "the parameter `restapi_id` is empty"),
        (
            &calls::DESCRIBE_VPCS,
            json!({"NextToken": null}),
            "the parameter `NextToken` is no text or number",
        ),
        (
            &calls::GET_REST_APIS,
            json!({"limit": [1]}),
            "the parameter `limit` is no text or number",
        ),
    ] {
        assert_eq!(prepared(call, parameters, &Endpoints::default()).unwrap_err(), expected);
    }
    let of = |size: usize| {
        let body = json!({"Expression": "x".repeat(size - r#"{"Expression":""}"#.len())});
        prepared(&calls::SELECT_RESOURCE_CONFIG, body, &Endpoints::default())
            .map(|request| request.body.len())
    };
    assert_eq!(of(BODY_SIZE_MAX), Ok(BODY_SIZE_MAX));
    assert_eq!(of(BODY_SIZE_MAX + 1), Err(format!("a body of more than {BODY_SIZE_MAX} bytes")));
}
