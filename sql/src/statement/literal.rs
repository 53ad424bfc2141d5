//! Parameter values as SQL text: for statements that are planned more than once from their syntax tree.

use std::ops::ControlFlow;

use arrow::array::Array as _;
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{
    self, CastKind, Expr, Ident, ObjectName, Statement, Value, VisitMut, VisitorMut,
};
use voxhouse_engine::catalog::SqlType;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::describe::MAX_PARAMETERS;
use crate::dialect::{self, StatementKind};

/// A statement of the kinds that are planned from their syntax tree alone, with values for its parameters; `None` for
/// the others, and without parameters.
pub fn bound(
    statement: &dialect::Statement,
    parameters: &[ScalarValue],
) -> Result<Option<dialect::Statement>> {
    let StatementKind::Sql(sql) = &statement.kind else { return Ok(None) };
    if parameters.is_empty() || !matches!(sql.as_ref(), Statement::Call(_) | Statement::CreateTable(_)) {
        return Ok(None);
    }
    let mut sql = sql.clone();
    bind(&mut sql, parameters)?;
    Ok(Some(dialect::Statement { kind: StatementKind::Sql(sql), ..statement.clone() }))
}

/// Puts the values in the places of `$1`, `$2`, ….
pub fn bind(statement: &mut Statement, parameters: &[ScalarValue]) -> Result<()> {
    let mut binder = Binder { parameters };
    match statement.visit(&mut binder) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

/// The same in one expression.
pub fn bind_expression(expression: &mut Expr, parameters: &[ScalarValue]) -> Result<()> {
    match expression.visit(&mut Binder { parameters }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Binder<'a> {
    parameters: &'a [ScalarValue],
}

impl VisitorMut for Binder<'_> {
    type Break = Error;

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        let Some(place) = placeholder(expression) else { return ControlFlow::Continue(()) };
        let Some(value) = self.parameters.get(place - 1) else {
            return ControlFlow::Break(Error::new(
                ErrorKind::UndefinedParameter,
                format!("there is no parameter ${place}"),
            ));
        };
        match literal(value) {
            Ok(found) => {
                *expression = found;
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }
}

/// The number of a placeholder, from 1.
pub fn placeholder(expression: &Expr) -> Option<usize> {
    let Expr::Value(value) = expression else { return None };
    let Value::Placeholder(name) = &value.value else { return None };
    name.strip_prefix('$')?.parse().ok().filter(|place| (1..=MAX_PARAMETERS).contains(place))
}

fn literal(value: &ScalarValue) -> Result<Expr> {
    if value.is_null() {
        return Ok(Expr::value(Value::Null));
    }
    let data_type = value.data_type();
    if let ScalarValue::Binary(Some(bytes)) | ScalarValue::BinaryView(Some(bytes)) = value {
        let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        return Ok(Expr::value(Value::HexStringLiteral(digits.concat())));
    }
    if let ScalarValue::List(list) = value {
        let items = list.value(0);
        let items = (0..items.len()).map(|item| literal(&ScalarValue::try_from_array(&items, item)?));
        let array = ast::Array { elem: items.collect::<Result<_>>()?, named: true };
        return Ok(cast(Expr::Array(array), type_of(&SqlType::from_arrow(&data_type)?)));
    }
    let text = value.cast_to(&arrow::datatypes::DataType::Utf8)?;
    let text = text.try_as_str().flatten().unwrap_or_default().to_owned();
    if matches!(value, ScalarValue::Boolean(_)) {
        return Ok(Expr::value(Value::Boolean(text == "true")));
    }
    if data_type.is_integer() && !text.starts_with('-') {
        return Ok(Expr::value(Value::Number(text, false)));
    }
    if data_type.is_string() {
        return Ok(Expr::value(Value::SingleQuotedString(text)));
    }
    let data_type = type_of(&SqlType::from_arrow(&data_type)?);
    Ok(cast(Expr::value(Value::SingleQuotedString(text)), data_type))
}

fn cast(expression: Expr, data_type: ast::DataType) -> Expr {
    Expr::Cast { kind: CastKind::Cast, expr: Box::new(expression), data_type, array: false, format: None }
}

fn type_of(sql_type: &SqlType) -> ast::DataType {
    match sql_type {
        SqlType::TimestampTz => ast::DataType::Timestamp(None, ast::TimezoneInfo::WithTimeZone),
        SqlType::Timestamp => ast::DataType::Timestamp(None, ast::TimezoneInfo::None),
        SqlType::DoublePrecision => ast::DataType::DoublePrecision,
        SqlType::Date => ast::DataType::Date,
        SqlType::Boolean => ast::DataType::Boolean,
        SqlType::Text => ast::DataType::Text,
        SqlType::Bytea => ast::DataType::Bytea,
        SqlType::Numeric { precision, scale } => ast::DataType::Numeric(
            ast::ExactNumberInfo::PrecisionAndScale(u64::from(*precision), i64::from(*scale)),
        ),
        SqlType::BigInt => ast::DataType::BigInt(None),
        SqlType::Integer => ast::DataType::Integer(None),
        SqlType::SmallInt => ast::DataType::SmallInt(None),
        SqlType::Real => ast::DataType::Real,
        SqlType::Array(item) => {
            ast::DataType::Array(ast::ArrayElemTypeDef::SquareBracket(Box::new(type_of(item)), None))
        }
        other => ast::DataType::Custom(ObjectName::from(vec![Ident::new(other.to_string())]), Vec::new()),
    }
}
