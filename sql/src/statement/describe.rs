//! What a statement will return, and which parameters it takes, before it runs.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::{Cast, Placeholder};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{self, Query};
use voxhouse_engine::catalog::types::TYPE_KEY;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::literal::placeholder;
use super::origin;
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
        let field = field.as_ref().clone().with_name(label);
        match origin {
            Some((relation, column)) => with_origin(field, relation, column),
            None => field,
        }
    });
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

/// What a Bind message can count.
pub const MAX_PARAMETERS: usize = 65_535;

/// The types of `$1`, `$2`, … in order: as declared, else as the plan implies, else text.
pub fn parameters(plan: &LogicalPlan, declared: &[Option<FieldRef>]) -> Result<Vec<FieldRef>> {
    let mut types = ParameterTypes::declared(declared);
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

    /// What DataFusion leaves open: `column = ANY($1)`, which it plans as a function of an array, and `LIMIT $1`.
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
                        _ => (),
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
