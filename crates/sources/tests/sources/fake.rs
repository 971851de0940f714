//! A small AWS of one account: it answers each call of a collector from a table, a page at a time, and does wrong where it is
//! told to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::answers;

/// What it does wrong with a call, each time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    Deny,
    Throttle,
    Expire,
    NotEnabled,
    ServerError,
    /// The first page of two, and the second denied.
    HalfPage,
    /// A body that is no answer.
    Garbage,
    /// A well-formed answer without its list.
    Empty,
    /// A body shorter than its head says.
    Cut,
    Stall,
}

impl Fault {
    pub const ALL: [Self; 10] = [
        Self::Deny,
        Self::Throttle,
        Self::Expire,
        Self::NotEnabled,
        Self::ServerError,
        Self::HalfPage,
        Self::Garbage,
        Self::Empty,
        Self::Cut,
        Self::Stall,
    ];

    /// The code that a gap names: AWS's, or the client's own where no answer came.
    pub fn code(self) -> &'static str {
        match self {
            Self::Deny | Self::HalfPage => "AccessDeniedException",
            Self::Throttle => "ThrottlingException",
            Self::Expire => "ExpiredTokenException",
            Self::NotEnabled => "OptInRequired",
            Self::ServerError => "InternalFailure",
            Self::Garbage | Self::Empty => "MalformedAnswer",
            Self::Cut => "ConnectionFailed",
            Self::Stall => "FirstByteTimeout",
        }
    }
}

#[derive(Default)]
struct State {
    fault: Option<(String, Fault)>,
    asked: BTreeSet<String>,
    /// Calls that answer something else than the table says.
    other: BTreeMap<String, String>,
}

/// The server; it ends with the test's runtime.
#[derive(Clone)]
pub struct Fake {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Fake {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let fake = Self { port, state: Arc::default() };
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

    /// From now on this call fails in this way, and no other does.
    pub fn spoil(&self, call: &str, fault: Fault) {
        self.state.lock().unwrap().fault = Some((call.to_owned(), fault));
    }

    /// From now on nothing fails.
    pub fn heal(&self) {
        self.state.lock().unwrap().fault = None;
    }

    /// From now on a call answers this.
    pub fn answer(&self, call: &str, body: &str) {
        self.state.lock().unwrap().other.insert(call.to_owned(), body.to_owned());
    }

    /// Every call that was made.
    pub fn asked(&self) -> BTreeSet<String> {
        self.state.lock().unwrap().asked.clone()
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut buffer = Vec::new();
        while let Some((head, body)) = receive(&mut stream, &mut buffer).await {
            let call = call_of(&head, &body);
            let is_xml = answers::is_xml(&call);
            let fault = {
                let mut state = self.state.lock().unwrap();
                state.asked.insert(call.clone());
                let fault = state.fault.clone().filter(|(named, _)| *named == call);
                fault.map(|(_, fault)| fault)
            };
            let whole = || {
                let state = self.state.lock().unwrap();
                state.other.get(&call).cloned().unwrap_or_else(|| answers::answer(&call, &body))
            };
            let (status, text) = match fault {
                None => (200, whole()),
                Some(Fault::HalfPage) if !answers::goes_on(&head, &body) => {
                    match answers::with_token(&call, &whole()) {
                        Some(page) => (200, page),
                        None => refused(403, Fault::Deny.code(), is_xml),
                    }
                }
                Some(Fault::Garbage) => (200, "<<nothing {".to_owned()),
                Some(Fault::Empty) => (200, answers::empty(&call)),
                Some(Fault::ServerError) => refused(500, "InternalFailure", is_xml),
                Some(Fault::Throttle) => refused(400, Fault::Throttle.code(), is_xml),
                Some(Fault::Stall) => {
                    tokio::time::sleep(Duration::from_secs(30)).await;
                    return;
                }
                Some(Fault::Cut) => {
                    let text = whole();
                    let cut = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", text.len());
                    let half = text.len() / 2;
                    let _ = stream.write_all(cut.as_bytes()).await;
                    let _ = stream.write_all(&text.as_bytes()[..half]).await;
                    return;
                }
                Some(fault) => refused(403, fault.code(), is_xml),
            };
            let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", text.len());
            if stream.write_all(format!("{head}{text}").as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

fn refused(status: u16, code: &str, is_xml: bool) -> (u16, String) {
    let text = match is_xml {
        true => format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors></Response>"
        ),
        false => format!(r#"{{"__type":"{code}","message":"no"}}"#),
    };
    (status, text)
}

/// `service:Action` of a request.
fn call_of(head: &str, body: &str) -> String {
    let line = head.lines().next().unwrap_or_default();
    let path = line.split(' ').nth(1).unwrap_or_default();
    let target = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("x-amz-target").then(|| value.to_owned())
    });
    if let Some(target) = target {
        let (service, action) = target.split_once('.').unwrap();
        let service = match service {
            "AWSShield_20160616" => "shield",
            "AWSWAF_20190729" => "wafv2",
            "AWSWAF_20150824" => "waf",
            "AWSWAF_Regional_20161128" => "waf-regional",
            "NetworkFirewall_20201112" => "network-firewall",
            "Route53Resolver" => "route53resolver",
            "AWSOrganizationsV20161128" => "organizations",
            other => panic!("service {other}"),
        };
        return format!("{service}:{action}");
    }
    if let Some(action) = form(body, "Action") {
        let service = match form(body, "Version").unwrap().as_str() {
            "2016-11-15" => "ec2",
            "2012-06-01" => "elb",
            "2015-12-01" => "elbv2",
            "2011-06-15" => "sts",
            other => panic!("version {other}"),
        };
        return format!("{service}:{action}");
    }
    match path.split(['/', '?']).collect::<Vec<_>>().as_slice() {
        [_, "restapis", _, "stages", ..] => "apigateway:GetStages".to_owned(),
        [_, "restapis", ..] => "apigateway:GetRestApis".to_owned(),
        [_, "2020-05-31", "distribution", ..] => "cloudfront:ListDistributions".to_owned(),
        [_, "2020-05-31", "tagging", ..] => "cloudfront:ListTagsForResource".to_owned(),
        other => panic!("path {other:?}"),
    }
}

/// A member of a form.
pub fn form(body: &str, name: &str) -> Option<String> {
    body.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key == name).then(|| value.to_owned())
    })
}

async fn receive(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<(String, String)> {
    loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
            });
            let length: usize = length.unwrap_or_default();
            if buffer.len() >= end + 4 + length {
                let body = String::from_utf8_lossy(&buffer[end + 4..end + 4 + length]).into_owned();
                buffer.drain(..end + 4 + length);
                return Some((head, body));
            }
        }
        let mut more = [0; 16_384];
        match stream.read(&mut more).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => buffer.extend_from_slice(&more[..count]),
        }
    }
}
