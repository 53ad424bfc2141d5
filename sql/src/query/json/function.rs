//! What the SQL functions over JSON have in common: their arguments and answers are columns, their kernels take one row.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int32Array, Int64Array, Int64Builder, ListArray, ListBuilder,
    StringArray, StringBuilder, StringViewArray, StructBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int64Type};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::catalog::SqlType;
use voxhouse_engine::catalog::types::TYPE_KEY;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::shown::Shown;
use super::{Form, json_field};
use crate::query::style::style_of;
use crate::wire::style::TextStyle;
use crate::wire::text_array_elements;

/// What an argument may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Takes {
    Json,
    Text,
    Whole,
    Truth,
    Texts,
    Any,
}

/// What a function answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Gives {
    Json,
    Text,
    Whole,
    Truth,
    Texts,
    /// Key, value and place of each row.
    Rows,
    /// Key and value of each row.
    Pairs,
}

/// The answer of one row.
pub(super) enum Cell {
    Text(String),
    Whole(i32),
    Truth(bool),
    Texts(Vec<Option<String>>),
    Rows(Vec<(Option<String>, Option<String>)>),
}

pub(super) type Answer = Result<Option<Cell>>;
pub(super) type Kernel = fn(&Call<'_>, usize) -> Answer;

/// A function of both forms, or of one.
pub(super) struct Definition {
    pub(super) name: String,
    pub(super) form: Form,
    pub(super) takes: &'static [Takes],
    /// How many of them must be there.
    pub(super) required: usize,
    /// Whether the last may come any number of times.
    pub(super) variadic: bool,
    pub(super) gives: Gives,
    /// Whether it is called where an argument is NULL.
    pub(super) called_on_null: bool,
    pub(super) kernel: Kernel,
}

impl Definition {
    pub(super) fn new(name: &str, form: Form, takes: &'static [Takes], gives: Gives, kernel: Kernel) -> Self {
        let required = takes.len();
        Self {
            name: name.to_owned(),
            form,
            takes,
            required,
            variadic: false,
            gives,
            called_on_null: false,
            kernel,
        }
    }

    pub(super) fn optional(mut self, count: usize) -> Self {
        self.required -= count;
        self
    }

    pub(super) fn variadic(mut self) -> Self {
        (self.variadic, self.required) = (true, self.required - 1);
        self
    }

    pub(super) fn on_null(mut self) -> Self {
        self.called_on_null = true;
        self
    }

    pub(super) fn build(self) -> Arc<ScalarUDF> {
        // Values are shown as the session wants them.
        let volatility = match self.takes.contains(&Takes::Any) {
            true => Volatility::Stable,
            false => Volatility::Immutable,
        };
        let signature = Signature::user_defined(volatility);
        Arc::new(ScalarUDF::from(JsonFunction { definition: self, signature }))
    }
}

struct JsonFunction {
    definition: Definition,
    signature: Signature,
}

impl std::fmt::Debug for JsonFunction {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.definition.name)
    }
}

impl PartialEq for JsonFunction {
    fn eq(&self, other: &Self) -> bool {
        self.definition.name == other.definition.name
    }
}

impl Eq for JsonFunction {}

impl std::hash::Hash for JsonFunction {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.definition.name.hash(state);
    }
}

/// `key`, `value` and `ordinality`.
fn row_fields(gives: Gives) -> Fields {
    let mut fields = vec![Field::new("key", DataType::Utf8, true), Field::new("value", DataType::Utf8, true)];
    if gives == Gives::Rows {
        fields.push(Field::new("ordinality", DataType::Int64, true));
    }
    Fields::from(fields)
}

fn item(data_type: DataType) -> FieldRef {
    Arc::new(Field::new_list_field(data_type, true))
}

impl JsonFunction {
    fn takes(&self, place: usize) -> Option<Takes> {
        let takes = self.definition.takes;
        match takes.get(place) {
            None if self.definition.variadic => takes.last().copied(),
            found => found.copied(),
        }
    }

    fn undefined(&self, names: &[String]) -> Error {
        let message = format!("function {}({}) does not exist", self.definition.name, names.join(", "));
        Error::new(ErrorKind::UndefinedFunction, message).with_hint(
            "No function matches the given name and argument types. You might need to add explicit type casts.",
        )
    }

