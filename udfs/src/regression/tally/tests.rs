use super::*;
use crate::regression::simulate::Generator;

#[test]
fn numbers_keep_their_order() {
    let values = [f64::NEG_INFINITY, -1e300, -2.5, -1e-310, 0.0, 1e-310, 0.1, 7.0, f64::INFINITY];
    for pair in values.windows(2) {
        assert!(ordered(pair[0]) < ordered(pair[1]));
    }
    assert!(values.iter().all(|&value| number(ordered(value)) == value));
    assert_eq!(ordered(-0.0), ordered(0.0));
}

#[test]
fn sums_do_not_depend_on_order_or_splits() {
    let mut random = Generator(61);
    let mut entries: Vec<(u64, u64)> =
        (0..20_000).map(|_| (random.next() % 3000, random.next() % 7)).collect();
    let mut expected = vec![0; 3000];
    entries.iter().for_each(|(key, value)| expected[*key as usize] += value);
    random.shuffle(&mut entries);
    let tally = |entries: &[(u64, u64)]| {
        let mut tally = Tally::new();
        entries.iter().for_each(|(key, value)| tally.add(*key, *value));
        tally
    };
    let mut merged = tally(&entries[..123]);
    merged.merge(&tally(&entries[123..]));
    for (key, sum) in merged.sums() {
        assert_eq!(sum, expected[key as usize]);
    }
    assert_eq!(merged.sums(), tally(&entries).sums());
    assert!(merged.size() < 3000 * 16 * 8);
}
