//! Which aspect an opinion is about: a logistic model on what stands between the two.

use std::ops::Range;

use super::model::{Model, PAIRING_ROWS};
use super::sentence::Sentence;
use super::tagger::Spans;

/// Features of one pair.
pub(crate) const FEATURES: usize = 14;

/// An opinion and its aspect, as indexes into [`Spans`].
pub(crate) type Pair = (Option<usize>, usize);

/// Pairs each opinion with every aspect that is more likely than not its own; with none if there is no such
/// aspect. Only the [`REACH`] aspects to each side are looked at.
pub(crate) fn pair(model: &Model, sentence: &Sentence, spans: &Spans, pairs: &mut Vec<Pair>) {
    pairs.clear();
    for (o, opinion) in spans.opinions.iter().enumerate() {
        let before = pairs.len();
        for a in candidates(spans, opinion) {
            if score(model, &rows(sentence, spans, a, o)) > 0 {
                pairs.push((Some(a), o));
            }
        }
        if pairs.len() == before {
            pairs.push((None, o));
        }
    }
}

/// Aspects that are looked at to each side.
const REACH: usize = 5;

/// The aspects near an opinion, in order.
pub(crate) fn candidates(spans: &Spans, opinion: &Range<usize>) -> Range<usize> {
    let first_behind = spans.aspects.partition_point(|aspect| aspect.start < opinion.start);
    first_behind.saturating_sub(REACH)..(first_behind + REACH).min(spans.aspects.len())
}

fn score(model: &Model, rows: &[usize; FEATURES]) -> i32 {
    rows.iter().filter_map(|&row| model.pairing.get(row)).map(|&weight| i32::from(weight)).sum()
}

/// The rows of the weight table for aspect `a` and opinion `o`.
pub(crate) fn rows(sentence: &Sentence, spans: &Spans, a: usize, o: usize) -> [usize; FEATURES] {
    let (Some(aspect), Some(opinion)) = (spans.aspects.get(a), spans.opinions.get(o)) else {
        return [0; FEATURES];
    };
    let before = aspect.start < opinion.start;
    let gap = if before { aspect.end..opinion.start } else { opinion.end..aspect.start };
    let gap = gap.start.min(gap.end)..gap.end;
    let side = u32::from(before);
    let distance = bucket(gap.len());
    let breaks = breaks(sentence, &gap).min(3);
    let inside = |span: &Range<usize>| span.start >= gap.start && span.end <= gap.end;
    let aspects = spans.aspects.iter().filter(|span| inside(span)).count().min(3) as u32;
    let opinions = spans.opinions.iter().filter(|span| inside(span)).count().min(3) as u32;
    let taken = opinion_of_aspect(spans, aspect, opinion, before);
    let char_at = |at: usize| sentence.chars.get(at).map_or(1, |&c| u32::from(c));
    let listed = u32::from(enumerated(sentence, spans, a, before));
    let alone = u32::from(spans.aspects.len() == 1) + 2 * u32::from(spans.opinions.len() == 1);
    let values = [
        side,
        key(side, distance),
        key(side, breaks),
        key(key(side, aspects), opinions),
        key(key(side, breaks), key(aspects, opinions)),
        key(side, taken),
        key(key(side, taken), key(breaks, aspects)),
        key(side, char_at(gap.start)),
        key(side, char_at(gap.end.wrapping_sub(1))),
        key(side, if gap.len() <= 2 { key(char_at(gap.start), gap.len() as u32) } else { 0 }),
        key(key(side, listed), key(aspects, opinions)),
        key(key(side, alone), breaks),
        key(key(side, alone), distance),
        key(key(side, opinions), key(distance, taken)),
    ];
    let mut rows = [0; FEATURES];
    for (template, (row, value)) in rows.iter_mut().zip(values).enumerate() {
        *row = (key(value, template as u32 + 101) >> 20) as usize % PAIRING_ROWS;
    }
    rows
}

/// Whether another opinion stands nearer to the aspect: on its other side, or adjacent on this one.
fn opinion_of_aspect(spans: &Spans, aspect: &Range<usize>, opinion: &Range<usize>, before: bool) -> u32 {
    let distance = |span: &Range<usize>| {
        if span.start >= aspect.end { span.start - aspect.end } else { aspect.start.saturating_sub(span.end) }
    };
    let own = distance(opinion);
    let nearer = |behind: bool| {
        spans
            .opinions
            .iter()
            .any(|span| span != opinion && (span.start > aspect.start) == behind && distance(span) < own)
    };
    u32::from(nearer(before)) + 2 * u32::from(nearer(!before))
}

/// Whether the aspect and its neighbour towards the opinion stand in a list (、 和 跟 与 还有).
fn enumerated(sentence: &Sentence, spans: &Spans, a: usize, before: bool) -> bool {
    let (left, right) = if before { (Some(a), a.checked_add(1)) } else { (a.checked_sub(1), Some(a)) };
    let span = |index: Option<usize>| index.and_then(|index| spans.aspects.get(index));
    let (Some(left), Some(right)) = (span(left), span(right)) else { return false };
    let between = sentence.chars.get(left.end..right.start).unwrap_or_default();
    between.len() <= 2
        && between.first().is_some_and(|c| matches!(c, '、' | '和' | '跟' | '与' | '及' | '还' | ' '))
}

fn breaks(sentence: &Sentence, gap: &Range<usize>) -> u32 {
    sentence.clauses.iter().filter(|clause| clause.start > gap.start && clause.start <= gap.end).count()
        as u32
}

fn bucket(distance: usize) -> u32 {
    match distance {
        0..=3 => distance as u32,
        4..=5 => 4,
        6..=8 => 5,
        9..=14 => 6,
        15..=25 => 7,
        _ => 8,
    }
}

fn key(a: u32, b: u32) -> u32 {
    let mixed = (a.wrapping_mul(0x9e37_79b1) ^ b).wrapping_mul(0x85eb_ca6b);
    mixed ^ (mixed >> 15)
}
