//! Joins pause now and then.
//!
//! DataFusion has the leaves of a plan give their thread back after some batches. A join can make millions of batches
//! of one batch of a leaf: without pauses of its own it would keep its thread for hours, whether or not the query
//! has been cancelled.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;

/// Puts a pause above every operator that may return many batches for one that it reads.
#[derive(Debug)]
pub struct PausingJoins;

impl PhysicalOptimizerRule for PausingJoins {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            if !plan.name().ends_with("JoinExec") && plan.name() != "UnnestExec" {
                return Ok(Transformed::no(plan));
            }
            Ok(Transformed::yes(Arc::new(CooperativeExec::new(plan)) as Arc<dyn ExecutionPlan>))
        })
        .data()
    }

    fn name(&self) -> &str {
        "pausing_joins"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
