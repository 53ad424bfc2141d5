//! The read side: frames out of the socket, bounded before they are buffered.

use std::sync::Arc;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, ReadHalf};
use voxhouse_engine::{Error, ErrorKind};

use super::frontend::Frame;
use super::stop::{Flow, Stop};
use super::tls::Transport;
use crate::observe::Observer;

/// How much is asked of the socket at a time. A frame's announced length never decides an allocation.
const READ_STEP: usize = 64 << 10;

/// How much may pile up while a statement runs. Beyond it the client waits, as it does for PostgreSQL, whose
/// socket buffer plays this part.
const READ_AHEAD: usize = 1 << 20;

/// A buffer that a large message has blown up is given back when it is empty.
const KEEP_CAPACITY: usize = 1 << 20;

/// Type byte and length.
const HEADER: usize = 5;

pub(super) struct Input {
    read: ReadHalf<Transport>,
    buffer: BytesMut,
    max_frame_bytes: usize,
    observer: Arc<Observer>,
}

impl Input {
    pub(super) fn new(read: ReadHalf<Transport>, max_frame_bytes: usize, observer: Arc<Observer>) -> Self {
        Self { read, buffer: BytesMut::new(), max_frame_bytes, observer }
    }

    pub(super) fn set_max_frame_bytes(&mut self, limit: usize) {
        self.max_frame_bytes = limit;
    }

    pub(super) fn max_frame_bytes(&self) -> usize {
        self.max_frame_bytes
    }

    /// The next frame. Dropping the future loses nothing.
    pub(super) async fn frame(&mut self) -> Flow<Frame> {
        loop {
            let missing = match self.buffered_frame()? {
                Ok(frame) => return Ok(frame),
                Err(missing) => missing,
            };
            self.read_more(missing).await?;
        }
    }

    /// The type of the next frame, which stays where it is. Dropping the future loses nothing.
    pub(super) async fn next_kind(&mut self) -> Flow<u8> {
        loop {
            if let Some(kind) = self.buffer.first() {
                return Ok(*kind);
            }
            self.read_more(HEADER).await?;
        }
    }

    /// Reads ahead for as long as a statement runs. Comes back only when the client has gone.
    pub(super) async fn watch(&mut self) {
        while self.buffer.len() < READ_AHEAD {
            if self.read_more(READ_STEP).await.is_err() {
                return;
            }
        }
        std::future::pending().await
    }

    /// Gives back what is only room for messages to come.
    pub(super) fn rest(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
    }

    /// A complete frame, or how many bytes are missing.
    fn buffered_frame(&mut self) -> Flow<Result<Frame, usize>> {
        let Some(&[kind, a, b, c, d]) = self.buffer.first_chunk::<HEADER>() else {
            return Ok(Err(HEADER - self.buffer.len()));
        };
        let length = i32::from_be_bytes([a, b, c, d]);
        // The length counts itself but not the type byte.
        let Some(total) = usize::try_from(length).ok().filter(|&length| length >= 4).map(|length| length + 1)
        else {
            return Err(Stop::fatal_protocol("invalid message length"));
        };
        if total > self.max_frame_bytes {
            return Err(Stop::Fatal(
                Error::new(
                    ErrorKind::LimitExceeded,
                    format!("message of {total} bytes exceeds the limit of {} bytes", self.max_frame_bytes),
                )
                .with_hint("Send the data in smaller statements, or raise max_message in the configuration."),
            ));
        }
        if self.buffer.len() < total {
            return Ok(Err(total - self.buffer.len()));
        }
        let mut body = self.buffer.split_to(total).freeze();
        if self.buffer.is_empty() && total > KEEP_CAPACITY {
            self.buffer = BytesMut::new();
        }
        let _header = body.split_to(HEADER);
        Ok(Ok(Frame { kind, body }))
    }

    async fn read_more(&mut self, missing: usize) -> Flow<()> {
        self.buffer.reserve(missing.clamp(HEADER, READ_STEP));
        match self.read.read_buf(&mut self.buffer).await? {
            0 => Err(Stop::Gone),
            count => {
                self.observer.counters.received_bytes.add(count as u64);
                Ok(())
            }
        }
    }
}
