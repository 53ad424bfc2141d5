//! `INSERT … ON CONFLICT`: rows whose key is there already are left out, or change the row that has it.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::row::{RowConverter, SortField};
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::ast::{
    self, ConflictTarget, DoUpdate, Expr, Ident, OnConflictAction, OnInsert,
};
use voxhouse_engine::catalog::acl::Privilege;
use voxhouse_engine::catalog::{Author, Constraint, QualifiedName, Rule, Table};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::merge::{self, Merging};
use super::returning::Returning;
use super::target::in_memory;
use super::values::{assignments, qualified};
use crate::access::writes::Need;
use crate::query::QueryContext;
use crate::query::names::{fold, object_name, parts};
use crate::session::Session;
use crate::statement::describe::ParameterTypes;

/// What the rows proposed for insertion are called.
const EXCLUDED: &str = "excluded";
const PROPOSED: &str = "__proposed";

pub enum OnConflict<'a> {
    /// Rows with a key of one of these constraints that is there are left out.
    Skip {
        keys: Vec<String>,
    },
    Update(ConflictUpdate<'a>),
}

/// `DO UPDATE`: a MERGE of the rows proposed.
pub struct ConflictUpdate<'a> {
    table: &'a Table,
    key: &'a [String],
    update: &'a DoUpdate,
}

pub fn of<'a>(table: &'a Table, insert: &'a ast::Insert) -> Result<Option<OnConflict<'a>>> {
    let Some(on) = &insert.on else { return Ok(None) };
    let OnInsert::OnConflict(conflict) = on else {
        return Err(Error::syntax("ON DUPLICATE KEY UPDATE is not SQL of PostgreSQL")
            .with_hint("Write ON CONFLICT (column) DO UPDATE SET column = excluded.column."));
    };
    let key = match &conflict.conflict_target {
        None => None,
        Some(ConflictTarget::Columns(columns)) => Some(key_of_columns(table, columns)?),
        Some(ConflictTarget::OnConstraint(name)) => Some(key_of_constraint(table, name)?),
    };
    Ok(Some(match (&conflict.action, key) {
        (OnConflictAction::DoNothing, Some((name, _))) => OnConflict::Skip { keys: vec![name.to_owned()] },
        (OnConflictAction::DoNothing, None) => {
            OnConflict::Skip { keys: keys(table).map(|(name, _)| name.to_owned()).collect() }
        }
        (OnConflictAction::DoUpdate(update), Some((_, key))) => {
            OnConflict::Update(ConflictUpdate { table, key, update })
        }
        (OnConflictAction::DoUpdate(_), None) => {
            return Err(Error::syntax(
                "ON CONFLICT DO UPDATE requires inference specification or constraint name",
            )
            .with_hint("For example, ON CONFLICT (column_name)."));
        }
    }))
}

/// What the clause needs beside the right to insert.
pub fn need(table: &Table, insert: &ast::Insert) -> Result<Option<Need>> {
    let Some(OnInsert::OnConflict(conflict)) = &insert.on else { return Ok(None) };
    let OnConflictAction::DoUpdate(update) = &conflict.action else { return Ok(None) };
    let columns = assignments(table, &update.assignments)?.into_keys().collect();
    Ok(Some(Need::columns(Privilege::Update, columns)))
}

/// The types of the clause's parameters: those of the columns that they are written to.
pub fn parameters(table: &Table, insert: &ast::Insert, types: &mut ParameterTypes) -> Result<()> {
    let Some(OnInsert::OnConflict(conflict)) = &insert.on else { return Ok(()) };
    let OnConflictAction::DoUpdate(update) = &conflict.action else { return Ok(()) };
    for (column, value) in assignments(table, &update.assignments)? {
        if let Some(data_type) = super::column_type(table, &column) {
            types.note_expression(&value, &data_type);
        }
    }
    Ok(())
}

/// The constraints that make rows unique: name and columns.
fn keys(table: &Table) -> impl Iterator<Item = (&str, &[String])> {
    let kept = table.constraints.iter().filter(|constraint| !constraint.only_warns());
    kept.filter_map(|Constraint { name, rule, .. }| match rule {
        Rule::PrimaryKey { columns } | Rule::Unique { columns } => Some((name.as_str(), columns.as_slice())),
        Rule::Check { .. } | Rule::Expect { .. } => None,
    })
}

