//! Functions that return sets, in the output of a query: `SELECT id, generate_series(1, 3) FROM t` has three rows for
//! each of `t`. DataFusion's functions of these names return a list; it is unnested.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListBuilder, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType as ArrowType, Field};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use datafusion::sql::sqlparser::ast::{
    ArrayElemTypeDef, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, ObjectName, ObjectNamePart, Select, TableAliasColumnDef, TableFactor, Value,
};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::{name_of, outputs, plain_arguments};
use crate::dialect::build::{self, call};
use crate::query::outside::{self, OnEachPart};

/// A function that returns a set, and the one that returns its rows as a list.
const SETS: &[(&str, &str)] = &[
    ("generate_series", "generate_series"),
    ("regexp_split_to_table", "regexp_split_to_array"),
    ("string_to_table", "string_to_array"),
    ("regexp_matches", "regexp_matches_list"),
];

fn list_function(name: &str) -> Option<&'static str> {
    SETS.iter().find(|(set, _)| *set == name).map(|(_, list)| *list)
}

pub(super) fn in_output(select: &mut Select) {
    outputs(select).for_each(|output| outside::visit(output, &mut Unnester { unnested: 0 }));
}

struct Unnester {
    /// How many calls of `unnest` are around.
    unnested: usize,
}

fn is_unnest(expr: &Expr) -> bool {
    matches!(expr, Expr::Function(function) if name_of(function).as_deref() == Some("unnest"))
}

impl OnEachPart for Unnester {
    fn before(&mut self, expr: &mut Expr) {
        self.unnested += usize::from(is_unnest(expr));
    }

    fn after(&mut self, expr: &mut Expr) {
        self.unnested -= usize::from(is_unnest(expr));
        if self.unnested == 0
            && let Expr::Function(function) = &mut *expr
            && let Some(list) = name_of(function).as_deref().and_then(list_function)
        {
            function.name = ObjectName::from(vec![Ident::new(list)]);
            add_flags(function);
            // DataFusion's series are of bigints.
            let list = match list == "generate_series" && counts(function) {
                true => of_integers(expr.clone()),
                false => expr.clone(),
            };
            *expr = call("unnest", vec![list]);
        }
    }
}

/// In FROM: names fold, as those of other functions do; the alias of a function names its column as well; and
/// `generate_series` of times, which DataFusion has as a list only, is unnested like the others.
pub(super) fn in_from(factor: &mut TableFactor) -> Result<()> {
    if let TableFactor::Table { name, args: Some(_), .. } = factor
        && let [ObjectNamePart::Identifier(word)] = name.0.as_mut_slice()
    {
        *word = Ident::new(crate::query::names::fold(word));
    }
    unnest_lists(factor);
    name_column(factor);
    number_rows(factor)
}

/// `unnest(a) WITH ORDINALITY AS t(x, n)`: the numbers are a list beside the others.
fn number_rows(factor: &mut TableFactor) -> Result<()> {
    let (alias, lists, counted) = match factor {
        TableFactor::UNNEST { alias, array_exprs, with_ordinality, .. } => {
            (alias, array_exprs, with_ordinality)
        }
        TableFactor::Table { with_ordinality: true, .. } => {
            return Err(Error::not_supported("WITH ORDINALITY is not supported for this function")
                .with_hint("Number the rows by row_number() OVER ()."));
        }
        _ => return Ok(()),
    };
    if !std::mem::take(counted) {
        return Ok(());
    }
    let alias = alias.get_or_insert_with(|| build::alias(Ident::new("unnest")));
    for place in alias.columns.len()..lists.len() {
        let name = if place == 0 { alias.name.clone() } else { Ident::new(format!("unnest_{place}")) };
        alias.columns.push(TableAliasColumnDef { name, data_type: None });
    }
    if alias.columns.len() == lists.len() {
        alias.columns.push(TableAliasColumnDef::from_name("ordinality"));
    }
    let lengths: Vec<Expr> = lists.iter().map(|list| call("cardinality", vec![list.clone()])).collect();
    let longest = if lengths.len() == 1 { lengths } else { vec![call("greatest", lengths)] };
    lists.push(call("generate_series", std::iter::once(build::number(1)).chain(longest).collect()));
    Ok(())
}

/// `FROM generate_series(1, 3) AS n` has a column `n`.
fn name_column(factor: &mut TableFactor) {
    let alias = match factor {
        TableFactor::Table { name, args: Some(_), alias: Some(alias), .. }
            if name
                .0
                .last()
                .and_then(|part| part.as_ident())
                .is_some_and(|name| name.value == "generate_series") =>
        {
            alias
        }
        TableFactor::UNNEST { alias: Some(alias), array_exprs, .. } if array_exprs.len() == 1 => alias,
        _ => return,
    };
    if alias.columns.is_empty() {
        alias.columns.push(TableAliasColumnDef { name: alias.name.clone(), data_type: None });
    }
}

/// `regexp_matches(text, pattern)` has no flags.
fn add_flags(function: &mut Function) {
    let is_short = name_of(function).as_deref() == Some("regexp_matches_list")
        && plain_arguments(function).is_some_and(|arguments| arguments.len() == 2);
    if let FunctionArguments::List(list) = &mut function.args
        && is_short
    {
        list.args.push(FunctionArg::Unnamed(FunctionArgExpr::Expr(build::text(""))));
    }
}

