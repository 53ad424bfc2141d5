//! Values written as a field of a line: escaped, or put in quotes.
//!
//! A value is first written as it is, then looked at. Most need nothing.

use bytes::{BufMut, BytesMut};

use super::CsvFormat;

/// Escapes what stands in `out` from `start` on.
pub(super) fn escape_text(start: usize, delimiter: u8, out: &mut BytesMut) {
    let suspect = |found, &byte: &u8| found | (byte < 0x20) | (byte == b'\\') | (byte == delimiter);
    // Without an early end, this is done many bytes at a time.
    if !out[start..].iter().fold(false, suspect) {
        return;
    }
    let value = out.split_off(start);
    for &byte in &value {
        match byte {
            8 => out.put_slice(b"\\b"),
            9 => out.put_slice(b"\\t"),
            10 => out.put_slice(b"\\n"),
            11 => out.put_slice(b"\\v"),
            12 => out.put_slice(b"\\f"),
            13 => out.put_slice(b"\\r"),
            _ => {
                if byte == b'\\' || byte == delimiter {
                    out.put_u8(b'\\');
                }
                out.put_u8(byte);
            }
        }
    }
}

/// Puts what stands in `out` from `start` on in quotes if it needs them, or if `force` says so.
pub(super) fn quote_csv(start: usize, delimiter: u8, csv: &CsvFormat, force: bool, out: &mut BytesMut) {
    let suspect = |found, &byte: &u8| {
        found | (byte == delimiter) | (byte == csv.quote) | (byte == b'\n') | (byte == b'\r')
    };
    if !force && !out[start..].iter().fold(false, suspect) {
        return;
    }
    let value = out.split_off(start);
    out.put_u8(csv.quote);
    for &byte in &value {
        if byte == csv.quote || byte == csv.escape {
            out.put_u8(csv.escape);
        }
        out.put_u8(byte);
    }
    out.put_u8(csv.quote);
}
