//! Whether a text is a value of a parameter, and how it is kept.

use voxhouse_engine::{Error, ErrorKind, Result};

use super::definition::{Definition, Kind};
use super::unit::{self, Unit};
use super::{date_style, zone};

/// The value as it is kept: numbers in the parameter's unit. Errors call the parameter what its user called it, but for
/// those of lists and zones; that is PostgreSQL's way.
pub(super) fn accept(definition: &Definition, given_name: &str, text: &str) -> Result<String> {
    let value = of_kind(definition, given_name, text)?;
    if definition.fixed && value != definition.default {
        let message = format!("setting \"{}\" to \"{value}\" is not supported", definition.name);
        return Err(
            Error::not_supported(message).with_detail(format!("It is always \"{}\".", definition.default))
        );
    }
    Ok(value)
}

fn of_kind(definition: &Definition, given_name: &str, text: &str) -> Result<String> {
    let name = definition.name;
    match &definition.kind {
        Kind::Text => Ok(text.to_owned()),
        Kind::Boolean => boolean(text).map(on_or_off).ok_or_else(|| {
            Error::invalid_argument(format!("parameter \"{given_name}\" requires a Boolean value"))
        }),
        Kind::Integer { smallest, largest } => {
            integer(Given { definition, name: given_name, text }, *smallest, *largest)
        }
        Kind::Real { smallest, largest } => {
            real(Given { definition, name: given_name, text }, smallest, largest)
        }
        Kind::Enum(values) => one_of(values, text).map(str::to_owned).ok_or_else(|| {
            refused(given_name, text).with_hint(format!("Available values: {}.", values.join(", ")))
        }),
        Kind::TimeZone => match zone::parse(text) {
            Some((_, shown)) => Ok(shown),
            None => Err(refused(name, text)
                .with_hint("SELECT name FROM pg_timezone_names lists the zones; offsets are whole hours.")),
        },
        // The caller knows the current style.
        Kind::DateStyle => date_style::parse(text, definition.default),
        Kind::Encoding => encoding(name, text),
        Kind::Names => match names(text) {
            Some(_) => Ok(text.to_owned()),
            None => Err(refused(name, text).with_detail("List syntax is invalid.")),
        },
    }
}

fn refused(name: &str, text: &str) -> Error {
    Error::invalid_argument(format!("invalid value for parameter \"{name}\": \"{text}\""))
}

fn on_or_off(value: bool) -> String {
    if value { "on" } else { "off" }.to_owned()
}

/// Words may be cut short as long as they are clear.
pub fn boolean(text: &str) -> Option<bool> {
    let lower = text.trim().to_lowercase();
    let is = |word: &str, least: usize| lower.len() >= least && word.starts_with(&lower);
    if is("true", 1) || is("yes", 1) || is("on", 2) || lower == "1" {
        return Some(true);
    }
    if is("false", 1) || is("no", 1) || is("off", 2) || lower == "0" {
        return Some(false);
    }
    None
}

/// A number that somebody wants a parameter to be.
#[derive(Clone, Copy)]
struct Given<'a> {
    definition: &'a Definition,
    name: &'a str,
    text: &'a str,
}

impl Given<'_> {
    fn number(self) -> Result<f64> {
        unit::number(self.name, self.text, self.definition.unit)
    }

    fn outside(self, number: &str, smallest: &str, largest: &str) -> Error {
        let unit = self.definition.unit.map_or_else(String::new, |unit: Unit| format!(" {}", unit.name()));
        Error::invalid_argument(format!(
            "{number}{unit} is outside the valid range for parameter \"{}\" ({smallest} .. {largest})",
            self.name
        ))
    }
}

fn integer(given: Given<'_>, smallest: i64, largest: i64) -> Result<String> {
    let number = given.number()?.round();
    if number.abs() > f64::from(i32::MAX) {
        return Err(refused(given.name, given.text).with_hint("Value exceeds integer range."));
    }
    let number = number as i64;
    if !(smallest..=largest).contains(&number) {
        return Err(given.outside(&number.to_string(), &smallest.to_string(), &largest.to_string()));
    }
    Ok(number.to_string())
}

