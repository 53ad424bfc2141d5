//! Rules that are added to a table: what they may say, and whether the rows that are there keep them.

use std::ops::ControlFlow;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr as PlanExpr, ExprSchemable, LogicalPlan};
use datafusion::physical_plan::collect;
use datafusion::sql::sqlparser::ast::{self, Expr, Ident};
use voxhouse_engine::catalog::ddl::{ConstraintDdl, Ddl, Draft};
use voxhouse_engine::catalog::{OnViolation, Rule, SqlType, Table};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::ddl::table_constraint;
use crate::dialect::{AddRule, NewRule};
use crate::instance::plan_expression;
use crate::query::QueryContext;
use crate::query::names::{existing_name, object_name};
use crate::query::pipe::parse_query;

/// The definition that adds a rule.
pub async fn added(context: &QueryContext, add: &AddRule) -> Result<Ddl> {
    if add.not_valid {
        return Err(Error::not_supported("constraints that are NOT VALID are not supported")
            .with_hint("ON VIOLATION WARN adds a rule that rows may break."));
    }
    let table = existing_name(&add.table, &context.visible)?;
    let (name, rule) = match &add.rule {
        NewRule::Constraint(constraint) => table_constraint(constraint)?,
        NewRule::Expect(expression) => (None, Rule::Expect { expression: expression.to_string() }),
    };
    let definition = ConstraintDdl::Add {
        table: table.clone(),
        name: add.name.clone().or(name),
        rule: rule.clone(),
        on_violation: add.on_violation,
    };
    let definition = Ddl::Constraint(definition);
    // Names are looked at first, rows last.
    Draft::new(&context.visible.catalog, &context.visible.role).apply(&definition)?;
    let table = context.visible.catalog.table(&table)?;
    match (&rule, &add.rule) {
        (Rule::Check { expression }, NewRule::Constraint(constraint)) => {
            if let ast::TableConstraint::Check(check) = constraint.as_ref() {
                refuse_subquery(&check.expr, "check constraint")?;
            }
            require_condition(context, table, expression)?;
        }
        (Rule::Expect { expression }, NewRule::Expect(written)) => {
            refuse_subquery(written, "expectation")?;
            require_expectation(context, table, expression).await?;
        }
        _ => {}
    }
    Ok(definition)
}

