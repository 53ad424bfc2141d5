//! COPY TO STDOUT: rows into CopyData messages.

use bytes::{BufMut, BytesMut};
#[cfg(test)]
use chrono_tz::Tz;
use datafusion::execution::SendableRecordBatchStream;
use tokio::time::Instant;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::escape::{escape_text, quote_csv};
use super::{Charset, CopyFormat, Header, SIGNATURE, TextFormat};
use crate::wire::encode::Rows;
use crate::wire::output::Output;
use crate::wire::reply;
use crate::wire::statement::{FLUSH_AFTER, Shown, next_batch};
use crate::wire::stop::Flow;
use crate::wire::types::{Column, Format, oid};

/// Sends all rows; returns how many there were.
pub(in crate::wire) async fn copy_out(
    output: &mut Output,
    mut rows: SendableRecordBatchStream,
    columns: &[Column],
    format: &CopyFormat,
    shown: &Shown,
) -> Flow<u64> {
    let mut writer = Writer::new(columns, format);
    let cells = vec![writer.cells; columns.len()];
    reply::copy_out_response(&mut output.buffer, writer.cells, columns.len());
    writer.begin(columns, &mut output.buffer)?;
    let mut count = 0;
    let mut flushed_at = Instant::now();
    loop {
        if flushed_at.elapsed() > FLUSH_AFTER {
            output.flush().await?;
            flushed_at = Instant::now();
        }
        let Some(batch) = next_batch(&mut rows, output).await? else { break };
        let rows = shown.rows(batch, columns, &cells)?;
        for row in 0..rows.count {
            writer.put(&rows, row, &mut output.buffer)?;
            if output.is_full() {
                output.flush().await?;
                flushed_at = Instant::now();
                tokio::task::consume_budget().await;
            }
        }
        count += rows.count as u64;
    }
    writer.end(&mut output.buffer);
    reply::copy_done(&mut output.buffer);
    Ok(count)
}

/// Writes messages of one COPY.
struct Writer<'a> {
    cells: Format,
    text: Option<TextWriter<'a>>,
    /// The header of the binary format goes with the first row, as PostgreSQL sends it.
    owes_header: bool,
}

impl<'a> Writer<'a> {
    fn new(columns: &[Column], format: &'a CopyFormat) -> Self {
        match format {
            CopyFormat::Binary => Self { cells: Format::Binary, text: None, owes_header: true },
            CopyFormat::Text(format) => {
                Self { cells: Format::Text, text: Some(TextWriter::new(columns, format)), owes_header: false }
            }
        }
    }

    fn begin(&mut self, columns: &[Column], out: &mut BytesMut) -> Result<()> {
        match &mut self.text {
            Some(text) if text.format.header != Header::None => {
                message(out, |out| text.put_line(out, |text, out| text.put_header(columns, out)))
            }
            _ => Ok(()),
        }
    }

    fn put(&mut self, rows: &Rows, row: usize, out: &mut BytesMut) -> Result<()> {
        match &mut self.text {
            Some(text) => message(out, |out| text.put_line(out, |text, out| text.put_row(rows, row, out))),
            None => {
                let owes_header = std::mem::take(&mut self.owes_header);
                message(out, |out| {
                    if owes_header {
                        put_binary_header(out);
                    }
                    rows.put_fields(row, out)
                })
            }
        }
    }

    fn end(&mut self, out: &mut BytesMut) {
        if self.text.is_some() {
            return;
        }
        reply::message(out, b'd', |out| {
            if self.owes_header {
                put_binary_header(out);
            }
            out.put_i16(-1);
        });
    }
}

/// Signature, flags and the length of the extension, which there is none of.
fn put_binary_header(out: &mut BytesMut) {
    out.put_slice(SIGNATURE);
    out.put_u32(0);
    out.put_u32(0);
}

/// A CopyData message; after an error `out` is as it was.
fn message(out: &mut BytesMut, fill: impl FnOnce(&mut BytesMut) -> Result<()>) -> Result<()> {
    let start = out.len();
    out.put_u8(b'd');
    out.put_u32(0);
    let filled = fill(out).and_then(|()| {
        i32::try_from(out.len() - start - 1).map_err(|_| {
            Error::new(
                ErrorKind::LimitExceeded,
                "row exceeds the 2 GB that a message of the protocol can hold",
            )
        })
    });
    match filled {
        Ok(length) => {
            out[start + 1..start + 5].copy_from_slice(&length.to_be_bytes());
            Ok(())
        }
        Err(error) => {
            out.truncate(start);
            Err(error)
        }
    }
}

struct TextWriter<'a> {
    format: &'a TextFormat,
    columns: Vec<Care>,
    /// A line before it is put into another encoding.
    line: BytesMut,
    encoded: Vec<u8>,
}

/// What the values of a column ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Care {
    /// Nothing: no value has a byte with a meaning of its own.
    None,
    Look,
    /// Quotes in any case.
    Quote,
}

