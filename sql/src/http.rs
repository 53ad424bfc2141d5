//! The little of HTTP/1.1 that a server beside others needs: one request a connection.
//!
//! A request's head is bounded in size and read strictly, and nothing of a request is ever repeated in an answer.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

const MAX_HEAD_BYTES: usize = 8 << 10;

pub(crate) const PLAIN: &str = "text/plain; charset=utf-8";

/// Why no head came.
#[derive(Debug)]
pub(crate) enum Unreadable {
    TooLong,
    Gone,
}

impl From<io::Error> for Unreadable {
    fn from(_: io::Error) -> Self {
        Unreadable::Gone
    }
}

/// Up to and with the empty line, and perhaps more. Returns where the head ends.
pub(crate) async fn read_head(
    socket: &mut (impl AsyncRead + Unpin),
    bytes: &mut Vec<u8>,
) -> Result<usize, Unreadable> {
    let mut part = [0; 1_024];
    loop {
        let count = socket.read(&mut part).await?;
        if count == 0 {
            return Err(Unreadable::Gone);
        }
        bytes.extend_from_slice(&part[..count]);
        if let Some(end) = end_of_head(bytes) {
            return Ok(end);
        }
        if bytes.len() > MAX_HEAD_BYTES {
            return Err(Unreadable::TooLong);
        }
    }
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let after = |end: &[u8]| bytes.windows(end.len()).position(|some| some == end).map(|at| at + end.len());
    match (after(b"\r\n\r\n"), after(b"\n\n")) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// A request up to its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) method: String,
    /// Without query and fragment, percent signs as they came.
    pub(crate) path: String,
    /// Names in lower case.
    headers: Vec<(String, String)>,
}

impl Head {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Answer> {
        let bad = || Answer::of(400, "Bad Request");
        let mut lines =
            bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let line = std::str::from_utf8(lines.next().unwrap_or_default()).map_err(|_| bad())?;
        let parts: Vec<&str> = line.split(' ').collect();
        let [method, target, version] = parts.as_slice() else { return Err(bad()) };
        let is_clean = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_clean(method) || !is_clean(target) || !version.starts_with("HTTP/") {
            return Err(bad());
        }
        if !matches!(*version, "HTTP/1.1" | "HTTP/1.0") {
            return Err(Answer::of(505, "HTTP Version Not Supported"));
        }
        let path = target.split(['?', '#']).next().unwrap_or_default();
        let headers = lines.take_while(|line| !line.is_empty()).map(header).collect();
        Ok(Self { method: (*method).to_owned(), path: path.to_owned(), headers })
    }

    /// The value of a header that came once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values =
            self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        values.next().filter(|_| values.next().is_none())
    }

    pub(crate) fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known == name)
    }
}

/// What is no header is one that nobody asks for.
fn header(line: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(line);
    let (name, value) = text.split_once(':').unwrap_or(("", ""));
    (name.to_ascii_lowercase(), value.trim().to_owned())
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    reason: &'static str,
    content_type: &'static str,
    /// Lines of the head, each with its end.
    more: &'static str,
    body: String,
}

impl Answer {
    pub(crate) fn new(status: u16, reason: &'static str, content_type: &'static str, body: String) -> Self {
        Self { status, reason, content_type, more: "", body }
    }

    /// An answer whose body is its own name.
    pub(crate) fn of(status: u16, reason: &'static str) -> Self {
        Self::new(status, reason, PLAIN, format!("{reason}\n"))
    }

    pub(crate) fn with_head(self, more: &'static str) -> Self {
        Self { more, ..self }
    }

    pub(crate) fn bytes(&self, has_body: bool) -> Vec<u8> {
        let Answer { status, reason, content_type, more, body } = self;
        let head = format!(
            "HTTP/1.1 {status} {reason}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\
             {more}Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let mut bytes = head.into_bytes();
        if has_body {
            bytes.extend_from_slice(body.as_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_strictly() {
        let read = |head: &[u8]| Head::parse(head).map_err(|answer| answer.status);
        let head =
            read(b"POST /a?x=1 HTTP/1.1\r\nHost: a\r\ncontent-LENGTH:  5 \r\nX: 1\r\nx: 2\r\n\r\n12345")
                .unwrap();
        assert_eq!((head.method.as_str(), head.path.as_str()), ("POST", "/a"));
        assert_eq!((head.header("content-length"), head.header("x")), (Some("5"), None));
        assert!(head.has_header("x") && !head.has_header("12345"));
        for (head, status) in [
            (&b""[..], 400),
            (b"GET\r\n\r\n", 400),
            (b"GET  /metrics HTTP/1.1\r\n\r\n", 400),
            (b"GET /metrics\t HTTP/1.1\r\n\r\n", 400),
            ("GET /é HTTP/1.1\r\n\r\n".as_bytes(), 400),
            (b"GET /metrics FTP/1.1\r\n\r\n", 400),
            (b"GET /metrics HTTP/2.0\r\n\r\n", 505),
            (b"\xff\xfe\r\n\r\n", 400),
        ] {
            assert_eq!(read(head).unwrap_err(), status, "{head:?}");
        }
    }

    #[test]
    fn a_head_ends_at_the_first_empty_line() {
        assert_eq!(end_of_head(b"GET / HTTP/1.1\r\n\r\nbody\n\n"), Some(18));
        assert_eq!(end_of_head(b"GET / HTTP/1.1\n\nbody\r\n\r\n"), Some(16));
        assert_eq!(end_of_head(b"GET / HTTP/1.1\r\n"), None);
    }

    #[test]
    fn an_answer_tells_its_length_and_a_head_has_no_body() {
        let answer = Answer::of(405, "Method Not Allowed").with_head("Allow: GET, HEAD\r\n");
        let text = String::from_utf8(answer.bytes(true)).unwrap();
        assert!(
            text.starts_with("HTTP/1.1 405 Method Not Allowed\r\n")
                && text.contains("Content-Length: 19\r\n")
        );
        assert!(text.contains("Allow: GET, HEAD\r\n") && text.ends_with("\r\n\r\nMethod Not Allowed\n"));
        assert!(String::from_utf8(answer.bytes(false)).unwrap().ends_with("\r\n\r\n"));
    }
}
