use super::*;
use crate::regression::simulate::{DRIVERS, EXPECTED, NPS, Table, WEIGHT, near, survey};

fn clustered(table: &Table, weights: Option<&[f64]>, clusters: &[u64]) -> ClusteredMoments {
    let mut moments = ClusteredMoments::new(table.columns.len());
    table.batch(weights, |batch| moments.update(batch, clusters)).unwrap();
    moments
}

#[test]
fn one_pass_agrees_with_statsmodels() {
    let survey = survey();
    let clusters = survey.clusters();
    for (case, weights) in [("ols_cluster", None), ("wls_cluster", Some(&survey.columns[WEIGHT][..]))] {
        let moments = clustered(&survey.outcome(NPS), weights, &clusters);
        assert_eq!(moments.clusters(), 45);
        EXPECTED.check_terms(case, &moments.fit(&DRIVERS, 0.95).unwrap().terms, 1e-9);
    }
}

#[test]
fn difference_in_differences() {
    // Eight units before and after; four are treated. The effect is 4, its standard error 0.597614.
    let outcome = [10, 12, 11, 13, 15, 18, 16, 17, 9, 11, 10, 12, 10, 13, 11, 12].map(f64::from);
    let treated: Vec<f64> = (0..16).map(|row| f64::from(u8::from(row < 8))).collect();
    let after: Vec<f64> = (0..16).map(|row| f64::from(u8::from(row / 4 % 2 == 1))).collect();
    let both = treated.iter().zip(&after).map(|(a, b)| a * b).collect();
    let units: Vec<u64> = (0..16).map(|row| row / 8 * 4 + row % 4).collect();
    let table = Table { columns: vec![outcome.to_vec(), treated, after, both] };
    let fit = clustered(&table, None, &units).fit(&["treated", "after", "treated:after"], 0.95).unwrap();
    assert!((fit.terms[3].estimate - 4.0).abs() < 1e-12);
    assert!((fit.terms[3].std_error - 0.597_614).abs() < 5e-7, "{}", fit.terms[3].std_error);
}

#[test]
fn residuals_that_cancel_in_every_cluster_have_no_p_value() {
    let outcome = [10, 12, 11, 13, 15, 17, 16, 18, 9, 11, 10, 12, 10, 12, 11, 13].map(f64::from);
    let treated: Vec<f64> = (0..16).map(|row| f64::from(u8::from(row < 8))).collect();
    let after: Vec<f64> = (0..16).map(|row| f64::from(u8::from(row / 4 % 2 == 1))).collect();
    let both = treated.iter().zip(&after).map(|(a, b)| a * b).collect();
    let units: Vec<u64> = (0..16).map(|row| row / 8 * 4 + row % 4).collect();
    let table = Table { columns: vec![outcome.to_vec(), treated, after, both] };
    let fit = clustered(&table, None, &units).fit(&["treated", "after", "treated:after"], 0.95).unwrap();
    assert_eq!((fit.terms[3].std_error, fit.terms[3].p_value), (0.0, None));
}

#[test]
fn order_and_splits_do_not_matter() {
    let survey = survey();
    let (table, clusters) = (survey.outcome(NPS), survey.clusters());
    let whole = clustered(&table, None, &clusters);
    let mut merged = ClusteredMoments::new(5);
    for range in [250..400, 0..1, 1..250] {
        let part = table.take(&range.clone().collect::<Vec<_>>());
        let part = clustered(&part, None, &clusters[range]);
        merged.merge(&ClusteredMoments::from_bytes(&part.to_bytes()).unwrap()).unwrap();
    }
    let (whole, merged) = (whole.fit(&DRIVERS, 0.95).unwrap(), merged.fit(&DRIVERS, 0.95).unwrap());
    for (whole, merged) in whole.terms.iter().zip(&merged.terms) {
        assert!(near(whole.conf_low, merged.conf_low, 1e-11));
    }
}

#[test]
fn bad_input_is_an_error() {
    let mut moments = ClusteredMoments::new(2);
    let table = Table::linear(1, 10, 1);
    assert!(table.batch(None, |batch| moments.update(batch, &[1; 9])).is_err());
    table.batch(None, |batch| moments.update(batch, &[1; 10])).unwrap();
    assert_eq!(
        moments.fit(&["x"], 0.95).unwrap_err().message,
        "cluster-robust standard errors have 1 cluster"
    );
    let bytes = moments.to_bytes();
    for end in 0..bytes.len() {
        assert!(ClusteredMoments::from_bytes(&bytes[..end]).is_err());
    }
    // Weight, two means, three co-moments.
    assert!(moments.size() >= moments.total().size() + 6 * 8);
}
