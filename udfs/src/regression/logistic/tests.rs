use super::*;
use crate::regression::simulate::{
    CHURNED, DRIVERS, EXPECTED, Generator, TELCO, Table, WEIGHT, near, same_digits, survey,
};

const FIRTH: LogisticOptions = LogisticOptions { conf: 0.95, firth: true };

fn result(
    table: &Table,
    weights: Option<&[f64]>,
    names: &[&str],
    options: &LogisticOptions,
) -> Result<LogisticFit, Invalid> {
    table.batch(weights, |batch| fit(&[*batch], names, options))
}

fn refused(table: &Table, names: &[&str]) -> String {
    result(table, None, names, &LogisticOptions::default()).unwrap_err().message
}

#[test]
fn agrees_with_statsmodels() {
    let survey = survey();
    let table = survey.outcome(CHURNED);
    let fit = result(&table, None, &DRIVERS, &LogisticOptions::default()).unwrap();
    EXPECTED.check_terms("logit", &fit.terms, 1e-8);
    let figures = [
        ("llf", fit.log_likelihood),
        ("llnull", fit.null_log_likelihood),
        ("prsquared", fit.r_squared),
        ("llr", fit.chi_squared.unwrap()),
        ("llr_pvalue", fit.p_value.unwrap()),
    ];
    for (name, found) in figures {
        assert!(same_digits(found, EXPECTED.figure("logit", name), 1e-8), "{name} {found}");
    }
    assert_eq!(fit.events, survey.columns[CHURNED].iter().filter(|&&y| y == 1.0).count() as u64);
    let weights = Some(&survey.columns[WEIGHT][..]);
    let weighted = result(&table, weights, &DRIVERS, &LogisticOptions::default()).unwrap();
    EXPECTED.check_terms("logit_weighted", &weighted.terms, 1e-8);
}

#[test]
fn counts_of_customers_give_the_churn_model_of_all_customers() {
    let counts = Table::parse(include_str!("../../../golden/regression/telco.csv"));
    let repeat = |row: usize| std::iter::repeat_n(row, counts.columns[5][row] as usize);
    let customers = counts.take(&(0..counts.rows()).flat_map(repeat).collect::<Vec<_>>());
    assert_eq!(customers.rows(), 4288);
    let names = ["years", "monthly", "fiber", "senior"];
    let fit = result(&customers.pick(&[0, 1, 2, 3, 4]), None, &names, &LogisticOptions::default()).unwrap();
    TELCO.check_terms("telco", &fit.terms, 1e-8);
    assert!(same_digits(fit.r_squared, TELCO.figure("telco", "prsquared"), 1e-8));
    // Counts as weights give the same coefficients.
    let weights = Some(&counts.columns[5][..]);
    let weighted =
        result(&counts.pick(&[0, 1, 2, 3, 4]), weights, &names, &LogisticOptions::default()).unwrap();
    assert!(same_digits(weighted.terms[2].estimate, fit.terms[2].estimate, 1e-9));
}

#[test]
fn firth_agrees_with_the_maximum_found_by_scipy() {
    let survey = survey();
    let table = survey.outcome(CHURNED);
    let fit = result(&table, None, &DRIVERS, &FIRTH).unwrap();
    EXPECTED.check_terms("firth", &fit.terms, 2e-5);
    assert_eq!((fit.chi_squared, fit.p_value), (None, None));
    let weighted = result(&table, Some(&survey.columns[WEIGHT]), &DRIVERS, &FIRTH).unwrap();
    EXPECTED.check_terms("firth_weighted", &weighted.terms, 2e-5);
}

/// Twenty rows in which a price above the median is the outcome.
fn separated() -> Table {
    let mut table = survey().pick(&[CHURNED, 4, 6]).take(&(0..20).collect::<Vec<_>>());
    let mut sorted = table.columns[1].clone();
    sorted.sort_by(f64::total_cmp);
    let median = 0.5 * (sorted[9] + sorted[10]);
    table.columns[0] = table.columns[1].iter().map(|&price| f64::from(u8::from(price > median))).collect();
    table
}

#[test]
fn separation_names_the_column_and_firth_answers() {
    let table = separated();
    let error = result(&table, None, &["price", "app"], &LogisticOptions::default()).unwrap_err();
    assert_eq!(error.message, "outcome of a logistic regression is separated perfectly by column \"price\"");
    assert!(error.hint.unwrap().contains("Firth"));
    let fit = result(&table, None, &["price", "app"], &FIRTH).unwrap();
    EXPECTED.check_terms("firth_separated", &fit.terms, 1e-4);
}

