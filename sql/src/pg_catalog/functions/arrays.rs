//! `information_schema._pg_expandarray`: the elements of a list with their numbers.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array, ListArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::utils::take_function_args;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use voxhouse_engine::{Error, ErrorKind};

pub(in crate::pg_catalog) const EXPAND_ARRAY: &str = "_pg_expandarray";

pub(super) fn expand_array() -> ScalarUDF {
    ExpandArray { signature: Signature::any(1, Volatility::Immutable) }.into()
}

/// Gives a list of records `(x, n)`; a rewrite makes rows of them.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ExpandArray {
    signature: Signature,
}

fn fields_of(given: &DataType) -> Result<Fields> {
    let DataType::List(element) = given else {
        let message = format!("function {EXPAND_ARRAY}({given}) does not exist");
        return Err(Error::new(ErrorKind::UndefinedFunction, message).into());
    };
    Ok(vec![Field::new("x", element.data_type().clone(), true), Field::new("n", DataType::Int32, true)]
        .into())
}

impl ScalarUDFImpl for ExpandArray {
    fn name(&self) -> &str {
        EXPAND_ARRAY
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        let [list] = take_function_args(self.name(), arguments)?;
        Ok(DataType::new_list(DataType::Struct(fields_of(list)?), true))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let [list] = take_function_args(self.name(), args.args)?;
        let list = list.into_array(rows)?;
        let fields = fields_of(list.data_type())?;
        let Some(list) = list.as_any().downcast_ref::<ListArray>() else {
            return Err(Error::internal("a list has another layout than its type").into());
        };
        let numbers = (0..list.len()).flat_map(|row| {
            let length = if list.is_null(row) { 0 } else { list.value_length(row) };
            1..=length
        });
        let numbers: ArrayRef = Arc::new(numbers.collect::<Int32Array>());
        let lengths: Vec<usize> = (0..list.len())
            .map(|row| if list.is_null(row) { 0 } else { list.value_length(row) as usize })
            .collect();
        let parts: Vec<ArrayRef> =
            (0..list.len()).filter(|row| list.is_valid(*row)).map(|row| list.value(row)).collect();
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        let elements = match parts.as_slice() {
            [] => arrow::array::new_empty_array(fields[0].data_type()),
            parts => arrow::compute::concat(parts)?,
        };
        let elements = cast(&elements, fields[0].data_type())?;
        let records = StructArray::try_new(fields.clone(), vec![elements, numbers], None)?;
        let field = Arc::new(Field::new_list_field(DataType::Struct(fields), true));
        let offsets = OffsetBuffer::from_lengths(lengths);
        let expanded = ListArray::try_new(field, offsets, Arc::new(records), list.nulls().cloned())?;
        Ok(ColumnarValue::Array(Arc::new(expanded)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::AsArray;
    use arrow::datatypes::Int16Type;

    #[test]
    fn elements_have_numbers_from_one() {
        let list = ListArray::from_iter_primitive::<Int16Type, _, _>([
            Some(vec![Some(7), Some(9)]),
            None,
            Some(vec![]),
            Some(vec![Some(4)]),
        ]);
        let return_type = expand_array().return_type(&[list.data_type().clone()]).unwrap();
        let args = ScalarFunctionArgs {
            args: vec![ColumnarValue::Array(Arc::new(list))],
            arg_fields: Vec::new(),
            number_rows: 4,
            return_field: Arc::new(Field::new("", return_type, true)),
            config_options: Arc::default(),
        };
        let expanded = expand_array().invoke_with_args(args).unwrap().into_array(4).unwrap();
        let expanded = expanded.as_list::<i32>();
        assert_eq!((expanded.value_length(0), expanded.is_null(1), expanded.value_length(2)), (2, true, 0));
        let records = expanded.values().as_struct();
        let numbers: Vec<i32> =
            records.column(1).as_primitive::<arrow::datatypes::Int32Type>().values().to_vec();
        assert_eq!(numbers, [1, 2, 1]);
        assert_eq!(records.column(0).as_primitive::<Int16Type>().values().to_vec(), [7, 9, 4]);
    }
}
