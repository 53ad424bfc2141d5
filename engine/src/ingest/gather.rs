//! The rows of one file: checked, told apart into good ones and rejects, and gathered for the commit.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::TableProvider;
use datafusion::common::metadata::FieldMetadata;
use datafusion::datasource::ViewTable;
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, cast, ident};
use datafusion::physical_plan::execute_stream_partitioned;
use futures::TryStreamExt;
use tokio::task::JoinSet;

use super::envelope::{Change, Changes};
use super::job::Job;
use super::spool::{Place, Spool, Spooled};
use crate::catalog::Table;
use crate::error::{Error, Result};
use crate::planning::Planner;
use crate::table::DeltaTable;
use crate::table::contract::Contract;
use crate::table::load::{ColumnMapping, RejectedRow, refuse_flood};
use crate::table::snapshot::TableSnapshot;
use crate::table::tally::RuleOutcome;

/// Columns beside those of the table, where rows are to be compared with each other before they enter it.
pub(super) const DELETED: &str = "__deleted";
pub(super) const LSN: &str = "__lsn";
pub(super) const TS_MS: &str = "__ts_ms";
pub(super) const FILE: &str = "__batch_file";
pub(super) const LINE: &str = "__batch_line";

/// What the files of a batch have in common.
pub(super) struct Intake {
    /// Shared by the files: a key counts for all of them.
    pub(super) contract: Arc<Contract>,
    /// For rows that a change feed deletes, of which only the key need be there.
    deletions: Option<Contract>,
    pub(super) place: Place,
    /// Whether rows are compared by their key before they enter.
    keyed: bool,
}

impl Intake {
    pub(super) fn new(
        job: &Job,
        planner: &dyn Planner,
        target: &Arc<DeltaTable>,
        base: &Arc<TableSnapshot>,
        contract: Contract,
    ) -> Result<Self> {
        let (target, base) = (Arc::clone(target), Arc::clone(base));
        let Some(key) = job.mode.key() else {
            let schema = Arc::clone(contract.schema());
            let place = Place { target, base, schema };
            return Ok(Self { contract: Arc::new(contract), deletions: None, place, keyed: false });
        };
        let deletions = match job.mode.is_change_feed() {
            true => Some(Contract::new(&only_key(&job.table, key), planner)?),
            false => None,
        };
        let schema = Arc::new(compared_schema(&job.table));
        let place = Place { target, base, schema };
        Ok(Self { contract: Arc::new(contract), deletions, place, keyed: true })
    }

    /// The same for one file, which counts for itself how the rules fare with its rows. Keys stay those of the batch:
    /// its files are loaded one after the other, and each takes the counts away.
    pub(super) fn of_file(self: &Arc<Self>) -> Arc<Self> {
        let Some(contract) = self.contract.counting_apart() else { return Arc::clone(self) };
        let deletions = self.deletions.as_ref().and_then(Contract::counting_apart);
        Arc::new(Self {
            contract: Arc::new(contract),
            deletions,
            place: self.place.clone(),
            keyed: self.keyed,
        })
    }

    /// How the rules fared with the rows since the last time this was asked.
    pub(super) fn take_outcomes(&self) -> Vec<RuleOutcome> {
        let mut outcomes = self.contract.take_outcomes();
        for deleted in self.deletions.iter().flat_map(Contract::take_outcomes) {
            match outcomes.iter_mut().find(|outcome| outcome.rule == deleted.rule) {
                Some(outcome) => outcome.extend(deleted),
                None => outcomes.push(deleted),
            }
        }
        outcomes
    }
}

/// The table as an upsert checks rows: the key cannot be NULL, and what is in the table already is no obstacle.
pub(super) fn keyed_contract(table: &Table, key: &[String], planner: &dyn Planner) -> Result<Contract> {
    let mut table = table.clone();
    for column in table.columns.iter_mut().filter(|column| key.contains(&column.name)) {
        column.not_null = true;
    }
    Ok(Contract::new(&table, planner)?.without_keys())
}

