//! Functions and operators that PostgreSQL has under another name, or that are short for others: `mod(a, b)`,
//! `every(x)`, `date(t)`, `a SIMILAR TO b`, `mode() WITHIN GROUP (ORDER BY x)`.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DataType, ExactNumberInfo, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgOperator, FunctionArgumentClause, FunctionArguments, Ident, ObjectName, OrderByExpr,
    OrderByOptions, TimezoneInfo, UnaryOperator, Value, ValueWithSpan,
};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::{name_of, plain_arguments};
use crate::dialect::build::{self, call, cast};
use crate::query::library::to_regular;
use crate::query::names::fold;

/// The same functions, with another name here.
const NAMES: &[(&str, &str)] = &[
    ("every", "bool_and"),
    ("variance", "var_samp"),
    ("ceiling", "ceil"),
    // DataFusion's of these names stop at the first.
    ("array_remove", "array_remove_all"),
    ("array_replace", "array_replace_all"),
    ("transaction_timestamp", "now"),
    ("statement_timestamp", "now"),
    ("clock_timestamp", "now"),
];

pub(super) fn rewrite(expr: &mut Expr) -> Result<()> {
    let new = match &mut *expr {
        Expr::Function(_) => return of_function(expr),
        Expr::SimilarTo { negated, expr, pattern, escape_char } => {
            Some(similar(*negated, expr, pattern, escape_char.as_ref())?)
        }
        Expr::UnaryOp { op, expr } => of_operator(*op, expr),
        Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => in_subquery(left, right, false),
        Expr::AllOp { left, compare_op: BinaryOperator::NotEq, right } => in_subquery(left, right, true),
        Expr::BinaryOp { left, op: BinaryOperator::Overlaps, right } => Some(overlap(left, right)?),
        Expr::Value(ValueWithSpan { value: Value::UnicodeStringLiteral(text), .. }) => {
            Some(Expr::value(Value::SingleQuotedString(std::mem::take(text))))
        }
        _ => None,
    };
    if let Some(new) = new {
        *expr = new;
    }
    Ok(())
}

fn of_function(expr: &mut Expr) -> Result<()> {
    let Expr::Function(function) = expr else { return Ok(()) };
    let Some(name) = name_of(function) else { return Ok(()) };
    if let Some((_, ours)) = NAMES.iter().find(|(theirs, _)| *theirs == name) {
        function.name = ObjectName::from(vec![Ident::new(*ours)]);
        return Ok(());
    }
    if name == "array_agg" {
        sort_distinct(function);
        return Ok(());
    }
    let new = match name.as_str() {
        "mode" | "percentile_disc" | "percentile_cont" => within_group(&name, function)?,
        "make_interval" => Some(make_interval(function)?),
        _ => match plain_arguments(function) {
            Some(arguments) if function.over.is_none() => short_for(&name, arguments.as_slice()),
            _ => None,
        },
    };
    if let Some(new) = new {
        *expr = new;
    }
    Ok(())
}

fn nested(expr: &Expr) -> Box<Expr> {
    Box::new(Expr::Nested(Box::new(expr.clone())))
}

fn binary(left: &Expr, op: BinaryOperator, right: &Expr) -> Expr {
    Expr::Nested(Box::new(Expr::BinaryOp { left: nested(left), op, right: nested(right) }))
}

fn short_for(name: &str, arguments: &[&Expr]) -> Option<Expr> {
    Some(match (name, arguments) {
        ("mod", [left, right]) => binary(left, BinaryOperator::Modulo, right),
        ("div", [left, right]) => call("trunc", vec![binary(left, BinaryOperator::Divide, right)]),
        ("gen_random_uuid", []) => cast(call("uuid", Vec::new()), DataType::Uuid),
        ("age", [time]) if !is_transaction(time) => {
            let midnight = cast(call("current_date", Vec::new()), clock());
            call("age_between", vec![midnight, (*time).clone()])
        }
        ("age", [later, earlier]) => call("age_between", vec![(*later).clone(), (*earlier).clone()]),
        ("make_timestamptz", [parts @ .., zone]) if parts.len() == 6 => {
            let clock = call("make_timestamp", parts.iter().map(|part| (*part).clone()).collect());
            call("timezone", vec![(*zone).clone(), clock])
        }
        ("make_timestamptz", parts) if parts.len() == 6 => {
            let clock = call("make_timestamp", parts.iter().map(|part| (*part).clone()).collect());
            cast(clock, DataType::Timestamp(None, TimezoneInfo::WithTimeZone))
        }
        ("num_nulls", values) if !values.is_empty() => count_where(values, true),
        ("num_nonnulls", values) if !values.is_empty() => count_where(values, false),
        ("regexp_substr", [text, pattern]) => first_match(text, pattern),
        (type_name, [value]) => cast((*value).clone(), named_type(type_name)?),
        _ => return None,
    })
}

