//! PostgreSQL types of result columns that Arrow's types do not tell (`oid`, `uuid`, `varchar(20)`), worked out from the
//! plan as it was made. Fields carry their names too, but hand them on where PostgreSQL does not, as in the union of a
//! `name` and a `text`, and lose them in CASE, in aggregates and in subqueries.

use std::cell::Cell;

use datafusion::common::DFSchema;
use datafusion::logical_expr::expr::{AggregateFunction, WindowFunction};
use datafusion::logical_expr::{
    Distinct, Expr, ExprSchemable, LogicalPlan, Operator, WindowFunctionDefinition,
};
use voxhouse_engine::catalog::types::TYPE_KEY;

/// What is known of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A string literal, a parameter or NULL: it takes the type of what it stands beside.
    Unknown,
    /// The one that Arrow's type stands for.
    Plain,
    Named(String),
}

/// Names of types that Arrow's types tell.
const TOLD_BY_ARROW: &[&str] = &[
    "bigint",
    "boolean",
    "bytea",
    "date",
    "double precision",
    "integer",
    "interval",
    "real",
    "smallint",
    "text",
    "timestamp with time zone",
    "timestamp without time zone",
];

impl Told {
    fn by_name(name: Option<&String>) -> Self {
        match name {
            Some(name) if !TOLD_BY_ARROW.contains(&name.trim_end_matches("[]")) => Told::Named(name.clone()),
            _ => Told::Plain,
        }
    }

    fn unbounded(self) -> Self {
        match self {
            Told::Named(name) => Told::Named(unbounded(name)),
            other => other,
        }
    }

    fn array(self) -> Self {
        match self.unbounded() {
            Told::Named(name) => Told::Named(format!("{name}[]")),
            other => other,
        }
    }

    fn element(self) -> Self {
        match self {
            Told::Named(name) => match (name.strip_suffix("[]"), name.as_str()) {
                (Some(element), _) => Told::Named(element.to_owned()),
                (None, "oidvector") => Told::Named("oid".to_owned()),
                (None, _) => Told::Plain,
            },
            other => other,
        }
    }
}

/// The type of a column of a plan that has not been optimized.
pub fn of_column(plan: &LogicalPlan, index: usize) -> Told {
    followed(plan, index, &Cell::new(MOST_STEPS))
}

/// How far a type is followed. A CASE over columns that are CASEs themselves has as many ends as all of them together.
const MOST_STEPS: u32 = 10_000;

fn followed(plan: &LogicalPlan, index: usize, left: &Cell<u32>) -> Told {
    let Some(field) = plan.schema().fields().get(index) else { return Told::Plain };
    let told = Told::by_name(field.metadata().get(TYPE_KEY));
    if left.get() == 0 {
        return told;
    }
    left.set(left.get() - 1);
    let part = |expressions: &[Expr], input: &LogicalPlan| {
        expressions.get(index).map_or(Told::Plain, |expression| of_expression(expression, input, left))
    };
    match plan {
        LogicalPlan::Projection(node) => part(&node.expr, &node.input),
        LogicalPlan::SubqueryAlias(node) => followed(&node.input, index, left),
        LogicalPlan::Filter(node) => followed(&node.input, index, left),
        LogicalPlan::Sort(node) => followed(&node.input, index, left),
        LogicalPlan::Limit(node) => followed(&node.input, index, left),
        LogicalPlan::Distinct(Distinct::All(input)) => followed(input, index, left),
        LogicalPlan::Distinct(Distinct::On(node)) => part(&node.select_expr, &node.input),
        LogicalPlan::Aggregate(node) => {
            let mut columns = node.group_expr.iter().chain(&node.aggr_expr);
            columns.nth(index).map_or(told, |column| of_expression(column, &node.input, left))
        }
        LogicalPlan::Window(node) => {
            let inner = node.input.schema().fields().len();
            match index.checked_sub(inner) {
                None => followed(&node.input, index, left),
                Some(place) => node
                    .window_expr
                    .get(place)
                    .map_or(told, |expression| of_expression(expression, &node.input, left)),
            }
        }
        LogicalPlan::Join(node) if node.schema.fields().len() > node.left.schema().fields().len() => {
            let before = node.left.schema().fields().len();
            match index.checked_sub(before) {
                None => followed(&node.left, index, left),
                Some(place) => followed(&node.right, place, left),
            }
        }
        LogicalPlan::Unnest(node) => match node.dependency_indices.get(index) {
            Some(&place) => {
                let is_list = node.list_type_columns.iter().any(|(column, _)| *column == place);
                let is_struct = node.struct_type_columns.contains(&place);
                match followed(&node.input, place, left) {
                    _ if is_struct => told,
                    list if is_list => list.element(),
                    same => same,
                }
            }
            None => told,
        },
        LogicalPlan::RecursiveQuery(node) => followed(&node.static_term, index, left),
        LogicalPlan::Union(node) => {
            of_alternatives(node.inputs.iter().map(|input| followed(input, index, left)), told)
        }
        _ => told,
    }
}

