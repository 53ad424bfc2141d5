//! PostgreSQL's input functions: from the text of a value to the value, for types whose text DataFusion does not
//! read, or reads otherwise.
//!
//! A cast of a literal becomes a call of one of these ([`crate::pg_catalog::rewrite`]). They read what a parameter
//! in the text format may be, with the same errors.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, new_empty_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::catalog::types::TYPE_KEY;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::style::style_of;
use crate::wire::read_text;
use crate::wire::style::TextStyle;
use crate::wire::types::{from_oid, oid};

/// The names are PostgreSQL's.
const FUNCTIONS: &[(&str, &str, u32)] = &[
    ("boolin", "boolean", oid::BOOL),
    ("int2in", "smallint", oid::INT2),
    ("int4in", "integer", oid::INT4),
    ("int8in", "bigint", oid::INT8),
    ("float4in", "real", oid::FLOAT4),
    ("float8in", "double precision", oid::FLOAT8),
    ("byteain", "bytea", oid::BYTEA),
    ("uuid_in", "uuid", oid::UUID),
    ("json_in", "json", oid::JSON),
    ("jsonb_in", "jsonb", oid::JSONB),
    ("date_in", "date", oid::DATE),
    ("time_in", "time without time zone", oid::TIME),
    ("timestamp_in", "timestamp without time zone", oid::TIMESTAMP),
    ("interval_in", "interval", oid::INTERVAL),
];

pub fn functions() -> impl Iterator<Item = Arc<ScalarUDF>> {
    FUNCTIONS.iter().filter_map(|(name, type_name, type_oid)| {
        let data_type = from_oid(*type_oid)?;
        let signature = Signature::any(1, Volatility::Immutable);
        Some(Arc::new(ScalarUDF::from(Input { name, type_name, type_oid: *type_oid, data_type, signature })))
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Input {
    name: &'static str,
    type_name: &'static str,
    type_oid: u32,
    data_type: DataType,
    signature: Signature,
}

impl Input {
    /// Whether a value is one of the type already.
    fn is_done(&self, field: &Field) -> bool {
        let named = field.metadata().get(TYPE_KEY).is_some_and(|name| name == self.type_name);
        match field.data_type().is_string() {
            true => named,
            false => *field.data_type() == self.data_type,
        }
    }

    fn read(&self, column: &ArrayRef, style: TextStyle) -> Result<ArrayRef> {
        if column.is_empty() {
            return Ok(new_empty_array(&self.data_type));
        }
        let texts = cast(column, &DataType::Utf8)?;
        let values = texts.as_string::<i32>().iter().map(|text| match text {
            Some(text) => read_text(self.type_oid, text, style),
            None => Ok(ScalarValue::try_from(&self.data_type)?),
        });
        let values = values.collect::<Result<Vec<_>>>()?;
        Ok(ScalarValue::iter_to_array(values)?)
    }
}

impl ScalarUDFImpl for Input {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(self.data_type.clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> DataFusionResult<FieldRef> {
        // Only where Arrow does not tell the type.
        let metadata = match self.data_type.is_string() {
            true => [(TYPE_KEY.to_owned(), self.type_name.to_owned())].into(),
            false => HashMap::new(),
        };
        let data_type = match args.arg_fields.first() {
            Some(field) if self.is_done(field) => field.data_type().clone(),
            _ => self.data_type.clone(),
        };
        Ok(Arc::new(Field::new(self.name, data_type, true).with_metadata(metadata)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let ([value], [field]) = (args.args.as_slice(), args.arg_fields.as_slice()) else {
            return Err(Error::internal(format!("{} takes one argument", self.name)).into());
        };
        if self.is_done(field) {
            return value.cast_to(args.return_type(), None);
        }
        let is_text = field.data_type().is_string() || field.data_type().is_null();
        if !is_text {
            let from = field.data_type();
            return Err(DataFusionError::from(Error::new(
                ErrorKind::DatatypeMismatch,
                format!("cannot cast type {from} to {}", self.type_name),
            )));
        }
        let style = style_of(&args.config_options);
        let read = match value {
            ColumnarValue::Scalar(scalar) => {
                let array = self.read(&scalar.to_array()?, style)?;
                ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?)
            }
            ColumnarValue::Array(array) => ColumnarValue::Array(self.read(array, style)?),
        };
        // A plan may have promised the layout of the argument, of which it then knew the type.
        read.cast_to(args.return_type(), None)
    }
}
