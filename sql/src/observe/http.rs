//! `/metrics` and `/healthz` over HTTP/1.1, for a monitoring system beside the server.
//!
//! One request a connection, and no body is read. Whoever connects gets little to play with: a request's head is
//! bounded in size and time, answers in time, and connections in number; nothing of a request is ever repeated.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use voxhouse_engine::{Error, Result};

use super::exposition::CONTENT_TYPE;
use super::scrape::Scrape;

/// More than monitoring systems and load balancers open.
const MAX_CONNECTIONS: usize = 32;
const MAX_HEAD_BYTES: usize = 8 << 10;
const READ_TIMEOUT: Duration = Duration::from_secs(5);
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// After an accept that failed, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const PLAIN: &str = "text/plain; charset=utf-8";

pub struct Listener(TcpListener);

impl Listener {
    /// # Errors
    /// If the address cannot be bound.
    pub async fn bind(address: SocketAddr) -> Result<Self> {
        let bound = TcpListener::bind(address).await;
        let bound = bound.map_err(|error| {
            Error::from(error).in_context(format!("listening for metrics requests on {address}"))
        })?;
        Ok(Self(bound))
    }

    pub fn local_addr(&self) -> Result<SocketAddr> {
        Ok(self.0.local_addr()?)
    }

    /// Answers until it is dropped.
    pub async fn serve(self, scrape: Arc<Scrape>) {
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let socket = match self.0.accept().await {
                Ok((socket, _)) => socket,
                Err(error) => {
                    tracing::warn!(%error, "a request for metrics could not be accepted");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            // Whoever comes when all places are taken is not kept waiting.
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
            let scrape = Arc::clone(&scrape);
            tokio::spawn(async move {
                // A client that goes away before its answer has nobody to tell.
                let _ = attend(socket, &scrape).await;
                drop(place);
            });
        }
    }
}

async fn attend(mut socket: TcpStream, scrape: &Scrape) -> io::Result<()> {
    let mut head = Vec::new();
    let asked = match timeout(READ_TIMEOUT, read_head(&mut socket, &mut head)).await {
        Ok(Ok(())) => request(&head),
        Ok(Err(Unreadable::TooLong)) => Err(Answer::of(431, "Request Header Fields Too Large")),
        Ok(Err(Unreadable::Gone)) => return Ok(()),
        Err(_) => Err(Answer::of(408, "Request Timeout")),
    };
    let (answer, has_body) = match asked {
        Ok(request) => (answer(&request.path, scrape), !request.is_head),
        Err(answer) => (answer, true),
    };
    let sent = timeout(WRITE_TIMEOUT, async {
        socket.write_all(&answer.bytes(has_body)).await?;
        socket.shutdown().await
    });
    sent.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

enum Unreadable {
    TooLong,
    Gone,
}

impl From<io::Error> for Unreadable {
    fn from(_: io::Error) -> Self {
        Unreadable::Gone
    }
}

/// Up to and with the empty line.
async fn read_head(socket: &mut TcpStream, head: &mut Vec<u8>) -> std::result::Result<(), Unreadable> {
    let mut part = [0; 1_024];
    loop {
        let count = socket.read(&mut part).await?;
        if count == 0 {
            return Err(Unreadable::Gone);
        }
        head.extend_from_slice(&part[..count]);
        if ends(head) {
            return Ok(());
        }
        if head.len() > MAX_HEAD_BYTES {
            return Err(Unreadable::TooLong);
        }
    }
}

fn ends(head: &[u8]) -> bool {
    head.windows(4).any(|four| four == b"\r\n\r\n") || head.windows(2).any(|two| two == b"\n\n")
}

#[derive(Debug, PartialEq, Eq)]
struct Request {
    path: String,
    is_head: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    reason: &'static str,
    content_type: &'static str,
    body: String,
}

impl Answer {
    fn new(status: u16, reason: &'static str, content_type: &'static str, body: String) -> Self {
        Self { status, reason, content_type, body }
    }

    /// An answer whose body is its own name.
    fn of(status: u16, reason: &'static str) -> Self {
        Self::new(status, reason, PLAIN, format!("{reason}\n"))
    }

    fn bytes(&self, has_body: bool) -> Vec<u8> {
        let Answer { status, reason, content_type, body } = self;
        let allow = if *status == 405 { "Allow: GET, HEAD\r\n" } else { "" };
        let head = format!(
            "HTTP/1.1 {status} {reason}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\
             {allow}Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let mut bytes = head.into_bytes();
        if has_body {
            bytes.extend_from_slice(body.as_bytes());
        }
        bytes
    }
}

/// The first line is all that counts.
fn request(head: &[u8]) -> std::result::Result<Request, Answer> {
    let bad = || Answer::of(400, "Bad Request");
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = std::str::from_utf8(line).map_err(|_| bad())?.trim_end_matches('\r');
    let parts: Vec<&str> = line.split(' ').collect();
    let [method, target, version] = parts.as_slice() else { return Err(bad()) };
    let is_clean = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_clean(method) || !is_clean(target) || !version.starts_with("HTTP/") {
        return Err(bad());
    }
    if !matches!(*version, "HTTP/1.1" | "HTTP/1.0") {
        return Err(Answer::of(505, "HTTP Version Not Supported"));
    }
    let is_head = match *method {
        "GET" => false,
        "HEAD" => true,
        _ => return Err(Answer::of(405, "Method Not Allowed")),
    };
    let path = target.split(['?', '#']).next().unwrap_or_default();
    Ok(Request { path: path.to_owned(), is_head })
}

fn answer(path: &str, scrape: &Scrape) -> Answer {
    match path {
        "/metrics" => Answer::new(200, "OK", CONTENT_TYPE, scrape.page()),
        "/healthz" if scrape.is_ending() => {
            Answer::new(503, "Service Unavailable", PLAIN, "shutting down\n".into())
        }
        "/healthz" => Answer::new(200, "OK", PLAIN, "ok\n".into()),
        _ => Answer::of(404, "Not Found"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_strictly() {
        let read = |head: &str| request(head.as_bytes()).map_err(|answer| answer.status);
        let get = |path: &str| Ok(Request { path: path.into(), is_head: false });
        assert_eq!(read("GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\n\r\n"), get("/metrics"));
        assert_eq!(read("GET / HTTP/1.0\n\n"), get("/"));
        assert_eq!(read("HEAD /healthz HTTP/1.1\r\n\r\n").map(|request| request.is_head), Ok(true));
        for (head, status) in [
            ("", 400),
            ("GET\r\n\r\n", 400),
            ("GET  /metrics HTTP/1.1\r\n\r\n", 400),
            ("GET /metrics\t HTTP/1.1\r\n\r\n", 400),
            ("GET /é HTTP/1.1\r\n\r\n", 400),
            ("GET /metrics FTP/1.1\r\n\r\n", 400),
            ("GET /metrics HTTP/2.0\r\n\r\n", 505),
            ("POST /metrics HTTP/1.1\r\n\r\n", 405),
            ("get /metrics HTTP/1.1\r\n\r\n", 405),
        ] {
            assert_eq!(read(head).unwrap_err(), status, "{head:?}");
        }
        assert_eq!(request(b"\xff\xfe\r\n\r\n").unwrap_err().status, 400);
    }

    #[test]
    fn an_answer_tells_its_length_and_a_head_has_no_body() {
        let answer = Answer::of(405, "Method Not Allowed");
        let text = String::from_utf8(answer.bytes(true)).unwrap();
        assert!(
            text.starts_with("HTTP/1.1 405 Method Not Allowed\r\n")
                && text.contains("Content-Length: 19\r\n")
        );
        assert!(text.contains("Allow: GET, HEAD\r\n") && text.ends_with("\r\n\r\nMethod Not Allowed\n"));
        assert!(String::from_utf8(answer.bytes(false)).unwrap().ends_with("\r\n\r\n"));
    }
}