fn real(given: Given<'_>, smallest: &str, largest: &str) -> Result<String> {
    let number = given.number()?;
    let bound = |text: &str, unknown: f64| text.parse().unwrap_or(unknown);
    if number.is_nan() || number < bound(smallest, f64::MIN) || number > bound(largest, f64::MAX) {
        return Err(given.outside(&number.to_string(), smallest, largest));
    }
    Ok(number.to_string())
}

fn one_of<'a>(values: &[&'a str], text: &str) -> Option<&'a str> {
    let text = text.trim();
    let find = |wanted: &str| values.iter().copied().find(|known| known.eq_ignore_ascii_case(wanted));
    find(text).or_else(|| match text.to_lowercase().as_str() {
        "debug" => find("debug2"),
        "info" => find("notice"),
        // Where a parameter can be on or off, it can be true or false.
        _ if find("on").is_some() => boolean(text).and_then(|value| find(&on_or_off(value))),
        _ => None,
    })
}

/// Encodings that PostgreSQL would convert.
const OTHER_ENCODINGS: &[&str] = &[
    "BIG5",
    "EUC_CN",
    "EUC_JP",
    "EUC_KR",
    "EUC_TW",
    "GB18030",
    "GBK",
    "ISO_8859_5",
    "JOHAB",
    "KOI8R",
    "KOI8U",
    "LATIN1",
    "LATIN2",
    "LATIN3",
    "LATIN4",
    "LATIN5",
    "LATIN6",
    "LATIN7",
    "LATIN8",
    "LATIN9",
    "LATIN10",
    "MULE_INTERNAL",
    "SHIFT_JIS_2004",
    "SJIS",
    "UHC",
    "WIN866",
    "WIN874",
    "WIN1250",
    "WIN1251",
    "WIN1252",
    "WIN1253",
    "WIN1254",
    "WIN1255",
    "WIN1256",
    "WIN1257",
    "WIN1258",
];

fn encoding(name: &str, text: &str) -> Result<String> {
    let plain =
        |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_uppercase();
    match plain(text).as_str() {
        "UTF8" | "UNICODE" => return Ok("UTF8".to_owned()),
        // No conversion: the server's own bytes.
        "SQLASCII" => return Ok("SQL_ASCII".to_owned()),
        _ => {}
    }
    match OTHER_ENCODINGS.iter().find(|known| plain(known) == plain(text)) {
        Some(known) => Err(Error::new(ErrorKind::NotSupported, refused(name, text).message())
            .with_detail(format!("Conversion between {known} and UTF8 is not supported."))),
        None => Err(refused(name, text)),
    }
}

/// The names of a list; quoted ones keep their case. `None`: not a list of names.
pub(super) fn names(text: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = text.trim();
    if rest.is_empty() {
        return Some(names);
    }
    loop {
        let (name, behind) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_name(quoted)?,
            None => {
                let end = rest.find([',', '"', ' ', '\t', '\n']).unwrap_or(rest.len());
                (rest[..end].to_lowercase(), &rest[end..])
            }
        };
        if name.is_empty() && !rest.starts_with('"') {
            return None;
        }
        names.push(name);
        let behind = behind.trim_start();
        if behind.is_empty() {
            return Some(names);
        }
        rest = behind.strip_prefix(',')?.trim_start();
    }
}

/// A name as SQL text.
pub(super) fn quoted(name: &str) -> String {
    let is_plain = !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit() || first == '$')
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'$'));
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// The name up to its closing quote, and what follows it.
fn quoted_name(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut rest = text;
    loop {
        let (part, behind) = rest.split_once('"')?;
        name.push_str(part);
        match behind.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return Some((name, behind)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_names() {
        let is = |text: &str, expected: &[&str]| assert_eq!(names(text).unwrap(), expected, "{text}");
        is("x, \"My Schema\",PUBLIC", &["x", "My Schema", "public"]);
        is("\"a\"\"b\"", &["a\"b"]);
        is("\"\"", &[""]);
        is("", &[]);
        for wrong in ["a,,b", ",", "a b", "\"a", "a,", "\"a\"b"] {
            assert_eq!(names(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn booleans_may_be_cut_short() {
        assert_eq!((boolean("T"), boolean("of"), boolean("n")), (Some(true), Some(false), Some(false)));
        assert_eq!((boolean("o"), boolean(""), boolean("truely")), (None, None, None));
    }
}
