use super::*;
use crate::regression::simulate::{DRIVERS, EXPECTED, NPS, STARS, Table, near, same_digits, survey};

fn fitted(table: &Table, weights: Option<&[f64]>, names: &[&str]) -> OrdinalFit {
    table.batch(weights, |batch| fit(&[*batch], names, 0.95)).unwrap()
}

#[test]
fn agrees_with_statsmodels() {
    for (case, outcome) in [("ordinal", STARS), ("ordinal_nps", NPS)] {
        let fit = fitted(&survey().outcome(outcome), None, &DRIVERS);
        let (slopes, thresholds) = fit.terms.split_at(4);
        EXPECTED.check_terms(case, slopes, 2e-4);
        for term in slopes {
            let expected = EXPECTED.figure(case, &term.term);
            assert!(same_digits(term.estimate, expected, 1e-5), "{} {expected}", term.estimate);
        }
        for term in thresholds {
            let expected = EXPECTED.figure(case, &term.term);
            assert!(same_digits(term.estimate, expected, 1e-4), "{} {expected}", term.estimate);
        }
        assert!(same_digits(fit.log_likelihood, EXPECTED.figure(case, "llf"), 1e-10));
        assert!(same_digits(fit.null_log_likelihood, EXPECTED.figure(case, "llnull"), 1e-12));
    }
}

#[test]
fn with_two_levels_it_is_logistic_regression() {
    use crate::regression::logistic::{self, LogisticOptions};
    let table = Table::logistic(31, 900, 3);
    let names = ["a", "b", "c"];
    let ordinal = fitted(&table, None, &names);
    let logistic = table.batch(None, |batch| logistic::fit(&[*batch], &names, &LogisticOptions::default()));
    let logistic = logistic.unwrap();
    for (ordinal, logistic) in ordinal.terms[..3].iter().zip(&logistic.terms[1..]) {
        assert!(near(ordinal.estimate, logistic.estimate, 1e-9));
        assert!(near(ordinal.std_error, logistic.std_error, 1e-8));
    }
    assert!(near(ordinal.terms[3].estimate, -logistic.terms[0].estimate, 1e-9));
    assert!(near(ordinal.terms[3].std_error, logistic.terms[0].std_error, 1e-8));
    assert_eq!(ordinal.terms[3].term, "0|1");
}

#[test]
fn rows_and_weights_do_not_matter() {
    let table = survey().outcome(STARS);
    let own = fitted(&table, None, &DRIVERS);
    let shuffled = fitted(&table.shuffled(8), None, &DRIVERS);
    let weighted = fitted(&table, Some(&[17.5; 400]), &DRIVERS);
    for (place, term) in own.terms.iter().enumerate() {
        assert!(near(shuffled.terms[place].estimate, term.estimate, 1e-9));
        assert!(near(weighted.terms[place].std_error, term.std_error, 1e-9));
    }
}

#[test]
fn what_has_no_answer_is_an_error() {
    let refused = |table: &Table, names: &[&str]| {
        table.batch(None, |batch| fit(&[*batch], names, 0.95)).unwrap_err().message
    };
    let table = Table::linear(32, 100, 1);
    assert_eq!(refused(&table, &["a"]), "outcome of an ordinal regression has more than 50 levels");
    let apart =
        Table { columns: vec![vec![1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 3.0], (0..7).map(f64::from).collect()] };
    assert_eq!(refused(&apart, &["a"]), "outcome of an ordinal regression is separated by column \"a\"");
}
