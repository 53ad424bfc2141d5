//! Which rows of a batch may enter a table.

use arrow::array::BooleanArray;

use crate::catalog::OnViolation;
use crate::error::Error;

/// A row that may not enter, by its place in the batch.
#[derive(Debug, Clone)]
pub struct Violation {
    pub row: usize,
    pub error: Error,
}

/// Which rows of a batch are bad, and why; the first reason of a row stands.
pub(super) struct Verdict {
    rows: usize,
    bad: Vec<bool>,
    violations: Vec<Violation>,
    /// The first row that broke a rule which lets nothing in.
    pub(super) fatal: Option<Violation>,
}

impl Verdict {
    pub(super) fn new(rows: usize) -> Self {
        Self { rows, bad: Vec::new(), violations: Vec::new(), fatal: None }
    }

    pub(super) fn is_bad(&self, row: usize) -> bool {
        self.bad.get(row).copied().unwrap_or(false)
    }

    pub(super) fn reject(&mut self, row: usize, error: impl FnOnce() -> Error) {
        if !self.is_bad(row) {
            self.skip(row);
            self.violations.push(Violation { row, error: error() });
        }
    }

    /// Does with a row that breaks a rule what the rule says.
    pub(super) fn apply(&mut self, on_violation: OnViolation, row: usize, error: impl FnOnce() -> Error) {
        match on_violation {
            OnViolation::Warn => {}
            OnViolation::Reject => self.reject(row, error),
            OnViolation::Fail => {
                let error = error();
                if self.fatal.is_none() {
                    self.fatal = Some(Violation { row, error: error.clone() });
                }
                self.reject(row, || error);
            }
        }
    }

    /// Leaves a row out, which is nobody's fault.
    pub(super) fn skip(&mut self, row: usize) {
        if self.bad.is_empty() {
            self.bad = vec![false; self.rows];
        }
        self.bad[row] = true;
    }

    pub(super) fn mask(&self) -> Option<BooleanArray> {
        (!self.bad.is_empty()).then(|| self.bad.iter().map(|bad| Some(!bad)).collect())
    }

    pub(super) fn good_rows(&self) -> Vec<usize> {
        (0..self.rows).filter(|row| !self.is_bad(*row)).collect()
    }

    pub(super) fn into_violations(mut self) -> Vec<Violation> {
        self.violations.sort_by_key(|violation| violation.row);
        self.violations
    }
}
