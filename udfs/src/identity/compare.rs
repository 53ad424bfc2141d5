//! Comparison levels: how far two records agree on one column.
//!
//! Level 0 says that one of the values is missing. Levels 1 to 8 say that the values are equal, the more
//! frequent the value the higher the level: agreement on a rare value says more. Levels 9 to 15 say how alike
//! unequal values are; what each means depends on the kind of the column.

use super::Kind;
use super::distance::{Distance, within_one};
use super::form;
use super::intern::MISSING;
use super::table::{Column, Table};

pub(crate) const LEVELS: usize = 16;
/// Levels of equal values.
pub(crate) const EQUAL: std::ops::Range<usize> = 1..9;
/// Levels of unequal values.
pub(crate) const UNEQUAL: std::ops::Range<usize> = 9..16;
/// Comparisons that fit in a pattern.
pub(crate) const MOST_COLUMNS: usize = 16;

/// The levels of all columns, four bits each.
pub(crate) type Pattern = u64;

/// The level of a column in a pattern.
pub(crate) fn level(pattern: Pattern, column: usize) -> usize {
    (pattern >> (4 * column)) as usize & 15
}

/// The level of two equal values that `count` rows hold.
pub(crate) fn equal_level(count: u32) -> usize {
    match count {
        0..=2 => 1,
        3..=4 => 2,
        5..=9 => 3,
        10..=29 => 4,
        30..=99 => 5,
        100..=399 => 6,
        400..=1999 => 7,
        _ => 8,
    }
}

/// What the levels of a kind mean, for explanations.
pub(crate) fn level_name(kind: Kind, level: usize) -> &'static str {
    let names: [&str; 7] = match kind {
        Kind::Name => [
            "same sound",
            "one letter apart",
            "one contains the other",
            "agrees with a masked name",
            "alike",
            "different",
            "different, one is no formal name",
        ],
        Kind::Phone => {
            ["agrees with a masked number", "one digit apart", "two digits apart", "different", "", "", ""]
        }
        Kind::Email => ["same before the @", "one letter apart", "alike", "different", "", "", ""],
        Kind::Identifier => ["one character apart", "two characters apart", "different", "", "", "", ""],
        Kind::Date => [
            "one digit apart",
            "day and month swapped",
            "same month and day",
            "same year and month",
            "same year",
            "nearby",
            "different",
        ],
        Kind::Category => ["one letter apart", "alike", "different", "", "", "", ""],
        Kind::Address => ["nearly equal", "very alike", "alike", "somewhat alike", "different", "", ""],
        Kind::Text => [
            "nearly equal",
            "very alike",
            "alike",
            "fairly alike",
            "somewhat alike",
            "hardly alike",
            "different",
        ],
        Kind::Number => ["within 1%", "within 5%", "within 20%", "different", "", "", ""],
    };
    match level {
        0 => "missing",
        1..=8 => "equal",
        _ => names.get(level - 9).copied().unwrap_or(""),
    }
}

/// Compares records; keeps buffers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Comparer {
    distance: Distance,
}

impl Comparer {
    /// The pattern of two rows.
    pub(crate) fn pattern(&mut self, table: &Table, left: u32, right: u32) -> Pattern {
        let mut pattern = 0;
        for (at, column) in table.columns.iter().enumerate().take(MOST_COLUMNS) {
            let level = self.level(column, column.code(left), column.code(right));
            pattern |= (level as u64) << (4 * at);
        }
        pattern
    }

    /// The level of two values of a column.
    pub(crate) fn level(&mut self, column: &Column, left: u32, right: u32) -> usize {
        if left == MISSING || right == MISSING {
            return 0;
        }
        if left == right {
            return equal_level(column.frequency(left));
        }
        // The same answer for (a, b) and (b, a), and whatever the order of rows.
        let (left, right) =
            if column.value(left) <= column.value(right) { (left, right) } else { (right, left) };
        9 + match column.kind {
            Kind::Name => self.names(column, left, right),
            Kind::Phone => phones(column.value(left), column.value(right), &mut self.distance),
            Kind::Email => self.emails(column, left, right),
            Kind::Identifier => self.identifiers(column.value(left), column.value(right)),
            Kind::Date => dates(column.value(left), column.value(right)),
            Kind::Category => self.categories(column.value(left), column.value(right)),
            Kind::Address => self.addresses(column, left, right),
            Kind::Text => texts(column, left, right),
            Kind::Number => numbers(column.number(left), column.number(right)),
        }
    }

