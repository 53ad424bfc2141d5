//! Rows that take the place of others with the same key.
//!
//! First the rows of the batch compete: of each key one stays ([`Merge::winners`]). Then they are joined with the table,
//! and each either beats the row that is there or yields to it. Files that hold a beaten row are written anew without
//! it; winners that did not yield come in a file of their own ([`Merge::changes`]). Nothing else is touched, so a batch
//! that changes nothing rewrites nothing.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, Int64Array, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use datafusion::common::{Column as PlanColumn, ScalarValue};
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::functions_window::row_number::row_number;
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, JoinType, LogicalPlan, LogicalPlanBuilder, SortExpr, cast, ident, lit,
};
use datafusion::physical_plan::execute_stream;
use deltalake_core::kernel::{Action, Add};
use futures::TryStreamExt;

use super::gather::{DELETED, FILE, Intake, LINE, LSN, TS_MS};
use super::job::Job;
use super::spool::{Place, Spool, Spooled};
use crate::catalog::{LoadMode, Table};
use crate::dml::places::{AFFECTED_COLUMN, Places, marked};
use crate::error::Result;
use crate::planning::Planner;
use crate::table::DeltaTable;
use crate::table::contract::Contract;
use crate::table::load::{Destination, OnViolation, sorted, write_plan};
use crate::table::scan::{FILE_COLUMN, ROW_COLUMN};
use crate::table::snapshot::TableSnapshot;
use crate::table::write::TableWriter;
use crate::warehouse::Warehouse;

/// Numbers the winners.
const NUMBER: &str = "__number";
const RANK: &str = "__rank";
const BEATS: &str = "__beats";

pub(super) struct Merge<'a> {
    warehouse: &'a Warehouse,
    planner: &'a dyn Planner,
    state: SessionState,
    table: &'a Table,
    mode: &'a LoadMode,
    key: &'a [String],
    target: Arc<DeltaTable>,
}

/// One row a key, with its number and whether it was deleted.
pub(super) struct Winners {
    rows: Spooled,
    place: Place,
}

impl Winners {
    pub(super) async fn discard(self) {
        self.rows.discard(&self.place).await;
    }
}

/// What the commit does to the files of the table.
pub(super) struct Changed {
    pub(super) removed: HashSet<String>,
    pub(super) added: Vec<Add>,
}

impl<'a> Merge<'a> {
    pub(super) fn new(
        warehouse: &'a Warehouse,
        planner: &'a dyn Planner,
        job: &'a Job,
        target: &Arc<DeltaTable>,
    ) -> Self {
        let state = planner.session_state();
        let (table, mode) = (&job.table, &job.mode);
        let key = mode.key().unwrap_or_default();
        Self { warehouse, planner, state, table, mode, key, target: Arc::clone(target) }
    }

    /// The row of each key that counts.
    pub(super) async fn winners(&self, intake: &Intake, rows: &Spooled) -> Result<Winners> {
        let place = Place { schema: self.winner_schema(), ..intake.place.clone() };
        let columns = self.table.columns.iter().map(|column| column.name.as_str());
        let kept: Vec<Expr> = columns.chain([DELETED]).map(ident).collect();
        let rank = row_number()
            .partition_by(self.key.iter().map(ident).collect())
            .order_by(self.order())
            .build()?
            .alias(RANK);
        let plan = LogicalPlanBuilder::from(rows.plan(&intake.place)?)
            .window(vec![rank])?
            .filter(ident(RANK).eq(lit(1_u64)))?
            .project(kept)?
            .build()?;
        let mut spool = Spool::new(place.clone(), &self.state);
        let mut stream = self.stream(&plan).await?;
        let mut number = 0;
        while let Some(batch) = stream.try_next().await? {
            let next = number + batch.num_rows() as i64;
            let mut columns = batch.columns().to_vec();
            columns.push(Arc::new(Int64Array::from_iter_values(number..next)));
            number = next;
            spool.write(&RecordBatch::try_new(Arc::clone(&place.schema), columns)?).await?;
        }
        Ok(Winners { rows: spool.finish().await?, place })
    }

    fn winner_schema(&self) -> SchemaRef {
        let stored = self.table.storage_schema();
        let mut fields: Vec<Field> =
            stored.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
        fields.push(Field::new(DELETED, DataType::Boolean, false));
        fields.push(Field::new(NUMBER, DataType::Int64, false));
        Arc::new(Schema::new(fields))
    }

