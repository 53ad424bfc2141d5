//! One file into data files of the target, uncommitted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::common::{Column as PlanColumn, DFSchema};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use futures::TryStreamExt;

use super::Progress;
use super::bisect::{Evaluated, RowByRow, is_row_by_row};
use super::columns::{Alteration, Fit, fit, named_by_table, named_plainly};
use super::envelope::{Changes, unwrapped};
use super::files::SourceFile;
use super::gather::{Gathered, Gatherer, Intake};
use super::job::Job;
use super::rejects::{self, Reject};
use super::source_table::{SlotTable, SourceTable, counted, numbered, numbered_schema};
use super::spool::Spooled;
use crate::catalog::{Constraint, Table};
use crate::error::{Error, ErrorKind, Result, find_store};
use crate::planning::{Planner, ROW_COLUMN};
use crate::source::{BadRow, OpenFile};
use crate::table::expectations;
use crate::table::load::{ColumnMapping, refuse_flood, row_number, sorted};
use crate::table::tally::RuleOutcome;

pub(super) struct FileLoader {
    pub(super) planner: Arc<dyn Planner>,
    pub(super) job: Arc<Job>,
    /// Of this file alone, unless there are keys, which count for all files of the batch.
    pub(super) intake: Arc<Intake>,
    pub(super) progress: Arc<dyn Progress>,
}

pub(super) struct LoadedFile {
    pub(super) spooled: Spooled,
    pub(super) rows: u64,
    pub(super) rejects: Vec<Reject>,
    /// What was read, whatever became of it.
    pub(super) records: u64,
    /// How the expectations fared.
    expected: Vec<RuleOutcome>,
}

/// What became of a file, and how the rules fared with its rows.
pub(super) struct Tried {
    pub(super) outcome: Result<LoadedFile, Setback>,
    pub(super) rules: Vec<RuleOutcome>,
}

pub(super) enum Setback {
    Failed {
        error: Error,
        /// Whether the contract has met rows of the file, and so holds keys that are in no table.
        checked_rows: bool,
        /// How the expectations fared, if it came to that.
        expected: Vec<RuleOutcome>,
    },
    /// A row cannot be evaluated. The file loads row by row, with a contract that has not met it.
    NeedsRowByRow,
    /// The table needs these columns first.
    NeedsColumns(Vec<Alteration>),
}

impl Setback {
    fn before_rows(error: Error) -> Self {
        Setback::Failed { error, checked_rows: false, expected: Vec::new() }
    }

    fn after_rows(error: Error) -> Self {
        Setback::Failed { error, checked_rows: true, expected: Vec::new() }
    }
}

/// A file that is open, and how its rows become those of the table.
struct Opened {
    file: OpenFile,
    records: Arc<AtomicU64>,
    changes: Option<Arc<Changes>>,
}

/// A plan over a file.
struct Planned {
    plan: LogicalPlan,
    /// Whether its rows can be traced to the file.
    traces_rows: bool,
}

impl FileLoader {
    /// Loads one file, row by row if its rows cannot be evaluated together; where keys are counted, the batch ends
    /// first. `place` is the file's own in the batch.
    pub(super) async fn try_load(&self, file: &SourceFile, place: usize, row_by_row: bool) -> Tried {
        if row_by_row {
            return self.told(self.load_row_by_row(file, place).await);
        }
        self.progress.file_started(&file.name, file.meta.size);
        let outcome = match self.load(file, place).await {
            Err(Setback::NeedsRowByRow) if !self.intake.contract.has_keys() => {
                // The rows are counted anew.
                self.intake.take_outcomes();
                self.load_row_by_row(file, place).await
            }
            outcome => outcome,
        };
        self.told(outcome)
    }

    fn told(&self, outcome: Result<LoadedFile, Setback>) -> Tried {
        let counted = self.intake.take_outcomes();
        let expected = match &outcome {
            Ok(LoadedFile { expected, .. }) | Err(Setback::Failed { expected, .. }) => expected.clone(),
            // It is loaded again.
            Err(Setback::NeedsRowByRow | Setback::NeedsColumns(_)) => {
                return Tried { outcome, rules: Vec::new() };
            }
        };
        Tried { outcome, rules: counted.into_iter().chain(expected).collect() }
    }

