//! The Postgres wire: sockets, messages, log-in, portals and the encoding of rows.
//!
//! A connection is one task. It reads a message, lets the [`backend::Session`] do the work, and streams the
//! answer; while a statement runs, the same task watches for cancellation, the statement timeout, shut-down and
//! a client that has gone away, up to the last byte of the last row.
//!
//! Architecture invariants: the wire knows no table, plan or catalog. A result is never held whole: at most one
//! record batch and about [`output::FLUSH_AT`] bytes of it in encoded form wait for a slow client. Nothing that
//! arrives from the network is trusted: frames are bounded before they are buffered and every field is
//! bounds-checked, which is why messages are decoded here and not by pgwire (its decoder panics on short bodies
//! and repairs broken UTF-8 silently).

pub mod backend;
pub mod copy;
pub mod portal;
pub mod scram;
pub mod server;
pub mod style;
pub mod types;

mod certificate;
mod connection;
mod decode;
mod encode;
mod extended;
mod frontend;
mod input;
mod login;
mod output;
mod reply;
mod simple;
mod slots;
mod startup;
mod statement;
mod stop;
#[cfg(test)]
mod tests;
mod throttle;
pub(crate) mod tls;
mod watch;

pub(crate) use decode::{read_text, text_array_elements};
pub(crate) use encode::Texts;
pub use server::{Server, ServerOptions};
pub use tls::{ClientCertificates, TlsFiles};

use arrow::datatypes::{DataType, TimeUnit};
use chrono_tz::Tz;
use datafusion::scalar::ScalarValue;
use voxhouse_engine::{Error, Result};

use style::TextStyle;

/// The microseconds since 1970 of a text, as PostgreSQL reads it for `timestamp with time zone`, or for `timestamp`.
pub(crate) fn read_time(text: &str, style: TextStyle, is_instant: bool) -> Result<i64> {
    let (type_oid, arrow_zone) = match is_instant {
        true => (types::oid::TIMESTAMPTZ, Some(types::UTC.into())),
        false => (types::oid::TIMESTAMP, None),
    };
    let usual = match is_instant {
        true => copy::values::instant(text.as_bytes(), style.zone == Tz::UTC),
        false => copy::values::timestamp(text.as_bytes()),
    };
    if let Some(micros) = usual {
        return Ok(micros);
    }
    let target = DataType::Timestamp(TimeUnit::Microsecond, arrow_zone);
    let parameter = decode::Parameter { type_oid, target: &target, style };
    match parameter.decode(Some(text.as_bytes()), types::Format::Text)? {
        ScalarValue::TimestampMicrosecond(Some(micros), _) => Ok(micros),
        _ => Err(Error::internal("a time was read as something else")),
    }
}

/// The days since 1970 of a text.
pub(crate) fn read_date(text: &str, style: TextStyle) -> Result<i32> {
    if let Some(days) = copy::values::date(text.as_bytes()) {
        return Ok(days);
    }
    match read_text(types::oid::DATE, text, style)? {
        ScalarValue::Date32(Some(days)) => Ok(days),
        _ => Err(Error::internal("a date was read as something else")),
    }
}
