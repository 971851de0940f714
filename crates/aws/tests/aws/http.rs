//! Connections: TLS, its authorities, and the limits of size and time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use palisade_aws::{Endpoints, Limits, Reason, Settings, calls, codes};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::world::{World, limits, parameters, target};

const ACCOUNT: &str = "111122223333";

fn settings(url: &str, limits: Limits) -> Settings {
    Settings {
        endpoints: Endpoints::every(url).unwrap(),
        limits,
        attempts: 1,
        ..Settings::default()
    }
}

async fn ask(
    settings: Settings,
    roots: RootCertStore,
) -> Result<serde_json::Value, palisade_aws::CallError> {
    let world = Arc::new(World::default());
    let client = palisade_aws::Client::new(settings, roots, world).unwrap();
    client
        .call(&target(ACCOUNT, "eu-west-1"), &calls::GET_SUBSCRIPTION_STATE, &parameters(json!({})))
        .await
}

#[tokio::test]
async fn tls_trusts_the_authorities_it_is_given_and_no_other() {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(tcp).await else { return };
                let mut buffer = [0; 4096];
                if stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\n{\"SubscriptionState\":\"ACTIVE\"}";
                    stream.write_all(answer).await.unwrap();
                }
            });
        }
    });
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let answer = ask(settings(&url, limits()), roots).await.unwrap();
    assert_eq!(answer, json!({"SubscriptionState": "ACTIVE"}));

    let error = ask(settings(&url, limits()), RootCertStore::empty()).await.unwrap_err();
    assert_eq!((error.reason, &*error.code), (Reason::Other, codes::CONNECTION_FAILED));
    assert!(error.message.contains("certificate"), "{error}");
}

/// A server that reads a request, writes this and waits.
async fn writes(bytes: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let bytes = bytes.clone();
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                let _ = stream.read(&mut buffer).await;
                let _ = stream.write_all(&bytes).await;
                tokio::time::sleep(Duration::from_secs(60)).await;
            });
        }
    });
    url
}

#[tokio::test]
async fn an_answer_has_a_greatest_size() {
    let body = |size: usize| {
        let text = format!("{{\"a\":\"{}\"}}", "x".repeat(size - 8));
        [
            format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n").into_bytes(),
            text.into_bytes(),
        ]
        .concat()
    };
    let most = limits().answer_size;
    assert!(
        ask(settings(&writes(body(most)).await, limits()), RootCertStore::empty()).await.is_ok()
    );
    let error = ask(settings(&writes(body(most + 1)).await, limits()), RootCertStore::empty())
        .await
        .unwrap_err();
    assert_eq!((error.reason, &*error.code), (Reason::Malformed, codes::ANSWER_TOO_LONG));
}

#[tokio::test]
async fn each_part_of_an_exchange_has_its_time() {
    let short = Limits {
        connect: Duration::from_millis(300),
        first_byte: Duration::from_millis(200),
        whole: Duration::from_millis(900),
        answer_size: 1000,
    };
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{".to_vec();
    // A server that takes a connection and no handshake.
    let mute = writes(Vec::new()).await.replace("http", "https");
    for (url, code) in [
        (writes(Vec::new()).await, codes::FIRST_BYTE_TIMEOUT),
        (writes(head).await, codes::ANSWER_TIMEOUT),
        (mute, codes::CONNECT_TIMEOUT),
    ] {
        let began = Instant::now();
        let error = ask(settings(&url, short), RootCertStore::empty()).await.unwrap_err();
        assert_eq!((error.reason, &*error.code), (Reason::Timeout, code), "{error}");
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_a_failed_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = ask(settings(&url, limits()), RootCertStore::empty()).await.unwrap_err();
    assert_eq!((error.reason, &*error.code), (Reason::Other, codes::CONNECTION_FAILED));
}
