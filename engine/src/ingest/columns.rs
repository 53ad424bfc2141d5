//! The columns of a file beside those of the table: how headers are matched, and what becomes of a column that is
//! new, missing or of another type.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::Column as PlanColumn;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

use super::Rules;
use super::rules::{NewColumns, TypeChanges};
use crate::catalog::ddl::Ddl;
use crate::catalog::{Column, QualifiedName, SqlType, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::planning::ROW_COLUMN;

/// The same columns under the names that the table has for them: without regard to case, byte order marks, blanks
/// around the name, and full-width letters. A name that the table knows as it stands is left alone.
pub(super) fn named_by_table(file: &SchemaRef, table: &Table) -> Result<SchemaRef> {
    renamed(file, |name| {
        if table.column(name).is_some() {
            return name.to_owned();
        }
        let folded = folded(name);
        let known = table.columns.iter().find(|column| self::folded(&column.name) == folded);
        known.map_or_else(|| name.to_owned(), |column| column.name.clone())
    })
}

/// The same columns as a query can name them without quotes; `None` if it can already.
pub(super) fn named_plainly(file: &SchemaRef) -> Result<Option<SchemaRef>> {
    let plain = renamed(file, folded)?;
    Ok((plain.fields() != file.fields()).then_some(plain))
}

fn renamed(file: &SchemaRef, name: impl Fn(&str) -> String) -> Result<SchemaRef> {
    let mut fields: Vec<Field> = Vec::with_capacity(file.fields().len());
    for field in file.fields() {
        let name = name(field.name());
        if let Some(twin) = fields.iter().position(|known| *known.name() == name) {
            return Err(Error::new(
                ErrorKind::AmbiguousColumn,
                format!(
                    "columns \"{}\" and \"{}\" of the file are both \"{name}\"",
                    file.field(twin).name(),
                    field.name()
                ),
            )
            .with_hint("Rename one of them in the file, or name them in the pipe's query."));
        }
        fields.push(field.as_ref().clone().with_name(name));
    }
    Ok(Arc::new(Schema::new(fields)))
}

fn folded(name: &str) -> String {
    let narrow = name.chars().filter(|letter| *letter != '\u{feff}').map(|letter| match letter {
        // The full-width forms stand in the order of ASCII.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        '\u{3000}' | '\u{a0}' => ' ',
        other => other,
    });
    narrow.collect::<String>().trim().to_lowercase()
}

/// What is to be done before the rows of a plan can enter the table.
pub(super) enum Fit {
    Ready(LogicalPlan),
    /// The table needs these columns first.
    Alter(Vec<Alteration>),
}

/// What a table must become to take the rows of a file.
#[derive(Debug, Clone)]
pub(super) enum Alteration {
    Add(Column),
    Widen { column: String, data_type: SqlType },
}

impl Alteration {
    pub(super) fn of_table(self, table: &QualifiedName) -> Ddl {
        let table = table.clone();
        match self {
            Alteration::Add(column) => Ddl::AddColumn { table, column, if_not_exists: true },
            Alteration::Widen { column, data_type } => {
                Ddl::WidenColumn { table, column, data_type, at_least: true }
            }
        }
    }
}

impl fmt::Display for Alteration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Alteration::Add(column) => write!(f, "adds {}", column.name),
            Alteration::Widen { column, data_type } => write!(f, "widens {column} to {data_type}"),
        }
    }
}

/// Applies a pipe's rules to the columns that a file, or the query over it, gives.
pub(super) fn fit(plan: LogicalPlan, table: &Table, rules: &Rules) -> Result<Fit> {
    let fields: Vec<Arc<Field>> = plan.schema().fields().iter().cloned().collect();
    let mut changes = Vec::new();
    if rules.type_changes != TypeChanges::Cast {
        for field in &fields {
            changes.extend(wider(table, field, rules.type_changes)?);
        }
    }
    if rules.all_columns {
        refuse_missing(table, &fields)?;
    }
    let is_new = |name: &str| name != ROW_COLUMN && table.column(name).is_none();
    let new: Vec<&Arc<Field>> = fields.iter().filter(|field| is_new(field.name())).collect();
    if rules.new_columns == NewColumns::Add
        // Added before, under the name in another case.
        && !new.iter().any(|field| table.column(&folded(field.name())).is_some())
    {
        for field in &new {
            changes.push(Alteration::Add(Column::new(folded(field.name()), SqlType::from_field(field)?)));
        }
    }
    if !changes.is_empty() {
        return Ok(Fit::Alter(changes));
    }
    match rules.new_columns {
        _ if new.is_empty() => Ok(Fit::Ready(plan)),
        // Told where columns are mapped.
        NewColumns::Refuse | NewColumns::Add => Ok(Fit::Ready(plan)),
        NewColumns::Ignore => {
            let kept = plan.schema().iter().filter(|(_, field)| !is_new(field.name()));
            let columns: Vec<Expr> = kept.map(|field| Expr::Column(PlanColumn::from(field))).collect();
            Ok(Fit::Ready(LogicalPlanBuilder::from(plan).project(columns)?.build()?))
        }
    }
}