fn of_expression(expression: &Expr, input: &LogicalPlan, left: &Cell<u32>) -> Told {
    match expression {
        Expr::Alias(alias) => of_expression(&alias.expr, input, left),
        Expr::Column(column) => match input.schema().maybe_index_of_column(column) {
            Some(index) => followed(input, index, left),
            None => in_metadata(expression, input),
        },
        Expr::ScalarSubquery(subquery) => followed(&subquery.subquery, 0, left),
        Expr::Literal(value, metadata) => {
            match metadata.as_ref().and_then(|metadata| metadata.inner().get(TYPE_KEY)) {
                Some(name) => Told::by_name(Some(name)),
                None if value.is_null() || value.try_as_str().is_some() => Told::Unknown,
                None => Told::Plain,
            }
        }
        Expr::Placeholder(placeholder) if placeholder.field.is_none() => Told::Unknown,
        Expr::Case(case) => {
            let results = case.when_then_expr.iter().map(|(_, then)| then.as_ref());
            let rest =
                case.else_expr.as_deref().map_or(Told::Unknown, |rest| of_expression(rest, input, left));
            // Of the alternatives PostgreSQL looks at ELSE first.
            let told = std::iter::once(rest).chain(results.map(|result| of_expression(result, input, left)));
            of_alternatives(told, Told::Plain)
        }
        Expr::ScalarFunction(call) => match (call.func.name(), call.args.as_slice()) {
            ("coalesce" | "greatest" | "least", arguments) => {
                of_alternatives(arguments.iter().map(|one| of_expression(one, input, left)), Told::Plain)
            }
            ("nullif", [first, ..]) => match of_expression(first, input, left) {
                Told::Unknown => Told::Plain,
                told => told.unbounded(),
            },
            ("make_array", elements) if !elements.is_empty() => {
                of_alternatives(elements.iter().map(|one| of_expression(one, input, left)), Told::Plain)
                    .array()
            }
            ("array_element", [list, _]) => of_expression(list, input, left).element(),
            (
                "array_remove" | "array_remove_all" | "array_append" | "array_sort" | "array_distinct"
                | "array_slice",
                [list, ..],
            ) => of_expression(list, input, left),
            _ => in_metadata(expression, input),
        },
        // Concatenation gives text.
        Expr::BinaryExpr(binary) if binary.op == Operator::StringConcat => Told::Plain,
        Expr::AggregateFunction(AggregateFunction { func, params }) => {
            aggregated(func.name(), params.args.first(), expression, input, left)
        }
        Expr::WindowFunction(call) => {
            let WindowFunction { fun, params } = call.as_ref();
            let name = match fun {
                WindowFunctionDefinition::AggregateUDF(function) => function.name(),
                WindowFunctionDefinition::WindowUDF(function) => function.name(),
            };
            aggregated(name, params.args.first(), expression, input, left)
        }
        _ => in_metadata(expression, input),
    }
}

fn aggregated(
    function: &str,
    argument: Option<&Expr>,
    whole: &Expr,
    input: &LogicalPlan,
    left: &Cell<u32>,
) -> Told {
    let argument = argument.map(|argument| of_expression(argument, input, left));
    match (function, argument) {
        ("__only_value", Some(argument)) => argument,
        ("first_value" | "last_value" | "any_value" | "nth_value" | "lag" | "lead", Some(argument)) => {
            argument.unbounded()
        }
        // Of a varchar, a name or a "char" they are those of text.
        ("min" | "max", Some(argument)) => match argument.unbounded() {
            Told::Named(name) if matches!(name.as_str(), "character varying" | "name" | "\"char\"") => {
                Told::Plain
            }
            told => told,
        },
        ("array_agg", Some(argument)) => argument.array(),
        _ => in_metadata(whole, input),
    }
}

/// What the field of an expression says.
fn in_metadata(expression: &Expr, input: &LogicalPlan) -> Told {
    let field = expression.to_field(input.schema().as_ref() as &DFSchema);
    field.map_or(Told::Plain, |(_, field)| Told::by_name(field.metadata().get(TYPE_KEY)))
}

/// A function gives no length, and neither precision nor scale.
fn unbounded(mut name: String) -> String {
    if name.starts_with("character(") {
        return "bpchar".to_owned();
    }
    if let Some(bound) = name.find('(') {
        name.truncate(bound);
    }
    name
}

/// The type of what is one of several, as `select_common_type` finds it: that of the first of which the type is known,
/// until another comes to which it can be converted and not the other way round.
fn of_alternatives(alternatives: impl Iterator<Item = Told>, of_unknown: Told) -> Told {
    let all: Vec<Told> = alternatives.collect();
    let is_bounded = |told: &Told| matches!(told, Told::Named(_)) && all.iter().all(|one| one == told);
    let mut found: Option<&Told> = None;
    for told in all.iter().filter(|told| **told != Told::Unknown) {
        found = Some(match found {
            Some(before) if !gives_way(before, told) => before,
            _ => told,
        });
    }
    match found {
        None => of_unknown_alone(of_unknown),
        Some(told) if is_bounded(told) => told.clone(),
        Some(told) => told.clone().unbounded(),
    }
}

fn of_unknown_alone(told: Told) -> Told {
    if told == Told::Unknown { Told::Plain } else { told }
}

/// Whether a type is converted to the other implicitly, and the other not to it.
fn gives_way(one: &Told, other: &Told) -> bool {
    let Told::Named(one) = one else {
        // Integers become oids, and text nothing else.
        return matches!(other, Told::Named(name) if name == "oid");
    };
    match other {
        // A name and a text become each other, and the first of them is right.
        Told::Plain => matches!(one.as_str(), "\"char\"" | "pg_node_tree"),
        Told::Named(other) => one.starts_with("character varying") && other == "name",
        Told::Unknown => false,
    }
}
