//! Putting files in the place of others that hold the same rows.
//!
//! No row changes, so readers of an older version go on with the old files until VACUUM, and writers that worked out
//! their changes meanwhile need not do so again unless just their files were rewritten.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::execute_stream;
use deltalake_core::kernel::{Action, Add};
use deltalake_core::protocol::DeltaOperation;
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use serde_json::{Value, json};

use super::load::sorted;
use super::scan::TableScan;
use super::snapshot::{TableSnapshot, added_path};
use super::write::TableWriter;
use super::zorder::Curve;
use super::{CommitInfo, DeltaTable};
use crate::error::{Error, ErrorKind, Result};

/// How often a commit of rewritten files is tried again after other writers were quicker.
const ATTEMPTS: u32 = 12;
/// More commits than this are not looked through one by one.
const MOST_COMMITS: u64 = 64;

/// In which order rows are written.
#[derive(Debug, Clone)]
pub enum Order {
    /// By these columns, as far as the table has them; by none, as they come.
    Columns(Vec<String>),
    Curve(Arc<Curve>),
}

impl Order {
    fn apply(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        match self {
            Order::Columns(columns) => sorted(plan, columns),
            Order::Curve(curve) => curve.sorted(plan),
        }
    }
}

/// Files, and those that hold the same rows.
#[derive(Debug, Clone, Default)]
pub struct Rewritten {
    pub removed: HashSet<String>,
    pub removed_bytes: u64,
    pub added: Vec<Add>,
}

impl Rewritten {
    fn added_bytes(&self) -> u64 {
        self.added.iter().map(|add| add.size.max(0) as u64).sum()
    }
}

/// What a commit of rewritten files did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swapped {
    pub version: Option<u64>,
    pub files_removed: u64,
    pub files_added: u64,
    pub bytes_removed: u64,
    pub bytes_added: u64,
    /// Rewrites that were given up, because another writer has taken away one of their files.
    pub abandoned: u64,
}

impl Swapped {
    pub fn add(&mut self, other: Swapped) {
        self.version = other.version.or(self.version);
        self.files_removed += other.files_removed;
        self.files_added += other.files_added;
        self.bytes_removed += other.bytes_removed;
        self.bytes_added += other.bytes_added;
        self.abandoned += other.abandoned;
    }

    fn count(&mut self, rewritten: &Rewritten) {
        self.files_removed += rewritten.removed.len() as u64;
        self.files_added += rewritten.added.len() as u64;
        self.bytes_removed += rewritten.removed_bytes;
        self.bytes_added += rewritten.added_bytes();
    }

    /// Under the names that other programs give them.
    fn metrics(&self) -> Value {
        json!({
            "numFilesAdded": self.files_added,
            "numFilesRemoved": self.files_removed,
            "numAddedBytes": self.bytes_added,
            "numRemovedBytes": self.bytes_removed,
        })
    }
}

impl DeltaTable {
    /// Writes the rows of some files into new ones. Nothing is committed; sorts that do not fit into memory spill.
    pub async fn rewrite(
        &self,
        base: &Arc<TableSnapshot>,
        files: &HashSet<String>,
        order: &Order,
        state: &SessionState,
    ) -> Result<Rewritten> {
        // With the columns of the log, whatever the catalog knows of them.
        self.rewrite_as(base, files, base.schema(), order, state).await
    }

    /// The same, with these columns.
    pub(super) async fn rewrite_as(
        &self,
        base: &Arc<TableSnapshot>,
        files: &HashSet<String>,
        schema: SchemaRef,
        order: &Order,
        state: &SessionState,
    ) -> Result<Rewritten> {
        let plan = order.apply(self.rows_of(base, files, Arc::clone(&schema))?)?;
        let physical = state.create_physical_plan(&plan).await?;
        let mut rows = execute_stream(physical, state.task_ctx())?;
        let mut writer = TableWriter::new(self, base, schema)?;
        let outcome = async {
            while let Some(batch) = rows.try_next().await? {
                writer.write(&batch).await?;
            }
            Ok(())
        }
        .await;
        if let Err(error) = outcome {
            writer.abort().await;
            return Err(error);
        }
        let written = writer.finish().await?;
        let mut rewritten = Rewritten { removed: files.clone(), ..Rewritten::default() };
        for action in written.adds {
            if let Action::Add(add) = action {
                rewritten.added.push(Add { data_change: false, ..add });
            }
        }
        let old: Vec<_> =
            base.files()?.iter().filter(|file| files.contains(file.path.as_ref())).cloned().collect();
        rewritten.removed_bytes = old.iter().map(|file| file.size).sum();
        if old.iter().map(|file| file.rows).sum::<Option<u64>>().is_some_and(|rows| rows != written.rows) {
            self.discard(&[rewritten]).await;
            return Err(Error::new(
                ErrorKind::DataCorrupted,
                "data files do not hold as many rows as the log says",
            )
            .with_detail(format!("Nothing was changed in the table at \"{}\".", self.location())));
        }
        Ok(rewritten)
    }

    /// The curve through some columns of the rows of some files.
    pub async fn curve(
        &self,
        base: &Arc<TableSnapshot>,
        files: &HashSet<String>,
        columns: &[String],
        state: &SessionState,
    ) -> Result<Curve> {
        Curve::learn(self.rows_of(base, files, base.schema())?, columns, state).await
    }

