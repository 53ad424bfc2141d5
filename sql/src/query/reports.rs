//! Calls of functions that read a relation, `FROM drivers('x.survey', 'nps', ARRAY['speed', 'price'])`, as the query
//! that computes them: an aggregate over the relation, its list of rows unnested.
//!
//! The relation is a name, or the text of a query; so are the columns names, or the text of expressions over it. Since
//! they become part of the statement, names resolve and privileges are checked as everywhere else.
//!
//! Two arguments are every report's. `by => 'segment'`, or an array, asks for each group of the relation on its own; the
//! columns come first in the answer. `if_undefined => 'nothing'` answers a question without an answer, such as the
//! regression of no rows, by no rows instead of an error.
//!
//! `predict('churn', …)` names a model of `roi.models`: the name becomes a query for its newest version.

use std::ops::ControlFlow;
use std::sync::LazyLock;

use datafusion::sql::sqlparser::ast::{
    Array, DataType, Expr, FunctionArg, FunctionArgExpr, FunctionArgOperator, FunctionArguments, GroupByExpr,
    Ident, ObjectName, Query, SelectItem, SetExpr, Statement, TableAlias, TableFactor, TableWithJoins,
    TimezoneInfo, UnaryOperator, Value, VisitMut, VisitorMut,
};
use voxhouse_engine::{Error, ErrorKind, Result};
use voxhouse_udfs::{IF_UNDEFINED, Implementation, Parameter, Shape, Takes, aggregate_name};

use super::names::fold;
use super::pipe::parse_query;
use crate::dialect::build::{self, call, text};

/// Schemas whose name may stand before a report, as before the relations on its subject: `roi.did(…)`.
const SCHEMAS: [&str; 3] = ["roi", "journey", "x"];

/// The argument that names the columns by which a relation is grouped.
const BY: Parameter = Parameter { name: "by", takes: Takes::Texts, required: false };

/// The argument that says what becomes of a question without an answer.
const UNDEFINED: Parameter = Parameter { name: IF_UNDEFINED, takes: Takes::Setting, required: false };

/// Rewrites a statement in place. One without such calls stays the same.
pub fn expand(statement: &mut Statement) -> Result<()> {
    match statement.visit(&mut Expander) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Expander;

impl VisitorMut for Expander {
    type Break = Error;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        let TableFactor::Table { name, args: Some(arguments), alias, .. } = factor else {
            return ControlFlow::Continue(());
        };
        let Some(shape) = shape_of(name) else { return ControlFlow::Continue(()) };
        let alias = alias.take().unwrap_or_else(|| named(shape.name));
        match Said::read(shape, std::mem::take(&mut arguments.args)).and_then(Said::into_query) {
            Ok(query) => {
                *factor = build::derived(query, alias);
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        match named_model(expr).map(|(place, name)| (place, newest_model(&name))) {
            Some((place, Ok(query))) => *place = Expr::Subquery(Box::new(query)),
            Some((_, Err(error))) => return ControlFlow::Break(error),
            None => {}
        }
        ControlFlow::Continue(())
    }
}

/// The model in a call of `predict` that is given by its name, and the name.
fn named_model(expr: &mut Expr) -> Option<(&mut Expr, String)> {
    let Expr::Function(function) = expr else { return None };
    let name = match function.name.0.as_slice() {
        [name] => fold(name.as_ident()?),
        [schema, name] if fold(schema.as_ident()?) == "roi" => fold(name.as_ident()?),
        _ => return None,
    };
    let FunctionArguments::List(list) = &mut function.args else { return None };
    let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(model))) = list.args.first_mut() else { return None };
    let given =
        build::literal(model).filter(|text| name == "predict" && !text.trim_start().starts_with('{'))?;
    let given = given.to_owned();
    Some((model, given))
}

/// An aggregate, so that there is a row, with NULL, for a model that is not there.
fn newest_model(name: &str) -> Result<Query> {
    let name = name.replace('\'', "''");
    parse_query(&format!("SELECT max(model) FROM roi.current_models WHERE name = '{name}'"))
}

/// The report of this name.
fn shape_of(name: &ObjectName) -> Option<&'static Shape> {
    static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(|| {
        let shapes = voxhouse_udfs::entries().into_iter().filter_map(|entry| match entry.implementation {
            Implementation::Report(shape, _) => Some(shape.as_ref().clone()),
            _ => None,
        });
        shapes.collect()
    });
    let name = match name.0.as_slice() {
        [name] => fold(name.as_ident()?),
        [schema, name] if SCHEMAS.contains(&fold(schema.as_ident()?).as_str()) => fold(name.as_ident()?),
        _ => return None,
    };
    SHAPES.iter().find(|shape| shape.name == name)
}

