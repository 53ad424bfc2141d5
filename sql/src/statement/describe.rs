//! What a statement will return, and which parameters it takes, before it runs.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, IntervalUnit, Schema, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::{Cast, Placeholder};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Operator};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{self, Query};
use voxhouse_engine::catalog::types::TYPE_KEY;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::literal::placeholder;
use super::origin;
use super::typing::{self, Told};
use crate::pg_catalog;
use crate::query::types::array_of;
use crate::query::{QueryContext, labels};
use crate::wire::types::with_origin;

/// The columns as the optimizer leaves them: the scale of `round(x, 2)` is known when the 2 is a constant.
pub fn columns(context: &QueryContext, plan: &LogicalPlan) -> Result<SchemaRef> {
    let optimized = context.base.optimize(plan)?;
    Ok(Arc::new(optimized.schema().as_arrow().clone()))
}

/// The columns with the headings that PostgreSQL gives them.
pub fn labelled(context: &QueryContext, plan: &LogicalPlan, query: &Query) -> Result<SchemaRef> {
    let schema = columns(context, plan)?;
    let labels = labels::of_query(query).filter(|labels| labels.len() == schema.fields().len());
    let origins = origin::of_columns(plan, &context.visible, query);
    let fields = schema.fields().iter().zip(origins).enumerate().map(|(place, (field, origin))| {
        let label = labels.as_ref().and_then(|labels| labels[place].clone());
        let label = label.unwrap_or_else(|| pg_catalog::label(field.name()).to_owned());
        let field = with_type(field.as_ref().clone().with_name(label), typing::of_column(plan, place));
        match origin {
            Some((relation, column)) => with_origin(field, relation, column),
            None => field,
        }
    });
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

fn with_type(field: Field, told: Told) -> Field {
    let mut metadata = field.metadata().clone();
    match told {
        Told::Named(name) => metadata.insert(TYPE_KEY.to_owned(), name),
        Told::Plain | Told::Unknown => metadata.remove(TYPE_KEY),
    };
    field.with_metadata(metadata)
}

/// The plan of rows that go into a table. No column is of type `regclass` or of its kin: it gets the names of objects,
/// as in PostgreSQL a column of text does.
pub fn stored(context: &QueryContext, plan: LogicalPlan) -> Result<LogicalPlan> {
    let functions = context.base.scalar_functions();
    let name_of = |place: usize| match typing::of_column(&plan, place) {
        Told::Named(name) if name.starts_with("reg") => functions.get(&format!("{name}out")).cloned(),
        _ => None,
    };
    let names: Vec<_> = (0..plan.schema().fields().len()).map(name_of).collect();
    if names.iter().all(Option::is_none) {
        return Ok(plan);
    }
    let columns = plan.schema().columns().into_iter().zip(names).map(|(column, name)| match name {
        Some(function) => {
            let shown = function.call(vec![Expr::Column(column.clone())]);
            shown.alias_qualified(column.relation, column.name)
        }
        None => Expr::Column(column),
    });
    let columns: Vec<Expr> = columns.collect();
    Ok(LogicalPlanBuilder::from(plan).project(columns)?.build()?)
}

/// What a Bind message can count.
pub const MAX_PARAMETERS: usize = 65_535;

/// The types of `$1`, `$2`, … in order: as declared, else as text and plan imply, else text.
pub fn parameters(
    statement: &ast::Statement,
    plan: &LogicalPlan,
    declared: &[Option<FieldRef>],
) -> Result<Vec<FieldRef>> {
    let mut types = ParameterTypes::declared(declared);
    types.imply_from_text(statement);
    types.imply(plan)?;
    Ok(types.finish())
}

/// The plan with values in the places of its parameters.
pub fn with_values(plan: LogicalPlan, parameters: Vec<ScalarValue>) -> Result<LogicalPlan> {
    if parameters.is_empty() {
        return Ok(plan);
    }
    Ok(plan.replace_params_with_values(&parameters.into())?)
}

/// The plan with the types of its parameters in it, so that its columns are described by them.
pub fn typed(plan: LogicalPlan, parameters: &[FieldRef]) -> Result<LogicalPlan> {
    if parameters.is_empty() {
        return Ok(plan);
    }
    let done = plan.transform_up_with_subqueries(|plan| {
        let names = NamePreserver::new(&plan);
        let plan = plan.map_expressions(|expression| {
            let name = names.save(&expression);
            let typed = expression.transform_up(|part| match part {
                Expr::Placeholder(Placeholder { id, field: None }) => {
                    let field = place_of(&id).and_then(|place| parameters.get(place - 1)).cloned();
                    Ok(Transformed::yes(Expr::Placeholder(Placeholder { id, field })))
                }
                // The value comes in this type; casting it again would cost a numeric its own scale.
                Expr::Cast(cast) => match *cast.expr {
                    Expr::Placeholder(Placeholder { id, field: Some(field) })
                        if same_type(&field, &cast.field) && !is_bounded(&field) =>
                    {
                        Ok(Transformed::yes(Expr::Placeholder(Placeholder { id, field: Some(field) })))
                    }
                    inner => Ok(Transformed::no(Expr::Cast(Cast { expr: Box::new(inner), ..cast }))),
                },
                other => Ok(Transformed::no(other)),
            })?;
            Ok(typed.update_data(|expression| name.restore(expression)))
        })?;
        plan.map_data(LogicalPlan::recompute_schema)
    })?;
    Ok(done.data)
}

fn same_type(one: &Field, other: &Field) -> bool {
    one.data_type() == other.data_type() && one.metadata() == other.metadata()
}

/// Whether a cast to the type rounds: `numeric(10,2)`, but not `numeric`.
fn is_bounded(field: &Field) -> bool {
    field.data_type().is_decimal() && field.metadata().get(TYPE_KEY).is_none_or(|name| name != "numeric")
}

/// The types of a statement's parameters while they become known; the first to say one is right. Fields, because
/// their metadata tells `uuid` and `json` from text.
pub struct ParameterTypes(Vec<Option<FieldRef>>);

impl ParameterTypes {
    pub fn declared(declared: &[Option<FieldRef>]) -> Self {
        Self(declared.to_vec())
    }

    /// Takes what the text says: `$1 + 1` takes an integer, though DataFusion would make it a bigint.
    pub fn imply_from_text(&mut self, statement: &ast::Statement) {
        let _ = ast::visit_expressions(statement, |expression: &ast::Expr| {
            if let ast::Expr::BinaryOp { left, op, right } = expression
                && takes_numbers(op)
            {
                for (one, other) in [(left, right), (right, left)] {
                    if let Some(place) = placeholder(one)
                        && is_integer(other)
                    {
                        self.note(place, Some(DataType::Int32));
                    }
                }
            }
            ControlFlow::<()>::Continue(())
        });
    }

    /// Takes the types that a plan implies.
    pub fn imply(&mut self, plan: &LogicalPlan) -> Result<()> {
        self.imply_more(plan)?;
        for (name, field) in plan.get_parameter_fields()? {
            let place = place_of(&name).ok_or_else(|| {
                Error::new(ErrorKind::UndefinedParameter, format!("there is no parameter {name}"))
            })?;
            self.note_field(place, field.filter(|field| !field.data_type().is_null()).map(as_compared));
        }
        Ok(())
    }

    /// One expression's: a parameter is of the type of those that it stands beside.
    fn imply_part(&mut self, part: &Expr, schema: &DFSchema) {
        let known = |expression: &Expr| {
            let found = expression.get_type(schema).ok()?;
            (!found.is_null() && !matches!(expression, Expr::Placeholder(_))).then(|| plain(found))
        };
        match part {
            Expr::ScalarFunction(call)
                if matches!(call.func.name(), "coalesce" | "nullif" | "greatest" | "least") =>
            {
                self.all_alike(call.args.iter(), &known);
            }
            Expr::Case(case) => {
                let results = case.when_then_expr.iter().map(|(_, then)| then.as_ref());
                self.all_alike(results.chain(case.else_expr.as_deref()), &known);
                let whens = case.when_then_expr.iter().map(|(when, _)| when.as_ref());
                match case.expr.as_deref() {
                    Some(base) => self.all_alike(whens.chain([base]), &known),
                    None => whens.for_each(|when| self.note_placeholder(when, DataType::Boolean)),
                }
            }
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Plus, right }) => {
                for (time, step) in [(left, right), (right, left)] {
                    if matches!(known(time), Some(DataType::Timestamp(_, _))) {
                        self.note_placeholder(step, DataType::Interval(IntervalUnit::MonthDayNano));
                    }
                }
            }
            _ => {}
        }
    }

    /// Gives parameters the type of the first of the others.
    fn all_alike<'a>(
        &mut self,
        expressions: impl Iterator<Item = &'a Expr> + Clone,
        known: &impl Fn(&Expr) -> Option<DataType>,
    ) {
        if let Some(data_type) = expressions.clone().find_map(known) {
            expressions.for_each(|expression| self.note_placeholder(expression, data_type.clone()));
        }
    }

    fn note_placeholder(&mut self, expression: &Expr, data_type: DataType) {
        if let Expr::Placeholder(placeholder) = expression
            && let Some(place) = place_of(&placeholder.id)
        {
            self.note(place, Some(data_type));
        }
    }

    /// What DataFusion leaves open: `column = ANY($1)`, which it plans as a function of an array, `LIMIT $1`,
    /// CASE and the like.
    fn imply_more(&mut self, plan: &LogicalPlan) -> Result<()> {
        plan.apply_with_subqueries(|node| {
            if let LogicalPlan::Limit(limit) = node {
                for count in [&limit.skip, &limit.fetch].into_iter().flatten() {
                    if let Expr::Placeholder(placeholder) = count.as_ref()
                        && let Some(place) = place_of(&placeholder.id)
                    {
                        self.note(place, Some(DataType::Int64));
                    }
                }
            }
            let schema = merge_schema(&node.inputs());
            node.apply_expressions(|expression| {
                expression.apply(|part| {
                    match part {
                        Expr::ScalarFunction(call) if call.func.name() == "array_has" => {
                            if let [Expr::Placeholder(array), item] = call.args.as_slice()
                                && let Some(place) = place_of(&array.id)
                                && let Ok((_, item)) = item.to_field(&schema)
                                && !item.data_type().is_null()
                            {
                                let item = as_compared(item);
                                let plain = plain(item.data_type().clone());
                                let item = item.as_ref().clone().with_data_type(plain);
                                self.note_field(place, Some(array_of(&item)));
                            }
                        }
                        // A parameter that is cast is of the type that it is cast to.
                        Expr::Cast(cast) => {
                            if let Expr::Placeholder(Placeholder { id, field: None }) = cast.expr.as_ref()
                                && let Some(place) = place_of(id)
                            {
                                self.note_field(place, Some(Arc::clone(&cast.field)));
                            }
                        }
                        part => self.imply_part(part, &schema),
                    }
                    Ok(TreeNodeRecursion::Continue)
                })
            })
        })?;
        Ok(())
    }

    /// Takes the type of an expression that is nothing but a parameter.
    pub fn note_expression(&mut self, expression: &ast::Expr, field: &FieldRef) {
        if let Some(place) = placeholder(expression) {
            self.note_field(place, Some(Arc::clone(field)));
        }
    }

    /// Takes the parameters of which nothing says the type.
    pub fn imply_text(&mut self, statement: &ast::Statement) {
        let _ = ast::visit_expressions(statement, |expression: &ast::Expr| {
            if let Some(place) = placeholder(expression) {
                self.note(place, None);
            }
            ControlFlow::<()>::Continue(())
        });
    }

    pub fn note(&mut self, place: usize, data_type: Option<DataType>) {
        self.note_field(place, data_type.map(|data_type| Arc::new(Field::new("", data_type, true))));
    }

    pub fn note_field(&mut self, place: usize, field: Option<FieldRef>) {
        if self.0.len() < place {
            self.0.resize(place, None);
        }
        let slot = &mut self.0[place - 1];
        if slot.is_none() {
            *slot = field;
        }
    }

    pub fn finish(self) -> Vec<FieldRef> {
        let text = Arc::new(Field::new("", DataType::Utf8, true));
        self.0.into_iter().map(|field| field.unwrap_or_else(|| Arc::clone(&text))).collect()
    }
}

