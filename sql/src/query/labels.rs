//! The headings of a result, as PostgreSQL chooses them from the text of the query.

use datafusion::sql::sqlparser::ast::{
    AccessExpr, BinaryOperator, Expr, Query, SelectItem, SetExpr, TrimWhereField,
};

use super::names::fold;

/// One label a column; `None` where the query says `*`, so that labels and columns do not line up.
pub fn of_query(query: &Query) -> Option<Vec<Option<String>>> {
    let mut body = query.body.as_ref();
    let select = loop {
        match body {
            SetExpr::Select(select) => break select,
            SetExpr::Query(inner) => body = inner.body.as_ref(),
            SetExpr::SetOperation { left, .. } => body = left.as_ref(),
            _ => return None,
        }
    };
    select
        .projection
        .iter()
        .map(|item| match item {
            SelectItem::ExprWithAlias { alias, .. } => Some(Some(fold(alias))),
            SelectItem::UnnamedExpr(expression) => Some(Some(of_expression(expression))),
            _ => None,
        })
        .collect()
}

/// A column keeps its name, a function gives its own, a cast that of what it casts; the rest has none.
fn of_expression(expression: &Expr) -> String {
    named(expression).unwrap_or_else(|| "?column?".to_owned())
}

fn named(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Identifier(identifier) => Some(fold(identifier)),
        Expr::CompoundIdentifier(parts) => parts.last().map(fold),
        Expr::Function(function) => function.name.0.last()?.as_ident().map(fold),
        // Of casts in each other, the last names a value that has no name of its own.
        Expr::Cast { expr, data_type, .. } => {
            let mut inner = expr.as_ref();
            while let Expr::Cast { expr, .. } | Expr::Nested(expr) = inner {
                inner = expr.as_ref();
            }
            named(inner).filter(|_| !is_weak(inner)).or_else(|| Some(type_label(&data_type.to_string())))
        }
        Expr::TypedString(typed) => Some(type_label(&typed.data_type.to_string())),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => named(inner),
        // An element is called as its list, a field has a name of its own.
        Expr::CompoundFieldAccess { root, access_chain } => match access_chain.last() {
            Some(AccessExpr::Dot(Expr::Identifier(field))) => Some(fold(field)),
            _ => named(root),
        },
        Expr::AtTimeZone { .. } => Some("timezone".into()),
        Expr::Case { else_result, .. } => {
            Some(else_result.as_ref().and_then(|inner| named(inner)).unwrap_or_else(|| "case".into()))
        }
        Expr::Extract { .. } => Some("extract".into()),
        Expr::Substring { .. } => Some("substring".into()),
        Expr::Trim { trim_where, .. } => Some(
            match trim_where {
                Some(TrimWhereField::Leading) => "ltrim",
                Some(TrimWhereField::Trailing) => "rtrim",
                _ => "btrim",
            }
            .into(),
        ),
        Expr::Overlay { .. } => Some("overlay".into()),
        Expr::BinaryOp { op: BinaryOperator::Overlaps, .. } => Some("overlaps".into()),
        Expr::Position { .. } => Some("position".into()),
        Expr::Ceil { .. } => Some("ceil".into()),
        Expr::Floor { .. } => Some("floor".into()),
        Expr::Exists { .. } => Some("exists".into()),
        Expr::Array(_) => Some("array".into()),
        Expr::Interval(_) => Some("interval".into()),
        Expr::Subquery(query) => of_query(query)?.into_iter().next()?,
        _ => None,
    }
}

/// Whether a name is one that a cast around it puts away.
fn is_weak(expression: &Expr) -> bool {
    matches!(expression, Expr::TypedString(_) | Expr::Interval(_))
        || matches!(expression, Expr::Case { else_result, .. }
            if else_result.as_ref().is_none_or(|inner| named(inner).is_none()))
}

/// PostgreSQL's internal name of a type.
fn type_label(written: &str) -> String {
    let base = written.to_lowercase();
    let base = base.split(['(', '[']).next().unwrap_or_default().trim();
    let base = base.rsplit('.').next().unwrap_or(base);
    match base {
        "int" | "integer" => "int4",
        "bigint" => "int8",
        "smallint" => "int2",
        "boolean" => "bool",
        "double precision" | "double" => "float8",
        "real" => "float4",
        "decimal" => "numeric",
        "timestamp with time zone" => "timestamptz",
        "character varying" => "varchar",
        "character" => "bpchar",
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::pipe::parse_query;

    #[test]
    fn labels_are_those_of_postgres() {
        let query = parse_query(
            "SELECT a.b, count(*), sum(x) AS total, 1 + 1, '1'::int, b::text, (SELECT max(c) FROM t), \
             CASE WHEN true THEN 1 END, \"Quoted\"",
        )
        .unwrap();
        let labels: Vec<String> = of_query(&query).unwrap().into_iter().flatten().collect();
        let expected = ["b", "count", "total", "?column?", "int4", "b", "max", "case", "Quoted"];
        assert_eq!(labels, expected);
        assert!(of_query(&parse_query("SELECT * FROM t").unwrap()).is_none());
    }
}
