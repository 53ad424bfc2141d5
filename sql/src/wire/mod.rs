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
use datafusion::scalar::ScalarValue;
use voxhouse_engine::{Error, Result};

/// The microseconds since 1970 of a text, as PostgreSQL reads it for `timestamp with time zone`, or for `timestamp`
/// where no zone is given.
pub(crate) fn read_time(text: &str, zone: Option<chrono_tz::Tz>) -> Result<i64> {
    let (type_oid, arrow_zone) = match zone {
        Some(_) => (types::oid::TIMESTAMPTZ, Some(types::UTC.into())),
        None => (types::oid::TIMESTAMP, None),
    };
    let target = DataType::Timestamp(TimeUnit::Microsecond, arrow_zone);
    let parameter = decode::Parameter { type_oid, target: &target, zone: zone.unwrap_or(chrono_tz::Tz::UTC) };
    match parameter.decode(Some(text.as_bytes()), types::Format::Text)? {
        ScalarValue::TimestampMicrosecond(Some(micros), _) => Ok(micros),
        _ => Err(Error::internal("a time was read as something else")),
    }
}