    async fn load(&self, file: &SourceFile, place: usize) -> Result<LoadedFile, Setback> {
        let mut opened = self.open(file).await.map_err(Setback::before_rows)?;
        let progress = Arc::clone(&self.progress);
        let bytes = file.meta.size;
        let read = |open: &OpenFile| {
            let source = Arc::new(SourceTable::new(open, bytes, Arc::clone(&progress))?);
            Ok((Arc::clone(&source) as Arc<dyn TableProvider>, source))
        };
        let (planned, source) = self.plan(&mut opened, read).await?;
        let mapping = self.mapping(&planned).map_err(Setback::before_rows)?;
        let state = self.planner.session_state();
        // Rows of a small file are sorted with those of the others.
        let plan = match source.is_small() {
            true => planned.plan.clone(),
            false => {
                sorted(planned.plan.clone(), &self.job.table.cluster_by).map_err(Setback::before_rows)?
            }
        };
        let new = || Gatherer::new(&self.intake, &state, mapping.clone(), place, opened.changes.clone());
        let is_refused = || self.intake.contract.has_refused();
        match Gatherer::gather(&plan, &state, new).await {
            Ok(gathered) => self.finish(&opened, gathered, source.take_bad_rows()).await,
            Err(error) if error.kind().concerns_a_row() && planned.traces_rows && !is_refused() => {
                match is_row_by_row(&planned.plan).map_err(Setback::after_rows)? {
                    true => Err(Setback::NeedsRowByRow),
                    false => Err(Setback::after_rows(error)),
                }
            }
            Err(error) => Err(Setback::after_rows(error)),
        }
    }

    /// As [`load`](Self::load), setting aside the rows that the query cannot evaluate. Slower, and the rows
    /// keep the order of the file.
    async fn load_row_by_row(&self, file: &SourceFile, place: usize) -> Result<LoadedFile, Setback> {
        let mut opened = self.open(file).await.map_err(Setback::before_rows)?;
        let read = |open: &OpenFile| {
            let source = Arc::new(SlotTable::new(numbered_schema(&open.schema)?));
            Ok((Arc::clone(&source) as Arc<dyn TableProvider>, source))
        };
        let (planned, source) = self.plan(&mut opened, read).await?;
        let (gathered, bad_rows) =
            self.evaluate_rows(&opened, &planned, &source, place).await.map_err(Setback::after_rows)?;
        self.finish(&opened, gathered, bad_rows).await
    }

    /// Keeps the rows of a file, unless they are not what the table expects of a load.
    async fn finish(
        &self,
        opened: &Opened,
        gathered: Gathered,
        bad_rows: Vec<BadRow>,
    ) -> Result<LoadedFile, Setback> {
        let setback = match self.examine(&gathered).await {
            Ok(expected) => match expectations::refusal(&self.job.table, &expected) {
                Some(error) => Setback::Failed { error, checked_rows: true, expected },
                None => {
                    let loaded = finish(opened, gathered, bad_rows).await.map_err(Setback::after_rows)?;
                    return Ok(LoadedFile { expected, ..loaded });
                }
            },
            Err(error) => Setback::after_rows(error),
        };
        gathered.spooled.discard(&self.intake.place).await;
        Err(setback)
    }

    /// Asks what the table expects of a load about the rows of a file that would enter.
    async fn examine(&self, gathered: &Gathered) -> Result<Vec<RuleOutcome>> {
        let table = &self.job.table;
        if !self.job.is_whole_load() || !table.constraints.iter().any(Constraint::is_expectation) {
            return Ok(Vec::new());
        }
        let rows = gathered.view(&self.intake, table)?;
        let count = gathered.rows - gathered.deletions;
        expectations::examine_rows(self.planner.as_ref(), table, count, rows).await
    }