    fn rows_of(
        &self,
        base: &Arc<TableSnapshot>,
        files: &HashSet<String>,
        schema: SchemaRef,
    ) -> Result<LogicalPlan> {
        let scan = TableScan::new(self.storage(), self.location(), Arc::clone(base), schema)?;
        let source = provider_as_source(Arc::new(scan.only_files(files)));
        Ok(LogicalPlanBuilder::scan("rewritten", source, None)?.build()?)
    }

    /// Commits those of the rewrites whose files are all still there; removes the new files of the others.
    pub async fn swap(
        &self,
        base: &TableSnapshot,
        mut rewrites: Vec<Rewritten>,
        info: CommitInfo,
    ) -> Result<Swapped> {
        let _turn = self.commit_queue.lock().await;
        let mut attempt = 0;
        let mut abandoned = 0;
        loop {
            let latest = self.snapshot().await?;
            let (kept, disturbed) = undisturbed(base, &latest, rewrites)?;
            abandoned += disturbed.len() as u64;
            self.discard(&disturbed).await;
            rewrites = kept;
            let mut swapped = Swapped { abandoned, ..Swapped::default() };
            if rewrites.is_empty() {
                return Ok(swapped);
            }
            rewrites.iter().for_each(|rewritten| swapped.count(rewritten));
            let mut info = info.clone();
            info.metadata.insert("operationMetrics".to_owned(), swapped.metrics());
            let operation = DeltaOperation::Optimize {
                predicate: None,
                target_size: i64::try_from(latest.options().target_file_bytes).unwrap_or(i64::MAX),
            };
            match self.commit_once(&latest, actions(&latest, &rewrites), operation, &info).await {
                Ok(version) => return Ok(Swapped { version: Some(version), ..swapped }),
                Err(error) if error.kind() == ErrorKind::SerializationFailure && attempt < ATTEMPTS => {
                    attempt += 1;
                    tokio::time::sleep(super::jitter(attempt)).await;
                }
                Err(error) => {
                    if error.kind() == ErrorKind::SerializationFailure {
                        self.discard(&rewrites).await;
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Removes files that no commit names. What cannot be removed is left to VACUUM.
    pub async fn discard(&self, rewrites: &[Rewritten]) {
        for add in rewrites.iter().flat_map(|rewritten| &rewritten.added) {
            let path = self.storage().file(self.location(), &added_path(add));
            match self.storage().store().delete(&path).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => tracing::warn!(%path, %error, "removing a file of a rewrite that was given up"),
            }
        }
    }

    /// Whether every commit between two versions has only put files in the place of others, none of them among
    /// `removed`: then what was worked out from the older one holds for the newer.
    pub(super) async fn is_only_rearranged(
        &self,
        base: &TableSnapshot,
        latest: &TableSnapshot,
        removed: &HashSet<String>,
    ) -> Result<bool> {
        if latest.version().saturating_sub(base.version()) > MOST_COMMITS || !latest.has_definition_of(base) {
            return Ok(false);
        }
        for version in base.version() + 1..=latest.version() {
            let Some(bytes) = self.log_store().read_commit_entry(version).await? else { return Ok(false) };
            let actions = deltalake_core::logstore::get_actions(version, &bytes)?;
            if !actions.iter().all(rearranges) {
                return Ok(false);
            }
        }
        latest.holds(removed)
    }
}

fn rearranges(action: &Action) -> bool {
    match action {
        Action::Add(add) => !add.data_change,
        Action::Remove(remove) => !remove.data_change,
        Action::CommitInfo(_) => true,
        _ => false,
    }
}

/// The rewrites that still hold in the newest version, and the others.
fn undisturbed(
    base: &TableSnapshot,
    latest: &TableSnapshot,
    rewrites: Vec<Rewritten>,
) -> Result<(Vec<Rewritten>, Vec<Rewritten>)> {
    if base.version() == latest.version() {
        return Ok((rewrites, Vec::new()));
    }
    if !latest.has_definition_of(base) {
        return Ok((Vec::new(), rewrites));
    }
    let files = latest.files()?;
    let there: HashSet<&str> = files.iter().map(|file| file.path.as_ref()).collect();
    let holds = |rewritten: &Rewritten| rewritten.removed.iter().all(|path| there.contains(path.as_str()));
    Ok(rewrites.into_iter().partition(holds))
}

fn actions(latest: &TableSnapshot, rewrites: &[Rewritten]) -> Vec<Action> {
    let removed: HashSet<String> = rewrites.iter().flat_map(|rewritten| rewritten.removed.clone()).collect();
    let mut actions = latest.rearranged_actions(&removed);
    actions.extend(rewrites.iter().flat_map(|rewritten| rewritten.added.clone()).map(Action::Add));
    actions
}

/// What the log keeps of an action of upkeep: who asked for what, and when it began.
pub fn upkeep_info(kind: &str, role: &str, statement: &str, started_ms: i64) -> CommitInfo {
    let metadata: HashMap<String, Value> = [
        (KIND_KEY.to_owned(), kind.into()),
        (STARTED_KEY.to_owned(), started_ms.into()),
        ("role".to_owned(), role.into()),
        ("statement".to_owned(), statement.into()),
    ]
    .into();
    CommitInfo { application: None, metadata }
}

/// Keys of a commit's metadata.
pub const KIND_KEY: &str = "voxhouse.maintenance";
pub const STARTED_KEY: &str = "voxhouse.started";

#[cfg(test)]
mod tests;