fn key_of_columns<'a>(table: &'a Table, columns: &[Ident]) -> Result<(&'a str, &'a [String])> {
    let wanted: HashSet<String> = columns.iter().map(fold).collect();
    for column in &wanted {
        super::require_column(table, column)?;
    }
    let is_wanted =
        |key: &[String]| key.len() == wanted.len() && key.iter().all(|name| wanted.contains(name));
    keys(table).find(|(_, key)| is_wanted(key)).ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidColumnReference,
            "there is no unique or exclusion constraint matching the ON CONFLICT specification",
        )
    })
}

fn key_of_constraint<'a>(table: &'a Table, name: &ast::ObjectName) -> Result<(&'a str, &'a [String])> {
    let wanted = parts(name)?.pop().unwrap_or_default();
    keys(table).find(|(name, _)| *name == wanted).ok_or_else(|| {
        Error::new(
            ErrorKind::UndefinedObject,
            format!("constraint \"{wanted}\" for table \"{}\" does not exist", table.name.name),
        )
    })
}

impl ConflictUpdate<'_> {
    pub async fn run(
        &self,
        session: &mut Session,
        context: &QueryContext,
        author: &Author,
        alias: &str,
        rows: LogicalPlan,
        returning: Option<&Returning<'_>>,
    ) -> Result<u64> {
        let proposed = session.proposed_rows(context, author, self.table, &rows).await?;
        let batches = proposed.batches();
        self.refuse_doubles(&batches)?;
        let merge = self.as_merge(alias)?;
        let name = QualifiedName::new(PROPOSED, PROPOSED);
        let beside = [(name, in_memory(self.table, &batches)?)].into();
        Merging { merge: &merge, as_update: false, beside }.run(session, context, author, returning).await
    }

    pub fn as_merge(&self, alias: &str) -> Result<ast::Merge> {
        let quoted = |name: &str| Ident::with_quote('"', name).to_string();
        let (target, alias) = (Ident::with_quote('"', alias), quoted(alias));
        let same = |name: &String| format!("{alias}.{name} = {EXCLUDED}.{name}", name = quoted(name));
        let set = assignments(self.table, &self.update.assignments)?
            .into_iter()
            .map(|(column, value)| format!("{} = {}", quoted(&column), self.of_target(&target, value)));
        let condition =
            self.update.selection.clone().map_or_else(String::new, |condition| {
                format!(" AND ({})", self.of_target(&target, condition))
            });
        let columns: Vec<String> = self.table.columns.iter().map(|column| quoted(&column.name)).collect();
        let values: Vec<String> = columns.iter().map(|column| format!("{EXCLUDED}.{column}")).collect();
        merge::parse(&format!(
            "MERGE INTO {table} AS {alias} USING {PROPOSED}.{PROPOSED} AS {EXCLUDED} ON {on} \
             WHEN MATCHED{condition} THEN UPDATE SET {set} \
             WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({values})",
            table = object_name(&self.table.name),
            on = self.key.iter().map(same).collect::<Vec<_>>().join(" AND "),
            set = set.collect::<Vec<_>>().join(", "),
            columns = columns.join(", "),
            values = values.join(", "),
        ))
    }

    /// A column without a relation is the table's: `SET hits = hits + 1`.
    fn of_target(&self, target: &Ident, expression: Expr) -> Expr {
        qualified(expression, target, |column| self.table.column(column).is_some())
    }

    /// Two of the rows proposed may not have the same key.
    fn refuse_doubles(&self, batches: &[RecordBatch]) -> Result<()> {
        let Some(first) = batches.first() else { return Ok(()) };
        let places: Vec<usize> =
            self.key.iter().map(|name| first.schema().index_of(name)).collect::<Result<_, _>>()?;
        let fields = places.iter().map(|place| SortField::new(first.column(*place).data_type().clone()));
        let converter = RowConverter::new(fields.collect())?;
        let mut seen = HashSet::new();
        for batch in batches {
            let key: Vec<ArrayRef> = places.iter().map(|place| batch.column(*place).clone()).collect();
            let rows = converter.convert_columns(&key)?;
            for row in (0..batch.num_rows()).filter(|row| key.iter().all(|column| column.is_valid(*row))) {
                if !seen.insert(rows.row(row).owned()) {
                    return Err(Error::new(
                        ErrorKind::CardinalityViolation,
                        "ON CONFLICT DO UPDATE command cannot affect row a second time",
                    )
                    .with_hint(
                        "Ensure that no rows proposed for insertion within the same command have duplicate \
                         constrained values.",
                    ));
                }
            }
        }
        Ok(())
    }
}
