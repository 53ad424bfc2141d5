//! Values of several fields: `(f(x)).n`, `(keys).x`, and the function over lists that drivers take keys apart with.

use datafusion::sql::sqlparser::ast::{AccessExpr, Expr, FunctionArg, FunctionArgExpr, FunctionArguments};

use super::names::folded;
use crate::dialect::build;
use crate::pg_catalog::INFORMATION_SCHEMA;
use crate::pg_catalog::functions::{ACL_EXPLODE, EXPAND_ARRAY};

/// Functions that give a list, where PostgreSQL's give rows.
const RETURN_ROWS: &[&str] = &[ACL_EXPLODE, "pg_partition_ancestors"];

pub(super) fn rewrite(expr: &mut Expr) {
    let new = match expr {
        Expr::CompoundFieldAccess { root, access_chain } => field(root, access_chain),
        Expr::Function(function) => {
            let parts: Vec<String> =
                function.name.0.iter().filter_map(|part| part.as_ident().map(folded)).collect();
            match (parts.as_slice(), &function.args) {
                ([schema, name], FunctionArguments::List(list))
                    if schema == INFORMATION_SCHEMA && name == EXPAND_ARRAY =>
                {
                    match list.args.as_slice() {
                        [FunctionArg::Unnamed(FunctionArgExpr::Expr(list))] => Some(rows_of(list.clone())),
                        _ => None,
                    }
                }
                // Functions that return rows make a row of the query of each.
                ([name], FunctionArguments::List(_)) if RETURN_ROWS.contains(&name.as_str()) => {
                    Some(build::call("unnest", vec![expr.clone()]))
                }
                _ => None,
            }
        }
        _ => None,
    };
    if let Some(new) = new {
        *expr = new;
    }
}

/// A function that returns rows makes a row of the query of each.
fn rows_of(list: Expr) -> Expr {
    build::call("unnest", vec![build::call(EXPAND_ARRAY, vec![list])])
}

fn field(root: &Expr, access: &[AccessExpr]) -> Option<Expr> {
    let (Expr::Nested(record), [AccessExpr::Dot(Expr::Identifier(name))]) = (root, access) else {
        return None;
    };
    Some(build::call("get_field", vec![(**record).clone(), build::text(&folded(name))]))
}