/// The age of a transaction is counted, not told in months. The catalog's such columns are rewritten to casts.
fn is_transaction(value: &Expr) -> bool {
    let name = match value {
        Expr::Identifier(name) => Some(name),
        Expr::CompoundIdentifier(parts) => parts.last(),
        Expr::Nested(inner) => return is_transaction(inner),
        Expr::Cast { data_type, .. } => return is_transaction_type(data_type),
        _ => None,
    };
    name.is_some_and(|name| ["relfrozenxid", "datfrozenxid"].contains(&fold(name).as_str()))
}

fn is_transaction_type(data_type: &DataType) -> bool {
    let DataType::Custom(name, _) = data_type else { return false };
    name.0.last().and_then(|part| part.as_ident()).is_some_and(|name| fold(name) == "xid")
}

fn clock() -> DataType {
    DataType::Timestamp(None, TimezoneInfo::None)
}

/// Types whose name is also that of a cast: `date(t)`.
fn named_type(name: &str) -> Option<DataType> {
    Some(match name {
        "date" => DataType::Date,
        "text" => DataType::Text,
        "int2" => DataType::Int2(None),
        "int4" => DataType::Int4(None),
        "int8" => DataType::Int8(None),
        "float4" => DataType::Float4,
        "float8" => DataType::Float8,
        "numeric" => DataType::Numeric(ExactNumberInfo::None),
        "bool" => DataType::Bool,
        "timestamptz" => DataType::Timestamp(None, TimezoneInfo::WithTimeZone),
        _ => return None,
    })
}

fn count_where(values: &[&Expr], is_null: bool) -> Expr {
    let one = |value: &&Expr| {
        let test = match is_null {
            true => Expr::IsNull(nested(value)),
            false => Expr::IsNotNull(nested(value)),
        };
        cast(Expr::Nested(Box::new(test)), DataType::Integer(None))
    };
    let mut sum = values.iter().map(one);
    let first = sum.next().unwrap_or_else(build::null);
    sum.fold(first, |sum, one| binary(&sum, BinaryOperator::Plus, &one))
}

fn first_match(text: &Expr, pattern: &Expr) -> Expr {
    let concat = |left: Expr, right: Expr| binary(&left, BinaryOperator::StringConcat, &right);
    let whole = concat(concat(build::text("("), pattern.clone()), build::text(")"));
    call("array_element", vec![call("regexp_match", vec![text.clone(), whole]), build::number(1)])
}

/// `array_agg(DISTINCT x)` comes sorted.
fn sort_distinct(function: &mut Function) {
    let FunctionArguments::List(list) = &mut function.args else { return };
    let is_distinct = matches!(
        list.duplicate_treatment,
        Some(datafusion::sql::sqlparser::ast::DuplicateTreatment::Distinct)
    );
    let is_sorted = list.clauses.iter().any(|clause| matches!(clause, FunctionArgumentClause::OrderBy(_)));
    if !is_distinct || is_sorted {
        return;
    }
    if let [FunctionArg::Unnamed(FunctionArgExpr::Expr(value))] = list.args.as_slice() {
        let options = OrderByOptions { asc: None, nulls_first: None };
        let order = OrderByExpr { expr: value.clone(), options, with_fill: None };
        list.clauses.push(FunctionArgumentClause::OrderBy(vec![order]));
    }
}

/// Ordered-set aggregates that become plain ones. `None`: DataFusion has this form.
fn within_group(name: &str, function: &Function) -> Result<Option<Expr>> {
    let [order] = function.within_group.as_slice() else { return Ok(None) };
    let Some(arguments) = plain_arguments(function) else { return Ok(None) };
    if let ("percentile_cont", [Expr::Array(fractions)]) = (name, arguments.as_slice()) {
        let one = |fraction: &Expr| {
            let mut one = function.clone();
            if let FunctionArguments::List(list) = &mut one.args {
                list.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(fraction.clone()))];
            }
            Expr::Function(one)
        };
        return Ok(Some(build::array(fractions.elem.iter().map(one).collect())));
    }
    let arguments = match (name, arguments.as_slice()) {
        ("mode", []) => vec![order.expr.clone()],
        ("percentile_disc", [fraction]) => vec![order.expr.clone(), (*fraction).clone()],
        _ => return Ok(None),
    };
    if order.options.asc == Some(false) && name != "mode" {
        return Err(Error::not_supported(format!("{name} over values in descending order is not supported"))
            .with_hint("Take the other fraction: percentile_disc(0.9) is that of 0.1 from above."));
    }
    let mut plain = call(&format!("{name}_of"), arguments);
    if let Expr::Function(plain) = &mut plain {
        plain.filter = function.filter.clone();
        plain.over = function.over.clone();
    }
    Ok(Some(plain))
}

