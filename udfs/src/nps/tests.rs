use super::*;

fn counts(detractors: f64, passives: f64, promoters: f64) -> NpsCounts {
    NpsCounts { detractors, passives, promoters }
}

#[test]
fn scores_and_adjusted_wald_intervals() {
    let cases = [
        (counts(1.0, 2.0, 3.0), 33.3333, -26.7433, 71.1877),
        (counts(10.0, 20.0, 70.0), 60.0, 45.2698, 71.2351),
        (counts(30.0, 40.0, 80.0), 33.3333, 20.1834, 45.1761),
        (counts(300.0, 400.0, 300.0), 0.0, -4.7925, 4.7925),
        // The plain Wald interval is empty here, and the adjusted one would reach 106.3426.
        (counts(0.0, 0.0, 10.0), 100.0, 47.5036, 100.0),
        (counts(10.0, 0.0, 0.0), -100.0, -100.0, -47.5036),
    ];
    for (counts, score, low, high) in cases {
        let close = |a: f64, b: f64| (a - b).abs() < 5e-5;
        assert!(close(counts.score().unwrap(), score), "{counts:?}");
        let interval = counts.interval(0.95).unwrap();
        assert!(close(interval.0, low) && close(interval.1, high), "{counts:?} {interval:?}");
    }
    assert_eq!((counts(0.0, 0.0, 0.0).score(), counts(0.0, 0.0, 0.0).interval(0.95)), (None, None));
}

#[test]
fn a_higher_confidence_level_widens_the_interval() {
    let counts = counts(30.0, 40.0, 80.0);
    let (low_90, high_90) = counts.interval(0.90).unwrap();
    let (low_99, high_99) = counts.interval(0.99).unwrap();
    assert!(low_99 < low_90 && high_90 < high_99);
}

#[test]
fn only_whole_numbers_on_the_scale_have_a_category() {
    let names: Vec<_> = (0..=10).map(|score| Category::of(f64::from(score)).unwrap().as_str()).collect();
    assert!(names[..7].iter().all(|&name| name == "detractor"));
    assert!(names[7..9].iter().all(|&name| name == "passive"));
    assert!(names[9..].iter().all(|&name| name == "promoter"));
    for off in [-1.0, 11.0, 8.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.1, 1e300] {
        assert_eq!(Category::of(off), None, "{off}");
    }
    assert_eq!(Category::of(-0.0), Some(Category::Detractor));
}
