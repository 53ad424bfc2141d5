use super::*;
use crate::regression::resample::row_keys;
use crate::regression::simulate::{
    CHURNED, DRIVERS, EXPECTED, Generator, NPS, STARS, Table, near, same_digits, survey,
};

/// mpg, cyl, disp, hp, wt, gear of the 32 cars of Motor Trend 1974.
const CARS: &str = include_str!("../../../golden/regression/cars.csv");

fn moments(table: &Table, weights: Option<&[f64]>) -> Moments {
    let mut moments = Moments::new(table.columns.len());
    table.batch(weights, |batch| moments.update(batch)).unwrap();
    moments
}

fn check(found: &[Driver], expected: &[(&str, f64)]) {
    for (name, importance) in expected {
        let driver = found.iter().find(|driver| driver.driver == *name).unwrap();
        assert!((driver.importance - importance).abs() < 5e-8, "{name} {} {importance}", driver.importance);
    }
}

#[test]
fn cars_have_the_published_relative_weights() {
    let cars = Table::parse(CARS);
    let found = drivers(
        &moments(&cars.pick(&[0, 1, 2, 3, 5]), None),
        &["cyl", "disp", "hp", "gear"],
        Method::RelativeWeights,
    )
    .unwrap();
    let published = [("cyl", 0.228_479_7), ("disp", 0.222_146_9), ("hp", 0.232_174_4), ("gear", 0.096_388_6)];
    check(&found, &published);
    assert!((found[0].r_squared - 0.779_189_6).abs() < 5e-8 && found[0].driver == "hp");
    assert!(near(found.iter().map(|driver| driver.importance).sum(), found[0].r_squared, 1e-12));
    assert!(near(found.iter().map(|driver| driver.share).sum(), 1.0, 1e-12));
    let weights: Vec<f64> = [1.0, 2.0, 5.0, 3.0].repeat(8);
    let weighted = moments(&cars.pick(&[0, 3, 4, 2]), Some(&weights));
    let found = drivers(&weighted, &["hp", "wt", "disp"], Method::RelativeWeights).unwrap();
    check(&found, &[("hp", 0.232_293_3), ("wt", 0.354_603_2), ("disp", 0.284_414_8)]);
    assert!((found[0].r_squared - 0.871_311_3).abs() < 5e-8);
    assert!((weighted.effective_rows() - 24.820_513).abs() < 5e-7);
    assert!(found.iter().all(|driver| driver.correlation < 0.0));
}

#[test]
fn cars_have_the_known_shapley_values() {
    let cars = moments(&Table::parse(CARS).pick(&[0, 1, 2, 3, 5]), None);
    let found = drivers(&cars, &["cyl", "disp", "hp", "gear"], Method::Shapley).unwrap();
    let known = [("cyl", 0.247_052_0), ("disp", 0.243_499_6), ("hp", 0.210_912_9), ("gear", 0.077_725_1)];
    check(&found, &known);
    assert!(near(found.iter().map(|driver| driver.importance).sum(), found[0].r_squared, 1e-12));
    assert_eq!((found[0].driver.as_str(), found[2].driver.as_str()), ("cyl", "hp"));
}

/// R² on some drivers, by a regression of its own.
fn r_squared(table: &Table, drivers: &[usize]) -> f64 {
    if drivers.is_empty() {
        return 0.0;
    }
    let places: Vec<usize> = std::iter::once(0).chain(drivers.iter().map(|driver| driver + 1)).collect();
    let names = vec!["x"; drivers.len()];
    linear::fit(&moments(&table.pick(&places), None), &names, 0.95).unwrap().r_squared
}

#[test]
fn shapley_values_are_the_general_dominance_statistics() {
    let table = Table::linear(41, 300, 5);
    let found = drivers(&moments(&table, None), &["0", "1", "2", "3", "4"], Method::Shapley).unwrap();
    for driver in &found {
        let own: usize = driver.driver.parse().unwrap();
        // Conditional dominance: the mean gain by the number of other drivers.
        let (mut gains, mut counts) = ([0.0; 5], [0.0; 5]);
        for set in (0..32usize).filter(|set| set >> own & 1 == 0) {
            let others: Vec<usize> = (0..5).filter(|other| set >> other & 1 == 1).collect();
            let mut with = others.clone();
            with.push(own);
            gains[others.len()] += r_squared(&table, &with) - r_squared(&table, &others);
            counts[others.len()] += 1.0;
        }
        let general = gains.iter().zip(counts).map(|(gain, count)| gain / count).sum::<f64>() / 5.0;
        assert!(near(driver.importance, general, 1e-11));
    }
}

#[test]
fn logistic_weights_follow_tonidandel_and_lebreton() {
    let table = survey().outcome(CHURNED);
    let found = table.batch(None, |batch| logistic_drivers(&[*batch], &DRIVERS)).unwrap();
    for driver in &found {
        let expected = EXPECTED.figure("logistic_weights", &driver.driver);
        assert!(same_digits(driver.importance, expected, 1e-8), "{} {expected}", driver.importance);
        assert!(same_digits(driver.estimate, EXPECTED.figure("logit", &driver.driver), 1e-8));
        assert_eq!(driver.direction, Direction::Negative);
    }
    assert!(same_digits(found[0].r_squared, EXPECTED.figure("logistic_weights", "r_squared"), 1e-8));
}

