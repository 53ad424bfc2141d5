//! Which characters of a text make its margin.

use super::features;
use super::score::MODEL;
use super::units::{self, FULL};

/// What a span of characters adds to the margin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Contribution {
    /// Position of the first character, from 0, in characters.
    pub(crate) start_char: usize,
    /// Position behind the last character.
    pub(crate) end_char: usize,
    /// Towards positive, or negative if below 0.
    pub(crate) weight: f64,
}

/// Contributions are whole multiples of this, so that their sum is exact in any order.
const GRAIN: f64 = 1.0 / 1_048_576.0;

/// What each unit of `text` adds to the margin, from left to right, and last the constant of the model as an
/// empty span at the end. The weights sum exactly to [`margin`] of the text. A feature of several units gives
/// each an equal share.
#[must_use]
pub(crate) fn explain(text: &str) -> Vec<Contribution> {
    let mut units = Vec::new();
    units::read(text, &mut units);
    let mut sums = vec![0.0_f64; units.len()];
    let mut count = 0_u64;
    features::each(&units, |feature| {
        let weight = u64::from(units[feature.first].weight);
        count += weight;
        let whole = f64::from(MODEL.get(feature.name).polarity) * weight as f64 / f64::from(FULL);
        let share = whole / feature.length as f64;
        for sum in sums.iter_mut().skip(feature.first).take(feature.length) {
            *sum += share;
        }
    });
    let scale = f64::from(MODEL.scale.unit) / (count.max(u64::from(FULL)) as f64 / f64::from(FULL)).sqrt();
    let spans = units.iter().zip(&sums).map(|(unit, sum)| Contribution {
        start_char: unit.start as usize,
        end_char: unit.end as usize,
        weight: grained(sum * scale),
    });
    let end = text.chars().count();
    let constant =
        Contribution { start_char: end, end_char: end, weight: grained(f64::from(MODEL.scale.bias)) };
    spans.chain(std::iter::once(constant)).collect()
}

/// The margin of `text` between positive (above 0) and negative: the exact sum of its contributions.
#[must_use]
pub(crate) fn margin(text: &str) -> f64 {
    explain(text).iter().map(|contribution| contribution.weight).sum()
}

fn grained(value: f64) -> f64 {
    (value / GRAIN).round() * GRAIN
}
