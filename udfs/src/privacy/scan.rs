//! The one pass over a text that decides which recogniser looks at which place.

use std::sync::LazyLock;

use super::digits::digit;
use super::{Kind, account, chinese_name, email, english_name, number, plate};

/// A finding in bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) value: String,
}

/// Findings in order, without overlaps; of two that overlap the more certain stays.
pub(super) fn scan(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let bytes = text.as_bytes();
    let han = &*HAN;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at = match byte {
            0..0x80 => match ASCII[usize::from(byte)] {
                Look::Skip => at + 1,
                look => inspect_ascii(text, at, look, &mut found),
            },
            0x80..0xe0 => at + 2,
            0xe0..0xf0 => {
                let place = next_marked(bytes, at, han);
                if place == at { inspect_han(text, at, &mut found) } else { place }
            }
            0xf0.. => at + 4,
        };
    }
    without_overlaps(found)
}

/// The first place from `at` on that does not hold a three-byte character which is nothing to look at.
fn next_marked(bytes: &[u8], mut at: usize, marked: &CharSet) -> usize {
    while let Some(&[a @ 0xe0..0xf0, b, c]) = bytes.get(at..at + 3) {
        if marked.has(code(a, b, c)) {
            break;
        }
        at += 3;
    }
    at
}

/// What an ASCII character may begin or mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Skip,
    Digit,
    At,
    Capital,
    Account,
}

const ASCII: [Look; 128] = {
    let mut looks = [Look::Skip; 128];
    let mut byte = 0;
    while byte < 128 {
        looks[byte] = match byte as u8 {
            b'0'..=b'9' => Look::Digit,
            b'@' => Look::At,
            b'Q' | b'V' | b'W' | b'q' | b'v' | b'w' => Look::Account,
            b'A'..=b'Z' => Look::Capital,
            _ => Look::Skip,
        };
        byte += 1;
    }
    looks
};

fn inspect_ascii(text: &str, at: usize, look: Look, found: &mut Vec<Found>) -> usize {
    if matches!(look, Look::Capital | Look::Account) {
        found.extend(plate::of_letter(text, at));
    }
    match look {
        Look::Digit => return number::inspect(text, at, found),
        Look::At => found.extend(email::around(text, at)),
        Look::Account if begins_word(text, at) => {
            let account = account::at(text, at);
            if let Some(account) = account {
                let end = account.end;
                found.push(account);
                return end;
            }
            if text.as_bytes()[at].is_ascii_uppercase() {
                found.extend(english_name::at(text, at));
            }
        }
        Look::Capital if begins_word(text, at) => found.extend(english_name::at(text, at)),
        _ => {}
    }
    at + 1
}

fn begins_word(text: &str, at: usize) -> bool {
    at == 0 || !text.as_bytes()[at - 1].is_ascii_alphanumeric()
}

fn inspect_han(text: &str, at: usize, found: &mut Vec<Found>) -> usize {
    let Some(c) = text[at..].chars().next() else { return at + 3 };
    if digit(c).is_some() {
        return number::inspect(text, at, found);
    }
    let end = at + c.len_utf8();
    if c == '信' {
        found.extend(account::behind(text, end));
    }
    chinese_name::beside(text, c, end, found);
    end
}

/// The code point of three bytes of UTF-8.
fn code(a: u8, b: u8, c: u8) -> usize {
    (usize::from(a & 0x0f) << 12) | (usize::from(b & 0x3f) << 6) | usize::from(c & 0x3f)
}

/// A set of the characters below U+10000, or of other numbers as small.
pub(super) struct CharSet([u64; 1024]);

impl CharSet {
    pub(super) fn new() -> Self {
        Self([0; 1024])
    }

    pub(super) fn add(&mut self, code: usize) {
        self.0[(code >> 6) & 1023] |= 1 << (code & 63);
    }

    pub(super) fn has(&self, code: usize) -> bool {
        self.0[(code >> 6) & 1023] & (1 << (code & 63)) != 0
    }
}

/// The characters beyond ASCII that are worth a look.
static HAN: LazyLock<CharSet> = LazyLock::new(|| {
    let mut set = CharSet::new();
    let numerals = "０１２３４５６７８９〇零一二三四五六七八九幺信";
    for c in numerals.chars().chain(chinese_name::cue_ends()) {
        set.add(c as usize);
    }
    set
});

/// Of two overlapping findings keeps the one of the more certain kind, then the longer.
fn without_overlaps(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|f| (f.start, certainty(f.kind), std::cmp::Reverse(f.end)));
    let mut kept: Vec<Found> = Vec::with_capacity(found.len());
    for next in found {
        match kept.last_mut() {
            Some(last) if next.start < last.end => {
                let rank = |f: &Found| (certainty(f.kind), std::cmp::Reverse(f.end - f.start));
                if rank(&next) < rank(last) {
                    *last = next;
                }
            }
            _ => kept.push(next),
        }
    }
    kept
}

/// Smaller is more certain.
fn certainty(kind: Kind) -> u8 {
    match kind {
        Kind::IdCard | Kind::Email => 0,
        Kind::Qq | Kind::Wechat | Kind::Passport | Kind::Ssn => 1,
        Kind::Phone | Kind::BankCard | Kind::Ip | Kind::Plate => 2,
        Kind::Address => 3,
        Kind::Name => 4,
    }
}
