//! One version of one object: what was listed is what is read, or the read fails.
//!
//! A loader may replace a file while it is being read. Each answer of the store is compared with the listing
//! (entity tag and size), so that a load never mixes two versions of a file.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::{GetOptions, GetRange, GetResult, GetResultPayload, ObjectMeta, ObjectStore};
use tokio::sync::mpsc;
use voxhouse_engine::{Error, ErrorKind, Result};

/// Pieces of a download that wait for the reader.
const DOWNLOAD_AHEAD: usize = 16;

const FILE_BUFFER_BYTES: usize = 256 << 10;

#[derive(Debug, Clone)]
pub(super) struct Object {
    store: Arc<dyn ObjectStore>,
    meta: ObjectMeta,
}

impl Object {
    pub(super) fn new(store: Arc<dyn ObjectStore>, meta: &ObjectMeta) -> Self {
        Self { store, meta: meta.clone() }
    }

    pub(super) fn size(&self) -> u64 {
        self.meta.size
    }

    /// The bytes of `range`, all of them.
    pub(super) async fn bytes(&self, range: Range<u64>) -> Result<Bytes> {
        let wanted = range.end.saturating_sub(range.start);
        let bytes = self.get(Some(GetRange::Bounded(range))).await?.bytes().await?;
        if bytes.len() as u64 == wanted {
            Ok(bytes)
        } else {
            Err(self.ended_early(bytes.len() as u64, wanted))
        }
    }

    /// The last bytes of the object, as many of `count` as there are, and where they begin.
    pub(super) async fn tail(&self, count: u64) -> Result<(u64, Bytes)> {
        let start = self.size().saturating_sub(count);
        if start == self.size() {
            return Ok((start, Bytes::new()));
        }
        Ok((start, self.bytes(start..self.size()).await?))
    }

    /// The whole object, for a thread that may block.
    pub(super) async fn reader(&self) -> Result<ObjectReader> {
        let answer = self.get(None).await?;
        self.reading(answer, 0..self.size())
    }

    /// A part of the object, for a thread that may block.
    pub(super) async fn reader_of(&self, range: Range<u64>) -> Result<ObjectReader> {
        if range.start >= range.end {
            let (_, pieces) = mpsc::channel(1);
            let source = Source::Download { pieces, current: Bytes::new() };
            return Ok(ObjectReader { object: self.clone(), source, wanted: 0, left: 0 });
        }
        let answer = self.get(Some(GetRange::Bounded(range.clone()))).await?;
        self.reading(answer, range)
    }

    fn reading(&self, answer: GetResult, range: Range<u64>) -> Result<ObjectReader> {
        let source = match answer.payload {
            GetResultPayload::File(mut file, _) => {
                if range.start > 0 {
                    file.seek(SeekFrom::Start(range.start))?;
                }
                Source::File(BufReader::with_capacity(FILE_BUFFER_BYTES, file))
            }
            GetResultPayload::Stream(pieces) => {
                Source::Download { pieces: download(pieces), current: Bytes::new() }
            }
        };
        let wanted = range.end - range.start;
        Ok(ObjectReader { object: self.clone(), source, wanted, left: wanted })
    }

    async fn get(&self, range: Option<GetRange>) -> Result<GetResult> {
        let options = GetOptions { range, ..GetOptions::default() };
        let answer =
            self.store.get_opts(&self.meta.location, options).await.map_err(|error| self.named(error))?;
        let same_tag = match (&self.meta.e_tag, &answer.meta.e_tag) {
            (Some(listed), Some(found)) => bare_tag(listed) == bare_tag(found),
            _ => true,
        };
        if same_tag && answer.meta.size == self.meta.size { Ok(answer) } else { Err(self.changed()) }
    }

    /// A store may call a missing object by a name that only it knows.
    fn named(&self, error: object_store::Error) -> Error {
        match error {
            object_store::Error::NotFound { .. } => {
                Error::new(ErrorKind::StorageIo, format!("object \"{}\" does not exist", self.meta.location))
                    .with_source(error)
            }
            other => Error::from(other),
        }
    }

    fn changed(&self) -> Error {
        Error::new(
            ErrorKind::StorageIo,
            format!("object \"{}\" changed after it was listed", self.meta.location),
        )
        .with_hint("It is read again as a new file.")
    }

    fn ended_early(&self, found: u64, wanted: u64) -> Error {
        Error::new(
            ErrorKind::StorageIo,
            format!("object \"{}\" ended after {found} of {wanted} bytes", self.meta.location),
        )
    }
}

/// Stores differ in whether a listing quotes the entity tag.
fn bare_tag(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"')
}

/// Downloads on the runtime, a few pieces ahead of the thread that reads them.
fn download(mut pieces: BoxStream<'static, object_store::Result<Bytes>>) -> mpsc::Receiver<Result<Bytes>> {
    let (sender, receiver) = mpsc::channel(DOWNLOAD_AHEAD);
    tokio::spawn(async move {
        loop {
            let piece = tokio::select! {
                () = sender.closed() => return,
                piece = pieces.next() => piece,
            };
            let Some(piece) = piece else { return };
            if sender.send(piece.map_err(Error::from)).await.is_err() {
                return;
            }
        }
    });
    receiver
}

/// The bytes of an object as a blocking reader. Its errors carry an [`Error`] inside.
#[derive(Debug)]
pub(super) struct ObjectReader {
    object: Object,
    source: Source,
    wanted: u64,
    left: u64,
}

#[derive(Debug)]
enum Source {
    File(BufReader<std::fs::File>),
    Download { pieces: mpsc::Receiver<Result<Bytes>>, current: Bytes },
}

impl BufRead for ObjectReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Ok(&[]);
        }
        let found = match &mut self.source {
            Source::File(file) => file.fill_buf().map_err(|error| io::Error::other(Error::from(error)))?,
            Source::Download { pieces, current } => {
                while current.is_empty() {
                    match pieces.blocking_recv() {
                        Some(piece) => *current = piece.map_err(io::Error::other)?,
                        None => break,
                    }
                }
                current
            }
        };
        if found.is_empty() {
            let wanted = self.wanted;
            return Err(io::Error::other(self.object.ended_early(wanted - self.left, wanted)));
        }
        let usable = usize::try_from(self.left).map_or(found.len(), |left| left.min(found.len()));
        Ok(&found[..usable])
    }

    fn consume(&mut self, count: usize) {
        self.left = self.left.saturating_sub(count as u64);
        match &mut self.source {
            Source::File(file) => file.consume(count),
            Source::Download { current, .. } => current.advance(count.min(current.len())),
        }
    }
}

impl Read for ObjectReader {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let found = self.fill_buf()?;
        let count = found.len().min(target.len());
        target[..count].copy_from_slice(&found[..count]);
        self.consume(count);
        Ok(count)
    }
}
