//! Subqueries that DataFusion's own rules turn into joins, with the right answer: what they ask of the outer row stands in
//! conditions above which nothing depends on which rows are there, but for one aggregate over equal keys.

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::logical_expr::utils::{merge_schema, split_conjunction};
use datafusion::logical_expr::{
    Aggregate, BinaryExpr, Cast, Distinct, Expr, JoinType, LogicalPlan, Operator,
};

use super::references::{has_subquery, is_lateral, outer_columns_of, reads_outer};

/// What is asked of a subquery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Whether it has rows, or one of some value.
    Membership,
    /// Its only value.
    Value,
    /// Its rows.
    Rows,
}

pub(super) fn is_simple(plan: &LogicalPlan, asked: Asked) -> Result<bool> {
    Looked { asked, below_aggregate: false, below_filter: false }.at(plan)
}

#[derive(Clone, Copy)]
struct Looked {
    asked: Asked,
    below_aggregate: bool,
    below_filter: bool,
}

impl Looked {
    fn at(self, plan: &LogicalPlan) -> Result<bool> {
        let is_value = self.asked == Asked::Value && !self.below_aggregate;
        if !is_value && !reads_outer(plan)? {
            return Ok(true);
        }
        match plan {
            LogicalPlan::SubqueryAlias(alias) => self.at(&alias.input),
            LogicalPlan::Subquery(subquery) => self.at(&subquery.subquery),
            LogicalPlan::Projection(projection) => Ok(is_plain(plan)? && self.at(&projection.input)?),
            LogicalPlan::Filter(filter) => {
                if is_value || !self.conditions(&filter.predicate, plan)? {
                    return Ok(false);
                }
                Looked { below_filter: true, ..self }.at(&filter.input)
            }
            LogicalPlan::Join(join) => Ok(join.join_type == JoinType::Inner
                && !is_lateral(join)?
                && is_plain(plan)?
                && !is_value
                && self.at(&join.left)?
                && self.at(&join.right)?),
            LogicalPlan::Aggregate(aggregate) => self.at_aggregate(aggregate, plan),
            LogicalPlan::Distinct(Distinct::All(input)) => {
                Ok(self.asked == Asked::Membership && !self.below_aggregate && self.at(input)?)
            }
            _ => Ok(false),
        }
    }

    fn at_aggregate(self, aggregate: &Aggregate, plan: &LogicalPlan) -> Result<bool> {
        let is_allowed = match (self.asked, aggregate.group_expr.is_empty()) {
            (Asked::Value, is_total) => is_total,
            (Asked::Membership, is_total) => !is_total,
            (Asked::Rows, _) => !self.below_filter,
        };
        let has_sets = matches!(aggregate.group_expr.as_slice(), [Expr::GroupingSet(_)]);
        if self.below_aggregate || !is_allowed || has_sets || !is_plain(plan)? {
            return Ok(false);
        }
        Looked { below_aggregate: true, ..self }.at(&aggregate.input)
    }

    fn conditions(self, predicate: &Expr, plan: &LogicalPlan) -> Result<bool> {
        let around = merge_schema(&plan.inputs());
        for condition in split_conjunction(predicate) {
            let reads_outer = !outer_columns_of(condition, &around)?.is_empty();
            if !reads_outer {
                continue;
            }
            if has_subquery(condition)? || (self.below_aggregate && !is_equal_key(condition)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether a node's own expressions read nothing of the outer row.
fn is_plain(plan: &LogicalPlan) -> Result<bool> {
    let around = merge_schema(&plan.inputs());
    let mut is_plain = true;
    plan.apply_expressions(|expr| {
        is_plain &= outer_columns_of(expr, &around)?.is_empty();
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(is_plain)
}

/// `column = what the outer row has`
fn is_equal_key(condition: &Expr) -> bool {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = condition else { return false };
    let is_column = |expr: &Expr| match expr {
        Expr::Column(_) => true,
        Expr::Cast(Cast { expr, .. }) => matches!(expr.as_ref(), Expr::Column(_)),
        _ => false,
    };
    (is_column(left) && !right.any_column_refs()) || (is_column(right) && !left.any_column_refs())
}
