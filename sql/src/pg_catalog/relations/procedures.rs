//! `pg_proc`: the functions that PostgreSQL's catalogs refer to, and those of the warehouse.

use std::collections::BTreeMap;
use std::sync::LazyLock;

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

/// A function of PostgreSQL's own.
pub(in crate::pg_catalog) struct FixedProcedure {
    pub(in crate::pg_catalog) name: &'static str,
    /// Numbers with blanks between.
    arguments: &'static str,
}

impl FixedProcedure {
    pub(in crate::pg_catalog) fn argument_types(&self) -> Vec<Oid> {
        self.arguments.split(' ').filter_map(|oid| oid.parse().ok()).collect()
    }
}

static FIXED: LazyLock<BTreeMap<Oid, FixedProcedure>> = LazyLock::new(|| {
    let mut rows = ROWS.lines().map(|row| row.split('\t'));
    let arguments = rows.next().and_then(|mut header| header.position(|column| column == "proargtypes"));
    let procedure = |mut values: std::str::Split<'static, char>| {
        let (oid, name) = (values.next()?.parse().ok()?, values.next()?);
        let arguments = values.nth(arguments?.checked_sub(2)?)?;
        Some((oid, FixedProcedure { name, arguments }))
    };
    rows.filter_map(procedure).collect()
});

/// PostgreSQL's own functions by number.
pub(in crate::pg_catalog) fn fixed_procedures() -> &'static BTreeMap<Oid, FixedProcedure> {
    &FIXED
}