fn named(name: &str) -> TableAlias {
    build::alias(Ident::new(name))
}

/// A call, read.
struct Said {
    shape: &'static Shape,
    relation: TableFactor,
    /// What is written for each parameter of the shape.
    written: Vec<Option<Expr>>,
    by: Vec<String>,
    /// What `if_undefined` says.
    undefined: Option<String>,
}

impl Said {
    fn read(shape: &'static Shape, arguments: Vec<FunctionArg>) -> Result<Self> {
        let mut relation = None;
        let mut written: Vec<Option<Expr>> = vec![None; shape.parameters.len()];
        let (mut by, mut undefined) = (Vec::new(), None);
        for (place, argument) in arguments.into_iter().enumerate() {
            let (slot, value) = match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => (place, value),
                FunctionArg::Named {
                    name,
                    arg: FunctionArgExpr::Expr(value),
                    operator: FunctionArgOperator::RightArrow | FunctionArgOperator::Assignment,
                } => match fold(&name).as_str() {
                    name if name == BY.name => {
                        by = texts_of(shape, &BY, &value)?;
                        continue;
                    }
                    name if name == UNDEFINED.name => {
                        undefined = Some(undefined_of(shape, &value)?);
                        continue;
                    }
                    name => (slot_of(shape, name)?, value),
                },
                _ => return Err(does_not_fit(shape)),
            };
            match slot.checked_sub(1) {
                None => relation = Some(relation_of(shape, value)?),
                Some(slot) => *written.get_mut(slot).ok_or_else(|| does_not_fit(shape))? = Some(value),
            }
        }
        let is_null = |value: &Expr| matches!(value, Expr::Value(value) if value.value == Value::Null);
        written.iter_mut().for_each(|value| *value = value.take().filter(|value| !is_null(value)));
        let relation = relation.ok_or_else(|| does_not_fit(shape))?;
        for (parameter, value) in shape.parameters.iter().zip(&written) {
            if parameter.required && value.is_none() {
                return Err(does_not_fit(shape).with_detail(format!("It needs {}.", parameter.name)));
            }
        }
        Ok(Self { shape, relation, written, by, undefined })
    }

    /// `SELECT get_field(r, 'driver') AS driver, … FROM (SELECT unnest(l) AS r FROM (SELECT __drivers('…', nps, speed) AS l
    /// FROM …))`, with the columns of `by` in front on each level.
    fn into_query(self) -> Result<Query> {
        let (description, columns) = self.aggregate_arguments()?;
        let arguments = std::iter::once(text(&description)).chain(columns).collect();
        let groups = self.by.iter().map(|text| expression(text)).collect::<Result<Vec<_>>>()?;
        let (list, row) = (Ident::new("__rows"), Ident::new("__row"));
        let mut items = by_items(groups.iter().cloned());
        items.push(aliased(call(&aggregate_name(self.shape.name), arguments), list.clone()));
        let mut lists = build::select(items, from(self.relation));
        if let SetExpr::Select(select) = lists.body.as_mut() {
            select.group_by = GroupByExpr::Expressions(groups.clone(), Vec::new());
        }
        let mut items = by_items((0..groups.len()).map(|place| Expr::Identifier(by_ident(place))));
        items.push(aliased(call("unnest", vec![Expr::Identifier(list)]), row.clone()));
        let rows = build::select(items, from(build::derived(lists, named("__lists"))));
        let by = groups.iter().zip(&self.by).enumerate();
        let by =
            by.map(|(place, (expr, text))| aliased(Expr::Identifier(by_ident(place)), name_of(expr, text)));
        let fields = self.shape.columns.iter().map(|(name, _)| {
            let value = call("get_field", vec![Expr::Identifier(row.clone()), text(name)]);
            aliased(value, Ident::with_quote('"', *name))
        });
        Ok(build::select(by.chain(fields).collect(), from(build::derived(rows, named("__report")))))
    }

    /// The description of the call, and the columns that it reads.
    fn aggregate_arguments(&self) -> Result<(String, Vec<Expr>)> {
        let mut labels = serde_json::Map::new();
        let mut settings = serde_json::Map::new();
        let mut columns = Vec::new();
        for (parameter, value) in self.shape.parameters.iter().zip(&self.written) {
            let Some(value) = value else { continue };
            let texts = texts_of(self.shape, parameter, value)?;
            if parameter.takes.is_column() {
                for text in &texts {
                    columns.push(column(parameter.takes, text)?);
                }
                labels.insert(parameter.name.to_owned(), texts.into());
            } else if parameter.takes.is_array() {
                settings.insert(parameter.name.to_owned(), texts.into());
            } else if let Some(text) = texts.into_iter().next() {
                settings.insert(parameter.name.to_owned(), text.into());
            }
        }
        if let Some(undefined) = &self.undefined {
            settings.insert(UNDEFINED.name.to_owned(), undefined.as_str().into());
        }
        let description = serde_json::json!({ "columns": labels, "settings": settings });
        Ok((description.to_string(), columns))
    }
}

