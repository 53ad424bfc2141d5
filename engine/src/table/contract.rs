//! What a row must satisfy to enter a table: types, lengths, NOT NULL, CHECK and keys.
//!
//! Rows are checked a batch at a time. A bad row is told apart from the good ones with its reason; whether
//! it fails the statement or goes to the rejects is the caller's business.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::{CastOptions, cast_with_options, filter_record_batch};
use arrow::datatypes::{DataType, Date32Type, SchemaRef};
use arrow::row::{RowConverter, Rows, SortField};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::DFSchema;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execute_stream;
use futures::TryStreamExt;
use parking_lot::{Mutex, MutexGuard};

use crate::catalog::{Column, QualifiedName, Rule, SqlType, Table};
use crate::error::{Error, ErrorKind, Result, Subject};
use crate::json;
use crate::planning::Planner;
use crate::table::array_text;
use crate::table::rounding::{to_double, to_whole};
use crate::table::scan::TableScan;

/// A row that may not enter, by its place in the batch.
#[derive(Debug, Clone)]
pub struct Violation {
    pub row: usize,
    pub error: Error,
}

/// The good rows of a batch, in the table's storage schema, and what was wrong with the others.
pub struct Checked {
    pub good: RecordBatch,
    /// For each row of `good`, its place in the batch given.
    pub origins: Vec<usize>,
    pub violations: Vec<Violation>,
}

/// Checks the rows of one statement or one load. Shared by its writers: a key counts for all of them.
pub struct Contract {
    table: QualifiedName,
    columns: Vec<Column>,
    partition_by: Vec<String>,
    schema: SchemaRef,
    checks: Vec<Check>,
    keys: Vec<Key>,
}

struct Check {
    name: String,
    expression: Arc<dyn PhysicalExpr>,
}

/// A primary key or a unique constraint, and the keys seen so far.
struct Key {
    name: String,
    primary: bool,
    /// Whether a row with a known key is left out instead of refused.
    skips: bool,
    names: Vec<String>,
    columns: Vec<usize>,
    known: Mutex<Known>,
}

struct Known {
    converter: RowConverter,
    /// Keys of the rows that the table holds.
    stored: HashSet<Box<[u8]>>,
    /// Keys of the rows that came through here.
    added: HashSet<Box<[u8]>>,
}

