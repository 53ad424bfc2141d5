//! Messages to the client, appended to a buffer.

use bytes::{BufMut, BytesMut};
use voxhouse_engine::Error;
use voxhouse_engine::error::Subject;

use super::backend::{Notice, TransactionStatus};
use super::types::{Column, Format};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Severity {
    Error,
    Fatal,
}

/// Writes one message: the body comes from `fill`, the length is put in afterwards.
pub(super) fn message(out: &mut BytesMut, kind: u8, fill: impl FnOnce(&mut BytesMut)) {
    let start = out.len();
    out.put_u8(kind);
    out.put_u32(0);
    fill(out);
    let length = (out.len() - start - 1) as u32;
    out[start + 1..start + 5].copy_from_slice(&length.to_be_bytes());
}

/// A zero byte would end the string early and shift the rest of the message.
fn text(out: &mut BytesMut, value: &str) {
    let value = value.split('\0').next().unwrap_or_default();
    out.put_slice(value.as_bytes());
    out.put_u8(0);
}

pub(super) fn authentication_sasl(out: &mut BytesMut, mechanisms: &[&str]) {
    message(out, b'R', |out| {
        out.put_i32(10);
        mechanisms.iter().for_each(|mechanism| text(out, mechanism));
        out.put_u8(0);
    });
}

pub(super) fn authentication_sasl_continue(out: &mut BytesMut, data: &str) {
    message(out, b'R', |out| {
        out.put_i32(11);
        out.put_slice(data.as_bytes());
    });
}

pub(super) fn authentication_sasl_final(out: &mut BytesMut, data: &str) {
    message(out, b'R', |out| {
        out.put_i32(12);
        out.put_slice(data.as_bytes());
    });
}

pub(super) fn authentication_ok(out: &mut BytesMut) {
    message(out, b'R', |out| out.put_i32(0));
}

pub(super) fn negotiate_protocol(out: &mut BytesMut, version: u32, unsupported: &[&str]) {
    message(out, b'v', |out| {
        out.put_u32(version);
        out.put_u32(unsupported.len() as u32);
        unsupported.iter().for_each(|option| text(out, option));
    });
}

pub(super) fn parameter_status(out: &mut BytesMut, name: &str, value: &str) {
    message(out, b'S', |out| {
        text(out, name);
        text(out, value);
    });
}

pub(super) fn backend_key(out: &mut BytesMut, process_id: i32, secret: &[u8]) {
    message(out, b'K', |out| {
        out.put_i32(process_id);
        out.put_slice(secret);
    });
}

pub(super) fn ready_for_query(out: &mut BytesMut, status: TransactionStatus) {
    let letter = match status {
        TransactionStatus::Idle => b'I',
        TransactionStatus::InTransaction => b'T',
        TransactionStatus::Failed => b'E',
    };
    message(out, b'Z', |out| out.put_u8(letter));
}

pub(super) fn error(out: &mut BytesMut, severity: Severity, error: &Error) {
    let severity = match severity {
        Severity::Error => "ERROR",
        Severity::Fatal => "FATAL",
    };
    message(out, b'E', |out| {
        let mut field = |code: u8, value: &str| {
            out.put_u8(code);
            text(out, value);
        };
        field(b'S', severity);
        field(b'V', severity);
        field(b'C', error.sqlstate());
        field(b'M', error.message());
        if let Some(detail) = error.detail() {
            field(b'D', detail);
        }
        if let Some(hint) = error.hint() {
            field(b'H', hint);
        }
        if let Some(position) = error.position() {
            field(b'P', &position.to_string());
        }
        if let Some(context) = error.context() {
            field(b'W', context);
        }
        let Subject { schema, table, column, constraint } = error.subject().cloned().unwrap_or_default();
        for (code, name) in [(b's', schema), (b't', table), (b'c', column), (b'n', constraint)] {
            if let Some(name) = name {
                field(code, &name);
            }
        }
        out.put_u8(0);
    });
}

pub(super) fn notice(out: &mut BytesMut, notice: &Notice) {
    message(out, b'N', |out| {
        for (code, value) in [
            (b'S', notice.severity),
            (b'V', notice.severity),
            (b'C', notice.sqlstate),
            (b'M', &notice.message),
        ] {
            out.put_u8(code);
            text(out, value);
        }
        out.put_u8(0);
    });
}

pub(super) fn command_complete(out: &mut BytesMut, tag: &str) {
    message(out, b'C', |out| text(out, tag));
}

pub(super) fn empty_query(out: &mut BytesMut) {
    message(out, b'I', |_| ());
}

pub(super) fn parse_complete(out: &mut BytesMut) {
    message(out, b'1', |_| ());
}

pub(super) fn bind_complete(out: &mut BytesMut) {
    message(out, b'2', |_| ());
}

pub(super) fn close_complete(out: &mut BytesMut) {
    message(out, b'3', |_| ());
}

pub(super) fn portal_suspended(out: &mut BytesMut) {
    message(out, b's', |_| ());
}

pub(super) fn no_data(out: &mut BytesMut) {
    message(out, b'n', |_| ());
}

pub(super) fn parameter_description(out: &mut BytesMut, oids: &[u32]) {
    message(out, b't', |out| {
        out.put_u16(oids.len() as u16);
        oids.iter().for_each(|&oid| out.put_u32(oid));
    });
}

/// `formats` is as long as `columns`.
pub(super) fn row_description(out: &mut BytesMut, columns: &[Column], formats: &[Format]) {
    message(out, b'T', |out| {
        out.put_u16(columns.len() as u16);
        for (column, format) in columns.iter().zip(formats) {
            text(out, &column.name);
            let (relation, number) = column.origin.unwrap_or_default();
            out.put_u32(relation);
            out.put_i16(number);
            out.put_u32(column.pg.oid);
            out.put_i16(column.pg.length);
            out.put_i32(column.pg.modifier);
            out.put_i16(*format as i16);
        }
    });
}

/// The format of the whole and of each column.
fn copy_response(out: &mut BytesMut, kind: u8, format: Format, columns: usize) {
    message(out, kind, |out| {
        out.put_u8(format as u8);
        out.put_u16(columns as u16);
        (0..columns).for_each(|_| out.put_i16(format as i16));
    });
}

pub(super) fn copy_in_response(out: &mut BytesMut, format: Format, columns: usize) {
    copy_response(out, b'G', format, columns);
}

pub(super) fn copy_out_response(out: &mut BytesMut, format: Format, columns: usize) {
    copy_response(out, b'H', format, columns);
}

pub(super) fn copy_done(out: &mut BytesMut) {
    message(out, b'c', |_| ());
}
