//! One file into data files of the target, uncommitted.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::{Column as PlanColumn, DFSchema};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use futures::TryStreamExt;

use super::Progress;
use super::bisect::{Evaluated, RowByRow, is_row_by_row};
use super::files::SourceFile;
use super::job::Job;
use super::rejects::{self, Reject};
use super::source_table::{SlotTable, SourceTable, numbered, numbered_schema};
use crate::catalog::Table;
use crate::error::{Error, ErrorKind, Result};
use crate::planning::{Planner, ROW_COLUMN};
use crate::source::{BadRow, OpenFile};
use crate::table::DeltaTable;
use crate::table::contract::Contract;
use crate::table::expectations;
use crate::table::load::{
    ColumnMapping, Destination, Loaded, OnViolation, RejectedRow, refuse_flood, row_number, write_batch,
    write_plan,
};
use crate::table::snapshot::TableSnapshot;
use crate::table::tally::RuleOutcome;
use crate::table::write::{TableWriter, Written};
use crate::warehouse::Warehouse;

pub(super) struct FileLoader<'a> {
    pub(super) warehouse: &'a Warehouse,
    pub(super) planner: &'a dyn Planner,
    pub(super) job: &'a Job,
    pub(super) target: &'a Arc<DeltaTable>,
    pub(super) base: &'a Arc<TableSnapshot>,
    /// Shared by the files of a batch: a key counts for all of them.
    pub(super) contract: &'a Arc<Contract>,
    pub(super) progress: &'a Arc<dyn Progress>,
}

pub(super) struct LoadedFile {
    pub(super) written: Written,
    pub(super) rejects: Vec<Reject>,
    /// How the expectations fared.
    pub(super) expected: Vec<RuleOutcome>,
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
}

impl Setback {
    fn before_rows(error: Error) -> Self {
        Setback::Failed { error, checked_rows: false, expected: Vec::new() }
    }

    fn after_rows(error: Error) -> Self {
        Setback::Failed { error, checked_rows: true, expected: Vec::new() }
    }

    pub(super) fn outcomes(&self) -> &Vec<RuleOutcome> {
        const NONE: &Vec<RuleOutcome> = &Vec::new();
        match self {
            Setback::Failed { expected, .. } => expected,
            Setback::NeedsRowByRow => NONE,
        }
    }
}

