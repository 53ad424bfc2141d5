//! Vehicle plates of mainland China (GA 36-2018): province, letter, then five characters, or six for new energy.

use super::Kind;
use super::scan::Found;

const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";

/// The plate whose letter stands at `at`, behind the character of a province.
pub(super) fn of_letter(text: &str, at: usize) -> Option<Found> {
    let before = at.checked_sub(1).and_then(|place| text.as_bytes().get(place))?;
    if before.is_ascii() {
        return None;
    }
    let province = text[..at].chars().next_back().filter(|c| PROVINCES.contains(*c))?;
    self::at(text, at - province.len_utf8())
}

/// The plate whose province character stands at `at`. A point, space or dash may follow the letter.
fn at(text: &str, at: usize) -> Option<Found> {
    let mut rest = text[at..].char_indices().peekable();
    let (_, province) = rest.next()?;
    let (_, letter) = rest.next().filter(|(_, c)| c.is_ascii_uppercase() && !matches!(c, 'I'))?;
    rest.next_if(|(_, c)| matches!(c, '·' | '•' | ' ' | '-' | '.' | '・'));
    let mut value = String::from_iter([province, letter]);
    let mut end = at;
    for (place, c) in rest.by_ref().take(7) {
        let last = matches!(c, '学' | '警' | '挂' | '港' | '澳');
        if !(c.is_ascii_digit() || c.is_ascii_uppercase() || last) {
            break;
        }
        value.push(c);
        end = at + place + c.len_utf8();
        if last {
            break;
        }
    }
    let tail = value.chars().skip(2);
    let digits = tail.clone().filter(char::is_ascii_digit).count();
    let letters = tail.clone().filter(char::is_ascii_uppercase).count();
    let formed = match tail.count() {
        5 => digits >= 1 && letters <= 4,
        6 => digits >= 4,
        _ => false,
    };
    formed.then_some(Found { kind: Kind::Plate, start: at, end, value })
}