#[test]
fn a_flag_that_decides_alone_is_quasi_separation() {
    let mut table = Table::logistic(21, 3000, 3);
    let flag =
        table.columns[0].iter().enumerate().map(|(row, y)| if row % 10 == 0 { *y } else { 0.0 }).collect();
    table.columns.push(flag);
    assert_eq!(
        refused(&table, &["a", "b", "c", "flag"]),
        "outcome of a logistic regression is separated by column \"flag\""
    );
    assert!(result(&table, None, &["a", "b", "c", "flag"], &FIRTH).unwrap().terms[4].estimate > 2.0);
}

#[test]
fn columns_that_separate_together_are_named() {
    let mut table = Table::linear(22, 400, 3);
    table.columns[0] = (0..400)
        .map(|row| f64::from(u8::from(table.columns[1][row] > table.columns[3][row] - 2.0)))
        .collect();
    let message = refused(&table, &["a", "b", "c"]);
    assert!(
        message.contains("separated by columns") && message.contains("\"a\"") && message.contains("\"c\"")
    );
}

#[test]
fn one_row_on_the_wrong_side_is_enough_for_a_maximum() {
    let mut table = separated();
    let row = table.columns[0].iter().position(|&y| y == 0.0).unwrap();
    let lowest = table.columns[1].iter().copied().fold(f64::MAX, f64::min);
    table.columns[0][row] = 1.0;
    table.columns[1][row] = lowest;
    let fit = result(&table, None, &["price", "app"], &LogisticOptions::default()).unwrap();
    assert!(fit.terms[1].std_error < 10.0);
}

#[test]
fn known_coefficients_are_found_in_many_rows() {
    // Enough rows to start from a sample. The slopes are half of the linear ones, less what noise takes.
    let table = Table::logistic(23, 70_000, 2);
    let whole = result(&table, None, &["a", "b"], &LogisticOptions::default()).unwrap();
    assert!(near(whole.terms[1].estimate, 0.1436, 0.02), "{:?}", whole.terms[1]);
    let shuffled = result(&table.shuffled(4), None, &["a", "b"], &LogisticOptions::default()).unwrap();
    let slices = table.slices();
    let halves: Vec<Vec<&[f64]>> =
        [0..20_001, 20_001..70_000].map(|range| slices.iter().map(|c| &c[range.clone()]).collect()).into();
    let batches: Vec<Batch> = halves.iter().map(|columns| Batch::new(columns)).collect();
    let split = fit(&batches, &["a", "b"], &LogisticOptions::default()).unwrap();
    for other in [shuffled, split] {
        for (a, b) in whole.terms.iter().zip(&other.terms) {
            assert!(near(a.estimate, b.estimate, 1e-10) && near(a.std_error, b.std_error, 1e-8));
        }
    }
}

#[test]
fn weights_and_units_do_not_matter() {
    let table = Table::logistic(24, 800, 2);
    let mut random = Generator(6);
    let weights: Vec<f64> = (0..800).map(|_| 0.2 + random.uniform()).collect();
    let heavier: Vec<f64> = weights.iter().map(|weight| weight * 1e6).collect();
    let mut moved = table.clone();
    moved.columns[1].iter_mut().for_each(|x| *x = 1000.0 * *x + 5e6);
    let own = result(&table, Some(&weights), &["a", "b"], &LogisticOptions::default()).unwrap();
    let scaled = result(&table, Some(&heavier), &["a", "b"], &LogisticOptions::default()).unwrap();
    let moved = result(&moved, Some(&weights), &["a", "b"], &LogisticOptions::default()).unwrap();
    for (place, term) in own.terms.iter().enumerate() {
        assert!(same_digits(scaled.terms[place].std_error, term.std_error, 1e-9));
    }
    assert!(same_digits(moved.terms[1].estimate * 1000.0, own.terms[1].estimate, 1e-6));
    assert!(same_digits(moved.terms[2].std_error, own.terms[2].std_error, 1e-7));
}

#[test]
fn what_has_no_answer_is_an_error() {
    let mut table = Table::logistic(25, 100, 1);
    table.columns[0][3] = 2.0;
    assert_eq!(refused(&table, &["a"]), "outcome of a logistic regression is 2 where 0 or 1 is expected");
    table.columns[0].fill(1.0);
    assert_eq!(refused(&table, &["a"]), "outcome of a regression is constant");
    let few = Table { columns: vec![vec![0.0, 1.0], vec![0.5, 0.2]] };
    assert_eq!(refused(&few, &["a"]), "regression with 2 terms has only 2 rows");
    let mut twice = Table::logistic(26, 100, 1);
    twice.columns.push(twice.columns[1].clone());
    assert_eq!(refused(&twice, &["a", "b"]), "column \"b\" of a regression is a linear combination of \"a\"");
}
