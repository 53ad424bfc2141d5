//! Least squares with effects of units and of periods, errors clustered by unit.
//!
//! Outcome and regressors are freed of both effects by demeaning by unit and by period in turn until nothing
//! moves (once for a balanced panel); the rest is least squares (Frisch, Waugh and Lovell). The cluster
//! variance has the factor G/(G − 1)·(n − 1)/(n − K) with K = regressors + periods: effects of units lie
//! within clusters and are not counted.

use super::panel::{Observation, Ordered};
use crate::inference::Invalid;
use crate::inference::matrix::{Cholesky, add_outer, dot, sandwich};

/// Coefficients and their clustered covariance.
pub(super) struct Within {
    pub(super) beta: Vec<f64>,
    pub(super) covariance: Vec<f64>,
    /// G − 1.
    pub(super) freedom: f64,
    /// Root mean square of the demeaned outcome, to tell errors from rounding.
    pub(super) spread: f64,
}

const MAX_ROUNDS: usize = 10_000;

/// Regresses the outcome on `columns`, each a value per observation. `Err` inside names the first column that
/// the effects and the columns before it determine.
pub(super) fn fit(panel: &Ordered, columns: Vec<Vec<f64>>) -> Result<Within, Invalid> {
    let observations = &panel.observations;
    let (n, size) = (observations.len(), columns.len());
    if size == 0 {
        return Err(collinear());
    }
    let demeaner = Demeaner::new(panel);
    let outcome = demeaner.demean(observations.iter().map(|o| o.outcome).collect())?;
    let columns: Vec<Vec<f64>> =
        columns.into_iter().map(|column| demeaner.demean(column)).collect::<Result<_, _>>()?;
    let mut products = vec![0.0; size * size];
    for a in 0..size {
        for b in 0..size {
            products[a * size + b] = dot(&columns[a], &columns[b]);
        }
        // What rounding leaves of a column that the effects determine.
        if products[a * size + a] < 1e-9 {
            return Err(collinear());
        }
    }
    let moments: Vec<f64> = columns.iter().map(|column| dot(column, &outcome)).collect();
    let decomposed = Cholesky::new(&products, size).map_err(|_| collinear())?;
    let beta = decomposed.solve(&moments);
    let mut scores = vec![0.0; panel.starts.len() * size];
    for (row, observation) in observations.iter().enumerate() {
        let rest = outcome[row] - (0..size).map(|term| beta[term] * columns[term][row]).sum::<f64>();
        for (term, column) in columns.iter().enumerate() {
            scores[observation.unit * size + term] += rest * column[row];
        }
    }
    let mut meat = vec![0.0; size * size];
    scores.chunks_exact(size).for_each(|score| add_outer(&mut meat, score, 1.0));
    let (groups, n) = (panel.starts.len() as f64, n as f64);
    let factor = groups / (groups - 1.0) * (n - 1.0) / (n - (size + panel.periods.len()) as f64);
    let covariance = sandwich(&decomposed.inverse(), &meat, size).iter().map(|cell| factor * cell).collect();
    let spread = (dot(&outcome, &outcome) / n).sqrt();
    Ok(Within { beta, covariance, freedom: groups - 1.0, spread })
}

fn collinear() -> Invalid {
    Invalid::new("treatment cannot be told apart from the effects of units and periods").with_hint(
        "It takes units treated later than others or never, seen before and after, and for an event study a \
         period other than the last before treatment.",
    )
}

struct Demeaner<'a> {
    observations: &'a [Observation],
    unit_counts: Vec<f64>,
    period_counts: Vec<f64>,
}

impl<'a> Demeaner<'a> {
    fn new(panel: &'a Ordered) -> Self {
        let mut unit_counts = vec![0.0; panel.starts.len()];
        let mut period_counts = vec![0.0; panel.periods.len()];
        for observation in &panel.observations {
            unit_counts[observation.unit] += 1.0;
            period_counts[observation.period] += 1.0;
        }
        Self { observations: &panel.observations, unit_counts, period_counts }
    }

    fn demean(&self, mut column: Vec<f64>) -> Result<Vec<f64>, Invalid> {
        let size = column.iter().fold(0.0_f64, |size, value| size.max(value.abs()));
        for _ in 0..MAX_ROUNDS {
            let by_unit = self.subtract(&mut column, &self.unit_counts, |o| o.unit);
            let by_period = self.subtract(&mut column, &self.period_counts, |o| o.period);
            if by_unit.max(by_period) <= 1e-12 * size {
                return Ok(column);
            }
        }
        Err(Invalid::new("effects of units and periods cannot be told apart")
            .with_hint("The panel has too many holes: keep units that are seen in most periods."))
    }

    /// Subtracts the means of groups; the largest mean.
    fn subtract(&self, column: &mut [f64], counts: &[f64], group: impl Fn(&Observation) -> usize) -> f64 {
        let mut means = vec![0.0; counts.len()];
        for (value, observation) in column.iter().zip(self.observations) {
            means[group(observation)] += value / counts[group(observation)];
        }
        for (value, observation) in column.iter_mut().zip(self.observations) {
            *value -= means[group(observation)];
        }
        means.iter().fold(0.0, |largest, mean| mean.abs().max(largest))
    }
}
