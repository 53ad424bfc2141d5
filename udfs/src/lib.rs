//! The functions of Voxhouse: text, scores, statistics.
//!
//! [`entries`] is the one list of them. Registration, `system.functions`, the reference in `docs/` and the
//! conformance suite are all read from it, so a function is added by writing its file and naming the file
//! here.
//!
//! A function file holds, in this order: what it computes and by which source, its entries, and a kernel
//! that knows neither Arrow nor DataFusion. The shells `scalar` and `aggregate` carry every kernel over
//! Arrow arrays.
//!
//! Architecture invariant: nothing here does I/O, and the only state is what users teach, [`knowledge`]: one
//! immutable value a warehouse, swapped whole.

mod aggregate;
mod analysis;
mod answers;
mod distances;
mod e_value;
mod entry;
mod hash;
mod id_key;
#[allow(
    dead_code,
    reason = "kernels are whole: states merge, travel and tell their size whether or not a function of SQL asks"
)]
mod identity;
#[allow(
    dead_code,
    reason = "kernels are whole: states merge, travel and tell their size whether or not a function of SQL asks"
)]
mod inference;
#[allow(
    dead_code,
    reason = "kernels are whole: states merge, travel and tell their size whether or not a function of SQL asks"
)]
mod journey;
mod keywords;
pub mod knowledge;
mod labels;
mod mean;
mod normal;
mod nps;
mod only_value;
mod opinion_rows;
#[allow(
    dead_code,
    reason = "kernels are whole: states merge, travel and tell their size whether or not a function of SQL asks"
)]
mod opinions;
mod personal_data;
mod predict;
mod privacy;
mod profile;
mod refusals;
#[allow(
    dead_code,
    reason = "kernels are whole: states merge, travel and tell their size whether or not a function of SQL asks"
)]
mod regression;
mod report;
mod row_lists;
mod scalar;
mod script;
mod scripts;
mod search;
mod searching;
#[allow(
    dead_code,
    reason = "kernels are whole: states merge, travel and tell their size whether or not a function of SQL asks"
)]
mod sentiment;
mod sentiment_scores;
mod sequences;
mod sessions;
mod similarity;
mod stored_moments;
mod student;
mod tokenize;
mod top_share;
mod versions;
mod wilson;

#[cfg(test)]
mod conformance;

pub use entry::{Entry, Implementation, Kind};
pub use identity::resolver::Resolver;
pub use report::{IF_UNDEFINED, Parameter, Shape, Takes, aggregate_name};

use std::sync::Arc;

use datafusion::execution::FunctionRegistry;
use knowledge::Taught;

/// Every function of this crate, in the order the reference lists them.
pub fn entries() -> Vec<Entry> {
    [
        tokenize::entries(),
        keywords::entries(),
        sentiment_scores::entries(),
        nps::entries(),
        top_share::entries(),
        only_value::entries(),
        mean::entries(),
        id_key::entries(),
        searching::entries(),
        opinion_rows::entries(),
        scripts::entries(),
        distances::entries(),
        personal_data::entries(),
        sequences::entries(),
        sessions::entries(),
        e_value::entries(),
        predict::entries(),
        stored_moments::entries(),
        versions::entries(),
        labels::entries(),
        analysis::entries(),
        profile::entries(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Registers every function under its name, knowing what a warehouse has been taught. A function of the same name
/// that is already there gives way.
pub fn register_all(
    registry: &mut dyn FunctionRegistry,
    taught: &Arc<Taught>,
) -> datafusion::error::Result<()> {
    for entry in entries() {
        match entry.implementation {
            Implementation::Scalar(function) => {
                drop(registry.register_udf(scalar::knowing(function, taught))?)
            }
            Implementation::Aggregate(function) => drop(registry.register_udaf(function)?),
            Implementation::Window(function) => drop(registry.register_udwf(function)?),
            Implementation::Report(_, function) => {
                drop(registry.register_udaf(report::knowing(function, taught))?);
            }
        }
    }
    Ok(())
}
