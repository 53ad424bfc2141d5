//! The text format: what PostgreSQL's output functions print with DateStyle ISO, IntervalStyle postgres,
//! bytea_output hex and extra_float_digits 1.

use std::fmt::Write;

use bytes::{BufMut, BytesMut};
use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;
use voxhouse_engine::Result;

use super::calendar::{MICROS_PER_DAY, put_clock, put_date, put_offset};
use super::digits::{put_padded, put_signed, put_unsigned, scientific};
use super::leaf::{out_of_range, put_string};
use super::{Form, Interval, StringKind, Width};

#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    pub(super) zone: Tz,
}

impl Form for Text {
    fn boolean(&self, value: bool, out: &mut BytesMut) {
        out.put_u8(if value { b't' } else { b'f' });
    }

    fn integer(&self, value: i64, _: Width, out: &mut BytesMut) -> Result<()> {
        put_signed(value, out);
        Ok(())
    }

    fn float4(&self, value: f32, out: &mut BytesMut) {
        // Up to six digits before the point, as many as a float4 always keeps.
        put_float(scientific(value).as_str(), 6, out);
    }

    fn float8(&self, value: f64, out: &mut BytesMut) {
        put_float(scientific(value).as_str(), 15, out);
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
        out.put_slice(b"\\x");
        value.iter().for_each(|&byte| put_hex(byte, out));
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
        if put_date(days.into(), out) {
            out.put_slice(b" BC");
        }
        Ok(())
    }

    fn time(&self, micros: i64, out: &mut BytesMut) {
        put_clock(micros.unsigned_abs(), out);
    }

    fn timestamp(&self, micros: i64, out: &mut BytesMut) -> Result<()> {
        if put_timestamp(micros, out) {
            out.put_slice(b" BC");
        }
        Ok(())
    }

    fn timestamptz(&self, micros: i64, out: &mut BytesMut) -> Result<()> {
        let offset = self.offset_seconds(micros)?;
        let before_christ = put_timestamp(micros + i64::from(offset) * 1_000_000, out);
        put_offset(offset, out);
        if before_christ {
            out.put_slice(b" BC");
        }
        Ok(())
    }

    /// `1 year 2 mons -3 days +04:05:06.5`: a part keeps its own sign, and a plus is only written behind a minus.
    fn interval(&self, value: Interval, out: &mut BytesMut) {
        let start = out.len();
        let mut after_minus = false;
        for (count, unit) in [(value.months / 12, "year"), (value.months % 12, "mon"), (value.days, "day")] {
            if count == 0 {
                continue;
            }
            let space = if out.len() > start { " " } else { "" };
            let plus = if after_minus && count > 0 { "+" } else { "" };
            let plural = if count == 1 { "" } else { "s" };
            // Writing to a BytesMut cannot fail.
            let _ = write!(out, "{space}{plus}{count} {unit}{plural}");
            after_minus = count < 0;
        }
        if value.micros != 0 || out.len() == start {
            if out.len() > start {
                out.put_u8(b' ');
            }
            match value.micros {
                ..0 => out.put_u8(b'-'),
                _ if after_minus => out.put_u8(b'+'),
                _ => (),
            }
            put_clock(value.micros.unsigned_abs(), out);
        }
    }
}

impl Text {
    fn offset_seconds(&self, micros: i64) -> Result<i32> {
        if self.zone == Tz::UTC {
            return Ok(0);
        }
        let instant = DateTime::from_timestamp_micros(micros).ok_or_else(|| out_of_range("timestamp"))?;
        Ok(self.zone.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc())
    }
}

/// Tells whether the year is BC.
fn put_timestamp(micros: i64, out: &mut BytesMut) -> bool {
    let before_christ = put_date(micros.div_euclid(MICROS_PER_DAY), out);
    out.put_u8(b' ');
    put_clock(micros.rem_euclid(MICROS_PER_DAY) as u64, out);
    before_christ
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

fn put_hex(byte: u8, out: &mut BytesMut) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.put_u8(DIGITS[usize::from(byte >> 4)]);
    out.put_u8(DIGITS[usize::from(byte & 15)]);
}