impl Contract {
    pub fn new(table: &Table, planner: &dyn Planner) -> Result<Self> {
        let schema = table.storage_schema();
        let df_schema = DFSchema::try_from(Arc::clone(&schema))?;
        let state = planner.session_state();
        let mut checks = Vec::new();
        let mut keys = Vec::new();
        for constraint in &table.constraints {
            match &constraint.rule {
                Rule::Check { expression } => {
                    let planned = planner.plan_expression(expression, &df_schema)?;
                    let expression = state.create_physical_expr(planned, &df_schema)?;
                    checks.push(Check { name: constraint.name.clone(), expression });
                }
                Rule::PrimaryKey { columns } => {
                    keys.push(Key::new(&constraint.name, true, columns, &schema)?)
                }
                Rule::Unique { columns } => keys.push(Key::new(&constraint.name, false, columns, &schema)?),
            }
        }
        Ok(Self {
            table: table.name.clone(),
            columns: table.columns.clone(),
            partition_by: table.partition_by.clone(),
            schema,
            checks,
            keys,
        })
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

    pub fn has_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Learns the keys that the table holds already. Reads the columns of the keys and no others. Called again
    /// with a newer version, it forgets those of the older one, and fails if a row that was checked in between
    /// has a key of the newer one.
    pub async fn learn_keys(&self, existing: TableScan, state: &SessionState) -> Result<()> {
        if self.keys.is_empty() {
            return Ok(());
        }
        let mut columns: Vec<usize> = self.keys.iter().flat_map(|key| key.columns.iter().copied()).collect();
        columns.sort_unstable();
        columns.dedup();
        for key in &self.keys {
            key.known.lock().stored.clear();
        }
        let source = provider_as_source(Arc::new(existing));
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
                if let Some((columns, row)) = key.learn(&stored, batch.num_rows())? {
                    return Err(self.duplicate(key, &columns, row));
                }
            }
        }
        Ok(())
    }

    /// Checks a batch whose columns stand in the table's order, of any type that can be assigned.
    pub fn check(&self, columns: &[ArrayRef], rows: usize) -> Result<Checked> {
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
        self.apply_checks(&batch, &mut verdict)?;
        self.check_keys(&batch, &mut verdict)?;
        let good = match verdict.mask() {
            Some(mask) => filter_record_batch(&batch, &mask)?,
            None => batch,
        };
        let good = RecordBatch::try_new(Arc::clone(&self.schema), good.columns().to_vec())?;
        Ok(Checked { good, origins: verdict.good_rows(), violations: verdict.into_violations() })
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
            for row in (0..stored.len()).filter(|row| stored.is_null(*row)) {
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
            match keys.iter().find(|keys| keys.is_known(row)) {
                None => keys.iter_mut().for_each(|keys| keys.add(row)),
                Some(known) if known.key.skips => verdict.skip(row),
                Some(known) => verdict.reject(row, || self.duplicate(known.key, &known.columns, row)),
            }
        }
        Ok(())
    }

    /// `columns` are those of the key.
    fn duplicate(&self, key: &Key, columns: &[ArrayRef], row: usize) -> Error {
        let values: Vec<String> = columns
            .iter()
            .filter_map(|column| {
                let shown = ArrayFormatter::try_new(column.as_ref(), &FormatOptions::default()).ok()?;
                Some(shown.value(row).to_string())
            })
            .collect();
        let kind = if key.primary { "primary key" } else { "unique constraint" };
        Error::new(
            ErrorKind::UniqueViolation,
            format!("duplicate key value violates unique constraint \"{}\"", key.name),
        )
        .with_detail(format!(
            "Key ({})=({}) already exists: {kind} of relation \"{}\".",
            key.names.join(", "),
            values.join(", "),
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
                    verdict.reject(row, || {
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

/// Values that may be written in several ways, in one; what is none was rejected.
fn respelled(values: &ArrayRef, spell: impl Fn(&str) -> Option<String>) -> ArrayRef {
    let Some(texts) = values.as_string_opt::<i32>() else { return Arc::clone(values) };
    let spelled = texts.iter().map(|text| {
        let text = text?;
        Some(spell(text).unwrap_or_else(|| text.to_owned()))
    });
    Arc::new(spelled.collect::<StringArray>())
}

impl Key {
    fn new(name: &str, primary: bool, names: &[String], schema: &SchemaRef) -> Result<Self> {
        let columns = names.iter().map(|column| Ok(schema.index_of(column)?)).collect::<Result<Vec<_>>>()?;
        let fields =
            columns.iter().map(|index| SortField::new(schema.field(*index).data_type().clone())).collect();
        let converter = RowConverter::new(fields)?;
        let known = Known { converter, stored: HashSet::new(), added: HashSet::new() };
        let known = Mutex::new(known);
        Ok(Self { name: name.to_owned(), primary, skips: false, names: names.to_vec(), columns, known })
    }

    /// Takes the keys of rows that the table holds; those with a NULL are not kept, for NULL equals nothing. Returns
    /// the columns of the keys and the row of one that was added in between.
    fn learn(
        &self,
        columns: &HashMap<usize, ArrayRef>,
        rows: usize,
    ) -> Result<Option<(Vec<ArrayRef>, usize)>> {
        let key: Vec<ArrayRef> =
            self.columns.iter().filter_map(|index| columns.get(index).cloned()).collect();
        let known = &mut *self.known.lock();
        let encoded = known.converter.convert_columns(&key)?;
        for row in (0..rows).filter(|row| key.iter().all(|column| column.is_valid(*row))) {
            let bytes = encoded.row(row);
            if known.added.contains(bytes.as_ref()) {
                return Ok(Some((key, row)));
            }
            known.stored.insert(bytes.as_ref().into());
        }
        Ok(None)
    }

    fn of_rows(&self, batch: &RecordBatch) -> Result<RowKeys<'_>> {
        let columns: Vec<ArrayRef> =
            self.columns.iter().map(|index| Arc::clone(batch.column(*index))).collect();
        let known = self.known.lock();
        let encoded = known.converter.convert_columns(&columns)?;
        Ok(RowKeys { key: self, known, columns, encoded })
    }
}

/// The keys of a batch's rows under one constraint.
struct RowKeys<'a> {
    key: &'a Key,
    known: MutexGuard<'a, Known>,
    columns: Vec<ArrayRef>,
    encoded: Rows,
}

impl RowKeys<'_> {
    /// NULL equals nothing.
    fn has_null(&self, row: usize) -> bool {
        self.columns.iter().any(|column| column.is_null(row))
    }

    fn is_known(&self, row: usize) -> bool {
        let bytes = self.encoded.row(row);
        !self.has_null(row)
            && (self.known.stored.contains(bytes.as_ref()) || self.known.added.contains(bytes.as_ref()))
    }

    fn add(&mut self, row: usize) {
        if !self.has_null(row) {
            self.known.added.insert(self.encoded.row(row).as_ref().into());
        }
    }
}

/// What is wrong with a text, if anything.
type TextRule = Box<dyn Fn(&str) -> Option<Error>>;

/// Which rows of a batch are bad, and why; the first reason of a row stands.
struct Verdict {
    rows: usize,
    bad: Vec<bool>,
    violations: Vec<Violation>,
}

impl Verdict {
    fn new(rows: usize) -> Self {
        Self { rows, bad: Vec::new(), violations: Vec::new() }
    }

    fn is_bad(&self, row: usize) -> bool {
        self.bad.get(row).copied().unwrap_or(false)
    }

    fn reject(&mut self, row: usize, error: impl FnOnce() -> Error) {
        if !self.is_bad(row) {
            self.skip(row);
            self.violations.push(Violation { row, error: error() });
        }
    }

    /// Leaves a row out, which is nobody's fault.
    fn skip(&mut self, row: usize) {
        if self.bad.is_empty() {
            self.bad = vec![false; self.rows];
        }
        self.bad[row] = true;
    }

    fn mask(&self) -> Option<BooleanArray> {
        (!self.bad.is_empty()).then(|| self.bad.iter().map(|bad| Some(!bad)).collect())
    }

    fn good_rows(&self) -> Vec<usize> {
        (0..self.rows).filter(|row| !self.is_bad(*row)).collect()
    }

    fn into_violations(mut self) -> Vec<Violation> {
        self.violations.sort_by_key(|violation| violation.row);
        self.violations
    }
}

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

/// PostgreSQL's assignment: what fits is converted, what does not becomes NULL here and an error above.
fn assignment_cast(column: &Column, values: &ArrayRef, target: &DataType) -> Result<ArrayRef> {
    if values.data_type() == target {
        return Ok(Arc::clone(values));
    }
    let assignable = match (values.data_type(), target) {
        (DataType::Boolean, DataType::Utf8) => true,
        (DataType::Boolean, target) if target.is_numeric() => false,
        (source, DataType::Boolean) if source.is_numeric() => false,
        (source, DataType::Date32 | DataType::Timestamp(_, _)) if source.is_numeric() => false,
        (DataType::Date32 | DataType::Timestamp(_, _), target) if target.is_numeric() => false,
        (source, target) => arrow::compute::can_cast_types(source, target),
    };
    if !assignable {
        let source = SqlType::from_arrow(values.data_type())
            .map_or_else(|_| values.data_type().to_string(), |known| known.to_string());
        return Err(Error::new(
            ErrorKind::DatatypeMismatch,
            format!(
                "column \"{}\" is of type {} but expression is of type {source}",
                column.name, column.data_type
            ),
        )
        .with_hint("You will need to rewrite or cast the expression."));
    }
    let values = match values.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View if *target == DataType::Binary => {
            return bytes_of_text(values);
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View if target.is_numeric() => trimmed(values)?,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View if let DataType::List(item) = target => {
            return array_text::lists(values, item);
        }
        given if given.is_decimal() && *target == DataType::Float64 => return to_double(values),
        given if target.is_integer() && (given.is_floating() || given.is_decimal()) => to_whole(values)?,
        _ => Arc::clone(values),
    };
    Ok(cast_with_options(&values, target, &CastOptions { safe: true, ..CastOptions::default() })?)
}

/// Texts of bytea; NULL for what is not one.
fn bytes_of_text(values: &ArrayRef) -> Result<ArrayRef> {
    let texts = arrow::compute::cast(values, &DataType::Utf8)?;
    let bytes = texts.as_string::<i32>().iter().map(|text| text.and_then(bytea));
    Ok(Arc::new(bytes.collect::<BinaryArray>()))
}

/// PostgreSQL's input of bytea: `\x00ff`, or text in which `\\` is a backslash and `\377` a byte.
fn bytea(text: &str) -> Option<Vec<u8>> {
    if let Some(hexadecimal) = text.strip_prefix("\\x") {
        let digits: Vec<u32> =
            hexadecimal.chars().map(|letter| letter.to_digit(16)).collect::<Option<_>>()?;
        let pairs = digits.chunks_exact(2);
        let whole = pairs.remainder().is_empty();
        return whole.then(|| pairs.map(|pair| (pair[0] * 16 + pair[1]) as u8).collect());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = match (byte, after) {
            (b'\\', [b'\\', after @ ..]) => {
                bytes.push(b'\\');
                after
            }
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                bytes.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                after
            }
            (b'\\', _) => return None,
            _ => {
                bytes.push(byte);
                after
            }
        };
    }
    Some(bytes)
}

/// PostgreSQL reads numbers with blanks around them.
fn trimmed(values: &ArrayRef) -> Result<ArrayRef> {
    let texts = arrow::compute::cast(values, &DataType::Utf8)?;
    let texts = texts.as_string::<i32>();
    if texts.iter().flatten().all(|text| text.trim().len() == text.len()) {
        return Ok(Arc::new(texts.clone()));
    }
    Ok(Arc::new(texts.iter().map(|text| text.map(str::trim)).collect::<StringArray>()))
}

fn bad_value(column: &Column, value: &str, source: &DataType) -> Error {
    let shown: String = value.chars().take(100).collect();
    if matches!(source, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) {
        let kind = match column.data_type {
            SqlType::Date | SqlType::Timestamp | SqlType::TimestampTz => ErrorKind::InvalidDatetime,
            _ => ErrorKind::InvalidText,
        };
        return Error::new(
            kind,
            format!(
                "column \"{}\": invalid input syntax for type {}: \"{shown}\"",
                column.name, column.data_type
            ),
        );
    }
    Error::new(
        ErrorKind::NumericOutOfRange,
        format!("column \"{}\": {shown} is out of range for type {}", column.name, column.data_type),
    )
}
