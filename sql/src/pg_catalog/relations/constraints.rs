//! `pg_constraint` and `pg_index`. Keys are declared and checked at loading; their indexes exist in name only,
//! because that is where clients look for keys.

use std::collections::HashMap;
use std::sync::LazyLock;

use arrow::array::RecordBatch;
use voxhouse_engine::Result;
use voxhouse_engine::catalog::Oid;

use crate::pg_catalog::cell::Cell;
use crate::pg_catalog::definition::Definition;
use crate::pg_catalog::entities::{Column, Constraint};
use crate::pg_catalog::{Visible, types};

/// The B-tree operator class of each type.
static OPERATOR_CLASSES: LazyLock<HashMap<Oid, i64>> = LazyLock::new(|| {
    let rows = include_str!("../rows/pg_opclass.tsv").lines().skip(1);
    rows.filter_map(|row| {
        let row: Vec<&str> = row.split('\t').collect();
        Some((row.get(6)?.parse().ok()?, row.first()?.parse().ok()?))
    })
    .collect()
});

pub(super) fn constraints(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    definition.fill(
        &visible.entities().constraints,
        &[
            ("oid", |constraint| constraint.oid.into()),
            ("conname", |constraint| (&constraint.name).into()),
            ("connamespace", |constraint| constraint.schema_oid.into()),
            ("contype", |constraint| constraint.kind.into()),
            ("convalidated", |_| true.into()),
            ("conrelid", |constraint| constraint.table_oid.into()),
            ("conindid", |constraint| if constraint.is_key() { constraint.oid.into() } else { Cell::Int(0) }),
            ("confupdtype", |_| " ".into()),
            ("confdeltype", |_| " ".into()),
            ("confmatchtype", |_| " ".into()),
            ("conislocal", |_| true.into()),
            ("connoinherit", |constraint| constraint.is_key().into()),
            ("conkey", |constraint| numbers(&constraint.columns).into()),
            ("conbin", |constraint| constraint.expression.clone().into()),
        ],
    )
}

pub(super) fn indexes(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    let keys: Vec<&Constraint> = visible.entities().constraints.iter().filter(|one| one.is_key()).collect();
    definition.fill(
        &keys,
        &[
            ("indexrelid", |key| key.oid.into()),
            ("indrelid", |key| key.table_oid.into()),
            ("indnatts", |key| (key.columns.len() as i64).into()),
            ("indnkeyatts", |key| (key.columns.len() as i64).into()),
            ("indisunique", |_| true.into()),
            ("indisprimary", |key| (key.kind == 'p').into()),
            ("indimmediate", |_| true.into()),
            ("indisvalid", |_| true.into()),
            ("indisready", |_| true.into()),
            ("indislive", |_| true.into()),
            ("indkey", |key| numbers(&key.columns).into()),
            ("indcollation", |key| each(key, |column| collation(column.type_oid))),
            ("indclass", |key| each(key, |column| operator_class(column.type_oid))),
            ("indoption", |key| each(key, |_| 0)),
        ],
    )
}

impl Constraint {
    pub(in crate::pg_catalog) fn is_key(&self) -> bool {
        self.kind != 'c'
    }
}

fn numbers(columns: &[Column]) -> Vec<i64> {
    columns.iter().map(|column| column.number.into()).collect()
}

fn each(key: &Constraint, of: impl Fn(&Column) -> i64) -> Cell {
    key.columns.iter().map(of).collect::<Vec<i64>>().into()
}

fn collation(type_oid: Oid) -> i64 {
    types::by_oid(type_oid).map_or(0, |found| found.collation.into())
}

fn operator_class(type_oid: Oid) -> i64 {
    // varchar is compared as text.
    let type_oid = if type_oid == types::VARCHAR { types::TEXT } else { type_oid };
    OPERATOR_CLASSES.get(&type_oid).copied().unwrap_or(0)
}
