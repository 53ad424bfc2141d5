//! What a row must satisfy to enter a table: types, lengths, NOT NULL, CHECK and keys.
//!
//! Rows are checked a batch at a time. A bad row is told apart from the good ones with its reason; whether
//! it fails the statement or goes to the rejects is the caller's business.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Date32Type, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::DFSchema;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_plan::execute_stream;
use futures::TryStreamExt;

use super::assignment::{assignment_cast, bad_value};
use super::keys::{Key, RowKeys};
use super::snapshot::DataFile;
use super::tally::{RuleOutcome, Tally};
use super::verdict::Verdict;
pub use super::verdict::Violation;
use crate::catalog::{Column, Constraint, OnViolation, QualifiedName, Rule, SqlType, Table};
use crate::error::{Error, ErrorKind, Result, Subject};
use crate::json;
use crate::planning::Planner;
use crate::table::scan::TableScan;

/// The good rows of a batch, in the table's storage schema, and what was wrong with the others.
pub struct Checked {
    pub good: RecordBatch,
    /// For each row of `good`, its place in the batch given.
    pub origins: Vec<usize>,
    pub violations: Vec<Violation>,
    /// The first row that broke a rule which lets nothing in.
    pub fatal: Option<Violation>,
}

/// Checks the rows of one statement or one load. Shared by its writers: a key counts for all of them.
pub struct Contract {
    table: QualifiedName,
    columns: Vec<Column>,
    partition_by: Vec<String>,
    schema: SchemaRef,
    checks: Vec<Check>,
    keys: Vec<Key>,
    tally: Tally,
    existing: tokio::sync::Mutex<Option<Existing>>,
    refuses: AtomicBool,
}

#[derive(Clone)]
struct Check {
    name: String,
    expression: Arc<dyn PhysicalExpr>,
    on_violation: OnViolation,
    /// Where it is counted.
    place: Option<usize>,
}

/// The table whose keys the rows may not have.
struct Existing {
    scan: TableScan,
    state: SessionState,
    /// Files whose keys are not known yet.
    unread: Vec<DataFile>,
}

impl Contract {
    pub fn new(table: &Table, planner: &dyn Planner) -> Result<Self> {
        let schema = table.storage_schema();
        let df_schema = DFSchema::try_from(Arc::clone(&schema))?;
        let state = planner.session_state();
        let tally = Tally::new(table);
        let mut checks = Vec::new();
        let mut keys = Vec::new();
        for constraint in &table.constraints {
            let place = tally.place(&constraint.name);
            let on_violation = constraint.effect_on_loads();
            match &constraint.rule {
                Rule::Check { expression } => {
                    let planned = planner.plan_expression(expression, &df_schema)?;
                    let expression = state.create_physical_expr(planned, &df_schema)?;
                    checks.push(Check { name: constraint.name.clone(), expression, on_violation, place });
                }
                Rule::PrimaryKey { columns } | Rule::Unique { columns } => {
                    let mut key =
                        Key::new(&constraint.name, is_primary(constraint), columns, &schema, &state)?;
                    (key.on_violation, key.place) = (on_violation, place);
                    keys.push(key);
                }
                // It concerns no single row.
                Rule::Expect { .. } => {}
            }
        }
        Ok(Self {
            table: table.name.clone(),
            columns: table.columns.clone(),
            partition_by: table.partition_by.clone(),
            schema,
            checks,
            keys,
            tally,
            existing: tokio::sync::Mutex::new(None),
            refuses: AtomicBool::new(false),
        })
    }

    /// How the rules fared since the last time this was asked.
    pub fn take_outcomes(&self) -> Vec<RuleOutcome> {
        self.refuses.store(false, Ordering::Relaxed);
        let mut outcomes = self.tally.take();
        // Keys that rows are not held to have nothing to tell.
        outcomes.retain(|outcome| self.has_keys() || !outcome.is_of_key());
        outcomes
    }

    /// Whether a row has broken a rule that lets nothing in.
    pub fn has_refused(&self) -> bool {
        self.refuses.load(Ordering::Relaxed)
    }

    /// The storage schema, which good rows have.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Rows whose key is there already are left out, rather than errors, if the key is one of these constraints'.
    pub fn skipping(mut self, constraints: &[String]) -> Self {
        for key in &mut self.keys {
            key.skips = constraints.contains(&key.name);
        }
        self.keys.sort_by_key(|key| !key.skips);
        self
    }

    /// All rules but the keys.
    pub fn without_keys(self) -> Self {
        Self { keys: Vec::new(), ..self }
    }