    /// The first in this order stays. Rows with a time: the newest; of the same time, that of the file which came
    /// first, as it would be if the files were two batches, and in one file the last line. Events, and rows without a
    /// time: the last.
    fn order(&self) -> Vec<SortExpr> {
        let last = |name: &str| ident(name).sort(false, false);
        match self.mode {
            LoadMode::Upsert { newest_by: Some(newest), .. } => {
                vec![last(newest), ident(FILE).sort(true, false), last(LINE)]
            }
            LoadMode::ChangeFeed { .. } => vec![last(LSN), last(TS_MS), last(FILE), last(LINE)],
            _ => vec![last(FILE), last(LINE)],
        }
    }

    /// What the winners mean for one version of the table.
    pub(super) async fn changes(&self, base: &Arc<TableSnapshot>, winners: &Winners) -> Result<Changed> {
        if winners.rows.is_empty() {
            return Ok(Changed { removed: HashSet::new(), added: Vec::new() });
        }
        let (places, yielding) = self.matches(base, winners).await?;
        let removed = places.files();
        let mut added = self.remaining(base, places).await?;
        added.extend(self.entering(base, winners, &yielding).await?);
        Ok(Changed { removed, added })
    }

    /// The places of the rows that are beaten, and the numbers of the winners that yield.
    async fn matches(&self, base: &Arc<TableSnapshot>, winners: &Winners) -> Result<(Places, Numbers)> {
        let scan = self.warehouse.scan_snapshot(self.table, Arc::clone(base))?.with_places();
        let mut rows = LogicalPlanBuilder::scan("rows", provider_as_source(Arc::new(scan)), None)?;
        for bound in self.bounds(winners).await? {
            rows = rows.filter(bound)?;
        }
        let named: Vec<Expr> = self
            .table
            .query_schema()
            .fields()
            .iter()
            .map(|field| {
                let value = cast(ident(field.name()), field.data_type().clone());
                value.alias(incoming(field.name()))
            })
            .chain([ident(DELETED), ident(NUMBER)])
            .collect();
        let winners = LogicalPlanBuilder::from(winners.rows.plan(&winners.place)?).project(named)?.build()?;
        let stored_key: Vec<PlanColumn> = self.key.iter().map(PlanColumn::from_name).collect();
        let incoming_key: Vec<PlanColumn> =
            self.key.iter().map(|name| PlanColumn::from_name(incoming(name))).collect();
        let plan = rows
            .join(winners, JoinType::Inner, (stored_key, incoming_key), None)?
            .project(vec![ident(FILE_COLUMN), ident(ROW_COLUMN), self.beats().alias(BEATS), ident(NUMBER)])?
            .build()?;
        let (mut places, mut yielding) = (Places::default(), Numbers::default());
        let mut stream = self.stream(&plan).await?;
        while let Some(batch) = stream.try_next().await? {
            let beats = batch.column(2).as_boolean();
            let beaten = filter_record_batch(&batch.project(&[0, 1])?, beats)?;
            places.extend(&beaten)?;
            let numbers = batch.column(3).as_primitive::<Int64Type>();
            yielding
                .extend((0..batch.num_rows()).filter(|row| !beats.value(*row)).map(|row| numbers.value(row)));
        }
        Ok((places, yielding))
    }

    /// Conditions that every match meets, so that files of other ranges of the key are not read.
    async fn bounds(&self, winners: &Winners) -> Result<Vec<Expr>> {
        let extremes = self
            .key
            .iter()
            .flat_map(|name| [min_udaf().call(vec![ident(name)]), max_udaf().call(vec![ident(name)])]);
        let extremes: Vec<Expr> =
            extremes.enumerate().map(|(place, extreme)| extreme.alias(format!("e{place}"))).collect();
        let plan = LogicalPlanBuilder::from(winners.rows.plan(&winners.place)?)
            .aggregate(Vec::<Expr>::new(), extremes)?
            .build()?;
        let mut stream = self.stream(&plan).await?;
        let mut bounds = Vec::new();
        while let Some(batch) = stream.try_next().await? {
            for (place, name) in self.key.iter().enumerate().filter(|_| batch.num_rows() == 1) {
                let low = ScalarValue::try_from_array(batch.column(2 * place), 0)?;
                let high = ScalarValue::try_from_array(batch.column(2 * place + 1), 0)?;
                if !low.is_null() && !high.is_null() {
                    bounds.push(ident(name).between(lit(low), lit(high)));
                }
            }
        }
        Ok(bounds)
    }

    /// Whether the row that comes beats that which is there; never NULL.
    fn beats(&self) -> Expr {
        let newest = self.mode.newest_by().map(|name| (ident(incoming(name)), ident(name)));
        match (newest, self.mode.is_change_feed()) {
            // A tie leaves the table as it is, so that a file that comes again changes nothing.
            (Some((new, old)), false) => {
                new.clone().gt(old.clone()).is_true().or(old.is_null().and(new.is_not_null()))
            }
            // Events come in order; only one that is known to be older is late.
            (Some((new, old)), true) => new.lt(old).is_not_true(),
            (None, _) => self.differs().or(ident(DELETED)),
        }
    }

