//! Types of numbers as PostgreSQL gives them, before DataFusion settles types: a whole number is an `integer` if it fits,
//! the sum of bigints is `numeric` and cannot overflow, and exact numbers are divided exactly.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{AggregateFunction, Alias, Case, ScalarFunction, WindowFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, Values, WindowFunctionDefinition, cast,
};
use datafusion::scalar::ScalarValue;

use super::operators::read_literal;
use super::{exact, floats, intervals, json, reals, unbounded, whole, zone};

/// Gives a plan that was just made PostgreSQL's types. Names stay as they are.
pub fn settle(plan: LogicalPlan) -> Result<LogicalPlan> {
    // The two sides of a recursive query were planned to fit each other.
    if matches!(plan, LogicalPlan::RecursiveQuery(_)) {
        return Ok(plan);
    }
    let plan = plan.map_children(|child| Ok(Transformed::yes(settle(child)?)))?.data;
    let plan = plan.map_subqueries(|subquery| Ok(Transformed::yes(settle(subquery)?)))?.data;
    match plan {
        LogicalPlan::Values(values) => narrow_values(floats::in_values(values)?),
        LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_) | LogicalPlan::Window(_) => {
            let schema = merge_schema(&plan.inputs());
            let names = NamePreserver::new(&plan);
            let settled = plan.map_expressions(|expression| {
                let name = names.save(&expression);
                let widened = expression.transform_up(|part| widen(read_cases(part, &schema)?, &schema))?;
                let narrowed = widened.transform_data(|expression| narrow(expression, &schema))?;
                let exact = narrowed.transform_data(|expression| {
                    expression.transform_up(|part| as_postgres(part, &schema))
                })?;
                Ok(exact.update_data(|expression| name.restore(expression)))
            })?;
            reals::shorten_sums(settled.data.recompute_schema()?)
        }
        LogicalPlan::Union(union) => floats::in_union(union),
        LogicalPlan::Sort(mut sort) => {
            let schema = Arc::clone(sort.input.schema());
            for key in &mut sort.expr {
                let expression = std::mem::take(&mut key.expr);
                let exact = expression.transform_up(|part| as_postgres(part, &schema))?.data;
                key.expr = intervals::sort_key(exact, &schema);
            }
            Ok(LogicalPlan::Sort(sort))
        }
        LogicalPlan::Filter(_) | LogicalPlan::Join(_) => {
            let schema = merge_schema(&plan.inputs());
            let names = NamePreserver::new(&plan);
            let settled = plan.map_expressions(|expression| {
                let name = names.save(&expression);
                let exact = expression.transform_up(|part| as_postgres(part, &schema))?;
                Ok(exact.update_data(|expression| name.restore(expression)))
            })?;
            settled.data.recompute_schema()
        }
        other => other.recompute_schema(),
    }
}

/// Divisions, products and comparisons as PostgreSQL computes them.
fn as_postgres(part: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    json::casts::rewrite(part, schema)?
        .transform_data(|part| floats::prefer(part, schema))?
        .transform_data(|part| exact::rewrite(part, schema))?
        .transform_data(|part| unbounded::rewrite(part, schema))?
        .transform_data(|part| whole::rewrite(part, schema))?
        .transform_data(|part| zone::truncate_instants(part, schema))?
        .transform_data(|part| intervals::compare_lengths(part, schema))
}

