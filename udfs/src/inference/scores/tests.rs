use super::net_promoter::NetPromoter;
use super::rake::{Combinations, Options};
use super::scale::{ScaleShare, TopGrades};
use super::weights::Weights;
use crate::inference::generator::Generator;
use crate::inference::tests::near;

#[test]
fn kish_effective_size() {
    let mut weights = Weights::default();
    for _ in 0..8 {
        [1.0, 2.0, 5.0, 3.0].iter().for_each(|w| weights.update(*w).expect("positive"));
    }
    near("n", weights.n_effective(), 24.820_513, 1e-6);
    near("design effect", weights.design_effect().expect("answers"), 32.0 / 24.820_513, 1e-6);
    assert!(weights.update(-1.0).is_err() && weights.update(f64::NAN).is_err());
    assert_eq!((Weights::default().n_effective(), Weights::default().design_effect()), (0.0, None));
}

fn share(grades: TopGrades, scores: &[f64]) -> ScaleShare {
    let mut share = ScaleShare::default();
    scores.iter().for_each(|score| share.update(grades, *score, 1.0).expect("weight"));
    share
}

#[test]
fn shares_of_a_scale() {
    let scores = [5.0, 5.0, 4.0, 3.0, 0.0, 6.0, 4.5, f64::NAN];
    let csat = share(TopGrades::csat(5).expect("scale"), &scores);
    assert_eq!((csat.share.share(), csat.share.n(), csat.invalid), (Some(0.75), 4.0, 4));
    let (low, high) = csat.share.interval(0.95).expect("valid").expect("answers");
    near("low", low, 0.300_642, 1e-6);
    near("high", high, 0.954_413, 1e-6);
    let ces = share(TopGrades::ces(7).expect("scale"), &[7.0, 5.0, 4.0, 1.0]);
    assert_eq!(ces.share.share(), Some(0.5));
    assert_eq!(share(TopGrades::ces(5).expect("scale"), &[4.0, 3.0]).share.share(), Some(0.5));
    assert_eq!(share(TopGrades::ces(4).expect("scale"), &[3.0, 2.0]).share.share(), Some(0.5));
    let top = share(TopGrades::top_box(1, 10).expect("scale"), &[10.0, 9.0]);
    assert_eq!(top.share.share(), Some(0.5));
    assert_eq!(ScaleShare::default().share.share(), None);
    assert_eq!(ScaleShare::from_bytes(&csat.to_bytes()), Ok(csat));
    for (k, scale) in [(0, 5), (5, 5), (1, 2), (2, -4)] {
        assert!(TopGrades::top_box(k, scale).is_err());
    }
}

#[test]
fn weighted_share_is_scale_free_and_rows_are_weights() {
    let csat = TopGrades::csat(5).expect("scale");
    let (mut weighted, mut scaled) = (ScaleShare::default(), ScaleShare::default());
    for (score, weight) in [(5.0, 2.0), (1.0, 1.0), (4.0, 3.0)] {
        weighted.update(csat, score, weight).expect("weight");
        scaled.update(csat, score, 10.0 * weight).expect("weight");
    }
    near("share", weighted.share.share().expect("answers"), 5.0 / 6.0, 1e-14);
    let [one, two] = [weighted, scaled].map(|s| s.share.interval(0.9).expect("valid").expect("answers"));
    near("low", two.0, one.0, 1e-12);
    near("high", two.1, one.1, 1e-12);
}

#[test]
fn net_promoter_golden_intervals() {
    let cases = [
        ([1, 2, 3], 33.3333, -26.7433, 71.1877),
        ([10, 20, 70], 60.0, 45.2698, 71.2351),
        ([30, 40, 80], 33.3333, 20.1834, 45.1761),
        ([300, 400, 300], 0.0, -4.7925, 4.7925),
        ([0, 0, 10], 100.0, 47.5036, 100.0),
    ];
    for ([detractors, passives, promoters], score, low, high) in cases {
        let found = NetPromoter::of(detractors, passives, promoters);
        near("score", found.score().expect("answers"), score, 5e-5);
        let interval = found.interval(0.95).expect("valid").expect("answers");
        near("low", interval.0, low, 5e-5);
        near("high", interval.1, high, 5e-5);
    }
    assert_eq!(NetPromoter::default().interval(0.95), Ok(None));
}

