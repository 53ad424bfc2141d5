//! `POST /pipes/NAME/notify`: a store says that objects have come, and the pipe loads just these.
//!
//! Whoever asks shows a role and its password (HTTP Basic) and needs what `CALL system.run_pipe` needs. A pipe that one may
//! not run does not exist. A request is bounded in size and time, and requests and guesses in number.

mod events;
mod gate;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use voxhouse_engine::catalog::access::{Access, Secured};
use voxhouse_engine::catalog::acl::Privilege;
use voxhouse_engine::{Error, ErrorKind, Result};

use crate::http::{Answer, Head, PLAIN, Unreadable, read_head};
use crate::instance::Instance;
use crate::wire::TlsFiles;
use crate::wire::backend::{Backend as _, ScramVerifier};
use crate::wire::scram::DEFAULT_ITERATIONS;
use crate::wire::tls::{Transport, for_http};
use events::arrivals;
use gate::{Credentials, Gate, Verdict};

/// More than a store sends side by side.
const MAX_CONNECTIONS: usize = 64;
/// Events of stores have some kilobytes.
const MAX_BODY_BYTES: usize = 1 << 20;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
const READ_TIMEOUT: Duration = Duration::from_secs(10);
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// After an accept that failed, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const JSON: &str = "application/json";
const RETRY: &str = "Retry-After: 1\r\n";

pub struct Listener {
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
}

impl Listener {
    /// # Errors
    /// If the address cannot be bound, or the files are no certificate and key.
    pub async fn bind(address: SocketAddr, tls: Option<&TlsFiles>) -> Result<Self> {
        let tls = tls.map(for_http).transpose()?;
        let socket = TcpListener::bind(address).await.map_err(|error| {
            Error::from(error).in_context(format!("listening for notifications on {address}"))
        })?;
        Ok(Self { socket, tls })
    }

    pub fn local_addr(&self) -> Result<SocketAddr> {
        Ok(self.socket.local_addr()?)
    }

