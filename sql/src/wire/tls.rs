//! TLS: certificate and key files, and the socket that may or may not be encrypted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use voxhouse_engine::{Error, Result};

/// PEM files: a certificate chain, the server's own first, and a private key (PKCS#8, SEC 1 or PKCS#1).
#[derive(Debug, Clone)]
pub struct TlsFiles {
    pub cert: PathBuf,
    pub key: PathBuf,
}

pub(super) trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Socket for T {}

/// A TCP stream, encrypted or not.
pub(super) type Transport = Box<dyn Socket>;

/// The name by which a client that skips SSLRequest must ask for this protocol.
pub(super) const ALPN: &[u8] = b"postgresql";

/// The provider is named here because the process has two compiled in, and rustls refuses to choose.
pub(super) fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor> {
    let chain = CertificateDer::pem_slice_iter(&read(&files.cert)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| refused(&files.cert, error))?;
    if chain.is_empty() {
        return Err(refused(&files.cert, "it holds no certificate"));
    }
    let key =
        PrivateKeyDer::from_pem_slice(&read(&files.key)?).map_err(|error| refused(&files.key, error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal(format!("no TLS protocol version: {error}")))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| refused(&files.key, error))?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path)
        .map_err(|error| Error::from(error).in_context(format!("TLS file \"{}\"", path.display())))
}

fn refused(path: &Path, reason: impl std::fmt::Display) -> Error {
    Error::invalid_argument(format!("TLS file \"{}\" cannot be used: {reason}", path.display()))
}
