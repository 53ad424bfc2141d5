//! Messages from the client, decoded from one complete frame.
//!
//! Every read is bounds-checked, text must be UTF-8, and a frame must be used up exactly. A frame that fails
//! here has still been taken from the stream whole, so the connection can go on.

use bytes::{Buf, Bytes};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::stop::{Flow, Stop};

/// The type byte and the body behind the length.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) body: Bytes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Statement,
    Portal,
}

#[derive(Debug)]
pub(super) struct Parse {
    pub(super) name: String,
    pub(super) query: String,
    pub(super) oids: Vec<u32>,
}

#[derive(Debug)]
pub(super) struct Bind {
    pub(super) portal: String,
    pub(super) statement: String,
    pub(super) formats: Vec<i16>,
    /// `None` is NULL.
    pub(super) parameters: Vec<Option<Bytes>>,
    pub(super) result_formats: Vec<i16>,
}

#[derive(Debug)]
pub(super) enum Message {
    Query(String),
    Parse(Parse),
    Bind(Bind),
    Describe(Target, String),
    Execute {
        portal: String,
        max_rows: i32,
    },
    Close(Target, String),
    Flush,
    Sync,
    Terminate,
    /// CopyData, CopyDone or CopyFail outside of a COPY: PostgreSQL ignores them as left-overs of a COPY that
    /// the server has already given up.
    StrayCopy,
    FunctionCall,
}

/// What a client may send while the server waits for the data of a COPY.
#[derive(Debug)]
pub(super) enum CopyMessage {
    Data(Bytes),
    Done,
    Fail(String),
    /// Flush or Sync, which mean nothing here.
    Skip,
    Terminate,
}

impl Frame {
    /// # Errors
    /// Fatal for any other message: data and statements could not be told apart any more.
    pub(super) fn copy_message(self) -> Flow<CopyMessage> {
        Ok(match self.kind {
            b'd' => CopyMessage::Data(self.body),
            b'c' => CopyMessage::Done,
            b'f' => CopyMessage::Fail(Reader(self.body).text()?),
            b'H' | b'S' => CopyMessage::Skip,
            b'X' => CopyMessage::Terminate,
            other => {
                return Err(Stop::fatal_protocol(format!(
                    "unexpected message type 0x{other:02X} during COPY from stdin"
                )));
            }
        })
    }

    /// Whether an error in this message makes the server skip messages up to the next Sync.
    pub(super) fn is_extended(&self) -> bool {
        matches!(self.kind, b'P' | b'B' | b'D' | b'E' | b'C' | b'H')
    }

    /// Whether the protocol knows the type byte at all. After another one the stream cannot be trusted.
    pub(super) fn is_known(&self) -> bool {
        matches!(self.kind, b'Q' | b'S' | b'X' | b'F' | b'd' | b'c' | b'f') || self.is_extended()
    }

    pub(super) fn decode(self) -> Result<Message> {
        let mut body = Reader(self.body);
        let message = match self.kind {
            b'Q' => Message::Query(body.text()?),
            b'P' => Message::Parse(body.parse()?),
            b'B' => Message::Bind(body.bind()?),
            b'D' => Message::Describe(body.target()?, body.text()?),
            b'E' => Message::Execute { portal: body.text()?, max_rows: body.i32()? },
            b'C' => Message::Close(body.target()?, body.text()?),
            b'H' => Message::Flush,
            b'S' => Message::Sync,
            b'X' => Message::Terminate,
            b'd' | b'c' | b'f' => return Ok(Message::StrayCopy),
            b'F' => return Ok(Message::FunctionCall),
            other => return Err(malformed(format!("invalid frontend message type {other}"))),
        };
        body.finish()?;
        Ok(message)
    }
}

/// The client's side of SASL inside a `p` message.
pub(super) fn sasl_initial(body: Bytes) -> Result<(String, Bytes)> {
    let mut body = Reader(body);
    let mechanism = body.text()?;
    let data = body.counted()?.unwrap_or_default();
    body.finish()?;
    Ok((mechanism, data))
}

