//! The relations there are: names, object identifiers, columns and their types.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema, SchemaRef};
use voxhouse_engine::catalog::Oid;
use voxhouse_engine::catalog::types::TYPE_KEY;
use voxhouse_engine::{Error, Result};

use super::cell::{Cell, arrow_type, to_array};

/// One relation of `pg_catalog` or `information_schema`.
pub(super) struct Definition {
    pub(super) schema: &'static str,
    pub(super) name: &'static str,
    pub(super) oid: Oid,
    /// `r` table, `v` view: what it is in PostgreSQL.
    pub(super) kind: char,
    pub(super) columns: Arc<[ColumnDefinition]>,
    /// Of the columns that are made.
    pub(super) arrow: SchemaRef,
    /// The relations whose rows are made; `None`: all.
    pub(super) only: Option<Vec<Oid>>,
}

pub(super) struct ColumnDefinition {
    pub(super) name: &'static str,
    /// As `format_type` prints it.
    pub(super) postgres: &'static str,
    pub(super) not_null: bool,
}

static DEFINITIONS: LazyLock<Vec<Definition>> =
    LazyLock::new(|| include_str!("relations.txt").split("\n\n").filter_map(parse).collect());

/// The columns of functions that clients read in FROM. Their names end in `()`.
static FUNCTIONS: LazyLock<Vec<Definition>> =
    LazyLock::new(|| include_str!("functions.txt").split("\n\n").filter_map(parse).collect());

static BY_NAME: LazyLock<HashMap<(&str, &str), &Definition>> =
    LazyLock::new(|| all().iter().map(|one| ((one.schema, one.name), one)).collect());

pub(super) fn all() -> &'static [Definition] {
    &DEFINITIONS
}

pub(super) fn find(schema: &str, name: &str) -> Option<&'static Definition> {
    BY_NAME.get(&(schema, name)).copied()
}

/// The rows of a function, as a relation.
pub(super) fn find_function(schema: &str, name: &str) -> Option<&'static Definition> {
    let name = name.strip_suffix("()").unwrap_or(name);
    FUNCTIONS.iter().find(|one| one.schema == schema && one.name.strip_suffix("()") == Some(name))
}

/// `pg_catalog.pg_am 2601 r`, then a line a column: `  oid oid not null`.
fn parse(text: &'static str) -> Option<Definition> {
    let mut lines = text.lines();
    let mut head = lines.next()?.split(' ');
    let (schema, name) = head.next()?.split_once('.')?;
    let oid = head.next()?.parse().ok()?;
    let kind = head.next()?.chars().next()?;
    let columns: Arc<[ColumnDefinition]> = lines
        .filter_map(|line| {
            let (name, postgres) = line.trim_start().split_once(' ')?;
            let nullable = postgres.strip_suffix(" not null");
            Some(ColumnDefinition {
                name,
                postgres: nullable.unwrap_or(postgres),
                not_null: nullable.is_some(),
            })
        })
        .collect();
    let arrow = Arc::new(Schema::new(columns.iter().map(ColumnDefinition::field).collect::<Vec<_>>()));
    Some(Definition { schema, name, oid, kind, columns, arrow, only: None })
}

impl ColumnDefinition {
    fn field(&self) -> Field {
        Field::new(self.name, arrow_type(self.postgres), !self.not_null)
            .with_metadata([(TYPE_KEY.to_owned(), self.postgres.to_owned())].into())
    }
}

/// How a column is read off a row.
pub(super) type Column<T> = (&'static str, fn(&T) -> Cell);

impl Definition {
    /// The same relation, of which only some columns are made, and only the rows that tell of some relations.
    pub(super) fn project(&self, places: &[usize], only: Option<Vec<Oid>>) -> Result<Self> {
        Ok(Self {
            schema: self.schema,
            name: self.name,
            oid: self.oid,
            kind: self.kind,
            columns: Arc::clone(&self.columns),
            arrow: Arc::new(self.arrow.project(places)?),
            only,
        })
    }

    /// A record batch of `rows`. A column that is not among `columns` is NULL, or zero where NULL may not be.
    pub(super) fn fill<T>(&self, rows: &[T], columns: &[Column<T>]) -> Result<RecordBatch> {
        let has = |name: &str| self.columns.iter().any(|column| column.name == name);
        if let Some((name, _)) = columns.iter().find(|(name, _)| !has(name)) {
            return Err(Error::internal(format!("{}.{} has no column {name}", self.schema, self.name)));
        }
        let arrays = self.arrow.fields().iter().map(|field| {
            let read = columns.iter().find(|(name, _)| name == field.name());
            let cells: Vec<Cell> = match read {
                Some((_, read)) => rows.iter().map(read).collect(),
                None => vec![Cell::absent(field); rows.len()],
            };
            to_array(&cells, field.data_type())
                .map_err(|error| error.in_context(format!("{}.{}", self.name, field.name())))
        });
        self.batch(arrays.collect::<Result<_>>()?, rows.len())
    }

    /// Reads a table whose first line names the columns; `\N` is NULL. `owner` stands for the first superuser.
    pub(super) fn read(&self, table: &str, owner: Oid) -> Result<RecordBatch> {
        let mut lines = table.lines();
        let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
        let rows: Vec<Vec<&str>> = lines.map(|line| line.split('\t').collect()).collect();
        let arrays = self.arrow.fields().iter().map(|field| {
            let place = header.iter().position(|name| name == field.name());
            let cell = |row: &Vec<&str>| match place.and_then(|place| row.get(place)) {
                Some(_) if field.name().ends_with("owner") => owner.into(),
                Some(&"\\N") => Cell::Null,
                Some(text) => Cell::parse(text, field.data_type()),
                None => Cell::absent(field),
            };
            to_array(&rows.iter().map(cell).collect::<Vec<_>>(), field.data_type())
        });
        self.batch(arrays.collect::<Result<_>>()?, rows.len())
    }

    pub(super) fn empty(&self) -> RecordBatch {
        RecordBatch::new_empty(Arc::clone(&self.arrow))
    }

    fn batch(&self, arrays: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.arrow), arrays, &options)?)
    }
}
