//! What a statement will return, and which parameters it takes, before it runs.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{self, Query};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::literal::placeholder;
use crate::pg_catalog;
use crate::query::{QueryContext, labels};

/// The columns as the optimizer leaves them: the scale of `round(x, 2)` is known when the 2 is a constant.
pub fn columns(context: &QueryContext, plan: &LogicalPlan) -> Result<SchemaRef> {
    let optimized = context.base.optimize(plan)?;
    Ok(Arc::new(optimized.schema().as_arrow().clone()))
}

/// The columns with the headings that PostgreSQL gives them.
pub fn labelled(context: &QueryContext, plan: &LogicalPlan, query: &Query) -> Result<SchemaRef> {
    let schema = columns(context, plan)?;
    let labels = labels::of_query(query).filter(|labels| labels.len() == schema.fields().len());
    let fields = schema.fields().iter().enumerate().map(|(place, field)| {
        let label = labels.as_ref().and_then(|labels| labels[place].clone());
        let label = label.unwrap_or_else(|| pg_catalog::label(field.name()).to_owned());
        field.as_ref().clone().with_name(label)
    });
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

/// What a Bind message can count.
pub const MAX_PARAMETERS: usize = 65_535;

/// The types of `$1`, `$2`, … in order: as declared, else as the plan implies, else text.
pub fn parameters(plan: &LogicalPlan, declared: &[Option<DataType>]) -> Result<Vec<DataType>> {
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

/// The types of a statement's parameters while they become known; the first to say one is right.
pub struct ParameterTypes(Vec<Option<DataType>>);

impl ParameterTypes {
    pub fn declared(declared: &[Option<DataType>]) -> Self {
        Self(declared.to_vec())
    }

    /// Takes the types that a plan implies.
    pub fn imply(&mut self, plan: &LogicalPlan) -> Result<()> {
        self.imply_more(plan)?;
        for (name, data_type) in plan.get_parameter_types()? {
            let place = place_of(&name).ok_or_else(|| {
                Error::new(ErrorKind::UndefinedParameter, format!("there is no parameter {name}"))
            })?;
            self.note(place, data_type.filter(|data_type| !data_type.is_null()));
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
                    if let Expr::ScalarFunction(call) = part
                        && call.func.name() == "array_has"
                        && let [Expr::Placeholder(array), item] = call.args.as_slice()
                        && let Some(place) = place_of(&array.id)
                        && let Ok(item) = item.get_type(&schema)
                        && !item.is_null()
                    {
                        self.note(place, Some(DataType::new_list(plain(item), true)));
                    }
                    Ok(TreeNodeRecursion::Continue)
                })
            })
        })?;
        Ok(())
    }

    /// Takes the type of an expression that is nothing but a parameter.
    pub fn note_expression(&mut self, expression: &ast::Expr, data_type: &DataType) {
        if let Some(place) = placeholder(expression) {
            self.note(place, Some(data_type.clone()));
        }
    }

    pub fn note(&mut self, place: usize, data_type: Option<DataType>) {
        if self.0.len() < place {
            self.0.resize(place, None);
        }
        let slot = &mut self.0[place - 1];
        if slot.is_none() {
            *slot = data_type;
        }
    }

    pub fn finish(self) -> Vec<DataType> {
        self.0.into_iter().map(|data_type| data_type.unwrap_or(DataType::Utf8)).collect()
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
