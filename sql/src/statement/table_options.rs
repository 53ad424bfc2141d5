//! The clauses of CREATE TABLE that say nothing of its columns. What would have no effect is refused, but for what
//! PostgreSQL's own tools write into every definition.

use datafusion::sql::sqlparser::ast::{CreateTable, CreateTableOptions, SqlOption};
use voxhouse_engine::{Error, Result};

/// How PostgreSQL lays out its pages and cleans them up: there are no such pages here.
const STORAGE: [&str; 6] =
    ["fillfactor", "parallel_workers", "toast_tuple_target", "user_catalog_table", "oids", "vacuum_truncate"];

pub fn check(create: &CreateTable) -> Result<()> {
    let refused =
        |clause: &str| Err(Error::not_supported(format!("CREATE TABLE … {clause} is not supported")));
    match &create.table_options {
        CreateTableOptions::None => {}
        CreateTableOptions::With(options) => options.iter().try_for_each(check_option)?,
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

fn check_option(option: &SqlOption) -> Result<()> {
    let name = match option {
        SqlOption::KeyValue { key, .. } => key.value.to_lowercase(),
        SqlOption::Ident(name) => name.value.to_lowercase(),
        other => other.to_string(),
    };
    if STORAGE.contains(&name.as_str()) || name.starts_with("autovacuum_") {
        return Ok(());
    }
    Err(Error::invalid_argument(format!("unrecognized parameter \"{name}\"")))
}
