//! How much a compressed file may become: a few kilobytes can unpack to terabytes.

use std::io::{self, Read};

use voxhouse_engine::source::FormatOptions;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::options;

/// Below this nobody is harmed, whatever the ratio.
const ALWAYS_ALLOWED_BYTES: u64 = 64 << 20;

/// Text compresses to a tenth, logs that repeat themselves to a fiftieth.
const DEFAULT_RATIO: u64 = 200;

const DEFAULT_BYTES: u64 = 64 << 30;

/// - `max_ratio`: how many times its compressed size a file may become; default 200, from 64 MiB on
/// - `max_bytes`: the most bytes a file may unpack to; default 64 GiB
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    ratio: u64,
    bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { ratio: DEFAULT_RATIO, bytes: DEFAULT_BYTES }
    }
}

impl Limits {
    pub(super) fn new(options: &FormatOptions) -> Result<Self> {
        let limit = |name: &str, default: u64| match options::count(options, name)? {
            Some(0) => Err(Error::invalid_argument(format!("option \"{name}\" must be at least 1"))),
            given => Ok(given.unwrap_or(default)),
        };
        Ok(Self { ratio: limit("max_ratio", DEFAULT_RATIO)?, bytes: limit("max_bytes", DEFAULT_BYTES)? })
    }

    /// Refuses what is known beforehand: `packed` bytes that say they become `unpacked`.
    pub(super) fn check(self, packed: u64, unpacked: u64) -> Result<()> {
        if unpacked > self.bytes {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("file unpacks to more than {} bytes", self.bytes),
            )
            .with_hint("The option max_bytes raises the limit."));
        }
        if unpacked > ALWAYS_ALLOWED_BYTES && unpacked / self.ratio > packed {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("file unpacks to more than {} times its size", self.ratio),
            )
            .with_hint("The option max_ratio raises the limit."));
        }
        Ok(())
    }
}

/// Counts what a decoder yields, and ends it at the limits.
#[derive(Debug)]
pub(super) struct Measured<R> {
    inner: R,
    packed: u64,
    unpacked: u64,
    limits: Limits,
}

impl<R> Measured<R> {
    pub(super) fn new(inner: R, packed: u64, limits: Limits) -> Self {
        Self { inner, packed, unpacked: 0, limits }
    }
}

impl<R: Read> Read for Measured<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(target)?;
        self.unpacked += count as u64;
        self.limits.check(self.packed, self.unpacked).map_err(io::Error::other)?;
        Ok(count)
    }
}
