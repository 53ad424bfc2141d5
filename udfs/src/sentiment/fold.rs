//! What each character reads as: full-width forms half-width, upper case lower case, traditional characters
//! simplified, kinds of one mark alike.

use std::sync::LazyLock;

use super::units::Kind;

/// Pairs of traditional and simplified characters as little-endian `u16`, sorted by the former.
static TRADITIONAL: &[u8] = include_bytes!("../../models/traditional.bin");

/// How far the table reaches: the basic multilingual plane.
const PLANE: usize = 0x1_0000;

/// What every character of the basic plane reads as, and its kind.
static TABLE: LazyLock<Box<[(u16, Kind)]>> = LazyLock::new(|| {
    let mut simplified: Vec<u16> = (0..=u16::MAX).collect();
    for pair in TRADITIONAL.as_chunks::<4>().0 {
        let from = u16::from_le_bytes([pair[0], pair[1]]);
        if let Some(to) = simplified.get_mut(usize::from(from)) {
            *to = u16::from_le_bytes([pair[2], pair[3]]);
        }
    }
    let read = |code: u16| {
        let same = char::from_u32(u32::from(code)).unwrap_or(' ');
        let plain = plain(char::from_u32(u32::from(simplified[usize::from(code)])).unwrap_or(same));
        (u16::try_from(u32::from(plain)).unwrap_or(code), kind(plain))
    };
    (0..=u16::MAX).map(read).collect()
});

/// Reads characters; made once for a text, so that the table is looked up once.
#[derive(Clone, Copy)]
pub(crate) struct Folding {
    table: &'static [(u16, Kind)],
}

impl Folding {
    pub(crate) fn new() -> Self {
        Self { table: &TABLE }
    }

    /// The code that `character` reads as, and its kind.
    pub(crate) fn read(self, character: char) -> (u32, Kind) {
        let code = u32::from(character);
        match self.table.get(code as usize) {
            Some(&(plain, kind)) if (code as usize) < PLANE => (u32::from(plain), kind),
            _ => (code, if is_modifier(character) { Kind::Blank } else { kind(character) }),
        }
    }
}

/// Skin tones say nothing about sentiment.
fn is_modifier(character: char) -> bool {
    matches!(character, '\u{1f3fb}'..='\u{1f3ff}')
}

/// One character for all forms of it.
fn plain(character: char) -> char {
    let half = match character {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character),
        '。' | '｡' => '.',
        '、' | '،' => ',',
        '…' | '⋯' => '.',
        '〜' | '∼' => '~',
        '’' | '‘' | '´' | '`' => '\'',
        '“' | '”' | '「' | '」' | '『' | '』' => '"',
        '【' => '[',
        '】' => ']',
        other => other,
    };
    let mut lower = half.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => half,
    }
}

fn kind(character: char) -> Kind {
    match character {
        '.' | ',' | '!' | '?' | ';' | ':' | '~' => Kind::Stop,
        '\n' | '\r' => Kind::Break,
        '\'' => Kind::Apostrophe,
        '\u{fe0e}' | '\u{fe0f}' | '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{ad}' => Kind::Blank,
        other if other.is_whitespace() || other.is_control() => Kind::Blank,
        other if other.is_numeric() && !is_ideograph(other) => Kind::Digit,
        other if is_ideograph(other) => Kind::Character,
        other if other.is_alphabetic() || is_joining(other) => Kind::Letter,
        _ => Kind::Mark,
    }
}

/// Scripts written without blanks, in which a character is a unit.
fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{2e80}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Accents written as characters of their own.
fn is_joining(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{64b}'..='\u{65f}')
}