    fn coerce(&self, place: usize, given: &DataType) -> Option<DataType> {
        let is_text = given.is_string() || given.is_null();
        match self.takes(place)? {
            Takes::Any => Some(given.clone()),
            Takes::Json | Takes::Text if is_text => Some(DataType::Utf8View),
            Takes::Json if matches!(given, DataType::Dictionary(..)) => Some(DataType::Utf8View),
            Takes::Whole if given.is_integer() || given.is_null() => Some(DataType::Int64),
            Takes::Truth if matches!(given, DataType::Boolean) || is_text => Some(DataType::Boolean),
            Takes::Texts if is_text => Some(DataType::Utf8View),
            Takes::Texts => match given {
                DataType::List(element) | DataType::LargeList(element)
                    if element.data_type().is_string() || element.data_type().is_null() =>
                {
                    Some(DataType::List(item(DataType::Utf8View)))
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn data_type(&self) -> DataType {
        match self.definition.gives {
            Gives::Json | Gives::Text => DataType::Utf8,
            Gives::Whole => DataType::Int32,
            Gives::Truth => DataType::Boolean,
            Gives::Texts => DataType::List(item(DataType::Utf8)),
            Gives::Rows | Gives::Pairs => {
                DataType::List(item(DataType::Struct(row_fields(self.definition.gives))))
            }
        }
    }
}

fn type_name(field: &Field) -> String {
    match field.metadata().get(TYPE_KEY) {
        Some(name) => name.clone(),
        None => type_name_of(field.data_type()),
    }
}

fn type_name_of(data_type: &DataType) -> String {
    SqlType::from_arrow(data_type).map_or_else(|_| "unknown".to_owned(), |known| known.to_string())
}

impl ScalarUDFImpl for JsonFunction {
    fn name(&self) -> &str {
        &self.definition.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(self.data_type())
    }

    fn coerce_types(&self, given: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        let coerced: Option<Vec<DataType>> =
            given.iter().enumerate().map(|(place, given)| self.coerce(place, given)).collect();
        match coerced.filter(|coerced| coerced.len() >= self.definition.required) {
            Some(coerced) => Ok(coerced),
            None => {
                let names: Vec<String> = given.iter().map(type_name_of).collect();
                Err(self.undefined(&names).into())
            }
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> DataFusionResult<FieldRef> {
        let form = self.definition.form.name();
        // A value of the other type is none of this function's; of a text it is not known whether it is one.
        let is_other = |(place, field): (usize, &FieldRef)| {
            let named = field.metadata().get(TYPE_KEY);
            self.takes(place) == Some(Takes::Json) && named.is_some_and(|name| name != form && is_type(name))
        };
        if !self.name().starts_with("__") && args.arg_fields.iter().enumerate().any(is_other) {
            let names: Vec<String> = args.arg_fields.iter().map(|field| type_name(field)).collect();
            return Err(self.undefined(&names).into());
        }
        if self.name().ends_with("_build_object") && args.arg_fields.len() % 2 == 1 {
            let hint =
                format!("The arguments of {}() must consist of alternating keys and values.", self.name());
            let error = Error::invalid_argument("argument list must have even number of elements");
            return Err(error.with_hint(hint).into());
        }
        Ok(match self.definition.gives {
            Gives::Json => json_field(DataType::Utf8, form),
            _ => Arc::new(Field::new(self.name(), self.data_type(), true)),
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let is_scalar = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if is_scalar { 1 } else { args.number_rows };
        let style = style_of(&args.config_options);
        let mut arguments = Vec::with_capacity(args.args.len());
        for (place, (argument, field)) in args.args.into_iter().zip(&args.arg_fields).enumerate() {
            let takes = self.takes(place).unwrap_or(Takes::Any);
            arguments.push(Argument::new(argument.into_array(rows)?, field, takes, style)?);
        }
        let call = Call { name: self.name(), form: self.definition.form, arguments };
        let cells = (0..rows).map(|row| {
            let has_null = || call.arguments.iter().any(|argument| argument.is_null(row));
            match !self.definition.called_on_null && has_null() {
                true => Ok(None),
                false => (self.definition.kernel)(&call, row),
            }
        });
        let answer = column(self.definition.gives, cells)?;
        Ok(match is_scalar {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&answer, 0)?),
            false => ColumnarValue::Array(answer),
        })
    }
}

fn is_type(name: &str) -> bool {
    matches!(name, "json" | "jsonb")
}

fn column(gives: Gives, cells: impl Iterator<Item = Answer>) -> Result<ArrayRef> {
    let wrong = || Error::internal("a function of JSON answered with another type than it promised");
    Ok(match gives {
        Gives::Json | Gives::Text => {
            let texts = cells.map(|cell| match cell? {
                Some(Cell::Text(text)) => Ok(Some(text)),
                Some(_) => Err(wrong()),
                None => Ok(None),
            });
            Arc::new(texts.collect::<Result<StringArray>>()?)
        }
        Gives::Whole => {
            let numbers = cells.map(|cell| match cell? {
                Some(Cell::Whole(number)) => Ok(Some(number)),
                Some(_) => Err(wrong()),
                None => Ok(None),
            });
            Arc::new(numbers.collect::<Result<Int32Array>>()?)
        }
        Gives::Truth => {
            let truths = cells.map(|cell| match cell? {
                Some(Cell::Truth(truth)) => Ok(Some(truth)),
                Some(_) => Err(wrong()),
                None => Ok(None),
            });
            Arc::new(truths.collect::<Result<BooleanArray>>()?)
        }
        Gives::Texts => {
            let mut lists = ListBuilder::new(StringBuilder::new());
            for cell in cells {
                match cell? {
                    Some(Cell::Texts(texts)) => lists.append_value(texts),
                    Some(_) => return Err(wrong()),
                    None => lists.append_null(),
                }
            }
            Arc::new(lists.finish())
        }
        Gives::Rows | Gives::Pairs => rows(gives, cells)?,
    })
}

fn rows(gives: Gives, cells: impl Iterator<Item = Answer>) -> Result<ArrayRef> {
    let fields = row_fields(gives);
    let builders = StructBuilder::from_fields(fields, 0);
    let mut lists = ListBuilder::new(builders);
    for cell in cells {
        let Some(Cell::Rows(rows)) = cell? else {
            lists.append_null();
            continue;
        };
        for (place, (key, value)) in rows.into_iter().enumerate() {
            let row = lists.values();
            if let Some(keys) = row.field_builder::<StringBuilder>(0) {
                keys.append_option(key);
            }
            if let Some(values) = row.field_builder::<StringBuilder>(1) {
                values.append_option(value);
            }
            if let Some(places) = row.field_builder::<Int64Builder>(2) {
                places.append_value(place as i64 + 1);
            }
            row.append(true);
        }
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

enum Argument {
    Text(StringViewArray),
    Whole(Int64Array),
    Truth(BooleanArray),
    List(ListArray),
    Any(Shown),
}

impl Argument {
    fn new(array: ArrayRef, field: &Field, takes: Takes, style: TextStyle) -> Result<Self> {
        Ok(match takes {
            Takes::Json | Takes::Text => {
                Self::Text(cast(&array, &DataType::Utf8View)?.as_string_view().clone())
            }
            Takes::Texts if !matches!(array.data_type(), DataType::List(_)) => {
                Self::Text(cast(&array, &DataType::Utf8View)?.as_string_view().clone())
            }
            Takes::Texts => {
                let lists = cast(&array, &DataType::List(item(DataType::Utf8View)))?;
                Self::List(lists.as_list::<i32>().clone())
            }
            Takes::Whole => Self::Whole(cast(&array, &DataType::Int64)?.as_primitive::<Int64Type>().clone()),
            Takes::Truth => Self::Truth(cast(&array, &DataType::Boolean)?.as_boolean().clone()),
            Takes::Any => Self::Any(Shown::new(&array, field, style)?),
        })
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Text(values) => values.is_null(row),
            Self::Whole(values) => values.is_null(row),
            Self::Truth(values) => values.is_null(row),
            Self::List(values) => values.is_null(row),
            Self::Any(values) => values.is_null(row),
        }
    }
}

/// The arguments of a call over all rows of a batch.
pub(super) struct Call<'a> {
    pub(super) name: &'a str,
    pub(super) form: Form,
    arguments: Vec<Argument>,
}

impl Call<'_> {
    pub(super) fn count(&self) -> usize {
        self.arguments.len()
    }

    pub(super) fn is_null(&self, place: usize, row: usize) -> bool {
        self.arguments.get(place).is_none_or(|argument| argument.is_null(row))
    }

    /// The text of an argument; empty where there is none, which kernels are not called for.
    pub(super) fn text(&self, place: usize, row: usize) -> &str {
        match self.arguments.get(place) {
            Some(Argument::Text(texts)) if texts.is_valid(row) => texts.value(row),
            _ => "",
        }
    }

    pub(super) fn whole(&self, place: usize, row: usize) -> i64 {
        match self.arguments.get(place) {
            Some(Argument::Whole(numbers)) if numbers.is_valid(row) => numbers.value(row),
            _ => 0,
        }
    }

    /// `None`: the argument was not given, or is NULL.
    pub(super) fn truth(&self, place: usize, row: usize) -> Option<bool> {
        match self.arguments.get(place) {
            Some(Argument::Truth(truths)) if truths.is_valid(row) => Some(truths.value(row)),
            _ => None,
        }
    }

    /// The elements of an argument of type `text[]`.
    pub(super) fn texts(&self, place: usize, row: usize) -> Result<Vec<Option<String>>> {
        match self.arguments.get(place) {
            Some(Argument::List(lists)) if lists.is_valid(row) => {
                let items = lists.value(row);
                Ok(items.as_string_view().iter().map(|text| text.map(str::to_owned)).collect())
            }
            Some(Argument::Text(texts)) if texts.is_valid(row) => {
                let text = texts.value(row);
                text_array_elements(text).ok_or_else(|| {
                    Error::new(ErrorKind::InvalidText, format!("malformed array literal: \"{text}\""))
                })
            }
            _ => Ok(Vec::new()),
        }
    }

    pub(super) fn shown(&self, place: usize) -> Option<&Shown> {
        match self.arguments.get(place) {
            Some(Argument::Any(shown)) => Some(shown),
            _ => None,
        }
    }
}
