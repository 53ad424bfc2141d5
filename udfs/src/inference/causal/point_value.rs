//! What one point of a score is worth.
//!
//! Least squares of an amount (revenue, margin, visits a customer) on a score. The value of `points` points
//! over `customers` customers is slope · points · customers; the points that pay for a cost are
//! cost/(slope · customers). Errors are clustered by the first key (a customer who answered twice counts once
//! as evidence), with the factor G/(G − 1)·(n − 1)/(n − 2) and Student's t of G − 1 degrees of freedom.
//! Intervals are by the delta method; that of the break-even is exact in the slope: it is open upwards where
//! the slope's interval reaches 0. The slope is an association: it says what customers with one point more
//! spend, not what one more point would make them spend.

use std::collections::HashMap;

use super::Effect;
use crate::inference::rows::Rows;
use crate::inference::{Invalid, confidence, finite};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PointValue {
    /// Amount a point and customer.
    pub(crate) slope: Effect,
    pub(crate) intercept: f64,
    pub(crate) r_squared: f64,
    /// Amount of `points` points over `customers` customers.
    pub(crate) value: Effect,
    pub(crate) n: usize,
    pub(crate) clusters: usize,
}

/// Points that pay for a cost. `None` where no rise of the score does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct BreakEven {
    pub(crate) points: Option<f64>,
    pub(crate) conf_low: Option<f64>,
    /// `None` when the slope's interval reaches 0.
    pub(crate) conf_high: Option<f64>,
}

/// Rows of values `[amount, score]` with one key, the customer. `None` when the score does not vary.
pub(crate) fn point_value(
    rows: &Rows,
    points: f64,
    customers: f64,
    conf: f64,
) -> Result<Option<PointValue>, Invalid> {
    let conf = confidence(conf)?;
    let factor = finite(points, "number of points")? * finite(customers, "number of customers")?;
    let pair = |row: usize| match rows.values(row) {
        &[amount, score] => Ok((score, amount)),
        _ => Err(Invalid::new("the value of a point takes an amount and a score")),
    };
    let count = rows.len();
    let n = count as f64;
    let (mut mean_x, mut mean_y) = (0.0, 0.0);
    for row in 0..count {
        let (x, y) = pair(row)?;
        mean_x += (x - mean_x) / (row + 1) as f64;
        mean_y += (y - mean_y) / (row + 1) as f64;
    }
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for row in 0..count {
        let (x, y) = pair(row).map(|(x, y)| (x - mean_x, y - mean_y))?;
        xx += x * x;
        xy += x * y;
        yy += y * y;
    }
    if count < 3 || xx <= 1e-20 * n * mean_x * mean_x {
        return Ok(None);
    }
    let slope = xy / xx;
    let mut scores: HashMap<u64, f64> = HashMap::new();
    for row in 0..count {
        let (x, y) = pair(row).map(|(x, y)| (x - mean_x, y - mean_y))?;
        let key = rows.keys(row).first().ok_or_else(|| Invalid::new("rows have no customer"))?;
        *scores.entry(*key).or_default() += x * (y - slope * x);
    }
    let groups = scores.len() as f64;
    let mut squares: Vec<f64> = scores.values().map(|score| score * score).collect();
    squares.sort_unstable_by(f64::total_cmp);
    let correction = groups / (groups - 1.0) * (n - 1.0) / (n - 2.0);
    let std_error = (correction * squares.iter().sum::<f64>()).sqrt() / xx;
    let scale = (yy / xx).sqrt();
    Ok(Some(PointValue {
        slope: Effect::student(slope, std_error, groups - 1.0, conf, scale),
        intercept: mean_y - slope * mean_x,
        r_squared: if yy > 0.0 { xy * xy / (xx * yy) } else { f64::NAN },
        value: Effect::student(
            slope * factor,
            std_error * factor.abs(),
            groups - 1.0,
            conf,
            scale * factor.abs(),
        ),
        n: count,
        clusters: scores.len(),
    }))
}

impl PointValue {
    /// Points that bring `cost` back over `customers` customers.
    pub(crate) fn break_even(&self, cost: f64, customers: f64) -> Result<BreakEven, Invalid> {
        let cost = finite(cost, "cost")?;
        if cost < 0.0 || finite(customers, "number of customers")? <= 0.0 {
            return Err(Invalid::new("a break-even takes a cost of at least 0 and customers"));
        }
        let points = |slope: f64| (slope > 0.0).then(|| cost / (slope * customers));
        Ok(BreakEven {
            points: points(self.slope.estimate),
            conf_low: self.slope.errors.and_then(|errors| points(errors.conf_high)),
            conf_high: self.slope.errors.and_then(|errors| points(errors.conf_low)),
        })
    }
}
