//! MERGE through delta-rs: one pass over the target, one commit.

use datafusion::sql::sqlparser::ast::Merge;
use voxhouse_engine::dml::Dml;
use voxhouse_engine::{Error, Result};

use crate::query::QueryContext;

pub async fn run(_context: &QueryContext, _dml: &Dml<'_>, _merge: &Merge) -> Result<u64> {
    Err(Error::not_supported("MERGE is not supported"))
}