/// PostgreSQL compares `varchar` as text, so what is compared with one is text.
fn as_compared(field: FieldRef) -> FieldRef {
    let is_varchar = field.metadata().get(TYPE_KEY).is_some_and(|name| name.starts_with("character varying"));
    if !is_varchar {
        return field;
    }
    Arc::new(field.as_ref().clone().with_metadata(Default::default()))
}

fn takes_numbers(op: &ast::BinaryOperator) -> bool {
    use ast::BinaryOperator as Op;
    let arithmetic = matches!(op, Op::Plus | Op::Minus | Op::Multiply | Op::Divide | Op::Modulo);
    arithmetic || matches!(op, Op::Eq | Op::NotEq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq)
}

/// Whether an expression is an integer that PostgreSQL takes for one of four bytes.
fn is_integer(expression: &ast::Expr) -> bool {
    match expression {
        ast::Expr::Value(ast::ValueWithSpan { value: ast::Value::Number(digits, _), .. }) => {
            digits.parse::<i32>().is_ok()
        }
        ast::Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr } => is_integer(expr),
        _ => false,
    }
}

fn place_of(placeholder: &str) -> Option<usize> {
    let place = placeholder.trim_start_matches('$').parse().ok()?;
    (1..=MAX_PARAMETERS).contains(&place).then_some(place)
}

/// The type that clients send texts and bytes in.
fn plain(data_type: DataType) -> DataType {
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        other => other,
    }
}
