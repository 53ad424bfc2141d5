use super::*;
use crate::journey::dice::Dice;

type Row = (u64, i64, u64, &'static str);

fn trails(rows: &[Row]) -> Trails {
    let mut trails = Trails::default();
    for (customer, time, sequence, step) in rows {
        trails.update(*customer, *time, *sequence, step).unwrap();
    }
    trails
}

fn told(trails: &mut Trails) -> Vec<String> {
    let names = trails.names().clone();
    let tell = |visits: &[Visit]| visits.iter().map(|visit| names.name(visit.step)).collect::<String>();
    trails.customers().map(tell).collect()
}

#[test]
fn order_is_time_then_sequence_then_name() {
    let mut found = trails(&[(2, 1, 0, "z"), (1, 5, 1, "a"), (1, 5, 0, "c"), (1, 5, 0, "b"), (1, 4, 9, "d")]);
    assert_eq!(told(&mut found), ["dbca", "z"]);
}

#[test]
fn order_and_splits_make_no_difference() {
    let mut dice = Dice::new(5);
    for _ in 0..500 {
        let names = ["a", "b", "c", "d"];
        let mut rows: Vec<Row> = (0..dice.below(30))
            .map(|_| (dice.below(3), dice.below(5) as i64, dice.below(2), names[dice.below(4) as usize]))
            .collect();
        let expected = told(&mut trails(&rows));
        dice.shuffle(&mut rows);
        let cut = dice.below(rows.len() as u64 + 1) as usize;
        let mut merged = trails(&rows[cut..]);
        merged.merge(&Trails::from_bytes(&trails(&rows[..cut]).to_bytes()).unwrap()).unwrap();
        assert_eq!(told(&mut merged), expected);
    }
}

#[test]
fn damaged_bytes_are_refused() {
    let bytes = trails(&[(1, 2, 3, "pay")]).to_bytes();
    for length in 0..bytes.len() {
        assert!(Trails::from_bytes(&bytes[..length]).is_err());
    }
    let mut other = bytes.clone();
    other[bytes.len() - 8] = 1;
    assert!(Trails::from_bytes(&other).is_err());
}
