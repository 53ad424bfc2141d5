//! What a statement will return, and which parameters it takes, before it runs.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::ast::Query;
use voxhouse_engine::{Error, ErrorKind, Result};

use crate::pg_catalog;
use crate::query::{QueryContext, labels};

/// The columns as the analyzer leaves them: types are final then, and nothing has been optimised away.
pub fn columns(context: &QueryContext, plan: &LogicalPlan) -> Result<SchemaRef> {
    let options = context.base.config_options();
    let analyzed = context.base.analyzer().execute_and_check(plan.clone(), options, |_, _| {})?;
    Ok(Arc::new(analyzed.schema().as_arrow().clone()))
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

/// The types of `$1`, `$2`, … in order: as declared, else as the plan implies, else text.
pub fn parameters(plan: &LogicalPlan, declared: &[Option<DataType>]) -> Result<Vec<DataType>> {
    let implied = plan.get_parameter_types()?;
    let mut types: Vec<Option<DataType>> = declared.to_vec();
    for (name, data_type) in implied {
        let place: usize =
            name.trim_start_matches('$').parse().ok().filter(|place| *place > 0).ok_or_else(|| {
                Error::new(ErrorKind::UndefinedObject, format!("there is no parameter {name}"))
            })?;
        if types.len() < place {
            types.resize(place, None);
        }
        let slot = &mut types[place - 1];
        if slot.is_none() {
            *slot = data_type.filter(|data_type| !data_type.is_null());
        }
    }
    Ok(types.into_iter().map(|data_type| data_type.unwrap_or(DataType::Utf8)).collect())
}
