//! Functions in FROM that read columns of what stands before them: `FROM t, unnest(t.tags) AS tag`. They become lateral
//! subqueries. So do functions whose rows have several columns: `FROM x.feedback AS f, opinions(f.comment) AS o` has
//! `o.aspect`, `o.opinion` and so on.

use std::ops::ControlFlow;
use std::sync::LazyLock;

use arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident, ObjectName, Query,
    SelectItem, TableAlias, TableFactor, TableFunctionArgs, TableWithJoins, Visit, Visitor,
};
use voxhouse_engine::Result;
use voxhouse_udfs::Implementation;

use crate::dialect::build::{self, call};
use crate::query::names::fold;

/// `LATERAL f(…)` as `f(…)`: functions in FROM always see what stands before them.
pub(super) fn as_table(factor: &mut TableFactor) {
    let TableFactor::Function { name, args, with_ordinality, alias, .. } = &mut *factor else { return };
    let (alias, ordinality, arguments) = (alias.take(), *with_ordinality, std::mem::take(args));
    let is_unnest = only_word(name).is_some_and(|name| fold(name) == "unnest");
    let mut table = build::table(name.clone(), build::alias(Ident::new("")));
    if let (false, TableFactor::Table { args, alias: slot, with_ordinality, .. }) = (is_unnest, &mut table) {
        *args = Some(TableFunctionArgs { args: arguments, settings: None });
        *slot = alias;
        *with_ordinality = ordinality;
        *factor = table;
        return;
    }
    *factor = TableFactor::UNNEST {
        alias,
        array_exprs: arguments.into_iter().filter_map(expression).collect(),
        with_offset: false,
        with_offset_alias: None,
        with_ordinality: ordinality,
    };
}

/// A function in FROM as a subquery that runs for each row before it, where it needs to.
pub(super) fn by_row(factor: &mut TableFactor) -> Result<()> {
    if let Some((function, alias)) = rows_function(factor) {
        *factor = lateral(rows_of(function), alias);
        return Ok(());
    }
    if let Some(series) = series_of_columns(factor) {
        *factor = series;
    }
    let TableFactor::UNNEST { alias, array_exprs, .. } = &mut *factor else { return Ok(()) };
    if !array_exprs.iter().any(reads_columns) {
        return Ok(());
    }
    let alias = alias.take().unwrap_or_else(|| build::alias(Ident::new("unnest")));
    let lists = std::mem::take(array_exprs).into_iter().map(|list| call("unnest", vec![list]));
    let outputs = lists.map(|rows| SelectItem::ExprWithAlias { expr: rows, alias: Ident::new("unnest") });
    let mut outputs: Vec<SelectItem> = outputs.collect();
    for (place, output) in outputs.iter_mut().enumerate().skip(1) {
        if let SelectItem::ExprWithAlias { alias, .. } = output {
            *alias = Ident::new(format!("unnest_{place}"));
        }
    }
    *factor = lateral(build::select(outputs, Vec::new()), alias);
    Ok(())
}

fn lateral(query: Query, alias: TableAlias) -> TableFactor {
    TableFactor::Derived { lateral: true, subquery: Box::new(query), alias: Some(alias), sample: None }
}

fn only_word(name: &ObjectName) -> Option<&Ident> {
    match name.0.as_slice() {
        [part] => part.as_ident(),
        _ => None,
    }
}

fn expression(argument: FunctionArg) -> Option<Expr> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    }
}

/// A function whose value is a list of rows, and the names of their columns.
type RowsFunction = (&'static str, Vec<String>);

fn rows_functions() -> &'static [RowsFunction] {
    static FUNCTIONS: LazyLock<Vec<RowsFunction>> = LazyLock::new(|| {
        let named = voxhouse_udfs::entries().into_iter().filter_map(|entry| {
            let Implementation::Scalar(function) = entry.implementation else { return None };
            let DataType::List(item) = function.return_type(&[]).ok()? else { return None };
            let DataType::Struct(fields) = item.data_type() else { return None };
            Some((entry.name, fields.iter().map(|field| field.name().clone()).collect()))
        });
        named.collect()
    });
    &FUNCTIONS
}

/// The call of such a function, written in FROM as it is or within `unnest`, and its alias.
fn rows_function(factor: &mut TableFactor) -> Option<((Expr, &'static [String]), TableAlias)> {
    let (name, call, alias) = match factor {
        TableFactor::Table { name, args: Some(arguments), alias, .. } => {
            (fold(only_word(name)?), function_call(name, &arguments.args), alias)
        }
        TableFactor::UNNEST { array_exprs, alias, .. } => match array_exprs.as_slice() {
            [Expr::Function(function)] => {
                (fold(only_word(&function.name)?), Expr::Function(function.clone()), alias)
            }
            _ => return None,
        },
        _ => return None,
    };
    let (name, columns) = rows_functions().iter().find(|(known, _)| *known == name)?;
    let mut alias = alias.take().unwrap_or_else(|| build::alias(Ident::new(*name)));
    // The alias of unnest names a column where there is one.
    if alias.columns.len() == 1 && alias.columns[0].name == alias.name {
        alias.columns.clear();
    }
    Some(((call, columns), alias))
}

fn function_call(name: &ObjectName, arguments: &[FunctionArg]) -> Expr {
    let mut expr = call("", Vec::new());
    if let Expr::Function(function) = &mut expr {
        function.name = name.clone();
        function.args = FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: arguments.to_vec(),
            clauses: Vec::new(),
        });
    }
    expr
}

/// `SELECT get_field(r, 'aspect') AS aspect, … FROM (SELECT unnest(opinions(…)) AS r)`.
fn rows_of((function, columns): (Expr, &[String])) -> Query {
    let row = Ident::new("__row");
    let output = |expr, alias| SelectItem::ExprWithAlias { expr, alias };
    let fields = columns.iter().map(|column| {
        let value = call("get_field", vec![Expr::Identifier(row.clone()), build::text(column)]);
        output(value, Ident::with_quote('"', column))
    });
    let rows = build::select(vec![output(call("unnest", vec![function]), row.clone())], Vec::new());
    let from = build::derived(rows, build::alias(Ident::new("__rows")));
    build::select(fields.collect(), vec![TableWithJoins { relation: from, joins: Vec::new() }])
}

/// `generate_series(1, t.n)`, a list to unnest.
fn series_of_columns(factor: &mut TableFactor) -> Option<TableFactor> {
    let TableFactor::Table { name, args: Some(arguments), alias, with_ordinality, .. } = factor else {
        return None;
    };
    let series = function_call(name, &arguments.args);
    if fold(only_word(name)?) != "generate_series" || !reads_columns(&series) {
        return None;
    }
    Some(TableFactor::UNNEST {
        alias: alias.take(),
        array_exprs: vec![series],
        with_offset: false,
        with_offset_alias: None,
        with_ordinality: *with_ordinality,
    })
}

fn reads_columns(expr: &Expr) -> bool {
    struct Columns;
    impl Visitor for Columns {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Identifier(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    expr.visit(&mut Columns).is_break()
}
