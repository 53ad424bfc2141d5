//! The usual forms of values, read fast. `None` is no error: the slower reader that knows every form decides.

use crate::wire::encode::{MICROS_PER_DAY, PG_EPOCH_DAYS};

/// Sign and digits.
pub(super) fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    // Eighteen digits cannot overflow.
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let value = number(digits)?;
    Some(if negative { -value } else { value })
}

/// Digits only, at most eighteen of them.
fn number(digits: &[u8]) -> Option<i64> {
    let mut value = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(value)
}

/// `-12.05` as a multiple of `10^-scale` with at most `precision` digits; further decimals round half away from
/// zero.
pub(super) fn decimal(text: &[u8], precision: u8, scale: i8) -> Option<i128> {
    let scale = usize::try_from(scale).ok()?;
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let point = digits.iter().position(|&byte| byte == b'.');
    let (whole, fraction) = match point {
        Some(at) => (&digits[..at], &digits[at + 1..]),
        None => (digits, &[][..]),
    };
    if whole.is_empty() && fraction.is_empty() || whole.len() > 18 {
        return None;
    }
    let kept = &fraction[..fraction.len().min(scale)];
    if kept.len() > 18 || scale - kept.len() > 38 {
        return None;
    }
    let mut value = i128::from(number(whole)?);
    value = value * POWERS[kept.len()] + i128::from(number(kept)?);
    value = value.checked_mul(*POWERS.get(scale - kept.len())?)?;
    if let Some((first, rest)) = fraction[kept.len()..].split_first() {
        if !first.is_ascii_digit() || !rest.iter().all(u8::is_ascii_digit) {
            return None;
        }
        value += i128::from(*first >= b'5');
    }
    if value >= *POWERS.get(usize::from(precision))? {
        return None;
    }
    Some(if negative { -value } else { value })
}

/// Why a text is no [`decimal`].
pub(super) enum NotDecimal {
    Syntax,
    TooLarge,
}

/// A number in any form, with blanks around it and an exponent behind it, rounded as in [`decimal`].
pub(super) fn any_decimal(text: &str, precision: u8, scale: i8) -> Result<i128, NotDecimal> {
    let text = text.trim();
    let (negative, unsigned) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(NotDecimal::Syntax);
            }
            // Beyond this range everything is zero or too large.
            (mantissa, exponent.parse::<i64>().unwrap_or(i64::from(i32::MAX)).clamp(-100_000, 100_000))
        }
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NotDecimal::Syntax);
    }
    // How many of the digits count, and what the last one stands for.
    let kept = whole.len() as i64 + exponent + i64::from(scale);
    let mut value = 0_i128;
    for at in 0..usize::try_from(kept).unwrap_or_default() {
        let digit = digits.get(at).map_or(0, |byte| byte - b'0');
        value = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(i128::from(digit)))
            .ok_or(NotDecimal::TooLarge)?;
    }
    let rounds_up =
        usize::try_from(kept).ok().and_then(|kept| digits.get(kept)).is_some_and(|byte| *byte >= b'5');
    value += i128::from(rounds_up);
    if POWERS.get(usize::from(precision)).is_some_and(|limit| value >= *limit) {
        return Err(NotDecimal::TooLarge);
    }
    Ok(if negative { -value } else { value })
}

