//! The proleptic Gregorian calendar and the clock, in whole numbers.

use bytes::{BufMut, BytesMut};

use super::digits::{pair, put_padded};
use crate::wire::style::{DateOrder, DateStyle};

pub(in crate::wire) const MICROS_PER_DAY: i64 = 86_400_000_000;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// 2000-01-01, where PostgreSQL's binary dates begin, in days since 1970-01-01.
pub(in crate::wire) const PG_EPOCH_DAYS: i32 = 10_957;

/// A day of the proleptic Gregorian calendar. Year 0 is 1 BC.
pub(super) struct Date {
    days: i64,
    year: i64,
    month: u32,
    day: u32,
}

impl Date {
    /// From days since 1970-01-01: Howard Hinnant's `civil_from_days`.
    pub(super) fn of(days: i64) -> Self {
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 } as u32;
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self { days, year, month, day }
    }

    /// `2024-03-09` and its kin. Of a year BC it is the number; [`Date::put_era`] tells the rest.
    pub(super) fn put(&self, style: DateStyle, order: DateOrder, out: &mut BytesMut) {
        let (month, day) = (pair(self.month), pair(self.day));
        let separator = match style {
            DateStyle::Iso => {
                self.put_year(out);
                return out.put_slice(&[b'-', month[0], month[1], b'-', day[0], day[1]]);
            }
            DateStyle::Sql => b'/',
            DateStyle::Postgres => b'-',
            DateStyle::German => b'.',
        };
        let day_first = style == DateStyle::German || order == DateOrder::DayMonthYear;
        let ([a, b], [c, d]) = if day_first { (day, month) } else { (month, day) };
        out.put_slice(&[a, b, separator, c, d, separator]);
        self.put_year(out);
    }

    /// `Sat Mar 09`, `Sat 09 Mar`
    pub(super) fn put_words(&self, order: DateOrder, out: &mut BytesMut) {
        // 1970-01-01 was a Thursday.
        out.put_slice(WEEKDAYS[(self.days + 4).rem_euclid(7) as usize]);
        let (month, day) = (MONTHS[self.month as usize - 1], pair(self.day));
        let (first, second): (&[u8], &[u8]) = match order {
            DateOrder::DayMonthYear => (&day, month),
            _ => (month, &day),
        };
        for part in [first, second] {
            out.put_u8(b' ');
            out.put_slice(part);
        }
    }

    pub(super) fn put_year(&self, out: &mut BytesMut) {
        put_padded(if self.year > 0 { self.year } else { 1 - self.year } as u64, 4, out);
    }

    pub(super) fn put_era(&self, out: &mut BytesMut) {
        if self.year <= 0 {
            out.put_slice(b" BC");
        }
    }
}

const WEEKDAYS: [&[u8]; 7] = [b"Sun", b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat"];
const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// `03:04:05.5` from microseconds that are not negative; hours may exceed 24 in an interval.
pub(super) fn put_clock(micros: u64, out: &mut BytesMut) {
    let seconds = micros / MICROS_PER_SECOND as u64;
    put_padded(seconds / 3_600, 2, out);
    let (minute, second) = (pair((seconds / 60 % 60) as u32), pair((seconds % 60) as u32));
    out.put_slice(&[b':', minute[0], minute[1], b':', second[0], second[1]]);
    let fraction = micros % MICROS_PER_SECOND as u64;
    if fraction != 0 {
        out.put_u8(b'.');
        let start = out.len();
        put_padded(fraction, 6, out);
        let zeros = out[start..].iter().rev().take_while(|&&byte| byte == b'0').count();
        out.truncate(out.len() - zeros);
    }
}

/// `+08`, `+05:30`, `-07:52:58`.
pub(super) fn put_offset(seconds: i32, out: &mut BytesMut) {
    out.put_u8(if seconds < 0 { b'-' } else { b'+' });
    let seconds = u64::from(seconds.unsigned_abs());
    put_padded(seconds / 3_600, 2, out);
    if !seconds.is_multiple_of(3_600) {
        out.put_u8(b':');
        put_padded(seconds / 60 % 60, 2, out);
    }
    if !seconds.is_multiple_of(60) {
        out.put_u8(b':');
        put_padded(seconds % 60, 2, out);
    }
}
