//! Optimized plans that serve again: what a prepared statement saves from its second execution on.
//!
//! A plan is optimized with its parameters open, and the values are put into the optimized plan; the physical plan,
//! which prunes files by the values, is made each time. That is right only if the optimizer would have made the same
//! of the plan with values: no function whose answer changes between executions, such as `now()`, which the optimizer
//! computes, and values of just the types that the plan was made for.

use std::collections::HashMap;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, Volatility};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::Result;

use super::Planned;
use super::style::style_of;
use crate::wire::style::TextStyle;

#[derive(Clone)]
pub struct Optimized {
    plan: LogicalPlan,
    /// By `$1`, `$2`, ….
    types: HashMap<String, DataType>,
    /// The optimizer writes and reads constants.
    style: TextStyle,
}

impl Optimized {
    /// `None`: the plan has to be optimized each time.
    pub fn of(planned: &Planned, state: &SessionState) -> Result<Option<Self>> {
        if !is_steady(&planned.plan)? {
            return Ok(None);
        }
        let types = planned.plan.get_parameter_types()?.into_iter();
        let Some(types) = types.map(|(name, data_type)| Some((name, data_type?))).collect() else {
            return Ok(None);
        };
        let plan = state.optimize(&planned.plan)?;
        Ok(Some(Self { plan, types, style: style_of(state.config_options()) }))
    }

    /// The plan with values; `None` if it was not made for such ones.
    pub fn with_values(&self, state: &SessionState, values: &[ScalarValue]) -> Result<Option<LogicalPlan>> {
        let fits = self.types.iter().all(|(name, data_type)| {
            let place = name.trim_start_matches('$').parse::<usize>().ok();
            let value = place.and_then(|place| values.get(place.checked_sub(1)?));
            value.is_some_and(|value| value.data_type() == *data_type)
        });
        if !fits || self.style != style_of(state.config_options()) {
            return Ok(None);
        }
        if values.is_empty() {
            return Ok(Some(self.plan.clone()));
        }
        Ok(Some(self.plan.clone().replace_params_with_values(&values.to_vec().into())?))
    }
}

/// Whether every function of a plan gives the same answer for the same arguments at all times.
fn is_steady(plan: &LogicalPlan) -> Result<bool> {
    let mut steady = true;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                if let Expr::ScalarFunction(call) = part {
                    steady &= call.func.signature().volatility == Volatility::Immutable;
                }
                Ok(if steady { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
            })
        })?;
        Ok(if steady { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    Ok(steady)
}
