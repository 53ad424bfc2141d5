//! Operators of JSON, and subscripts.

use arrow::datatypes::{DataType, Field};
use datafusion::common::DFSchema;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{Expr, ExprSchemable, GetFieldAccess, cast, lit};
use datafusion::sql::sqlparser::ast::BinaryOperator as Op;
use voxhouse_engine::catalog::SqlType;
use voxhouse_engine::catalog::types::TYPE_KEY;
use voxhouse_engine::{Error, ErrorKind};

use super::Form;
use super::catalog::call;

/// What an operator means beside JSON. `None`: neither side is of it, or it means what it means for text.
pub fn operator(op: &Op, left: &Expr, right: &Expr, schema: &DFSchema) -> DataFusionResult<Option<Expr>> {
    let sides = Sides { op, left: Side::new(left, schema), right: Side::new(right, schema) };
    let planned = match op {
        Op::Arrow | Op::LongArrow | Op::HashArrow | Op::HashLongArrow => sides.part(),
        Op::Question | Op::QuestionPipe | Op::QuestionAnd => sides.exists()?,
        Op::AtArrow | Op::ArrowAt => sides.containment()?,
        Op::StringConcat => sides.concatenation(),
        Op::Minus | Op::HashMinus => sides.deletion()?,
        Op::Eq | Op::NotEq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq => sides.comparison()?,
        Op::AtQuestion | Op::AtAt if sides.left.form.is_some() => {
            let error = Error::not_supported("paths of SQL/JSON are not supported");
            return Err(error.with_hint("Write -> or #> for the steps, and compare what they find.").into());
        }
        _ => None,
    };
    Ok(planned)
}

/// `doc['a'][0]` of `jsonb`.
pub fn subscript(value: &Expr, access: &GetFieldAccess, schema: &DFSchema) -> DataFusionResult<Option<Expr>> {
    let step = match access {
        GetFieldAccess::NamedStructField { name } => lit(name.clone()),
        GetFieldAccess::ListIndex { key } => cast(key.as_ref().clone(), DataType::Utf8),
        _ => return Ok(None),
    };
    match Side::new(value, schema).form {
        Some(Form::Jsonb) => Ok(call("jsonb_extract_path", vec![value.clone(), step])),
        Some(Form::Json) => {
            let message = "cannot subscript type json because it does not support subscripting";
            Err(Error::new(ErrorKind::DatatypeMismatch, message).into())
        }
        None => Ok(None),
    }
}

/// Which type of JSON an expression is of. Functions of alternatives do not tell it themselves.
pub(super) fn form_of(expr: &Expr, schema: &DFSchema) -> Option<Form> {
    let told = |field: &Field| field.metadata().get(TYPE_KEY).and_then(|name| Form::named(name));
    match expr {
        Expr::Alias(alias) => form_of(&alias.expr, schema),
        Expr::ScalarFunction(call) if is_alternatives(expr) => {
            call.args.iter().find_map(|argument| form_of(argument, schema))
        }
        Expr::Case(case) => {
            let results = case.when_then_expr.iter().map(|(_, result)| result.as_ref());
            results.chain(case.else_expr.as_deref()).find_map(|result| form_of(result, schema))
        }
        Expr::ScalarSubquery(subquery) => {
            subquery.subquery.schema().fields().first().and_then(|field| told(field))
        }
        _ => expr.to_field(schema).ok().and_then(|(_, field)| told(&field)),
    }
}

/// Whether an expression is one of several.
pub(super) fn is_alternatives(expr: &Expr) -> bool {
    match expr {
        Expr::ScalarFunction(call) => {
            matches!(call.func.name(), "coalesce" | "nullif" | "greatest" | "least")
        }
        Expr::Case(_) => true,
        _ => false,
    }
}

/// One side of an operator.
struct Side<'a> {
    expr: &'a Expr,
    /// Of a text, NULL or parameter it is not known whether it is JSON.
    form: Option<Form>,
    data_type: DataType,
    name: String,
}

impl<'a> Side<'a> {
    fn new(expr: &'a Expr, schema: &DFSchema) -> Self {
        let field = expr.to_field(schema).ok().map(|(_, field)| field);
        let named = field.as_ref().and_then(|field| field.metadata().get(TYPE_KEY).cloned());
        let data_type = field.map_or(DataType::Null, |field| field.data_type().clone());
        let form = form_of(expr, schema).filter(|_| data_type.is_string());
        let name = form.map(|form| form.name().to_owned()).or(named);
        let name = name.unwrap_or_else(|| match expr {
            Expr::Literal(value, _) if value.is_null() || value.try_as_str().is_some() => {
                "unknown".to_owned()
            }
            _ => SqlType::from_arrow(&data_type)
                .map_or_else(|_| "unknown".to_owned(), |known| known.to_string()),
        });
        Self { expr, form, data_type, name }
    }

