//! `system.rules`: the rules of every table, those that are constraints and those that only warn.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{Schema, SchemaRef};
use voxhouse_engine::Result;
use voxhouse_engine::catalog::{CatalogSnapshot, Rule, Table};

use super::text;

pub(super) fn schema() -> SchemaRef {
    let columns = ["schema_name", "table_name", "rule", "kind", "on_violation", "definition"];
    Arc::new(Schema::new(columns.map(text).to_vec()))
}

pub(super) fn batch(catalog: &CatalogSnapshot) -> Result<RecordBatch> {
    let rows: Vec<[String; 6]> = catalog.tables().flat_map(rules_of).collect();
    let column = |place: usize| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row[place].as_str())))
    };
    Ok(RecordBatch::try_new(schema(), (0..6).map(column).collect())?)
}

fn rules_of(table: &Table) -> Vec<[String; 6]> {
    let row = |rule: String, kind: &str, on_violation: &str, definition: String| {
        let (schema, name) = (table.name.schema.clone(), table.name.name.clone());
        [schema, name, rule, kind.to_owned(), on_violation.to_owned(), definition]
    };
    let not_null = table.columns.iter().filter(|column| column.not_null).map(|column| {
        let rule = format!("{}_{}_not_null", table.name.name, column.name);
        row(rule, "not null", "reject", column.name.clone())
    });
    let constraints = table.constraints.iter().map(|constraint| {
        let definition = match &constraint.rule {
            Rule::PrimaryKey { columns } | Rule::Unique { columns } => columns.join(", "),
            Rule::Check { expression } | Rule::Expect { expression } => expression.clone(),
        };
        let effect = constraint.effect_on_loads().word();
        row(constraint.name.clone(), constraint.rule.kind(), effect, definition)
    });
    not_null.chain(constraints).collect()
}
