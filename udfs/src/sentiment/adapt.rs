//! Learning a customer's own wording: a correction of the model from a few labelled texts.
//!
//! The correction is a logistic regression over the same features whose constant part is what the model says
//! already: logit = model(text) + Σ c / √n + c₀ with the penalty ½|c|². Two of them are learnt, one between
//! positive and negative texts, one between neutral texts and the rest. Solved by dual coordinate descent (Yu,
//! Huang and Lin 2011, Machine Learning 85). Texts are sorted first, so that their order does not matter.

use std::collections::HashMap;

use super::Invalid;
use super::features;
use super::score::{Label, Logits, Scorer, Sentiment};
use super::units::{FULL, Unit};

/// How much an error costs against the penalty.
const COST: f64 = 4.0;

/// Passes over the texts.
const ROUNDS: usize = 20;

/// Corrections smaller than this are left out.
const LEAST: f32 = 1e-4;

/// Corrections of a model, by feature.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Adaptation {
    polarity: Correction,
    subjectivity: Correction,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Correction {
    constant: f32,
    weights: HashMap<u32, f32>,
}

/// A text as the solver sees it.
pub(super) struct Lesson {
    pub(super) features: Vec<(u32, f32)>,
    /// Whether the answer is yes: positive, or not neutral.
    pub(super) yes: bool,
    /// The logit of the model.
    pub(super) before: f32,
}

/// Learns from texts and their labels. Mixed texts teach only that they are not neutral. Needs at least one
/// text labelled positive and one labelled negative.
///
/// # Errors
/// If either is missing.
pub(crate) fn adapt(pairs: &[(&str, Label)]) -> Result<Adaptation, Invalid> {
    for needed in [Label::Positive, Label::Negative] {
        if !pairs.iter().any(|(_, label)| *label == needed) {
            return Err(Invalid {
                message: format!("training texts hold no {} one", needed.name()),
                hint: Some("Label at least one text positive and one negative.".to_owned()),
            });
        }
    }
    let mut sorted: Vec<_> = pairs.to_vec();
    sorted.sort_unstable_by_key(|(text, label)| (*text, label.name()));
    let (mut polar, mut factual) = (Vec::new(), Vec::new());
    let mut scorer = Scorer::new();
    for (text, label) in sorted {
        let (logits, features) = (scorer.logits(text), values(scorer.units()));
        if features.is_empty() {
            continue;
        }
        if matches!(label, Label::Positive | Label::Negative) {
            let yes = label == Label::Positive;
            polar.push(Lesson { features: features.clone(), yes, before: logits.polarity });
        }
        factual.push(Lesson { features, yes: label != Label::Neutral, before: logits.subjectivity });
    }
    Ok(Adaptation { polarity: solve(&polar), subjectivity: solve(&factual) })
}

/// The features of units with their values, by name.
pub(super) fn values(units: &[Unit]) -> Vec<(u32, f32)> {
    let mut values: Vec<(u32, f32)> = Vec::new();
    features::each(units, |feature| {
        values.push((feature.name, f32::from(units[feature.first].weight) / f32::from(FULL)));
    });
    let scale = 1.0 / values.iter().map(|(_, value)| value).sum::<f32>().max(1.0).sqrt();
    values.iter_mut().for_each(|(_, value)| *value *= scale);
    values.sort_unstable_by_key(|(name, _)| *name);
    values.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        kept.1 += if same { next.1 } else { 0.0 };
        same
    });
    values
}

/// Solves for the correction; one that all texts agree on needs none.
pub(super) fn solve(lessons: &[Lesson]) -> Correction {
    let mut found = Correction::default();
    if lessons.iter().all(|lesson| lesson.yes) {
        return found;
    }
    let mut alphas = vec![COST * 1e-3; lessons.len()];
    for (lesson, alpha) in lessons.iter().zip(&alphas) {
        found.add(lesson, *alpha as f32);
    }
    for _ in 0..ROUNDS {
        for (lesson, alpha) in lessons.iter().zip(&mut alphas) {
            let square = 1.0 + lesson.features.iter().map(|(_, v)| f64::from(v * v)).sum::<f64>();
            let sign = if lesson.yes { 1.0 } else { -1.0 };
            let margin = sign * f64::from(lesson.before + found.value(&lesson.features));
            let after = best(*alpha, square, margin);
            found.add(lesson, (after - *alpha) as f32);
            *alpha = after;
        }
    }
    found.weights.retain(|_, weight| weight.abs() >= LEAST);
    found
}