    /// Whether it can be read as JSON.
    fn is_text(&self) -> bool {
        self.form.is_some() || self.is_unknown()
    }

    fn is_unknown(&self) -> bool {
        self.form.is_none() && (self.data_type.is_string() || self.data_type.is_null())
    }

    fn is_literal(&self) -> bool {
        matches!(self.expr, Expr::Literal(..) | Expr::Placeholder(_))
    }
}

struct Sides<'a> {
    op: &'a Op,
    left: Side<'a>,
    right: Side<'a>,
}

impl Sides<'_> {
    fn call(&self, name: &str) -> Option<Expr> {
        call(name, vec![self.left.expr.clone(), self.right.expr.clone()])
    }

    fn undefined(&self) -> Error {
        let message = format!("operator does not exist: {} {} {}", self.left.name, self.op, self.right.name);
        Error::new(ErrorKind::UndefinedFunction, message).with_hint(
            "No operator matches the given name and argument types. You might need to add explicit type casts.",
        )
    }

    /// `->`, `->>`, `#>` and `#>>`. A text of which it is not known what it is, is read as `json`.
    fn part(&self) -> Option<Expr> {
        if !self.left.data_type.is_string() {
            return None;
        }
        let json = self.left.form.unwrap_or(Form::Json).name();
        let is_text = matches!(self.op, Op::LongArrow | Op::HashLongArrow);
        let name = match self.op {
            Op::HashArrow | Op::HashLongArrow => format!("__{json}_at_path"),
            _ if self.right.data_type.is_integer() => format!("{json}_array_element"),
            _ => format!("{json}_object_field"),
        };
        self.call(&if is_text { format!("{name}_text") } else { name })
    }

    /// Whether this is an operator of `jsonb`, with something that may be a value of it on the other side.
    fn is_of_jsonb(&self) -> Result<bool, Error> {
        let forms = [self.left.form, self.right.form];
        if forms.contains(&Some(Form::Json)) {
            return Err(self.undefined());
        }
        Ok(forms.contains(&Some(Form::Jsonb)))
    }

    fn exists(&self) -> Result<Option<Expr>, Error> {
        if !self.left.is_text() {
            return Ok(None);
        }
        if self.left.form == Some(Form::Json) {
            return Err(self.undefined());
        }
        Ok(self.call(match self.op {
            Op::Question => "jsonb_exists",
            Op::QuestionPipe => "jsonb_exists_any",
            _ => "jsonb_exists_all",
        }))
    }

    fn containment(&self) -> Result<Option<Expr>, Error> {
        if !self.is_of_jsonb()? {
            return Ok(None);
        }
        let (whole, part) = match self.op {
            Op::AtArrow => (self.left.expr, self.right.expr),
            _ => (self.right.expr, self.left.expr),
        };
        Ok(call("jsonb_contains", vec![whole.clone(), part.clone()]))
    }

    /// `||`: a text of somebody's own is no `jsonb`, and is put beside its text.
    fn concatenation(&self) -> Option<Expr> {
        let is_jsonb = |side: &Side<'_>| side.form == Some(Form::Jsonb);
        let may_be = |side: &Side<'_>| is_jsonb(side) || side.is_unknown() && side.is_literal();
        let is_one = is_jsonb(&self.left) || is_jsonb(&self.right);
        (is_one && may_be(&self.left) && may_be(&self.right)).then(|| self.call("jsonb_concat")).flatten()
    }

    fn deletion(&self) -> Result<Option<Expr>, Error> {
        match self.left.form {
            Some(Form::Jsonb) => {}
            Some(Form::Json) => return Err(self.undefined()),
            None => return Ok(None),
        }
        Ok(self.call(match (self.op, &self.right.data_type) {
            (Op::HashMinus, _) => "jsonb_delete_path",
            (_, DataType::List(_)) => "__jsonb_delete_all",
            (_, number) if number.is_integer() => "__jsonb_delete_at",
            _ => "jsonb_delete",
        }))
    }

    fn comparison(&self) -> Result<Option<Expr>, Error> {
        if !self.left.is_text() || !self.right.is_text() || !self.is_of_jsonb()? {
            return Ok(None);
        }
        let zero = || lit(0_i32);
        Ok(self.call("jsonb_cmp").map(|order| match self.op {
            Op::Eq => order.eq(zero()),
            Op::NotEq => order.not_eq(zero()),
            Op::Lt => order.lt(zero()),
            Op::LtEq => order.lt_eq(zero()),
            Op::Gt => order.gt(zero()),
            _ => order.gt_eq(zero()),
        }))
    }
}
