//! Numbers with units: `5min`, `2s`, `64MB`.

use voxhouse_engine::{Error, Result};

/// The unit in which a parameter is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Milliseconds,
    Seconds,
    Kilobytes,
    /// Pages of 8 kB.
    Pages,
}

const MICROSECOND: f64 = 0.001;
/// In milliseconds, the largest first.
const TIMES: [(&str, f64); 6] = [
    ("d", 86_400_000.0),
    ("h", 3_600_000.0),
    ("min", 60_000.0),
    ("s", 1_000.0),
    ("ms", 1.0),
    ("us", MICROSECOND),
];
/// In kilobytes.
const SIZES: [(&str, f64); 5] =
    [("TB", 1_073_741_824.0), ("GB", 1_048_576.0), ("MB", 1_024.0), ("kB", 1.0), ("B", 1.0 / 1_024.0)];

impl Unit {
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "ms" => Self::Milliseconds,
            "s" => Self::Seconds,
            "kB" => Self::Kilobytes,
            "8kB" => Self::Pages,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
            Self::Kilobytes => "kB",
            Self::Pages => "8kB",
        }
    }

    fn known(self) -> &'static [(&'static str, f64)] {
        match self {
            Self::Milliseconds | Self::Seconds => &TIMES,
            Self::Kilobytes | Self::Pages => &SIZES,
        }
    }

    /// How many of the known units' basis one of this unit is.
    fn basis(self) -> f64 {
        match self {
            Self::Milliseconds | Self::Kilobytes => 1.0,
            Self::Seconds => 1_000.0,
            Self::Pages => 8.0,
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::Milliseconds | Self::Seconds => {
                "Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\"."
            }
            Self::Kilobytes | Self::Pages => {
                "Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\"."
            }
        }
    }

    /// A whole number in the largest unit that has no rest.
    pub(super) fn show(self, number: &str) -> String {
        let Some(number) = number.parse::<i64>().ok().filter(|number| *number > 0) else {
            return number.to_owned();
        };
        let in_basis = number as f64 * self.basis();
        let fits = self.known().iter().find(|(_, factor)| in_basis % factor == 0.0);
        match fits {
            Some((name, factor)) => format!("{}{name}", in_basis / factor),
            None => number.to_string(),
        }
    }
}

/// A number as PostgreSQL reads it: decimal or hexadecimal, a fraction, and a unit if the parameter has one.
pub(super) fn number(name: &str, text: &str, unit: Option<Unit>) -> Result<f64> {
    let refuse = || Error::invalid_argument(format!("invalid value for parameter \"{name}\": \"{text}\""));
    let (number, rest) = leading_number(text.trim()).ok_or_else(refuse)?;
    let rest = rest.trim();
    let Some(unit) = unit else {
        return if rest.is_empty() { Ok(number) } else { Err(refuse()) };
    };
    if rest.is_empty() {
        return Ok(number);
    }
    match unit.known().iter().find(|(known, _)| *known == rest) {
        Some((_, factor)) => Ok(number * factor / unit.basis()),
        None => Err(refuse().with_hint(unit.hint())),
    }
}

fn leading_number(text: &str) -> Option<(f64, &str)> {
    let unsigned = text.trim_start_matches(['+', '-']);
    if text.len() - unsigned.len() > 1 {
        return None;
    }
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    if let Some(digits) = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X")) {
        let end = digits.find(|letter: char| !letter.is_ascii_hexdigit()).unwrap_or(digits.len());
        let number = i64::from_str_radix(&digits[..end], 16).ok()?;
        return Some((sign * number as f64, &digits[end..]));
    }
    let is_digit = |letter: char| letter.is_ascii_digit() || letter == '.';
    let mut end = unsigned.find(|letter: char| !is_digit(letter)).unwrap_or(unsigned.len());
    if let Some(exponent) = unsigned[end..].strip_prefix(['e', 'E']) {
        let digits = exponent.trim_start_matches(['+', '-']);
        let count = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
        if count > 0 {
            end = unsigned.len() - digits.len() + count;
        }
    }
    let number: f64 = unsigned[..end].parse().ok()?;
    Some((sign * number, &unsigned[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_units() {
        let ms = |text| number("t", text, Some(Unit::Milliseconds));
        assert_eq!(ms("1.5min").unwrap(), 90_000.0);
        assert_eq!(ms(" 2 s ").unwrap(), 2_000.0);
        assert_eq!(ms("0x10").unwrap(), 16.0);
        assert_eq!(ms("1e3").unwrap(), 1_000.0);
        assert_eq!(ms("-1").unwrap(), -1.0);
        assert_eq!(ms("500us").unwrap(), 0.5);
        assert_eq!(number("m", "64MB", Some(Unit::Pages)).unwrap(), 8_192.0);
        assert!(ms("soon").unwrap_err().hint().is_none());
        assert!(ms("5 moons").unwrap_err().hint().is_some());
        assert!(number("n", "1s", None).is_err());
        for nothing in ["", "-", "--1", ".", "e3"] {
            assert!(ms(nothing).is_err(), "{nothing}");
        }
    }

    #[test]
    fn the_largest_unit_without_a_rest_is_shown() {
        assert_eq!(Unit::Milliseconds.show("90000"), "90s");
        assert_eq!(Unit::Milliseconds.show("86400000"), "1d");
        assert_eq!(Unit::Milliseconds.show("0"), "0");
        assert_eq!(Unit::Milliseconds.show("-1"), "-1");
        assert_eq!(Unit::Pages.show("1024"), "8MB");
        assert_eq!(Unit::Kilobytes.show("1000"), "1000kB");
    }
}
