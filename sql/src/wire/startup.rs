//! From an accepted socket to a start-up packet: encryption, protocol version, parameters.

use bytes::{Buf, Bytes};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use voxhouse_engine::{Error, ErrorKind};

use super::frontend::startup_parameters;
use super::output::Output;
use super::reply;
use super::stop::{Flow, Stop};
use super::tls::{ALPN, Secured, Tls, Transport};

const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;
const CANCEL_REQUEST: u32 = 80_877_102;

/// Versions as the protocol writes them: the major one in the upper half.
const PROTOCOL_3_0: u32 = 3 << 16;
pub(super) const PROTOCOL_3_2: u32 = (3 << 16) | 2;

/// The first byte of a TLS handshake that no SSLRequest precedes.
const TLS_HANDSHAKE: u8 = 0x16;

/// What a new socket turns out to want.
pub(super) enum Opening {
    Cancel { process_id: i32, secret: Bytes },
    Greeting(Greeting),
}

/// A start-up packet, not yet looked into, and the socket it came through.
pub(super) struct Greeting {
    pub(super) transport: Transport,
    pub(super) packet: Packet,
}

pub(super) struct Packet {
    version: u32,
    parameters: Bytes,
    /// `None`: the connection is not encrypted.
    tls: Option<Secured>,
}

/// Reads up to the first packet that is not a question about encryption. Whoever fails here does not speak the
/// protocol, and is not answered.
pub(super) async fn open(socket: TcpStream, tls: Option<&Tls>, max_bytes: usize) -> Flow<Opening> {
    let mut first = [0];
    if let Some(tls) = tls
        && socket.peek(&mut first).await? == 1
        && first[0] == TLS_HANDSHAKE
    {
        let (transport, secured) = handshake(socket, tls, true).await?;
        return open_encrypted(transport, secured, max_bytes).await;
    }
    match negotiate(socket, tls, max_bytes).await? {
        Negotiated::Encrypted(transport, secured) => open_encrypted(transport, secured, max_bytes).await,
        Negotiated::Packet(transport, packet) => opening(transport, packet, None),
    }
}

async fn open_encrypted(mut transport: Transport, secured: Secured, max_bytes: usize) -> Flow<Opening> {
    let packet = read_packet(&mut transport, max_bytes).await?;
    opening(transport, packet, Some(secured))
}

enum Negotiated {
    Encrypted(Transport, Secured),
    Packet(Transport, Bytes),
}

/// Answers SSLRequest and GSSENCRequest, each at most once. Packets are read to the byte, so nothing sent in
/// the clear can slip into the encrypted stream.
async fn negotiate(mut socket: TcpStream, tls: Option<&Tls>, max_bytes: usize) -> Flow<Negotiated> {
    let (mut asked_ssl, mut asked_gss) = (false, false);
    loop {
        let packet = read_packet(&mut socket, max_bytes).await?;
        let asked = match packet.first_chunk().map(|code| u32::from_be_bytes(*code)) {
            Some(SSL_REQUEST) => &mut asked_ssl,
            Some(GSS_REQUEST) => &mut asked_gss,
            _ => return Ok(Negotiated::Packet(Box::new(socket), packet)),
        };
        if std::mem::replace(asked, true) {
            return Err(Stop::fatal_protocol("encryption was already refused"));
        }
        match tls.filter(|_| packet[..] == SSL_REQUEST.to_be_bytes()) {
            Some(tls) => {
                socket.write_all(b"S").await?;
                let (transport, secured) = handshake(socket, tls, false).await?;
                return Ok(Negotiated::Encrypted(transport, secured));
            }
            None => socket.write_all(b"N").await?,
        }
    }
}

async fn handshake(socket: TcpStream, tls: &Tls, is_direct: bool) -> Flow<(Transport, Secured)> {
    let (transport, secured) = tls.handshake(socket).await?;
    if is_direct && secured.alpn.as_deref() != Some(ALPN) {
        // Somebody else's protocol: answering it with a message of ours would be a cross-protocol attack's help.
        return Err(Stop::Gone);
    }
    Ok((transport, secured))
}

/// A packet without a type byte: the body behind the length.
async fn read_packet(socket: &mut (impl AsyncReadExt + Unpin), max_bytes: usize) -> Flow<Bytes> {
    let length = socket.read_u32().await? as usize;
    let Some(length) = length.checked_sub(4).filter(|&body| (4..=max_bytes).contains(&body)) else {
        return Err(Stop::fatal_protocol("invalid length of startup packet"));
    };
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await?;
    Ok(body.into())
}

fn opening(transport: Transport, mut packet: Bytes, tls: Option<Secured>) -> Flow<Opening> {
    // `read_packet` gives at least four bytes.
    let version = packet.get_u32();
    if version == CANCEL_REQUEST {
        if packet.len() < 4 {
            return Err(Stop::fatal_protocol("invalid length of cancel request packet"));
        }
        let process_id = packet.get_i32();
        return Ok(Opening::Cancel { process_id, secret: packet });
    }
    Ok(Opening::Greeting(Greeting { transport, packet: Packet { version, parameters: packet, tls } }))
}

/// What the start-up packet says beside the protocol.
#[derive(Debug)]
pub(super) struct Hello {
    pub(super) role: String,
    pub(super) database: String,
    pub(super) parameters: Vec<(String, String)>,
    pub(super) version: u32,
    pub(super) tls: Option<Secured>,
}

/// Checks version and parameters and answers a client that asks for more than there is.
pub(super) fn greet(packet: Packet, output: &mut Output) -> Flow<Hello> {
    let Packet { version, parameters, tls } = packet;
    if version >> 16 != 3 {
        return Err(Stop::Fatal(Error::not_supported(format!(
            "unsupported frontend protocol {}.{}: server supports 3.0 to 3.2",
            version >> 16,
            version & 0xffff
        ))));
    }
    let parameters = startup_parameters(parameters)?;
    let unsupported: Vec<&str> =
        parameters.iter().map(|(name, _)| name.as_str()).filter(|name| name.starts_with("_pq_.")).collect();
    // 3.1 was never given out.
    let agreed = if version >= PROTOCOL_3_2 { PROTOCOL_3_2 } else { PROTOCOL_3_0 };
    if agreed != version || !unsupported.is_empty() {
        reply::negotiate_protocol(&mut output.buffer, agreed, &unsupported);
    }
    let value = |name: &str| parameters.iter().rfind(|(key, value)| key == name && !value.is_empty());
    let Some((_, role)) = value("user").cloned() else {
        let message = "no PostgreSQL user name specified in startup packet";
        return Err(Stop::Fatal(Error::new(ErrorKind::InvalidAuthorization, message)));
    };
    if let Some((_, replication)) = value("replication")
        && !matches!(replication.as_str(), "false" | "off" | "no" | "0")
    {
        return Err(Stop::Fatal(Error::not_supported("replication connections are not supported")));
    }
    let database = value("database").map_or_else(|| role.clone(), |(_, database)| database.clone());
    let is_other =
        |name: &str| !matches!(name, "user" | "database" | "replication") && !name.starts_with("_pq_.");
    let parameters = parameters.into_iter().filter(|(name, _)| is_other(name)).collect();
    Ok(Hello { role, database, parameters, version: agreed, tls })
}
