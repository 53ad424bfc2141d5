//! The text of an object as UTF-8 bytes in one buffer that a row parser reads from.
//!
//! Bytes which are not text in the stated encoding must make *their row* a bad row, and nothing else. UTF-8
//! therefore passes through unchecked and the parser validates each row; other encodings are decoded piece by
//! piece, and where a sequence cannot be decoded the buffer gets the byte 0xFF, which is never part of UTF-8,
//! so that validation finds it too. A byte order mark wins over the stated encoding.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::str::Utf8Error;

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};
use voxhouse_engine::Result;

use super::compression::Compression;

const BUFFER_BYTES: usize = 1 << 20;

/// The least that one [`Text::fill`] adds, so that small reads of a decoder do not make a parser start over
/// often.
const FILL_BYTES: usize = 256 << 10;

/// Room a decoder needs to make progress.
const DECODER_ROOM: usize = 64;

const RAW_BYTES: usize = 64 << 10;

const UNDECODABLE: u8 = 0xFF;

/// How many undecodable sequences of the buffer are remembered with their place. In a file that has more, its
/// encoding is wrong altogether and the first ones say so.
const MAX_REMEMBERED: usize = 65_536;

pub(super) struct Text {
    source: Box<dyn Read + Send>,
    /// Of the source, for what its errors are called.
    compression: Compression,
    encoding: &'static Encoding,
    transcoder: Option<Transcoder>,
    /// Bytes already read while looking for a byte order mark.
    head: Vec<u8>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Where `buffer[start]` lies in the decoded text; for UTF-8, in the decompressed file.
    offset: u64,
    finished: bool,
}

struct Transcoder {
    decoder: Decoder,
    raw: Vec<u8>,
    raw_start: usize,
    raw_end: usize,
    /// Where `raw[raw_start]` lies in the decompressed file.
    raw_offset: u64,
    raw_finished: bool,
    undecodable: VecDeque<Undecodable>,
}

struct Undecodable {
    /// In the decoded text.
    at: u64,
    /// In the decompressed file.
    raw_at: u64,
    /// As far as they are still at hand.
    bytes: Vec<u8>,
}

impl Text {
    /// Reads the first bytes, for the byte order mark.
    pub(super) fn new(
        mut source: Box<dyn Read + Send>,
        compression: Compression,
        encoding: &'static Encoding,
    ) -> Result<Self> {
        let mut head = Vec::new();
        source.by_ref().take(3).read_to_end(&mut head).map_err(|error| compression.error(error))?;
        let (encoding, mark) = Encoding::for_bom(&head).unwrap_or((encoding, 0));
        head.drain(..mark);
        let transcoder = (encoding != UTF_8).then(|| Transcoder::new(encoding, mark as u64));
        Ok(Self {
            source,
            compression,
            encoding,
            offset: if transcoder.is_none() { mark as u64 } else { 0 },
            transcoder,
            head,
            buffer: vec![0; BUFFER_BYTES],
            start: 0,
            end: 0,
            finished: false,
        })
    }

    /// What has been read and not been consumed.
    pub(super) fn unread(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Whether nothing follows [`Self::unread`].
    pub(super) fn finished(&self) -> bool {
        self.finished
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
        self.offset += count as u64;
        if let Some(transcoder) = &mut self.transcoder {
            transcoder.forget_before(self.offset);
        }
    }

    /// Adds at least as many bytes as are unread, if the file has them: a parser that starts a long row anew
    /// after each call still takes time linear in the row.
    pub(super) fn fill(&mut self) -> Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let wanted = self.end + self.end.max(FILL_BYTES);
        if self.buffer.len() < wanted + DECODER_ROOM {
            self.buffer.resize((wanted + DECODER_ROOM).next_power_of_two(), 0);
        }
        while self.end < wanted && !self.finished {
            self.read_once().map_err(|error| self.compression.error(error))?;
        }
        Ok(())
    }

    fn read_once(&mut self) -> io::Result<()> {
        let mut source = Headed { head: &mut self.head, source: self.source.as_mut() };
        let target = &mut self.buffer[self.end..];
        let count = match &mut self.transcoder {
            None => {
                let count = read_some(&mut source, target)?;
                self.finished = count == 0;
                count
            }
            Some(transcoder) => {
                let count = transcoder.read(&mut source, target, self.offset + self.end as u64)?;
                self.finished = transcoder.drained();
                count
            }
        };
        self.end += count;
        Ok(())
    }