fn refuse_subquery(expression: &Expr, what: &str) -> Result<()> {
    let found = ast::visit_expressions(expression, |part: &Expr| match part {
        Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    match found {
        ControlFlow::Break(()) => Err(Error::not_supported(format!("cannot use subquery in {what}"))),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// A check is true or false of one row.
fn require_condition(context: &QueryContext, table: &Table, expression: &str) -> Result<()> {
    let schema = DFSchema::try_from(table.storage_schema())?;
    let planned = plan_expression(&context.base, expression, &schema)?;
    let is_of_rows =
        |part: &PlanExpr| Ok(matches!(part, PlanExpr::AggregateFunction(_) | PlanExpr::WindowFunction(_)));
    if planned.exists(is_of_rows)? {
        let message = "aggregate functions are not allowed in check constraints";
        return Err(Error::new(ErrorKind::GroupingError, message)
            .with_hint("EXPECT (…) is a rule about the rows of a load together."));
    }
    require_boolean(&planned.get_type(&schema)?, "CHECK")
}

fn require_boolean(found: &DataType, clause: &str) -> Result<()> {
    if matches!(found, DataType::Boolean | DataType::Null) {
        return Ok(());
    }
    let shown = SqlType::from_arrow(found).map_or_else(|_| found.to_string(), |known| known.to_string());
    let message = format!("argument of {clause} must be type boolean, not type {shown}");
    Err(Error::new(ErrorKind::DatatypeMismatch, message))
}

/// An expectation is true or false of all rows of a load.
async fn require_expectation(context: &QueryContext, table: &Table, expression: &str) -> Result<()> {
    let query = format!("SELECT ({expression}) AS passes FROM {}", object_name(&table.name));
    let plan = context.plan_query(&parse_query(&query)?).await?.plan;
    let mut aggregates = false;
    plan.apply(|node| {
        aggregates |= matches!(node, LogicalPlan::Aggregate(_));
        Ok(TreeNodeRecursion::Continue)
    })?;
    if !aggregates {
        return Err(Error::new(ErrorKind::GroupingError, "an expectation needs an aggregate function")
            .with_hint(
                "Write for example EXPECT (count(*) >= 100); CHECK (…) is a rule about single rows.",
            ));
    }
    require_boolean(plan.schema().field(0).data_type(), "EXPECT")
}

/// Refuses a rule that a row of the table breaks.
pub async fn require_kept(context: &QueryContext, ddl: &ConstraintDdl) -> Result<()> {
    match ddl {
        ConstraintDdl::Add { on_violation: Some(OnViolation::Warn), .. } | ConstraintDdl::Drop { .. } => {
            Ok(())
        }
        ConstraintDdl::Add { table, name, rule, .. } => {
            let rows = Rows { context, table: context.visible.catalog.table(table)? };
            let name = name.as_deref();
            match rule {
                Rule::Check { expression } => rows.require_check(name, expression).await,
                Rule::Unique { columns } => rows.require_unique(name, columns).await,
                Rule::PrimaryKey { columns } => {
                    for column in columns {
                        rows.require_values(column).await?;
                    }
                    rows.require_unique(name, columns).await
                }
                // It is about loads to come.
                Rule::Expect { .. } => Ok(()),
            }
        }
        ConstraintDdl::NotNull { table, column, not_null } => {
            let table = context.visible.catalog.table(table)?;
            match *not_null && table.column(column).is_some() {
                true => Rows { context, table }.require_values(column).await,
                false => Ok(()),
            }
        }
    }
}

/// The rows of a table, as the statement sees them.
struct Rows<'a> {
    context: &'a QueryContext,
    table: &'a Table,
}

impl Rows<'_> {
    /// The first row of a query over the table.
    async fn first(&self, select: &str, condition: &str) -> Result<Option<RecordBatch>> {
        let query = format!("SELECT {select} FROM {} {condition} LIMIT 1", object_name(&self.table.name));
        let plan = self.context.plan_query(&parse_query(&query)?).await?.plan;
        let state = self.context.state();
        let physical = state.create_physical_plan(&plan).await?;
        let batches = collect(physical, state.task_ctx()).await?;
        Ok(batches.into_iter().find(|batch| batch.num_rows() > 0))
    }

    async fn require_check(&self, name: Option<&str>, expression: &str) -> Result<()> {
        if self.first("1", &format!("WHERE NOT ({expression})")).await?.is_none() {
            return Ok(());
        }
        let relation = &self.table.name.name;
        let name = name.map_or_else(|| format!("{relation}_check"), str::to_owned);
        let message =
            format!("check constraint \"{name}\" of relation \"{relation}\" is violated by some row");
        Err(Error::new(ErrorKind::CheckViolation, message).with_hint(
            "Change those rows first, or add the rule with ON VIOLATION WARN, which lets them be.",
        ))
    }

    async fn require_values(&self, column: &str) -> Result<()> {
        let quoted = Ident::with_quote('"', column);
        if self.first("1", &format!("WHERE {quoted} IS NULL")).await?.is_none() {
            return Ok(());
        }
        let relation = &self.table.name.name;
        let message = format!("column \"{column}\" of relation \"{relation}\" contains null values");
        Err(Error::new(ErrorKind::NotNullViolation, message))
    }

    async fn require_unique(&self, name: Option<&str>, columns: &[String]) -> Result<()> {
        let quoted: Vec<String> =
            columns.iter().map(|column| Ident::with_quote('"', column).to_string()).collect();
        let listed = quoted.join(", ");
        let known: Vec<String> = quoted.iter().map(|column| format!("{column} IS NOT NULL")).collect();
        let condition = format!("WHERE {} GROUP BY {listed} HAVING count(*) > 1", known.join(" AND "));
        let Some(twice) = self.first(&listed, &condition).await? else { return Ok(()) };
        let options = FormatOptions::default();
        let values = twice.columns().iter().filter_map(|column| {
            Some(ArrayFormatter::try_new(column.as_ref() as &dyn Array, &options).ok()?.value(0).to_string())
        });
        let values = values.collect::<Vec<_>>().join(", ");
        let relation = &self.table.name.name;
        let name = name.map_or_else(|| format!("{relation}_{}_key", columns.join("_")), str::to_owned);
        Err(Error::new(ErrorKind::UniqueViolation, format!("could not create unique index \"{name}\""))
            .with_detail(format!("Key ({})=({values}) is duplicated.", columns.join(", "))))
    }
}