fn only_key(table: &Table, key: &[String]) -> Table {
    let mut table = Table { constraints: Vec::new(), ..table.clone() };
    for column in &mut table.columns {
        column.not_null = key.contains(&column.name);
    }
    table
}

/// The columns of the table, nullable, and what is noted of each row.
fn compared_schema(table: &Table) -> Schema {
    let columns = table.storage_schema();
    let mut fields: Vec<Field> =
        columns.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    fields.push(Field::new(DELETED, DataType::Boolean, false));
    fields.extend([LSN, TS_MS].map(|name| Field::new(name, DataType::Int64, true)));
    fields.extend([FILE, LINE].map(|name| Field::new(name, DataType::Int64, false)));
    Schema::new(fields)
}

/// The good rows of a file and its rejects.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) spooled: Spooled,
    pub(super) rows: u64,
    /// Those of `rows` that tell of a row to delete.
    pub(super) deletions: u64,
    pub(super) rejected: Vec<RejectedRow>,
}

impl Gathered {
    fn extend(&mut self, other: Gathered) -> Result<()> {
        self.spooled.extend(other.spooled);
        self.rows += other.rows;
        self.deletions += other.deletions;
        self.rejected.extend(other.rejected);
        refuse_flood(self.rejected.len())
    }

    /// The rows that would enter the table, as its queries see them. They are read where they lie.
    pub(super) fn view(&self, intake: &Intake, table: &Table) -> Result<Arc<dyn TableProvider>> {
        let mut rows = LogicalPlanBuilder::from(self.spooled.plan(&intake.place)?);
        if intake.keyed {
            rows = rows.filter(ident(DELETED).is_not_true())?;
        }
        let schema = table.query_schema();
        let columns = schema.fields().iter().map(|field| {
            let value = cast(ident(field.name()), field.data_type().clone());
            value.alias_with_metadata(field.name(), Some(FieldMetadata::from(field.metadata())))
        });
        let rows = rows.project(columns.collect::<Vec<_>>())?.build()?;
        Ok(Arc::new(ViewTable::new(rows, None)))
    }
}

/// Takes the rows of one stream.
pub(super) struct Gatherer {
    intake: Arc<Intake>,
    spool: Spool,
    mapping: ColumnMapping,
    /// The place of the file in its batch.
    file: usize,
    changes: Option<Arc<Changes>>,
    lines: u64,
    gathered: Gathered,
}

impl Gatherer {
    pub(super) fn new(
        intake: &Arc<Intake>,
        state: &SessionState,
        mapping: ColumnMapping,
        file: usize,
        changes: Option<Arc<Changes>>,
    ) -> Self {
        let spool = Spool::new(intake.place.clone(), state);
        let intake = Arc::clone(intake);
        Self { intake, spool, mapping, file, changes, lines: 0, gathered: Gathered::default() }
    }

    /// Runs a plan on as many cores as it has partitions.
    pub(super) async fn gather(
        plan: &LogicalPlan,
        state: &SessionState,
        new: impl Fn() -> Self,
    ) -> Result<Gathered> {
        let physical = state.create_physical_plan(plan).await?;
        let mut streams = JoinSet::new();
        for rows in execute_stream_partitioned(physical, state.task_ctx())? {
            streams.spawn(new().read(rows));
        }
        let mut gathered = Gathered::default();
        while let Some(finished) = streams.join_next().await {
            // Dropping the set on an error stops the other streams.
            gathered
                .extend(finished.map_err(|error| Error::internal(format!("a reader stopped: {error}")))??)?;
        }
        Ok(gathered)
    }

    async fn read(mut self, mut rows: SendableRecordBatchStream) -> Result<Gathered> {
        let read = async {
            while let Some(batch) = rows.try_next().await? {
                self.take(&batch).await?;
            }
            Ok(())
        };
        match read.await {
            Ok(()) => self.finish().await,
            Err(error) => {
                self.abort().await;
                Err(error)
            }
        }
    }

