//! Where aspects and opinions stand in a sentence: the best path through a linear-chain model (Viterbi).

use std::ops::Range;

use super::features::{self, hashes};
use super::model::{LABELS, Model};
use super::sentence::Sentence;

const IMPOSSIBLE: f32 = -1e30;

/// Spans of a sentence, in characters of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Spans {
    pub(crate) aspects: Vec<Range<usize>>,
    pub(crate) opinions: Vec<Range<usize>>,
}

/// Room that is reused from sentence to sentence.
#[derive(Debug, Default)]
pub(crate) struct Tagger {
    back: Vec<[u8; LABELS]>,
    path: Vec<u8>,
}

impl Tagger {
    pub(crate) fn tag(&mut self, model: &Model, sentence: &Sentence, spans: &mut Spans) {
        spans.aspects.clear();
        spans.opinions.clear();
        self.decode(model, sentence);
        let mut start = None;
        for (place, label) in self.path.iter().enumerate() {
            match label {
                1 | 4 => start = Some(place),
                3 => spans.aspects.push(start.take().unwrap_or(place)..place + 1),
                6 => spans.opinions.push(start.take().unwrap_or(place)..place + 1),
                _ => {}
            }
        }
    }

    fn decode(&mut self, model: &Model, sentence: &Sentence) {
        let length = sentence.chars.len();
        let (first, later) = moves(model);
        self.back.clear();
        let mut best = [IMPOSSIBLE; LABELS];
        best[0] = 0.0;
        for place in 0..length {
            let emission = emission(model, sentence, place);
            let moves = if place == 0 { &first } else { &later };
            let mut next = [IMPOSSIBLE; LABELS];
            let mut from_label = [0; LABELS];
            for to in 0..LABELS {
                for &from in BEFORE[to] {
                    let score = best[from] + moves[from][to];
                    if score > next[to] {
                        next[to] = score;
                        from_label[to] = from as u8;
                    }
                }
                next[to] += emission[to];
            }
            self.back.push(from_label);
            best = next;
        }
        self.trace(best);
    }

    /// Follows the best path back from its end. No span is open there.
    fn trace(&mut self, best: [f32; LABELS]) {
        let mut label =
            [3, 6].into_iter().fold(0, |label, end| if best[end] > best[label] { end } else { label });
        self.path.clear();
        for back in self.back.iter().rev() {
            self.path.push(label as u8);
            label = usize::from(back[label]);
        }
        self.path.reverse();
    }
}

type Moves = [[f32; LABELS]; LABELS];

/// Weights of the moves: at the first character, which the path enters from outside without a move's own
/// weight, and later. Impossible where a label cannot follow.
fn moves(model: &Model) -> (Moves, Moves) {
    let mut first = [[IMPOSSIBLE; LABELS]; LABELS];
    let mut later = first;
    for from in 0..LABELS {
        for to in 0..LABELS {
            if follows(from, to) {
                let bias = bias(model, from, to);
                first[from][to] = bias;
                later[from][to] = model.transitions[from][to] + bias;
            }
        }
    }
    (first, later)
}

/// Of each label, those that may stand before it.
const BEFORE: [&[usize]; LABELS] =
    [&[0, 3, 6], &[0, 3, 6], &[1, 2], &[0, 1, 2, 3, 6], &[0, 3, 6], &[4, 5], &[0, 3, 4, 5, 6]];

/// Whether label `to` may follow label `from`.
pub(crate) fn follows(from: usize, to: usize) -> bool {
    BEFORE[to].contains(&from)
}

fn bias(model: &Model, from: usize, to: usize) -> f32 {
    match (from, to) {
        (_, 1) | (0 | 3 | 6, 3) => model.aspect_bias,
        (_, 4) | (0 | 3 | 6, 6) => model.opinion_bias,
        _ => 0.0,
    }
}

fn emission(model: &Model, sentence: &Sentence, place: usize) -> [f32; LABELS] {
    let mut sum = [0i16; 8];
    for hash in hashes(sentence, place) {
        if let Some(row) = model.tagger.get(features::row(hash)) {
            for (total, &weight) in sum.iter_mut().zip(row) {
                *total += i16::from(weight);
            }
        }
    }
    std::array::from_fn(|label| f32::from(sum[label]) * model.tagger_scale)
}