    async fn evaluate_rows(
        &self,
        opened: &Opened,
        planned: &Planned,
        source: &SlotTable,
        place: usize,
    ) -> Result<(Gathered, Vec<BadRow>)> {
        let schema = numbered_schema(&opened.file.schema)?;
        let state = self.planner.session_state();
        let evaluator = RowByRow::new(state.clone(), &planned.plan, source.slot()).await?;
        let mapping = self.mapping(planned)?;
        let gatherer = Gatherer::new(&self.intake, &state, mapping, place, opened.changes.clone());
        let mut rows = Rows { gatherer, bad_rows: Vec::new() };
        match rows.read(&opened.file, &schema, &evaluator).await {
            Ok(()) => Ok((rows.gatherer.finish().await?, rows.bad_rows)),
            Err(error) => {
                rows.gatherer.abort().await;
                Err(error)
            }
        }
    }

    async fn open(&self, file: &SourceFile) -> Result<Opened> {
        let format = self.job.format_of(&file.meta.location)?;
        let open = format.open(Arc::clone(&self.job.store), &file.meta, &self.job.options).await;
        let (open, records) = counted(open.map_err(if_gone)?);
        if !self.job.mode.is_change_feed() {
            return Ok(Opened { file: open, records, changes: None });
        }
        let (file, changes) = unwrapped(open, &self.job.table).await?;
        records.store(0, Ordering::Relaxed);
        Ok(Opened { file, records, changes: Some(changes) })
    }

    fn mapping(&self, planned: &Planned) -> Result<ColumnMapping> {
        let row_column = planned.traces_rows.then_some(ROW_COLUMN);
        if row_column.is_none() && self.job.mode.is_change_feed() {
            return Err(Error::not_supported("the query of a change feed cannot group or deduplicate")
                .with_detail("Each row must be traced to the event that tells what becomes of it."));
        }
        ColumnMapping::by_name(&self.job.table, planned.plan.schema().inner(), row_column)
    }

    /// The plan over a file, with the defaults of columns that it does not give. Headers are taken as they stand if
    /// the query knows them so.
    async fn plan<T>(
        &self,
        opened: &mut Opened,
        source: impl Fn(&OpenFile) -> Result<(Arc<dyn TableProvider>, T)> + Send,
    ) -> Result<(Planned, T), Setback> {
        let file = &mut opened.file;
        let query = self.job.query.as_deref();
        if query.is_none() {
            file.schema = named_by_table(&file.schema, &self.job.table).map_err(Setback::before_rows)?;
        }
        let (provider, table) = source(file).map_err(Setback::before_rows)?;
        let mut planned = (self.planner.plan_pipe(&self.job.role, query, provider).await, table);
        if let Err(error) = &planned.0
            && error.kind() == ErrorKind::UndefinedColumn
            && let Ok(Some(plain)) = named_plainly(&file.schema)
        {
            let exact = std::mem::replace(&mut file.schema, plain);
            let (provider, table) = source(file).map_err(Setback::before_rows)?;
            let again = self.planner.plan_pipe(&self.job.role, query, provider).await;
            match again.is_ok() {
                true => planned = (again, table),
                false => file.schema = exact,
            }
        }
        let (planned, table) = planned;
        let planned = planned
            .map_err(|error| Setback::before_rows(with_columns_of_file(error, &opened.file.schema)))?;
        let traces_rows = planned.traces_rows;
        Ok((Planned { plan: self.fitted(planned.plan)?, traces_rows }, table))
    }

    fn fitted(&self, plan: LogicalPlan) -> Result<LogicalPlan, Setback> {
        let table = &self.job.table;
        match fit(plan, table, &self.job.rules).map_err(Setback::before_rows)? {
            Fit::Alter(changes) => Err(Setback::NeedsColumns(changes)),
            Fit::Ready(plan) => {
                let plan = with_defaults(plan, table, self.planner.as_ref()).map_err(Setback::before_rows)?;
                check_required(&plan, table).map_err(Setback::before_rows)?;
                Ok(plan)
            }
        }
    }
}

