//! Figures on held-out texts: aspects, opinions, aspects with polarity, triplets, polarity of gold spans.

use std::ops::Range;

use jieba_rs::Jieba;
use crate::opinions::model::Model;
use crate::opinions::pairing;
use crate::opinions::polarity;
use crate::opinions::tagger::{Spans, Tagger};

use crate::data::{SOURCES, Text};
use crate::sentences;

/// Found and right, found, labelled.
#[derive(Debug, Default, Clone, Copy)]
struct Tally(usize, usize, usize);

impl Tally {
    fn add<T: PartialEq>(&mut self, found: &[T], gold: &[T], same: impl Fn(&T, &T) -> bool) {
        let mut used = vec![false; gold.len()];
        for item in found {
            let hit = gold.iter().zip(&used).position(|(gold, used)| !used && same(item, gold));
            if let Some(at) = hit {
                used[at] = true;
                self.0 += 1;
            }
        }
        self.1 += found.len();
        self.2 += gold.len();
    }

    fn show(self) -> String {
        let part = |whole: usize| self.0 as f64 / whole.max(1) as f64;
        let f1 = 2.0 * self.0 as f64 / (self.1 + self.2).max(1) as f64;
        format!("{:.3},{:.3},{:.3},{}", part(self.1), part(self.2), f1, self.2)
    }
}

#[derive(Debug, Default, Clone, Copy)]
struct Figures {
    aspects: Tally,
    opinions: Tally,
    aspect_polarity: Tally,
    exact: Tally,
    overlapping: Tally,
    given_aspect: Tally,
}

type Triplet = (Option<Range<usize>>, Range<usize>, i8);

pub fn print(model: &Model, texts: &[&Text], jieba: &Jieba) {
    println!("source,figure,precision,recall,f1,n");
    for (source, name) in SOURCES.iter().enumerate() {
        let mut figures = Figures::default();
        for text in texts.iter().filter(|text| text.source == source) {
            add(&mut figures, model, text, jieba);
        }
        for (figure, tally) in [
            ("aspects", figures.aspects),
            ("opinions", figures.opinions),
            ("aspect and polarity", figures.aspect_polarity),
            ("triplet", figures.exact),
            ("triplet with overlapping spans", figures.overlapping),
            ("polarity given the spans", figures.given_aspect),
        ] {
            if tally.2 > 0 {
                println!("{name},{figure},{}", tally.show());
            }
        }
    }
}

fn add(figures: &mut Figures, model: &Model, text: &Text, jieba: &Jieba) {
    let mut tagger = Tagger::default();
    let (mut spans, mut pairs) = (Spans::default(), Vec::new());
    sentences::each(text, jieba, |sentence, gold| {
        tagger.tag(model, sentence, &mut spans);
        let gold_spans = sentences::spans(gold);
        figures.aspects.add(&spans.aspects, &gold_spans.aspects, PartialEq::eq);
        for gold in gold {
            let opinion = match (&gold.opinion, &gold.aspect) {
                (Some(opinion), _) => opinion.clone(),
                (None, Some(aspect)) => sentences::surroundings(sentence, aspect),
                (None, None) => continue,
            };
            let (polarity, _) = polarity::classify(model, sentence, gold.aspect.as_ref(), &opinion);
            figures.given_aspect.add(&[polarity], &[gold.polarity], PartialEq::eq);
        }
        if text.source != 0 {
            return;
        }
        figures.opinions.add(&spans.opinions, &gold_spans.opinions, PartialEq::eq);
        pairing::pair(model, sentence, &spans, &mut pairs);
        let found: Vec<Triplet> = pairs
            .iter()
            .map(|&(a, o)| {
                let aspect = a.map(|a| spans.aspects[a].clone());
                let (polarity, _) = polarity::classify(model, sentence, aspect.as_ref(), &spans.opinions[o]);
                (aspect, spans.opinions[o].clone(), polarity)
            })
            .collect();
        let labelled: Vec<Triplet> =
            gold.iter().filter_map(|g| Some((g.aspect.clone(), g.opinion.clone()?, g.polarity))).collect();
        figures.exact.add(&found, &labelled, PartialEq::eq);
        figures.overlapping.add(&found, &labelled, overlap);
        figures.aspect_polarity.add(&aspects(&found), &aspects(&labelled), PartialEq::eq);
    });
}

fn aspects(triplets: &[Triplet]) -> Vec<(Range<usize>, i8)> {
    let mut list: Vec<_> =
        triplets.iter().filter_map(|(aspect, _, polarity)| Some((aspect.clone()?, *polarity))).collect();
    list.sort_by_key(|(span, polarity)| (span.start, span.end, *polarity));
    list.dedup();
    list
}

fn overlap(found: &Triplet, gold: &Triplet) -> bool {
    let meet = |a: &Range<usize>, b: &Range<usize>| a.start < b.end && b.start < a.end;
    let aspects = match (&found.0, &gold.0) {
        (Some(a), Some(b)) => meet(a, b),
        (None, None) => true,
        _ => false,
    };
    aspects && meet(&found.1, &gold.1) && found.2 == gold.2
}
