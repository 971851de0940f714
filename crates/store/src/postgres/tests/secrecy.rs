//! TLS and passwords over a network: each `sslmode` believes whom it says, and no other.

use std::net::TcpListener;
use std::path::Path;

use palisade_testkit::postgres::{Postgres, programs};
use palisade_testkit::skipped;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::Control as _;
use crate::postgres::{ANSWER, PostgresStore};

use super::beds::{address, node, opening};

/// An authority and its certificate as a file.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(folder: &Path, name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(folder.join(name), authority.pem()).unwrap();
        Authority(authority)
    }

    /// A certificate for a name, and its key.
    fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}

#[test]
fn each_mode_of_tls_believes_whom_it_says() {
    let Some(programs) = programs().pop() else { return skipped("no PostgreSQL to speak TLS") };
    let folder = tempfile::tempdir().unwrap();
    let ours = Authority::new(folder.path(), "ours.pem");
    Authority::new(folder.path(), "other.pem");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = Postgres::make(&programs);
    let (certificate, key) = ours.issue("localhost");
    server.put("server.crt", &certificate);
    server.put("server.key", &key);
    server.put("pg_hba.conf", "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n");
    server.set(&format!("ssl = on\nlisten_addresses = '127.0.0.1'\nport = {port}"));
    server.begin();
    let local = format!("{}&port={port}", server.fresh_url());
    let schema = local.split("schema=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let store = node(&local);
    let made = "CREATE ROLE guest LOGIN SUPERUSER PASSWORD 'open sesame'";
    store.server.connect(ANSWER).and_then(|session| session.batch(made)).unwrap();

    let file = |name: &str| folder.path().join(name).display().to_string();
    let (ours, other) = (file("ours.pem"), file("other.pem"));
    let table = [
        // host, password, settings, and whether TLS protects what comes of it
        ("localhost", "open%20sesame", "sslmode=disable".to_owned(), Some(false)),
        ("localhost", "open%20sesame", "sslmode=prefer".to_owned(), Some(true)),
        ("127.0.0.1", "open%20sesame", "sslmode=require".to_owned(), Some(true)),
        ("127.0.0.1", "open%20sesame", format!("sslmode=require&sslrootcert={other}"), None),
        ("127.0.0.1", "open%20sesame", format!("sslmode=verify-ca&sslrootcert={ours}"), Some(true)),
        ("localhost", "open%20sesame", format!("sslmode=verify-ca&sslrootcert={other}"), None),
        (
            "localhost",
            "open%20sesame",
            format!("sslmode=verify-full&sslrootcert={ours}"),
            Some(true),
        ),
        ("127.0.0.1", "open%20sesame", format!("sslmode=verify-full&sslrootcert={ours}"), None),
        ("localhost", "open%20sesame", format!("sslmode=verify-full&sslrootcert={other}"), None),
        ("localhost", "open%20sesame", "sslmode=verify-full&sslrootcert=system".to_owned(), None),
        ("localhost", "wrong", "sslmode=prefer".to_owned(), None),
    ];
    for (host, password, settings, expected) in table {
        let url = format!(
            "postgres://guest:{password}@{host}:{port}/postgres?schema={schema}&{settings}"
        );
        let opened = PostgresStore::open(address(&url), &opening());
        let Some(is_protected) = expected else {
            let why = opened.err().unwrap_or_else(|| panic!("{host} {settings} is believed"));
            assert!(!format!("{why} {why:?}").contains("sesame"), "{why}");
            continue;
        };
        let store = opened.unwrap_or_else(|why| panic!("{host} {settings}: {why}"));
        assert_eq!(store.control_revision().unwrap(), 0);
        let session = store.server.connect(ANSWER).unwrap();
        let asked = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        let found: bool = session.query(asked, &[]).unwrap()[0].get(0);
        assert_eq!(found, is_protected, "{host} {settings}");
    }
}
