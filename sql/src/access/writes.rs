//! The table that a statement changes, and what that takes.

use voxhouse_engine::catalog::access::denied;
use voxhouse_engine::catalog::acl::Privilege;
use voxhouse_engine::catalog::ddl::refuse_external;
use voxhouse_engine::catalog::{QualifiedName, Table};
use voxhouse_engine::{Error, ErrorKind, Result};

use crate::pg_catalog::Visible;

/// A privilege that a change needs: on the whole table, or on some of its columns.
pub struct Need {
    privilege: Privilege,
    columns: Vec<String>,
}

impl Need {
    pub fn table(privilege: Privilege) -> Self {
        Self { privilege, columns: Vec::new() }
    }

    pub fn columns(privilege: Privilege, columns: Vec<String>) -> Self {
        Self { privilege, columns }
    }
}

/// The table of a name, or why it cannot be written to. There is no way to a table that is changed but this one,
/// so that every change says what it needs.
pub fn writable_table<'a>(
    name: &QualifiedName,
    visible: &'a Visible,
    needs: impl FnOnce(&Table) -> Result<Vec<Need>>,
) -> Result<&'a Table> {
    let table = visible.catalog.table(name).map_err(|error| match error.kind() {
        ErrorKind::WrongObjectType => {
            Error::new(ErrorKind::NotSupported, format!("cannot change view \"{}\"", name.name))
                .with_hint("Change the tables that the view reads.")
        }
        _ => error,
    })?;
    let needs = needs(table)?;
    if !visible.access().is_superuser() {
        needs.iter().try_for_each(|need| require(visible, table, need))?;
    }
    refuse_external(table)?;
    if table.query.is_some() {
        return Err(Error::new(
            ErrorKind::WrongObjectType,
            format!("cannot change materialized view \"{}\"", name.name),
        )
        .with_hint("REFRESH MATERIALIZED VIEW computes it again."));
    }
    Ok(table)
}

fn require(visible: &Visible, table: &Table, need: &Need) -> Result<()> {
    let access = visible.access();
    let on_table = access.held(&visible.catalog.secured_relation(&table.name));
    if on_table.contains(need.privilege) {
        return Ok(());
    }
    let on_column = |column: &String| {
        let acl = table.column(column).and_then(|column| column.acl.as_ref());
        access.held_on_column(acl).contains(need.privilege)
    };
    if !need.columns.is_empty() && need.columns.iter().all(on_column) {
        return Ok(());
    }
    Err(denied("table", &table.name.name))
}