/// Makes literals integers where their type decides that of the expression.
fn narrow(expression: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let is_integer = |part: &Expr| part.get_type(schema).is_ok_and(|known| known.is_integer());
    let fits = |part: &Expr| is_integer(part) || part.get_type(schema).is_ok_and(|known| known.is_null());
    match expression {
        Expr::Literal(ScalarValue::Int64(Some(value)), metadata) => Ok(match i32::try_from(value) {
            Ok(value) => Transformed::yes(Expr::Literal(ScalarValue::Int32(Some(value)), metadata)),
            Err(_) => Transformed::no(Expr::Literal(ScalarValue::Int64(Some(value)), metadata)),
        }),
        Expr::Alias(Alias { expr, relation, name, metadata }) => narrow(*expr, schema)?
            .map_data(|expr| Ok(Expr::Alias(Alias { expr: Box::new(expr), relation, name, metadata }))),
        Expr::Negative(inner) => {
            narrow(*inner, schema)?.map_data(|inner| Ok(Expr::Negative(Box::new(inner))))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right })
            if gives_its_type(op) && is_integer(&left) && is_integer(&right) =>
        {
            let left = narrow(*left, schema)?;
            let right = narrow(*right, schema)?;
            let changed = left.transformed || right.transformed;
            let whole = Expr::BinaryExpr(BinaryExpr::new(Box::new(left.data), op, Box::new(right.data)));
            Ok(if changed { Transformed::yes(whole) } else { Transformed::no(whole) })
        }
        Expr::Case(case) if results_of(&case).all(fits) => narrow_case(case, schema),
        Expr::ScalarFunction(ScalarFunction { func, args })
            if matches!(func.name(), "coalesce" | "nullif" | "greatest" | "least" | "abs")
                && args.iter().all(fits) =>
        {
            narrow_all(args, schema)?.map_data(|args| Ok(Expr::ScalarFunction(ScalarFunction { func, args })))
        }
        // Each argument keeps a type of its own, or is of the type of the others.
        Expr::ScalarFunction(ScalarFunction { func, args })
            if matches!(func.name(), "struct" | "pg_typeof")
                || (func.name() == "make_array" && args.iter().all(|part| fits(part) || is_array(part))) =>
        {
            narrow_all(args, schema)?.map_data(|args| Ok(Expr::ScalarFunction(ScalarFunction { func, args })))
        }
        Expr::AggregateFunction(mut call)
            if matches!(call.func.name(), "sum" | "min" | "max" | "avg" | "array_agg") =>
        {
            // An order by an argument stays one.
            for key in &mut call.params.order_by {
                key.expr = narrow(std::mem::take(&mut key.expr), schema)?.data;
            }
            let args = narrow_all(std::mem::take(&mut call.params.args), schema)?;
            args.map_data(|args| {
                call.params.args = args;
                Ok(Expr::AggregateFunction(call))
            })
        }
        other => Ok(Transformed::no(other)),
    }
}

fn is_array(expression: &Expr) -> bool {
    matches!(expression, Expr::ScalarFunction(call) if call.func.name() == "make_array")
}

fn gives_its_type(op: Operator) -> bool {
    matches!(
        op,
        Operator::Plus
            | Operator::Minus
            | Operator::Multiply
            | Operator::Divide
            | Operator::Modulo
            | Operator::BitwiseAnd
            | Operator::BitwiseOr
            | Operator::BitwiseXor
    )
}

fn results_of(case: &Case) -> impl Iterator<Item = &Expr> {
    case.when_then_expr.iter().map(|(_, then)| then.as_ref()).chain(case.else_expr.as_deref())
}

fn narrow_case(case: Case, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let mut changed = false;
    let mut narrowed = |part: Box<Expr>| -> Result<Box<Expr>> {
        let part = narrow(*part, schema)?;
        changed |= part.transformed;
        Ok(Box::new(part.data))
    };
    let branches = case.when_then_expr.into_iter().map(|(when, then)| Ok((when, narrowed(then)?)));
    let when_then_expr = branches.collect::<Result<Vec<_>>>()?;
    let else_expr = case.else_expr.map(&mut narrowed).transpose()?;
    let whole = Expr::Case(Case { expr: case.expr, when_then_expr, else_expr });
    Ok(if changed { Transformed::yes(whole) } else { Transformed::no(whole) })
}

fn narrow_all(expressions: Vec<Expr>, schema: &DFSchema) -> Result<Transformed<Vec<Expr>>> {
    let mut changed = false;
    let narrowed = expressions.into_iter().map(|expression| {
        let narrowed = narrow(expression, schema)?;
        changed |= narrowed.transformed;
        Ok(narrowed.data)
    });
    let narrowed = narrowed.collect::<Result<Vec<_>>>()?;
    Ok(if changed { Transformed::yes(narrowed) } else { Transformed::no(narrowed) })
}