#[test]
fn net_promoter_of_weights_in_any_split() {
    let mut generator = Generator::new(5);
    let answers: Vec<(f64, f64)> =
        (0..500).map(|_| (generator.below(12) as f64, 0.2 + generator.uniform())).collect();
    let mut whole = NetPromoter::default();
    answers.iter().for_each(|(score, weight)| whole.update(*score, *weight).expect("weight"));
    let mut merged = NetPromoter::default();
    for part in answers.rchunks(61) {
        let mut state = NetPromoter::default();
        part.iter().for_each(|(score, weight)| state.update(*score, 3.0 * weight).expect("weight"));
        merged.merge(&NetPromoter::from_bytes(&state.to_bytes()).expect("whole"));
    }
    near("score", merged.score().expect("answers"), whole.score().expect("answers"), 1e-12);
    near("n", merged.n_effective(), whole.n_effective(), 1e-12);
    assert!(whole.n_effective() < whole.n() && whole.invalid > 0 && merged.invalid == whole.invalid);
    let ends = [&merged, &whole].map(|state| state.interval(0.95).expect("valid").expect("answers"));
    near("low", ends[0].0, ends[1].0, 1e-12);
}

fn combinations() -> Combinations {
    let mut rows = Combinations::default();
    for (categories, count) in [([0, 0], 30), ([0, 1], 10), ([1, 0], 25), ([1, 1], 35)] {
        (0..count).for_each(|_| rows.update(&categories).expect("two dimensions"));
    }
    rows
}

#[test]
fn raking_reaches_its_targets() {
    let raked = combinations()
        .rake(&[vec![0.5, 0.5], vec![6.0, 4.0]], &["gender", "region"], Options::default())
        .expect("reachable");
    assert!(raked.converged && raked.error < 1e-9);
    let weight = |categories: [u32; 2]| raked.weights[&categories[..]];
    let cells = [30.0 * weight([0, 0]), 10.0 * weight([0, 1]), 25.0 * weight([1, 0]), 35.0 * weight([1, 1])];
    near("gender", cells[0] + cells[1], 50.0, 1e-7);
    near("region", cells[0] + cells[2], 60.0, 1e-7);
    // Raking leaves the odds ratio of the table as it was.
    near("odds", cells[0] * cells[3] / (cells[1] * cells[2]), 30.0 * 35.0 / (10.0 * 25.0), 1e-9);
    near("sum", cells.iter().sum(), 100.0, 1e-9);
    assert!(raked.n_effective < 100.0);
}

#[test]
fn raking_trims_and_says_so() {
    let options = Options { trim: Some(1.3), ..Options::default() };
    let raked = combinations()
        .rake(&[vec![0.9, 0.1], vec![0.5, 0.5]], &["gender", "region"], options)
        .expect("reachable");
    assert!(!raked.converged && raked.error > 0.01);
    assert!(raked.weights.values().all(|weight| *weight <= 1.3 + 1e-6 && *weight >= 1.0 / 1.3 - 1e-6));
}

#[test]
fn raking_refuses_what_cannot_be_reached() {
    let rake = |targets: &[Vec<f64>]| combinations().rake(targets, &["gender", "region"], Options::default());
    let message = |targets: &[Vec<f64>]| rake(targets).expect_err("unreachable").message;
    let even = vec![0.5, 0.5];
    assert_eq!(
        message(&[even.clone(), vec![0.3, 0.3, 0.4]]),
        "category 2 of region has a target share but no rows"
    );
    assert_eq!(message(&[even.clone(), vec![1.0]]), "category 1 of region has rows but no target share");
    assert_eq!(message(&[vec![1.0, 0.0], even.clone()]), "category 1 of gender has rows but no target share");
    assert_eq!(message(&[even.clone(), vec![-1.0, 2.0]]), "target share -1 of region is negative");
    assert_eq!(message(std::slice::from_ref(&even)), "rows have 2 dimensions and the targets 1");
    assert!(
        Combinations::default().rake(std::slice::from_ref(&even), &["gender"], Options::default()).is_err()
    );
    assert!(combinations().update(&[0]).is_err());
}

#[test]
fn raking_does_not_depend_on_the_split() {
    let mut merged = Combinations::default();
    for _ in 0..2 {
        merged.merge(&Combinations::from_bytes(&combinations().to_bytes()).expect("whole")).expect("same");
    }
    let targets = [vec![0.5, 0.5], vec![0.6, 0.4]];
    let [one, two] =
        [combinations(), merged].map(|rows| rows.rake(&targets, &[], Options::default()).expect("reachable"));
    for (categories, weight) in one.weights {
        near("weight", two.weights[&categories], weight, 1e-9);
    }
}
