//! Ordinal logistic regression with proportional odds: logit P(y ≤ j) = θ_j − bᵀx.
//!
//! For outcomes in a few ordered levels, such as scores of 1 to 5 (McCullagh 1980). Maximum likelihood by
//! Newton's method on standardised columns; standard errors from the inverse of the observed information;
//! normal p values and intervals; McFadden's R². With F the logistic function, a = θ_y − bᵀx and
//! b = θ_{y−1} − bᵀx the likelihood of a row is D = F(a) − F(b), and because f(a) − f(b) = D(1 − F(a) − F(b))
//! the derivatives with respect to bᵀx are F(a) + F(b) − 1 and −f(a) − f(b). Weights are divided by their
//! mean.

use super::batch::Batch;
use super::logistic::{UNKNOWN, fell, is_last};
use super::matrix::Matrix;
use super::standardised::Standardised;
use super::tails::{Reference, chi_squared_p};
use super::term::Term;
use super::{Invalid, check_confidence, quoted};

mod pass;

use pass::{Pass, pass};

/// Most levels of an outcome.
pub(crate) const MOST_LEVELS: usize = 50;

const MOST_PASSES: u32 = 60;
const SINGULAR: f64 = 1e-13;

/// A fitted ordinal regression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OrdinalFit {
    /// The columns in their order, then the thresholds θ, named `low|high` by the levels they part. A
    /// positive coefficient goes with higher levels.
    pub(crate) terms: Vec<Term>,
    /// Slopes on columns of mean 0 and standard deviation 1.
    pub(super) standardised: Vec<f64>,
    pub(crate) n_obs: u64,
    /// The values of the outcome, ascending.
    pub(crate) levels: Vec<f64>,
    pub(crate) log_likelihood: f64,
    pub(crate) null_log_likelihood: f64,
    /// McFadden's.
    pub(crate) r_squared: f64,
    /// Likelihood-ratio statistic against the model without columns, and its p value.
    pub(crate) chi_squared: f64,
    pub(crate) p_value: Option<f64>,
    pub(crate) iterations: u32,
}

/// Regression of the ordered values of column 0 on the other columns, which `names` names.
pub(crate) fn fit(batches: &[Batch], names: &[&str], conf: f64) -> Result<OrdinalFit, Invalid> {
    check_confidence(conf)?;
    let mut levels = Levels::default();
    let rows =
        Standardised::new(batches, names, |block| block.column(0).iter().try_for_each(|&y| levels.see(y)))?;
    // Weights may differ, so that the likelihood of the thresholds alone needs a pass too.
    let shares = levels.shares(&rows)?;
    let terms = names.len() + levels.values.len() - 1;
    if rows.moments.rows() <= terms as u64 {
        let found = rows.moments.rows();
        return Err(Invalid::new(format!("regression with {terms} terms has only {found} rows"))
            .hint("An ordinal regression needs more rows than columns and levels of the outcome."));
    }
    let maximum = maximise(&rows, &levels, &shares)?;
    check_separation(&maximum, names)?;
    Ok(table(&rows, names, &levels, &shares, &maximum, conf))
}

/// Distinct values of the outcome, ascending.
#[derive(Debug, Default)]
pub(super) struct Levels {
    values: Vec<f64>,
}

impl Levels {
    fn see(&mut self, y: f64) -> Result<(), Invalid> {
        let y = y + 0.0;
        if let Err(place) = self.values.binary_search_by(|level| level.total_cmp(&y)) {
            self.values.insert(place, y);
        }
        if self.values.len() <= MOST_LEVELS {
            return Ok(());
        }
        Err(Invalid::new(format!("outcome of an ordinal regression has more than {MOST_LEVELS} levels"))
            .hint("Use a linear regression for an outcome that is measured rather than ranked."))
    }

    /// Position of a value that has been seen.
    fn position(&self, y: f64) -> usize {
        self.values.partition_point(|&level| level < y).min(self.values.len().saturating_sub(1))
    }

    /// Weight of every level.
    fn shares(&self, rows: &Standardised) -> Result<Vec<f64>, Invalid> {
        let mut shares = vec![0.0; self.values.len()];
        rows.each_block(1, |block| {
            for (row, &y) in block.column(0).iter().enumerate() {
                shares[self.position(y)] += if block.weighted() { block.weights()[row] } else { 1.0 };
            }
            Ok(())
        })?;
        Ok(shares)
    }
}

struct Maximum {
    /// Thresholds, then slopes on standardised columns.
    parameters: Vec<f64>,
    covariance: Matrix,
    log_likelihood: f64,
    iterations: u32,
}

