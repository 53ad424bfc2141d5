use super::*;
use crate::regression::simulate::{EXPECTED, Table, same_digits};

fn example(weights: bool) -> ScoredOutcomes {
    let table = Table::parse(include_str!("../../../golden/regression/scores.csv"));
    let mut scored = ScoredOutcomes::new();
    let weights = weights.then_some(&table.columns[2][..]);
    scored.update(&table.columns[0], &table.columns[1], weights).unwrap();
    scored
}

#[test]
fn agrees_with_scikit_learn() {
    let found = calibration(&example(false), 10, Binning::Width, 0.95).unwrap();
    assert!(same_digits(found.brier, EXPECTED.figure("quality", "brier"), 1e-13));
    assert!(same_digits(found.ece, EXPECTED.figure("quality", "ece"), 1e-12));
    assert_eq!(found.n_obs, 400);
    for bin in &found.bins {
        let expected = EXPECTED.row("calibration", &(bin.bin - 1).to_string());
        assert!(
            same_digits(bin.mean_predicted, expected[0], 1e-13)
                && same_digits(bin.observed, expected[1], 1e-13)
        );
        assert_eq!(bin.n_obs, expected[2] as u64);
        assert!(bin.conf_low.unwrap() <= bin.observed && bin.observed <= bin.conf_high.unwrap());
    }
}

#[test]
fn bins_of_equal_count_hold_about_as_many_rows() {
    let found = calibration(&example(false), 8, Binning::Count, 0.95).unwrap();
    assert_eq!(found.bins.iter().map(|bin| bin.n_obs).sum::<u64>(), 400);
    assert!(found.bins.len() == 8 && found.bins.iter().all(|bin| (35..=65).contains(&bin.n_obs)));
    assert!(found.bins.windows(2).all(|pair| pair[0].high < pair[1].low));
    let weighted = calibration(&example(true), 8, Binning::Count, 0.95).unwrap();
    assert!(weighted.bins.iter().all(|bin| bin.conf_low.is_none()));
}

#[test]
fn edges() {
    let mut scored = ScoredOutcomes::new();
    assert_eq!(
        calibration(&scored, 10, Binning::Width, 0.95).unwrap_err().message,
        "calibration has no rows"
    );
    scored.update(&[0.0, 1.0], &[0.0, 1.0], None).unwrap();
    let perfect = calibration(&scored, 10, Binning::Width, 0.95).unwrap();
    assert_eq!((perfect.brier, perfect.ece, perfect.bins.len(), perfect.bins[1].bin), (0.0, 0.0, 2, 10));
    assert!(calibration(&scored, 0, Binning::Width, 0.95).is_err());
    scored.update(&[1.0], &[1.5], None).unwrap();
    assert_eq!(
        calibration(&scored, 10, Binning::Width, 0.95).unwrap_err().message,
        "predicted probability 1.5 is not between 0 and 1"
    );
}
