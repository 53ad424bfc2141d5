//! What the two heads of a model learn from, and how much each source counts.

use std::collections::HashMap;

use crate::corpus::Document;
use crate::measure::{Judged, Sigmoid};
use crate::pack;
use crate::solver::{Example, Linear, Settings, learn};
use crate::sources::Gold;

/// The review domains that accuracy is reported over.
pub const DOMAINS: [&str; 11] = [
    "delivery",
    "hotels",
    "books",
    "tablets",
    "phones",
    "fruit",
    "shampoo",
    "heaters",
    "milk",
    "clothes",
    "computers",
];

const POLARITY: Settings = Settings { cost: 0.5, rounds: 10, smoothing: 1.0, least: 2, power: 1.0 };
const SUBJECTIVITY: Settings = Settings { cost: 0.2, rounds: 8, smoothing: 1.0, least: 3, power: 0.5 };

/// How far the larger label of a source is held down.
const BALANCE: f64 = 0.5;

/// One question that a head answers with yes or no.
#[derive(Clone, Copy, PartialEq)]
pub enum Head {
    /// Positive rather than negative.
    Polarity,
    /// Not neutral.
    Subjectivity,
}

impl Head {
    fn asks(self, document: &Document) -> bool {
        match self {
            Self::Polarity => matches!(document.gold, Gold::Positive | Gold::Negative),
            Self::Subjectivity => document.gold != Gold::Unknown,
        }
    }

    fn answer(self, document: &Document) -> bool {
        match self {
            Self::Polarity => document.gold == Gold::Positive,
            Self::Subjectivity => document.gold != Gold::Neutral,
        }
    }

    /// The texts among `documents` that it asks about.
    pub fn texts<'a>(self, documents: impl Iterator<Item = &'a Document>) -> Vec<&'a Document> {
        documents.filter(|document| self.asks(document)).collect()
    }

    /// Learns from `texts`.
    pub fn train(self, texts: &[&Document]) -> Linear {
        let costs = self.costs(texts);
        let examples: Vec<Example> = texts
            .iter()
            .zip(&costs)
            .map(|(text, cost)| Example {
                features: &text.features,
                positive: self.answer(text),
                cost: *cost as f32,
            })
            .collect();
        learn(&examples, if self == Self::Polarity { POLARITY } else { SUBJECTIVITY })
    }

    /// What an error on each text costs: less for large sources and labels; 1 on average.
    pub fn costs(self, texts: &[&Document]) -> Vec<f64> {
        let mut counts: HashMap<(&str, bool), f64> = HashMap::new();
        for text in texts {
            *counts.entry((text.domain, self.answer(text))).or_default() += 1.0;
        }
        let count = |domain, answer| counts.get(&(domain, answer)).copied().unwrap_or(1.0);
        let mut costs: Vec<f64> = texts
            .iter()
            .map(|text| {
                let (own, other) =
                    (count(text.domain, self.answer(text)), count(text.domain, !self.answer(text)));
                let balance = (other / own).min(1.0).powf(BALANCE);
                match self {
                    Self::Polarity => own.powf(-0.5) * balance * trust(text.domain),
                    Self::Subjectivity => own.powf(-0.5),
                }
            })
            .collect();
        if self == Self::Subjectivity {
            self.even_out(texts, &mut costs);
        }
        let mean = costs.iter().sum::<f64>() / costs.len() as f64;
        costs.iter_mut().for_each(|cost| *cost /= mean);
        costs
    }

    /// Both answers count for the same.
    fn even_out(self, texts: &[&Document], costs: &mut [f64]) {
        for answer in [false, true] {
            let total: f64 =
                texts.iter().zip(&*costs).filter(|(t, _)| self.answer(t) == answer).map(|(_, c)| c).sum();
            for (_, cost) in texts.iter().zip(&mut *costs).filter(|(text, _)| self.answer(text) == answer) {
                *cost /= total;
            }
        }
    }

    pub fn judge(self, model: &Linear, texts: &[&Document]) -> Vec<Judged> {
        texts.iter().map(|t| Judged { margin: model.margin(&t.features), positive: self.answer(t) }).collect()
    }

    /// A sigmoid from a tenth of `texts` that a model did not see, then a model of all of them. Polarity is
    /// calibrated on reviews, if there are any.
    pub fn calibrated(self, texts: &[&Document]) -> (Linear, Sigmoid) {
        let (held, rest): (Vec<&Document>, Vec<&Document>) =
            texts.iter().partition(|text| text.group % 10 == 3);
        let reviews: Vec<&Document> = held.iter().copied().filter(|t| DOMAINS.contains(&t.domain)).collect();
        let reviews = if self == Self::Polarity && reviews.len() > 1000 { reviews } else { held };
        let judged = self.judge(&self.train(&rest), &reviews);
        let weights = if self == Self::Polarity { vec![1.0; judged.len()] } else { self.costs(&reviews) };
        let weighted: Vec<(Judged, f64)> = judged.into_iter().zip(weights).collect();
        let sigmoid =
            if self == Self::Polarity { Sigmoid::fit(&weighted) } else { Sigmoid::fit_bent(&weighted, 1.0) };
        (self.train(texts), sigmoid)
    }
}

/// How much a source counts: labels made from emoticons or stars, or of whole plays, say less.
fn trust(domain: &str) -> f64 {
    match domain {
        "plays" | "hair" | "cosmetics" => 0.15,
        "weibo" | "emoticons" | "olist" | "restaurants_other" | "restaurants_en" | "airline" => 0.25,
        "cars" | "lexicon" | "lexicon_en" | "made" | "made_en" => 0.3,
        domain if DOMAINS.contains(&domain) => 1.0,
        _ => 0.4,
    }
}

/// The bytes of a model that learns from `documents`.
pub fn model(documents: &[&Document]) -> Vec<u8> {
    let (polarity, sigmoid) = Head::Polarity.calibrated(&Head::Polarity.texts(documents.iter().copied()));
    let judging = Head::Subjectivity.texts(documents.iter().copied());
    let (subjectivity, subjective) = Head::Subjectivity.calibrated(&judging);
    pack::pack(&polarity, sigmoid, &subjectivity, subjective)
}
