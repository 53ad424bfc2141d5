//! What the tagger looks at: for each character, rows of the weight table.
//!
//! Characters three to each side, alone, in pairs and in triples; the word, its neighbours and their parts
//! of speech with the character's place in the word; the mark of the lexicon. Each is hashed into a table
//! of 2^[`BITS`] rows.

use super::sentence::Sentence;

/// Rows of the weight table, as a power of two.
pub(crate) const BITS: u32 = 19;

/// Features of one character.
pub(crate) const TEMPLATES: usize = 32;

/// The rows of the character at `place`, as full hashes; the table takes their upper bits.
pub(crate) fn hashes(sentence: &Sentence, place: usize) -> [u32; TEMPLATES] {
    let at = |step: isize| character(sentence, place, step);
    let (c, l1, l2, l3) = (at(0), at(-1), at(-2), at(-3));
    let (r1, r2, r3) = (at(1), at(2), at(3));
    let view = WordView::new(sentence, place);
    let m = |step: isize| mark(sentence, place, step);
    let mut keys = [
        key1(l3),
        key1(l2),
        key1(l1),
        key1(c),
        key1(r1),
        key1(r2),
        key1(r3),
        key2(l2, l1),
        key2(l1, c),
        key2(c, r1),
        key2(r1, r2),
        key2(l1, r1),
        key3(l2, l1, c),
        key3(l1, c, r1),
        key3(c, r1, r2),
        key2(view.word, view.place),
        key2(view.before, view.place),
        key2(view.after, view.place),
        key3(view.before, view.word, view.place),
        key3(view.word, view.after, view.place),
        key2(view.tag, view.place),
        key3(view.tag_before, view.tag, view.place),
        key3(view.tag, view.tag_after, view.place),
        key3(view.tag_before, key2(view.tag, view.tag_after) as u32, view.place),
        key3(view.tag_before2, key2(view.tag_before, view.tag) as u32, view.place),
        key3(view.tag, key2(view.tag_after, view.tag_after2) as u32, view.place),
        key3(m(-1), m(0), m(1)),
        key3(m(0), view.tag, view.place),
        key3(view.mark_before, view.tag, view.mark_after),
        key3(view.tag_before, view.after, view.place),
        key3(view.before, view.tag, view.place),
        key3(view.before2, view.tag, view.place),
    ];
    let mut out = [0; TEMPLATES];
    for (template, (key, slot)) in keys.iter_mut().zip(&mut out).enumerate() {
        *slot = finish(*key, template as u64);
    }
    out
}

/// The row of a hash.
pub(crate) fn row(hash: u32) -> usize {
    (hash >> (32 - BITS)) as usize
}

fn character(sentence: &Sentence, place: usize, step: isize) -> u32 {
    match place.checked_add_signed(step).and_then(|at| sentence.chars.get(at)) {
        Some(c) if c.is_ascii_digit() => u32::from('0'),
        Some(&c) => u32::from(c),
        None => 1,
    }
}

fn mark(sentence: &Sentence, place: usize, step: isize) -> u32 {
    place.checked_add_signed(step).and_then(|at| sentence.marks.get(at)).map_or(31, |mark| mark.code())
}

/// The word of a character and its neighbours.
struct WordView {
    word: u32,
    before: u32,
    before2: u32,
    after: u32,
    tag: u32,
    tag_before: u32,
    tag_before2: u32,
    tag_after: u32,
    tag_after2: u32,
    /// Begin, middle, end or single.
    place: u32,
    mark_before: u32,
    mark_after: u32,
}

impl WordView {
    fn new(sentence: &Sentence, place: usize) -> Self {
        let index = sentence.word_of.get(place).map_or(0, |&index| usize::from(index));
        let word = |step: isize| index.checked_add_signed(step).and_then(|at| sentence.words.get(at));
        let hash = |step| word(step).map_or(1, |word| word.hash);
        let tag = |step| word(step).map_or(1, |word| word.tag.code());
        let (first, last) = word(0).map_or((true, true), |word| (place == word.start, place + 1 == word.end));
        let (start, end) = word(0).map_or((place, place + 1), |word| (word.start, word.end));
        let marked =
            |at: Option<usize>| at.and_then(|at| sentence.marks.get(at)).map_or(31, |mark| mark.code());
        Self {
            word: hash(0),
            before: hash(-1),
            before2: hash(-2),
            after: hash(1),
            tag: tag(0),
            tag_before: tag(-1),
            tag_before2: tag(-2),
            tag_after: tag(1),
            tag_after2: tag(2),
            place: 2 * u32::from(first) + u32::from(last),
            mark_before: marked(start.checked_sub(1)),
            mark_after: marked(Some(end)),
        }
    }
}

fn key1(a: u32) -> u64 {
    u64::from(a).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn key2(a: u32, b: u32) -> u64 {
    (key1(a).rotate_left(23) ^ u64::from(b)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

fn key3(a: u32, b: u32, c: u32) -> u64 {
    (key2(a, b).rotate_left(29) ^ u64::from(c)).wrapping_mul(0x94d0_49bb_1331_11eb)
}

/// Spreads a key of one template over 32 bits.
fn finish(key: u64, template: u64) -> u32 {
    let mixed = (key ^ (key >> 31) ^ (template << 40)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}