    /// The same rules, counted for themselves; `None` if there are keys, which must meet all rows.
    pub fn counting_apart(&self) -> Option<Self> {
        if self.has_keys() {
            return None;
        }
        Some(Self {
            table: self.table.clone(),
            columns: self.columns.clone(),
            partition_by: self.partition_by.clone(),
            schema: Arc::clone(&self.schema),
            checks: self.checks.clone(),
            keys: Vec::new(),
            tally: self.tally.anew(),
            existing: tokio::sync::Mutex::new(None),
            refuses: AtomicBool::new(false),
        })
    }

    pub fn has_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Holds the rows to the keys that the table has already. Called again with a newer version, it forgets those of
    /// the older one, and fails if a row that was checked in between has a key of the newer one.
    pub async fn learn_keys(&self, existing: TableScan, state: &SessionState) -> Result<()> {
        if self.keys.is_empty() {
            return Ok(());
        }
        self.keys.iter().for_each(Key::forget_stored);
        let mut guard = self.existing.lock().await;
        let unread = existing.files().to_vec();
        let existing = guard.insert(Existing { scan: existing, state: state.clone(), unread });
        let needed =
            |file: &DataFile| Ok(self.keys.iter().any(|key| key.may_be_added_in(file, &self.schema)));
        self.read_keys(existing, needed).await
    }

