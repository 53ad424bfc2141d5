//! A function of one value in FROM is a query of it: `FROM string_to_array(path, ',') AS parts`.

use std::ops::ControlFlow;

use datafusion::execution::SessionState;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgumentList, FunctionArguments, Ident, ObjectNamePart, SelectItem, Statement,
    TableAliasColumnDef, TableFactor, VisitMut, VisitorMut,
};

use crate::dialect::build::{self, call};
use crate::query::names::fold;

/// Rewrites a statement in place; `state` knows the functions.
pub fn in_from(statement: &mut Statement, state: &SessionState) {
    let _ = statement.visit(&mut Rewriter { state });
}

struct Rewriter<'a> {
    state: &'a SessionState,
}

impl VisitorMut for Rewriter<'_> {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let Some(query) = self.query_of(factor) {
            *factor = query;
        }
        ControlFlow::Continue(())
    }
}

impl Rewriter<'_> {
    fn query_of(&self, factor: &TableFactor) -> Option<TableFactor> {
        let TableFactor::Table { name, alias, args: Some(arguments), with_ordinality: false, .. } = factor
        else {
            return None;
        };
        let [ObjectNamePart::Identifier(word)] = name.0.as_slice() else { return None };
        let function = fold(word);
        let known = self.state.scalar_functions();
        if !known.contains_key(&function) || self.state.table_functions().contains_key(&function) {
            return None;
        }
        let mut alias = alias.clone().unwrap_or_else(|| build::alias(Ident::with_quote('"', &function)));
        if alias.columns.is_empty() {
            alias.columns.push(TableAliasColumnDef { name: alias.name.clone(), data_type: None });
        }
        let value = SelectItem::UnnamedExpr(with_arguments(&function, &arguments.args));
        let query = build::select(vec![value], Vec::new());
        Some(TableFactor::Derived {
            lateral: true,
            subquery: Box::new(query),
            alias: Some(alias),
            sample: None,
        })
    }
}

fn with_arguments(function: &str, arguments: &[FunctionArg]) -> Expr {
    let mut made = call(function, Vec::new());
    if let Expr::Function(function) = &mut made {
        function.args = FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: arguments.to_vec(),
            clauses: Vec::new(),
        });
    }
    made
}
