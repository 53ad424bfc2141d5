use super::*;

fn counts(detractors: usize, passives: usize, promoters: usize) -> NpsCounts {
    let mut counts = NpsCounts::default();
    for (score, times) in [(3.0, detractors), (8.0, passives), (10.0, promoters)] {
        (0..times).for_each(|_| counts.add(&row(score, 1.0)).unwrap());
    }
    counts
}

fn row(score: f64, weight: f64) -> [f64; 6] {
    [score, weight, 0.0, 6.0, 8.0, 10.0]
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 5e-5
}

#[test]
fn scores_and_adjusted_wald_intervals() {
    let cases = [
        (counts(1, 2, 3), 33.3333, -26.7433, 71.1877),
        (counts(10, 20, 70), 60.0, 45.2698, 71.2351),
        (counts(30, 40, 80), 33.3333, 20.1834, 45.1761),
        (counts(300, 400, 300), 0.0, -4.7925, 4.7925),
        // The plain Wald interval is empty here, and the adjusted one would reach 106.3426.
        (counts(0, 0, 10), 100.0, 47.5036, 100.0),
        (counts(10, 0, 0), -100.0, -100.0, -47.5036),
    ];
    for (counts, score, low, high) in cases {
        assert!(close(counts.score().unwrap(), score), "{counts:?}");
        let interval = counts.interval(0.95).unwrap();
        assert!(close(interval.0, low) && close(interval.1, high), "{counts:?} {interval:?}");
    }
    assert_eq!((NpsCounts::default().score(), NpsCounts::default().interval(0.95)), (None, None));
}

#[test]
fn a_higher_confidence_level_widens_the_interval() {
    let counts = counts(30, 40, 80);
    let (low_90, high_90) = counts.interval(0.90).unwrap();
    let (low_99, high_99) = counts.interval(0.99).unwrap();
    assert!(low_99 < low_90 && high_90 < high_99);
}

#[test]
fn weights_are_relative_and_cost_precision() {
    let weighed = |factor: f64| {
        let mut counts = NpsCounts::default();
        for (score, weight) in [(10.0, 3.0), (9.0, 1.0), (2.0, 2.0), (7.0, 2.0)] {
            counts.add(&row(score, factor * weight)).unwrap();
        }
        counts
    };
    let counts = weighed(1.0);
    assert!(close(counts.score().unwrap(), 25.0) && counts.answers() == 4);
    // (3 + 1 + 2 + 2)² / (9 + 1 + 4 + 4)
    assert!(close(counts.effective().unwrap(), 64.0 / 18.0));
    let (low, high) = counts.interval(0.95).unwrap();
    let (low_10, high_10) = weighed(10.0).interval(0.95).unwrap();
    assert!((low - low_10).abs() < 1e-9 && (high - high_10).abs() < 1e-9);
    let unweighted = super::tests::counts(1, 1, 2).interval(0.95).unwrap();
    assert!(high - low > unweighted.1 - unweighted.0);
}

#[test]
fn another_scale_has_other_breaks_and_two_scales_have_no_score() {
    let mut counts = NpsCounts::default();
    for score in [5.0, 5.0, 4.0, 1.0, 0.0, 6.0] {
        counts.add(&[score, 1.0, 1.0, 3.0, 4.0, 5.0]).unwrap();
    }
    assert_eq!((counts.score(), counts.answers(), counts.out()), (Some(25.0), 4, 2));
    let error = counts.add(&row(9.0, 1.0)).unwrap_err();
    assert_eq!(error.sqlstate(), "22023");
    assert_eq!(error.message(), "answers on a scale of 1 to 5 and of 0 to 10 have no common score");
    let mut usual = super::tests::counts(1, 0, 0);
    assert!(usual.merge(&counts).is_err());
    let mut none = NpsCounts::default();
    none.merge(&counts).unwrap();
    none.merge(&NpsCounts::default()).unwrap();
    assert_eq!(NpsCounts::load(none.save()), counts);
    for breaks in
        [[0.0, 8.0, 6.0, 10.0], [0.0, 6.0, 10.0, 10.0], [0.5, 6.0, 8.0, 10.0], [0.0, f64::NAN, 8.0, 10.0]]
    {
        let [lowest, detractors_to, passives_to, highest] = breaks;
        let row = [5.0, 1.0, lowest, detractors_to, passives_to, highest];
        assert_eq!(NpsCounts::default().add(&row).unwrap_err().sqlstate(), "22023", "{breaks:?}");
    }
}

#[test]
fn only_whole_numbers_on_the_scale_have_a_category() {
    let category = |score| Breaks::USUAL.category(score);
    let names: Vec<_> = (0..=10).map(|score| category(f64::from(score)).unwrap().as_str()).collect();
    assert!(names[..7].iter().all(|&name| name == "detractor"));
    assert!(names[7..9].iter().all(|&name| name == "passive"));
    assert!(names[9..].iter().all(|&name| name == "promoter"));
    for off in [-1.0, 11.0, 8.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.1, 1e300] {
        assert_eq!(category(off), None, "{off}");
    }
    assert_eq!(category(-0.0), Some(Category::Detractor));
}
