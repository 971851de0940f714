//! Whose word client commands take for who a server is: the certificates that TLS is checked with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::failure::{Failure, unreadable};

/// How a server's certificate is checked: against `file`, else against the bundle that AWS's own
/// tools are told of in `AWS_CA_BUNDLE`, else against the system's.
///
/// # Errors
/// A file that cannot be read or holds no certificate; a system without any.
pub fn settings(file: Option<&Path>) -> Result<TlsConfig, Failure> {
    let bundle = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty());
    let roots = match file.map(Path::to_owned).or(bundle.map(PathBuf::from)) {
        Some(file) => of_file(&file)?,
        None => of_system()?,
    };
    let roots = roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
    Ok(TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .build())
}

/// The certificates in a file of PEM.
///
/// # Errors
/// It cannot be read or holds none.
pub fn of_file(file: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let text = std::fs::read(file).map_err(|error| unreadable(file, error))?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|error| unreadable(file, error))?;
    if found.is_empty() {
        return Err(unreadable(file, "it holds no certificate in PEM"));
    }
    Ok(found)
}

fn of_system() -> Result<Vec<CertificateDer<'static>>, Failure> {
    // Some of a system's files may be odd; what matters is whether any certificate was found.
    let found = rustls_native_certs::load_native_certs();
    match found.errors.first() {
        Some(error) if found.certs.is_empty() => Err(Failure::Refused(format!(
            "the system's certificates cannot be read: {error}; name a file with --ca"
        ))),
        Some(_) | None => Ok(found.certs),
    }
}
