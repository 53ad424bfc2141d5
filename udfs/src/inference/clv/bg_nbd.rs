//! BG/NBD: how often customers buy, and whether they still do.
//!
//! Fader, Hardie and Lee (2005), *"Counting your customers" the easy way*, Marketing Science 24(2). While
//! active a customer buys at a rate that is gamma(r, α) among customers, and after each purchase leaves with
//! a chance that is beta(a, b). Fitted by maximum likelihood over distinct histories, each once, with exact
//! derivatives; large sets are fitted on an eighth of the histories first.

use super::history::{Histories, History};
use super::newton::{Point, maximise};
use super::special::{digamma, hypergeometric, ln_beta, trigamma};
use crate::inference::generator::mix;
use crate::inference::{Invalid, finite};
use statrs::function::gamma::ln_gamma;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Model {
    pub(crate) r: f64,
    pub(crate) alpha: f64,
    pub(crate) a: f64,
    pub(crate) b: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fit {
    pub(crate) model: Model,
    pub(crate) log_likelihood: f64,
    pub(crate) n: u64,
}

/// From how many distinct histories a share of them is fitted first.
const LARGE: usize = 50_000;

/// Every customer counts once. Errors when nobody bought again.
pub(crate) fn fit(histories: &mut Histories) -> Result<Fit, Invalid> {
    let rows = histories.sorted();
    let n: u64 = rows.iter().map(|(_, count)| count).sum();
    if !rows.iter().any(|(history, _)| history.frequency > 0.0) {
        return Err(Invalid::new("no customer bought again").with_hint(
            "The model learns from repeat purchases; frequency counts the purchases after the first.",
        ));
    }
    // Times in units of the mean age: parameters of order one.
    let unit = rows.iter().map(|(history, count)| history.age * *count as f64).sum::<f64>() / n as f64;
    let scaled: Vec<Row> = rows.iter().map(|(history, count)| Row::new(history, *count, unit)).collect();
    let mut start = vec![1.0; 4];
    if scaled.len() >= LARGE {
        // Every eighth by a hash of the history: the same ones whatever the order of rows.
        let share: Vec<Row> = scaled.iter().copied().filter(|row| row.hash().is_multiple_of(8)).collect();
        start = fit_rows(&share, &start, 1e-9)?.0;
    }
    let (parameters, log_likelihood) = fit_rows(&scaled, &start, 1e-13)?;
    let repeats: f64 = scaled.iter().map(|row| row.frequency * row.count).sum();
    let model = Model { r: parameters[0], alpha: parameters[1] * unit, a: parameters[2], b: parameters[3] };
    Ok(Fit { model, log_likelihood: log_likelihood - repeats * unit.ln(), n })
}

impl Model {
    /// A model of given parameters, all above 0.
    pub(crate) fn new(r: f64, alpha: f64, a: f64, b: f64) -> Result<Self, Invalid> {
        for (value, name) in [(r, "r"), (alpha, "alpha"), (a, "a"), (b, "b")] {
            if finite(value, name)? <= 0.0 {
                return Err(Invalid::new(format!("parameter {name} of a purchase model is not above 0")));
            }
        }
        Ok(Self { r, alpha, a, b })
    }

    /// Chance that a customer with this history still buys. 1 without a repeat purchase: the model lets
    /// customers leave only after one.
    pub(crate) fn p_alive(&self, history: &History) -> f64 {
        let x = history.frequency;
        if x == 0.0 {
            return 1.0;
        }
        let ln_ages = ((self.alpha + history.age) / (self.alpha + history.recency)).ln();
        let odds = (self.a.ln() - (self.b + x - 1.0).ln() + (self.r + x) * ln_ages).exp();
        1.0 / (1.0 + odds)
    }

    /// Purchases expected of a customer with this history in the next `time`. Refuses a negative `time`.
    pub(crate) fn expected_purchases(&self, history: &History, time: f64) -> Result<f64, Invalid> {
        if finite(time, "time")? < 0.0 {
            return Err(Invalid::new(format!("time {time} is negative")));
        }
        if time == 0.0 {
            return Ok(0.0);
        }
        let Self { r, alpha, a, b } = *self;
        let x = history.frequency;
        let z = time / (alpha + history.age + time);
        let (top, rest) = (a + b + x - 1.0, (alpha + history.age) / (alpha + history.age + time));
        let active = self.p_alive(history);
        // Near a = 1 the formula is a difference of equals over zero: step aside, the function is smooth.
        if (a - 1.0).abs() < 1e-6 {
            let beside = Self { a: a + 2e-6, ..*self };
            return beside.expected_purchases(history, time);
        }
        // Without repeat purchases a + b − 1 may be 0, where the product has a limit but its factors have none.
        if top.abs() < 1e-9 {
            let beside = Self { b: b + 2e-9, ..*self };
            return beside.expected_purchases(history, time);
        }
        let curve = hypergeometric(r + x, b + x, top, z);
        Ok(active * top / (a - 1.0) * (1.0 - rest.powf(r + x) * curve))
    }
}

/// A distinct history in units of the mean age.
#[derive(Debug, Clone, Copy)]
struct Row {
    frequency: f64,
    recency: f64,
    age: f64,
    count: f64,
}

impl Row {
    fn new(history: &History, count: u64, unit: f64) -> Self {
        let History { frequency, recency, age } = *history;
        Self { frequency, recency: recency / unit, age: age / unit, count: count as f64 }
    }

    fn hash(&self) -> u64 {
        mix(mix(mix(self.frequency.to_bits()) ^ self.recency.to_bits()) ^ self.age.to_bits())
    }
}

fn fit_rows(rows: &[Row], start: &[f64], tolerance: f64) -> Result<(Vec<f64>, f64), Invalid> {
    // The sum of ln Γ terms depends on the frequency alone.
    let mut frequencies: Vec<(f64, f64)> = Vec::new();
    for row in rows {
        match frequencies.last_mut() {
            Some((frequency, count)) if *frequency == row.frequency => *count += row.count,
            _ => frequencies.push((row.frequency, row.count)),
        }
    }
    let (parameters, point) = maximise(start, tolerance, |parameters| {
        let mut sum = Sum::default();
        frequencies.iter().for_each(|(frequency, count)| sum.add_frequency(parameters, *frequency, *count));
        rows.iter().for_each(|row| sum.add_times(parameters, row));
        sum.finish()
    })?;
    Ok((parameters, point.value))
}

/// The log likelihood with derivatives by r, α, a, b.
#[derive(Debug, Default)]
struct Sum {
    value: f64,
    gradient: [f64; 4],
    hessian: [[f64; 4]; 4],
}

impl Sum {
    /// ln Γ(r + x) − ln Γ(r) + r ln α + ln B(a, b + x) − ln B(a, b).
    fn add_frequency(&mut self, parameters: &[f64], x: f64, count: f64) {
        let &[r, alpha, a, b] = parameters else { return };
        let value = ln_gamma(r + x) - ln_gamma(r) + r * alpha.ln() + ln_beta(a, b + x) - ln_beta(a, b);
        self.value += count * value;
        let joint = digamma(a + b) - digamma(a + b + x);
        let gradient =
            [digamma(r + x) - digamma(r) + alpha.ln(), r / alpha, joint, digamma(b + x) - digamma(b) + joint];
        let joint = trigamma(a + b) - trigamma(a + b + x);
        self.gradient.iter_mut().zip(gradient).for_each(|(sum, part)| *sum += count * part);
        self.hessian[0][0] += count * (trigamma(r + x) - trigamma(r));
        self.hessian[1][0] += count / alpha;
        self.hessian[1][1] -= count * r / (alpha * alpha);
        self.hessian[2][2] += count * joint;
        self.hessian[3][2] += count * joint;
        self.hessian[3][3] += count * (trigamma(b + x) - trigamma(b) + joint);
    }

    /// ln((α + T)^−(r + x) + [x > 0] a/(b + x − 1) (α + t)^−(r + x)).
    fn add_times(&mut self, parameters: &[f64], row: &Row) {
        let &[r, alpha, a, b] = parameters else { return };
        let (power, count) = (r + row.frequency, row.count);
        let age = alpha + row.age;
        let (ln_age, by_age) = (age.ln(), power / age);
        if row.frequency == 0.0 {
            self.value -= count * power * ln_age;
            self.gradient[0] -= count * ln_age;
            self.gradient[1] -= count * by_age;
            self.hessian[1][0] -= count / age;
            self.hessian[1][1] += count * by_age / age;
            return;
        }
        let last = alpha + row.recency;
        let (ln_last, by_last) = (last.ln(), power / last);
        let repeats = b + row.frequency - 1.0;
        let odds = (a / repeats * (power * (ln_age - ln_last)).exp()).min(1e300);
        let gone = odds / (1.0 + odds);
        let here = 1.0 / (1.0 + odds);
        self.value += count * (odds.ln_1p() - power * ln_age);
        // How the gradients of the two summands differ.
        let gap = [ln_age - ln_last, by_age - by_last, 1.0 / a, -1.0 / repeats];
        self.gradient[0] -= count * ln_age;
        self.gradient[1] -= count * by_age;
        for (sum, gap) in self.gradient.iter_mut().zip(gap) {
            *sum += count * gone * gap;
        }
        let spread = count * gone * here;
        for (i, row) in self.hessian.iter_mut().enumerate() {
            for (cell, other) in row[..=i].iter_mut().zip(gap) {
                *cell += spread * gap[i] * other;
            }
        }
        self.hessian[1][0] -= count * (here / age + gone / last);
        self.hessian[1][1] += count * (here * by_age / age + gone * by_last / last);
        self.hessian[2][2] -= count * gone / (a * a);
        self.hessian[3][3] += count * gone / (repeats * repeats);
    }

    fn finish(self) -> Point {
        let mut hessian = vec![0.0; 16];
        for (a, row) in self.hessian.iter().enumerate() {
            for (b, cell) in row[..=a].iter().enumerate() {
                hessian[a * 4 + b] = *cell;
                hessian[b * 4 + a] = *cell;
            }
        }
        Point { value: self.value, gradient: self.gradient.to_vec(), hessian }
    }
}