/// The pairs of a start-up packet behind the protocol number, up to the empty name.
pub(super) fn startup_parameters(body: Bytes) -> Result<Vec<(String, String)>> {
    let mut body = Reader(body);
    let mut parameters = Vec::new();
    loop {
        let name = body.text()?;
        if name.is_empty() {
            body.finish()?;
            return Ok(parameters);
        }
        parameters.push((name, body.text()?));
    }
}

struct Reader(Bytes);

impl Reader {
    fn parse(&mut self) -> Result<Parse> {
        let (name, query) = (self.text()?, self.text()?);
        let count = self.u16()?;
        let oids = (0..count).map(|_| self.i32().map(|oid| oid as u32)).collect::<Result<_>>()?;
        Ok(Parse { name, query, oids })
    }

    fn bind(&mut self) -> Result<Bind> {
        let (portal, statement) = (self.text()?, self.text()?);
        let formats = self.formats()?;
        let count = self.u16()?;
        let parameters = (0..count).map(|_| self.counted()).collect::<Result<_>>()?;
        let result_formats = self.formats()?;
        Ok(Bind { portal, statement, formats, parameters, result_formats })
    }

    fn formats(&mut self) -> Result<Vec<i16>> {
        let count = self.u16()?;
        (0..count).map(|_| self.u16().map(|code| code as i16)).collect()
    }

    fn target(&mut self) -> Result<Target> {
        match self.u8()? {
            b'S' => Ok(Target::Statement),
            b'P' => Ok(Target::Portal),
            other => Err(malformed(format!("invalid message subtype {other}"))),
        }
    }

    /// Bytes behind their count; the count −1 is NULL.
    fn counted(&mut self) -> Result<Option<Bytes>> {
        match self.i32()? {
            -1 => Ok(None),
            length => {
                let length = usize::try_from(length).map_err(|_| insufficient())?;
                self.need(length)?;
                Ok(Some(self.0.split_to(length)))
            }
        }
    }

    fn text(&mut self) -> Result<String> {
        let Some(end) = self.0.iter().position(|&byte| byte == 0) else {
            return Err(malformed("invalid string in message"));
        };
        let bytes = self.0.split_to(end);
        self.0.advance(1);
        utf8(&bytes).map(str::to_owned)
    }

    fn u8(&mut self) -> Result<u8> {
        self.need(1)?;
        Ok(self.0.get_u8())
    }

    fn u16(&mut self) -> Result<u16> {
        self.need(2)?;
        Ok(self.0.get_u16())
    }

    fn i32(&mut self) -> Result<i32> {
        self.need(4)?;
        Ok(self.0.get_i32())
    }

    fn need(&self, length: usize) -> Result<()> {
        if self.0.len() < length { Err(insufficient()) } else { Ok(()) }
    }

    fn finish(&self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(malformed("invalid message format")) }
    }
}

/// The text of a value from the client.
pub(super) fn utf8(bytes: &[u8]) -> Result<&str> {
    let broken = |at: usize| {
        // As many bytes as the first one announces.
        let length = match bytes[at] {
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF7 => 4,
            _ => 1,
        };
        let sequence: Vec<String> =
            bytes[at..].iter().take(length).map(|byte| format!("0x{byte:02x}")).collect();
        Error::new(
            ErrorKind::InvalidEncoding,
            format!("invalid byte sequence for encoding \"UTF8\": {}", sequence.join(" ")),
        )
    };
    match std::str::from_utf8(bytes) {
        Ok(text) => match text.bytes().position(|byte| byte == 0) {
            None => Ok(text),
            Some(at) => Err(broken(at)),
        },
        Err(error) => Err(broken(error.valid_up_to())),
    }
}

fn malformed(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::ProtocolViolation, message)
}

fn insufficient() -> Error {
    malformed("insufficient data left in message")
}
