//! Lateral subqueries that only compute and unnest, `FROM t, LATERAL (SELECT unnest(t.tags) AS tag) AS u`, without a join:
//! the rows of `t` are carried through the subquery. DataFusion's own rule takes subqueries with tables and aggregates in
//! them, and none that unnests.
//!
//! Works on the plan as the planner gives it.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, JoinType, NullHandling, ScalarValue, TableReference};
use datafusion::error::Result;
use datafusion::logical_expr::{
    Expr, Filter, Join, LogicalPlan, LogicalPlanBuilder, Projection, SubqueryAlias, Unnest,
};

/// The qualifier of columns that the subquery computes on its way.
const INNER: &str = "__lateral";

/// Rewrites every such join in `plan`.
pub fn carry_through(plan: LogicalPlan) -> Result<LogicalPlan> {
    let rewritten = plan.transform_up_with_subqueries(|plan| match plan {
        LogicalPlan::Join(join) => match carried_join(&join)? {
            Some(carried) => Ok(Transformed::yes(carried)),
            None => Ok(Transformed::no(LogicalPlan::Join(join))),
        },
        other => Ok(Transformed::no(other)),
    })?;
    // Nodes around a rewritten join keep schemas that name the same columns.
    Ok(rewritten.data)
}

fn carried_join(join: &Join) -> Result<Option<LogicalPlan>> {
    let is_lateral = matches!(join.right.as_ref(), LogicalPlan::Subquery(_))
        || matches!(join.right.as_ref(), LogicalPlan::SubqueryAlias(alias) if matches!(alias.input.as_ref(), LogicalPlan::Subquery(_)));
    let keeps_left = match join.join_type {
        JoinType::Inner => false,
        JoinType::Left if join.filter.as_ref().is_none_or(is_true) => true,
        _ => return Ok(None),
    };
    if !is_lateral || !join.on.is_empty() {
        return Ok(None);
    }
    let carrier = Carrier { left: &join.left, keeps_left };
    let Some(plan) = carrier.through(&join.right)? else { return Ok(None) };
    let mut plan = named_as(plan, &join.schema)?;
    if let Some(filter) = join.filter.as_ref().filter(|filter| !is_true(filter)) {
        plan = LogicalPlan::Filter(Filter::try_new(filter.clone(), Arc::new(plan))?);
    }
    Ok(Some(plan))
}

/// `plan` with the names of `schema`, which has as many columns.
fn named_as(plan: LogicalPlan, schema: &DFSchema) -> Result<LogicalPlan> {
    if plan.schema().columns() == schema.columns() {
        return Ok(plan);
    }
    let columns = plan.schema().columns().into_iter().zip(schema.iter());
    let named = columns.map(|(column, (qualifier, field))| {
        Expr::Column(column).alias_qualified(qualifier.cloned(), field.name().clone())
    });
    let named = named.collect();
    Ok(LogicalPlan::Projection(Projection::try_new(named, Arc::new(plan))?))
}

fn is_true(filter: &Expr) -> bool {
    matches!(filter, Expr::Literal(ScalarValue::Boolean(Some(true)), _))
}

struct Carrier<'a> {
    left: &'a Arc<LogicalPlan>,
    /// Whether a row of the left stays if the subquery has none for it.
    keeps_left: bool,
}

impl Carrier<'_> {
    /// `plan` with the columns of the left before its own; `None` if it does more than compute and unnest.
    fn through(&self, plan: &LogicalPlan) -> Result<Option<LogicalPlan>> {
        Ok(match plan {
            LogicalPlan::EmptyRelation(empty) if empty.produce_one_row => Some(self.left.as_ref().clone()),
            LogicalPlan::Subquery(subquery) => self.through(&subquery.subquery)?,
            LogicalPlan::SubqueryAlias(alias) => {
                let input = self.through(&alias.input)?;
                input.map(|input| self.renamed(alias, input)).transpose()?
            }
            LogicalPlan::Projection(projection) => {
                let input = self.through(&projection.input)?;
                input.map(|input| self.projected(projection, input)).transpose()?
            }
            LogicalPlan::Filter(filter) if !self.keeps_left => {
                let Some(input) = self.through(&filter.input)? else { return Ok(None) };
                let predicate = self.carried(filter.predicate.clone(), filter.input.schema(), &input)?;
                Some(LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(input))?))
            }
            LogicalPlan::Unnest(unnest) => {
                let input = self.through(&unnest.input)?;
                input.map(|input| self.unnested(unnest, input)).transpose()?
            }
            _ => None,
        })
    }

    fn left_columns(&self) -> Vec<Expr> {
        self.left.schema().columns().into_iter().map(Expr::Column).collect()
    }

    fn renamed(&self, alias: &SubqueryAlias, input: LogicalPlan) -> Result<LogicalPlan> {
        let own = input.schema().columns().split_off(self.left.schema().fields().len());
        let named = own.into_iter().zip(alias.schema.fields()).map(|(column, field)| {
            Expr::Column(column).alias_qualified(Some(alias.alias.clone()), field.name().clone())
        });
        let exprs = self.left_columns().into_iter().chain(named).collect();
        Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(input))?))
    }

    fn projected(&self, projection: &Projection, input: LogicalPlan) -> Result<LogicalPlan> {
        let mut exprs = self.left_columns();
        for (expr, (qualifier, field)) in projection.expr.iter().zip(projection.schema.iter()) {
            let own = self.carried(expr.clone(), projection.input.schema(), &input)?.unalias();
            // Columns of the left may have the same names. What is to be unnested has one that nothing else has.
            let is_placeholder = field.name().starts_with("__unnest_placeholder");
            let qualifier = match qualifier {
                None if !is_placeholder => Some(TableReference::bare(INNER)),
                other => other.cloned(),
            };
            exprs.push(own.alias_qualified(qualifier, field.name().clone()));
        }
        Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(input))?))
    }

    /// An expression over `before` as one over `input`, which has the same columns behind those of the left; what read
    /// the outer row reads the columns of the left.
    fn carried(&self, expr: Expr, before: &DFSchema, input: &LogicalPlan) -> Result<Expr> {
        let columns = input.schema().columns();
        let width = self.left.schema().fields().len();
        let carried = expr.transform(|expr| match expr {
            Expr::OuterReferenceColumn(_, column) => Ok(Transformed::yes(Expr::Column(column))),
            Expr::Column(column) => {
                let place = width + before.index_of_column(&column)?;
                Ok(Transformed::yes(Expr::Column(columns.get(place).cloned().unwrap_or(column))))
            }
            other => Ok(Transformed::no(other)),
        })?;
        Ok(carried.data)
    }

    fn unnested(&self, unnest: &Unnest, input: LogicalPlan) -> Result<LogicalPlan> {
        let options = match self.keeps_left {
            true => unnest.options.clone().with_null_handling(NullHandling::PreserveAndExpandEmpty),
            false => unnest.options.clone(),
        };
        LogicalPlanBuilder::from(input)
            .unnest_columns_with_options(unnest.exec_columns.clone(), options)?
            .build()
    }
}
