//! A small AWS: it checks signatures, pages, begins sessions, and does wrong where it is told to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use palisade_wire::sigv4::{Credential, Payload, RequestParts, Secret, Settings, verify};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::world::World;

/// What the fake does wrong with one request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    Throttle,
    Deny,
    Expire,
    OptIn,
    ServerError,
    /// 503 with a page for people.
    BadGateway,
    /// No answer at all.
    Stall,
    /// A head, and no end of the body.
    StallInBody,
    /// A body shorter than its head says.
    Cut,
    /// A body that ends with the connection, in its middle.
    CutWithoutLength,
    /// The connection ends without an answer.
    Reset,
    /// A body that is no JSON and no XML.
    Garbage,
    /// A well-formed answer without anything.
    Empty,
    /// A well-formed answer of something else.
    Other,
    /// The token of the page before once more.
    RepeatToken,
    /// A page that is longer than is read.
    TooLong,
}

impl Fault {
    pub const ALL: [Self; 16] = [
        Self::Throttle,
        Self::Deny,
        Self::Expire,
        Self::OptIn,
        Self::ServerError,
        Self::BadGateway,
        Self::Stall,
        Self::StallInBody,
        Self::Cut,
        Self::CutWithoutLength,
        Self::Reset,
        Self::Garbage,
        Self::Empty,
        Self::Other,
        Self::RepeatToken,
        Self::TooLong,
    ];
}

/// When a fault happens: at which request of an account's call, counted from 0.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub fault: Fault,
    pub from: usize,
    /// How many requests it spoils.
    pub times: usize,
}

/// A request that the fake took for signed.
#[derive(Clone, Debug)]
pub struct Seen {
    pub service: String,
    pub action: String,
    pub region: String,
    pub key: String,
    pub parameters: BTreeMap<String, String>,
}

#[derive(Default)]
struct State {
    seen: Vec<Seen>,
    counts: BTreeMap<(String, String), usize>,
    plans: BTreeMap<(String, String), Plan>,
    /// Sessions by access key id: account, secret, token, end.
    sessions: BTreeMap<String, (String, String, String, i64)>,
    external_id: Option<String>,
}

/// The server; it ends with the test's runtime.
#[derive(Clone)]
pub struct Fake {
    port: u16,
    state: Arc<Mutex<State>>,
    world: Arc<World>,
}

/// Members of each listing, and of each page.
pub const ITEMS: usize = 7;
pub const PAGE: usize = 3;
pub const PAGES: u32 = 3;

