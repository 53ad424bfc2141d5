//! Whatever comes in, what comes out is an answer or an error.

use super::batch::Batch;
use super::calibration::{Binning, calibration};
use super::change::PeriodScores;
use super::clustered::ClusteredMoments;
use super::drivers::{Method, drivers, drivers_with_interval, logistic_drivers};
use super::impact::TopicScores;
use super::linear::{self, LinearFit};
use super::logistic::{self, LogisticOptions};
use super::moments::Moments;
use super::rank::Pairs;
use super::resample::{BlockedMoments, row_keys};
use super::robust::{Correction, ResidualProducts};
use super::roc::ScoredOutcomes;
use super::scores::Metric;
use super::simulate::Generator;
use super::term::Term;
use super::{Invalid, ordinal, quoted};

const ODD: [f64; 14] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    1e308,
    -1e308,
    5e-324,
    1e-200,
    1e160,
    -0.0,
    0.0,
    1.0,
    2.0,
    10.0,
    0.3,
];
const NAMES: [&str; 4] = ["a", "b", "c", "d"];

fn draw(random: &mut Generator, oddness: f64) -> f64 {
    if random.uniform() < oddness { ODD[random.below(ODD.len())] } else { random.below(4) as f64 }
}

fn check_terms(result: Result<Vec<Term>, Invalid>) {
    match result {
        Ok(terms) => {
            for term in terms {
                assert!(term.estimate.is_finite() && term.std_error >= 0.0, "{term:?}");
                assert!(term.p_value.is_none_or(|p| (0.0..=1.0).contains(&p)), "{term:?}");
            }
        }
        Err(error) => assert!(!error.message.is_empty() && !error.message.contains("NaN"), "{error}"),
    }
}

fn linear_kernels(batch: &Batch, names: &[&str], clusters: &[u64]) -> Result<LinearFit, Invalid> {
    let mut moments = Moments::new(names.len() + 1);
    moments.update(batch)?;
    let mut clustered = ClusteredMoments::new(names.len() + 1);
    clustered.update(batch, clusters)?;
    check_terms(clustered.fit(names, 0.9).map(|fit| fit.terms));
    let mut blocks = BlockedMoments::new(names.len() + 1);
    blocks.update(batch, &row_keys(&[*batch])[0])?;
    for method in [Method::RelativeWeights, Method::Shapley, Method::Correlation] {
        for found in
            [drivers(&moments, names, method), drivers_with_interval(&blocks, names, method, 20, 3, 0.9)]
        {
            assert!(found.iter().flatten().all(|driver| driver.importance >= 0.0));
        }
    }
    let fit = linear::fit(&moments, names, 0.9)?;
    for correction in [Correction::Hc0, Correction::Hc1, Correction::Hc2, Correction::Hc3] {
        let mut products = ResidualProducts::new(&fit, correction);
        check_terms(products.update(&fit, batch).and_then(|()| products.terms(&fit, 0.9)));
    }
    Ok(fit)
}

#[test]
fn odd_numbers_give_an_answer_or_an_error() {
    let mut random = Generator(101);
    for round in 0..1500 {
        let oddness = [0.0, 0.05, 0.5][round % 3];
        let (rows, predictors) = (random.below(14), random.below(5));
        let columns: Vec<Vec<f64>> =
            (0..=predictors).map(|_| (0..rows).map(|_| draw(&mut random, oddness)).collect()).collect();
        let binary: Vec<f64> = columns[0].iter().map(|y| f64::from(u8::from(*y > 1.0))).collect();
        let weights: Vec<f64> = (0..rows).map(|_| draw(&mut random, oddness).abs()).collect();
        let valid: Vec<bool> = (0..rows).map(|_| random.uniform() < 0.9).collect();
        let clusters: Vec<u64> = (0..rows).map(|_| random.below(3) as u64).collect();
        let names = &NAMES[..predictors];
        let mut slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let weights = (random.uniform() < 0.5).then_some(&weights[..]);
        let batch = Batch { columns: &slices, weights, valid: Some(&valid) };
        check_terms(linear_kernels(&batch, names, &clusters).map(|fit| fit.terms));
        check_terms(ordinal::fit(&[batch], names, 0.9).map(|fit| fit.terms));
        slices[0] = &binary;
        let batch = Batch { columns: &slices, weights, valid: Some(&valid) };
        for firth in [false, true] {
            let options = LogisticOptions { conf: 0.9, firth };
            check_terms(logistic::fit(&[batch], names, &options).map(|fit| fit.terms));
        }
        let _ = logistic_drivers(&[batch], names);
        scores(&binary, &columns[0], weights, &valid);
    }
}

fn scores(binary: &[f64], odd: &[f64], weights: Option<&[f64]>, flags: &[bool]) {
    let mut scored = ScoredOutcomes::new();
    // All of them refuse the same weights.
    let Ok(()) = scored.update(binary, odd, weights) else { return };
    assert!(scored.auc(0.9).map_or(true, |auc| (0.0..=1.0).contains(&auc.auc)));
    let _ = calibration(&scored, 3, Binning::Count, 0.9);
    let mut pairs = Pairs::new();
    pairs.update(odd, binary).unwrap();
    for found in [pairs.spearman(0.9).unwrap(), pairs.kendall(0.9).unwrap()] {
        assert!(
            found.estimate.is_none_or(|r| (-1.0..=1.0).contains(&r))
                && found.p_value.is_none_or(|p| p <= 1.0)
        );
    }
    for metric in [Metric::Mean, Metric::Nps] {
        let mut topics = TopicScores::new(metric, 1).unwrap();
        topics.update(odd, &[flags], weights).unwrap();
        let _ = (topics.impacts(&["a"], 0.9).unwrap(), topics.contributions(&["a"]));
        let mut periods = PeriodScores::new(metric);
        periods.update(odd, &vec!["s"; odd.len()], flags, weights).unwrap();
        let _ = periods.explain(0.9);
    }
}

#[test]
fn names_are_listed_as_in_a_sentence() {
    assert_eq!(quoted(&["a"]), "\"a\"");
    assert_eq!(quoted(&["a", "b", "c"]), "\"a\", \"b\" and \"c\"");
    assert_eq!(quoted::<&str>(&[]), "");
}