/// A column of VALUES is of integers if all its literals are.
fn narrow_values(mut values: Values) -> Result<LogicalPlan> {
    let is_small = |expression: &Expr| match expression {
        Expr::Literal(ScalarValue::Int64(Some(value)), _) => i32::try_from(*value).is_ok(),
        Expr::Literal(value, _) => value.is_null(),
        Expr::Cast(cast) => matches!(cast.expr.as_ref(), Expr::Literal(value, _) if value.is_null()),
        _ => false,
    };
    let mut fields: Vec<_> =
        values.schema.iter().map(|(relation, field)| (relation.cloned(), Arc::clone(field))).collect();
    let mut changed = false;
    for (place, (_, field)) in fields.iter_mut().enumerate() {
        if *field.data_type() != DataType::Int64 || !values.values.iter().all(|row| is_small(&row[place])) {
            continue;
        }
        changed = true;
        *field = Arc::new(field.as_ref().clone().with_data_type(DataType::Int32));
        for row in &mut values.values {
            let value = match &row[place] {
                Expr::Literal(ScalarValue::Int64(Some(value)), _) => i32::try_from(*value).ok(),
                _ => None,
            };
            row[place] = Expr::Literal(ScalarValue::Int32(value), None);
        }
    }
    if changed {
        let metadata = values.schema.metadata().clone();
        values.schema = Arc::new(DFSchema::new_with_metadata(fields, metadata)?);
    }
    Ok(LogicalPlan::Values(values))
}

/// `CASE flag WHEN 't' THEN …`: the literals are booleans.
fn read_cases(part: Expr, schema: &DFSchema) -> Result<Expr> {
    let Expr::Case(Case { expr: Some(operand), mut when_then_expr, else_expr }) = part else {
        return Ok(part);
    };
    for (when, _) in &mut when_then_expr {
        read_literal(&operand, when, schema)?;
    }
    Ok(Expr::Case(Case { expr: Some(operand), when_then_expr, else_expr }))
}

/// `sum` over the type in which PostgreSQL computes it.
fn widen(part: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let wider = |name: &str, args: &[Expr]| {
        let [argument] = args else { return None };
        wider_type(name, &argument.get_type(schema).ok()?)
    };
    let widened = |args: &mut Vec<Expr>, wider: DataType| {
        *args = std::mem::take(args).into_iter().map(|argument| cast(argument, wider.clone())).collect();
    };
    match part {
        Expr::AggregateFunction(AggregateFunction { func, mut params }) => {
            let wider = wider(func.name(), &params.args);
            let changed = wider.is_some();
            if let Some(wider) = wider {
                widened(&mut params.args, wider);
            }
            let whole = Expr::AggregateFunction(AggregateFunction { func, params });
            Ok(if changed { Transformed::yes(whole) } else { Transformed::no(whole) })
        }
        Expr::WindowFunction(call) => {
            let WindowFunction { fun, mut params } = *call;
            let wider = match &fun {
                WindowFunctionDefinition::AggregateUDF(func) => wider(func.name(), &params.args),
                WindowFunctionDefinition::WindowUDF(_) => None,
            };
            let changed = wider.is_some();
            if let Some(wider) = wider {
                widened(&mut params.args, wider);
            }
            let whole = Expr::WindowFunction(Box::new(WindowFunction { fun, params }));
            Ok(if changed { Transformed::yes(whole) } else { Transformed::no(whole) })
        }
        other => Ok(Transformed::new(other, false, TreeNodeRecursion::Continue)),
    }
}

fn wider_type(function: &str, given: &DataType) -> Option<DataType> {
    match (function, given) {
        ("sum", DataType::Int64 | DataType::UInt64) => Some(DataType::Decimal128(20, 0)),
        _ => None,
    }
}
