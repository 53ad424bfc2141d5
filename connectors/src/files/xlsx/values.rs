//! The number in a cell as text: quantities with the digits that Excel shows, dates in PostgreSQL's form.

use super::styles::Meaning;
use crate::files::calendar::{self, EXCEL_EPOCH_DAYS};

/// From 1899-12-30 to 1904-01-01.
const DAYS_TO_1904: i64 = 1_462;

const DAY_MILLIS: i64 = 86_400_000;

/// The day that Lotus believed in, 1900-02-29.
const NO_SUCH_DAY: i64 = 60;

/// The text of a number; none if it is not one, or no day of the calendar.
pub(super) fn text(raw: &str, meaning: Meaning, since_1904: bool) -> Option<String> {
    let raw = raw.trim();
    match meaning {
        Meaning::Number => number(raw),
        Meaning::Padded(width) => {
            let plain = number(raw)?;
            let digits = plain.bytes().all(|byte| byte.is_ascii_digit());
            Some(if digits { format!("{plain:0>width$}") } else { plain })
        }
        _ => moment(raw, meaning, since_1904),
    }
}

/// Whole numbers as they stand. Others to the 15 digits that Excel has: the file may show the 16th and 17th,
/// which are noise of binary fractions.
fn number(raw: &str) -> Option<String> {
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(raw.to_owned());
    }
    let value: f64 = raw.parse().ok().filter(|value: &f64| value.is_finite())?;
    let rounded: f64 = format!("{value:.14e}").parse().ok()?;
    Some(if rounded == 0.0 { "0".to_owned() } else { rounded.to_string() })
}

fn moment(raw: &str, meaning: Meaning, since_1904: bool) -> Option<String> {
    let serial: f64 = raw.parse().ok().filter(|serial| (0.0..3_000_000.0).contains(serial))?;
    let millis = (serial * DAY_MILLIS as f64).round() as i64;
    let (days, time) = (millis / DAY_MILLIS, millis % DAY_MILLIS);
    if meaning == Meaning::Elapsed {
        return Some(calendar::time(millis));
    }
    if meaning == Meaning::Time && days == 0 {
        return Some(calendar::time(time));
    }
    let days = match since_1904 {
        true => days + DAYS_TO_1904,
        false if days == NO_SUCH_DAY => return None,
        false if days < NO_SUCH_DAY => days + 1,
        false => days,
    };
    let date = calendar::date(EXCEL_EPOCH_DAYS + days)?;
    let date_only = meaning == Meaning::Date && time == 0;
    Some(if date_only { date } else { format!("{date} {}", calendar::time(time)) })
}

#[cfg(test)]
mod tests {
    use super::{Meaning, text};

    #[test]
    fn numbers_as_they_are_shown() {
        for (raw, meaning, expected) in [
            ("5", Meaning::Number, Some("5")),
            ("-5", Meaning::Number, Some("-5")),
            ("12345678901234567890", Meaning::Number, Some("12345678901234567890")),
            ("5.0", Meaning::Number, Some("5")),
            ("1E+3", Meaning::Number, Some("1000")),
            ("1.1000000000000001", Meaning::Number, Some("1.1")),
            ("0.30000000000000004", Meaning::Number, Some("0.3")),
            ("123456789.123456", Meaning::Number, Some("123456789.123456")),
            ("x", Meaning::Number, None),
            ("", Meaning::Number, None),
            ("NaN", Meaning::Number, None),
            ("123", Meaning::Padded(5), Some("00123")),
            ("45296", Meaning::Date, Some("2024-01-05")),
            ("45296.545243055555", Meaning::DateAndTime, Some("2024-01-05 13:05:09")),
            ("45296", Meaning::DateAndTime, Some("2024-01-05 00:00:00")),
            ("45296.5", Meaning::Date, Some("2024-01-05 12:00:00")),
            ("0.5", Meaning::Time, Some("12:00:00")),
            ("1.1041666666666667", Meaning::Elapsed, Some("26:30:00")),
            ("1", Meaning::Date, Some("1900-01-01")),
            ("59", Meaning::Date, Some("1900-02-28")),
            ("60", Meaning::Date, None),
            ("61", Meaning::Date, Some("1900-03-01")),
            ("-1", Meaning::Date, None),
            ("1e300", Meaning::Date, None),
        ] {
            assert_eq!(text(raw, meaning, false).as_deref(), expected, "{raw}");
        }
        assert_eq!(text("0", Meaning::Date, true).as_deref(), Some("1904-01-01"));
    }
}
