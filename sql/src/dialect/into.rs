//! `SELECT … INTO t`: CREATE TABLE t AS, in other words.

use datafusion::sql::sqlparser::ast::helpers::stmt_create_table::CreateTableBuilder;
use datafusion::sql::sqlparser::ast::{Query, SelectInto, SetExpr, Statement};

/// The statement that a query with INTO is; any other as it was.
pub(super) fn as_create_table(statement: Statement) -> Statement {
    match statement {
        Statement::Query(mut query) => match take_into(&mut query) {
            Some(into) => {
                let create = CreateTableBuilder::new(into.name).temporary(into.temporary).query(Some(query));
                Statement::CreateTable(create.build())
            }
            None => Statement::Query(query),
        },
        other => other,
    }
}

/// INTO stands in the first SELECT.
fn take_into(query: &mut Query) -> Option<SelectInto> {
    let mut body = query.body.as_mut();
    loop {
        body = match body {
            SetExpr::Select(select) => return select.into.take(),
            SetExpr::SetOperation { left, .. } => left.as_mut(),
            SetExpr::Query(inner) => inner.body.as_mut(),
            _ => return None,
        };
    }
}