impl FileLoader<'_> {
    pub(super) async fn load(&self, file: &SourceFile) -> Result<LoadedFile, Setback> {
        let open = self.open(file).await.map_err(Setback::before_rows)?;
        let progress = Arc::clone(self.progress);
        let source =
            Arc::new(SourceTable::new(&open, file.meta.size, progress).map_err(Setback::before_rows)?);
        let (plan, traces_rows) =
            self.plan(&open, Arc::clone(&source) as _).await.map_err(Setback::before_rows)?;
        let destination = Destination {
            delta: Arc::clone(self.target),
            base: Arc::clone(self.base),
            contract: Arc::clone(self.contract),
            taken: None,
        };
        let written = write_plan(
            &destination,
            &self.job.table,
            &self.planner.session_state(),
            plan.clone(),
            traces_rows.then_some(ROW_COLUMN),
            OnViolation::Reject,
        )
        .await;
        match written {
            Ok(loaded) => self.finish(&open, loaded, source.take_bad_rows()).await,
            Err(error) if error.kind().concerns_a_row() && traces_rows && !self.contract.has_refused() => {
                match is_row_by_row(&plan).map_err(Setback::after_rows)? {
                    true => Err(Setback::NeedsRowByRow),
                    false => Err(Setback::after_rows(error)),
                }
            }
            Err(error) => Err(Setback::after_rows(error)),
        }
    }

    /// As [`load`](Self::load), setting aside the rows that the query cannot evaluate. Slower, and the rows
    /// keep the order of the file.
    pub(super) async fn load_row_by_row(&self, file: &SourceFile) -> Result<LoadedFile, Setback> {
        let open = self.open(file).await.map_err(Setback::before_rows)?;
        let (loaded, bad_rows) = self.evaluate_rows(&open).await.map_err(Setback::after_rows)?;
        self.finish(&open, loaded, bad_rows).await
    }

    async fn finish(
        &self,
        open: &OpenFile,
        loaded: Loaded,
        bad_rows: Vec<BadRow>,
    ) -> Result<LoadedFile, Setback> {
        let expected = self.examine(&loaded.written).await.map_err(Setback::after_rows)?;
        if let Some(error) = expectations::refusal(&self.job.table, &expected) {
            return Err(Setback::Failed { error, checked_rows: true, expected });
        }
        let LoadedFile { written, rejects, .. } =
            finish(open, loaded, bad_rows).await.map_err(Setback::after_rows)?;
        Ok(LoadedFile { written, rejects, expected })
    }

    /// Asks what the table expects of a load about what was written.
    async fn examine(&self, written: &Written) -> Result<Vec<RuleOutcome>> {
        if !self.job.is_whole_load() {
            return Ok(Vec::new());
        }
        let (storage, table) = (self.warehouse.storage(), &self.job.table);
        expectations::examine(self.planner, storage, table, self.base, &written.files()).await
    }

    async fn evaluate_rows(&self, open: &OpenFile) -> Result<(Loaded, Vec<BadRow>)> {
        let schema = numbered_schema(&open.schema)?;
        let source = Arc::new(SlotTable::new(Arc::clone(&schema)));
        let slot = source.slot();
        let (plan, _) = self.plan(open, source).await?;
        let mapping = ColumnMapping::by_name(&self.job.table, plan.schema().inner(), Some(ROW_COLUMN))?;
        let evaluator = RowByRow::new(self.planner.session_state(), &plan, slot).await?;
        let mut rows = Rows {
            writer: TableWriter::new(self.target, self.base, Arc::clone(self.contract.schema()))?,
            contract: self.contract,
            mapping,
            rejected: Vec::new(),
            bad_rows: Vec::new(),
        };
        match rows.read(open, &schema, &evaluator).await {
            Ok(()) => {
                let written = rows.writer.finish().await?;
                Ok((Loaded { written, rejected: rows.rejected }, rows.bad_rows))
            }
            Err(error) => {
                rows.writer.abort().await;
                Err(error)
            }
        }
    }

    async fn open(&self, file: &SourceFile) -> Result<OpenFile> {
        let format = self.job.format_of(&file.meta.location)?;
        format.open(Arc::clone(&self.job.store), &file.meta, &self.job.options).await
    }

    /// The plan over a file, with the defaults of columns that it does not give; and whether its rows can be
    /// traced to the file.
    async fn plan(
        &self,
        file: &OpenFile,
        source: Arc<dyn datafusion::catalog::TableProvider>,
    ) -> Result<(LogicalPlan, bool)> {
        let planned = self.planner.plan_pipe(&self.job.role, self.job.query.as_deref(), source).await;
        let planned = planned.map_err(|error| with_columns_of_file(error, &file.schema))?;
        let plan = with_defaults(planned.plan, &self.job.table, self.planner)?;
        check_required(&plan, &self.job.table)?;
        Ok((plan, planned.traces_rows))
    }
}

/// The rows of a file that is loaded row by row.
struct Rows<'a> {
    writer: TableWriter,
    contract: &'a Contract,
    mapping: ColumnMapping,
    rejected: Vec<RejectedRow>,
    bad_rows: Vec<BadRow>,
}

impl Rows<'_> {
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
                    let (mapping, on_violation) = (&self.mapping, OnViolation::Reject);
                    let rejected = &mut self.rejected;
                    write_batch(&mut self.writer, self.contract, batch, mapping, on_violation, rejected)
                        .await?;
                }
            }
            Evaluated::BadRow(row, error) => {
                let row_number = (row.num_rows() == 1).then(|| row_number(&row, row.num_columns() - 1, 0));
                self.rejected.push(RejectedRow { row_number, error });
            }
        }
        refuse_flood(self.rejected.len())
    }
}

async fn finish(open: &OpenFile, loaded: Loaded, bad_rows: Vec<BadRow>) -> Result<LoadedFile> {
    refuse_flood(loaded.rejected.len() + bad_rows.len())?;
    let rejects = rejects::of_file(open, loaded.rejected, bad_rows).await?;
    Ok(LoadedFile { written: loaded.written, rejects, expected: Vec::new() })
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