impl<'a> TextWriter<'a> {
    fn new(columns: &[Column], format: &'a TextFormat) -> Self {
        let forced = |index: usize| {
            format.csv.as_ref().is_some_and(|csv| csv.force_quote.get(index).copied().unwrap_or(false))
        };
        let care = |(index, column): (usize, &Column)| {
            if forced(index) {
                Care::Quote
            } else if is_harmless(column.pg.oid, format) {
                Care::None
            } else {
                Care::Look
            }
        };
        let columns = columns.iter().enumerate().map(care).collect();
        Self { format, columns, line: BytesMut::new(), encoded: Vec::new() }
    }

    /// Writes what `fill` writes and a line end, in the encoding asked for.
    fn put_line(
        &mut self,
        out: &mut BytesMut,
        fill: impl FnOnce(&Self, &mut BytesMut) -> Result<()>,
    ) -> Result<()> {
        if self.format.charset == Charset::Utf8 {
            fill(self, out)?;
            out.put_u8(b'\n');
            return Ok(());
        }
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        fill(self, &mut line)?;
        line.put_u8(b'\n');
        let text = std::str::from_utf8(&line).map_err(|_| Error::internal("a line that is no text"))?;
        self.encoded.clear();
        self.format.charset.encode(text, &mut self.encoded)?;
        out.put_slice(&self.encoded);
        self.line = line;
        Ok(())
    }

    fn put_row(&self, rows: &Rows, row: usize, out: &mut BytesMut) -> Result<()> {
        for (index, &care) in self.columns.iter().enumerate() {
            if index > 0 {
                out.put_u8(self.format.delimiter);
            }
            let start = out.len();
            if !rows.put_value(index, row, out)? {
                out.put_slice(self.format.null.as_bytes());
            } else if care != Care::None {
                self.mind(start, care, out);
            }
        }
        Ok(())
    }

    fn put_header(&self, columns: &[Column], out: &mut BytesMut) -> Result<()> {
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                out.put_u8(self.format.delimiter);
            }
            let start = out.len();
            out.put_slice(column.name.as_bytes());
            self.mind(start, Care::Look, out);
        }
        Ok(())
    }

    fn mind(&self, start: usize, care: Care, out: &mut BytesMut) {
        let format = self.format;
        match &format.csv {
            None => escape_text(start, format.delimiter, out),
            Some(csv) => {
                let value = &out[start..];
                // Else it would read as NULL, or as the end of the data.
                let is_special =
                    value == format.null.as_bytes() || self.columns.len() == 1 && value == b"\\.";
                quote_csv(start, format.delimiter, csv, care == Care::Quote || is_special, out);
            }
        }
    }
}

/// Whether values of a type are made of bytes that mean nothing to the format.
fn is_harmless(type_oid: u32, format: &TextFormat) -> bool {
    let bytes: &[u8] = match type_oid {
        oid::BOOL => b"tf",
        oid::INT2 | oid::INT4 | oid::INT8 | oid::OID => b"-0123456789",
        oid::NUMERIC => b"-.0123456789",
        oid::FLOAT4 | oid::FLOAT8 => b"+-.0123456789eInfityNa",
        oid::DATE => b"-0123456789 BC",
        oid::TIME => b":.0123456789",
        oid::TIMESTAMP | oid::TIMESTAMPTZ => b"+-:.0123456789 BC",
        _ => return false,
    };
    let quote = format.csv.as_ref().map(|csv| csv.quote);
    let reads_as_null = format.csv.is_some()
        && !format.null.is_empty()
        && format.null.bytes().all(|byte| bytes.contains(&byte));
    !bytes.contains(&format.delimiter) && quote.is_none_or(|quote| !bytes.contains(&quote)) && !reads_as_null
}

/// The content of the messages of a COPY without a connection, for tests.
#[cfg(test)]
pub(super) fn write_all(batch: &arrow::array::RecordBatch, format: &CopyFormat) -> Result<Vec<Vec<u8>>> {
    let columns = crate::wire::types::columns(&batch.schema())?;
    let mut writer = Writer::new(&columns, format);
    let cells = vec![writer.cells; columns.len()];
    let rows = Rows::new(batch.columns(), batch.num_rows(), &columns, &cells, Tz::UTC.into())?;
    let mut out = BytesMut::new();
    writer.begin(&columns, &mut out)?;
    for row in 0..rows.count {
        writer.put(&rows, row, &mut out)?;
    }
    writer.end(&mut out);
    let mut messages = Vec::new();
    let mut rest = &out[..];
    while let [b'd', a, b, c, d, tail @ ..] = rest {
        let (content, tail) = tail.split_at(u32::from_be_bytes([*a, *b, *c, *d]) as usize - 4);
        messages.push(content.to_vec());
        rest = tail;
    }
    assert!(rest.is_empty());
    Ok(messages)
}
