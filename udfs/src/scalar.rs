//! The Arrow shell of every scalar function: types in, NULLs, literals beside columns, dictionaries.
//!
//! All scalar functions here are strict: NULL in any argument gives NULL. A function reads its arguments
//! through [`Columns`] and never sees whether one was a literal. A dictionary-encoded first argument beside
//! literals is evaluated once a distinct value.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, LargeStringArray, StringArray, StringViewArray,
};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::types::{NativeType, logical_float64, logical_int64, logical_string};
use datafusion::error::Result;
use datafusion::logical_expr::{
    Coercion, ColumnarValue, Documentation, EncodingPreservation, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, TypeSignature, TypeSignatureClass,
};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use crate::entry::{Definition, Entry, Implementation};
use crate::knowledge::{Taught, UNTAUGHT};

/// A strict scalar function, as data.
#[derive(Debug, Clone)]
pub(crate) struct ScalarFunction {
    definition: Definition,
    returns: DataType,
    signature: Signature,
    documentation: Documentation,
    run: fn(&Columns) -> Result<ArrayRef>,
    taught: Arc<Taught>,
}

/// `arguments` are the types of all arguments; the last `optional` of them may be left out.
pub(crate) fn entry(
    definition: Definition,
    arguments: &[Coercion],
    optional: usize,
    returns: DataType,
    section: &'static str,
    run: fn(&Columns) -> Result<ArrayRef>,
) -> Entry {
    let function = ScalarFunction {
        signature: signature(&definition, arguments, optional),
        documentation: definition.documentation(section),
        definition,
        returns,
        run,
        taught: Arc::clone(&UNTAUGHT),
    };
    definition.entry(Implementation::Scalar(Arc::new(ScalarUDF::from(function))))
}

/// A function as the sessions of a warehouse call it.
pub(crate) fn knowing(function: Arc<ScalarUDF>, taught: &Arc<Taught>) -> Arc<ScalarUDF> {
    match function.inner().downcast_ref::<ScalarFunction>() {
        Some(own) => Arc::new(ScalarUDF::from(ScalarFunction { taught: Arc::clone(taught), ..own.clone() })),
        None => function,
    }
}

pub(crate) fn signature(definition: &Definition, arguments: &[Coercion], optional: usize) -> Signature {
    if arguments.is_empty() {
        return Signature::nullary(definition.volatility);
    }
    let required = arguments.len() - optional;
    let mut forms: Vec<_> =
        (required..=arguments.len()).map(|n| TypeSignature::Coercible(arguments[..n].to_vec())).collect();
    let form = if forms.len() == 1 { forms.remove(0) } else { TypeSignature::OneOf(forms) };
    Signature::new(form, definition.volatility)
}

/// Any string type, as it is.
pub(crate) fn text() -> Coercion {
    Coercion::new_exact(TypeSignatureClass::Native(logical_string()))
        .with_encoding_preservation(EncodingPreservation::dictionary())
}

/// Any numeric type, cast to double precision.
pub(crate) fn number() -> Coercion {
    Coercion::new_implicit(
        TypeSignatureClass::Native(logical_float64()),
        vec![TypeSignatureClass::Numeric],
        NativeType::Float64,
    )
}

/// Any integer type, cast to bigint.
pub(crate) fn integer() -> Coercion {
    Coercion::new_implicit(
        TypeSignatureClass::Native(logical_int64()),
        vec![TypeSignatureClass::Integer],
        NativeType::Int64,
    )
}

impl PartialEq for ScalarFunction {
    fn eq(&self, other: &Self) -> bool {
        self.definition.name == other.definition.name
    }
}

impl Eq for ScalarFunction {}

impl Hash for ScalarFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.definition.name.hash(state);
    }
}

impl ScalarUDFImpl for ScalarFunction {
    fn name(&self) -> &str {
        self.definition.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_))) {
            let columns = self.columns(&args.args, 1)?;
            let result = (self.run)(&columns)?;
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?));
        }
        if let Some(result) = self.run_on_dictionary(&args)? {
            return Ok(ColumnarValue::Array(result));
        }
        let columns = self.columns(&args.args, args.number_rows)?;
        Ok(ColumnarValue::Array((self.run)(&columns)?))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

impl ScalarFunction {
    fn columns(&self, args: &[ColumnarValue], rows: usize) -> Result<Columns> {
        Columns::new(args, rows, Arc::clone(&self.taught))
    }

