//! How the rules of a table fared with the rows of one load or statement.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::catalog::{OnViolation, Table};

/// An example longer than this is cut.
const EXAMPLE_CHARACTERS: usize = 200;

/// How one rule fared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleOutcome {
    /// The name of the constraint; of NOT NULL the one that PostgreSQL gives it.
    pub rule: String,
    /// `check`, `unique`, `primary key`, `not null`, `expect`.
    pub kind: String,
    pub on_violation: OnViolation,
    pub rows_checked: u64,
    pub rows_violating: u64,
    /// The values of the first row that broke it, as `(a, b)=(1, 2)`.
    pub example: Option<String>,
}

impl RuleOutcome {
    /// Whether there is something to tell: a load that was refused before its rows were looked at says nothing.
    pub(crate) fn is_told(&self) -> bool {
        self.rows_checked > 0 || self.rows_violating > 0
    }

    pub(crate) fn is_of_key(&self) -> bool {
        matches!(self.kind.as_str(), "primary key" | "unique")
    }

    /// Counts other rows, held to the same rule, with these.
    pub(crate) fn extend(&mut self, other: RuleOutcome) {
        self.rows_checked += other.rows_checked;
        self.rows_violating += other.rows_violating;
        self.example = self.example.take().or(other.example);
    }

    /// Whether rows entered that the rule warns of.
    pub(crate) fn has_warned(&self) -> bool {
        self.on_violation == OnViolation::Warn && self.rows_violating > 0
    }
}

/// Counts of the rules of one table. Shared by the writers of a load.
pub(crate) struct Tally {
    rows: AtomicU64,
    rules: Vec<Counted>,
}

struct Counted {
    rule: String,
    kind: &'static str,
    on_violation: OnViolation,
    violating: AtomicU64,
    example: Mutex<Option<String>>,
}

impl Tally {
    /// The columns that are NOT NULL in their order, then the constraints.
    pub(crate) fn new(table: &Table) -> Self {
        let counted = |rule: String, kind, on_violation| Counted {
            rule,
            kind,
            on_violation,
            violating: AtomicU64::new(0),
            example: Mutex::default(),
        };
        let not_null = table.columns.iter().filter(|column| column.not_null).map(|column| {
            let rule = format!("{}_{}_not_null", table.name.name, column.name);
            counted(rule, "not null", OnViolation::Reject)
        });
        let rules = table.constraints.iter().filter(|constraint| !constraint.is_expectation());
        let rules = rules.map(|constraint| {
            counted(constraint.name.clone(), constraint.rule.kind(), constraint.effect_on_loads())
        });
        Self { rows: AtomicU64::new(0), rules: not_null.chain(rules).collect() }
    }

    /// The same rules, of which nothing is counted yet.
    pub(crate) fn anew(&self) -> Self {
        let rule = |counted: &Counted| Counted {
            rule: counted.rule.clone(),
            kind: counted.kind,
            on_violation: counted.on_violation,
            violating: AtomicU64::new(0),
            example: Mutex::default(),
        };
        Self { rows: AtomicU64::new(0), rules: self.rules.iter().map(rule).collect() }
    }

    /// Where a rule of this name is counted.
    pub(crate) fn place(&self, rule: &str) -> Option<usize> {
        self.rules.iter().position(|counted| counted.rule == rule)
    }

    pub(crate) fn checked(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    pub(crate) fn violated(&self, place: Option<usize>, example: impl FnOnce() -> String) {
        let Some(counted) = place.and_then(|place| self.rules.get(place)) else { return };
        if counted.violating.fetch_add(1, Ordering::Relaxed) == 0 {
            *counted.example.lock() = Some(shortened(example()));
        }
    }

    /// What was counted since the last time.
    pub(crate) fn take(&self) -> Vec<RuleOutcome> {
        let rows_checked = self.rows.swap(0, Ordering::Relaxed);
        let outcome = |counted: &Counted| RuleOutcome {
            rule: counted.rule.clone(),
            kind: counted.kind.to_owned(),
            on_violation: counted.on_violation,
            rows_checked,
            rows_violating: counted.violating.swap(0, Ordering::Relaxed),
            example: counted.example.lock().take(),
        };
        self.rules.iter().map(outcome).collect()
    }
}

/// As much of an example as is kept.
pub(crate) fn shortened(example: String) -> String {
    match example.char_indices().nth(EXAMPLE_CHARACTERS) {
        Some((end, _)) => format!("{} …", &example[..end]),
        None => example,
    }
}
