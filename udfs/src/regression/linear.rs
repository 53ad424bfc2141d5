//! Linear regression by (weighted) least squares, from [`Moments`].
//!
//! With co-moments C of (y, x₁…x_k) the slopes are b = C_xx⁻¹C_xy and the intercept is ȳ − bᵀx̄; s² is the
//! (weighted) residual sum of squares over n − k − 1 and the covariance s²(XᵀWX)⁻¹. Intervals and p values
//! are Student's with n − k − 1 degrees of freedom. Equations are solved on correlations, by Cholesky. As in
//! other packages weights are relative: multiplying all of them by a number changes nothing, and n is the
//! number of rows.
//!
//! Robust standard errors are in [`super::robust`] and [`super::clustered`].

use super::matrix::Matrix;
use super::moments::Moments;
use super::tails::{Reference, f_p};
use super::term::{Centred, INTERCEPT, Term};
use super::{Invalid, check_confidence, quoted};

/// Share of a column's variance that the other columns must leave unexplained. With less, the moments do
/// not hold enough digits for an answer.
pub(super) const TOLERANCE: f64 = 1e-10;

/// A robust variance below this share of the ordinary one is rounding: the residuals cancel out.
const ROUNDING: f64 = 1e-12;

/// A fitted linear regression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LinearFit {
    /// The intercept, then the columns in their order.
    pub(crate) terms: Vec<Term>,
    pub(crate) n_obs: u64,
    pub(crate) r_squared: f64,
    pub(crate) adj_r_squared: f64,
    /// Residual standard deviation s.
    pub(crate) sigma: f64,
    /// n − k − 1.
    pub(crate) freedom: f64,
    /// F statistic of all slopes together and its p value; `None` for a perfect fit.
    pub(crate) f_statistic: Option<f64>,
    pub(crate) f_p_value: Option<f64>,
    pub(super) shape: Shape,
}

/// What a second look at the rows needs of a fit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shape {
    pub(super) names: Vec<String>,
    /// Means of y, x₁…x_k.
    pub(super) means: Vec<f64>,
    pub(super) slopes: Vec<f64>,
    pub(super) vifs: Vec<f64>,
    /// (XᵀWX)⁻¹ of a constant and the centred columns.
    pub(super) bread: Matrix,
}

/// Regression of column 0 of `moments` on the others, which `names` names; `conf` is the confidence level.
pub(crate) fn fit(moments: &Moments, names: &[&str], conf: f64) -> Result<LinearFit, Invalid> {
    check_confidence(conf)?;
    check(moments, names)?;
    let predictors = names.len();
    let n = moments.rows() as f64;
    let freedom = n - predictors as f64 - 1.0;
    if freedom < 1.0 {
        let terms = predictors + 1;
        return Err(Invalid::new(format!("regression with {terms} terms has only {} rows", moments.rows()))
            .hint("A linear regression needs more rows than terms; rows with a NULL are left out."));
    }
    let correlations = moments.correlations();
    let inverse = invert(&correlations.tail(1), names)?;
    let with_outcome = &correlations.row(0)[1..];
    let predictor_correlations = correlations.tail(1);
    let standardised = solve(&predictor_correlations, &inverse, with_outcome);
    let total = moments.comoment(0, 0);
    let unexplained = unexplained(&predictor_correlations, with_outcome, &standardised);
    let variance = total * unexplained / freedom;
    let shape = shape(moments, names, &inverse, &standardised);
    let f_statistic = (variance > 0.0 && predictors > 0)
        .then(|| total * (1.0 - unexplained) / predictors as f64 / variance);
    Ok(LinearFit {
        terms: shape.terms(&shape.bread, variance, 0.0, Reference::Student(freedom), conf),
        n_obs: moments.rows(),
        r_squared: 1.0 - unexplained,
        adj_r_squared: 1.0 - unexplained * (n - 1.0) / freedom,
        sigma: variance.sqrt(),
        freedom,
        f_statistic,
        f_p_value: f_statistic.map(|f| f_p(f, predictors as f64, freedom)),
        shape,
    })
}

/// Refuses what no method can explain or explain by.
pub(super) fn check(moments: &Moments, names: &[&str]) -> Result<(), Invalid> {
    if moments.width() != names.len() + 1 {
        let (columns, names) = (moments.width(), names.len());
        return Err(Invalid::new(format!(
            "regression of {columns} columns has names for {names} predictors"
        )));
    }
    if moments.rows() == 0 {
        return Err(Invalid::new("regression has no rows")
            .hint("Rows with a NULL, a NaN or an infinity in any column, or with weight 0, are left out."));
    }
    if !moments.in_range() {
        return Err(Invalid::new("regression has numbers or weights too small or too large to square"));
    }
    if moments.constant(0) {
        return Err(Invalid::new("outcome of a regression is constant")
            .hint(format!("It is {} in every row that counts.", moments.mean(0))));
    }
    let constant: Vec<&str> = names
        .iter()
        .enumerate()
        .filter(|(place, _)| moments.constant(place + 1))
        .map(|(_, name)| *name)
        .collect();
    if constant.is_empty() {
        return Ok(());
    }
    Err(Invalid::new(format!("column {} of a regression is constant", quoted(&constant)))
        .hint("Leave it out: the intercept already stands for a constant."))
}

