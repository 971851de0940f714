//! TLS to a server, as `sslmode` asks for it, by rustls with ring.

use std::fs::File;
use std::future::Future;
use std::io::BufReader;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream as Encrypted;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::client::{
    WebPkiServerVerifier, verify_server_cert_signed_by_trust_anchor,
};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
};

use super::address::{TlsMode, TlsSettings};

/// Makes connections secret, to the server that the settings want.
#[derive(Clone)]
pub(super) struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Reads the certificates.
    ///
    /// # Errors
    /// A file cannot be read or holds none.
    pub fn of(settings: &TlsSettings) -> Result<Tls, String> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone());
        let builder = builder.with_safe_default_protocol_versions().map_err(|e| e.to_string())?;
        let builder = match settings.mode {
            TlsMode::Disable | TlsMode::Prefer | TlsMode::Require => {
                builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider)))
            }
            TlsMode::VerifyCa => {
                let roots = roots(settings.roots.as_deref())?;
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(Issued { roots, provider }))
            }
            TlsMode::VerifyFull => {
                let roots = Arc::new(roots(settings.roots.as_deref())?);
                let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider);
                builder.with_webpki_verifier(verifier.build().map_err(|error| error.to_string())?)
            }
        };
        let config = match &settings.identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = certificates(certificate)?;
                let key_read = PrivateKeyDer::from_pem_file(key).map_err(|e| unusable(key, e))?;
                let made = builder.with_client_auth_cert(chain, key_read);
                made.map_err(|error| unusable(certificate, error))?
            }
        };
        Ok(Tls(Arc::new(config)))
    }
}

fn roots(file: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let found = match file {
        Some(file) => certificates(file)?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    for certificate in found {
        // One of many that cannot be read does not keep the others from being used.
        let _ = roots.add(certificate);
    }
    match (roots.is_empty(), file) {
        (false, _) => Ok(roots),
        (true, Some(file)) => Err(unusable(file, "it holds no certificate")),
        (true, None) => Err("this system has no certificate authorities".to_owned()),
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let reader = BufReader::new(File::open(file).map_err(|error| unusable(file, error))?);
    CertificateDer::pem_reader_iter(reader)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unusable(file, error))
}

fn unusable(file: &Path, why: impl std::fmt::Display) -> String {
    format!("`{}` cannot be used for TLS: {why}", file.display())
}

/// Believes any server, as `prefer` and `require` do: who listens is kept out, who answers is not.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

/// Believes a server whose certificate one of these issued, whatever its name: `verify-ca`.
#[derive(Debug)]
struct Issued {
    roots: RootCertStore,
    provider: Arc<CryptoProvider>,
}

/// What both check of a handshake, the certificate apart.
macro_rules! signatures_by {
    (|$this:ident| $provider:expr) => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, TlsError> {
            let $this = self;
            let algorithms = &$provider.signature_verification_algorithms;
            tokio_rustls::rustls::crypto::verify_tls12_signature(
                message,
                certificate,
                signed,
                algorithms,
            )
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, TlsError> {
            let $this = self;
            let algorithms = &$provider.signature_verification_algorithms;
            tokio_rustls::rustls::crypto::verify_tls13_signature(
                message,
                certificate,
                signed,
                algorithms,
            )
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            let $this = self;
            $provider.signature_verification_algorithms.supported_schemes()
        }
    };
}

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    signatures_by!(|this| this.0);
}

impl ServerCertVerifier for Issued {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let parsed = ParsedCertificate::try_from(certificate)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, between, now, algorithms)?;
        Ok(ServerCertVerified::assertion())
    }

    signatures_by!(|this| this.provider);
}

/// A connection that is about to be made secret.
pub(super) struct Connecting {
    tls: Arc<ClientConfig>,
    name: String,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Tls {
    type Stream = Secret<S>;
    type TlsConnect = Connecting;
    type Error = std::io::Error;

    fn make_tls_connect(&mut self, name: &str) -> Result<Connecting, std::io::Error> {
        Ok(Connecting { tls: self.0.clone(), name: name.to_owned() })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Connecting {
    type Stream = Secret<S>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Secret<S>, std::io::Error>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let name = ServerName::try_from(self.name).map_err(std::io::Error::other)?;
            let encrypted = TlsConnector::from(self.tls).connect(name, stream).await?;
            Ok(Secret(Box::new(encrypted)))
        })
    }
}

/// An encrypted connection.
pub(super) struct Secret<S>(Box<Encrypted<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Secret<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Secret<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Secret<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
