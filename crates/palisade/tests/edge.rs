//! The server's edge over real sockets: limits, silence, stopping, TLS.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what tests share is not inside a test function, and fails like one"
)]

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use hyper_util::rt::{TokioExecutor, TokioIo};
use palisade::args::Role;
use palisade::edge::tls::{self, Tls};
use palisade::edge::{Edge, HEAD_READ_MAX, HEADERS_MAX, Patience};
use palisade::serve::{Plan, Running};
use palisade::worker::Judging;
use palisade_api::Auth;
use palisade_core::policy::Quotas;
use palisade_store::sqlite::Synchronous;
use palisade_wire::sigv4::{Payload, RequestParts, Secret, Signer, sign};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Patience that a test can wait for.
const SHORT: Duration = Duration::from_millis(50);
/// When a test has failed: nothing here waits for this to pass.
const NEVER: Duration = Duration::from_secs(120);

struct Server {
    running: Running,
    folder: TempDir,
}

impl Server {
    async fn start(auth: Auth, edge: Edge) -> Server {
        let folder = tempfile::tempdir().unwrap();
        Server::start_in(folder, auth, edge).await
    }

    async fn start_in(folder: TempDir, auth: Auth, edge: Edge) -> Server {
        let plan = Plan {
            new: false,
            store: folder.path().join("palisade.db").into(),
            role: Role::All,
            spool: None,
            listen: "127.0.0.1:0".parse().unwrap(),
            auth,
            any_host: false,
            onboarding_ms: 0,
            quotas: Quotas::default(),
            fms_policies: BTreeSet::new(),
            judging: Judging::default(),
            keep_history_ms: None,
            keep_audit_ms: None,
            key_file: None,
            rate: None,
            partition: "aws".to_owned(),
            synchronous: Synchronous::Grouped,
            edge,
            sources: None,
        };
        let running = Running::start(plan).await.unwrap();
        Server { running, folder }
    }

    /// With all the patience that a client on a busy machine needs.
    async fn open() -> Server {
        Server::patient(|patience| patience.linger = NEVER).await
    }

    async fn patient(change: impl FnOnce(&mut Patience)) -> Server {
        let mut edge = Edge::default();
        change(&mut edge.patience);
        Server::start(Auth::Open, edge).await
    }

    fn address(&self) -> SocketAddr {
        self.running.address
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address()).await.unwrap()
    }
}

/// Writes `bytes` and reads until the server closes.
async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, bytes: &[u8]) -> String {
    // The server may have refused and closed before all was sent.
    let _ = stream.write_all(bytes).await;
    to_end(&mut stream).await
}

async fn to_end<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(NEVER, stream.read_to_end(&mut answer)).await;
    read.unwrap_or_else(|_| panic!("the server does not close")).unwrap_or_else(|error| {
        panic!("{error} after {:?}", String::from_utf8_lossy(&answer));
    });
    String::from_utf8(answer).unwrap()
}

/// The head of a signed-looking call of ListPolicies, which is to have `length` bytes of body.
fn head(length: usize, more: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/x-amz-json-1.1\r\n\
         x-amz-target: AWSFMS_20180101.ListPolicies\r\ncontent-length: {length}\r\n{more}\r\n"
    )
}

fn request_id(answer: &str) -> &str {
    let (_, rest) =
        answer.split_once("x-amzn-requestid: ").unwrap_or_else(|| panic!("no id in {answer:?}"));
    let id = rest.split("\r\n").next().unwrap();
    assert_eq!(id.len(), 36, "{answer:?}");
    id
}

