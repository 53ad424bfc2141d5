//! A text as a row of units: what the features of the model are made of.
//!
//! A unit is one Chinese or Japanese character, one mark or emoji, one whole word of another script, one run
//! of digits, or one mention of a user (@name). Blanks and web addresses vanish. A double negation (不是不,
//! 没有不) is taken out, so that what it governs reads as it stands.
//!
//! What stands before a contrast (但是, but) in the same sentence weighs less than the rest.

use super::fold::Folding;

/// What a character is, as far as units care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A unit by itself.
    Character,
    /// Part of a word.
    Letter,
    /// Part of a number.
    Digit,
    /// Joins letters (don't), and is nothing by itself.
    Apostrophe,
    /// Ends a clause.
    Stop,
    /// Ends a line, and so a sentence.
    Break,
    /// Any other mark.
    Mark,
    /// Nothing.
    Blank,
}

/// One unit: a code for what it says, and which characters of the text it covers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unit {
    pub(crate) code: u32,
    pub(crate) kind: Kind,
    /// What its features count for, in quarters.
    pub(crate) weight: u8,
    /// Position of its first character in the text, in characters.
    pub(crate) start: u32,
    /// Position behind its last character.
    pub(crate) end: u32,
}

/// Full weight, and the weight of what a contrast follows, in quarters.
pub(crate) const FULL: u8 = 4;
const BEFORE_CONTRAST: u8 = 3;

const NUMBER: u32 = '0' as u32;
const MENTION: u32 = '@' as u32;

/// Codes of words begin here, above all characters.
const WORDS: u32 = 0x8000_0000;

/// How far the sentence may reach back from a contrast, in units.
const CONTRAST_REACH: usize = 15;

/// Reads `text` into `units`, in place of what they held.
pub(crate) fn read(text: &str, units: &mut Vec<Unit>) {
    units.clear();
    let folding = Folding::new();
    let mut before = Kind::Blank;
    let mut place = 0_u32;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let start = place;
        place = place.saturating_add(1);
        let (code, kind) = folding.read(character);
        match kind {
            Kind::Blank => {}
            // The word goes on behind it.
            Kind::Apostrophe if before == Kind::Letter => continue,
            Kind::Apostrophe => {}
            Kind::Letter if matches!(before, Kind::Letter) => extend(units, code, place),
            Kind::Digit if before == Kind::Digit => extend_number(units, place),
            Kind::Letter => begin_word(units, code, start, place),
            Kind::Digit => push(units, NUMBER, kind, start, place),
            _ => push(units, code, kind, start, place),
        }
        before = kind;
        if code == u32::from('/') && ends_scheme(units) {
            place = place.saturating_add(skip_address(&mut characters));
            before = Kind::Blank;
        }
    }
    drop_double_negations(units);
    weigh_contrasts(units);
}

fn push(units: &mut Vec<Unit>, code: u32, kind: Kind, start: u32, end: u32) {
    units.push(Unit { code, kind, weight: FULL, start, end });
}

/// A word begins; behind @ it is a name, which says nothing.
fn begin_word(units: &mut Vec<Unit>, code: u32, start: u32, end: u32) {
    if let Some(at) = units.last_mut()
        && at.code == MENTION
        && at.end == start
    {
        at.kind = Kind::Letter;
        at.end = end;
        return;
    }
    push(units, mix(WORDS, code), Kind::Letter, start, end);
}

fn extend(units: &mut [Unit], code: u32, end: u32) {
    if let Some(word) = units.last_mut() {
        if word.code != MENTION {
            word.code = mix(word.code, code);
        }
        word.end = end;
    }
}

fn extend_number(units: &mut [Unit], end: u32) {
    if let Some(number) = units.last_mut() {
        number.end = end;
    }
}

/// The code of a word that goes on with `code`.
const fn mix(word: u32, code: u32) -> u32 {
    (word ^ code).wrapping_mul(0x0193_7a35).rotate_left(11) | WORDS
}

/// The code of a lower-case word, to compare with.
pub(crate) const fn word(text: &str) -> u32 {
    let bytes = text.as_bytes();
    let mut code = WORDS;
    let mut place = 0;
    while place < bytes.len() {
        code = mix(code, bytes[place] as u32);
        place += 1;
    }
    code
}

/// Whether the last units are `http://` or `https://`; takes them away if so.
fn ends_scheme(units: &mut Vec<Unit>) -> bool {
    const SCHEMES: [u32; 2] = [word("http"), word("https")];
    let Some(from) = units.len().checked_sub(4) else { return false };
    let [scheme, colon, slash, _] = &units[from..] else { return false };
    let found =
        SCHEMES.contains(&scheme.code) && colon.code == u32::from(':') && slash.code == u32::from('/');
    if found {
        units.truncate(from);
    }
    found
}

/// Passes the rest of an address; how many characters that were.
fn skip_address(characters: &mut std::str::Chars) -> u32 {
    let rest = characters.as_str();
    let length = rest.find(|c: char| !c.is_ascii_graphic()).unwrap_or(rest.len());
    *characters = rest.get(length..).unwrap_or_default().chars();
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Takes out 不是不, 没有不, 不会不 and their like, but not 是不是不 (a question) or 不得不 (must).
fn drop_double_negations(units: &mut Vec<Unit>) {
    const FIRST: [u32; 3] = ['不' as u32, '没' as u32, '非' as u32];
    const LINK: [u32; 3] = ['是' as u32, '有' as u32, '会' as u32];
    const SECOND: [u32; 2] = ['不' as u32, '没' as u32];
    let (mut kept, mut place) = (0, 0);
    while place < units.len() {
        let [first, link, second, next] =
            [0, 1, 2, 3].map(|ahead| units.get(place + ahead).map_or(0, |unit| unit.code));
        let asked = kept > 0 && units[kept - 1].code == link;
        if FIRST.contains(&first) && LINK.contains(&link) && SECOND.contains(&second) && !asked {
            place += if second == SECOND[1] && next == LINK[1] { 4 } else { 3 };
            continue;
        }
        units[kept] = units[place];
        kept += 1;
        place += 1;
    }
    units.truncate(kept);
}

/// Lowers the weight of what stands before a contrast in the same sentence.
fn weigh_contrasts(units: &mut [Unit]) {
    const PAIRS: [[u32; 2]; 4] = [
        ['但' as u32, '是' as u32],
        ['不' as u32, '过' as u32],
        ['可' as u32, '是' as u32],
        ['然' as u32, '而' as u32],
    ];
    const WORDS: [u32; 3] = [word("but"), word("however"), '但' as u32];
    let mut sentence = 0;
    for place in 0..units.len() {
        let code = units[place].code;
        let ends = units[place].kind == Kind::Break || [u32::from('!'), u32::from('?')].contains(&code);
        if ends {
            sentence = place + 1;
            continue;
        }
        let next = units.get(place + 1).map_or(0, |unit| unit.code);
        let opens = place > 0 && units[place - 1].kind == Kind::Stop;
        let contrast = WORDS.contains(&code) || opens && PAIRS.contains(&[code, next]);
        if contrast {
            let from = sentence.max(place.saturating_sub(CONTRAST_REACH));
            units[from..place].iter_mut().for_each(|unit| unit.weight = BEFORE_CONTRAST);
            sentence = place;
        }
    }
}