    /// Says what is wrong with a row that begins `at` bytes into [`Self::unread`] and is not UTF-8.
    pub(super) fn invalid_bytes(&self, at: usize, row: &[u8], error: Utf8Error) -> String {
        let first = at + error.valid_up_to();
        let name = self.encoding.name().to_ascii_lowercase();
        let Some(transcoder) = &self.transcoder else {
            let bad = &row[error.valid_up_to()..];
            let bad = &bad[..error.error_len().unwrap_or(bad.len())];
            return format!(
                "invalid byte sequence for encoding {name}: {} at byte {}",
                hex(bad),
                self.offset + first as u64
            );
        };
        match transcoder.undecodable.iter().find(|one| one.at == self.offset + first as u64) {
            Some(one) if one.bytes.is_empty() => {
                format!("invalid byte sequence for encoding {name} at byte {}", one.raw_at)
            }
            Some(one) => {
                format!(
                    "invalid byte sequence for encoding {name}: {} at byte {}",
                    hex(&one.bytes),
                    one.raw_at
                )
            }
            None => format!("invalid byte sequence for encoding {name}"),
        }
    }
}

impl Transcoder {
    fn new(encoding: &'static Encoding, raw_offset: u64) -> Self {
        Self {
            decoder: encoding.new_decoder_without_bom_handling(),
            raw: vec![0; RAW_BYTES],
            raw_start: 0,
            raw_end: 0,
            raw_offset,
            raw_finished: false,
            undecodable: VecDeque::new(),
        }
    }

    fn drained(&self) -> bool {
        self.raw_finished && self.raw_start == self.raw_end
    }

    /// Decodes into `target`, which lies `at` in the decoded text and has [`DECODER_ROOM`].
    fn read(&mut self, source: &mut impl Read, target: &mut [u8], at: u64) -> io::Result<usize> {
        if self.raw_start == self.raw_end && !self.raw_finished {
            self.raw_start = 0;
            self.raw_end = read_some(source, &mut self.raw)?;
            self.raw_finished = self.raw_end == 0;
        }
        let mut written = 0;
        loop {
            let raw = &self.raw[self.raw_start..self.raw_end];
            let room = target.len().saturating_sub(1);
            let (result, used, added) = self.decoder.decode_to_utf8_without_replacement(
                raw,
                &mut target[written..room],
                self.raw_finished,
            );
            written += added;
            self.raw_offset += used as u64;
            self.raw_start += used;
            let DecoderResult::Malformed(length, after) = result else { return Ok(written) };
            let back = usize::from(length) + usize::from(after);
            if self.undecodable.len() < MAX_REMEMBERED {
                let bytes = match self.raw_start.checked_sub(back) {
                    Some(first) => self.raw[first..first + usize::from(length)].to_vec(),
                    None => Vec::new(),
                };
                self.undecodable.push_back(Undecodable {
                    at: at + written as u64,
                    raw_at: self.raw_offset.saturating_sub(back as u64),
                    bytes,
                });
            }
            target[written] = UNDECODABLE;
            written += 1;
            if written + DECODER_ROOM / 2 > room {
                return Ok(written);
            }
        }
    }

    fn forget_before(&mut self, offset: u64) {
        while self.undecodable.front().is_some_and(|one| one.at < offset) {
            self.undecodable.pop_front();
        }
    }
}

/// The bytes that were read for the byte order mark, then the rest.
struct Headed<'a> {
    head: &'a mut Vec<u8>,
    source: &'a mut (dyn Read + Send),
}

impl Read for Headed<'_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if self.head.is_empty() {
            return self.source.read(target);
        }
        let count = self.head.len().min(target.len());
        target[..count].copy_from_slice(&self.head[..count]);
        self.head.drain(..count);
        Ok(count)
    }
}

fn read_some(source: &mut impl Read, target: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(target) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("0x{byte:02x}")).collect::<Vec<_>>().join(" ")
}
