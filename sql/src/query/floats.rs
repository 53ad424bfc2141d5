//! Where a double stands beside a numeric, PostgreSQL computes with doubles. DataFusion would make numerics of both, of
//! fifteen digits, which fails for large numbers and loses digits of small ones.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DFSchema};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Between, Case, Cast, InList, ScalarFunction};
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Operator, Union, Values, cast,
};

/// Makes doubles of the numerics beside doubles.
pub fn prefer(part: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let alike = |parts: &mut [&mut Expr]| make_alike(parts, schema);
    let (changed, part) = match part {
        Expr::BinaryExpr(BinaryExpr { mut left, op, mut right }) if takes_numbers(op) => {
            let changed = alike(&mut [&mut left, &mut right]);
            (changed, Expr::BinaryExpr(BinaryExpr { left, op, right }))
        }
        Expr::Between(Between { mut expr, negated, mut low, mut high }) => {
            let changed = alike(&mut [&mut expr, &mut low, &mut high]);
            (changed, Expr::Between(Between { expr, negated, low, high }))
        }
        Expr::InList(InList { mut expr, mut list, negated }) => {
            let mut parts: Vec<&mut Expr> = vec![&mut expr];
            parts.extend(&mut list);
            let changed = alike(&mut parts);
            (changed, Expr::InList(InList { expr, list, negated }))
        }
        Expr::Case(Case { expr, mut when_then_expr, mut else_expr }) => {
            let results = when_then_expr.iter_mut().map(|(_, then)| then.as_mut());
            let mut parts: Vec<&mut Expr> = results.chain(else_expr.as_deref_mut()).collect();
            let changed = alike(&mut parts);
            (changed, Expr::Case(Case { expr, when_then_expr, else_expr }))
        }
        Expr::ScalarFunction(ScalarFunction { func, mut args })
            if matches!(func.name(), "coalesce" | "nullif" | "greatest" | "least" | "make_array") =>
        {
            let mut parts: Vec<&mut Expr> = args.iter_mut().collect();
            let changed = alike(&mut parts);
            (changed, Expr::ScalarFunction(ScalarFunction { func, args }))
        }
        other => (false, other),
    };
    Ok(if changed { Transformed::yes(part) } else { Transformed::no(part) })
}

fn takes_numbers(op: Operator) -> bool {
    use Operator::{
        Divide, Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, Minus, Modulo, Multiply, NotEq,
        Plus,
    };
    matches!(
        op,
        Plus | Minus
            | Multiply
            | Divide
            | Modulo
            | Eq
            | NotEq
            | Lt
            | LtEq
            | Gt
            | GtEq
            | IsDistinctFrom
            | IsNotDistinctFrom
    )
}

fn make_alike(parts: &mut [&mut Expr], schema: &DFSchema) -> bool {
    let types: Vec<Option<DataType>> = parts.iter().map(|part| part.get_type(schema).ok()).collect();
    let has_float = types.iter().flatten().any(DataType::is_floating);
    let mut changed = false;
    for (part, _) in parts
        .iter_mut()
        .zip(&types)
        .filter(|(_, found)| has_float && found.as_ref().is_some_and(DataType::is_decimal))
    {
        **part = cast(std::mem::take(*part), DataType::Float64);
        changed = true;
    }
    changed
}

/// The same of the rows of VALUES, which were planned to be alike: doubles were cast to numerics.
pub fn in_values(mut values: Values) -> Result<Values> {
    let mut fields: Vec<_> =
        values.schema.iter().map(|(relation, field)| (relation.cloned(), Arc::clone(field))).collect();
    let mut changed = false;
    for (place, (_, field)) in fields.iter_mut().enumerate() {
        let is_mixed =
            field.data_type().is_decimal() && values.values.iter().any(|row| was_float(&row[place]));
        if !is_mixed {
            continue;
        }
        changed = true;
        *field = Arc::new(field.as_ref().clone().with_data_type(DataType::Float64));
        for row in &mut values.values {
            let value = match std::mem::take(&mut row[place]) {
                Expr::Cast(given) if given.field.data_type().is_decimal() => *given.expr,
                other => other,
            };
            row[place] = cast(value, DataType::Float64);
        }
    }
    if changed {
        let metadata = values.schema.metadata().clone();
        values.schema = Arc::new(DFSchema::new_with_metadata(fields, metadata)?);
    }
    Ok(values)
}

fn was_float(value: &Expr) -> bool {
    let Expr::Cast(Cast { expr, field }) = value else { return false };
    field.data_type().is_decimal() && expr.get_type(&DFSchema::empty()).is_ok_and(|found| found.is_floating())
}

/// The same of the inputs of a UNION, column by column.
pub fn in_union(union: Union) -> Result<LogicalPlan> {
    let columns = union.inputs.first().map_or(0, |input| input.schema().fields().len());
    let of_column = |place: usize| {
        union.inputs.iter().filter_map(move |input| Some(input.schema().fields().get(place)?.data_type()))
    };
    let mixed: Vec<bool> = (0..columns)
        .map(|place| {
            of_column(place).any(DataType::is_floating) && of_column(place).any(DataType::is_decimal)
        })
        .collect();
    if !mixed.contains(&true) {
        return LogicalPlan::Union(union).recompute_schema();
    }
    let inputs = union.inputs.iter().map(|input| {
        let fields = input.schema().columns().into_iter().zip(input.schema().fields()).zip(&mixed);
        let outputs = fields.map(|((column, field), mixed)| as_float(column, field.data_type(), *mixed));
        Ok(Arc::new(LogicalPlanBuilder::from(input.as_ref().clone()).project(outputs)?.build()?))
    });
    let inputs = inputs.collect::<Result<Vec<_>>>()?;
    LogicalPlan::Union(Union { inputs, schema: union.schema }).recompute_schema()
}

fn as_float(column: Column, data_type: &DataType, mixed: bool) -> Expr {
    let name = column.name.clone();
    match mixed && data_type.is_decimal() {
        true => cast(Expr::Column(column), DataType::Float64).alias(name),
        false => Expr::Column(column),
    }
}
