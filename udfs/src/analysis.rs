//! Statistics over a relation, answered as tables: what the kernels of [`crate::regression`] and
//! [`crate::inference`] compute, as functions of SQL.
//!
//! All of them leave out rows with a NULL, a NaN or an infinity in a column they read; `n_obs` says how many
//! rows counted. Which columns an answer has never depends on the data.

mod cohort_retention;
mod compare_groups;
mod customer_value;
mod diff_in_diff;
mod drivers;
mod effect;
mod impact;
mod independence;
mod journeys;
mod linear_regression;
mod logistic_regression;
mod mediation;
mod of_moments;
mod pain;
mod prediction;
mod rake;
mod rank_correlation;
mod resolve_records;
mod rfm;
mod suggest_tags;
mod survival;
mod text_groups;
mod train_model;
mod trend;
mod trending_terms;
mod uplift;
mod value_of_point;

use crate::entry::{Definition, Entry};
use crate::report::{self, Call, Column, Kernel, Parameter, Report, Takes};

const SECTION: &str = "Statistics";

/// What most definitions have in common.
const REPORT: Definition = Definition {
    name: "",
    arguments: "",
    returns: "table",
    volatility: datafusion::logical_expr::Volatility::Immutable,
    description: "",
    example: "",
    example_result: "",
};

pub(crate) fn entries() -> Vec<Entry> {
    [
        linear_regression::REPORTS,
        logistic_regression::REPORTS,
        drivers::REPORTS,
        of_moments::REPORTS,
        train_model::REPORTS,
        compare_groups::REPORTS,
        independence::REPORTS,
        impact::REPORTS,
        pain::REPORTS,
        rake::REPORTS,
        text_groups::REPORTS,
        prediction::REPORTS,
        rank_correlation::REPORTS,
        resolve_records::REPORTS,
        rfm::REPORTS,
        survival::REPORTS,
        diff_in_diff::REPORTS,
        uplift::REPORTS,
        value_of_point::REPORTS,
        mediation::REPORTS,
        customer_value::REPORTS,
        cohort_retention::REPORTS,
        journeys::REPORTS,
        trend::REPORTS,
        trending_terms::REPORTS,
        suggest_tags::REPORTS,
    ]
    .into_iter()
    .flatten()
    .map(|report| report::entry(*report, SECTION))
    .collect()
}

const fn required(name: &'static str, takes: Takes) -> Parameter {
    Parameter { name, takes, required: true }
}

const fn optional(name: &'static str, takes: Takes) -> Parameter {
    Parameter { name, takes, required: false }
}

/// The names of columns as the kernels take them.
fn borrowed(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}