/// The rows of a file that is loaded row by row.
struct Rows {
    gatherer: Gatherer,
    bad_rows: Vec<BadRow>,
}

impl Rows {
    async fn read(&mut self, file: &OpenFile, schema: &SchemaRef, evaluator: &RowByRow) -> Result<()> {
        for split in &file.splits {
            let mut batches = split.read();
            while let Some(mut source) = batches.try_next().await? {
                self.bad_rows.append(&mut source.bad_rows);
                refuse_flood(self.bad_rows.len())?;
                let mut parts = evaluator.over(numbered(schema, &source)?);
                while let Some(part) = parts.next().await? {
                    self.take(part).await?;
                }
            }
        }
        Ok(())
    }

    async fn take(&mut self, part: Evaluated) -> Result<()> {
        match part {
            Evaluated::Rows(batches) => {
                for batch in &batches {
                    self.gatherer.take(batch).await?;
                }
                Ok(())
            }
            Evaluated::BadRow(row, error) => {
                let row_number = (row.num_rows() == 1).then(|| row_number(&row, row.num_columns() - 1, 0));
                self.gatherer.reject(row_number, error)
            }
        }
    }
}

async fn finish(opened: &Opened, gathered: Gathered, bad_rows: Vec<BadRow>) -> Result<LoadedFile> {
    let records = opened.records.load(Ordering::Relaxed);
    refuse_flood(gathered.rejected.len() + bad_rows.len())?;
    let rejects = rejects::of_file(&opened.file, gathered.rejected, bad_rows).await?;
    let (spooled, rows) = (gathered.spooled, gathered.rows);
    Ok(LoadedFile { spooled, rows, rejects, records, expected: Vec::new() })
}

/// A file that is no longer there when its turn comes.
pub(super) fn if_gone(error: Error) -> Error {
    match find_store(&error) {
        Some(object_store::Error::NotFound { .. }) => gone().with_source(error),
        _ => error,
    }
}

/// The fate of a file that is deleted before its turn.
pub(super) fn gone() -> Error {
    Error::new(ErrorKind::StorageIo, "the file disappeared before it was loaded")
}

fn with_columns_of_file(error: Error, file: &SchemaRef) -> Error {
    if error.kind() != ErrorKind::UndefinedColumn || error.hint().is_some() {
        return error;
    }
    let names: Vec<&str> = file.fields().iter().map(|field| field.name().as_str()).collect();
    error.with_hint(format!("The columns of the file are {}.", names.join(", ")))
}

fn with_defaults(plan: LogicalPlan, table: &Table, planner: &dyn Planner) -> Result<LogicalPlan> {
    let mut defaults = Vec::new();
    for column in &table.columns {
        if let Some(default) = &column.default
            && !plan.schema().has_column_with_unqualified_name(&column.name)
        {
            defaults.push(planner.plan_expression(default, &DFSchema::empty())?.alias(&column.name));
        }
    }
    if defaults.is_empty() {
        return Ok(plan);
    }
    let given = plan.schema().iter().map(|field| Expr::Column(PlanColumn::from(field)));
    let columns: Vec<Expr> = given.chain(defaults).collect();
    Ok(LogicalPlanBuilder::from(plan).project(columns)?.build()?)
}

/// A column that must have a value and gets none would reject every row with the same words.
fn check_required(plan: &LogicalPlan, table: &Table) -> Result<()> {
    let key = table.primary_key().unwrap_or_default();
    for column in &table.columns {
        if (column.not_null || key.contains(&column.name))
            && !plan.schema().has_column_with_unqualified_name(&column.name)
        {
            let given: Vec<&str> = plan
                .schema()
                .fields()
                .iter()
                .map(|field| field.name().as_str())
                .filter(|name| *name != ROW_COLUMN)
                .collect();
            return Err(Error::new(
                ErrorKind::UndefinedColumn,
                format!("column \"{}\" of relation \"{}\" is missing", column.name, table.name.name),
            )
            .with_detail("The column is NOT NULL and has no default.")
            .with_hint(format!("The columns given are {}.", given.join(", "))));
        }
    }
    Ok(())
}