/// `make_interval(days => 10)`: parts that are not named are 0.
fn make_interval(function: &Function) -> Result<Expr> {
    const PARTS: [&str; 7] = ["years", "months", "weeks", "days", "hours", "mins", "secs"];
    let mut parts: Vec<Expr> = PARTS.iter().map(|_| build::number(0)).collect();
    let unknown = || {
        Error::new(ErrorKind::UndefinedFunction, "function make_interval with these arguments does not exist")
            .with_hint("Its arguments are years, months, weeks, days, hours, mins and secs.")
    };
    let arguments = match &function.args {
        FunctionArguments::List(list) => list.args.as_slice(),
        _ => &[],
    };
    for (place, argument) in arguments.iter().enumerate() {
        let (place, value) = match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => (Some(place), value),
            FunctionArg::Named {
                name,
                arg: FunctionArgExpr::Expr(value),
                operator: FunctionArgOperator::RightArrow | FunctionArgOperator::Assignment,
            } => (PARTS.iter().position(|part| *part == fold(name)), value),
            _ => return Err(unknown()),
        };
        let part = place.and_then(|place| parts.get_mut(place)).ok_or_else(unknown)?;
        *part = value.clone();
    }
    Ok(call("make_interval", parts))
}

fn of_operator(op: UnaryOperator, of: &Expr) -> Option<Expr> {
    Some(match op {
        UnaryOperator::BitwiseNot => binary(&build::number(-1), BinaryOperator::Minus, of),
        UnaryOperator::PGAbs => call("abs", vec![of.clone()]),
        UnaryOperator::PGSquareRoot => call("sqrt", vec![of.clone()]),
        UnaryOperator::PGCubeRoot => call("cbrt", vec![of.clone()]),
        _ => return None,
    })
}

fn in_subquery(left: &Expr, right: &Expr, negated: bool) -> Option<Expr> {
    match right {
        Expr::Subquery(subquery) => {
            Some(Expr::InSubquery { expr: Box::new(left.clone()), subquery: subquery.clone(), negated })
        }
        Expr::Nested(inner) => in_subquery(left, inner, negated),
        _ => None,
    }
}

fn similar(negated: bool, text: &Expr, pattern: &Expr, escape: Option<&ValueWithSpan>) -> Result<Expr> {
    let escape = match escape.map(|escape| &escape.value) {
        None => Some('\\'),
        Some(Value::SingleQuotedString(escape)) if escape.chars().count() <= 1 => escape.chars().next(),
        Some(_) => {
            return Err(Error::new(ErrorKind::InvalidEscapeSequence, "invalid escape string")
                .with_hint("Escape string must be empty or one character."));
        }
    };
    let pattern = match (build::literal(pattern), escape) {
        (Some(literal), escape) => build::text(&to_regular(literal, escape)?),
        (None, Some('\\')) => call("similar_to_escape", vec![pattern.clone()]),
        _ => return Err(Error::not_supported("ESCAPE of a pattern that is no literal is not supported")),
    };
    let op = if negated { BinaryOperator::PGRegexNotMatch } else { BinaryOperator::PGRegexMatch };
    Ok(Expr::Nested(Box::new(Expr::BinaryOp { left: nested(text), op, right: Box::new(pattern) })))
}

/// `(a, b) OVERLAPS (c, d)`: a period holds its start but not its end, unless the two are one.
fn overlap(left: &Expr, right: &Expr) -> Result<Expr> {
    let period = |side: &Expr| match side {
        Expr::Tuple(ends) => match ends.as_slice() {
            [start, end @ Expr::Interval(_)] => Ok((start.clone(), binary(start, BinaryOperator::Plus, end))),
            [start, end] => Ok((start.clone(), end.clone())),
            _ => Err(Error::syntax("wrong number of parameters in OVERLAPS expression")),
        },
        _ => Err(Error::syntax("OVERLAPS compares two pairs of times")),
    };
    let ((a, b), (c, d)) = (period(left)?, period(right)?);
    let first = |one: &Expr, other: &Expr| call("least", vec![one.clone(), other.clone()]);
    let last = |one: &Expr, other: &Expr| call("greatest", vec![one.clone(), other.clone()]);
    let (left_start, right_start) = (first(&a, &b), first(&c, &d));
    let starts_alike = binary(&left_start, BinaryOperator::Eq, &right_start);
    let crosses = binary(
        &binary(&left_start, BinaryOperator::Lt, &last(&c, &d)),
        BinaryOperator::And,
        &binary(&right_start, BinaryOperator::Lt, &last(&a, &b)),
    );
    Ok(binary(&starts_alike, BinaryOperator::Or, &crosses))
}

/// `interval '1 day 02:03:04'` in words that DataFusion reads.
pub(super) fn plain_interval(expr: &mut Expr) -> Result<()> {
    use arrow::datatypes::IntervalMonthDayNano;
    use datafusion::scalar::ScalarValue;

    use crate::wire::{read_text, types::oid};
    let Expr::Interval(interval) = expr else { return Ok(()) };
    if interval.leading_field.is_some() || interval.last_field.is_some() {
        return Ok(());
    }
    let Some(text) = build::literal(&interval.value) else { return Ok(()) };
    let ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano { months, days, nanoseconds })) =
        read_text(oid::INTERVAL, text, chrono_tz::Tz::UTC.into())?
    else {
        return Ok(());
    };
    *interval.value = build::text(&format!("{months} months {days} days {nanoseconds} nanoseconds"));
    Ok(())
}
