//! Text of booleans, bytes, uuids and arrays. `None`: not such a text.

use voxhouse_engine::{Error, ErrorKind, Result};

/// `t`, `yes`, `on`, `1` and their prefixes, as PostgreSQL reads them.
pub(super) fn parse_bool(text: &str) -> Option<bool> {
    let text = text.to_ascii_lowercase();
    let is_prefix_of = |word: &str| !text.is_empty() && word.starts_with(&text);
    match text.as_str() {
        "1" | "on" => Some(true),
        "0" | "of" | "off" => Some(false),
        _ if is_prefix_of("true") || is_prefix_of("yes") => Some(true),
        _ if is_prefix_of("false") || is_prefix_of("no") => Some(false),
        _ => None,
    }
}

/// `\x0aff`, or the older form with `\\` and octal escapes.
pub(super) fn parse_bytea(text: &str) -> Result<Vec<u8>> {
    if let Some(hex) = text.strip_prefix("\\x") {
        return parse_hex(hex);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        let (byte, tail) = match rest {
            [] => return Ok(bytes),
            [b'\\', b'\\', tail @ ..] => (b'\\', tail),
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..] => {
                ((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'), tail)
            }
            [b'\\', ..] => {
                return Err(Error::new(ErrorKind::InvalidText, "invalid input syntax for type bytea"));
            }
            [first, tail @ ..] => (*first, tail),
        };
        bytes.push(byte);
        rest = tail;
    }
}

fn parse_hex(text: &str) -> Result<Vec<u8>> {
    let digits: Vec<char> = text.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    if let Some(letter) = digits.iter().find(|letter| !letter.is_ascii_hexdigit()) {
        return Err(Error::invalid_argument(format!("invalid hexadecimal digit: \"{letter}\"")));
    }
    let digits: Vec<u8> = digits.into_iter().map(|letter| letter as u8).collect();
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(hex_byte).collect();
    bytes.ok_or_else(|| Error::invalid_argument("invalid hexadecimal data: odd number of digits"))
}

fn hex_byte(pair: &[u8]) -> Option<u8> {
    let [high, low] = pair else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    Some((digit(*high)? << 4 | digit(*low)?) as u8)
}

/// Hyphens after any group of four digits, and braces round the whole, are optional.
pub(in crate::wire) fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let bare = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let digits: Vec<u8> = bare.bytes().filter(|&byte| byte != b'-').collect();
    let bytes: Vec<u8> = digits.chunks(2).map(hex_byte).collect::<Option<_>>()?;
    bytes.try_into().ok()
}

pub(super) fn uuid_text(bytes: &[u8; 16]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
