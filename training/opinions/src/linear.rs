//! The linear models behind the tagger: which aspect an opinion is about, and polarity. Both are trained by
//! stochastic gradient on the logistic loss with the mean of the later iterates as the result.

use jieba_rs::Jieba;
use crate::opinions::model::{Model, PAIRING_ROWS, POLARITY_BITS};
use crate::opinions::{pairing, polarity};

use crate::crf::shuffle;
use crate::data::Text;
use crate::sentences;

/// Rows of the features, and the class.
type Example = (Vec<u32>, usize);

pub fn train_pairing(model: &mut Model, texts: &[&Text], jieba: &Jieba) {
    let mut examples: Vec<Example> = Vec::new();
    for text in texts.iter().filter(|text| text.source == 0) {
        sentences::each(text, jieba, |sentence, gold| {
            let spans = sentences::spans(gold);
            for (o, opinion) in spans.opinions.iter().enumerate() {
                for a in pairing::candidates(&spans, opinion) {
                    let rows = pairing::rows(sentence, &spans, a, o).map(|row| row as u32).to_vec();
                    let aspect = Some(&spans.aspects[a]);
                    let own = gold
                        .iter()
                        .any(|g| g.aspect.as_ref() == aspect && g.opinion.as_ref() == Some(opinion));
                    examples.push((rows, usize::from(own)));
                }
            }
        });
    }
    let weights = train::<2>(&examples, PAIRING_ROWS, &Settings { epochs: 6, rate: 0.1, penalty: 1e-5 });
    let difference: Vec<f32> = weights.iter().map(|row| row[1] - row[0]).collect();
    let scale = scale(difference.iter().copied());
    model.pairing = difference.iter().map(|&weight| quantise(weight, scale)).collect();
    model.pairing_scale = scale;
}

/// Trains the polarity of opinions on every source but mooc.
pub fn train_polarity(model: &mut Model, texts: &[&Text], jieba: &Jieba) {
    let mut examples: Vec<Example> = Vec::new();
    for text in texts {
        sentences::each(text, jieba, |sentence, gold| {
            for gold in gold {
                let mut rows = Vec::new();
                let opinion = match (&gold.opinion, &gold.aspect) {
                    (Some(opinion), _) => opinion.clone(),
                    (None, Some(aspect)) => sentences::surroundings(sentence, aspect),
                    (None, None) => continue,
                };
                polarity::visit(sentence, gold.aspect.as_ref(), &opinion, &mut |row| rows.push(row as u32));
                examples.push((rows, (gold.polarity + 1) as usize));
            }
        });
    }
    let weights =
        train::<3>(&examples, 1 << POLARITY_BITS, &Settings { epochs: 12, rate: 0.02, penalty: 3e-3 });
    let scale = scale(weights.iter().flatten().copied());
    model.polarity = weights.iter().map(|row| row.map(|weight| quantise(weight, scale))).collect();
    model.polarity_scale = scale;
}

struct Settings {
    epochs: usize,
    rate: f32,
    penalty: f32,
}

fn train<const CLASSES: usize>(
    examples: &[Example],
    rows: usize,
    settings: &Settings,
) -> Vec<[f32; CLASSES]> {
    let mut weights = vec![[0.0f32; CLASSES]; rows];
    let mut mean = weights.clone();
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let later = settings.epochs / 2;
    for epoch in 0..settings.epochs {
        shuffle(&mut order, 77 + epoch as u64);
        let rate = settings.rate / (1.0 + 0.3 * epoch as f32);
        for &index in &order {
            let (rows, class) = &examples[index];
            let expected = probabilities(&weights, rows);
            for label in 0..CLASSES {
                let gradient = f32::from(u8::from(label == *class)) - expected[label];
                for &row in rows {
                    let weight = &mut weights[row as usize][label];
                    *weight += rate * gradient - rate * settings.penalty * *weight;
                }
            }
        }
        if epoch >= later {
            let share = 1.0 / (settings.epochs - later) as f32;
            for (sum, weight) in mean.iter_mut().flatten().zip(weights.iter().flatten()) {
                *sum += weight * share;
            }
        }
    }
    mean
}

fn probabilities<const CLASSES: usize>(weights: &[[f32; CLASSES]], rows: &[u32]) -> [f32; CLASSES] {
    let mut sum = [0.0f32; CLASSES];
    for &row in rows {
        sum.iter_mut().zip(&weights[row as usize]).for_each(|(total, weight)| *total += weight);
    }
    let top = sum.iter().copied().fold(f32::MIN, f32::max);
    let value = sum.map(|score| (score - top).exp());
    let total: f32 = value.iter().sum();
    value.map(|value| value / total)
}

/// The scale that brings the largest weight to 127. Cutting large weights off costs far more than rounding
/// small ones to nothing.
pub fn scale(weights: impl Iterator<Item = f32>) -> f32 {
    weights.map(f32::abs).fold(1e-6, f32::max) / 127.0
}

pub fn quantise(weight: f32, scale: f32) -> i8 {
    (weight / scale).round().clamp(-127.0, 127.0) as i8
}
