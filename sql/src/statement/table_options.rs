//! The clauses of CREATE TABLE that say nothing of its columns, and `ALTER TABLE … SET (…)`. What would have no effect
//! is refused, but for what PostgreSQL's own tools write into every definition.

use std::collections::BTreeMap;

use datafusion::sql::sqlparser::ast::{
    AlterTable, AlterTableOperation, CreateTable, CreateTableOptions, Expr, SqlOption, Value,
};
use voxhouse_engine::catalog::Column;
use voxhouse_engine::table::options::{self, Property};
use voxhouse_engine::{Error, Result};

/// How PostgreSQL lays out its pages and cleans them up: there are no such pages here.
const STORAGE: [&str; 6] =
    ["fillfactor", "parallel_workers", "toast_tuple_target", "user_catalog_table", "oids", "vacuum_truncate"];

pub fn check(create: &CreateTable) -> Result<()> {
    let refused =
        |clause: &str| Err(Error::not_supported(format!("CREATE TABLE … {clause} is not supported")));
    match &create.table_options {
        CreateTableOptions::None | CreateTableOptions::With(_) => {}
        other => return refused(&other.to_string()),
    }
    if create.like.is_some() {
        return refused("LIKE");
    }
    if create.clone.is_some() {
        return refused("CLONE");
    }
    if create.inherits.is_some() {
        return refused("INHERITS");
    }
    Ok(())
}

/// What `WITH (…)` says of the upkeep of a new table.
pub fn properties(create: &CreateTable, columns: &[Column]) -> Result<BTreeMap<String, String>> {
    let CreateTableOptions::With(options) = &create.table_options else { return Ok(BTreeMap::new()) };
    let set = read(options, columns)?.into_iter();
    Ok(set.filter_map(|(property, value)| Some((property, value?))).collect())
}

/// Whether it is `ALTER TABLE … SET (…)`.
pub fn sets(alter: &AlterTable) -> bool {
    matches!(alter.operations.as_slice(), [AlterTableOperation::SetOptionsParens { .. }])
}

/// What `ALTER TABLE … SET (…)` changes.
pub fn changes(alter: &AlterTable, columns: &[Column]) -> Result<Vec<Property>> {
    match alter.operations.as_slice() {
        [AlterTableOperation::SetOptionsParens { options }] => read(options, columns),
        _ => Ok(Vec::new()),
    }
}

fn read(written: &[SqlOption], columns: &[Column]) -> Result<Vec<Property>> {
    let columns: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let mut properties = Vec::new();
    for option in written {
        let (name, value) = match option {
            SqlOption::KeyValue { key, value } => (key.value.to_lowercase(), text_of(value)),
            SqlOption::Ident(name) => (name.value.to_lowercase(), "on".to_owned()),
            other => (other.to_string(), String::new()),
        };
        if STORAGE.contains(&name.as_str()) || name.starts_with("autovacuum_") {
            continue;
        }
        properties.push(options::property(&name, &value, &columns)?);
    }
    Ok(properties)
}

/// `off`, `'off'` and `7` alike.
fn text_of(value: &Expr) -> String {
    match value {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => text.clone(),
            other => other.to_string(),
        },
        Expr::Identifier(word) => word.value.clone(),
        other => other.to_string(),
    }
}