#[tokio::test]
async fn every_refusal_has_a_request_id_and_names_the_limit() {
    let server = Server::open().await;
    let fill = |size: usize| format!("x-fill: {}\r\n", "x".repeat(size));
    let many: String = (0..=HEADERS_MAX).map(|number| format!("x-{number}: 1\r\n")).collect();
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(70_000));
    let cases = [
        ("not HTTP at all\r\n\r\n".to_owned(), "400", "not an HTTP request"),
        ("GET / HTTP/9.9\r\n\r\n".to_owned(), "400", "not an HTTP request"),
        ("\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n".to_owned(), "400", "not an HTTP request"),
        (head(2, &fill(16 * 1024)) + "{}", "431", "at most 16384 are taken"),
        (head(2, &fill(HEAD_READ_MAX)) + "{}", "431", "at most 16384 bytes are taken"),
        (head(2, &fill(4 * HEAD_READ_MAX)) + "{}", "431", "at most 16384 bytes are taken"),
        (head(2, &many) + "{}", "431", "more than 100 headers"),
        (long, "431", "the address is too long"),
        (head(1024 * 1024 + 1, "") + &" ".repeat(1024 * 1024 + 1), "413", "1048576 bytes"),
        (head(1 << 40, "") + &" ".repeat(3 * 1024 * 1024), "413", "1048576 bytes"),
        (
            "GET /no/such HTTP/1.1\r\nconnection: close\r\n\r\n".to_owned(),
            "404",
            "/palisade/v1/openapi.json",
        ),
    ];
    let mut ids = BTreeSet::new();
    for (sent, status, fragment) in &cases {
        let answer = exchange(server.connect().await, sent.as_bytes()).await;
        let shown = &sent[..sent.len().min(60)];
        assert_eq!(&answer[9..12], *status, "{shown:?}: {answer}");
        assert!(answer.contains(fragment), "{shown:?}: {answer}");
        ids.insert(request_id(&answer).to_owned());
    }
    assert_eq!(ids.len(), cases.len());
    server.running.stop().await.unwrap();
}

