//! What each kind of statement does.

pub mod call;
pub mod constraint;
pub mod copy;
pub mod cursor;
pub mod ddl;
pub mod describe;
pub mod dml;
pub mod explain;
pub mod external;
pub mod grant;
pub mod identity;
pub mod literal;
pub mod origin;
pub mod pipe;
pub mod prepared;
mod replay;
pub mod role;
pub mod schedule;
pub mod session;
pub mod settings;
pub mod table_options;
pub mod text;
pub mod train;
pub mod transaction;
pub mod typing;
pub mod upkeep;
pub mod utility;

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;

use crate::wire::backend::Outcome;

/// An answer that is known already.
pub(crate) fn rows(verb: &'static str, batch: RecordBatch) -> Outcome {
    let schema = batch.schema();
    let stream = futures::stream::once(async move { Ok(batch) });
    Outcome::Rows { verb, rows: Box::pin(RecordBatchStreamAdapter::new(schema, stream)) }
}

/// Lines of text under one heading.
pub(crate) fn text_rows(
    verb: &'static str,
    heading: &str,
    lines: impl IntoIterator<Item = String>,
) -> voxhouse_engine::Result<Outcome> {
    let column: arrow::array::StringArray = lines.into_iter().map(Some).collect();
    let batch = RecordBatch::try_new(crate::session::text_column(heading), vec![Arc::new(column)])?;
    Ok(rows(verb, batch))
}
