//! JSON as PostgreSQL's operators and functions read and build it. JSON is stored as text.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::DFSchema;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility, lit,
};
use datafusion::sql::sqlparser::ast::BinaryOperator;
use datafusion_functions_json::udfs::{
    json_as_text_udf, json_contains_udf, json_get_json_udf, json_length_udf,
};
use voxhouse_engine::catalog::types::TYPE_KEY;
use voxhouse_engine::{Error, ErrorKind, Result};

use crate::wire::text_array_elements;

pub fn functions() -> impl Iterator<Item = Arc<ScalarUDF>> {
    let named = |udf: Arc<ScalarUDF>, aliases: [&'static str; 2]| {
        Arc::new(udf.as_ref().clone().with_aliases(aliases))
    };
    [
        named(json_as_text_udf(), ["json_extract_path_text", "jsonb_extract_path_text"]),
        named(json_get_json_udf(), ["json_extract_path", "jsonb_extract_path"]),
        named(json_length_udf(), ["json_array_length", "jsonb_array_length"]),
        Arc::new(ScalarUDF::from(BuildObject::new(Form::Json))),
        Arc::new(ScalarUDF::from(BuildObject::new(Form::Jsonb))),
    ]
    .into_iter()
}

/// `->`, `->>`, `#>`, `#>>` and `?` of JSON. `None`: not one of them.
pub fn operator(
    op: &BinaryOperator,
    left: &Expr,
    right: &Expr,
    schema: &DFSchema,
) -> DataFusionResult<Option<Expr>> {
    use BinaryOperator as Op;
    if !matches!(op, Op::Arrow | Op::LongArrow | Op::HashArrow | Op::HashLongArrow | Op::Question)
        || !left.get_type(schema)?.is_string()
    {
        return Ok(None);
    }
    let mut arguments = vec![left.clone()];
    match op {
        Op::HashArrow | Op::HashLongArrow => arguments.extend(path(right)?),
        _ => arguments.push(right.clone()),
    }
    Ok(Some(match op {
        Op::LongArrow | Op::HashLongArrow => json_as_text_udf().call(arguments),
        Op::Question => json_contains_udf().call(arguments),
        _ => {
            let json = json_get_json_udf().call(arguments);
            Expr::Cast(Cast::new_from_field(Box::new(json), json_field(DataType::Utf8View, "json")))
        }
    }))
}

fn json_field(stored: DataType, name: &str) -> FieldRef {
    let metadata = [(TYPE_KEY.to_owned(), name.to_owned())].into();
    Arc::new(Field::new("", stored, true).with_metadata(metadata))
}

