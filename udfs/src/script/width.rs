//! Full-width forms and what counts as a Chinese character.

/// The half-width form of a full-width letter, digit, sign or space; other characters are their own. One
/// character stays one.
pub(crate) fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        other => other,
    }
}

/// Half-width and lower-case, character by character; a capital with several small letters keeps the first.
pub(crate) fn fold(c: char) -> char {
    let half = half_width(c);
    if half.is_ascii() { half.to_ascii_lowercase() } else { half.to_lowercase().next().unwrap_or(half) }
}

pub(crate) fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}' | '〇')
}
