//! Effect on the treated by matching each with the nearest untreated row.
//!
//! Nearest by the logit of a logistic propensity, with replacement, within `caliper` standard deviations of the
//! logit (0.2 is usual: Austin 2011, Pharmaceutical Statistics 10). Untreated rows at the same nearest distance
//! share the match equally, so nothing depends on row order. The variance is that of Abadie and Imbens (2006),
//! Econometrica 74, for the effect on the treated, with the propensity taken as known.

use super::Effect;
use super::treatment::{Balance, Sample, Treatment};
use crate::inference::{Invalid, confidence};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Matched {
    pub(crate) effect: Effect,
    pub(crate) balance: Vec<Balance>,
    /// Treated rows with a match.
    pub(crate) matched: usize,
    /// Treated rows without one within the caliper: the effect is not theirs.
    pub(crate) unmatched: usize,
    /// Untreated rows used.
    pub(crate) controls: usize,
}

pub(crate) fn matched(treatment: &Treatment, caliper: Option<f64>, conf: f64) -> Result<Matched, Invalid> {
    let conf = confidence(conf)?;
    if let Some(caliper) = caliper
        && (caliper.is_nan() || caliper <= 0.0)
    {
        return Err(Invalid::new(format!("caliper {caliper} is not above 0"))
            .with_hint("It is in standard deviations of the logit of the propensity; 0.2 is usual."));
    }
    let sample = treatment.sample()?;
    let logit: Vec<f64> = sample.fitted.probability.iter().map(|p| p.ln() - (-p).ln_1p()).collect();
    if logit.iter().any(|logit| !logit.is_finite()) {
        return Err(Invalid::new("a propensity is 0 or 1").with_hint("A covariate decides the treatment."));
    }
    let reach = caliper.map_or(f64::INFINITY, |caliper| caliper * standard_deviation(&logit));
    let runs = Runs::new(&sample, &logit);
    let mut used = vec![Use::default(); runs.runs.len()];
    let mut differences = Vec::new();
    let mut weights = vec![0.0; sample.len()];
    for row in (0..sample.len()).filter(|row| sample.treated[*row]) {
        let near = runs.nearest(logit[row], reach, None);
        if near.is_empty() {
            continue;
        }
        let partners: f64 = near.iter().map(|&run| runs.runs[run].n).sum();
        let mean = near.iter().map(|&run| runs.runs[run].sum).sum::<f64>() / partners;
        near.iter().for_each(|&run| used[run].add(1.0 / partners));
        differences.push(sample.outcome[row] - mean);
        weights[row] = 1.0;
    }
    if differences.is_empty() {
        return Err(Invalid::new("no treated row has a match within the caliper"));
    }
    let (effect, spread) = estimate(&differences, &runs, &used);
    for (place, &row) in runs.rows.iter().enumerate() {
        weights[row] = used[runs.of_row[place]].weight;
    }
    let treated = sample.treated.iter().filter(|treated| **treated).count();
    let controls = used.iter().zip(&runs.runs).filter(|(used, _)| used.weight > 0.0).map(|(_, run)| run.n);
    Ok(Matched {
        effect: Effect::normal(effect.0, effect.1, conf, spread),
        balance: sample.balance(&weights),
        matched: differences.len(),
        unmatched: treated - differences.len(),
        controls: controls.sum::<f64>() as usize,
    })
}

fn standard_deviation(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt()
}

/// How much a run's rows are used as matches, each: Σ w and Σ w² over their matches.
#[derive(Debug, Clone, Copy, Default)]
struct Use {
    weight: f64,
    squares: f64,
}

impl Use {
    fn add(&mut self, weight: f64) {
        self.weight += weight;
        self.squares += weight * weight;
    }
}

/// Untreated rows with the same logit.
#[derive(Debug, Clone, Copy)]
struct Run {
    logit: f64,
    n: f64,
    sum: f64,
    squares: f64,
}

struct Runs {
    runs: Vec<Run>,
    /// Untreated rows by logit, and the run of each.
    rows: Vec<usize>,
    of_row: Vec<usize>,
}

impl Runs {
    fn new(sample: &Sample, logit: &[f64]) -> Self {
        let mut rows: Vec<usize> = (0..sample.len()).filter(|row| !sample.treated[*row]).collect();
        rows.sort_unstable_by(|&a, &b| {
            let outcomes = || sample.outcome[a].total_cmp(&sample.outcome[b]);
            logit[a].total_cmp(&logit[b]).then_with(outcomes)
        });
        let mut runs: Vec<Run> = Vec::new();
        let mut of_row = Vec::with_capacity(rows.len());
        for &row in &rows {
            let y = sample.outcome[row];
            match runs.last_mut() {
                // Equal covariates give logits that are equal but for rounding.
                Some(run) if logit[row] - run.logit <= 1e-12 * (1.0 + logit[row].abs()) => {
                    let before = y - run.sum / run.n;
                    run.n += 1.0;
                    run.sum += y;
                    run.squares += before * (y - run.sum / run.n);
                }
                _ => runs.push(Run { logit: logit[row], n: 1.0, sum: y, squares: 0.0 }),
            }
            of_row.push(runs.len() - 1);
        }
        Self { runs, rows, of_row }
    }

    /// The nearest run, or the two at the same distance, other than `except`.
    fn nearest(&self, logit: f64, reach: f64, except: Option<usize>) -> Vec<usize> {
        let place = self.runs.partition_point(|run| run.logit < logit);
        let mut above = place;
        let mut below = place.checked_sub(1);
        if except == Some(above) {
            above += 1;
        }
        if below.is_some() && below == except {
            below = below.and_then(|run| run.checked_sub(1));
        }
        let gap = |run: usize| self.runs.get(run).map_or(f64::INFINITY, |run| (run.logit - logit).abs());
        let (up, down) = (gap(above), below.map_or(f64::INFINITY, gap));
        let nearest = up.min(down);
        if nearest > reach || !nearest.is_finite() {
            return Vec::new();
        }
        let limit = nearest + 1e-12 * (1.0 + logit.abs());
        let both = [(below, down), (Some(above), up)];
        both.iter().filter(|(_, gap)| *gap <= limit).filter_map(|(run, _)| *run).collect()
    }

    /// Variance of the outcome near a run: within it, or from its own mean to the nearest other run's.
    fn variance(&self, place: usize) -> f64 {
        let Some(run) = self.runs.get(place) else { return 0.0 };
        if run.n > 1.0 {
            return run.squares / (run.n - 1.0);
        }
        let near = self.nearest(run.logit, f64::INFINITY, Some(place));
        let partners: f64 = near.iter().map(|&other| self.runs[other].n).sum();
        if partners == 0.0 {
            return 0.0;
        }
        let mean = near.iter().map(|&other| self.runs[other].sum).sum::<f64>() / partners;
        partners / (partners + 1.0) * (run.sum - mean).powi(2)
    }
}

/// Effect and standard error, and the spread of the differences.
fn estimate(differences: &[f64], runs: &Runs, used: &[Use]) -> ((f64, f64), f64) {
    let n = differences.len() as f64;
    let mut sorted = differences.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let mean = sorted.iter().sum::<f64>() / n;
    let mut variance: f64 = sorted.iter().map(|difference| (difference - mean).powi(2)).sum();
    let spread = (variance / n).sqrt();
    for (place, used) in used.iter().enumerate().filter(|(_, used)| used.weight > 0.0) {
        let again = used.weight * used.weight - used.squares;
        variance += runs.runs[place].n * again * runs.variance(place);
    }
    ((mean, variance.sqrt() / n), spread)
}
