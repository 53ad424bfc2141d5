//! A table of terms, found in a row of characters.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map for short keys of the program's own tables, where no one chooses keys to collide.
pub(crate) type FastMap<K, V> = HashMap<K, V, BuildHasherDefault<MixHasher>>;

/// Mixes whole numbers by multiplication.
#[derive(Debug, Default)]
pub(crate) struct MixHasher(u64);

impl MixHasher {
    fn mix(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(26) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Hasher for MixHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.mix(u64::from(byte));
        }
    }

    fn write_u32(&mut self, value: u32) {
        self.mix(u64::from(value));
    }

    fn write_usize(&mut self, value: usize) {
        self.mix(value as u64);
    }
}

#[derive(Debug)]
struct Term<T> {
    chars: Box<[char]>,
    /// Compared first: most terms that begin alike end differently.
    last: char,
    value: T,
}

/// Terms by first character, the longest first.
#[derive(Debug)]
pub(crate) struct Terms<T> {
    by_first: FastMap<char, Vec<Term<T>>>,
}

impl<T: Copy> Terms<T> {
    pub(crate) fn new<'a>(terms: impl Iterator<Item = (&'a str, T)>) -> Self {
        let mut by_first: FastMap<char, Vec<Term<T>>> = FastMap::default();
        for (term, value) in terms {
            if let (Some(first), Some(last)) = (term.chars().next(), term.chars().next_back()) {
                by_first.entry(first).or_default().push(Term { chars: term.chars().collect(), last, value });
            }
        }
        for list in by_first.values_mut() {
            list.sort_by_key(|term| std::cmp::Reverse(term.chars.len()));
        }
        Self { by_first }
    }

    /// The longest term that begins at `place`, and its length. Terms in Latin letters stand by themselves.
    pub(crate) fn find(&self, chars: &[char], place: usize) -> Option<(T, usize)> {
        let rest = chars.get(place..)?;
        let terms = self.by_first.get(rest.first()?)?;
        let fits = |term: &&Term<T>| {
            rest.get(term.chars.len() - 1) == Some(&term.last)
                && rest.starts_with(&term.chars)
                && stands_alone(chars, place, term.chars.len())
        };
        terms.iter().find(fits).map(|term| (term.value, term.chars.len()))
    }
}

/// Whether no Latin word goes on over either edge of the stretch.
fn stands_alone(chars: &[char], place: usize, length: usize) -> bool {
    let letter = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(char::is_ascii_alphabetic);
    let before = letter(Some(place)) && letter(place.checked_sub(1));
    let behind = letter(Some(place + length - 1)) && letter(Some(place + length));
    !before && !behind
}

/// The rows of a table behind its header.
pub(crate) fn rows(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().skip(1).filter(|row| !row.is_empty())
}

/// The first two cells of a row.
pub(crate) fn pair(row: &str) -> Option<(&str, &str)> {
    let mut cells = row.split('\t');
    Some((cells.next()?, cells.next()?))
}
