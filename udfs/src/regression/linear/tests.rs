use super::*;
use crate::regression::simulate::{
    DRIVERS, EXPECTED, Generator, NPS, Table, WEIGHT, near, same_digits, survey,
};

fn moments(table: &Table, weights: Option<&[f64]>) -> Moments {
    let mut moments = Moments::new(table.columns.len());
    table.batch(weights, |batch| moments.update(batch)).unwrap();
    moments
}

fn fitted(table: &Table, weights: Option<&[f64]>, names: &[&str]) -> LinearFit {
    fit(&moments(table, weights), names, 0.95).unwrap()
}

fn refused(table: &Table, names: &[&str]) -> Invalid {
    fit(&moments(table, None), names, 0.95).unwrap_err()
}

#[test]
fn agrees_with_statsmodels() {
    let survey = survey();
    let table = survey.outcome(NPS);
    for (case, weights) in [("ols", None), ("wls", Some(&survey.columns[WEIGHT][..]))] {
        let fit = fitted(&table, weights, &DRIVERS);
        EXPECTED.check_terms(case, &fit.terms, 1e-9);
        let figures = [
            ("rsquared", fit.r_squared),
            ("rsquared_adj", fit.adj_r_squared),
            ("fvalue", fit.f_statistic.unwrap()),
            ("f_pvalue", fit.f_p_value.unwrap()),
            ("sigma", fit.sigma),
        ];
        for (name, found) in figures {
            assert!(same_digits(found, EXPECTED.figure(case, name), 1e-10), "{case} {name} {found}");
        }
        assert_eq!(fit.n_obs, 400);
    }
    for term in &fitted(&table, None, &DRIVERS).terms[1..] {
        assert!(same_digits(term.vif.unwrap(), EXPECTED.figure("vif", &term.term), 1e-10));
    }
}

#[test]
fn longley_has_the_certified_values() {
    // NIST Statistical Reference Datasets, Longley: estimate and standard deviation.
    let certified = [
        (-3_482_258.634_595_82, 890_420.383_607_373),
        (15.061_872_271_373_3, 84.914_925_774_766_9),
        (-0.035_819_179_292_591, 0.033_491_007_772_243_2),
        (-2.020_229_803_816_83, 0.488_399_681_651_699),
        (-1.033_226_867_173_59, 0.214_274_163_161_675),
        (-0.051_104_105_653_580_7, 0.226_073_200_069_37),
        (1_829.151_464_613_55, 455.478_499_142_212),
    ];
    let table = Table::parse(include_str!("../../../golden/regression/longley.csv"));
    let names = ["deflator", "gnp", "unemployed", "forces", "population", "year"];
    let fit = fitted(&table, None, &names);
    for (term, (estimate, std_error)) in fit.terms.iter().zip(certified) {
        assert!(same_digits(term.estimate, estimate, 1e-9), "{} {}", term.estimate, estimate);
        assert!(same_digits(term.std_error, std_error, 1e-9), "{} {}", term.std_error, std_error);
    }
    assert!(same_digits(fit.sigma, 304.854_073_561_965, 1e-10));
    assert!(same_digits(fit.r_squared, 0.995_479_004_577_296, 1e-12));
}

#[test]
fn wampler_has_the_certified_values() {
    // y = 1 + x + … + x⁵ for x = 0..20, a perfect fit.
    let x: Vec<f64> = (0..=20).map(f64::from).collect();
    let power = |power: i32| x.iter().map(|x| x.powi(power)).collect::<Vec<f64>>();
    let outcome = x.iter().map(|x| (0..=5).map(|power| x.powi(power)).sum()).collect();
    let mut columns = vec![outcome];
    columns.extend((1..=5).map(power));
    let fit = fitted(&Table { columns }, None, &["x1", "x2", "x3", "x4", "x5"]);
    assert!(near(fit.r_squared, 1.0, 1e-12));
    for term in &fit.terms {
        assert!((term.estimate - 1.0).abs() < 1e-3, "{} {}", term.term, term.estimate);
    }
}

