//! A fitted regression as a value: what a table stores of it, and its predictions.
//!
//! The prediction of a linear regression is a + bᵀx, that of a logistic one the probability 1/(1 + exp(−a − bᵀx)).

use serde_json::{Map, Value, json};

use super::Invalid;
use super::term::{INTERCEPT, Term};

/// What is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A number.
    Linear,
    /// The probability of an outcome.
    Logistic,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Linear => "linear",
            Kind::Logistic => "logistic",
        }
    }
}

/// Coefficients by name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Model {
    pub(crate) kind: Kind,
    pub(crate) outcome: String,
    intercept: f64,
    /// Predictors in the order in which their values come.
    slopes: Vec<(String, f64)>,
}

impl Model {
    /// `terms` begin with the intercept.
    pub(crate) fn new(kind: Kind, outcome: &str, terms: &[Term]) -> Self {
        let slopes = terms.iter().filter(|term| term.term != INTERCEPT);
        Self {
            kind,
            outcome: outcome.to_owned(),
            intercept: terms.first().map_or(0.0, |term| term.estimate),
            slopes: slopes.map(|term| (term.term.clone(), term.estimate)).collect(),
        }
    }

    pub(crate) fn predictors(&self) -> usize {
        self.slopes.len()
    }

    /// Refuses another number of values than the model has predictors.
    pub(crate) fn check(&self, values: usize) -> Result<(), Invalid> {
        if values == self.slopes.len() {
            return Ok(());
        }
        let names: Vec<&str> = self.slopes.iter().map(|(name, _)| name.as_str()).collect();
        Err(Invalid::new(format!("model of {} predictors is asked with {values} values", names.len()))
            .hint(format!("It takes {}, in this order.", names.join(", "))))
    }

    /// Needs as many values as there are predictors.
    pub(crate) fn predict(&self, values: impl Iterator<Item = f64>) -> f64 {
        let score =
            self.slopes.iter().zip(values).fold(self.intercept, |sum, ((_, slope), x)| sum + slope * x);
        match self.kind {
            Kind::Linear => score,
            Kind::Logistic => 1.0 / (1.0 + (-score).exp()),
        }
    }

    pub(crate) fn to_json(&self) -> String {
        let terms = self.slopes.iter().map(|(name, slope)| json!({ "term": name, "estimate": slope }));
        let mut object = Map::new();
        object.insert("kind".into(), self.kind.as_str().into());
        object.insert("outcome".into(), self.outcome.as_str().into());
        object.insert("intercept".into(), self.intercept.into());
        object.insert("terms".into(), Value::Array(terms.collect()));
        Value::Object(object).to_string()
    }

    pub(crate) fn from_json(text: &str) -> Result<Self, Invalid> {
        Self::read(text).ok_or_else(|| {
            Invalid::new("text is not a model")
                .hint("Give the column model of roi.models, or the name of a model there.")
        })
    }

    fn read(text: &str) -> Option<Self> {
        let said: Value = serde_json::from_str(text).ok()?;
        let kind = [Kind::Linear, Kind::Logistic].into_iter().find(|kind| said["kind"] == kind.as_str())?;
        let slope = |term: &Value| Some((term["term"].as_str()?.to_owned(), term["estimate"].as_f64()?));
        Some(Self {
            kind,
            outcome: said["outcome"].as_str()?.to_owned(),
            intercept: said["intercept"].as_f64()?,
            slopes: said["terms"].as_array()?.iter().map(slope).collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests;
