//! The text format: what PostgreSQL's output functions print.

use std::fmt::Write;

use bytes::{BufMut, BytesMut};
use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::{OffsetName, Tz};
use voxhouse_engine::Result;

use super::calendar::{Date, MICROS_PER_DAY, put_clock, put_offset};
use super::digits::{put_padded, put_signed, put_unsigned, rounded, scientific};
use super::leaf::{out_of_range, put_string};
use super::{Form, Interval, StringKind, Width, interval};
use crate::wire::style::{ByteaStyle, DateStyle, TextStyle};

/// Decimal digits that a float4 and a float8 always keep.
const FLOAT4_DIGITS: i32 = 6;
const FLOAT8_DIGITS: i32 = 15;

#[derive(Debug, Clone, Copy)]
pub(super) struct Text(pub(super) TextStyle);

impl Form for Text {
    fn boolean(&self, value: bool, out: &mut BytesMut) {
        out.put_u8(if value { b't' } else { b'f' });
    }

    fn integer(&self, value: i64, _: Width, out: &mut BytesMut) -> Result<()> {
        put_signed(value, out);
        Ok(())
    }

    fn float4(&self, value: f32, out: &mut BytesMut) {
        match self.0.extra_float_digits {
            1.. => put_float(scientific(value).as_str(), FLOAT4_DIGITS, out),
            extra => put_rounded(value.into(), (FLOAT4_DIGITS + extra).max(1), out),
        }
    }

    fn float8(&self, value: f64, out: &mut BytesMut) {
        match self.0.extra_float_digits {
            1.. => put_float(scientific(value).as_str(), FLOAT8_DIGITS, out),
            extra => put_rounded(value, (FLOAT8_DIGITS + extra).max(1), out),
        }
    }

    fn small_numeric(&self, negative: bool, size: u64, scale: u32, out: &mut BytesMut) {
        if negative {
            out.put_u8(b'-');
        }
        let one = 10_u64.pow(scale);
        put_unsigned(size / one, out);
        if scale > 0 {
            out.put_u8(b'.');
            put_padded(size % one, scale as usize, out);
        }
    }

    fn numeric(&self, digits: &str, scale: i32, out: &mut BytesMut) {
        let unsigned = digits.trim_start_matches('-');
        if unsigned.len() < digits.len() {
            out.put_u8(b'-');
        }
        if scale <= 0 {
            out.put_slice(unsigned.as_bytes());
            if unsigned != "0" {
                out.put_bytes(b'0', scale.unsigned_abs() as usize);
            }
            return;
        }
        let scale = scale as usize;
        if unsigned.len() > scale {
            let (whole, fraction) = unsigned.split_at(unsigned.len() - scale);
            out.put_slice(whole.as_bytes());
            out.put_u8(b'.');
            out.put_slice(fraction.as_bytes());
        } else {
            out.put_slice(b"0.");
            out.put_bytes(b'0', scale - unsigned.len());
            out.put_slice(unsigned.as_bytes());
        }
    }

    fn string(&self, value: &str, kind: StringKind, out: &mut BytesMut) -> Result<()> {
        put_string(value, kind, out);
        Ok(())
    }

    fn bytes(&self, value: &[u8], out: &mut BytesMut) {
        match self.0.bytes {
            ByteaStyle::Hex => {
                out.put_slice(b"\\x");
                value.iter().for_each(|&byte| put_hex(byte, out));
            }
            ByteaStyle::Escape => value.iter().for_each(|&byte| put_escaped(byte, out)),
        }
    }

    fn uuid(&self, value: &[u8], out: &mut BytesMut) {
        for (index, &byte) in value.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                out.put_u8(b'-');
            }
            put_hex(byte, out);
        }
    }

    fn date(&self, days: i32, out: &mut BytesMut) -> Result<()> {
        let date = Date::of(days.into());
        date.put(self.0.dates, self.0.order, out);
        date.put_era(out);
        Ok(())
    }

    fn time(&self, micros: i64, out: &mut BytesMut) {
        put_clock(micros.unsigned_abs(), out);
    }

    fn timestamp(&self, micros: i64, out: &mut BytesMut) -> Result<()> {
        self.put_timestamp(micros, out, |_| ());
        Ok(())
    }

    fn timestamptz(&self, micros: i64, out: &mut BytesMut) -> Result<()> {
        if self.0.zone == Tz::UTC && self.0.dates == DateStyle::Iso {
            self.put_timestamp(micros, out, |out| put_offset(0, out));
            return Ok(());
        }
        let instant = DateTime::from_timestamp_micros(micros).ok_or_else(|| out_of_range("timestamp"))?;
        let offset = self.0.zone.offset_from_utc_datetime(&instant.naive_utc());
        let seconds = offset.fix().local_minus_utc();
        self.put_timestamp(micros + i64::from(seconds) * 1_000_000, out, |out| match self.0.dates {
            DateStyle::Iso => put_offset(seconds, out),
            _ => put_zone_name(seconds, offset.abbreviation(), out),
        });
        Ok(())
    }

    fn interval(&self, value: Interval, out: &mut BytesMut) {
        interval::put(value, self.0.intervals, out);
    }
}

