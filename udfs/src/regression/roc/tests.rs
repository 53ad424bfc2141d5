use super::*;
use crate::regression::simulate::{EXPECTED, Table, near, same_digits};

fn scored(table: &Table, weights: Option<&[f64]>) -> ScoredOutcomes {
    let mut scored = ScoredOutcomes::new();
    scored.update(&table.columns[0], &table.columns[1], weights).unwrap();
    scored
}

fn example() -> Table {
    Table::parse(include_str!("../../../golden/regression/scores.csv"))
}

#[test]
fn agrees_with_scikit_learn_and_delong() {
    let table = example();
    let found = scored(&table, None).auc(0.95).unwrap();
    assert!(same_digits(found.auc, EXPECTED.figure("quality", "auc"), 1e-13));
    assert!(same_digits(found.std_error.unwrap(), EXPECTED.figure("quality", "auc_std_error"), 1e-12));
    assert!(found.conf_low.unwrap() < found.auc && found.auc < found.conf_high.unwrap());
    let weighted = scored(&table, Some(&table.columns[2])).auc(0.95).unwrap();
    assert!(same_digits(weighted.auc, EXPECTED.figure("quality", "auc_weighted"), 1e-12));
    assert_eq!((weighted.std_error, weighted.n_obs), (None, 400));
}

#[test]
fn order_and_splits_do_not_matter() {
    let table = example();
    let whole = scored(&table, None).auc(0.9).unwrap();
    let shuffled = scored(&table.shuffled(5), None).auc(0.9).unwrap();
    let mut merged = scored(&table.take(&(0..77).collect::<Vec<_>>()), None);
    let rest = scored(&table.take(&(77..400).collect::<Vec<_>>()), None);
    merged.merge(&ScoredOutcomes::from_bytes(&rest.to_bytes()).unwrap());
    for other in [shuffled, merged.auc(0.9).unwrap()] {
        assert!(
            near(other.auc, whole.auc, 1e-14)
                && near(other.conf_low.unwrap(), whole.conf_low.unwrap(), 1e-13)
        );
    }
}

#[test]
fn edges() {
    let auc = |outcomes: &[f64], scores: &[f64]| {
        scored(&Table { columns: vec![outcomes.to_vec(), scores.to_vec()] }, None).auc(0.95)
    };
    let perfect = auc(&[0.0, 0.0, 1.0, 1.0], &[0.1, 0.2, 0.3, 0.4]).unwrap();
    assert_eq!((perfect.auc, perfect.std_error, perfect.conf_low), (1.0, Some(0.0), None));
    assert_eq!(auc(&[1.0, 0.0], &[0.1, 0.2]).unwrap().auc, 0.0);
    assert_eq!(auc(&[1.0, 0.0, 1.0], &[0.5; 3]).unwrap().auc, 0.5);
    assert_eq!(auc(&[1.0, 1.0], &[0.1, 0.2]).unwrap_err().message, "ROC curve has no rows with outcome 0");
    assert_eq!(auc(&[], &[]).unwrap_err().message, "ROC curve has no rows with outcome 1");
    let mut state = ScoredOutcomes::new();
    assert!(state.update(&[2.0], &[0.1], None).is_err() && state.update(&[1.0], &[], None).is_err());
    assert!(state.update(&[1.0], &[0.1], Some(&[-1.0])).is_err());
    state.update(&[1.0, 0.0, f64::NAN], &[f64::NAN, 0.1, 0.2], None).unwrap();
    assert_eq!(state.skipped(), 2);
    assert!(ScoredOutcomes::from_bytes(&[3; 31]).is_err());
}
