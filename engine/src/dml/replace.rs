//! Rows in the place of some files of one version of a table: how kept relations are brought up to date.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::logical_expr::LogicalPlan;

use super::Dml;
use crate::catalog::Table;
use crate::error::Result;
use crate::table::changes::{Changes, Depends, several};
use crate::table::snapshot::TableSnapshot;

impl Dml<'_> {
    /// Takes files away and adds the rows of plans, one after the other, in one commit on top of exactly `base`: if
    /// another writer was quicker, it is refused with [`crate::ErrorKind::SerializationFailure`] and nothing has
    /// changed. `still_holds` is asked before the commit. Returns the number of rows added.
    pub async fn replace_files(
        &self,
        table: &Table,
        base: &Arc<TableSnapshot>,
        removed: HashSet<String>,
        plans: Vec<LogicalPlan>,
        still_holds: impl FnOnce() -> Result<()>,
    ) -> Result<u64> {
        self.require_writable(table, base).await?;
        let contract = self.contract(table, base, |file| !removed.contains(file)).await?;
        let (mut added, mut rows) = (Vec::new(), 0);
        for plan in plans {
            let (files, written) = self.write(base, table, &contract, plan, None).await?;
            added.extend(files);
            rows += written;
        }
        still_holds()?;
        let changes = Changes {
            removed,
            added,
            rows,
            depends: Depends::OnTable,
            operation: several(),
            warned: Vec::new(),
        };
        if !changes.is_empty() {
            let delta = self.warehouse.delta(table)?;
            self.commit(table, &delta, base, changes).await?;
        }
        Ok(rows)
    }
}
