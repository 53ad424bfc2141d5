//! Where the columns of a result come from, as RowDescription tells it: the relation's identifier and the column's
//! number in it.
//!
//! As in PostgreSQL, a column has an origin as long as nothing but names, joins, filters, order and grouping stand
//! between it and the relation, and a view is an origin itself. Drivers find the key of a result with it.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::common::TableReference;
use datafusion::logical_expr::{Distinct, Expr, ExprSchemable, JoinType, LogicalPlan};
use datafusion::sql::sqlparser::ast::{Query, TableFactor, Visit, Visitor};
use voxhouse_engine::catalog::types::TYPE_KEY;
use voxhouse_engine::catalog::{Oid, QualifiedName, Relation};

use crate::pg_catalog::{self, PG_CATALOG, Visible};
use crate::query::names::fold;

/// One entry a column of the plan, which must not be optimized: the optimizer moves columns about.
pub fn of_columns(plan: &LogicalPlan, visible: &Visible, query: &Query) -> Vec<Option<(Oid, i16)>> {
    let tracer = Tracer { visible, local: local_names(query) };
    (0..plan.schema().fields().len()).map(|index| tracer.trace(plan, index)).collect()
}

struct Tracer<'a> {
    visible: &'a Visible,
    /// What the query itself names: such a name may hide a view.
    local: HashSet<String>,
}

impl Tracer<'_> {
    fn trace(&self, plan: &LogicalPlan, index: usize) -> Option<(Oid, i16)> {
        match plan {
            LogicalPlan::Projection(node) => self.expression(node.expr.get(index)?, &node.input),
            LogicalPlan::Filter(node) => self.trace(&node.input, index),
            LogicalPlan::Sort(node) => self.trace(&node.input, index),
            LogicalPlan::Limit(node) => self.trace(&node.input, index),
            LogicalPlan::Repartition(node) => self.trace(&node.input, index),
            LogicalPlan::Window(node) => self.trace(&node.input, index),
            LogicalPlan::Distinct(Distinct::All(input)) => self.trace(input, index),
            LogicalPlan::Distinct(Distinct::On(node)) => {
                self.expression(node.select_expr.get(index)?, &node.input)
            }
            LogicalPlan::Aggregate(node) => self.expression(node.group_expr.get(index)?, &node.input),
            LogicalPlan::Join(node) => {
                let left = node.left.schema().fields().len();
                match node.join_type {
                    JoinType::RightSemi | JoinType::RightAnti => self.trace(&node.right, index),
                    _ if index < left => self.trace(&node.left, index),
                    JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => {
                        self.trace(&node.right, index - left)
                    }
                    _ => None,
                }
            }
            LogicalPlan::SubqueryAlias(node) => match self.view(&node.alias) {
                Some(view) if !self.is_hidden(&node.alias) => {
                    self.attribute(&view, node.schema.fields().get(index)?.name())
                }
                // The view under an alias of its own name.
                Some(view) if is_alias_of(&node.input, &node.alias) => {
                    self.attribute(&view, node.schema.fields().get(index)?.name())
                }
                _ => self.trace(&node.input, index),
            },
            LogicalPlan::TableScan(node) => {
                let column = node.projected_schema.fields().get(index)?.name();
                self.candidates(&node.table_name).iter().find_map(|name| self.attribute(name, column))
            }
            _ => None,
        }
    }

    fn is_hidden(&self, alias: &TableReference) -> bool {
        alias.schema().is_none() && self.local.contains(alias.table())
    }

    /// A cast that changes nothing leaves a column what it is.
    fn expression(&self, expression: &Expr, input: &LogicalPlan) -> Option<(Oid, i16)> {
        match expression {
            Expr::Alias(alias) => self.expression(&alias.expr, input),
            Expr::Column(column) => self.trace(input, input.schema().maybe_index_of_column(column)?),
            Expr::Cast(cast) => {
                let (_, source) = cast.expr.to_field(input.schema()).ok()?;
                let is_idle = source.data_type() == cast.field.data_type()
                    && source.metadata().get(TYPE_KEY) == cast.field.metadata().get(TYPE_KEY);
                if is_idle { self.expression(&cast.expr, input) } else { None }
            }
            _ => None,
        }
    }

    fn attribute(&self, relation: &QualifiedName, column: &str) -> Option<(Oid, i16)> {
        pg_catalog::attribute(self.visible, relation, column)
    }

    fn view(&self, name: &TableReference) -> Option<QualifiedName> {
        self.candidates(name)
            .into_iter()
            .find(|name| self.visible.catalog.relation(name).is_some())
            .filter(|name| matches!(self.visible.catalog.relation(name), Some(Relation::View(_))))
    }

    /// The relations that a name may mean, first that of the first schema in the search path.
    fn candidates(&self, name: &TableReference) -> Vec<QualifiedName> {
        let table = name.table();
        let schemas: Vec<&str> = match name.schema() {
            Some(schema) => vec![schema],
            None => std::iter::once(PG_CATALOG)
                .chain(self.visible.search_path.iter().map(|schema| match schema.as_str() {
                    "$user" => self.visible.role.as_str(),
                    other => other,
                }))
                .collect(),
        };
        schemas.into_iter().map(|schema| QualifiedName::new(schema, table)).collect()
    }
}

fn is_alias_of(plan: &LogicalPlan, name: &TableReference) -> bool {
    matches!(plan, LogicalPlan::SubqueryAlias(inner) if inner.alias == *name)
}

/// The names that WITH and AS give.
fn local_names(query: &Query) -> HashSet<String> {
    struct Names(HashSet<String>);
    impl Visitor for Names {
        type Break = ();

        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            let tables = query.with.iter().flat_map(|with| &with.cte_tables);
            self.0.extend(tables.map(|table| fold(&table.alias.name)));
            ControlFlow::Continue(())
        }

        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
            if let TableFactor::Table { alias: Some(alias), .. }
            | TableFactor::Derived { alias: Some(alias), .. } = factor
            {
                self.0.insert(fold(&alias.name));
            }
            ControlFlow::Continue(())
        }
    }
    let mut names = Names(HashSet::new());
    let _ = query.visit(&mut names);
    names.0
}
