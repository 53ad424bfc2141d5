//! `/metrics` and `/healthz` over HTTP/1.1, for a monitoring system beside the server.
//!
//! One request a connection, and no body is read. Whoever connects gets little to play with: a request's head is
//! bounded in size and time, answers in time, and connections in number; nothing of a request is ever repeated.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use voxhouse_engine::{Error, Result};

use super::exposition::CONTENT_TYPE;
use super::scrape::Scrape;
use crate::http::{Answer, Head, PLAIN, Unreadable, read_head};

/// More than monitoring systems and load balancers open.
const MAX_CONNECTIONS: usize = 32;
const READ_TIMEOUT: Duration = Duration::from_secs(5);
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// After an accept that failed, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

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
        Ok(Ok(_)) => request(&head),
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

#[derive(Debug, PartialEq, Eq)]
struct Request {
    path: String,
    is_head: bool,
}

/// The first line is all that counts.
fn request(head: &[u8]) -> std::result::Result<Request, Answer> {
    let Head { method, path, .. } = Head::parse(head)?;
    let is_head = match method.as_str() {
        "GET" => false,
        "HEAD" => true,
        _ => return Err(Answer::of(405, "Method Not Allowed").with_head("Allow: GET, HEAD\r\n")),
    };
    Ok(Request { path, is_head })
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
    fn only_what_asks_is_answered() {
        let read = |head: &str| request(head.as_bytes()).map_err(|answer| answer.status);
        let get = |path: &str| Ok(Request { path: path.into(), is_head: false });
        assert_eq!(read("GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\n\r\n"), get("/metrics"));
        assert_eq!(read("GET / HTTP/1.0\n\n"), get("/"));
        assert_eq!(read("HEAD /healthz HTTP/1.1\r\n\r\n").map(|request| request.is_head), Ok(true));
        for method in ["POST", "get"] {
            assert_eq!(read(&format!("{method} /metrics HTTP/1.1\r\n\r\n")).unwrap_err(), 405);
        }
    }
}
