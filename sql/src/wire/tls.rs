//! TLS: certificate and key files, and the socket that may or may not be encrypted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use voxhouse_engine::{Error, Result};

use super::certificate::{common_name, end_point};

/// PEM files: a certificate chain, the server's own first, and a private key (PKCS#8, SEC 1 or PKCS#1).
#[derive(Debug, Clone)]
pub struct TlsFiles {
    pub cert: PathBuf,
    pub key: PathBuf,
    pub clients: Option<ClientCertificates>,
}

/// Clients may show a certificate; one whose common name is the role logs in without a password.
#[derive(Debug, Clone)]
pub struct ClientCertificates {
    /// PEM file: the authorities that clients' certificates come from.
    pub authorities: PathBuf,
    /// Whether a client without a certificate is refused; otherwise it needs a password.
    pub required: bool,
}

pub(crate) trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Socket for T {}

/// A TCP stream, encrypted or not.
pub(crate) type Transport = Box<dyn Socket>;

/// The name by which a client that skips SSLRequest must ask for this protocol.
pub(super) const ALPN: &[u8] = b"postgresql";

/// The server's side of TLS.
pub(super) struct Tls {
    acceptor: TlsAcceptor,
    end_point: Option<Arc<[u8]>>,
}

/// What a handshake has shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Secured {
    /// The data of `tls-server-end-point` channel binding. `None`: it cannot be offered.
    pub(super) end_point: Option<Arc<[u8]>>,
    /// The common name of the client's certificate, which is verified.
    pub(super) client_name: Option<String>,
    /// The protocol that was agreed on inside the handshake.
    pub(super) alpn: Option<Vec<u8>>,
}

impl Tls {
    pub(super) fn new(files: &TlsFiles) -> Result<Self> {
        let chain = certificates(&files.cert)?;
        let end_point = chain.first().and_then(|own| end_point(own)).map(Arc::from);
        Ok(Self { acceptor: acceptor(files, chain, files.clients.as_ref(), ALPN)?, end_point })
    }

    pub(super) async fn handshake(&self, socket: TcpStream) -> std::io::Result<(Transport, Secured)> {
        let stream = self.acceptor.accept(socket).await?;
        let (_, connection) = stream.get_ref();
        let shown = connection.peer_certificates().and_then(|chain| chain.first());
        let secured = Secured {
            end_point: self.end_point.clone(),
            client_name: shown.and_then(|certificate| common_name(certificate)),
            alpn: connection.alpn_protocol().map(<[u8]>::to_vec),
        };
        Ok((Box::new(stream), secured))
    }
}

/// The same certificate for HTTP, where clients show none.
pub(crate) fn for_http(files: &TlsFiles) -> Result<TlsAcceptor> {
    acceptor(files, certificates(&files.cert)?, None, b"http/1.1")
}

/// The provider is named here because the process has two compiled in, and rustls refuses to choose.
fn acceptor(
    files: &TlsFiles,
    chain: Vec<CertificateDer<'static>>,
    clients: Option<&ClientCertificates>,
    protocol: &[u8],
) -> Result<TlsAcceptor> {
    let provider = Arc::new(ring::default_provider());
    let key =
        PrivateKeyDer::from_pem_slice(&read(&files.key)?).map_err(|error| refused(&files.key, error))?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal(format!("no TLS protocol version: {error}")))?;
    let builder = match clients {
        Some(clients) => builder.with_client_cert_verifier(client_verifier(clients, provider)?),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|error| refused(&files.key, error))?;
    config.alpn_protocols = vec![protocol.to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn client_verifier(
    clients: &ClientCertificates,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&clients.authorities)? {
        roots.add(certificate).map_err(|error| refused(&clients.authorities, error))?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let verifier = if clients.required { verifier } else { verifier.allow_unauthenticated() };
    verifier.build().map_err(|error| refused(&clients.authorities, error))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_slice_iter(&read(file)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| refused(file, error))?;
    if found.is_empty() {
        return Err(refused(file, "it holds no certificate"));
    }
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path)
        .map_err(|error| Error::from(error).in_context(format!("TLS file \"{}\"", path.display())))
}

fn refused(path: &Path, reason: impl std::fmt::Display) -> Error {
    Error::invalid_argument(format!("TLS file \"{}\" cannot be used: {reason}", path.display()))
}