struct Asked {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

enum Reply {
    Whole(u16, String, Vec<u8>),
    /// Bytes as they are, then silence or the end of the connection.
    Raw(Vec<u8>, bool),
}

impl Fake {
    pub async fn start(world: &Arc<World>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Self {
            port: listener.local_addr().unwrap().port(),
            state: Arc::new(Mutex::new(State::default())),
            world: world.clone(),
        };
        let serving = fake.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        fake
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The secret of an account's lasting key.
    pub fn secret(account: &str) -> String {
        format!("secret-of-{account}")
    }

    /// Spoils a call of an account.
    pub fn plan(&self, account: &str, call: &str, plan: Plan) {
        self.state.lock().unwrap().plans.insert((account.to_owned(), call.to_owned()), plan);
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }

    pub fn count(&self, call: &str) -> usize {
        self.seen()
            .iter()
            .filter(|seen| format!("{}:{}", seen.service, seen.action) == call)
            .count()
    }

    pub fn ask_for_external_id(&self, id: &str) {
        self.state.lock().unwrap().external_id = Some(id.to_owned());
    }

    /// Ends all sessions before their time.
    pub fn end_sessions(&self) {
        for (_, _, _, end) in self.state.lock().unwrap().sessions.values_mut() {
            *end = 0;
        }
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut buffer = Vec::new();
        while let Some(asked) = receive(&mut stream, &mut buffer).await {
            let is_head = asked.method == "HEAD";
            match self.answer(&asked) {
                Reply::Whole(status, more, body) => {
                    let mut bytes = head(
                        status,
                        &self.date(),
                        &format!("{more}content-length: {}\r\n", body.len()),
                    );
                    if !is_head {
                        bytes.extend(body);
                    }
                    if stream.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Reply::Raw(bytes, stalls) => {
                    let _ = stream.write_all(&bytes).await;
                    if stalls {
                        tokio::time::sleep(Duration::from_secs(60)).await;
                    }
                    return;
                }
            }
        }
    }

    fn date(&self) -> String {
        let moment = self.world.right_ms() / 1000;
        let day = moment.div_euclid(86_400) - 20_787;
        let (h, m, s) = (moment / 3600 % 24, moment / 60 % 60, moment % 60);
        // The tests end within the day they begin in.
        assert_eq!(day, 0);
        format!("Mon, 30 Nov 2026 {h:02}:{m:02}:{s:02} GMT")
    }

    fn answer(&self, asked: &Asked) -> Reply {
        let call = Named::of(asked);
        let account = match self.caller(asked, &call) {
            Ok(account) => account,
            Err((code, message)) => return refusal(&call, 403, &code, &message),
        };
        let fault = {
            let mut state = self.state.lock().unwrap();
            state.seen.push(Seen {
                service: call.service.clone(),
                action: call.action.clone(),
                region: call.region.clone(),
                key: call.key.clone(),
                parameters: call.parameters.clone(),
            });
            let key = (account.clone(), format!("{}:{}", call.service, call.action));
            let count = state.counts.entry(key.clone()).or_default();
            let place = *count;
            *count += 1;
            let is_hit =
                |plan: &&Plan| place >= plan.from && place < plan.from.saturating_add(plan.times);
            state.plans.get(&key).filter(is_hit).map(|plan| plan.fault)
        };
        match fault {
            Some(fault) => self.spoil(fault, &call, &account),
            None => self.right(&call, &account),
        }
    }

    /// The account that signed, by Palisade's own check of signatures.
    fn caller(&self, asked: &Asked, call: &Named) -> Result<String, (String, String)> {
        let state = self.state.lock().unwrap();
        let of_key = |key: &str| match state.sessions.get(key) {
            Some((account, secret, token, end)) => Some((
                account.clone(),
                Credential {
                    secret: Secret::new(secret.as_str()),
                    session_token: Some(Secret::new(token.as_str())),
                    active: true,
                    expires_ms: Some(*end),
                },
            )),
            None => key.strip_prefix("AKIA").map(|account| {
                (account.to_owned(), Credential::lasting(Secret::new(Fake::secret(account))))
            }),
        };
        let parts = RequestParts {
            method: &asked.method,
            path: &asked.path,
            query: &asked.query,
            headers: &asked.headers,
            payload: Payload::Bytes(&asked.body),
        };
        let settings =
            Settings { service: call.signed_for.clone(), region: None, clock_window_secs: 300 };
        let found = verify(
            &parts,
            |key| Ok(of_key(key).map(|(_, credential)| credential)),
            self.world.right_ms(),
            &settings,
        );
        match found {
            Ok(verified) => Ok(of_key(&verified.access_key_id).unwrap().0),
            Err(fault) => Err((fault.kind.name().to_owned(), fault.message.clone())),
        }
    }

    fn right(&self, call: &Named, account: &str) -> Reply {
        match (&*call.service, &*call.action) {
            ("sts", "AssumeRole") => self.session(call),
            ("sts", "GetCallerIdentity") => whole(format!(
                "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
                 <Account>{account}</Account><Arn>arn</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>"
            )),
            ("s3", "GetObject") => whole("contents".to_owned()),
            ("s3", "HeadObject") => {
                Reply::Whole(200, "etag: \"e\"\r\n".to_owned(), b"contents".to_vec())
            }
            ("sqs", "ReceiveMessage") => whole("{}".to_owned()),
            ("sqs", "DeleteMessage") => whole(String::new()),
            ("ec2", "DescribeAddresses") => whole(
                "<DescribeAddressesResponse><addressesSet/></DescribeAddressesResponse>".to_owned(),
            ),
            _ => whole(page(call, call.start())),
        }
    }

    fn session(&self, call: &Named) -> Reply {
        let mut state = self.state.lock().unwrap();
        let role = call.parameters.get("RoleArn").cloned().unwrap_or_default();
        if state
            .external_id
            .as_ref()
            .is_some_and(|id| call.parameters.get("ExternalId") != Some(id))
        {
            let message =
                format!("User is not authorized to perform: sts:AssumeRole on resource: {role}");
            return refusal(call, 403, "AccessDenied", &message);
        }
        let account = role.split(':').nth(4).unwrap_or_default().to_owned();
        let key = format!("ASIA{account}{}", state.sessions.len());
        let (secret, token) = (format!("session-secret-{key}"), format!("session-token-{key}"));
        let end = self.world.right_ms() + 3_600_000;
        let expiration = format!(
            "2026-11-30T{:02}:{:02}:{:02}Z",
            end / 3_600_000 % 24,
            end / 60_000 % 60,
            end / 1000 % 60
        );
        state.sessions.insert(key.clone(), (account, secret.clone(), token.clone(), end));
        whole(format!(
            "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{key}</AccessKeyId>\
             <SecretAccessKey>{secret}</SecretAccessKey><SessionToken>{token}</SessionToken>\
             <Expiration>{expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
        ))
    }

    fn spoil(&self, fault: Fault, call: &Named, account: &str) -> Reply {
        let right = || match self.right(call, account) {
            Reply::Whole(_, _, body) => body,
            Reply::Raw(..) => unreachable!("right answers are whole"),
        };
        match fault {
            Fault::Throttle if call.is_xml => {
                refusal(call, 503, "RequestLimitExceeded", "Request limit exceeded.")
            }
            Fault::Throttle => refusal(call, 400, "ThrottlingException", "Rate exceeded"),
            Fault::Deny if call.is_xml => {
                refusal(call, 403, "UnauthorizedOperation", "not authorized")
            }
            Fault::Deny => refusal(
                call,
                400,
                "AccessDeniedException",
                "explicit deny in a service control policy",
            ),
            Fault::Expire => refusal(
                call,
                403,
                "ExpiredToken",
                "The security token included in the request is expired",
            ),
            Fault::OptIn => {
                refusal(call, 403, "OptInRequired", "You are not subscribed to this service.")
            }
            Fault::ServerError => refusal(call, 500, "InternalFailure", "try again"),
            Fault::BadGateway => {
                Reply::Whole(503, String::new(), b"<html>\n<body>Service Unavailable".to_vec())
            }
            Fault::Stall => Reply::Raw(Vec::new(), true),
            Fault::Reset => Reply::Raw(Vec::new(), false),
            Fault::Cut | Fault::StallInBody => {
                let body = right();
                let mut bytes =
                    head(200, &self.date(), &format!("content-length: {}\r\n", body.len()));
                bytes.extend(&body[..body.len() / 2]);
                Reply::Raw(bytes, fault == Fault::StallInBody)
            }
            Fault::CutWithoutLength => {
                let body = right();
                let mut bytes = head(200, &self.date(), "connection: close\r\n");
                bytes.extend(&body[..body.len() / 2]);
                Reply::Raw(bytes, false)
            }
            Fault::Garbage => whole("]<not anything>".to_owned()),
            Fault::Empty if call.is_xml => whole(format!("<{0}></{0}>", call.root())),
            Fault::Empty => whole("{}".to_owned()),
            Fault::Other if call.is_xml => {
                whole("<SomethingElse><ok>true</ok></SomethingElse>".to_owned())
            }
            Fault::Other => whole("[{\"ok\":true}]".to_owned()),
            // The page before this one, whose token was followed to come here.
            Fault::RepeatToken => whole(page(call, call.start().saturating_sub(PAGE))),
            Fault::TooLong => {
                whole(format!("{}{}", String::from_utf8(right()).unwrap(), " ".repeat(64 * 1024)))
            }
        }
    }
}

/// What a request asks for.
struct Named {
    service: String,
    signed_for: String,
    action: String,
    region: String,
    key: String,
    parameters: BTreeMap<String, String>,
    is_xml: bool,
}

impl Named {
    fn of(asked: &Asked) -> Self {
        let header = |name: &str| {
            asked.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
        };
        let scope = header("authorization")
            .and_then(|text| text.split("Credential=").nth(1))
            .unwrap_or_default();
        let scope: Vec<&str> = scope.split([',', '/']).collect();
        let part = |place: usize| scope.get(place).copied().unwrap_or_default().to_owned();
        let (key, region, signed_for) = (part(0), part(2), part(3));
        let mut parameters = BTreeMap::new();
        let text = String::from_utf8_lossy(&asked.body);
        let form = if text.starts_with("Action=") { &*text } else { &*asked.query };
        for pair in form.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            parameters.insert(plain(name), plain(value));
        }
        if let Ok(Value::Object(members)) = serde_json::from_slice(&asked.body) {
            for (name, value) in members {
                parameters
                    .insert(name, value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            }
        }
        let action = match header("x-amz-target") {
            Some(target) => target.split('.').next_back().unwrap().to_owned(),
            None => match (&*signed_for, &*asked.method, &*asked.path) {
                ("apigateway", ..) => "GetRestApis".to_owned(),
                ("ram", ..) => "GetResourceShares".to_owned(),
                ("cloudfront", ..) => "ListDistributions".to_owned(),
                ("s3", "HEAD", _) => "HeadObject".to_owned(),
                ("s3", ..) if parameters.contains_key("list-type") => "ListObjectsV2".to_owned(),
                ("s3", ..) => "GetObject".to_owned(),
                _ => parameters.get("Action").cloned().unwrap_or_default(),
            },
        };
        let service = match &*signed_for {
            "elasticloadbalancing"
                if parameters.get("Version").is_some_and(|version| version == "2015-12-01") =>
            {
                "elbv2"
            }
            "elasticloadbalancing" => "elb",
            other => other,
        };
        let is_xml = matches!(service, "ec2" | "elb" | "elbv2" | "sts" | "s3" | "cloudfront");
        Self { service: service.to_owned(), signed_for, action, region, key, parameters, is_xml }
    }

    /// The element that an answer in XML begins with.
    fn root(&self) -> String {
        match &*self.service {
            "s3" => "ListBucketResult".to_owned(),
            "cloudfront" => "DistributionList".to_owned(),
            _ => format!("{}Response", self.action),
        }
    }

    /// Where the page that is asked for begins.
    fn start(&self) -> usize {
        let names =
            ["NextToken", "nextToken", "Marker", "NextMarker", "position", "continuation-token"];
        let token = names.iter().find_map(|name| self.parameters.get(*name));
        token.map_or(0, |token| token.strip_prefix("after-").unwrap().parse().unwrap())
    }
}

/// The page of a listing that begins with the member of this number.
fn page(call: &Named, start: usize) -> String {
    let end = (start + PAGE).min(ITEMS);
    let token = (end < ITEMS).then(|| format!("after-{end}"));
    let ids: Vec<String> = (start..end).map(|place| format!("id-{place}")).collect();
    let element = |name: &str, text: &str| format!("<{name}>{text}</{name}>");
    let optional =
        |name: &str| token.as_ref().map(|token| element(name, token)).unwrap_or_default();
    let all = |open: &str, close: &str| {
        ids.iter().map(|id| format!("{open}{id}{close}")).collect::<String>()
    };
    let object = |list: &str, id: &str, next: &str| {
        let mut whole =
            json!({ list: ids.iter().map(|found| json!({ id: found })).collect::<Vec<_>>() });
        if let Some(token) = &token {
            whole[next] = json!(token);
        }
        whole.to_string()
    };
    match (&*call.service, &*call.action) {
        ("ec2", "DescribeVpcs") => format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DescribeVpcsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\
             <requestId>r</requestId><vpcSet>{}</vpcSet>{}</DescribeVpcsResponse>",
            all("<item><vpcId>", "</vpcId><isDefault>false</isDefault></item>"),
            optional("nextToken")
        ),
        ("elbv2", "DescribeLoadBalancers") => format!(
            "<DescribeLoadBalancersResponse><DescribeLoadBalancersResult><LoadBalancers>{}</LoadBalancers>{}\
             </DescribeLoadBalancersResult></DescribeLoadBalancersResponse>",
            all("<member><LoadBalancerArn>", "</LoadBalancerArn></member>"),
            optional("NextMarker")
        ),
        ("s3", _) => format!(
            "<ListBucketResult><IsTruncated>{}</IsTruncated>{}{}</ListBucketResult>",
            token.is_some(),
            all("<Contents><Key>", "</Key></Contents>"),
            optional("NextContinuationToken")
        ),
        ("cloudfront", _) => format!(
            "<DistributionList><Marker></Marker>{}<IsTruncated>{}</IsTruncated><Quantity>{}</Quantity><Items>{}</Items>\
             </DistributionList>",
            optional("NextMarker"),
            token.is_some(),
            ids.len(),
            all("<DistributionSummary><Id>", "</Id></DistributionSummary>")
        ),
        ("organizations", _) => object("Accounts", "Id", "NextToken"),
        ("network-firewall", _) => object("Firewalls", "FirewallArn", "NextToken"),
        ("apigateway", _) => object("item", "id", "position"),
        ("ram", _) => object("resourceShares", "resourceShareArn", "nextToken"),
        other => panic!("the fake does not know {other:?}"),
    }
}

fn whole(body: String) -> Reply {
    Reply::Whole(200, "x-amzn-requestid: req-1\r\n".to_owned(), body.into_bytes())
}

fn refusal(call: &Named, status: u16, code: &str, message: &str) -> Reply {
    let body = match &*call.service {
        "ec2" => format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>\
             <RequestID>req-2</RequestID></Response>"
        ),
        "s3" => format!(
            "<Error><Code>{code}</Code><Message>{message}</Message><RequestId>req-2</RequestId></Error>"
        ),
        _ if call.is_xml => format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
             <RequestId>req-2</RequestId></ErrorResponse>"
        ),
        _ => json!({ "__type": format!("com.amazonaws.x#{code}"), "message": message }).to_string(),
    };
    Reply::Whole(status, "x-amzn-requestid: req-2\r\n".to_owned(), body.into_bytes())
}

fn head(status: u16, date: &str, more: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Whatever\r\ndate: {date}\r\n{more}\r\n").into_bytes()
}

fn plain(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        if let (b'%', [high, low, ..]) = (first, after) {
            let digits = [*high, *low];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// The next request of a connection.
async fn receive(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Asked> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8(buffer[..end].to_vec()).unwrap();
    let mut lines = text.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().unwrap());
    while buffer.len() < end + 4 + length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let body = buffer[end + 4..end + 4 + length].to_vec();
    buffer.drain(..end + 4 + length);
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Some(Asked { method, path: path.to_owned(), query: query.to_owned(), headers, body })
}
