//! Small pieces of syntax tree.

use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    Array, ArrayElemTypeDef, CaseWhen, CastKind, DataType, DuplicateTreatment, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList, FunctionArguments, Ident, ObjectName,
    OrderByExpr, Value,
};

pub(super) fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    let list = FunctionArgumentList {
        duplicate_treatment: None,
        args: arguments
            .into_iter()
            .map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)))
            .collect(),
        clauses: Vec::new(),
    };
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(list),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// `name([DISTINCT] argument [ORDER BY …])`
pub(super) fn aggregate(name: &str, argument: Expr, distinct: bool, order: Vec<OrderByExpr>) -> Expr {
    let mut expr = call(name, vec![argument]);
    if let Expr::Function(Function { args: FunctionArguments::List(list), .. }) = &mut expr {
        list.duplicate_treatment = distinct.then_some(DuplicateTreatment::Distinct);
        if !order.is_empty() {
            list.clauses.push(FunctionArgumentClause::OrderBy(order));
        }
    }
    expr
}

pub(super) fn text(value: &str) -> Expr {
    Expr::value(Value::SingleQuotedString(value.to_owned()))
}

pub(super) fn number(value: i64) -> Expr {
    Expr::value(Value::Number(value.to_string(), false))
}

pub(super) fn null() -> Expr {
    Expr::value(Value::Null)
}

pub(super) fn boolean(value: bool) -> Expr {
    Expr::value(Value::Boolean(value))
}

/// `CASE WHEN condition THEN result END`
pub(super) fn case_when(condition: Expr, result: Expr) -> Expr {
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen { condition, result }],
        else_result: None,
    }
}

pub(super) fn array(elements: Vec<Expr>) -> Expr {
    Expr::Array(Array { elem: elements, named: true })
}

pub(super) fn empty_text_array() -> Expr {
    let item = Box::new(DataType::Text);
    cast(array(Vec::new()), DataType::Array(ArrayElemTypeDef::SquareBracket(item, None)))
}

pub(super) fn cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::Cast, expr: Box::new(expr), data_type, array: false, format: None }
}

/// The text of a string literal.
pub(super) fn literal(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Nested(inner) => literal(inner),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// The elements of a one-dimensional array's text form, `{a,"b,c",NULL}`; `None` in the vector stands for NULL.
pub(super) fn array_elements(text: &str) -> Option<Vec<Option<String>>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut elements = Vec::new();
    let (mut element, mut quoted, mut was_quoted) = (String::new(), false, false);
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => element.extend(letters.next()),
            '"' => (quoted, was_quoted) = (!quoted, true),
            '{' | '}' if !quoted => return None,
            ',' if !quoted => elements.push(finish(&mut element, &mut was_quoted)),
            letter => element.push(letter),
        }
    }
    if !inner.trim().is_empty() {
        elements.push(finish(&mut element, &mut was_quoted));
    }
    Some(elements)
}

fn finish(element: &mut String, was_quoted: &mut bool) -> Option<String> {
    let text = std::mem::take(element);
    if std::mem::take(was_quoted) {
        return Some(text);
    }
    let text = text.trim();
    (!text.eq_ignore_ascii_case("null")).then(|| text.to_owned())
}