    fn run_on_dictionary(&self, args: &ScalarFunctionArgs) -> Result<Option<ArrayRef>> {
        let Some((ColumnarValue::Array(first), rest)) = args.args.split_first() else { return Ok(None) };
        let Some(dictionary) = first.as_any_dictionary_opt() else { return Ok(None) };
        // A slice may drag along a dictionary larger than itself.
        if dictionary.values().len() > args.number_rows
            || rest.iter().any(|arg| matches!(arg, ColumnarValue::Array(_)))
        {
            return Ok(None);
        }
        let mut inner = vec![ColumnarValue::Array(Arc::clone(dictionary.values()))];
        inner.extend_from_slice(rest);
        let results = (self.run)(&self.columns(&inner, dictionary.values().len())?)?;
        Ok(Some(take(&results, dictionary.keys(), None)?))
    }
}

/// The arguments of one call.
pub(crate) struct Columns {
    arrays: Vec<Column>,
    rows: usize,
    taught: Arc<Taught>,
}

struct Column {
    array: ArrayRef,
    literal: bool,
}

impl Columns {
    fn new(args: &[ColumnarValue], rows: usize, taught: Arc<Taught>) -> Result<Self> {
        let column = |arg: &ColumnarValue| {
            let (array, literal) = match arg {
                ColumnarValue::Array(array) => (Arc::clone(array), false),
                ColumnarValue::Scalar(value) => (value.to_array()?, true),
            };
            let array = match array.as_any_dictionary_opt() {
                Some(dictionary) => cast(&array, dictionary.values().data_type())?,
                None => array,
            };
            Ok(Column { array, literal })
        };
        Ok(Self { arrays: args.iter().map(column).collect::<Result<_>>()?, rows, taught })
    }

    /// What the text functions of the warehouse have been taught.
    pub(crate) fn taught(&self) -> &Taught {
        &self.taught
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Whether the call has argument `index`: optional ones may be absent.
    pub(crate) fn has(&self, index: usize) -> bool {
        index < self.arrays.len()
    }

    pub(crate) fn text(&self, index: usize) -> Result<Values<'_, Texts<'_>>> {
        let Column { array, literal } = &self.arrays[index];
        let texts = match array.data_type() {
            DataType::Utf8 => Texts::Utf8(array.as_string::<i32>()),
            DataType::LargeUtf8 => Texts::LargeUtf8(array.as_string::<i64>()),
            DataType::Utf8View => Texts::Utf8View(array.as_string_view()),
            other => return Err(Error::internal(format!("a text argument arrives as {other}")).into()),
        };
        Ok(Values { array: array.as_ref(), literal: *literal, typed: texts })
    }

    pub(crate) fn number(&self, index: usize) -> Result<Values<'_, &Float64Array>> {
        let Column { array, literal } = &self.arrays[index];
        match array.as_primitive_opt::<Float64Type>() {
            Some(typed) => Ok(Values { array: array.as_ref(), literal: *literal, typed }),
            None => Err(Error::internal("a numeric argument arrives uncast").into()),
        }
    }

    pub(crate) fn integer(&self, index: usize) -> Result<Values<'_, &Int64Array>> {
        let Column { array, literal } = &self.arrays[index];
        match array.as_primitive_opt::<Int64Type>() {
            Some(typed) => Ok(Values { array: array.as_ref(), literal: *literal, typed }),
            None => Err(Error::internal("an integer argument arrives uncast").into()),
        }
    }
}

/// One argument by row; a literal has the same value in every row.
pub(crate) struct Values<'a, T> {
    array: &'a dyn Array,
    literal: bool,
    typed: T,
}

/// The three layouts of a text column.
pub(crate) enum Texts<'a> {
    Utf8(&'a StringArray),
    LargeUtf8(&'a LargeStringArray),
    Utf8View(&'a StringViewArray),
}

impl<T> Values<'_, T> {
    fn place(&self, row: usize) -> Option<usize> {
        let place = if self.literal { 0 } else { row };
        self.array.is_valid(place).then_some(place)
    }
}

impl<'a> Values<'a, Texts<'a>> {
    pub(crate) fn get(&self, row: usize) -> Option<&'a str> {
        let place = self.place(row)?;
        Some(match self.typed {
            Texts::Utf8(array) => array.value(place),
            Texts::LargeUtf8(array) => array.value(place),
            Texts::Utf8View(array) => array.value(place),
        })
    }
}

impl Values<'_, &Float64Array> {
    pub(crate) fn get(&self, row: usize) -> Option<f64> {
        self.place(row).map(|place| self.typed.value(place))
    }
}

impl Values<'_, &Int64Array> {
    pub(crate) fn get(&self, row: usize) -> Option<i64> {
        self.place(row).map(|place| self.typed.value(place))
    }
}
