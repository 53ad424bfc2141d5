use super::*;
use crate::regression::linear;
use crate::regression::logistic::{self, LogisticOptions};
use crate::regression::moments::Moments;
use crate::regression::simulate::{CHURNED, DRIVERS, EXPECTED, NPS, Table, near, survey};

fn predicted(model: &Model, table: &Table, row: usize) -> f64 {
    model.predict(table.columns[1..].iter().map(|column| column[row]))
}

#[test]
fn predictions_are_those_of_statsmodels_after_a_way_through_text() {
    let table = survey().outcome(NPS);
    let mut moments = Moments::new(5);
    table.batch(None, |batch| moments.update(batch)).unwrap();
    let fit = linear::fit(&moments, &DRIVERS, 0.95).unwrap();
    let linear = Model::from_json(&Model::new(Kind::Linear, "nps", &fit.terms).to_json()).unwrap();
    let table_2 = survey().outcome(CHURNED);
    let fit =
        table_2.batch(None, |batch| logistic::fit(&[*batch], &DRIVERS, &LogisticOptions::default())).unwrap();
    let churn = Model::from_json(&Model::new(Kind::Logistic, "churned", &fit.terms).to_json()).unwrap();
    for row in 0..5 {
        let expected = EXPECTED.figure("ols_predicted", &row.to_string());
        assert!(near(predicted(&linear, &table, row), expected, 1e-10));
        let expected = EXPECTED.figure("logit_predicted", &row.to_string());
        assert!(near(predicted(&churn, &table_2, row), expected, 1e-8));
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    for text in ["", "churn", "{}", "[]", r#"{"kind":"tree","outcome":"y","intercept":1,"terms":[]}"#] {
        assert_eq!(Model::from_json(text).unwrap_err().message, "text is not a model", "{text}");
    }
    let text = r#"{"kind":"linear","outcome":"y","intercept":1.5,"terms":[{"term":"a","estimate":2},{"term":"b","estimate":-1}]}"#;
    let model = Model::from_json(text).unwrap();
    assert_eq!((model.predictors(), model.predict([1.0, 3.0].into_iter())), (2, 0.5));
    let error = model.check(3).unwrap_err();
    assert_eq!(error.message, "model of 2 predictors is asked with 3 values");
    assert_eq!(error.hint.unwrap(), "It takes a, b, in this order.");
}
