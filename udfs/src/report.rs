//! The shell of every function that reads a relation and answers with a small table of its own:
//! `SELECT * FROM drivers('x.survey', 'nps', ARRAY['speed', 'price'])`.
//!
//! A function file writes a [`Report`]: what the call may say, which columns the answer has, and a
//! [`Kernel`]. A call is planned as an aggregate over the relation whose value is the list of the answer's
//! rows. So the privileges on the relation are checked where those of any query are, every core reads, and
//! the memory pool knows what is held.

mod answer;
mod call;
mod function;
mod gather;
mod streaming;

pub(crate) use answer::{Column, Type, data_type as answer_type, list as answer_list};
pub(crate) use call::Call;
pub use call::{IF_UNDEFINED, Parameter, Takes};
pub(crate) use function::{Kernel, Report, Row, Values, constant, entry, knowing};
pub(crate) use gather::{Coded, Gathered};
pub(crate) use streaming::{State, Streaming, state};

use arrow::datatypes::DataType;

/// What the planner of SQL needs to know of a report.
#[derive(Debug, Clone)]
pub struct Shape {
    /// The function as a user writes it.
    pub name: &'static str,
    /// What a call may say behind the relation, in order.
    pub parameters: &'static [Parameter],
    /// The columns of the answer.
    pub columns: Vec<(&'static str, DataType)>,
}

/// The name of the aggregate that computes the report `name`.
pub fn aggregate_name(name: &str) -> String {
    format!("__{name}")
}
