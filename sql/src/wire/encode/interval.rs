//! Intervals as text, in the four styles of `IntervalStyle`.

use std::fmt::Write;

use bytes::{BufMut, BytesMut};

use super::Interval;
use super::calendar::put_clock;
use crate::wire::style::IntervalStyle;

const SECOND: i64 = 1_000_000;

/// The fields that are counted apart. Those of a time of day have the same sign.
struct Fields {
    years: i32,
    months: i32,
    days: i32,
    hours: i64,
    minutes: i64,
    /// Of less than a minute.
    micros: i64,
}

impl Fields {
    fn of(value: Interval) -> Self {
        Self {
            years: value.months / 12,
            months: value.months % 12,
            days: value.days,
            hours: value.micros / (3_600 * SECOND),
            minutes: value.micros / (60 * SECOND) % 60,
            micros: value.micros % (60 * SECOND),
        }
    }
}

pub(super) fn put(value: Interval, style: IntervalStyle, out: &mut BytesMut) {
    match style {
        IntervalStyle::Postgres => put_postgres(value, out),
        IntervalStyle::Verbose => put_verbose(&Fields::of(value), out),
        IntervalStyle::SqlStandard => put_standard(value, out),
        IntervalStyle::Iso8601 => put_iso(&Fields::of(value), out),
    }
}

/// `1 year 2 mons -3 days +04:05:06.5`: a part keeps its own sign, and a plus is only written behind a minus.
fn put_postgres(value: Interval, out: &mut BytesMut) {
    let start = out.len();
    let mut after_minus = false;
    for (count, unit) in [(value.months / 12, "year"), (value.months % 12, "mon"), (value.days, "day")] {
        if count == 0 {
            continue;
        }
        let space = if out.len() > start { " " } else { "" };
        let plus = if after_minus && count > 0 { "+" } else { "" };
        let plural = if count == 1 { "" } else { "s" };
        // Writing to a BytesMut cannot fail, here and below.
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

/// `@ 1 year 2 mons -3 days 4 hours ago`: the first part decides which way all are counted.
fn put_verbose(fields: &Fields, out: &mut BytesMut) {
    out.put_u8(b'@');
    let start = out.len();
    let mut is_ago = false;
    let parts: [(i64, &str); 5] = [
        (fields.years.into(), "year"),
        (fields.months.into(), "mon"),
        (fields.days.into(), "day"),
        (fields.hours, "hour"),
        (fields.minutes, "min"),
    ];
    for (count, unit) in parts.into_iter().filter(|(count, _)| *count != 0) {
        if out.len() == start {
            is_ago = count < 0;
        }
        let count = if is_ago { -count } else { count };
        let plural = if count == 1 { "" } else { "s" };
        let _ = write!(out, " {count} {unit}{plural}");
    }
    if fields.micros != 0 {
        if out.len() == start {
            is_ago = fields.micros < 0;
        }
        out.put_slice(if (fields.micros < 0) == is_ago { b" " } else { b" -" });
        put_seconds(fields.micros, 1, out);
        let plural = if fields.micros.abs() == SECOND { "" } else { "s" };
        let _ = write!(out, " sec{plural}");
    }
    if out.len() == start {
        out.put_slice(b" 0");
    }
    if is_ago {
        out.put_slice(b" ago");
    }
}

/// `1-2`, `3 4:05:06`, and `+1-2 -3 +4:05:06` where the standard has no form for it.
fn put_standard(value: Interval, out: &mut BytesMut) {
    let signs = [i64::from(value.months).signum(), i64::from(value.days).signum(), value.micros.signum()];
    let is_negative = signs.contains(&-1);
    let has_days = value.days != 0 || value.micros != 0;
    if (is_negative && signs.contains(&1)) || (value.months != 0 && has_days) {
        return put_signed(&Fields::of(value), out);
    }
    if is_negative {
        out.put_u8(b'-');
    }
    let Fields { years, months, days, hours, minutes, micros } = Fields::of(value);
    let (years, months, days) = (years.unsigned_abs(), months.unsigned_abs(), days.unsigned_abs());
    let (hours, minutes) = (hours.abs(), minutes.abs());
    let _ = match (value.months, value.days, value.micros) {
        (0, 0, 0) => return out.put_u8(b'0'),
        (0, 0, _) => write!(out, "{hours}:{minutes:02}:"),
        (0, ..) => write!(out, "{days} {hours}:{minutes:02}:"),
        _ => return put_years(years, months, out),
    };
    put_seconds(micros, 2, out);
}

fn put_years(years: u32, months: u32, out: &mut BytesMut) {
    let _ = write!(out, "{years}-{months}");
}

fn put_signed(fields: &Fields, out: &mut BytesMut) {
    let sign = |is_negative: bool| if is_negative { '-' } else { '+' };
    let years = sign(fields.years < 0 || fields.months < 0);
    let days = sign(fields.days < 0);
    let clock = sign(fields.hours < 0 || fields.minutes < 0 || fields.micros < 0);
    let _ = write!(
        out,
        "{years}{}-{} {days}{} {clock}{}:{:02}:",
        fields.years.unsigned_abs(),
        fields.months.unsigned_abs(),
        fields.days.unsigned_abs(),
        fields.hours.abs(),
        fields.minutes.abs(),
    );
    put_seconds(fields.micros, 2, out);
}

/// `P1Y2M-3DT4H5M6.5S`
fn put_iso(fields: &Fields, out: &mut BytesMut) {
    out.put_u8(b'P');
    let start = out.len();
    for (count, unit) in [(fields.years, 'Y'), (fields.months, 'M'), (fields.days, 'D')] {
        if count != 0 {
            let _ = write!(out, "{count}{unit}");
        }
    }
    let is_zero = out.len() == start;
    if is_zero || fields.hours != 0 || fields.minutes != 0 || fields.micros != 0 {
        out.put_u8(b'T');
    }
    let clock = out.len();
    for (count, unit) in [(fields.hours, 'H'), (fields.minutes, 'M')] {
        if count != 0 {
            let _ = write!(out, "{count}{unit}");
        }
    }
    if fields.micros != 0 || (is_zero && out.len() == clock) {
        out.put_slice(if fields.micros < 0 { b"-" } else { b"" });
        put_seconds(fields.micros, 1, out);
        out.put_u8(b'S');
    }
}

/// Seconds without a sign, with at least so many digits before the point.
fn put_seconds(micros: i64, width: usize, out: &mut BytesMut) {
    let micros = micros.unsigned_abs();
    let (seconds, fraction) = (micros / SECOND as u64, micros % SECOND as u64);
    let _ = write!(out, "{seconds:0width$}");
    if fraction != 0 {
        let digits = format!("{fraction:06}");
        out.put_u8(b'.');
        out.put_slice(digits.trim_end_matches('0').as_bytes());
    }
}
