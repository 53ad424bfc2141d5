use super::Retention;
use crate::inference::generator::Generator;
use crate::inference::tests::near;

#[test]
fn customers_count_once_a_cell() {
    let mut retention = Retention::default();
    for (customer, cohort, activity) in
        [(1, 0, 0), (1, 0, 0), (1, 0, 2), (2, 0, 0), (3, 1, 1), (3, 1, 2), (3, 1, 2), (2, 0, 2)]
    {
        retention.update(customer, cohort, activity).expect("valid");
    }
    let table = retention.table(0.95).expect("valid");
    let cells: Vec<_> =
        table.iter().map(|cell| (cell.cohort, cell.offset, cell.customers, cell.active)).collect();
    assert_eq!(cells, [(0, 0, 2, 2), (0, 1, 2, 0), (0, 2, 2, 2), (1, 0, 1, 1), (1, 1, 1, 1)]);
    near("share", table[1].share, 0.0, 0.0);
    assert!(table[1].conf_low == 0.0 && table[1].conf_high > 0.5 && table[2].conf_high == 1.0);
}

#[test]
fn splits_and_repeats_change_nothing() {
    let mut generator = Generator::new(6);
    let visits: Vec<(u64, i64, i64)> = (0..60_000)
        .map(|_| {
            let customer = generator.bits() % 900;
            let cohort = (customer % 7) as i64 - 3;
            (customer, cohort, cohort + generator.below(9) as i64)
        })
        .collect();
    let mut whole = Retention::default();
    visits.iter().for_each(|(c, k, a)| whole.update(*c, *k, *a).expect("valid"));
    let mut merged = Retention::default();
    for part in visits.rchunks(7777) {
        let mut state = Retention::default();
        part.iter().rev().for_each(|(c, k, a)| state.update(*c, *k, *a).expect("valid"));
        merged.merge(&Retention::from_bytes(&state.to_bytes()).expect("whole"));
    }
    merged.merge(&whole.clone());
    assert_eq!(whole.table(0.9), merged.table(0.9));
    assert!(whole.size() < 4_000_000);
}

#[test]
fn impossible_periods_are_refused() {
    let mut retention = Retention::default();
    assert!(retention.update(1, 3, 2).is_err());
    assert!(retention.update(1, i64::MIN, i64::MAX).is_err());
    assert_eq!(retention.table(0.95), Ok(Vec::new()));
    retention.update(1, 0, 1_700_000_000).expect("not yet known to be too wide");
    assert!(retention.table(0.95).is_err());
    assert!(Retention::from_bytes(&[9, 0, 0, 0, 0, 0, 0, 0]).is_err());
}
