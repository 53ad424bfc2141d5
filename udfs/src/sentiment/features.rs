//! The features of a text: hashed rows of one to four units, and once more those that a negation governs.

use super::units::{Kind, Unit, word};

/// The longest row of units.
const LONGEST: usize = 4;

/// How far a negation reaches, in units.
const NEGATION_REACH: usize = 5;

/// Rows in the scope of a negation are hashed from another beginning.
const PLAIN: u64 = 0x9e37_79b9_7f4a_7c15;
const NEGATED: u64 = 0xc2b2_ae3d_27d4_eb4f;

/// How many bits of the hash name a feature.
pub(crate) const BITS: u32 = 25;

/// Characters and words that negate what follows.
const CHARACTERS: [u32; 6] = ['不' as u32, '没' as u32, '无' as u32, '未' as u32, '别' as u32, '非' as u32];
const WORDS: [u32; 19] = [
    word("not"),
    word("no"),
    word("never"),
    word("dont"),
    word("doesnt"),
    word("didnt"),
    word("isnt"),
    word("wasnt"),
    word("arent"),
    word("werent"),
    word("wont"),
    word("wouldnt"),
    word("cant"),
    word("cannot"),
    word("couldnt"),
    word("without"),
    word("nothing"),
    word("hasnt"),
    word("havent"),
];

#[inline]
fn negates(unit: &Unit) -> bool {
    match unit.kind {
        Kind::Character => CHARACTERS.contains(&unit.code),
        Kind::Letter => WORDS.contains(&unit.code),
        _ => false,
    }
}

/// One feature: its name, and the units that it was read from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Feature {
    pub(crate) name: u32,
    pub(crate) first: usize,
    /// How many units.
    pub(crate) length: usize,
}

/// Calls `found` with every feature of `units`, from left to right.
#[inline]
pub(crate) fn each(units: &[Unit], mut found: impl FnMut(Feature)) {
    let mut governed = 0_usize;
    for (first, unit) in units.iter().enumerate() {
        let mut hash = PLAIN;
        for (length, next) in units[first..].iter().take(LONGEST).enumerate() {
            hash = step(hash, next.code);
            found(Feature { name: name(hash), first, length: length + 1 });
        }
        if matches!(unit.kind, Kind::Stop | Kind::Break) {
            governed = 0;
        }
        if governed > 0 {
            governed -= 1;
            let mut hash = NEGATED;
            for (length, next) in units[first..].iter().take(2).enumerate() {
                hash = step(hash, next.code);
                found(Feature { name: name(hash), first, length: length + 1 });
            }
        }
        if negates(unit) {
            governed = NEGATION_REACH;
        }
    }
}

#[inline]
fn step(hash: u64, code: u32) -> u64 {
    let mixed = (hash ^ u64::from(code)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    mixed ^ (mixed >> 32)
}

#[inline]
#[allow(clippy::cast_possible_truncation)] // the highest bits fit
fn name(hash: u64) -> u32 {
    (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BITS)) as u32
}
