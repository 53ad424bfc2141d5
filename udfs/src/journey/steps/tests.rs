use super::*;
use crate::journey::dice::Dice;

const SECOND: i64 = 1_000_000;

type Row = (u64, i64, &'static str);

fn trails(rows: &[Row]) -> Trails {
    let mut trails = Trails::default();
    for (customer, second, step) in rows {
        trails.update(*customer, second * SECOND, 0, step).unwrap();
    }
    trails
}

const ROWS: [Row; 9] = [
    (1, 0, "home"),
    (1, 10, "cart"),
    (1, 12, "cart"),
    (1, 20, "pay"),
    (2, 0, "home"),
    (2, 30, "cart"),
    (3, 0, "home"),
    (3, 100, "home"),
    (4, 500, "home"),
];

#[test]
fn steps_by_hand() {
    let rule = EndRule { goals: vec!["pay".to_owned()], open_from: Some(500 * SECOND) };
    let mut found = Steps::of(&mut trails(&ROWS), &rule);
    let rows = found.steps(0.95);
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.step.as_str(), row.visits, row.customers, row.dropped, row.finished, row.open))
        .collect();
    assert_eq!(told, [("home", 4, 4, 1, 0, 1), ("cart", 2, 2, 1, 0, 0), ("pay", 1, 1, 0, 1, 0)]);
    // The interval of 1 in 3 by Wilson: statsmodels proportion_confint.
    let (rate, low, high) = rows[0].drop_rate.unwrap();
    assert!((rate - 1.0 / 3.0).abs() < 1e-12);
    assert!((low - 0.061_492).abs() < 1e-6 && (high - 0.792_340).abs() < 1e-6, "{low} {high}");
    let transitions = found.transitions();
    let row = |from: &str, to: &str, n, share, median_seconds, mean_seconds| TransitionRow {
        from: from.to_owned(),
        to: to.to_owned(),
        n,
        share,
        median_seconds,
        mean_seconds,
    };
    assert_eq!(transitions, [row("home", "cart", 2, 0.5, 20.0, 20.0), row("cart", "pay", 1, 0.5, 8.0, 8.0)]);
}

#[test]
fn an_open_step_has_no_rate() {
    let rule = EndRule { open_from: Some(0), ..EndRule::default() };
    let found = Steps::of(&mut trails(&[(1, 5, "home")]), &rule);
    assert_eq!(found.steps(0.95)[0].drop_rate, None);
}

#[test]
fn medians() {
    assert!((median(&mut [5, 1, 9]) - 5.0).abs() < 1e-12);
    assert!((median(&mut [8, 1, 9, 2]) - 5.0).abs() < 1e-12);
    assert!(median(&mut []).is_nan());
    assert!((median(&mut [i64::MAX, i64::MAX]) - i64::MAX as f64).abs() < 1.0);
}

#[test]
fn customers_may_be_split() {
    let mut dice = Dice::new(9);
    let names = ["a", "b", "c", "d"];
    for _ in 0..300 {
        let mut rows: Vec<Row> = (0..dice.below(40))
            .map(|_| (dice.below(6), dice.below(20) as i64, names[dice.below(4) as usize]))
            .collect();
        let rule = EndRule { goals: vec!["d".to_owned()], open_from: Some(18 * SECOND) };
        let mut whole = Steps::of(&mut trails(&rows), &rule);
        dice.shuffle(&mut rows);
        let (left, right): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.0 < 3);
        let mut merged = Steps::of(&mut trails(&left), &rule);
        let other = Steps::of(&mut trails(&right), &rule);
        merged.merge(&Steps::from_bytes(&other.to_bytes()).unwrap()).unwrap();
        assert_eq!(merged.steps(0.95), whole.steps(0.95));
        assert_eq!(merged.transitions(), whole.transitions());
    }
}
