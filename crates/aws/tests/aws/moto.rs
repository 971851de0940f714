//! The calls against moto, whose answers nobody here wrote. Skipped where `moto_server` is not installed.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use palisade_aws::{
    CallError, Client, Credentials, Endpoints, Reason, Role, Settings, Target, calls,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::rustls::RootCertStore;

use crate::world::{World, keys, parameters, target};

/// A running moto; it ends with the test.
struct Moto {
    child: Child,
    url: String,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn moto() -> Option<Moto> {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let started = Command::new("moto_server")
        .args(["-H", "127.0.0.1", "-p", &port.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(child) = started else {
        palisade_testkit::skipped("`moto_server` is not installed");
        return None;
    };
    let moto = Moto { child, url: format!("http://127.0.0.1:{port}") };
    for _ in 0..600 {
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return Some(moto);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("moto_server does not listen within a minute");
}

fn client(moto: &Moto) -> Client {
    let limits = palisade_aws::Limits {
        first_byte: Duration::from_secs(60),
        ..palisade_aws::Limits::default()
    };
    let endpoints = Endpoints::every(&moto.url).unwrap();
    // moto answers 500 to what it does not know: nothing to try again.
    let settings = Settings { endpoints, limits, attempts: 1, ..Settings::default() };
    // It does not look at the time of a signature.
    Client::new(settings, RootCertStore::empty(), Arc::new(World::default())).unwrap()
}

/// What moto takes for the organization's management account.
const ACCOUNT: &str = "123456789012";

impl Moto {
    /// A request as no row of the table makes one; moto looks at no signature.
    async fn make(&self, service: &str, first: &str, more: &str, body: &str) {
        let address = self.url.trim_start_matches("http://");
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let credential = format!("AKIA{ACCOUNT}/20261130/us-east-1/{service}/aws4_request");
        let request = format!(
            "{first} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{more}\
             authorization: AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.split(' ').nth(1).is_some_and(|status| status.starts_with('2')),
            "{first}: {answer}"
        );
    }

    async fn json(&self, service: &str, target: &str, body: Value) {
        let more =
            format!("x-amz-target: {target}\r\ncontent-type: application/x-amz-json-1.1\r\n");
        self.make(service, "POST /", &more, &body.to_string()).await;
    }
}

async fn list(
    client: &Client,
    call: &'static palisade_aws::Call,
    given: Value,
) -> Result<Vec<Value>, CallError> {
    let to = target(ACCOUNT, "us-east-1");
    client.list(&to, call, parameters(given)).all(10_000).await.map(|(items, _)| items)
}

/// Which calls moto answers without anything being made, and with how many members at least.
const ANSWERED: &[(&str, usize)] = &[
    ("apigateway:GetRestApis", 0),
    ("cloudfront:ListDistributions", 0),
    ("config:DescribeConfigurationRecorderStatus", 0),
    ("config:DescribeConfigurationRecorders", 0),
    ("ec2:DescribeAddresses", 0),
    ("ec2:DescribeInstances", 0),
    ("ec2:DescribeInternetGateways", 0),
    ("ec2:DescribeManagedPrefixLists", 1),
    ("ec2:DescribeNetworkAcls", 1),
    ("ec2:DescribeNetworkInterfaces", 0),
    ("ec2:DescribeRegions", 17),
    ("ec2:DescribeRouteTables", 1),
    ("ec2:DescribeSecurityGroups", 1),
    ("ec2:DescribeSubnets", 1),
    ("ec2:DescribeVpcEndpoints", 0),
    ("ec2:DescribeVpcPeeringConnections", 0),
    ("ec2:DescribeVpcs", 1),
    ("elb:DescribeLoadBalancers", 0),
    ("elbv2:DescribeLoadBalancers", 0),
    ("network-firewall:ListFirewalls", 0),
    ("shield:ListProtections", 0),
    ("wafv2:ListRuleGroups", 0),
    ("wafv2:ListWebACLs", 0),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_of_moto_are_read_and_what_it_does_not_know_is_an_error() {
    let Some(moto) = moto().await else { return };
    let client = client(&moto);
    for call in calls::all().filter(|call| call.items.path().is_some()) {
        let scope = json!({"Scope": "REGIONAL"});
        let given = if call.service.name() == "wafv2" { scope } else { json!({}) };
        let expected = ANSWERED.iter().find(|(name, _)| *name == call.name());
        match (list(&client, call, given).await, expected) {
            (Ok(items), Some((name, least))) => {
                assert!(items.len() >= *least, "{name}: {}", items.len())
            }
            (Err(error), Some(_)) => panic!("{error}"),
            (Err(error), None) => assert_ne!(error.reason, Reason::Malformed, "{error}"),
            (Ok(_), None) => {}
        }
    }
    let groups = list(&client, &calls::DESCRIBE_SECURITY_GROUPS, json!({})).await.unwrap();
    assert_eq!(
        groups[0]["IpPermissionsEgress"][0]["IpRanges"],
        json!([{"CidrIp": "0.0.0.0/0"}]),
        "{groups:?}"
    );
    let vpcs = list(&client, &calls::DESCRIBE_VPCS, json!({})).await.unwrap();
    assert_eq!(
        (&vpcs[0]["IsDefault"], &vpcs[0]["CidrBlock"]),
        (&json!(true), &json!("172.31.0.0/16"))
    );

    // An organization of more than a page of accounts, and a session in one of them.
    moto.json(
        "organizations",
        "AWSOrganizationsV20161128.CreateOrganization",
        json!({"FeatureSet": "ALL"}),
    )
    .await;
    for number in 0..45 {
        let account = json!({"AccountName": format!("a-{number}"), "Email": format!("a-{number}@example.com")});
        moto.json("organizations", "AWSOrganizationsV20161128.CreateAccount", account).await;
    }
    let accounts = list(&client, &calls::LIST_ACCOUNTS, json!({})).await.unwrap();
    assert_eq!(accounts.len(), 46);
    let member = accounts
        .iter()
        .map(|account| account["Id"].as_str().unwrap())
        .find(|id| *id != ACCOUNT)
        .unwrap();
    let role = Role {
        arn: format!("arn:aws:iam::{member}:role/PalisadeReadOnly").into(),
        external_id: None,
        session_name: "palisade-test".into(),
        session_secs: 3600,
        session_policy: None,
        sts_region: "us-east-1".into(),
        of: Credentials::fixed(keys(ACCOUNT)),
    };
    let to = Target {
        account: member.into(),
        region: "us-east-1".into(),
        credentials: Credentials::role(role).unwrap(),
    };
    let identity =
        client.call(&to, &calls::GET_CALLER_IDENTITY, &parameters(json!({}))).await.unwrap();
    assert_eq!(identity["Account"], json!(member));
    let (vpcs, _) =
        client.list(&to, &calls::DESCRIBE_VPCS, parameters(json!({}))).all(10).await.unwrap();
    assert_eq!(vpcs[0]["OwnerId"], json!(member));

    // Objects of a bucket, three pages of them, and a queue.
    moto.make("s3", "PUT /logs", "", "").await;
    for number in 0..5 {
        moto.make("s3", &format!("PUT /logs/AWSLogs/a%20b%2B{number}.json"), "", "contents").await;
    }
    let given = json!({"Bucket": "logs", "prefix": "AWSLogs/", "max-keys": 2});
    let objects = list(&client, &calls::LIST_OBJECTS, given).await.unwrap();
    assert_eq!((objects.len(), &objects[4]["Key"]), (5, &json!("AWSLogs/a b+4.json")));
    assert_eq!(objects[4]["Size"], json!(8));
    let own = target(ACCOUNT, "us-east-1");
    let object = parameters(json!({"Bucket": "logs", "Key": objects[4]["Key"]}));
    assert_eq!(
        client.fetch(&own, &calls::GET_OBJECT, &object, 100).await.unwrap().body,
        b"contents"
    );
    let head = client.call(&own, &calls::HEAD_OBJECT, &object).await.unwrap();
    assert_eq!(head["content-length"], json!("8"));
    let missing = parameters(json!({"Bucket": "logs", "Key": "none"}));
    let error = client.call(&own, &calls::HEAD_OBJECT, &missing).await.unwrap_err();
    assert_eq!((&*error.code, error.status), ("NotFound", Some(404)));

    moto.json("sqs", "AmazonSQS.CreateQueue", json!({"QueueName": "changes"})).await;
    let queue = format!("{}/{ACCOUNT}/changes", moto.url);
    moto.json("sqs", "AmazonSQS.SendMessage", json!({"QueueUrl": queue, "MessageBody": "{}"}))
        .await;
    let messages =
        list(&client, &calls::RECEIVE_MESSAGE, json!({"QueueUrl": queue})).await.unwrap();
    assert_eq!(messages.len(), 1);
    let done = json!({"QueueUrl": queue, "ReceiptHandle": messages[0]["ReceiptHandle"]});
    client.call(&own, &calls::DELETE_MESSAGE, &parameters(done)).await.unwrap();
    assert_eq!(
        list(&client, &calls::RECEIVE_MESSAGE, json!({"QueueUrl": queue})).await.unwrap().len(),
        0
    );
}
