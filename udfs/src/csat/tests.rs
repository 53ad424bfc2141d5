use super::*;

#[test]
fn the_two_best_grades_are_satisfied() {
    let mut counts = CsatCounts::default();
    for score in [5.0, 4.0, 3.0, 1.0, 0.0, 6.0, 4.5, f64::NAN] {
        counts.add(&[score, 5.0]).unwrap();
    }
    assert_eq!(counts, CsatCounts { top: 2.0, answers: 4.0 });
    assert_eq!(counts.percentage(), Some(50.0));
    counts.remove(&[1.0, 5.0]).unwrap();
    assert_eq!(counts, CsatCounts { top: 2.0, answers: 3.0 });
}

#[test]
fn the_interval_is_wilsons() {
    let (low, high) = CsatCounts { top: 8.0, answers: 10.0 }.interval(0.95).unwrap();
    assert!((low - 49.0162).abs() < 5e-5 && (high - 94.3318).abs() < 5e-5, "{low} {high}");
    assert_eq!(CsatCounts::default().interval(0.95), None);
}

#[test]
fn a_scale_without_a_middle_is_an_error() {
    for scale_max in [2.0, 0.0, -5.0, 4.5, f64::NAN, f64::INFINITY] {
        let error = CsatCounts::default().add(&[1.0, scale_max]).unwrap_err();
        assert_eq!(error.sqlstate(), "22023", "{scale_max}");
    }
}
