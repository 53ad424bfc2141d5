//! Labelled texts cut into sentences as the kernels cut them, with the labels in characters of the sentence.

use std::ops::Range;

use jieba_rs::Jieba;
use crate::opinions::features::{self, TEMPLATES};
use crate::opinions::lexicon::LEXICON;
use crate::opinions::sentence::{Sentence, sentence_end};
use crate::opinions::tagger::Spans;

use crate::crf::Example;
use crate::data::{Gold, Text};

/// Calls `visit` with each sentence of the text and the labels that lie in it whole.
pub fn each(text: &Text, jieba: &Jieba, mut visit: impl FnMut(&Sentence, &[Gold])) {
    let mut sentence = Sentence::default();
    let mut start = 0;
    while start < text.chars.len() {
        let end = sentence_end(&text.chars, start);
        sentence.fill(start, &text.chars[start..end], jieba, &LEXICON);
        let gold: Vec<Gold> = text.gold.iter().filter_map(|gold| moved(gold, &(start..end))).collect();
        visit(&sentence, &gold);
        start = end;
    }
}

fn moved(gold: &Gold, sentence: &Range<usize>) -> Option<Gold> {
    let inside = |span: &Range<usize>| span.start >= sentence.start && span.end <= sentence.end;
    let back = |span: &Range<usize>| span.start - sentence.start..span.end - sentence.start;
    let spans = [&gold.aspect, &gold.opinion];
    (spans.iter().any(|span| span.is_some()) && spans.into_iter().flatten().all(inside)).then(|| Gold {
        aspect: gold.aspect.as_ref().map(back),
        opinion: gold.opinion.as_ref().map(back),
        polarity: gold.polarity,
    })
}

/// The sentence as the tagger's training sees it. Where opinions were not annotated any place outside the
/// aspects may hold one.
pub fn example(sentence: &Sentence, gold: &[Gold], has_opinions: bool) -> Example {
    let length = sentence.chars.len();
    let mut labels = vec![0u8; length];
    let aspects = gold.iter().filter_map(|gold| gold.aspect.clone()).map(|span| (span, 1));
    let opinions = gold.iter().filter_map(|gold| gold.opinion.clone()).map(|span| (span, 4));
    for (span, first) in aspects.chain(opinions) {
        if labels[span.clone()].iter().all(|&label| label == 0) {
            labels[span.clone()].fill(first + 1);
            labels[span.start] = first;
            labels[span.end - 1] = first + 2;
        }
    }
    let outside = if has_opinions { 1 } else { 0b111_0001 };
    let allowed = labels.iter().map(|&label| if label == 0 { outside } else { 1 << label }).collect();
    let rows = (0..length).flat_map(|place| features::hashes(sentence, place));
    let rows: Vec<u32> = rows.map(|hash| features::row(hash) as u32).collect();
    debug_assert_eq!(rows.len(), length * TEMPLATES);
    Example { rows, allowed }
}

/// The labelled spans without doubles and overlaps, in order.
pub fn spans(gold: &[Gold]) -> Spans {
    let tidy = |mut spans: Vec<Range<usize>>| {
        spans.sort_by_key(|span| (span.start, span.end));
        spans.dedup();
        spans
    };
    Spans {
        aspects: tidy(gold.iter().filter_map(|gold| gold.aspect.clone()).collect()),
        opinions: tidy(gold.iter().filter_map(|gold| gold.opinion.clone()).collect()),
    }
}

/// What stands for the opinion where none is labelled: the clause behind the aspect, or before it.
pub fn surroundings(sentence: &Sentence, aspect: &Range<usize>) -> Range<usize> {
    let clause = sentence.clause_of(aspect.end - 1);
    if clause.end > aspect.end {
        aspect.end..clause.end
    } else {
        clause.start.min(aspect.start)..aspect.start
    }
}
