//! Time zones in queries.

mod dates;
mod functions;
mod local;
mod rule;
mod syntax;

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

pub(in crate::query) use dates::truncate_instants;
pub(in crate::query) use functions::clock_type;
pub use rule::SessionZone;
pub use syntax::rewrite;

/// The function behind `AT TIME ZONE`.
pub fn timezone() -> Arc<ScalarUDF> {
    functions::function(functions::Kind::Timezone)
}