/// Inverse of the correlations of the predictors; an error that names columns which are collinear.
pub(super) fn invert(correlations: &Matrix, names: &[&str]) -> Result<Matrix, Invalid> {
    match correlations.cholesky(TOLERANCE) {
        Ok(factor) => Ok(factor.inverse()),
        Err(dependence) => {
            let on: Vec<&str> = dependence.on.iter().map(|&place| names[place]).collect();
            let column = names[dependence.column];
            Err(Invalid::new(format!(
                "column \"{column}\" of a regression is a linear combination of {}",
                if on.is_empty() { "the others".to_owned() } else { quoted(&on) }
            ))
            .hint(format!("Leave out one of {}.", quoted(&[&on[..], &[column]].concat()))))
        }
    }
}

/// Slopes on standardised columns, refined by one step.
fn solve(correlations: &Matrix, inverse: &Matrix, with_outcome: &[f64]) -> Vec<f64> {
    let mut slopes = inverse.times(with_outcome);
    let fitted = correlations.times(&slopes);
    let rest: Vec<f64> = with_outcome.iter().zip(&fitted).map(|(r, fitted)| r - fitted).collect();
    slopes.iter_mut().zip(inverse.times(&rest)).for_each(|(slope, more)| *slope += more);
    slopes
}

/// 1 − R² as 1 − 2bᵀr + bᵀRb, on which errors of b bear only squared; 0 if it is within rounding.
fn unexplained(correlations: &Matrix, with_outcome: &[f64], slopes: &[f64]) -> f64 {
    let fitted = correlations.times(slopes);
    let (mut rest, mut size) = (1.0, 1.0);
    for ((slope, r), fitted) in slopes.iter().zip(with_outcome).zip(&fitted) {
        rest -= slope * (2.0 * r - fitted);
        size += slope.abs() * (2.0 * r.abs() + fitted.abs());
    }
    if rest <= 8.0 * f64::EPSILON * size { 0.0 } else { rest.min(1.0) }
}

fn shape(moments: &Moments, names: &[&str], inverse: &Matrix, standardised: &[f64]) -> Shape {
    let spreads: Vec<f64> = (1..moments.width()).map(|column| moments.spread(column)).collect();
    let outcome = moments.spread(0);
    Shape {
        names: names.iter().map(|&name| name.to_owned()).collect(),
        means: moments.means().to_vec(),
        slopes: standardised.iter().zip(&spreads).map(|(slope, spread)| slope * outcome / spread).collect(),
        vifs: (0..names.len()).map(|place| inverse.get(place, place)).collect(),
        bread: Matrix::from_fn(moments.width(), |row, column| match (row, column) {
            (0, 0) => 1.0 / moments.weight(),
            (0, _) | (_, 0) => 0.0,
            (row, column) => inverse.get(row - 1, column - 1) / spreads[row - 1] / spreads[column - 1],
        }),
    }
}

impl Shape {
    /// The table, with the covariance of the centred coefficients given up to the factor `scale`. What it
    /// leaves of the ordinary variances, for residuals of variance `residual`, may be rounding.
    pub(super) fn terms(
        &self,
        covariance: &Matrix,
        scale: f64,
        residual: f64,
        reference: Reference,
        conf: f64,
    ) -> Vec<Term> {
        let centred = Centred { means: &self.means[1..], slopes: &self.slopes };
        let covariance = centred.covariance(covariance);
        let ordinary = centred.covariance(&self.bread);
        let variance = |place: usize| {
            let variance = scale * covariance.get(place, place);
            if variance <= ROUNDING * residual * ordinary.get(place, place) { 0.0 } else { variance }
        };
        let intercept = centred.intercept(self.means[0]);
        let mut terms = vec![Term::new(INTERCEPT, intercept, variance(0), None, reference, conf)];
        for (place, name) in self.names.iter().enumerate() {
            let (slope, vif) = (self.slopes[place], Some(self.vifs[place]));
            terms.push(Term::new(name, slope, variance(place + 1), vif, reference, conf));
        }
        terms
    }
}

#[cfg(test)]
mod tests;