#[test]
fn too_steep_a_polynomial_is_refused_rather_than_wrong() {
    // As the Filip data set of NIST: ten powers of a column far from zero.
    let x: Vec<f64> = (0..82).map(|step| -8.8 + 0.07 * f64::from(step)).collect();
    let mut columns = vec![x.iter().map(|x| (x * 0.7).sin()).collect::<Vec<f64>>()];
    columns.extend((1..=10).map(|power| x.iter().map(|x| x.powi(power)).collect()));
    let names: Vec<String> = (1..=10).map(|power| format!("x{power}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert!(refused(&Table { columns }, &names).message.contains("is a linear combination of"));
}

#[test]
fn a_perfect_fit_has_no_p_values() {
    let table = Table { columns: vec![vec![1.0, 3.0, 5.0, 7.0], vec![0.0, 1.0, 2.0, 3.0]] };
    let fit = fitted(&table, None, &["x"]);
    assert!((fit.terms[1].estimate - 2.0).abs() < 1e-14 && fit.r_squared == 1.0);
    assert_eq!((fit.terms[1].p_value, fit.terms[1].statistic, fit.f_p_value), (None, None, None));
}

#[test]
fn without_columns_there_is_the_mean() {
    let table = Table { columns: vec![vec![2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]] };
    let fit = fitted(&table, None, &[]);
    assert!(
        (fit.terms[0].conf_low - 3.212_512_1).abs() < 1e-6 && (fit.terms[0].estimate - 5.0).abs() < 1e-14
    );
    assert_eq!((fit.r_squared, fit.f_statistic), (0.0, None));
}

#[test]
fn rows_weights_and_units_do_not_matter() {
    let table = Table::linear(7, 500, 3);
    let names = ["a", "b", "c"];
    let mut random = Generator(11);
    let weights: Vec<f64> = (0..500).map(|_| 0.2 + random.uniform()).collect();
    let fit = fitted(&table, Some(&weights), &names);
    let heavier: Vec<f64> = weights.iter().map(|weight| weight * 1e4).collect();
    let scaled = fitted(&table, Some(&heavier), &names);
    let mut moved = table.clone();
    moved.columns[2].iter_mut().for_each(|x| *x += 1e5);
    moved.columns[0].iter_mut().for_each(|y| *y -= 300.0);
    let moved = fitted(&moved, Some(&weights), &names);
    for (place, term) in fit.terms.iter().enumerate() {
        assert!(near(scaled.terms[place].std_error, term.std_error, 1e-12));
        assert!(near(scaled.terms[place].estimate, term.estimate, 1e-12));
        if place > 0 {
            assert!(near(moved.terms[place].estimate, term.estimate, 1e-9));
            assert!(near(moved.terms[place].std_error, term.std_error, 1e-9));
        }
    }
    let (shuffled, straight) = (fitted(&table.shuffled(3), None, &names), fitted(&table, None, &names));
    for (a, b) in shuffled.terms.iter().zip(&straight.terms) {
        assert!(near(a.estimate, b.estimate, 1e-11) && near(a.conf_high, b.conf_high, 1e-11));
    }
}

#[test]
fn collinear_columns_are_named() {
    let mut table = Table::linear(8, 200, 3);
    let sum = table.columns[1].iter().zip(&table.columns[3]).map(|(a, b)| 3.0 * a - b + 7.0).collect();
    table.columns.push(sum);
    let error = refused(&table, &["price", "speed", "staff", "total"]);
    assert_eq!(
        error.message,
        "column \"total\" of a regression is a linear combination of \"price\" and \"staff\""
    );
    assert_eq!(error.hint.unwrap(), "Leave out one of \"price\", \"staff\" and \"total\".");
}

#[test]
fn what_has_no_answer_is_an_error() {
    let message = |columns: &[&[f64]], names: &[&str]| {
        refused(&Table { columns: columns.iter().map(|column| column.to_vec()).collect() }, names).message
    };
    let up = [1.0, 2.0, 3.0];
    assert_eq!(
        message(&[&up, &[2.0, 5.0, 1.0], &[1.0, 0.0, 4.0]], &["a", "b"]),
        "regression with 3 terms has only 3 rows"
    );
    assert_eq!(message(&[&[], &[]], &["a"]), "regression has no rows");
    assert_eq!(message(&[&[4.1, 4.1, 4.1], &up], &["a"]), "outcome of a regression is constant");
    assert_eq!(message(&[&up, &[0.3, 0.3, 0.3]], &["a"]), "column \"a\" of a regression is constant");
    assert_eq!(
        message(&[&up, &[1e200, -1e200, 0.0]], &["a"]),
        "regression has numbers or weights too small or too large to square"
    );
    assert_eq!(message(&[&up, &up], &["a", "b"]), "regression of 2 columns has names for 2 predictors");
    let mut nothing = Moments::new(2);
    nothing.update(&crate::regression::batch::Batch::weighted(&[&up, &up], &[0.0; 3])).unwrap();
    assert_eq!(fit(&nothing, &["a"], 0.95).unwrap_err().message, "regression has no rows");
    let bad = fit(&moments(&Table::linear(1, 50, 1), None), &["a"], 95.0).unwrap_err();
    assert_eq!(bad.message, "confidence level 95 is not between 0 and 1");
}