/// The rows that the aggregate of a report returns over a relation.
fn rows_over(shape: &Shape, aggregate: Expr, relation: TableFactor) -> Query {
    let row = Ident::new("__row");
    let fields = shape.columns.iter().map(|(name, _)| {
        let value = call("get_field", vec![Expr::Identifier(row.clone()), text(name)]);
        SelectItem::ExprWithAlias { expr: value, alias: Ident::with_quote('"', *name) }
    });
    let rows = SelectItem::ExprWithAlias { expr: call("unnest", vec![aggregate]), alias: row.clone() };
    let inner = build::select(vec![rows], from(relation));
    build::select(fields.collect(), from(build::derived(inner, named("__report"))))
}

/// The same for a report whose call is read elsewhere.
pub(super) fn rows_of(report: &str, aggregate: Expr, relation: TableFactor) -> Result<Query> {
    let shape = shape_of(&ObjectName::from(vec![Ident::new(report)]));
    let shape = shape.ok_or_else(|| Error::internal(format!("there is no report {report}")))?;
    Ok(rows_over(shape, aggregate, relation))
}

/// What `if_undefined` may say.
fn undefined_of(shape: &Shape, value: &Expr) -> Result<String> {
    match texts_of(shape, &UNDEFINED, value)?.pop() {
        Some(said) if ["error", "nothing"].contains(&said.as_str()) => Ok(said),
        said => {
            let said = said.unwrap_or_default();
            Err(Error::invalid_argument(format!("{IF_UNDEFINED} \"{said}\" does not exist"))
                .with_hint("It is one of error, nothing."))
        }
    }
}

fn by_ident(place: usize) -> Ident {
    Ident::new(format!("__by{place}"))
}

/// These expressions under the names that they have between the levels.
fn by_items(exprs: impl Iterator<Item = Expr>) -> Vec<SelectItem> {
    exprs.enumerate().map(|(place, expr)| aliased(expr, by_ident(place))).collect()
}

fn aliased(expr: Expr, alias: Ident) -> SelectItem {
    SelectItem::ExprWithAlias { expr, alias }
}

/// The name of a group's column in the answer: that of the column, or what was written.
fn name_of(expr: &Expr, written: &str) -> Ident {
    let name = match expr {
        Expr::Nested(inner) => return name_of(inner, written),
        Expr::Identifier(name) => fold(name),
        Expr::CompoundIdentifier(parts) => parts.last().map_or_else(|| written.to_owned(), fold),
        _ => written.to_owned(),
    };
    Ident::with_quote('"', name)
}

fn slot_of(shape: &Shape, name: &str) -> Result<usize> {
    if name == "relation" {
        return Ok(0);
    }
    let place = shape.parameters.iter().position(|parameter| parameter.name == name);
    place
        .map(|place| place + 1)
        .ok_or_else(|| does_not_fit(shape).with_detail(format!("It has no argument named \"{name}\".")))
}

fn does_not_fit(shape: &Shape) -> Error {
    let parameters = shape.parameters.iter().map(|parameter| match parameter.required {
        true => parameter.name.to_owned(),
        false => format!("{} => …", parameter.name),
    });
    let parameters =
        std::iter::once("'relation'".to_owned()).chain(parameters).collect::<Vec<_>>().join(", ");
    let message = format!("function {} does not exist with these arguments", shape.name);
    Error::new(ErrorKind::UndefinedFunction, message)
        .with_hint(format!("It is called as {}({parameters}).", shape.name))
}

