//! What the engine asks of a matcher: which records are one person, and why.
//!
//! How texts resemble each other is not the engine's business; which records there are, what people have decided
//! about them and where the answer is kept is not the matcher's. Records go in, numbers of rows come out.

use std::fmt::Debug;

use super::policy::Policy;
use crate::error::Result;

/// What a column holds: says how its values are made comparable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Name,
    Phone,
    Email,
    /// A value that names one person within its type.
    Identifier,
    Address,
    Date,
    /// One of few values.
    Category,
}

/// The columns of `o.customers` that are compared.
pub const COLUMNS: [(&str, Kind); 10] = [
    ("name", Kind::Name),
    ("phone", Kind::Phone),
    ("email", Kind::Email),
    ("wechat_openid", Kind::Identifier),
    ("wechat_unionid", Kind::Identifier),
    ("member_no", Kind::Identifier),
    ("id_card", Kind::Identifier),
    ("address", Kind::Address),
    ("city", Kind::Category),
    ("birth_date", Kind::Date),
];

/// A record of `o.customers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub source_system: Box<str>,
    pub record_id: Box<str>,
    /// By column of [`COLUMNS`]. NULL, blank and blocked values are `None`.
    pub values: Vec<Option<Box<str>>>,
}

impl Record {
    /// `source_system/record_id`, as people name a record.
    pub fn name(&self) -> String {
        format!("{}/{}", self.source_system, self.record_id)
    }
}

/// The records to resolve, and what stands above the model.
#[derive(Debug, Clone)]
pub struct Task {
    /// In the order of their source systems and ids, each once.
    pub records: Vec<Record>,
    pub policies: Vec<Policy>,
    /// Rows that people have decided to be one person, and rows that are not.
    pub together: Vec<(u32, u32)>,
    pub apart: Vec<(u32, u32)>,
    /// The model to use, as [`Answer::model`] gave it. `None` trains one.
    pub model: Option<String>,
    /// Pairs that all blocking rules together may give. `None` leaves it to the matcher.
    pub most_pairs: Option<u64>,
}

/// Two records with a weight, the lower row first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    pub left: u32,
    pub right: u32,
    /// Thousandths of a bit.
    pub weight: i32,
    /// The comparison levels of the columns, as the model packs them.
    pub pattern: u64,
    /// Whether its cluster falls apart without it.
    pub bridge: bool,
    /// The column whose policy decided on the weight.
    pub decided_by: Option<&'static str>,
}

/// A level of a comparison in a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    pub column: String,
    pub level: u8,
    pub name: &'static str,
    /// Probability among records of one person, among those of two, and among those of two that are related.
    pub m: f64,
    pub u: f64,
    pub h: f64,
    /// Thousandths of a bit.
    pub weight: i32,
}

/// What a blocking rule costs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleCost {
    pub rule: String,
    pub pairs: u64,
    pub largest_group: u64,
    /// Groups that are too large to be compared, and the records in them.
    pub skipped_groups: u64,
    pub skipped_records: u64,
}

/// What a matcher found.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The model as text, to be kept.
    pub model: String,
    pub trained: bool,
    pub levels: Vec<Level>,
    pub rules: Vec<RuleCost>,
    /// The candidate pairs that are worth keeping, in order.
    pub pairs: Vec<Pair>,
    /// By record, the least row of its person.
    pub labels: Vec<u32>,
    /// Pairs that were compared to find this.
    pub compared: u64,
}

/// A line of an explanation.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The column, `prior`, `related` or `rule`.
    pub column: String,
    pub level: String,
    pub m: Option<f64>,
    pub u: Option<f64>,
    /// Thousandths of a bit, and their sum up to this line.
    pub weight: i32,
    pub total: i32,
}

pub trait Matcher: Send + Sync + Debug {
    /// Refuses with [`crate::ErrorKind::ProgramLimitExceeded`], before it compares anything, what would compare more
    /// pairs than allowed. A matcher may remember what it found; the answer does not depend on it.
    fn resolve(&self, task: &Task) -> Result<Answer>;

    /// What the blocking rules of a task would cost, by counts of keys alone.
    fn costs(&self, task: &Task) -> Result<Vec<RuleCost>>;

    /// Why two records weigh what they weigh under a model. `pattern` is that of a kept pair; without it the
    /// records are compared as they are now. The weights sum to that of the pair.
    fn explain(&self, model: &str, left: &Record, right: &Record, pattern: Option<u64>) -> Result<Vec<Step>>;
}

/// The probability of a match of that weight, in thousandths of a bit.
pub fn probability(weight: i32) -> f64 {
    1.0 / (1.0 + (-f64::from(weight) / 1000.0).exp2())
}
