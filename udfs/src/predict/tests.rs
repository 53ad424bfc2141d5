use arrow::array::create_array;

use super::*;

const MODEL: &str = r#"{"kind":"logistic","outcome":"y","intercept":0,"terms":[{"term":"a","estimate":1}]}"#;
const OTHER: &str = r#"{"kind":"linear","outcome":"y","intercept":1,"terms":[{"term":"a","estimate":2}]}"#;

fn run(model: ColumnarValue, values: Vec<Option<f64>>) -> Result<Vec<Option<f64>>, Error> {
    let rows = values.len();
    let args = ScalarFunctionArgs {
        args: vec![model, ColumnarValue::Array(create_array!(Float64, values))],
        arg_fields: Vec::new(),
        number_rows: rows,
        return_field: Arc::new(arrow::datatypes::Field::new("p", DataType::Float64, true)),
        config_options: Default::default(),
    };
    let predict = Predict {
        signature: Signature::user_defined(Volatility::Immutable),
        documentation: PREDICT.documentation("Statistics"),
    };
    let found = predict.invoke_with_args(args)?.to_array(rows)?;
    Ok(found.as_primitive::<Float64Type>().iter().collect())
}

#[test]
fn models_are_a_constant_or_differ_by_row() {
    let found = run(ColumnarValue::Scalar(ScalarValue::from(MODEL)), vec![Some(0.0), None]).unwrap();
    assert_eq!(found, [Some(0.5), None]);
    let models = create_array!(Utf8, [Some(OTHER), Some(OTHER), Some(MODEL)]);
    let found = run(ColumnarValue::Array(models), vec![Some(3.0), None, Some(0.0)]).unwrap();
    assert_eq!(found, [Some(7.0), None, Some(0.5)]);
}

#[test]
fn what_is_no_model_is_refused() {
    let missing = run(ColumnarValue::Scalar(ScalarValue::Utf8(None)), vec![Some(0.0)]).unwrap_err();
    assert_eq!((missing.sqlstate(), missing.message()), ("42704", "model does not exist"));
    let wrong = run(ColumnarValue::Scalar(ScalarValue::from("churn")), vec![Some(0.0)]).unwrap_err();
    assert_eq!((wrong.sqlstate(), wrong.message()), ("22023", "text is not a model"));
    let models = create_array!(Utf8, [Some(OTHER), None]);
    assert!(run(ColumnarValue::Array(models), vec![Some(3.0), Some(1.0)]).is_err());
}