/// Where ln(z / (C − z)) + q (z − α) + m, which grows with z, crosses 0.
fn best(alpha: f64, square: f64, margin: f64) -> f64 {
    let (mut low, mut high) = (0.0, COST);
    for _ in 0..40 {
        let z = f64::midpoint(low, high);
        if (z / (COST - z)).ln() + square * (z - alpha) + margin > 0.0 {
            high = z;
        } else {
            low = z;
        }
    }
    f64::midpoint(low, high)
}

impl Correction {
    fn add(&mut self, lesson: &Lesson, change: f32) {
        let change = if lesson.yes { change } else { -change };
        for (name, value) in &lesson.features {
            *self.weights.entry(*name).or_default() += change * value;
        }
        self.constant += change;
    }

    pub(super) fn value(&self, features: &[(u32, f32)]) -> f32 {
        let known = features.iter().filter_map(|(name, value)| Some(self.weights.get(name)? * value));
        self.constant + known.sum::<f32>()
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        let mut weights: Vec<_> = self.weights.iter().collect();
        weights.sort_unstable_by_key(|(name, _)| **name);
        bytes.extend(self.constant.to_le_bytes());
        bytes.extend(u32::try_from(weights.len()).unwrap_or(u32::MAX).to_le_bytes());
        for (name, weight) in weights {
            bytes.extend(name.to_le_bytes());
            bytes.extend(weight.to_le_bytes());
        }
    }

    /// Reads what [`Self::write`] wrote from the beginning of `bytes`, which it moves on.
    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let constant = f32::from_le_bytes(take(bytes)?);
        let count = u32::from_le_bytes(take(bytes)?);
        let mut weights = HashMap::new();
        for _ in 0..count {
            let name = u32::from_le_bytes(take(bytes)?);
            let weight = f32::from_le_bytes(take(bytes)?);
            weights.insert(name, weight);
        }
        let finite = constant.is_finite() && weights.values().all(|weight: &f32| weight.is_finite());
        finite.then_some(Self { constant, weights })
    }
}

fn take(bytes: &mut &[u8]) -> Option<[u8; 4]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

impl Adaptation {
    /// The sentiment of `text` with the corrections.
    pub(crate) fn score(&self, scorer: &mut Scorer, text: &str) -> Sentiment {
        let logits = scorer.logits(text);
        if scorer.units().is_empty() {
            return scorer.score(text);
        }
        let features = values(scorer.units());
        Logits {
            polarity: logits.polarity + self.polarity.value(&features),
            subjectivity: logits.subjectivity + self.subjectivity.value(&features),
            ..logits
        }
        .judge()
    }

    /// The corrections as bytes, little-endian.
    #[must_use]
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.size());
        self.polarity.write(&mut bytes);
        self.subjectivity.write(&mut bytes);
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// If it did not.
    pub(crate) fn from_bytes(mut bytes: &[u8]) -> Result<Self, Invalid> {
        let damaged = || Invalid { message: "sentiment model is damaged".to_owned(), hint: None };
        let polarity = Correction::read(&mut bytes).ok_or_else(damaged)?;
        let subjectivity = Correction::read(&mut bytes).ok_or_else(damaged)?;
        bytes.is_empty().then_some(Self { polarity, subjectivity }).ok_or_else(damaged)
    }

    /// Its size in bytes when written.
    #[must_use]
    pub(crate) fn size(&self) -> usize {
        16 + 8 * (self.polarity.weights.len() + self.subjectivity.weights.len())
    }
}