/// The relation a call names: a name, the text of one, or the text of a query.
fn relation_of(shape: &Shape, value: Expr) -> Result<TableFactor> {
    relation_in(value)?.ok_or_else(|| does_not_fit(shape))
}

/// `None`: the value names no relation.
pub(super) fn relation_in(value: Expr) -> Result<Option<TableFactor>> {
    match value {
        Expr::Subquery(query) => Ok(Some(build::derived(*query, named("source")))),
        Expr::Identifier(name) => from_text(&name.to_string()).map(Some),
        Expr::CompoundIdentifier(parts) => {
            let parts: Vec<String> = parts.iter().map(Ident::to_string).collect();
            from_text(&parts.join(".")).map(Some)
        }
        Expr::Value(value) => value.value.into_string().map(|text| from_text(&text)).transpose(),
        _ => Ok(None),
    }
}

/// The relation of a name, or of the text of a query, under the name `source`.
pub fn from_text(text: &str) -> Result<TableFactor> {
    let text = text.trim();
    let first = text.trim_start_matches('(').split_whitespace().next().unwrap_or_default();
    let is_query = ["select", "with", "values", "table"].iter().any(|word| first.eq_ignore_ascii_case(word));
    let query = if is_query { parse_query(text) } else { parse_query(&format!("SELECT * FROM {text}")) };
    let query = query.map_err(|error| {
        Error::syntax(format!("the relation \"{text}\" is neither a name nor a query"))
            .with_detail(format!("{}.", error.message()))
    })?;
    Ok(build::derived(query, named("source")))
}

/// What is written for a parameter: one text, or the texts of an array.
fn texts_of(shape: &Shape, parameter: &Parameter, value: &Expr) -> Result<Vec<String>> {
    let wrong = || {
        let expected = match (parameter.takes.is_array(), parameter.takes.is_column()) {
            (true, _) => "an array of texts such as ARRAY['a', 'b']",
            (false, true) => "the name of a column as text, such as 'score'",
            (false, false) => "a constant",
        };
        Error::invalid_argument(format!("{} of {} must be {expected}", parameter.name, shape.name))
    };
    match value {
        Expr::Array(Array { elem, .. }) if parameter.takes.is_array() => {
            elem.iter().map(|element| text_of(element).ok_or_else(wrong)).collect()
        }
        value => {
            let text = text_of(value).ok_or_else(wrong)?;
            match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
                Some(list) if parameter.takes.is_array() => {
                    Ok(list.split(',').map(|item| item.trim().trim_matches('"').to_owned()).collect())
                }
                _ => Ok(vec![text]),
            }
        }
    }
}

fn text_of(value: &Expr) -> Option<String> {
    match value {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => Some(number.to_string()),
            Value::Boolean(flag) => Some(flag.to_string()),
            Value::Null => None,
            text => text.clone().into_string(),
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => Some(format!("-{}", text_of(expr)?)),
        Expr::Cast { expr, .. } | Expr::Nested(expr) => text_of(expr),
        _ => None,
    }
}

/// The expression in `text`, as its parameter takes it.
fn column(takes: Takes, text: &str) -> Result<Expr> {
    let expr = expression(text)?;
    let data_type = match takes {
        Takes::Text | Takes::Texts | Takes::TextsOrNull => DataType::Text,
        Takes::Time => DataType::Timestamp(None, TimezoneInfo::None),
        _ => return Ok(expr),
    };
    Ok(build::cast(expr, data_type))
}

/// The expression in `text`, over the columns of `source`.
pub fn expression(text: &str) -> Result<Expr> {
    let wrong = || {
        Error::syntax(format!("\"{text}\" is neither a column nor an expression"))
            .with_hint("A column whose name has blanks or capitals is written '\"like This\"'.")
    };
    let query = parse_query(&format!("SELECT {text}")).map_err(|_| wrong())?;
    let SetExpr::Select(select) = *query.body else { return Err(wrong()) };
    let is_plain = select.from.is_empty() && select.selection.is_none() && query.order_by.is_none();
    match <[SelectItem; 1]>::try_from(select.projection) {
        Ok([SelectItem::UnnamedExpr(expr)]) if is_plain => Ok(Expr::Nested(Box::new(expr))),
        _ => Err(wrong()),
    }
}

fn from(relation: TableFactor) -> Vec<TableWithJoins> {
    vec![TableWithJoins { relation, joins: Vec::new() }]
}
