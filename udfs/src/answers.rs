//! Answers of a survey with their weights, counted so that taking one away undoes adding it.
//!
//! The effective number of weighted answers is Kish's n_eff = (Σw)²/Σw² (*Survey Sampling*, 1965). Multiplying all
//! weights by a number does not change it, and with equal weights it is n. An answer of weight 0 does not count.

use voxhouse_engine::Error;

/// How many answers, and the sums of their weights and of the squares of these.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Answers {
    pub(crate) n: f64,
    pub(crate) weight: f64,
    pub(crate) squares: f64,
}

impl Answers {
    /// Adds (`by` 1) or takes away (`by` −1) an answer.
    pub(crate) fn count(&mut self, weight: f64, by: f64) {
        if weight <= 0.0 {
            return;
        }
        self.n += by;
        self.weight += by * weight;
        self.squares += by * weight * weight;
        if self.n == 0.0 {
            // Nothing is left of sums but their rounding.
            *self = Self::default();
        }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            n: self.n + other.n,
            weight: self.weight + other.weight,
            squares: self.squares + other.squares,
        }
    }

    /// Kish's effective number of answers; 0 without any.
    pub(crate) fn effective(&self) -> f64 {
        if self.n > 0.0 { self.weight * (self.weight / self.squares) } else { 0.0 }
    }

    pub(crate) fn save(&self) -> [f64; 3] {
        [self.n, self.weight, self.squares]
    }

    pub(crate) fn load([n, weight, squares]: [f64; 3]) -> Self {
        Self { n, weight, squares }
    }
}

/// Refuses a weight that is negative, infinite or not a number.
pub(crate) fn checked_weight(weight: f64) -> Result<f64, Error> {
    if (0.0..f64::INFINITY).contains(&weight) {
        return Ok(weight);
    }
    Err(Error::invalid_argument(format!("weight {weight} is not a number of at least 0"))
        .with_hint("A weight says how many customers an answer stands for; write coalesce(weight, 1) where NULL means 1."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kishs_effective_number() {
        let mut answers = Answers::default();
        [1.0, 2.0, 5.0, 3.0].repeat(8).into_iter().for_each(|weight| answers.count(weight, 1.0));
        assert_eq!(answers.n, 32.0);
        assert!((answers.effective() - 24.820513).abs() < 5e-7, "{}", answers.effective());
        assert_eq!(Answers::default().effective(), 0.0);
    }

    #[test]
    fn equal_weights_count_as_many_as_there_are_and_nothing_remains() {
        let mut answers = Answers::default();
        (0..7).for_each(|_| answers.count(0.1, 1.0));
        assert!((answers.effective() - 7.0).abs() < 1e-12);
        (0..7).for_each(|_| answers.count(0.1, -1.0));
        assert_eq!(answers, Answers::default());
        answers.count(0.0, 1.0);
        assert_eq!(answers, Answers::default());
    }

    #[test]
    fn what_is_no_weight_is_refused() {
        for weight in [-1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(checked_weight(weight).unwrap_err().sqlstate(), "22023");
        }
        assert_eq!(checked_weight(0.0).unwrap(), 0.0);
    }
}
