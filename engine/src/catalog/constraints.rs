//! Rules of a table, added and taken away one by one.

use super::ddl::{Draft, Effect, exists, missing};
use super::{Constraint, Object, Oid, OnViolation, QualifiedName, Rule, Table};
use crate::error::{Error, ErrorKind, Result};

/// A statement on the rules of one table. That the rows which are there keep a rule is seen to before.
#[derive(Debug, Clone)]
pub enum ConstraintDdl {
    Add { table: QualifiedName, name: Option<String>, rule: Rule, on_violation: Option<OnViolation> },
    Drop { table: QualifiedName, name: String, if_exists: bool },
    NotNull { table: QualifiedName, column: String, not_null: bool },
}

impl ConstraintDdl {
    pub fn table(&self) -> &QualifiedName {
        match self {
            ConstraintDdl::Add { table, .. }
            | ConstraintDdl::Drop { table, .. }
            | ConstraintDdl::NotNull { table, .. } => table,
        }
    }
}

impl Draft<'_> {
    pub(super) fn constraint_ddl(&mut self, ddl: &ConstraintDdl) -> Result<Effect> {
        let mut table = self.snapshot.table(ddl.table())?.clone();
        self.require_ownership(&Object::Table(table.clone()))?;
        if table.query.is_some() {
            let message = format!("\"{}\" is not a table", table.name.name);
            return Err(Error::new(ErrorKind::WrongObjectType, message)
                .with_detail("A materialized view holds what its query returns."));
        }
        match ddl {
            ConstraintDdl::Add { name, rule, on_violation, .. } => {
                refuse_effect(rule, *on_violation)?;
                add(&mut table, self.snapshot.next_oid(), name.as_deref(), rule, *on_violation)?;
            }
            ConstraintDdl::Drop { name, if_exists, .. } => {
                let before = table.constraints.len();
                table.constraints.retain(|constraint| constraint.name != *name);
                if table.constraints.len() == before {
                    let relation = &table.name.name;
                    let message = format!("constraint \"{name}\" of relation \"{relation}\" does not exist");
                    return missing(*if_exists, ErrorKind::UndefinedObject, message);
                }
            }
            ConstraintDdl::NotNull { column, not_null, .. } => set_not_null(&mut table, column, *not_null)?,
        }
        self.put(Object::Table(table.clone()));
        match ddl {
            // The log must allow what the catalog allows, as with a new column.
            ConstraintDdl::NotNull { not_null: false, .. } => Ok(Effect::ColumnsChanged(Box::new(table))),
            _ => Ok(Effect::Done),
        }
    }
}

/// Some rules cannot do what is asked for.
fn refuse_effect(rule: &Rule, on_violation: Option<OnViolation>) -> Result<()> {
    match (rule, on_violation) {
        (Rule::Expect { .. }, Some(OnViolation::Reject)) => {
            Err(Error::syntax("an expectation cannot reject rows")
                .with_detail("It says something of a load as a whole.")
                .with_hint("Write ON VIOLATION FAIL or ON VIOLATION WARN."))
        }
        (Rule::PrimaryKey { .. }, Some(OnViolation::Warn)) => {
            Err(Error::not_supported("a primary key that only warns is not supported")
                .with_hint("Add UNIQUE (…) ON VIOLATION WARN, which counts repeated keys."))
        }
        _ => Ok(()),
    }
}

fn add(
    table: &mut Table,
    oid: Oid,
    name: Option<&str>,
    rule: &Rule,
    on_violation: Option<OnViolation>,
) -> Result<()> {
    if let Rule::PrimaryKey { columns } | Rule::Unique { columns } = rule {
        require_key_columns(table, columns)?;
    }
    if let Rule::PrimaryKey { columns } = rule {
        if table.primary_key().is_some() {
            let message = format!("multiple primary keys for table \"{}\" are not allowed", table.name.name);
            return Err(Error::new(ErrorKind::InvalidTableDefinition, message));
        }
        for column in table.columns.iter_mut().filter(|column| columns.contains(&column.name)) {
            column.not_null = true;
        }
    }
    let is_taken = |name: &str| table.constraints.iter().any(|constraint| constraint.name == name);
    let name = match name {
        Some(name) if is_taken(name) => {
            let message =
                format!("constraint \"{name}\" for relation \"{}\" already exists", table.name.name);
            return exists(false, ErrorKind::DuplicateObject, message).map(drop);
        }
        Some(name) => name.to_owned(),
        None => free_name(&table.name.name, rule, is_taken),
    };
    table.constraints.push(Constraint { oid, name, rule: rule.clone(), on_violation });
    Ok(())
}

fn require_key_columns(table: &Table, columns: &[String]) -> Result<()> {
    for (place, name) in columns.iter().enumerate() {
        if table.column(name).is_none() {
            let message = format!("column \"{name}\" named in key does not exist");
            return Err(Error::new(ErrorKind::UndefinedColumn, message));
        }
        if columns[..place].contains(name) {
            let message = format!("column \"{name}\" appears twice in a key");
            return Err(Error::new(ErrorKind::DuplicateColumn, message));
        }
    }
    Ok(())
}

fn set_not_null(table: &mut Table, column: &str, not_null: bool) -> Result<()> {
    let is_in_key = table.primary_key().is_some_and(|key| key.iter().any(|name| name == column));
    let relation = table.name.name.clone();
    let Some(found) = table.columns.iter_mut().find(|known| known.name == column) else {
        let message = format!("column \"{column}\" of relation \"{relation}\" does not exist");
        return Err(Error::new(ErrorKind::UndefinedColumn, message));
    };
    if is_in_key && !not_null {
        let message = format!("column \"{column}\" is in a primary key");
        return Err(Error::new(ErrorKind::InvalidTableDefinition, message));
    }
    found.not_null = not_null;
    Ok(())
}

/// PostgreSQL's names: `t_pkey`, `t_a_key`, `t_check`, `t_check1`.
fn free_name(table: &str, rule: &Rule, is_taken: impl Fn(&str) -> bool) -> String {
    let wanted = match rule {
        Rule::PrimaryKey { .. } => format!("{table}_pkey"),
        Rule::Unique { columns } => format!("{table}_{}_key", columns.join("_")),
        Rule::Check { .. } => format!("{table}_check"),
        Rule::Expect { .. } => format!("{table}_expect"),
    };
    let mut unique = wanted.clone();
    let mut suffix = 0;
    while is_taken(&unique) {
        suffix += 1;
        unique = format!("{wanted}{suffix}");
    }
    unique
}

/// The rules of a new table, with names for those that have none.
pub(super) fn number_constraints(
    table: &str,
    table_oid: Oid,
    rules: &[(Option<String>, Rule)],
) -> Vec<Constraint> {
    let mut numbered: Vec<Constraint> = Vec::with_capacity(rules.len());
    for (index, (name, rule)) in rules.iter().enumerate() {
        let is_taken = |name: &str| numbered.iter().any(|constraint| constraint.name == name);
        let name = match name {
            Some(name) if !is_taken(name) => name.clone(),
            Some(name) => {
                (1..).map(|suffix| format!("{name}{suffix}")).find(|name| !is_taken(name)).unwrap_or_default()
            }
            None => free_name(table, rule, is_taken),
        };
        let oid = table_oid + 1 + index as Oid;
        numbered.push(Constraint { oid, name, rule: rule.clone(), on_violation: None });
    }
    numbered
}
