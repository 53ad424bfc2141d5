use super::*;
use crate::journey::dice::Dice;

const WEEK: i64 = 7 * 86_400_000_000;
/// 2024-12-30, a Monday.
const MONDAY: i64 = 20_087 * 86_400_000_000;

fn seen(weeks: &[i64]) -> ActivePeriods {
    let mut customer = ActivePeriods::default();
    weeks.iter().for_each(|week| customer.update(Period::Week.number(MONDAY + week * WEEK + 5)));
    customer
}

#[test]
fn cells_by_hand() {
    let mut cohorts = Cohorts::default();
    for weeks in [vec![0, 1, 1, 2], vec![2, 0, 2], vec![0], vec![1, 2], vec![]] {
        cohorts.add(&mut seen(&weeks));
    }
    let cells = cohorts.cells(Period::Week, MONDAY + 3 * WEEK - 1, 0.95, 100).unwrap();
    let found: Vec<_> =
        cells.iter().map(|c| ((c.cohort - MONDAY) / WEEK, c.k, c.n, c.retained, c.complete)).collect();
    assert_eq!(
        found,
        [
            (0, 0, 3, 3, true),
            (0, 1, 3, 1, true),
            (0, 2, 3, 2, false),
            (1, 0, 1, 1, true),
            (1, 1, 1, 1, false)
        ]
    );
    // statsmodels proportion_confint(2, 3, method="wilson").
    assert!((cells[2].conf_low - 0.207_660).abs() < 1e-6 && (cells[2].conf_high - 0.938_508).abs() < 1e-6);
    assert!(cohorts.cells(Period::Week, MONDAY + 3 * WEEK, 0.95, 4).is_err());
}

#[test]
fn order_and_splits_make_no_difference() {
    let mut dice = Dice::new(3);
    for _ in 0..200 {
        let mut weeks: Vec<i64> = (0..dice.below(20)).map(|_| dice.below(6) as i64).collect();
        let mut whole = Cohorts::default();
        whole.add(&mut seen(&weeks));
        dice.shuffle(&mut weeks);
        let cut = dice.below(weeks.len() as u64 + 1) as usize;
        let mut left = seen(&weeks[cut..]);
        left.merge(&ActivePeriods::from_bytes(&seen(&weeks[..cut]).to_bytes()).unwrap());
        let mut merged = Cohorts::default();
        let mut part = Cohorts::default();
        part.add(&mut left);
        merged.merge(&Cohorts::from_bytes(&part.to_bytes()).unwrap());
        assert_eq!(merged, whole);
    }
}
