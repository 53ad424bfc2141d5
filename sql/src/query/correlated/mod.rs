//! Subqueries that read the row around them, in all the forms that PostgreSQL has and DataFusion's rules do not take:
//! correlated by anything but `=`, with LIMIT, windows or unions in them, worth their only row, or asked for by ANY and
//! ALL. Each becomes a join with the rows of all outer values ([`domain`]); what DataFusion does well is left to it
//! ([`simple`]).
//!
//! Works on the plan as the planner gives it.

mod comparisons;
mod domain;
mod only_value;
mod references;
mod repeatable;
mod simple;

use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, JoinType, TableReference};
use datafusion::error::Result;
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::logical_expr::expr::{AggregateFunction, Exists, InSubquery};
use datafusion::logical_expr::utils::{conjunction, split_conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    Aggregate, BinaryExpr, Distinct, DistinctOn, Expr, FetchType, Filter, Join, Limit, LogicalPlan,
    LogicalPlanBuilder, Operator, Projection, SkipType, Sort, Window,
};
use voxhouse_engine::Error;

use domain::{Domain, alike, named_as};
use references::{has_subqueries, has_subquery, is_lateral, outer_columns, outer_columns_of, subquery};
use simple::{Asked, is_simple};

/// Rewrites every such subquery in `plan`.
pub fn into_joins(plan: LogicalPlan) -> Result<LogicalPlan> {
    if !has_subqueries(&plan)? {
        return Ok(plan);
    }
    let mut joins = Joins { made: 0 };
    Ok(plan.transform_down_with_subqueries(|node| joins.at(node))?.data)
}

struct Joins {
    /// How many were made: their relations are numbered.
    made: usize,
}

impl Joins {
    fn at(&mut self, node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        match node {
            LogicalPlan::Join(join) => match is_lateral(&join)? {
                true => self.at_lateral(join),
                false => self.at_join(join),
            },
            LogicalPlan::Filter(_)
            | LogicalPlan::Projection(_)
            | LogicalPlan::Aggregate(_)
            | LogicalPlan::Window(_)
            | LogicalPlan::Distinct(Distinct::On(_))
            | LogicalPlan::Sort(_) => self.at_expressions(node),
            other => Ok(Transformed::no(other)),
        }
    }

    fn domain(&mut self, outer: &LogicalPlan, read: &[(Column, FieldRef)]) -> Result<Domain> {
        let columns: Vec<Column> = read.iter().map(|(column, _)| column.clone()).collect();
        if !repeatable::is_repeatable(outer, &columns)? {
            return Err(Error::not_supported(
                "a subquery that reads rows which may differ at each reading is not supported",
            )
            .with_hint("Store the rows of the query around it in a temporary table first.")
            .into());
        }
        self.made += 1;
        Domain::new(outer, read, self.made)
    }

    fn at_lateral(&mut self, join: Join) -> Result<Transformed<LogicalPlan>> {
        let read = outer_columns(&join.right)?;
        let is_known = read.iter().all(|(column, _)| join.left.schema().has_column(column));
        if !matches!(join.join_type, JoinType::Inner | JoinType::Left)
            || read.is_empty()
            || !is_known
            || (is_taken_as_lateral(&join.right) && is_simple(&join.right, Asked::Rows)?)
        {
            return Ok(Transformed::no(LogicalPlan::Join(join)));
        }
        let domain = self.domain(&join.left, &read)?;
        let Some(right) = domain.through(&join.right)? else {
            return Ok(Transformed::no(LogicalPlan::Join(join)));
        };
        let (right, keys) = domain.set_aside(right, &format!("__lateral_{}", self.made))?;
        let outer: Vec<Column> = read.into_iter().map(|(column, _)| column).collect();
        let joined = Join::try_new(
            join.left,
            Arc::new(right),
            join.on,
            alike(&outer, &keys).into_iter().chain(join.filter).reduce(Expr::and),
            join.join_type,
            join.join_constraint,
            join.null_equality,
            join.null_aware,
        )?;
        only_columns(LogicalPlan::Join(joined), join.schema.columns()).map(Transformed::yes)
    }