    fn differs(&self) -> Expr {
        let others = self.table.columns.iter().filter(|column| !self.key.contains(&column.name));
        let differences = others.map(|column| {
            let operator = datafusion::logical_expr::Operator::IsDistinctFrom;
            datafusion::logical_expr::binary_expr(
                ident(&column.name),
                operator,
                ident(incoming(&column.name)),
            )
        });
        differences.reduce(Expr::or).unwrap_or_else(|| lit(false))
    }

    /// New files for those with beaten rows, without these.
    async fn remaining(&self, base: &Arc<TableSnapshot>, places: Places) -> Result<Vec<Add>> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let mut kept = places.files();
        for file in base.files()?.iter() {
            if file.rows == Some(places.rows_in(file.path.as_ref())) {
                kept.remove(file.path.as_ref());
            }
        }
        if kept.is_empty() {
            return Ok(Vec::new());
        }
        let scan = self.warehouse.scan_snapshot(self.table, Arc::clone(base))?.only_files(&kept);
        let marked = marked(scan.with_places(), &Arc::new(places))?;
        let columns: Vec<Expr> = self.table.columns.iter().map(|column| ident(&column.name)).collect();
        let plan = LogicalPlanBuilder::scan("marked", provider_as_source(marked), None)?
            .filter(ident(AFFECTED_COLUMN).is_not_true())?
            .project(columns)?
            .build()?;
        let contract = Arc::new(Contract::new(self.table, self.planner)?.without_keys());
        let (delta, base) = (Arc::clone(&self.target), Arc::clone(base));
        let to = Destination { delta, base, contract, taken: None };
        let written = write_plan(&to, self.table, &self.state, plan, None, OnViolation::Fail).await?.written;
        Ok(written.adds.into_iter().filter_map(added).collect())
    }

    /// Files with the winners that do not yield and were not deleted.
    async fn entering(
        &self,
        base: &Arc<TableSnapshot>,
        winners: &Winners,
        yielding: &Numbers,
    ) -> Result<Vec<Add>> {
        let plan = sorted(winners.rows.plan(&winners.place)?, &self.table.cluster_by)?;
        let schema =
            Arc::new(Schema::new(winners.place.schema.fields()[..self.table.columns.len()].to_vec()));
        let mut writer = TableWriter::new(&self.target, base, Arc::clone(&schema))?;
        let mut stream = self.stream(&plan).await?;
        while let Some(batch) = stream.try_next().await? {
            let columns = self.table.columns.len();
            let deleted = batch.column(columns).as_boolean();
            let numbers = batch.column(columns + 1).as_primitive::<Int64Type>();
            let enters = |row: usize| !deleted.value(row) && !yielding.contains(numbers.value(row));
            let mask: BooleanArray = (0..batch.num_rows()).map(|row| Some(enters(row))).collect();
            let entering = filter_record_batch(&batch, &mask)?;
            let rows = RecordBatch::try_new(Arc::clone(&schema), entering.columns()[..columns].to_vec())?;
            if let Err(error) = writer.write(&rows).await {
                writer.abort().await;
                return Err(error);
            }
        }
        Ok(writer.finish().await?.adds.into_iter().filter_map(added).collect())
    }

    async fn stream(&self, plan: &LogicalPlan) -> Result<datafusion::execution::SendableRecordBatchStream> {
        let physical = self.state.create_physical_plan(plan).await?;
        Ok(execute_stream(physical, self.state.task_ctx())?)
    }
}

/// The name of a column of the rows that come, beside that of the table.
fn incoming(name: &str) -> String {
    format!("__incoming_{name}")
}

fn added(action: Action) -> Option<Add> {
    match action {
        Action::Add(add) => Some(add),
        _ => None,
    }
}

/// A set of numbers from 0, a bit each.
#[derive(Debug, Default)]
struct Numbers(Vec<u64>);

impl Numbers {
    fn extend(&mut self, numbers: impl Iterator<Item = i64>) {
        for number in numbers.filter_map(|number| usize::try_from(number).ok()) {
            let (word, bit) = (number / 64, number % 64);
            if self.0.len() <= word {
                self.0.resize(word + 1, 0);
            }
            self.0[word] |= 1 << bit;
        }
    }

    fn contains(&self, number: i64) -> bool {
        let Ok(number) = usize::try_from(number) else { return false };
        self.0.get(number / 64).is_some_and(|word| word & (1 << (number % 64)) != 0)
    }
}