    /// Reads the keys of the files that may hold those of a batch.
    async fn learn_for(&self, batch: &RecordBatch) -> Result<()> {
        if self.keys.is_empty() {
            return Ok(());
        }
        let mut guard = self.existing.lock().await;
        let Some(existing) = guard.as_mut() else { return Ok(()) };
        let needed = |file: &DataFile| {
            for key in &self.keys {
                if key.may_be_in(file, &self.schema, batch)? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        self.read_keys(existing, needed).await
    }

    /// Reads the columns of the keys, and no others, of those unread files that are needed.
    async fn read_keys(
        &self,
        existing: &mut Existing,
        needed: impl Fn(&DataFile) -> Result<bool>,
    ) -> Result<()> {
        let mut wanted = HashSet::new();
        for file in &existing.unread {
            if needed(file)? {
                wanted.insert(file.path.to_string());
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let scan = existing.scan.clone().only_files(&wanted);
        self.learn_all(scan, &existing.state).await?;
        existing.unread.retain(|file| !wanted.contains(file.path.as_ref()));
        Ok(())
    }

    async fn learn_all(&self, scan: TableScan, state: &SessionState) -> Result<()> {
        let mut columns: Vec<usize> = self.keys.iter().flat_map(|key| key.columns.iter().copied()).collect();
        columns.sort_unstable();
        columns.dedup();
        let source = provider_as_source(Arc::new(scan));
        let plan = LogicalPlanBuilder::scan("existing", source, Some(columns.clone()))?.build()?;
        let physical = state.create_physical_plan(&plan).await?;
        let mut rows = execute_stream(physical, state.task_ctx())?;
        while let Some(batch) = rows.try_next().await? {
            let mut stored: HashMap<usize, ArrayRef> = HashMap::with_capacity(columns.len());
            for (place, column) in columns.iter().zip(batch.columns()) {
                let target = self.schema.field(*place).data_type();
                stored.insert(*place, arrow::compute::cast(column, target)?);
            }
            for key in &self.keys {
                let columns: Vec<ArrayRef> =
                    key.columns.iter().filter_map(|index| stored.get(index).cloned()).collect();
                if let Some(row) = key.learn(&columns, batch.num_rows())? {
                    return Err(self.duplicate(key, &columns, row));
                }
            }
        }
        Ok(())
    }

    /// Checks a batch whose columns stand in the table's order, of any type that can be assigned.
    pub async fn check(&self, columns: &[ArrayRef], rows: usize) -> Result<Checked> {
        let mut verdict = Verdict::new(rows);
        let mut stored = Vec::with_capacity(columns.len());
        for (column, values) in self.columns.iter().zip(columns) {
            stored.push(self.assign(column, values, &mut verdict)?);
        }
        let nullable: Vec<_> =
            self.schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
        let loose = Arc::new(arrow::datatypes::Schema::new(nullable));
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(loose, stored, &options)?;
        self.tally.checked(rows);
        self.apply_checks(&batch, &mut verdict)?;
        self.learn_for(&batch).await?;
        self.check_keys(&batch, &mut verdict)?;
        if verdict.fatal.is_some() {
            self.refuses.store(true, Ordering::Relaxed);
        }
        let good = match verdict.mask() {
            Some(mask) => filter_record_batch(&batch, &mask)?,
            None => batch,
        };
        let good = RecordBatch::try_new(Arc::clone(&self.schema), good.columns().to_vec())?;
        let (origins, fatal) = (verdict.good_rows(), verdict.fatal.take());
        Ok(Checked { good, origins, violations: verdict.into_violations(), fatal })
    }

    fn assign(&self, column: &Column, values: &ArrayRef, verdict: &mut Verdict) -> Result<ArrayRef> {
        let target = column.data_type.to_arrow();
        let stored = assignment_cast(column, values, &target)?;
        if stored.null_count() > values.logical_null_count() {
            let shown = ArrayFormatter::try_new(values.as_ref(), &FormatOptions::default())?;
            let nulls = values.logical_nulls();
            for row in 0..values.len() {
                if stored.is_null(row) && nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
                    verdict
                        .reject(row, || bad_value(column, &shown.value(row).to_string(), values.data_type()));
                }
            }
        }
        self.check_text(column, &stored, verdict);
        let stored = match column.data_type {
            SqlType::Uuid => {
                respelled(&stored, |text| uuid::Uuid::parse_str(text).map(|uuid| uuid.to_string()).ok())
            }
            SqlType::Jsonb => respelled(&stored, |text| json::normal(text).ok()),
            _ => stored,
        };
        self.check_partition_value(column, &stored, verdict);
        check_date(column, &stored, verdict);
        if column.not_null && stored.null_count() > 0 {
            let place = self.columns.iter().take_while(|other| other.name != column.name);
            let place = place.filter(|other| other.not_null).count();
            for row in (0..stored.len()).filter(|row| stored.is_null(*row)) {
                if values.is_null(row) {
                    self.tally.violated(Some(place), || format!("({})=(NULL)", column.name));
                }
                verdict.reject(row, || {
                    Error::new(
                        ErrorKind::NotNullViolation,
                        format!(
                            "null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                            column.name, self.table.name
                        ),
                    )
                    .with_subject(Subject { column: Some(column.name.clone()), ..self.subject() })
                });
            }
        }
        Ok(stored)
    }

    /// Rules of text types that Arrow does not know.
    fn check_text(&self, column: &Column, stored: &ArrayRef, verdict: &mut Verdict) {
        let Some(texts) = stored.as_any().downcast_ref::<StringArray>() else { return };
        let verify: TextRule = match &column.data_type {
            SqlType::Varchar(length) | SqlType::Char(length) => {
                let (length, shown) = (*length as usize, column.data_type.to_string());
                Box::new(move |text: &str| {
                    let too_long = text.len() > length && text.chars().count() > length;
                    too_long.then(|| {
                        Error::new(ErrorKind::StringTooLong, format!("value too long for type {shown}"))
                    })
                })
            }
            SqlType::Json => Box::new(|text: &str| json::check(text).err()),
            SqlType::Jsonb => Box::new(|text: &str| json::normal(text).err()),
            SqlType::Uuid => Box::new(|text: &str| {
                uuid::Uuid::parse_str(text).err().map(|_| {
                    Error::new(
                        ErrorKind::InvalidText,
                        format!("invalid input syntax for type uuid: \"{text}\""),
                    )
                })
            }),
            _ => return,
        };
        for (row, text) in texts.iter().enumerate() {
            if let Some(error) = text.and_then(&verify) {
                verdict.reject(row, || error.in_context(format!("column \"{}\"", column.name)));
            }
        }
    }

    /// Delta writes an empty partition value for NULL, so an empty text would come back as NULL.
    fn check_partition_value(&self, column: &Column, stored: &ArrayRef, verdict: &mut Verdict) {
        if !self.partition_by.contains(&column.name) {
            return;
        }
        let Some(texts) = stored.as_any().downcast_ref::<StringArray>() else { return };
        for (row, _) in texts.iter().enumerate().filter(|(_, text)| *text == Some("")) {
            verdict.reject(row, || {
                Error::new(
                    ErrorKind::CheckViolation,
                    format!("column \"{}\": a partition column cannot hold an empty text", column.name),
                )
                .with_hint("Store NULL, or do not partition by this column.")
            });
        }
    }

    /// A row that enters counts for all keys at once, one that does not for none.
    fn check_keys(&self, batch: &RecordBatch, verdict: &mut Verdict) -> Result<()> {
        let mut keys = self.keys.iter().map(|key| key.of_rows(batch)).collect::<Result<Vec<_>>>()?;
        if keys.is_empty() {
            return Ok(());
        }
        for row in 0..batch.num_rows() {
            if verdict.is_bad(row) {
                continue;
            }
            let mut enters = true;
            for known in keys.iter().filter(|keys| keys.is_known(row)) {
                if known.key.skips {
                    verdict.skip(row);
                    enters = false;
                    break;
                }
                let key = known.key;
                self.tally.violated(key.place, || shown_values(&key.names, &known.columns, row));
                verdict.apply(key.on_violation, row, || self.duplicate(key, &known.columns, row));
                enters &= key.on_violation == OnViolation::Warn;
            }
            if enters {
                keys.iter_mut().for_each(|keys| keys.add(row));
            }
        }
        keys.into_iter().try_for_each(RowKeys::finish)
    }

    /// `columns` are those of the key.
    fn duplicate(&self, key: &Key, columns: &[ArrayRef], row: usize) -> Error {
        let kind = if key.primary { "primary key" } else { "unique constraint" };
        Error::new(
            ErrorKind::UniqueViolation,
            format!("duplicate key value violates unique constraint \"{}\"", key.name),
        )
        .with_detail(format!(
            "Key {} already exists: {kind} of relation \"{}\".",
            shown_values(&key.names, columns, row),
            self.table.name,
        ))
        .with_subject(Subject { constraint: Some(key.name.clone()), ..self.subject() })
    }

    fn subject(&self) -> Subject {
        let (schema, table) = (self.table.schema.clone(), self.table.name.clone());
        Subject { schema: Some(schema), table: Some(table), ..Subject::default() }
    }

    fn apply_checks(&self, batch: &RecordBatch, verdict: &mut Verdict) -> Result<()> {
        for check in &self.checks {
            let answer = check.expression.evaluate(batch)?.into_array(batch.num_rows())?;
            let Some(answer) = answer.as_boolean_opt() else {
                return Err(Error::new(
                    ErrorKind::DatatypeMismatch,
                    format!("check constraint \"{}\" is not a boolean expression", check.name),
                ));
            };
            for (row, passed) in answer.iter().enumerate() {
                if passed == Some(false) {
                    self.tally.violated(check.place, || values_of(check, batch, row));
                    verdict.apply(check.on_violation, row, || {
                        Error::new(
                            ErrorKind::CheckViolation,
                            format!(
                                "new row for relation \"{}\" violates check constraint \"{}\"",
                                self.table.name, check.name
                            ),
                        )
                        .with_subject(Subject { constraint: Some(check.name.clone()), ..self.subject() })
                    });
                }
            }
        }
        Ok(())
    }
}

fn is_primary(constraint: &Constraint) -> bool {
    matches!(constraint.rule, Rule::PrimaryKey { .. })
}

/// The values of the columns that a check looks at.
fn values_of(check: &Check, batch: &RecordBatch, row: usize) -> String {
    let mut columns: Vec<_> = collect_columns(&check.expression).into_iter().collect();
    columns.sort_unstable_by_key(|column| column.index());
    let names: Vec<String> = columns.iter().map(|column| column.name().to_owned()).collect();
    let values: Vec<ArrayRef> =
        columns.iter().map(|column| Arc::clone(batch.column(column.index()))).collect();
    shown_values(&names, &values, row)
}

/// `(a, b)=(1, 2)`.
fn shown_values(names: &[String], columns: &[ArrayRef], row: usize) -> String {
    let options = FormatOptions::default().with_null("NULL");
    let shown = |column: &ArrayRef| {
        let shown = ArrayFormatter::try_new(column.as_ref(), &options).ok()?;
        Some(shown.value(row).to_string())
    };
    let values: Vec<String> = columns.iter().filter_map(shown).collect();
    format!("({})=({})", names.join(", "), values.join(", "))
}

/// Values that may be written in several ways, in one; what is none was rejected.
fn respelled(values: &ArrayRef, spell: impl Fn(&str) -> Option<String>) -> ArrayRef {
    let Some(texts) = values.as_string_opt::<i32>() else { return Arc::clone(values) };
    let spelled = texts.iter().map(|text| {
        let text = text?;
        Some(spell(text).unwrap_or_else(|| text.to_owned()))
    });
    Arc::new(spelled.collect::<StringArray>())
}

/// What is wrong with a text, if anything.
type TextRule = Box<dyn Fn(&str) -> Option<Error>>;

/// Dates beyond the calendar's ends cannot be written to the log.
fn check_date(column: &Column, stored: &ArrayRef, verdict: &mut Verdict) {
    let Some(days) = stored.as_primitive_opt::<Date32Type>() else { return };
    for (row, day) in days.iter().enumerate() {
        if day.is_some_and(|day| Date32Type::to_naive_date_opt(day).is_none()) {
            verdict.reject(row, || {
                Error::new(
                    ErrorKind::NumericOutOfRange,
                    format!("column \"{}\": date out of range", column.name),
                )
            });
        }
    }
}
