//! `pg_proc`: the functions that PostgreSQL's catalogs refer to, and those of the warehouse.

use arrow::array::RecordBatch;
use voxhouse_engine::Result;
use voxhouse_engine::catalog::Oid;

use crate::pg_catalog::Visible;
use crate::pg_catalog::definition::Definition;
use crate::pg_catalog::entities::Function;

/// Input, output and operator functions, and the functions of this module, under PostgreSQL's numbers.
pub(super) const ROWS: &str = include_str!("../rows/pg_proc.tsv");
/// Functions built into the server, in `pg_language`.
const INTERNAL: i64 = 12;

pub(super) fn procedures(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    definition.fill(
        &visible.entities().functions,
        &[
            ("oid", |function| function.oid.into()),
            ("proname", |function| (&function.name).into()),
            ("pronamespace", |function| function.schema_oid.into()),
            ("proowner", |function| function.owner.into()),
            ("prolang", |_| INTERNAL.into()),
            ("procost", |_| 1.0.into()),
            ("prokind", |function| function.kind.into()),
            ("provolatile", |_| "i".into()),
            ("proparallel", |_| "s".into()),
            ("pronargs", |function| (function.argument_types.len() as i64).into()),
            ("prorettype", |function| function.return_type.into()),
            ("proargtypes", |function| argument_types(function).into()),
            ("proargnames", |function| argument_names(function).into()),
            ("proacl", |function| function.acl.clone().into()),
            ("prosrc", |function| (&function.name).into()),
        ],
    )
}

fn argument_types(function: &Function) -> Vec<i64> {
    function.argument_types.iter().map(|oid| (*oid).into()).collect()
}

/// `None` if no argument has a name.
fn argument_names(function: &Function) -> Option<Vec<String>> {
    function.argument_names.iter().any(|name| !name.is_empty()).then(|| function.argument_names.clone())
}

/// Number and name of PostgreSQL's own functions.
pub(in crate::pg_catalog) fn fixed_procedures() -> impl Iterator<Item = (Oid, &'static str)> {
    ROWS.lines().skip(1).filter_map(|row| {
        let mut values = row.split('\t');
        Some((values.next()?.parse().ok()?, values.next()?))
    })
}