impl Text {
    /// A local time with what the style puts behind it; the era comes last.
    fn put_timestamp(&self, micros: i64, out: &mut BytesMut, put_zone: impl FnOnce(&mut BytesMut)) {
        let date = Date::of(micros.div_euclid(MICROS_PER_DAY));
        let clock = micros.rem_euclid(MICROS_PER_DAY) as u64;
        if self.0.dates == DateStyle::Postgres {
            date.put_words(self.0.order, out);
            out.put_u8(b' ');
            put_clock(clock, out);
            out.put_u8(b' ');
            date.put_year(out);
        } else {
            date.put(self.0.dates, self.0.order, out);
            out.put_u8(b' ');
            put_clock(clock, out);
        }
        put_zone(out);
        date.put_era(out);
    }
}

/// With so many digits at most, and no zeros behind the last that counts.
fn put_rounded(value: f64, digits: i32, out: &mut BytesMut) {
    let text = rounded(value, digits as usize - 1);
    match text.as_str().split_once('e') {
        Some((mantissa, exponent)) if mantissa.contains('.') => {
            let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
            put_float(&format!("{mantissa}e{exponent}"), digits, out);
        }
        _ => put_float(text.as_str(), digits, out),
    }
}

/// `scientific` is `-1.25e-7`, `inf` or `NaN`. PostgreSQL writes a number without an exponent from 0.0001 up to
/// `point_limit` digits before the point, and an exponent with at least two digits.
fn put_float(scientific: &str, point_limit: i32, out: &mut BytesMut) {
    let unsigned = scientific.trim_start_matches('-');
    let minus = if unsigned.len() < scientific.len() { "-" } else { "" };
    let Some((mantissa, exponent)) = unsigned.split_once('e') else {
        out.put_slice(match scientific {
            "inf" => b"Infinity",
            "-inf" => b"-Infinity",
            _ => b"NaN",
        });
        return;
    };
    // Rust prints an exponent of at most three digits.
    let exponent: i32 = exponent.parse().unwrap_or_default();
    out.put_slice(minus.as_bytes());
    if (-4..point_limit).contains(&exponent) {
        put_plain(mantissa, exponent, out);
    } else {
        let _ = write!(out, "{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs());
    }
}

fn put_plain(mantissa: &str, exponent: i32, out: &mut BytesMut) {
    let (first, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if exponent < 0 {
        out.put_slice(b"0.");
        out.put_bytes(b'0', exponent.unsigned_abs() as usize - 1);
        out.put_slice(first.as_bytes());
        out.put_slice(rest.as_bytes());
        return;
    }
    let before_point = exponent as usize;
    out.put_slice(first.as_bytes());
    if rest.len() <= before_point {
        out.put_slice(rest.as_bytes());
        out.put_bytes(b'0', before_point - rest.len());
    } else {
        let (whole, fraction) = rest.split_at(before_point);
        out.put_slice(whole.as_bytes());
        out.put_u8(b'.');
        out.put_slice(fraction.as_bytes());
    }
}

/// ` CET`, or ` -0330` where nobody has given a name.
fn put_zone_name(seconds: i32, name: Option<&str>, out: &mut BytesMut) {
    out.put_u8(b' ');
    if let Some(name) = name {
        return out.put_slice(name.as_bytes());
    }
    out.put_u8(if seconds < 0 { b'-' } else { b'+' });
    let seconds = u64::from(seconds.unsigned_abs());
    put_padded(seconds / 3_600, 2, out);
    for (part, is_shown) in
        [(seconds / 60 % 60, !seconds.is_multiple_of(3_600)), (seconds % 60, !seconds.is_multiple_of(60))]
    {
        if is_shown {
            put_padded(part, 2, out);
        }
    }
}

/// A letter of ASCII stands for itself, a backslash for half of itself, all others are octal.
fn put_escaped(byte: u8, out: &mut BytesMut) {
    match byte {
        b'\\' => out.put_slice(b"\\\\"),
        b' '..=b'~' => out.put_u8(byte),
        _ => out.put_slice(&[b'\\', b'0' + (byte >> 6), b'0' + (byte >> 3 & 7), b'0' + (byte & 7)]),
    }
}

fn put_hex(byte: u8, out: &mut BytesMut) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.put_u8(DIGITS[usize::from(byte >> 4)]);
    out.put_u8(DIGITS[usize::from(byte & 15)]);
}