/// Powers of ten.
const POWERS: [i128; 39] = {
    let mut powers = [1; 39];
    let mut at = 1;
    while at < 39 {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

pub(super) fn boolean(text: &[u8]) -> Option<bool> {
    match text {
        b"t" | b"true" | b"1" => Some(true),
        b"f" | b"false" | b"0" => Some(false),
        _ => None,
    }
}

/// A number that has a finite value; the others have rules of their own.
pub(super) fn float<T: std::str::FromStr + Into<f64> + Copy>(text: &str) -> Option<T> {
    let value: T = text.parse().ok()?;
    let wide: f64 = value.into();
    // A zero may be a number too small to be told from it.
    let settled =
        wide.is_finite() && (wide != 0.0 || text.bytes().all(|byte| matches!(byte, b'0' | b'.' | b'-')));
    settled.then_some(value)
}

/// `2026-01-31` as days since 1970-01-01.
pub(in crate::wire) fn date(text: &[u8]) -> Option<i32> {
    let &[a, b, c, d, b'-', e, f, b'-', g, h] = text else { return None };
    let (year, month, day) = (number(&[a, b, c, d])?, number(&[e, f])?, number(&[g, h])?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    if year == 0 || day == 0 || day > days {
        return None;
    }
    i32::try_from(days_from_civil(year, month, day)).ok()
}

/// Howard Hinnant's, for years after Christ.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = (month + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// `2026-01-31 08:30:00.5` in microseconds since 1970-01-01 00:00.
pub(in crate::wire) fn timestamp(text: &[u8]) -> Option<i64> {
    let (day, clock) = text.split_at_checked(10)?;
    let [b' ' | b'T', h, i, b':', j, k, b':', l, m, fraction @ ..] = clock else { return None };
    let (hour, minute, second) = (number(&[*h, *i])?, number(&[*j, *k])?, number(&[*l, *m])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let micros = match fraction {
        [] => 0,
        [b'.', digits @ ..] if (1..=6).contains(&digits.len()) => {
            number(digits)? * i64::try_from(POWERS[6 - digits.len()]).ok()?
        }
        _ => return None,
    };
    let seconds = hour * 3_600 + minute * 60 + second;
    Some(i64::from(date(day)?) * MICROS_PER_DAY + seconds * 1_000_000 + micros)
}

/// A [`timestamp`] with `+00` or `Z` behind it, or with nothing if the session's zone is UTC.
pub(in crate::wire) fn instant(text: &[u8], session_is_utc: bool) -> Option<i64> {
    match text.strip_suffix(b"+00").or_else(|| text.strip_suffix(b"Z")) {
        Some(local) => timestamp(local),
        None if session_is_utc => timestamp(text),
        None => None,
    }
}

pub(super) fn binary_date(bytes: &[u8]) -> Option<i32> {
    let days = i32::from_be_bytes(bytes.try_into().ok()?);
    // The ends of the range are infinities.
    if days == i32::MIN { None } else { days.checked_add(PG_EPOCH_DAYS) }
}

pub(super) fn binary_timestamp(bytes: &[u8]) -> Option<i64> {
    let micros = i64::from_be_bytes(bytes.try_into().ok()?);
    if micros == i64::MIN { None } else { micros.checked_add(i64::from(PG_EPOCH_DAYS) * MICROS_PER_DAY) }
}

/// A numeric with digits for the scale and no more.
pub(super) fn binary_decimal(bytes: &[u8], precision: u8, scale: i8) -> Option<i128> {
    let (head, groups) = bytes.split_first_chunk::<8>()?;
    let field = |at: usize| i16::from_be_bytes([head[at], head[at + 1]]);
    let (count, weight, sign) = (field(0), field(2), field(4));
    if !matches!(sign, 0x0000 | 0x4000) || groups.len() != usize::try_from(count).ok()? * 2 || count > 8 {
        return None;
    }
    let mut value = 0_i128;
    for group in groups.chunks_exact(2) {
        let group = i16::from_be_bytes([group[0], group[1]]);
        if !(0..10_000).contains(&group) {
            return None;
        }
        value = value * 10_000 + i128::from(group);
    }
    // The last group counts units of 10^exponent.
    let exponent = (i32::from(weight) + 1 - i32::from(count)) * 4 + i32::from(scale);
    if exponent >= 0 {
        value = value.checked_mul(*POWERS.get(usize::try_from(exponent).ok()?)?)?;
    } else {
        let divisor = POWERS.get(usize::try_from(-exponent).ok()?)?;
        if value % divisor != 0 {
            return None;
        }
        value /= divisor;
    }
    if value >= *POWERS.get(usize::from(precision))? {
        return None;
    }
    Some(if sign == 0x4000 { -value } else { value })
}
