//! What client commands speak to a server with: signed calls over HTTP, and its errors in one line.

mod delivered;
mod encoded;
mod patience;
mod refusal;

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use palisade_api::Clock as _;
use palisade_wire::sigv4::{Payload, RequestParts, Secret, Signer, sign};
use serde_json::Value;
use sha2::{Digest, Sha256};
use ureq::{Agent, SendBody};

use crate::args::Server;
use crate::credentials::{self, AccessKey};
use crate::failure::{Failure, unreadable};
use crate::secrets::address;
use crate::system::SystemClock;
use crate::trust;
use delivered::Delivered;
pub use encoded::encoded;
use encoded::{hex, query_text};
use patience::{Sent, patiently};
use refusal::Refusal;

/// Service name in signatures, for the server's own endpoints too.
const SERVICE: &str = "fms";
/// Files on their way at one time: as many as the server takes in at one time.
pub const SENT_AT_ONCE_MAX: usize = palisade_api::DELIVERIES_AT_ONCE_MAX;
/// Longest answer that is read, bytes.
const ANSWER_SIZE_MAX: u64 = 256 * 1024 * 1024;
/// Bytes that are handed to a connection at once.
const OUTPUT_SIZE: usize = 512 * 1024;
/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(10);

/// A server, and who speaks to it.
pub struct Client {
    agent: Agent,
    /// Scheme, host and port, without a slash at the end.
    endpoint: String,
    host: String,
    key: AccessKey,
    /// No key was found: calls are signed with a stand-in, which `--auth open` takes for the operator.
    keyless: bool,
    region: String,
}

/// The list that an answer must hold: one without is somebody else's, such as a proxy's, and not empty.
///
/// # Errors
/// It holds none.
pub fn listed<'v>(answer: &'v Value, list: &str, asked: &str) -> Result<&'v [Value], Failure> {
    match answer.get(list) {
        Some(Value::Array(listed)) => Ok(listed),
        Some(_) | None => Err(strange(asked, list)),
    }
}

/// The token of the next page, if there is one.
///
/// # Errors
/// There is something else in its place: what follows would be left out.
pub fn next(answer: &Value, member: &str, asked: &str) -> Result<Option<String>, Failure> {
    match answer.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(token)) => Ok(Some(token.clone())),
        Some(_) => Err(strange(asked, member)),
    }
}

fn strange(asked: &str, member: &str) -> Failure {
    Failure::Refused(format!(
        "{asked} was answered without `{member}` as Palisade writes it: see whether the endpoint is a \
         Palisade's, and of this edition"
    ))
}

impl Client {
    /// A client for the server that the command line names, with keys and Region from the
    /// surroundings.
    ///
    /// # Errors
    /// An endpoint that is no `http://` or `https://` address; a profile that is not there;
    /// certificates that cannot be read.
    pub fn new(server: &Server) -> Result<Client, Failure> {
        let found = credentials::find(server.profile.as_deref())?;
        let region = server
            .region
            .as_ref()
            .map(ToString::to_string)
            .or(found.region)
            .unwrap_or_else(|| "us-east-1".to_owned());
        Client::with(&server.endpoint, found.key, region, server.ca.as_deref())
    }

