//! How alike two strings are, in characters.
//!
//! The optimal string alignment distance counts insertions, deletions, substitutions and swaps of neighbours;
//! it is computed with one machine word a row (Hyyrö 2003, *A bit-vector algorithm for computing Levenshtein
//! and Damerau edit distances*). Jaro–Winkler: Winkler 1990. Only the first 64 characters are looked at.

/// Characters looked at.
const LONGEST: usize = 64;

/// Buffers that are used again from pair to pair.
#[derive(Debug, Clone, Default)]
pub(crate) struct Distance {
    left: Vec<char>,
    right: Vec<char>,
    taken: Vec<bool>,
}

impl Distance {
    fn load(&mut self, left: &str, right: &str) {
        self.left.clear();
        self.left.extend(left.chars().take(LONGEST));
        self.right.clear();
        self.right.extend(right.chars().take(LONGEST));
    }

    /// Optimal string alignment distance.
    pub(crate) fn osa(&mut self, left: &str, right: &str) -> usize {
        self.load(left, right);
        if self.left.is_empty() || self.right.is_empty() {
            return self.left.len().max(self.right.len());
        }
        let last = 1u64 << (self.left.len() - 1);
        let (mut vertical_up, mut vertical_down) = (u64::MAX, 0u64);
        let (mut diagonal, mut matches_before) = (0u64, 0u64);
        let mut distance = self.left.len();
        for letter in &self.right {
            let mut matches = 0u64;
            for (at, other) in self.left.iter().enumerate() {
                matches |= u64::from(other == letter) << at;
            }
            let swapped = ((!diagonal & matches) << 1) & matches_before;
            diagonal = (((matches & vertical_up).wrapping_add(vertical_up)) ^ vertical_up)
                | matches
                | vertical_down
                | swapped;
            let up = vertical_down | !(diagonal | vertical_up);
            let down = diagonal & vertical_up;
            distance += usize::from(up & last != 0);
            distance -= usize::from(down & last != 0);
            let up = (up << 1) | 1;
            vertical_up = (down << 1) | !(diagonal | up);
            vertical_down = up & diagonal;
            matches_before = matches;
        }
        distance
    }

    /// Jaro–Winkler similarity in 0..=1 with a prefix of up to four characters at 0.1 each.
    pub(crate) fn jaro_winkler(&mut self, left: &str, right: &str) -> f64 {
        self.load(left, right);
        let jaro = self.jaro();
        let prefix = self.left.iter().zip(&self.right).take(4).take_while(|(a, b)| a == b).count();
        jaro + prefix as f64 * 0.1 * (1.0 - jaro)
    }

    fn jaro(&mut self) -> f64 {
        let (long, short) = (self.left.len().max(self.right.len()), self.left.len().min(self.right.len()));
        if short == 0 {
            return f64::from(u8::from(long == 0));
        }
        let reach = (long / 2).saturating_sub(1);
        self.taken.clear();
        self.taken.resize(self.right.len(), false);
        let mut paired = [0u8; LONGEST];
        let mut common = 0;
        for (at, letter) in self.left.iter().enumerate() {
            let from = at.saturating_sub(reach);
            let to = (at + reach + 1).min(self.right.len());
            if let Some(other) = (from..to).find(|o| !self.taken[*o] && self.right[*o] == *letter) {
                self.taken[other] = true;
                paired[common] = at as u8;
                common += 1;
            }
        }
        if common == 0 {
            return 0.0;
        }
        let right = self.right.iter().zip(&self.taken).filter(|(_, taken)| **taken).map(|(letter, _)| letter);
        let moved =
            paired[..common].iter().zip(right).filter(|(l, r)| self.left[**l as usize] != **r).count();
        let common = common as f64;
        (common / self.left.len() as f64
            + common / self.right.len() as f64
            + (common - (moved / 2) as f64) / common)
            / 3.0
    }

    /// Dice coefficient of the sets of neighbouring character pairs, in 0..=1.
    pub(crate) fn bigrams(&mut self, left: &str, right: &str) -> f64 {
        self.load(left, right);
        let (total_left, total_right) = (self.left.len(), self.right.len());
        if total_left < 2 || total_right < 2 {
            return f64::from(u8::from(self.left == self.right));
        }
        self.taken.clear();
        self.taken.resize(total_right - 1, false);
        let mut common = 0;
        for pair in self.left.windows(2) {
            let found =
                self.right.windows(2).zip(&self.taken).position(|(other, taken)| !taken && other == pair);
            if let Some(at) = found {
                self.taken[at] = true;
                common += 1;
            }
        }
        2.0 * f64::from(common) / (total_left + total_right - 2) as f64
    }
}

/// Whether the optimal string alignment distance is at most 1.
pub(crate) fn within_one(left: &str, right: &str) -> bool {
    if left.is_ascii() && right.is_ascii() {
        return one_apart(left.as_bytes(), right.as_bytes());
    }
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    one_apart(&left, &right)
}

fn one_apart<T: PartialEq>(left: &[T], right: &[T]) -> bool {
    let (long, short) = if left.len() >= right.len() { (left, right) } else { (right, left) };
    if long.len() - short.len() > 1 {
        return false;
    }
    let prefix = long.iter().zip(short).take_while(|(a, b)| a == b).count();
    let (long, short) = (&long[prefix..], &short[prefix..]);
    if long.len() > short.len() {
        return long[1..] == *short;
    }
    if long.len() < 2 || long[1..] == short[1..] {
        return true;
    }
    long[0] == short[1] && long[1] == short[0] && long[2..] == short[2..]
}
