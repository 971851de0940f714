//! Clients without a secret that want all of a server of its own process: its memory, its
//! descriptors. Others are served meanwhile. What `/readyz` says then: `faults.rs`.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what tests share is not inside a test function, and fails like one"
)]

use std::convert::Infallible;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::Request;
use hyper::body::Frame;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tempfile::TempDir;

/// Connections of the hostile client, and calls on each.
const CONNECTIONS: usize = 10;
const STREAMS: usize = 64;
/// Bytes of memory that they may take the server beyond what it has when it idles.
const TAKEN_MAX: u64 = 100 * 1024 * 1024;

/// A server in a process of its own.
struct Server {
    child: Child,
    address: String,
    folder: TempDir,
}

impl Server {
    /// Starts one that may have so many open files.
    fn start(files: u32) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let line = format!(
            "ulimit -n {files} && exec {} serve --listen 127.0.0.1:0 --store sqlite:p.db",
            env!("CARGO_BIN_EXE_palisade")
        );
        let mut child = Command::new("sh")
            .args(["-c", &line])
            .env("PALISADE_LOG", "error")
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split_once("http://").unwrap().1.split(';').next().unwrap().to_owned();
        Server { child, address, folder }
    }

    /// Bytes of memory that it has, from the system.
    fn resident(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    /// What it answers to a probe on a new connection.
    fn probe(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let ask = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(ask.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn operator_key(&self) -> String {
        let out = Command::new(env!("CARGO_BIN_EXE_palisade"))
            .args(["keys", "create", "--operator", "--output", "json", "--store", "sqlite:p.db"])
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let made: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        made["AccessKeyId"].as_str().unwrap().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Nearly a megabyte, and no end.
struct Endless(usize);

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        const PIECE: &[u8] = &[b' '; 16 * 1024];
        match self.0.checked_sub(PIECE.len()) {
            None => Poll::Pending,
            Some(left) => {
                self.0 = left;
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(PIECE)))))
            }
        }
    }
}

/// A head that anybody can write who has seen the id of a key.
fn request(address: &str, method: &str, path: &str, key: Option<&str>) -> Request<Body> {
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut request = Request::builder()
        .method(method)
        .uri(format!("http://{address}{path}"))
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "AWSFMS_20180101.PutPolicy")
        .header("x-amz-date", &now)
        .header("x-fill", "x".repeat(8 * 1024));
    if let Some(key) = key {
        let day = &now[..8];
        let signature = "0".repeat(64);
        request = request.header(
            "authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential={key}/{day}/us-east-1/fms/aws4_request, \
                 SignedHeaders=host;x-amz-date;x-amz-target, Signature={signature}"
            ),
        );
    }
    request.body(Body::new(Endless(1024 * 1024))).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_connections_do_not_take_the_memory() {
    let server = Server::start(1024);
    let key = server.operator_key();
    server.probe("/readyz");
    let idle = server.resident();
    let long = format!("/{}", "x".repeat(60_000));
    let attacks = [
        ("POST", "/", None),
        ("POST", "/", Some(key.as_str())),
        ("PUT", "/palisade/v1/organization", Some(key.as_str())),
        ("POST", "/palisade/v1/inventory", Some(key.as_str())),
        ("GET", long.as_str(), None),
    ];
    for (method, path, key) in attacks {
        let mut held = Vec::new();
        for _ in 0..CONNECTIONS {
            let stream = tokio::net::TcpStream::connect(&server.address).await.unwrap();
            let mut builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
            // It takes no bytes of any answer.
            builder.initial_stream_window_size(0);
            let (mut sender, connection) =
                builder.handshake::<_, Body>(TokioIo::new(stream)).await.unwrap();
            held.push(tokio::spawn(async move { drop(connection.await) }));
            for _ in 0..STREAMS {
                let answer = sender.send_request(request(&server.address, method, path, key));
                held.push(tokio::spawn(async move {
                    // An answer is kept open.
                    let _answer = answer.await;
                    std::future::pending::<()>().await;
                }));
            }
        }
        let begun = Instant::now();
        let mut most = 0;
        while begun.elapsed() < Duration::from_secs(3) {
            let probe = server.probe("/livez");
            assert!(probe.starts_with("HTTP/1.1 200 "), "{method} {probe}");
            most = most.max(server.resident());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let taken = most.saturating_sub(idle);
        let shown = &path[..path.len().min(30)];
        println!("{method} {shown}: {} KiB", taken / 1024);
        assert!(taken < TAKEN_MAX, "{method} {shown}: {taken} bytes");
        held.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

#[test]
fn a_server_without_descriptors_comes_back_and_tells() {
    let server = Server::start(60);
    let held: Vec<TcpStream> =
        (0..200).filter_map(|_| TcpStream::connect(&server.address).ok()).collect();
    let busy = |server: &Server| {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.child.id())).unwrap();
        let fields: Vec<u64> =
            stat.rsplit(") ").next().unwrap().split(' ').filter_map(|n| n.parse().ok()).collect();
        // Ticks of the processor, 100 a second: utime and stime are fields 14 and 15 of all.
        fields[10] + fields[11]
    };
    let probe = server.probe("/metrics");
    assert!(probe.starts_with("HTTP/1.1 200 "), "{probe}");
    let failures = |page: &str| {
        let line = page.lines().find(|line| line.starts_with("palisade_accept_failures_total "));
        line.unwrap().rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    assert!(failures(&probe) > 0, "{probe}");
    let before = busy(&server);
    std::thread::sleep(Duration::from_secs(2));
    assert!(busy(&server) - before < 50, "it turns in circles");
    drop(held);
    assert!(server.probe("/readyz").starts_with("HTTP/1.1 200 "));
    let told = failures(&server.probe("/metrics"));
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(failures(&server.probe("/metrics")), told, "nothing fails any more");
}