    /// A client for an endpoint with this key, if any, and certificates to check the server's with.
    ///
    /// # Errors
    /// An endpoint that is no `http://` or `https://` address; certificates that cannot be read.
    pub fn with(
        endpoint: &str,
        key: Option<AccessKey>,
        region: String,
        ca: Option<&Path>,
    ) -> Result<Client, Failure> {
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        let (host, tls) = match endpoint.split_once("://") {
            // As it is sent: without the port that goes without saying.
            Some(("http", host)) => (host.strip_suffix(":80").unwrap_or(host), None),
            Some(("https", host)) => {
                (host.strip_suffix(":443").unwrap_or(host), Some(trust::settings(ca)?))
            }
            Some(_) | None => ("", None),
        };
        if host.is_empty() || host.contains('/') {
            return Err(Failure::Usage(format!(
                "endpoint `{}` is not of the form `http://HOST:PORT` or `https://HOST:PORT`",
                address(&endpoint)
            )));
        }
        if host.contains('@') {
            return Err(Failure::Usage(format!(
                "endpoint `{}` names a user; keys come from the AWS environment variables and profiles",
                address(&endpoint)
            )));
        }
        let host = host.to_owned();
        let agent = Agent::config_builder()
            .tls_config(tls.unwrap_or_default())
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT))
            .max_redirects(0)
            // Files are sent in few pieces.
            .output_buffer_size(OUTPUT_SIZE)
            // Every connection on which files are sent is used again.
            .max_idle_connections(SENT_AT_ONCE_MAX)
            .max_idle_connections_per_host(SENT_AT_ONCE_MAX)
            .proxy(None)
            .user_agent(concat!("palisade/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        let keyless = key.is_none();
        let key = key.unwrap_or_else(|| AccessKey {
            id: "palisade".to_owned(),
            secret: Secret::new("none"),
            session_token: None,
        });
        Ok(Client { agent, endpoint, host, key, keyless, region })
    }

    /// The server's address: scheme, host and port.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The Region asked.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The same client asking another Region.
    pub fn in_region(&self, region: &str) -> Client {
        Client {
            agent: self.agent.clone(),
            endpoint: self.endpoint.clone(),
            host: self.host.clone(),
            key: self.key.clone(),
            keyless: self.keyless,
            region: region.to_owned(),
        }
    }

    /// One Firewall Manager operation.
    ///
    /// # Errors
    /// The server cannot be reached, or refuses: one line that says what to do.
    pub fn call(&self, operation: &str, input: &Value) -> Result<Value, Failure> {
        let body = input.to_string();
        let headers = [
            ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target".to_owned(), format!("AWSFMS_20180101.{operation}")),
        ];
        let answer = patiently(|| {
            let payload = Payload::Bytes(body.as_bytes());
            let mut text = body.as_bytes();
            self.send("POST", "/", "", &headers, payload, &mut text, body.len() as u64)
        });
        answer.map_err(|why| self.explain(operation, why))
    }

    /// Every element of a paged operation's list.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn every(&self, operation: &str, input: Value, list: &str) -> Result<Vec<Value>, Failure> {
        let mut every = Vec::new();
        let mut input = input;
        loop {
            let answer = self.call(operation, &input)?;
            every.extend(listed(&answer, list, operation)?.iter().cloned());
            match (next(&answer, "NextToken", operation)?, input.as_object_mut()) {
                (Some(token), Some(input)) => {
                    input.insert("NextToken".to_owned(), Value::String(token));
                }
                (None, _) | (_, None) => return Ok(every),
            }
        }
    }

    /// One of Palisade's own endpoints, with a JSON body or none.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn own(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Value, Failure> {
        let headers = match body.is_empty() {
            true => Vec::new(),
            false => vec![("content-type".to_owned(), "application/json".to_owned())],
        };
        let query = query_text(query);
        let answer = patiently(|| {
            let (payload, mut text) = (Payload::Bytes(body), body);
            self.send(method, path, &query, &headers, payload, &mut text, body.len() as u64)
        });
        answer.map_err(|why| self.explain(path, why))
    }

    /// As [`Client::own`], of a list: beside a refusal is which element it is about, where it is about one.
    pub fn own_placed(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: &[u8],
    ) -> (Result<Value, Failure>, Option<usize>) {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let query = query_text(query);
        let answer = patiently(|| {
            let (payload, mut text) = (Payload::Bytes(body), body);
            self.send(method, path, &query, &headers, payload, &mut text, body.len() as u64)
        });
        let place = match &answer {
            Err(Ok(refusal)) => refusal.element,
            Ok(_) | Err(Err(_)) => None,
        };
        (answer.map_err(|why| self.explain(path, why)), place)
    }

    /// A page that anybody may read, such as `/metrics`, as text.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn page(&self, path: &str) -> Result<String, Failure> {
        match self.fetched(path).map_err(|why| self.explain(path, Err(why)))? {
            (200, text) => Ok(text),
            (status, text) => Err(self.explain(path, Ok(Refusal::of(status, text.as_bytes())))),
        }
    }

    /// What the server answers to a path that needs no key, whatever the status.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub fn probe(&self, path: &str) -> Result<(u16, String), Failure> {
        self.fetched(path).map_err(|why| self.explain(path, Err(why)))
    }

    /// How far the server's clock is ahead of ours, whole seconds; `None` where it does not tell.
    pub fn clock_ahead_secs(&self) -> Option<i64> {
        let request = ureq::http::Request::get(format!("{}/livez", self.endpoint)).body(()).ok()?;
        let answer = self.agent.run(request).ok()?;
        let date = answer.headers().get("date")?.to_str().ok()?;
        let theirs = jiff::fmt::rfc2822::parse(date).ok()?.timestamp().as_second();
        Some(theirs.saturating_sub(SystemClock.now_ms().div_euclid(1_000)))
    }

    fn fetched(&self, path: &str) -> Result<(u16, String), ureq::Error> {
        let request = ureq::http::Request::get(format!("{}{path}", self.endpoint)).body(())?;
        let answer = self.agent.run(request)?;
        let status = answer.status().as_u16();
        let body = answer.into_body().into_with_config().limit(ANSWER_SIZE_MAX);
        Ok((status, body.read_to_string()?))
    }

    /// Sends one file to the inventory. A long one is read twice: once for its hash, which is signed,
    /// once to be sent.
    ///
    /// # Errors
    /// As [`Client::call`], and when the file cannot be read.
    pub fn ingest(&self, path: &Path, name: &str) -> Result<Value, Failure> {
        let file = Delivered::read(path).map_err(|error| unreadable(path, error))?;
        let headers = [("content-type".to_owned(), "application/octet-stream".to_owned())];
        let query = query_text(&[("name", name)]);
        let answer = patiently(|| {
            let mut text = file.text.as_slice();
            let mut again;
            let body: &mut dyn Read = match text.is_empty() {
                false => &mut text,
                true => {
                    let opened = File::open(path).map_err(|error| Err(ureq::Error::Io(error)))?;
                    again = opened.take(file.length);
                    &mut again
                }
            };
            let (payload, length) = (Payload::Sha256(file.sha256), file.length);
            self.send("POST", "/palisade/v1/inventory", &query, &headers, payload, body, length)
        });
        answer.map_err(|why| self.explain(&format!("`{}`", path.display()), why))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a request")]
    fn send(
        &self,
        method: &str,
        path: &str,
        query: &str,
        headers: &[(String, String)],
        payload: Payload<'_>,
        body: &mut dyn Read,
        length: u64,
    ) -> Sent {
        let mut headers = headers.to_vec();
        headers.push(("host".to_owned(), self.host.clone()));
        // With the hash in the head, the server knows whose request it is before the body is there.
        let hash = match payload {
            Payload::Sha256(hash) => hash,
            Payload::Bytes(bytes) => Sha256::digest(bytes).into(),
        };
        let payload = Payload::Sha256(hash);
        headers.push(("x-amz-content-sha256".to_owned(), hex(&hash)));
        let signer = Signer {
            access_key_id: &self.key.id,
            secret: &self.key.secret,
            session_token: self.key.session_token.as_ref(),
            region: &self.region,
            service: SERVICE,
            now_ms: SystemClock.now_ms(),
        };
        let parts = RequestParts { method, path, query, headers: &headers, payload };
        let added = sign(&signer, &parts);
        headers.extend(added);
        let mark = if query.is_empty() { "" } else { "?" };
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}{mark}{query}", self.endpoint))
            .header("content-length", length);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let body = SendBody::from_reader(body);
        let request = request.body(body).map_err(|error| Err(ureq::Error::Http(error)))?;
        let answer = self.agent.run(request).map_err(Err)?;
        let status = answer.status().as_u16();
        let text = answer
            .into_body()
            .into_with_config()
            .limit(ANSWER_SIZE_MAX)
            .read_to_vec()
            .map_err(Err)?;
        if (200..300).contains(&status) {
            return Ok(serde_json::from_slice(&text).unwrap_or(Value::Null));
        }
        Err(Ok(Refusal::of(status, &text)))
    }

    /// A failed call in one line, with what to do.
    fn explain(&self, what: &str, why: Result<Refusal, ureq::Error>) -> Failure {
        match why {
            Err(error) => Failure::Unwelcome(format!(
                "no answer from {}: {error}; is the server running? `palisade serve` starts one, \
                 --endpoint says where it is",
                self.endpoint
            )),
            Ok(refusal) => refusal.failure(what, self.keyless),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_endpoint_is_scheme_host_and_port() {
        let client = |endpoint: &str| Client::with(endpoint, None, "us-east-1".into(), None);
        assert_eq!(client("http://127.0.0.1:7780/").unwrap().host, "127.0.0.1:7780");
        assert_eq!(client("http://palisade.test:80").unwrap().host, "palisade.test");
        for wrong in ["ftp://x", "x:1", "http://x/path", "http://", ""] {
            assert!(matches!(client(wrong), Err(Failure::Usage(_))), "{wrong:?}");
        }
    }

    #[test]
    fn a_server_that_is_not_there_is_said_in_one_line() {
        // Port 9 of this machine: discard, which nobody serves any more.
        let client = Client::with("http://127.0.0.1:9", None, "us-east-1".into(), None).unwrap();
        let failure = client.call("ListPolicies", &json!({})).unwrap_err().to_string();
        assert!(failure.starts_with("no answer from http://127.0.0.1:9: "), "{failure}");
        assert!(failure.contains("`palisade serve`") && !failure.contains('\n'), "{failure}");
    }
}
