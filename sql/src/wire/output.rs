//! The write side: one buffer, drained with back-pressure.

use std::sync::Arc;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncWriteExt, WriteHalf};

use super::stop::Flow;
use super::tls::Transport;
use crate::observe::Observer;

/// Rows leave when about this much of them is encoded.
pub(super) const FLUSH_AT: usize = 64 << 10;

/// A buffer that one giant value has blown up is given back.
const KEEP_CAPACITY: usize = 1 << 20;

pub(super) struct Output {
    write: WriteHalf<Transport>,
    /// Whole messages only, apart from the one being written at this moment. What a cancelled flush has not
    /// written stays and goes first.
    pub(super) buffer: BytesMut,
    observer: Arc<Observer>,
}

impl Output {
    pub(super) fn new(write: WriteHalf<Transport>, observer: Arc<Observer>) -> Self {
        Self { write, buffer: BytesMut::new(), observer }
    }

    pub(super) fn is_full(&self) -> bool {
        self.buffer.len() >= FLUSH_AT
    }

    /// Gives back what is only room for messages to come.
    pub(super) fn rest(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
    }

    /// Writes everything; waits for a slow client. Dropping the future loses nothing.
    pub(super) async fn flush(&mut self) -> Flow<()> {
        while self.buffer.has_remaining() {
            let count = self.write.write_buf(&mut self.buffer).await?;
            self.observer.counters.sent_bytes.add(count as u64);
        }
        self.write.flush().await?;
        if self.buffer.capacity() > KEEP_CAPACITY {
            self.buffer = BytesMut::with_capacity(FLUSH_AT);
        }
        Ok(())
    }

    pub(super) async fn close(mut self) {
        // The client may be gone already; then there is nothing left to say to it.
        let _ = self.write.shutdown().await;
    }
}