/// Whether the bounds of a series are numbers, as far as the text tells.
fn counts(function: &Function) -> bool {
    plain_arguments(function).is_some_and(|arguments| arguments.iter().all(|bound| is_number(bound)))
}

fn of_integers(list: Expr) -> Expr {
    let integers = DataType::Array(ArrayElemTypeDef::SquareBracket(Box::new(DataType::Integer(None)), None));
    Expr::Cast { kind: CastKind::Cast, expr: Box::new(list), data_type: integers, array: false, format: None }
}

fn is_number(bound: &Expr) -> bool {
    match bound {
        Expr::Value(value) => {
            matches!(&value.value, Value::Number(digits, _) if digits.parse::<i32>().is_ok())
        }
        Expr::UnaryOp { expr, .. } | Expr::Nested(expr) | Expr::Cast { expr, .. } => is_number(expr),
        _ => false,
    }
}

/// Whether a series is one of times, as far as the text tells.
fn is_of_times(function: &Function) -> bool {
    let is_time = |bound: &Expr| {
        let mut bound = bound;
        while let Expr::Nested(inner) = bound {
            bound = inner;
        }
        match bound {
            Expr::Interval(_) => true,
            Expr::TypedString(typed) => is_time_type(&typed.data_type),
            Expr::Cast { data_type, .. } => is_time_type(data_type),
            _ => false,
        }
    };
    plain_arguments(function).is_some_and(|arguments| arguments.into_iter().any(is_time))
}

fn is_time_type(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(..) | DataType::Date | DataType::Interval { .. })
}

fn unnest_lists(factor: &mut TableFactor) {
    let TableFactor::Table { name, alias, args: Some(arguments), with_ordinality, .. } = factor else {
        return;
    };
    let [name] = name.0.as_slice() else { return };
    let Some(name) = name.as_ident().map(crate::query::names::fold) else { return };
    let Some(list) = list_function(&name) else { return };
    let function = Function {
        name: ObjectName::from(vec![Ident::new(list)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: arguments.args.clone(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    };
    let mut function = function;
    add_flags(&mut function);
    let must_be_list = list != "generate_series" || *with_ordinality || is_of_times(&function);
    if plain_arguments(&function).is_none() || !must_be_list {
        return;
    }
    *factor = TableFactor::UNNEST {
        alias: alias.take(),
        array_exprs: vec![Expr::Function(function)],
        with_offset: false,
        with_offset_alias: None,
        with_ordinality: *with_ordinality,
    };
}

/// PostgreSQL's function of this name.
pub(super) fn regexp_split_to_array() -> Arc<ScalarUDF> {
    let forms = vec![TypeSignature::String(2), TypeSignature::String(3)];
    Arc::new(ScalarUDF::from(SplitByPattern { signature: Signature::one_of(forms, Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct SplitByPattern {
    signature: Signature,
}

impl ScalarUDFImpl for SplitByPattern {
    fn name(&self) -> &str {
        "regexp_split_to_array"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[ArrowType]) -> DataFusionResult<ArrowType> {
        Ok(ArrowType::List(Arc::new(Field::new_list_field(ArrowType::Utf8, true))))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let columns: Vec<ArrayRef> = args
            .args
            .iter()
            .map(|column| Ok(cast(&column.clone().into_array(args.number_rows)?, &ArrowType::Utf8)?))
            .collect::<DataFusionResult<_>>()?;
        let column = |place: usize| columns.get(place).map(|column| column.as_string::<i32>());
        let mut lists = ListBuilder::new(StringBuilder::new());
        let mut known: Option<(String, regex::Regex)> = None;
        for row in 0..args.number_rows {
            let text = |place: usize| {
                column(place).filter(|texts| texts.is_valid(row)).map(|texts| texts.value(row))
            };
            let (Some(subject), Some(pattern)) = (text(0), text(1)) else {
                lists.append(false);
                continue;
            };
            let flags = text(2).unwrap_or_default();
            let written = with_flags(pattern, flags)?;
            if known.as_ref().is_none_or(|(known, _)| *known != written) {
                let compiled = regex::Regex::new(&written).map_err(|error| {
                    Error::new(
                        ErrorKind::InvalidRegularExpression,
                        format!("invalid regular expression: {error}"),
                    )
                })?;
                known = Some((written, compiled));
            }
            if let Some((_, pattern)) = &known {
                pattern.split(subject).for_each(|part| lists.values().append_value(part));
                lists.append(true);
            }
        }
        Ok(ColumnarValue::Array(Arc::new(lists.finish())))
    }
}

/// A pattern with PostgreSQL's flags in front, as this crate writes them.
fn with_flags(pattern: &str, flags: &str) -> Result<String> {
    let mut written = String::new();
    for flag in flags.chars() {
        match flag {
            'i' | 's' | 'x' => written.push(flag),
            'n' | 'm' => written.push('m'),
            'c' => {}
            'g' => {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    "regexp_split_to_array() does not support the \"global\" option",
                ));
            }
            other => {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!("invalid regular expression option: \"{other}\""),
                ));
            }
        }
    }
    Ok(if written.is_empty() { pattern.to_owned() } else { format!("(?{written}){pattern}") })
}
