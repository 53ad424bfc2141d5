use super::*;
use crate::regression::simulate::{Table, near};

fn blocked(table: &Table, keys: &[u64]) -> BlockedMoments {
    let mut blocks = BlockedMoments::new(table.columns.len());
    table.batch(None, |batch| blocks.update(batch, keys)).unwrap();
    blocks
}

fn answers() -> Table {
    let mut table = Table::linear(51, 1500, 2);
    // Whole numbers, so that many rows are equal.
    table.columns.iter_mut().flatten().for_each(|value| *value = value.round().clamp(-2.0, 2.0));
    table
}

fn keys(table: &Table) -> Vec<u64> {
    table.batch(None, |batch| row_keys(&[*batch])).remove(0)
}

#[test]
fn blocks_add_up_to_all_rows() {
    let table = answers();
    let mut whole = Moments::new(3);
    table.batch(None, |batch| whole.update(batch)).unwrap();
    let total = blocked(&table, &keys(&table)).total().unwrap();
    assert_eq!(total.rows(), 1500);
    for (a, b) in [(0, 0), (0, 1), (1, 2)] {
        assert!(near(total.comoment(a, b), whole.comoment(a, b), 1e-11));
    }
}

#[test]
fn order_and_splits_do_not_matter() {
    let table = answers();
    let keys_in_order = keys(&table);
    let whole = blocked(&table, &keys_in_order);
    let shuffled = table.shuffled(3);
    let shuffled = blocked(&shuffled, &keys(&shuffled));
    let mut merged = BlockedMoments::new(3);
    for range in [700..1500, 0..700] {
        let part = table.take(&range.clone().collect::<Vec<_>>());
        let part = blocked(&part, &keys_in_order[range]);
        merged.merge(&BlockedMoments::from_bytes(&part.to_bytes()).unwrap()).unwrap();
    }
    for other in [shuffled, merged] {
        for (a, b) in whole.draws(20, 5).unwrap().zip(other.draws(20, 5).unwrap()) {
            assert!(a.rows() == b.rows() && near(a.comoment(0, 1), b.comoment(0, 1), 1e-10));
        }
    }
}

#[test]
fn equal_rows_are_spread_over_the_blocks() {
    let table = Table { columns: vec![vec![9.0; 5000], vec![1.0; 5000]] };
    let blocks = blocked(&table, &keys(&table));
    assert!(blocks.blocks.iter().all(|block| (2..60).contains(&block.rows())));
}

#[test]
fn draws_vary_as_the_mean_does() {
    let table = answers();
    let blocks = blocked(&table, &keys(&table));
    let total = blocks.total().unwrap();
    let means: Vec<f64> = blocks.draws(4000, 11).unwrap().map(|draw| draw.mean(0)).collect();
    let centre = means.iter().sum::<f64>() / 4000.0;
    let variance = means.iter().map(|mean| (mean - centre).powi(2)).sum::<f64>() / 4000.0;
    let expected = total.comoment(0, 0) / 1500.0 / 1500.0;
    assert!((0.8..1.25).contains(&(variance / expected)), "{variance} {expected}");
}

#[test]
fn percentiles_lie_between_order_statistics() {
    let mut values: Vec<f64> = (0..=100).rev().map(f64::from).collect();
    let (low, high) = percentiles(&mut values, 0.95).unwrap();
    assert!((low - 2.5).abs() < 1e-9 && (high - 97.5).abs() < 1e-9);
    assert_eq!(percentiles(&mut [], 0.95), None);
}

#[test]
fn bad_input_is_an_error() {
    let mut blocks = BlockedMoments::new(3);
    let table = answers();
    assert!(table.batch(None, |batch| blocks.update(batch, &[1, 2])).is_err());
    assert!(BlockedMoments::from_bytes(&blocks.to_bytes()[1..]).is_err());
    assert!(blocks.merge(&BlockedMoments::new(2)).is_err());
    assert_eq!(blocks.draws(3, 1).unwrap().map(|draw| draw.rows()).sum::<u64>(), 0);
}
