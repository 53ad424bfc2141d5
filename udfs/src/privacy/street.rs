//! Postal addresses of English-speaking countries: number, street name, kind of street; then unit, town, code.

use super::Kind;
use super::digits::Group;
use super::scan::Found;

const STREETS: [&str; 34] = [
    "Street",
    "St",
    "Avenue",
    "Ave",
    "Road",
    "Rd",
    "Lane",
    "Ln",
    "Drive",
    "Dr",
    "Boulevard",
    "Blvd",
    "Court",
    "Ct",
    "Place",
    "Pl",
    "Square",
    "Sq",
    "Way",
    "Terrace",
    "Close",
    "Crescent",
    "Parkway",
    "Pkwy",
    "Highway",
    "Hwy",
    "Circle",
    "Gardens",
    "Grove",
    "Mews",
    "Row",
    "Walk",
    "Hill",
    "Quay",
];

const UNITS: [&str; 8] = ["Apt", "Apartment", "Unit", "Suite", "Ste", "Flat", "Floor", "Room"];

/// Words of a street's name before its kind.
const MOST_WORDS: usize = 4;

/// The address whose house number is `group`.
pub(super) fn at(text: &str, group: &Group) -> Option<Found> {
    if !(1..=5).contains(&group.digits.len()) || !text[group.start..group.end].is_ascii() {
        return None;
    }
    if text[..group.start]
        .ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '$' | '#'))
    {
        return None;
    }
    let mut end = street_end(text, group.end)?;
    end = unit_end(text, end).unwrap_or(end);
    end = town_end(text, end).unwrap_or(end);
    Some(Found { kind: Kind::Address, start: group.start, end, value: text[group.start..end].to_owned() })
}

fn street_end(text: &str, from: usize) -> Option<usize> {
    let mut end = from;
    for place in 0..=MOST_WORDS {
        let next = text[end..].strip_prefix(' ')?;
        let start = text.len() - next.len();
        let word = word(next);
        end = start + word.len();
        if !word.starts_with(|c: char| c.is_ascii_uppercase() || (place == 0 && c.is_ascii_digit())) {
            return None;
        }
        if place > 0 && STREETS.contains(&word) {
            let point = usize::from(word.len() <= 4 && text[end..].starts_with(". "));
            return Some(end + point);
        }
    }
    None
}

/// Letters, digits, apostrophes and dashes at the beginning of `text`.
fn word(text: &str) -> &str {
    let end = text
        .find(|c: char| !(c.is_alphanumeric() && c < '\u{2e80}' || matches!(c, '\'' | '-')))
        .unwrap_or(text.len());
    &text[..end]
}

/// `, Apt 5B` behind `from`.
fn unit_end(text: &str, from: usize) -> Option<usize> {
    let rest = &text[from..];
    let rest = rest.strip_prefix(", ").or_else(|| rest.strip_prefix(' '))?;
    let name = word(rest);
    let rest = if UNITS.contains(&name) {
        rest[name.len()..].trim_start_matches('.').strip_prefix(' ')?
    } else {
        rest.strip_prefix('#')?
    };
    let number = word(rest);
    let end = text.len() - rest.len() + number.len();
    number.starts_with(|c: char| c.is_ascii_alphanumeric()).then_some(end)
}

/// `, Boston, MA 02118` or `, London SW1A 1AA` behind `from`: a town counts only with its code.
fn town_end(text: &str, from: usize) -> Option<usize> {
    let mut rest = text[from..].strip_prefix(", ")?;
    for _ in 0..4 {
        let name = word(rest);
        if !name.starts_with(|c: char| c.is_ascii_uppercase()) {
            return None;
        }
        rest = &rest[name.len()..];
        rest = rest.strip_prefix(", ").or_else(|| rest.strip_prefix(' '))?;
        let at = text.len() - rest.len();
        if let Some(length) = zip_length(rest).or_else(|| postcode_length(rest)) {
            return Some(at + length);
        }
    }
    None
}

/// Length of a state and ZIP code: `MA 02118`, `MA 02118-1234`.
fn zip_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| {
        bytes.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    let state = bytes.get(..2)?.iter().all(u8::is_ascii_uppercase) && bytes.get(2) == Some(&b' ');
    let ends = |at: usize| !bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    if !state || !digits(3..8) || !ends(8) {
        return None;
    }
    Some(if bytes.get(8) == Some(&b'-') && digits(9..13) && ends(13) { 13 } else { 8 })
}

/// Length of a British postcode: `SW1A 1AA`, `M1 1AE`.
fn postcode_length(text: &str) -> Option<usize> {
    let outward = word(text);
    let inward = word(text[outward.len()..].strip_prefix(' ')?);
    let out = outward.as_bytes();
    let letters = out.iter().take_while(|b| b.is_ascii_uppercase()).count();
    let tail = out.get(letters..)?;
    let formed = (1..=2).contains(&letters)
        && matches!(tail, [b'0'..=b'9'] | [b'0'..=b'9', b'0'..=b'9' | b'A'..=b'Z'])
        && matches!(inward.as_bytes(), [b'0'..=b'9', b'A'..=b'Z', b'A'..=b'Z']);
    formed.then_some(outward.len() + 1 + inward.len())
}