    pub(super) async fn finish(self) -> Result<Gathered> {
        Ok(Gathered { spooled: self.spool.finish().await?, ..self.gathered })
    }

    pub(super) async fn abort(self) {
        self.spool.abort().await;
    }

    pub(super) fn reject(&mut self, row_number: Option<u64>, error: Error) -> Result<()> {
        self.gathered.rejected.push(RejectedRow { row_number, error });
        refuse_flood(self.gathered.rejected.len())
    }

    pub(super) async fn take(&mut self, batch: &RecordBatch) -> Result<()> {
        let first_line = self.lines;
        self.lines += batch.num_rows() as u64;
        let number = |row: usize| self.mapping.number_of(batch, row).unwrap_or(first_line + row as u64 + 1);
        let numbers: Vec<u64> = (0..batch.num_rows()).map(number).collect();
        let Some(changes) = self.changes.clone() else {
            let change = vec![Change::default(); numbers.len()];
            return self.take_checked(batch, &numbers, &change, false).await;
        };
        let all: Vec<Change> = numbers.iter().map(|number| changes.of(*number)).collect();
        for deleted in [false, true] {
            let mask: BooleanArray = all.iter().map(|change| Some(change.deleted == deleted)).collect();
            if mask.true_count() > 0 {
                let part = filter_record_batch(batch, &mask)?;
                let of_part = numbers.iter().zip(&all).filter(|(_, change)| change.deleted == deleted);
                let (numbers, changes): (Vec<u64>, Vec<Change>) = of_part.map(|(n, c)| (*n, *c)).unzip();
                self.take_checked(&part, &numbers, &changes, deleted).await?;
            }
        }
        Ok(())
    }

    async fn take_checked(
        &mut self,
        batch: &RecordBatch,
        numbers: &[u64],
        changes: &[Change],
        deleted: bool,
    ) -> Result<()> {
        let intake = Arc::clone(&self.intake);
        let contract = match &intake.deletions {
            Some(deletions) if deleted => deletions,
            _ => intake.contract.as_ref(),
        };
        let checked = contract.check(&self.mapping.columns(batch, contract), batch.num_rows()).await?;
        if let Some(violation) = checked.fatal {
            return Err(match self.mapping.number_of(batch, violation.row) {
                Some(number) => violation.error.with_row(number),
                None => violation.error,
            });
        }
        for violation in checked.violations {
            self.reject(self.mapping.number_of(batch, violation.row), violation.error)?;
        }
        let rows = checked.good.num_rows() as u64;
        self.gathered.rows += rows;
        self.gathered.deletions += if deleted { rows } else { 0 };
        if !intake.keyed {
            return self.spool.write(&checked.good).await;
        }
        let noted = self.noted(&checked.origins, numbers, changes);
        let columns: Vec<ArrayRef> = checked.good.columns().iter().cloned().chain(noted).collect();
        let compared = RecordBatch::try_new(Arc::clone(&intake.place.schema), columns)?;
        self.spool.write(&compared).await
    }

    /// What is noted of the rows at some places of a batch.
    fn noted(&self, places: &[usize], numbers: &[u64], changes: &[Change]) -> [ArrayRef; 5] {
        let of = |value: fn(&Change) -> Option<i64>| -> ArrayRef {
            Arc::new(places.iter().map(|place| value(&changes[*place])).collect::<Int64Array>())
        };
        let file = i64::try_from(self.file).unwrap_or(i64::MAX);
        let line = |place: &usize| i64::try_from(numbers[*place]).unwrap_or(i64::MAX);
        [
            Arc::new(places.iter().map(|place| Some(changes[*place].deleted)).collect::<BooleanArray>()),
            of(|change| change.lsn),
            of(|change| change.ts_ms),
            Arc::new(Int64Array::from(vec![file; places.len()])),
            Arc::new(Int64Array::from_iter_values(places.iter().map(line))),
        ]
    }
}
