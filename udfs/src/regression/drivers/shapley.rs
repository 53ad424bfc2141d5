//! Shapley values of R² over all subsets of drivers.

use super::Method;
use crate::regression::Invalid;
use crate::regression::matrix::Matrix;

/// Most drivers of which all subsets are gone through.
pub(super) const MOST_DRIVERS: usize = 15;

/// Refuses more drivers than the method can take.
pub(super) fn check(method: Method, drivers: usize) -> Result<(), Invalid> {
    if method != Method::Shapley || drivers <= MOST_DRIVERS {
        return Ok(());
    }
    Err(Invalid::new(format!("Shapley values of {drivers} drivers are more than the {MOST_DRIVERS} allowed"))
        .hint("The work doubles with every driver; use relative_weights."))
}

/// The Shapley value of every driver, from the correlations of the outcome (first) and the drivers.
pub(super) fn values(correlations: &Matrix) -> Vec<f64> {
    let drivers = correlations.size() - 1;
    let explained = explained(correlations);
    // |S|!(k − |S| − 1)!/k! = 1/(k·C(k − 1, |S|)).
    let mut weights = vec![1.0 / drivers as f64];
    for size in 1..drivers {
        weights.push(weights[size - 1] * size as f64 / (drivers - size) as f64);
    }
    let mut values = vec![0.0; drivers];
    for (set, without) in explained.iter().enumerate() {
        for (driver, value) in values.iter_mut().enumerate() {
            let with = set | 1 << driver;
            if with != set {
                *value += weights[set.count_ones() as usize] * (explained[with] - without);
            }
        }
    }
    values
}

/// R² on every set of drivers, the set being the bits of the place.
fn explained(correlations: &Matrix) -> Vec<f64> {
    let drivers = correlations.size() - 1;
    let mut explained = vec![0.0; 1 << drivers];
    // One room for every number of drivers in the set.
    let mut rooms: Vec<Matrix> = vec![correlations.clone(); drivers + 1];
    descend(&mut rooms, 0, 0, &mut explained);
    explained
}

/// `rooms[0]` holds the outcome and the drivers from `first` on, with the drivers of `set`, which all come
/// before, partialled out. Notes what they explain and goes on to every set with one more driver.
fn descend(rooms: &mut [Matrix], first: usize, set: usize, explained: &mut [f64]) {
    let Some((here, deeper)) = rooms.split_first_mut() else { return };
    explained[set] = (1.0 - here.get(0, 0)).clamp(0.0, 1.0);
    for driver in first..here.size() - 1 {
        let Some(next) = deeper.first_mut() else { return };
        partial_out(here, driver + 1, next);
        descend(deeper, driver + 1, set | 1 << driver, explained);
    }
}

/// Partials variable `pivot` out of the outcome and the variables after it.
fn partial_out(from: &Matrix, pivot: usize, to: &mut Matrix) {
    let own = from.get(pivot, pivot);
    let left = |variable: usize| std::iter::once(variable).chain(pivot + 1..from.size());
    for row in left(0) {
        // A driver with nothing of its own takes nothing away.
        let factor = if own > 0.0 { from.get(row, pivot) / own } else { 0.0 };
        for column in left(0) {
            to.set(row, column, from.get(row, column) - factor * from.get(pivot, column));
        }
    }
}
