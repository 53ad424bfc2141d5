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
        for (name, correction) in [
            ("hc0", Correction::Hc0),
            ("hc1", Correction::Hc1),
            ("hc2", Correction::Hc2),
            ("hc3", Correction::Hc3),
        ] {
            let mut products = ResidualProducts::new(&fit, correction);
            table.batch(weights, |batch| products.update(&fit, batch)).unwrap();
            EXPECTED.check_terms(&format!("{case}_{name}"), &products.terms(&fit, 0.95).unwrap(), 1e-9);
        }
        let mut scores = ClusterScores::new(&fit);
        table.batch(weights, |batch| scores.update(&fit, batch, &clusters)).unwrap();
        EXPECTED.check_terms(&format!("{case}_cluster"), &scores.terms(&fit, 0.95).unwrap(), 1e-9);
    }
}

#[test]
fn two_way_clusters_agree_with_statsmodels() {
    let survey = survey();
    let (table, one) = (survey.outcome(NPS), survey.clusters());
    let fit = fitted(&table, None, &DRIVERS);
    let places: Vec<u64> = (0..one.len() as u64).map(|row| row * 7 % 23).collect();
    let both: Vec<u64> = one.iter().zip(&places).map(|(one, place)| one << 32 | place).collect();
    let scores = [&one, &places, &both].map(|clusters| {
        let mut scores = ClusterScores::new(&fit);
        table.batch(None, |batch| scores.update(&fit, batch, clusters)).unwrap();
        scores
    });
    let terms = two_way_terms(&fit, scores.each_ref(), 0.95).unwrap();
    EXPECTED.check_terms("ols_two_way", &terms, 1e-9);
}

#[test]
fn a_row_that_decides_alone_has_no_corrected_error() {
    // Only the last row has another x.
    let x = [0.0, 0.0, 0.0, 0.0, 1.0];
    let table = Table { columns: vec![vec![1.0, 2.0, 3.0, 2.0, 5.0], x.to_vec()] };
    let fit = fitted(&table, None, &["x"]);
    for correction in [Correction::Hc2, Correction::Hc3] {
        let mut products = ResidualProducts::new(&fit, correction);
        let error = table.batch(None, |batch| products.update(&fit, batch)).unwrap_err();
        assert_eq!(error.message, "a coefficient of the regression hangs on one row alone");
    }
}

#[test]
fn splits_do_not_matter() {
    let survey = survey();
    let (table, clusters) = (survey.outcome(NPS), survey.clusters());
    let fit = fitted(&table, None, &DRIVERS);
    let mut products = [(); 3].map(|()| ResidualProducts::new(&fit, Correction::Hc3));
    let mut scores = [ClusterScores::new(&fit), ClusterScores::new(&fit), ClusterScores::new(&fit)];
    let parts = [(0, 0..400), (1, 0..133), (2, 133..400)];
    for (place, range) in parts {
        let part = table.take(&range.clone().collect::<Vec<_>>());
        part.batch(None, |batch| products[place].update(&fit, batch)).unwrap();
        part.batch(None, |batch| scores[place].update(&fit, batch, &clusters[range.clone()])).unwrap();
    }
    let other = products[2].clone();
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
    let products = ResidualProducts::new(&fit, Correction::Hc1);
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
