use super::*;

fn moments(values: &[f64]) -> Moments {
    let mut moments = Moments::default();
    for &x in values {
        moments.add(&[x]).unwrap();
    }
    moments
}

#[test]
fn students_interval() {
    // 1..10: mean 5.5, s = 3.0276503541, t(0.975; 9) = 2.2621571628.
    let values: Vec<f64> = (1..=10).map(f64::from).collect();
    let (low, high) = moments(&values).interval(0.95).unwrap();
    let half = 2.262_157_162_8 * 3.027_650_354_1 / 10f64.sqrt();
    assert!((low - (5.5 - half)).abs() < 1e-9 && (high - (5.5 + half)).abs() < 1e-9, "{low} {high}");
}

#[test]
fn too_few_values_have_no_interval_and_equal_ones_an_empty_one() {
    assert_eq!(moments(&[]).interval(0.95), None);
    assert_eq!(moments(&[3.0]).interval(0.95), None);
    assert_eq!(moments(&[3.0, 3.0]).interval(0.95), Some((3.0, 3.0)));
}

#[test]
fn a_value_that_is_not_finite_leaves_with_its_row() {
    let mut moments = moments(&[1.0, f64::NAN, 2.0]);
    assert!(moments.interval(0.95).unwrap().0.is_nan());
    moments.remove(&[f64::NAN]).unwrap();
    assert!(moments.interval(0.95).unwrap().0.is_finite());
}

#[test]
fn far_from_zero_the_spread_survives() {
    let (low, high) = moments(&[1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0]).interval(0.95).unwrap();
    // t(0.975; 2) = 4.3026527297.
    assert!((high - low - 2.0 * 4.302_652_729_7 / 3f64.sqrt()).abs() < 1e-6, "{low} {high}");
}
