//! The proleptic Gregorian calendar and the clock, in whole numbers.

use bytes::{BufMut, BytesMut};

use super::digits::{pair, put_padded};

pub(in crate::wire) const MICROS_PER_DAY: i64 = 86_400_000_000;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// 2000-01-01, where PostgreSQL's binary dates begin, in days since 1970-01-01.
pub(in crate::wire) const PG_EPOCH_DAYS: i32 = 10_957;

/// Year (0 is 1 BC), month and day. Howard Hinnant's `civil_from_days`.
fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 } as u32;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// `2024-03-09`. The year BC is positive here: the caller ends the value with ` BC` if told so.
pub(super) fn put_date(days: i64, out: &mut BytesMut) -> bool {
    let (year, month, day) = civil_from_days(days);
    let before_christ = year <= 0;
    put_padded(if before_christ { 1 - year } else { year } as u64, 4, out);
    let (month, day) = (pair(month), pair(day));
    out.put_slice(&[b'-', month[0], month[1], b'-', day[0], day[1]]);
    before_christ
}

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