    fn at_join(&mut self, join: Join) -> Result<Transformed<LogicalPlan>> {
        let asks = join.filter.as_ref().map(has_subquery).transpose()?;
        match join.join_type {
            _ if asks != Some(true) => Ok(Transformed::no(LogicalPlan::Join(join))),
            JoinType::Inner => self.at_inner_join(join),
            _ => at_outer_join(join),
        }
    }

    /// A condition of an inner join is one of its rows.
    fn at_inner_join(&mut self, mut join: Join) -> Result<Transformed<LogicalPlan>> {
        let Some(condition) = join.filter.take() else { return Ok(Transformed::no(LogicalPlan::Join(join))) };
        let filter = Filter::try_new(condition, Arc::new(LogicalPlan::Join(join)))?;
        let rewritten = self.at_expressions(LogicalPlan::Filter(filter))?;
        Ok(Transformed::yes(rewritten.data))
    }

    fn at_expressions(&mut self, node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        let Some(input) = node.inputs().first().map(|input| LogicalPlan::clone(input)) else {
            return Ok(Transformed::no(node));
        };
        let mut has_any = false;
        node.apply_expressions(|expr| {
            has_any |= has_subquery(expr)?;
            Ok(TreeNodeRecursion::Continue)
        })?;
        if !has_any {
            return Ok(Transformed::no(node));
        }
        let is_planned = matches!(node, LogicalPlan::Filter(_) | LogicalPlan::Projection(_));
        let mut lifted = Lifted { joins: self, input, leaves_values: is_planned };
        if let LogicalPlan::Filter(filter) = node {
            return lifted.filter(filter);
        }
        let rewritten = node.map_expressions(|expr| lifted.value(expr))?;
        if !rewritten.transformed {
            return Ok(rewritten);
        }
        rebuilt(rewritten.data, Arc::new(lifted.input)).map(Transformed::yes)
    }
}

/// Conditions that ask a subquery about one side of the join become columns of that side.
fn at_outer_join(join: Join) -> Result<Transformed<LogicalPlan>> {
    let columns = join.schema.columns();
    let mut sides = [Arc::clone(&join.left), Arc::clone(&join.right)];
    let mut asked: [Vec<Expr>; 2] = Default::default();
    let mut conditions = Vec::new();
    for (place, condition) in join.filter.iter().flat_map(|filter| split_conjunction(filter)).enumerate() {
        let side = match has_subquery(condition)? {
            true => sides.iter().position(|side| is_about(condition, side.schema()).unwrap_or(false)),
            false => None,
        };
        conditions.push(match side {
            Some(side) => {
                let name = format!("__condition_{place}");
                asked[side].push(condition.clone().alias(&name));
                Expr::Column(Column::new_unqualified(name))
            }
            None => condition.clone(),
        });
    }
    if asked.iter().all(Vec::is_empty) {
        return Ok(Transformed::no(LogicalPlan::Join(join)));
    }
    for (side, asked) in sides.iter_mut().zip(asked) {
        let own = side.schema().columns().into_iter().map(Expr::Column);
        let exprs = own.chain(asked).collect();
        *side = Arc::new(LogicalPlan::Projection(Projection::try_new(exprs, Arc::clone(side))?));
    }
    let [left, right] = sides;
    let joined = Join::try_new(
        left,
        right,
        join.on,
        conjunction(conditions),
        join.join_type,
        join.join_constraint,
        join.null_equality,
        join.null_aware,
    )?;
    only_columns(LogicalPlan::Join(joined), columns).map(Transformed::yes)
}

/// Whether an expression and its subqueries read nothing but columns of `schema`.
fn is_about(expr: &Expr, schema: &DFSchema) -> Result<bool> {
    let outer = outer_columns_of(expr, &DFSchema::empty())?;
    let mut read = expr.column_refs().into_iter().chain(outer.iter().map(|(column, _)| column));
    Ok(read.all(|column| schema.has_column(column)))
}