#[test]
fn ordinal_weights_add_up_to_the_r_squared_of_the_latent_variable() {
    let table = survey().outcome(STARS);
    let found = table.batch(None, |batch| ordinal_drivers(&[*batch], &DRIVERS)).unwrap();
    for driver in &found {
        let expected = EXPECTED.figure("ordinal_weights", &driver.driver);
        assert!(same_digits(driver.importance, expected, 1e-5), "{} {expected}", driver.importance);
        assert!(same_digits(driver.estimate, EXPECTED.figure("ordinal", &driver.driver), 1e-5));
    }
    let r_squared = found[0].r_squared;
    assert!(same_digits(r_squared, EXPECTED.figure("ordinal_weights", "r_squared"), 1e-5));
    assert!(near(found.iter().map(|driver| driver.importance).sum(), r_squared, 1e-12));
}

#[test]
fn correlation_is_each_driver_alone() {
    let table = survey().outcome(NPS);
    for driver in drivers(&moments(&table, None), &DRIVERS, Method::Correlation).unwrap() {
        let place = DRIVERS.iter().position(|name| *name == driver.driver).unwrap();
        assert!(near(driver.importance, r_squared(&table, &[place]), 1e-12));
        assert!(near(driver.correlation * driver.correlation, driver.importance, 1e-14));
    }
}

#[test]
fn order_weights_and_units_do_not_matter() {
    let table = Table::linear(42, 700, 4);
    let mut other = table.shuffled(1);
    other.columns[1].iter_mut().for_each(|x| *x = 1e4 - 0.01 * *x);
    for method in [Method::RelativeWeights, Method::Shapley, Method::Correlation] {
        let names = ["a", "b", "c", "d"];
        let own = drivers(&moments(&table, None), &names, method).unwrap();
        let moved = drivers(&moments(&other, Some(&[0.3; 700])), &names, method).unwrap();
        for (a, b) in own.iter().zip(&moved) {
            assert!(a.driver == b.driver && near(a.importance, b.importance, 1e-10));
            assert_eq!(a.direction == b.direction, a.driver != "a");
        }
    }
}

#[test]
fn intervals_agree_with_a_bootstrap_of_rows() {
    let table = survey().outcome(NPS);
    let keys = table.batch(None, |batch| row_keys(&[*batch])).remove(0);
    let mut blocks = BlockedMoments::new(5);
    table.batch(None, |batch| blocks.update(batch, &keys)).unwrap();
    let found = drivers_with_interval(&blocks, &DRIVERS, Method::RelativeWeights, 2000, 7, 0.95).unwrap();
    let mut random = Generator(99);
    let mut drawn = vec![Vec::new(); 4];
    for _ in 0..1000 {
        let rows: Vec<usize> = (0..400).map(|_| random.below(400)).collect();
        let importance =
            importance_of_draw(&moments(&table.take(&rows), None), Method::RelativeWeights).unwrap();
        drawn.iter_mut().zip(importance).for_each(|(drawn, value)| drawn.push(value));
    }
    for driver in &found {
        let place = DRIVERS.iter().position(|name| *name == driver.driver).unwrap();
        let (low, high) = percentiles(&mut drawn[place], 0.95).unwrap();
        let (own_low, own_high) = (driver.conf_low.unwrap(), driver.conf_high.unwrap());
        assert!(own_low < driver.importance && driver.importance < own_high);
        let ratio = (own_high - own_low) / (high - low);
        assert!((0.8..1.25).contains(&ratio), "{} {own_low} {own_high} {low} {high}", driver.driver);
    }
    let again = drivers_with_interval(&blocks, &DRIVERS, Method::RelativeWeights, 2000, 7, 0.95).unwrap();
    assert_eq!(found, again);
}

#[test]
fn what_has_no_answer_is_an_error() {
    let mut table = Table::linear(43, 100, 16);
    let names: Vec<String> = (0..16).map(|place| format!("x{place}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let error = drivers(&moments(&table, None), &names, Method::Shapley).unwrap_err();
    assert_eq!(error.message, "Shapley values of 16 drivers are more than the 15 allowed");
    assert!(drivers(&moments(&table, None), &names, Method::RelativeWeights).is_ok());
    table.columns[5] = table.columns[3].clone();
    let error = drivers(&moments(&table, None), &names, Method::RelativeWeights).unwrap_err();
    assert_eq!(error.message, "column \"x4\" of a regression is a linear combination of \"x2\"");
    assert!(Method::parse("lasso").is_err() && Method::parse(" LMG ") == Ok(Method::Shapley));
    let mut blocks = BlockedMoments::new(2);
    let flag = Table {
        columns: vec![
            (0..40).map(f64::from).collect(),
            (0..40).map(|r| f64::from(u8::from(r == 7))).collect(),
        ],
    };
    let keys: Vec<u64> = (0..40).collect();
    flag.batch(None, |batch| blocks.update(batch, &keys)).unwrap();
    let error = drivers_with_interval(&blocks, &["flag"], Method::Shapley, 100, 1, 0.95).unwrap_err();
    assert!(error.message.ends_with("of 100 bootstrap draws have no answer"), "{}", error.message);
    assert!(drivers_with_interval(&blocks, &["flag"], Method::Shapley, 0, 1, 0.95).is_err());
}