/// The steps of `'{a,0,b}'`.
fn path(steps: &Expr) -> Result<Vec<Expr>> {
    let text = match steps {
        Expr::Literal(value, _) => value.try_as_str().flatten(),
        _ => None,
    };
    let steps = text.and_then(text_array_elements).ok_or_else(|| {
        Error::not_supported("a path into JSON that is no literal is not supported")
            .with_hint("Write '{a,b}', or -> for each step.")
    })?;
    let step = |step: Option<String>| match step {
        Some(step) => step.parse::<i64>().map_or_else(|_| lit(step), lit),
        None => lit(datafusion::scalar::ScalarValue::Utf8(None)),
    };
    Ok(steps.into_iter().map(step).collect())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Form {
    Json,
    Jsonb,
}

/// `json_build_object(key, value, …)`
#[derive(Debug, PartialEq, Eq, Hash)]
struct BuildObject {
    form: Form,
    signature: Signature,
}

impl BuildObject {
    fn new(form: Form) -> Self {
        Self { form, signature: Signature::user_defined(Volatility::Stable) }
    }
}

impl ScalarUDFImpl for BuildObject {
    fn name(&self) -> &str {
        match self.form {
            Form::Json => "json_build_object",
            Form::Jsonb => "jsonb_build_object",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> DataFusionResult<FieldRef> {
        if args.arg_fields.len() % 2 == 1 {
            let error = Error::invalid_argument("argument list must have even number of elements").with_hint(
                format!("The arguments of {}() must consist of alternating keys and values.", self.name()),
            );
            return Err(error.into());
        }
        if args.arg_fields.iter().any(|field| field.data_type().is_nested()) {
            return Err(Error::not_supported("lists and records in a JSON object are not supported").into());
        }
        Ok(json_field(DataType::Utf8, if self.form == Form::Json { "json" } else { "jsonb" }))
    }

    fn coerce_types(&self, given: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        Ok(given.to_vec())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let rows = args.number_rows;
        let columns = args
            .args
            .into_iter()
            .map(|argument| argument.into_array(rows))
            .collect::<DataFusionResult<Vec<_>>>()?;
        let members: Vec<Member<'_>> = columns
            .chunks_exact(2)
            .zip(args.arg_fields.chunks_exact(2))
            .map(|(pair, fields)| Member::new(pair, &fields[1]))
            .collect::<Result<_>>()?;
        let objects = (0..rows).map(|row| self.object(&members, row)).collect::<Result<StringArray>>()?;
        Ok(ColumnarValue::Array(Arc::new(objects)))
    }
}

struct Member<'a> {
    keys: ArrayRef,
    values: &'a ArrayRef,
    shown: ArrayFormatter<'a>,
    is_json: bool,
}

impl<'a> Member<'a> {
    fn new(pair: &'a [ArrayRef], field: &Field) -> Result<Self> {
        let keys = cast(&pair[0], &DataType::Utf8)?;
        let options = const {
            FormatOptions::new()
                .with_timestamp_format(Some("%Y-%m-%dT%H:%M:%S%.f"))
                .with_timestamp_tz_format(Some("%Y-%m-%dT%H:%M:%S%.f%:z"))
        };
        let shown = ArrayFormatter::try_new(pair[1].as_ref(), &options)?;
        let is_json =
            field.metadata().get(TYPE_KEY).is_some_and(|name| matches!(name.as_str(), "json" | "jsonb"));
        Ok(Self { keys, values: &pair[1], shown, is_json })
    }

    fn key(&self, row: usize) -> Result<&str> {
        if self.keys.is_null(row) {
            let error = Error::new(ErrorKind::NullNotAllowed, "null value not allowed for object key");
            return Err(error);
        }
        Ok(self.keys.as_string::<i32>().value(row))
    }

    fn put_value(&self, row: usize, text: &mut String) -> Result<()> {
        if self.values.data_type().is_null() || self.values.is_null(row) {
            text.push_str("null");
            return Ok(());
        }
        let shown = self.shown.value(row).to_string();
        let data_type = self.values.data_type();
        match self.is_json || data_type.is_numeric() || *data_type == DataType::Boolean {
            true => text.push_str(&shown),
            false => text.push_str(&serde_json::to_string(&shown)?),
        }
        Ok(())
    }
}

impl BuildObject {
    /// `json` keeps what it is given, in PostgreSQL's spacing; `jsonb` keeps the last of equal keys, in order of length
    /// and bytes.
    fn object(&self, members: &[Member<'_>], row: usize) -> Result<Option<String>> {
        let mut pairs = Vec::with_capacity(members.len());
        for member in members {
            let mut value = String::new();
            member.put_value(row, &mut value)?;
            pairs.push((member.key(row)?, value));
        }
        let separator = match self.form {
            Form::Json => " : ",
            Form::Jsonb => {
                pairs.reverse();
                pairs.sort_by(|(one, _), (other, _)| (one.len(), *one).cmp(&(other.len(), *other)));
                pairs.dedup_by(|one, other| one.0 == other.0);
                ": "
            }
        };
        let mut text = String::from("{");
        for (place, (key, value)) in pairs.into_iter().enumerate() {
            let comma = if place > 0 { ", " } else { "" };
            // Writing to a string cannot fail.
            let _ = write!(text, "{comma}{}{separator}{value}", serde_json::to_string(key)?);
        }
        text.push('}');
        Ok(Some(text))
    }
}
