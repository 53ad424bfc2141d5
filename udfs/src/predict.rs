//! `predict`: what a stored model says of each row.
//!
//! A model is the text that `train_model` returns and `roi.models` keeps; SQL also takes the name of a model there. A
//! value that is NULL gives NULL. A NULL model is an error: it is a name that no model has.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Float64Builder, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::{Error, ErrorKind};

use crate::entry::{Definition, Entry, Implementation};
use crate::regression::model::Model;

const PREDICT: Definition = Definition {
    name: "predict",
    arguments: "model, x, …",
    returns: "double precision",
    volatility: Volatility::Immutable,
    description: "What a model predicts: a number, or the probability of its outcome if it is logistic. model is the text of a \
                  model, or the name of one in roi.models, whose newest version is taken; x, … are the values of its predictors \
                  in their order, of which a boolean counts as 0 or 1.",
    example: "SELECT predict('{\"kind\": \"linear\", \"outcome\": \"y\", \"intercept\": 1, \"terms\": [{\"term\": \"x\", \"estimate\": 2.5}]}', x) \
              FROM (VALUES (2), (NULL)) AS t(x)",
    example_result: "6.0\n",
};

pub(crate) fn entries() -> Vec<Entry> {
    let function = Predict {
        signature: Signature::user_defined(PREDICT.volatility),
        documentation: PREDICT.documentation("Statistics"),
    };
    vec![PREDICT.entry(Implementation::Scalar(Arc::new(ScalarUDF::from(function))))]
}

#[derive(Debug)]
struct Predict {
    signature: Signature,
    documentation: Documentation,
}

impl PartialEq for Predict {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Predict {}

impl Hash for Predict {
    fn hash<H: Hasher>(&self, state: &mut H) {
        PREDICT.name.hash(state);
    }
}

impl ScalarUDFImpl for Predict {
    fn name(&self) -> &str {
        PREDICT.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The model as text, numbers as double precision. A text among the values is told from these at the run.
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let read_as = |(place, found): (usize, &DataType)| match place {
            0 => DataType::Utf8,
            _ if found.is_numeric() || matches!(found, DataType::Boolean | DataType::Null) => {
                DataType::Float64
            }
            _ => DataType::Utf8,
        };
        Ok(types.iter().enumerate().map(read_as).collect())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let Some((model, values)) = args.args.split_first() else {
            return Err(Error::new(ErrorKind::UndefinedFunction, "function predict needs a model").into());
        };
        let values = values.iter().map(|value| numbers(value, rows)).collect::<Result<Vec<_>>>()?;
        let predicted = match model {
            ColumnarValue::Scalar(model) => by_one(&model_of(text(model))?, &values, rows)?,
            ColumnarValue::Array(models) => by_row(&cast(models, &DataType::Utf8)?, &values)?,
        };
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&predicted, 0)?));
        }
        Ok(ColumnarValue::Array(predicted))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

fn text(value: &ScalarValue) -> Option<&str> {
    value.try_as_str().flatten()
}

fn model_of(text: Option<&str>) -> Result<Model> {
    let text = text.ok_or_else(|| {
        Error::new(ErrorKind::UndefinedObject, "model does not exist")
            .with_hint("roi.models lists the models; CALL roi.train('name', 'logistic', 'relation', 'outcome', ARRAY['x']) makes one.")
    })?;
    Ok(Model::from_json(text).map_err(Error::from)?)
}

fn numbers(value: &ColumnarValue, rows: usize) -> Result<Float64Array> {
    let array = value.to_array(rows)?;
    match array.as_primitive_opt::<Float64Type>() {
        Some(numbers) => Ok(numbers.clone()),
        None => {
            let error =
                Error::new(ErrorKind::DatatypeMismatch, "a value of predict must be a number, but is text");
            Err(error.with_hint("Compare it with a value, as in contract = 'Two year', or cast it.").into())
        }
    }
}

fn by_one(model: &Model, values: &[Float64Array], rows: usize) -> Result<ArrayRef> {
    model.check(values.len()).map_err(Error::from)?;
    let mut predicted = Float64Builder::with_capacity(rows);
    (0..rows).for_each(|row| predicted.append_option(prediction(model, values, row)));
    Ok(Arc::new(predicted.finish()))
}

/// Models may differ by row; one that is the same as in the row before is read once.
fn by_row(models: &ArrayRef, values: &[Float64Array]) -> Result<ArrayRef> {
    let models: &StringArray = models.as_string();
    let mut last: Option<(&str, Model)> = None;
    let mut predicted = Float64Builder::with_capacity(models.len());
    for row in 0..models.len() {
        let text = models.is_valid(row).then(|| models.value(row));
        if last.as_ref().is_none_or(|(known, _)| Some(*known) != text) {
            let model = model_of(text)?;
            model.check(values.len()).map_err(Error::from)?;
            last = text.map(|text| (text, model));
        }
        predicted.append_option(last.as_ref().and_then(|(_, model)| prediction(model, values, row)));
    }
    Ok(Arc::new(predicted.finish()))
}

fn prediction(model: &Model, values: &[Float64Array], row: usize) -> Option<f64> {
    values
        .iter()
        .all(|column| column.is_valid(row))
        .then(|| model.predict(values.iter().map(|column| column.value(row))))
}

#[cfg(test)]
mod tests;
