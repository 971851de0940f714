//! Certificate and key for TLS, read again when their files change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use super::certificate;
use crate::failure::{Failure, unreadable};
use crate::stop::until;

/// Where certificate and key are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Files {
    /// The chain in PEM, the server's own certificate first.
    pub certificate: PathBuf,
    /// Its private key in PEM: PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
}

/// What the two files held.
#[derive(Eq, PartialEq)]
struct Pair {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// The pair in use.
pub struct Tls {
    files: Files,
    held: Mutex<Held>,
}

struct Held {
    config: Arc<ServerConfig>,
    /// When the first certificate of the chain ends, milliseconds since the epoch, as far as that can be read.
    ends_ms: Option<i64>,
    /// What was read last, in use or not, so that a bad pair is told of once.
    seen: Option<Pair>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// A file cannot be read, holds no certificate or key, or the two do not belong together.
    pub fn open(files: Files) -> Result<Tls, Failure> {
        let pair = Pair::read(&files)?;
        let config = config(&pair, &files)?;
        let ends_ms = pair.ends_ms();
        Ok(Tls { files, held: Mutex::new(Held { config, ends_ms, seen: Some(pair) }) })
    }

    /// What the next handshake is made with.
    pub fn config(&self) -> Arc<ServerConfig> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).config.clone()
    }

    /// When the chain in use ends, milliseconds since the epoch; `None` where that cannot be read.
    pub fn ends_ms(&self) -> Option<i64> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).ends_ms
    }

    /// Reads the files again and uses them if they changed. A pair that is no good, as it is between
    /// the writing of the one file and of the other, leaves the old one in use and is logged. Blocks.
    pub fn refresh(&self) {
        let read = Pair::read(&self.files);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        // A file that cannot be read is seen as nothing, and told of once as well.
        if held.seen.as_ref() == read.as_ref().ok() {
            return;
        }
        match read
            .as_ref()
            .map_err(Failure::to_string)
            .and_then(|pair| config(pair, &self.files).map_err(|failure| failure.to_string()))
        {
            Ok(config) => {
                held.ends_ms = read.as_ref().ok().and_then(Pair::ends_ms);
                (held.config, held.seen) = (config, read.ok());
                tracing::info!("new TLS certificate in use");
            }
            Err(error) => {
                held.seen = read.ok();
                tracing::error!(error, "the new TLS certificate is no good; the old one stays");
            }
        }
    }
}

/// Looks at the files now and then, until `stopped`.
pub async fn keep_fresh(tls: Arc<Tls>, every: Duration, stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = until(stopped.clone()) => return,
            () = tokio::time::sleep(every) => {}
        }
        let tls = tls.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || tls.refresh()).await {
            tracing::error!(%error, "the TLS files could not be looked at");
        }
    }
}

impl Pair {
    fn read(files: &Files) -> Result<Pair, Failure> {
        let read = |path: &Path| std::fs::read(path).map_err(|error| unreadable(path, error));
        Ok(Pair { certificate: read(&files.certificate)?, key: read(&files.key)? })
    }

    /// When the first certificate of the chain ends; a chain is no better than each of it.
    fn ends_ms(&self) -> Option<i64> {
        let chain = CertificateDer::pem_slice_iter(&self.certificate);
        let ends: Option<Vec<i64>> =
            chain.map(|found| certificate::ends_ms(&found.ok()?)).collect();
        ends?.into_iter().min()
    }
}

fn config(pair: &Pair, files: &Files) -> Result<Arc<ServerConfig>, Failure> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pair.certificate)
        .collect::<Result<_, _>>()
        .map_err(|error| unreadable(&files.certificate, error))?;
    if chain.is_empty() {
        return Err(unreadable(&files.certificate, "it holds no certificate in PEM"));
    }
    let key = PrivateKeyDer::from_pem_slice(&pair.key)
        .map_err(|error| unreadable(&files.key, format!("no private key in PEM: {error}")))?;
    let unusable = |error: rustls::Error| {
        Failure::Input(format!(
            "certificate `{}` and key `{}` cannot be used together: {error}",
            files.certificate.display(),
            files.key.display()
        ))
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