fn refuse_missing(table: &Table, given: &[Arc<Field>]) -> Result<()> {
    let has = |name: &str| given.iter().any(|field| field.name() == name);
    let Some(missing) = table.columns.iter().find(|column| column.default.is_none() && !has(&column.name))
    else {
        return Ok(());
    };
    let names: Vec<&str> =
        given.iter().map(|field| field.name().as_str()).filter(|name| *name != ROW_COLUMN).collect();
    Err(Error::new(
        ErrorKind::UndefinedColumn,
        format!("column \"{}\" of relation \"{}\" is missing", missing.name, table.name.name),
    )
    .with_detail("The pipe's option missing_columns is error.")
    .with_hint(format!("The columns given are {}.", names.join(", "))))
}

/// What is to be done about a column of the file if its type is wider than in the table.
fn wider(table: &Table, given: &Field, type_changes: TypeChanges) -> Result<Option<Alteration>> {
    let Some(column) = table.column(given.name()) else { return Ok(None) };
    let Ok(found) = SqlType::from_arrow(given.data_type()) else { return Ok(None) };
    if !is_wider(given.data_type(), &column.data_type.to_arrow()) {
        return Ok(None);
    }
    if type_changes == TypeChanges::Widen
        && let Some(data_type) = column.data_type.widened_by(&found)
    {
        return Ok(Some(Alteration::Widen { column: column.name.clone(), data_type }));
    }
    let reason = match type_changes {
        TypeChanges::Widen => {
            format!("No type that {} can be widened to holds every {found}.", column.data_type)
        }
        TypeChanges::Cast | TypeChanges::Refuse => "The pipe's option type_changes is refuse.".to_owned(),
    };
    Err(Error::new(
        ErrorKind::DatatypeMismatch,
        format!(
            "column \"{}\" is of type {} but the file has {found}, which is wider",
            column.name, column.data_type
        ),
    )
    .with_detail(reason)
    .with_hint(format!(
        "Cast it in the pipe's query, load into a table whose column is {found}, or leave the option out: then rows that do not fit are rejected one by one."
    )))
}

/// Whether some values of one type are none of the other, of the types that widen into each other.
fn is_wider(found: &DataType, column: &DataType) -> bool {
    use DataType::*;
    let rank = |data_type: &DataType| match data_type {
        Int8 => Some(8),
        UInt8 => Some(9),
        Int16 => Some(16),
        UInt16 => Some(17),
        Int32 => Some(32),
        UInt32 => Some(33),
        Int64 => Some(64),
        UInt64 => Some(65),
        _ => None,
    };
    match (found, column) {
        (Float64, Float32) => true,
        (Float32 | Float64, integer) if rank(integer).is_some() => true,
        (Timestamp(_, _), Date32) => true,
        (Decimal128(p, s) | Decimal256(p, s), Decimal128(precision, scale)) => {
            s > scale || i16::from(*p) - i16::from(*s) > i16::from(*precision) - i16::from(*scale)
        }
        (Decimal128(_, s) | Decimal256(_, s), integer) if rank(integer).is_some() => *s > 0,
        (found, column) => match (rank(found), rank(column)) {
            (Some(found), Some(column)) => found > column,
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_folded() {
        for (header, expected) in [
            ("ID", "id"),
            ("\u{feff}Id", "id"),
            ("ＯｒｄｅｒＩＤ", "orderid"),
            (" 客户　", "客户"),
            ("Größe", "größe"),
        ] {
            assert_eq!(folded(header), expected);
        }
    }

    #[test]
    fn wider_types_are_known() {
        use DataType::*;
        let wider = [
            (Int64, Int32),
            (Float64, Float32),
            (Timestamp(arrow::datatypes::TimeUnit::Microsecond, None), Date32),
            (Decimal128(20, 2), Decimal128(18, 2)),
            (Decimal128(18, 4), Decimal128(18, 2)),
            (Float64, Int64),
        ];
        for (found, column) in &wider {
            assert!(is_wider(found, column), "{found} {column}");
            assert!(!is_wider(column, found) || matches!(column, Decimal128(18, 2)), "{column} {found}");
        }
        for same in [Int32, Date32, Decimal128(18, 2), Utf8] {
            assert!(!is_wider(&same, &same));
        }
        assert!(!is_wider(&Utf8, &Int32));
    }
}