    fn names(&mut self, column: &Column, left: u32, right: u32) -> usize {
        let (a, b) = (column.value(left), column.value(right));
        if a.contains('*') || b.contains('*') {
            return if masked_name(a, b) { 3 } else { 5 };
        }
        let (sound_a, sound_b) = (column.aspect(left), column.aspect(right));
        if sound_a == sound_b || same_words(a, b) {
            return 0;
        }
        if sound_a.len().min(sound_b.len()) >= 4 && within_one(sound_a, sound_b) {
            return 1;
        }
        if contains_words(a, b) {
            return 2;
        }
        if self.distance.jaro_winkler(sound_a, sound_b) >= 0.85 {
            return 4;
        }
        if form::is_proper(a) && form::is_proper(b) { 5 } else { 6 }
    }

    fn emails(&mut self, column: &Column, left: u32, right: u32) -> usize {
        if column.aspect_code(left) == column.aspect_code(right) {
            return 0;
        }
        let (a, b) = (column.aspect(left), column.aspect(right));
        if within_one(a, b) {
            return 1;
        }
        if self.distance.jaro_winkler(a, b) >= 0.88 { 2 } else { 3 }
    }

    fn identifiers(&mut self, left: &str, right: &str) -> usize {
        if within_one(left, right) {
            return 0;
        }
        if left.len().abs_diff(right.len()) <= 2 && left.len() >= 6 && self.distance.osa(left, right) == 2 {
            return 1;
        }
        2
    }

    fn categories(&mut self, left: &str, right: &str) -> usize {
        if within_one(left, right) && left.chars().count().min(right.chars().count()) >= 4 {
            return 0;
        }
        let begins = right.starts_with(left) || left.starts_with(right);
        if begins || self.distance.jaro_winkler(left, right) >= 0.88 { 1 } else { 2 }
    }

    fn addresses(&mut self, column: &Column, left: u32, right: u32) -> usize {
        let (a, b) = (column.value(left), column.value(right));
        let same_digits = column.aspect_code(left) == column.aspect_code(right);
        let alike = self.distance.bigrams(a, b);
        if same_digits && (alike >= 0.8 || within_one(a, b)) {
            0
        } else if same_digits && alike >= 0.5 || alike >= 0.85 {
            1
        } else if alike >= 0.65 {
            2
        } else if alike >= 0.4 {
            3
        } else {
            4
        }
    }
}

/// Whether a name with stars can be the other name: what is not starred agrees, and the length too.
fn masked_name(left: &str, right: &str) -> bool {
    let (mut a, mut b) = (left.chars(), right.chars());
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(x), Some(y)) if x == y || x == '*' || y == '*' => {}
            _ => return false,
        }
    }
}

/// The same words in another order.
fn same_words(left: &str, right: &str) -> bool {
    if left.len() != right.len() || !left.contains(' ') {
        return false;
    }
    let (mut a, mut b): (Vec<&str>, Vec<&str>) = (left.split(' ').collect(), right.split(' ').collect());
    a.sort_unstable();
    b.sort_unstable();
    a == b
}

/// Whether each word of the shorter name is a word of the other, or its initial.
fn contains_words(left: &str, right: &str) -> bool {
    let (short, long) = if left.len() <= right.len() { (left, right) } else { (right, left) };
    let words: Vec<&str> = long.split(' ').collect();
    let mut full = false;
    let all = short.split(' ').all(|word| {
        words.iter().any(|other| {
            full |= *other == word;
            *other == word || (word.chars().count() == 1 && other.starts_with(word))
        })
    });
    all && (full || words.len() == 1)
}

fn phones(left: &str, right: &str, distance: &mut Distance) -> usize {
    if left.contains('*') || right.contains('*') {
        return if masked_name(left, right) { 0 } else { 3 };
    }
    if within_one(left, right) {
        return 1;
    }
    if left.len() == right.len() && distance.osa(left, right) == 2 { 2 } else { 3 }
}

fn dates(left: &str, right: &str) -> usize {
    if within_one(left, right) {
        return 0;
    }
    if left.len() != 8 || right.len() != 8 || !left.is_ascii() || !right.is_ascii() {
        return if left.get(..4) == right.get(..4) { 4 } else { 6 };
    }
    let same_year = left[..4] == right[..4];
    if same_year && left[4..6] == right[6..] && left[6..] == right[4..6] {
        return 1;
    }
    if left[4..] == right[4..] {
        return 2;
    }
    if same_year {
        return if left[4..6] == right[4..6] { 3 } else { 4 };
    }
    let differing = left.bytes().zip(right.bytes()).filter(|(a, b)| a != b).count();
    if differing <= 2 { 5 } else { 6 }
}

fn texts(column: &Column, left: u32, right: u32) -> usize {
    let cosine = column.words().cosine(left, right);
    [0.85, 0.7, 0.55, 0.4, 0.25, 0.1].iter().position(|bound| cosine >= *bound).unwrap_or(6)
}

fn numbers(left: f64, right: f64) -> usize {
    let apart = (left - right).abs() / left.abs().max(right.abs());
    [0.01, 0.05, 0.2].iter().position(|bound| apart <= *bound).unwrap_or(3)
}