fn maximise(rows: &Standardised, levels: &Levels, shares: &[f64]) -> Result<Maximum, Invalid> {
    let mut parameters = start(rows, shares);
    let mut before: Option<(f64, Vec<f64>)> = None;
    for iterations in 1..=MOST_PASSES {
        let here = pass(rows, levels, &parameters)?;
        if let Some((likelihood, previous)) = &before
            && fell(*likelihood, here.log_likelihood)
        {
            parameters = previous.iter().zip(&parameters).map(|(a, b)| 0.5 * (a + b)).collect();
            continue;
        }
        let Pass { log_likelihood, gradient, information } = here;
        let Ok(information) = information.cholesky(SINGULAR) else { break };
        let step = information.solve(&gradient);
        let next: Vec<f64> = parameters.iter().zip(&step).map(|(own, step)| own + step).collect();
        if is_last(&step, &parameters) {
            let covariance = information.inverse();
            return Ok(Maximum { parameters: next, covariance, log_likelihood, iterations });
        }
        before = Some((log_likelihood, parameters));
        parameters = next;
    }
    Err(Invalid::new("ordinal regression does not converge")
        .hint("A column may tell levels of the outcome apart perfectly; leave it out, or join rare levels."))
}

/// A flat likelihood means that a column tells levels apart, so that no coefficient is large enough.
fn check_separation(maximum: &Maximum, names: &[&str]) -> Result<(), Invalid> {
    let thresholds = maximum.parameters.len() - names.len();
    let variance = |place: usize| maximum.covariance.get(thresholds + place, thresholds + place);
    let unknown: Vec<&str> = names
        .iter()
        .enumerate()
        .filter(|(place, _)| variance(*place) >= UNKNOWN)
        .map(|(_, name)| *name)
        .collect();
    if unknown.is_empty() && maximum.covariance.largest_diagonal() < UNKNOWN {
        return Ok(());
    }
    let by = if unknown.is_empty() { names } else { &unknown };
    Err(Invalid::new(format!("outcome of an ordinal regression is separated by column {}", quoted(by))).hint(
        "A value of the column goes with some levels only, so its coefficient is infinite. Leave the column \
         out, or join levels of the outcome.",
    ))
}

/// Thresholds that fit the shares of the levels, and slopes of 0.
fn start(rows: &Standardised, shares: &[f64]) -> Vec<f64> {
    let total: f64 = shares.iter().sum();
    let mut below = 0.0;
    let mut parameters = Vec::new();
    for share in &shares[..shares.len() - 1] {
        below += share / total;
        parameters.push((below / (1.0 - below)).ln());
    }
    parameters.resize(shares.len() - 1 + rows.scales.len(), 0.0);
    parameters
}

fn table(
    rows: &Standardised,
    names: &[&str],
    levels: &Levels,
    shares: &[f64],
    maximum: &Maximum,
    conf: f64,
) -> OrdinalFit {
    let thresholds = shares.len() - 1;
    // From standardised columns to the columns themselves: b/s, and θ + Σ b·x̄/s.
    let back = Matrix::from_fn(maximum.parameters.len(), |row, column| {
        let slope = column.checked_sub(thresholds);
        match slope {
            Some(slope) if row < thresholds => rows.means[slope] / rows.scales[slope],
            Some(slope) if row == column => 1.0 / rows.scales[slope],
            None if row == column => 1.0,
            _ => 0.0,
        }
    });
    let estimates = back.times(&maximum.parameters);
    let covariance = back.around(&maximum.covariance);
    let term = |place: usize, name: &str, vif: Option<f64>| {
        Term::new(name, estimates[place], covariance.get(place, place), vif, Reference::Normal, conf)
    };
    let mut terms: Vec<Term> = names
        .iter()
        .enumerate()
        .map(|(place, name)| term(thresholds + place, name, Some(rows.vifs[place])))
        .collect();
    for (place, ends) in levels.values.windows(2).enumerate() {
        terms.push(term(place, &format!("{}|{}", ends[0], ends[1]), None));
    }
    let total: f64 = shares.iter().sum();
    let null: f64 = shares.iter().map(|share| share * (share / total).ln()).sum();
    let chi_squared = 2.0 * (maximum.log_likelihood - null);
    OrdinalFit {
        terms,
        standardised: maximum.parameters[thresholds..].to_vec(),
        n_obs: rows.moments.rows(),
        levels: levels.values.clone(),
        log_likelihood: maximum.log_likelihood,
        null_log_likelihood: null,
        r_squared: 1.0 - maximum.log_likelihood / null,
        chi_squared,
        p_value: (!names.is_empty()).then(|| chi_squared_p(chi_squared, names.len() as f64)),
        iterations: maximum.iterations,
    }
}

#[cfg(test)]
mod tests;
