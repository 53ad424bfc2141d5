//! Lateral subqueries that only compute and unnest, `FROM t, LATERAL (SELECT unnest(t.tags) AS tag) AS u`, without a join:
//! the rows of `t` are carried through the subquery. DataFusion's own rule takes subqueries with tables and aggregates in
//! them, and none that unnests.
//!
//! Works on the plan as the planner gives it.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{JoinType, NullHandling, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::{
    Expr, Filter, Join, LogicalPlan, LogicalPlanBuilder, Projection, SubqueryAlias, Unnest,
};

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
    let Some(mut plan) = carrier.through(&join.right)? else { return Ok(None) };
    if let Some(filter) = join.filter.as_ref().filter(|filter| !is_true(filter)) {
        plan = LogicalPlan::Filter(Filter::try_new(filter.clone(), Arc::new(plan))?);
    }
    Ok(Some(plan))
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
                let input = self.through(&filter.input)?;
                let predicate = inner(filter.predicate.clone())?;
                input
                    .map(|input| Filter::try_new(predicate, Arc::new(input)).map(LogicalPlan::Filter))
                    .transpose()?
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
        for (place, expr) in projection.expr.iter().enumerate() {
            let (qualifier, field) = projection.schema.qualified_field(place);
            let expr = inner(expr.clone())?;
            let is_same = matches!(&expr, Expr::Column(column) if column.relation.as_ref() == qualifier && column.name == *field.name());
            exprs.push(match is_same {
                true => expr,
                false => expr.unalias().alias_qualified(qualifier.cloned(), field.name().clone()),
            });
        }
        Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(input))?))
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

/// What read the outer row reads the row at hand.
fn inner(expr: Expr) -> Result<Expr> {
    let inner = expr.transform(|expr| match expr {
        Expr::OuterReferenceColumn(_, column) => Ok(Transformed::yes(Expr::Column(column))),
        other => Ok(Transformed::no(other)),
    })?;
    Ok(inner.data)
}
