use super::*;
use crate::regression::simulate::{DRIVERS, EXPECTED, Generator, NPS, near, same_digits, survey};

fn pairs(y: &[f64], x: &[f64]) -> Pairs {
    let mut pairs = Pairs::new();
    pairs.update(y, x).unwrap();
    pairs
}

#[test]
fn agrees_with_scipy() {
    let table = survey().outcome(NPS);
    for (place, name) in DRIVERS.iter().enumerate() {
        let pairs = pairs(&table.columns[0], &table.columns[place + 1]);
        for (case, found) in [("spearman", pairs.spearman(0.95)), ("kendall", pairs.kendall(0.95))] {
            let (found, expected) = (found.unwrap(), EXPECTED.row(case, name));
            assert!(same_digits(found.estimate.unwrap(), expected[0], 1e-12), "{case} {name}");
            assert!(
                same_digits(found.p_value.unwrap(), expected[1], 1e-8),
                "{case} {name} {:?}",
                found.p_value
            );
            assert!(found.conf_low < found.estimate && found.estimate < found.conf_high);
        }
    }
}

#[test]
fn order_splits_and_monotone_changes_do_not_matter() {
    let table = survey().outcome(NPS);
    let (y, x) = (&table.columns[0], &table.columns[4]);
    let whole = pairs(y, x);
    let mut merged = pairs(&y[100..], &x[100..]);
    merged.merge(&Pairs::from_bytes(&pairs(&y[..100], &x[..100]).to_bytes()).unwrap());
    let cubes: Vec<f64> = x.iter().map(|x| x * x * x).collect();
    let falling: Vec<f64> = x.iter().map(|x| -x).collect();
    assert_eq!(whole.spearman(0.9), merged.spearman(0.9));
    assert_eq!(whole.kendall(0.9), merged.kendall(0.9));
    assert_eq!(whole.kendall(0.9), pairs(y, &cubes).kendall(0.9));
    let turned = pairs(y, &falling).kendall(0.9).unwrap();
    assert_eq!(turned.estimate.unwrap(), -whole.kendall(0.9).unwrap().estimate.unwrap());
}

#[test]
fn kendall_counts_every_pair() {
    let mut random = Generator(71);
    let y: Vec<f64> = (0..60).map(|_| random.below(6) as f64).collect();
    let x: Vec<f64> = (0..60).map(|_| random.below(9) as f64).collect();
    let (mut score, mut tied_x, mut tied_y) = (0.0, 0.0, 0.0);
    for i in 0..60 {
        for j in 0..i {
            let sign = |a: f64, b: f64| if a == b { 0.0 } else { (a - b).signum() };
            score += sign(x[i], x[j]) * sign(y[i], y[j]);
            tied_x += f64::from(u8::from(x[i] == x[j]));
            tied_y += f64::from(u8::from(y[i] == y[j]));
        }
    }
    let expected = score / ((1770.0f64 - tied_x) * (1770.0 - tied_y)).sqrt();
    assert!(near(pairs(&y, &x).kendall(0.95).unwrap().estimate.unwrap(), expected, 1e-14));
}

#[test]
fn edges() {
    let up = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let perfect = pairs(&up, &up).spearman(0.95).unwrap();
    assert_eq!((perfect.estimate, perfect.p_value, perfect.conf_high), (Some(1.0), None, Some(1.0)));
    assert_eq!(pairs(&up, &up).kendall(0.95).unwrap().estimate, Some(1.0));
    let constant = pairs(&up, &[3.0; 6]).kendall(0.95).unwrap();
    assert_eq!((constant.n_obs, constant.estimate, constant.p_value), (6, None, None));
    assert_eq!(pairs(&up, &[3.0; 6]).spearman(0.95).unwrap().estimate, None);
    let none = Pairs::new();
    assert_eq!((none.spearman(0.95).unwrap().estimate, none.kendall(0.95).unwrap().estimate), (None, None));
    let holes = pairs(&[1.0, f64::NAN, 3.0], &[1.0, 2.0, f64::INFINITY]);
    assert_eq!((holes.skipped(), holes.spearman(0.95).unwrap().n_obs), (2, 1));
    assert!(Pairs::new().update(&[1.0], &[]).is_err() && none.spearman(0.0).is_err());
    assert!(Pairs::from_bytes(&[9; 17]).is_err());
}
