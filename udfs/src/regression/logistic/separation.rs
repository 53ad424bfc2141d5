//! Separation: columns that tell the two outcomes apart so well that no coefficient is large enough.
//!
//! A direction d separates the outcomes if dᵀ(1, z) ≥ 0 in every row with outcome 1 and ≤ 0 in every row with
//! outcome 0, and not 0 everywhere: along it the likelihood only grows (Albert and Anderson 1984). Newton's
//! steps end up in such a direction if there is one.

use super::pass::linear_score;
use crate::regression::standardised::Standardised;
use crate::regression::{Invalid, quoted};

/// Rows may be on the wrong side by this share of the largest distance: what is left of the other columns'
/// steps.
const ROUNDING: f64 = 1e-5;

/// A column has a part in a direction from this share of the largest part on.
const PART: f64 = 0.05;

/// Whether `direction` separates the outcomes.
pub(super) fn certain(rows: &Standardised, direction: &[f64]) -> Result<bool, Invalid> {
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    rows.each_block(1, |block| {
        let score = linear_score(block, direction);
        for (y, score) in block.column(0).iter().zip(score) {
            let side = if *y == 1.0 { score } else { -score };
            least = least.min(side);
            most = most.max(side);
        }
        Ok(())
    })?;
    Ok(most > 0.0 && least >= -ROUNDING * most)
}

/// The error for outcomes that are separated along `direction`.
pub(super) fn explain(rows: &Standardised, names: &[&str], direction: &[f64]) -> Result<Invalid, Invalid> {
    let ranges = ranges(rows)?;
    let alone = |separates: fn(&Ranges) -> bool| -> Vec<&str> {
        names.iter().zip(&ranges).filter(|(_, ranges)| separates(ranges)).map(|(name, _)| *name).collect()
    };
    let (perfect, touching) = (alone(Ranges::apart), alone(Ranges::touch));
    let message = if !perfect.is_empty() {
        format!("outcome of a logistic regression is separated perfectly by column {}", quoted(&perfect))
    } else if !touching.is_empty() {
        format!("outcome of a logistic regression is separated by column {}", quoted(&touching))
    } else {
        let parts = &direction[1..];
        let largest = parts.iter().fold(0.0f64, |largest, part| largest.max(part.abs()));
        let together: Vec<&str> = names
            .iter()
            .zip(parts)
            .filter(|(_, part)| part.abs() >= PART * largest)
            .map(|(name, _)| *name)
            .collect();
        format!("outcome of a logistic regression is separated by columns {} together", quoted(&together))
    };
    Ok(Invalid::new(message).hint(
        "A value of the column goes with one outcome only, so its coefficient is infinite. Leave the column \
         out, or ask for Firth's correction.",
    ))
}

/// Least and largest value of a column among the rows of each outcome.
struct Ranges {
    low: [f64; 2],
    high: [f64; 2],
}

impl Ranges {
    /// No value in common, nor between.
    fn apart(&self) -> bool {
        self.high[0] < self.low[1] || self.high[1] < self.low[0]
    }

    /// At most one value in common, at the ends.
    fn touch(&self) -> bool {
        self.high[0] <= self.low[1] || self.high[1] <= self.low[0]
    }
}

fn ranges(rows: &Standardised) -> Result<Vec<Ranges>, Invalid> {
    let none = || Ranges { low: [f64::INFINITY; 2], high: [f64::NEG_INFINITY; 2] };
    let mut ranges: Vec<Ranges> = (1..rows.width()).map(|_| none()).collect();
    rows.each_block(1, |block| {
        for (place, ranges) in ranges.iter_mut().enumerate() {
            for (y, z) in block.column(0).iter().zip(block.column(place + 1)) {
                let outcome = usize::from(*y == 1.0);
                ranges.low[outcome] = ranges.low[outcome].min(*z);
                ranges.high[outcome] = ranges.high[outcome].max(*z);
            }
        }
        Ok(())
    })?;
    Ok(ranges)
}
