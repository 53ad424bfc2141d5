use super::*;
use crate::regression::linear;
use crate::regression::moments::Moments;
use crate::regression::simulate::{DRIVERS, EXPECTED, NPS, Table, WEIGHT, near, survey};

fn fitted(table: &Table, weights: Option<&[f64]>, names: &[&str]) -> LinearFit {
    let mut moments = Moments::new(table.columns.len());
    table.batch(weights, |batch| moments.update(batch)).unwrap();
    linear::fit(&moments, names, 0.95).unwrap()
}

#[test]
fn agrees_with_statsmodels() {
    let survey = survey();
    let (table, clusters) = (survey.outcome(NPS), survey.clusters());
    for (case, weights) in [("ols", None), ("wls", Some(&survey.columns[WEIGHT][..]))] {
        let fit = fitted(&table, weights, &DRIVERS);
        let mut products = ResidualProducts::new(&fit);
        table.batch(weights, |batch| products.update(&fit, batch)).unwrap();
        EXPECTED.check_terms(&format!("{case}_hc1"), &products.terms(&fit, 0.95).unwrap(), 1e-9);
        let mut scores = ClusterScores::new(&fit);
        table.batch(weights, |batch| scores.update(&fit, batch, &clusters)).unwrap();
        EXPECTED.check_terms(&format!("{case}_cluster"), &scores.terms(&fit, 0.95).unwrap(), 1e-9);
    }
}

#[test]
fn splits_do_not_matter() {
    let survey = survey();
    let (table, clusters) = (survey.outcome(NPS), survey.clusters());
    let fit = fitted(&table, None, &DRIVERS);
    let mut products =
        [ResidualProducts::new(&fit), ResidualProducts::new(&fit), ResidualProducts::new(&fit)];
    let mut scores = [ClusterScores::new(&fit), ClusterScores::new(&fit), ClusterScores::new(&fit)];
    let parts = [(0, 0..400), (1, 0..133), (2, 133..400)];
    for (place, range) in parts {
        let part = table.take(&range.clone().collect::<Vec<_>>());
        part.batch(None, |batch| products[place].update(&fit, batch)).unwrap();
        part.batch(None, |batch| scores[place].update(&fit, batch, &clusters[range.clone()])).unwrap();
    }
    let other = ResidualProducts::from_bytes(&products[2].to_bytes()).unwrap();
    products[1].merge(&other).unwrap();
    let other = ClusterScores::from_bytes(&scores[2].to_bytes()).unwrap();
    scores[1].merge(&other).unwrap();
    let pairs = [
        (products[0].terms(&fit, 0.9).unwrap(), products[1].terms(&fit, 0.9).unwrap()),
        (scores[0].terms(&fit, 0.9).unwrap(), scores[1].terms(&fit, 0.9).unwrap()),
    ];
    for (whole, merged) in pairs {
        for (whole, merged) in whole.iter().zip(&merged) {
            assert!(near(whole.conf_low, merged.conf_low, 1e-12));
        }
    }
    assert!(scores[0].size() > 45 * 40);
}

#[test]
fn other_rows_and_one_cluster_are_errors() {
    let table = Table::linear(4, 60, 1);
    let fit = fitted(&table, None, &["x"]);
    let products = ResidualProducts::new(&fit);
    assert_eq!(
        products.terms(&fit, 0.95).unwrap_err().message,
        "standard errors come from 0 rows, the regression from 60"
    );
    let mut scores = ClusterScores::new(&fit);
    table.batch(None, |batch| scores.update(&fit, batch, &[7; 60])).unwrap();
    assert_eq!(
        scores.terms(&fit, 0.95).unwrap_err().message,
        "cluster-robust standard errors have 1 cluster"
    );
    assert!(table.batch(None, |batch| scores.update(&fit, batch, &[7; 59])).is_err());
    assert!(ClusterScores::from_bytes(&[1; 30]).is_err());
}