#[tokio::test]
async fn a_chunked_body_is_refused_once_it_is_too_large() {
    let server = Server::open().await;
    let head = head(0, "").replace("content-length: 0", "transfer-encoding: chunked");
    let chunk = format!("100000\r\n{}\r\n", " ".repeat(0x10_0000));
    let answer = exchange(server.connect().await, (head + &chunk + &chunk).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    request_id(&answer);
}

#[tokio::test]
async fn a_client_that_does_not_end_its_head_is_hung_up_on() {
    let server = Server::patient(|patience| {
        (patience.handshake, patience.head) = (SHORT, SHORT);
    })
    .await;
    // Nothing, what may become either protocol, and a head without its end.
    for sent in
        ["", "P", "PRI * HTTP/2.0\r\n", "POST / HT", "POST / HTTP/1.1\r\nhost: localhost\r\n"]
    {
        assert_eq!(exchange(server.connect().await, sent.as_bytes()).await, "", "{sent:?}");
    }
}

#[tokio::test]
async fn a_connection_that_idles_between_calls_is_hung_up_on() {
    let server = Server::patient(|patience| patience.head = SHORT).await;
    let ask = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
    // On a busy machine even the request may come too late; what matters is that one that was
    // answered is closed in the end.
    let answered = async {
        while !exchange(server.connect().await, ask).await.starts_with("HTTP/1.1 200 ") {}
    };
    tokio::time::timeout(NEVER, answered).await.unwrap();
}

#[tokio::test]
async fn a_body_that_does_not_come_is_refused() {
    let server = Server::patient(|patience| patience.call = SHORT).await;
    let answer = exchange(server.connect().await, (head(2, "") + "{").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("did not arrive"), "{answer}");
    request_id(&answer);
}

#[tokio::test]
async fn a_delivery_that_falls_silent_is_refused() {
    let server = Server::patient(|patience| patience.delivery = SHORT).await;
    let head = "POST /palisade/v1/inventory?name=x.json HTTP/1.1\r\nhost: localhost\r\n\
                connection: close\r\ncontent-length: 100\r\n\r\n{";
    let answer = exchange(server.connect().await, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    request_id(&answer);
}

#[tokio::test]
async fn a_client_that_does_not_take_its_answers_is_hung_up_on() {
    let server = Server::patient(|patience| patience.answer = SHORT).await;
    let mut stream = server.connect().await;
    let ask = "GET /palisade/v1/openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100);
    let asked = async { while stream.write_all(ask.as_bytes()).await.is_ok() {} };
    tokio::time::timeout(NEVER, asked).await.unwrap();
}

/// Idle, in the middle of a head, and idle after an answer.
const UNFINISHED: [&str; 3] =
    ["", "POST / HTTP/1.1\r\nhost: x\r\n", "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"];

#[tokio::test]
async fn who_comes_is_served_though_all_seats_are_taken_by_those_who_do_nothing() {
    let edge = Edge { connections_max: 8, ..Edge::default() };
    let server = Server::start(Auth::Open, edge).await;
    let mut held = Vec::new();
    for (at, sent) in UNFINISHED.iter().cycle().take(24).enumerate() {
        let mut stream = server.connect().await;
        // Some of the oldest are gone already.
        stream.write_all(sent.as_bytes()).await.unwrap();
        held.push(stream);
        if at % 6 == 0 {
            let ask = b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
            let answer = exchange(server.connect().await, ask).await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        }
    }
    let ask = b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let page = exchange(server.connect().await, ask).await;
    let line = page.lines().find(|line| line.starts_with("palisade_connections_gave_way_total "));
    let gave_way: u64 = line.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    assert!((10..=24).contains(&gave_way), "{gave_way}");
}

/// All seats are of calls under way: probes are answered all the same, others are told so.
#[tokio::test]
async fn probes_are_answered_though_all_seats_are_of_calls_under_way() {
    let edge = Edge { connections_max: 2, ..Edge::default() };
    let server = Server::start(Auth::Open, edge).await;
    let mut calls = Vec::new();
    for _ in 0..2 {
        let mut call = server.connect().await;
        call.write_all(head(2, "expect: 100-continue\r\n").as_bytes()).await.unwrap();
        let mut go_on = [0; 25];
        call.read_exact(&mut go_on).await.unwrap();
        calls.push(call);
    }
    for (path, status) in
        [("/livez", "200"), ("/readyz", "200"), ("/metrics", "200"), ("/palisade/v1/work", "503")]
    {
        let ask = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let answer = exchange(server.connect().await, ask.as_bytes()).await;
        assert_eq!(&answer[9..12], status, "{answer}");
        request_id(&answer);
        assert_eq!(answer.contains("retry-after: 1\r\n"), status == "503", "{answer}");
    }
    for call in calls {
        let answer = exchange(call, b"{}").await;
        assert!(answer.contains("AccessDeniedException"), "{answer}");
    }
}

#[tokio::test]
async fn calls_under_way_end_when_the_server_stops_and_no_new_ones_begin() {
    let server = Server::open().await;
    let address = server.address();
    let mut idle = server.connect().await;
    idle.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut byte = [0; 1];
    idle.read_exact(&mut byte).await.unwrap();
    let mut call = server.connect().await;
    let ask = head(2, "expect: 100-continue\r\n").replace("connection: close\r\n", "");
    call.write_all(ask.as_bytes()).await.unwrap();
    // The server says this when it wants the body: the call is under way.
    let mut go_on = [0; 25];
    call.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    let stopping = tokio::spawn(server.running.stop());
    // The idle connection is closed: the server is stopping.
    to_end(&mut idle).await;
    let answer = exchange(call, b"{}").await;
    assert!(answer.contains("x-amzn-requestid: "), "{answer}");
    assert!(answer.contains("AccessDeniedException"), "{answer}");
    stopping.await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
    drop(server.folder);
}

#[tokio::test]
async fn the_log_has_the_request_id_of_every_call_with_its_operation() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_palisade"))
        .args(["serve", "--auth", "open", "--listen", "127.0.0.1:0", "--store", "sqlite:p.db"])
        .env_remove("PALISADE_LOG")
        .current_dir(folder.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
    let address = line.split_once("http://").unwrap().1.split(';').next().unwrap();
    let mut answers = Vec::new();
    for sent in [
        head(2, "") + "{}",
        head(2, "").replace("ListPolicies", "GetAdminAccount") + "{}",
        head(2, "").replace("ListPolicies", "NoSuch") + "{}",
        "GET /palisade/v1/work HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".to_owned(),
        "nonsense\r\n\r\n".to_owned(),
    ] {
        answers.push(exchange(TcpStream::connect(address).await.unwrap(), sent.as_bytes()).await);
    }
    // Lines are written by a thread of their own, a moment after the answer.
    let (tell, told) = std::sync::mpsc::channel();
    let stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    std::thread::spawn(move || {
        for line in std::io::BufRead::lines(stderr) {
            let Ok(line) = line else { return };
            let _ = tell.send(line);
        }
    });
    let expected = ["ListPolicies", "GetAdminAccount", "status=400", "status=200", "not an HTTP"];
    let mut missing: Vec<_> =
        answers.iter().map(|answer| request_id(answer)).zip(expected).collect();
    let mut log = Vec::new();
    while !missing.is_empty() {
        let line = told.recv_timeout(NEVER);
        let line = line.unwrap_or_else(|_| panic!("{missing:?} of {log:#?}"));
        missing.retain(|(id, expected)| !(line.contains(id) && line.contains(expected)));
        log.push(line);
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A self-signed certificate for `localhost` in `folder`; answers it as it is in the file.
fn certificate(folder: &Path) -> String {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    made.cert.pem()
}

fn files(folder: &Path) -> tls::Files {
    tls::Files { certificate: folder.join("cert.pem"), key: folder.join("key.pem") }
}

async fn tls_server(auth: Auth) -> (Server, String) {
    let folder = tempfile::tempdir().unwrap();
    let trusted = certificate(folder.path());
    let mut edge = Edge { tls: Some(files(folder.path())), ..Edge::default() };
    edge.patience.tls_files = Duration::from_millis(5);
    edge.patience.handshake = NEVER;
    (Server::start_in(folder, auth, edge).await, trusted)
}

async fn shake(
    address: SocketAddr,
    trusted: &str,
    protocol: &str,
) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

#[tokio::test]
async fn calls_are_answered_over_tls_and_not_in_the_clear() {
    let (server, trusted) = tls_server(Auth::Open).await;
    let stream = shake(server.address(), &trusted, "http/1.1").await.unwrap();
    let answer = exchange(stream, (head(2, "") + "{}").as_bytes()).await;
    assert!(answer.contains("AccessDeniedException"), "{answer}");
    request_id(&answer);
    let mut clear = server.connect().await;
    clear.write_all((head(2, "") + "{}").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // What comes is a TLS alert, or the connection is reset.
    let _ = tokio::time::timeout(NEVER, clear.read_to_end(&mut answer)).await.unwrap();
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[tokio::test]
async fn a_client_that_does_not_end_its_handshake_is_hung_up_on() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path());
    let mut edge = Edge { tls: Some(files(folder.path())), ..Edge::default() };
    edge.patience.handshake = SHORT;
    let server = Server::start_in(folder, Auth::Open, edge).await;
    assert_eq!(exchange(server.connect().await, b"\x16\x03\x01").await, "");
}

#[tokio::test]
async fn a_new_certificate_is_used_once_its_files_are_there() {
    let (server, old) = tls_server(Auth::Open).await;
    shake(server.address(), &old, "h2").await.unwrap();
    let new = certificate(server.folder.path());
    let taken = async {
        while shake(server.address(), &new, "h2").await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(NEVER, taken).await.unwrap();
    assert!(shake(server.address(), &old, "h2").await.is_err());
}

#[test]
fn a_bad_pair_of_files_leaves_the_old_one_in_use() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path());
    let tls = Tls::open(files(folder.path())).unwrap();
    let first = tls.config();
    tls.refresh();
    assert!(Arc::ptr_eq(&first, &tls.config()), "nothing changed");
    let key = std::fs::read(folder.path().join("key.pem")).unwrap();
    let cases: [(&str, &[u8]); 4] =
        [("key.pem", b""), ("key.pem", b"x"), ("cert.pem", b""), ("cert.pem", b"-----BEGIN")];
    for (name, text) in cases {
        std::fs::write(folder.path().join(name), text).unwrap();
        tls.refresh();
        assert!(Arc::ptr_eq(&first, &tls.config()), "{name} {text:?}");
        assert!(Tls::open(files(folder.path())).is_err(), "{name} {text:?}");
    }
    std::fs::remove_file(folder.path().join("cert.pem")).unwrap();
    tls.refresh();
    assert!(Arc::ptr_eq(&first, &tls.config()), "a file is gone");
    // The new certificate is there but its key is not yet.
    certificate(folder.path());
    let new_key = std::fs::read(folder.path().join("key.pem")).unwrap();
    std::fs::write(folder.path().join("key.pem"), key).unwrap();
    tls.refresh();
    assert!(Arc::ptr_eq(&first, &tls.config()), "half of a pair");
    std::fs::write(folder.path().join("key.pem"), new_key).unwrap();
    tls.refresh();
    assert!(!Arc::ptr_eq(&first, &tls.config()));
}

#[tokio::test(flavor = "multi_thread")]
async fn client_commands_speak_tls_to_a_server_whose_certificate_they_are_given() {
    let (server, trusted) = tls_server(Auth::SigV4 { window_ms: 300_000 }).await;
    let (access, secret) = operator_key(&server.folder.path().join("palisade.db"));
    let folder = server.folder.path();
    std::fs::write(folder.join("trusted.pem"), trusted).unwrap();
    std::fs::write(folder.join("other.pem"), {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        made.cert.pem()
    })
    .unwrap();
    std::fs::write(
        folder.join("organization.json"),
        r#"{"Organization": {"Id": "o-example001", "ManagementAccountId": "111111111111"},
            "Roots": [{"Id": "r-root"}], "OrganizationalUnits": [],
            "Accounts": [{"Id": "111111111111", "Name": "one", "Status": "ACTIVE", "ParentId": "r-root"}]}"#,
    )
    .unwrap();
    for (ca, fine) in [("other.pem", false), ("organization.json", false), ("trusted.pem", true)] {
        let out = std::process::Command::new(env!("CARGO_BIN_EXE_palisade"))
            .args(["organization", "apply", "organization.json", "--ca", ca, "--endpoint"])
            .arg(format!("https://localhost:{}", server.address().port()))
            .envs([("AWS_ACCESS_KEY_ID", &access), ("AWS_SECRET_ACCESS_KEY", &secret)])
            .current_dir(folder)
            .output();
        let out = out.unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.success(), fine, "{ca}: {said}");
        assert!(fine || said.contains("ertificate"), "{ca}: {said}");
    }
}

/// HTTP/2 has no `host`: the caller signs what it sends as `:authority`.
#[tokio::test]
async fn a_call_signed_for_its_authority_is_believed_over_http_2() {
    let (server, trusted) = tls_server(Auth::SigV4 { window_ms: 300_000 }).await;
    let (access, secret) = operator_key(&server.folder.path().join("palisade.db"));
    let authority = format!("localhost:{}", server.address().port());
    for (signed_for, status) in [(authority.as_str(), 200), ("localhost:1", 403)] {
        let stream = shake(server.address(), &trusted, "h2").await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
        let (mut sender, connection) = hyper::client::conn::http2::handshake::<_, _, Body>(
            TokioExecutor::new(),
            TokioIo::new(stream),
        )
        .await
        .unwrap();
        let connection = tokio::spawn(connection);
        let request = signed(&access, &secret, signed_for, &authority);
        let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
        let body = to_bytes(Body::new(body), usize::MAX).await.unwrap();
        assert_eq!(parts.status, status, "{}", String::from_utf8_lossy(&body));
        assert_eq!(id_of(&parts.headers).len(), 36);
        drop(sender);
        let _ = connection.await.unwrap();
    }
    server.running.stop().await.unwrap();
}

#[tokio::test]
async fn the_limits_are_those_of_http_1_over_http_2() {
    let server = Server::open().await;
    let stream = TokioIo::new(server.connect().await);
    let shaken = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await;
    let (mut sender, connection) = shaken.unwrap();
    tokio::spawn(connection);
    for (headers, body, status) in
        [(0, 2, 400), (16 * 1024, 2, 431), (0, 1024 * 1024, 400), (0, 1024 * 1024 + 1, 413)]
    {
        let request = Request::post(format!("http://{}/", server.address()))
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", "AWSFMS_20180101.ListPolicies")
            .header("x-fill", "x".repeat(headers))
            .body(Body::from(format!("{{}}{}", " ".repeat(body - 2))))
            .unwrap();
        let answer = sender.send_request(request).await.unwrap();
        assert_eq!(answer.status(), status, "{headers} {body}");
        assert_eq!(id_of(answer.headers()).len(), 36);
    }
}

/// Above what is read at all, `h2` answers by itself; the answer has an id all the same, and the
/// connection goes on.
#[tokio::test]
async fn headers_that_are_not_read_to_their_end_are_refused_with_an_id_over_http_2() {
    let server = Server::open().await;
    let stream = TokioIo::new(server.connect().await);
    let shaken = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await;
    let (mut sender, connection) = shaken.unwrap();
    tokio::spawn(connection);
    let mut ids = BTreeSet::new();
    for (headers, status) in [(9, 431), (0, 200), (9, 431), (10, 431), (0, 200)] {
        let mut request = Request::get(format!("http://{}/livez", server.address()));
        for number in 0..headers {
            request = request.header(format!("x-{number}"), "x".repeat(HEAD_READ_MAX / 8));
        }
        let answer = sender.send_request(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), status, "{headers}");
        let kind = answer.headers().get("x-amzn-errortype").map(|kind| kind.to_str().unwrap());
        assert_eq!(kind, (status == 431).then_some("RequestHeaderSectionTooLarge"), "{headers}");
        ids.insert(id_of(answer.headers()).to_owned());
    }
    assert_eq!(ids.len(), 5);
}