/// A node's input, to which the values of subqueries are joined.
struct Lifted<'a> {
    joins: &'a mut Joins,
    input: LogicalPlan,
    /// Whether DataFusion finds simple subqueries in expressions of the node.
    leaves_values: bool,
}

impl Lifted<'_> {
    fn filter(&mut self, filter: Filter) -> Result<Transformed<LogicalPlan>> {
        let columns = filter.input.schema().columns();
        let (mut asking, mut plain) = (Vec::new(), Vec::new());
        for condition in split_conjunction_owned(filter.predicate.clone()) {
            match has_subquery(&condition)? {
                true => asking.push(condition),
                false => plain.push(condition),
            }
        }
        if let Some(plain) = conjunction(plain) {
            self.input = LogicalPlan::Filter(Filter::try_new(plain, Arc::clone(&filter.input))?);
        }
        let mut is_changed = false;
        let mut conditions = Vec::with_capacity(asking.len());
        for condition in asking {
            let condition = self.condition(condition, false)?;
            is_changed |= condition.transformed;
            conditions.push(condition.data);
        }
        let Some(condition) = conjunction(conditions).filter(|_| is_changed) else {
            return Ok(Transformed::no(LogicalPlan::Filter(filter)));
        };
        let filter = Filter::try_new(condition, Arc::new(self.input.clone()))?;
        only_columns(LogicalPlan::Filter(filter), columns).map(Transformed::yes)
    }

    /// An expression of which only matters whether it is true.
    fn condition(&mut self, expr: Expr, below_or: bool) -> Result<Transformed<Expr>> {
        match expr {
            Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
                let below_or = below_or || op == Operator::Or;
                let left = self.condition(*left, below_or)?;
                let right = self.condition(*right, below_or)?;
                let is_changed = left.transformed || right.transformed;
                let both = BinaryExpr::new(Box::new(left.data), op, Box::new(right.data));
                Ok(Transformed::new_transformed(Expr::BinaryExpr(both), is_changed))
            }
            Expr::Not(inner) => match *inner {
                Expr::Exists(exists) => self.membership(Expr::Exists(negated(exists)), below_or),
                Expr::InSubquery(given) => {
                    let negated = InSubquery { negated: !given.negated, ..given };
                    self.membership(Expr::InSubquery(negated), below_or)
                }
                inner => self.value(Expr::Not(Box::new(inner))),
            },
            Expr::SetComparison(given) => match comparisons::as_membership(&given) {
                Some(given) => {
                    let asked = self.membership(Expr::InSubquery(given), below_or)?;
                    Ok(Transformed::yes(asked.data))
                }
                None => self.value(Expr::SetComparison(given)),
            },
            expr @ (Expr::Exists(_) | Expr::InSubquery(_)) => self.membership(expr, below_or),
            expr => self.value(expr),
        }
    }

    /// EXISTS or IN, as it is where DataFusion makes the right join of it.
    fn membership(&mut self, expr: Expr, below_or: bool) -> Result<Transformed<Expr>> {
        let is_left = match &expr {
            Expr::Exists(exists) => is_simple(&exists.subquery.subquery, Asked::Membership)?,
            Expr::InSubquery(given) => {
                let plan = &given.subquery.subquery;
                let is_plain = !has_subquery(&given.expr)? && is_simple(plan, Asked::Membership)?;
                let is_reader = given.negated && !outer_columns(plan)?.is_empty();
                is_plain && !is_reader && !(given.negated && below_or)
            }
            _ => false,
        };
        if is_left {
            return Ok(Transformed::no(expr));
        }
        self.value(expr)
    }

    /// An expression with values in the places of its subqueries.
    fn value(&mut self, expr: Expr) -> Result<Transformed<Expr>> {
        expr.transform_down(|part| {
            let schema = Arc::clone(self.input.schema());
            let spelled = match part {
                Expr::ScalarSubquery(_) => return self.scalar(part),
                Expr::Exists(exists) => comparisons::exists(&exists)?,
                Expr::InSubquery(given) => comparisons::member(&given, &schema)?,
                Expr::SetComparison(given) => match comparisons::as_membership(&given) {
                    Some(given) => comparisons::member(&given, &schema)?,
                    None => comparisons::compared(&given, &schema)?,
                },
                other => return Ok(Transformed::no(other)),
            };
            let found = match spelled {
                Expr::InSubquery(_) | Expr::SetComparison(_) => spelled,
                spelled => self.value(spelled)?.data,
            };
            Ok(Transformed::new(found, true, TreeNodeRecursion::Jump))
        })
    }

    fn scalar(&mut self, expr: Expr) -> Result<Transformed<Expr>> {
        let Expr::ScalarSubquery(given) = &expr else { return Ok(Transformed::no(expr)) };
        let read = outer_columns(&given.subquery)?;
        let schema = self.input.schema();
        if read.is_empty() || !read.iter().all(|(column, _)| schema.has_column(column)) {
            return Ok(Transformed::no(expr));
        }
        let (plan, is_changed) = match at_most_one_row(&given.subquery)? {
            true => (LogicalPlan::clone(&given.subquery), false),
            false => (of_one_row(&given.subquery)?, true),
        };
        if self.leaves_values && is_simple(&plan, Asked::Value)? {
            return Ok(match is_changed {
                true => Transformed::yes(Expr::ScalarSubquery(subquery(plan))),
                false => Transformed::no(expr),
            });
        }
        Ok(match self.joined(&plan, &read)? {
            Some(value) => Transformed::yes(value),
            None => Transformed::no(expr),
        })
    }

    /// The column of the value of `plan`, joined to the input.
    fn joined(&mut self, plan: &LogicalPlan, read: &[(Column, FieldRef)]) -> Result<Option<Expr>> {
        let domain = self.joins.domain(&self.input, read)?;
        let Some(keyed) = domain.through(plan)? else { return Ok(None) };
        let qualifier = format!("__subquery_{}", self.joins.made);
        let (keyed, keys) = domain.set_aside(keyed, &qualifier)?;
        let value = Column::new(Some(TableReference::bare(qualifier)), "__value");
        let wanted: Vec<Column> = keys.iter().cloned().chain([value.clone()]).collect();
        let keyed = named_as(keyed, &wanted)?;
        let outer: Vec<Column> = read.iter().map(|(column, _)| column.clone()).collect();
        self.input = LogicalPlanBuilder::from(self.input.clone())
            .join_on(keyed, JoinType::Left, alike(&outer, &keys))?
            .build()?;
        Ok(Some(Expr::Column(value)))
    }
}