    /// Answers until it is dropped.
    pub async fn serve(self, instance: Arc<Instance>) {
        let unknown = rand::random::<u128>().to_string();
        let nobody = ScramVerifier::from_password(&unknown, DEFAULT_ITERATIONS, &mut rand::rng());
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let desk = Arc::new(Desk { instance, gate: Gate::new(Instant::now()), nobody });
        loop {
            let socket = match self.socket.accept().await {
                Ok((socket, _)) => socket,
                Err(error) => {
                    tracing::warn!(%error, "a notification could not be accepted");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            // Whoever comes when all places are taken is not kept waiting.
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
            let (desk, tls) = (Arc::clone(&desk), self.tls.clone());
            tokio::spawn(async move {
                // A client that goes away before its answer has nobody to tell.
                let _ = attend(socket, tls, &desk).await;
                drop(place);
            });
        }
    }
}

async fn attend(socket: TcpStream, tls: Option<TlsAcceptor>, desk: &Desk) -> io::Result<()> {
    let mut socket: Transport = match tls {
        Some(tls) => Box::new(timeout(HANDSHAKE_TIMEOUT, tls.accept(socket)).await??),
        None => Box::new(socket),
    };
    let answer = match timeout(READ_TIMEOUT, request(&mut socket, desk)).await {
        Ok(Ok(request)) => desk.answer(request).await,
        Ok(Err(Some(answer))) => answer,
        Ok(Err(None)) => return Ok(()),
        Err(_) => Answer::of(408, "Request Timeout"),
    };
    let sent = timeout(WRITE_TIMEOUT, async {
        socket.write_all(&answer.bytes(true)).await?;
        socket.shutdown().await
    });
    sent.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// A request that was read to its end.
struct Request {
    pipe: String,
    credentials: Credentials,
    body: Vec<u8>,
}

/// `None`: nobody is there any more. What can be refused by the head is, before a body is read.
async fn request(socket: &mut Transport, desk: &Desk) -> Result<Request, Option<Answer>> {
    let mut bytes = Vec::new();
    let end = read_head(socket, &mut bytes).await.map_err(|unreadable| match unreadable {
        Unreadable::TooLong => Some(Answer::of(431, "Request Header Fields Too Large")),
        Unreadable::Gone => None,
    })?;
    let head = Head::parse(&bytes[..end])?;
    let (pipe, credentials, length) = desk.admit(&head)?;
    let mut body = bytes.split_off(end);
    if head.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
        && body.is_empty()
    {
        socket.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.map_err(|_| None)?;
    }
    let rest = length.saturating_sub(body.len());
    body.truncate(length);
    let start = body.len();
    body.resize(start + rest, 0);
    socket.read_exact(&mut body[start..]).await.map_err(|_| None)?;
    Ok(Request { pipe, credentials, body })
}

/// Where requests are judged.
struct Desk {
    instance: Arc<Instance>,
    gate: Gate,
    /// Of a role that does not exist.
    nobody: ScramVerifier,
}

impl Desk {
    /// The pipe, who asks, and the length of the body.
    fn admit(&self, head: &Head) -> Result<(String, Credentials, usize), Answer> {
        if !self.gate.admits(Instant::now()) {
            return Err(Answer::of(429, "Too Many Requests").with_head(RETRY));
        }
        let name = head.path.strip_prefix("/pipes/").and_then(|rest| rest.strip_suffix("/notify"));
        let pipe = name.filter(|name| !name.is_empty() && !name.contains('/')).and_then(events::decoded);
        let Some(pipe) = pipe else { return Err(Answer::of(404, "Not Found")) };
        if head.method != "POST" {
            return Err(Answer::of(405, "Method Not Allowed").with_head("Allow: POST\r\n"));
        }
        let credentials = head.header("authorization").and_then(Credentials::of).ok_or_else(unauthorized)?;
        if head.has_header("transfer-encoding") || !head.has_header("content-length") {
            return Err(Answer::of(411, "Length Required"));
        }
        let length = head.header("content-length").and_then(|length| length.parse().ok());
        let Some(length) = length else { return Err(Answer::of(400, "Bad Request")) };
        if length > MAX_BODY_BYTES {
            return Err(Answer::of(413, "Content Too Large"));
        }
        Ok((pipe, credentials, length))
    }

    async fn answer(&self, request: Request) -> Answer {
        self.notify(request).await.unwrap_or_else(|error| refusal(&error))
    }

    async fn notify(&self, request: Request) -> Result<Answer> {
        let Request { pipe, credentials, body } = request;
        let role = self.instance.role(&credentials.role).await?;
        let verifier = role.and_then(|role| role.verifier);
        match self.gate.judge(&credentials, verifier.as_ref(), &self.nobody, Instant::now()) {
            Verdict::Fits => {}
            Verdict::Wrong => return Ok(unauthorized()),
            Verdict::NotNow => return Ok(Answer::of(429, "Too Many Requests").with_head(RETRY)),
        }
        let catalog = self.instance.warehouse.known_catalog();
        let access = Access::of(&catalog, &credentials.role);
        let may_run =
            |pipe: &&voxhouse_engine::catalog::Pipe| access.may(&Secured::pipe(pipe), Privilege::Usage);
        let Some(pipe) = catalog.pipe(&pipe).ok().filter(may_run) else {
            return Ok(Answer::of(404, "Not Found"));
        };
        let arrivals = arrivals(&body)?;
        let noted = self.instance.ingestion()?.notify(pipe, &arrivals)?;
        let told = serde_json::json!({ "accepted": noted.accepted, "ignored": noted.ignored });
        Ok(Answer::new(202, "Accepted", JSON, format!("{told}\n")))
    }
}

fn unauthorized() -> Answer {
    Answer::of(401, "Unauthorized").with_head("WWW-Authenticate: Basic realm=\"voxhouse\"\r\n")
}

/// What a sender is told of an error: what is wrong with its request, and of anything else that it is not its fault.
fn refusal(error: &Error) -> Answer {
    let told = |status, reason| Answer::new(status, reason, PLAIN, format!("{}\n", error.message()));
    match error.kind() {
        ErrorKind::InvalidArgument => told(400, "Bad Request"),
        ErrorKind::PortalNotRunnable => told(409, "Conflict"),
        ErrorKind::LimitExceeded => told(429, "Too Many Requests").with_head(RETRY),
        _ => {
            tracing::warn!(%error, "a notification could not be taken");
            Answer::of(503, "Service Unavailable").with_head(RETRY)
        }
    }
}
