use super::*;
use crate::journey::dice::Dice;

fn event(time: i64, sequence: u64, conditions: u64) -> Event {
    Event { time, sequence, conditions }
}

#[test]
fn order_is_time_then_sequence_then_conditions() {
    let ordered = [
        event(1, 9, 0b100),
        event(2, 0, 0),
        event(2, 0, 0b001),
        event(2, 0, 0b101),
        event(2, 0, 0b010),
        event(2, 1, 0b001),
    ];
    assert!(ordered.is_sorted());
    let mut mixed = ordered;
    Dice::new(1).shuffle(&mut mixed);
    let mut buffer = Events::default();
    mixed.into_iter().for_each(|event| buffer.push(event));
    assert_eq!(buffer.sorted(), ordered);
}

#[test]
fn any_split_merges_to_the_same() {
    let mut dice = Dice::new(7);
    for _ in 0..200 {
        let rows: Vec<Event> =
            (0..dice.below(12)).map(|_| event(dice.below(4) as i64, dice.below(2), dice.below(8))).collect();
        let mut whole = Events::default();
        rows.iter().for_each(|row| whole.push(*row));
        let mut parts = [Events::default(), Events::default(), Events::default()];
        rows.iter().for_each(|row| parts[dice.below(3) as usize].push(*row));
        let mut merged = Events::default();
        for part in &parts {
            merged.merge(&Events::from_bytes(&part.to_bytes()).unwrap());
        }
        assert_eq!(merged.sorted(), whole.sorted());
    }
}

#[test]
fn damaged_bytes_are_refused() {
    let mut buffer = Events::default();
    buffer.push(event(1, 0, 1));
    let bytes = buffer.to_bytes();
    assert!(Events::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    assert!(Events::from_bytes(&[bytes.as_slice(), &[0]].concat()).is_err());
    assert!(Events::from_bytes(&u64::MAX.to_le_bytes()).is_err());
    assert!(Events::from_bytes(&[]).is_err());
}