/// The forms in which DataFusion's rule for lateral joins looks for a subquery.
fn is_taken_as_lateral(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Subquery(_) => true,
        LogicalPlan::SubqueryAlias(alias) => matches!(alias.input.as_ref(), LogicalPlan::Subquery(_)),
        _ => false,
    }
}

fn negated(exists: Exists) -> Exists {
    Exists { negated: !exists.negated, ..exists }
}

fn only_columns(plan: LogicalPlan, columns: Vec<Column>) -> Result<LogicalPlan> {
    let columns = columns.into_iter().map(Expr::Column).collect();
    Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(plan))?))
}

/// A node over another input, which has more columns; its own columns stay the same.
fn rebuilt(node: LogicalPlan, input: Arc<LogicalPlan>) -> Result<LogicalPlan> {
    match node {
        LogicalPlan::Projection(projection) => {
            let named = projection.expr.into_iter().zip(projection.schema.iter());
            let named = named.map(|(expr, (qualifier, field))| {
                match expr.qualified_name() == (qualifier.cloned(), field.name().clone()) {
                    true => expr,
                    false => expr.unalias().alias_qualified(qualifier.cloned(), field.name()),
                }
            });
            Ok(LogicalPlan::Projection(Projection::try_new(named.collect(), input)?))
        }
        LogicalPlan::Aggregate(aggregate) => {
            let wanted = aggregate.schema.columns();
            let aggregate = Aggregate::try_new(input, aggregate.group_expr, aggregate.aggr_expr)?;
            named_as(LogicalPlan::Aggregate(aggregate), &wanted)
        }
        LogicalPlan::Window(window) => {
            let computed = window.schema.columns().split_off(window.input.schema().fields().len());
            let mut columns: Vec<Expr> =
                window.input.schema().columns().into_iter().map(Expr::Column).collect();
            let wider = Window::try_new(window.window_expr, Arc::clone(&input))?;
            let own = wider.schema.columns().split_off(input.schema().fields().len());
            columns.extend(
                own.into_iter()
                    .zip(computed)
                    .map(|(own, wanted)| Expr::Column(own).alias_qualified(wanted.relation, wanted.name)),
            );
            Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(LogicalPlan::Window(wider)))?))
        }
        LogicalPlan::Distinct(Distinct::On(distinct)) => {
            let wanted = distinct.schema.columns();
            let DistinctOn { on_expr, select_expr, sort_expr, .. } = distinct;
            let named = select_expr.into_iter().zip(&wanted);
            let named = named
                .map(|(expr, wanted)| expr.unalias().alias_qualified(wanted.relation.clone(), &wanted.name));
            let distinct = DistinctOn::try_new(on_expr, named.collect(), sort_expr, input)?;
            named_as(LogicalPlan::Distinct(Distinct::On(distinct)), &wanted)
        }
        LogicalPlan::Sort(sort) => {
            let columns = sort.input.schema().columns();
            only_columns(LogicalPlan::Sort(Sort { input, ..sort }), columns)
        }
        other => Ok(other),
    }
}