fn id_of(headers: &HeaderMap) -> &str {
    headers["x-amzn-requestid"].to_str().unwrap()
}

fn operator_key(store: &Path) -> (String, String) {
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_palisade"))
        .args(["keys", "create", "--operator", "--output", "json", "--store"])
        .arg(format!("sqlite:{}", store.display()))
        .output()
        .unwrap();
    let made: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("AccessKeyId"), text("SecretAccessKey"))
}

/// `GET /palisade/v1/work`, sent to `authority` with a signature for `signed_for`.
fn signed(access: &str, secret: &str, signed_for: &str, authority: &str) -> Request<Body> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let secret = Secret::new(secret.to_owned());
    let signer = Signer {
        access_key_id: access,
        secret: &secret,
        session_token: None,
        region: "us-east-1",
        service: "fms",
        now_ms: i64::try_from(now.as_millis()).unwrap(),
    };
    let host = [("host".to_owned(), signed_for.to_owned())];
    let path = "/palisade/v1/work";
    let parts = RequestParts {
        method: "GET",
        path,
        query: "",
        headers: &host,
        payload: Payload::Bytes(b""),
    };
    let mut request = Request::get(format!("https://{authority}{path}"));
    for (name, value) in sign(&signer, &parts) {
        request = request.header(name, value);
    }
    request.body(Body::empty()).unwrap()
}
