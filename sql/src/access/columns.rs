//! Which columns of which relations a query mentions.
//!
//! As in PostgreSQL a column counts when the query names it, or a star that includes it, anywhere: in the list of
//! results, a condition, a subquery. The plan tells: below each node every column is followed to the scan that it
//! comes from unchanged. The plan is one in which views are scans of their own (`Named`), so that what a view reads
//! is not mistaken for what the query reads.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Constraints, DFSchemaRef};
use datafusion::datasource::source_as_provider;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::logical_expr::{Distinct, Expr, JoinType, LogicalPlan, TableScan, TableType};
use datafusion::physical_plan::ExecutionPlan;
use voxhouse_engine::catalog::QualifiedName;
use voxhouse_engine::{Error, Result};

/// Stands for a relation in a plan that is only looked at.
pub struct Named {
    pub relation: QualifiedName,
    /// The table that the statement changes: reading none of its columns needs no privilege.
    pub is_target: bool,
    pub provider: Arc<dyn TableProvider>,
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Named").field("relation", &self.relation).finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for Named {
    fn schema(&self) -> SchemaRef {
        self.provider.schema()
    }

    fn constraints(&self) -> Option<&Constraints> {
        self.provider.constraints()
    }

    fn table_type(&self) -> TableType {
        self.provider.table_type()
    }

    async fn scan(
        &self,
        _: &dyn Session,
        _: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        Err(DataFusionError::from(Error::internal("a plan that is only looked at was run")))
    }
}

/// One relation that a query reads.
pub struct Read {
    pub relation: QualifiedName,
    pub is_target: bool,
    pub columns: BTreeSet<String>,
    schema: SchemaRef,
}

/// The relations of a plan, once for each time that they are read.
pub fn of_plan(plan: &LogicalPlan) -> Result<Vec<Read>> {
    let mut walk = Walk::default();
    walk.node(plan)?;
    if walk.is_lost {
        for read in &mut walk.reads {
            read.columns.extend(read.schema.fields().iter().map(|field| field.name().clone()));
        }
    }
    Ok(walk.reads)
}

/// Where a column of a plan comes from: the scan, and the column's place in it.
type Origin = Option<(usize, usize)>;

/// What the expressions of a node see: its inputs.
struct Scope {
    inputs: Vec<(DFSchemaRef, Vec<Origin>)>,
}

#[derive(Default)]
struct Walk {
    reads: Vec<Read>,
    /// The nodes around the one at hand, whose columns a correlated subquery may name; the nearest last.
    around: Vec<Scope>,
    /// Whether a column was named whose home was not found.
    is_lost: bool,
}

impl Walk {
    fn node(&mut self, plan: &LogicalPlan) -> Result<Vec<Origin>> {
        if let LogicalPlan::TableScan(scan) = plan {
            return self.scan(scan);
        }
        let mut scope = Scope { inputs: Vec::new() };
        for input in plan.inputs() {
            // What stands on the right of LATERAL sees what stands on its left.
            self.around.push(scope);
            let origins = self.node(input);
            scope = self.around.pop().unwrap_or(Scope { inputs: Vec::new() });
            scope.inputs.push((Arc::clone(input.schema()), origins?));
        }
        self.around.push(scope);
        let marked = self.expressions(plan);
        let scope = self.around.pop().unwrap_or(Scope { inputs: Vec::new() });
        marked?;
        Ok(passed_on(plan, scope))
    }

    fn scan(&mut self, scan: &TableScan) -> Result<Vec<Origin>> {
        let fields = scan.projected_schema.fields().len();
        let provider = source_as_provider(&scan.source)?;
        let Some(named) = provider.downcast_ref::<Named>() else {
            return Ok(vec![None; fields]);
        };
        let place = self.reads.len();
        self.reads.push(Read {
            relation: named.relation.clone(),
            is_target: named.is_target,
            columns: BTreeSet::new(),
            schema: named.schema(),
        });
        Ok((0..fields)
            .map(|field| match &scan.projection {
                None => Some((place, field)),
                Some(columns) => columns.get(field).map(|column| (place, *column)),
            })
            .collect())
    }

    fn expressions(&mut self, plan: &LogicalPlan) -> Result<()> {
        let mut columns: Vec<(Column, bool)> = Vec::new();
        let mut subqueries: Vec<Arc<LogicalPlan>> = Vec::new();
        plan.apply_expressions(|expression| {
            expression.apply(|part| {
                match part {
                    Expr::Column(column) => columns.push((column.clone(), false)),
                    Expr::OuterReferenceColumn(_, column) => columns.push((column.clone(), true)),
                    Expr::Exists(exists) => subqueries.push(Arc::clone(&exists.subquery.subquery)),
                    Expr::InSubquery(inside) => subqueries.push(Arc::clone(&inside.subquery.subquery)),
                    Expr::ScalarSubquery(subquery) => subqueries.push(Arc::clone(&subquery.subquery)),
                    Expr::SetComparison(compared) => subqueries.push(Arc::clone(&compared.subquery.subquery)),
                    _ => {}
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        for (column, is_outer) in columns {
            self.mark(&column, is_outer);
        }
        for subquery in subqueries {
            self.node(&subquery)?;
        }
        Ok(())
    }

    /// Notes that a column is named. One whose home is not found counts as all columns of everything: it is better
    /// to refuse too much.
    fn mark(&mut self, column: &Column, is_outer: bool) {
        let reach = self.around.len() - usize::from(is_outer);
        let mut is_found = false;
        let mut origins: Vec<(usize, usize)> = Vec::new();
        for scope in self.around[..reach].iter().rev() {
            for (schema, from) in &scope.inputs {
                if let Some(place) = schema.maybe_index_of_column(column) {
                    is_found = true;
                    origins.extend(from.get(place).copied().flatten());
                }
            }
            if !is_outer {
                break;
            }
        }
        for (read, place) in origins {
            let read = &mut self.reads[read];
            if let Some(field) = read.schema.fields().get(place) {
                read.columns.insert(field.name().clone());
            }
        }
        self.is_lost |= !is_found;
    }
}

/// The origins of a node's own columns: those that it hands on as they are.
fn passed_on(plan: &LogicalPlan, scope: Scope) -> Vec<Origin> {
    let fields = plan.schema().fields().len();
    let mut inputs = scope.inputs.into_iter().map(|(_, origins)| origins);
    let origins: Vec<Origin> = match plan {
        LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::Subquery(_)
        | LogicalPlan::Distinct(Distinct::All(_)) => inputs.next().unwrap_or_default(),
        LogicalPlan::Join(join) => {
            let (left, right) = (inputs.next().unwrap_or_default(), inputs.next().unwrap_or_default());
            match join.join_type {
                JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => left,
                JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => right,
                _ => [left, right].concat(),
            }
        }
        // Window columns stand behind those of the input.
        LogicalPlan::Window(_) => inputs.next().unwrap_or_default(),
        _ => Vec::new(),
    };
    let mut origins = origins;
    origins.resize(fields, None);
    origins
}
