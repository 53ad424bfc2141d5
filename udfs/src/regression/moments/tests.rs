use super::*;
use crate::regression::simulate::{Generator, Table, same_digits};

fn moments(table: &Table, weights: Option<&[f64]>) -> Moments {
    let mut moments = Moments::new(table.columns.len());
    table.batch(weights, |batch| moments.update(batch)).unwrap();
    moments
}

/// Largest difference between two states, in units of the larger one's spreads.
fn distance(a: &Moments, b: &Moments) -> f64 {
    assert_eq!((a.rows, a.skipped, a.width), (b.rows, b.skipped, b.width));
    let mut worst = (a.weight / b.weight - 1.0).abs();
    for i in 0..a.width {
        worst = worst.max((a.mean(i) - b.mean(i)).abs() * b.weight.sqrt() / b.spread(i));
        for j in i..a.width {
            worst = worst.max((a.comoment(i, j) - b.comoment(i, j)).abs() / b.spread(i) / b.spread(j));
        }
    }
    worst
}

fn weights(rows: usize) -> Vec<f64> {
    let mut random = Generator(5);
    (0..rows).map(|_| 0.25 + random.uniform()).collect()
}

#[test]
fn known_values() {
    let table = Table { columns: vec![vec![1.0, 2.0, 4.0], vec![3.0, 5.0, 1.0]] };
    let plain = moments(&table, None);
    assert_eq!((plain.rows(), plain.weight()), (3, 3.0));
    assert!((plain.mean(0) - 7.0 / 3.0).abs() < 1e-15 && (plain.mean(1) - 3.0).abs() < 1e-15);
    assert!((plain.comoment(0, 0) - 14.0 / 3.0).abs() < 1e-14);
    assert!((plain.comoment(1, 0) + 4.0).abs() < 1e-14);
    // A weight counts as so many rows.
    let repeated = moments(&table.take(&[0, 1, 1, 2, 2, 2]), None);
    let weighted = moments(&table, Some(&[1.0, 2.0, 3.0]));
    assert!((weighted.comoment(0, 1) - repeated.comoment(0, 1)).abs() < 1e-14);
    assert!((weighted.effective_rows() - 36.0 / 14.0).abs() < 1e-14);
}

#[test]
fn order_and_splits_do_not_matter() {
    let table = Table::linear(1, 2000, 4);
    let weights = weights(2000);
    for weights in [None, Some(&weights[..])] {
        let whole = moments(&table, weights);
        for cuts in [vec![0, 2000], vec![0, 1, 2, 700, 2000], vec![0, 256, 512, 513, 1999, 2000]] {
            let mut merged = Moments::new(5);
            for cut in cuts.windows(2) {
                let rows: Vec<usize> = (cut[0]..cut[1]).collect();
                let part = moments(&table.take(&rows), weights.map(|weights| &weights[cut[0]..cut[1]]));
                merged.merge(&Moments::from_bytes(&part.to_bytes()).unwrap()).unwrap();
            }
            assert!(distance(&merged, &whole) < 1e-12, "{cuts:?}");
        }
    }
    assert!(distance(&moments(&table.shuffled(9), None), &moments(&table, None)) < 1e-12);
}

#[test]
fn far_from_zero_the_digits_survive() {
    let near = Table::linear(2, 5000, 2);
    let mut far = near.clone();
    far.columns.iter_mut().flatten().for_each(|value| *value += 1e9);
    let (near, far) = (moments(&near, None), moments(&far, None));
    for (i, j) in [(0, 0), (0, 1), (1, 2), (2, 2)] {
        assert!((near.comoment(i, j) - far.comoment(i, j)).abs() < 1e-6 * near.spread(i) * near.spread(j));
    }
}

#[test]
fn unusable_rows_are_left_out_and_counted() {
    let table = Table::linear(3, 600, 2);
    let mut holes = table.clone();
    holes.columns[0][5] = f64::NAN;
    holes.columns[2][300] = f64::INFINITY;
    holes.columns[1][599] = f64::NEG_INFINITY;
    let mut weights = vec![2.0; 600];
    weights[0] = 0.0;
    weights[1] = f64::NAN;
    let mut valid = vec![true; 600];
    valid[400] = false;
    let kept: Vec<usize> = (0..600).filter(|row| ![0, 1, 5, 300, 400, 599].contains(row)).collect();
    let mut found = Moments::new(3);
    let slices = holes.slices();
    found.update(&Batch { columns: &slices, weights: Some(&weights), valid: Some(&valid) }).unwrap();
    assert_eq!((found.rows(), found.skipped()), (594, 6));
    let mut expected = moments(&table.take(&kept), Some(&vec![2.0; 594]));
    expected.skipped = 6;
    assert!(distance(&found, &expected) < 1e-13);
}

#[test]
fn large_values_are_not_taken_for_infinite_ones() {
    let table = Table { columns: vec![vec![1.5e308; 300]] };
    assert_eq!((moments(&table, None).rows(), moments(&table, None).skipped()), (300, 0));
}

#[test]
fn bad_input_is_an_error() {
    let mut moments = Moments::new(2);
    let (long, short) = (vec![1.0, 2.0], vec![1.0]);
    let message = |result: Result<(), Invalid>| result.unwrap_err().message;
    assert_eq!(message(moments.update(&Batch::new(&[&long]))), "batch has 1 columns where 2 are expected");
    assert_eq!(
        message(moments.update(&Batch::new(&[&long, &short]))),
        "columns of a batch are not equally long"
    );
    let columns: [&[f64]; 2] = [&long, &long];
    assert_eq!(message(moments.update(&Batch::weighted(&columns, &[1.0, -2.0]))), "weight -2 is negative");
    assert_eq!(
        message(moments.merge(&Moments::new(3))),
        "moments of 2 columns do not merge with moments of 3"
    );
    let bytes = Moments::new(2).to_bytes();
    for end in 0..bytes.len() {
        assert!(Moments::from_bytes(&bytes[..end]).is_err());
    }
    assert!(Moments::from_bytes(&[255; 200]).is_err());
}

#[test]
fn constant_columns_are_known_as_such() {
    let table = Table { columns: vec![vec![0.1; 1000], vec![0.0; 1000], (0..1000).map(f64::from).collect()] };
    let moments = moments(&table, None);
    assert!(moments.constant(0) && moments.constant(1) && !moments.constant(2));
    assert!(same_digits(moments.comoment(2, 2), 83_333_250.0, 1e-13));
}