/// Whether a plan has one row at most, whatever is in the tables.
fn at_most_one_row(plan: &LogicalPlan) -> Result<bool> {
    Ok(match plan {
        LogicalPlan::Projection(projection) => at_most_one_row(&projection.input)?,
        LogicalPlan::SubqueryAlias(alias) => at_most_one_row(&alias.input)?,
        LogicalPlan::Filter(filter) => at_most_one_row(&filter.input)?,
        LogicalPlan::Sort(sort) => at_most_one_row(&sort.input)?,
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        LogicalPlan::EmptyRelation(_) => true,
        _ => false,
    })
}

/// The value of the first row of a LIMIT 1, or of the only row.
fn of_one_row(plan: &LogicalPlan) -> Result<LogicalPlan> {
    if let LogicalPlan::Limit(limit) = plan
        && let Some(first) = first_row(limit)?
    {
        return Ok(first);
    }
    let column = plan.schema().columns().into_iter().next().map(Expr::Column);
    let value = column.into_iter().map(only_value::only_value).collect();
    Ok(LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(plan.clone()), Vec::new(), value)?))
}

fn first_row(limit: &Limit) -> Result<Option<LogicalPlan>> {
    if !matches!(limit.get_skip_type()?, SkipType::Literal(0))
        || !matches!(limit.get_fetch_type()?, FetchType::Literal(Some(1)))
    {
        return Ok(None);
    }
    let (output, below) = match limit.input.as_ref() {
        LogicalPlan::Projection(projection) => (projection.expr.first().cloned(), &projection.input),
        input => (input.schema().columns().into_iter().next().map(Expr::Column), &limit.input),
    };
    let (order, input) = match below.as_ref() {
        LogicalPlan::Sort(sort) if sort.fetch.is_none() => (sort.expr.clone(), &sort.input),
        _ => (Vec::new(), below),
    };
    let Some(output) = output else { return Ok(None) };
    let value =
        AggregateFunction::new_udf(first_value_udaf(), vec![output.unalias()], false, None, order, None);
    let first = Aggregate::try_new(Arc::clone(input), Vec::new(), vec![Expr::AggregateFunction(value)])?;
    Ok(Some(LogicalPlan::Aggregate(first)))
}
